//! Events: what is sent once.

use serde_json::json;

use super::stage::{ERP, ERP_BASIS, SHOP, Stage};
use crate::ledger::attention::AttentionState;
use crate::ledger::event::{DeliveryState, EventName};
use crate::ledger::intent::IntentState;
use crate::ledger::tests::{read, write};
use crate::model::sales::{Happening, LineKind, OrderEvent, Placed};
use crate::model::{Facets, Kind, RemoteError};
use crate::sync::clock::Clock;
use crate::sync::fake::{Fault, Misfortune, Verb, body, dec, time};
use crate::sync::push::{End, maps_changed, retry};
use crate::sync::unknown;

fn event(what: Happening) -> Facets {
    [("event".into(), body(&OrderEvent { at: time("2026-11-22T11:00:00Z"), what }))].into()
}

fn cancelled() -> Facets {
    event(Happening::Cancelled { lines: Vec::new(), reason: None })
}

async fn stage_with_article() -> Stage {
    let stage = Stage::new().await;
    stage.product("mug", &["MUG"]).await;
    stage.quiesce().await;
    stage
}

#[tokio::test]
async fn an_order_arrives_once_with_its_customer_articles_and_total() {
    let stage = stage_with_article().await;
    let order = stage.order("1001", "Zoe@example.com", &[("MUG", "3", "8.40")]).await;
    stage.quiesce().await;
    let world = stage.erp.world();
    let orders = world.orders("1001");
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0].marker.as_deref(), Some("shop-1001"));
    let placed: Placed = serde_json::from_value(orders[0].facets[&"placed".into()].clone()).unwrap();
    assert_eq!(placed.basis, ERP_BASIS);
    assert_eq!(placed.total, dec("25.20"));
    let customer = world.all(Kind::Customer)[0].id.clone();
    assert_eq!(placed.customer.id, Some(customer));
    let mug = world.variant("MUG").unwrap().1.id.clone();
    assert_eq!(placed.lines[0].variant.as_ref().unwrap().id, Some(mug));
    assert!(placed.lines.iter().all(|line| line.kind != LineKind::Rounding));
    assert_eq!(orders[0].facets[&"payment".into()]["payments"][0]["method"], "any", "the mapped one");
    drop(world);
    assert_eq!(stage.states(order).await, [(IntentState::Done, 1)].into());
    assert_eq!(stage.attentions().await, Vec::<String>::new(), "the totals agree");
}

