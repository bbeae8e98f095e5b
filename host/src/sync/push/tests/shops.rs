//! Two shops sell what lies on one shelf.

use std::sync::Arc;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::stage::{ERP, SHOP, Stage, shop_policy};
use crate::ledger::platform::{NewPlatform, PlatformState};
use crate::ledger::run::{Cause, Direction, NewRun, RunState};
use crate::ledger::stream::Phase;
use crate::ledger::tests::write;
use crate::model::sales::OrderState;
use crate::model::{Kind, PlatformCode, PlatformId};
use crate::sync::clock::Clock;
use crate::sync::connector::Connector;
use crate::sync::fake::{FakePlatform, dec};
use crate::sync::pull::{Mode, Pull};

const OTHER: PlatformId = PlatformId(3);

/// Opens the second shop.
async fn open_other(stage: &Stage) -> FakePlatform {
    let other = FakePlatform::shop(Arc::clone(&stage.clock) as Arc<dyn Clock>);
    stage.connectors.serve(OTHER, &other);
    other.world().account.id = "other".into();
    let account = other.world().account.clone();
    let space = other.description().id_space.clone();
    write(&stage.ledger, move |tx| {
        let added = tx.add_platform(&NewPlatform {
            code: PlatformCode::parse("other").unwrap(),
            name: "other".into(),
            connector: "test.shop".into(),
            settings: json!({}),
        })?;
        assert_eq!(added, OTHER);
        tx.set_account(OTHER, &account, 0)?;
        tx.pin_account(OTHER, &account.id, &space)?;
        tx.set_policy(OTHER, &shop_policy())?;
        tx.set_platform_state(OTHER, PlatformState::Active, None)?;
        for kind in Kind::ALL {
            tx.set_phase(OTHER, *kind, Phase::Live)?;
        }
        Ok(())
    })
    .await;
    other
}

async fn pull(stage: &Stage, fake: &FakePlatform, platform: PlatformId, kind: Kind) {
    let new = NewRun { action: None, platform, direction: Direction::Pull, kind, cause: Cause::Manual, preview: false };
    let run = stage.ledger.write(move |tx| tx.queue_run(&new)).await.unwrap();
    let pull = Pull {
        ledger: stage.ledger.clone(),
        clock: Arc::clone(&stage.clock) as Arc<dyn Clock>,
        connector: Arc::new(fake.clone()),
        platform,
        kind,
        run,
        page: 3,
        stop: CancellationToken::new(),
    };
    let end = pull.run(Mode::Changes).await.unwrap();
    assert!(matches!(end.state, RunState::Done | RunState::DoneWithIssues), "{platform} {kind}: {end:?}");
}

/// Reads everything, shops' orders last, then sends to both shops and to the ERP.
async fn cycle(stage: &Stage, other: &FakePlatform) {
    stage.clock.advance(10);
    for kind in [Kind::Product, Kind::Price, Kind::Stock, Kind::Order] {
        pull(stage, &stage.erp, ERP, kind).await;
    }
    for (fake, platform) in [(&stage.shop, SHOP), (other, OTHER)] {
        for kind in [Kind::Product, Kind::Stock, Kind::Customer, Kind::Order] {
            pull(stage, fake, platform, kind).await;
        }
    }
    stage.clock.advance(10);
    for platform in [SHOP, OTHER] {
        for kind in [Kind::Product, Kind::Price, Kind::Stock] {
            stage.push(platform, kind).await;
        }
    }
    for kind in [Kind::Customer, Kind::Order] {
        stage.push(ERP, kind).await;
    }
}

#[tokio::test]
async fn the_last_piece_is_offered_in_both_shops_and_sold_in_one() {
    let stage = Stage::new().await;
    let other = open_other(&stage).await;
    {
        let mut erp = stage.erp.world();
        erp.add_product("mug", &["MUG"]);
        erp.set_stock("MUG", "main", "1");
        erp.set_price("MUG", "8.40");
    }
    let stock = |fake: &FakePlatform| fake.world().stock_of("MUG", "main");
    for _ in 0..3 {
        cycle(&stage, &other).await;
    }
    assert_eq!((stock(&stage.shop), stock(&other)), (Some(dec("1")), Some(dec("1"))));

    // It is sold in the one shop; before the ERP counts it, the other shop must have none.
    let sold = stage.shop.world().place_order("1001", "zoe@example.com", &[("MUG", "1", "10.00")]);
    cycle(&stage, &other).await;
    cycle(&stage, &other).await;
    assert_eq!(stock(&other), Some(dec("0")), "the last piece is gone");
    assert_eq!(stock(&stage.shop), Some(dec("0")));
    assert_eq!(stage.erp.world().orders("1001").len(), 1);

    // Both sold it at the same moment: both orders arrive, and no shop is told a figure below nothing.
    other.world().place_order("2001", "max@example.com", &[("MUG", "1", "10.00")]);
    for _ in 0..3 {
        cycle(&stage, &other).await;
    }
    assert_eq!(stage.erp.world().all(Kind::Order).len(), 2, "each order arrives once");
    assert_eq!((stock(&stage.shop), stock(&other)), (Some(dec("0")), Some(dec("0"))));

    // One is cancelled: the piece belongs to the other order, and there is none to sell.
    stage.shop.world().set_order_state(&sold, OrderState::Cancelled);
    for _ in 0..3 {
        cycle(&stage, &other).await;
    }
    assert_eq!((stock(&stage.shop), stock(&other)), (Some(dec("0")), Some(dec("0"))));
    let again = stage.erp.world().orders("2001").len();
    assert_eq!(again, 1);

    // And so is the other: the piece is for sale again, in both.
    let second = other.world().orders("2001")[0].id.clone();
    other.world().set_order_state(&second, OrderState::Cancelled);
    for _ in 0..3 {
        cycle(&stage, &other).await;
    }
    assert_eq!((stock(&stage.shop), stock(&other)), (Some(dec("1")), Some(dec("1"))), "it is back on the shelf");
}
