//! `tradepost status`.

use super::failure::Failure;
use super::output::{counts, escape, items, text};
use super::{Context, Exit, follow};

pub(super) async fn run(context: Context) -> Result<Exit, Failure> {
    let out = context.out;
    let status = context.client()?.get("/status").await?;
    out.value(&status);
    let automatic = if status["automatic"].as_bool() == Some(true) { "on" } else { "off" };
    out.line(format!(
        "Tradepost {}, automatic mode {automatic}, {} waiting for a person, data in {}",
        text(&status, "version"),
        text(&status, "open-attention"),
        text(&status, "data")
    ));
    if text(&status, "mode") == "safe" {
        out.line(format!(
            "SAFE MODE: {} Nothing is sent until `tradepost restore --resume` (or `--test-copy`).",
            escape(&text(&status, "safe-reason"))
        ));
    }
    if let Some(disk) = status["disk"].as_str() {
        out.line(format!("RUNS REST: {}.", escape(disk)));
    }
    let rows = items(&status, "platforms")
        .iter()
        .map(|platform| vec![text(platform, "code"), text(platform, "state"), text(platform, "reason")])
        .collect();
    out.table(&["platform", "state", "why"], rows, "No platforms yet: tradepost platform add CODE CONNECTOR");
    for run in items(&status, "runs") {
        out.line(escape(&format!("{} {}", follow::summary(run), counts(run))));
    }
    Ok(Exit::Done)
}
