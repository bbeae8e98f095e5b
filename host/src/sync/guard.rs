//! No mass mistake goes through unseen: a plan beyond the operator's bounds waits for one confirmation.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::ledger::want::WantReason;
use crate::model::policy::Guard;
use crate::model::{FacetKey, Op, RecordId};

/// What a planned write would do that could be a mistake when done often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Alarm {
    /// A price becomes 0, or moves by more than half.
    pub price: bool,
    /// A stock becomes 0.
    pub stock_zero: bool,
    /// Only a change of rules caused it.
    pub rules: bool,
}

/// One planned write, as the guard sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weighed {
    /// Record.
    pub record: RecordId,
    /// What is done.
    pub op: Op,
    /// What could be wrong with it.
    pub alarm: Alarm,
}

/// A bound that a plan goes beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// What is done too often, in words that follow a number.
    pub what: &'static str,
    /// How often.
    pub count: u32,
    /// How often it may be.
    pub limit: u32,
}

/// Bounds that the plan goes beyond; none: it may be sent.
#[must_use]
pub fn judge(guard: &Guard, plan: &[Weighed]) -> Vec<Exceeded> {
    let records = |fits: &dyn Fn(&Weighed) -> bool| {
        let records: BTreeSet<RecordId> = plan.iter().filter(|one| fits(one)).map(|one| one.record).collect();
        u32::try_from(records.len()).unwrap_or(u32::MAX)
    };
    [
        ("would be created", guard.creates, records(&|one| matches!(one.op, Op::Create | Op::CreateDone))),
        ("would be taken away", guard.deletes, records(&|one| one.op == Op::Delete)),
        ("would get a price of 0 or one that moves by more than half", guard.prices, records(&|one| one.alarm.price)),
        ("would be sold out", guard.stock_zero, records(&|one| one.alarm.stock_zero)),
        (
            "would be changed only because rules changed",
            guard.rules,
            records(&|one| one.alarm.rules && one.op == Op::Update),
        ),
    ]
    .into_iter()
    .filter(|(_, limit, count)| count > limit)
    .map(|(what, limit, count)| Exceeded { what, count, limit })
    .collect()
}

/// What could be wrong with a change of one facet. `old` is what the platform showed last.
#[must_use]
pub fn alarm(key: &FacetKey, old: Option<&Value>, new: &Value, reason: WantReason) -> Alarm {
    let number = |body: &Value, field: &str| body[field].as_str().and_then(|text| text.parse::<Decimal>().ok());
    let rules = reason == WantReason::Rules;
    match key.name() {
        "price" => {
            let new = number(new, "amount");
            let old = old.and_then(|old| number(old, "amount"));
            let price = match (old, new) {
                (_, Some(new)) if new <= Decimal::ZERO => true,
                (Some(old), Some(new)) if old > Decimal::ZERO => (new - old).abs() * Decimal::TWO > old,
                _ => false,
            };
            Alarm { price, rules, ..Alarm::default() }
        }
        "stock" => {
            let unlimited = |body: &Value| body["unlimited"] == true;
            let zero = |body: &Value| !unlimited(body) && number(body, "quantity").is_some_and(|q| q <= Decimal::ZERO);
            Alarm { stock_zero: zero(new) && !old.is_some_and(zero), rules, ..Alarm::default() }
        }
        _ => Alarm { rules, ..Alarm::default() },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(n: i64, op: Op, alarm: Alarm) -> Vec<Weighed> {
        (1..=n).map(|n| Weighed { record: RecordId(n), op, alarm }).collect()
    }

    #[test]
    fn bounds_by_table() {
        let none = Alarm::default();
        let guard = Guard { creates: 3, deletes: 2, prices: 2, stock_zero: 2, rules: 2, missing: 10 };
        for (name, plan, expected) in [
            ("nothing", vec![], None),
            ("creates within", plan(3, Op::Create, none), None),
            ("creates beyond", plan(4, Op::Create, none), Some((4, 3))),
            ("deletes beyond", plan(3, Op::Delete, none), Some((3, 2))),
            ("any number of updates", plan(900, Op::Update, none), None),
            ("prices beyond", plan(3, Op::Update, Alarm { price: true, ..none }), Some((3, 2))),
            ("stock beyond", plan(3, Op::Update, Alarm { stock_zero: true, ..none }), Some((3, 2))),
            ("rules beyond", plan(3, Op::Update, Alarm { rules: true, ..none }), Some((3, 2))),
            ("events are not rules", plan(3, Op::Apply, Alarm { rules: true, ..none }), None),
            (
                "one record many times is one",
                (0..9)
                    .map(|_| Weighed { record: RecordId(1), op: Op::Update, alarm: Alarm { price: true, ..none } })
                    .collect(),
                None,
            ),
        ] {
            let found = judge(&guard, &plan);
            assert_eq!(found.first().map(|e| (e.count, e.limit)), expected, "{name}");
            assert!(found.len() <= 1, "{name}");
        }
    }

    #[test]
    fn alarms_by_table() {
        let price = |old: Option<&str>, new: Option<&str>| {
            let body = |amount: Option<&str>| json!({"currency": "EUR", "basis": "net", "amount": amount});
            alarm(&"price:base:main".into(), old.map(|old| body(Some(old))).as_ref(), &body(new), WantReason::Data)
                .price
        };
        for (old, new, expected) in [
            (None, Some("10"), false),
            (None, Some("0"), true),
            (Some("10"), Some("0"), true),
            (Some("10"), Some("15"), false),
            (Some("10"), Some("15.01"), true),
            (Some("10"), Some("5"), false),
            (Some("10"), Some("4.99"), true),
            (Some("10"), None, false),
        ] {
            assert_eq!(price(old, new), expected, "{old:?} -> {new:?}");
        }
        let stock = |old: Option<&str>, new: &str| {
            let body = |quantity: &str| json!({"quantity": quantity});
            alarm(&"stock:main".into(), old.map(body).as_ref(), &body(new), WantReason::Rules)
        };
        assert!(stock(Some("5"), "0").stock_zero);
        assert!(!stock(Some("0"), "0").stock_zero, "it was sold out before");
        assert!(!stock(Some("0"), "5").stock_zero);
        assert!(stock(None, "0").rules);
    }
}
