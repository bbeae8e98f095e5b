//! Where a reading goes on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tradepost_sdk::types::Error;

/// Place in a scope.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// Which of the kind's lists is being read.
    pub(super) phase: u8,
    /// Records of it seen so far.
    pub(super) seen: u64,
    /// The last ids seen: the next page begins after them, wherever they are by then.
    pub(super) anchors: Vec<String>,
    /// How often the list was begun again because the place was lost.
    #[serde(default)]
    pub(super) again: u8,
    /// The shop's clock when the scope began.
    pub(super) mark: Option<Timestamp>,
}

impl Cursor {
    pub(super) fn read(text: Option<&str>) -> Result<Self, Error> {
        let Some(text) = text else { return Ok(Self::default()) };
        serde_json::from_str(text).map_err(|error| Error::Bug(format!("unreadable cursor: {error}")))
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).expect("numbers and strings are JSON")
    }
}
