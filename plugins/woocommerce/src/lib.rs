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

use tradepost_sdk::connector::{Account, Description};
use tradepost_sdk::records::{Kind, Records, Removal};
use tradepost_sdk::source::{Page, PullRequest};
use tradepost_sdk::target::{Doomed, Found, Probe};
use tradepost_sdk::types::Error;
use tradepost_sdk::{Connector, Source, Target};

use api::{Sandbox, Shop};

/// The component.
#[derive(Debug)]
pub struct WooCommerce;

impl Connector for WooCommerce {
    type Settings = ();

    fn describe() -> Description {
        describe::description()
    }

    fn open((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn check(&self) -> Result<Account, Error> {
        describe::account(&Shop::new(&Sandbox)?)
    }
}

impl Source for WooCommerce {
    fn pull(&self, request: PullRequest) -> Result<Page, Error> {
        pull::pull(&Shop::new(&Sandbox)?, &request)
    }
}

impl Target for WooCommerce {
    fn push(&self, batch: Records) -> Result<(), Error> {
        push::push(&Shop::new(&Sandbox)?, batch)
    }

    fn remove(&self, kind: Kind, items: Vec<Doomed>, how: Removal) -> Result<(), Error> {
        remove::remove(&Shop::new(&Sandbox)?, kind, &items, how)
    }

    fn find(&self, kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        find::find(&Shop::new(&Sandbox)?, kind, &probes)
    }
}

tradepost_sdk::export!(WooCommerce: Source + Target);
