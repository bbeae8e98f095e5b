//! A shop and an ERP that were put to work: first contact is over, everything is equal, automatic mode is on.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tradepost::config::{Config, Flags};
use tradepost::ledger::LedgerError;
use tradepost::ledger::attention::AttentionState;
use tradepost::ledger::run::{Cause, Direction, RunState};
use tradepost::model::Kind;
use tradepost::service::Service;
use tradepost::service::platforms::PlatformChange;
use tradepost::service::runs::Order;
use woocommerce_simulator::Simulator;

use crate::erp::Erp;
use crate::host::{Place, Step};

/// Everything that moves, in an order in which it arrives in one go.
pub const CYCLE: [Step; 12] = [
    ("erp", "pull", "product"),
    ("erp", "pull", "stock"),
    ("shop", "pull", "order"),
    ("erp", "push", "customer"),
    ("erp", "push", "order"),
    ("erp", "pull", "order"),
    ("erp", "pull", "shipment"),
    ("shop", "pull", "stock"),
    ("shop", "push", "order"),
    ("shop", "push", "shipment"),
    ("shop", "pull", "order"),
    ("shop", "push", "stock"),
];

/// Limits at which a test need not wait long for what never answers; no limit is switched off.
pub const CONFIG: &str = "\
[log]
filter = \"info\"

[sync]
event-delay = 1

[limits]
call-seconds = 15
http-seconds = 3
";

/// The host's own configuration.
///
/// # Errors
/// It does not fit.
pub fn config(place: &Place) -> Result<Config> {
    Ok(Config::load(&Flags {
        config: Some(place.config()),
        data: Some(place.data()),
        plugins: Some(place.plugins()),
        listen: Some(([127, 0, 0, 1], 0).into()),
    })?)
}

/// Adds both platforms, matches them, and puts them to work.
///
/// # Errors
/// Anything that does not end well.
pub async fn begin(place: &Place, shop: &Simulator, erp: &mut Erp) -> Result<()> {
    std::fs::write(place.config(), CONFIG)?;
    erp.export_all()?;
    let service = Service::start(config(place)?).await?;
    service.add_platform("erp", "eu.tradepost.files", "ERP").await?;
    service.change_platform("erp", change(erp.platform())?).await?;
    service.add_platform("shop", "eu.tradepost.woocommerce", "Shop").await?;
    service.change_platform("shop", change(shop_platform(shop)?)?).await?;
    for code in ["erp", "shop"] {
        service.onboard(code).await?;
        service.go_live(code, None).await?;
        let id = service.platform(code).await?.id;
        // Everything here happens on one machine: a second after the longest call nothing can come any more.
        service.ledger().write(move |tx| tx.set_max_settle(id, 1)).await?;
    }
    for (code, direction, kind) in [("shop", Direction::Pull, Kind::Order), ("shop", Direction::Push, Kind::Stock)] {
        run(&service, code, direction, kind).await?;
    }
    for sku in erp.skus() {
        let found = shop.control().stock(&sku);
        if found != Some(erp.on_hand(&sku)) {
            bail!("before anything was sold, {sku} should be {} and is {found:?}", erp.on_hand(&sku));
        }
    }
    service.set_automatic(true).await?;
    service.stop().await;
    Ok(())
}

async fn run(service: &Service, code: &str, direction: Direction, kind: Kind) -> Result<()> {
    let platform = service.platform(code).await?.id;
    for _ in 0..5 {
        let run = service.run_to_end(Order::new(platform, direction, kind, Cause::Manual)).await?;
        match run.state {
            RunState::Done | RunState::DoneWithIssues => return Ok(()),
            // The first figures may be many; that is what a person is asked for.
            RunState::Held => {
                let open = service.attentions(Some(AttentionState::Open), 100).await?;
                let asked = open.into_iter().find(|asked| asked.cause_key.starts_with("guard:"));
                service.answer(asked.context("a held run has its question")?.id, "release", None).await?;
            }
            RunState::Resting => tokio::time::sleep(std::time::Duration::from_secs(2)).await,
            other => bail!("{code} {direction} {kind} ended as {other}: {}", run.message.unwrap_or_default()),
        }
    }
    bail!("{code} {direction} {kind} comes to no end")
}

fn change(document: Value) -> Result<PlatformChange> {
    serde_json::from_value(document).context("a platform's document")
}

/// How the shop's platform is set up.
///
/// # Errors
/// The shop has no port.
pub fn shop_platform(shop: &Simulator) -> Result<Value> {
    let port: u16 = shop.url.rsplit(':').next().and_then(|port| port.parse().ok()).context("the shop has a port")?;
    Ok(json!({
        "settings": {"url": shop.url, "environment": "test", "overlap_seconds": 5},
        "secrets": {"api/username": shop.key, "api/password": shop.secret},
        "grant-all": true,
        "private": [{"host": "127.0.0.1", "range": "127.0.0.1/32", "port": port}],
        "policy": {
            "owns": [
                {"record": "product", "facet": "texts:*"},
                {"record": "product", "facet": "media"},
                {"record": "product", "facet": "categories"},
                {"record": "product", "facet": "attributes"},
            ],
            "creates": ["customer", "order"],
            "create_on": ["shipment"],
            "pushes": ["stock", "order-event", "shipment"],
        },
    }))
}

/// What is left undone in a ledger that nobody works with: a line each.
///
/// # Errors
/// The ledger cannot be used.
pub async fn left_undone(data: &Path) -> Result<Vec<String>> {
    use tradepost::ledger::intent::IntentState::{Planned, Refused, Retry, Sending, Unknown, Waiting};
    use tradepost::ledger::{Ledger, Options};
    let ledger = Ledger::open(&data.join("clients/default/ledger.db"), Options::default())?;
    let found = ledger
        .read(|view| {
            let mut lines = Vec::new();
            for platform in view.platforms()? {
                for state in [Planned, Sending, Retry, Unknown, Waiting, Refused] {
                    let count = view.count_intents(platform.id, state)?;
                    if count > 0 {
                        lines.push(format!("{}: {count} writes are {}", platform.code, state.as_str()));
                    }
                }
                for kind in [Kind::Customer, Kind::Order, Kind::Stock, Kind::Shipment] {
                    let count = view.count_wanted(platform.id, kind)?;
                    if count > 0 && platform.policy.pushes.contains(&kind) {
                        lines.push(format!("{}: {count} records wait to be looked at for {kind}", platform.code));
                    }
                }
            }
            for asked in view.attentions(Some(AttentionState::Open), None, 100)? {
                lines.push(format!("a person is asked: {} {}", asked.title, asked.hint));
            }
            Ok::<_, LedgerError>(lines)
        })
        .await?;
    ledger.close();
    Ok(found)
}

/// How many runs were cut off by an end of the program.
///
/// # Errors
/// The ledger cannot be used.
pub async fn cut_off(data: &Path) -> Result<usize> {
    use tradepost::ledger::{Ledger, Options};
    let ledger = Ledger::open(&data.join("clients/default/ledger.db"), Options::default())?;
    let count = ledger.read(|view| Ok::<_, LedgerError>(view.runs_in(RunState::Interrupted)?.len())).await?;
    ledger.close();
    Ok(count)
}
