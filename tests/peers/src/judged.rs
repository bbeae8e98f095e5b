//! The vendor-mock run: connectors do their work through the host against servers made from the vendors' own descriptions.
//!
//! The mocks keep nothing and answer with invented values, so how runs end says little; what counts is that no request was one the
//! vendor's description forbids. A `files` ERP gives the host something to send.

use std::path::Path;

use anyhow::{Context, Result};

use crate::{
    classify::Server,
    mocks::{Mocks, VENDORS},
    operator::Operator,
    proxy::Proxy,
    report::Report,
    setup,
};

/// Runs it with data in `folder`.
pub async fn run(shared: &Path, folder: &Path, as_it_is: bool) -> Result<Report> {
    crate::http::use_tls();
    let built =
        crate::build::build(&["files-connector", "woocommerce-connector", "vendure-connector"], as_it_is).await?;
    let mocks = Mocks::start(shared, &folder.join("mocks")).await?;
    let host = folder.join("mocks-host");
    let operator = Operator::start(&built, &host).await?;
    let mut report = Report::default();
    let exchange = host.join("exchange");
    setup::write_exchange_files(&exchange).context("files of the ERP")?;
    operator.add(&setup::files_erp(&exchange)).await?;
    // Counted on the way: the journals say whether a request was right, not whether it wrote.
    let mut proxies = Vec::new();
    for vendor in VENDORS {
        let server = if vendor == "vendure" { Server::Vendure } else { Server::Rest };
        let proxy = Proxy::to_mock(server, &mocks.url(vendor)?).await?;
        operator.add(&setup::mocked(vendor, &proxy.url)).await?;
        proxies.push((vendor, proxy));
    }
    for code in ["erp", "woocommerce", "vendure"] {
        for outcome in [operator.match_up(code).await, operator.go_live(code).await] {
            if let Err(error) = outcome {
                eprintln!("  onboarding {code}: {error:#}");
            }
        }
    }
    for turn in 1..=2 {
        for run in operator.cycle().await? {
            eprintln!("  turn {turn}: {} {}: {}", run.platform, run.action, run.state);
        }
    }
    operator.stop().await?;
    for (vendor, proxy) in proxies {
        let lines = mocks.journal(vendor)?;
        let refused: Vec<&str> = lines.iter().filter(|line| !line.ok).map(|line| line.what.as_str()).collect();
        let writes = proxy.writes_since(0).len();
        report.judge(&format!("{vendor}: requests the vendor forbids"), "0", refused.join("\n"), refused.is_empty());
        report.judge(
            &format!("{vendor}: requests judged"),
            "some, writes among them",
            format!("{}, {writes} writes", lines.len()),
            writes > 0,
        );
    }
    Ok(report)
}
