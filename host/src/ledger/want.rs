//! The dirty set: which facets of which records a platform still has to hear of. Superseding is the primary key.

use jiff::Timestamp;

use super::{LedgerError, Tx, micros};
use crate::model::kind::names;
use crate::model::{Kind, PlatformId, RecordId};

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

impl Tx<'_> {
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
