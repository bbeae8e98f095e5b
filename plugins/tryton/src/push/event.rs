//! What happens to an order afterwards: cancelling.
//!
//! Tryton cancels a sale only before it is confirmed. Later, what came of it is cancelled and the sale is told to go on
//! without: it ends as done, with nothing shipped and nothing invoiced. Every step looks first at what is there, so a
//! call that was cut off is repeated safely.

use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::sales::{Happening, OrderEvent};
use tradepost_sdk::types::Error;

use super::order::issue;
use super::{done, unsupported};
use crate::api::{self, Api, Id, Search};
use crate::pull::remote;

const MODEL: &str = "sale.sale";
const FIELDS: &[&str] = &[
    "number",
    "state",
    "invoice_state",
    "shipment_state",
    "shipments.number",
    "shipments.state",
    "invoices.number",
    "invoices.state",
    "invoices_ignored.id",
    "lines.moves.state",
    "lines.moves_ignored.id",
];

#[derive(Debug, Deserialize)]
struct Sale {
    state: String,
    invoice_state: Option<String>,
    shipment_state: Option<String>,
    #[serde(default)]
    shipments: Vec<Stated>,
    #[serde(default)]
    invoices: Vec<Stated>,
    #[serde(default)]
    invoices_ignored: Vec<Id>,
    #[serde(default)]
    lines: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Stated {
    id: u64,
    number: Option<String>,
    state: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    id: u64,
    #[serde(default)]
    moves: Vec<Move>,
    #[serde(default)]
    moves_ignored: Vec<Id>,
}

#[derive(Debug, Deserialize)]
struct Move {
    id: u64,
    state: String,
}

pub(super) fn push(api: &Api<'_>, event: &OrderEvent) -> Result<Outcome, Error> {
    let Happening::Cancelled(cancellation) = &event.what else {
        return Err(unsupported("only cancellations are applied to sales"));
    };
    if !cancellation.lines.is_empty() {
        return Err(unsupported("a part of a sale cannot be cancelled. Change the sale in Tryton"));
    }
    let reference = event.head.remote.as_ref().map(|remote| &remote.id).or(event.order.id.as_ref());
    let reference = reference.ok_or_else(|| Error::Bug("an event without its order's reference".into()))?;
    cancel(api, api::id(reference)?)
}

/// Whether nothing is left of a sale.
pub(crate) fn is_cancelled(api: &Api<'_>, id: u64) -> Result<bool, Error> {
    Ok(read(api, id)?.is_some_and(|sale| sale.cancelled()))
}

fn cancel(api: &Api<'_>, id: u64) -> Result<Outcome, Error> {
    let sale = read(api, id)?.ok_or_else(|| Error::NotFound(format!("sale {id}")))?;
    if sale.cancelled() {
        return Ok(Outcome::Unchanged(remote(id)));
    }
    if matches!(sale.state.as_str(), "draft" | "quotation") {
        api.press(MODEL, id, "cancel")?;
        return Ok(done(id));
    }
    if sale.state == "confirmed" {
        // Nothing came of it yet, and processing it would only make what has to be cancelled.
        api.press(MODEL, id, "draft")?;
        api.press(MODEL, id, "cancel")?;
        return Ok(done(id));
    }
    if let Some(words) = sale.beyond() {
        return Err(Error::Rejected(vec![issue("", &words)]));
    }
    for shipment in sale.shipments.iter().filter(|shipment| shipment.state != "cancelled") {
        api.press("stock.shipment.out", shipment.id, "cancel")?;
    }
    for invoice in sale.invoices.iter().filter(|invoice| invoice.state != "cancelled") {
        api.press("account.invoice", invoice.id, "cancel")?;
    }
    let sale = read(api, id)?.ok_or_else(|| Error::NotFound(format!("sale {id}")))?;
    let ignored = sale.ignored();
    if !ignored.as_object().is_none_or(serde_json::Map::is_empty) {
        api.write(MODEL, id, &ignored)?;
    }
    api.press(MODEL, id, "process")?;
    match read(api, id)? {
        Some(sale) if sale.cancelled() => Ok(done(id)),
        Some(sale) => {
            let words = format!(
                "The sale is {} after its shipments and invoices were cancelled. Look at it in Tryton.",
                sale.state
            );
            Err(Error::Rejected(vec![issue("", &words)]))
        }
        None => Err(Error::NotFound(format!("sale {id}"))),
    }
}

fn read(api: &Api<'_>, id: u64) -> Result<Option<Sale>, Error> {
    let found = api.find(&Search::of(MODEL, FIELDS).with(json!(["id", "=", id])))?;
    Ok(found.into_iter().next())
}

impl Sale {
    fn cancelled(&self) -> bool {
        let none = |state: &Option<String>| state.as_deref() == Some("none");
        let all = |of: &[Stated]| of.iter().all(|one| one.state == "cancelled");
        self.state == "cancelled"
            || self.state == "done"
                && none(&self.invoice_state)
                && none(&self.shipment_state)
                && !(self.shipments.is_empty() && self.invoices.is_empty())
                && all(&self.shipments)
                && all(&self.invoices)
    }

    /// Why a person has to decide: goods are in somebody's hands, or an invoice is out.
    fn beyond(&self) -> Option<String> {
        let name = |one: &Stated| one.number.clone().unwrap_or_else(|| one.id.to_string());
        let handled = |one: &&Stated| !matches!(one.state.as_str(), "draft" | "waiting" | "assigned" | "cancelled");
        if let Some(shipment) = self.shipments.iter().find(handled) {
            return Some(format!(
                "Shipment {} is already {}. Cancel or return it in Tryton.",
                name(shipment),
                shipment.state
            ));
        }
        let out = |one: &&Stated| !matches!(one.state.as_str(), "draft" | "validated" | "cancelled");
        let invoice = self.invoices.iter().find(out)?;
        Some(format!("Invoice {} is already {}. Credit it in Tryton.", name(invoice), invoice.state))
    }

    /// What tells the sale to go on without its cancelled invoices and moves.
    fn ignored(&self) -> Value {
        let mut values = serde_json::Map::new();
        let open = |one: &&Stated| one.state == "cancelled" && !self.invoices_ignored.contains(&Id { id: one.id });
        let invoices: Vec<u64> = self.invoices.iter().filter(open).map(|one| one.id).collect();
        if !invoices.is_empty() {
            values.insert("invoices_ignored".into(), json!([["add", invoices]]));
        }
        let mut lines = vec![json!("write")];
        for line in &self.lines {
            let open = |one: &&Move| one.state == "cancelled" && !line.moves_ignored.contains(&Id { id: one.id });
            let moves: Vec<u64> = line.moves.iter().filter(open).map(|one| one.id).collect();
            if !moves.is_empty() {
                lines.push(json!([line.id]));
                lines.push(json!({"moves_ignored": [["add", moves]]}));
            }
        }
        if lines.len() > 1 {
            values.insert("lines".into(), json!([lines]));
        }
        Value::Object(values)
    }
}
