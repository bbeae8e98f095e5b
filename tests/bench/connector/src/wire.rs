//! What travels between the platform and its connector.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tradepost_sdk::types::Error;

/// A page.
#[derive(Debug, Deserialize)]
pub struct Answer<T> {
    /// Its records.
    pub data: Vec<T>,
    /// The next page, if there is one.
    pub next: Option<u64>,
}

/// A product, flat, as shops give it.
#[derive(Debug, Deserialize, Serialize)]
pub struct Product<'a> {
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow)]
    pub sku: Cow<'a, str>,
    #[serde(borrow)]
    pub ean: Cow<'a, str>,
    #[serde(borrow)]
    pub name_de: Cow<'a, str>,
    #[serde(borrow)]
    pub name_en: Cow<'a, str>,
    #[serde(borrow)]
    pub description: Cow<'a, str>,
    pub tax: u32,
    #[serde(borrow)]
    pub manufacturer: Cow<'a, str>,
    pub active: bool,
    pub weight: serde_json::Number,
    #[serde(borrow)]
    pub color: Cow<'a, str>,
    #[serde(borrow)]
    pub size: Cow<'a, str>,
    #[serde(borrow)]
    pub image: Cow<'a, str>,
    #[serde(borrow)]
    pub updated_at: Cow<'a, str>,
}

/// An order.
#[derive(Debug, Deserialize, Serialize)]
pub struct Order<'a> {
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow)]
    pub number: Cow<'a, str>,
    #[serde(borrow)]
    pub email: Cow<'a, str>,
    #[serde(borrow)]
    pub currency: Cow<'a, str>,
    #[serde(borrow)]
    pub total: Cow<'a, str>,
    #[serde(borrow)]
    pub payment: Cow<'a, str>,
    #[serde(borrow)]
    pub shipping: Cow<'a, str>,
    #[serde(borrow)]
    pub created_at: Cow<'a, str>,
    #[serde(borrow)]
    pub updated_at: Cow<'a, str>,
    #[serde(borrow)]
    pub ship_name: Cow<'a, str>,
    #[serde(borrow)]
    pub ship_street: Cow<'a, str>,
    #[serde(borrow)]
    pub ship_zip: Cow<'a, str>,
    #[serde(borrow)]
    pub ship_city: Cow<'a, str>,
    #[serde(borrow)]
    pub ship_country: Cow<'a, str>,
    #[serde(borrow)]
    pub items: Vec<Line<'a>>,
}

/// A line of an order.
#[derive(Debug, Deserialize, Serialize)]
pub struct Line<'a> {
    pub line: u32,
    #[serde(borrow)]
    pub sku: Cow<'a, str>,
    pub qty: u32,
    #[serde(borrow)]
    pub price: Cow<'a, str>,
    #[serde(borrow)]
    pub total: Cow<'a, str>,
    pub tax: u32,
}

/// What is written in one request.
#[derive(Debug, Serialize)]
pub struct Batch<'a> {
    /// The products.
    pub items: Vec<Offer<'a>>,
}

/// A product to be written.
#[derive(Debug, Serialize)]
pub struct Offer<'a> {
    /// The host's idempotency key.
    pub key: &'a str,
    pub id: Option<&'a str>,
    pub sku: Option<&'a str>,
    pub ean: Option<&'a str>,
    pub active: Option<bool>,
    pub manufacturer: Option<&'a str>,
    pub names: Vec<(&'a str, &'a str)>,
    pub descriptions: Vec<&'a str>,
    pub attributes: Vec<(&'a str, &'a str)>,
    pub weight: Option<&'a str>,
    pub images: Vec<&'a str>,
}

/// The answer to a [`Batch`].
#[derive(Debug, Deserialize)]
pub struct Made {
    /// Ids in the order of the items.
    pub ids: Vec<String>,
}

/// Idempotency keys that are asked for.
#[derive(Debug, Serialize)]
pub struct Asked<'a> {
    /// The keys.
    pub keys: Vec<&'a str>,
}

/// The answer to an [`Asked`].
#[derive(Debug, Deserialize)]
pub struct There {
    /// What was made under each key.
    pub ids: Vec<Option<String>>,
}

/// Reads a page in place.
///
/// # Errors
/// `unavailable` when it is not what was expected.
pub fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<Answer<T>, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::Unavailable(format!("unreadable answer: {error}")))
}
