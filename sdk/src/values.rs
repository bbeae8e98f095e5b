//! Values that cross the contract as text.

use rust_decimal::Decimal;

use crate::types::{Error, Text};

/// Reads a decimal of the contract or of a platform: every digit of it, never through a float and never rounded.
///
/// ```
/// assert_eq!(tradepost_sdk::decimal(" 0.10 ").unwrap().to_string(), "0.10");
/// assert!(tradepost_sdk::decimal("1,5").is_err());
/// assert!(tradepost_sdk::decimal("1e2").is_err());
/// assert!(tradepost_sdk::decimal("0.33333333333333333333333333333").is_err(), "there is no room for 29 digits");
/// assert_eq!(tradepost_sdk::decimal("9.900000000000000000000000000000").unwrap().to_string(), "9.9");
/// ```
///
/// # Errors
/// `bug` naming the text, when it is not a plain decimal number or has more digits than a [`Decimal`] holds.
pub fn decimal(text: &str) -> Result<Decimal, Error> {
    exactly(text.trim())
        .map_err(|error| Error::Bug(format!("`{text}` is not a decimal number that can be kept exactly: {error}")))
}

/// A plain number as it stands there. Zeros at its end, of which a column with thirty decimals has many, are no digits that
/// would be lost.
pub(crate) fn exactly(text: &str) -> Result<Decimal, rust_decimal::Error> {
    Decimal::from_str_exact(text).or_else(|error| match text.trim_end_matches('0') {
        shorter if text.contains('.') && shorter.len() < text.len() => Decimal::from_str_exact(shorter),
        _ => Err(error),
    })
}

/// A decimal as the contract takes it: at most 18 digits before the point and 9 after it.
///
/// ```
/// use tradepost_sdk::{contract_decimal, decimal};
///
/// assert_eq!(contract_decimal(decimal("0.10").unwrap()).unwrap(), "0.10");
/// assert_eq!(contract_decimal(decimal("0.1000000000000").unwrap()).unwrap(), "0.1");
/// assert!(contract_decimal(decimal("0.0000000001").unwrap()).is_err());
/// assert!(contract_decimal(decimal("1000000000000000000").unwrap()).is_err());
/// ```
///
/// # Errors
/// `rejected` for a number that does not fit: it is not rounded, because nobody said how.
pub fn contract_decimal(number: Decimal) -> Result<String, Error> {
    let number = if number.scale() > 9 { number.normalize() } else { number };
    if number.scale() > 9 || number.trunc().abs() >= Decimal::from(1_000_000_000_000_000_000u64) {
        return Err(crate::rejected(
            "decimal",
            format!("{number} has more than 18 digits before or 9 after the point"),
        ));
    }
    Ok(number.to_string())
}

/// English and German title or explanation of something an operator sees.
///
/// ```
/// let text = tradepost_sdk::text("Orders", "Aufträge");
/// assert_eq!((text[1].language.as_str(), text[1].value.as_str()), ("de", "Aufträge"));
/// ```
#[must_use]
pub fn text(english: &str, german: &str) -> Vec<Text> {
    vec![Text { language: "en".into(), value: english.into() }, Text { language: "de".into(), value: german.into() }]
}
