//! Reading intents: one by number or key, those that are due, and those that tell what became of a record.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::Row;

use super::{Intent, IntentState};
use crate::ledger::{LedgerError, View, document, from_micros, micros};
use crate::model::{EventId, IntentId, Kind, PlatformId, RecordId, RunId};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, platform, kind, lane, record, event, op, idem_key, marker, body, revs, state, attempts, uncertain, \
             absent_at, released, not_before, sent_at, remote_id, parts, error, run_id, created_at FROM intent WHERE ",
            $rest
        )
    };
}

fn intent(row: &Row<'_>) -> Result<Intent, LedgerError> {
    let text = |column| row.get::<_, String>(column);
    let time = |column| row.get::<_, Option<i64>>(column).map(|time| time.map(from_micros));
    Ok(Intent {
        id: IntentId(row.get(0)?),
        platform: PlatformId(row.get(1)?),
        kind: text(2)?.parse()?,
        lane: text(3)?,
        record: RecordId(row.get(4)?),
        event: row.get::<_, Option<i64>>(5)?.map(EventId),
        op: text(6)?.parse()?,
        idem_key: text(7)?,
        marker: row.get(8)?,
        body: document("intent.body", &text(9)?)?,
        revs: document("intent.revs", &text(10)?)?,
        state: text(11)?.parse()?,
        attempts: row.get(12)?,
        uncertain: row.get(13)?,
        absent_at: time(14)?,
        released: row.get(15)?,
        not_before: time(16)?,
        sent_at: time(17)?,
        remote_id: row.get(18)?,
        parts: document("intent.parts", &text(19)?)?,
        error: row.get(20)?,
        run: row.get::<_, Option<i64>>(21)?.map(RunId),
        created_at: from_micros(row.get(22)?),
    })
}

