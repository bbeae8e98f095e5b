//! Orders: what is told to whom, once.

use serde_json::json;

use super::*;
use crate::ledger::event::{DeliveryState, EventName};
use crate::ledger::intent::{IntentState, NewIntent, Revs};
use crate::ledger::link::{LinkState, MadeBy, NewLink};
use crate::model::sales::OrderState;
use crate::model::{EventId, Op, RemoteRef, Rev};
use crate::sync::fake::{Fault, Misfortune, Verb, body};

async fn one_order(ledger: &Ledger) -> StoredRecord {
    let mut orders = records(ledger, RecordKind::Order).await;
    assert_eq!(orders.len(), 1);
    orders.remove(0)
}

async fn events(ledger: &Ledger, order: RecordId) -> Vec<(EventName, String)> {
    read(ledger, move |view| view.events_of(order)).await.into_iter().map(|e| (e.name, e.ext_key)).collect()
}

async fn deliveries(ledger: &Ledger, order: RecordId) -> Vec<(PlatformId, EventName, DeliveryState)> {
    read(ledger, move |view| {
        view.deliveries_of(order)?.into_iter().map(|d| Ok((d.platform, view.event(d.event)?.name, d.state))).collect()
    })
    .await
}

/// A shop order of two pieces of `S`, of which the ERP has 5.
async fn ordered() -> (Bench, Ledger, String) {
    let (bench, ledger) = Bench::new().await;
    bench.erp.world().add_product("Shirt", &["S"]);
    bench.erp.world().set_stock("S", "main", "5");
    bench.shop.world().add_product("Shirt", &["S"]);
    for (platform, kind) in [(bench.erp_id, Kind::Product), (bench.erp_id, Kind::Stock), (bench.shop_id, Kind::Product)]
    {
        bench.pull(&ledger, platform, kind).await;
    }
    let order = bench.shop.world().place_order("1001", "Anna@Example.com", &[("S", "2", "11.90")]);
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    (bench, ledger, order)
}

/// The order as the ERP would have made it by our hand: an intent under way, and the object with its marker.
async fn sent_to_erp(bench: &Bench, ledger: &Ledger, order: RecordId) -> (crate::model::IntentId, EventId) {
    let erp = bench.erp_id;
    let now = bench.clock.now();
    write(ledger, move |tx| {
        let event = tx.events_of(order)?[0].clone();
        let instance = tx.instance()?.instance_id;
        let intent = tx
            .plan_intent(&NewIntent {
                platform: erp,
                kind: Kind::Order,
                lane: "order".into(),
                record: order,
                event: Some(event.id),
                op: Op::Create,
                idem_key: format!("{instance}/erp/{order}/placed/"),
                marker: Some("shop-1001".into()),
                body: Record {
                    kind: Kind::Order,
                    op: Op::Create,
                    item: String::new(),
                    marker: Some("shop-1001".into()),
                    remote: None,
                    of: None,
                    keys: Vec::new(),
                    facets: event.body,
                    variants: Vec::new(),
                    parts: Vec::new(),
                    updated: None,
                    as_of: None,
                },
                revs: Revs { planned: Rev(1), rules: 1, facets: Default::default(), variants: Default::default() },
                run: None,
            })?
            .expect("nothing else is open");
        tx.set_delivery(event.id, erp, DeliveryState::Open, None)?;
        tx.begin_sending(&[tx.intent(intent)?], now, None)?;
        Ok((intent, event.id))
    })
    .await
}

fn make_erp_order(bench: &Bench, number: &str, marker: &str) -> String {
    let mut world = bench.erp.world();
    let id = world.place_order(number, "anna@example.com", &[("S", "2", "11.90")]);
    world.object_mut(Kind::Order, &id).unwrap().marker = Some(marker.into());
    id
}

#[tokio::test]
async fn an_order_is_known_once_and_goes_to_the_erp_once() {
    let (bench, ledger, _) = ordered().await;
    let order = one_order(&ledger).await;
    for _ in 0..2 {
        bench.try_pull(&ledger, bench.shop_id, Kind::Order, Mode::Full).await.unwrap();
    }
    assert_eq!(one_order(&ledger).await, order);
    assert_eq!(
        events(&ledger, order.id).await,
        [(EventName::Placed, String::new()), (EventName::Paid, "pay-1001".into())]
    );
    assert_eq!(
        deliveries(&ledger, order.id).await,
        [(bench.erp_id, EventName::Placed, DeliveryState::Due)],
        "the order carries its payment itself"
    );
    let id = order.id;
    let held = read(&ledger, move |view| view.reservations_of(id)).await;
    assert_eq!((held.len(), held[0].quantity), (1, rust_decimal::Decimal::TWO));
    let variant = records(&ledger, RecordKind::Variant).await.remove(0);
    assert!(wants(&ledger, bench.shop_id).await.contains(&("stock".into(), variant.id.0, "stock:main".into())));
    // The buyer came with the order; the customer pull finds the same one.
    let customers = records(&ledger, RecordKind::Customer).await;
    assert_eq!(customers.len(), 1);
    bench.pull(&ledger, bench.shop_id, Kind::Customer).await;
    assert_eq!(records(&ledger, RecordKind::Customer).await.len(), 1);
    assert!(wants(&ledger, bench.erp_id).await.contains(&("customer".into(), customers[0].id.0, "head".into())));
}

