//! Runs: executions of actions, with counts and what became of each record.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};

use super::{LedgerError, Tx, View, document, from_micros, micros, to_json};
use crate::model::kind::names;
use crate::model::{Kind, PlatformId, RecordId, RunId};

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Platform to hub.
    Pull,
    /// Hub to platform.
    Push,
    /// Finds out what became of writes without an answer.
    Settle,
    /// Compares all ids.
    Sweep,
    /// First contact.
    Onboard,
    /// Old orders.
    Backfill,
}

names!(Direction {
    Pull => "pull", Push => "push", Settle => "settle", Sweep => "sweep", Onboard => "onboard", Backfill => "backfill",
});

/// Why a run was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A person.
    Manual,
    /// The schedule.
    Automatic,
    /// Something changed.
    Event,
    /// A restart or a restore.
    Recovery,
}

names!(Cause { Manual => "manual", Automatic => "automatic", Event => "event", Recovery => "recovery" });

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Waits for its turn.
    Queued,
    /// Under way.
    Running,
    /// Ended, all well.
    Done,
    /// Ended, some records need a look.
    DoneWithIssues,
    /// Ended before it was through.
    Failed,
    /// Stopped by a person.
    Cancelled,
    /// The program ended during it.
    Interrupted,
    /// A guard wants a confirmation.
    Held,
    /// The platform asked to wait.
    Resting,
}

names!(RunState {
    Queued => "queued", Running => "running", Done => "done", DoneWithIssues => "done_with_issues", Failed => "failed",
    Cancelled => "cancelled", Interrupted => "interrupted", Held => "held", Resting => "resting",
});

impl RunState {
    /// Nothing more happens in it.
    #[must_use]
    pub fn is_over(self) -> bool {
        match self {
            Self::Queued | Self::Running | Self::Held | Self::Resting => false,
            Self::Done | Self::DoneWithIssues | Self::Failed | Self::Cancelled | Self::Interrupted => true,
        }
    }
}

/// What became of a record in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// New.
    Created,
    /// Changed.
    Updated,
    /// Taken away.
    Deleted,
    /// Linked with a record that was there.
    Matched,
    /// Not imported, because.
    Ignored,
    /// As it was.
    Unchanged,
    /// Waits for something else.
    Waiting,
    /// The platform said no.
    Refused,
    /// No answer.
    Unknown,
    /// Waits for a person.
    Held,
    /// Could not be read.
    Unreadable,
    /// Something happened to an order.
    Event,
}

names!(What {
    Created => "created", Updated => "updated", Deleted => "deleted", Matched => "matched", Ignored => "ignored",
    Unchanged => "unchanged", Waiting => "waiting", Refused => "refused", Unknown => "unknown", Held => "held",
    Unreadable => "unreadable", Event => "event",
});

impl What {
    /// Somebody should look.
    #[must_use]
    pub fn is_issue(self) -> bool {
        matches!(self, Self::Refused | Self::Unknown | Self::Held | Self::Unreadable | Self::Waiting)
    }
}

/// Counts of a run by name: those of [`What`], and `pages`, `read`.
pub type Counts = BTreeMap<String, u64>;

/// What a new run needs.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Action, if it belongs to one.
    pub action: Option<i64>,
    /// Platform.
    pub platform: PlatformId,
    /// What it does.
    pub direction: Direction,
    /// Kind.
    pub kind: Kind,
    /// Why.
    pub cause: Cause,
    /// Nothing is written anywhere.
    pub preview: bool,
}

/// One execution of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Number.
    pub id: RunId,
    /// Action.
    pub action: Option<i64>,
    /// Platform.
    pub platform: PlatformId,
    /// What it does.
    pub direction: Direction,
    /// Kind.
    pub kind: Kind,
    /// Why.
    pub cause: Cause,
    /// Nothing is written anywhere.
    pub preview: bool,
    /// How far.
    pub state: RunState,
    /// Rests until then.
    pub until: Option<Timestamp>,
    /// Boot that runs it.
    pub boot: String,
    /// Id and version of the connector that served.
    pub connector: Option<String>,
    /// Counts.
    pub counts: Counts,
    /// Why it ended as it did.
    pub message: Option<String>,
    /// When it was asked for.
    pub queued_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What a run did to one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunItem {
    /// Record.
    pub record: Option<RecordId>,
    /// Object over there.
    pub remote: Option<String>,
    /// What became of it.
    pub what: What,
    /// In words.
    pub detail: Option<String>,
}

/// A line of a run's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLine {
    /// Run.
    pub run: RunId,
    /// Counts from 1.
    pub n: i64,
    /// What it did.
    pub item: RunItem,
    /// When.
    pub at: Timestamp,
}

const COLUMNS: &str = "SELECT id, action, platform, direction, kind, cause, preview, state, until, boot, connector, \
    counts, message, queued_at, started_at, ended_at FROM run";

