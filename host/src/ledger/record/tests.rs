use serde_json::json;

use super::*;
use crate::ledger::link::{LinkState, MadeBy, NewLink};
use crate::ledger::tests::{Home, platform, read, write};
use crate::model::RemoteRef;

fn change(key: &str, body: Option<Value>) -> FacetChange {
    FacetChange { key: key.into(), body, as_of: None }
}

#[tokio::test]
async fn only_what_differs_is_written() {
    let home = Home::new();
    let ledger = home.booted().await;
    let erp = platform(&ledger, "erp").await;
    let record = write(&ledger, move |tx| {
        let record = tx.create_record(RecordKind::Variant, Some(erp), None)?;
        let head = change("head", Some(json!({"sku": "A", "active": true})));
        let stock = change("stock:WH", Some(json!({"quantity": "5"})));
        let changed = tx.write_facets(record, vec![head.clone(), stock.clone()], Some(erp), FacetRule::Owner, None)?;
        assert_eq!(changed.len(), 2);
        assert!(changed[0].rev < changed[1].rev);
        // The same again, with its keys in another order: nothing changed. A newer reading is kept as such.
        let head = change("head", Some(json!({"active": true, "sku": "A"})));
        let at = Timestamp::from_second(1_000).unwrap();
        let stock = FacetChange { as_of: Some(at), ..stock };
        assert_eq!(tx.write_facets(record, vec![head, stock], Some(erp), FacetRule::Owner, None)?, []);
        assert_eq!(tx.record(record)?.facets[&"stock:WH".into()].as_of, Some(at));
        let gone = tx.write_facets(record, vec![change("stock:WH", None)], Some(erp), FacetRule::Owner, None)?;
        assert_eq!(gone[0].old, Some(json!({"quantity": "5"})));
        Ok(record)
    })
    .await;
    let stored = read(&ledger, move |view| view.record(record)).await;
    assert_eq!(stored.facets.keys().map(FacetKey::as_str).collect::<Vec<_>>(), ["head"]);
    let history = read(&ledger, move |view| view.facet_history(record)).await;
    let lines: Vec<_> = history.iter().map(|line| (line.key.as_str(), line.body.is_some())).collect();
    assert_eq!(lines, [("head", true), ("stock:WH", true), ("stock:WH", false)]);
}

#[tokio::test]
async fn history_tells_what_each_facet_became_also_of_what_was_merged() {
    let home = Home::new();
    let ledger = home.booted().await;
    let erp = platform(&ledger, "erp").await;
    let body = |n: u32| Some(json!({ "n": n }));
    let (kept, lost) = write(&ledger, move |tx| {
        let (kept, lost) = (
            tx.create_record(RecordKind::Customer, Some(erp), None)?,
            tx.create_record(RecordKind::Customer, Some(erp), None)?,
        );
        let set = |record, changes| tx.write_facets(record, changes, Some(erp), FacetRule::Owner, None);
        set(kept, vec![change("head", body(1)), change("addresses", body(10))])?;
        set(lost, vec![change("head", body(2))])?;
        set(kept, vec![change("head", body(3))])?;
        set(lost, vec![change("head", None)])?;
        set(kept, vec![change("head", body(4)), change("addresses", None)])?;
        set(lost, vec![change("head", body(5))])?;
        Ok((kept, lost))
    })
    .await;
    let told = async |record| {
        let history = read(&ledger, move |view| view.facet_history(record)).await;
        let line =
            |line: &FacetHistory| (line.key.as_str().to_owned(), line.body.as_ref().map(|body| body["n"].clone()));
        history.iter().map(line).collect::<Vec<_>>()
    };
    let head = |n: u32| ("head".to_owned(), Some(json!(n)));
    let addresses = ("addresses".to_owned(), Some(json!(10)));
    let gone = |key: &str| (key.to_owned(), None);
    assert_eq!(told(kept).await, [head(1), addresses.clone(), head(3), head(4), gone("addresses")]);
    assert_eq!(told(lost).await, [head(2), gone("head"), head(5)]);
    write(&ledger, move |tx| tx.merge_records(kept, lost, None).map(drop)).await;
    let both = [head(1), addresses, head(2), head(3), gone("head"), head(4), gone("addresses"), head(5)];
    assert_eq!(told(kept).await, both);
}

