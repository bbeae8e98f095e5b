//! Decimals in JSON that never go through a float: for fields of type [`Decimal`], `#[serde(with = "tradepost_sdk::exact")]`.
//!
//! They are read from the text of a number or of a string, and written as a number with all its digits. One that a
//! [`Decimal`] cannot hold exactly is an error, never rounded.
//!
//! ```
//! use tradepost_sdk::Decimal;
//! use tradepost_sdk::exact;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Price {
//!     #[serde(with = "exact")]
//!     amount: Decimal,
//!     #[serde(default, with = "exact::option")]
//!     old: Option<Decimal>,
//! }
//!
//! let price: Price = serde_json::from_str(r#"{"amount": 9007199254740993.10, "old": "0.30"}"#).unwrap();
//! assert_eq!(price.amount.to_string(), "9007199254740993.10");
//! assert_eq!(serde_json::to_string(&price).unwrap(), r#"{"amount":9007199254740993.10,"old":0.30}"#);
//!
//! let none: Price = serde_json::from_str(r#"{"amount": 1e2, "old": null}"#).unwrap();
//! assert_eq!((none.amount, none.old), (Decimal::from(100), None));
//! assert!(serde_json::from_str::<Price>(r#"{"amount": "ten"}"#).is_err());
//! assert!(serde_json::from_str::<Price>(r#"{"amount": 1.23456789012345678901234567890123e1}"#).is_err());
//! ```
//!
//! A `serde_json::Value` has already made floats of its numbers: read from the answer's bytes, as
//! [`Response::json`](crate::Response::json) and [`Page::read`](crate::source::Page::read) do.

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::values::exactly;

/// Reads a decimal from a number or a string; see the [module](self).
///
/// # Errors
/// For anything else.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Decimal, D::Error> {
    number(&Box::<RawValue>::deserialize(from)?).map_err(D::Error::custom)
}

/// Writes a decimal as a number; see the [module](self).
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(number: &Decimal, to: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(number.to_string()).map_err(S::Error::custom)?.serialize(to)
}

fn number(raw: &RawValue) -> Result<Decimal, String> {
    let text = match raw.get().strip_prefix('"') {
        Some(_) => serde_json::from_slice::<String>(raw.get().as_bytes()).map_err(|error| error.to_string())?,
        None => raw.get().to_owned(),
    };
    let text = text.trim();
    let read = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => scientific(number, exponent),
        None => exactly(text).ok(),
    };
    read.ok_or_else(|| format!("`{text}` is not a decimal number that can be kept exactly"))
}

/// `1.5e3`: the point is moved, no digit is lost. The library's own reader rounds what stands before the `e`.
fn scientific(number: &str, exponent: &str) -> Option<Decimal> {
    let number = exactly(number).ok()?.normalize();
    let exponent: i64 = exponent.parse().ok()?;
    if number.is_zero() {
        return Some(Decimal::ZERO);
    }
    let (mut digits, mut scale) = (number.mantissa(), i64::from(number.scale()).checked_sub(exponent)?);
    while scale > i64::from(Decimal::MAX_SCALE) && digits % 10 == 0 {
        (digits, scale) = (digits / 10, scale - 1);
    }
    if scale < 0 {
        digits = digits.checked_mul(10i128.checked_pow(u32::try_from(-scale).ok()?)?)?;
    }
    Decimal::try_from_i128_with_scale(digits, u32::try_from(scale.max(0)).ok()?).ok()
}

/// The same for an `Option`: `null` and an empty text are none.
///
/// ```
/// use tradepost_sdk::{Decimal, exact};
///
/// #[derive(serde::Deserialize)]
/// struct Row { #[serde(default, with = "exact::option")] weight: Option<Decimal> }
///
/// for none in ["{}", r#"{"weight": null}"#, r#"{"weight": ""}"#] {
///     assert_eq!(serde_json::from_str::<Row>(none).unwrap().weight, None);
/// }
/// ```
pub mod option {
    use super::*;

    /// Reads a decimal or none.
    ///
    /// # Errors
    /// For what is neither.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Decimal>, D::Error> {
        match Option::<Box<RawValue>>::deserialize(from)? {
            Some(raw) if !matches!(raw.get(), "null" | "\"\"") => number(&raw).map(Some).map_err(D::Error::custom),
            _ => Ok(None),
        }
    }

    /// Writes a decimal or `null`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(number: &Option<Decimal>, to: S) -> Result<S::Ok, S::Error> {
        match number {
            Some(number) => super::serialize(number, to),
            None => to.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        number(&RawValue::from_string(text.into()).unwrap()).map(|number| number.to_string())
    }

    #[test]
    fn scientific_numbers_are_exact_or_refused() {
        for (text, plain) in [
            ("1e2", "100"),
            ("1.50E+3", "1500"),
            ("-12.5e-3", "-0.0125"),
            ("100e-30", "0.0000000000000000000000000001"),
            ("0.00e99", "0"),
            ("7.9228162514264337593543950335e28", "79228162514264337593543950335"),
            ("\"1e2\"", "100"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(plain), "{text}");
        }
        let long = format!("0.{}e1", "3".repeat(40));
        for text in
            [long.as_str(), "1e29", "1e-29", "7.9228162514264337593543950336e28", "1e9999999999", "\"1e\"", "\"e2\""]
        {
            assert!(read(text).is_err(), "{text}: {:?}", read(text));
        }
    }
}
