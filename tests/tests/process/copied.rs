//! A copied data folder, or a cloned machine, sends nothing until a person has said what it is.

use std::path::Path;

use anyhow::{Context, Result};
use reqwest::Method;
use tradepost_tests::build;
use tradepost_tests::erp::Erp;
use tradepost_tests::host::Place;
use tradepost_tests::trade::{self, CYCLE};
use woocommerce_simulator::{Cart, Config, Simulator};

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_data_folder_sends_nothing() -> Result<()> {
    let root = tempfile::tempdir()?;
    let program = tokio::task::spawn_blocking(build::program).await??;
    let place = Place { program, root: root.path().join("here"), notes: None };
    std::fs::create_dir_all(&place.root)?;
    let plugins = place.plugins();
    tokio::task::spawn_blocking(move || build::connectors(&["files-connector", "woocommerce-connector"], &plugins))
        .await??;
    let shop = Simulator::start(Config { products: 6, ..Config::default() })?;
    let mut erp = Erp::of(shop.control(), &root.path().join("exchange"))?;
    trade::begin(&place, &shop, &mut erp).await?;

    let copy = Place { root: root.path().join("there"), ..place.clone() };
    copy_folder(&place.root, &copy.root)?;
    // Both sides have something to say, and automatic mode was on when it was copied.
    let sku = erp.skus().first().context("there are articles")?.clone();
    shop.control().place_order(&Cart {
        items: vec![(sku.clone(), 1)],
        payment_method: "card".into(),
        ..Cart::default()
    })?;
    erp.count(&sku, 91)?;
    shop.control().reset_journal();

    let mut host = copy.spawn()?;
    host.ready().await?;
    let status = host.ask(Method::GET, "/status", None).await?;
    assert_eq!(status["mode"], "safe", "{status:#}");
    assert!(status["safe-reason"].as_str().is_some_and(|why| !why.is_empty()), "it says why: {status:#}");
    for step in CYCLE.into_iter().filter(|(_, direction, _)| *direction == "push") {
        let run = host.run(step).await?;
        assert_eq!(run["state"], "failed", "{run:#}");
        assert!(run["message"].as_str().is_some_and(|words| words.contains("safe mode")), "{run:#}");
    }
    let journal = shop.control().journal();
    assert_eq!(journal.write_requests(), 0, "the copy wrote: {:?}", journal.writes);
    assert_eq!(erp.waiting()?, Vec::<String>::new(), "the copy wrote for the ERP");
    assert_eq!(host.stop().await?.code(), Some(0));

    // The one that was copied goes on as ever.
    let mut host = place.spawn()?;
    host.ready().await?;
    assert_eq!(host.ask(Method::GET, "/status", None).await?["mode"], "normal");
    for step in CYCLE {
        let run = host.run(step).await?;
        assert!(matches!(run["state"].as_str(), Some("done" | "done_with_issues")), "{step:?}: {run:#}");
    }
    assert_eq!(erp.waiting()?.len(), 1, "the order arrived once");
    assert_eq!(shop.control().stock(&sku), Some(90), "91 on the shelf, one of them sold");
    assert_eq!(host.stop().await?.code(), Some(0));
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
