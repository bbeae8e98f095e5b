//! Connector for Vendure shops, over the Admin GraphQL API.
//!
//! Reading order: [`describe`] says what it asks for and can do, [`settings`] what the operator chooses, [`api`] is the
//! only file that talks to the shop, [`pull`] reads pages, [`push`] writes records, [`remove`] takes them away,
//! [`find`] looks for what may have been written, and [`map`] holds the conversions, free of any I/O.
//!
//! What shapes this connector: Vendure has no free field to mark an object with and no idempotency keys, its updates
//! of a variant, a stock figure, a payment or a fulfilment do not show in `updatedAt` of the product or order they
//! belong to, and money is an integer of minor units.

pub mod api;
pub mod describe;
pub mod find;
pub mod map;
pub mod pull;
pub mod push;
pub mod remove;
pub mod settings;

use tradepost_sdk::connector::{Account, Description};
use tradepost_sdk::records::{Kind, Records, Removal};
use tradepost_sdk::source::{Page, PullRequest};
use tradepost_sdk::target::{Doomed, Found, Probe};
use tradepost_sdk::types::Error;
use tradepost_sdk::{Connector, Source, Target};

use api::{Sandbox, Shop};

/// The component.
#[derive(Debug)]
pub struct Vendure;

impl Connector for Vendure {
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

impl Source for Vendure {
    fn pull(&self, request: PullRequest) -> Result<Page, Error> {
        pull::pull(&Shop::new(&Sandbox)?, &request)
    }
}

impl Target for Vendure {
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

tradepost_sdk::export!(Vendure: Source + Target);
