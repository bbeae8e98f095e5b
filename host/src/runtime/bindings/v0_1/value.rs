//! Scalars, references, texts, pictures: what all records are made of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::wit::tradepost::connector::{catalog as wc, head as wh, types as wt};
use super::{Lent, Reading};
use crate::model::catalog::{Field, Medium, TaxBasis, Text, Texts};
use crate::model::{FacetKey, Facets, Key, KeyType, Link, Part, PartKind, RemoteRef};

/// A value that the contract forbids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct Invalid {
    /// Path in the record, e.g. `lines[2].tax-percent`.
    pub path: String,
    /// A sentence fragment.
    pub why: String,
}

pub(super) type Read<T> = Result<T, Invalid>;

pub(super) fn invalid<T>(path: &str, why: impl Into<String>) -> Read<T> {
    Err(Invalid { path: path.to_owned(), why: why.into() })
}

/// Puts what happened inside a part below the part's path.
pub(super) fn within<T>(path: impl FnOnce() -> String, read: Read<T>) -> Read<T> {
    read.map_err(|error| {
        let outer = path();
        let path = if error.path.is_empty() { outer } else { format!("{outer}.{}", error.path) };
        Invalid { path, ..error }
    })
}

/// Reads every element of a list.
pub(super) fn list<T, U>(name: &str, list: Vec<T>, mut read: impl FnMut(T) -> Read<U>) -> Read<Vec<U>> {
    list.into_iter().enumerate().map(|(i, item)| within(|| format!("{name}[{i}]"), read(item))).collect()
}

/// `-?[0-9]{1,18}(\.[0-9]{1,9})?`, without trailing zeros: equal amounts have equal text and equal hashes.
pub(super) fn decimal(path: &str, text: &str) -> Read<Decimal> {
    let digits =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let plain = match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole, 18) && digits(fraction, 9),
        None => digits(unsigned, 18),
    };
    match text.parse::<Decimal>() {
        Ok(decimal) if plain => Ok(decimal.normalize()),
        _ => invalid(path, format!("`{}` is not a decimal number of the contract", excerpt(text))),
    }
}

pub(super) fn decimal_opt(path: &str, text: Option<String>) -> Read<Option<Decimal>> {
    text.map(|text| decimal(path, &text)).transpose()
}

/// As the contract wants it: no more than nine digits after the point.
pub(super) fn to_decimal(decimal: Decimal) -> String {
    decimal.round_dp(9).normalize().to_string()
}

/// RFC 3339 in UTC.
pub(super) fn timestamp(path: &str, text: &str) -> Read<Timestamp> {
    match text.parse::<Timestamp>() {
        Ok(timestamp) if text.ends_with('Z') => Ok(timestamp),
        _ => invalid(path, format!("`{}` is not a time in UTC like `2026-11-22T08:00:00Z`", excerpt(text))),
    }
}

pub(super) fn timestamp_opt(path: &str, text: Option<String>) -> Read<Option<Timestamp>> {
    text.map(|text| timestamp(path, &text)).transpose()
}

pub(super) fn to_timestamp(timestamp: Timestamp) -> String {
    timestamp.to_string()
}

pub(super) fn date(path: &str, text: &str) -> Read<Date> {
    match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => Ok(date),
        _ => invalid(path, format!("`{}` is not a day like `2026-11-22`", excerpt(text))),
    }
}

pub(super) fn currency(path: &str, text: String) -> Read<String> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(text)
    } else {
        invalid(path, format!("`{}` is not a currency code of ISO 4217", excerpt(&text)))
    }
}

pub(super) fn language(path: &str, text: String) -> Read<String> {
    let tag = (2..=35).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if tag { Ok(text) } else { invalid(path, format!("`{}` is not a language tag", excerpt(&text))) }
}

/// An id: 1 to 255 bytes.
pub(super) fn id(path: &str, text: String) -> Read<String> {
    match text.len() {
        0 => invalid(path, "the id is empty"),
        1..=255 if text.contains('\0') => invalid(path, "the id contains a NUL character"),
        1..=255 => Ok(text),
        length => invalid(path, format!("the id has {length} bytes, at most 255 are allowed")),
    }
}

