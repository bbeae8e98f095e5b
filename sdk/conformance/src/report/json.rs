//! A report for other programs.

use serde_json::{Value, json};

use super::{Entry, Report, Verdict};

pub(super) fn write(report: &Report) -> String {
    let (passed, failed, skipped) = report.counts();
    let whole = json!({
        "connector": report.connector,
        "version": report.version,
        "hash": report.hash,
        "passed": passed,
        "failed": failed,
        "skipped": skipped,
        "rules": report.entries.iter().map(entry).collect::<Vec<_>>(),
    });
    format!("{whole:#}\n")
}

fn entry(entry: &Entry) -> Value {
    let millis = u64::try_from(entry.took.as_millis()).unwrap_or(u64::MAX);
    let mut value = json!({
        "name": entry.rule, "group": entry.group.as_str(), "demands": entry.demands, "milliseconds": millis,
        "notes": entry.notes,
    });
    match &entry.verdict {
        Verdict::Passed => value["verdict"] = json!("passed"),
        Verdict::Failed { why, exchange } => {
            value["verdict"] = json!("failed");
            value["why"] = json!(why);
            value["exchange"] = json!(exchange);
        }
        Verdict::Skipped { reason } => {
            value["verdict"] = json!("skipped");
            value["why"] = json!(reason);
        }
    }
    value
}
