//! The host dies at every transaction boundary and at both sides of every request, and comes up again.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::ledger::{Boundary, Options};
use crate::model::sales::OrderState;
use crate::sync::fake::Side;
use crate::sync::recovery;

/// A shop that hands out its orders in batches, an ERP with a catalogue, several pages of each.
async fn filled() -> Bench {
    let (bench, ledger) = Bench::new().await;
    bench.shop.world().batched.insert(Kind::Order);
    for n in 0..4 {
        bench.erp.world().add_product(&format!("P{n}"), &[&format!("P{n}")]);
        bench.erp.world().set_stock(&format!("P{n}"), "main", "9");
        bench.shop.world().add_product(&format!("P{n}"), &[&format!("P{n}")]);
    }
    for n in 0..5 {
        let sku = format!("P{}", n % 4);
        let order = bench.shop.world().place_order(&format!("{n}"), &format!("{n}@b.c"), &[(&sku, "1", "11.90")]);
        if n == 4 {
            bench.shop.world().set_order_state(&order, OrderState::Cancelled);
        }
    }
    ledger.close();
    bench.clock.advance(60);
    bench
}

/// One life of the host: starts, recovers, pulls everything. `Err` when it died.
async fn live(bench: &Bench, ledger: &Ledger) -> Result<(), LedgerError> {
    ledger.write(|tx| tx.begin_boot("here")).await?;
    recovery::recover(ledger).await?;
    for (platform, kind) in [
        (bench.erp_id, Kind::Product),
        (bench.erp_id, Kind::Stock),
        (bench.shop_id, Kind::Product),
        (bench.shop_id, Kind::Order),
    ] {
        let end = bench.try_pull(ledger, platform, kind, Mode::Changes).await?;
        if end.state == RunState::Failed {
            // The fake says so when the host died in the middle of a request.
            return Err(LedgerError::Closed);
        }
    }
    Ok(())
}

/// What is there in the end, wherever the host died on the way.
async fn picture(bench: &Bench) -> Vec<String> {
    let ledger = bench.home.open();
    // A life without trouble, to its end.
    live(bench, &ledger).await.unwrap();
    let mut picture = read(&ledger, |view| view.picture()).await;
    picture.sort();
    assert_eq!(bench.shop.world().batch_queue[&Kind::Order].len(), 0, "every batch was acknowledged");
    ledger.close();
    picture
}

async fn undisturbed() -> Vec<String> {
    let bench = filled().await;
    let picture = picture(&bench).await;
    assert_eq!(picture.iter().filter(|line| line.starts_with("event") && line.contains(" placed ")).count(), 5);
    assert_eq!(picture.iter().filter(|line| line.starts_with("delivery")).count(), 4, "the cancelled one goes nowhere");
    assert_eq!(picture.iter().filter(|line| line.starts_with("reservation")).count(), 4);
    picture
}

#[tokio::test]
async fn at_every_transaction_boundary() {
    let expected = undisturbed().await;
    let mut survived = false;
    for at in 0..200 {
        let bench = filled().await;
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let crash: crate::ledger::CrashHook = Arc::new(move |_: Boundary| counted.fetch_add(1, Ordering::SeqCst) == at);
        let ledger = bench.home.open_with(Options { crash: Some(crash) });
        let lived = live(&bench, &ledger).await;
        ledger.close();
        assert_eq!(picture(&bench).await, expected, "died at boundary {at}");
        if lived.is_ok() {
            assert!(at > 30, "only {at} boundaries: the scenario has shrunk");
            survived = true;
            break;
        }
    }
    assert!(survived, "there were boundaries left to die at");
}

#[tokio::test]
async fn at_both_sides_of_every_request() {
    let expected = undisturbed().await;
    for side in [Side::Before, Side::After] {
        for of_shop in [true, false] {
            let mut survived = false;
            for at in 1..100 {
                let bench = filled().await;
                let ledger = bench.home.open();
                let fake = if of_shop { &bench.shop } else { &bench.erp };
                let dying = ledger.clone();
                fake.on_crash(move || dying.close());
                let before = fake.world().requests;
                fake.world().crash_at = Some((before + at, side));
                let lived = live(&bench, &ledger).await;
                ledger.close();
                bench.shop.revive();
                bench.erp.revive();
                assert_eq!(picture(&bench).await, expected, "died at request {at}, {side:?}");
                if lived.is_ok() {
                    assert!(at > 3, "only {at} requests: the scenario has shrunk");
                    survived = true;
                    break;
                }
            }
            assert!(survived, "there were requests left to die at");
        }
    }
}
