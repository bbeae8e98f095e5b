//! Tradepost keeps shops, marketplaces and ERP systems in step.
//!
//! Modules in reading order; dependencies point downwards in this list only from the bottom up: `cli` -> `web` ->
//! `plugins`, `sync` -> `ledger`, `runtime` -> `capability` -> `model`.

pub mod capability;
pub mod cli;
pub mod config;
pub mod crash;
pub mod ledger;
pub mod model;
pub mod plugins;
pub mod runtime;
pub mod service;
pub mod sync;
#[cfg(test)]
mod tidy;
pub mod web;
