//! Runs: starting them, following them, stopping them; previews.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::error::Problem;
use super::input::{At, Body, Params};
use super::view::{Codes, LineView, RunView};
use super::{Api, actions, through};
use crate::ledger::LedgerError;
use crate::ledger::run::{Cause, Direction, RunState};
use crate::model::{PlatformId, RunId};
use crate::runtime::case::Bundle;
use crate::service::preview::Line;
use crate::service::runs::Order;
use crate::sync::pull::Mode;

/// Longest wait for news of a run.
const LONGEST: u64 = 30;
/// Between two looks at a run whose notices were missed.
const LOOK: Duration = Duration::from_millis(500);
/// Most lines in one answer.
const LINES: u32 = 1_000;

/// What is to be run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    direction: String,
    kind: String,
    /// A pull reads everything anew.
    #[serde(default)]
    full: bool,
    /// A pull reads what changed since then; the stream's own bounds stay.
    since: Option<Timestamp>,
    /// End of that time.
    until: Option<Timestamp>,
    /// A pull reads just these objects.
    #[serde(default)]
    ids: Vec<String>,
}

pub(super) async fn start(
    State(api): State<Api>,
    At(code): At<String>,
    Body(start): Body<Start>,
) -> Result<Json<RunView>, Problem> {
    let service = &api.service;
    let platform = service.platform(&code).await?;
    let (direction, kind) = actions::key(&start.direction, &start.kind)?;
    actions::able(&code, &*service.description(&platform)?, direction, kind)?;
    let mode = mode(&start, direction)?;
    let disabled = service
        .ledger()
        .read({
            let id = platform.id;
            move |view| view.action_for(id, direction, kind)
        })
        .await?
        .is_some_and(|action| !action.enabled);
    if disabled {
        return Err(Problem::refused(&format!(
            "the action {direction} {kind} of `{code}` is off; turn it on with `tradepost action enable {code} {direction} {kind}`"
        )));
    }
    let id = service.runs().queue(Order { mode, ..Order::new(platform.id, direction, kind, Cause::Manual) }).await?;
    let run = service.ledger().read(move |view| view.run(id)).await?;
    let codes = Codes::read(service.ledger()).await?;
    Ok(Json(RunView::new(&codes, run)))
}

fn mode(start: &Start, direction: Direction) -> Result<Mode, Problem> {
    let special = u8::from(start.full) + u8::from(start.since.is_some()) + u8::from(!start.ids.is_empty());
    if special > 1 || (start.until.is_some() && start.since.is_none()) {
        return Err(Problem::invalid("`full`, `since` (with `until`) and `ids` exclude each other"));
    }
    if special > 0 && direction != Direction::Pull {
        return Err(Problem::invalid("`full`, `since` and `ids` are for pulls"));
    }
    Ok(match start.since {
        Some(since) => Mode::Window { since, until: start.until },
        None if start.full => Mode::Full,
        None if !start.ids.is_empty() => Mode::Ids(start.ids.clone()),
        None => Mode::Changes,
    })
}

pub(super) async fn preview(
    State(api): State<Api>,
    At((code, direction, kind)): At<(String, String, String)>,
) -> Result<Json<Vec<Line>>, Problem> {
    let platform = api.service.platform(&code).await?;
    let (direction, kind) = actions::key(&direction, &kind)?;
    actions::able(&code, &*api.service.description(&platform)?, direction, kind)?;
    let service = api.service;
    Ok(Json(through(async move { service.preview(&code, direction, kind).await }).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Page {
    platform: Option<String>,
    below: Option<i64>,
    limit: Option<u32>,
}

pub(super) async fn list(State(api): State<Api>, Params(page): Params<Page>) -> Result<Json<Vec<RunView>>, Problem> {
    let platform: Option<PlatformId> = match page.platform {
        Some(code) => Some(api.service.platform(&code).await?.id),
        None => None,
    };
    let limit = page.limit.unwrap_or(20).min(1_000);
    let runs = api.service.ledger().read(move |view| view.runs(platform, page.below.map(RunId), limit)).await?;
    let codes = Codes::read(api.service.ledger()).await?;
    Ok(Json(runs.into_iter().map(|run| RunView::new(&codes, run)).collect()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct News {
    /// Lines after this number.
    after: i64,
    /// Seconds to wait for news, at most 30.
    wait: u64,
    limit: Option<u32>,
}

/// A run with lines of its journal.
#[derive(Debug, Serialize)]
pub(super) struct RunDetail {
    run: RunView,
    lines: Vec<LineView>,
    /// There are more lines after the last of these.
    more: bool,
}

pub(super) async fn show(
    State(api): State<Api>,
    At(id): At<i64>,
    Params(news): Params<News>,
) -> Result<Json<RunDetail>, Problem> {
    let limit = news.limit.unwrap_or(LINES).clamp(1, LINES);
    let deadline = Instant::now() + Duration::from_secs(news.wait.min(LONGEST));
    let mut notices = api.service.runs().subscribe();
    let mut first = None;
    let (run, mut lines) = loop {
        let (run, lines) = api
            .service
            .ledger()
            .read(move |view| {
                Ok::<_, LedgerError>((view.run(RunId(id))?, view.run_lines(RunId(id), news.after, limit + 1)?))
            })
            .await?;
        let seen = (run.state, run.counts.clone());
        let still = matches!(run.state, RunState::Queued | RunState::Running) && lines.is_empty();
        let changed = *first.get_or_insert_with(|| seen.clone()) != seen;
        if !still || changed || Instant::now() >= deadline || api.stop.is_cancelled() {
            break (run, lines);
        }
        let look = deadline.min(Instant::now() + LOOK);
        tokio::select! {
            () = api.stop.cancelled() => {}
            () = tokio::time::sleep_until(look) => {}
            // A missed notice only costs the wait.
            _ = notices.recv() => {}
        }
    };
    let more = lines.len() > limit as usize;
    lines.truncate(limit as usize);
    let codes = Codes::read(api.service.ledger()).await?;
    Ok(Json(RunDetail { run: RunView::new(&codes, run), lines: lines.into_iter().map(LineView::from).collect(), more }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    /// Number of a record, id over there, key of a write, or `call`.
    record: String,
}

/// A kept call that went wrong, for the connector's developer.
pub(super) async fn case(
    State(api): State<Api>,
    At(id): At<i64>,
    Params(about): Params<About>,
) -> Result<Json<Bundle>, Problem> {
    Ok(Json(api.service.case(RunId(id), &about.record).await?))
}

pub(super) async fn cancel(State(api): State<Api>, At(id): At<i64>) -> Result<Json<RunView>, Problem> {
    api.service.runs().cancel(RunId(id)).await?;
    let run = api.service.ledger().read(move |view| view.run(RunId(id))).await?;
    let codes = Codes::read(api.service.ledger()).await?;
    Ok(Json(RunView::new(&codes, run)))
}
