//! Conversions between the files' shapes and the contract's: pure, so that most tests are about this file.

use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::{exact, prelude::*};

/// A product as the files have it.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    pub id: String,
    pub sku: String,
    pub name: String,
    pub description: Option<String>,
    pub active: bool,
    #[serde(with = "exact::option")]
    pub weight_kg: Option<Decimal>,
    #[serde(with = "exact::option")]
    pub tax_percent: Option<Decimal>,
}

/// A product with its one variant. What the files do not have, such as pictures, says nothing.
pub fn product(row: Row, language: &str) -> Product {
    let variant = Variant {
        active: row.active,
        tax_percent: row.tax_percent.map(|number| number.to_string()),
        weight_kg: row.weight_kg.map(|number| number.to_string()),
        ..Variant::new(&row.sku).remote(&row.id)
    };
    let base = ProductBase { number: Some(row.sku.clone()), active: row.active, ..ProductBase::goods() };
    let texts = Texts { long_html: row.description, ..Texts::new(language, row.name) };
    let head = Head::read(&row.id).part(Part::new(PartKind::Variant, &row.sku, &row.id));
    Product { head, ..Product::read(&row.id).base(base).texts(texts).variant(variant) }
}

/// An order as it goes out.
pub fn order(order: &Order) -> Value {
    let line = |line: &Line| {
        let sku = line.variant.as_ref().map(|variant| &variant.key);
        json!({"sku": sku, "name": line.name, "quantity": line.quantity, "total": line.total})
    };
    json!({
        "number": order.number, "item": order.head.item, "placed": order.placed, "currency": order.currency,
        "total": order.total, "email": order.buyer.email, "lines": order.lines.iter().map(line).collect::<Vec<_>>(),
    })
}