#[tokio::test]
async fn a_batch_that_comes_twice_counts_once() {
    let (bench, ledger) = Bench::new().await;
    bench.shop.world().batched.insert(Kind::Order);
    for n in 0..4 {
        bench.shop.world().place_order(&format!("{n}"), "a@b.c", &[("S", "1", "11.90")]);
    }
    bench.shop.fault(Fault::call(Verb::Acknowledge, 1, Misfortune::Refuse(RemoteError::Unavailable("gone".into()))));
    let end = bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    assert_eq!(end.state, RunState::Done, "a failed acknowledge is not a failed run");
    assert!(end.message.unwrap().contains("safe"));
    assert_eq!(records(&ledger, RecordKind::Order).await.len(), 3);
    // The second try fails too: the same batch comes again.
    bench.shop.fault(Fault::call(Verb::Acknowledge, 2, Misfortune::Refuse(RemoteError::Unavailable("gone".into()))));
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    assert_eq!(records(&ledger, RecordKind::Order).await.len(), 4);
    assert_eq!(bench.shop.world().batch_queue[&Kind::Order].len(), 0);
    let shop = bench.shop_id;
    assert!(!read(&ledger, move |view| view.stream(shop, Kind::Order)).await.ack_pending);
}

#[tokio::test]
async fn an_order_cancelled_unsent_is_never_sent_until_it_is_taken_up_again() {
    let (bench, ledger, order) = ordered().await;
    let id = one_order(&ledger).await.id;
    bench.shop.world().set_order_state(&order, OrderState::Cancelled);
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    assert_eq!(deliveries(&ledger, id).await, [(bench.erp_id, EventName::Placed, DeliveryState::Void)]);
    assert!(read(&ledger, move |view| view.reservations_of(id)).await.iter().all(|held| !held.open));
    bench.shop.world().set_order_state(&order, OrderState::Open);
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    assert_eq!(deliveries(&ledger, id).await, [(bench.erp_id, EventName::Placed, DeliveryState::Due)]);
}

#[tokio::test]
async fn an_order_cancelled_after_it_was_sent_is_cancelled_there_too() {
    let (bench, ledger, order) = ordered().await;
    let id = one_order(&ledger).await.id;
    sent_to_erp(&bench, &ledger, id).await;
    bench.shop.world().set_order_state(&order, OrderState::Cancelled);
    for _ in 0..2 {
        bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    }
    assert_eq!(
        deliveries(&ledger, id).await,
        [
            (bench.erp_id, EventName::Placed, DeliveryState::Open),
            (bench.erp_id, EventName::Cancelled, DeliveryState::Due)
        ]
    );
}

#[tokio::test]
async fn an_edit_goes_along_before_the_send_and_to_a_person_after_it() {
    let (bench, ledger, order) = ordered().await;
    let stored = one_order(&ledger).await;
    let mut placed = stored.facets[&key("placed")].body.clone();
    placed["note"] = json!("Ring twice");
    bench.shop.world().edit(Kind::Order, &order, "placed", placed.clone());
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    let id = stored.id;
    let event = read(&ledger, move |view| view.events_of(id)).await.remove(0);
    assert_eq!(event.body[&key("placed")]["note"], "Ring twice");
    assert_eq!(open_attentions(&ledger).await, []);
    sent_to_erp(&bench, &ledger, id).await;
    placed["note"] = json!("Ring three times");
    bench.shop.world().edit(Kind::Order, &order, "placed", placed.clone());
    for _ in 0..2 {
        bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    }
    let event = read(&ledger, move |view| view.event(event.id)).await;
    assert_eq!(event.body[&key("placed")]["note"], "Ring twice", "what was sent is frozen");
    assert_eq!(open_attentions(&ledger).await.len(), 1);
    let changed = events(&ledger, id).await.into_iter().filter(|(name, _)| *name == EventName::Changed).count();
    assert_eq!(changed, 1);
    // Our own number of it is no edit.
    placed["other_number"] = json!("SO7");
    bench.shop.world().edit(Kind::Order, &order, "placed", placed);
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    let changed = events(&ledger, id).await.into_iter().filter(|(name, _)| *name == EventName::Changed).count();
    assert_eq!(changed, 1);
}

