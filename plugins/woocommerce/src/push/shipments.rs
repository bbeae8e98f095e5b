//! Shipments. WooCommerce has none: a shipment is written into a free field of its order, under its idempotency key, in
//! the same request as the tracking codes and, when nothing is left to be sent, the status. A note for people follows.

use serde_json::{Value, json};
use tradepost_sdk::head::Op;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::sales::Shipment;
use tradepost_sdk::types::Error;
use tradepost_sdk::{invalid, report};

use super::{done, partial};
use crate::api::Shop;
use crate::map::orders::{RawOrder, SHIPMENT, Sent, SentParcel, parts, reference};
use crate::map::{field, filled, id};
use crate::settings::TrackingNote;

/// Writes a shipment on its order.
///
/// # Errors
/// What the shop answers; `rejected` for an order that is over.
pub fn write(shop: &Shop, shipment: &Shipment) -> Result<Outcome, Error> {
    if matches!(shipment.head.op, Op::Read | Op::Update) {
        return Err(Error::Unsupported("a shipment is sent once and never changed".into()));
    }
    let of = shipment.order.id.as_ref().ok_or_else(|| Error::Bug("a shipment without its order".into()))?;
    let at = id(of)?;
    let path = format!("/orders/{at}");
    let order: RawOrder = shop.look(&path)?.ok_or_else(|| Error::NotFound(format!("the shop has no order {at}")))?;
    let sent = sent(shipment);
    let here = reference(at, &sent.item);
    let parts = parts(at, &sent);
    let already = order.sent();
    let mut wrote = false;
    if !already.iter().any(|one| one.item == sent.item) {
        if matches!(order.status.as_str(), "cancelled" | "refunded" | "trash") {
            return Err(invalid(
                "order",
                format!("The order is {} in the shop. Open it again there, or call the parcel back.", order.status),
            ));
        }
        shop.put(&path, &body(shop, &sent, &already)?)?;
        wrote = true;
    }
    report::settle(&shipment.head.item, &partial(here.clone(), parts.clone()));
    if let Some(note) = note(shop, &sent)
        && !noted(shop, at, &sent)?
    {
        shop.post(&format!("{path}/notes"), &note)?;
        wrote = true;
    }
    Ok(if wrote { done(here, parts, Vec::new()) } else { Outcome::Unchanged(here) })
}

fn sent(shipment: &Shipment) -> Sent {
    Sent {
        item: shipment.head.item.clone(),
        marker: shipment.head.marker.clone(),
        shipped: shipment.shipped.clone(),
        completes: shipment.completes,
        parcels: shipment
            .parcels
            .iter()
            .map(|parcel| SentParcel {
                number: parcel.number,
                carrier: parcel.carrier.clone(),
                tracking: filled(parcel.tracking.as_deref()),
                tracking_url: parcel.tracking_url.clone(),
                lines: parcel.lines.iter().map(|line| (line.line.clone(), line.quantity.clone())).collect(),
            })
            .collect(),
    }
}

fn body(shop: &Shop, sent: &Sent, already: &[Sent]) -> Result<Value, Error> {
    let written = serde_json::to_string(sent).map_err(|error| Error::Bug(format!("a shipment is no JSON: {error}")))?;
    let mut fields = vec![field(&format!("{SHIPMENT}{}", sent.item), Some(&written))];
    // Plugins know one field for the codes of all shipments.
    let codes: Vec<&str> = already.iter().chain([sent]).flat_map(codes).collect();
    if !shop.settings.tracking_meta.is_empty() && !codes.is_empty() {
        fields.push(field(&shop.settings.tracking_meta, Some(&codes.join(", "))));
    }
    let mut body = json!({"meta_data": fields});
    if sent.completes {
        body["status"] = json!("completed");
    }
    Ok(body)
}

fn codes(sent: &Sent) -> impl Iterator<Item = &str> {
    sent.parcels.iter().filter_map(|parcel| parcel.tracking.as_deref())
}

/// The note about a shipment; none without anything to say.
fn note(shop: &Shop, sent: &Sent) -> Option<Value> {
    let customer = match shop.settings.tracking_note {
        TrackingNote::None => return None,
        TrackingNote::Internal => false,
        TrackingNote::Customer => true,
    };
    let parcel = |parcel: &SentParcel| {
        let words = [parcel.carrier.as_deref(), parcel.tracking.as_deref(), parcel.tracking_url.as_deref()];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let lines: Vec<String> = sent.parcels.iter().map(parcel).filter(|line| !line.is_empty()).collect();
    (codes(sent).next().is_some()).then(|| json!({"note": lines.join("; "), "customer_note": customer}))
}

/// Whether a note with all codes of the shipment is there.
///
/// # Errors
/// What the shop answers.
pub fn noted(shop: &Shop, order: u64, sent: &Sent) -> Result<bool, Error> {
    if note(shop, sent).is_none() {
        return Ok(true);
    }
    let notes: Vec<Value> = shop.get(&format!("/orders/{order}/notes"))?;
    let has = |note: &Value| codes(sent).all(|code| note["note"].as_str().is_some_and(|text| text.contains(code)));
    Ok(notes.iter().any(has))
}
