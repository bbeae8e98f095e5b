//! What goes when it is old: journals, former values, finished updates, closed questions. Never what decides whether
//! something was done already: links, keys, events and their ways, creates, inbox, whatever is not settled.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{LedgerError, Tx, View, micros};

/// How many days what is kept; 0 is for ever. Table `[retention]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Retention {
    /// Runs with their counts.
    pub runs_days: u32,
    /// Lines of runs.
    pub lines_days: u32,
    /// Former values of facets.
    pub history_days: u32,
    /// Updates that ended.
    pub writes_days: u32,
    /// Closed questions.
    pub attention_days: u32,
    /// Changes of the set-up.
    pub audit_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            runs_days: 365,
            lines_days: 90,
            history_days: 730,
            writes_days: 90,
            attention_days: 365,
            audit_days: 3_650,
        }
    }
}

impl Retention {
    /// Before which time something of a kind is old; `None` when it is kept for ever.
    #[must_use]
    pub fn before(&self, old: Old, now: Timestamp) -> Option<Timestamp> {
        let days = match old {
            Old::Lines => self.lines_days,
            Old::Runs => self.runs_days,
            Old::History => self.history_days,
            Old::Writes => self.writes_days,
            Old::Attention => self.attention_days,
            Old::Audit => self.audit_days,
        };
        let age = SignedDuration::try_from(Duration::from_secs(u64::from(days) * 86_400)).ok()?;
        (days > 0).then(|| now.checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

/// What can be old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Old {
    /// Lines of runs that ended; they go before their runs.
    Lines,
    /// Runs that ended and have no lines, but not an action's last one.
    Runs,
    /// Changes of a record's facets before its last one.
    History,
    /// Updates of state that ended and were followed by another one that is done.
    Writes,
    /// Questions that are closed.
    Attention,
    /// The journal of the set-up.
    Audit,
}

impl Old {
    /// All of them, in the order in which they go.
    pub const ALL: [Self; 6] = [Self::Lines, Self::Runs, Self::History, Self::Writes, Self::Attention, Self::Audit];

    /// Name, as of the configuration's key.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Runs => "runs",
            Self::History => "history",
            Self::Writes => "writes",
            Self::Attention => "attention",
            Self::Audit => "audit",
        }
    }

    /// Which rows of `t` are old: `?1` is the time.
    fn condition(self) -> &'static str {
        match self {
            Self::Lines => {
                "t.ended_at < ?1 AND t.state IN ('done', 'done_with_issues', 'failed', 'cancelled', 'interrupted')
                 AND EXISTS (SELECT 1 FROM run_item WHERE run = t.id)"
            }
            Self::Runs => {
                "t.ended_at < ?1 AND t.state IN ('done', 'done_with_issues', 'failed', 'cancelled', 'interrupted')
                 AND NOT EXISTS (SELECT 1 FROM run_item WHERE run = t.id)
                 AND NOT EXISTS (SELECT 1 FROM action WHERE last_run = t.id)"
            }
            // A line tells what was before; what a facet became is told by the next one, and at last by the record.
            Self::History => {
                "t.at < ?1 AND EXISTS (SELECT 1 FROM facet_history AS newer
                     WHERE newer.record = t.record AND newer.id > t.id)"
            }
            // A create decides about doubles for good, an event's write too; the last update says what is there now.
            Self::Writes => {
                "t.ended_at < ?1 AND t.op = 'update' AND t.event IS NULL
                 AND t.state IN ('done', 'superseded', 'cancelled')
                 AND EXISTS (SELECT 1 FROM intent AS newer WHERE newer.record = t.record AND newer.id > t.id
                     AND newer.platform = t.platform AND newer.lane = t.lane AND newer.state = 'done')"
            }
            Self::Attention => "t.closed_at < ?1 AND t.state <> 'open'",
            Self::Audit => "t.at < ?1",
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Lines | Self::Runs => "run",
            Self::History => "facet_history",
            Self::Writes => "intent",
            Self::Attention => "attention",
            Self::Audit => "audit",
        }
    }
}

impl View<'_> {
    /// Numbers of what is old, of the next `limit` rows after a number; and where to go on, unless that was all.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn old(
        &self,
        old: Old,
        before: Timestamp,
        after: i64,
        limit: u32,
    ) -> Result<(Vec<i64>, Option<i64>), LedgerError> {
        let (table, condition) = (old.table(), old.condition());
        // A bounded piece of the table is looked at, whatever is old in it.
        let mut rows = self.connection.prepare_cached(&format!(
            "SELECT t.id, coalesce({condition}, 0) FROM {table} AS t WHERE t.id > ?2 ORDER BY t.id LIMIT ?3"
        ))?;
        let rows = rows
            .query_map((micros(before), after, limit), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)))?
            .collect::<Result<Vec<_>, _>>()?;
        let next = rows.last().map(|(id, _)| *id).filter(|_| rows.len() == limit as usize);
        Ok((rows.into_iter().filter(|(_, old)| *old).map(|(id, _)| id).collect(), next))
    }
}

impl Tx<'_> {
    /// Removes what is still old of these, at most `limit` rows; how many those were. Lines are named by their runs.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn remove_old(&self, old: Old, before: Timestamp, ids: &[i64], limit: u32) -> Result<u32, LedgerError> {
        let (table, condition) = (old.table(), old.condition());
        let sql = match old {
            Old::Lines => format!(
                "DELETE FROM run_item WHERE run = (SELECT t.id FROM run AS t WHERE t.id = ?2 AND {condition})
                 AND n IN (SELECT n FROM run_item WHERE run = ?2 ORDER BY n LIMIT ?3)"
            ),
            _ => format!("DELETE FROM {table} AS t WHERE t.id = ?2 AND ?3 > 0 AND {condition}"),
        };
        let mut delete = self.connection.prepare_cached(&sql)?;
        let mut removed = 0_u32;
        for id in ids {
            let left = limit.saturating_sub(removed);
            if left == 0 {
                break;
            }
            removed += u32::try_from(delete.execute((micros(before), id, left))?).unwrap_or(u32::MAX);
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests;
