#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// The derives name this crate by its name, inside of it too.
extern crate self as tradepost_sdk;

#[doc(hidden)]
pub mod bindings;
#[cfg(feature = "charset")]
pub mod charset;
mod client;
pub mod connector;
mod description;
pub mod exact;
mod failure;
pub mod graphql;
pub mod http;
mod lent;
mod page;
pub mod paging;
pub mod prelude;
mod record;
pub mod records;
pub mod request;
pub mod response;
pub mod settings;
mod settle;
pub mod source;
pub mod target;
#[cfg(all(feature = "testing", not(target_family = "wasm")))]
pub mod testing;
pub mod time;
mod values;

pub use bindings::powers::tradepost::connector::{catalog, head, outcomes, sales, types};
pub use client::Http;
pub use connector::{Connector, Source, Target, describe};
pub use description::Caption;
pub use failure::{ends_the_call, invalid, rejected, unsupported, words};
pub use graphql::{GraphQl, graphql};
pub use jiff::Timestamp;
pub use lent::{blobs, files, platform, report, storage};
pub use request::Request;
pub use response::Response;
pub use rust_decimal::Decimal;
pub use settings::{Choice, Secret, Settings, settings};
pub use settle::settle_each;
pub use tradepost_sdk_macros::{Choice, Settings};
pub use values::{contract_decimal, decimal, text};

/// What [`export!`] checks.
#[doc(hidden)]
pub mod __private {
    /// It reads.
    pub const fn reads<C: crate::Source>() {}
    /// It writes.
    pub const fn writes<C: crate::Target>() {}
}
