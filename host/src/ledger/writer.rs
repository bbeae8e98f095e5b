//! The one thread that writes. Jobs that wait are run in one transaction and answered after the commit: many small writes
//! share one fsync. The first one needs no savepoint, since there is nothing before it to be kept when it fails; in a
//! savepoint SQLite copies every page aside that a job touches, which a page of pulled records would pay dearly.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::trouble::{self, Health};
use super::{Boundary, CrashHook, LedgerError, Tx};

/// Most jobs that share a commit; bounds how long the first of them waits.
const GROUP: usize = 64;

/// Runs the work in the transaction, or says why there is none; `Some` answers once the commit is known, `None` has written
/// nothing.
type Job = Box<dyn FnOnce(Result<Open<'_>, LedgerError>) -> Option<Answer> + Send>;
/// Tells the caller the end: `Err` when the commit failed.
type Answer = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

/// An open transaction.
struct Open<'a> {
    connection: &'a Connection,
    /// Nothing is written in it yet.
    empty: bool,
}

pub(super) struct Writer {
    jobs: std::sync::Mutex<Option<mpsc::Sender<Job>>>,
    thread: std::sync::Mutex<Option<std::thread::JoinHandle<()>>>,
    closed: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn start(connection: Connection, health: Arc<Health>, crash: Option<CrashHook>) -> Self {
        let (sender, receiver) = mpsc::channel::<Job>();
        let closed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&closed);
        let thread = std::thread::Builder::new()
            .name("ledger-writer".into())
            .spawn(move || {
                let told = serve(&connection, &receiver, &health, crash.as_ref());
                flag.store(true, Ordering::SeqCst);
                if told {
                    checkpoint(&connection);
                }
            })
            .expect("the process may start a thread");
        Self { jobs: std::sync::Mutex::new(Some(sender)), thread: std::sync::Mutex::new(Some(thread)), closed }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub(super) fn close(&self) {
        self.jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A thread that panicked has nothing left to wait for.
            drop(thread.join());
        }
    }

    pub(super) async fn run<T, E>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel::<Result<T, E>>();
        let job: Job = Box::new(move |open| match open.map_err(E::from).and_then(|open| perform(&open, work)) {
            Ok(value) => Some(Box::new(move |committed| {
                // The caller may have gone away; its work is durable all the same.
                drop(sender.send(committed.map(|()| value).map_err(E::from)));
            })),
            Err(error) => {
                drop(sender.send(Err(error)));
                None
            }
        });
        {
            let jobs = self.jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let Some(jobs) = jobs.as_ref() else { return Err(LedgerError::Closed.into()) };
            if jobs.send(job).is_err() {
                return Err(LedgerError::Closed.into());
            }
        }
        receiver.await.unwrap_or_else(|_| Err(LedgerError::Closed.into()))
    }
}

/// True when it was told to end; false under a crash test.
fn serve(connection: &Connection, jobs: &mpsc::Receiver<Job>, health: &Health, crash: Option<&CrashHook>) -> bool {
    let crashes = |boundary| crash.is_some_and(|hook| hook(boundary));
    while let Ok(first) = jobs.recv() {
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            // Trouble that is known is not told again with every look at whether it is over.
            if health.current().is_none() {
                tracing::error!(%error, "ledger transaction refused");
            }
            drop(first(Err(error.into())));
            look(health);
            continue;
        }
        let mut answers = Vec::new();
        answers.extend(first(Ok(Open { connection, empty: true })));
        if answers.is_empty() && connection.is_autocommit() {
            // It failed, and was taken back with the transaction.
            look(health);
            continue;
        }
        // Under crash tests every job has boundaries of its own.
        let group = if crash.is_some() { 1 } else { GROUP };
        for _ in 1..group {
            // A full disk makes SQLite roll back all of it at once: what came after would stand outside of any transaction.
            if connection.is_autocommit() {
                break;
            }
            let Ok(job) = jobs.try_recv() else { break };
            answers.extend(job(Ok(Open { connection, empty: false })));
        }
        if crashes(Boundary::BeforeCommit) {
            return false;
        }
        let committed = if connection.is_autocommit() {
            Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT),
                Some("the transaction was rolled back by SQLite".to_owned()),
            ))
        } else {
            connection.execute_batch("COMMIT")
        };
        if committed.is_err() && !connection.is_autocommit() {
            drop(connection.execute_batch("ROLLBACK"));
        }
        if committed.is_ok() && crashes(Boundary::AfterCommit) {
            return false;
        }
        match committed {
            Ok(()) => {
                look(health);
                answers.into_iter().for_each(|answer| answer(Ok(())));
            }
            Err(error) => {
                if health.current().is_none() {
                    tracing::error!(%error, "ledger commit failed");
                }
                let message = error.to_string();
                trouble::note(&error);
                let met = look(health);
                for answer in answers {
                    answer(Err(match met {
                        Some(trouble) => LedgerError::Unwritable { trouble },
                        None => LedgerError::Conflict {
                            message: format!("nothing was written, the commit failed: {message}"),
                        },
                    }));
                }
            }
        }
    }
    true
}

