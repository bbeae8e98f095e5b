//! Prices and stock.

use jiff::{SignedDuration, Timestamp};
use tradepost_sdk::catalog::{Price, PriceKind, StockLevel};
use tradepost_sdk::types::{Link, TaxBasis};

use super::{CHANNEL, Delivery, WAREHOUSE, head};
use crate::value::{Cells, Read, Row};

pub(super) const PRICE: &[&str] =
    &["sku", "amount", "kind", "currency", "basis", "from_quantity", "valid_from", "valid_to"];
pub(super) const STOCK: &[&str] = &["sku", "quantity", "warehouse", "unlimited", "taken"];

fn variant(sku: &str) -> Link {
    Link { id: Some(sku.to_owned()), key: sku.to_owned() }
}

pub(super) fn price(cells: Cells<'_>) -> Read<Price> {
    let sku = cells.id("sku")?;
    let settings = &cells.setup.settings;
    let kind = match cells.row.get("kind").map(str::to_lowercase).as_deref() {
        None | Some("base") => PriceKind::Base,
        Some("special") => PriceKind::Special,
        Some(other) => return Err(cells.wrong("kind", &format!("`{other}` is neither base nor special"))),
    };
    let amount = cells.decimal("amount")?;
    if amount.is_none() && kind == PriceKind::Base {
        return Err(cells.wrong("amount", "a base price needs one; only a special price is taken away by an empty one"));
    }
    let currency = cells.row.get("currency").unwrap_or(&settings.currency);
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(cells.wrong("currency", &format!("`{currency}` is not a code such as EUR")));
    }
    let basis = match cells.row.get("basis").map(str::to_lowercase).as_deref() {
        None => settings.basis.into(),
        Some("net") => TaxBasis::Net,
        Some("gross") => TaxBasis::Gross,
        Some(other) => return Err(cells.wrong("basis", &format!("`{other}` is neither net nor gross"))),
    };
    Ok(Price {
        head: head(&sku),
        variant: variant(&sku),
        channel: CHANNEL.into(),
        kind,
        currency: currency.into(),
        basis,
        amount,
        from_quantity: cells.decimal("from_quantity")?.unwrap_or_else(|| "1".into()),
        valid_from: cells.time("valid_from")?.map(|at| at.to_string()),
        valid_to: cells.end("valid_to")?.map(|at| at.to_string()),
    })
}

pub(super) fn stock(delivery: &Delivery<'_>, row: &Row) -> Read<StockLevel> {
    let cells = delivery.cells(row);
    let sku = cells.id("sku")?;
    let unlimited = cells.truth("unlimited")?.unwrap_or(false);
    let quantity = match cells.decimal("quantity")? {
        Some(quantity) => quantity,
        None if unlimited => "0".into(),
        None => return Err(cells.wrong("quantity", "it is empty; write 0 where there is none")),
    };
    Ok(StockLevel {
        head: head(&sku),
        variant: variant(&sku),
        warehouse: if row.get("warehouse").is_some() { cells.id("warehouse")? } else { WAREHOUSE.into() },
        quantity,
        unlimited,
        taken: cells.time("taken")?.or_else(|| taken(delivery)).map(|at| at.to_string()),
    })
}

/// The figures are older than the file: the export takes its time before it writes.
fn taken(delivery: &Delivery<'_>) -> Option<Timestamp> {
    let written: Timestamp = delivery.modified.parse().ok()?;
    written.checked_sub(SignedDuration::from_secs(delivery.folder.setup.settings.export_seconds.into())).ok()
}
