//! The ledger: one SQLite file per client with everything the hub knows. The only module that names rusqlite.
//!
//! Reads take a [`View`], writes a [`Tx`]; both offer domain verbs, one file per group of tables, never SQL. All writes
//! go through one thread that commits what has queued up in one transaction with `synchronous=FULL`: when
//! [`Ledger::write`] returns, its work survives a power cut.

pub mod action;
pub mod attention;
pub mod audit;
pub mod backup;
pub mod blob;
pub mod event;
pub mod inbox;
pub mod instance;
pub mod intent;
pub mod link;
pub mod measure;
pub mod platform;
pub mod plugin;
pub mod record;
pub mod reservation;
pub mod run;
mod schema;
pub mod secret;
mod storage;
pub mod stream;
pub mod tidy;
pub mod trouble;
pub mod wait;
pub mod want;
mod writer;

#[cfg(test)]
pub(crate) mod tests;

use std::cell::Cell;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::model::Rev;
use trouble::{Health, Trouble};

/// Why the ledger did not do something. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite refused.
    #[error("the ledger cannot be used")]
    Sqlite(#[source] rusqlite::Error),
    /// The disk does not take it; what was written before is whole.
    #[error("nothing can be written: {trouble}; {}", trouble.hint())]
    Unwritable {
        /// What is wrong with the disk.
        trouble: Trouble,
    },
    /// The copy that is kept before a migration cannot be made.
    #[error("the copy {path} cannot be made, so the ledger is left as it is")]
    Copy {
        /// The copy.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The schema could not be brought up to date.
    #[error("the ledger {path} cannot be brought to this version's schema")]
    Migration {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite_migration::Error,
    },
    /// The file was written by a newer version; it is left as it is.
    #[error(
        "the ledger {path} has schema version {found}, this program knows versions up to {known}; start the newer program"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// What this program knows.
        known: usize,
    },
    /// A stored document cannot be read: the file was changed by something else, or this is a defect.
    #[error("the ledger holds an unreadable {what}")]
    Corrupt {
        /// Table and column.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A name in the ledger is not one of those known here.
    #[error(transparent)]
    Name(#[from] crate::model::kind::UnknownName),
    /// What was asked for is not there.
    #[error("there is no {what} `{id}`")]
    Missing {
        /// Platform, record, run ...
        what: &'static str,
        /// Its code or number.
        id: String,
    },
    /// The change contradicts what the ledger holds, in words for the operator.
    #[error("{message}")]
    Conflict {
        /// What contradicts what, and what to do.
        message: String,
    },
    /// The writer ended (shutdown, or a crash under test).
    #[error("the ledger is closed")]
    Closed,
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        trouble::note(&error);
        match Trouble::of(&error) {
            Some(trouble) => Self::Unwritable { trouble },
            None => Self::Sqlite(error),
        }
    }
}

/// A moment around a commit at which a test can end the ledger, as a power cut would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// Everything is written, nothing is durable.
    BeforeCommit,
    /// Everything is durable, nobody has heard of it.
    AfterCommit,
}

/// Asked at every boundary; `true` ends the ledger there and then.
pub type CrashHook = Arc<dyn Fn(Boundary) -> bool + Send + Sync>;

/// How to open a ledger.
#[derive(Clone, Default)]
pub struct Options {
    /// For crash tests.
    pub crash: Option<CrashHook>,
}

/// An open ledger; clones share it.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    writer: writer::Writer,
    health: Arc<Health>,
    readers: Mutex<Vec<Connection>>,
}

impl Ledger {
    /// Opens the file, making or migrating it. The caller holds the lock on the data folder.
    ///
    /// # Errors
    /// A newer schema is refused and left untouched.
    pub fn open(path: &Path, options: Options) -> Result<Self, LedgerError> {
        let connection = schema::open(path, schema::MIGRATIONS)?;
        let health = Arc::new(Health::default());
        let writer = writer::Writer::start(connection, Arc::clone(&health), options.crash);
        Ok(Self { inner: Arc::new(Inner { path: path.to_owned(), writer, health, readers: Mutex::default() }) })
    }

