//! The conformance suite: what a connector must stand, tried on the built component in the host's own runtime, against a
//! simulator of the platform, with a fault proxy between the two.
//!
//! Code map: [`Suite`] runs [`Rule`]s ([`rules`] lists them) and makes a [`Report`]; [`Scenario`] is what the developer
//! says of the platform. Inside, `bench` holds the component, `proxy` misbehaves and keeps the journal, `control` is the
//! hand on the simulator, `sample` makes records to write. The README documents the control protocol.

#![forbid(unsafe_code)]

mod bench;
mod control;
mod folder;
mod listen;
mod proxy;
mod report;
mod rule;
mod rules;
mod sample;
mod scenario;
mod store;
mod suite;

pub use bench::BenchError;
pub use control::{ControlError, Hand, Offers};
pub use proxy::Exchange;
pub use report::{Entry, Report, Verdict};
pub use rule::{Group, Rule};
pub use rules::all as rules;
pub use scenario::{PLACE, Scenario, ScenarioError};
pub use suite::Suite;
pub use tradepost::runtime::{Cache, Engine};
