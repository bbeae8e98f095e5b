//! Writing. Each file settles its own items, one by one or as one batch where the shop takes the batch in one request.

pub mod categories;
pub mod events;
pub mod prices;
pub mod products;
pub mod shipments;

use tradepost_sdk::head::{Head, Part};
use tradepost_sdk::outcomes::{Outcome, Written};
use tradepost_sdk::records::Records;
use tradepost_sdk::settle_each;
use tradepost_sdk::types::{Error, Issue, RemoteRef};

use crate::api::Shop;

/// Writes a batch.
///
/// # Errors
/// Why the rest was not tried: the credentials were refused, the shop wants a rest or is away.
pub fn push(shop: &Shop, batch: Records) -> Result<(), Error> {
    match batch {
        Records::Categories(all) => settle_each(&all, |one| categories::write(shop, one)),
        Records::Products(all) => {
            let there = products::there(shop, &all)?;
            settle_each(&all, |one| products::write(shop, one, &there))
        }
        Records::OrderEvents(all) => settle_each(&all, |one| events::apply(shop, one)),
        Records::Shipments(all) => settle_each(&all, |one| shipments::write(shop, one)),
        Records::Stock(all) => prices::stock(shop, &all),
        Records::Prices(all) => prices::prices(shop, &all),
        Records::Customers(all) => settle_each(&all, |_| unsupported("customers register themselves")),
        Records::Orders(all) => settle_each(&all, |_| unsupported("orders are placed in the shop")),
    }
}

fn unsupported(words: &str) -> Result<Outcome, Error> {
    Err(Error::Unsupported(words.into()))
}

/// The object exists and all is written.
#[must_use]
pub fn done(remote: RemoteRef, parts: Vec<Part>, warnings: Vec<Issue>) -> Outcome {
    Outcome::Done(Written { remote, parts, total: None, warnings })
}

/// The object exists, steps are missing.
#[must_use]
pub fn partial(remote: RemoteRef, parts: Vec<Part>) -> Outcome {
    Outcome::Partial(Written { remote, parts, total: None, warnings: Vec::new() })
}

/// The reference that an update needs.
///
/// # Errors
/// `bug`: the host left it out.
pub fn known(head: &Head) -> Result<&RemoteRef, Error> {
    head.remote.as_ref().ok_or_else(|| Error::Bug("an update without the object's reference".into()))
}

/// Something that was not written as it was asked for.
#[must_use]
pub fn warning(path: &str, message: impl Into<String>) -> Issue {
    Issue { path: path.into(), code: None, message: message.into() }
}
