//! How many pieces a shop may sell, and whether that figure may be sent now.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::ledger::reservation::Reservation;
use crate::model::PlatformId;
use crate::model::catalog::StockLevel;
use crate::model::description::StockFigure;
use crate::model::policy::StockRule;

/// A figure of the owner, as last read.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Warehouse, as the owner names it.
    pub warehouse: String,
    /// The figure.
    pub level: StockLevel,
    /// When the platform took it, or its pull began.
    pub as_of: Option<Timestamp>,
}

/// Which figures are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Of the owner.
    pub read: StockFigure,
    /// Of the platform that is written.
    pub written: StockFigure,
}

/// What is written to a platform, or `None` when no warehouse that counts has a figure: silence is not zero.
///
/// Sellable = whole pieces in the warehouses that count, less what orders hold that is not in that figure yet, less the
/// buffer, between the least and the greatest figure. A platform whose written figure is physical subtracts its own open
/// orders again, so they are added for it.
#[must_use]
pub fn figure(
    rule: &StockRule,
    levels: &[Level],
    open: &[Reservation],
    figures: Figures,
    target: PlatformId,
) -> Option<StockLevel> {
    let counts = |level: &&Level| rule.warehouses.is_empty() || rule.warehouses.contains(&level.warehouse);
    let counted: Vec<&Level> = levels.iter().filter(counts).collect();
    if counted.is_empty() {
        return None;
    }
    if counted.iter().any(|level| level.level.unlimited) {
        return Some(StockLevel { quantity: Decimal::ZERO, unlimited: true });
    }
    let pieces: Decimal = counted.iter().map(|level| level.level.quantity).sum();
    // The oldest figure decides: an order accepted after it may be missing from the sum.
    let as_of = counted.iter().map(|level| level.as_of).min().flatten();
    let held: Decimal = open.iter().map(|reservation| not_yet_in(reservation, figures.read, as_of)).sum();
    let mut sellable = (pieces.floor() - held - rule.buffer).floor().max(rule.min);
    if let Some(max) = rule.max {
        sellable = sellable.min(max);
    }
    let own: Decimal = match figures.written {
        StockFigure::Available => Decimal::ZERO,
        StockFigure::OnHand => open.iter().filter(|r| r.shop == target).map(unshipped).sum(),
    };
    Some(StockLevel { quantity: (sellable + own).normalize(), unlimited: false })
}

fn unshipped(reservation: &Reservation) -> Decimal {
    (reservation.quantity - reservation.shipped).max(Decimal::ZERO)
}

/// Pieces of a reservation that the owner's figure still contains.
fn not_yet_in(reservation: &Reservation, read: StockFigure, as_of: Option<Timestamp>) -> Decimal {
    match read {
        // Physical goods leave the figure when they are shipped.
        StockFigure::OnHand => unshipped(reservation),
        // The owner subtracts what it has accepted, in figures that it takes afterwards.
        StockFigure::Available => match (reservation.accepted_at, as_of) {
            (Some(accepted), Some(as_of)) if as_of > accepted => Decimal::ZERO,
            _ => reservation.quantity,
        },
    }
}

