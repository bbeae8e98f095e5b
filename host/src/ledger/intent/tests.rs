use std::collections::HashSet;

use super::*;
use crate::ledger::tests::{Home, platform, write};
use crate::model::{Facets, RecordKind};

fn new(platform: PlatformId, record: RecordId, key: &str) -> NewIntent {
    NewIntent {
        platform,
        kind: Kind::Product,
        lane: "product".into(),
        record,
        event: None,
        op: Op::Create,
        idem_key: key.into(),
        marker: Some(key.into()),
        body: Record {
            kind: Kind::Product,
            op: Op::Create,
            item: key.into(),
            marker: Some(key.into()),
            remote: None,
            of: None,
            keys: Vec::new(),
            facets: Facets::new(),
            variants: Vec::new(),
            parts: Vec::new(),
            updated: None,
            as_of: None,
        },
        revs: Revs { planned: Rev(1), rules: 1, facets: Sent::new(), variants: BTreeMap::new() },
        run: None,
    }
}

#[tokio::test]
async fn one_write_is_open_and_what_left_is_not_replaced() {
    let home = Home::new();
    let ledger = home.booted().await;
    let shop = platform(&ledger, "shop").await;
    write(&ledger, move |tx| {
        let now = Timestamp::UNIX_EPOCH;
        let record = tx.create_record(RecordKind::Product, None, None)?;
        let mut plan = new(shop, record, "i/1/1/g1");
        let id = tx.plan_intent(&plan)?.unwrap();
        tx.release_intents(&[id])?;
        assert_eq!(tx.plan_intent(&plan)?, Some(id), "the same plan is the same intent");
        assert!(tx.intent(id)?.released);
        plan.body.marker = None;
        assert_eq!(tx.plan_intent(&plan)?, Some(id));
        assert!(!tx.intent(id)?.released, "what was changed has to be seen again");
        tx.begin_sending(&[tx.intent(id)?], now, None)?;
        assert_eq!(tx.plan_intent(&plan)?, None, "it is on its way");
        tx.set_intent(id, IntentState::Unknown, Some("no answer"), None)?;
        assert_eq!(tx.plan_intent(&plan)?, None, "nobody knows");
        assert_eq!(tx.due_intents(shop, Kind::Product, now, 9, &HashSet::new())?, []);
        tx.set_intent(id, IntentState::Planned, None, None)?;
        let due = tx.due_intents(shop, Kind::Product, now, 9, &HashSet::new())?;
        assert_eq!((due.len(), due[0].uncertain, due[0].attempts), (1, true, 1));
        tx.set_intent(id, IntentState::Refused, Some("bad"), None)?;
        assert_eq!(tx.plan_intent(&plan)?, Some(id), "a refused write is taken up again under its key");
        tx.set_intent(id, IntentState::Done, None, None)?;
        assert!(matches!(tx.plan_intent(&plan), Err(LedgerError::Conflict { .. })), "what was done is done");
        assert_eq!(tx.creates_done(shop, record)?, 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_new_boot_knows_nothing_of_what_was_being_sent() {
    let home = Home::new();
    let ledger = home.booted().await;
    let shop = platform(&ledger, "shop").await;
    write(&ledger, move |tx| {
        let record = tx.create_record(RecordKind::Product, None, None)?;
        let id = tx.plan_intent(&new(shop, record, "k"))?.unwrap();
        tx.begin_sending(&[tx.intent(id)?], Timestamp::UNIX_EPOCH, None)?;
        let part = |key: &str, id: &str| Part { kind: crate::model::PartKind::Variant, key: key.into(), id: id.into() };
        tx.note_object(id, &RemoteRef::new("p1"), &[part("a", "1")])?;
        tx.note_object(id, &RemoteRef::new("p1"), &[part("a", "2"), part("b", "3")])?;
        assert_eq!(tx.lose_sends()?, 0, "this boot is sending it");
        tx.begin_boot("here")?;
        assert_eq!(tx.lose_sends()?, 1);
        let lost = tx.intent(id)?;
        assert_eq!((lost.state, lost.uncertain), (IntentState::Unknown, true));
        assert_eq!(lost.remote_id.as_deref(), Some("p1"));
        assert_eq!(lost.parts, [part("a", "2"), part("b", "3")]);
        assert_eq!(tx.open_create_of(shop, Kind::Product, "p1")?.map(|found| found.id), Some(id));
        assert_eq!(tx.creates_by_marker(shop, "k")?.len(), 1);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn only_what_is_still_planned_may_leave_and_as_it_is_now() {
    use crate::ledger::event::EventName;
    let home = Home::new();
    let ledger = home.booted().await;
    let (shop, erp) = (platform(&ledger, "shop").await, platform(&ledger, "erp").await);
    write(&ledger, move |tx| {
        let now = Timestamp::UNIX_EPOCH;
        let mut chosen = Vec::new();
        for n in 1..=3 {
            let order = tx.create_record(RecordKind::Order, Some(shop), None)?;
            let event = tx.add_event(order, EventName::Placed, "", &Facets::new(), shop, None)?.unwrap();
            tx.deliver(event, erp, order)?;
            let key = format!("i/2/{n}/g1");
            let plan =
                NewIntent { kind: Kind::Order, lane: "order".into(), event: Some(event), ..new(erp, order, &key) };
            let id = tx.plan_intent(&plan)?.unwrap();
            chosen.push((tx.intent(id)?, event, plan));
        }
        // A pull reads the cancellation of the first between the choice and the sending; the second is planned anew.
        assert!(tx.withdraw_delivery(chosen[0].1, erp, "cancelled")?);
        chosen[1].2.body.marker = Some("newer".into());
        tx.plan_intent(&chosen[1].2)?.unwrap();
        let intents: Vec<Intent> = chosen.into_iter().map(|(intent, ..)| intent).collect();
        let leaving = tx.begin_sending(&intents, now, None)?;
        assert_eq!(leaving.iter().map(|i| i.id).collect::<Vec<_>>(), [intents[1].id, intents[2].id]);
        assert_eq!(leaving[0].body.marker.as_deref(), Some("newer"));
        assert_eq!(tx.intent(intents[0].id)?.state, IntentState::Cancelled);
        assert_eq!(tx.begin_sending(&intents, now, None)?, [], "what is on its way does not leave twice");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_was_once_unknown_is_not_taken_back() {
    use crate::ledger::event::EventName;
    let home = Home::new();
    let ledger = home.booted().await;
    let (shop, erp) = (platform(&ledger, "shop").await, platform(&ledger, "erp").await);
    write(&ledger, move |tx| {
        let order = tx.create_record(RecordKind::Order, Some(shop), None)?;
        let event = tx.add_event(order, EventName::Placed, "", &Facets::new(), shop, None)?.unwrap();
        tx.deliver(event, erp, order)?;
        let plan =
            NewIntent { kind: Kind::Order, lane: "order".into(), event: Some(event), ..new(erp, order, "i/2/1/g1") };
        let id = tx.plan_intent(&plan)?.unwrap();
        tx.begin_sending(&[tx.intent(id)?], Timestamp::UNIX_EPOCH, None)?;
        tx.set_intent(id, IntentState::Unknown, Some("no answer"), None)?;
        // To be sent again under its key, which the platform takes only once.
        tx.set_intent(id, IntentState::Planned, None, None)?;
        assert!(!tx.withdraw_delivery(event, erp, "cancelled")?, "it may be there: its cancellation has to follow");
        assert_eq!(tx.intent(id)?.state, IntentState::Planned);
        Ok(())
    })
    .await;
}
