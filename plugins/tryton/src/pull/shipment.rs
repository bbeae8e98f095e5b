//! Shipments: goods that left, with their packages. One that serves several sales is one shipment for each of them.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Number, Value, json};
use tradepost_sdk::records::Records;
use tradepost_sdk::sales::{AmountOf, Parcel, Shipment};
use tradepost_sdk::source::Page;
use tradepost_sdk::types::{Error, Link, RemoteRef};

use super::{Reading, Rows, What, empty, filled, gone};
use crate::api::Search;
use crate::map::{self, some};
use crate::value::{self, Day, Instant};

const FIELDS: &[&str] = &[
    "state",
    "effective_date",
    "write_date",
    "create_date",
    "outgoing_moves.quantity",
    "outgoing_moves.origin",
    "outgoing_moves.state",
    "outgoing_moves.sale.number",
    "outgoing_moves.sale.reference",
    "outgoing_moves.sale.shipment_state",
];
const PACKAGES: &[&str] = &["packages.number", "packages.moves.id"];
const TRACKING: &[&str] = &["packages.shipping_reference", "packages.shipping_tracking_url"];
const CARRIER: &[&str] = &["carrier.party.name"];

#[derive(Debug, Deserialize)]
struct Row {
    id: u64,
    effective_date: Option<Day>,
    write_date: Option<Instant>,
    create_date: Option<Instant>,
    carrier: Option<Carrier>,
    #[serde(default)]
    outgoing_moves: Vec<Move>,
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Carrier {
    party: Named,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Move {
    id: u64,
    quantity: Option<Number>,
    origin: Option<String>,
    state: Option<String>,
    sale: Option<Sale>,
}

#[derive(Debug, Deserialize)]
struct Sale {
    id: u64,
    number: Option<String>,
    shipment_state: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: u64,
    shipping_reference: Option<String>,
    shipping_tracking_url: Option<String>,
    #[serde(default)]
    moves: Vec<crate::api::Id>,
}

pub(super) fn pull(reading: &Reading<'_>) -> Result<Page, Error> {
    let api = reading.api;
    let mut fields = FIELDS.to_vec();
    let mut parts = vec![""];
    if api.has("stock_package")? {
        fields.extend(PACKAGES);
        parts.push("packages.");
        if api.has("stock_package_shipping")? {
            fields.extend(TRACKING);
        }
    }
    if api.has("stock_shipment_cost")? {
        fields.extend(CARRIER);
    }
    let search = Search::of("stock.shipment.out", &fields)
        .with(json!(["company", "=", api.company()?.id]))
        .with(json!(["state", "in", ["shipped", "done"]]));
    let Rows { rows, next, .. } = match &reading.what {
        What::Ids(ids) => {
            // `shipment:sale` names one of several sales of a shipment.
            let numbers: Vec<u64> = ids.iter().filter_map(|id| id.split(':').next()?.parse().ok()).collect();
            let rows: Vec<Value> = api.among(&search, &numbers)?;
            Rows { rows, deleted: Vec::new(), next: None }
        }
        _ => reading.rows(search, &parts)?,
    };
    let mut page = empty();
    let shipments = Reading::convert(&rows, &mut page, |row: Row| shipments(&row).map(Some));
    let mut shipments: Vec<Shipment> = shipments.into_iter().flatten().collect();
    let id = |shipment: &Shipment| shipment.head.remote.as_ref().map(|remote| remote.id.clone());
    if let What::Ids(ids) = &reading.what {
        shipments.retain(|shipment| id(shipment).is_some_and(|id| ids.contains(&id)));
        let unread = |wanted: &String| page.unreadable.iter().any(|unreadable| unreadable.id.as_ref() == Some(wanted));
        let there = |wanted: &String| shipments.iter().any(|shipment| id(shipment).as_ref() == Some(wanted));
        page.deleted = ids.iter().filter(|wanted| !there(wanted) && !unread(wanted)).map(|id| gone(id)).collect();
    }
    if reading.what == What::Present {
        let present = |shipment: Shipment| Some((shipment.head.remote?, shipment.order.key));
        page.present = shipments
            .into_iter()
            .filter_map(present)
            .map(|(remote, key)| tradepost_sdk::records::Present { remote, marker: None, key: Some(key) })
            .collect();
        page.unreadable.clear();
    } else {
        filled(&mut page, Records::Shipments(shipments));
    }
    reading.finish(page, next)
}

/// The shipment for each of its sales. Moves that come from no sale are nobody's order.
fn shipments(row: &Row) -> Result<Vec<Shipment>, Error> {
    let mut sales: BTreeMap<u64, &Sale> = BTreeMap::new();
    for sale in row.outgoing_moves.iter().filter_map(|moved| moved.sale.as_ref()) {
        sales.insert(sale.id, sale);
    }
    let several = sales.len() > 1;
    let updated = row.write_date.or(row.create_date);
    let mut shipments = Vec::new();
    for (id, sale) in sales {
        let remote = if several { format!("{}:{id}", row.id) } else { row.id.to_string() };
        let remote = RemoteRef { id: remote, parent: None, version: None };
        shipments.push(Shipment {
            head: map::read(remote, updated),
            order: Link { id: Some(id.to_string()), key: sale.number.clone().unwrap_or_default() },
            // Tryton knows the day; noon keeps it the same day nearly everywhere.
            shipped: match (row.effective_date, updated) {
                (Some(day), _) => format!("{}T12:00:00Z", day.0),
                (None, at) => at.map(|at| at.0.to_string()).unwrap_or_default(),
            },
            parcels: parcels(row, id)?,
            completes: sale.shipment_state.as_deref() == Some("sent"),
            extra: Vec::new(),
        });
    }
    Ok(shipments)
}

/// The packages with goods of a sale, and one more for what is in none.
fn parcels(row: &Row, sale: u64) -> Result<Vec<Parcel>, Error> {
    let carrier = row.carrier.as_ref().and_then(|carrier| carrier.party.name.clone());
    let mut packages: Vec<&Package> = row.packages.iter().collect();
    packages.sort_by_key(|package| package.id);
    let packed = |moved: &Move| row.packages.iter().any(|package| package.moves.iter().any(|id| id.id == moved.id));
    let mut parcels = Vec::new();
    let groups = packages.into_iter().map(Some).chain([None]);
    for package in groups {
        let mut lines: BTreeMap<u64, Decimal> = BTreeMap::new();
        for moved in &row.outgoing_moves {
            let inside = match package {
                Some(package) => package.moves.iter().any(|id| id.id == moved.id),
                None => !packed(moved),
            };
            let ours =
                moved.sale.as_ref().is_some_and(|of| of.id == sale) && moved.state.as_deref() != Some("cancelled");
            let line = moved.origin.as_deref().and_then(|origin| origin.strip_prefix("sale.line,")?.parse().ok());
            if let (true, true, Some(line)) = (inside, ours, line) {
                *lines.entry(line).or_default() +=
                    moved.quantity.as_ref().map(value::quantity).transpose()?.unwrap_or_default();
            }
        }
        lines.retain(|_, quantity| !quantity.is_zero());
        if lines.is_empty() {
            continue;
        }
        parcels.push(Parcel {
            number: parcels.len() as u32 + 1,
            carrier: carrier.clone(),
            tracking: package.and_then(|package| some(package.shipping_reference.as_deref())),
            tracking_url: package.and_then(|package| some(package.shipping_tracking_url.as_deref())),
            weight_kg: None,
            lines: lines
                .into_iter()
                .map(|(line, quantity)| AmountOf { line: line.to_string(), quantity: value::plain(quantity) })
                .collect(),
        });
    }
    Ok(parcels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        serde_json::from_str(include_str!("../../fixtures/shipments.json")).unwrap()
    }

    #[test]
    fn two_packages_are_two_parcels_with_their_lines() {
        let found = shipments(&rows()[0]).unwrap();
        assert_eq!(found.len(), 1);
        let shipment = &found[0];
        assert_eq!(shipment.head.remote.as_ref().unwrap().id, "4");
        assert_eq!(shipment.order, Link { id: Some("4".into()), key: "4".into() });
        assert!(shipment.completes);
        assert_eq!(shipment.shipped, "2026-11-22T12:00:00Z");
        let parcel = |at: usize| {
            let parcel: &Parcel = &shipment.parcels[at];
            assert_eq!(parcel.lines.len(), 1);
            let of = &parcel.lines[0];
            (parcel.tracking.as_deref().unwrap(), of.line.as_str(), of.quantity.as_str())
        };
        assert_eq!(shipment.parcels.len(), 2);
        assert_eq!(parcel(0), ("00340434161094040000", "12", "1"));
        assert_eq!(parcel(1), ("00340434161094040001", "11", "2"));
        assert_eq!(shipment.parcels[0].carrier.as_deref(), Some("DHL"));
    }

    #[test]
    fn what_is_in_no_package_is_a_parcel_without_tracking() {
        let mut row = rows().remove(0);
        row.packages.pop();
        let parcels = shipments(&row).unwrap().remove(0).parcels;
        assert_eq!(parcels.len(), 2);
        assert_eq!((parcels[1].number, parcels[1].tracking.as_deref()), (2, None));
        assert_eq!(parcels[1].lines[0].line, "11");
    }

    #[test]
    fn a_shipment_of_two_sales_is_one_for_each() {
        let mut row = rows().remove(0);
        row.outgoing_moves[1].sale = Some(Sale { id: 9, number: Some("9".into()), shipment_state: None });
        let found = shipments(&row).unwrap();
        let ids: Vec<&str> = found.iter().map(|s| s.head.remote.as_ref().unwrap().id.as_str()).collect();
        assert_eq!(ids, ["4:4", "4:9"]);
        assert_eq!((found[0].parcels.len(), found[1].parcels.len()), (1, 1));
        assert!(!found[1].completes);
    }
}
