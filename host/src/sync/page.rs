//! What a connector returned, checked before any of it comes near the ledger.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::commit::order::Order;
use crate::ledger::platform::Platform;
use crate::model::catalog::{Attribute, CategoryHead, Medium, Price, ProductHead, StockLevel, Texts, VariantHead};
use crate::model::record::{Key, KeyType};
use crate::model::sales::{Address, CustomerHead, Shipment};
use crate::model::{Canonical, FacetKey, Facets, Kind, Link, Page, Record, Unreadable};

/// A page whose records can be applied, and what cannot.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) records: Vec<Ready>,
    pub(super) unreadable: Vec<Unreadable>,
    /// How many records there were.
    pub(super) read: usize,
}

/// A record that can be applied, with everything about it that can be computed outside of the transaction.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) record: Record,
    facets: Vec<Canonical>,
    variants: Vec<Vec<Canonical>>,
    /// Of an order: what it says.
    pub(super) order: Order,
}

impl Ready {
    /// Of a record.
    ///
    /// # Errors
    /// Of an order that cannot be read: why.
    pub(super) fn of(record: Record) -> Result<Self, String> {
        let order = if record.kind == Kind::Order { Order::read(&record.facets)? } else { Order::default() };
        Ok(Self::with(record, order))
    }

    fn with(record: Record, order: Order) -> Self {
        Self {
            facets: Canonical::all(&record.facets),
            variants: record.variants.iter().map(|variant| Canonical::all(&variant.facets)).collect(),
            record,
            order,
        }
    }

    /// What it says.
    pub(super) fn said(&self) -> Said<'_> {
        Said { facets: &self.record.facets, canonical: &self.facets }
    }

    /// What its variants say, in their order.
    pub(super) fn variants_said(&self) -> impl Iterator<Item = Said<'_>> {
        let pairs = self.record.variants.iter().zip(&self.variants);
        pairs.map(|(variant, canonical)| Said { facets: &variant.facets, canonical })
    }
}

/// Facets, and the same in canonical form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) facets: &'a Facets,
    canonical: &'a [Canonical],
}

impl<'a> Said<'a> {
    /// Facet by facet, in the order of the keys.
    pub(super) fn iter(self) -> impl Iterator<Item = (&'a FacetKey, &'a Value, &'a Canonical)> {
        self.facets.iter().zip(self.canonical).map(|((key, body), canonical)| (key, body, canonical))
    }
}

/// Sorts a page into what can be applied and what has to be kept raw, and takes the records out of it. Keys are trimmed,
/// e-mail addresses in lower case, order numbers get their platform's code, and times of figures are turned into our
/// clock's; a figure without a time was taken when the pull began, at the earliest.
pub(super) fn check(page: &mut Page, kind: Kind, platform: &Platform, began: Timestamp) -> Checked {
    let records = std::mem::take(&mut page.records);
    let mut checked = Checked { records: Vec::new(), unreadable: page.unreadable.clone(), read: records.len() };
    let prefix = format!("{}/", platform.code);
    for mut record in records {
        let unreadable = |record: &Record, why| Unreadable {
            id: record.remote.as_ref().map(|remote| remote.id.clone()).filter(|id| !id.is_empty()),
            raw: serde_json::to_string(record).unwrap_or_else(|_| format!("{record:?}")),
            why,
        };
        if let Err(why) = check_record(&record, kind) {
            checked.unreadable.push(unreadable(&record, why));
            continue;
        }
        let order = if kind == Kind::Order { Order::read(&record.facets) } else { Ok(Order::default()) };
        match order {
            Ok(order) => {
                tidy(&mut record, platform, &prefix, began);
                checked.records.push(Ready::with(record, order));
            }
            Err(why) => checked.unreadable.push(unreadable(&record, why)),
        }
    }
    checked
}

