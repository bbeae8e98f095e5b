//! The tool of a connector's developer, whatever language the connector is written in.
//!
//! It is one program with two names to call it by: `cargo tradepost new` and `cargo-tradepost new` are the same.
//! Modules in reading order: [`cli`] the command line, [`command`] one file per command, [`component`] what a `.wasm`
//! file holds, [`powers`] what a connector asks for in words, [`output`] and [`failure`] what a person reads.

#![forbid(unsafe_code)]

pub mod cli;
pub mod command;
pub mod component;
pub mod failure;
pub mod output;
pub mod powers;

pub use cli::main;
