//! Orders: facets `placed` (all that is fixed when it is placed), `state` and `payment`.

use super::Reading;
use super::customer::{address, buyer, to_address, to_buyer};
use super::head::{record, to_head};
use super::value::{
    Read, basis, currency, date, decimal, decimal_opt, extra, filled, id, invalid, json, key, link, list, required,
    timestamp, timestamp_opt, to_basis, to_decimal, to_extra, to_link, to_timestamp,
};
use super::wit::tradepost::connector::sales as ws;
use crate::model::sales::{Delivery, Line, LineKind, OrderState, Payment, PaymentFacet, PaymentState, Placed, Tax};
use crate::model::{KeyType, Kind, Record};

pub(super) fn read(order: ws::Order, reading: &Reading<'_>) -> Read<Record> {
    let mut record = record(Kind::Order, order.head)?;
    let number = order.number.trim().to_owned();
    if number.is_empty() {
        return invalid("number", "an order has a number");
    }
    key(&mut record.keys, KeyType::OrderNumber, Some(&format!("{}/{number}", reading.code)));
    let placed = Placed {
        number,
        other_number: filled(order.other_number),
        channel: order.channel,
        placed: timestamp("placed", &order.placed)?,
        currency: currency("currency", order.currency)?,
        basis: basis(order.basis),
        customer: link("customer", order.customer)?,
        buyer: buyer("buyer", order.buyer)?,
        billing: address(order.billing),
        shipping: order.shipping.map(address),
        lines: list("lines", order.lines, read_line)?,
        taxes: list("taxes", order.taxes, |tax| {
            let ws::Tax { percent, base, amount } = tax;
            Ok(Tax {
                percent: decimal("percent", &percent)?,
                base: decimal("base", &base)?,
                amount: decimal("amount", &amount)?,
            })
        })?,
        delivery: order.delivery.map(read_delivery).transpose()?,
        total: decimal("total", &order.total)?,
        note: filled(order.note),
        extra: extra(order.extra),
    };
    let state = match order.state {
        ws::OrderState::Pending => OrderState::Pending,
        ws::OrderState::Open => OrderState::Open,
        ws::OrderState::PartlyShipped => OrderState::PartlyShipped,
        ws::OrderState::Shipped => OrderState::Shipped,
        ws::OrderState::Completed => OrderState::Completed,
        ws::OrderState::Cancelled => OrderState::Cancelled,
    };
    let payment = PaymentFacet {
        state: payment_state(order.payment_state),
        payments: list("payments", order.payments, payment)?,
    };
    record.facets.insert("placed".into(), json(&placed));
    record.facets.insert("state".into(), json(&state));
    record.facets.insert("payment".into(), json(&payment));
    Ok(record)
}

fn read_line(line: ws::Line) -> Read<Line> {
    Ok(Line {
        id: id("id", line.id)?,
        kind: match line.kind {
            ws::LineKind::Product => LineKind::Product,
            ws::LineKind::Shipping => LineKind::Shipping,
            ws::LineKind::Fee => LineKind::Fee,
            ws::LineKind::Discount => LineKind::Discount,
            ws::LineKind::GiftCard => LineKind::GiftCard,
            ws::LineKind::Rounding => LineKind::Rounding,
            ws::LineKind::Text => LineKind::Text,
        },
        variant: line.variant.map(|variant| link("variant", variant)).transpose()?,
        name: line.name,
        quantity: decimal("quantity", &line.quantity)?,
        unit_price: decimal("unit-price", &line.unit_price)?,
        total: decimal("total", &line.total)?,
        tax_percent: decimal_opt("tax-percent", line.tax_percent)?,
        tax: decimal_opt("tax", line.tax)?,
        tax_code: filled(line.tax_code),
        extra: extra(line.extra),
    })
}

fn read_delivery(delivery: ws::Delivery) -> Read<Delivery> {
    let ws::Delivery { method, label, wanted_on, pickup_point } = delivery;
    let wanted_on = wanted_on.map(|day| date("delivery.wanted-on", &day)).transpose()?;
    Ok(Delivery { method, label: filled(label), wanted_on, pickup_point: filled(pickup_point) })
}

pub(super) fn payment(payment: ws::Payment) -> Read<Payment> {
    Ok(Payment {
        id: filled(payment.id),
        method: payment.method,
        state: payment_state(payment.state),
        amount: decimal("amount", &payment.amount)?,
        transaction: filled(payment.transaction),
        at: timestamp_opt("at", payment.at)?,
    })
}

