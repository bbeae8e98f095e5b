//! The host dies: at every commit, and at either side of every request.

use super::stage::{ERP, SHOP, Stage};
use crate::ledger::event::EventName;
use crate::model::sales::{Happening, OrderEvent};
use crate::model::{Kind, RecordId};
use crate::sync::fake::{Fault, Misfortune, Side, body, time};

/// A day's work: a product with two variants made in several requests, two orders of one customer, a number, a shipment.
async fn prepared() -> (Stage, RecordId) {
    let stage = Stage::new().await;
    stage.shop.world().multi_step.insert(Kind::Product);
    stage.product("shirt", &["TS-S", "TS-M"]).await;
    stage.product("mug", &["MUG"]).await;
    let first = stage.order("1001", "zoe@example.com", &[("TS-S", "2", "19.99"), ("MUG", "1", "8.40")]).await;
    stage.order("1002", "zoe@example.com", &[("MUG", "1", "8.40")]).await;
    let what = Happening::Numbered("S0042".into());
    let event = OrderEvent { at: time("2026-11-22T11:00:00Z"), what };
    stage.happens(first, EventName::Numbered, "", [("event".into(), body(&event))].into(), ERP).await;
    let shipment = serde_json::json!({"shipped": "2026-11-22T11:00:00Z", "completes": true,
        "parcels": [{"number": 1, "tracking": "TRACK-1", "lines": []}]});
    stage.happens(first, EventName::Shipment, "sh1", [("shipment".into(), shipment)].into(), ERP).await;
    (stage, first)
}

/// Everything arrived, once.
fn assert_whole(stage: &Stage, at: &str) {
    let shop = stage.shop.world();
    for sku in ["TS-S", "TS-M", "MUG"] {
        let variants = shop.all(Kind::Product).iter().flat_map(|p| &p.variants).filter(|v| v.sku == sku).count();
        assert_eq!(variants, 1, "{at}: {sku}");
        assert!(shop.stock_of(sku, "main").is_some(), "{at}: stock of {sku}");
        assert!(shop.price_of(sku, "price:base:main").is_some(), "{at}: price of {sku}");
    }
    assert_eq!(shop.all(Kind::Product).len(), 2, "{at}: products");
    assert!(shop.all(Kind::Product).iter().all(|product| product.whole), "{at}: whole");
    assert_eq!(shop.all(Kind::Shipment).len(), 1, "{at}: shipments");
    assert_eq!(shop.applied.len(), 1, "{at}: events");
    drop(shop);
    let erp = stage.erp.world();
    for number in ["1001", "1002"] {
        assert_eq!(erp.orders(number).len(), 1, "{at}: order {number}");
        assert!(erp.orders(number)[0].whole, "{at}: order {number} is whole");
    }
    assert_eq!(erp.all(Kind::Customer).len(), 1, "{at}: customers");
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_when_the_power_is_cut_at_any_commit() {
    let mut boundary = 0;
    loop {
        boundary += 1;
        let (mut stage, _) = prepared().await;
        stage.cut_power_at(boundary);
        let cut = stage.cycle().await.is_err();
        assert_eq!(cut, stage.power_is_cut(), "boundary {boundary}");
        stage.restart().await;
        stage.quiesce().await;
        assert_whole(&stage, &format!("commit boundary {boundary}"));
        if !cut {
            break;
        }
    }
    assert!(boundary > 60, "only {boundary} boundaries were found");
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_when_the_host_dies_at_any_request() {
    for at_shop in [true, false] {
        for side in [Side::Before, Side::After] {
            let mut request = 0;
            loop {
                request += 1;
                let (mut stage, _) = prepared().await;
                let fake = if at_shop { stage.shop.clone() } else { stage.erp.clone() };
                let before = fake.world().requests;
                fake.world().crash_at = Some((before + request, side));
                drop(stage.cycle().await);
                let died = fake.world().crashed;
                stage.restart().await;
                stage.quiesce().await;
                assert_whole(
                    &stage,
                    &format!("{side:?} request {request} of the {}", if at_shop { "shop" } else { "ERP" }),
                );
                if !died {
                    break;
                }
            }
            assert!(request > 5, "only {request} requests were found");
        }
    }
}

#[tokio::test]
async fn every_misfortune_at_every_place_ends_with_everything_there_once() {
    let misfortunes = [
        Misfortune::TimeoutAfter,
        Misfortune::Late(20),
        Misfortune::Late(55),
        Misfortune::TrapBefore,
        Misfortune::TrapAfter,
        Misfortune::Forget,
        Misfortune::Refuse(crate::model::RemoteError::Unavailable("down".into())),
        Misfortune::Refuse(crate::model::RemoteError::Throttled(7)),
        Misfortune::Refuse(crate::model::RemoteError::Conflict(None)),
    ];
    for what in misfortunes {
        for at_shop in [true, false] {
            // A shirt takes three requests, an order two.
            for call in 1..=3 {
                for step in 1..=if at_shop { 3 } else { 2 } {
                    let (stage, _) = prepared().await;
                    let fake = if at_shop { stage.shop.clone() } else { stage.erp.clone() };
                    fake.fault(Fault::item(call, 1, what.clone()).at_step(step));
                    stage.quiesce().await;
                    let platform = if at_shop { SHOP } else { ERP };
                    assert_whole(&stage, &format!("{what:?} at {platform} call {call} step {step}"));
                }
            }
        }
    }
}
