//! A report for CI systems: the common ground of what they read as JUnit XML.

use std::fmt::Write as _;

use super::{Report, Verdict};

pub(super) fn write(report: &Report) -> String {
    let (_, failed, skipped) = report.counts();
    let time: f64 = report.entries.iter().map(|entry| entry.took.as_secs_f64()).sum();
    let suite = escaped(&format!("conformance of {} {}", report.connector, report.version));
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        xml,
        "<testsuites>\n  <testsuite name=\"{suite}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"{skipped}\" time=\"{time:.3}\">",
        report.entries.len()
    );
    for entry in &report.entries {
        let (name, group, took) = (entry.rule, entry.group.as_str(), entry.took.as_secs_f64());
        let _ = write!(xml, "    <testcase classname=\"conformance.{group}\" name=\"{name}\" time=\"{took:.3}\">");
        match &entry.verdict {
            Verdict::Passed => {}
            Verdict::Failed { why, exchange } => {
                let mut text = format!("{}\n", entry.demands);
                if let Some(exchange) = exchange {
                    text.push_str(&exchange.text());
                }
                let _ = write!(xml, "<failure message=\"{}\">{}</failure>", escaped(why), escaped(&text));
            }
            Verdict::Skipped { reason } => {
                let _ = write!(xml, "<skipped message=\"{}\"/>", escaped(reason));
            }
        }
        if !entry.notes.is_empty() {
            let _ = write!(xml, "<system-out>{}</system-out>", escaped(&entry.notes.join("\n")));
        }
        xml.push_str("</testcase>\n");
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

/// Text that stands in XML: what XML 1.0 cannot hold at all is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}
