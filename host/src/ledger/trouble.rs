//! When the disk does not take what is written: which trouble it is, who hears of it, and how it ends.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::ErrorCode;
use tokio::sync::watch;

/// Why the ledger cannot be written, or should not be relied on. What was written before is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// Little space is left: what is under way can still be written down, nothing new begins.
    Low,
    /// No space is left.
    Full,
    /// The file system is read-only.
    ReadOnly,
    /// The disk fails.
    Failing,
}

impl Trouble {
    /// A word for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "disk-low",
            Self::Full => "disk-full",
            Self::ReadOnly => "disk-read-only",
            Self::Failing => "disk-failing",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Low | Self::Full => "make room where the data folder lies; runs go on by themselves",
            Self::ReadOnly => "mount the file system of the data folder for writing again; runs go on by themselves",
            Self::Failing => {
                "look at the system's log and at the disk of the data folder; runs go on once it takes writes"
            }
        }
    }

    pub(super) fn of(error: &rusqlite::Error) -> Option<Self> {
        match error.sqlite_error_code()? {
            ErrorCode::DiskFull => Some(Self::Full),
            ErrorCode::ReadOnly => Some(Self::ReadOnly),
            ErrorCode::SystemIoFailure => Some(Self::Failing),
            _ => None,
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Low => "the disk of the ledger is nearly full",
            Self::Full => "the disk of the ledger is full",
            Self::ReadOnly => "the disk of the ledger is read-only",
            Self::Failing => "the disk of the ledger fails",
        })
    }
}

thread_local! {
    /// What a statement of this thread met since it was asked last. A job's own error may hide it in another type.
    static MET: Cell<Option<Trouble>> = const { Cell::new(None) };
}

/// Remembers what an error of SQLite says about the disk.
pub(super) fn note(error: &rusqlite::Error) {
    if let Some(trouble) = Trouble::of(error) {
        MET.set(Some(trouble));
    }
}

/// As if it had been met just now.
pub(super) fn remember(trouble: Trouble) {
    MET.set(Some(trouble));
}

/// What was met since the last call.
pub(super) fn met() -> Option<Trouble> {
    MET.take()
}

/// The state of the disk as writes and looks at the free space found it.
pub(super) struct Health {
    parts: Mutex<Parts>,
    current: watch::Sender<Option<Trouble>>,
}

#[derive(Default)]
struct Parts {
    write: Option<Trouble>,
    space: Option<Trouble>,
}

impl Default for Health {
    fn default() -> Self {
        Self { parts: Mutex::default(), current: watch::Sender::new(None) }
    }
}

impl Health {
    pub(super) fn current(&self) -> Option<Trouble> {
        *self.current.borrow()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<Trouble>> {
        self.current.subscribe()
    }

    /// What a write met; `None` after one that reached the disk.
    pub(super) fn set_write(&self, trouble: Option<Trouble>) {
        self.change(|parts| parts.write = trouble);
    }

    /// What a look at the free space found.
    pub(super) fn set_space(&self, trouble: Option<Trouble>) {
        self.change(|parts| parts.space = trouble);
    }

    fn change(&self, change: impl FnOnce(&mut Parts)) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut parts);
        let now = parts.write.or(parts.space);
        let before = self.current.send_replace(now);
        drop(parts);
        match (before, now) {
            (before, Some(trouble)) if before != Some(trouble) => {
                tracing::error!(
                    trouble = trouble.as_str(),
                    hint = trouble.hint(),
                    "the ledger's disk is in trouble; runs rest"
                );
            }
            (Some(before), None) => {
                tracing::info!(trouble = before.as_str(), "the ledger's disk takes writes again; runs go on");
            }
            _ => {}
        }
    }
}

/// What a file system has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that a process without privileges may still write.
    pub free: u64,
    /// It takes nothing at all.
    pub read_only: bool,
}

/// Looks at the file system where a path lies.
///
/// # Errors
/// The path is not there.
pub fn space(path: &Path) -> std::io::Result<Space> {
    let found = rustix::fs::statvfs(path)?;
    Ok(Space {
        free: found.f_bavail.saturating_mul(found.f_frsize),
        read_only: found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_once_and_ends_when_both_sides_are_well() {
        let health = Health::default();
        let seen = health.watch();
        health.set_space(Some(Trouble::Low));
        health.set_write(Some(Trouble::Full));
        assert_eq!(health.current(), Some(Trouble::Full), "what writes met weighs more");
        health.set_write(None);
        assert_eq!(*seen.borrow(), Some(Trouble::Low));
        health.set_space(None);
        assert_eq!(health.current(), None);
    }

    #[test]
    fn errors_of_the_disk_are_told_from_others() {
        let error = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        assert_eq!(Trouble::of(&error(rusqlite::ffi::SQLITE_FULL)), Some(Trouble::Full));
        assert_eq!(Trouble::of(&error(rusqlite::ffi::SQLITE_READONLY)), Some(Trouble::ReadOnly));
        assert_eq!(Trouble::of(&error(rusqlite::ffi::SQLITE_IOERR_WRITE)), Some(Trouble::Failing));
        assert_eq!(Trouble::of(&error(rusqlite::ffi::SQLITE_CONSTRAINT)), None);
        assert_eq!(Trouble::of(&rusqlite::Error::QueryReturnedNoRows), None);
    }
}
