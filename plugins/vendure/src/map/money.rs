//! Money: integers of minor units over there, decimal text here.

use rust_decimal::{Decimal, RoundingStrategy};
use tradepost_sdk::rejected;
use tradepost_sdk::types::Error;

/// A currency as the shop counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency {
    /// ISO 4217 code.
    pub code: String,
    decimals: u32,
}

impl Currency {
    /// A currency whose minor unit is `decimals` places after the point (Vendure's `moneyStrategyPrecision`).
    #[must_use]
    pub fn new(code: &str, decimals: u32) -> Self {
        Self { code: code.into(), decimals: decimals.min(9) }
    }

    /// Another currency, counted as finely: Vendure has one precision for all.
    #[must_use]
    pub fn of(&self, code: &str) -> Self {
        Self { code: code.into(), decimals: self.decimals }
    }

    /// An amount of minor units.
    #[must_use]
    pub fn amount(&self, minor: i64) -> Decimal {
        Decimal::new(minor, self.decimals)
    }

    /// An amount of minor units as the contract writes it.
    #[must_use]
    pub fn text(&self, minor: i64) -> String {
        self.amount(minor).to_string()
    }

    /// Minor units of an amount, half a unit away from zero, and whether that changed the amount.
    ///
    /// # Errors
    /// `bug` for text that is no decimal, `rejected` for an amount beyond 64 bits.
    pub fn minor(&self, text: &str) -> Result<(i64, bool), Error> {
        let amount = tradepost_sdk::decimal(text)?;
        let rounded = amount.round_dp_with_strategy(self.decimals, RoundingStrategy::MidpointAwayFromZero);
        let scale = Decimal::from(10_i64.pow(self.decimals));
        let minor = rounded.checked_mul(scale).and_then(|units| i64::try_from(units).ok());
        let minor = minor.ok_or_else(|| rejected("amount", format!("{text} is more than the shop can count")))?;
        Ok((minor, rounded != amount))
    }

    /// Price of one, with as many decimals as it takes that `quantity` times it rounds to `total` minor units.
    #[must_use]
    pub fn unit(&self, total: i64, quantity: i64) -> String {
        let total = self.amount(total);
        if quantity == 0 {
            return Decimal::new(0, self.decimals).to_string();
        }
        let quantity = Decimal::from(quantity);
        let exact = total / quantity;
        let fits = |places: &u32| {
            (exact.round_dp(*places) * quantity)
                .round_dp_with_strategy(self.decimals, RoundingStrategy::MidpointAwayFromZero)
                == total
        };
        let places = (self.decimals..=9).find(fits).unwrap_or(9);
        let mut unit = exact.round_dp(places);
        unit.rescale(places);
        unit.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_and_text() {
        let euro = Currency::new("EUR", 2);
        assert_eq!(euro.text(1999), "19.99");
        assert_eq!(euro.text(-5), "-0.05");
        assert_eq!(euro.text(9_007_199_254_740_991), "90071992547409.91");
        assert_eq!(euro.minor("19.990").unwrap(), (1999, false));
        assert_eq!(euro.minor("9.4605").unwrap(), (946, true));
        assert_eq!(euro.minor("0.005").unwrap(), (1, true));
        assert_eq!(euro.minor("-1").unwrap(), (-100, false));
        assert_eq!(Currency::new("JPY", 0).minor("1200").unwrap(), (1200, false));
        assert_eq!(Currency::new("EUR", 4).text(12345), "1.2345");
    }

    #[test]
    fn an_amount_that_is_no_number_is_refused() {
        let euro = Currency::new("EUR", 2);
        assert!(matches!(euro.minor("12,50"), Err(Error::Bug(_))));
        assert!(matches!(euro.minor("999999999999999999.99"), Err(Error::Rejected(_))));
    }

    #[test]
    fn price_of_one_gives_the_total_again() {
        let euro = Currency::new("EUR", 2);
        assert_eq!(euro.unit(5997, 3), "19.99");
        assert_eq!(euro.unit(5039, 3), "16.797");
        assert_eq!(euro.unit(0, 0), "0.00");
        for (total, quantity) in [(5039, 3), (100, 7), (99_999, 1001), (1, 400), (-1100, 3), (12_345_678, 99_999)] {
            let unit: Decimal = euro.unit(total, quantity).parse().unwrap();
            let product =
                (unit * Decimal::from(quantity)).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            assert_eq!(product, Decimal::new(total, 2), "{total} / {quantity}");
        }
    }
}
