//! The running service: data folder, ledger, connectors and engine put together, and the commands that operators give.

pub mod folder;
pub mod store;
