//! Shipments: every parcel is one fulfilment with its own tracking code.
//!
//! Vendure never fulfils a piece twice, and its fulfilments are looked at first: one with the same tracking code, or the
//! same goods where there is no code, is the parcel of an attempt whose answer was lost.

use serde_json::{Value, json};
use tradepost_sdk::head::{Op, Part, PartKind};
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::sales::{Parcel, Shipment};
use tradepost_sdk::types::Error;

use super::events::{MOVE, pieces};
use super::{done, partial, refused, unchanged};
use crate::api::{Shop, read, rejection};
use crate::map::catalogue::part;
use crate::map::shipments::{Fulfilment, SHIPPED, Shipped, reference};

const FULFIL: &str = "mutation($input:FulfillOrderInput!){addFulfillmentToOrder(input:$input){__typename \
    ... on Fulfillment{id state} ... on ErrorResult{errorCode message} \
    ... on FulfillmentStateTransitionError{transitionError} ... on CreateFulfillmentError{fulfillmentHandlerError}}}";

/// A fulfilment to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Numbers of the parcels in it.
    pub parcels: Vec<u32>,
    /// Carrier.
    pub method: Option<String>,
    /// Tracking code.
    pub tracking: Option<String>,
    /// Order lines and pieces, sorted.
    pub lines: Vec<(String, i64)>,
}

/// Makes the fulfilments of a shipment that are not there yet.
///
/// # Errors
/// What the shop answers.
pub fn write(shop: &Shop<'_>, shipment: &Shipment) -> Result<Outcome, Error> {
    if matches!(shipment.head.op, Op::Read | Op::Update) {
        return Err(Error::Unsupported("a shipment is sent once and never changed".into()));
    }
    let order = shipment.order.id.as_ref().ok_or_else(|| Error::Bug("a shipment without its order".into()))?;
    let order = orders(shop, std::slice::from_ref(order))?
        .into_iter()
        .next()
        .ok_or_else(|| Error::NotFound(format!("the shop has no order {order}")))?;
    let there: Vec<Fulfilment> = order.fulfillments.iter().flatten().filter(|one| one.counts()).cloned().collect();
    let wanted = plan(shipment, &order)?;
    let mut used: Vec<String> = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    let mut wrote = false;
    for one in &wanted {
        let remembered = one.parcels.iter().find_map(|number| remembered(&shipment.head.parts, *number));
        let found = there
            .iter()
            .filter(|fulfilment| !used.contains(&fulfilment.id))
            .find(|fulfilment| remembered.as_deref() == Some(reference(&order.id, &fulfilment.id).id.as_str()))
            .or_else(|| there.iter().find(|fulfilment| !used.contains(&fulfilment.id) && matches(one, fulfilment)));
        let (id, left) = match found {
            Some(fulfilment) => (fulfilment.id.clone(), fulfilment.left()),
            None => {
                wrote = true;
                (fulfil(shop, one)?, false)
            }
        };
        let this = reference(&order.id, &id);
        parts.extend(one.parcels.iter().map(|number| part(PartKind::Parcel, &number.to_string(), &this.id)));
        used.push(id.clone());
        let first = reference(&order.id, &used[0]);
        shop.settle(&shipment.head.item, &partial(first, parts.clone()));
        if !left {
            shop.mutate(MOVE, json!({"id": id, "state": "Shipped"}))?;
            wrote = true;
        }
    }
    let first = used.first().ok_or_else(|| refused("parcels", "the shipment has no parcels"))?;
    let first = reference(&order.id, first);
    Ok(if wrote { done(first, parts, Vec::new()) } else { unchanged(first) })
}

/// Reads the orders of these ids with their fulfilments.
///
/// # Errors
/// What the shop answers.
pub fn orders(shop: &Shop<'_>, ids: &[String]) -> Result<Vec<Shipped>, Error> {
    let document = format!("query($options:OrderListOptions){{orders(options:$options){{items{{{SHIPPED}}}}}}}");
    let options = json!({"take": ids.len(), "filter": {"id": {"in": ids}}});
    read(shop.query(&document, json!({"options": options}))?.data["orders"]["items"].take())
}

fn remembered(parts: &[Part], number: u32) -> Option<String> {
    let number = number.to_string();
    parts.iter().find(|part| part.what == PartKind::Parcel && part.key == number).map(|part| part.id.clone())
}

