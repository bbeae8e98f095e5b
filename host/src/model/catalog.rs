//! Facet bodies of categories, products and variants. Optional fields that are absent are left out of the JSON, so that
//! two platforms that both lack a field have the same hash.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::record::Link;

/// Whether amounts contain tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaxBasis {
    /// Without tax.
    Net,
    /// With tax.
    Gross,
}

/// One text in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// BCP 47.
    pub language: String,
    /// Plain text.
    pub value: String,
}

/// A value the vocabulary has no field for; unique and sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// Facet `head` of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryHead {
    /// Natural key.
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Parent category; absent for a root.
    pub parent: Option<Link>,
    /// Shown.
    pub active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Order among its siblings.
    pub position: Option<i32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    /// Anything else.
    pub extra: Vec<Field>,
}

/// Facet `texts:<language>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texts {
    /// Plain.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// HTML.
    pub short_html: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// HTML.
    pub long_html: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Last part of the page's address.
    pub slug: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// For search engines.
    pub meta_title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// For search engines.
    pub meta_description: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    /// For search engines.
    pub keywords: Vec<String>,
}

/// One picture; the facet `media` is the list of them in display order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Medium {
    /// Names it for ever on the platform that it comes from.
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Content id (hex of the bytes' BLAKE3) once the host has the bytes.
    pub blob: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Address on the platform that it comes from.
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    /// Alternative text.
    pub title: Vec<Text>,
}

/// What a product is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Has stock and weight.
    Goods,
    /// Neither stock nor weight.
    Service,
    /// Delivered by download.
    Digital,
}

/// Facet `head` of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductHead {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Number of the product itself.
    pub number: Option<String>,
    /// What it is.
    pub form: Form,
    /// For sale.
    pub active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Manufacturer.
    pub manufacturer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Sales unit.
    pub unit: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    /// Anything else.
    pub extra: Vec<Field>,
}

/// One property; the facet `attributes` is the list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Language of both.
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Unit of the value.
    pub unit: Option<String>,
}

/// A choice a variant makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// `colour`.
    pub axis: String,
    /// `blue`.
    pub value: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    /// Names of the axis.
    pub names: Vec<Text>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    /// Names of the value.
    pub values: Vec<Text>,
}

/// Facet `head` of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantHead {
    /// SKU.
    pub sku: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// GTIN.
    pub gtin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Manufacturer's part number.
    pub mpn: Option<String>,
    /// For sale.
    pub active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// The platform's tax class.
    pub tax_class: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Its rate in percent in the platform's home country.
    pub tax_percent: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    /// What tells it from its siblings.
    pub choices: Vec<Choice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Weight in kilograms.
    pub weight_kg: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    /// Anything else.
    pub extra: Vec<Field>,
}

/// Facet `stock:<warehouse>` of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    /// Pieces, in the figure that the ability declares.
    pub quantity: Decimal,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    /// Not counted.
    pub unlimited: bool,
}

/// Facet `price:base:<channel>` or `price:special:<channel>:<from-quantity>` of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// ISO 4217.
    pub currency: String,
    /// With or without tax.
    pub basis: TaxBasis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// Absent: there is no such price.
    pub amount: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// First moment.
    pub valid_from: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// First moment after.
    pub valid_to: Option<Timestamp>,
}
