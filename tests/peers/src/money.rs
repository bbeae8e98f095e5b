//! The arithmetic the scenario expects of both servers, worked out apart from the host's.

use anyhow::{Context, Result};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

/// Gross price in whole cents of a net price under a tax rate in percent, halves away from zero.
#[must_use]
pub fn gross(net: Decimal, percent: Decimal) -> Decimal {
    let factor = Decimal::ONE + percent / Decimal::ONE_HUNDRED;
    (net * factor).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// Vendure's money: whole minor units.
pub fn minor_units(value: &Value) -> Result<Decimal> {
    let units = value.as_i64().with_context(|| format!("expected minor units, found {value}"))?;
    Ok(Decimal::new(units, 2))
}

/// Tryton's typed decimal, `{"__class__":"Decimal","decimal":"16.80"}`.
pub fn typed_decimal(value: &Value) -> Result<Decimal> {
    let text = value["decimal"].as_str().with_context(|| format!("expected a typed decimal, found {value}"))?;
    text.parse().with_context(|| format!("`{text}` is no decimal"))
}

/// Same as `value` for Tryton's wire.
#[must_use]
pub fn to_typed(value: Decimal) -> Value {
    serde_json::json!({ "__class__": "Decimal", "decimal": value.to_string() })
}

/// What a shop may sell of an ERP's figure: whole pieces, never below nothing.
#[must_use]
pub fn sellable(figure: Decimal) -> Decimal {
    figure.floor().max(Decimal::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn net_prices_become_the_shops_gross_prices() {
        for (net, percent, expected) in [
            ("16.80", "19", "19.99"),
            ("7.06", "19", "8.40"),
            ("23.36", "7", "25.00"),
            ("3.95", "19", "4.70"),
            ("0", "19", "0.00"),
            ("10.50", "0", "10.50"),
        ] {
            assert_eq!(gross(d(net), d(percent)), d(expected), "{net} + {percent} %");
        }
    }

    #[test]
    fn halves_are_rounded_up() {
        assert_eq!(gross(d("0.50"), d("19")), d("0.60"));
        assert_eq!(gross(d("1.50"), d("7")), d("1.61"));
    }

    #[test]
    fn both_wire_forms_are_read_without_a_float() {
        assert_eq!(minor_units(&serde_json::json!(1999)).unwrap(), d("19.99"));
        assert!(minor_units(&serde_json::json!(19.99)).is_err());
        assert_eq!(typed_decimal(&to_typed(d("16.8000"))).unwrap(), d("16.8"));
        assert!(typed_decimal(&serde_json::json!(16.8)).is_err());
        assert!(typed_decimal(&Value::Null).is_err());
    }

    #[test]
    fn stock_that_can_be_sold_is_whole_and_not_negative() {
        assert_eq!(sellable(d("97.9")), d("97"));
        assert_eq!(sellable(d("-3")), d("0"));
    }
}