#[tokio::test]
async fn a_payment_after_the_send_is_told() {
    let (bench, ledger) = Bench::new().await;
    let order = bench.shop.world().place_order("7", "a@b.c", &[("S", "1", "11.90")]);
    let paid = bench.shop.world().object(Kind::Order, &order).unwrap().facets[&key("payment")].clone();
    bench.shop.world().edit(Kind::Order, &order, "payment", json!({"state": "unpaid", "payments": []}));
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    let id = one_order(&ledger).await.id;
    sent_to_erp(&bench, &ledger, id).await;
    bench.shop.world().edit(Kind::Order, &order, "payment", paid);
    for _ in 0..2 {
        bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    }
    assert_eq!(deliveries(&ledger, id).await[1..], [(bench.erp_id, EventName::Paid, DeliveryState::Due)]);
}

#[tokio::test]
async fn an_order_that_does_not_add_up_is_kept_and_waits() {
    let (bench, ledger) = Bench::new().await;
    let order = bench.shop.world().place_order("7", "a@b.c", &[("S", "1", "11.90")]);
    let mut placed = bench.shop.world().object(Kind::Order, &order).unwrap().facets[&key("placed")].clone();
    let right = placed.clone();
    placed["total"] = json!("12.90");
    bench.shop.world().edit(Kind::Order, &order, "placed", placed);
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    let id = one_order(&ledger).await.id;
    assert_eq!(deliveries(&ledger, id).await, []);
    let open = open_attentions(&ledger).await;
    assert_eq!(open.len(), 1);
    assert!(open[0].title.contains("12.90"), "{}", open[0].title);
    bench.shop.world().edit(Kind::Order, &order, "placed", right);
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    assert_eq!(deliveries(&ledger, id).await, [(bench.erp_id, EventName::Placed, DeliveryState::Due)]);
    assert_eq!(open_attentions(&ledger).await, []);
}

#[tokio::test]
async fn orders_from_before_the_cut_over_go_nowhere() {
    let (bench, ledger) = Bench::new().await;
    let shop = bench.shop_id;
    write(&ledger, move |tx| tx.set_phase(shop, Kind::Order, Phase::Matching)).await;
    bench.shop.world().place_order("old", "a@b.c", &[("S", "1", "11.90")]);
    bench.clock.advance(10);
    let cut_over = bench.clock.now();
    bench.shop.world().place_order("new", "a@b.c", &[("S", "1", "11.90")]);
    bench.pull(&ledger, shop, Kind::Order).await;
    let orders = records(&ledger, RecordKind::Order).await;
    for order in &orders {
        assert_eq!(events(&ledger, order.id).await, []);
    }
    write(&ledger, move |tx| {
        tx.set_cut_over(shop, Kind::Order, Some(cut_over))?;
        tx.set_phase(shop, Kind::Order, Phase::Live)?;
        // The shop need not show them again.
        assert_eq!(admit_orders(tx, shop, cut_over)?, 1);
        Ok(())
    })
    .await;
    assert_eq!(deliveries(&ledger, orders[1].id).await, [(bench.erp_id, EventName::Placed, DeliveryState::Due)]);
    bench.try_pull(&ledger, shop, Kind::Order, Mode::Full).await.unwrap();
    assert_eq!(records(&ledger, RecordKind::Order).await.len(), 2);
    assert_eq!(events(&ledger, orders[0].id).await, []);
    assert_eq!(deliveries(&ledger, orders[1].id).await, [(bench.erp_id, EventName::Placed, DeliveryState::Due)]);
    let id = orders[0].id;
    let links = read(&ledger, move |view| view.links_of(id)).await;
    assert_eq!((links[0].state, links[0].reason.as_deref()), (LinkState::Ignored, Some("before cut-over")));
}

