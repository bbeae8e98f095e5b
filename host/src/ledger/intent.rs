//! Intents: planned writes to platforms, stored before they leave, and what became of them.

mod read;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{LedgerError, Tx, micros, to_json};
use crate::model::kind::names;
use crate::model::{
    EventId, FacetKey, Hash, IntentId, Kind, Op, Part, PlatformId, Record, RecordId, RemoteRef, Rev, RunId,
};

/// How far a planned write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntentState {
    /// Will be sent.
    Planned,
    /// Is being sent; of another boot: nobody knows.
    Sending,
    /// The platform has it.
    Done,
    /// Certainly not done, because of what it says.
    Refused,
    /// Certainly not done, may pass later.
    Retry,
    /// Sent, and no answer.
    Unknown,
    /// Something newer took its place before it was sent.
    Superseded,
    /// Taken back before it was sent.
    Cancelled,
    /// Waits for something else, see the rows of `wait`.
    Waiting,
    /// A person gave it up.
    Dismissed,
}

names!(IntentState {
    Planned => "planned", Sending => "sending", Done => "done", Refused => "refused", Retry => "retry",
    Unknown => "unknown", Superseded => "superseded", Cancelled => "cancelled", Waiting => "waiting",
    Dismissed => "dismissed",
});

/// Position and projection hash, by facet.
pub type Sent = BTreeMap<FacetKey, (Rev, Hash)>;

/// What a write carries, so that its end is noted for what was sent and not for what is there by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revs {
    /// The ledger's position when it was planned: wants up to here are satisfied by it.
    pub planned: Rev,
    /// Revision of the policy.
    pub rules: i64,
    /// Of the record.
    pub facets: Sent,
    /// Of the product's variants, by record.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variants: BTreeMap<RecordId, Sent>,
}

/// A planned write.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Number.
    pub id: IntentId,
    /// Platform.
    pub platform: PlatformId,
    /// Kind of push.
    pub kind: Kind,
    /// One write per record and lane is open at a time.
    pub lane: String,
    /// Record.
    pub record: RecordId,
    /// The event it delivers.
    pub event: Option<EventId>,
    /// What is done.
    pub op: Op,
    /// The same for every attempt.
    pub idem_key: String,
    /// Written on the object.
    pub marker: Option<String>,
    /// What is sent.
    pub body: Record,
    /// What that carries.
    pub revs: Revs,
    /// How far.
    pub state: IntentState,
    /// Times it was sent.
    pub attempts: u32,
    /// Was unknown once: looked for before the next create.
    pub uncertain: bool,
    /// When a lookup first proved that it is not there.
    pub absent_at: Option<Timestamp>,
    /// A person let it through the guard.
    pub released: bool,
    /// Not before then.
    pub not_before: Option<Timestamp>,
    /// When it was last sent.
    pub sent_at: Option<Timestamp>,
    /// The object, as soon as it is known.
    pub remote_id: Option<String>,
    /// The object's parts, as far as known.
    pub parts: Vec<Part>,
    /// What went wrong last.
    pub error: Option<String>,
    /// The run that planned or sent it last.
    pub run: Option<RunId>,
    /// When it was planned first.
    pub created_at: Timestamp,
}

/// What a plan needs.
#[derive(Debug, Clone, PartialEq)]
pub struct NewIntent {
    /// Platform.
    pub platform: PlatformId,
    /// Kind of push.
    pub kind: Kind,
    /// Lane.
    pub lane: String,
    /// Record.
    pub record: RecordId,
    /// The event it delivers.
    pub event: Option<EventId>,
    /// What is done.
    pub op: Op,
    /// Idempotency key.
    pub idem_key: String,
    /// Marker.
    pub marker: Option<String>,
    /// What is sent.
    pub body: Record,
    /// What that carries.
    pub revs: Revs,
    /// Run that plans it.
    pub run: Option<RunId>,
}