/// A text that is empty says nothing.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// A reference the connector handed over.
///
/// # Errors
/// When its id is none.
pub fn remote_ref(path: &str, remote: wt::RemoteRef) -> Result<RemoteRef, Invalid> {
    let wt::RemoteRef { id: text, parent, version } = remote;
    Ok(RemoteRef { id: id(&format!("{path}.id"), text)?, parent: filled(parent), version })
}

pub(super) fn to_remote_ref(remote: &RemoteRef) -> wt::RemoteRef {
    let RemoteRef { id, parent, version } = remote.clone();
    wt::RemoteRef { id, parent, version }
}

pub(super) fn link(path: &str, link: wt::Link) -> Read<Link> {
    let key = link.key.trim().to_owned();
    let below = if path.is_empty() { "id".to_owned() } else { format!("{path}.id") };
    let id = link.id.map(|text| id(&below, text)).transpose()?;
    if id.is_none() && key.is_empty() {
        return invalid(path, "neither an id nor a key is there");
    }
    Ok(Link { id, key })
}

pub(super) fn to_link(link: &Link) -> wt::Link {
    wt::Link { id: link.id.clone(), key: link.key.clone() }
}

pub(super) fn basis(basis: wt::TaxBasis) -> TaxBasis {
    match basis {
        wt::TaxBasis::Net => TaxBasis::Net,
        wt::TaxBasis::Gross => TaxBasis::Gross,
    }
}

pub(super) fn to_basis(basis: TaxBasis) -> wt::TaxBasis {
    match basis {
        TaxBasis::Net => wt::TaxBasis::Net,
        TaxBasis::Gross => wt::TaxBasis::Gross,
    }
}

pub(super) fn text(text: wt::Text) -> Text {
    Text { language: text.language, value: text.value }
}

pub(super) fn to_text(text: &Text) -> wt::Text {
    wt::Text { language: text.language.clone(), value: text.value.clone() }
}

/// Sorted by name and unique; of two with one name the first is kept.
pub(super) fn extra(fields: Vec<wt::Field>) -> Vec<Field> {
    let mut sorted = BTreeMap::new();
    for wt::Field { name, value } in fields {
        sorted.entry(name).or_insert(value);
    }
    sorted.into_iter().map(|(name, value)| Field { name, value }).collect()
}

pub(super) fn to_extra(fields: &[Field]) -> Vec<wt::Field> {
    fields.iter().map(|field| wt::Field { name: field.name.clone(), value: field.value.clone() }).collect()
}

/// Facets `texts:<language>`.
pub(super) fn texts(facets: &mut Facets, texts: Vec<wc::Texts>) -> Read<()> {
    for (i, texts) in texts.into_iter().enumerate() {
        let path = format!("texts[{i}].language");
        let language = language(&path, texts.language)?;
        let body = Texts {
            name: texts.name,
            short_html: filled(texts.short_html),
            long_html: filled(texts.long_html),
            slug: filled(texts.slug),
            meta_title: filled(texts.meta_title),
            meta_description: filled(texts.meta_description),
            keywords: texts.keywords,
        };
        let key = FacetKey::new("texts", &[&language]);
        if facets.insert(key, json(&body)).is_some() {
            return invalid(&path, format!("`{language}` is there twice"));
        }
    }
    Ok(())
}

pub(super) fn to_texts(facets: &Facets) -> Read<Vec<wc::Texts>> {
    let mut all = Vec::new();
    for (key, body) in facets.iter().filter(|(key, _)| key.name() == "texts") {
        let texts: Texts = from_json(key.as_str(), body)?;
        all.push(wc::Texts {
            language: key.scope().unwrap_or_default().to_owned(),
            name: texts.name,
            short_html: texts.short_html,
            long_html: texts.long_html,
            slug: texts.slug,
            meta_title: texts.meta_title,
            meta_description: texts.meta_description,
            keywords: texts.keywords,
        });
    }
    Ok(all)
}

