//! Keeps a real Vendure shop and a real Tryton ERP in step and checks the result.
//!
//! In reading order:
//! [`peers`] copies, starts and stops the two servers; [`vendure`] and [`tryton`] act on them as merchant and customers do
//! (they share nothing with our connectors); [`proxy`] stands between host and server and counts what [`classify`] calls a write;
//! [`snapshot`] counts at the servers themselves; [`operator`] drives the `tradepost` binary through its command line;
//! [`scenario`] puts them together and fills the [`report`]; [`suite`] runs the conformance suite, with a [`hand`] on each server;
//! [`mocks`] runs connectors against the vendors' own descriptions.

pub mod build;
pub mod classify;
pub mod hand;
pub mod http;
pub mod judged;
pub mod mocks;
pub mod money;
pub mod operator;
pub mod peers;
pub mod picture;
pub mod process;
pub mod proxy;
pub mod readers;
pub mod rehearsal;
pub mod report;
pub mod scenario;
pub mod setup;
pub mod snapshot;
pub mod suite;
pub mod tryton;
pub mod vendure;
