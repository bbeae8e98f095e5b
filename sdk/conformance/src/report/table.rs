//! A report for a person.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};

use super::{Report, Verdict};

pub(super) fn write(report: &Report, width: u16) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(["", "rule", "what it demands"]);
    for entry in &report.entries {
        let (sign, mut text) = match &entry.verdict {
            Verdict::Passed => ("ok", entry.demands.to_owned()),
            Verdict::Failed { .. } => ("FAILED", entry.demands.to_owned()),
            Verdict::Skipped { reason } => ("skipped", format!("not tested: {reason}")),
        };
        for note in &entry.notes {
            text.push_str(&format!("\n({note})"));
        }
        table.add_row([sign, entry.rule, &text]);
    }
    let (passed, failed, skipped) = report.counts();
    let mut text = format!("{table}\n\n");
    for entry in &report.entries {
        if let Verdict::Failed { why, exchange } = &entry.verdict {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} FAILED: {why}\n  The rule: {}", entry.rule, entry.demands);
            match exchange {
                Some(exchange) => {
                    let _ = writeln!(text, "  The exchange that shows it:\n{}", exchange.text());
                }
                None => text.push_str("  Nothing went over the wire.\n\n"),
            }
        }
    }
    let _ =
        writeln!(text, "{} {}: {passed} passed, {failed} failed, {skipped} skipped", report.connector, report.version);
    text
}
