//! What a suite found: per rule how it ended, and for a failure the exchange that shows it.

mod json;
mod junit;
mod table;

use std::time::Duration;

use crate::proxy::Exchange;
use crate::rule::Group;

/// How a rule ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The connector keeps it.
    Passed,
    /// The connector breaks it.
    Failed {
        /// How.
        why: String,
        /// Where it shows.
        exchange: Option<Box<Exchange>>,
    },
    /// It was not tested.
    Skipped {
        /// Why not.
        reason: String,
    },
}

/// One rule of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name of the rule.
    pub rule: &'static str,
    /// Its group.
    pub group: Group,
    /// What it demands.
    pub demands: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was not tested though the rule passed.
    pub notes: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// What a suite found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Id of the connector.
    pub connector: String,
    /// Its version.
    pub version: String,
    /// Hex of the file's BLAKE3.
    pub hash: String,
    /// The rules in their order.
    pub entries: Vec<Entry>,
}

impl Report {
    /// No rule failed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failed().next().is_none()
    }

    /// Names of the rules that failed.
    pub fn failed(&self) -> impl Iterator<Item = &'static str> {
        let failed = |entry: &&Entry| matches!(entry.verdict, Verdict::Failed { .. });
        self.entries.iter().filter(failed).map(|entry| entry.rule)
    }

    /// Names of the rules that were skipped, with the reason.
    pub fn skipped(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.entries.iter().filter_map(|entry| match &entry.verdict {
            Verdict::Skipped { reason } => Some((entry.rule, reason.as_str())),
            _ => None,
        })
    }

    /// How many passed, failed, were skipped.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let (failed, skipped) = (self.failed().count(), self.skipped().count());
        (self.entries.len() - failed - skipped, failed, skipped)
    }

    /// For a terminal of this many columns: a table, then each failure with its exchange.
    #[must_use]
    pub fn table(&self, width: u16) -> String {
        table::write(self, width)
    }

    /// JUnit XML, which CI systems show.
    #[must_use]
    pub fn junit(&self) -> String {
        junit::write(self)
    }

    /// JSON, for other programs.
    #[must_use]
    pub fn json(&self) -> String {
        json::write(self)
    }
}
