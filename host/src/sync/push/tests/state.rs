//! State: what converges.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::json;

use super::stage::{ERP, SHOP, Stage};
use crate::ledger::attention::AttentionState;
use crate::ledger::intent::IntentState;
use crate::ledger::link::{LinkState, MAIN};
use crate::ledger::platform::PlatformState;
use crate::ledger::tests::{read, write};
use crate::ledger::want::WantReason;
use crate::model::policy::{OnDelete, OnGone};
use crate::model::{Issue, Kind, RecordKind, RemoteError};
use crate::sync::fake::{Fault, Misfortune, Verb, body, dec};
use crate::sync::plan::Foreseen;
use crate::sync::push::{End, discard, release, retry, rules_changed};

#[tokio::test]
async fn a_product_goes_out_with_variants_prices_and_stock_and_then_nothing_more() {
    let stage = Stage::new().await;
    let product = stage.product("shirt", &["TS-S", "TS-M"]).await;
    stage.quiesce().await;
    let world = stage.shop.world();
    let products = world.all(Kind::Product);
    assert_eq!(products.len(), 1);
    let skus: Vec<_> = products[0].variants.iter().map(|variant| variant.sku.as_str()).collect();
    assert_eq!(skus, ["TS-M", "TS-S"]);
    assert_eq!(products[0].facets[&"texts:de".into()]["name"], "shirt");
    assert_eq!(world.price_of("TS-S", "price:base:main"), Some(dec("10")), "8.40 net are 10.00 gross");
    assert_eq!(world.stock_of("TS-M", "main"), Some(dec("10")));
    drop(world);
    let states = stage.states(product).await;
    assert_eq!(states, [(IntentState::Done, 1)].into());
}

#[tokio::test]
async fn only_the_facet_that_changed_is_sent() {
    let stage = Stage::new().await;
    let product = stage.product("mug", &["MUG"]).await;
    stage.quiesce().await;
    stage.change(product, Kind::Product, "texts:de", json!({"name": "big mug"})).await;
    let lines = stage.pusher().preview(SHOP, Kind::Product).await.unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].foreseen, Foreseen::Change);
    assert_eq!(lines[0].changes.iter().map(|c| c.key.as_str()).collect::<Vec<_>>(), ["texts:de"]);
    let before = stage.writes();
    assert_eq!(stage.push(SHOP, Kind::Product).await, End::Done);
    assert_eq!(stage.writes(), before + 1);
    let intents = read(&stage.ledger, move |view| view.intents_of(product)).await;
    let sent: Vec<_> = intents.last().unwrap().body.facets.keys().map(|key| key.as_str()).collect();
    assert_eq!(sent, ["texts:de"]);
    stage.quiesce().await;
}

#[tokio::test]
async fn a_new_variant_joins_its_product() {
    let stage = Stage::new().await;
    let product = stage.product("mug", &["MUG-1"]).await;
    stage.quiesce().await;
    write(&stage.ledger, move |tx| {
        let variant = tx.create_record(RecordKind::Variant, Some(ERP), None)?;
        tx.set_product(variant, Some(product))?;
        let head = json!({"sku": "MUG-2", "active": true, "tax_percent": "19"});
        let change = crate::ledger::record::FacetChange { key: "head".into(), body: Some(head), as_of: None };
        tx.write_facets(variant, vec![change], Some(ERP), crate::ledger::record::FacetRule::Owner, None)?;
        tx.want(SHOP, Kind::Product, product, "grouping", WantReason::Data, None)
    })
    .await;
    stage.quiesce().await;
    let world = stage.shop.world();
    assert_eq!(world.all(Kind::Product).len(), 1);
    assert_eq!(world.all(Kind::Product)[0].variants.len(), 2);
}

#[tokio::test]
async fn what_the_platform_makes_of_a_value_is_not_sent_again() {
    let stage = Stage::new().await;
    stage.shop.world().clean = Some(Arc::new(|key, body| {
        if key.name() == "texts"
            && let Some(name) = body["name"].as_str().map(str::to_uppercase)
        {
            body["name"] = name.into();
        }
    }));
    stage.product("mug", &["MUG"]).await;
    // Asserts that a second cycle writes nothing.
    stage.quiesce().await;
    assert_eq!(stage.shop.world().all(Kind::Product)[0].facets[&"texts:de".into()]["name"], "MUG");
}

