//! Records as they cross between the engine and a connector.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::facet::Facets;
use super::kind::{Kind, names};

/// A record's identity on one platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RemoteRef {
    /// The platform's id.
    pub id: String,
    /// Id of the owner where ids are only reachable below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Version for conflict checks; not part of the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl RemoteRef {
    /// A reference that is only an id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), parent: None, version: None }
    }
}

/// Another record, as the platform that the body comes from (or goes to) names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Link {
    /// Its id on that platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its natural key: SKU, order number, e-mail, category key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
}

/// Natural keys by which records of two platforms are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyType {
    /// Stock keeping unit of a variant.
    Sku,
    /// GTIN/EAN of a variant.
    Ean,
    /// Product number.
    Number,
    /// E-mail address of a customer, lower case.
    Email,
    /// Key of a category.
    Category,
    /// Order number; its value begins with the platform code and `/`.
    OrderNumber,
}

names!(KeyType {
    Sku => "sku", Ean => "ean", Number => "number", Email => "email", Category => "category",
    OrderNumber => "order-number",
});

/// One natural key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What the value is.
    pub kind: KeyType,
    /// Trimmed; compared exactly, e-mail addresses in lower case.
    pub value: String,
}

/// What a part of a remote object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartKind {
    /// Variant of a product; its key is the SKU.
    Variant,
    /// Picture; its key is the medium's key.
    Picture,
    /// Order line.
    Line,
    /// Address of a customer.
    Address,
    /// Parcel of a shipment.
    Parcel,
    /// Option or option group.
    Option,
    /// What only the connector knows.
    Other,
}

names!(PartKind {
    Variant => "variant", Picture => "picture", Line => "line", Address => "address", Parcel => "parcel",
    Option => "option", Other => "other",
});

/// A part with a remote id of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Our key of it.
    pub key: String,
    /// The platform's id of it.
    pub id: String,
}

/// Why a record is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// Pulled.
    Read,
    /// Make a new object; every facet is present.
    Create,
    /// Make a new object that is finished business.
    CreateDone,
    /// Finish a create that was cut off.
    Resume,
    /// Write the facets that are present.
    Update,
    /// Take it away (deactivate or delete).
    Delete,
    /// Apply an event.
    Apply,
}

names!(Op {
    Read => "read", Create => "create", CreateDone => "create-done", Resume => "resume", Update => "update",
    Delete => "delete", Apply => "apply",
});

/// One record, pulled or to be pushed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Kind.
    pub kind: Kind,
    /// Why it is here.
    pub op: Op,
    /// Idempotency key when pushed, empty when pulled.
    pub item: String,
    /// Marker to write, or found.
    pub marker: Option<String>,
    /// The object over there. For stock and price the variant, for an order event the order, for a shipment the
    /// shipment itself. Always there when pulled.
    pub remote: Option<RemoteRef>,
    /// Stock and price: the variant. Order event and shipment: the order.
    pub of: Option<Link>,
    /// Natural keys, when pulled.
    pub keys: Vec<Key>,
    /// What it says: for a stock level the one facet `stock:<warehouse>`, for a price `price:...`, for an order
    /// `placed`, `state` and `payment`, for an order event `event`, for a shipment `shipment`.
    pub facets: Facets,
    /// The variants of a product, all of them, when the facet `grouping` is present.
    pub variants: Vec<VariantRecord>,
    /// Parts with remote ids.
    pub parts: Vec<Part>,
    /// When the platform says it changed.
    pub updated: Option<Timestamp>,
    /// When a stock figure was taken.
    pub as_of: Option<Timestamp>,
}

/// A variant inside its product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantRecord {
    /// Always there when pulled.
    pub remote: Option<RemoteRef>,
    /// SKU; empty when the platform has none for it.
    pub sku: String,
    /// Natural keys.
    pub keys: Vec<Key>,
    /// `head` and `media`.
    pub facets: Facets,
}

impl VariantRecord {
    /// Body of the facet `grouping` of a product with these variants: their SKUs, sorted; the remote id where one has no
    /// SKU. A platform that reorders its variants has not regrouped them.
    #[must_use]
    pub fn grouping(variants: &[Self]) -> serde_json::Value {
        let name = |variant: &Self| match &variant.remote {
            Some(remote) if variant.sku.is_empty() => remote.id.clone(),
            _ => variant.sku.clone(),
        };
        let mut names: Vec<String> = variants.iter().map(name).collect();
        names.sort();
        names.into()
    }
}
