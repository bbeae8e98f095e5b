//! What happened to an order, as JSON.

use serde_json::{Map, Value, json};
use tradepost_sdk::sales::{AmountOf, Happening, OrderEvent};

use super::document::payment_state;

/// `order` is the id that the order's own file carries.
pub(super) fn document(order: &str, event: &OrderEvent) -> Value {
    let mut document = Map::new();
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            document.insert(name.to_owned(), value);
        }
    };
    set("order", json!(order));
    set("at", json!(event.at));
    match &event.what {
        Happening::Paid(payment) => {
            set("event", json!("paid"));
            set("amount", json!(payment.amount));
            set("method", json!(payment.method));
            set("state", json!(payment_state(payment.state)));
            set("transaction", json!(payment.transaction));
            set("paid_at", json!(payment.at));
        }
        Happening::Cancelled(cancelled) => {
            set("event", json!("cancelled"));
            set("reason", json!(cancelled.reason));
            set("lines", lines(&cancelled.lines));
        }
        Happening::Refunded(refund) => {
            set("event", json!("refunded"));
            set("amount", json!(refund.amount));
            set("restock", json!(refund.restock));
            set("reason", json!(refund.reason));
            set("lines", lines(&refund.lines));
        }
        Happening::Numbered(number) => {
            set("event", json!("numbered"));
            set("number", json!(number));
        }
        Happening::Completed => set("event", json!("completed")),
    }
    Value::Object(document)
}

/// Nothing where the whole order is meant.
fn lines(lines: &[AmountOf]) -> Value {
    if lines.is_empty() {
        return Value::Null;
    }
    lines.iter().map(|part| json!({"line": part.line, "quantity": part.quantity})).collect()
}
