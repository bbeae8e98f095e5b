//! The suite over connectors with flaws and over those of this repository. One program, so that connectors are linked on one
//! processor while suites run on the others.

mod erp;
mod flaws;
mod plugins;
