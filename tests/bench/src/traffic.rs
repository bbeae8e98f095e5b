//! Pulls and pushes of a real host over loopback HTTP, with everything that belongs to them: sandbox, matching, facets,
//! history, intents, a durable commit per page.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::figure::{Figure, percentile};
use crate::host::{Member, Running, Site};
use crate::platform::{Counts, Platform};
use crate::{floor, singer};

/// Most memory the host may use, in MB.
const PEAK: f64 = 300.0;

/// Which pulls are measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pulls {
    /// Products.
    pub(crate) products: bool,
    /// Orders.
    pub(crate) orders: bool,
}

/// Pulls against the native loop and the Singer pair, each in its turn.
pub(crate) async fn pulls(
    connector: &Path,
    what: Pulls,
    count: usize,
    rounds: usize,
    singer: Option<&Path>,
) -> Result<Vec<Figure>> {
    let platform = Platform::start(count)?;
    let kinds: Vec<(&str, &str)> = [("products", "product", what.products), ("orders", "order", what.orders)]
        .into_iter()
        .filter_map(|(path, kind, wanted)| wanted.then_some((path, kind)))
        .collect();
    let mut ours = vec![Vec::new(); kinds.len()];
    let mut floors = ours.clone();
    let mut pairs = ours.clone();
    let mut peak: f64 = 0.0;
    let mut ledger = 0.0;
    for _ in 0..rounds {
        let (site, host) = source_host(connector, &platform, count).await?;
        // Orders are of products that are known, as in life.
        if !what.products {
            pull(&host, "product", count).await?;
        }
        for (n, (path, kind)) in kinds.iter().enumerate() {
            let folder = tempfile::tempdir()?;
            floors[n].push(count as f64 / floor::seconds(&platform.url, path, count, &folder.path().join("floor.db"))?);
            ours[n].push(count as f64 / pull(&host, kind, count).await?);
            if let Some(folder) = singer {
                pairs[n].push(count as f64 / singer::seconds(folder, &platform.url, path, count)?);
            }
        }
        peak = peak.max(host.peak()?);
        host.stop().await?;
        ledger = site.ledger_bytes()? as f64 / 1e6;
    }
    let mut figures = Vec::new();
    for (n, (path, _)) in kinds.iter().enumerate() {
        let name = format!("pull {path}");
        let median = |values: &mut Vec<f64>| percentile(values, 0.5);
        let rate = Figure::new(&name, median(&mut ours[n]), "records/s");
        figures.push(rate.clone().at_least_times("floor", median(&mut floors[n]), 0.4));
        if singer.is_some() {
            figures.push(rate.at_least_times("singer", median(&mut pairs[n]), 15.0));
        }
    }
    figures.push(Figure::new("pull peak memory", peak, "MB").at_most(PEAK));
    figures.push(Figure::new("pull ledger", ledger, "MB"));
    Ok(figures)
}

/// A host with a platform that has this many products and orders to be read.
pub(crate) async fn source_host(connector: &Path, platform: &Platform, count: usize) -> Result<(Site, Running)> {
    platform.show(0, 0).await?;
    let site = Site::new(connector)?;
    site.set_up(&[Member { code: "shop", platform, policy: source() }]).await?;
    platform.show(count, count).await?;
    let host = site.start().await?;
    Ok((site, host))
}

/// Pulls all of a kind; seconds.
pub(crate) async fn pull(host: &Running, kind: &str, count: usize) -> Result<f64> {
    let (seconds, run) = host.run("shop", "pull", kind).await?;
    // A product is made with its variant, an order with its buyer where he is new.
    if run["counts"]["read"] != json!(count) || run["counts"]["created"].as_u64() < Some(count as u64) {
        bail!("{count} {kind} were there, the run says {}", run["counts"]);
    }
    Ok(seconds)
}

/// A push of everything, the same push when nothing is left to do, and one that has to look at every record again and
/// finds that none changed.
pub(crate) async fn push(connector: &Path, count: usize) -> Result<Vec<Figure>> {
    let from = Platform::start(count)?;
    let to = Platform::start(0)?;
    let site = Site::new(connector)?;
    let target = |guard: u32| {
        json!({
            "create_on": ["product", "variant"],
            "pushes": ["product"],
            "guard": {"creates": guard, "rules": guard},
        })
    };
    site.set_up(&[
        Member { code: "shop", platform: &from, policy: source() },
        Member { code: "target", platform: &to, policy: target(u32::MAX) },
    ])
    .await?;
    from.show(count, 0).await?;
    let host = site.start().await?;
    pull(&host, "product", count).await?;
    let (all, run) = host.run("target", "push", "product").await?;
    let wrote = to.counts().await?;
    if wrote != (Counts { created: count, updated: 0, repeated: 0 }) {
        bail!("{count} products should have been made once, the platform counted {wrote:?}; the run says {run}");
    }
    let (nothing, _) = host.run("target", "push", "product").await?;
    // A rule that changed may change every record, so every record is looked at.
    let mut policy = target(u32::MAX);
    policy["languages"] = json!({"de": "de", "en": "en"});
    let change = json!({ "policy": policy });
    host.ask(reqwest::Method::PATCH, "/platforms/target", Some(&change)).await?;
    let (again, run) = host.run("target", "push", "product").await?;
    let after = to.counts().await?;
    if after != wrote {
        bail!("nothing changed and yet the platform counted {after:?} after {wrote:?}; the run says {run}");
    }
    let peak = host.peak()?;
    host.stop().await?;
    let rate = |seconds: f64| count as f64 / seconds;
    Ok(vec![
        Figure::new("push products", rate(all), "records/s"),
        Figure::new("push products", all, "s"),
        Figure::new("push unchanged", nothing, "s").at_most_part("push products", all, 0.03),
        Figure::new("push after a change of rules", again, "s").at_most_part("push products", all, 0.03),
        Figure::new("push peak memory", peak, "MB").at_most(PEAK),
    ])
}

fn source() -> Value {
    json!({
        "owns": [{"record": "product", "facet": "*"}, {"record": "variant", "facet": "*"}],
        "creates": ["product", "variant", "customer", "order"],
    })
}