fn run(row: &Row<'_>) -> Result<Run, LedgerError> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|time| time.map(from_micros));
    Ok(Run {
        id: RunId(row.get(0)?),
        action: row.get(1)?,
        platform: PlatformId(row.get(2)?),
        direction: row.get::<_, String>(3)?.parse()?,
        kind: row.get::<_, String>(4)?.parse()?,
        cause: row.get::<_, String>(5)?.parse()?,
        preview: row.get(6)?,
        state: row.get::<_, String>(7)?.parse()?,
        until: time(8)?,
        boot: row.get(9)?,
        connector: row.get(10)?,
        counts: document("run.counts", &row.get::<_, String>(11)?)?,
        message: row.get(12)?,
        queued_at: from_micros(row.get(13)?),
        started_at: time(14)?,
        ended_at: time(15)?,
    })
}

fn line(row: &Row<'_>) -> Result<RunLine, LedgerError> {
    Ok(RunLine {
        run: RunId(row.get(0)?),
        n: row.get(1)?,
        item: RunItem {
            record: row.get::<_, Option<i64>>(2)?.map(RecordId),
            remote: row.get(3)?,
            what: row.get::<_, String>(4)?.parse()?,
            detail: row.get(5)?,
        },
        at: from_micros(row.get(6)?),
    })
}

impl View<'_> {
    /// One run.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn run(&self, id: RunId) -> Result<Run, LedgerError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
            .query_row([id.0], |row| Ok(run(row)))
            .optional()?
            .ok_or_else(|| LedgerError::Missing { what: "run", id: id.to_string() })?
    }

    /// Runs, newest first; of one platform or all, below a number for paging.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn runs(
        &self,
        platform: Option<PlatformId>,
        below: Option<RunId>,
        limit: u32,
    ) -> Result<Vec<Run>, LedgerError> {
        self.connection
            .prepare_cached(&format!(
                "{COLUMNS} WHERE (?1 IS NULL OR platform = ?1) AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3"
            ))?
            .query_map((platform.map(|id| id.0), below.map(|id| id.0), limit), |row| Ok(run(row)))?
            .map(|row| row?)
            .collect()
    }

    /// Runs in a state, oldest first.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn runs_in(&self, state: RunState) -> Result<Vec<Run>, LedgerError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE state = ?1 ORDER BY id"))?
            .query_map([state.as_str()], |row| Ok(run(row)))?
            .map(|row| row?)
            .collect()
    }

    /// A run's journal after a line: for showing it, and for following it while it grows.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn run_lines(&self, id: RunId, after: i64, limit: u32) -> Result<Vec<RunLine>, LedgerError> {
        self.connection
            .prepare_cached(
                "SELECT run, n, record, remote, what, detail, at FROM run_item WHERE run = ?1 AND n > ?2
                 ORDER BY n LIMIT ?3",
            )?
            .query_map((id.0, after, limit), |row| Ok(line(row)))?
            .map(|row| row?)
            .collect()
    }

    /// What runs did to a record, oldest first.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn run_lines_of(&self, record: RecordId) -> Result<Vec<RunLine>, LedgerError> {
        self.connection
            .prepare_cached(
                "SELECT run, n, record, remote, what, detail, at FROM run_item WHERE record = ?1 ORDER BY run, n",
            )?
            .query_map([record.0], |row| Ok(line(row)))?
            .map(|row| row?)
            .collect()
    }
}