#[tokio::test]
async fn keys_find_active_records_only() {
    let home = Home::new();
    let ledger = home.booted().await;
    let sku = |value: &str| Key { kind: KeyType::Sku, value: value.into() };
    write(&ledger, move |tx| {
        let one = tx.create_record(RecordKind::Variant, None, None)?;
        let two = tx.create_record(RecordKind::Variant, None, None)?;
        tx.add_keys(one, RecordKind::Variant, &[sku("A"), sku("")])?;
        tx.add_keys(two, RecordKind::Variant, &[sku("A")])?;
        assert_eq!(tx.records_by_key(RecordKind::Variant, &sku("A"))?, [one, two]);
        assert_eq!(tx.records_by_key(RecordKind::Product, &sku("A"))?, []);
        assert_eq!(tx.records_by_key(RecordKind::Variant, &sku(""))?, []);
        tx.replace_keys(two, RecordKind::Variant, &[sku("B")])?;
        assert_eq!(tx.records_by_key(RecordKind::Variant, &sku("A"))?, [one]);
        tx.mark_deleted(one)?;
        assert_eq!(tx.records_by_key(RecordKind::Variant, &sku("A"))?, []);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_merge_moves_everything_and_names_collisions() {
    let home = Home::new();
    let ledger = home.booted().await;
    let (shop, erp) = (platform(&ledger, "shop").await, platform(&ledger, "erp").await);
    write(&ledger, move |tx| {
        let kept = tx.create_record(RecordKind::Customer, Some(shop), None)?;
        let lost = tx.create_record(RecordKind::Customer, Some(erp), None)?;
        let link = |platform, record, id: &str| {
            tx.add_link(&NewLink {
                platform,
                kind: RecordKind::Customer,
                record: Some(record),
                slot: "main".into(),
                remote: RemoteRef::new(id),
                state: LinkState::Live,
                reason: None,
                made_by: MadeBy::Pulled,
                run: None,
            })
        };
        link(shop, kept, "s1")?;
        link(shop, lost, "s2")?;
        link(erp, lost, "e2")?;
        tx.write_facets(lost, vec![change("head", Some(json!({"guest": false})))], None, FacetRule::Owner, None)?;
        let colliding = tx.merge_records(kept, lost, None)?;
        assert_eq!(colliding.len(), 1);
        let links = tx.links_of(kept)?;
        assert_eq!(links.iter().map(|link| link.slot.as_str()).collect::<Vec<_>>(), ["main", "merged:s2", "main"]);
        assert!(tx.record(kept)?.facets.contains_key(&FacetKey::head()));
        let lost = tx.record(lost)?;
        assert_eq!((lost.state, lost.merged_into), (RecordState::Merged, Some(kept)));
        assert!(matches!(tx.merge_records(kept, kept, None), Err(LedgerError::Conflict { .. })));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_restored_ledger_never_gives_a_number_again() {
    let home = Home::new();
    let ledger = home.booted().await;
    write(&ledger, |tx| {
        let make = || tx.create_record(RecordKind::Order, None, None);
        assert_eq!((make()?, make()?), (RecordId(1), RecordId(2)));
        tx.enter_safe_mode("restored")?;
        let first = make()?;
        assert!(first.0 > 4_294_967_296);
        tx.leave_safe_mode("here")?;
        assert_eq!(make()?, RecordId(first.0 + 1));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_a_record_began_with_is_told_from_the_record() {
    let home = Home::new();
    let ledger = home.booted().await;
    let (shop, erp) = (platform(&ledger, "shop").await, platform(&ledger, "erp").await);
    let (head, media) = (FacetKey::head(), FacetKey::from("media"));
    let id = write(&ledger, move |tx| {
        let bodies = [json!({"n": 1}), json!([])].map(|body| crate::model::Canonical::of(&body));
        let facet = |(key, body)| NewFacet { key, body, as_of: None };
        let facets = [(&head, &bodies[0]), (&media, &bodies[1])].map(facet).into();
        let new = NewRecord { kind: RecordKind::Product, origin: Some(shop), product: None, facets, run: None };
        let (id, begun) = tx.insert_record(&new)?;
        assert_eq!(begun.iter().map(|change| change.key.as_str()).collect::<Vec<_>>(), ["head", "media"]);
        let stored = tx.record(id)?;
        assert_eq!(stored.facets[&head].body, json!({"n": 1}));
        assert_eq!((stored.facets[&head].hash, stored.rev), (bodies[0].hash, begun[1].rev));
        // As if nobody had known that it was new.
        let again = vec![change("head", Some(json!({"n": 1}))), change("media", Some(json!([])))];
        assert_eq!(tx.write_facets(id, again, Some(shop), FacetRule::Owner, None)?, []);
        tx.write_facets(id, vec![change("media", None)], Some(erp), FacetRule::Owner, None)?;
        for n in [2, 3] {
            tx.write_facets(id, vec![change("head", Some(json!({ "n": n })))], Some(erp), FacetRule::Adopt, None)?;
        }
        Ok(id)
    })
    .await;
    let told = read(&ledger, move |view| view.facet_history(id)).await;
    let lines: Vec<_> = told.iter().map(|line| (line.key.as_str(), line.body.clone(), line.from, line.rule)).collect();
    assert_eq!(
        lines,
        [
            ("head", Some(json!({"n": 1})), Some(shop), FacetRule::First),
            ("media", Some(json!([])), Some(shop), FacetRule::First),
            ("media", None, Some(erp), FacetRule::Owner),
            ("head", Some(json!({"n": 2})), Some(erp), FacetRule::Adopt),
            ("head", Some(json!({"n": 3})), Some(erp), FacetRule::Adopt),
        ]
    );
    // Where older lines went, what is left of the past is not taken for the beginning.
    write(&ledger, move |tx| {
        tx.connection.execute("DELETE FROM facet_history WHERE id < (SELECT max(id) FROM facet_history)", [])?;
        Ok(())
    })
    .await;
    let told = read(&ledger, move |view| view.facet_history(id)).await;
    assert_eq!(told.iter().map(|line| line.body.clone()).collect::<Vec<_>>(), [Some(json!({"n": 3}))]);
}