    /// What keeps the ledger from being written, if anything does.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.inner.health.current()
    }

    /// Tells when trouble begins and ends.
    #[must_use]
    pub fn watch_trouble(&self) -> tokio::sync::watch::Receiver<Option<Trouble>> {
        self.inner.health.watch()
    }

    /// Looks at the free space, and writes a little where writing failed before: trouble begins here and ends here.
    pub async fn look_at_disk(&self, min_free: u64) {
        let folder = self.inner.path.parent().unwrap_or(Path::new(".")).to_owned();
        let found = tokio::task::spawn_blocking(move || trouble::space(&folder)).await;
        if let Ok(Ok(space)) = found {
            // What is over once must be so by some distance, or runs would stop and go.
            let bound = if self.trouble().is_some() { min_free.saturating_add(min_free / 4) } else { min_free };
            let trouble = match space {
                trouble::Space { read_only: true, .. } => Some(Trouble::ReadOnly),
                trouble::Space { free, .. } if free < bound => Some(Trouble::Low),
                _ => None,
            };
            self.inner.health.set_space(trouble);
            if trouble.is_some() {
                return;
            }
        }
        if self.trouble().is_some() {
            // Something that reaches the disk, and changes nothing.
            let wrote =
                self.write(|tx| Ok::<_, LedgerError>(tx.connection.execute("UPDATE instance SET boot = boot", [])?));
            if wrote.await.is_ok() {
                self.inner.health.set_write(None);
            }
        }
    }

    /// Whether the writer still takes turns, whatever it can write.
    pub async fn answers(&self) -> bool {
        !matches!(self.write(|_| Ok::<_, LedgerError>(())).await, Err(LedgerError::Closed))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs the closure in a transaction of its own and returns when that is durable. An `Err` rolls back this closure
    /// alone.
    ///
    /// # Errors
    /// What the closure returns, or [`LedgerError::Closed`].
    pub async fn write<T, E>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        self.inner.writer.run(work).await
    }

    /// Runs the closure, rolls everything back, and returns what it found: the dry run of a write.
    ///
    /// # Errors
    /// What the closure returns, or [`LedgerError::Closed`].
    pub async fn rehearse<T, E>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        let rolled_back = self
            .inner
            .writer
            .run(move |tx| match work(tx) {
                Ok(found) => Err::<std::convert::Infallible, _>(Rehearsal::Found(found)),
                Err(error) => Err(Rehearsal::<T, E>::Failed(error)),
            })
            .await;
        match rolled_back {
            Ok(never) => match never {},
            Err(Rehearsal::Found(found)) => Ok(found),
            Err(Rehearsal::Failed(error)) => Err(error),
        }
    }

    /// Runs the closure on a snapshot, on a thread that may block.
    ///
    /// # Errors
    /// What the closure returns, or [`LedgerError::Closed`].
    pub async fn read<T, E>(&self, work: impl FnOnce(&View<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let task = tokio::task::spawn_blocking(move || {
            if inner.writer.is_closed() {
                return Err(LedgerError::Closed.into());
            }
            let pooled = inner.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
            let connection = match pooled {
                Some(connection) => connection,
                None => reader(&inner.path).map_err(LedgerError::from)?,
            };
            let result = (|| {
                let transaction = connection.unchecked_transaction().map_err(LedgerError::from)?;
                work(&View { connection: &transaction })
            })();
            inner.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(connection);
            result
        });
        task.await.unwrap_or_else(|_| Err(LedgerError::Closed.into()))
    }

    /// Ends the writer after what has queued up, and waits until everything lies in the one file; later calls give
    /// [`LedgerError::Closed`].
    pub fn close(&self) {
        self.inner.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
        self.inner.writer.close();
        self.inner.readers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }
}

