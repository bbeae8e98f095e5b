//! The sound connector of the conformance suite, for the model shop, and all the unsound ones: each flaw is named after
//! the rule that must catch it. [`flaw`] says which one this build or platform has; without one the connector is a model
//! of how the contract is kept.

mod api;
mod describe;
mod flaw;
mod map;
mod pull;
mod push;

use tradepost_sdk::connector::{Account, Description};
use tradepost_sdk::records::{Kind, Records, Removal};
use tradepost_sdk::source::{Page, Request};
use tradepost_sdk::target::{Doomed, Found, Probe};
use tradepost_sdk::types::Error;
use tradepost_sdk::{Connector, Source, Target};

/// The connector.
pub struct Model;

impl Connector for Model {
    fn describe() -> Description {
        describe::description()
    }

    fn check() -> Result<Account, Error> {
        describe::account()
    }
}

impl Source for Model {
    fn pull(request: Request) -> Result<Page, Error> {
        pull::pull(&request)
    }

    fn acknowledge(_: Kind, receipt: String) -> Result<(), Error> {
        pull::acknowledge(&receipt)
    }
}

impl Target for Model {
    fn push(batch: Records) -> Result<(), Error> {
        push::push(batch)
    }

    fn remove(_: Kind, _: Vec<Doomed>, _: Removal) -> Result<(), Error> {
        Err(Error::Unsupported("the model shop removes nothing".into()))
    }

    fn find(kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        push::find(kind, &probes)
    }
}

#[cfg(target_arch = "wasm32")]
tradepost_sdk::export!(Model);
