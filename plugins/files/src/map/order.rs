//! What the ERP says of an order that was written for it: its number, and how far it is.

use tradepost_sdk::sales::{Order, OrderState};

use super::{Delivery, head};
use crate::outbox::{self, Given};
use crate::value::{Row, Trouble};

pub(super) const COLUMNS: &[&str] = &["order", "number", "state"];

pub(super) fn order(delivery: &Delivery<'_>, row: &Row) -> Result<Order, Trouble> {
    let cells = delivery.cells(row);
    let named = cells.id("order")?;
    let number = cells.id("number")?;
    let state = match row.get("state").map(|state| state.to_lowercase().replace(['_', ' '], "-")).as_deref() {
        None | Some("open" | "accepted") => OrderState::Open,
        Some("pending") => OrderState::Pending,
        Some("partly-shipped") => OrderState::PartlyShipped,
        Some("shipped") => OrderState::Shipped,
        Some("completed") => OrderState::Completed,
        Some("cancelled") => OrderState::Cancelled,
        Some(other) => {
            let why = format!("`{other}` is none of pending, open, partly-shipped, shipped, completed, cancelled");
            return Err(cells.wrong("state", &why).into());
        }
    };
    let Some(Given { id, order, .. }) = outbox::given(delivery.folder, &named)? else {
        let why = format!("no order with the id or number `{named}` was written to the outbox");
        return Err(cells.wrong("order", &why).into());
    };
    let shop_number = order.number.clone();
    let mut head = head(&id);
    head.marker.clone_from(&order.marker);
    Ok(Order { head, number, other_number: Some(shop_number), state, ..order.into_order() })
}
