//! Conversions between the ERP's shapes and the contract's: pure, so that most tests are about this file.

use serde_json::{Value, json};
use tradepost_sdk::prelude::*;
use tradepost_sdk::{decimal, time::instant};

use crate::wire::{AddressRow, Company, DeliveryRow, ItemRow, LineRow, OrderRow, PaymentRow, StockRow};

/// Hundredths as the amount or percentage they are.
pub fn amount(hundredths: i64) -> String {
    Decimal::new(hundredths, 2).to_string()
}

/// An amount or percentage in hundredths; `path` says where it stands.
pub fn hundredths(text: &str, path: &str) -> Result<i64, Error> {
    let units = (decimal(text)? * Decimal::ONE_HUNDRED).normalize();
    let units = if units.scale() == 0 { units.to_string().parse().ok() } else { None };
    units.ok_or_else(|| invalid(path, format!("The ERP calculates in hundredths, and {text} has more decimals.")))
}

fn head(id: u64, modified: &str) -> Result<Head, Error> {
    Ok(Head { updated: Some(instant(modified)?.to_string()), ..Head::read(id) })
}

/// An item is a product with one variant. What the ERP does not have, such as pictures, says nothing.
pub fn product(row: ItemRow, language: &str) -> Result<Product, Error> {
    let variant = Variant {
        gtin: row.barcode,
        active: row.active,
        tax_percent: row.tax_rate.map(amount),
        weight_kg: row.weight_g.map(|grams| Decimal::new(grams, 3).to_string()),
        ..Variant::new(&row.sku).remote(row.id)
    };
    let base = ProductBase { number: Some(row.sku), active: row.active, ..ProductBase::goods() };
    let texts = Texts { long_html: row.description, ..Texts::new(language, row.name) };
    let product = Product::read(row.id).base(base).texts(texts).variant(variant);
    Ok(product.updated(instant(&row.modified_at)?))
}

/// What each warehouse has of an item.
pub fn stock(row: StockRow) -> Result<Vec<StockLevel>, Error> {
    let head = head(row.id, &row.modified_at)?;
    let level = |warehouse, available| StockLevel {
        head: head.clone(),
        warehouse,
        ..StockLevel::read(row.id, Link::new(row.id, &row.sku), available)
    };
    Ok(row.levels.into_iter().map(|one| level(one.warehouse, one.available)).collect())
}

/// Price of an item.
pub fn price(row: ItemRow, company: &Company) -> Result<Price, Error> {
    let variant = Link::new(row.id, row.sku);
    let price = Price::read(row.id, variant, amount(row.net_price), &company.currency, TaxBasis::Net);
    Ok(price.updated(instant(&row.modified_at)?))
}

/// An order. Who sold it elsewhere knows it by its marker.
pub fn order(row: OrderRow) -> Result<Order, Error> {
    let number = row.number.clone().ok_or_else(|| invalid("number", "A draft has no number yet."))?;
    let state = match row.state.as_str() {
        "confirmed" => OrderState::Open,
        "partly_shipped" => OrderState::PartlyShipped,
        "shipped" => OrderState::Shipped,
        "closed" => OrderState::Completed,
        "cancelled" => OrderState::Cancelled,
        other => return Err(invalid("state", format!("The state `{other}` is not known."))),
    };
    let paid: i64 = row.payments.iter().map(|payment| payment.amount).sum();
    let payment_state = match paid {
        0 if row.gross > 0 => PaymentState::Unpaid,
        paid if paid < row.gross => PaymentState::PartlyPaid,
        _ => PaymentState::Paid,
    };
    let head = Head { parts: parts(&row), ..head(row.id, &row.modified_at)?.marked(row.external_reference) };
    let billing = address("billing", row.billing_address);
    let buyer = CustomerBase {
        email: row.email.clone(),
        first_name: billing.first_name.clone(),
        last_name: billing.last_name.clone(),
        company: billing.company.clone(),
        guest: true,
        ..CustomerBase::new()
    };
    let tax = |tax: crate::wire::TaxRow| Tax {
        percent: amount(tax.tax_rate),
        base: amount(tax.net),
        amount: amount(tax.tax),
    };
    Ok(Order {
        head,
        other_number: row.customer_reference,
        state,
        payment_state,
        customer: Link::by_key(row.email.as_ref().unwrap_or(&number)),
        buyer,
        shipping: row.delivery_address.map(|to| address("shipping", to)),
        lines: row.lines.into_iter().map(line).collect::<Result<_, _>>()?,
        taxes: row.taxes.into_iter().map(tax).collect(),
        payments: row.payments.into_iter().map(paid_with).collect::<Result<_, _>>()?,
        total: amount(row.gross),
        note: row.note,
        ..Order::read(row.id, number, instant(&row.ordered_at)?, row.currency, TaxBasis::Net, billing)
    })
}

