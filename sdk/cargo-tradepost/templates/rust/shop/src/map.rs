//! Conversions between the shop's shapes and the contract's: pure, so that most tests are about this file.

use serde_json::{Map, Value, json};
use tradepost_sdk::prelude::*;
use tradepost_sdk::time::instant;

use crate::wire::{OrderRow, Row, Shop};

/// Whether the shop's amounts contain tax.
pub fn basis(shop: &Shop) -> TaxBasis {
    if shop.prices_include_tax { TaxBasis::Gross } else { TaxBasis::Net }
}

/// The shop's 409 is a SKU that is taken, and nobody else's change, which would be tried again.
pub fn taken(error: Error) -> Error {
    match error {
        Error::Conflict(_) => invalid("sku", "There is a product with this SKU."),
        other => other,
    }
}

fn head(id: u64, updated: &str) -> Result<Head, Error> {
    Ok(Head { updated: Some(instant(updated)?.to_string()), ..Head::read(id) })
}

fn text(number: Option<Decimal>) -> Option<String> {
    number.map(|number| number.to_string())
}

/// The part that the host should remember of a product.
pub fn part(row: &Row) -> Part {
    Part::new(PartKind::Variant, &row.sku, row.id)
}

/// A product with its one variant. What the shop does not have, such as pictures, says nothing.
pub fn product(row: Row, language: &str) -> Result<Product, Error> {
    let variant = Variant {
        gtin: row.gtin.clone(),
        active: row.active,
        tax_percent: text(row.tax_percent),
        weight_kg: text(row.weight_kg),
        ..Variant::new(&row.sku).remote(row.id)
    };
    let base = ProductBase { number: Some(row.sku.clone()), active: row.active, ..ProductBase::goods() };
    let texts = Texts { long_html: row.description.clone(), ..Texts::new(language, &row.name) };
    let head = head(row.id, &row.updated_at)?.marked(row.reference.clone()).part(part(&row));
    Ok(Product { head, ..Product::read(row.id).base(base).texts(texts).variant(variant) })
}

/// Stock of a product.
pub fn stock(row: Row) -> Result<StockLevel, Error> {
    let head = head(row.id, &row.updated_at)?;
    Ok(StockLevel { head, ..StockLevel::read(row.id, Link::new(row.id, row.sku), row.stock) })
}

/// Price of a product.
pub fn price(row: Row, shop: &Shop) -> Result<Price, Error> {
    let head = head(row.id, &row.updated_at)?;
    let price = Price::read(row.id, Link::new(row.id, row.sku), row.price, &shop.currency, basis(shop));
    Ok(Price { head, ..price })
}

/// An order with its lines; shipping is one of them.
pub fn order(row: OrderRow, shop: &Shop) -> Result<Order, Error> {
    let to = row.address;
    let (first_name, last_name) = (Some(to.first_name), Some(to.last_name));
    let billing = Address {
        first_name: first_name.clone(),
        last_name: last_name.clone(),
        lines: vec![to.street],
        ..Address::new("billing", to.country, to.postcode, to.city)
    };
    let goods = row.lines.into_iter().map(|line| Line {
        tax_percent: text(line.tax_percent),
        ..Line::product(
            line.id,
            Link::new(line.product_id, line.sku),
            line.name,
            line.quantity,
            line.unit_price,
            line.total,
        )
    });
    let shipping = Line {
        tax_percent: text(row.shipping.tax_percent),
        ..Line::of(LineKind::Shipping, "shipping", row.shipping.name, row.shipping.total)
    };
    let payment_state = if row.paid { PaymentState::Paid } else { PaymentState::Unpaid };
    let payment = Payment {
        id: None,
        method: row.payment.method,
        state: payment_state,
        amount: row.payment.amount.to_string(),
        transaction: row.payment.transaction,
        at: None,
    };
    Ok(Order {
        head: head(row.id, &row.updated_at)?,
        state: match row.state.as_str() {
            "shipped" => OrderState::Shipped,
            "completed" => OrderState::Completed,
            "cancelled" => OrderState::Cancelled,
            _ => OrderState::Open,
        },
        payment_state,
        customer: Link::by_key(&row.email),
        buyer: CustomerBase {
            email: Some(row.email),
            first_name,
            last_name,
            language: Some(shop.language.clone()),
            guest: true,
            ..CustomerBase::new()
        },
        lines: goods.chain([shipping]).collect(),
        payments: vec![payment],
        total: row.total.to_string(),
        note: row.note,
        ..Order::read(row.id, row.number, instant(&row.placed_at)?, row.currency, basis(shop), billing)
    })
}

/// What is to be written of a product: the facets that are present, and nothing of the others.
pub fn body(product: &Product, language: &str) -> Result<Map<String, Value>, Error> {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    let mut active = product.base.as_ref().map(|base| base.active);
    if let Some(texts) = product.texts.iter().find(|texts| texts.language == language) {
        set("name", json!(texts.name));
        set("description", json!(texts.long_html));
    }
    match product.variants.as_deref() {
        None => {}
        Some([only]) => {
            // A head that was not sent says nothing: a hidden product stays hidden.
            active = if only.active { active } else { Some(false) };
            set("sku", json!(only.sku));
            set("gtin", json!(only.gtin));
            set("weight_kg", json!(only.weight_kg));
            if let Some(percent) = &only.tax_percent {
                set("tax_percent", json!(percent));
            }
        }
        Some(_) => {
            let message = "The shop has only products without variants. Give each variant a product of its own.";
            return Err(invalid("variants", message));
        }
    }
    if let Some(active) = active {
        set("active", json!(active));
    }
    Ok(body)
}

/// What is different from what is there; what is the same needs no write.
pub fn changes(mut wanted: Map<String, Value>, there: &Row) -> Map<String, Value> {
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<Decimal>().ok());
    wanted.retain(|name, value| {
        let same = match name.as_str() {
            "name" => *value == json!(there.name),
            "description" => *value == json!(there.description),
            "sku" => *value == json!(there.sku),
            "gtin" => *value == json!(there.gtin),
            "active" => *value == json!(there.active),
            "weight_kg" => number(value) == there.weight_kg,
            "tax_percent" => number(value) == there.tax_percent,
            "price" => number(value) == Some(there.price),
            "stock" => number(value) == Some(there.stock),
            _ => false,
        };
        !same
    });
    wanted
}
