//! The one thread that writes. Jobs that wait are run in one transaction, each in a savepoint, and answered after the
//! commit: many small writes share one fsync.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{Boundary, CrashHook, LedgerError, Tx, View};

/// Most jobs that share a commit; bounds how long the first of them waits.
const GROUP: usize = 64;

/// Runs the work in its savepoint; `Some` answers once the commit is known.
type Job = Box<dyn FnOnce(&Connection) -> Option<Answer> + Send>;
/// Tells the caller the end: `Err` when the commit failed.
type Answer = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

pub(super) struct Writer {
    jobs: std::sync::Mutex<Option<mpsc::Sender<Job>>>,
    closed: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn start(connection: Connection, crash: Option<CrashHook>) -> Self {
        let (sender, receiver) = mpsc::channel::<Job>();
        let closed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&closed);
        std::thread::Builder::new()
            .name("ledger-writer".into())
            .spawn(move || {
                serve(&connection, &receiver, crash.as_ref());
                flag.store(true, Ordering::SeqCst);
            })
            .expect("the process may start a thread");
        Self { jobs: std::sync::Mutex::new(Some(sender)), closed }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub(super) fn close(&self) {
        self.jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    }

    pub(super) async fn run<T, E>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel::<Result<T, E>>();
        let job: Job = Box::new(move |connection| match savepoint(connection, work) {
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

fn serve(connection: &Connection, jobs: &mpsc::Receiver<Job>, crash: Option<&CrashHook>) {
    let crashes = |boundary| crash.is_some_and(|hook| hook(boundary));
    while let Ok(first) = jobs.recv() {
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            tracing::error!(%error, "ledger transaction refused");
            // The job is dropped unrun, and with it its answer: the caller hears `Closed`.
            continue;
        }
        let mut answers = Vec::new();
        answers.extend(first(connection));
        // Under crash tests every job has boundaries of its own.
        let group = if crash.is_some() { 1 } else { GROUP };
        for _ in 1..group {
            let Ok(job) = jobs.try_recv() else { break };
            answers.extend(job(connection));
        }
        if crashes(Boundary::BeforeCommit) {
            return;
        }
        let committed = connection.execute_batch("COMMIT");
        if committed.is_err() && !connection.is_autocommit() {
            drop(connection.execute_batch("ROLLBACK"));
        }
        if committed.is_ok() && crashes(Boundary::AfterCommit) {
            return;
        }
        match committed {
            Ok(()) => answers.into_iter().for_each(|answer| answer(Ok(()))),
            Err(error) => {
                tracing::error!(%error, "ledger commit failed");
                let message = error.to_string();
                for answer in answers {
                    answer(Err(LedgerError::Conflict {
                        message: format!("nothing was written, the commit failed: {message}"),
                    }));
                }
            }
        }
    }
}

fn savepoint<T, E: From<LedgerError>>(
    connection: &Connection,
    work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    connection.execute_batch("SAVEPOINT job").map_err(LedgerError::from)?;
    let tx = Tx { view: View { connection }, now: Timestamp::now(), rev: Cell::new(None) };
    // A panic in one job must not end the thread that everybody writes through.
    let result = catch_unwind(AssertUnwindSafe(|| work(&tx))).unwrap_or_else(|_| {
        Err(LedgerError::Conflict { message: "a defect in the program stopped this write; nothing was written".into() }
            .into())
    });
    let result = result.and_then(|value| tx.keep_rev().map(|()| value).map_err(E::from));
    let end = if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    connection.execute_batch(end).map_err(LedgerError::from)?;
    result
}