#[tokio::test]
async fn our_own_order_read_back_is_no_new_one() {
    // The answer is still to come, was lost with a connector that can look, and with one that cannot.
    for (lost, finds, state, noted) in [
        (false, true, IntentState::Sending, true),
        (true, true, IntentState::Unknown, true),
        (true, false, IntentState::Done, true),
    ] {
        let (mut bench, ledger, _) = ordered().await;
        bench.change_policy(&ledger, bench.erp_id, |policy| policy.creates.push(RecordKind::Order)).await;
        if !finds {
            let blind = bench.erp.described(|description| {
                description.abilities.iter_mut().for_each(|ability| ability.lookup_lag = None);
            });
            bench.erp = blind;
        }
        let id = one_order(&ledger).await.id;
        let (intent, event) = sent_to_erp(&bench, &ledger, id).await;
        if lost {
            write(&ledger, move |tx| tx.set_intent(intent, IntentState::Unknown, None, None)).await;
        }
        let remote = make_erp_order(&bench, "SO1", "shop-1001");
        for _ in 0..2 {
            bench.pull(&ledger, bench.erp_id, Kind::Order).await;
        }
        assert_eq!(one_order(&ledger).await.id, id);
        let linked = link(&ledger, bench.erp_id, RecordKind::Order, &remote).await.unwrap();
        assert_eq!((linked.record, linked.made_by, linked.state), (Some(id), MadeBy::Created, LinkState::Live));
        let intent = read(&ledger, move |view| view.intent(intent)).await;
        assert_eq!((intent.state, intent.remote_id.as_deref() == Some(&remote)), (state, noted));
        let placed = deliveries(&ledger, id).await[0].2;
        assert_eq!(placed == DeliveryState::Done, state == IntentState::Done);
        assert!(event.0 > 0);
        // The ERP's number goes to the shop, once.
        let told = deliveries(&ledger, id).await;
        let numbered: Vec<_> = told.iter().filter(|(_, name, _)| *name == EventName::Numbered).collect();
        assert_eq!(numbered, [&(bench.shop_id, EventName::Numbered, DeliveryState::Due)]);
    }
}

#[tokio::test]
async fn what_the_erp_does_with_an_order_goes_to_the_shop() {
    let (bench, ledger, _) = ordered().await;
    let id = one_order(&ledger).await.id;
    sent_to_erp(&bench, &ledger, id).await;
    let remote = make_erp_order(&bench, "SO1", "shop-1001");
    bench.pull(&ledger, bench.erp_id, Kind::Order).await;
    let held = read(&ledger, move |view| view.reservations_of(id)).await;
    assert!(held[0].open && held[0].accepted_at.is_some());
    let shipment = bench.erp.world().ship(&remote, "T1");
    for _ in 0..2 {
        bench.pull(&ledger, bench.erp_id, Kind::Shipment).await;
    }
    let told = deliveries(&ledger, id).await;
    let shipments: Vec<_> = told.iter().filter(|(_, name, _)| *name == EventName::Shipment).collect();
    assert_eq!(shipments, [&(bench.shop_id, EventName::Shipment, DeliveryState::Due)]);
    assert!(events(&ledger, id).await.contains(&(EventName::Shipment, format!("erp/{shipment}"))));
    assert!(read(&ledger, move |view| view.reservations_of(id)).await.iter().all(|held| !held.open));
    bench.erp.world().set_order_state(&remote, OrderState::Cancelled);
    for _ in 0..2 {
        bench.pull(&ledger, bench.erp_id, Kind::Order).await;
    }
    let told = deliveries(&ledger, id).await;
    let cancelled: Vec<_> = told.iter().filter(|(_, name, _)| *name == EventName::Cancelled).collect();
    assert_eq!(cancelled, [&(bench.shop_id, EventName::Cancelled, DeliveryState::Due)]);
}

#[tokio::test]
async fn our_own_shipment_read_back_is_ours() {
    let (bench, ledger, order) = ordered().await;
    let id = one_order(&ledger).await.id;
    sent_to_erp(&bench, &ledger, id).await;
    let remote = make_erp_order(&bench, "SO1", "shop-1001");
    bench.pull(&ledger, bench.erp_id, Kind::Order).await;
    bench.erp.world().ship(&remote, "T1");
    bench.pull(&ledger, bench.erp_id, Kind::Shipment).await;
    let event = read(&ledger, move |view| view.events_of(id))
        .await
        .into_iter()
        .find(|e| e.name == EventName::Shipment)
        .unwrap();
    // Linked by the push, as it should be.
    let pushed = bench.shop.world().add(Kind::Shipment, event.body.clone());
    bench.shop.world().object_mut(Kind::Shipment, &pushed).unwrap().of = Some(order.clone());
    let (shop, ext_key, remote) = (bench.shop_id, event.ext_key.clone(), RemoteRef::new(pushed.clone()));
    write(&ledger, move |tx| {
        tx.add_link(&NewLink {
            slot: ext_key,
            ..NewLink::live(shop, RecordKind::Shipment, id, remote, MadeBy::Created)
        })
    })
    .await;
    bench.pull(&ledger, bench.shop_id, Kind::Shipment).await;
    let shipments = events(&ledger, id).await.into_iter().filter(|(name, _)| *name == EventName::Shipment).count();
    assert_eq!(shipments, 1);
    assert_eq!(body(&event.name.as_str()), json!("shipment"));
}
