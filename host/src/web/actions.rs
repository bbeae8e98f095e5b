//! Actions: what runs by itself, and when.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::error::Problem;
use super::input::{At, Body, Params};
use super::view::{ActionView, Codes};
use crate::ledger::LedgerError;
use crate::ledger::action::{Action, NewAction, StartMode};
use crate::ledger::platform::Platform;
use crate::ledger::run::Direction;
use crate::model::Kind;
use crate::model::description::Description;
use crate::sync::schedule::Schedule;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Of {
    platform: Option<String>,
}

pub(super) async fn list(State(api): State<Api>, Params(of): Params<Of>) -> Result<Json<Vec<ActionView>>, Problem> {
    let platform = match of.platform {
        Some(code) => Some(api.service.platform(&code).await?.id),
        None => None,
    };
    let actions = api.service.ledger().read(move |view| view.actions(platform)).await?;
    let codes = Codes::read(api.service.ledger()).await?;
    Ok(Json(actions.into_iter().map(|action| ActionView::new(&codes, action)).collect()))
}

/// What is to be changed; absent parts stay.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Change {
    start: Option<String>,
    schedule: Option<String>,
    enabled: Option<bool>,
    options: Option<Value>,
    /// Only an action that is not there yet.
    new: bool,
    /// Only an action that is there.
    existing: bool,
}

pub(super) async fn set(
    State(api): State<Api>,
    At((code, direction, kind)): At<(String, String, String)>,
    Body(change): Body<Change>,
) -> Result<Json<ActionView>, Problem> {
    let platform = api.service.platform(&code).await?;
    let (direction, kind) = key(&direction, &kind)?;
    let found = api
        .service
        .ledger()
        .read({
            let id = platform.id;
            move |view| view.action_for(id, direction, kind)
        })
        .await?;
    match (&found, change.new, change.existing) {
        (Some(_), true, _) => {
            return Err(Problem::refused(&format!(
                "`{code}` has the action {direction} {kind} already; change it with `tradepost action set`"
            )));
        }
        (None, _, true) => return Err(Problem::missing("action", &format!("{code} {direction} {kind}"))),
        _ => {}
    }
    able(&code, &*api.service.description(&platform)?, direction, kind)?;
    let before = found.as_ref().map_or(StartMode::Manual, |action| action.start_mode);
    let start = match &change.start {
        Some(start) => {
            start.parse().map_err(|error: crate::model::kind::UnknownName| Problem::invalid(&error.to_string()))?
        }
        None if change.schedule.is_some() => StartMode::Automatic,
        None => before,
    };
    let schedule = change.schedule.clone().or_else(|| found.as_ref().and_then(|action| action.schedule.clone()));
    let next_at = next(start, schedule.as_deref(), &platform)?;
    let id = platform.id;
    let action = api
        .service
        .ledger()
        .write(move |tx| {
            let action = tx.add_action(&NewAction {
                platform: id,
                direction,
                kind,
                start_mode: start,
                schedule: schedule.clone(),
            })?;
            let action = Action {
                start_mode: start,
                schedule: schedule.filter(|_| start == StartMode::Automatic),
                options: change.options.unwrap_or(action.options.clone()),
                enabled: change.enabled.unwrap_or(action.enabled),
                next_at,
                ..action
            };
            tx.set_action(&action)?;
            tx.audit(
                "operator",
                "action.set",
                &json!({
                    "platform": code, "direction": direction.as_str(), "kind": kind, "start": start.as_str(),
                    "schedule": action.schedule, "enabled": action.enabled
                }),
            )?;
            Ok::<_, LedgerError>(action)
        })
        .await?;
    let codes = Codes::read(api.service.ledger()).await?;
    Ok(Json(ActionView::new(&codes, action)))
}

pub(super) async fn remove(
    State(api): State<Api>,
    At((code, direction, kind)): At<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let platform = api.service.platform(&code).await?.id;
    let (direction, kind) = key(&direction, &kind)?;
    let name = format!("{code} {direction} {kind}");
    let removed = name.clone();
    api.service
        .ledger()
        .write(move |tx| {
            let action = tx
                .action_for(platform, direction, kind)?
                .ok_or_else(|| LedgerError::Missing { what: "action", id: name.clone() })?;
            tx.remove_action(action.id)?;
            tx.audit("operator", "action.remove", &json!({ "action": name }))
        })
        .await?;
    Ok(Json(json!({ "removed": removed })))
}

/// Direction and stream of an action.
pub(super) fn key(direction: &str, kind: &str) -> Result<(Direction, Kind), Problem> {
    let direction: Direction =
        direction.parse().map_err(|error: crate::model::kind::UnknownName| Problem::invalid(&error.to_string()))?;
    let kind: Kind =
        kind.parse().map_err(|error: crate::model::kind::UnknownName| Problem::invalid(&error.to_string()))?;
    if !matches!(direction, Direction::Pull | Direction::Push | Direction::Sweep | Direction::Settle) {
        return Err(Problem::invalid(&format!("`{direction}` is no action; use pull, push, sweep or settle")));
    }
    Ok((direction, kind.stream()))
}

/// Whether the connector can do it.
pub(super) fn able(code: &str, description: &Description, direction: Direction, kind: Kind) -> Result<(), Problem> {
    let reads = description.reading(kind).is_some();
    let writes =
        description.writing(kind).is_some() || (kind == Kind::Order && description.writing(Kind::OrderEvent).is_some());
    let able = match direction {
        Direction::Pull => reads,
        Direction::Sweep => description.reading(kind).is_some_and(|reading| reading.present),
        _ => writes,
    };
    if able {
        return Ok(());
    }
    Err(Problem::refused(&format!(
        "the connector `{}` of `{code}` cannot {direction} {kind}; `tradepost platform show {code}` lists what it can",
        description.id
    )))
}

fn next(start: StartMode, schedule: Option<&str>, platform: &Platform) -> Result<Option<Timestamp>, Problem> {
    if start != StartMode::Automatic {
        return Ok(None);
    }
    let Some(text) = schedule else {
        return Err(Problem::invalid(
            "an automatic action needs a schedule; add `--schedule \"every 5m\"` or a cron expression",
        ));
    };
    let schedule: Schedule =
        text.parse().map_err(|error: crate::sync::schedule::InvalidSchedule| Problem::invalid(&error.to_string()))?;
    let zone = platform.account.as_ref().and_then(|account| TimeZone::get(&account.zone).ok()).unwrap_or(TimeZone::UTC);
    Ok(match schedule {
        // The first time of an interval is now.
        Schedule::Every(_) => None,
        Schedule::Cron(_) => schedule.next_after(Timestamp::now(), &zone),
    })
}
