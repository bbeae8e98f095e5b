//! A small REST shop: the reference platform of the conformance suite. A real HTTP server with state in memory, made so
//! that a connector for it can be read in ten minutes, with the suite's control interface under `/_control`.
//!
//! [`server`] takes requests in, [`shop`] is the state with what the API can do, [`golden`] holds the records that a suite
//! compares with, [`control`] is the suite's hand.

mod control;
mod golden;
mod server;
mod shop;

pub use server::{Simulator, StartError};
pub use shop::{PASSWORD, USER};
