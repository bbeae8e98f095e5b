//! The shop's own shapes, as `docs/shop-api.md` has them.

use serde::Deserialize;
use tradepost_sdk::{exact, prelude::*};

/// A page of a list.
#[derive(Debug, Deserialize)]
pub struct List {
    /// Rows as they came: one that cannot be read stops no other.
    pub items: Vec<Box<Raw>>,
    /// Id after which the next page begins.
    pub next: Option<u64>,
}

/// The shop itself.
#[derive(Debug, Clone, Deserialize)]
pub struct Shop {
    pub id: String,
    pub name: String,
    pub currency: String,
    pub prices_include_tax: bool,
    pub language: String,
    pub country: String,
    pub zone: String,
    pub test: bool,
    pub now: String,
}

/// A product with its stock and price.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    pub id: u64,
    pub sku: String,
    pub name: String,
    pub description: Option<String>,
    pub active: bool,
    pub gtin: Option<String>,
    #[serde(with = "exact::option")]
    pub weight_kg: Option<Decimal>,
    #[serde(with = "exact::option")]
    pub tax_percent: Option<Decimal>,
    #[serde(with = "exact")]
    pub price: Decimal,
    #[serde(with = "exact")]
    pub stock: Decimal,
    pub reference: Option<String>,
    pub updated_at: String,
}

/// An order.
#[derive(Debug, Deserialize)]
pub struct OrderRow {
    pub id: u64,
    pub number: String,
    pub state: String,
    pub paid: bool,
    pub currency: String,
    pub placed_at: String,
    pub updated_at: String,
    pub email: String,
    pub note: Option<String>,
    pub payment: PaymentRow,
    pub address: AddressRow,
    pub lines: Vec<LineRow>,
    pub shipping: ShippingRow,
    #[serde(with = "exact")]
    pub total: Decimal,
}

/// How it was paid.
#[derive(Debug, Deserialize)]
pub struct PaymentRow {
    pub method: String,
    #[serde(with = "exact")]
    pub amount: Decimal,
    pub transaction: Option<String>,
}

/// Where it goes.
#[derive(Debug, Deserialize)]
pub struct AddressRow {
    pub first_name: String,
    pub last_name: String,
    pub street: String,
    pub postcode: String,
    pub city: String,
    pub country: String,
}

/// What was bought.
#[derive(Debug, Deserialize)]
pub struct LineRow {
    pub id: u64,
    pub product_id: u64,
    pub sku: String,
    pub name: String,
    #[serde(with = "exact")]
    pub quantity: Decimal,
    #[serde(with = "exact")]
    pub unit_price: Decimal,
    #[serde(with = "exact")]
    pub total: Decimal,
    #[serde(with = "exact::option")]
    pub tax_percent: Option<Decimal>,
}

/// What sending it costs.
#[derive(Debug, Deserialize)]
pub struct ShippingRow {
    pub name: String,
    #[serde(with = "exact")]
    pub total: Decimal,
    #[serde(with = "exact::option")]
    pub tax_percent: Option<Decimal>,
}