impl Tx<'_> {
    /// Asks for a run; it belongs to this boot.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn queue_run(&self, new: &NewRun) -> Result<RunId, LedgerError> {
        let boot = self.instance()?.boot;
        self.connection
            .prepare_cached(
                "INSERT INTO run (action, platform, direction, kind, cause, preview, state, boot, queued_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7, ?8)",
            )?
            .execute((
                new.action,
                new.platform.0,
                new.direction.as_str(),
                new.kind.as_str(),
                new.cause.as_str(),
                new.preview,
                boot,
                micros(self.now()),
            ))?;
        Ok(RunId(self.connection.last_insert_rowid()))
    }

    /// The run begins, or goes on after a rest or a hold, served by that version of the connector.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when it is over.
    pub fn start_run(&self, id: RunId, connector: &str) -> Result<(), LedgerError> {
        let state = self.run(id)?.state;
        if state.is_over() {
            return Err(LedgerError::Conflict { message: format!("run {id} is {state} already") });
        }
        self.connection
            .prepare_cached(
                "UPDATE run SET state = 'running', until = NULL, connector = ?2,
                     started_at = coalesce(started_at, ?3), boot = (SELECT boot FROM instance)
                 WHERE id = ?1",
            )?
            .execute((id.0, connector, micros(self.now())))?;
        Ok(())
    }

    /// Says how far the run is now, with words; `until` when it rests. A run that is over stays as it is.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_run(
        &self,
        id: RunId,
        state: RunState,
        message: Option<&str>,
        until: Option<Timestamp>,
    ) -> Result<(), LedgerError> {
        let ended = state.is_over().then(|| micros(self.now()));
        self.connection
            .prepare_cached(
                "UPDATE run SET state = ?2, message = coalesce(?3, message), until = ?4, ended_at = ?5
                 WHERE id = ?1 AND state IN ('queued', 'running', 'held', 'resting')",
            )?
            .execute((id.0, state.as_str(), message, until.map(micros), ended))?;
        Ok(())
    }

    /// Adds to the run's counts.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn count_run(&self, id: RunId, more: &Counts) -> Result<(), LedgerError> {
        if more.is_empty() {
            return Ok(());
        }
        let mut counts = self.run(id)?.counts;
        for (name, more) in more {
            *counts.entry(name.clone()).or_default() += more;
        }
        self.connection
            .prepare_cached("UPDATE run SET counts = ?2 WHERE id = ?1")?
            .execute((id.0, to_json(&counts)?))?;
        Ok(())
    }

    /// Writes down what the run did, and counts it.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn write_run_lines(&self, id: RunId, items: &[RunItem]) -> Result<(), LedgerError> {
        if items.is_empty() {
            return Ok(());
        }
        let mut n: i64 = self
            .connection
            .prepare_cached("SELECT coalesce(max(n), 0) FROM run_item WHERE run = ?1")?
            .query_row([id.0], |row| row.get(0))?;
        let mut counts = Counts::new();
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO run_item (run, n, record, remote, what, detail, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for item in items {
            *counts.entry(item.what.as_str().to_owned()).or_default() += 1;
            // What did not change is only counted: a full pull of a large shop would fill the disk with such lines.
            if item.what == What::Unchanged {
                continue;
            }
            n += 1;
            insert.execute((
                id.0,
                n,
                item.record.map(|id| id.0),
                &item.remote,
                item.what.as_str(),
                &item.detail,
                micros(self.now()),
            ))?;
        }
        self.count_run(id, &counts)
    }

    /// Runs of other boots that were under way are interrupted. Returns how many.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn interrupt_runs_of_other_boots(&self) -> Result<usize, LedgerError> {
        self.connection
            .prepare_cached(
                "UPDATE run SET state = 'interrupted', ended_at = ?1,
                     message = coalesce(message, 'the program ended during the run; the next run goes on where it was')
                 WHERE state IN ('queued', 'running', 'resting') AND boot <> (SELECT boot FROM instance)",
            )?
            .execute([micros(self.now())])
            .map_err(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{Home, platform, write};

    #[tokio::test]
    async fn a_run_counts_and_keeps_its_end() {
        let home = Home::new();
        let ledger = home.booted().await;
        let shop = platform(&ledger, "shop").await;
        write(&ledger, move |tx| {
            let id = tx.queue_run(&NewRun {
                action: None,
                platform: shop,
                direction: Direction::Pull,
                kind: Kind::Order,
                cause: Cause::Manual,
                preview: false,
            })?;
            tx.start_run(id, "test 1.0.0")?;
            let item = |what| RunItem { record: None, remote: Some("1".into()), what, detail: None };
            tx.write_run_lines(id, &[item(What::Created), item(What::Unchanged)])?;
            tx.write_run_lines(id, &[item(What::Created)])?;
            assert_eq!(tx.run_lines(id, 0, 9)?.iter().map(|line| line.n).collect::<Vec<_>>(), [1, 2]);
            assert_eq!(tx.run_lines(id, 1, 9)?.len(), 1);
            assert_eq!(tx.interrupt_runs_of_other_boots()?, 0);
            tx.set_run(id, RunState::Done, None, None)?;
            tx.set_run(id, RunState::Failed, Some("late"), None)?;
            let run = tx.run(id)?;
            assert_eq!((run.state, run.message), (RunState::Done, None));
            assert_eq!(run.counts, Counts::from([("created".into(), 2), ("unchanged".into(), 1)]));
            assert!(tx.start_run(id, "x").is_err());
            Ok(())
        })
        .await;
    }

    #[tokio::test]
    async fn a_restart_interrupts_what_was_under_way() {
        let home = Home::new();
        let ledger = home.booted().await;
        let shop = platform(&ledger, "shop").await;
        write(&ledger, move |tx| {
            let new = NewRun {
                action: None,
                platform: shop,
                direction: Direction::Push,
                kind: Kind::Order,
                cause: Cause::Automatic,
                preview: false,
            };
            let (under_way, held) = (tx.queue_run(&new)?, tx.queue_run(&new)?);
            tx.start_run(under_way, "test 1.0.0")?;
            tx.set_run(held, RunState::Held, Some("look"), None)?;
            tx.begin_boot("here")?;
            assert_eq!(tx.interrupt_runs_of_other_boots()?, 1);
            assert_eq!(tx.run(under_way)?.state, RunState::Interrupted);
            assert_eq!(tx.run(held)?.state, RunState::Held, "what waits for a person goes on waiting");
            Ok(())
        })
        .await;
    }
}
