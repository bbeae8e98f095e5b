//! What the host hears while a call runs.

use super::lent;
use crate::outcomes::Outcome;
use crate::types::Field;

pub use crate::bindings::powers::tradepost::connector::report::Level;

/// One line for the platform's log, at most 8 KiB.
///
/// ```
/// use tradepost_sdk::report::{self, Level};
/// use tradepost_sdk::testing::FakeHost;
///
/// let host = FakeHost::new();
/// host.run(|| report::log(Level::Warn, "a price without a currency", &[]));
/// assert_eq!(host.logged(), ["warn: a price without a currency"]);
/// ```
pub fn log(level: Level, message: &str, fields: &[Field]) {
    lent!(report::log, log(level, message, fields));
}

/// A line that tells something.
///
/// ```
/// use tradepost_sdk::{report, testing::FakeHost};
///
/// let host = FakeHost::new();
/// host.run(|| report::info("the shop runs version 9"));
/// assert_eq!(host.logged(), ["info: the shop runs version 9"]);
/// ```
pub fn info(message: &str) {
    log(Level::Info, message, &[]);
}

/// A line that warns.
///
/// ```
/// use tradepost_sdk::{report, testing::FakeHost};
///
/// let host = FakeHost::new();
/// host.run(|| report::warn("the shop runs an old version"));
/// assert_eq!(host.logged(), ["warn: the shop runs an old version"]);
/// ```
pub fn warn(message: &str) {
    log(Level::Warn, message, &[]);
}

/// How far a call is.
///
/// ```
/// use tradepost_sdk::{report, testing::FakeHost};
///
/// FakeHost::new().run(|| report::progress(7, Some(20), "product 7"));
/// ```
pub fn progress(done: u64, total: Option<u64>, current: &str) {
    lent!(report::progress, progress(done, total, current));
}

/// What became of the pushed item. `partial` as soon as an object exists, so that a cut in the steps that follow ends in
/// a resume and never in a second create.
///
/// ```
/// use tradepost_sdk::outcomes::Outcome;
/// use tradepost_sdk::{report, testing::FakeHost};
///
/// let host = FakeHost::new();
/// host.run(|| report::settle("item-1", &Outcome::done("7")));
/// assert!(matches!(host.outcome("item-1"), Some(Outcome::Done(written)) if written.remote.id == "7"));
/// ```
pub fn settle(item: &str, outcome: &Outcome) {
    lent!(report::settle, settle(item, outcome));
}
