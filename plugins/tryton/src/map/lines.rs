//! Order lines as Tryton counts them: net, a unit price of four places, taxes on top.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use tradepost_sdk::decimal;
use tradepost_sdk::sales::{Line, LineKind, Order};
use tradepost_sdk::types::{Error, TaxBasis};

/// Decimal places of a unit price.
const PRICE_PLACES: u32 = 4;
/// Sequence of the line that takes up what rounding leaves; behind every other.
pub(crate) const ROUNDING: usize = 100_000;

/// A line of an order, net.
#[derive(Debug)]
pub(crate) struct Net<'o> {
    pub(crate) line: &'o Line,
    /// Position in the order.
    pub(crate) index: usize,
    pub(crate) quantity: Decimal,
    pub(crate) unit_price: Decimal,
    pub(crate) percent: Option<Decimal>,
}

/// The lines of an order that come to anything.
pub(crate) fn net_lines(order: &Order, places: u32) -> Result<Vec<Net<'_>>, Error> {
    let mut lines = Vec::new();
    for (index, line) in order.lines.iter().enumerate() {
        let total = decimal(&line.total)?;
        let quantity = decimal(&line.quantity)?;
        let percent = line.tax_percent.as_deref().map(decimal).transpose()?.map(|percent| percent.normalize());
        if line.kind == LineKind::Text {
            lines.push(Net { line, index, quantity, unit_price: Decimal::ZERO, percent: None });
            continue;
        }
        if quantity.is_zero() && total.is_zero() {
            continue;
        }
        let net = match (order.basis, &line.tax, percent) {
            (TaxBasis::Net, _, _) => total,
            (TaxBasis::Gross, Some(tax), _) => total - decimal(tax)?,
            (TaxBasis::Gross, None, Some(percent)) => {
                rounded(total * Decimal::ONE_HUNDRED / (Decimal::ONE_HUNDRED + percent), places)
            }
            (TaxBasis::Gross, None, None) => total,
        };
        let quantity = if quantity.is_zero() { Decimal::ONE } else { quantity };
        lines.push(Net { line, index, quantity, unit_price: rounded(net / quantity, PRICE_PLACES), percent });
    }
    Ok(lines)
}

/// What Tryton will compute: with taxes rounded once per rate, and rounded on every line. Which of the two is set in
/// its accounts.
pub(crate) fn predicted(lines: &[Net<'_>], places: u32) -> [Decimal; 2] {
    let mut bases: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    let mut net = Decimal::ZERO;
    let mut by_line = Decimal::ZERO;
    for line in lines {
        let amount = rounded(line.quantity * line.unit_price, places);
        net += amount;
        if let Some(percent) = line.percent {
            *bases.entry(percent).or_default() += amount;
            by_line += tax(amount, percent, places);
        }
    }
    let by_rate: Decimal = bases.into_iter().map(|(percent, base)| tax(base, percent, places)).sum();
    [net + by_rate, net + by_line]
}

/// How much rounding may leave: one minor unit for every line and every tax rate, never more than 0.05.
pub(crate) fn tolerance(lines: &[Net<'_>], places: u32) -> Decimal {
    let rates: std::collections::BTreeSet<Decimal> = lines.iter().filter_map(|line| line.percent).collect();
    let unit = Decimal::new(1, places);
    (unit * Decimal::from(lines.len() + rates.len())).min(Decimal::new(5, 2))
}

fn tax(base: Decimal, percent: Decimal, places: u32) -> Decimal {
    rounded(base * percent / Decimal::ONE_HUNDRED, places)
}

fn rounded(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::sample;

    fn text(value: Decimal) -> String {
        value.normalize().to_string()
    }

    #[test]
    fn a_unit_price_gives_the_lines_net_back() {
        let mut order = sample::order();
        order.lines = vec![sample::line("a", "TS-S-RED", "3", "50.39", Some("19"))];
        let lines = net_lines(&order, 2).unwrap();
        assert_eq!(text(lines[0].unit_price), "16.7967");
        assert_eq!(text(rounded(lines[0].unit_price * lines[0].quantity, 2)), "50.39");
    }

    #[test]
    fn gross_lines_lose_their_tax() {
        let mut order = sample::order();
        order.basis = TaxBasis::Gross;
        order.lines = vec![
            sample::line("a", "TS-S-RED", "3", "59.97", Some("19")),
            sample::line("b", "BOOK-1", "2", "50.00", Some("7")),
            sample::line("c", "GIFT-50", "1", "50.00", None),
        ];
        order.lines[0].tax = Some("9.58".into());
        let lines = net_lines(&order, 2).unwrap();
        let nets: Vec<String> = lines.iter().map(|line| text(rounded(line.unit_price * line.quantity, 2))).collect();
        assert_eq!(nets, ["50.39", "46.73", "50"]);
    }

    #[test]
    fn taxes_are_counted_per_rate_and_per_line() {
        let mut order = sample::order();
        order.lines = (0..3).map(|n| sample::line(&n.to_string(), "X", "1", "0.03", Some("19"))).collect();
        let lines = net_lines(&order, 2).unwrap();
        // 0.09 * 19 % = 0.0171; three times 0.0057.
        assert_eq!(predicted(&lines, 2).map(text), ["0.11", "0.12"]);
        assert_eq!(text(tolerance(&lines, 2)), "0.04");
        order.lines = (0..9).map(|n| sample::line(&n.to_string(), "X", "1", "1", Some("19"))).collect();
        assert_eq!(text(tolerance(&net_lines(&order, 2).unwrap(), 2)), "0.05");
    }

    #[test]
    fn a_line_of_nothing_is_left_out_but_keeps_its_place() {
        let mut order = sample::order();
        order.lines = vec![sample::line("a", "X", "0", "0", None), sample::line("b", "X", "1", "1", None)];
        let lines = net_lines(&order, 2).unwrap();
        assert_eq!((lines.len(), lines[0].index), (1, 1));
    }
}