#[tokio::test]
async fn a_change_while_a_write_is_under_way_is_not_lost() {
    let stage = Stage::new().await;
    let product = stage.product("one", &["A"]).await;
    stage.quiesce().await;
    stage.change(product, Kind::Product, "texts:de", json!({"name": "two"})).await;
    let call = stage.shop.world().calls[&Verb::Push] + 1;
    stage.shop.fault(Fault::item(call, 1, Misfortune::TimeoutAfter));
    assert_eq!(stage.push(SHOP, Kind::Product).await, End::DoneWithIssues);
    stage.change(product, Kind::Product, "texts:de", json!({"name": "three"})).await;
    stage.quiesce().await;
    assert_eq!(stage.shop.world().all(Kind::Product)[0].facets[&"texts:de".into()]["name"], "three");
}

#[tokio::test]
async fn a_value_that_returns_overwrites_one_that_may_have_arrived() {
    let stage = Stage::new().await;
    let product = stage.product("one", &["A"]).await;
    stage.quiesce().await;
    let variant = stage.variant("A").await;
    stage.change(product, Kind::Product, "texts:de", json!({"name": "two"})).await;
    stage.change(variant, Kind::Stock, "stock:main", body(&json!({"quantity": "7"}))).await;
    for kind in [Kind::Product, Kind::Stock] {
        stage.orders_read().await;
        let call = stage.shop.world().calls[&Verb::Push] + 1;
        stage.shop.fault(Fault::item(call, 1, Misfortune::TimeoutAfter));
        assert_eq!(stage.push(SHOP, kind).await, End::DoneWithIssues);
    }
    assert_eq!(stage.shop.world().stock_of("A", "main"), Some(dec("7")), "it arrived, and nobody knows");
    // What was sent last for certain is wanted again: the platform does not have it.
    stage.change(product, Kind::Product, "texts:de", json!({"name": "one"})).await;
    stage.change(variant, Kind::Stock, "stock:main", body(&json!({"quantity": "10"}))).await;
    stage.quiesce().await;
    let world = stage.shop.world();
    assert_eq!(world.all(Kind::Product)[0].facets[&"texts:de".into()]["name"], "one");
    assert_eq!(world.stock_of("A", "main"), Some(dec("10")));
}

#[tokio::test]
async fn a_newer_plan_supersedes_an_older_one() {
    let stage = Stage::new().await;
    let product = stage.product("one", &["A"]).await;
    stage.quiesce().await;
    stage.change(product, Kind::Product, "texts:de", json!({"name": "two"})).await;
    let refused = Misfortune::Refuse(RemoteError::Unavailable("down".into()));
    let call = stage.shop.world().calls[&Verb::Push] + 1;
    stage.shop.fault(Fault::item(call, 1, refused));
    stage.push(SHOP, Kind::Product).await;
    // Back to what the shop has: the plan is not needed any more.
    stage.change(product, Kind::Product, "texts:de", json!({"name": "one"})).await;
    let before = stage.writes();
    stage.quiesce().await;
    assert_eq!(stage.writes(), before);
    assert_eq!(stage.states(product).await[&IntentState::Superseded], 1);
}

#[tokio::test]
async fn parents_go_before_their_children() {
    let stage = Stage::new().await;
    write(&stage.ledger, |tx| {
        let mut records = Vec::new();
        // The child is planned first.
        for (key, parent) in [("child", Some("root")), ("root", None)] {
            let record = tx.create_record(RecordKind::Category, Some(ERP), None)?;
            let parent = parent.map(|key| json!({"key": key}));
            let mut head = json!({"key": key, "active": true});
            if let Some(parent) = parent {
                head["parent"] = parent;
            }
            let change = crate::ledger::record::FacetChange { key: "head".into(), body: Some(head), as_of: None };
            tx.write_facets(record, vec![change], Some(ERP), crate::ledger::record::FacetRule::Owner, None)?;
            let key = crate::model::Key { kind: crate::model::KeyType::Category, value: key.into() };
            tx.add_keys(record, RecordKind::Category, &[key])?;
            tx.want(SHOP, Kind::Category, record, "", WantReason::Data, None)?;
            records.push(record);
        }
        Ok(records)
    })
    .await;
    stage.push(SHOP, Kind::Category).await;
    let world = stage.shop.world();
    let made: Vec<_> = world.all(Kind::Category).iter().map(|c| c.facets[&"head".into()].clone()).collect();
    assert_eq!(made[0]["key"], "root");
    assert_eq!(made[1]["parent"]["id"], world.all(Kind::Category)[0].id);
    drop(world);
    stage.quiesce().await;
}

