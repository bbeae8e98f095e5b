//! Amounts: decimals in the shop, texts on the wire.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value};

/// Reads an amount as WooCommerce does: blanks are dropped, a comma is a point, nonsense is no amount.
pub(crate) fn read(text: &str) -> Option<Decimal> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    text.replace(',', ".").parse().ok()
}

/// The amount in a member of an object; zero where there is none.
pub(crate) fn of(body: &Map<String, Value>, name: &str) -> Decimal {
    body.get(name).and_then(Value::as_str).and_then(read).unwrap_or_default()
}

/// Half away from zero, as a shop rounds.
pub(crate) fn round(amount: Decimal, places: u32) -> Decimal {
    amount.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

/// An amount with exactly `places` decimals.
pub(crate) fn format(amount: Decimal, places: u32) -> String {
    let mut amount = round(amount, places);
    amount.rescale(places);
    amount.to_string()
}

/// A price as a client sent it, brought into the form WooCommerce stores: a plain number or nothing.
pub(crate) fn price(text: &str) -> String {
    read(text).map(|amount| amount.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_keep_their_decimals() {
        assert_eq!(price(" 19,90 "), "19.90");
        assert_eq!(price("abc"), "");
        assert_eq!(price("7"), "7");
    }

    #[test]
    fn totals_have_two_decimals() {
        assert_eq!(format(Decimal::new(16798319, 6), 2), "16.80");
        assert_eq!(format(Decimal::new(5, 0), 2), "5.00");
        assert_eq!(format(Decimal::new(-10005, 3), 2), "-10.01");
    }
}
