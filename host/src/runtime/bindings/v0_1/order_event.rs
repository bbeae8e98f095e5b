//! Order events: the facet `event`. Written only; the host derives events from orders that are read.

use super::head::to_head;
use super::order::to_payment;
use super::value::{Read, invalid, required, to_decimal, to_link, to_timestamp};
use super::wit::tradepost::connector::sales as ws;
use crate::model::Record;
use crate::model::sales::{AmountOf, Happening, OrderEvent};

pub(super) fn write(record: &Record) -> Read<ws::OrderEvent> {
    let Some(order) = &record.of else { return invalid("order", "an event belongs to an order") };
    let OrderEvent { at, what } = required(&record.facets, "event")?;
    Ok(ws::OrderEvent {
        head: to_head(record),
        order: to_link(order),
        at: to_timestamp(at),
        what: match what {
            Happening::Paid(payment) => ws::Happening::Paid(to_payment(payment)),
            Happening::Cancelled { lines, reason } => {
                ws::Happening::Cancelled(ws::Cancellation { lines: to_amounts(lines), reason })
            }
            Happening::Refunded { amount, lines, restock, reason } => {
                let amount = to_decimal(amount);
                ws::Happening::Refunded(ws::Refund { amount, lines: to_amounts(lines), restock, reason })
            }
            Happening::Numbered(number) => ws::Happening::Numbered(number),
            Happening::Completed => ws::Happening::Completed,
        },
    })
}

pub(super) fn to_amounts(lines: Vec<AmountOf>) -> Vec<ws::AmountOf> {
    lines.into_iter().map(|AmountOf { line, quantity }| ws::AmountOf { line, quantity: to_decimal(quantity) }).collect()
}

#[cfg(test)]
mod tests;