enum Rehearsal<T, E> {
    Found(T),
    Failed(E),
}

impl<T, E: From<LedgerError>> From<LedgerError> for Rehearsal<T, E> {
    fn from(error: LedgerError) -> Self {
        Self::Failed(error.into())
    }
}

fn reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// A consistent picture of the ledger.
pub struct View<'a> {
    connection: &'a Connection,
}

/// A transaction; it also reads.
pub struct Tx<'a> {
    view: View<'a>,
    now: Timestamp,
    /// The last position given in this transaction; the row follows at its end.
    rev: Cell<Option<i64>>,
    /// The last number given to a record in this transaction.
    record: Cell<Option<i64>>,
    /// Whether anything waits, once that was asked.
    waits: Cell<Option<bool>>,
}

impl<'a> Deref for Tx<'a> {
    type Target = View<'a>;

    fn deref(&self) -> &View<'a> {
        &self.view
    }
}

impl<'a> Tx<'a> {
    fn new(connection: &'a Connection) -> Self {
        let (rev, record, waits) = (Cell::new(None), Cell::new(None), Cell::new(None));
        Self { view: View { connection }, now: Timestamp::now(), rev, record, waits }
    }
}

impl Tx<'_> {
    /// Time of the transaction, for columns that people read; never for order.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Runs the work so that, when it fails, only what it wrote is taken back, and the transaction goes on.
    ///
    /// # Errors
    /// What the work returns.
    pub fn attempt<T, E: From<LedgerError>>(&self, work: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        let step = |sql| self.connection.prepare_cached(sql)?.execute([]).map(drop);
        step("SAVEPOINT attempt").map_err(LedgerError::from)?;
        let result = work(self);
        if result.is_err() {
            step("ROLLBACK TO attempt").map_err(LedgerError::from)?;
        }
        step("RELEASE attempt").map_err(LedgerError::from)?;
        result
    }

    /// The next position in the ledger's order.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn next_rev(&self) -> Result<Rev, LedgerError> {
        let next = self.last_rev()?.0 + 1;
        self.rev.set(Some(next));
        Ok(Rev(next))
    }

    /// The position that was given last.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn last_rev(&self) -> Result<Rev, LedgerError> {
        if let Some(rev) = self.rev.get() {
            return Ok(Rev(rev));
        }
        let rev = self
            .connection
            .prepare_cached("SELECT last_rev FROM instance")?
            .query_row([], |row| row.get(0))
            .optional()?
            .ok_or(LedgerError::Missing { what: "instance row", id: "1".into() })?;
        Ok(Rev(rev))
    }

    /// The ledger's own row, as this transaction leaves it.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn instance(&self) -> Result<instance::Instance, LedgerError> {
        let instance = self.view.instance()?;
        Ok(instance::Instance { last_rev: self.last_rev()?, ..instance })
    }

    /// Writes down which positions were given.
    fn keep_rev(&self) -> Result<(), LedgerError> {
        if let Some(rev) = self.rev.get() {
            self.connection.prepare_cached("UPDATE instance SET last_rev = ?1")?.execute([rev])?;
        }
        Ok(())
    }
}

/// Microseconds since 1970, as times are stored.
pub(in crate::ledger) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// From [`micros`]; a stored time is always in range.
pub(in crate::ledger) fn from_micros(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Reads a stored JSON document.
pub(in crate::ledger) fn document<T: serde::de::DeserializeOwned>(
    what: &'static str,
    text: &str,
) -> Result<T, LedgerError> {
    serde_json::from_str(text).map_err(|source| LedgerError::Corrupt { what, source })
}

/// JSON of a value made of strings, numbers, lists and maps with string keys; the same for equal values.
pub(in crate::ledger) fn to_json(value: &impl serde::Serialize) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|source| LedgerError::Corrupt { what: "value to be stored", source })
}
