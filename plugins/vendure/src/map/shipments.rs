//! Fulfilments as shipments: each is one parcel.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tradepost_sdk::head::PartKind;
use tradepost_sdk::sales::{AmountOf, Parcel, Shipment};
use tradepost_sdk::types::{Error, RemoteRef};

use super::catalogue::part;
use super::{filled, head, link, remote};
use crate::api::read;

/// Fields of an order that its shipments need.
pub const SHIPPED: &str = "id code state lines{id quantity} \
    fulfillments{id state method trackingCode createdAt updatedAt lines{orderLineId quantity}}";

/// An order with its fulfilments.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Shipped {
    pub id: String,
    pub code: String,
    pub state: String,
    pub lines: Vec<Ordered>,
    pub fulfillments: Option<Vec<Fulfilment>>,
}

/// A line of the order.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Ordered {
    pub id: String,
    pub quantity: i64,
}

/// A fulfilment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Fulfilment {
    pub id: String,
    pub state: String,
    pub method: String,
    pub tracking_code: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub lines: Vec<Fulfilled>,
}

/// What of a line a fulfilment holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Fulfilled {
    pub order_line_id: String,
    pub quantity: i64,
}

impl Fulfilment {
    /// Whether the goods left.
    #[must_use]
    pub fn left(&self) -> bool {
        matches!(self.state.as_str(), "Shipped" | "Delivered")
    }

    /// Whether it counts: a cancelled one gives its goods back.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.state != "Cancelled"
    }
}

/// A fulfilment can only be read through its order, so that the reference names both.
#[must_use]
pub fn reference(order: &str, fulfilment: &str) -> RemoteRef {
    remote(&format!("{order}/{fulfilment}"), Some(order))
}

/// The shipments of an order whose goods left.
///
/// # Errors
/// `bug` for a shape that is not known.
pub fn shipments(raw: Value) -> Result<Vec<Shipment>, Error> {
    let order: Shipped = read(raw)?;
    let complete = matches!(order.state.as_str(), "Shipped" | "PartiallyDelivered" | "Delivered");
    let mut gone: Vec<&Fulfilment> = order.fulfillments.iter().flatten().filter(|one| one.left()).collect();
    gone.sort_by_key(|one| (one.created_at, one.id.parse::<u64>().unwrap_or_default()));
    let last = gone.len();
    Ok(gone
        .into_iter()
        .enumerate()
        .map(|(at, fulfilment)| {
            let remote = reference(&order.id, &fulfilment.id);
            Shipment {
                head: head(remote.clone(), vec![part(PartKind::Parcel, "1", &remote.id)], Some(fulfilment.updated_at)),
                order: link(&order.id, &order.code),
                // The time of making it: `updatedAt` moves on when it is delivered.
                shipped: fulfilment.created_at.to_string(),
                parcels: vec![Parcel {
                    number: 1,
                    carrier: filled(Some(&fulfilment.method)),
                    tracking: filled(fulfilment.tracking_code.as_deref()),
                    tracking_url: None,
                    weight_kg: None,
                    lines: fulfilment
                        .lines
                        .iter()
                        .map(|line| AmountOf { line: line.order_line_id.clone(), quantity: line.quantity.to_string() })
                        .collect(),
                }],
                completes: complete && at + 1 == last,
                extra: Vec::new(),
            }
        })
        .collect())
}

#[cfg(test)]
mod tests;
