//! Products, variants, figures: identity, ownership, drift, deletion.

use serde_json::json;

use super::*;
use crate::ledger::link::{LinkState, MadeBy};
use crate::ledger::record::RecordState;
use crate::model::Hash;
use crate::model::policy::{Drift, DriftRule};
use crate::sync::answers;

#[tokio::test]
async fn the_second_pull_of_the_same_changes_nothing() {
    let (bench, ledger) = Bench::new().await;
    for n in 0..5 {
        bench.erp.world().add_product(&format!("P{n}"), &[&format!("P{n}-a"), &format!("P{n}-b")]);
        bench.erp.world().set_stock(&format!("P{n}-a"), "main", "5");
        bench.erp.world().set_price(&format!("P{n}-a"), "10.00");
    }
    for kind in [Kind::Product, Kind::Stock, Kind::Price] {
        assert_eq!(bench.pull(&ledger, bench.erp_id, kind).await, End::new(RunState::Done), "{kind}");
    }
    let (products, variants) =
        (records(&ledger, RecordKind::Product).await, records(&ledger, RecordKind::Variant).await);
    assert_eq!((products.len(), variants.len()), (5, 10));
    assert!(variants.iter().all(|variant| variant.product.is_some()));
    assert_eq!(
        variants[0].facets.keys().map(FacetKey::as_str).collect::<Vec<_>>(),
        ["head", "price:base:main", "stock:main"]
    );
    let wanted = wants(&ledger, bench.shop_id).await;
    assert!(wanted.contains(&("product".into(), products[0].id.0, "grouping".into())));
    assert!(wanted.contains(&("stock".into(), variants[0].id.0, "stock:main".into())));
    assert_eq!(wants(&ledger, bench.erp_id).await, [], "nothing goes back to where it came from");
    for kind in [Kind::Product, Kind::Stock, Kind::Price] {
        let again = bench.try_pull(&ledger, bench.erp_id, kind, Mode::Full).await.unwrap();
        assert_eq!(again, End::new(RunState::Done));
    }
    assert_eq!(records(&ledger, RecordKind::Product).await, products);
    let revs = |records: &[StoredRecord]| records.iter().map(|record| record.rev).collect::<Vec<_>>();
    assert_eq!(revs(&records(&ledger, RecordKind::Variant).await), revs(&variants));
    assert_eq!(wants(&ledger, bench.shop_id).await, wanted);
}

#[tokio::test]
async fn both_sides_are_matched_by_sku() {
    let (bench, ledger) = Bench::new().await;
    bench.erp.world().add_product("Shirt", &["S", "M"]);
    let shirt = bench.shop.world().add_product("Shirt", &["S", "M"]);
    let own = bench.shop.world().add_product("Voucher", &["V"]);
    bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    bench.pull(&ledger, bench.shop_id, Kind::Product).await;
    assert_eq!(records(&ledger, RecordKind::Product).await.len(), 1);
    assert_eq!(records(&ledger, RecordKind::Variant).await.len(), 2);
    let matched = link(&ledger, bench.shop_id, RecordKind::Product, &shirt).await.unwrap();
    assert_eq!((matched.state, matched.made_by), (LinkState::Live, MadeBy::Matched));
    let ignored = link(&ledger, bench.shop_id, RecordKind::Product, &own).await.unwrap();
    assert_eq!((ignored.state, ignored.record), (LinkState::Ignored, None));
    // The shop hears the owner's values of what was matched; the ERP does not hear the shop's.
    assert!(wants(&ledger, bench.shop_id).await.contains(&(
        "product".into(),
        matched.record.unwrap().0,
        String::new()
    )));
    assert_eq!(wants(&ledger, bench.erp_id).await, []);
    // Now the shop may make products: what was ignored comes in with the next change.
    bench.change_policy(&ledger, bench.shop_id, |policy| policy.creates.push(RecordKind::Product)).await;
    bench.try_pull(&ledger, bench.shop_id, Kind::Product, Mode::Full).await.unwrap();
    assert_eq!(records(&ledger, RecordKind::Product).await.len(), 2);
}

