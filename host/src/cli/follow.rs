//! Following runs to their end.

use serde_json::Value;

use super::client::Client;
use super::failure::Failure;
use super::output::{Output, counts, items, text};
use super::{Exit, output};

/// Lines shown of what needs a look.
const SHOWN: usize = 20;
/// What became of records that somebody should look at.
const ISSUES: [&str; 5] = ["refused", "unknown", "held", "unreadable", "waiting"];

/// Which lines of the journal are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// All as they come.
    All,
    /// At the end, the first that need a look.
    Issues,
}

/// Follows a run until it is over, held or resting; returns it as the API shows it.
pub(super) async fn follow(client: &Client, out: Output, id: i64, lines: Lines) -> Result<Value, Failure> {
    let mut after = 0;
    let mut issues: Vec<String> = Vec::new();
    let mut hidden = 0_usize;
    loop {
        let query = [("after", after.to_string()), ("wait", "20".to_owned())];
        let news = client.query(&format!("/runs/{id}"), &query).await?;
        let run = &news["run"];
        for line in items(&news, "lines") {
            after = line["n"].as_i64().unwrap_or(after);
            let shown = sentence(line);
            if lines == Lines::All {
                out.progress("");
                out.line(shown);
            } else if ISSUES.contains(&text(line, "what").as_str()) {
                if issues.len() < SHOWN { issues.push(shown) } else { hidden += 1 }
            }
        }
        let state = text(run, "state");
        let more = news["more"].as_bool().unwrap_or(false);
        if !more && !matches!(state.as_str(), "queued" | "running") {
            out.progress("");
            for issue in &issues {
                out.line(format!("  {issue}"));
            }
            if hidden > 0 {
                out.line(format!("  ... and {hidden} more: tradepost run show {id}"));
            }
            return Ok(run.clone());
        }
        out.progress(&format!("{} {}", summary(run), counts(run)));
    }
}

/// How a run that was followed ended.
pub(super) fn exit(run: &Value) -> Exit {
    match text(run, "state").as_str() {
        "done" => Exit::Done,
        "done_with_issues" => Exit::Issues,
        "held" | "resting" | "queued" | "running" => Exit::Waits,
        _ => Exit::Failed,
    }
}

/// The end of a run in words.
pub(super) fn report(out: Output, run: &Value) {
    let counted = counts(run);
    let counted = if counted.is_empty() { "nothing to do".to_owned() } else { counted };
    out.line(output::escape(&format!("{}: {counted}", summary(run))));
    let message = text(run, "message");
    if !message.is_empty() {
        out.line(format!("  {}", output::escape(&message)));
    }
    match text(run, "state").as_str() {
        "held" => out.line("  It waits for a confirmation: tradepost attention list"),
        "resting" => out.line(format!("  It goes on by itself after {}.", output::time(run, "until"))),
        _ => {}
    }
}

/// `run 12 shop pull order: done`.
pub(super) fn summary(run: &Value) -> String {
    format!(
        "run {} {} {} {} {}",
        text(run, "id"),
        text(run, "platform"),
        text(run, "direction"),
        text(run, "kind"),
        text(run, "state").replace('_', " ")
    )
}

/// A line of the journal, escaped.
pub(super) fn sentence(line: &Value) -> String {
    let object = match (text(line, "record"), text(line, "remote")) {
        (record, remote) if record.is_empty() => remote,
        (record, remote) if remote.is_empty() => format!("record {record}"),
        (record, remote) => format!("record {record} ({remote})"),
    };
    let detail = text(line, "detail");
    let detail = if detail.is_empty() { detail } else { format!(": {detail}") };
    output::escape(&format!("{:<10} {object}{detail}", text(line, "what")))
}
