//! Stock levels: the facet `stock:<warehouse>` of a variant.

use super::head::{record, to_head};
use super::value::{
    Read, decimal, from_json, invalid, json, key, link, timestamp_opt, to_decimal, to_link, to_timestamp,
};
use super::wit::tradepost::connector::catalog as wc;
use crate::model::catalog::StockLevel;
use crate::model::{FacetKey, KeyType, Kind, Record};

pub(super) fn read(level: wc::StockLevel) -> Read<Record> {
    let wc::StockLevel { head, variant, warehouse, quantity, unlimited, taken } = level;
    let mut record = record(Kind::Stock, head)?;
    let variant = link("variant", variant)?;
    if warehouse.is_empty() {
        return invalid("warehouse", "the id is empty; `main` stands for the only one");
    }
    key(&mut record.keys, KeyType::Sku, Some(&variant.key));
    record.of = Some(variant);
    record.as_of = timestamp_opt("taken", taken)?;
    let level = StockLevel { quantity: decimal("quantity", &quantity)?, unlimited };
    record.facets.insert(FacetKey::new("stock", &[&warehouse]), json(&level));
    Ok(record)
}

pub(super) fn write(record: &Record) -> Read<wc::StockLevel> {
    let Some(variant) = &record.of else { return invalid("variant", "stock belongs to a variant") };
    let mut facets = record.facets.iter().filter(|(key, _)| key.name() == "stock");
    let (Some((key, body)), None) = (facets.next(), facets.next()) else {
        return invalid("stock", "exactly one facet is written at a time");
    };
    let level: StockLevel = from_json(key.as_str(), body)?;
    Ok(wc::StockLevel {
        head: to_head(record),
        variant: to_link(variant),
        warehouse: key.scope().unwrap_or("main").to_owned(),
        quantity: to_decimal(level.quantity),
        unlimited: level.unlimited,
        taken: record.as_of.map(to_timestamp),
    })
}

#[cfg(test)]
mod tests;