impl Tx<'_> {
    /// Plans a write. One that is planned and was certainly not done gives way to it in place; one that is on its way or
    /// whose end is not known stays, and `None` is returned. One that had ended without being done is taken up again
    /// under its key.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when a write with this key was done already.
    pub fn plan_intent(&self, new: &NewIntent) -> Result<Option<IntentId>, LedgerError> {
        let before = match self.open_intent(new.platform, new.record, &new.lane)? {
            Some(open) => Some(open),
            None => self.intent_by_key(new.platform, &new.idem_key)?,
        };
        let (body, revs) = (to_json(&new.body)?, to_json(&new.revs)?);
        let Some(before) = before else {
            self.connection
                .prepare_cached(
                    "INSERT INTO intent (platform, kind, lane, record, event, op, idem_key, marker, body, revs, state,
                         run_id, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'planned', ?11, ?12)",
                )?
                .execute((
                    new.platform.0,
                    new.kind.as_str(),
                    &new.lane,
                    new.record.0,
                    new.event.map(|id| id.0),
                    new.op.as_str(),
                    &new.idem_key,
                    &new.marker,
                    body,
                    revs,
                    new.run.map(|id| id.0),
                    micros(self.now()),
                ))?;
            return Ok(Some(IntentId(self.connection.last_insert_rowid())));
        };
        let state = match before.state {
            IntentState::Sending | IntentState::Unknown => return Ok(None),
            IntentState::Retry => IntentState::Retry,
            IntentState::Planned
            | IntentState::Waiting
            | IntentState::Refused
            | IntentState::Superseded
            | IntentState::Cancelled
            | IntentState::Dismissed => IntentState::Planned,
            IntentState::Done => {
                return Err(LedgerError::Conflict {
                    message: format!("`{}` was done already and is not sent again", new.idem_key),
                });
            }
        };
        let same = before.op == new.op && before.body == new.body;
        self.connection
            .prepare_cached(
                "UPDATE intent SET op = ?2, idem_key = ?3, marker = ?4, body = ?5, revs = ?6, state = ?7, event = ?8,
                     released = released AND ?9, run_id = ?10, ended_at = NULL
                 WHERE id = ?1",
            )?
            .execute((
                before.id.0,
                new.op.as_str(),
                &new.idem_key,
                &new.marker,
                body,
                revs,
                state.as_str(),
                new.event.map(|id| id.0),
                same,
                new.run.map(|id| id.0),
            ))?;
        Ok(Some(before.id))
    }

    /// The writes leave: durable before the call. Returns those that may leave, as they are now: since they were chosen, a
    /// pull may have taken one back or planned it anew, and only what is `sending` here may be sent.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn begin_sending(
        &self,
        chosen: &[Intent],
        now: Timestamp,
        run: Option<RunId>,
    ) -> Result<Vec<Intent>, LedgerError> {
        let mut leaving = Vec::with_capacity(chosen.len());
        for intent in chosen {
            let begun = self
                .connection
                .prepare_cached(
                    "UPDATE intent SET state = 'sending', sent_at = ?2, attempts = attempts + 1, absent_at = NULL,
                         boot = (SELECT boot FROM instance), epoch = (SELECT epoch FROM instance),
                         run_id = coalesce(?3, run_id)
                     WHERE id = ?1 AND state IN ('planned', 'retry') AND op = ?4",
                )?
                .execute((intent.id.0, micros(now), run.map(|id| id.0), intent.op.as_str()))?;
            if begun == 1 {
                leaving.push(self.intent(intent.id)?);
            }
        }
        Ok(leaving)
    }

    /// The object exists: its id and parts are known before the write has ended.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn note_object(&self, id: IntentId, remote: &RemoteRef, parts: &[Part]) -> Result<(), LedgerError> {
        let mut known = self.intent(id)?.parts;
        for part in parts {
            known.retain(|other| (other.kind, &other.key) != (part.kind, &part.key));
            known.push(part.clone());
        }
        self.connection.prepare_cached("UPDATE intent SET remote_id = ?2, parts = ?3 WHERE id = ?1")?.execute((
            id.0,
            &remote.id,
            to_json(&known)?,
        ))?;
        Ok(())
    }

    /// Says what became of a write, with words where it failed.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_intent(
        &self,
        id: IntentId,
        state: IntentState,
        error: Option<&str>,
        not_before: Option<Timestamp>,
    ) -> Result<(), LedgerError> {
        let open = matches!(
            state,
            IntentState::Planned
                | IntentState::Sending
                | IntentState::Retry
                | IntentState::Unknown
                | IntentState::Waiting
        );
        self.connection
            .prepare_cached(
                "UPDATE intent SET state = ?2, error = ?3, not_before = ?4, ended_at = ?5,
                     uncertain = uncertain OR ?2 = 'unknown'
                 WHERE id = ?1",
            )?
            .execute((id.0, state.as_str(), error, not_before.map(micros), (!open).then(|| micros(self.now()))))?;
        Ok(())
    }

    /// An attempt that the platform did not even look at does not count.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn uncount_attempt(&self, id: IntentId) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("UPDATE intent SET attempts = max(attempts - 1, 0) WHERE id = ?1")?
            .execute([id.0])?;
        Ok(())
    }

    /// A lookup did not find it, at a time when it had to be there if it ever came through; `None` starts over.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn note_absent(&self, id: IntentId, at: Option<Timestamp>) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("UPDATE intent SET absent_at = ?2 WHERE id = ?1")?
            .execute((id.0, at.map(micros)))?;
        Ok(())
    }

    /// The write goes on as another one: an update of, or the rest of, an object that was found.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn turn_intent(
        &self,
        id: IntentId,
        op: Op,
        remote: Option<&RemoteRef>,
        parts: &[Part],
    ) -> Result<(), LedgerError> {
        let mut body = self.intent(id)?.body;
        body.op = op;
        if let Some(remote) = remote {
            self.note_object(id, remote, parts)?;
            body.remote = Some(remote.clone());
            body.parts = self.intent(id)?.parts;
        }
        self.connection.prepare_cached("UPDATE intent SET op = ?2, body = ?3 WHERE id = ?1")?.execute((
            id.0,
            op.as_str(),
            to_json(&body)?,
        ))?;
        Ok(())
    }

    /// The total that a platform computed for an order.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn note_total(&self, id: IntentId, total: Decimal) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("UPDATE intent SET total = ?2 WHERE id = ?1")?
            .execute((id.0, total.normalize().to_string()))?;
        Ok(())
    }

    /// A person let these through the guard.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn release_intents(&self, ids: &[IntentId]) -> Result<(), LedgerError> {
        for id in ids {
            self.connection
                .prepare_cached("UPDATE intent SET released = 1 WHERE id = ?1 AND state IN ('planned', 'retry')")?
                .execute([id.0])?;
        }
        Ok(())
    }

    /// What another boot was sending has an end that nobody knows. Returns how many.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn lose_sends(&self) -> Result<usize, LedgerError> {
        self.connection
            .prepare_cached(
                "UPDATE intent SET state = 'unknown', uncertain = 1, error = 'the program ended while it was sent'
                 WHERE state = 'sending' AND boot <> (SELECT boot FROM instance)",
            )?
            .execute([])
            .map_err(Into::into)
    }

    /// What a run was sending when the ledger could not be written has an end that nobody knows. Returns how many.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn lose_sends_of(&self, run: RunId) -> Result<usize, LedgerError> {
        self.connection
            .prepare_cached(
                "UPDATE intent SET state = 'unknown', uncertain = 1,
                     error = 'its end could not be written down, the disk did not take it'
                 WHERE state = 'sending' AND run_id = ?1",
            )?
            .execute([run.0])
            .map_err(Into::into)
    }

    /// After a restore nobody knows what of the creates and events of a platform left since the backup. Returns how many.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn doubt_creates(&self, platform: PlatformId, now: Timestamp) -> Result<usize, LedgerError> {
        self.connection
            .prepare_cached(
                "UPDATE intent SET state = 'unknown', uncertain = 1, sent_at = coalesce(sent_at, ?2), absent_at = NULL
                 WHERE platform = ?1 AND state IN ('planned', 'sending', 'retry', 'unknown')
                 AND op IN ('create', 'create-done', 'resume', 'apply')",
            )?
            .execute((platform.0, micros(now)))
            .map_err(Into::into)
    }
}

#[cfg(test)]
mod tests;
