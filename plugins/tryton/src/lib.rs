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
use tradepost_sdk::source::{Page, Request};
use tradepost_sdk::target::{Doomed, Found, Probe};
use tradepost_sdk::types::Error;
use tradepost_sdk::{Connector, Source, Target};

use api::Api;
use host::Lender;

/// The component.
#[derive(Debug)]
pub struct Tryton;

tradepost_sdk::export!(Tryton with_types_in tradepost_sdk::bindings);

impl Connector for Tryton {
    fn describe() -> Description {
        describe::describe()
    }

    fn check() -> Result<Account, Error> {
        describe::check(&api()?)
    }
}

impl Source for Tryton {
    fn pull(request: Request) -> Result<Page, Error> {
        pull::pull(&api()?, &request)
    }

    fn acknowledge(_kind: Kind, _receipt: String) -> Result<(), Error> {
        Ok(())
    }
}

impl Target for Tryton {
    fn push(batch: Records) -> Result<(), Error> {
        push::push(&api()?, &batch)
    }

    fn remove(kind: Kind, items: Vec<Doomed>, how: Removal) -> Result<(), Error> {
        push::remove(&api()?, kind, &items, how)
    }

    fn find(kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        find::find(&api()?, kind, &probes)
    }
}

fn api() -> Result<Api<'static>, Error> {
    Ok(Api::new(&Lender, tradepost_sdk::settings()?))
}
