//! Connector for the Tryton ERP.
//!
//! Tryton owns what is sold: its templates and variants, list prices, special prices of one price list, and stock are
//! read and go to shops. Orders and customers come the other way: a party with its addresses, and a sale that is made
//! as a draft, quoted and confirmed. Numbers, states and shipments with their packages are read again.
//!
//! [`describe`] what it is and asks for · [`pull`] reading, a file per kind · [`push`] writing · [`find`] looking up what
//! a lost answer left behind · [`masters`] records that others point to · [`api`] the REST of Tryton · [`map`] and
//! [`value`] conversions · [`host`] what is used of the host · [`settings`] what the operator sets.

mod api;
mod describe;
mod find;
mod host;
mod map;
mod masters;
mod pull;
mod push;
mod settings;
mod value;

use tradepost_sdk::connector::{Account, Description};
use tradepost_sdk::records::{Kind, Records, Removal};
use tradepost_sdk::settings::Json;
use tradepost_sdk::source::{Page, PullRequest};
use tradepost_sdk::target::{Doomed, Found, Probe};
use tradepost_sdk::types::Error;
use tradepost_sdk::{Connector, Source, Target};

use api::Api;
use host::Lender;

/// The component.
#[derive(Debug)]
pub struct Tryton;

tradepost_sdk::export!(Tryton: Source + Target);

impl Connector for Tryton {
    type Settings = ();

    fn describe() -> Description {
        describe::describe()
    }

    fn open((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn check(&self) -> Result<Account, Error> {
        describe::check(&api()?)
    }
}

impl Source for Tryton {
    fn pull(&self, request: PullRequest) -> Result<Page, Error> {
        pull::pull(&api()?, &request)
    }
}

impl Target for Tryton {
    fn push(&self, batch: Records) -> Result<(), Error> {
        push::push(&api()?, &batch)
    }

    fn remove(&self, kind: Kind, items: Vec<Doomed>, how: Removal) -> Result<(), Error> {
        push::remove(&api()?, kind, &items, how)
    }

    fn find(&self, kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        find::find(&api()?, kind, &probes)
    }
}

fn api() -> Result<Api<'static>, Error> {
    let Json(settings) = tradepost_sdk::settings()?;
    Ok(Api::new(&Lender, settings))
}
