//! What a connector that writes is asked for.

pub use crate::bindings::writes::exports::tradepost::connector::target::{Doomed, Found, Probe};
