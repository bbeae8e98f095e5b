//! Guest library for Tradepost connectors: the bindings of the contract and what every connector needs around them.
//!
//! A connector implements [`Connector`], [`Source`] and [`Target`] for one type and exports it with
//! `tradepost_sdk::export!(MyConnector)`. Its crate is a plain library, so that its conversions are tested natively;
//! the build makes the component of it.

pub mod request;
mod values;

/// The bindings generated from `wit/v0.1`.
#[allow(missing_docs, clippy::all, unused_qualifications, unreachable_pub)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit/v0.1",
        world: "shop",
        pub_export_macro: true,
        generate_all,
        default_bindings_module: "tradepost_sdk::bindings",
        additional_derives: [PartialEq],
    });
}

pub use bindings::export;
pub use bindings::exports::tradepost::connector::connector::Guest as Connector;
pub use bindings::exports::tradepost::connector::source::Guest as Source;
pub use bindings::exports::tradepost::connector::target::Guest as Target;
pub use bindings::exports::tradepost::connector::{connector, source, target};
pub use bindings::tradepost::connector::{
    blobs, catalog, files, head, http, outcomes, platform, records, report, sales, storage, types,
};
pub use request::{Request, Response, graphql};
pub use values::{decimal, settings, text};