fn payment_state(state: ws::PaymentState) -> PaymentState {
    match state {
        ws::PaymentState::Unpaid => PaymentState::Unpaid,
        ws::PaymentState::Authorised => PaymentState::Authorised,
        ws::PaymentState::PartlyPaid => PaymentState::PartlyPaid,
        ws::PaymentState::Paid => PaymentState::Paid,
        ws::PaymentState::PartlyRefunded => PaymentState::PartlyRefunded,
        ws::PaymentState::Refunded => PaymentState::Refunded,
        ws::PaymentState::Failed => PaymentState::Failed,
    }
}

pub(super) fn write(record: &Record) -> Read<ws::Order> {
    let placed: Placed = required(&record.facets, "placed")?;
    let state: OrderState = required(&record.facets, "state")?;
    let paid: PaymentFacet = required(&record.facets, "payment")?;
    let delivery = placed.delivery.map(|Delivery { method, label, wanted_on, pickup_point }| ws::Delivery {
        method,
        label,
        wanted_on: wanted_on.map(|day| day.to_string()),
        pickup_point,
    });
    let tax = |Tax { percent, base, amount }| ws::Tax {
        percent: to_decimal(percent),
        base: to_decimal(base),
        amount: to_decimal(amount),
    };
    Ok(ws::Order {
        head: to_head(record),
        number: placed.number,
        other_number: placed.other_number,
        channel: placed.channel,
        placed: to_timestamp(placed.placed),
        state: match state {
            OrderState::Pending => ws::OrderState::Pending,
            OrderState::Open => ws::OrderState::Open,
            OrderState::PartlyShipped => ws::OrderState::PartlyShipped,
            OrderState::Shipped => ws::OrderState::Shipped,
            OrderState::Completed => ws::OrderState::Completed,
            OrderState::Cancelled => ws::OrderState::Cancelled,
        },
        payment_state: to_payment_state(paid.state),
        currency: placed.currency,
        basis: to_basis(placed.basis),
        customer: to_link(&placed.customer),
        buyer: to_buyer(placed.buyer),
        billing: to_address(placed.billing),
        shipping: placed.shipping.map(to_address),
        lines: placed.lines.into_iter().map(to_line).collect(),
        taxes: placed.taxes.into_iter().map(tax).collect(),
        payments: paid.payments.into_iter().map(to_payment).collect(),
        delivery,
        total: to_decimal(placed.total),
        note: placed.note,
        extra: to_extra(&placed.extra),
    })
}

fn to_line(line: Line) -> ws::Line {
    ws::Line {
        kind: match line.kind {
            LineKind::Product => ws::LineKind::Product,
            LineKind::Shipping => ws::LineKind::Shipping,
            LineKind::Fee => ws::LineKind::Fee,
            LineKind::Discount => ws::LineKind::Discount,
            LineKind::GiftCard => ws::LineKind::GiftCard,
            LineKind::Rounding => ws::LineKind::Rounding,
            LineKind::Text => ws::LineKind::Text,
        },
        variant: line.variant.as_ref().map(to_link),
        quantity: to_decimal(line.quantity),
        unit_price: to_decimal(line.unit_price),
        total: to_decimal(line.total),
        tax_percent: line.tax_percent.map(to_decimal),
        tax: line.tax.map(to_decimal),
        extra: to_extra(&line.extra),
        id: line.id,
        name: line.name,
        tax_code: line.tax_code,
    }
}

pub(super) fn to_payment(payment: Payment) -> ws::Payment {
    let Payment { id, method, state, amount, transaction, at } = payment;
    let (state, amount, at) = (to_payment_state(state), to_decimal(amount), at.map(to_timestamp));
    ws::Payment { id, method, state, amount, transaction, at }
}

fn to_payment_state(state: PaymentState) -> ws::PaymentState {
    match state {
        PaymentState::Unpaid => ws::PaymentState::Unpaid,
        PaymentState::Authorised => ws::PaymentState::Authorised,
        PaymentState::PartlyPaid => ws::PaymentState::PartlyPaid,
        PaymentState::Paid => ws::PaymentState::Paid,
        PaymentState::PartlyRefunded => ws::PaymentState::PartlyRefunded,
        PaymentState::Refunded => ws::PaymentState::Refunded,
        PaymentState::Failed => ws::PaymentState::Failed,
    }
}

#[cfg(test)]
mod tests;
