//! A session with a shop, recorded by the connector's developer, and repeated without the shop.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use cargo_tradepost::project::{FILE, Project};
use cargo_tradepost::session::{self, Ask, Session};
use serde_json::json;
use tempfile::TempDir;
use tradepost::model::Kind;
use tradepost::runtime::Build;
use tradepost::runtime::workbench::{Setup, Workbench};
use woocommerce_simulator::{Config, Simulator};

use crate::{connectors, place, sell};

/// WooCommerce's connector on a bench, and a shop in which two people bought something.
struct Shop {
    _root: TempDir,
    project: Project,
    component: Vec<u8>,
    bench: Workbench,
    build: Arc<Build>,
    shop: Simulator,
}

impl Shop {
    async fn open(products: usize) -> Result<Self> {
        let (root, place) = place().await?;
        connectors(&place).await?;
        let component = std::fs::read(place.plugins().join("woocommerce.wasm"))?;
        // Compiled once for all test runs.
        let bench = Workbench::open(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench"))?;
        let build = bench.load(&component).await?;
        let shop = Simulator::start(Config { products, orders: 0, ..Config::default() })?;
        let rows = shop.control().as_staff("GET", "/products?per_page=100", json!(null))?;
        let simple = rows.as_array().into_iter().flatten().find(|row| row["type"] == "simple");
        let sku = simple.and_then(|row| row["sku"].as_str()).context("there is a simple article")?.to_owned();
        for n in 1..=2 {
            sell(shop.control(), &sku, n)?;
        }
        let project = root.path().join("project");
        std::fs::create_dir_all(project.join(session::FOLDER))?;
        std::fs::write(project.join(FILE), "name = \"woocommerce\"\nlanguage = \"rust\"\n")?;
        Ok(Self { project: Project::find(&project)?, _root: root, component, bench, build, shop })
    }

    async fn record(&self, kinds: &[Kind], pages: usize) -> Result<Session> {
        let setup = Setup {
            settings: json!({"url": self.shop.url, "environment": "test"}),
            secrets: BTreeMap::from([
                ("api/username".to_owned(), self.shop.key.clone()),
                ("api/password".to_owned(), self.shop.secret.clone()),
            ]),
            ..Setup::default()
        };
        session::record(&self.bench, &self.build, setup, kinds, pages).await
    }

    async fn repeat(&self, session: &Session) -> Result<bool> {
        session::repeat(session, &self.bench, &self.build, &Ask::default()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tape_of_a_shop_has_nobodys_data_and_is_repeated_without_the_shop() -> Result<()> {
    let shop = Shop::open(3).await?;
    let kinds = session::kinds(&shop.build, &[])?;
    let session = shop.record(&kinds, session::PAGES).await?;
    let head = session.head.clone().context("it says how it was made")?;
    assert!(head.read.iter().all(session::Reading::whole), "{head:?}");
    let orders = head.read.iter().find(|reading| reading.kind == Kind::Order).context("orders are read")?;
    assert_eq!(orders.records, 2);

    let path = shop.project.folder.join("tapes/all.jsonl");
    session.write(&path)?;
    let text = std::fs::read_to_string(&path)?;
    for gone in ["Mara", "Lindqvist", "mara1", "Deichstra", "20459", &shop.shop.secret, &shop.shop.key] {
        assert!(!text.contains(gone), "{gone} is on the tape");
    }
    assert!(tradepost_sdk::testing::Tape::read(&path).is_ok(), "native tests play it too");
    // No settings, no secrets, no shop.
    let Shop { project, component, bench, shop, _root, .. } = shop;
    drop(shop);
    assert_eq!(session::all(&project, &bench, &component).await?, Vec::<String>::new());

    // An order fewer than then: the tape is not served as it was.
    let mut fewer = session.clone();
    let read = &mut fewer.head.as_mut().context("it has a head")?.read;
    read.iter_mut().find(|reading| reading.kind == Kind::Order).context("orders are read")?.records = 3;
    fewer.write(&project.folder.join("tapes/fewer.jsonl"))?;
    // One of somebody else, for the project's own tests.
    let mut plain = Session { head: None, ..session };
    plain.exchanges.truncate(1);
    plain.write(&project.folder.join("tapes/plain.jsonl"))?;
    assert_eq!(session::all(&project, &bench, &component).await?, ["fewer.jsonl"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tape_of_something_else_does_not_pass_and_what_was_left_out_is_said() -> Result<()> {
    let shop = Shop::open(60).await?;
    let refused = session::kinds(&shop.build, &[Kind::Order, Kind::OrderEvent]).unwrap_err();
    assert_eq!(refused.to_string(), "the connector does not read `order-event`");
    let session = shop.record(&[Kind::Product], 1).await?;
    let reading = &session.head.as_ref().context("it has a head")?.read[0];
    assert!(reading.more && !reading.whole(), "{reading:?}");
    assert!(shop.repeat(&session).await?, "what there is of it is repeated");
    let mut foreign = session;
    for exchange in &mut foreign.exchanges {
        exchange.request.url = exchange.request.url.replace("/wp-json/", "/other/");
    }
    assert!(!shop.repeat(&foreign).await?, "nothing on it is asked for");
    Ok(())
}
