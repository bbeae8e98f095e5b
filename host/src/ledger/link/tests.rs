use super::*;
use crate::ledger::tests::{Home, platform, write};

#[tokio::test]
async fn an_object_has_one_record_and_a_slot_one_object() {
    let home = Home::new();
    let ledger = home.booted().await;
    let shop = platform(&ledger, "shop").await;
    write(&ledger, move |tx| {
        let one = tx.create_record(RecordKind::Variant, None, None)?;
        let two = tx.create_record(RecordKind::Variant, None, None)?;
        let link =
            |record, id: &str| NewLink::live(shop, RecordKind::Variant, record, RemoteRef::new(id), MadeBy::Pulled);
        let first = tx.add_link(&link(one, "7"))?;
        assert_eq!(tx.add_link(&link(one, "7"))?, first, "the same again is the same link");
        assert!(matches!(tx.add_link(&link(two, "7")), Err(LedgerError::Conflict { .. })));
        assert!(matches!(tx.add_link(&link(one, "8")), Err(LedgerError::Conflict { .. })));
        tx.unlink(first, "not the same")?;
        assert!(tx.is_never_match(shop, RecordKind::Variant, "7", one)?);
        assert_eq!(tx.add_link(&link(two, "7"))?, first);
        tx.add_link(&link(one, "8"))?;
        assert_eq!(tx.link_of(shop, RecordKind::Variant, one, MAIN)?.unwrap().remote.id, "8");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_ignored_object_can_be_imported_later() {
    let home = Home::new();
    let ledger = home.booted().await;
    let shop = platform(&ledger, "shop").await;
    write(&ledger, move |tx| {
        let ignored = NewLink {
            record: None,
            state: LinkState::Ignored,
            reason: Some("before cut-over".into()),
            ..NewLink::live(shop, RecordKind::Order, RecordId(0), RemoteRef::new("1"), MadeBy::Pulled)
        };
        let id = tx.add_link(&ignored)?;
        let order = tx.create_record(RecordKind::Order, Some(shop), None)?;
        let live = NewLink::live(shop, RecordKind::Order, order, RemoteRef::new("1"), MadeBy::Pulled);
        assert_eq!(tx.add_link(&live)?, id);
        let stored = tx.link(id)?;
        assert_eq!((stored.state, stored.record, stored.reason), (LinkState::Live, Some(order), None));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_send_forgets_what_the_platform_made_of_the_one_before() {
    let home = Home::new();
    let ledger = home.booted().await;
    let shop = platform(&ledger, "shop").await;
    write(&ledger, move |tx| {
        let record = tx.create_record(RecordKind::Product, None, None)?;
        let id =
            tx.add_link(&NewLink::live(shop, RecordKind::Product, record, RemoteRef::new("1"), MadeBy::Created))?;
        let hash = Hash::of_bytes(b"x");
        let base = LinkFacet { base_hash: Some(hash), seen_hash: Some(hash), ..LinkFacet::default() };
        tx.set_link_facets(
            id,
            &BTreeMap::from([("head".into(), base)]),
            Some(&RemoteRef { id: "1".into(), parent: None, version: Some("v2".into()) }),
        )?;
        tx.note_sent(id, &BTreeMap::from([("head".into(), (Rev(9), hash))]), 3)?;
        let stored = tx.link(id)?;
        let head = &stored.facets[&FacetKey::head()];
        assert_eq!((head.base_hash, head.seen_hash, head.sent_rev), (None, Some(hash), Some(Rev(9))));
        assert_eq!((head.rules_rev, stored.remote.version.as_deref()), (Some(3), Some("v2")));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn parts_follow_their_remote_ids() {
    let home = Home::new();
    let ledger = home.booted().await;
    let shop = platform(&ledger, "shop").await;
    write(&ledger, move |tx| {
        let record = tx.create_record(RecordKind::Product, None, None)?;
        let id =
            tx.add_link(&NewLink::live(shop, RecordKind::Product, record, RemoteRef::new("1"), MadeBy::Created))?;
        let part = |key: &str, id: &str| Part { kind: PartKind::Picture, key: key.into(), id: id.into() };
        tx.set_parts(id, &[part("a", "1"), part("b", "2")])?;
        tx.set_parts(id, &[part("c", "1"), part("b", "3")])?;
        assert_eq!(tx.parts_of(id)?, [part("b", "3"), part("c", "1")]);
        Ok(())
    })
    .await;
}
