//! The sound connector of the conformance suite, for the model shop, and all the unsound ones: each flaw is named after
//! the rule that must catch it. [`flaw`] says which one this build or platform has; without one the connector is a model
//! of how the contract is kept.

mod api;
mod describe;
mod flaw;
mod map;
mod pull;
mod push;

use tradepost_sdk::prelude::*;

/// The connector.
#[derive(Debug)]
pub struct Model;

impl Connector for Model {
    // Flaws of the schema are written by hand.
    type Settings = ();

    fn describe() -> Description {
        describe::description()
    }

    fn open((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn check(&self) -> Result<Account, Error> {
        describe::account()
    }
}

impl Source for Model {
    fn pull(&self, request: PullRequest) -> Result<Page, Error> {
        pull::pull(&request)
    }

    fn acknowledge(&self, _: Kind, receipt: String) -> Result<(), Error> {
        pull::acknowledge(&receipt)
    }
}

impl Target for Model {
    fn push(&self, batch: Records) -> Result<(), Error> {
        push::push(batch)
    }

    fn find(&self, kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        push::find(kind, &probes)
    }
}

tradepost_sdk::export!(Model: Source + Target);