/// Facet `media`.
pub(super) fn media(facets: &mut Facets, media: Option<Vec<wc::Medium>>, reading: &Reading<'_>) -> Read<()> {
    let Some(media) = media else { return Ok(()) };
    let media = list("pictures", media, |medium| {
        let wc::Content { blob, url } = medium.content;
        let blob = match blob {
            None => None,
            Some(blob) => match reading.contents.get(&blob.id) {
                Some(content) => Some(content.clone()),
                None => return invalid("content.blob", format!("this platform has no blob `{}`", excerpt(&blob.id))),
            },
        };
        let url = filled(url);
        if blob.is_none() && url.is_none() {
            return invalid("content", "neither a blob nor a url is there");
        }
        Ok(Medium { key: id("key", medium.key)?, blob, url, title: medium.title.into_iter().map(text).collect() })
    })?;
    facets.insert("media".into(), json(&media));
    Ok(())
}

pub(super) fn to_media(facets: &Facets, lent: &Lent) -> Read<Option<Vec<wc::Medium>>> {
    let Some(body) = facets.get(&"media".into()) else { return Ok(None) };
    let media: Vec<Medium> = from_json("media", body)?;
    let media = media.into_iter().map(|medium| {
        let blob = medium.blob.and_then(|content| lent.get(&content)).map(|blob| wt::BlobRef {
            id: blob.id.clone(),
            size: blob.size,
            media_type: blob.media_type.clone(),
            name: blob.name.clone(),
        });
        let title = medium.title.iter().map(to_text).collect();
        wc::Medium { key: medium.key, content: wc::Content { blob, url: medium.url }, title }
    });
    Ok(Some(media.collect()))
}

pub(super) fn part(part: wh::Part) -> Read<Part> {
    let kind = match part.what {
        wh::PartKind::Variant => PartKind::Variant,
        wh::PartKind::Picture => PartKind::Picture,
        wh::PartKind::Line => PartKind::Line,
        wh::PartKind::Address => PartKind::Address,
        wh::PartKind::Parcel => PartKind::Parcel,
        wh::PartKind::Option => PartKind::Option,
        wh::PartKind::Other => PartKind::Other,
    };
    Ok(Part { kind, key: part.key, id: id("id", part.id)? })
}

pub(super) fn to_part(part: &Part) -> wh::Part {
    let what = match part.kind {
        PartKind::Variant => wh::PartKind::Variant,
        PartKind::Picture => wh::PartKind::Picture,
        PartKind::Line => wh::PartKind::Line,
        PartKind::Address => wh::PartKind::Address,
        PartKind::Parcel => wh::PartKind::Parcel,
        PartKind::Option => wh::PartKind::Option,
        PartKind::Other => wh::PartKind::Other,
    };
    wh::Part { what, key: part.key.clone(), id: part.id.clone() }
}

/// A natural key, if there is anything in it.
pub(super) fn key(keys: &mut Vec<Key>, kind: KeyType, value: Option<&str>) {
    if let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) {
        keys.push(Key { kind, value: value.to_owned() });
    }
}

/// The canonical body of a facet.
pub(super) fn json(body: &impl Serialize) -> Value {
    serde_json::to_value(body).expect("facet bodies are structs with string keys")
}

/// A facet body as its type.
pub(super) fn from_json<T: DeserializeOwned>(path: &str, body: &Value) -> Read<T> {
    T::deserialize(body).or_else(|error| invalid(path, error.to_string()))
}

/// The facet of a record as its type, if it is there.
pub(super) fn facet<T: DeserializeOwned>(facets: &Facets, key: &str) -> Read<Option<T>> {
    facets.get(&key.into()).map(|body| from_json(key, body)).transpose()
}

/// The facet of a record that cannot be written without it.
pub(super) fn required<T: DeserializeOwned>(facets: &Facets, key: &str) -> Read<T> {
    match facet(facets, key)? {
        Some(body) => Ok(body),
        None => invalid(key, "the facet is not there"),
    }
}

pub(super) fn excerpt(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests;