fn tidy(record: &mut Record, platform: &Platform, prefix: &str, began: Timestamp) {
    tidy_keys(&mut record.keys, prefix);
    for variant in &mut record.variants {
        variant.sku = variant.sku.trim().to_owned();
        if !variant.sku.is_empty() {
            variant.keys.push(Key { kind: KeyType::Sku, value: variant.sku.clone() });
        }
        tidy_keys(&mut variant.keys, prefix);
    }
    if record.kind == Kind::Stock {
        let skew = SignedDuration::from_millis(platform.clock_skew_ms);
        let at = record.as_of.map_or(began, |at| at.checked_sub(skew).unwrap_or(at));
        record.as_of = Some(at);
    }
}

fn tidy_keys(keys: &mut Vec<Key>, prefix: &str) {
    for key in keys.iter_mut() {
        key.value = key.value.trim().to_owned();
        match key.kind {
            KeyType::Email => key.value = key.value.to_lowercase(),
            KeyType::OrderNumber if !key.value.starts_with(prefix) => key.value.insert_str(0, prefix),
            KeyType::OrderNumber | KeyType::Sku | KeyType::Ean | KeyType::Number | KeyType::Category => {}
        }
    }
    keys.retain(|key| !key.value.is_empty());
    keys.sort_by(|a, b| (a.kind, &a.value).cmp(&(b.kind, &b.value)));
    keys.dedup();
}

fn check_record(record: &Record, kind: Kind) -> Result<(), String> {
    if record.kind != kind {
        return Err(format!("a {} came where {kind} was asked for", record.kind));
    }
    if record.remote.as_ref().is_none_or(|remote| remote.id.is_empty()) {
        return Err("it has no id".into());
    }
    check_facets(kind, &record.facets)?;
    match kind {
        Kind::Stock | Kind::Price if record.facets.len() != 1 => {
            return Err(format!("it has {} figures instead of one", record.facets.len()));
        }
        Kind::Shipment if record.of.is_none() => return Err("it names no order".into()),
        Kind::Shipment if !record.facets.contains_key(&FacetKey::from("shipment")) => {
            return Err("it says nothing".into());
        }
        _ => {}
    }
    let mut seen = BTreeMap::new();
    for variant in &record.variants {
        let Some(remote) = variant.remote.as_ref().filter(|remote| !remote.id.is_empty()) else {
            return Err(format!("variant `{}` has no id", variant.sku));
        };
        if seen.insert(&remote.id, ()).is_some() {
            return Err(format!("variant id {} comes twice", remote.id));
        }
        for (key, body) in &variant.facets {
            let checked = match key.name() {
                "head" => readable::<VariantHead>(body),
                "media" => readable::<Vec<Medium>>(body),
                name => Err(format!("a variant has no facet `{name}`")),
            };
            checked.map_err(|why| format!("variant `{}`, {key}: {why}", variant.sku))?;
        }
    }
    Ok(())
}

fn check_facets(kind: Kind, facets: &Facets) -> Result<(), String> {
    for (key, body) in facets {
        let checked = match (kind, key.name()) {
            (Kind::Category, "head") => readable::<CategoryHead>(body),
            (Kind::Category | Kind::Product, "texts") => readable::<Texts>(body),
            (Kind::Category | Kind::Product, "media") => readable::<Vec<Medium>>(body),
            (Kind::Product, "head") => readable::<ProductHead>(body),
            (Kind::Product, "categories") => readable::<Vec<Link>>(body),
            (Kind::Product, "attributes") => readable::<Vec<Attribute>>(body),
            (Kind::Product, "grouping") => readable::<Vec<String>>(body),
            (Kind::Stock, "stock") => readable::<StockLevel>(body),
            (Kind::Price, "price") => readable::<Price>(body),
            (Kind::Customer, "head") => readable::<CustomerHead>(body),
            (Kind::Customer, "addresses") => readable::<Vec<Address>>(body),
            // Read as a whole.
            (Kind::Order, "placed" | "state" | "payment") => Ok(()),
            (Kind::Shipment, "shipment") => readable::<Shipment>(body),
            (_, name) => Err(format!("a {kind} has no facet `{name}`")),
        };
        checked.map_err(|why| format!("{key}: {why}"))?;
    }
    Ok(())
}

fn readable<T: serde::de::DeserializeOwned>(body: &Value) -> Result<(), String> {
    T::deserialize(body).map(drop).map_err(|error| error.to_string())
}
