//! The service as a whole: status, automatic mode, backup, safe mode.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Problem;
use super::input::Body;
use super::view::{Codes, RunView};
use super::{Api, through};
use crate::ledger::LedgerError;
use crate::ledger::instance::{Instance, Mode};
use crate::ledger::platform::PlatformState;
use crate::ledger::run::RunState;

/// The service at a glance.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Status {
    version: &'static str,
    instance: String,
    mode: &'static str,
    safe_reason: Option<String>,
    /// Why runs rest, when the disk takes nothing: a sentence with what to do.
    disk: Option<String>,
    automatic: bool,
    open_attention: u64,
    data: PathBuf,
    plugins: PathBuf,
    platforms: Vec<PlatformStatus>,
    /// Runs that are not over.
    runs: Vec<RunView>,
}

#[derive(Debug, Serialize)]
struct PlatformStatus {
    code: String,
    state: &'static str,
    reason: Option<String>,
}

pub(super) async fn status(State(api): State<Api>) -> Result<Json<Status>, Problem> {
    let service = &api.service;
    let (instance, open_attention) = service.status().await?;
    let (platforms, runs) = service
        .ledger()
        .read(|view| {
            let mut runs = Vec::new();
            for state in [RunState::Running, RunState::Queued, RunState::Resting, RunState::Held] {
                runs.extend(view.runs_in(state)?);
            }
            Ok::<_, LedgerError>((view.platforms()?, runs))
        })
        .await?;
    let codes = Codes::read(service.ledger()).await?;
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        instance: instance.instance_id,
        mode: instance.mode.as_str(),
        safe_reason: instance.safe_reason,
        disk: service.ledger().trouble().map(|trouble| format!("{trouble}; {}", trouble.hint())),
        automatic: instance.automatic,
        open_attention,
        data: service.config().data.clone(),
        plugins: service.registry().folder().to_owned(),
        platforms: platforms
            .into_iter()
            .filter(|platform| platform.state != PlatformState::Removed)
            .map(|platform| PlatformStatus {
                code: platform.code.to_string(),
                state: platform.state.as_str(),
                reason: platform.state_reason,
            })
            .collect(),
        runs: runs.into_iter().map(|run| RunView::new(&codes, run)).collect(),
    }))
}

/// Keys that were said differently.
#[derive(Debug, Serialize)]
pub(super) struct Reloaded {
    /// In force now.
    changed: Vec<String>,
    /// In force after a restart.
    restart: Vec<String>,
}

pub(super) async fn reload(State(api): State<Api>) -> Result<Json<Reloaded>, Problem> {
    let service = api.service;
    let differences = through(async move { service.reload().await }).await?;
    Ok(Json(Reloaded { changed: differences.at_once, restart: differences.restart }))
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    on: bool,
}

pub(super) async fn set_automatic(State(api): State<Api>, Body(switch): Body<Switch>) -> Result<Json<Switch>, Problem> {
    api.service.set_automatic(switch.on).await?;
    Ok(Json(switch))
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Backup {
    file: PathBuf,
}

pub(super) async fn backup(State(api): State<Api>, Body(backup): Body<Backup>) -> Result<Json<Backup>, Problem> {
    if !backup.file.is_absolute() {
        return Err(Problem::invalid("`file` must be an absolute path"));
    }
    let (service, file) = (api.service, backup.file.clone());
    through(async move { service.backup(&file).await }).await?;
    Ok(Json(backup))
}

/// Whether anything may be sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct SafeMode {
    safe: bool,
    reason: Option<String>,
    backup_at: Option<Timestamp>,
    epoch: i64,
}

impl From<Instance> for SafeMode {
    fn from(instance: Instance) -> Self {
        Self {
            safe: instance.mode == Mode::Safe,
            reason: instance.safe_reason,
            backup_at: instance.backup_at,
            epoch: instance.epoch,
        }
    }
}

pub(super) async fn safe_mode(State(api): State<Api>) -> Result<Json<SafeMode>, Problem> {
    Ok(Json(api.service.status().await?.0.into()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Leave {
    test_copy: bool,
}

pub(super) async fn leave_safe_mode(
    State(api): State<Api>,
    Body(leave): Body<Leave>,
) -> Result<Json<SafeMode>, Problem> {
    let service = api.service.clone();
    through(async move { service.leave_safe_mode(leave.test_copy).await }).await?;
    Ok(Json(api.service.status().await?.0.into()))
}
