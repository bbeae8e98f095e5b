//! What waits for something else: a missing link, a missing mapping, a review.

use super::{LedgerError, Tx, View};
use crate::model::kind::names;

/// What can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// An intent, by number.
    Intent,
    /// An inbox row, by number.
    Inbox,
    /// Wants of a record, as `platform/kind/record` in numbers and names.
    Want,
}

names!(Waiting { Intent => "intent", Inbox => "inbox", Want => "want" });

impl View<'_> {
    /// Reason keys with this beginning that something waits for.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn waited_for(&self, beginning: &str) -> Result<Vec<String>, LedgerError> {
        self.connection
            .prepare_cached("SELECT DISTINCT reason_key FROM wait WHERE substr(reason_key, 1, length(?1)) = ?1")?
            .query_map([beginning], |row| row.get(0))?
            .collect::<Result<_, _>>()
            .map_err(Into::into)
    }
}

impl Tx<'_> {
    /// Lets something wait until [`Tx::wake`] is called with the reason, e.g. `link:<platform>:<record kind>:<record>`,
    /// `map:<platform>:payment:paypal`, `review:<platform>:<kind>`.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn wait_for(&self, what: Waiting, id: &str, reason_key: &str) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO wait (what, what_id, reason_key) VALUES (?1, ?2, ?3)")?
            .execute((what.as_str(), id, reason_key))?;
        Ok(())
    }

    /// What waited for this no longer does; what waits for nothing else is due again. Returns how many waited.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn wake(&self, reason_key: &str) -> Result<usize, LedgerError> {
        let woken: Vec<(String, String)> = self
            .connection
            .prepare_cached("DELETE FROM wait WHERE reason_key = ?1 RETURNING what, what_id")?
            .query_map([reason_key], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (what, id) in &woken {
            let again = match what.parse()? {
                Waiting::Intent => "UPDATE intent SET state = 'planned' WHERE id = ?1 AND state = 'waiting'",
                Waiting::Inbox => "UPDATE inbox SET state = 'new' WHERE id = ?1 AND state = 'held'",
                // A want without wait rows is due by itself.
                Waiting::Want => continue,
            };
            let waits_on: bool = self
                .connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM wait WHERE what = ?1 AND what_id = ?2)")?
                .query_row((what, id), |row| row.get(0))?;
            if !waits_on {
                self.connection.prepare_cached(again)?.execute([id])?;
            }
        }
        Ok(woken.len())
    }
}

/// Reason key of what waits for a record's link on a platform.
#[must_use]
pub fn on_link(
    platform: crate::model::PlatformId,
    kind: crate::model::RecordKind,
    record: crate::model::RecordId,
) -> String {
    format!("link:{platform}:{kind}:{record}")
}
