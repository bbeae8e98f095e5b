//! Whether the parts of an order add up to what the buyer pays.

use rust_decimal::Decimal;

use crate::model::catalog::TaxBasis;
use crate::model::sales::{LineKind, Placed};

/// What is wrong with the totals, in words; `None`: they add up. Rounding may cost one minor unit per line and tax, never
/// more than 0.05.
pub(super) fn mismatch(placed: &Placed) -> Option<String> {
    let counted = placed.lines.iter().filter(|line| line.kind != LineKind::Text);
    let lines: Decimal = counted.clone().map(|line| line.total).sum();
    let taxes: Decimal = match placed.basis {
        TaxBasis::Gross => Decimal::ZERO,
        TaxBasis::Net => placed.taxes.iter().map(|tax| tax.amount).sum(),
    };
    let steps = Decimal::from(counted.count() + placed.taxes.len());
    let allowed = (steps * Decimal::new(1, 2)).min(Decimal::new(5, 2));
    let off = lines + taxes - placed.total;
    (off.abs() > allowed).then(|| {
        let with = if placed.basis == TaxBasis::Net { format!(" and the taxes to {taxes}") } else { String::new() };
        format!(
            "the lines add up to {lines}{with}, but the total is {} {}: {} is unexplained",
            placed.total,
            placed.currency,
            off.normalize()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::fake::{FakePlatform, dec, key, time};

    fn order(basis: TaxBasis, lines: &[&str], tax: &str, total: &str) -> Placed {
        let shop = FakePlatform::shop(std::sync::Arc::new(crate::sync::clock::StandingClock::at(time(
            "2026-11-22T10:00:00Z",
        ))));
        let mut world = shop.world();
        let id = world.place_order("1", "a@b.c", &[("A", "1", "1.00")]);
        let body = world.orders("1")[0].facets[&key("placed")].clone();
        assert!(!id.is_empty());
        let mut placed: Placed = serde_json::from_value(body).unwrap();
        let line = placed.lines[0].clone();
        placed.lines =
            lines.iter().map(|total| crate::model::sales::Line { total: dec(total), ..line.clone() }).collect();
        placed.basis = basis;
        placed.taxes[0].amount = dec(tax);
        placed.total = dec(total);
        placed
    }

    #[test]
    fn parts_add_up_to_the_total() {
        for (basis, lines, tax, total, fits) in [
            (TaxBasis::Gross, &["119.00"][..], "19.00", "119.00", true),
            (TaxBasis::Net, &["100.00"][..], "19.00", "119.00", true),
            (TaxBasis::Net, &["100.00"][..], "19.00", "100.00", false),
            (TaxBasis::Gross, &["10.00", "-2.50"][..], "1.20", "7.50", true),
            (TaxBasis::Gross, &["10.00"][..], "1.60", "10.02", true),
            (TaxBasis::Gross, &["10.00"][..], "1.60", "10.03", false),
            (TaxBasis::Gross, &["1", "1", "1", "1", "1", "1", "1", "1"][..], "1", "8.06", false),
        ] {
            let placed = order(basis, lines, tax, total);
            assert_eq!(mismatch(&placed).is_none(), fits, "{basis:?} {lines:?} {tax} {total}");
        }
    }
}