impl View<'_> {
    fn intents(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<Intent>, LedgerError> {
        self.connection.prepare_cached(sql)?.query_map(params, |row| Ok(intent(row)))?.map(|row| row?).collect()
    }

    /// An intent by number.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn intent(&self, id: IntentId) -> Result<Intent, LedgerError> {
        let found = self.intents(select!("id = ?1"), [id.0])?.pop();
        found.ok_or_else(|| LedgerError::Missing { what: "intent", id: id.to_string() })
    }

    /// The intent with an idempotency key, whatever became of it.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn intent_by_key(&self, platform: PlatformId, idem_key: &str) -> Result<Option<Intent>, LedgerError> {
        Ok(self.intents(select!("platform = ?1 AND idem_key = ?2"), (platform.0, idem_key))?.pop())
    }

    /// The one open write of a record in a lane.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn open_intent(
        &self,
        platform: PlatformId,
        record: RecordId,
        lane: &str,
    ) -> Result<Option<Intent>, LedgerError> {
        let open = select!(
            "platform = ?1 AND record = ?2 AND lane = ?3
             AND state IN ('planned', 'sending', 'unknown', 'retry', 'waiting')"
        );
        Ok(self.intents(open, (platform.0, record.0, lane))?.pop())
    }

    /// Writes of a kind that may be sent now, oldest first, but for those that are to be skipped.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn due_intents(
        &self,
        platform: PlatformId,
        kind: Kind,
        now: Timestamp,
        limit: usize,
        skip: &HashSet<IntentId>,
    ) -> Result<Vec<Intent>, LedgerError> {
        // Each state by itself comes out of its index in order; both at once would be sorted, bodies and all, each time.
        let mut ids = Vec::new();
        for state in [IntentState::Planned, IntentState::Retry] {
            let mut due = self.connection.prepare_cached(
                "SELECT id FROM intent WHERE state = ?1 AND platform = ?2 AND kind = ?3
                 AND (not_before IS NULL OR not_before <= ?4) ORDER BY id",
            )?;
            let due = due
                .query_map((state.as_str(), platform.0, kind.as_str(), micros(now)), |row| Ok(IntentId(row.get(0)?)))?;
            for id in due.filter(|id| id.as_ref().map_or(true, |id| !skip.contains(id))).take(limit) {
                ids.push(id?);
            }
        }
        ids.sort_unstable();
        ids.truncate(limit);
        ids.into_iter().map(|id| self.intent(id)).collect()
    }

    /// Writes of a kind in a state, after a number, in order.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn intents_in(
        &self,
        platform: PlatformId,
        kind: Kind,
        state: IntentState,
        after: IntentId,
        limit: u32,
    ) -> Result<Vec<Intent>, LedgerError> {
        let sql = select!("platform = ?1 AND kind = ?2 AND state = ?3 AND id > ?4 ORDER BY id LIMIT ?5");
        self.intents(sql, (platform.0, kind.as_str(), state.as_str(), after.0, limit))
    }

    /// Everything that was planned for a record, oldest first.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn intents_of(&self, record: RecordId) -> Result<Vec<Intent>, LedgerError> {
        self.intents(select!("record = ?1 ORDER BY id"), [record.0])
    }

    /// The intent that delivers an event to a platform.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn intent_of_event(&self, platform: PlatformId, event: EventId) -> Result<Option<Intent>, LedgerError> {
        Ok(self.intents(select!("platform = ?1 AND event = ?2 ORDER BY id DESC LIMIT 1"), (platform.0, event.0))?.pop())
    }

    /// What a lane of a record was last made to say there.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn last_done(&self, platform: PlatformId, record: RecordId, lane: &str) -> Result<Option<Intent>, LedgerError> {
        let sql = select!("platform = ?1 AND record = ?2 AND lane = ?3 AND state = 'done' ORDER BY id DESC LIMIT 1");
        Ok(self.intents(sql, (platform.0, record.0, lane))?.pop())
    }

    /// Creates that may have made the object with this marker: what a pull asks before it takes the object for new.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn creates_by_marker(&self, platform: PlatformId, marker: &str) -> Result<Vec<Intent>, LedgerError> {
        let sql = select!(
            "platform = ?1 AND (marker = ?2 OR idem_key = ?2) AND op IN ('create', 'create-done', 'resume')
             AND state IN ('planned', 'sending', 'unknown', 'retry', 'waiting', 'done') ORDER BY id"
        );
        self.intents(sql, (platform.0, marker))
    }

    /// Creates under way or unknown that reported this object already.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn open_create_of(
        &self,
        platform: PlatformId,
        kind: Kind,
        remote_id: &str,
    ) -> Result<Option<Intent>, LedgerError> {
        let sql = select!(
            "platform = ?1 AND kind = ?2 AND remote_id = ?3 AND op IN ('create', 'create-done', 'resume')
             AND state IN ('planned', 'sending', 'unknown', 'retry', 'waiting') ORDER BY id"
        );
        Ok(self.intents(sql, (platform.0, kind.as_str(), remote_id))?.pop())
    }

    /// How many objects of a record a platform was made to create already: the next create is of the generation after.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn creates_done(&self, platform: PlatformId, record: RecordId) -> Result<u32, LedgerError> {
        self.connection
            .prepare_cached(
                "SELECT count(*) FROM intent WHERE platform = ?1 AND record = ?2 AND state = 'done' AND event IS NULL
                 AND op IN ('create', 'create-done', 'resume')",
            )?
            .query_row((platform.0, record.0), |row| row.get(0))
            .map_err(Into::into)
    }

    /// How many writes of a platform are in a state.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn count_intents(&self, platform: PlatformId, state: IntentState) -> Result<u64, LedgerError> {
        self.connection
            .prepare_cached("SELECT count(*) FROM intent WHERE platform = ?1 AND state = ?2")?
            .query_row((platform.0, state.as_str()), |row| row.get(0).map(i64::cast_unsigned))
            .map_err(Into::into)
    }
}