fn address(key: &str, row: AddressRow) -> Address {
    Address {
        company: row.company,
        first_name: row.first_name,
        last_name: row.last_name,
        lines: row.lines,
        ..Address::new(key, row.country, row.postcode, row.city)
    }
}

fn line(row: LineRow) -> Result<Line, Error> {
    let kind = match row.kind.as_str() {
        "item" => LineKind::Product,
        "shipping" => LineKind::Shipping,
        "charge" if row.net < 0 => LineKind::Discount,
        "charge" => LineKind::Fee,
        "text" => LineKind::Text,
        other => return Err(invalid("lines", format!("The kind of line `{other}` is not known."))),
    };
    Ok(Line {
        variant: row.item_id.map(|id| Link::new(id, row.sku.unwrap_or_default())),
        quantity: row.quantity.to_string(),
        unit_price: row.unit_price.to_string(),
        tax_percent: row.tax_rate.map(amount),
        ..Line::of(kind, row.id, row.name, amount(row.net))
    })
}

fn paid_with(row: PaymentRow) -> Result<Payment, Error> {
    Ok(Payment {
        id: row.reference,
        method: row.method,
        state: PaymentState::Paid,
        amount: amount(row.amount),
        transaction: row.transaction,
        at: row.paid_at.map(|at| instant(&at)).transpose()?.map(|at| at.to_string()),
    })
}

/// Which of the order's lines is which here, so that deliveries can name them.
pub fn parts(row: &OrderRow) -> Vec<Part> {
    let part = |line: &LineRow| Some(Part::new(PartKind::Line, line.reference.clone()?, line.id));
    row.lines.iter().filter_map(part).collect()
}

/// Goods that left.
pub fn shipment(row: DeliveryRow) -> Result<Shipment, Error> {
    let parcels = row.parcels.into_iter().zip(1..).map(|(parcel, number)| {
        let packed = parcel.lines.into_iter();
        let packed = packed.map(|one| AmountOf { line: one.line_id.to_string(), quantity: one.quantity.to_string() });
        let (carrier, tracking) = (parcel.carrier, parcel.tracking_code);
        Parcel { number, carrier, tracking, tracking_url: None, weight_kg: None, lines: packed.collect() }
    });
    let order = Link::new(row.order_id, row.order_number);
    Ok(Shipment {
        head: head(row.id, &row.modified_at)?,
        completes: row.completes_order,
        ..Shipment::read(row.id, order, instant(&row.shipped_at)?, parcels.collect())
    })
}

/// A new order as the ERP takes it.
pub fn document(order: &Order) -> Result<Value, Error> {
    if order.basis != TaxBasis::Net {
        return Err(invalid("basis", "The ERP takes amounts without tax."));
    }
    let lines = order.lines.iter().enumerate().map(|(at, line)| line_of(line, &format!("lines[{at}]")));
    let paid = order.payments.iter().filter(|payment| payment.state == PaymentState::Paid);
    Ok(json!({
        "external_reference": order.head.marker,
        "customer_reference": order.number,
        "currency": order.currency,
        "ordered_at": order.placed,
        "email": order.buyer.email,
        "note": order.note,
        "billing_address": address_of(&order.billing),
        "delivery_address": order.shipping.as_ref().map(address_of),
        "lines": lines.collect::<Result<Vec<_>, _>>()?,
        "gross": hundredths(&order.total, "total")?,
        "payments": paid.map(|one| payment(one, None)).collect::<Result<Vec<_>, _>>()?,
    }))
}

fn address_of(address: &Address) -> Value {
    json!({
        "company": address.company, "first_name": address.first_name, "last_name": address.last_name, "lines": address.lines,
        "postcode": address.postcode, "city": address.city, "country": address.country,
    })
}

fn line_of(line: &Line, path: &str) -> Result<Value, Error> {
    let item = line.variant.as_ref();
    let kind = match line.kind {
        LineKind::Product => "item",
        LineKind::Shipping => "shipping",
        LineKind::Text => "text",
        LineKind::Fee | LineKind::Discount | LineKind::GiftCard | LineKind::Rounding => "charge",
    };
    let rate = line.tax_percent.as_ref().map(|percent| hundredths(percent, &format!("{path}.tax-percent")));
    Ok(json!({
        "reference": line.id,
        "kind": kind,
        "item_id": item.and_then(|link| link.id.as_ref()?.parse::<u64>().ok()),
        "sku": item.map(|link| &link.key),
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "net": hundredths(&line.total, &format!("{path}.total"))?,
        "tax_rate": rate.transpose()?,
    }))
}

/// A payment as the ERP takes it; one that comes with the order needs no reference.
pub fn payment(payment: &Payment, reference: Option<&str>) -> Result<Value, Error> {
    Ok(json!({
        "reference": reference,
        "method": payment.method,
        "amount": hundredths(&payment.amount, "amount")?,
        "transaction": payment.transaction,
        "paid_at": payment.at,
    }))
}
