//! Old orders as finished business.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::ledger::event::{DeliveryState, EventName};
use crate::sync::plan::AS_DONE;
use crate::sync::pull::backfill::{Backfill, Backfilled};

/// Three old orders of one shop that is live since.
async fn old_orders() -> (Bench, Ledger, Timestamp) {
    let (bench, ledger) = Bench::new().await;
    let shop = bench.shop_id;
    write(&ledger, move |tx| tx.set_phase(shop, Kind::Order, Phase::Matching)).await;
    let began = bench.clock.now();
    for number in ["1", "2", "3"] {
        bench.shop.world().place_order(number, "a@b.c", &[("S", "1", "11.90")]);
        bench.clock.advance(10);
    }
    bench.pull(&ledger, shop, Kind::Order).await;
    let cut_over = bench.clock.now();
    write(&ledger, move |tx| {
        tx.set_cut_over(shop, Kind::Order, Some(cut_over))?;
        tx.set_phase(shop, Kind::Order, Phase::Live)
    })
    .await;
    (bench, ledger, began)
}

async fn backfill(ledger: &Ledger, asked: Backfill) -> BTreeMap<Backfilled, u64> {
    write(ledger, move |tx| {
        let mut counts = BTreeMap::new();
        let mut after = LinkId(0);
        while let Some(last) = asked.chunk(tx, after, Timestamp::now(), &mut counts)? {
            after = last;
        }
        Ok(counts)
    })
    .await
}

async fn ways(ledger: &Ledger) -> Vec<(PlatformId, EventName, DeliveryState, Option<String>)> {
    let mut found = Vec::new();
    for order in records(ledger, RecordKind::Order).await {
        let ways = read(ledger, move |view| {
            view.deliveries_of(order.id)?
                .into_iter()
                .map(|way| Ok((way.platform, view.event(way.event)?.name, way.state, way.reason)))
                .collect::<Result<Vec<_>, LedgerError>>()
        })
        .await;
        found.extend(ways);
    }
    found
}

#[tokio::test]
async fn old_orders_go_on_as_finished_business_once() {
    let (bench, ledger, began) = old_orders().await;
    let asked = Backfill { shop: bench.shop_id, since: began, until: bench.clock.now(), able: vec![bench.erp_id] };
    assert_eq!(backfill(&ledger, asked.clone()).await, [(Backfilled::Sent, 3)].into());
    let due = (bench.erp_id, EventName::Placed, DeliveryState::Due, Some(AS_DONE.to_owned()));
    assert_eq!(ways(&ledger).await, vec![due; 3]);
    // Asked for again, and read again in between, nothing goes twice, and it stays finished business.
    assert_eq!(backfill(&ledger, asked.clone()).await, [(Backfilled::Known, 3)].into());
    let order = bench.shop.world().orders("1")[0].id.clone();
    bench.shop.world().edit(Kind::Order, &order, "state", json!("completed"));
    bench.try_pull(&ledger, bench.shop_id, Kind::Order, Mode::Full).await.unwrap();
    assert_eq!(ways(&ledger).await.len(), 3, "what happens to it later stays here");
    assert_eq!(backfill(&ledger, asked).await, [(Backfilled::Known, 3)].into());
}

#[tokio::test]
async fn only_what_was_asked_for_and_what_may_go_is_handed_on() {
    let (bench, ledger, began) = old_orders().await;
    let (shop, erp) = (bench.shop_id, bench.erp_id);
    let ids: Vec<String> = ["1", "2", "3"].map(|number| bench.shop.world().orders(number)[0].id.clone()).into();
    bench.shop.world().edit(Kind::Order, &ids[0], "state", json!("cancelled"));
    bench.shop.world().edit(Kind::Order, &ids[1], "payment", json!({"state": "unpaid", "payments": []}));
    bench.try_pull(&ledger, shop, Kind::Order, Mode::Full).await.unwrap();
    bench.change_policy(&ledger, erp, |policy| policy.orders.wait_for_payment = true).await;

    // Nobody can: nothing goes.
    let until = bench.clock.now();
    let asked = Backfill { shop, since: began, until, able: vec![] };
    assert_eq!(backfill(&ledger, asked.clone()).await, [(Backfilled::Known, 2), (Backfilled::Cancelled, 1)].into());
    // The first two alone.
    let third = began.checked_add(SignedDuration::from_secs(20)).unwrap();
    let asked = Backfill { able: vec![erp], ..asked };
    let early = Backfill { until: third, ..asked.clone() };
    let expected = [(Backfilled::Outside, 1), (Backfilled::Cancelled, 1), (Backfilled::Unpaid, 1)];
    assert_eq!(backfill(&ledger, early).await, expected.into());
    assert_eq!(ways(&ledger).await, []);
    let expected = [(Backfilled::Sent, 1), (Backfilled::Cancelled, 1), (Backfilled::Unpaid, 1)];
    assert_eq!(backfill(&ledger, asked).await, expected.into());
    assert_eq!(ways(&ledger).await.len(), 1);
}

#[tokio::test]
async fn an_order_that_went_its_way_is_not_handed_on_again() {
    let (bench, ledger) = Bench::new().await;
    let began = bench.clock.now();
    bench.shop.world().place_order("1", "a@b.c", &[("S", "1", "11.90")]);
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    let before = ways(&ledger).await;
    assert_eq!(before.len(), 1, "it is on its way as any order");
    let asked = Backfill { shop: bench.shop_id, since: began, until: bench.clock.now(), able: vec![bench.erp_id] };
    assert_eq!(backfill(&ledger, asked).await, BTreeMap::new());
    assert_eq!(ways(&ledger).await, before);
}
