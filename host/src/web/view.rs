//! What the API shows: inner values are converted here, at the edge.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::ledger::action::Action;
use crate::ledger::attention::{Attention, Choice};
use crate::ledger::run::{Counts, Run, RunLine};
use crate::ledger::{Ledger, LedgerError};
use crate::model::{Kind, PlatformId};

/// Codes of all platforms, removed ones too.
pub(super) struct Codes(HashMap<PlatformId, String>);

impl Codes {
    pub(super) async fn read(ledger: &Ledger) -> Result<Self, LedgerError> {
        let platforms = ledger.read(|view| view.platforms()).await?;
        Ok(Self(platforms.into_iter().map(|platform| (platform.id, platform.code.to_string())).collect()))
    }

    pub(super) fn of(&self, id: PlatformId) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// An action.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ActionView {
    id: i64,
    platform: String,
    direction: &'static str,
    kind: Kind,
    start: &'static str,
    schedule: Option<String>,
    enabled: bool,
    options: Value,
    last_run: Option<i64>,
    next_at: Option<Timestamp>,
}

impl ActionView {
    pub(super) fn new(codes: &Codes, action: Action) -> Self {
        Self {
            id: action.id,
            platform: codes.of(action.platform),
            direction: action.direction.as_str(),
            kind: action.kind,
            start: action.start_mode.as_str(),
            schedule: action.schedule,
            enabled: action.enabled,
            options: action.options,
            last_run: action.last_run.map(|run| run.0),
            next_at: action.next_at,
        }
    }
}

/// A run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RunView {
    id: i64,
    platform: String,
    direction: &'static str,
    kind: Kind,
    cause: &'static str,
    state: &'static str,
    over: bool,
    until: Option<Timestamp>,
    connector: Option<String>,
    counts: Counts,
    message: Option<String>,
    queued_at: Timestamp,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

impl RunView {
    pub(super) fn new(codes: &Codes, run: Run) -> Self {
        Self {
            id: run.id.0,
            platform: codes.of(run.platform),
            direction: run.direction.as_str(),
            kind: run.kind,
            cause: run.cause.as_str(),
            state: run.state.as_str(),
            over: run.state.is_over(),
            until: run.until,
            connector: run.connector,
            counts: run.counts,
            message: run.message,
            queued_at: run.queued_at,
            started_at: run.started_at,
            ended_at: run.ended_at,
        }
    }
}

/// A line of a run's journal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct LineView {
    n: i64,
    at: Timestamp,
    what: &'static str,
    record: Option<i64>,
    remote: Option<String>,
    detail: Option<String>,
}

impl From<RunLine> for LineView {
    fn from(line: RunLine) -> Self {
        Self {
            n: line.n,
            at: line.at,
            what: line.item.what.as_str(),
            record: line.item.record.map(|record| record.0),
            remote: line.item.remote,
            detail: line.item.detail,
        }
    }
}

/// What waits for a person.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct AttentionView {
    id: i64,
    state: &'static str,
    title: String,
    hint: String,
    choices: Vec<Choice>,
    platform: Option<String>,
    kind: Option<Kind>,
    record: Option<i64>,
    run: Option<i64>,
    count: u64,
    answer: Option<String>,
    opened_at: Timestamp,
    closed_at: Option<Timestamp>,
    cause: String,
    data: Value,
}

impl AttentionView {
    pub(super) fn new(codes: &Codes, attention: Attention) -> Self {
        Self {
            id: attention.id,
            state: attention.state.as_str(),
            title: attention.title,
            hint: attention.hint,
            choices: attention.choices,
            platform: attention.platform.map(|platform| codes.of(platform)),
            kind: attention.kind,
            record: attention.record.map(|record| record.0),
            run: attention.run.map(|run| run.0),
            count: attention.count,
            answer: attention.answer,
            opened_at: attention.opened_at,
            closed_at: attention.closed_at,
            cause: attention.cause_key,
            data: attention.data,
        }
    }
}
