//! What scenarios over the real program need: the program and connectors as everybody builds them, a host that can be
//! spawned and killed, an ERP that keeps books, and dice that can be thrown again.
//!
//! [`build`] · [`host`] the process and its API · [`erp`] the other side of the exchange folder · [`trade`] a shop and an
//! ERP that were put to work · [`powercut`] a disk that loses what was not synced · [`dice`]
//! · [`languages`] a connector in every language, from an empty folder.

pub mod build;
pub mod dice;
pub mod erp;
pub mod host;
pub mod languages;
pub mod powercut;
pub mod trade;
