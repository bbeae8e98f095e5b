//! Facets: the unit of ownership, hash, history and push.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// `name[:scope]`, e.g. `head`, `texts:de`, `price:special:CH:10`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FacetKey(String);

impl FacetKey {
    /// Name and scope of which the parts are joined by `:`; `:` inside a part becomes `_`.
    #[must_use]
    pub fn new(name: &str, scope: &[&str]) -> Self {
        let mut key = name.to_owned();
        for part in scope {
            key.push(':');
            key.extend(part.chars().map(|c| if c == ':' { '_' } else { c }));
        }
        Self(key)
    }

    /// The facet `head`.
    #[must_use]
    pub fn head() -> Self {
        Self("head".into())
    }

    /// The whole key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first `:`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(name, _)| name)
    }

    /// What stands after the first `:`.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, scope)| scope)
    }
}

impl From<&str> for FacetKey {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for FacetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A facet key in which a part `*` stands for any one part, and a last part `*` for all that remain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FacetPattern(pub String);

impl FacetPattern {
    /// Whether the key fits.
    #[must_use]
    pub fn matches(&self, key: &FacetKey) -> bool {
        let mut key = key.as_str().split(':');
        let mut pattern = self.0.split(':').peekable();
        while let Some(part) = pattern.next() {
            if part == "*" && pattern.peek().is_none() {
                return key.next().is_some();
            }
            match key.next() {
                Some(k) if part == "*" || part == k => {}
                _ => return false,
            }
        }
        key.next().is_none()
    }

    /// How narrow it is: the number of parts that are not `*`. The narrowest matching pattern wins.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.0.split(':').filter(|part| *part != "*").count()
    }
}

/// Bodies by key. A facet that is present is complete, one that is absent says nothing. Bodies are canonical JSON of
/// the types in [`super::catalog`] and [`super::sales`].
pub type Facets = BTreeMap<FacetKey, Value>;

/// Content hash of a facet body: the first 16 bytes of BLAKE3 over its canonical JSON (keys sorted, no spaces).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 16]);

impl Hash {
    /// Of a body.
    #[must_use]
    pub fn of(body: &Value) -> Self {
        // serde_json keeps maps sorted (no `preserve_order`), so equal values have equal text.
        Self::of_bytes(body.to_string().as_bytes())
    }

    /// Of bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
        Self(hash)
    }

    /// Lower-case hexadecimal.
    #[must_use]
    pub fn to_hex(self) -> String {
        self.with_hex(ToOwned::to_owned)
    }

    /// Lends the text of [`Self::to_hex`]; a page of records has thousands of hashes.
    fn with_hex<T>(self, use_it: impl FnOnce(&str) -> T) -> T {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 32];
        for (byte, pair) in self.0.iter().zip(hex.chunks_exact_mut(2)) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        use_it(str::from_utf8(&hex).expect("digits are ASCII"))
    }

    /// From [`Self::to_hex`].
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut hash = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        for (i, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Self(hash))
    }
}

/// A body in the form in which it is stored and hashed, made once.
#[derive(Debug, Clone)]
pub struct Canonical {
    /// Canonical JSON.
    pub text: Box<RawValue>,
    /// Of that.
    pub hash: Hash,
}

impl Canonical {
    /// Of a body.
    #[must_use]
    pub fn of(body: &Value) -> Self {
        let text = to_raw_value(body).expect("a value is JSON");
        Self { hash: Hash::of_bytes(text.get().as_bytes()), text }
    }

    /// Of each body, in the order of the keys.
    #[must_use]
    pub fn all(facets: &Facets) -> Vec<Self> {
        facets.values().map(Self::of).collect()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_hex(|hex| serializer.serialize_str(hex))
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text).ok_or_else(|| serde::de::Error::custom("a hash has 32 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_parts() {
        for (pattern, key, expected) in [
            ("head", "head", true),
            ("texts:*", "texts:de", true),
            ("texts:*", "texts", false),
            ("price:special:*:10", "price:special:CH:10", true),
            ("price:special:*:10", "price:special:CH:20", false),
            ("price:*", "price:special:CH:20", true),
            ("*", "stock:WH", true),
            ("stock:WH", "stock:WH:2", false),
        ] {
            assert_eq!(FacetPattern(pattern.into()).matches(&key.into()), expected, "{pattern} {key}");
        }
    }

    #[test]
    fn hash_round_trips_through_hex() {
        let hash = Hash::of(&serde_json::json!({"b": 1, "a": "ü"}));
        assert_eq!(Hash::from_hex(&hash.to_hex()), Some(hash));
        assert_eq!(hash, Hash::of(&serde_json::json!({"a": "ü", "b": 1})));
    }
}
