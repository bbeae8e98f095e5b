//! Track 0.1: `tradepost:connector@0.1.0-draft.1`, and what turns its values into the model's and back: pure functions,
//! one file per kind of record. What a connector hands over is read strictly: a value that is not what the contract
//! says makes its record unreadable, with the path of the field, and never the page.

mod category;
mod customer;
mod describe;
mod head;
mod offer;
mod order;
mod order_event;
mod outcome;
mod page;
mod price;
mod product;
#[cfg(test)]
mod sample;
mod shipment;
mod stock;
mod value;

use std::collections::HashMap;

use crate::model::PlatformCode;
use crate::runtime::power::Blob;

pub use describe::{account, description, to_removal};
pub use offer::{contents_of, offer};
pub use outcome::{from_error, outcome, to_error};
pub(in crate::runtime) use page::{blobs_of, doomed, items_of};
pub use page::{found, kind, page, probe, pull_request};
pub use value::{Invalid, remote_ref};

/// What wasmtime generates from `wit/v0.1`.
#[allow(missing_docs, unsafe_code, clippy::all, unused_qualifications, unreachable_pub)]
pub mod wit {
    wasmtime::component::bindgen!({
        path: "../wit/v0.1",
        world: "shop",
        imports: { default: async | trappable },
        exports: { default: async },
        additional_derives: [PartialEq],
        include_component_type: true,
    });
}

/// What reading a page needs to know beside it.
#[derive(Debug, Clone)]
pub struct Reading<'a> {
    /// Whose records they are: goes into the keys of orders.
    pub code: &'a PlatformCode,
    /// Content by the platform's blob id, for every blob the page mentions and the platform has.
    pub contents: &'a HashMap<String, String>,
}

/// The platform's blobs by content, for every picture of what is to be written.
pub type Lent = HashMap<String, Blob>;
