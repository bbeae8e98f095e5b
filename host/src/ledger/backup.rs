//! Copies of the ledger while it works, and what a copy must be before it is restored.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::schema::MIGRATIONS;
use super::{Ledger, LedgerError};
use crate::crash;

/// Pages copied before the writer gets its turn.
const PAGES: std::ffi::c_int = 512;

impl Ledger {
    /// Copies the ledger to a new file while it goes on working. Blocks; call it on a thread that may.
    ///
    /// # Errors
    /// The file exists, or the disk refuses. A copy that failed is removed.
    pub fn backup_to(&self, target: &Path) -> Result<(), LedgerError> {
        if target.exists() {
            return Err(LedgerError::Conflict {
                message: format!("{} exists; name a new file for the backup", target.display()),
            });
        }
        let copied = copy(self.path(), target);
        // What somebody else put there meanwhile is not ours to remove.
        if copied.as_ref().is_err_and(|error| !matches!(error, LedgerError::Copy { .. })) {
            drop(std::fs::remove_file(target));
        }
        copied
    }
}

pub(super) fn copy(source: &Path, target: &Path) -> Result<(), LedgerError> {
    // Nobody else's, wherever it lies: it holds the whole business.
    let private = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(target);
    private.map_err(|source| LedgerError::Copy { path: target.to_owned(), source })?;
    let source = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut copy = Connection::open(target)?;
    copy.pragma_update(None, "synchronous", "FULL")?;
    rusqlite::backup::Backup::new(&source, &mut copy)?.run_to_completion(
        PAGES,
        Duration::from_millis(5),
        Some(|_| crash::point(crash::Point::BackingUp)),
    )?;
    copy.execute("UPDATE instance SET backup_at = ?1", [super::micros(jiff::Timestamp::now())])?;
    // The copy is one plain file: no write-ahead log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Makes sure that a file is a whole ledger that this program can read.
///
/// # Errors
/// What is wrong with it; the file is left as it is.
pub fn inspect(file: &Path) -> Result<(), LedgerError> {
    let refused = |why: &str| LedgerError::Conflict {
        message: format!("{} is no backup that can be restored: {why}", file.display()),
    };
    if !file.is_file() {
        return Err(refused("there is no such file"));
    }
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|_| refused("it is no SQLite file"))?;
    if version == 0 {
        return Err(refused("it is no ledger"));
    }
    let known = MIGRATIONS.len();
    if version as usize > known {
        return Err(LedgerError::Newer { path: file.to_owned(), found: version as usize, known });
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(refused(&verdict));
    }
    Ok(())
}

/// Makes sure that a copy which is about to be restored knows that it is one, whoever made it.
///
/// # Errors
/// When the file cannot be written.
pub fn mark_restored(file: &Path) -> Result<(), LedgerError> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let at = super::micros(jiff::Timestamp::now());
    connection.execute("UPDATE instance SET backup_at = coalesce(backup_at, ?1)", [at])?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}
