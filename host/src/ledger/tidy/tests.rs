use serde_json::json;

use super::*;
use crate::ledger::attention::NewAttention;
use crate::ledger::event::EventName;
use crate::ledger::intent::{IntentState, NewIntent, Revs, Sent};
use crate::ledger::record::{FacetChange, FacetRule};
use crate::ledger::run::{Cause, Direction, NewRun, RunItem, RunState, What};
use crate::ledger::tests::{Home, platform, write};
use crate::model::{Facets, Kind, Op, PlatformId, Record, RecordId, RecordKind, Rev, RunId};

/// Everything that exists is old from here.
fn later() -> Timestamp {
    Timestamp::now().checked_add(SignedDuration::from_hours(24)).unwrap()
}

/// Removes what is old of a kind, three rows at a time.
fn tidy(tx: &Tx<'_>, old: Old, before: Timestamp) -> Result<u32, LedgerError> {
    let mut removed = 0;
    let mut after = Some(i64::MIN);
    while let Some(from) = after {
        let (ids, next) = tx.old(old, before, from, 3)?;
        after = next;
        for id in ids {
            loop {
                let gone = tx.remove_old(old, before, &[id], 3)?;
                removed += gone;
                if old != Old::Lines || gone < 3 {
                    break;
                }
            }
        }
    }
    Ok(removed)
}

fn count(tx: &Tx<'_>, table: &str) -> Result<i64, LedgerError> {
    Ok(tx.connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?)
}

fn update(platform: PlatformId, record: RecordId, key: &str, op: Op) -> NewIntent {
    NewIntent {
        platform,
        kind: Kind::Product,
        lane: "product".into(),
        record,
        event: None,
        op,
        idem_key: key.into(),
        marker: None,
        body: Record {
            kind: Kind::Product,
            op,
            item: key.into(),
            marker: None,
            remote: None,
            of: None,
            keys: Vec::new(),
            facets: Facets::new(),
            variants: Vec::new(),
            parts: Vec::new(),
            updated: None,
            as_of: None,
        },
        revs: Revs { planned: Rev(1), rules: 1, facets: Sent::new(), variants: Default::default() },
        run: None,
    }
}

#[test]
fn days_are_counted_back_and_none_is_for_ever() {
    let now = "2026-05-10T12:00:00Z".parse().unwrap();
    let retention = Retention { runs_days: 10, lines_days: 0, ..Retention::default() };
    assert_eq!(retention.before(Old::Runs, now).unwrap().to_string(), "2026-04-30T12:00:00Z");
    assert_eq!(retention.before(Old::Lines, now), None);
    let ages = Retention { runs_days: u32::MAX, ..Retention::default() };
    assert_eq!(ages.before(Old::Runs, now), Some(Timestamp::UNIX_EPOCH), "older than anything");
}

