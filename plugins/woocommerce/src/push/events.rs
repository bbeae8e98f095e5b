//! What happened to an order elsewhere, applied to the shop's order. Each is looked at before it is applied, so that
//! applying it again changes nothing.

use serde_json::json;
use tradepost_sdk::invalid;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::sales::{Happening, OrderEvent};
use tradepost_sdk::types::Error;

use super::{done, known};
use crate::api::{Shop, answered};
use crate::map::orders::RawOrder;
use crate::map::{field, id, meta, remote};
use crate::settings::Settings;

/// Applies an event.
///
/// # Errors
/// What the shop answers; `rejected` where a person has to decide.
pub fn apply(shop: &Shop, event: &OrderEvent) -> Result<Outcome, Error> {
    let at = id(&known(&event.head)
        .map(|remote| &remote.id)
        .or_else(|error| event.order.id.as_ref().ok_or(error))?
        .clone())?;
    let path = format!("/orders/{at}");
    let order: RawOrder = shop.look(&path)?.ok_or_else(|| Error::NotFound(format!("the shop has no order {at}")))?;
    if applied(&order, &event.what, &shop.settings) {
        return Ok(Outcome::Unchanged(remote(at, None)));
    }
    let over = matches!(order.status.as_str(), "cancelled" | "refunded" | "trash");
    let body = match &event.what {
        Happening::Numbered(number) => {
            json!({"meta_data": [field(&shop.settings.number_meta, Some(number.trim()))]})
        }
        Happening::Cancelled(cancellation) if !cancellation.lines.is_empty() => {
            return Err(Error::Unsupported(
                "a part of an order cannot be cancelled over the interface. Refund it in the shop".into(),
            ));
        }
        Happening::Cancelled(_) if order.status == "completed" || order.status == "refunded" => {
            return Err(invalid("", format!("The order is {} in the shop. Refund it there.", order.status)));
        }
        Happening::Cancelled(_) => json!({"status": "cancelled"}),
        Happening::Completed if over => return Err(invalid("", format!("The order is {} in the shop.", order.status))),
        Happening::Completed => json!({"status": "completed"}),
        Happening::Paid(_) if over => return Err(invalid("", format!("The order is {} in the shop.", order.status))),
        Happening::Paid(payment) => match &payment.transaction {
            Some(transaction) => json!({"set_paid": true, "transaction_id": transaction}),
            None => json!({"set_paid": true}),
        },
        Happening::Refunded(_) => {
            return Err(Error::Unsupported("refunds are made in the shop, where the money is".into()));
        }
    };
    let after: RawOrder = answered(shop.put(&path, &body)?)?;
    if !applied(&after, &event.what, &shop.settings) {
        return Err(invalid("", format!("The shop took the change, but the order is {} after it.", after.status)));
    }
    Ok(done(remote(at, None), Vec::new(), Vec::new()))
}

/// Whether the order is already as the event leaves it.
#[must_use]
pub fn applied(order: &RawOrder, what: &Happening, settings: &Settings) -> bool {
    match what {
        Happening::Numbered(number) => numbered(order, number, settings),
        Happening::Cancelled(cancellation) => cancellation.lines.is_empty() && order.status == "cancelled",
        Happening::Completed => order.status == "completed",
        Happening::Paid(_) => order.date_paid_gmt.is_some(),
        Happening::Refunded(_) => false,
    }
}

/// Whether the order carries this number of the other side.
#[must_use]
pub fn numbered(order: &RawOrder, number: &str, settings: &Settings) -> bool {
    meta(&order.meta_data, &settings.number_meta).as_deref() == Some(number.trim())
}
