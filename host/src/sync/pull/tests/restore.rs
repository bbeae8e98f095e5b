//! A ledger from an hour ago looks before it sends: what was read and made since is found again.

use super::*;
use crate::ledger::Options;
use crate::ledger::link::LinkState;

/// Orders of the shop, and what the ERP made of them since the backup. With batches, those of the last hour were
/// acknowledged and do not come again by themselves.
async fn an_hour_later(batched: bool) {
    let (bench, ledger) = Bench::new().await;
    if batched {
        bench.shop.world().batched.insert(Kind::Order);
    }
    for n in 0..3 {
        bench.shop.world().place_order(&format!("before-{n}"), "a@b.c", &[("S", "1", "11.90")]);
    }
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    bench.pull(&ledger, bench.shop_id, Kind::Order).await;
    let backup_at = bench.clock.now();
    let copy = bench.home.path().with_file_name("backup.db");
    let target = copy.clone();
    read(&ledger, move |view| view.copy_to(&target)).await;

    bench.clock.advance(60);
    for n in 0..40 {
        bench.shop.world().place_order(&format!("after-{n}"), &format!("{n}@b.c"), &[("S", "1", "11.90")]);
        bench.clock.advance(60);
        bench.pull(&ledger, bench.shop_id, Kind::Order).await;
        let number = format!("SO{n}");
        let made = bench.erp.world().place_order(&number, &format!("{n}@b.c"), &[("S", "1", "11.90")]);
        bench.erp.world().object_mut(Kind::Order, &made).unwrap().marker = Some(format!("shop-after-{n}"));
    }
    assert_eq!(records(&ledger, RecordKind::Order).await.len(), 43);
    let given = records(&ledger, RecordKind::Order).await.last().unwrap().id;
    ledger.close();

    let ledger = Ledger::open(&copy, Options::default()).unwrap();
    let shop = bench.shop_id;
    let kept: Vec<RecordId> = records(&ledger, RecordKind::Order).await.iter().map(|order| order.id).collect();
    assert_eq!(kept.len(), 3);
    write(&ledger, |tx| {
        tx.begin_boot("here")?;
        tx.enter_safe_mode("restored")?;
        tx.leave_safe_mode("here")
    })
    .await;
    bench.clock.advance(60);
    let window = Mode::Window { since: backup_at - SignedDuration::from_secs(300), until: None };
    bench.try_pull(&ledger, shop, Kind::Order, window).await.unwrap();
    if batched {
        // Batches are gone for good; the list of all ids still has them.
        bench.prepare(&ledger, shop, Kind::Order).await.unwrap().sweep(false).await.unwrap();
    }
    let orders = records(&ledger, RecordKind::Order).await;
    assert_eq!(orders.len(), 43, "none lost, none doubled");
    let mut news = orders.iter().map(|order| order.id).filter(|id| !kept.contains(id));
    assert!(news.all(|id| id > given), "numbers that stand in markers are not given again");

    // What was made in the ERP since is found by its marker: nothing of it would be made again.
    bench.try_pull(&ledger, bench.erp_id, Kind::Order, Mode::Full).await.unwrap();
    let mut found = 0;
    for order in &orders {
        let (erp, id) = (bench.erp_id, order.id);
        let links = read(&ledger, move |view| view.links_of(id)).await;
        found += links.iter().filter(|link| link.platform == erp && link.state == LinkState::Live).count();
    }
    assert_eq!(found, 40);
    assert_eq!(records(&ledger, RecordKind::Order).await.len(), 43);
}

#[tokio::test]
async fn with_changes_by_time() {
    an_hour_later(false).await;
}

#[tokio::test]
async fn with_acknowledged_batches() {
    an_hour_later(true).await;
}
