//! The ERP's own shapes, as `docs/erp-api.md` has them. Integers are hundredths where it does not say otherwise.

use serde::Deserialize;
use tradepost_sdk::{exact, prelude::*};

/// A page of a list.
#[derive(Debug, Deserialize)]
pub struct List {
    /// Rows as they came: one that cannot be read stops no other.
    pub data: Vec<Box<Raw>>,
    /// Where the next page begins.
    pub cursor: Option<String>,
}

/// Whose ERP it is.
#[derive(Debug, Clone, Deserialize)]
pub struct Company {
    pub id: String,
    pub name: String,
    pub currency: String,
    pub language: String,
    pub country: String,
    pub zone: String,
    pub test: bool,
    pub now: String,
    pub warehouses: Vec<WarehouseRow>,
}

/// Where goods are.
#[derive(Debug, Clone, Deserialize)]
pub struct WarehouseRow {
    pub id: String,
    pub name: String,
}

/// An item with its price.
#[derive(Debug, Clone, Deserialize)]
pub struct ItemRow {
    pub id: u64,
    pub sku: String,
    pub name: String,
    pub description: Option<String>,
    pub active: bool,
    pub barcode: Option<String>,
    pub weight_g: Option<i64>,
    pub tax_rate: Option<i64>,
    pub net_price: i64,
    pub modified_at: String,
}

/// What the warehouses have of an item.
#[derive(Debug, Deserialize)]
pub struct StockRow {
    pub id: u64,
    pub sku: String,
    pub levels: Vec<LevelRow>,
    pub modified_at: String,
}

/// What one warehouse has.
#[derive(Debug, Deserialize)]
pub struct LevelRow {
    pub warehouse: String,
    #[serde(with = "exact")]
    pub available: Decimal,
}

/// An order.
#[derive(Debug, Deserialize)]
pub struct OrderRow {
    pub id: u64,
    pub number: Option<String>,
    pub state: String,
    pub external_reference: Option<String>,
    pub customer_reference: Option<String>,
    pub currency: String,
    pub ordered_at: String,
    pub modified_at: String,
    pub email: Option<String>,
    pub note: Option<String>,
    pub billing_address: AddressRow,
    pub delivery_address: Option<AddressRow>,
    pub lines: Vec<LineRow>,
    pub taxes: Vec<TaxRow>,
    pub gross: i64,
    pub payments: Vec<PaymentRow>,
}

/// Where somebody is.
#[derive(Debug, Deserialize)]
pub struct AddressRow {
    pub company: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub lines: Vec<String>,
    pub postcode: String,
    pub city: String,
    pub country: String,
}

/// What was ordered.
#[derive(Debug, Deserialize)]
pub struct LineRow {
    pub id: u64,
    pub reference: Option<String>,
    pub kind: String,
    pub item_id: Option<u64>,
    pub sku: Option<String>,
    pub name: String,
    #[serde(with = "exact")]
    pub quantity: Decimal,
    #[serde(with = "exact")]
    pub unit_price: Decimal,
    pub net: i64,
    pub tax_rate: Option<i64>,
}

/// The tax of one rate.
#[derive(Debug, Deserialize)]
pub struct TaxRow {
    pub tax_rate: i64,
    pub net: i64,
    pub tax: i64,
}

/// Money that came.
#[derive(Debug, Deserialize)]
pub struct PaymentRow {
    pub reference: Option<String>,
    pub method: String,
    pub amount: i64,
    pub transaction: Option<String>,
    pub paid_at: Option<String>,
}

/// Goods that left.
#[derive(Debug, Deserialize)]
pub struct DeliveryRow {
    pub id: u64,
    pub order_id: u64,
    pub order_number: String,
    pub shipped_at: String,
    pub completes_order: bool,
    pub parcels: Vec<ParcelRow>,
    pub modified_at: String,
}

/// One parcel of them.
#[derive(Debug, Deserialize)]
pub struct ParcelRow {
    pub carrier: Option<String>,
    pub tracking_code: Option<String>,
    pub lines: Vec<PackedRow>,
}

/// What is in it.
#[derive(Debug, Deserialize)]
pub struct PackedRow {
    pub line_id: u64,
    #[serde(with = "exact")]
    pub quantity: Decimal,
}
