//! The plugins folder: a file dropped while the host runs, and a start with many connectors.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use reqwest::Method;

use crate::figure::{Figure, percentile};
use crate::host::{Member, Site};
use crate::platform::Platform;

/// Files dropped one after the other.
const DROPS: u8 = 5;
/// Connectors of the start.
const CONNECTORS: usize = 20;
/// Starts.
const STARTS: usize = 5;
/// Id of the connector; others of the same length are written over it.
const ID: &str = "org.tradepost.bench";

/// From the rename that makes a file complete to the end of the first call on it.
pub(crate) async fn reload(connector: &Path) -> Result<Vec<Figure>> {
    let platform = Platform::start(0)?;
    let site = Site::new(connector)?;
    site.set_up(&[Member { code: "shop", platform: &platform, policy: serde_json::json!({}) }]).await?;
    let host = site.start().await?;
    let bytes = std::fs::read(connector)?;
    let mut seconds = Vec::new();
    for n in 0..DROPS {
        let mut build = bytes.clone();
        // A custom section makes another file of the same connector, which nobody compiled before.
        build.extend_from_slice(&[0, 3, 1, b'n', n]);
        let partial = site.plugins().join("bench.tmp");
        std::fs::write(&partial, &build)?;
        let hash = tradepost::runtime::build::hash(&build);
        let began = Instant::now();
        std::fs::rename(&partial, site.plugins().join("bench.wasm"))?;
        host.until(|plugins| {
            plugins.iter().any(|plugin| plugin["hash"] == hash.as_str() && plugin["standing"] == "serving")
        })
        .await?;
        host.ask(Method::POST, "/platforms/shop/test", None).await?;
        seconds.push(began.elapsed().as_secs_f64());
    }
    let peak = host.peak()?;
    host.stop().await?;
    Ok(vec![
        Figure::new("reload", percentile(&mut seconds, 0.5), "s").at_most(1.5),
        Figure::new("reload peak memory", peak, "MB").at_most(300.0),
    ])
}

/// From the start of the process to its API answering with all connectors served, their code being cached.
pub(crate) async fn start(connector: &Path) -> Result<Vec<Figure>> {
    let site = Site::new(connector)?;
    let bytes = std::fs::read(connector)?;
    for n in 1..CONNECTORS {
        let name = format!("{}{n:02}", &ID[..ID.len() - 2]);
        let other = site.plugins().join(format!("{name}.wasm"));
        std::fs::write(other, renamed(&bytes, &name)?)?;
    }
    let mut seconds = Vec::new();
    let mut peak: f64 = 0.0;
    for n in 0..=STARTS {
        let began = Instant::now();
        let host = site.start().await?;
        let all = |plugins: &[serde_json::Value]| {
            plugins.iter().filter(|plugin| plugin["standing"] == "serving").count() == CONNECTORS
        };
        host.until(all).await?;
        // The first start compiles.
        if n > 0 {
            seconds.push(began.elapsed().as_secs_f64());
            peak = peak.max(host.peak()?);
        }
        host.stop().await?;
    }
    Ok(vec![
        Figure::new(format!("start with {CONNECTORS} connectors"), percentile(&mut seconds, 0.5), "s").at_most(0.5),
        Figure::new("start peak memory", peak, "MB").at_most(300.0),
    ])
}

/// The same component under another id of the same length.
fn renamed(bytes: &[u8], name: &str) -> Result<Vec<u8>> {
    if name.len() != ID.len() {
        bail!("`{name}` is not as long as `{ID}`");
    }
    let mut renamed = bytes.to_vec();
    let at = bytes.windows(ID.len()).position(|window| window == ID.as_bytes()).context("the id is in the file")?;
    renamed[at..at + ID.len()].copy_from_slice(name.as_bytes());
    Ok(renamed)
}
