//! The dirty set: which facets of which records a platform still has to hear of. Superseding is the primary key.

use jiff::Timestamp;

use super::{LedgerError, Tx, View, from_micros, micros};
use crate::model::kind::names;
use crate::model::{Kind, PlatformId, RecordId, Rev};

/// Why something has to be pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WantReason {
    /// Rules, maps or the connector changed.
    Rules,
    /// A projection depends on the time.
    Time,
    /// The platform shows something else than we sent, and the policy says restore.
    Drift,
    /// The value changed.
    Data,
    /// A person asked for it.
    Hand,
}

names!(WantReason { Rules => "rules", Time => "time", Drift => "drift", Data => "data", Hand => "hand" });

/// Key of the want that a projection leaves for the time at which it looks different.
pub const AT_TIME: &str = "!time";
/// Key of the want that takes a record away.
pub const DELETE: &str = "!delete";
/// Key of the want that says: goods left there, which a physical figure shows although nobody wrote it.
pub const GOODS_LEFT: &str = "!goods-left";
/// Key of the want that says: the platform moved its own stock, by a sale or a cancellation, so what was read of it before
/// is not what is there.
pub const MOVED: &str = "!moved";

/// One line of the dirty set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Facet, `""` for the whole record, [`DELETE`], [`GOODS_LEFT`], [`MOVED`] or [`AT_TIME`].
    pub key: String,
    /// Why.
    pub reason: WantReason,
    /// Position.
    pub rev: Rev,
    /// Not before then.
    pub not_before: Option<Timestamp>,
}

impl View<'_> {
    /// Records of which a platform has to hear something now, after a number, in order; those that wait are left out.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn wanted_records(
        &self,
        platform: PlatformId,
        kind: Kind,
        now: Timestamp,
        after: RecordId,
        limit: u32,
    ) -> Result<Vec<RecordId>, LedgerError> {
        self.connection
            .prepare_cached(
                "SELECT DISTINCT record FROM want WHERE platform = ?1 AND kind = ?2 AND record > ?3
                 AND (not_before IS NULL OR not_before <= ?4)
                 AND NOT EXISTS (SELECT 1 FROM wait WHERE what = 'want'
                     AND what_id = ?1 || '/' || ?2 || '/' || want.record)
                 ORDER BY record LIMIT ?5",
            )?
            .query_map((platform.0, kind.as_str(), after.0, micros(now), limit), |row| row.get(0).map(RecordId))?
            .collect::<Result<_, _>>()
            .map_err(Into::into)
    }

    /// What a platform has to hear of a record, due or not.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn wants_of(&self, platform: PlatformId, kind: Kind, record: RecordId) -> Result<Vec<Want>, LedgerError> {
        self.connection
            .prepare_cached(
                "SELECT key, reason, rev, not_before FROM want WHERE platform = ?1 AND kind = ?2 AND record = ?3
                 ORDER BY key",
            )?
            .query_map((platform.0, kind.as_str(), record.0), |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get::<_, Option<i64>>(3)?))
            })?
            .map(|row| {
                let (key, reason, rev, not_before) = row?;
                Ok(Want { key, reason: reason.parse()?, rev: Rev(rev), not_before: not_before.map(from_micros) })
            })
            .collect()
    }

    /// How many records a platform still has to hear of, due or not.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn count_wanted(&self, platform: PlatformId, kind: Kind) -> Result<u64, LedgerError> {
        self.connection
            .prepare_cached("SELECT count(DISTINCT record) FROM want WHERE platform = ?1 AND kind = ?2")?
            .query_row((platform.0, kind.as_str()), |row| row.get(0).map(i64::cast_unsigned))
            .map_err(Into::into)
    }
}

impl Tx<'_> {
    /// The platform has heard of everything up to a position; what is newer, or due later, stays.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn satisfy(
        &self,
        platform: PlatformId,
        kind: Kind,
        record: RecordId,
        up_to: Rev,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(
                "DELETE FROM want WHERE platform = ?1 AND kind = ?2 AND record = ?3 AND rev <= ?4
                 AND (not_before IS NULL OR not_before <= ?5)",
            )?
            .execute((platform.0, kind.as_str(), record.0, up_to.0, micros(now)))?;
        Ok(())
    }

    /// Notes that the platform has to hear of a facet (`""`: of the whole record, `!delete`: of its removal). What is
    /// wanted already becomes newer; of two reasons the stronger stays, of two times the earlier.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn want(
        &self,
        platform: PlatformId,
        kind: Kind,
        record: RecordId,
        key: &str,
        reason: WantReason,
        not_before: Option<Timestamp>,
    ) -> Result<(), LedgerError> {
        let rev = self.next_rev()?;
        self.connection
            .prepare_cached(
                "INSERT INTO want (platform, kind, record, key, reason, rev, not_before)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (platform, kind, record, key) DO UPDATE SET
                     rev = excluded.rev,
                     reason = CASE WHEN instr(' rules time drift data hand', ' ' || excluded.reason)
                                      > instr(' rules time drift data hand', ' ' || want.reason)
                                   THEN excluded.reason ELSE want.reason END,
                     -- Absent is at once; min() of anything and NULL is NULL.
                     not_before = min(want.not_before, excluded.not_before)",
            )?
            .execute((platform.0, kind.as_str(), record.0, key, reason.as_str(), rev.0, not_before.map(micros)))?;
        Ok(())
    }
}
