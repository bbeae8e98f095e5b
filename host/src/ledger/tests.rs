//! Ledgers for the tests of the ledger's verbs and of the engine.

use std::path::PathBuf;

use super::platform::NewPlatform;
use super::{Ledger, LedgerError, Options, Tx, View};
use crate::model::{PlatformCode, PlatformId};

/// A folder with a ledger in it, gone with the test.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    pub(crate) fn open(&self) -> Ledger {
        self.open_with(Options::default())
    }

    pub(crate) fn open_with(&self, options: Options) -> Ledger {
        Ledger::open(&self.path(), options).unwrap()
    }

    /// An open ledger that has booted.
    pub(crate) async fn booted(&self) -> Ledger {
        let ledger = self.open();
        write(&ledger, |tx| tx.begin_boot("here")).await;
        ledger
    }
}

pub(crate) async fn write<T: Send + 'static>(
    ledger: &Ledger,
    work: impl FnOnce(&Tx<'_>) -> Result<T, LedgerError> + Send + 'static,
) -> T {
    ledger.write(work).await.unwrap()
}

pub(crate) async fn read<T: Send + 'static>(
    ledger: &Ledger,
    work: impl FnOnce(&View<'_>) -> Result<T, LedgerError> + Send + 'static,
) -> T {
    ledger.read(work).await.unwrap()
}

/// A platform by that code.
pub(crate) async fn platform(ledger: &Ledger, code: &'static str) -> PlatformId {
    write(ledger, move |tx| {
        tx.add_platform(&NewPlatform {
            code: PlatformCode::parse(code).unwrap(),
            name: code.to_owned(),
            connector: format!("test.{code}"),
            settings: serde_json::json!({}),
        })
    })
    .await
}

impl View<'_> {
    /// What a platform wants: kind, record, key.
    pub(crate) fn want_list(&self, platform: PlatformId) -> Result<Vec<(String, i64, String)>, LedgerError> {
        self.connection
            .prepare("SELECT kind, record, key FROM want WHERE platform = ?1 ORDER BY kind, record, key")?
            .query_map([platform.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()
            .map_err(Into::into)
    }

    /// Everything that matters for good, without positions and times: two ledgers that lived through the same have the
    /// same, whatever happened on the way.
    pub(crate) fn picture(&self) -> Result<Vec<String>, LedgerError> {
        let mut lines = Vec::new();
        for (name, sql) in [
            (
                "record",
                "SELECT r.id || ' ' || r.kind || ' ' || coalesce(r.origin_platform, '') || ' ' || r.state || ' '
                     || coalesce(r.product, '') || ' ' || coalesce((SELECT group_concat(f.key || '=' || (f.value ->> 'h'))
                     FROM json_each(r.facets) AS f), '') FROM record AS r ORDER BY r.id",
            ),
            ("key", "SELECT record || ' ' || type || ' ' || value FROM record_key ORDER BY record, type, value"),
            (
                "history",
                "SELECT h.record || ' ' || (w.value ->> 'k') || ' ' || coalesce(w.value -> 'b', '')
                 FROM facet_history AS h, json_each(h.was) AS w ORDER BY h.record, w.value ->> 'k', h.id",
            ),
            (
                "link",
                "SELECT platform || ' ' || kind || ' ' || coalesce(record, '') || ' ' || slot || ' ' || remote_id || ' '
                     || state || ' ' || coalesce(reason, '') || ' ' || made_by || ' ' || coalesce((SELECT
                     group_concat(f.key || '=' || coalesce(f.value ->> 'sh', '')) FROM json_each(l.facets) AS f), '')
                 FROM link AS l ORDER BY platform, kind, remote_id",
            ),
            ("want", "SELECT platform || ' ' || kind || ' ' || record || ' ' || key || ' ' || reason FROM want"),
            ("event", "SELECT record || ' ' || name || ' ' || ext_key FROM event ORDER BY record, name, ext_key"),
            (
                "delivery",
                "SELECT e.record || ' ' || e.name || ' ' || e.ext_key || ' ' || d.platform || ' ' || d.state
                 FROM delivery AS d JOIN event AS e ON e.id = d.event ORDER BY 1",
            ),
            (
                "reservation",
                "SELECT \"order\" || ' ' || line || ' ' || variant || ' ' || qty || ' ' || shop || ' ' || state
                 FROM reservation ORDER BY 1",
            ),
            ("inbox", "SELECT platform || ' ' || kind || ' ' || coalesce(remote_id, '') || ' ' || state FROM inbox"),
            ("attention", "SELECT cause_key || ' ' || count || ' ' || state FROM attention ORDER BY cause_key"),
            (
                "stream",
                "SELECT platform || ' ' || kind || ' ' || coalesce(scope, '') || ' ' || coalesce(cursor, '') || ' '
                     || coalesce(ack_token, '') || ' ' || coalesce(ack_state, '') FROM stream ORDER BY platform, kind",
            ),
        ] {
            let rows = self
                .connection
                .prepare(sql)?
                .query_map([], |row| row.get::<_, String>(0))?
                .collect::<Result<Vec<_>, _>>()?;
            lines.extend(rows.into_iter().map(|row| format!("{name} {row}")));
        }
        Ok(lines)
    }
}

impl Tx<'_> {
    /// Makes what a record says unreadable.
    pub(crate) fn spoil(&self, record: crate::model::RecordId) -> Result<(), LedgerError> {
        self.connection.execute("UPDATE record SET facets = '{' WHERE id = ?1", [record.0])?;
        Ok(())
    }

    /// As if all of it had been sent.
    pub(crate) fn clear_wants(&self, platform: PlatformId) -> Result<(), LedgerError> {
        self.connection.execute("DELETE FROM want WHERE platform = ?1", [platform.0])?;
        Ok(())
    }
}

impl View<'_> {
    /// A copy of the ledger as it is now.
    pub(crate) fn copy_to(&self, path: &std::path::Path) -> Result<(), LedgerError> {
        let mut copy = rusqlite::Connection::open(path)?;
        let backup = rusqlite::backup::Backup::new(self.connection, &mut copy)?;
        backup.run_to_completion(1_000, std::time::Duration::ZERO, None)?;
        Ok(())
    }
}
