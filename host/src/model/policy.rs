//! What an operator decides about a platform: who owns which facet, what is created where, how values are mapped.
//! One document per platform, kept by the ledger and edited as a whole (`platform apply FILE`).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::facet::FacetPattern;
use super::kind::{Kind, RecordKind};

/// Facets of one kind of record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FacetsOf {
    /// Kind of hub record.
    pub record: RecordKind,
    /// Which of its facets.
    pub facet: FacetPattern,
}

/// What a stranger's change on a non-owner does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drift {
    /// Say so, once.
    #[default]
    Report,
    /// Write the owner's value again.
    Restore,
    /// Take it as the hub's value.
    Adopt,
}

/// What happens on this platform when the owner's record is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDelete {
    /// Hide it from sale.
    #[default]
    Deactivate,
    /// Delete it.
    Delete,
    /// Leave it.
    Ignore,
}

/// What happens when a linked object has vanished from this platform.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnGone {
    /// Ask a person.
    #[default]
    Attention,
    /// Forget the link.
    Unlink,
    /// Make it again.
    Recreate,
}

/// When `find` is asked before a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lookup {
    /// Before every create.
    Always,
    /// Only when an answer was lost.
    WhenUncertain,
}

/// How an order is made on this platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrderProfile {
    /// SKU that carries shipping costs.
    pub shipping_sku: Option<String>,
    /// SKU that carries discounts.
    pub discount_sku: Option<String>,
    /// SKU that carries other charges.
    pub fee_sku: Option<String>,
    /// SKU that carries rounding differences, tax-free.
    pub rounding_sku: Option<String>,
    /// Foreign payment method -> method here.
    pub payment: BTreeMap<String, String>,
    /// Foreign shipping method -> method here.
    pub shipping: BTreeMap<String, String>,
    /// Tax percent as text (`19`) -> tax code here. Empty: percents are sent as they are.
    pub tax: BTreeMap<String, String>,
    /// Foreign country -> country here; a country that is not listed goes through unchanged.
    pub country: BTreeMap<String, String>,
    /// Orders are only sent once paid (or authorised).
    pub wait_for_payment: bool,
}

/// How stock is computed for a channel of this platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StockRule {
    /// Warehouses of the owner that count, as the owner names them. Empty: all.
    pub warehouses: Vec<String>,
    /// Warehouse here that is written; absent: the only one.
    pub target: Option<String>,
    /// Kept back.
    pub buffer: Decimal,
    /// Least figure sent.
    pub min: Decimal,
    /// Greatest figure sent.
    pub max: Option<Decimal>,
    /// An order pull of this platform must not be older than this, in seconds, before stock is sent.
    pub fence_seconds: u32,
}

impl Default for StockRule {
    fn default() -> Self {
        Self {
            warehouses: Vec::new(),
            target: None,
            buffer: Decimal::ZERO,
            min: Decimal::ZERO,
            max: None,
            fence_seconds: 60,
        }
    }
}

/// Where the prices of a channel of this platform come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceRule {
    /// Channel here.
    pub channel: String,
    /// Channel of the owner.
    pub from: String,
}

/// Bounds beyond which a plan waits for one confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guard {
    /// Creates in one run.
    pub creates: u32,
    /// Deletes in one run.
    pub deletes: u32,
    /// Records whose price becomes 0 or moves by more than half.
    pub prices: u32,
    /// Records whose stock becomes 0.
    pub stock_zero: u32,
    /// Updates that only a change of rules caused.
    pub rules: u32,
    /// Least number of missing links in a sweep that holds a run; 2 % of the links if that is more.
    pub missing: u32,
}

impl Default for Guard {
    fn default() -> Self {
        Self { creates: 500, deletes: 20, prices: 20, stock_zero: 50, rules: 100, missing: 10 }
    }
}

/// Everything an operator decided about one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Facets that this platform owns. The narrowest pattern of all platforms wins; a facet that nobody names belongs to
    /// its origin.
    pub owns: Vec<FacetsOf>,
    /// Kinds whose new records here become hub records.
    pub creates: Vec<RecordKind>,
    /// Kinds that are created here when they come up elsewhere.
    pub create_on: Vec<RecordKind>,
    /// Kinds that are pushed here.
    pub pushes: Vec<Kind>,
    /// Facets sent only when a record is created here.
    pub only_at_create: Vec<FacetsOf>,
    /// What a stranger's change here does; the narrowest pattern wins, else `report`.
    pub drift: Vec<DriftRule>,
    /// When the owner's record is gone.
    pub on_delete: OnDelete,
    /// When an object here has vanished.
    pub on_gone: OnGone,
    /// Lookup before creates, per kind of record; else always for orders, when uncertain for the others.
    pub lookup: BTreeMap<RecordKind, Lookup>,
    /// Languages pushed here: language here -> language of the owner. Empty: all, under their own names.
    pub languages: BTreeMap<String, String>,
    /// Prices; empty: the owner's only channel feeds every channel here.
    pub prices: Vec<PriceRule>,
    /// Stock.
    pub stock: StockRule,
    /// Orders made here.
    pub orders: OrderProfile,
    /// Mass mistakes.
    pub guard: Guard,
    /// Key by which records are matched at first contact, per kind of record; else SKU for variants, key for categories,
    /// e-mail for customers.
    pub matching: BTreeMap<RecordKind, super::record::KeyType>,
    /// Allows orders of a test shop into this live ERP.
    pub allow_test_orders: bool,
}

/// Drift policy for some facets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftRule {
    /// Kind of hub record.
    pub record: RecordKind,
    /// Which of its facets.
    pub facet: FacetPattern,
    /// What happens.
    pub then: Drift,
}

impl Policy {
    /// Whether `find` is asked before every create of this kind of record.
    #[must_use]
    pub fn looks_up(&self, record: RecordKind) -> bool {
        let default = if matches!(record, RecordKind::Order | RecordKind::Customer | RecordKind::Shipment) {
            Lookup::Always
        } else {
            Lookup::WhenUncertain
        };
        *self.lookup.get(&record).unwrap_or(&default) == Lookup::Always
    }

    /// Drift policy for a facet.
    #[must_use]
    pub fn drift_of(&self, record: RecordKind, key: &super::FacetKey) -> Drift {
        self.drift
            .iter()
            .filter(|rule| rule.record == record && rule.facet.matches(key))
            .max_by_key(|rule| rule.facet.weight())
            .map_or(Drift::Report, |rule| rule.then)
    }
}
