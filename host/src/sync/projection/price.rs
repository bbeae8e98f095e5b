//! Prices: from the owner's channels to the target's, in its basis and rounded as its money is; special prices where the
//! target knows them, and as the price of the hour where it does not.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{Projected, Target, read, write};
use crate::ledger::LedgerError;
use crate::ledger::record::StoredFacet;
use crate::model::FacetKey;
use crate::model::catalog::{Price, TaxBasis};
use crate::sync::profile::{convert, minor_units, round};

/// What the prices of one variant come from.
pub struct PriceSource<'a> {
    /// Facets `price:...` that the target does not own.
    pub facets: BTreeMap<&'a FacetKey, &'a StoredFacet>,
    /// Tax of the variant, in percent.
    pub tax_percent: Option<Decimal>,
}

struct Offer {
    channel: String,
    /// Absent: the base price.
    quantity: Option<Decimal>,
    price: Price,
}

/// The target's prices of a variant.
///
/// # Errors
/// Of the ledger, when a stored price is unreadable.
pub fn prices(target: &Target<'_>, source: &PriceSource<'_>) -> Result<Projected, LedgerError> {
    let mut offers = Vec::new();
    for (key, stored) in &source.facets {
        let parts: Vec<&str> = key.as_str().split(':').collect();
        let (channel, quantity) = match parts[..] {
            ["price", "base", channel] => (channel, None),
            ["price", "special", channel, quantity] => (channel, Some(quantity.parse().unwrap_or(Decimal::ONE))),
            _ => continue,
        };
        if let Some(price) = read::<Price>(&stored.body)? {
            offers.push(Offer { channel: channel.to_owned(), quantity, price });
        }
    }
    let mut projected = Projected::default();
    let channels = target.account.map(|account| account.channels.as_slice()).unwrap_or_default();
    for channel in channels {
        let Some(from) = feeding(target, &offers, &channel.id) else { continue };
        let offers: Vec<&Offer> = offers.iter().filter(|offer| offer.channel == from).collect();
        let base_key = FacetKey::new("price", &["base", &channel.id]);
        let here = |key: FacetKey, price: &Price, projected: &mut Projected| -> Result<(), LedgerError> {
            if !target.writing.writes(&key) {
                return Ok(());
            }
            match in_channel(price, &channel.currency, channel.basis, source.tax_percent) {
                Ok(price) => drop(projected.facets.insert(key, write(&price)?)),
                Err(why) => projected.left_out.push((key, why)),
            }
            Ok(())
        };
        let base = offers.iter().find(|offer| offer.quantity.is_none());
        let mut effective = base.map(|offer| offer.price.clone());
        for offer in &offers {
            let Some(quantity) = offer.quantity else { continue };
            let scope = quantity.normalize().to_string();
            let key = FacetKey::new("price", &["special", &channel.id, &scope]);
            if target.writing.writes(&key) {
                here(key, &offer.price, &mut projected)?;
            } else if quantity <= Decimal::ONE {
                // The target has one price only: it is the special one while that is valid.
                edge(&mut projected.next_edge, &offer.price, target.now);
                if is_valid(&offer.price, target.now) {
                    effective = Some(Price { valid_from: None, valid_to: None, ..offer.price.clone() });
                }
            }
        }
        if let Some(price) = effective {
            here(base_key, &price, &mut projected)?;
        }
    }
    Ok(projected)
}

/// The owner's channel that feeds a channel here: by rule, else the owner's only one.
fn feeding(target: &Target<'_>, offers: &[Offer], channel: &str) -> Option<String> {
    if !target.policy.prices.is_empty() {
        return target.policy.prices.iter().find(|rule| rule.channel == channel).map(|rule| rule.from.clone());
    }
    let first = &offers.first()?.channel;
    offers.iter().all(|offer| offer.channel == *first).then(|| first.clone())
}

fn is_valid(price: &Price, now: Timestamp) -> bool {
    price.amount.is_some()
        && price.valid_from.is_none_or(|from| from <= now)
        && price.valid_to.is_none_or(|to| now < to)
}

fn edge(next: &mut Option<Timestamp>, price: &Price, now: Timestamp) {
    for at in [price.valid_from, price.valid_to].into_iter().flatten().filter(|at| *at > now) {
        *next = Some(next.map_or(at, |next| next.min(at)));
    }
}

fn in_channel(price: &Price, currency: &str, basis: TaxBasis, percent: Option<Decimal>) -> Result<Price, String> {
    if price.currency != currency {
        return Err(format!(
            "the price is in {}, the channel sells in {currency}; say in the price rules which channel feeds it",
            price.currency
        ));
    }
    let percent = match (price.basis == basis, percent) {
        (true, percent) => percent.unwrap_or_default(),
        (false, Some(percent)) => percent,
        (false, None) => {
            return Err(
                "the price has to be converted between net and gross, and the tax of the variant is not known; \
                        give it a tax rate at its owner"
                    .into(),
            );
        }
    };
    let decimals = minor_units(currency);
    let there = |amount| round(convert(amount, price.basis, basis, percent), decimals).normalize();
    Ok(Price { basis, amount: price.amount.map(there), ..price.clone() })
}
