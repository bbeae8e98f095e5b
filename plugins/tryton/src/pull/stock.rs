//! Stock: what can still be sold of each variant, by warehouse.
//!
//! A variant does not change when its stock does; only moves show it, and moves that were planned for a day begin to
//! count when the day comes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Number, Value, json};
use tradepost_sdk::catalog::StockLevel;
use tradepost_sdk::records::Records;
use tradepost_sdk::source::Page;
use tradepost_sdk::types::{Error, Link, RemoteRef};

use super::product::sold;
use super::{Reading, Rows, What, empty, filled, remote};
use crate::api::{Api, Id, Search, changed_since};
use crate::map;
use crate::masters::{self, Warehouse};
use crate::value;

const FIELDS: &[&str] = &["code", "active", "template.id", "template.consumable"];
#[derive(Debug, Deserialize)]
struct Row {
    id: u64,
    code: Option<String>,
    active: Option<bool>,
    template: Template,
}

#[derive(Debug, Deserialize)]
struct Template {
    id: u64,
    consumable: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Move {
    product: Option<Id>,
}

/// A planned move out of a warehouse's storage, in the product's own unit.
#[derive(Debug, Deserialize)]
struct Leaving {
    product: Option<Id>,
    internal_quantity: Option<Number>,
}

#[derive(Debug, Deserialize)]
struct Quantity {
    id: u64,
    forecast_quantity: Option<Number>,
}

pub(super) fn pull(reading: Reading<'_>) -> Result<Page, Error> {
    let api = reading.api;
    let warehouses = masters::warehouses(api)?;
    let reading = &reading.each(warehouses.len());
    let search = Search::of("product.product", FIELDS).with(sold(api, "template.")).all();
    let (rows, next, more) = match &reading.what {
        What::Present => return reading.present(search, |row| row["code"].as_str().map(str::to_owned)),
        // First the variants themselves: new ones have a figure before anything moves.
        What::Since(since) if reading.cursor.second => {
            let (products, next) = moved(reading, *since)?;
            let rows = api.among(&search, &products)?;
            (Rows { rows, deleted: Vec::new(), next: None }, next, false)
        }
        What::Since(_) => {
            let rows = reading.rows(search, &["", "template."])?;
            let next = rows.next;
            (rows, next, next.is_none())
        }
        What::All | What::Ids(_) => {
            let rows = reading.rows(search, &[])?;
            let next = rows.next;
            (rows, next, false)
        }
    };
    let mut page = empty();
    page.deleted = rows.deleted;
    let levels = levels(reading, warehouses, &rows.rows, &mut page)?;
    filled(&mut page, Records::Stock(levels));
    if more { Ok(reading.second(page)) } else { reading.finish(page, next) }
}

/// Products of moves that changed, or whose day has come since.
fn moved(reading: &Reading<'_>, since: Timestamp) -> Result<(Vec<u64>, Option<u64>), Error> {
    let (before, today) = (since.to_zoned(TimeZone::UTC).date(), today(reading.api)?);
    let mut clause = changed_since(since, &[""]);
    if let (Some(clause), true) = (clause.as_array_mut(), before < today) {
        clause.push(json!([
            ["planned_date", ">=", value::day(before)],
            ["planned_date", "<=", value::day(today)],
            ["state", "=", "draft"],
        ]));
    }
    let search = Search::of("stock.move", &["product.id"]).with(clause);
    let rows = reading.api.rows(&search.page(reading.cursor.after, reading.size))?;
    let next = rows.last().filter(|_| rows.len() >= reading.size as usize).and_then(|row| row["id"].as_u64());
    let products: BTreeSet<u64> =
        crate::api::parse::<Move>(&rows)?.into_iter().filter_map(|moved| Some(moved.product?.id)).collect();
    Ok((products.into_iter().collect(), next))
}

fn levels(
    reading: &Reading<'_>,
    warehouses: Vec<Warehouse>,
    rows: &[Value],
    page: &mut Page,
) -> Result<Vec<StockLevel>, Error> {
    let api = reading.api;
    let ids = super::category::ids(rows);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // Taken before the server is asked: what happens in between is in a later figure.
    let taken = api.host.now();
    let mut figures = Vec::new();
    for warehouse in warehouses {
        let figure = quantities(api, &warehouse, &ids)?;
        figures.push((warehouse, figure));
    }
    let levels = Reading::convert(rows, page, |row: Row| {
        // Its code may be in use again by another variant; nothing is sold of this one.
        if row.active == Some(false) {
            return Ok(None);
        }
        let Some(sku) = map::some(row.code.as_deref()) else { return Ok(None) };
        let levels = figures.iter().map(|(warehouse, figure)| {
            let quantity = figure.get(&row.id).copied().unwrap_or_default();
            level(&row, &sku, warehouse, value::plain(quantity), &taken)
        });
        Ok(Some(levels.collect::<Vec<_>>()))
    });
    Ok(levels.into_iter().flatten().collect())
}

/// What can still be promised: Tryton's forecast of today, less what is to leave on another day.
///
/// The forecast counts planned moves of today only. What should have left yesterday is missing in it until Tryton's
/// nightly task plans it anew, and what leaves in two days is not in it yet; both are sold all the same.
fn quantities(api: &Api<'_>, warehouse: &Warehouse, ids: &[u64]) -> Result<BTreeMap<u64, Decimal>, Error> {
    let today = value::day(today(api)?);
    let storage = json!([warehouse.storage_location.id]);
    let search = Search::of("product.product", &["forecast_quantity"])
        .all()
        .context("locations", storage.clone())
        .context("with_childs", json!(true))
        .context("stock_date_end", today.clone());
    let mut quantities = BTreeMap::new();
    for row in api.among::<Quantity>(&search, ids)? {
        let forecast = row.forecast_quantity.as_ref().map(value::quantity).transpose()?;
        quantities.insert(row.id, forecast.unwrap_or_default());
    }
    let search = Search::of("stock.move", &["product.id", "internal_quantity"])
        .with(json!(["state", "=", "draft"]))
        .with(json!(["OR", ["planned_date", "=", null], ["planned_date", "!=", today]]))
        .with(json!(["from_location", "child_of", storage, "parent"]))
        .with(json!(["to_location", "not child_of", storage, "parent"]));
    for row in api.matching::<Leaving>(&search, "product", ids)? {
        if let (Some(product), Some(quantity)) = (row.product, row.internal_quantity) {
            *quantities.entry(product.id).or_default() -= value::quantity(&quantity)?;
        }
    }
    Ok(quantities)
}

/// The server's day. Tryton's own is that of the company's zone; near midnight the later of the two matters little,
/// because a move is due on the day after as well.
fn today(api: &Api<'_>) -> Result<jiff::civil::Date, Error> {
    let now = match api.clock()? {
        Some(now) => now,
        None => value::parse_instant(&api.host.now())?,
    };
    Ok(now.to_zoned(TimeZone::UTC).date())
}

fn level(row: &Row, sku: &str, warehouse: &Warehouse, quantity: String, taken: &str) -> StockLevel {
    StockLevel {
        head: map::read(RemoteRef { parent: Some(row.template.id.to_string()), ..remote(row.id) }, None),
        variant: Link { id: Some(row.id.to_string()), key: sku.into() },
        warehouse: warehouse.id.to_string(),
        quantity,
        unlimited: row.template.consumable.unwrap_or_default(),
        taken: Some(taken.into()),
    }
}
