//! A stop in the middle of work.

use std::time::{Duration, Instant};

use anyhow::Result;
use reqwest::Method;
use tradepost_tests::trade;
use woocommerce_simulator::{Misbehaviour, Script};

use crate::Trade;

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_of_work_takes_no_ten_seconds_and_leaves_one_whole_file() -> Result<()> {
    let trade = Trade::begin().await?;
    let mut host = trade.place.spawn()?;
    host.ready().await?;
    for n in 0..3 {
        trade.sell(n)?;
    }
    // The shop answers so slowly that no run ends by itself in time.
    for _ in 0..6 {
        trade.shop.control().misbehave(Script::any(1, Misbehaviour::HangBefore));
    }
    host.start(("shop", "pull", "order")).await?;
    host.start(("shop", "pull", "stock")).await?;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let status = host.ask(Method::GET, "/status", None).await?;
    assert!(status["runs"].as_array().is_some_and(|runs| !runs.is_empty()), "nothing is under way: {status}");

    let began = Instant::now();
    assert_eq!(host.stop().await?.code(), Some(0));
    assert!(began.elapsed() <= Duration::from_secs(10), "it took {:?}", began.elapsed());
    // Everything lies in the one file, which a copy of it alone would hold.
    let ledger = trade.place.data().join("clients/default/ledger.db");
    let log = ledger.with_extension("db-wal");
    assert!(!log.exists() || log.metadata()?.len() == 0, "the write-ahead log was not moved into the ledger");
    assert!(!trade.place.data().join("api").exists(), "the address means nothing any more");

    // The next life goes on where it was: the orders arrive, once.
    trade.shop.control().behave();
    let mut erp = trade.erp;
    let mut host = trade.place.spawn()?;
    host.ready().await?;
    for _ in 0..3 {
        for step in trade::CYCLE {
            host.run(step).await?;
        }
        erp.take_up()?;
    }
    assert_eq!(erp.entries().len(), 3, "{:?}", erp.entries());
    assert_eq!(host.stop().await?.code(), Some(0));
    Ok(())
}