/// Whether the fulfilment is the parcel.
fn matches(wanted: &Wanted, there: &Fulfilment) -> bool {
    let code = there.tracking_code.as_deref().map(str::trim).filter(|code| !code.is_empty());
    match (wanted.tracking.as_deref(), code) {
        (Some(wanted), Some(code)) => wanted == code,
        (None, None) => wanted.lines == lines(there),
        _ => false,
    }
}

fn lines(there: &Fulfilment) -> Vec<(String, i64)> {
    let mut lines: Vec<(String, i64)> =
        there.lines.iter().map(|line| (line.order_line_id.clone(), line.quantity)).collect();
    lines.sort();
    lines
}

/// The fulfilments of a shipment. Parcels that do not say what is in them share one with all that is left of the order.
///
/// # Errors
/// `rejected` for parts of pieces.
pub fn plan(shipment: &Shipment, order: &Shipped) -> Result<Vec<Wanted>, Error> {
    let mut all: Vec<Wanted> = Vec::new();
    let mut rest: Vec<&Parcel> = Vec::new();
    for parcel in &shipment.parcels {
        if parcel.lines.is_empty() {
            rest.push(parcel);
            continue;
        }
        let mut lines: Vec<(String, i64)> = Vec::new();
        for line in &parcel.lines {
            let quantity = pieces(&line.quantity)?;
            match lines.iter_mut().find(|(id, _)| *id == line.line) {
                Some(known) => known.1 += quantity,
                None => lines.push((line.line.clone(), quantity)),
            }
        }
        lines.sort();
        all.push(Wanted {
            parcels: vec![parcel.number],
            method: parcel.carrier.clone(),
            tracking: code(parcel),
            lines,
        });
    }
    if let Some(first) = rest.first() {
        let codes: Vec<String> = rest.iter().filter_map(|parcel| code(parcel)).collect();
        let tracking = (!codes.is_empty()).then(|| codes.join(", "));
        let ours = |fulfilment: &&Fulfilment| {
            let kept = rest.iter().find_map(|parcel| remembered(&shipment.head.parts, parcel.number));
            kept == Some(reference(&order.id, &fulfilment.id).id)
                || (tracking.is_some() && fulfilment.tracking_code == tracking)
        };
        let sent = |line: &str| -> i64 {
            let fulfilments = order.fulfillments.iter().flatten().filter(|one| one.counts() && !ours(one));
            let before: i64 = fulfilments
                .flat_map(|one| &one.lines)
                .filter(|one| one.order_line_id == line)
                .map(|one| one.quantity)
                .sum();
            let now: i64 = all.iter().flat_map(|one| &one.lines).filter(|one| one.0 == line).map(|one| one.1).sum();
            before + now
        };
        let mut lines: Vec<(String, i64)> = order
            .lines
            .iter()
            .map(|line| (line.id.clone(), line.quantity - sent(&line.id)))
            .filter(|(_, quantity)| *quantity > 0)
            .collect();
        lines.sort();
        let parcels = rest.iter().map(|parcel| parcel.number).collect();
        all.push(Wanted { parcels, method: first.carrier.clone(), tracking, lines });
    }
    Ok(all)
}

fn code(parcel: &Parcel) -> Option<String> {
    parcel.tracking.as_deref().map(str::trim).filter(|code| !code.is_empty()).map(Into::into)
}

fn fulfil(shop: &Shop<'_>, wanted: &Wanted) -> Result<String, Error> {
    let method = wanted.method.as_deref().unwrap_or(&shop.settings.fulfilment_method);
    let lines: Vec<Value> =
        wanted.lines.iter().map(|(id, quantity)| json!({"orderLineId": id, "quantity": quantity})).collect();
    let input = json!({
        "lines": lines,
        "handler": {
            "code": shop.settings.fulfilment_handler,
            "arguments": [
                {"name": "method", "value": method},
                {"name": "trackingCode", "value": wanted.tracking.as_deref().unwrap_or_default()},
            ],
        },
    });
    let made = shop.mutate(FULFIL, json!({"input": input})).map_err(|error| {
        if rejection(&error) == Some("ITEMS_ALREADY_FULFILLED_ERROR") {
            refused("lines", "the goods of this parcel are in other fulfilments of the order already")
        } else {
            error
        }
    })?;
    made["id"].as_str().map(str::to_owned).ok_or_else(|| Error::Timeout("the shop names no new fulfilment".into()))
}

#[cfg(test)]
mod tests;
