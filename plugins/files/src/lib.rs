//! Connector for ERPs that have no API and exchange CSV and JSON files.
//!
//! What the ERP puts into `inbox` is read: categories, products, prices, stock, customers, the ERP's numbers of orders,
//! shipments. What shops have for it is written into `outbox`: orders, what happened to them, customers.
//!
//! [`describe`] what it is and asks for · [`settings`] what the operator sets · [`inbox`] which file is what, and where it
//! goes when it was read · [`table`] a file in pieces: lines of CSV, objects of JSON · [`pull`] pages over files ·
//! [`rejects`] the lines that could not be read · [`value`] numbers, times, words · [`map`] a file per kind · [`outbox`]
//! writing and looking up · [`host`] what is used of the host.
//!
//! What shapes this connector: a file may be large, so that a page reads a part of it; a file may still be growing; a page
//! and an acknowledgement may be repeated; and a line that cannot be read must not take its neighbours with it, nor make
//! a product look as if it had fewer variants.

mod describe;
mod host;
mod inbox;
mod map;
mod outbox;
mod pull;
mod rejects;
mod settings;
#[cfg(any(test, fuzzing))]
pub mod strangers;
mod table;
mod value;

use tradepost_sdk::connector::{Account, Description};
use tradepost_sdk::records::{Kind, Records};
use tradepost_sdk::source::{Page, PullRequest};
use tradepost_sdk::target::{Found, Probe};
use tradepost_sdk::types::Error;
use tradepost_sdk::{Connector, Source, Target};

use host::{Folder, Lender};

/// The component.
#[derive(Debug)]
pub struct Files;

tradepost_sdk::export!(Files: Source + Target);

impl Connector for Files {
    type Settings = ();

    fn describe() -> Description {
        describe::describe()
    }

    fn open((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn check(&self) -> Result<Account, Error> {
        describe::check(&Folder::of_platform(&Lender)?)
    }
}

impl Source for Files {
    fn pull(&self, request: PullRequest) -> Result<Page, Error> {
        pull::pull(&Folder::of_platform(&Lender)?, &request)
    }

    fn acknowledge(&self, _kind: Kind, receipt: String) -> Result<(), Error> {
        inbox::acknowledge(&Folder::of_platform(&Lender)?, &receipt)
    }
}

impl Target for Files {
    fn push(&self, batch: Records) -> Result<(), Error> {
        outbox::push(&Folder::of_platform(&Lender)?, batch)
    }

    fn find(&self, kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        outbox::find(&Folder::of_platform(&Lender)?, kind, &probes)
    }
}