/// Moves what is only in the write-ahead log into the file. What cannot be moved now is read from the log next time.
fn checkpoint(connection: &Connection) {
    let moved = connection
        .busy_timeout(std::time::Duration::from_secs(1))
        .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)));
    match moved {
        Ok(0) => {}
        Ok(_) => tracing::debug!("readers kept the write-ahead log"),
        Err(error) => tracing::warn!(%error, "the write-ahead log stays beside the ledger"),
    }
}

/// Takes note of what the statements since the last look met.
fn look(health: &Health) -> Option<trouble::Trouble> {
    let met = trouble::met();
    if met.is_some() {
        health.set_write(met);
    }
    met
}

/// Does the work so that nothing of it is left when it fails.
fn perform<T, E: From<LedgerError>>(open: &Open<'_>, work: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E> {
    let Open { connection, empty } = *open;
    if !empty {
        connection.execute_batch("SAVEPOINT job").map_err(LedgerError::from)?;
    }
    let tx = Tx::new(connection);
    // A panic in one job must not end the thread that everybody writes through.
    let result = catch_unwind(AssertUnwindSafe(|| work(&tx))).unwrap_or_else(|_| {
        Err(LedgerError::Conflict { message: "a defect in the program stopped this write; nothing was written".into() }
            .into())
    });
    let result = result.and_then(|value| tx.keep_rev().map(|()| value).map_err(E::from));
    if connection.is_autocommit() {
        // SQLite took everything back by itself, the savepoint too. A work that did not notice has written nothing.
        return match result {
            Ok(_) => Err(trouble::met()
                .inspect(|met| trouble::remember(*met))
                .map_or_else(
                    || LedgerError::Conflict {
                        message: "nothing was written, SQLite rolled the transaction back".into(),
                    },
                    |trouble| LedgerError::Unwritable { trouble },
                )
                .into()),
            Err(error) => Err(error),
        };
    }
    let end = match (&result, empty) {
        (Ok(_), true) => return result,
        (Ok(_), false) => "RELEASE job",
        (Err(_), true) => "ROLLBACK",
        (Err(_), false) => "ROLLBACK TO job; RELEASE job",
    };
    connection.execute_batch(end).map_err(LedgerError::from)?;
    result
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use crate::ledger::LedgerError;
    use crate::ledger::tests::{Home, read};
    use crate::model::{RecordId, RecordKind};

    #[tokio::test]
    async fn a_write_that_fails_leaves_nothing_wherever_it_stands_in_its_group() {
        let home = Home::new();
        let ledger = home.booted().await;
        let mut expected = 0;
        for fails in 0_usize..16 {
            let (go, told) = mpsc::channel::<()>();
            let mut told = Some(told);
            let mut job = |n: usize| {
                let (fails, told) = (fails >> n & 1 == 1, told.take());
                ledger.write(move |tx| {
                    // While the first one is at work the others queue up behind it.
                    told.map(|told| told.recv().ok());
                    tx.create_record(RecordKind::Variant, None, None)?;
                    if fails { Err(LedgerError::Conflict { message: "no".into() }) } else { Ok(()) }
                })
            };
            let (a, b, c, d) = (job(0), job(1), job(2), job(3));
            let (a, b, c, d, ()) = tokio::join!(a, b, c, d, async { go.send(()).unwrap_or_default() });
            for (n, result) in [a, b, c, d].into_iter().enumerate() {
                assert_eq!(result.is_err(), fails >> n & 1 == 1, "{fails:04b} {n}");
                expected += usize::from(result.is_ok());
            }
            let found = read(&ledger, |view| view.records_after(RecordKind::Variant, RecordId(0), 100)).await;
            assert_eq!(found.len(), expected, "{fails:04b}");
        }
    }
}