#[tokio::test]
async fn runs_go_with_their_lines_and_what_is_open_or_last_stays() {
    let home = Home::new();
    let ledger = home.booted().await;
    let shop = platform(&ledger, "shop").await;
    write(&ledger, move |tx| {
        let run = |state: Option<RunState>| -> Result<RunId, LedgerError> {
            let id = tx.queue_run(&NewRun {
                action: None,
                platform: shop,
                direction: Direction::Pull,
                kind: Kind::Order,
                cause: Cause::Manual,
                preview: false,
            })?;
            let line =
                |n: i32| RunItem { record: None, remote: Some(n.to_string()), what: What::Created, detail: None };
            tx.write_run_lines(id, &(0..8).map(line).collect::<Vec<_>>())?;
            if let Some(state) = state {
                tx.set_run(id, state, None, None)?;
            }
            Ok(id)
        };
        let (done, failed, held) =
            (run(Some(RunState::Done))?, run(Some(RunState::Failed))?, run(Some(RunState::Held))?);
        let last = run(Some(RunState::Done))?;
        let action = tx.add_action(&crate::ledger::action::NewAction {
            platform: shop,
            direction: Direction::Pull,
            kind: Kind::Order,
            start_mode: crate::ledger::action::StartMode::Manual,
            schedule: None,
        })?;
        tx.note_action_run(action.id, last, None)?;
        // Nothing is old yet.
        let earlier = Timestamp::now().checked_sub(SignedDuration::from_hours(1)).unwrap();
        assert_eq!(tidy(tx, Old::Lines, earlier)? + tidy(tx, Old::Runs, earlier)?, 0);
        // A run whose lines are kept stays too.
        assert_eq!(tidy(tx, Old::Runs, later())?, 0);
        assert_eq!(tidy(tx, Old::Lines, later())?, 24);
        assert_eq!(tx.run_lines(held, 0, 99)?.len(), 8);
        assert_eq!(tidy(tx, Old::Runs, later())?, 2);
        assert!(tx.run(done).is_err() && tx.run(failed).is_err());
        assert!(tx.run(held).is_ok() && tx.run(last).is_ok());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn former_values_go_and_the_current_one_with_its_author_stays() {
    let home = Home::new();
    let ledger = home.booted().await;
    let erp = platform(&ledger, "erp").await;
    write(&ledger, move |tx| {
        let record = tx.create_record(RecordKind::Variant, Some(erp), None)?;
        let other = tx.create_record(RecordKind::Variant, Some(erp), None)?;
        for n in 0..5 {
            let stock =
                FacetChange { key: "stock:WH".into(), body: Some(json!({"quantity": n.to_string()})), as_of: None };
            let head = FacetChange { key: "head".into(), body: Some(json!({"sku": "A"})), as_of: None };
            tx.write_facets(record, vec![head, stock.clone()], Some(erp), FacetRule::Owner, None)?;
            tx.write_facets(other, vec![stock], Some(erp), FacetRule::Owner, None)?;
        }
        assert_eq!(tidy(tx, Old::History, later())?, 8);
        for id in [record, other] {
            let left = tx.facet_history(id)?;
            let lines: Vec<_> = left.iter().map(|line| (line.key.as_str(), line.body.clone(), line.from)).collect();
            assert_eq!(lines, [("stock:WH", Some(json!({"quantity": "4"})), Some(erp))]);
        }
        assert_eq!(tx.record(record)?.facets[&"stock:WH".into()].body, json!({"quantity": "4"}));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_decides_about_doubles_is_never_removed() {
    let home = Home::new();
    let ledger = home.booted().await;
    let shop = platform(&ledger, "shop").await;
    write(&ledger, move |tx| {
        let record = tx.create_record(RecordKind::Product, None, None)?;
        let write = |key: &str, op, state| -> Result<(), LedgerError> {
            let id = tx.plan_intent(&update(shop, record, key, op))?.expect("the one before has ended");
            tx.set_intent(id, state, None, None)
        };
        write("g1", Op::Create, IntentState::Done)?;
        for n in 0..3 {
            write(&format!("u{n}"), Op::Update, IntentState::Done)?;
        }
        write("refused", Op::Update, IntentState::Refused)?;
        write("late", Op::Update, IntentState::Done)?;
        write("unknown", Op::Update, IntentState::Unknown)?;
        let order = tx.create_record(RecordKind::Order, Some(shop), None)?;
        let event = tx.add_event(order, EventName::Placed, "", &Facets::new(), shop, None)?.unwrap();
        tx.deliver(event, shop, order)?;
        let sent = NewIntent { event: Some(event), lane: "order".into(), ..update(shop, order, "e1", Op::Apply) };
        let sent = tx.plan_intent(&sent)?.unwrap();
        tx.set_intent(sent, IntentState::Done, None, None)?;
        tx.hold(shop, Kind::Order, Some("9"), "{}", "why", None)?;
        let tables = ["link", "record_key", "event", "delivery", "inbox", "never_match", "want", "record"];
        let before: Vec<i64> = tables.iter().map(|table| count(tx, table)).collect::<Result<_, _>>()?;

        assert_eq!(tidy(tx, Old::Writes, later())?, 3, "the three updates that another one followed");
        for old in Old::ALL {
            tidy(tx, old, later())?;
        }
        for key in ["g1", "refused", "late", "unknown", "e1"] {
            assert!(tx.intent_by_key(shop, key)?.is_some(), "{key} stays");
        }
        assert_eq!(tx.last_done(shop, record, "product")?.unwrap().idem_key, "late");
        assert_eq!(tx.creates_done(shop, record)?, 1);
        let after: Vec<i64> = tables.iter().map(|table| count(tx, table)).collect::<Result<_, _>>()?;
        assert_eq!(after, before);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn open_questions_stay_and_closed_ones_go() {
    let home = Home::new();
    let ledger = home.booted().await;
    write(&ledger, |tx| {
        for cause in ["a", "b"] {
            tx.attend(&NewAttention { cause_key: cause.into(), ..NewAttention::default() }, None)?;
        }
        tx.solve_attention("a")?;
        tx.audit("operator", "x", &json!({}))?;
        assert_eq!((tidy(tx, Old::Attention, later())?, tidy(tx, Old::Audit, later())?), (1, 1));
        assert!(tx.open_attention("b")?.is_some());
        Ok(())
    })
    .await;
}
