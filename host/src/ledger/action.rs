//! Actions: what can be run for a platform, and when it runs by itself.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};
use serde_json::Value;

use super::run::Direction;
use super::{LedgerError, Tx, View, document, from_micros, micros, to_json};
use crate::model::kind::names;
use crate::model::{Kind, PlatformId, RunId};

/// When an action runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StartMode {
    /// When a person says so.
    Manual,
    /// By its schedule, while automatic mode is on.
    Automatic,
    /// When the hub or the platform says that something changed, while automatic mode is on.
    Event,
}

names!(StartMode { Manual => "manual", Automatic => "automatic", Event => "event" });

/// Something that can be run for a platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Number.
    pub id: i64,
    /// Platform.
    pub platform: PlatformId,
    /// Pull or push.
    pub direction: Direction,
    /// Kind.
    pub kind: Kind,
    /// When it runs.
    pub start_mode: StartMode,
    /// `every 5m` or a cron expression, when automatic.
    pub schedule: Option<String>,
    /// Options of its own.
    pub options: Value,
    /// Off: does not run at all.
    pub enabled: bool,
    /// Its last run.
    pub last_run: Option<RunId>,
    /// When the schedule runs it next.
    pub next_at: Option<Timestamp>,
}

/// What a new action needs.
#[derive(Debug, Clone)]
pub struct NewAction {
    /// Platform.
    pub platform: PlatformId,
    /// Pull or push.
    pub direction: Direction,
    /// Kind.
    pub kind: Kind,
    /// When it runs.
    pub start_mode: StartMode,
    /// Schedule, when automatic.
    pub schedule: Option<String>,
}

const COLUMNS: &str = "SELECT id, platform, direction, kind, start_mode, schedule, options, enabled, last_run, next_at \
    FROM action";

fn action(row: &Row<'_>) -> Result<Action, LedgerError> {
    Ok(Action {
        id: row.get(0)?,
        platform: PlatformId(row.get(1)?),
        direction: row.get::<_, String>(2)?.parse()?,
        kind: row.get::<_, String>(3)?.parse()?,
        start_mode: row.get::<_, String>(4)?.parse()?,
        schedule: row.get(5)?,
        options: document("action.options", &row.get::<_, String>(6)?)?,
        enabled: row.get(7)?,
        last_run: row.get::<_, Option<i64>>(8)?.map(RunId),
        next_at: row.get::<_, Option<i64>>(9)?.map(from_micros),
    })
}

impl View<'_> {
    /// One action.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn action(&self, id: i64) -> Result<Action, LedgerError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
            .query_row([id], |row| Ok(action(row)))
            .optional()?
            .ok_or_else(|| LedgerError::Missing { what: "action", id: id.to_string() })?
    }

    /// The action of a platform for a direction and kind, if it has one.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn action_for(
        &self,
        platform: PlatformId,
        direction: Direction,
        kind: Kind,
    ) -> Result<Option<Action>, LedgerError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE platform = ?1 AND direction = ?2 AND kind = ?3"))?
            .query_row((platform.0, direction.as_str(), kind.as_str()), |row| Ok(action(row)))
            .optional()?
            .transpose()
    }

    /// All actions, those of one platform if given.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn actions(&self, platform: Option<PlatformId>) -> Result<Vec<Action>, LedgerError> {
        let mut statement =
            self.connection.prepare_cached(&format!("{COLUMNS} WHERE ?1 IS NULL OR platform = ?1 ORDER BY id"))?;
        let rows = statement.query_map([platform.map(|platform| platform.0)], |row| Ok(action(row)))?;
        rows.map(|row| row?).collect()
    }
}

impl Tx<'_> {
    /// Adds an action; the one that is there for the same direction and kind is kept and returned.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn add_action(&self, new: &NewAction) -> Result<Action, LedgerError> {
        self.connection
            .prepare_cached(
                "INSERT INTO action (platform, direction, kind, start_mode, schedule) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO NOTHING",
            )?
            .execute((
                new.platform.0,
                new.direction.as_str(),
                new.kind.as_str(),
                new.start_mode.as_str(),
                &new.schedule,
            ))?;
        self.action_for(new.platform, new.direction, new.kind)?
            .ok_or_else(|| LedgerError::Missing { what: "action", id: format!("{} {}", new.direction, new.kind) })
    }

    /// Writes mode, schedule, options and whether it is enabled.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn set_action(&self, action: &Action) -> Result<(), LedgerError> {
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE action SET start_mode = ?2, schedule = ?3, options = ?4, enabled = ?5, next_at = ?6
                 WHERE id = ?1",
            )?
            .execute((
                action.id,
                action.start_mode.as_str(),
                &action.schedule,
                to_json(&action.options)?,
                action.enabled,
                action.next_at.map(micros),
            ))?;
        if changed == 0 {
            return Err(LedgerError::Missing { what: "action", id: action.id.to_string() });
        }
        Ok(())
    }

    /// Notes the run that the action led to, and when it is due again.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn note_action_run(&self, id: i64, run: RunId, next_at: Option<Timestamp>) -> Result<(), LedgerError> {
        self.connection.prepare_cached("UPDATE action SET last_run = ?2, next_at = ?3 WHERE id = ?1")?.execute((
            id,
            run.0,
            next_at.map(micros),
        ))?;
        Ok(())
    }

    /// Takes an action away; its runs stay.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn remove_action(&self, id: i64) -> Result<(), LedgerError> {
        self.connection.prepare_cached("UPDATE run SET action = NULL WHERE action = ?1")?.execute([id])?;
        let removed = self.connection.prepare_cached("DELETE FROM action WHERE id = ?1")?.execute([id])?;
        if removed == 0 {
            return Err(LedgerError::Missing { what: "action", id: id.to_string() });
        }
        Ok(())
    }
}

impl View<'_> {
    /// Whether a push has anything to do now: wants that are due, or events that are not delivered.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn has_due(&self, platform: PlatformId, kind: Kind) -> Result<bool, LedgerError> {
        let now = micros(Timestamp::now());
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM want WHERE platform = ?1 AND kind = ?2
                         AND (not_before IS NULL OR not_before <= ?3)
                         AND NOT EXISTS (SELECT 1 FROM wait WHERE what = 'want'
                             AND what_id = ?1 || '/' || ?2 || '/' || want.record))
                     OR (?2 IN ('order', 'shipment') AND EXISTS (
                         SELECT 1 FROM delivery WHERE platform = ?1 AND state = 'due'))
                     OR EXISTS (SELECT 1 FROM intent WHERE platform = ?1 AND state IN ('planned', 'retry')
                         AND (kind = ?2 OR (?2 = 'order' AND kind = 'order-event'))
                         AND (not_before IS NULL OR not_before <= ?3))",
            )?
            .query_row((platform.0, kind.as_str(), now), |row| row.get(0))?)
    }

    /// Active records of a kind.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn count_records(&self, kind: crate::model::RecordKind) -> Result<u64, LedgerError> {
        Ok(self
            .connection
            .prepare_cached("SELECT count(*) FROM record WHERE kind = ?1 AND state = 'active'")?
            .query_row([kind.as_str()], |row| row.get::<_, i64>(0))?
            .unsigned_abs())
    }
}
