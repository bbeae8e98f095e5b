//! What was checked: one line per check, printed as a table; any miss fails the run.

use comfy_table::{ContentArrangement, Table, presets};

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub change: String,
    pub expected: String,
    pub found: String,
    pub ok: bool,
}

/// All findings of a run, in order.
#[derive(Debug, Default)]
pub struct Report {
    checks: Vec<Check>,
}

impl Report {
    /// Compares by text: what is shown is what was compared.
    pub fn equal(&mut self, change: &str, expected: impl ToString, found: impl ToString) {
        let (expected, found) = (expected.to_string(), found.to_string());
        let ok = expected == found;
        self.add(Check { change: change.to_owned(), expected, found, ok });
    }

    /// Records a finding that was judged elsewhere.
    pub fn judge(&mut self, change: &str, expected: impl ToString, found: impl ToString, ok: bool) {
        self.add(Check { change: change.to_owned(), expected: expected.to_string(), found: found.to_string(), ok });
    }

    /// A step that failed before it could be compared.
    pub fn failed(&mut self, change: &str, error: &anyhow::Error) {
        self.judge(change, "done", format!("{error:#}"), false);
    }

    fn add(&mut self, check: Check) {
        let mark = if check.ok { "ok  " } else { "MISS" };
        eprintln!("  {mark} {}: {}", check.change, check.found.lines().next().unwrap_or_default());
        self.checks.push(check);
    }

    /// How many findings were not as expected.
    #[must_use]
    pub fn misses(&self) -> usize {
        self.checks.iter().filter(|check| !check.ok).count()
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(["change", "expected", "found", "ok"]);
        for check in &self.checks {
            table.add_row([check.change.as_str(), &check.expected, &check.found, if check.ok { "yes" } else { "NO" }]);
        }
        format!("{table}\n{} checks, {} missed", self.checks.len(), self.misses())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_is_counted_and_shown() {
        let mut report = Report::default();
        report.equal("price of MUG-1", "8.40", "8.40");
        assert_eq!(report.misses(), 0);
        report.equal("stock of MUG-1", 100, 99);
        report.failed("order", &anyhow::anyhow!("no sale"));
        assert_eq!(report.misses(), 2);
        let table = report.table();
        assert!(
            table.contains("stock of MUG-1") && table.contains("no sale") && table.contains("3 checks, 2 missed"),
            "{table}"
        );
    }
}
