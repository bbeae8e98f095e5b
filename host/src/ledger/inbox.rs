//! What came in and could not be applied yet: unreadable or ambiguous records, hints. Stored before anything is
//! acknowledged, so nothing is dropped.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};

use super::{LedgerError, Tx, View, from_micros, micros};
use crate::model::kind::names;
use crate::model::{Kind, PlatformId, RunId};

/// What is to be done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InboxState {
    /// The next pull of its kind applies it.
    New,
    /// Dealt with.
    Applied,
    /// Waits for a person, or for a better record.
    Held,
}

names!(InboxState { New => "new", Applied => "applied", Held => "held" });

/// One thing that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// Number.
    pub id: i64,
    /// Platform.
    pub platform: PlatformId,
    /// Kind.
    pub kind: Kind,
    /// Object over there, if known.
    pub remote_id: Option<String>,
    /// As read, or canonical JSON of `model::Record`.
    pub raw: String,
    /// Of a hint: what coalesces it.
    pub hint_key: Option<String>,
    /// What is to be done.
    pub state: InboxState,
    /// Why it is held.
    pub reason: Option<String>,
    /// When it came.
    pub at: Timestamp,
    /// Run that brought it.
    pub run: Option<RunId>,
}

const COLUMNS: &str = "SELECT id, platform, kind, remote_id, raw, hint_key, state, reason, at, run_id FROM inbox";

fn inbox_row(row: &Row<'_>) -> Result<InboxRow, LedgerError> {
    Ok(InboxRow {
        id: row.get(0)?,
        platform: PlatformId(row.get(1)?),
        kind: row.get::<_, String>(2)?.parse()?,
        remote_id: row.get(3)?,
        raw: row.get(4)?,
        hint_key: row.get(5)?,
        state: row.get::<_, String>(6)?.parse()?,
        reason: row.get(7)?,
        at: from_micros(row.get(8)?),
        run: row.get::<_, Option<i64>>(9)?.map(RunId),
    })
}

impl View<'_> {
    /// One row.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn inbox_row(&self, id: i64) -> Result<InboxRow, LedgerError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
            .query_row([id], |row| Ok(inbox_row(row)))
            .optional()?
            .ok_or_else(|| LedgerError::Missing { what: "inbox row", id: id.to_string() })?
    }

    /// Rows of a kind in a state, oldest first.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn inbox(
        &self,
        platform: PlatformId,
        kind: Kind,
        state: InboxState,
        limit: u32,
    ) -> Result<Vec<InboxRow>, LedgerError> {
        self.connection
            .prepare_cached(&format!(
                "{COLUMNS} WHERE platform = ?1 AND kind = ?2 AND state = ?3 ORDER BY id LIMIT ?4"
            ))?
            .query_map((platform.0, kind.as_str(), state.as_str(), limit), |row| Ok(inbox_row(row)))?
            .map(|row| row?)
            .collect()
    }

    /// Whether anything of a kind is held.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn holds(&self, platform: PlatformId, kind: Kind) -> Result<bool, LedgerError> {
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM inbox WHERE platform = ?1 AND kind = ?2 AND state = 'held'
                     AND remote_id IS NOT NULL)",
            )?
            .query_row((platform.0, kind.as_str()), |row| row.get(0))
            .map_err(Into::into)
    }

    /// The row that is held for an object.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn held_for(&self, platform: PlatformId, kind: Kind, remote_id: &str) -> Result<Option<InboxRow>, LedgerError> {
        self.connection
            .prepare_cached(&format!(
                "{COLUMNS} WHERE platform = ?1 AND kind = ?2 AND remote_id = ?3 AND state = 'held'"
            ))?
            .query_row((platform.0, kind.as_str(), remote_id), |row| Ok(inbox_row(row)))
            .optional()?
            .transpose()
    }
}

