//! Prices, stock and customers as the contract has them.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Deserialize;
use tradepost_sdk::catalog::{Price, PriceKind, StockLevel};
use tradepost_sdk::sales::{Address, Customer, CustomerBase};
use tradepost_sdk::types::Error;

use super::catalogue::Article;
use super::{MARKER, Meta, filled, gmt, head, link, meta, remote};
use crate::api::{Money, amount};
use crate::describe::MAIN;

/// An address of the shop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct RawAddress {
    pub first_name: String,
    pub last_name: String,
    pub company: String,
    pub address_1: String,
    pub address_2: String,
    pub city: String,
    pub state: String,
    pub postcode: String,
    pub country: String,
    pub email: Option<String>,
    pub phone: String,
}

/// An account.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct RawCustomer {
    pub id: u64,
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    pub first_name: String,
    #[serde(default)]
    pub last_name: String,
    #[serde(default)]
    pub billing: RawAddress,
    #[serde(default)]
    pub shipping: RawAddress,
    #[serde(default)]
    pub meta_data: Vec<Meta>,
    pub date_modified_gmt: Option<String>,
}

impl RawAddress {
    /// Whether nothing is in it.
    #[must_use]
    pub fn empty(&self) -> bool {
        let parts = [&self.last_name, &self.first_name, &self.company, &self.address_1, &self.city, &self.postcode];
        parts.iter().all(|part| part.trim().is_empty())
    }
}

/// Base and special price of an article in the only channel.
///
/// # Errors
/// `bug` for what is no number or time.
pub fn prices(raw: &Article, money: &Money) -> Result<[Price; 2], Error> {
    let updated = gmt(raw.date_modified_gmt.as_deref())?;
    let price = |kind, amount: Option<Decimal>, from: Option<Timestamp>, to: Option<Timestamp>| Price {
        head: head(raw.reference(), None, Vec::new(), updated),
        variant: link(raw.id, &raw.sku),
        channel: MAIN.into(),
        kind,
        currency: money.currency.clone(),
        basis: money.basis,
        amount: amount.map(|amount| amount.normalize().to_string()),
        from_quantity: "1".into(),
        valid_from: from.map(|time| time.to_string()),
        valid_to: to.map(|time| time.to_string()),
    };
    let special = amount(&raw.sale_price)?;
    let (from, to) = match special {
        None => (None, None),
        Some(_) => (
            gmt(raw.date_on_sale_from_gmt.as_deref())?,
            // The shop names the last second of a sale.
            gmt(raw.date_on_sale_to_gmt.as_deref())?
                .map(|last| last.saturating_add(SignedDuration::from_secs(1)).unwrap_or(last)),
        ),
    };
    Ok([price(PriceKind::Base, amount(&raw.regular_price)?, None, None), price(PriceKind::Special, special, from, to)])
}

/// Stock of an article, in the figure that falls when an order is placed. `product` is the one it belongs to, which may
/// count for it.
///
/// # Errors
/// `bug` for what is no number.
pub fn stock(raw: &Article, product: &Article) -> Result<StockLevel, Error> {
    let counted = if raw.manage_stock == true {
        Some(raw)
    } else if product.manage_stock == true {
        Some(product)
    } else {
        None
    };
    let quantity = match counted.and_then(|one| one.stock_quantity.as_ref()) {
        Some(number) => tradepost_sdk::decimal(&number.to_string())?,
        None => Decimal::ZERO,
    };
    Ok(StockLevel {
        head: head(raw.reference(), None, Vec::new(), None),
        variant: link(raw.id, &raw.sku),
        warehouse: MAIN.into(),
        quantity: quantity.normalize().to_string(),
        // What is not counted is there or it is not.
        unlimited: counted.is_none() && raw.stock_status != "outofstock",
        taken: None,
    })
}

/// An account with its two addresses.
///
/// # Errors
/// `bug` for what is no time.
pub fn customer(raw: &RawCustomer) -> Result<Customer, Error> {
    let first = filled(Some(&raw.first_name)).or_else(|| filled(Some(&raw.billing.first_name)));
    let last = filled(Some(&raw.last_name)).or_else(|| filled(Some(&raw.billing.last_name)));
    let addresses = [("billing", &raw.billing), ("shipping", &raw.shipping)];
    Ok(Customer {
        head: head(
            remote(raw.id, None),
            meta(&raw.meta_data, MARKER),
            Vec::new(),
            gmt(raw.date_modified_gmt.as_deref())?,
        ),
        base: Some(CustomerBase {
            number: None,
            email: filled(Some(&raw.email)).map(|email| email.to_lowercase()),
            phone: filled(Some(&raw.billing.phone)),
            company: filled(Some(&raw.billing.company)),
            first_name: first,
            last_name: last,
            vat_id: None,
            language: None,
            group: None,
            guest: false,
            active: true,
        }),
        addresses: Some(
            addresses.into_iter().filter(|(_, raw)| !raw.empty()).map(|(key, raw)| address(key, raw)).collect(),
        ),
        extra: Vec::new(),
    })
}

/// An address under this key.
#[must_use]
pub fn address(key: &str, raw: &RawAddress) -> Address {
    Address {
        key: key.into(),
        company: filled(Some(&raw.company)),
        first_name: filled(Some(&raw.first_name)),
        last_name: filled(Some(&raw.last_name)),
        lines: [&raw.address_1, &raw.address_2].into_iter().filter_map(|line| filled(Some(line))).collect(),
        postcode: raw.postcode.trim().into(),
        city: raw.city.trim().into(),
        region: filled(Some(&raw.state)),
        country: raw.country.trim().to_uppercase(),
        phone: filled(Some(&raw.phone)),
    }
}

#[cfg(test)]
mod tests;
