//! Records to write: what was read, made new or changed, in the facets that the connector says it writes.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tradepost::model::description::Writing;
use tradepost::model::{FacetKey, KeyType, Kind, Op, Record, VariantRecord};

/// The record as it is sent to change the object it was read from.
pub(crate) fn update(record: &Record, writing: &Writing, item: String) -> Record {
    let mut record = Record { op: Op::Update, item, updated: None, as_of: None, ..record.clone() };
    // An order is sent whole.
    record.facets.retain(|key, _| record.kind == Kind::Order || writing.writes(key));
    if !record.facets.contains_key(&FacetKey::from("grouping")) {
        record.variants.clear();
    }
    record
}

/// The record as it is sent to make another object like it: natural keys are new.
pub(crate) fn create(record: &Record, writing: &Writing, item: String, unique: &str) -> Record {
    let mut record = Record { op: Op::Create, remote: None, ..update(record, writing, item) };
    record.parts.clear();
    record.marker = writing.marker.map(|most| {
        let mut marker = format!("tradepost:{}", record.item);
        marker.truncate(most as usize);
        marker
    });
    let several = record.variants.len() > 1;
    for (at, variant) in record.variants.iter_mut().enumerate() {
        variant.remote = None;
        variant.sku = format!("{}-{unique}", stem(&variant.sku));
        if several {
            variant.sku = format!("{}-{}", variant.sku, at + 1);
        }
        if let Some(head) = variant.facets.get_mut(&FacetKey::head()) {
            head["sku"] = json!(variant.sku);
            // Nobody else may have it.
            remove(head, "gtin");
        }
        for key in &mut variant.keys {
            key.value = if key.kind == KeyType::Sku { variant.sku.clone() } else { String::new() };
        }
        variant.keys.retain(|key| !key.value.is_empty());
    }
    if record.facets.contains_key(&FacetKey::from("grouping")) {
        record.facets.insert("grouping".into(), VariantRecord::grouping(&record.variants));
    }
    let mut renamed = Vec::new();
    for (key, body) in &mut record.facets {
        match (record.kind, key.name()) {
            (Kind::Category, "head") => rename(body, "key", unique, KeyType::Category, &mut renamed),
            (Kind::Product, "head") => rename(body, "number", unique, KeyType::Number, &mut renamed),
            (Kind::Customer, "head") => {
                // The host knows a customer by the address; the number is another platform's.
                let email = format!("conformance-{}@example.com", unique.to_lowercase());
                rename(body, "number", unique, KeyType::Number, &mut Vec::new());
                body["email"] = json!(email);
                renamed.push((KeyType::Email, email));
            }
            (Kind::Order, "placed") => {
                rename(body, "number", unique, KeyType::OrderNumber, &mut renamed);
                // What bears a marker is looked for by that alone.
                if record.marker.is_some() {
                    renamed.clear();
                }
            }
            // The number of a parcel is nobody else's.
            (Kind::Shipment, "shipment") => {
                for (at, parcel) in body["parcels"].as_array_mut().into_iter().flatten().enumerate() {
                    parcel["tracking"] = json!(format!("{unique}-{at}"));
                }
            }
            (_, "texts") => {
                let name = body["name"].as_str().unwrap_or_default();
                body["name"] = json!(format!("{} {unique}", stem(name)));
                remove(body, "slug");
            }
            _ => {}
        }
    }
    // A simple product repeats its SKU as its number.
    if let ([variant], Some(head)) = (record.variants.as_slice(), record.facets.get_mut(&FacetKey::head()))
        && head.get("number").is_some()
    {
        head["number"] = json!(variant.sku);
        renamed = vec![(KeyType::Sku, variant.sku.clone())];
    }
    record.keys = renamed.into_iter().map(|(kind, value)| tradepost::model::Key { kind, value }).collect();
    record
}

/// What `find` is asked with for a record, as the host asks.
pub(crate) fn keys(record: &Record) -> Vec<(String, String)> {
    let shipment = record.facets.get(&FacetKey::from("shipment"));
    let parcels = shipment.and_then(|shipment| shipment["parcels"].as_array()).into_iter().flatten();
    let codes = parcels.filter_map(|parcel| parcel["tracking"].as_str());
    let mut keys: Vec<(String, String)> = codes.map(|code| ("tracking".to_owned(), code.to_owned())).collect();
    for key in record.keys.iter().chain(record.variants.iter().flat_map(|variant| &variant.keys)) {
        let name = match key.kind {
            KeyType::Sku => "sku",
            KeyType::Ean => "ean",
            KeyType::Number | KeyType::OrderNumber => "number",
            KeyType::Email => "email",
            KeyType::Category => "category",
        };
        let pair = (name.to_owned(), key.value.clone());
        if !keys.contains(&pair) {
            keys.push(pair);
        }
    }
    keys
}

/// Changes something that shows: the name, the quantity, the price. `false` where there is nothing to change.
pub(crate) fn touch(record: &mut Record, unique: &str) -> bool {
    let Some((key, name)) = touched(record) else { return false };
    let Some(body) = record.facets.get_mut(&key) else { return false };
    if matches!(name, "quantity" | "amount") {
        return add(body, name, Decimal::ONE);
    }
    let now = body[name].as_str().unwrap_or_default();
    // Some platforms have one field for the whole name of a person, and part it at its blanks.
    let between = if name == "last_name" { '-' } else { ' ' };
    body[name] = json!(format!("{}{between}{unique}", stem(now)));
    true
}

/// What [`touch`] changes: the facet and its member.
pub(crate) fn touched(record: &Record) -> Option<(FacetKey, &'static str)> {
    record.facets.iter().find_map(|(key, body)| {
        let name = match key.name() {
            "texts" => "name",
            "stock" => "quantity",
            "price" => "amount",
            "head" if record.kind == Kind::Customer && body["company"].is_string() => "company",
            "head" if record.kind == Kind::Customer => "last_name",
            _ => return None,
        };
        Some((key.clone(), name))
    })
}

fn add(body: &mut Value, name: &str, more: Decimal) -> bool {
    let Some(now) = body[name].as_str().and_then(|text| text.parse::<Decimal>().ok()) else { return false };
    body[name] = json!(now + more);
    true
}

/// The text without what this module put behind it before.
fn stem(text: &str) -> &str {
    text.split_once([' ', '-']).map_or(text, |(stem, _)| stem)
}

fn rename(body: &mut Value, name: &str, unique: &str, kind: KeyType, renamed: &mut Vec<(KeyType, String)>) {
    if let Some(now) = body[name].as_str() {
        let new = format!("{}-{unique}", stem(now));
        body[name] = json!(new);
        renamed.push((kind, new));
    }
}

fn remove(body: &mut Value, name: &str) {
    if let Some(body) = body.as_object_mut() {
        body.remove(name);
    }
}