#[tokio::test]
async fn refusals_wait_for_a_person_in_the_platforms_words() {
    let stage = Stage::new().await;
    let product = stage.product("mug", &["MUG"]).await;
    let issue = Issue { path: "head".into(), code: None, message: "no such thing".into() };
    stage.shop.fault(Fault::item(1, 1, Misfortune::Refuse(RemoteError::Rejected(vec![issue]))));
    assert_eq!(stage.push(SHOP, Kind::Product).await, End::DoneWithIssues);
    let open = read(&stage.ledger, |view| view.attentions(Some(AttentionState::Open), None, 9)).await;
    assert!(open[0].title.contains("no such thing"), "{}", open[0].title);
    assert_eq!(stage.push(SHOP, Kind::Product).await, End::Done, "it is not tried again by itself");
    assert_eq!(stage.shop.world().all(Kind::Product).len(), 0);
    let intent = read(&stage.ledger, move |view| view.intents_of(product)).await[0].id;
    write(&stage.ledger, move |tx| retry(tx, intent)).await;
    stage.quiesce().await;
    assert_eq!(stage.shop.world().all(Kind::Product).len(), 1);
    assert_eq!(stage.attentions().await, Vec::<String>::new());
}

#[tokio::test]
async fn throttled_rests_and_nothing_counts_as_failed() {
    let stage = Stage::new().await;
    let product = stage.product("mug", &["MUG"]).await;
    stage.shop.fault(Fault::call(Verb::Push, 1, Misfortune::Refuse(RemoteError::Throttled(90))));
    let end = stage.push(SHOP, Kind::Product).await;
    let now = crate::sync::clock::Clock::now(&*stage.clock);
    assert_eq!(end, End::Resting(now + jiff::SignedDuration::from_secs(90)));
    let intent = read(&stage.ledger, move |view| view.intents_of(product)).await.remove(0);
    assert_eq!((intent.state, intent.attempts, intent.uncertain), (IntentState::Planned, 0, false));
    stage.quiesce().await;
    assert_eq!(stage.shop.world().all(Kind::Product).len(), 1);
}

#[tokio::test]
async fn refused_credentials_pause_the_platform_once() {
    let stage = Stage::new().await;
    for (name, sku) in [("a", "A"), ("b", "B")] {
        stage.product(name, &[sku]).await;
    }
    stage.shop.fault(Fault::item(1, 1, Misfortune::Refuse(RemoteError::Auth("401".into()))));
    assert_eq!(stage.push(SHOP, Kind::Product).await, End::Paused);
    assert_eq!(stage.attentions().await, [format!("auth:{SHOP}")]);
    assert!(matches!(stage.push(SHOP, Kind::Product).await, End::Failed(_)), "a paused platform gets nothing");
    write(&stage.ledger, |tx| tx.set_platform_state(SHOP, PlatformState::Active, None)).await;
    stage.quiesce().await;
    assert_eq!(stage.shop.world().all(Kind::Product).len(), 2);
}

