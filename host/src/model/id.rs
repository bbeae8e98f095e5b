//! Identities. Numbers are ledger row ids; they mean nothing outside one ledger.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

row_id! {
    /// A configured platform.
    PlatformId,
    /// A hub record.
    RecordId,
    /// The identity of a hub record on one platform.
    LinkId,
    /// A planned write to a platform.
    IntentId,
    /// Something that happened to an order once.
    EventId,
    /// One execution of an action.
    RunId,
    /// Position in the ledger's order of changes; decides what is newer, never a clock.
    Rev,
}

/// Short permanent name of a platform (`shop`, `erp`); goes into markers, so it never changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlatformCode(String);

impl PlatformCode {
    /// Accepts 1 to 16 of `a-z`, `0-9` and `-`, beginning with a letter.
    ///
    /// # Errors
    /// The text itself when it is not such a name.
    pub fn parse(text: &str) -> Result<Self, InvalidCode> {
        let ok = (1..=16).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidCode { text: text.to_owned() }) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlatformCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no platform code.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{text}` is not a platform code: use 1 to 16 of a-z, 0-9 and -, beginning with a letter")]
pub struct InvalidCode {
    /// What was given.
    pub text: String,
}
