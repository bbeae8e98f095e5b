//! Connector for WooCommerce shops, over the REST interface v3.
//!
//! It is meant to be copied: what every shop connector needs, with as little else as possible. Reading order:
//! [`describe`] says what it asks for and can do, [`settings`] what the operator chooses, [`api`] is the only file that
//! talks to the shop, [`pull`] reads pages, [`push`] writes records, [`remove`] takes them away, [`find`] looks for what
//! may have been written, and [`map`] holds the conversions, free of any I/O.
//!
//! What shapes this connector: WooCommerce has no idempotency keys, but free fields (`meta_data`) on products and orders,
//! which carry our marks; lists cannot be sorted by the time of change; a changed variation does not show in its product's
//! time stamp; amounts of orders are net with the tax beside them; stock falls when an order is placed.

pub mod api;
pub mod describe;
pub mod find;
pub mod map;
pub mod pull;
pub mod push;
pub mod remove;
pub mod settings;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod tests;

use tradepost_sdk::prelude::*;

use api::Shop;

/// The component.
#[derive(Debug)]
pub struct WooCommerce(pub Shop);

impl Connector for WooCommerce {
    type Settings = settings::Settings;

    fn describe() -> Description {
        describe::description()
    }

    fn open(settings: settings::Settings) -> Result<Self, Error> {
        Ok(Self(Shop::new(settings)))
    }

    fn check(&self) -> Result<Account, Error> {
        describe::account(&self.0)
    }
}

impl Source for WooCommerce {
    fn pull(&self, request: PullRequest) -> Result<Page, Error> {
        pull::pull(&self.0, &request)
    }
}

impl Target for WooCommerce {
    fn push(&self, batch: Records) -> Result<(), Error> {
        push::push(&self.0, batch)
    }

    fn remove(&self, kind: Kind, items: Vec<Doomed>, how: Removal) -> Result<(), Error> {
        remove::remove(&self.0, kind, &items, how)
    }

    fn find(&self, kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        find::find(&self.0, kind, &probes)
    }
}

tradepost_sdk::export!(WooCommerce: Source + Target);