impl Tx<'_> {
    /// Holds something that cannot be applied; what is held for the same object already is replaced by the newer.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn hold(
        &self,
        platform: PlatformId,
        kind: Kind,
        remote_id: Option<&str>,
        raw: &str,
        reason: &str,
        run: Option<RunId>,
    ) -> Result<i64, LedgerError> {
        self.connection
            .prepare_cached(
                "INSERT INTO inbox (platform, kind, remote_id, raw, state, reason, at, run_id)
                 VALUES (?1, ?2, ?3, ?4, 'held', ?5, ?6, ?7)
                 ON CONFLICT (platform, kind, remote_id) WHERE state = 'held' AND remote_id IS NOT NULL
                 DO UPDATE SET raw = excluded.raw, reason = excluded.reason, at = excluded.at, run_id = excluded.run_id
                 RETURNING id",
            )?
            .query_row(
                (platform.0, kind.as_str(), remote_id, raw, reason, micros(self.now()), run.map(|id| id.0)),
                |row| row.get(0),
            )
            .map_err(Into::into)
    }

    /// Notes that something may have changed over there; hints with the same key are one until it is looked at.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn hint(
        &self,
        platform: PlatformId,
        kind: Kind,
        hint_key: &str,
        remote_id: Option<&str>,
        raw: &str,
    ) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(
                "INSERT INTO inbox (platform, kind, remote_id, raw, hint_key, state, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'new', ?6)
                 ON CONFLICT (platform, kind, hint_key) WHERE state = 'new' AND hint_key IS NOT NULL DO NOTHING",
            )?
            .execute((platform.0, kind.as_str(), remote_id, raw, hint_key, micros(self.now())))?;
        Ok(())
    }

    /// Says what is to be done with a row.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_inbox(&self, id: i64, state: InboxState) -> Result<(), LedgerError> {
        self.connection.prepare_cached("UPDATE inbox SET state = ?2 WHERE id = ?1")?.execute((id, state.as_str()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{Home, platform, write};

    #[tokio::test]
    async fn the_newest_of_an_object_is_held_and_nothing_without_id_is_lost() {
        let home = Home::new();
        let ledger = home.booted().await;
        let shop = platform(&ledger, "shop").await;
        write(&ledger, move |tx| {
            let one = tx.hold(shop, Kind::Order, Some("7"), "old", "unreadable", None)?;
            assert_eq!(tx.hold(shop, Kind::Order, Some("7"), "new", "unreadable", None)?, one);
            tx.hold(shop, Kind::Order, None, "a", "unreadable", None)?;
            tx.hold(shop, Kind::Order, None, "b", "unreadable", None)?;
            let raw: Vec<_> =
                tx.inbox(shop, Kind::Order, InboxState::Held, 9)?.into_iter().map(|row| row.raw).collect();
            assert_eq!(raw, ["new", "a", "b"]);
            tx.set_inbox(one, InboxState::Applied)?;
            assert_eq!(tx.held_for(shop, Kind::Order, "7")?, None);
            assert_ne!(tx.hold(shop, Kind::Order, Some("7"), "again", "unreadable", None)?, one);
            Ok(())
        })
        .await;
    }

    #[tokio::test]
    async fn hints_are_one_until_they_are_looked_at() {
        let home = Home::new();
        let ledger = home.booted().await;
        let shop = platform(&ledger, "shop").await;
        write(&ledger, move |tx| {
            for _ in 0..2 {
                tx.hint(shop, Kind::Order, "7", Some("7"), "{}")?;
            }
            let new = tx.inbox(shop, Kind::Order, InboxState::New, 9)?;
            assert_eq!(new.len(), 1);
            tx.set_inbox(new[0].id, InboxState::Applied)?;
            tx.hint(shop, Kind::Order, "7", Some("7"), "{}")?;
            assert_eq!(tx.inbox(shop, Kind::Order, InboxState::New, 9)?.len(), 1);
            Ok(())
        })
        .await;
    }
}
