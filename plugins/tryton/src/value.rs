//! Tryton's typed JSON objects: decimals, dates and instants as `{"__class__": ...}`, quantities as JSON numbers.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::{Map, Number, Value, json};
use tradepost_sdk::types::Error;

/// Most decimal places the contract carries.
const PLACES: u32 = 9;

/// A `Decimal` object. Money stays text on both sides of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exact(pub(crate) Decimal);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Map::<String, Value>::deserialize(deserializer)?;
        let text = object.get("decimal").and_then(Value::as_str).ok_or_else(|| D::Error::custom("not a Decimal"))?;
        let value = Decimal::from_str(text).or_else(|_| Decimal::from_scientific(text));
        value.map(Exact).map_err(D::Error::custom)
    }
}

/// A `datetime` object. Tryton's have no zone and are UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Parts {
            year: i16,
            month: i8,
            day: i8,
            hour: i8,
            minute: i8,
            second: i8,
            #[serde(default)]
            microsecond: i32,
        }
        let p = Parts::deserialize(deserializer)?;
        let time = civil::DateTime::new(p.year, p.month, p.day, p.hour, p.minute, p.second, p.microsecond * 1000);
        let zoned = time.and_then(|time| time.to_zoned(TimeZone::UTC)).map_err(D::Error::custom)?;
        Ok(Self(zoned.timestamp()))
    }
}

/// A `date` object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(pub(crate) civil::Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Parts {
            year: i16,
            month: i8,
            day: i8,
        }
        let p = Parts::deserialize(deserializer)?;
        civil::Date::new(p.year, p.month, p.day).map(Day).map_err(D::Error::custom)
    }
}

/// `{"__class__": "Decimal"}` of an amount.
pub(crate) fn exact(value: Decimal) -> Value {
    json!({"__class__": "Decimal", "decimal": value.to_string()})
}

/// `{"__class__": "datetime"}` of an instant.
pub(crate) fn instant(at: Timestamp) -> Value {
    let time = at.to_zoned(TimeZone::UTC).datetime();
    json!({
        "__class__": "datetime", "year": time.year(), "month": time.month(), "day": time.day(),
        "hour": time.hour(), "minute": time.minute(), "second": time.second(),
        "microsecond": time.subsec_nanosecond() / 1000,
    })
}

/// `{"__class__": "date"}` of a day.
pub(crate) fn day(date: civil::Date) -> Value {
    json!({"__class__": "date", "year": date.year(), "month": date.month(), "day": date.day()})
}

/// A quantity, which Tryton sends as a JSON number made from a binary float. Its shortest text is read, and what is
/// beyond nine places is the float's noise.
pub(crate) fn quantity(number: &Number) -> Result<Decimal, Error> {
    let text = number.to_string();
    let value = Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text));
    let value = value.map_err(|error| Error::Bug(format!("`{text}` is not a quantity: {error}")))?;
    Ok(value.round_dp(PLACES).normalize())
}

/// A quantity as the JSON number that Tryton reads as the nearest float. Written digit by digit: no arithmetic.
pub(crate) fn number(value: Decimal) -> Result<Number, Error> {
    let value = value.normalize();
    let text = if value.scale() == 0 { format!("{value}.0") } else { value.to_string() };
    serde_json::from_str(&text).map_err(|error| Error::Bug(format!("`{text}` is not a number: {error}")))
}

/// A decimal of the contract: plain, at most nine places, no trailing zeros.
pub(crate) fn plain(value: Decimal) -> String {
    let value = value.round_dp(PLACES).normalize();
    if value.is_zero() { "0".into() } else { value.to_string() }
}

/// An amount of the contract with its decimal places kept.
pub(crate) fn amount(value: Decimal) -> String {
    value.round_dp(PLACES).to_string()
}

/// Reads a timestamp of the contract.
pub(crate) fn parse_instant(text: &str) -> Result<Timestamp, Error> {
    text.parse().map_err(|error| Error::Bug(format!("`{text}` is not a timestamp: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_from_text_with_its_places() {
        let read: Exact = serde_json::from_value(json!({"__class__": "Decimal", "decimal": "16.8000"})).unwrap();
        assert_eq!(read.0.to_string(), "16.8000");
        let read: Exact = serde_json::from_value(json!({"__class__": "Decimal", "decimal": "1E-4"})).unwrap();
        assert_eq!(read.0.to_string(), "0.0001");
        assert_eq!(exact(read.0), json!({"__class__": "Decimal", "decimal": "0.0001"}));
        assert!(serde_json::from_value::<Exact>(json!({"__class__": "Decimal", "decimal": 1.5})).is_err());
        assert!(serde_json::from_value::<Exact>(json!(1.5)).is_err());
    }

    #[test]
    fn instants_are_utc_and_keep_microseconds() {
        let object = json!({"__class__": "datetime", "year": 2026, "month": 11, "day": 22, "hour": 8, "minute": 42,
            "second": 31, "microsecond": 420469});
        let read: Instant = serde_json::from_value(object.clone()).unwrap();
        assert_eq!(read.0.to_string(), "2026-11-22T08:42:31.420469Z");
        assert_eq!(instant(read.0), object);
        let object = json!({"__class__": "date", "year": 2026, "month": 2, "day": 30});
        assert!(serde_json::from_value::<Day>(object).is_err());
    }

    #[test]
    fn quantities_pass_as_text() {
        for (sent, read) in [("100.0", "100"), ("0.30000000000000004", "0.3"), ("1e-7", "0.0000001"), ("-2.5", "-2.5")]
        {
            let sent: Number = serde_json::from_str(sent).unwrap();
            assert_eq!(quantity(&sent).unwrap().to_string(), read);
        }
        assert_eq!(number("3".parse().unwrap()).unwrap().to_string(), "3.0");
        assert_eq!(number("2.50".parse().unwrap()).unwrap().to_string(), "2.5");
        assert_eq!(plain("-0.00".parse().unwrap()), "0");
        assert_eq!(plain("100".parse().unwrap()), "100");
    }
}
