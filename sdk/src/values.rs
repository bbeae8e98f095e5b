//! Values that cross the contract as text.

use rust_decimal::Decimal;

use crate::types::{Error, Text};

/// Reads a decimal of the contract or of a platform; never through a float.
///
/// # Errors
/// `bug` naming the text, when it is not a plain decimal number.
pub fn decimal(text: &str) -> Result<Decimal, Error> {
    text.trim().parse::<Decimal>().map_err(|error| Error::Bug(format!("`{text}` is not a decimal number: {error}")))
}

/// English and German title or explanation of something an operator sees.
#[must_use]
pub fn text(english: &str, german: &str) -> Vec<Text> {
    vec![Text { language: "en".into(), value: english.into() }, Text { language: "de".into(), value: german.into() }]
}
