//! Prices: the facet `price:base:<channel>` or `price:special:<channel>:<from quantity>` of a variant.

use rust_decimal::Decimal;

use super::head::{record, to_head};
use super::value::{
    Read, basis, currency, decimal, decimal_opt, from_json, invalid, json, key, link, timestamp_opt, to_basis,
    to_decimal, to_link, to_timestamp,
};
use super::wit::tradepost::connector::catalog as wc;
use crate::model::catalog::Price;
use crate::model::{FacetKey, KeyType, Kind, Record};

pub(super) fn read(price: wc::Price) -> Read<Record> {
    let wc::Price {
        head,
        variant,
        channel,
        kind,
        currency: code,
        basis: tax_basis,
        amount,
        from_quantity,
        valid_from,
        valid_to,
    } = price;
    let mut record = record(Kind::Price, head)?;
    let variant = link("variant", variant)?;
    if channel.is_empty() {
        return invalid("channel", "the id is empty; `main` stands for the only one");
    }
    key(&mut record.keys, KeyType::Sku, Some(&variant.key));
    record.of = Some(variant);
    let from = decimal("from-quantity", &from_quantity)?;
    let facet = match kind {
        wc::PriceKind::Base if from > Decimal::ONE => {
            return invalid("from-quantity", "a base price counts from the first piece; a scale is a special price");
        }
        wc::PriceKind::Base => FacetKey::new("price", &["base", &channel]),
        wc::PriceKind::Special => FacetKey::new("price", &["special", &channel, &from.to_string()]),
    };
    let price = Price {
        currency: currency("currency", code)?,
        basis: basis(tax_basis),
        amount: decimal_opt("amount", amount)?,
        valid_from: timestamp_opt("valid-from", valid_from)?,
        valid_to: timestamp_opt("valid-to", valid_to)?,
    };
    record.facets.insert(facet, json(&price));
    Ok(record)
}

pub(super) fn write(record: &Record) -> Read<wc::Price> {
    let Some(variant) = &record.of else { return invalid("variant", "a price belongs to a variant") };
    let mut facets = record.facets.iter().filter(|(key, _)| key.name() == "price");
    let (Some((key, body)), None) = (facets.next(), facets.next()) else {
        return invalid("price", "exactly one facet is written at a time");
    };
    let price: Price = from_json(key.as_str(), body)?;
    let scope: Vec<&str> = key.scope().unwrap_or_default().split(':').collect();
    let (kind, channel, from_quantity) = match scope[..] {
        ["base", channel] => (wc::PriceKind::Base, channel, "1"),
        ["special", channel, from] => (wc::PriceKind::Special, channel, from),
        _ => return invalid(key.as_str(), "neither a base nor a special price"),
    };
    Ok(wc::Price {
        head: to_head(record),
        variant: to_link(variant),
        channel: channel.to_owned(),
        kind,
        currency: price.currency,
        basis: to_basis(price.basis),
        amount: price.amount.map(to_decimal),
        from_quantity: from_quantity.to_owned(),
        valid_from: price.valid_from.map(to_timestamp),
        valid_to: price.valid_to.map(to_timestamp),
    })
}

#[cfg(test)]
mod tests;
