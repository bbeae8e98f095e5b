//! The suite over the connectors of this repository: what each of them is known to break stands here, with the reason, so
//! that it is seen when it is mended and when something else breaks.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use tradepost_build::{Connector, Workspace};
use tradepost_conformance::{PLACE, Report, Scenario, Suite};
use woocommerce_simulator::{Config, Simulator};

use crate::erp;

/// Orders as a shop has them: those of the template for files.
const ORDERS: &str = include_str!("../../../cargo-tradepost/templates/common/file/fixtures/orders.json");

fn built(package: &str) -> Vec<u8> {
    let workspace = Workspace::at(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a workspace");
    let built = tradepost_build::build(&workspace, &[Connector::new(package)], &|_| {}).expect("the connector builds");
    std::fs::read(&built[0].path).expect("the connector is there")
}

async fn run(package: &str, scenario: Scenario) -> Report {
    let suite = Suite { component: built(package), scenario, ..Suite::default() };
    let report = suite.run(|entry| eprintln!("{:>7} ms  {}", entry.took.as_millis(), entry.rule)).await;
    let report = report.expect("the suite can work");
    println!("{}", report.table(160));
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn woocommerce() {
    let shop = Simulator::start(Config::default()).expect("the shop");
    // As it is documented: what the connector does not keep would be waived there.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/woocommerce/conformance.toml");
    let scenario = Scenario {
        simulator: Some(shop.url.clone()),
        secrets: BTreeMap::from([
            ("api/username".into(), shop.key.clone()),
            ("api/password".into(), shop.secret.clone()),
        ]),
        ..Scenario::read(&file).expect("the connector's scenario")
    };
    let report = run("woocommerce-connector", scenario).await;
    assert_eq!(report.failed().collect::<Vec<_>>(), Vec::<&str>::new());
}

/// Without a simulator that the suite can steer: what shows without one.
async fn shape(package: &str, settings: serde_json::Value, secrets: &[(&str, &str)]) {
    let settings = settings.as_object().cloned().unwrap_or_default().into_iter().collect();
    let secrets = secrets.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let report = run(package, Scenario { settings, secrets, ..Scenario::default() }).await;
    assert_eq!(report.failed().collect::<Vec<_>>(), Vec::<&str>::new(), "{package}");
    let (passed, ..) = report.counts();
    assert!(passed >= 2, "{package}: {passed} rules were tested");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vendure() {
    shape("vendure-connector", json!({"url": PLACE}), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tryton() {
    shape("tryton-connector", json!({"url": PLACE, "database": "test"}), &[("key/token", "c0ffee")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files() {
    let erp = erp::Simulator::start().await;
    let scenario = Scenario {
        simulator: Some(erp.url.clone()),
        settings: BTreeMap::from([
            ("environment".into(), json!("test")),
            ("zone".into(), json!("Europe/Berlin")),
            ("texts".into(), json!("html")),
            // The ERP renames its files when they are whole.
            ("settle_seconds".into(), json!(0)),
        ]),
        // What the ERP tells of orders is not what is written of them.
        records: serde_json::from_str(ORDERS).expect("orders to be written"),
        ..Scenario::default()
    };
    let report = run("files-connector", scenario).await;
    assert_eq!(report.failed().collect::<Vec<_>>(), Vec::<&str>::new());
    let (passed, ..) = report.counts();
    assert!(passed >= 29, "only {passed} rules were tested");
}