#[tokio::test]
async fn the_same_sku_twice_is_held_and_a_person_says() {
    let (bench, ledger) = Bench::new().await;
    bench.erp.world().add_product("Shirt", &["S"]);
    let first = bench.shop.world().add_product("Shirt", &["S"]);
    bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    bench.pull(&ledger, bench.shop_id, Kind::Product).await;
    let second = bench.shop.world().add_product("Copy of shirt", &["S"]);
    let end = bench.pull(&ledger, bench.shop_id, Kind::Product).await;
    assert_eq!(end.state, RunState::DoneWithIssues);
    assert!(link(&ledger, bench.shop_id, RecordKind::Product, &second).await.is_none());
    let kept = link(&ledger, bench.shop_id, RecordKind::Product, &first).await.unwrap();
    assert_eq!(kept.state, LinkState::Live);
    // It is asked once, however often it is read.
    bench.try_pull(&ledger, bench.shop_id, Kind::Product, Mode::Full).await.unwrap();
    let open = open_attentions(&ledger).await;
    assert_eq!(open.len(), 1);
    let now = bench.clock.now();
    let id = open[0].id;
    write(&ledger, move |tx| {
        let attention = tx.answer_attention(id, "never")?;
        assert!(answers::apply(tx, &attention, "never", now)?);
        Ok(())
    })
    .await;
    bench.try_pull(&ledger, bench.shop_id, Kind::Product, Mode::Full).await.unwrap();
    let left_out = link(&ledger, bench.shop_id, RecordKind::Product, &second).await.unwrap();
    assert_eq!(left_out.state, LinkState::Ignored);
    assert_eq!(records(&ledger, RecordKind::Variant).await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_and_stops_nothing() {
    let (bench, ledger) = Bench::new().await;
    let bad = bench.erp.world().add_product("Bad", &["B"]);
    bench.erp.world().add_product("Good", &["G"]);
    bench.erp.world().edit(Kind::Product, &bad, "texts:de", json!({"nome": 1}));
    let end = bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    assert_eq!(end.state, RunState::DoneWithIssues);
    assert_eq!(records(&ledger, RecordKind::Product).await.len(), 1);
    let erp = bench.erp_id;
    let held = read(&ledger, move |view| view.inbox(erp, Kind::Product, InboxState::Held, 9)).await;
    assert_eq!(held.len(), 1);
    assert!(held[0].raw.contains("nome"), "kept as it came");
    assert_eq!(open_attentions(&ledger).await.len(), 1);
    bench.erp.world().edit(Kind::Product, &bad, "texts:de", json!({"name": "Bad"}));
    assert_eq!(bench.pull(&ledger, bench.erp_id, Kind::Product).await.state, RunState::Done);
    assert_eq!(records(&ledger, RecordKind::Product).await.len(), 2);
    assert_eq!(open_attentions(&ledger).await, []);
    assert_eq!(read(&ledger, move |view| view.inbox(erp, Kind::Product, InboxState::Held, 9)).await, []);
}

#[tokio::test]
async fn a_record_that_cannot_be_applied_is_held_and_the_rest_of_its_page_is_applied() {
    let (bench, ledger) = Bench::new().await;
    let ids = ["A", "B", "C"].map(|sku| bench.erp.world().add_product(sku, &[sku]));
    bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    let known = records(&ledger, RecordKind::Product).await;
    let spoilt = known[1].id;
    write(&ledger, move |tx| tx.spoil(spoilt)).await;
    for id in &ids {
        bench.erp.world().edit(Kind::Product, id, "texts:de", json!({"name": "new"}));
    }
    let newer = bench.erp.world().add_product("D", &["D"]);
    let end = bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    assert_eq!(end.state, RunState::DoneWithIssues);
    let erp = bench.erp_id;
    let held = read(&ledger, move |view| view.inbox(erp, Kind::Product, InboxState::Held, 9)).await;
    assert_eq!(held.iter().map(|row| row.remote_id.as_deref()).collect::<Vec<_>>(), [Some(ids[1].as_str())]);
    for known in [&known[0], &known[2]] {
        let id = known.id;
        let stored = read(&ledger, move |view| view.record(id)).await;
        assert_eq!(stored.facets[&"texts:de".into()].body["name"], "new");
    }
    let link = read(&ledger, move |view| view.link_by_remote(erp, RecordKind::Product, &newer)).await;
    assert!(link.is_some_and(|link| link.record.is_some()));
}

#[tokio::test]
async fn a_figure_waits_for_its_variant() {
    let (bench, ledger) = Bench::new().await;
    bench.erp.world().add_product("Shirt", &["S"]);
    bench.erp.world().set_stock("S", "main", "5");
    bench.erp.world().set_stock("S", "outlet", "2");
    bench.pull(&ledger, bench.erp_id, Kind::Stock).await;
    bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    bench.pull(&ledger, bench.erp_id, Kind::Stock).await;
    let variants = records(&ledger, RecordKind::Variant).await;
    let stock: Vec<_> = variants[0].facets.keys().filter(|key| key.name() == "stock").map(FacetKey::as_str).collect();
    assert_eq!(stock, ["stock:main", "stock:outlet"]);
}

#[tokio::test]
async fn an_empty_list_deletes_nothing() {
    let (bench, ledger) = Bench::new().await;
    for n in 0..4 {
        bench.erp.world().add_product(&format!("P{n}"), &[&format!("P{n}")]);
    }
    bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    bench.erp.world().empty_lists = true;
    bench.clock.advance(60);
    let full = bench.try_pull(&ledger, bench.erp_id, Kind::Product, Mode::Full).await.unwrap();
    assert_eq!(full.state, RunState::Held);
    let sweep = bench.prepare(&ledger, bench.erp_id, Kind::Product).await.unwrap().sweep(false).await.unwrap();
    assert_eq!(sweep.state, RunState::Held);
    assert_eq!(records(&ledger, RecordKind::Product).await.len(), 4);
    assert_eq!(open_attentions(&ledger).await.len(), 1);
    // Even when a person lets it go on, each is asked for by its id first.
    let sweep = bench.prepare(&ledger, bench.erp_id, Kind::Product).await.unwrap().sweep(true).await.unwrap();
    assert_eq!(sweep.state, RunState::Done);
    assert_eq!(records(&ledger, RecordKind::Product).await.len(), 4);
}

#[tokio::test]
async fn what_is_gone_at_its_owner_is_gone_and_others_hear_of_it() {
    let (bench, ledger) = Bench::new().await;
    let gone = bench.erp.world().add_product("Gone", &["G"]);
    bench.erp.world().add_product("Kept", &["K"]);
    bench.shop.world().add_product("Gone", &["G"]);
    let shop_kept = bench.shop.world().add_product("Kept", &["K"]);
    bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    bench.pull(&ledger, bench.shop_id, Kind::Product).await;
    // The platform forgets it without a word.
    bench.erp.world().objects.retain(|object| object.id != gone);
    bench.shop.world().objects.retain(|object| object.id != shop_kept);
    bench.clock.advance(60);
    let sweep = bench.prepare(&ledger, bench.erp_id, Kind::Product).await.unwrap().sweep(false).await.unwrap();
    assert_eq!(sweep.state, RunState::Done);
    let stored = link(&ledger, bench.erp_id, RecordKind::Product, &gone).await.unwrap();
    assert_eq!(stored.state, LinkState::Gone);
    let id = stored.record.unwrap();
    assert_eq!(read(&ledger, move |view| view.record(id)).await.state, RecordState::Deleted);
    assert!(wants(&ledger, bench.shop_id).await.contains(&("product".into(), id.0, "!delete".into())));
    // Gone from a platform that does not own it: a person is asked, the record stays.
    bench.prepare(&ledger, bench.shop_id, Kind::Product).await.unwrap().sweep(false).await.unwrap();
    let lost = link(&ledger, bench.shop_id, RecordKind::Product, &shop_kept).await.unwrap();
    assert_eq!(lost.state, LinkState::Gone);
    let id = lost.record.unwrap();
    assert_eq!(read(&ledger, move |view| view.record(id)).await.state, RecordState::Active);
    assert!(open_attentions(&ledger).await.iter().any(|open| open.cause_key.starts_with("gone:")));
}

#[tokio::test]
async fn a_sweep_takes_over_what_was_never_read() {
    let (bench, ledger) = Bench::new().await;
    bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    bench.erp.world().add_product("Missed", &["M"]);
    let sweep = bench.prepare(&ledger, bench.erp_id, Kind::Product).await.unwrap().sweep(false).await.unwrap();
    assert_eq!(sweep.state, RunState::Done);
    assert_eq!(records(&ledger, RecordKind::Product).await.len(), 1);
}

#[tokio::test]
async fn a_variant_that_moves_stays_the_same_variant() {
    let (bench, ledger) = Bench::new().await;
    let one = bench.erp.world().add_product("One", &["A", "B"]);
    let two = bench.erp.world().add_product("Two", &["C"]);
    bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    let before = records(&ledger, RecordKind::Variant).await;
    {
        let mut world = bench.erp.world();
        let now = world.now;
        let moved = world.object_mut(Kind::Product, &one).unwrap().variants.pop().unwrap();
        world.object_mut(Kind::Product, &one).unwrap().updated = now;
        let target = world.object_mut(Kind::Product, &two).unwrap();
        target.variants.push(moved);
        target.updated = now;
    }
    bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    let after = records(&ledger, RecordKind::Variant).await;
    assert_eq!(after.iter().map(|v| v.id).collect::<Vec<_>>(), before.iter().map(|v| v.id).collect::<Vec<_>>());
    assert_ne!(after[1].product, before[1].product);
    assert_eq!(after[1].product, after[2].product);
}

#[tokio::test]
async fn a_strangers_change_follows_the_drift_policy() {
    for (then, asked, wanted, adopted) in
        [(Drift::Report, 1, false, false), (Drift::Restore, 0, true, false), (Drift::Adopt, 0, false, true)]
    {
        let (bench, ledger) = Bench::new().await;
        bench
            .change_policy(&ledger, bench.shop_id, move |policy| {
                policy.drift =
                    vec![DriftRule { record: RecordKind::Product, facet: FacetPattern("texts:*".into()), then }];
            })
            .await;
        bench.erp.world().add_product("Shirt", &["S"]);
        let there = bench.shop.world().add_product("Shirt", &["S"]);
        bench.pull(&ledger, bench.erp_id, Kind::Product).await;
        bench.pull(&ledger, bench.shop_id, Kind::Product).await;
        let linked = link(&ledger, bench.shop_id, RecordKind::Product, &there).await.unwrap();
        let record = linked.record.unwrap();
        // Our value was sent, and the shop cleans it.
        let shop = bench.shop_id;
        write(&ledger, move |tx| {
            let rev = tx.record(record)?.facets[&key("texts:de")].rev;
            tx.note_sent(linked.id, &[(key("texts:de"), (rev, Hash::of_bytes(b"sent")))].into(), 1)?;
            tx.clear_wants(shop)
        })
        .await;
        bench.shop.world().edit(Kind::Product, &there, "texts:de", json!({"name": "Shirt, cleaned"}));
        bench.pull(&ledger, bench.shop_id, Kind::Product).await;
        assert_eq!(open_attentions(&ledger).await.len(), 0, "what the platform made of it is no drift");
        assert_eq!(wants(&ledger, shop).await, []);
        bench.shop.world().edit(Kind::Product, &there, "texts:de", json!({"name": "Mine"}));
        for _ in 0..2 {
            bench.pull(&ledger, shop, Kind::Product).await;
        }
        assert_eq!(open_attentions(&ledger).await.len(), asked, "{then:?}");
        let restore = ("product".to_owned(), record.0, "texts:de".to_owned());
        assert_eq!(wants(&ledger, shop).await.contains(&restore), wanted, "{then:?}");
        let name = read(&ledger, move |view| view.record(record)).await.facets[&key("texts:de")].body["name"].clone();
        assert_eq!(name == "Mine", adopted, "{then:?}");
    }
}

#[tokio::test]
async fn a_preview_writes_nothing_and_acknowledges_nothing() {
    let (bench, ledger) = Bench::new().await;
    bench.erp.world().batched.insert(Kind::Product);
    for n in 0..2 {
        bench.erp.world().add_product(&format!("P{n}"), &[&format!("P{n}")]);
    }
    let pull = bench.prepare(&ledger, bench.erp_id, Kind::Product).await.unwrap();
    let lines = pull.preview(Mode::Changes).await.unwrap().unwrap();
    assert_eq!(lines.iter().filter(|line| line.what == What::Created).count(), 4, "two products, two variants");
    assert_eq!(records(&ledger, RecordKind::Product).await, []);
    assert_eq!(bench.erp.world().calls.get(&crate::sync::fake::Verb::Acknowledge), None);
    bench.pull(&ledger, bench.erp_id, Kind::Product).await;
    assert_eq!(records(&ledger, RecordKind::Product).await.len(), 2);
}

#[tokio::test]
async fn a_person_says_which_of_two_objects_it_is() {
    for (answer, first_is, second_is, variants) in [
        ("same", None, Some(("main", true)), 1),
        ("slot", Some("main"), Some(("other", true)), 1),
        ("new", Some("main"), Some(("main", false)), 2),
    ] {
        let (bench, ledger) = Bench::new().await;
        bench.erp.world().add_product("Shirt", &["S"]);
        let first = bench.shop.world().add_product("Shirt", &["S"]);
        bench.pull(&ledger, bench.erp_id, Kind::Product).await;
        bench.pull(&ledger, bench.shop_id, Kind::Product).await;
        let second = bench.shop.world().add_product("Copy of shirt", &["S"]);
        bench.pull(&ledger, bench.shop_id, Kind::Product).await;
        let open = open_attentions(&ledger).await.remove(0);
        let name = open.choices.iter().find(|choice| choice.name.starts_with(answer)).unwrap().name.clone();
        let now = bench.clock.now();
        write(&ledger, move |tx| {
            let attention = tx.answer_attention(open.id, &name)?;
            assert!(answers::apply(tx, &attention, &name, now)?);
            Ok(())
        })
        .await;
        // Held by the first pull already, and taken up by the next one, though the shop says nothing new.
        let end = bench.pull(&ledger, bench.shop_id, Kind::Product).await;
        assert_eq!(end.state, RunState::Done, "{answer}");
        let erp_product = records(&ledger, RecordKind::Product).await[0].id;
        let one = link(&ledger, bench.shop_id, RecordKind::Product, &first).await.unwrap();
        assert_eq!((one.state == LinkState::Live).then_some(one.slot.as_str()), first_is, "{answer}");
        let other = link(&ledger, bench.shop_id, RecordKind::Product, &second).await.unwrap();
        let slot = if other.slot == "main" { "main" } else { "other" };
        assert_eq!(Some((slot, other.record == Some(erp_product))), second_is, "{answer}");
        assert_eq!(other.state, LinkState::Live);
        assert_eq!(records(&ledger, RecordKind::Variant).await.len(), variants, "{answer}");
        assert_eq!(open_attentions(&ledger).await, [], "{answer}");
    }
}
