//! Conversions that several kinds share.

pub(crate) mod address;
pub(crate) mod html;
pub(crate) mod lines;
pub(crate) mod texts;

use tradepost_sdk::head::{Head, Op, Part, PartKind};
use tradepost_sdk::types::RemoteRef;

use crate::value::Instant;

/// The envelope of a record that was read.
pub(crate) fn read(remote: RemoteRef, updated: Option<Instant>) -> Head {
    Head {
        op: Op::Read,
        item: String::new(),
        marker: None,
        remote: Some(remote),
        parts: Vec::new(),
        updated: updated.map(|at| at.0.to_string()),
    }
}

/// Ids of parts, for looking them up by our key.
pub(crate) fn part(parts: &[Part], what: PartKind, key: &str) -> Option<u64> {
    let part = parts.iter().find(|part| part.what == what && part.key == key)?;
    part.id.parse().ok()
}

/// An empty text is no text.
pub(crate) fn some(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
