//! `tradepost reload`.

use serde_json::{Value, json};

use super::failure::Failure;
use super::output::items;
use super::{Context, Exit};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The service reads its file again, with the same flags and environment as at its start. What changed counts at once, for runs \
that begin from now on; `data`, `plugins`, `listen`, `log.format` and the key count at the next start, and the answer names those that wait. A \
file with a mistake changes nothing: the answer says what is wrong. SIGHUP does the same and answers in the log."
)]
pub(super) struct Args {}

pub(super) async fn run(context: Context, _: Args) -> Result<Exit, Failure> {
    let answer = context.client()?.post("/reload", &json!({})).await?;
    let out = context.out;
    out.value(&answer);
    let keys = |name: &str| -> Vec<String> {
        items(&answer, name).iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    };
    let (changed, waiting) = (keys("changed"), keys("restart"));
    if changed.is_empty() && waiting.is_empty() {
        out.line("Nothing has changed.");
    }
    if !changed.is_empty() {
        out.line(format!("In force now: {}.", changed.join(", ")));
    }
    if !waiting.is_empty() {
        out.line(format!("In force after a restart: {}.", waiting.join(", ")));
    }
    Ok(Exit::Done)
}
