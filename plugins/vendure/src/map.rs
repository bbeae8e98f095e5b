//! Conversions between Vendure's words and the contract's, free of I/O.

pub mod catalogue;
pub mod customers;
pub mod money;
pub mod orders;
pub mod shipments;
pub mod write;

use serde_json::Value;
use tradepost_sdk::head::{Head, Op, Part};
use tradepost_sdk::types::{Link, RemoteRef};

/// Where Vendure keeps an object.
#[must_use]
pub fn remote(id: &str, parent: Option<&str>) -> RemoteRef {
    RemoteRef { id: id.into(), parent: parent.map(Into::into), version: None }
}

/// The head of a record that was read.
#[must_use]
pub fn head(remote: RemoteRef, parts: Vec<Part>, updated: Option<jiff::Timestamp>) -> Head {
    Head {
        op: Op::Read,
        item: String::new(),
        marker: None,
        remote: Some(remote),
        parts,
        updated: updated.map(|time| time.to_string()),
    }
}

/// Another record, by its id here and its natural key.
#[must_use]
pub fn link(id: &str, key: &str) -> Link {
    Link { id: Some(id.into()), key: key.into() }
}

/// The text, unless there is none.
#[must_use]
pub fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(Into::into)
}

/// A percentage as text. Vendure sends it as a JSON number; its shortest text is the number that was entered.
#[must_use]
pub fn percent(number: &Value) -> Option<String> {
    number
        .as_number()
        .map(ToString::to_string)
        .and_then(|text| text.parse::<rust_decimal::Decimal>().ok())
        .map(|value| value.normalize().to_string())
}

/// Vendure's language code as a language tag.
#[must_use]
pub fn language_tag(code: &str) -> String {
    code.replace('_', "-")
}

/// A language tag as Vendure's language code.
#[must_use]
pub fn language_code(tag: &str) -> String {
    tag.replace('-', "_")
}

#[cfg(test)]
mod tests;
