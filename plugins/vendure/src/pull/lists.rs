//! The lists that each kind is read from.

use jiff::Timestamp;
use serde_json::{Value, json};
use tradepost_sdk::records::Kind;
use tradepost_sdk::types::Error;

use crate::api::Shop;
use crate::map::{catalogue, customers, orders, shipments};
use crate::settings::Settings;

/// How a kind is listed.
pub(super) struct List {
    pub(super) kind: Kind,
    /// Field of `Query`.
    pub(super) root: &'static str,
    /// Fields of a record.
    pub(super) fields: &'static str,
}

/// One list that a changed scope goes through.
pub(super) struct Step {
    pub(super) root: String,
    pub(super) fields: String,
    /// The list has just the records that are returned.
    pub(super) exact: bool,
    what: What,
}

enum What {
    /// Everything.
    All,
    /// Records whose own time stamp moved.
    Own(Timestamp),
    /// Variants that changed, for the products they belong to.
    Variants(Timestamp),
    /// Orders that changed or are young enough to be looked at, for those whose parts changed.
    Orders { since: Timestamp, young: Timestamp },
}

/// Fields that tell when an order changed: its own time stamp stays when it is paid or shipped.
const TOUCHED: &str = "id updatedAt orderPlacedAt payments{updatedAt refunds{updatedAt}} fulfillments{updatedAt}";

impl List {
    pub(super) fn of(kind: Kind) -> Result<Self, Error> {
        let (root, fields) = match kind {
            Kind::Category => ("collections", catalogue::CATEGORY),
            Kind::Product => ("products", catalogue::PRODUCT),
            Kind::Stock => ("productVariants", catalogue::STOCK),
            Kind::Price => ("productVariants", catalogue::PRICE),
            Kind::Customer => ("customers", customers::CUSTOMER),
            Kind::Order => ("orders", orders::ORDER),
            Kind::Shipment => ("orders", shipments::SHIPPED),
            Kind::OrderEvent => return Err(Error::Unsupported("order events are not read".into())),
        };
        Ok(Self { kind, root, fields })
    }

    /// How many lists a changed scope goes through.
    pub(super) fn steps(&self, since: Option<Timestamp>) -> u8 {
        if self.kind == Kind::Product && since.is_some() { 2 } else { 1 }
    }

    /// The list of a phase.
    pub(super) fn step(&self, since: Option<Timestamp>, phase: u8, settings: &Settings) -> Step {
        let own = |what, exact| Step { root: self.root.into(), fields: self.fields.into(), exact, what };
        let Some(since) = since else { return own(What::All, true) };
        match self.kind {
            // There are few collections, and a stock figure has no time stamp that can be asked for.
            Kind::Category | Kind::Stock => own(What::All, true),
            Kind::Product if phase > 0 => Step {
                root: "productVariants".into(),
                fields: "id productId".into(),
                exact: false,
                what: What::Variants(since),
            },
            Kind::Order | Kind::Shipment => {
                let days = jiff::SignedDuration::from_hours(24 * i64::from(settings.reread_days));
                Step {
                    root: self.root.into(),
                    fields: TOUCHED.into(),
                    exact: false,
                    what: What::Orders { since, young: since.checked_sub(days).unwrap_or(since) },
                }
            }
            _ => own(What::Own(since), true),
        }
    }

    /// What every reading of this kind leaves out.
    pub(super) fn base_filter(&self, shop: &Shop<'_>) -> Result<Value, Error> {
        if self.root != "orders" {
            return Ok(json!({}));
        }
        // Carts and drafts are no orders yet.
        let mut filter = json!({"active": {"eq": false}, "orderPlacedAt": {"isNull": false}});
        // The default channel sees an order of several sellers as a whole and in its parts.
        if shop.context()?.channel.is_default() {
            filter["type"] = json!({"notEq": "Seller"});
        }
        Ok(filter)
    }

    /// Fields of a listing of ids, and the names of the key and of the parent.
    pub(super) fn listed(&self) -> Result<(&'static str, &'static str, Option<&'static str>), Error> {
        Ok(match self.kind {
            Kind::Category => ("id slug", "slug", None),
            Kind::Product => ("id slug", "slug", None),
            Kind::Stock | Kind::Price => ("id sku productId", "sku", Some("productId")),
            Kind::Customer => ("id emailAddress", "emailAddress", None),
            Kind::Order => ("id code", "code", None),
            Kind::Shipment | Kind::OrderEvent => {
                return Err(Error::Unsupported("shipments are only listed with their orders".into()));
            }
        })
    }
}

impl Step {
    pub(super) fn filter(&self, shop: &Shop<'_>, list: &List) -> Result<Value, Error> {
        let after = |time: &Timestamp| json!({"after": time.to_string()});
        Ok(match &self.what {
            What::All => list.base_filter(shop)?,
            What::Own(since) | What::Variants(since) => json!({"updatedAt": after(since)}),
            What::Orders { since, young } => {
                let mut filter = list.base_filter(shop)?;
                filter["_or"] = json!([{"updatedAt": after(since)}, {"orderPlacedAt": after(young)}]);
                filter
            }
        })
    }

    /// Which record an item of this list is about, where the list has not the records themselves.
    pub(super) fn pick(&self, since: Option<Timestamp>) -> Option<impl Fn(&Value) -> Option<String>> {
        let field = match self.what {
            What::All | What::Own(_) => return None,
            What::Variants(_) => "productId",
            What::Orders { .. } => "id",
        };
        let orders = field == "id";
        Some(move |item: &Value| {
            let touched = !orders || since.is_none_or(|since| newest(item).is_none_or(|at| at >= since));
            touched.then(|| item[field].as_str().map(str::to_owned)).flatten()
        })
    }
}

/// The newest time stamp anywhere in a value.
fn newest(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Object(fields) => fields.values().filter_map(newest).max(),
        Value::Array(items) => items.iter().filter_map(newest).max(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Name of the options' type of a list.
pub(super) fn options_type(root: &str) -> &'static str {
    match root {
        "collections" => "CollectionListOptions",
        "products" => "ProductListOptions",
        "productVariants" => "ProductVariantListOptions",
        "customers" => "CustomerListOptions",
        _ => "OrderListOptions",
    }
}
