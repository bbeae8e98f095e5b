//! Old orders as finished business.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Problem;
use super::input::{At, Body};
use super::{Api, through};
use crate::sync::pull::backfill::Backfilled;

/// Which orders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// Placed at or after.
    since: Timestamp,
    /// Placed before; absent: now.
    until: Option<Timestamp>,
}

/// What became of them.
#[derive(Debug, Default, Serialize)]
pub(super) struct FilledView {
    /// On their way now.
    sent: u64,
    /// Handed on before.
    known: u64,
    /// Left alone.
    cancelled: u64,
    /// Left alone: totals do not add up.
    mismatch: u64,
    /// Left alone: the target takes paid orders only.
    unpaid: u64,
    /// Left alone: of a test shop, for a live platform.
    test: u64,
    /// Pushes that carry them.
    runs: Vec<i64>,
}

pub(super) async fn start(
    State(api): State<Api>,
    At(code): At<String>,
    Body(start): Body<Start>,
) -> Result<Json<FilledView>, Problem> {
    let service = api.service;
    let filled = through(async move { service.backfill(&code, start.since, start.until).await }).await?;
    let count = |ended| filled.counts.get(&ended).copied().unwrap_or_default();
    Ok(Json(FilledView {
        sent: count(Backfilled::Sent),
        known: count(Backfilled::Known),
        cancelled: count(Backfilled::Cancelled),
        mismatch: count(Backfilled::Mismatch),
        unpaid: count(Backfilled::Unpaid),
        test: count(Backfilled::Test),
        runs: filled.runs.iter().map(|run| run.0).collect(),
    }))
}
