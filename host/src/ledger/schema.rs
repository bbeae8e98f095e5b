//! Opening the file: a newer schema is refused untouched, an older one is copied and brought up to date.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

use super::{LedgerError, backup};
use crate::crash;

/// Every change of the schema, in order; the number of those applied is the schema's version.
pub(super) const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("schema/0001.sql")),
    M::up(include_str!("schema/0002.sql")),
    M::up(include_str!("schema/0003.sql")),
];

/// Memory for pages of the file.
const CACHE_KIB: i64 = 32 * 1024;
/// Pages of 4 KiB in the log beside the file before they are copied into it.
const CHECKPOINT_PAGES: i64 = 4_000;

/// Opens the file with the newest schema, making or migrating it.
///
/// # Errors
/// [`LedgerError::Newer`]; the file is left as it is.
pub(super) fn open(path: &Path, migrations: &[M<'static>]) -> Result<Connection, LedgerError> {
    let known = migrations.len();
    let found = version(path)?;
    if found > known {
        return Err(LedgerError::Newer { path: path.to_owned(), found, known });
    }
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    // With SQLite's own 2 MB a ledger of 100,000 products reads its own pages back from the file all the time, and a
    // checkpoint every 4 MB copies the same pages over and over.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    // A list of allowed names makes SQLite build a table of them for every row that is written. The names come from enums,
    // and builds with assertions, that is all tests, go on checking them.
    connection.pragma_update(None, "ignore_check_constraints", !cfg!(debug_assertions))?;
    if 0 < found && found < known {
        let kept = keep(path, found)?;
        tracing::info!(from = found, to = known, kept = %kept.display(), "the ledger gets a newer schema; a copy of it is kept");
    }
    if found < known {
        crash::point(crash::Point::Migrating);
    }
    Migrations::from_slice(migrations)
        .to_latest(&mut connection)
        .map_err(|source| LedgerError::Migration { path: path.to_owned(), source })?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

/// The schema's version of a file, without changing anything; 0 when there is none.
fn version(path: &Path) -> Result<usize, LedgerError> {
    if !path.metadata().is_ok_and(|meta| meta.len() > 0) {
        return Ok(0);
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(version as usize)
}

/// Copies the ledger as it is, for going back to the older program: `ledger.v1.db` beside `ledger.db`.
fn keep(path: &Path, version: usize) -> Result<PathBuf, LedgerError> {
    let kept = path.with_extension(format!("v{version}.db"));
    let half = kept.with_extension("tmp");
    let failed = |source| LedgerError::Copy { path: kept.clone(), source };
    match std::fs::remove_file(&half) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    backup::copy(path, &half)?;
    std::fs::rename(&half, &kept).map_err(failed)?;
    Ok(kept)
}

#[cfg(test)]
mod tests;