/// Whether stock may be sent to a shop: only when its orders were read less than so many seconds ago, else a sale of
/// the last minutes would be sold again.
#[must_use]
pub fn fence_open(orders_pulled_at: Option<Timestamp>, now: Timestamp, fence_seconds: u32) -> bool {
    orders_pulled_at.is_some_and(|at| now.duration_since(at).as_secs() < i64::from(fence_seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RecordId;
    use crate::sync::fake::{dec, time};

    const SHOP: PlatformId = PlatformId(1);
    const OTHER: PlatformId = PlatformId(2);

    fn level(warehouse: &str, quantity: &str) -> Level {
        Level {
            warehouse: warehouse.into(),
            level: StockLevel { quantity: dec(quantity), unlimited: false },
            as_of: Some(time("2026-11-22T10:00:00Z")),
        }
    }

    fn held(shop: PlatformId, quantity: &str, shipped: &str, accepted: Option<&str>) -> Reservation {
        Reservation {
            id: 1,
            order: RecordId(1),
            line: "1".into(),
            variant: RecordId(2),
            quantity: dec(quantity),
            shop,
            opened_at: time("2026-11-22T08:00:00Z"),
            accepted_at: accepted.map(time),
            shipped: dec(shipped),
            open: true,
        }
    }

    /// Name, rule, figures, what orders hold, what is read and written, what is sent.
    type Case =
        (&'static str, StockRule, Vec<Level>, Vec<Reservation>, (StockFigure, StockFigure), Option<&'static str>);

    #[test]
    fn sellable_by_table() {
        use StockFigure::{Available, OnHand};
        let before = Some("2026-11-22T09:00:00Z");
        let after = Some("2026-11-22T11:00:00Z");
        let rule = StockRule::default;
        let cases: Vec<Case> = vec![
            ("no figure says nothing", rule(), vec![], vec![], (Available, Available), None),
            (
                "no figure of a warehouse that counts says nothing",
                StockRule { warehouses: vec!["A".into()], ..rule() },
                vec![level("B", "5")],
                vec![],
                (Available, Available),
                None,
            ),
            (
                "all warehouses",
                rule(),
                vec![level("A", "5"), level("B", "2.9")],
                vec![],
                (Available, Available),
                Some("7"),
            ),
            (
                "some warehouses",
                StockRule { warehouses: vec!["A".into()], ..rule() },
                vec![level("A", "5"), level("B", "2")],
                vec![],
                (Available, Available),
                Some("5"),
            ),
            (
                "an order the owner does not know yet is subtracted",
                rule(),
                vec![level("A", "5")],
                vec![held(SHOP, "2", "0", None)],
                (Available, Available),
                Some("3"),
            ),
            (
                "an order accepted before the figure was taken is in it",
                rule(),
                vec![level("A", "5")],
                vec![held(SHOP, "2", "0", before)],
                (Available, Available),
                Some("5"),
            ),
            (
                "an order accepted after the figure was taken is not",
                rule(),
                vec![level("A", "5")],
                vec![held(SHOP, "2", "0", after)],
                (Available, Available),
                Some("3"),
            ),
            (
                "physical goods are held until they left",
                rule(),
                vec![level("A", "5")],
                vec![held(SHOP, "3", "1", before)],
                (OnHand, Available),
                Some("3"),
            ),
            (
                "a shop that subtracts its own orders gets them added",
                rule(),
                vec![level("A", "10")],
                vec![held(SHOP, "2", "0", before), held(OTHER, "3", "0", before)],
                (Available, OnHand),
                Some("12"),
            ),
            (
                "orders of all shops are subtracted, those of this one added again",
                rule(),
                vec![level("A", "10")],
                vec![held(SHOP, "2", "0", None), held(OTHER, "3", "0", None)],
                (Available, OnHand),
                Some("7"),
            ),
            (
                "two shops, one piece left",
                rule(),
                vec![level("A", "1")],
                vec![held(OTHER, "1", "0", None)],
                (Available, Available),
                Some("0"),
            ),
            (
                "oversold is nothing, not less",
                rule(),
                vec![level("A", "1")],
                vec![held(OTHER, "3", "0", None)],
                (Available, Available),
                Some("0"),
            ),
            (
                "buffer and greatest figure",
                StockRule { buffer: dec("2"), max: Some(dec("5")), ..rule() },
                vec![level("A", "100")],
                vec![],
                (Available, Available),
                Some("5"),
            ),
            (
                "buffer",
                StockRule { buffer: dec("2"), ..rule() },
                vec![level("A", "3")],
                vec![],
                (Available, Available),
                Some("1"),
            ),
        ];
        for (name, rule, levels, open, (read, written), expected) in cases {
            let found = figure(&rule, &levels, &open, Figures { read, written }, SHOP);
            assert_eq!(found.map(|level| level.quantity), expected.map(dec), "{name}");
        }
    }

    #[test]
    fn a_figure_without_time_contains_no_order() {
        let levels = [Level { as_of: None, ..level("A", "5") }];
        let open = [held(SHOP, "2", "0", Some("2026-11-22T09:00:00Z"))];
        let figures = Figures { read: StockFigure::Available, written: StockFigure::Available };
        let found = figure(&StockRule::default(), &levels, &open, figures, SHOP);
        assert_eq!(found.unwrap().quantity, dec("3"));
    }

    #[test]
    fn what_is_not_counted_stays_so() {
        let mut unlimited = level("A", "0");
        unlimited.level.unlimited = true;
        let figures = Figures { read: StockFigure::Available, written: StockFigure::OnHand };
        let found = figure(&StockRule::default(), &[unlimited, level("B", "1")], &[], figures, SHOP);
        assert!(found.unwrap().unlimited);
    }

    #[test]
    fn the_fence_needs_a_fresh_look_at_orders() {
        let now = time("2026-11-22T10:00:00Z");
        for (at, open) in [
            (None, false),
            (Some("2026-11-22T09:59:30Z"), true),
            (Some("2026-11-22T09:59:00Z"), false),
            (Some("2026-11-22T09:00:00Z"), false),
        ] {
            assert_eq!(fence_open(at.map(time), now, 60), open, "{at:?}");
        }
    }
}
