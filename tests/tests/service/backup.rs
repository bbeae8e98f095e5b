//! A backup while everything goes on, its restore, and the way back to work.

use anyhow::{Context, Result};
use reqwest::Method;
use tradepost_tests::host::Host;
use tradepost_tests::trade;

use crate::Trade;

/// Everything once, and the ERP takes up what it finds.
async fn cycle(host: &Host, trade: &mut Trade) -> Result<()> {
    for _ in 0..2 {
        for step in trade::CYCLE {
            host.run(step).await?;
        }
        trade.erp.take_up()?;
        trade.erp.number(usize::MAX)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_sends_nothing_until_it_has_looked_and_then_doubles_nothing() -> Result<()> {
    let mut trade = Trade::begin().await?;
    let mut host = trade.place.spawn()?;
    host.ready().await?;
    trade.sell(1)?;
    cycle(&host, &mut trade).await?;
    assert_eq!(trade.erp.entries().len(), 1);

    // Runs go on while the copy is made.
    trade.sell(2)?;
    host.start(("shop", "pull", "order")).await?;
    host.start(("erp", "pull", "product")).await?;
    let told = trade.place.tell(&["backup", "backup.db"]).await?.ended(0)?;
    assert!(told.contains("The ledger was copied to"), "{told}");
    let again = trade.place.tell(&["backup", "backup.db"]).await?;
    assert_eq!(again.code, Some(1), "a backup that is there is not overwritten: {again:?}");
    // Restoring under a running service is refused.
    let refused = trade.place.tell(&["restore", "backup.db"]).await?;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("stop it first"), "{refused:?}");

    // What the backup does not know: two orders went all the way.
    trade.sell(3)?;
    cycle(&host, &mut trade).await?;
    trade.sell(4)?;
    cycle(&host, &mut trade).await?;
    assert_eq!(trade.erp.entries().len(), 4);
    assert_eq!(host.stop().await?.code(), Some(0));

    let told = trade.place.tell(&["restore", "backup.db"]).await?.ended(0)?;
    assert!(told.contains("safe mode") && told.contains("before-restore"), "{told}");
    let mut host = trade.place.spawn()?;
    host.ready().await?;
    host.becomes(503, "safe-mode").await?;
    let status = trade.place.tell(&["status"]).await?.ended(0)?;
    assert!(status.contains("SAFE MODE") && status.contains("automatic mode off"), "{status}");
    let on = trade.place.tell(&["automatic", "on"]).await?;
    assert_eq!(on.code, Some(1), "{on:?}");
    trade.shop.control().reset_journal();
    let run = host.run(("shop", "push", "stock")).await?;
    assert_eq!(run["state"], "failed", "{run}");
    assert!(run["message"].as_str().is_some_and(|words| words.contains("safe mode")), "{run}");
    host.run(("erp", "push", "order")).await?;
    assert_eq!(trade.shop.control().journal().write_requests(), 0);
    assert_eq!(trade.erp.waiting()?, Vec::<String>::new(), "nothing is sent in safe mode");

    // The same business: it looks first, and says what it found.
    let resumed = trade.place.tell(&["restore", "--resume"]).await?;
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert_eq!(trade.shop.control().journal().write_requests(), 0, "it only read");
    let status = host.ask(Method::GET, "/status", None).await?;
    let states: Vec<&str> = status["platforms"]
        .as_array()
        .context("status without platforms")?
        .iter()
        .filter_map(|platform| platform["state"].as_str())
        .collect();
    assert_eq!(states, ["recovering", "recovering"], "{status}");
    for code in ["shop", "erp"] {
        trade.place.tell(&["platform", "resume", code]).await?.ended(0)?;
    }
    host.becomes(200, "\"ready\":true").await?;
    trade.sell(5)?;
    for _ in 0..3 {
        cycle(&host, &mut trade).await?;
    }
    let mut numbers: Vec<&str> = trade.erp.entries().iter().map(|entry| entry.shop_number.as_str()).collect();
    numbers.sort_unstable();
    let entered = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), entered, "an order was entered twice: {:?}", trade.erp.entries());
    let asked = host.ask(Method::GET, "/attention", None).await?;
    assert_eq!(entered, 5, "an order was lost: {:?}\nquestions: {asked:#}", trade.erp.entries());
    assert_eq!(host.stop().await?.code(), Some(0));
    Ok(())
}
