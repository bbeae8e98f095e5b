//! First contact, import and the rest by the commands that an operator types.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use tradepost_tests::erp::Erp;
use tradepost_tests::host::{Host, Place};
use tradepost_tests::trade;
use woocommerce_simulator::{Config, Simulator};

use crate::{connectors, place, sell};

/// The document that `platform apply` reads, as JSON.
fn document(file: &Path, code: &str, connector: &str, mut platform: Value) -> Result<()> {
    let fields = platform.as_object_mut().context("a platform is an object")?;
    fields.insert("code".into(), code.into());
    fields.insert("connector".into(), connector.into());
    Ok(std::fs::write(file, json!({ "platform": [platform] }).to_string())?)
}

async fn json_of(place: &Place, words: &[&str]) -> Result<Value> {
    let words: Vec<&str> = ["--json"].iter().chain(words).copied().collect();
    Ok(serde_json::from_str(&place.tell(&words).await?.ended(0)?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_and_an_erp_are_put_to_work_by_commands_alone() -> Result<()> {
    let (root, place) = place().await?;
    connectors(&place).await?;
    let shop = Simulator::start(Config { products: 14, orders: 3, ..Config::default() })?;
    let mut erp = Erp::of(shop.control(), &root.path().join("exchange"))?;
    erp.export_all()?;
    document(&place.root.join("erp.json"), "erp", "eu.tradepost.files", erp.platform())?;
    document(&place.root.join("shop.json"), "shop", "eu.tradepost.woocommerce", trade::shop_platform(&shop)?)?;

    // Without a service the commands say how to get one.
    let nobody = place.tell(&["platform", "list"]).await?;
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
    assert!(nobody.err.contains("tradepost serve"), "{nobody:?}");
    let script = place.tell(&["completions", "bash"]).await?.ended(0)?;
    assert!(script.contains("_tradepost"), "completions need no service");

    let mut host = place.spawn()?;
    host.ready().await?;
    for code in ["erp", "shop"] {
        let applied = place.tell(&["platform", "apply", &format!("{code}.json")]).await?.ended(0)?;
        assert!(applied.contains("added") && applied.contains(code), "{applied}");
    }
    let account = place.tell(&["platform", "test", "shop"]).await?.ended(0)?;
    assert!(account.contains("test"), "{account}");

    // What was not read does not go live.
    let early = place.tell(&["platform", "live", "shop"]).await?;
    assert_eq!(early.code, Some(1), "{early:?}");
    assert!(early.err.contains("platform onboard shop"), "{early:?}");

    // First contact reads and matches, and writes nothing.
    let review = place.tell(&["platform", "onboard", "erp"]).await?.ended(0)?;
    assert!(review.contains("Nothing was written there") && review.contains("product"), "{review}");
    place.tell(&["platform", "live", "erp"]).await?.ended(0)?;
    shop.control().reset_journal();
    let review = place.tell(&["platform", "onboard", "shop"]).await?.ended(0)?;
    assert!(review.contains("order"), "{review}");
    assert_eq!(shop.control().journal().write_requests(), 0);
    let again = place.tell(&["platform", "review", "shop"]).await?.ended(0)?;
    assert!(again.contains("product"), "{again}");
    let live = place.tell(&["platform", "live", "shop"]).await?.ended(0)?;
    assert!(live.contains("is live"), "{live}");
    let shown = json_of(&place, &["platform", "show", "shop"]).await?;
    assert_eq!(shown["state"], "active", "{shown}");
    let actions = place.tell(&["action", "list", "shop"]).await?.ended(0)?;
    assert!(actions.contains("every 1m") && actions.contains("push"), "{actions}");

    // Orders from before the cut-over stay out; they can be read again, and nobody here takes finished ones.
    let known =
        place.tell(&["action", "run", "shop", "pull", "order", "--since", "2020-01-01", "--as", "known"]).await?;
    known.ended(0)?;
    let done = place.tell(&["action", "run", "shop", "pull", "order", "--since", "2020-01-01", "--as", "done"]).await?;
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.err.contains("cannot create finished orders") && done.err.contains("--as known"), "{done:?}");
    place.tell(&["action", "run", "erp", "push", "order"]).await?.ended(0)?;
    assert_eq!(erp.waiting()?, Vec::<String>::new(), "old orders go nowhere");

    // A new one goes its way.
    let sku = erp.skus().first().context("there are articles")?.clone();
    sell(shop.control(), &sku, 1)?;
    for words in [["shop", "pull", "order"], ["erp", "push", "customer"], ["erp", "push", "order"]] {
        let words: Vec<&str> = ["action", "run"].into_iter().chain(words).collect();
        let told = place.tell(&words).await?;
        assert!(matches!(told.code, Some(0 | 3)), "{told:?}");
    }
    erp.take_up()?;
    assert_eq!(erp.entries().len(), 1);

    // A file by hand: copied into the exchange folder, read, and out of the way again.
    let file = place.root.join("count.csv");
    std::fs::write(&file, format!("sku;quantity\n{sku};77\n"))?;
    let missing = place.tell(&["import", "nowhere.csv", "--platform", "erp"]).await?;
    assert_eq!(missing.code, Some(1), "{missing:?}");
    let none = place.tell(&["import", "count.csv", "--platform", "shop"]).await?;
    assert!(none.code == Some(1) && none.err.contains("no exchange folder"), "{none:?}");
    let imported = place.tell(&["import", "count.csv", "--platform", "erp", "--name", "stock-900001.csv"]).await?;
    assert!(matches!(imported.code, Some(0 | 3)), "{imported:?}");
    assert!(!root.path().join("exchange/inbox/stock-900001.csv").exists(), "it was read");
    let found = json_of(&place, &["record", "find", &sku, "--kind", "variant"]).await?;
    let id = found[0]["id"].as_i64().with_context(|| format!("{found}"))?;
    let record = host.ask(Method::GET, &format!("/records/{id}"), None).await?;
    assert!(record.to_string().contains("\"77\""), "the figure arrived: {record}");

    let status = place.tell(&["status"]).await?.ended(0)?;
    assert!(status.contains("erp") && status.contains("shop"), "{status}");
    // Nothing is restored over a running service, and what is not in safe mode cannot leave it.
    let resume = place.tell(&["restore", "--resume"]).await?;
    assert_eq!(resume.code, Some(1), "{resume:?}");
    assert!(resume.err.contains("not in safe mode"), "{resume:?}");
    assert_eq!(host.stop().await?.code(), Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_serve_is_a_question_until_it_is_gone() -> Result<()> {
    let (_root, place) = place().await?;
    std::fs::create_dir_all(place.plugins())?;
    let mut host = place.spawn()?;
    host.ready().await?;
    let file = place.plugins().join("torn.wasm");
    std::fs::write(&file, b"\0asm and then nothing")?;
    let question = wait_for_questions(&host, 1).await?;
    assert!(question[0]["title"].as_str().is_some_and(|title| title.contains("torn.wasm")), "{question}");
    // Whom the operator told to be quiet is quiet about the same bytes, and speaks of others.
    let id = question[0]["id"].to_string();
    place.tell(&["attention", "dismiss", &id, "--why", "being uploaded"]).await?.ended(0)?;
    place.tell(&["plugin", "rescan"]).await?.ended(0)?;
    wait_for_questions(&host, 0).await?;
    std::fs::write(&file, b"\0asm and then nothing more")?;
    wait_for_questions(&host, 1).await?;
    std::fs::remove_file(&file)?;
    wait_for_questions(&host, 0).await?;
    assert_eq!(host.stop().await?.code(), Some(0));
    Ok(())
}

async fn wait_for_questions(host: &Host, expected: usize) -> Result<Value> {
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let open = host.ask(Method::GET, "/attention", None).await?;
        let count = open.as_array().map_or(0, Vec::len);
        if count == expected {
            return Ok(open);
        }
        anyhow::ensure!(tokio::time::Instant::now() < end, "{expected} questions expected, there are {open}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