#[tokio::test]
async fn two_orders_of_one_customer_make_one_customer() {
    let stage = stage_with_article().await;
    stage.order("1001", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    stage.order("1002", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    stage.quiesce().await;
    let world = stage.erp.world();
    assert_eq!((world.all(Kind::Customer).len(), world.all(Kind::Order).len()), (1, 2));
}

#[tokio::test]
async fn a_customer_who_is_there_already_is_adopted() {
    let stage = stage_with_article().await;
    let known = stage.erp.world().add_customer("zoe@example.com");
    stage.order("1001", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    stage.quiesce().await;
    let world = stage.erp.world();
    assert_eq!(world.all(Kind::Customer).len(), 1);
    assert_eq!(world.orders("1001")[0].facets[&"placed".into()]["customer"]["id"], known);
}

#[tokio::test]
async fn events_arrive_in_order_and_once() {
    let stage = stage_with_article().await;
    let order = stage.order("1001", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    stage.happens(order, EventName::Completed, "", event(Happening::Completed), SHOP).await;
    stage.happens(order, EventName::Cancelled, "", cancelled(), SHOP).await;
    stage.quiesce().await;
    // Placed, completed and cancelled were known before anything was sent: nothing is sent at all.
    assert_eq!(stage.erp.world().orders("1001").len(), 0);
    let order = stage.order("1002", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    stage.quiesce().await;
    stage.happens(order, EventName::Completed, "", event(Happening::Completed), SHOP).await;
    stage.happens(order, EventName::Cancelled, "", cancelled(), SHOP).await;
    stage.quiesce().await;
    let world = stage.erp.world();
    let names: Vec<_> = world.applied.iter().map(|a| a.body["what"].clone()).collect();
    assert_eq!(names.len(), 2);
    assert_eq!(names[0], "completed");
    assert!(names[1]["cancelled"].is_object());
}

#[tokio::test]
async fn a_cancel_waits_until_it_is_known_whether_the_order_arrived() {
    let stage = stage_with_article().await;
    let order = stage.order("1001", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    stage.push(ERP, Kind::Customer).await;
    let call = stage.erp.world().calls[&Verb::Push] + 1;
    stage.erp.fault(Fault::item(call, 1, Misfortune::Late(20)).at_step(2));
    assert_eq!(stage.push(ERP, Kind::Order).await, End::DoneWithIssues);
    stage.happens(order, EventName::Cancelled, "", cancelled(), SHOP).await;
    stage.push(ERP, Kind::Order).await;
    assert_eq!(stage.erp.world().applied.len(), 0, "nothing is cancelled that may not be there yet");
    stage.quiesce().await;
    let world = stage.erp.world();
    assert_eq!(world.orders("1001").len(), 1);
    assert_eq!(world.orders("1001")[0].facets[&"state".into()], "cancelled");
    assert_eq!(world.applied.len(), 1);
}

#[tokio::test]
async fn shipment_and_number_go_back_to_the_shop_once() {
    let stage = stage_with_article().await;
    let order = stage.order("1001", "zoe@example.com", &[("MUG", "2", "8.40")]).await;
    stage.quiesce().await;
    let sale = stage.erp.world().orders("1001")[0].id.clone();
    let shipment = stage.erp.world().ship(&sale, "TRACK-1");
    let facets = stage.erp.world().object(Kind::Shipment, &shipment).unwrap().facets.clone();
    stage.happens(order, EventName::Numbered, "", event(Happening::Numbered("S0042".into())), ERP).await;
    stage.happens(order, EventName::Shipment, "sh1", facets, ERP).await;
    let call = stage.shop.world().calls[&Verb::Push] + 2;
    stage.shop.fault(Fault::item(call, 1, Misfortune::TimeoutAfter));
    stage.quiesce().await;
    let world = stage.shop.world();
    assert_eq!(world.orders("1001")[0].facets[&"placed".into()]["other_number"], "S0042");
    let shipments = world.all(Kind::Shipment);
    assert_eq!(shipments.len(), 1);
    assert_eq!(shipments[0].of, Some(world.orders("1001")[0].id.clone()));
    assert_eq!(shipments[0].facets[&"shipment".into()]["parcels"][0]["tracking"], "TRACK-1");
}

#[tokio::test]
async fn a_missing_map_is_one_question_for_all_orders() {
    let stage = stage_with_article().await;
    stage.policy(ERP, |policy| policy.orders.payment.clear()).await;
    for number in ["1001", "1002"] {
        stage.order(number, "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    }
    stage.quiesce().await;
    assert_eq!(stage.erp.world().all(Kind::Order).len(), 0);
    let key = format!("map:{ERP}:payment:card");
    let asked = read(&stage.ledger, {
        let key = key.clone();
        move |view| view.open_attention(&key)
    })
    .await
    .unwrap();
    assert_eq!(asked.count, 2);
    stage.policy(ERP, |policy| drop(policy.orders.payment.insert("card".into(), "stripe".into()))).await;
    assert_eq!(write(&stage.ledger, |tx| maps_changed(tx, ERP)).await, 2);
    assert_eq!(stage.attentions().await, Vec::<String>::new());
    stage.quiesce().await;
    let world = stage.erp.world();
    assert_eq!(world.all(Kind::Order).len(), 2);
    assert_eq!(world.orders("1001")[0].facets[&"payment".into()]["payments"][0]["method"], "stripe");
}

#[tokio::test]
async fn an_unknown_article_waits_for_it() {
    let stage = stage_with_article().await;
    stage.shop.world().add_product("only here", &["HD-M"]);
    stage.order("1001", "zoe@example.com", &[("HD-M", "1", "49.00")]).await;
    stage.quiesce().await;
    assert_eq!(stage.erp.world().all(Kind::Order).len(), 0);
    assert_eq!(stage.attentions().await, [format!("unresolved:{ERP}:variant:HD-M")]);
    stage.product("hood", &["HD-M"]).await;
    stage.push(ERP, Kind::Order).await;
    assert_eq!(stage.erp.world().orders("1001").len(), 1);
}

#[tokio::test]
async fn foreign_money_is_refused_with_the_reason() {
    let stage = stage_with_article().await;
    let order = stage.order("1001", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    write(&stage.ledger, move |tx| {
        let event = tx.events_of(order)?.remove(0);
        let mut facets = event.body;
        facets.get_mut(&"placed".into()).unwrap()["currency"] = json!("CHF");
        tx.refresh_event(event.id, &facets)
    })
    .await;
    stage.quiesce().await;
    assert_eq!(stage.erp.world().all(Kind::Order).len(), 0);
    let open = read(&stage.ledger, |view| view.attentions(Some(AttentionState::Open), None, 9)).await;
    assert!(open[0].title.contains("CHF"), "{}", open[0].title);
    assert_eq!(stage.states(order).await, [(IntentState::Refused, 1)].into());
}

#[tokio::test]
async fn an_unpaid_order_waits_where_the_profile_says_so() {
    let stage = stage_with_article().await;
    stage.policy(ERP, |policy| policy.orders.wait_for_payment = true).await;
    let order = stage.order("1001", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    let pay = |state: &'static str| {
        let ledger = stage.ledger.clone();
        async move {
            write(&ledger, move |tx| {
                let facet = json!({"state": state, "payments": []});
                let change =
                    crate::ledger::record::FacetChange { key: "payment".into(), body: Some(facet), as_of: None };
                tx.write_facets(order, vec![change], Some(SHOP), crate::ledger::record::FacetRule::Owner, None)
            })
            .await
        }
    };
    pay("unpaid").await;
    stage.quiesce().await;
    assert_eq!(stage.erp.world().all(Kind::Order).len(), 0);
    pay("authorised").await;
    stage.quiesce().await;
    assert_eq!(stage.erp.world().all(Kind::Order).len(), 1);
}

#[tokio::test]
async fn a_total_that_differs_is_said() {
    let stage = stage_with_article().await;
    stage.erp.world().clean = Some(std::sync::Arc::new(|key, body| {
        if key.as_str() == "placed" {
            body["lines"][0]["unit_price"] = json!("1.00");
        }
    }));
    stage.order("1001", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    stage.quiesce().await;
    assert_eq!(stage.erp.world().all(Kind::Order).len(), 1);
    assert!(stage.attentions().await[0].starts_with("total:"));
}

#[tokio::test]
async fn without_a_lookup_a_person_says_whether_it_arrived() {
    for there in [true, false] {
        let stage = stage_with_article().await;
        let erp = stage.erp.described(|d| {
            for ability in &mut d.abilities {
                ability.lookup_lag = None;
            }
        });
        let stage = Stage { erp: erp.clone(), ..stage };
        stage.connectors.serve(ERP, &erp);
        stage.erp.world().multi_step.clear();
        let order = stage.order("1001", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
        stage.push(ERP, Kind::Customer).await;
        let call = stage.erp.world().calls[&Verb::Push] + 1;
        let what = if there { Misfortune::TimeoutAfter } else { Misfortune::Late(1_000_000) };
        stage.erp.fault(Fault::item(call, 1, what));
        for _ in 0..5 {
            stage.push(ERP, Kind::Order).await;
            stage.clock.advance(600);
        }
        assert_eq!(stage.states(order).await, [(IntentState::Unknown, 1)].into(), "nobody guesses");
        let intent = read(&stage.ledger, move |view| view.intents_of(order)).await[0].id;
        assert_eq!(stage.attentions().await, [format!("unknown:{intent}")]);
        let now = stage.clock.now();
        write(&stage.ledger, move |tx| unknown::answer(tx, intent, there, None, now)).await;
        stage.push(ERP, Kind::Order).await;
        assert_eq!(stage.erp.world().orders("1001").len(), 1);
        assert_eq!(stage.states(order).await, [(IntentState::Done, 1)].into());
    }
}

#[tokio::test]
async fn lookups_that_lag_or_find_two() {
    // The order arrived, but is found only five seconds later; then nothing is made again.
    let stage = stage_with_article().await;
    let erp = stage.erp.described(|d| {
        d.abilities.iter_mut().find(|a| a.kind == Kind::Order).unwrap().lookup_lag = Some(5);
    });
    let stage = Stage { erp: erp.clone(), ..stage };
    stage.connectors.serve(ERP, &erp);
    stage.erp.world().lookup_lag = 5;
    let order = stage.order("1001", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    stage.push(ERP, Kind::Customer).await;
    let call = stage.erp.world().calls[&Verb::Push] + 1;
    stage.erp.fault(Fault::item(call, 1, Misfortune::Late(30)));
    for _ in 0..40 {
        stage.push(ERP, Kind::Order).await;
        stage.clock.advance(3);
    }
    stage.quiesce().await;
    assert_eq!(stage.erp.world().orders("1001").len(), 1);
    assert_eq!(stage.states(order).await, [(IntentState::Done, 1)].into());
    // Two orders bear the same number and neither our marker: a person has to say.
    let stage = stage_with_article().await;
    for _ in 0..2 {
        let placed = json!({"number": "1001"});
        stage.erp.world().add(Kind::Order, [("placed".into(), placed)].into());
    }
    let order = stage.order("1001", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    stage.push(ERP, Kind::Customer).await;
    assert_eq!(stage.push(ERP, Kind::Order).await, End::DoneWithIssues);
    assert_eq!(stage.states(order).await, [(IntentState::Waiting, 1)].into());
    assert_eq!(stage.erp.world().orders("1001").len(), 2);
}

#[tokio::test]
async fn a_half_made_order_that_was_refused_is_finished_and_not_made_again() {
    let stage = stage_with_article().await;
    let order = stage.order("1001", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    stage.push(ERP, Kind::Customer).await;
    let call = stage.erp.world().calls[&Verb::Push] + 1;
    stage.erp.fault(Fault::item(call, 1, Misfortune::Refuse(RemoteError::Rejected(vec![]))).at_step(2));
    stage.push(ERP, Kind::Order).await;
    assert!(!stage.erp.world().orders("1001")[0].whole);
    let intent = read(&stage.ledger, move |view| view.intents_of(order)).await[0].id;
    write(&stage.ledger, move |tx| retry(tx, intent)).await;
    stage.quiesce().await;
    let world = stage.erp.world();
    assert_eq!(world.orders("1001").len(), 1);
    assert!(world.orders("1001")[0].whole);
}

#[tokio::test]
async fn old_orders_are_made_as_finished_where_the_target_can() {
    let stage = stage_with_article().await;
    let order = stage.order("0815", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    write(&stage.ledger, move |tx| {
        let event = tx.events_of(order)?[0].id;
        tx.set_delivery(event, ERP, DeliveryState::Due, Some("create-done"))
    })
    .await;
    stage.push(ERP, Kind::Customer).await;
    stage.push(ERP, Kind::Order).await;
    let intent = read(&stage.ledger, move |view| view.intents_of(order)).await.remove(0);
    assert_eq!((intent.op.as_str(), intent.state), ("create-done", IntentState::Done));
    assert_eq!(stage.erp.world().orders("0815").len(), 1);
}
