//! Goods that left: one line per parcel, or per parcel and article.

use rust_decimal::Decimal;
use tradepost_sdk::sales::{AmountOf, Parcel, Shipment};
use tradepost_sdk::types::{Field, Link};

use super::{Delivery, head};
use crate::outbox::{self, Given};
use crate::value::{Cells, Read, Reason, Row, Trouble};

pub(super) const COLUMNS: &[&str] = &[
    "shipment",
    "order",
    "shipped",
    "parcel",
    "carrier",
    "tracking",
    "tracking_url",
    "weight_kg",
    "line",
    "sku",
    "quantity",
    "completes",
];

pub(super) fn shipment(delivery: &Delivery<'_>, rows: &[&Row]) -> Result<Shipment, Trouble> {
    let all: Vec<Cells<'_>> = rows.iter().map(|row| delivery.cells(row)).collect();
    let first = all[0];
    let id = first.id("shipment")?;
    let named = first.id("order")?;
    if let Some(other) = all.iter().find(|cells| cells.row.get("order") != Some(&named)) {
        return Err(other.wrong("order", &format!("shipment {id} belongs to `{named}` on an earlier line")).into());
    }
    let given = outbox::given(delivery.folder, &named)?;
    let mut taken = Taken { given: given.as_ref(), of: Vec::new() };
    let mut parcels: Vec<Parcel> = Vec::new();
    for cells in &all {
        let number = number(*cells)?;
        let lines = taken.lines(*cells)?;
        match parcels.iter_mut().find(|parcel| parcel.number == number) {
            Some(parcel) => {
                for (known, name) in [
                    (&mut parcel.tracking, "tracking"),
                    (&mut parcel.carrier, "carrier"),
                    (&mut parcel.tracking_url, "tracking_url"),
                ] {
                    match (cells.text(name), known.as_ref()) {
                        (Some(new), Some(old)) if new != *old => {
                            return Err(cells.wrong(name, &format!("parcel {number} has `{old}` already")).into());
                        }
                        (Some(new), None) => *known = Some(new),
                        _ => {}
                    }
                }
                parcel.lines.extend(lines);
            }
            None => parcels.push(Parcel {
                number,
                carrier: cells.text("carrier"),
                tracking: cells.text("tracking"),
                tracking_url: cells.text("tracking_url"),
                weight_kg: cells.decimal("weight_kg")?,
                lines,
            }),
        }
    }
    let shipped = match first.time("shipped")? {
        Some(at) => at.to_string(),
        None => delivery.modified.clone(),
    };
    // Without lines a shipment is the whole order.
    let whole = parcels.iter().all(|parcel| parcel.lines.is_empty());
    let mut completes = None;
    for cells in &all {
        completes = completes.or(cells.truth("completes")?);
    }
    let order = given.as_ref().map_or(&named, |given| &given.id).clone();
    let extra = first.row.family("extra").filter(|(_, value)| !value.is_empty());
    Ok(Shipment {
        head: head(&id),
        order: Link { id: Some(order), key: named },
        shipped,
        parcels,
        completes: completes.unwrap_or(whole),
        extra: extra.map(|(name, value)| Field { name: name.into(), value: value.into() }).collect(),
    })
}

fn number(cells: Cells<'_>) -> Read<u32> {
    let text = cells.row.get("parcel").unwrap_or("1");
    let number: Option<u32> = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| cells.wrong("parcel", &format!("`{text}` is not a number from 1")))
}

/// Which lines of the order are used up by what the file says so far.
struct Taken<'a> {
    given: Option<&'a Given>,
    of: Vec<(String, Decimal)>,
}

impl Taken<'_> {
    fn lines(&mut self, cells: Cells<'_>) -> Read<Vec<AmountOf>> {
        let Some(quantity) = cells.decimal("quantity")? else {
            return match cells.row.get("line").or(cells.row.get("sku")) {
                Some(_) => Err(cells.wrong("quantity", "it is empty")),
                None => Ok(Vec::new()),
            };
        };
        if let Some(line) = cells.text("line") {
            return Ok(vec![AmountOf { line, quantity }]);
        }
        let sku = cells.needed("sku")?;
        let Some(given) = self.given else {
            return Err(cells.wrong("sku", "the order is not known here, so its lines have to be named in `line`"));
        };
        let mut left: Decimal =
            quantity.parse().map_err(|_| cells.wrong("quantity", &format!("`{quantity}` is too long")))?;
        let wanted = left;
        let mut lines = Vec::new();
        for line in given.order.lines.iter().filter(|line| line.sku.as_deref() == Some(sku)) {
            let used: Decimal = self.of.iter().filter(|(id, _)| *id == line.id).map(|(_, used)| *used).sum();
            let ordered: Decimal =
                line.quantity.parse().map_err(|_| Reason(format!("line {} of the order", line.id)))?;
            let part = left.min(ordered - used);
            if part > Decimal::ZERO {
                left -= part;
                self.of.push((line.id.clone(), part));
                lines.push(AmountOf { line: line.id.clone(), quantity: part.normalize().to_string() });
            }
        }
        if left > Decimal::ZERO || wanted <= Decimal::ZERO {
            let why = format!("order {} has no {quantity} of `{sku}` that are left to be shipped", given.order.number);
            return Err(cells.wrong("sku", &why));
        }
        Ok(lines)
    }
}
