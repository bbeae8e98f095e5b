//! The tool of a connector's developer, whatever language the connector is written in.
//!
//! It is one program with two names to call it by: `cargo tradepost new` and `cargo-tradepost new` are the same.
//! Modules in reading order: [`cli`] the command line, [`command`] one file per command, [`project`] a connector's folder,
//! [`language`] how each language is built, [`template`] the files of a new project, [`component`] what a `.wasm` file holds,
//! [`powers`] what a connector asks for in words, [`host`] a running host that is asked, [`sign`] signatures, [`simulator`] a platform to test
//! against, [`session`] tapes of a real one, [`case`] calls that went wrong elsewhere, [`output`] and [`failure`] what a person reads.

#![forbid(unsafe_code)]

pub mod case;
pub mod cli;
pub mod command;
pub mod component;
pub mod failure;
pub mod host;
pub mod language;
pub mod output;
pub mod powers;
pub mod project;
pub mod session;
pub mod sign;
pub mod simulator;
pub mod template;

pub use cli::main;
