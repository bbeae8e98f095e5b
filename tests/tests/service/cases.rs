//! A call that went wrong at a merchant's, handed to the connector's developer, who repeats it without the merchant.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use tradepost::runtime::case::{Bundle, replay};
use woocommerce_simulator::{Misbehaviour, Script};

use crate::Trade;

/// Waits until a case was written; that happens beside the run.
async fn kept(folder: &Path) -> Result<()> {
    let any = || {
        std::fs::read_dir(folder)
            .is_ok_and(|files| files.flatten().any(|f| f.path().extension().is_some_and(|e| e == "json")))
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), async {
        while !any() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await
    .context("no case was kept")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_call_is_exported_without_personal_data_and_replayed() -> Result<()> {
    let trade = Trade::begin().await?;
    let mut host = trade.place.spawn()?;
    host.ready().await?;
    trade.sell(1)?;
    // The answers break off in the middle of their JSON.
    trade.shop.control().misbehave(Script::any(20, Misbehaviour::InvalidJson));
    let ended = host.run(("shop", "pull", "order")).await?;
    trade.shop.control().behave();
    // Of the same time, and nothing goes wrong in it.
    let other = host.run(("shop", "pull", "customer")).await?["id"].to_string();
    assert!(matches!(ended["state"].as_str(), Some("failed" | "resting")), "{ended}");
    kept(&trade.place.data().join("cases")).await?;

    let run = ended["id"].to_string();
    let missing = trade.place.tell(&["run", "export-case", &run, "987654", "none.json"]).await?;
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.err.contains("nothing was kept of run"), "{missing:?}");
    let foreign = trade.place.tell(&["run", "export-case", &other, "call", "none.json"]).await?;
    assert!(foreign.err.contains("nothing was kept of run"), "a case of another run: {foreign:?}");
    let said = trade.place.tell(&["run", "export-case", &run, "call", "case.json"]).await?.ended(0)?;
    assert!(said.contains("eu.tradepost.woocommerce") && said.contains("cargo tradepost replay"), "{said}");
    let again = trade.place.tell(&["run", "export-case", &run, "call", "case.json"]).await?;
    assert_eq!(again.code, Some(1), "what is there is not overwritten: {again:?}");
    host.stop().await?;

    let text = std::fs::read_to_string(trade.place.root.join("case.json"))?;
    for gone in ["Mara", "Lindqvist", "mara1@example.org", "Deichstra", "20459", &trade.shop.secret, &trade.shop.key] {
        assert!(!text.contains(gone), "{gone} is in the case");
    }
    let bundle = Bundle::read(text.as_bytes())?;
    assert!(bundle.outcome.error.is_some() && !bundle.exchanges.is_empty());
    let file: Value = serde_json::from_str(&text)?;
    let wasm = std::fs::read(trade.place.plugins().join("woocommerce.wasm"))?;
    assert_eq!(file["component"]["sha256"], tradepost::runtime::case::sha256(&wasm).as_str());
    let folder = tempfile::tempdir()?;
    let replayed = replay(&bundle, &wasm, folder.path()).await?;
    assert_eq!(replayed.differs, None);
    assert!(replayed.unmatched.is_empty(), "{:?}", replayed.unmatched);
    let (now, then) =
        (replayed.outcome.error.context("it fails again")?, replayed.recorded.error.context("it failed")?);
    assert_eq!((now.how, now.message), (then.how, then.message));
    // The developer's tool has the same engine: it still goes wrong.
    let read = cargo_tradepost::case::read(&trade.place.root.join("case.json"))?.context("it is a case")?;
    assert!(!cargo_tradepost::case::repeat(&read, &wasm).await?);
    Ok(())
}