#[tokio::test]
async fn batch_of_fifty_item_thirty_one_traps() {
    let stage = Stage::new().await;
    let names: Vec<&'static str> = (0..50).map(|n| &*Box::leak(format!("P{n:02}").into_boxed_str())).collect();
    for name in &names {
        stage.product(name, &[name]).await;
    }
    stage.shop.fault(Fault::item(1, 31, Misfortune::TrapAfter));
    assert_eq!(stage.push(SHOP, Kind::Product).await, End::DoneWithIssues);
    let count = |state| read(&stage.ledger, move |view| view.count_intents(SHOP, state));
    assert_eq!((count(IntentState::Done).await, count(IntentState::Unknown).await), (30, 20));
    stage.quiesce().await;
    let world = stage.shop.world();
    assert_eq!(world.all(Kind::Product).len(), 50, "none lost, none doubled");
    for name in names {
        assert!(world.variant(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_trap_before_anything_left_is_certainly_not_done() {
    let stage = Stage::new().await;
    let product = stage.product("mug", &["MUG"]).await;
    stage.shop.fault(Fault::call(Verb::Push, 1, Misfortune::TrapBefore));
    stage.push(SHOP, Kind::Product).await;
    assert_eq!(stage.states(product).await, [(IntentState::Retry, 1)].into());
    stage.quiesce().await;
    assert_eq!(stage.shop.world().all(Kind::Product).len(), 1);
}

#[tokio::test]
async fn a_refused_batch_is_split() {
    let stage = Stage::new().await;
    for name in ["A", "B", "C"] {
        stage.product(name, &[name]).await;
    }
    stage.quiesce().await;
    for sku in ["A", "B", "C"] {
        let variant = stage.variant(sku).await;
        stage
            .change(variant, Kind::Price, "price:base:main", json!({"currency": "EUR", "basis": "net", "amount": "9"}))
            .await;
    }
    let call = stage.shop.world().calls[&Verb::Push] + 1;
    let refuse = || Misfortune::Refuse(RemoteError::Rejected(vec![]));
    stage.shop.fault(Fault::call(Verb::Push, call, refuse()));
    // Alone, the first is refused again and the others pass.
    stage.shop.fault(Fault::item(call + 1, 1, refuse()));
    stage.push(SHOP, Kind::Price).await;
    stage.push(SHOP, Kind::Price).await;
    let world = stage.shop.world();
    let prices: Vec<_> = ["A", "B", "C"].map(|sku| world.price_of(sku, "price:base:main").unwrap()).into();
    assert_eq!(prices, [dec("10"), dec("10.71"), dec("10.71")]);
}

#[tokio::test]
async fn the_guard_holds_a_mass_of_price_changes_until_a_person_looks() {
    let stage = Stage::new().await;
    stage.policy(SHOP, |policy| policy.guard.prices = 2).await;
    for name in ["A", "B", "C"] {
        stage.product(name, &[name]).await;
    }
    stage.quiesce().await;
    let zero = || json!({"currency": "EUR", "basis": "net", "amount": "0"});
    for sku in ["A", "B", "C"] {
        let variant = stage.variant(sku).await;
        stage.change(variant, Kind::Price, "price:base:main", zero()).await;
    }
    let before = stage.writes();
    assert_eq!(stage.push(SHOP, Kind::Price).await, End::Held);
    assert_eq!(stage.push(SHOP, Kind::Price).await, End::Held, "holding is not forgotten");
    assert_eq!(stage.writes(), before);
    let key = format!("guard:{SHOP}:price");
    let held = read(&stage.ledger, {
        let key = key.clone();
        move |view| view.open_attention(&key)
    })
    .await
    .unwrap();
    assert!(held.title.contains("3 would get a price of 0"), "{}", held.title);
    assert_eq!(held.data["preview"].as_array().unwrap().len(), 3);
    let answered = held.clone();
    write(&stage.ledger, move |tx| release(tx, &answered)).await;
    assert_eq!(stage.push(SHOP, Kind::Price).await, End::Done);
    assert_eq!(stage.shop.world().price_of("A", "price:base:main"), Some(Decimal::ZERO));
    assert_eq!(stage.attentions().await, Vec::<String>::new());
    stage.quiesce().await;
}

#[tokio::test]
async fn a_price_that_moves_by_half_of_what_was_sent_is_noticed() {
    let stage = Stage::new().await;
    stage.policy(SHOP, |policy| policy.guard.prices = 0).await;
    stage.product("A", &["A"]).await;
    stage.quiesce().await;
    let variant = stage.variant("A").await;
    for (amount, held) in [("9", false), ("13.51", true)] {
        stage
            .change(
                variant,
                Kind::Price,
                "price:base:main",
                json!({"currency": "EUR", "basis": "net", "amount": amount}),
            )
            .await;
        assert_eq!(stage.push(SHOP, Kind::Price).await == End::Held, held, "{amount}");
    }
}

#[tokio::test]
async fn a_held_plan_can_be_taken_back() {
    let stage = Stage::new().await;
    stage.policy(SHOP, |policy| policy.guard.creates = 1).await;
    for name in ["A", "B"] {
        stage.product(name, &[name]).await;
    }
    assert_eq!(stage.push(SHOP, Kind::Product).await, End::Held);
    let key = format!("guard:{SHOP}:product");
    let held = read(&stage.ledger, move |view| view.open_attention(&key)).await.unwrap();
    let now = crate::sync::clock::Clock::now(&*stage.clock);
    assert_eq!(write(&stage.ledger, move |tx| discard(tx, &held, now)).await, 2);
    assert_eq!(stage.push(SHOP, Kind::Product).await, End::Done);
    assert_eq!(stage.shop.world().all(Kind::Product).len(), 0);
}

#[tokio::test]
async fn changed_rules_send_no_order_again_and_products_are_held() {
    let stage = Stage::new().await;
    stage.policy(SHOP, |policy| policy.guard.rules = 2).await;
    for name in ["A", "B", "C"] {
        stage.product(name, &[name]).await;
    }
    stage.quiesce().await;
    stage.shop.world().add_customer("x@example.com");
    stage.order("1001", "zoe@example.com", &[("A", "1", "10.00")]).await;
    stage.quiesce().await;
    assert_eq!(stage.erp.world().orders("1001").len(), 1);
    // Another language mapping, and another order profile.
    stage.policy(SHOP, |policy| policy.languages = [("en".to_owned(), "de".to_owned())].into()).await;
    stage.policy(ERP, |policy| policy.orders.payment = [("*".to_owned(), "cash".to_owned())].into()).await;
    for platform in [SHOP, ERP] {
        write(&stage.ledger, move |tx| rules_changed(tx, platform)).await;
    }
    let writes = stage.erp.world().writes;
    assert_eq!(stage.push(ERP, Kind::Order).await, End::Done);
    assert_eq!(stage.push(ERP, Kind::Customer).await, End::Done);
    assert_eq!(stage.erp.world().writes, writes, "no order and no customer is sent again");
    assert_eq!(stage.push(SHOP, Kind::Product).await, End::Held);
}

#[tokio::test]
async fn a_price_that_starts_later_becomes_dirty_then() {
    let stage = Stage::new().await;
    let special = json!({"currency": "EUR", "basis": "net", "amount": "5",
        "valid_from": "2040-01-02T12:00:00Z", "valid_to": "2040-01-02T14:00:00Z"});
    let facets = |d: &mut crate::model::description::Description| {
        let price = d.abilities.iter_mut().find(|a| a.kind == Kind::Price).unwrap();
        price.writing.as_mut().unwrap().facets = vec![crate::model::FacetPattern("price:base:*".into())];
    };
    let shop = stage.shop.described(facets);
    let stage = Stage { shop: shop.clone(), ..stage };
    stage.connectors.serve(SHOP, &shop);
    stage.product("A", &["A"]).await;
    let variant = stage.variant("A").await;
    stage.change(variant, Kind::Price, "price:special:main:1", special).await;
    stage.push(SHOP, Kind::Product).await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        stage.push(SHOP, Kind::Price).await;
        seen.push(stage.shop.world().price_of("A", "price:base:main").unwrap());
        stage.clock.advance(3_600);
    }
    // At 10, 11, 12, 13, 14, 15 o'clock.
    let (base, special) = (dec("10"), dec("5.95"));
    assert_eq!(seen, [base, base, special, special, base, base]);
}

#[tokio::test]
async fn a_vanished_object_is_said_or_made_again() {
    for on_gone in [OnGone::Attention, OnGone::Recreate] {
        let stage = Stage::new().await;
        stage.policy(SHOP, move |policy| policy.on_gone = on_gone).await;
        let product = stage.product("mug", &["MUG"]).await;
        stage.quiesce().await;
        let id = stage.shop.world().all(Kind::Product)[0].id.clone();
        stage.shop.world().delete(Kind::Product, &id);
        stage.change(product, Kind::Product, "texts:de", json!({"name": "mug 2"})).await;
        stage.quiesce().await;
        let made = stage.shop.world().all(Kind::Product).len();
        let said = stage.attentions().await.iter().any(|cause| cause.starts_with("gone:"));
        assert_eq!((made, said), if on_gone == OnGone::Recreate { (1, false) } else { (0, true) }, "{on_gone:?}");
        if on_gone == OnGone::Recreate {
            let keys: Vec<_> = read(&stage.ledger, move |view| view.intents_of(product)).await;
            assert!(keys.last().unwrap().idem_key.ends_with("/g2"), "the next generation");
        }
    }
}

#[tokio::test]
async fn what_its_owner_took_away_is_hidden_or_deleted() {
    for (on_delete, active, count) in
        [(OnDelete::Deactivate, false, 1), (OnDelete::Delete, true, 0), (OnDelete::Ignore, true, 1)]
    {
        let stage = Stage::new().await;
        stage.policy(SHOP, move |policy| policy.on_delete = on_delete).await;
        let product = stage.product("mug", &["MUG"]).await;
        stage.quiesce().await;
        write(&stage.ledger, move |tx| {
            tx.mark_deleted(product)?;
            tx.want(SHOP, Kind::Product, product, "!delete", WantReason::Data, None)
        })
        .await;
        stage.quiesce().await;
        let world = stage.shop.world();
        let left = world.all(Kind::Product);
        assert_eq!(left.len(), count, "{on_delete:?}");
        if let [product] = left[..] {
            assert_eq!(product.facets[&"head".into()]["active"], active, "{on_delete:?}");
        }
        drop(world);
        let link = read(&stage.ledger, move |view| view.link_of(SHOP, RecordKind::Product, product, MAIN)).await;
        let expected = if on_delete == OnDelete::Delete { LinkState::Gone } else { LinkState::Live };
        assert_eq!(link.unwrap().state, expected);
    }
}

#[tokio::test]
async fn a_sku_that_is_there_twice_is_a_persons_question() {
    let stage = Stage::new().await;
    stage
        .policy(SHOP, |policy| {
            policy.lookup.insert(RecordKind::Product, crate::model::policy::Lookup::Always);
        })
        .await;
    for _ in 0..2 {
        stage.shop.world().add_product("theirs", &["MUG"]);
    }
    let product = stage.product("mug", &["MUG"]).await;
    assert_eq!(stage.push(SHOP, Kind::Product).await, End::DoneWithIssues);
    assert_eq!(stage.shop.world().all(Kind::Product).len(), 2, "nothing was made");
    assert_eq!(stage.states(product).await, [(IntentState::Waiting, 1)].into());
    let asked = read(&stage.ledger, |view| view.attentions(Some(AttentionState::Open), None, 9)).await.remove(0);
    assert_eq!(asked.choices.len(), 3);
    let now = crate::sync::clock::Clock::now(&*stage.clock);
    let first = asked.choices[0].name.clone();
    write(&stage.ledger, move |tx| {
        crate::sync::push::answer_which(tx, &asked, &first, now)?;
        tx.answer_attention(asked.id, &first)
    })
    .await;
    stage.push(SHOP, Kind::Product).await;
    let world = stage.shop.world();
    assert_eq!(world.all(Kind::Product).len(), 2);
    assert_eq!(world.all(Kind::Product)[0].facets[&"texts:de".into()]["name"], "mug");
}

#[tokio::test]
async fn stock_waits_for_a_fresh_look_at_orders() {
    let stage = Stage::new().await;
    stage.product("mug", &["MUG"]).await;
    stage.push(SHOP, Kind::Product).await;
    stage.clock.advance(60);
    assert_eq!(stage.push(SHOP, Kind::Stock).await, End::Fenced);
    assert_eq!(stage.shop.world().stock_of("MUG", "main"), None);
    stage.orders_read().await;
    assert_eq!(stage.push(SHOP, Kind::Stock).await, End::Done);
    assert_eq!(stage.shop.world().stock_of("MUG", "main"), Some(dec("10")));
}

#[tokio::test]
async fn a_sale_between_stock_read_and_stock_write_is_subtracted_until_the_owner_counts_it() {
    let stage = Stage::new().await;
    stage.product("mug", &["MUG"]).await;
    stage.quiesce().await;
    // Sold in the shop after the ERP's figure was read.
    stage.order("1001", "zoe@example.com", &[("MUG", "3", "10.00")]).await;
    stage.orders_read().await;
    stage.push(SHOP, Kind::Stock).await;
    assert_eq!(stage.shop.world().stock_of("MUG", "main"), Some(dec("7")));
    stage.quiesce().await;
    assert_eq!(stage.shop.world().stock_of("MUG", "main"), Some(dec("7")));
    // The ERP has the order now, and says 7 itself: it is not subtracted twice.
    let variant = stage.variant("MUG").await;
    stage.change(variant, Kind::Stock, "stock:main", body(&json!({"quantity": "7"}))).await;
    stage.quiesce().await;
    assert_eq!(stage.shop.world().stock_of("MUG", "main"), Some(dec("7")));
}
