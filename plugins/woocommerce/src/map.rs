//! Conversions between WooCommerce's words and the contract's, free of I/O.

pub mod catalogue;
pub mod orders;
pub mod taxes;
pub mod trade;
pub mod write;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::head::{Head, Op, Part, PartKind};
use tradepost_sdk::types::{Error, Link, RemoteRef};

/// Meta key with the idempotency key of the write that made an object.
pub const ITEM: &str = "_tradepost_item";
/// Meta key with the marker: short, for people.
pub const MARKER: &str = "_tradepost_marker";
/// Meta key of a product whose making has not ended.
pub const OPEN: &str = "_tradepost_open";

/// A free field of an object.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Meta {
    pub key: String,
    #[serde(default)]
    pub value: Value,
}

/// The text of a free field, unless it is empty. Numbers come back as text or as numbers, by version.
#[must_use]
pub fn meta(rows: &[Meta], key: &str) -> Option<String> {
    let value = &rows.iter().find(|row| row.key == key)?.value;
    filled(Some(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))).filter(|text| text != "null")
}

/// A free field to be written; `None` takes it away.
#[must_use]
pub fn field(key: &str, value: Option<&str>) -> Value {
    json!({"key": key, "value": value})
}

/// Where WooCommerce keeps an object.
#[must_use]
pub fn remote(id: u64, parent: Option<u64>) -> RemoteRef {
    RemoteRef { id: id.to_string(), parent: parent.map(|parent| parent.to_string()), version: None }
}

/// The head of a record that was read.
#[must_use]
pub fn head(remote: RemoteRef, marker: Option<String>, parts: Vec<Part>, updated: Option<Timestamp>) -> Head {
    Head {
        op: Op::Read,
        item: String::new(),
        marker,
        remote: Some(remote),
        parts,
        updated: updated.map(|time| time.to_string()),
    }
}

/// A part of an object.
#[must_use]
pub fn part(what: PartKind, key: &str, id: impl ToString) -> Part {
    Part { what, key: key.into(), id: id.to_string() }
}

/// Another record, by its id here and its natural key.
#[must_use]
pub fn link(id: u64, key: &str) -> Link {
    Link { id: (id > 0).then(|| id.to_string()), key: key.into() }
}

/// Reads an id of the contract.
///
/// # Errors
/// `not-found`: it is none of WooCommerce's.
pub fn id(text: &str) -> Result<u64, Error> {
    text.parse().map_err(|_| Error::NotFound(format!("`{text}` is not an id of WooCommerce")))
}

/// The text, unless there is none.
#[must_use]
pub fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(Into::into)
}

/// A time of a field whose name ends in `_gmt`: without an offset.
///
/// # Errors
/// `bug` for a text that is no time.
pub fn gmt(text: Option<&str>) -> Result<Option<Timestamp>, Error> {
    let Some(text) = filled(text) else { return Ok(None) };
    let read = text.parse::<DateTime>().and_then(|civil| civil.to_zoned(TimeZone::UTC));
    read.map(|zoned| Some(zoned.timestamp())).map_err(|_| Error::Bug(format!("`{text}` is no time")))
}

/// A time as fields and filters in GMT take it: an offset would be moved to the zone of the site first.
#[must_use]
pub fn as_gmt(time: Timestamp) -> String {
    let mut text = time.to_string();
    text.truncate("2026-11-22T08:00:00".len());
    text
}

/// A name without the entities that WordPress writes into it.
#[must_use]
pub fn plain(name: &str) -> String {
    let mut text = name.to_owned();
    // The ampersand last: `&amp;lt;` is the text `&lt;`.
    for (entity, sign) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#039;", "'"), ("&nbsp;", "\u{a0}"), ("&amp;", "&")]
    {
        text = text.replace(entity, sign);
    }
    text
}

/// The last part of an address, made of a natural key as WordPress would make it.
#[must_use]
pub fn slug(text: &str) -> String {
    let mut out = String::new();
    for sign in text.to_lowercase().chars() {
        let written = match sign {
            'ä' => "ae",
            'ö' | 'ő' => "oe",
            'ü' | 'ű' => "ue",
            'ß' => "ss",
            'á' | 'à' | 'â' => "a",
            'é' | 'è' | 'ê' => "e",
            'í' => "i",
            'ó' => "o",
            'ú' => "u",
            sign if sign.is_ascii_alphanumeric() => {
                out.push(sign);
                continue;
            }
            _ => "-",
        };
        if written != "-" || !(out.is_empty() || out.ends_with('-')) {
            out.push_str(written);
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests;
