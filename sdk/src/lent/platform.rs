//! The platform as the operator set it up.

use super::lent;

/// The settings as JSON, valid by the declared schema, with defaults filled in; no secrets. [`crate::settings()`] reads
/// them into the connector's own type.
///
/// ```
/// use tradepost_sdk::{platform, testing::FakeHost};
///
/// let host = FakeHost::new().settings(serde_json::json!({"a": 1}));
/// assert_eq!(host.run(platform::settings), r#"{"a":1}"#);
/// ```
#[must_use]
pub fn settings() -> String {
    lent!(platform::settings, settings())
}

/// Whether this is a preview: requests that are not reads are refused.
///
/// ```
/// use tradepost_sdk::{platform, testing::FakeHost};
///
/// assert!(!FakeHost::new().run(platform::preview));
/// assert!(FakeHost::new().preview().run(platform::preview));
/// ```
#[must_use]
pub fn preview() -> bool {
    lent!(platform::preview, preview())
}

/// The host's clock, as a timestamp of the contract.
///
/// ```
/// use tradepost_sdk::{platform, testing::FakeHost};
///
/// let host = FakeHost::new().now("2026-11-22T08:00:00Z");
/// assert_eq!(host.run(platform::now), "2026-11-22T08:00:00Z");
/// ```
#[must_use]
pub fn now() -> String {
    lent!(platform::now, now())
}
