//! The plugins folder.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Api;
use super::error::Problem;
use super::input::At;
use crate::model::description::Description;
use crate::plugins::{Plugin, Standing};

/// A file of the folder.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PluginView {
    file: String,
    size: u64,
    hash: Option<String>,
    connector: Option<String>,
    version: Option<String>,
    standing: &'static str,
    /// Why it is refused, held or waits, with what to do.
    reason: Option<String>,
    /// What a held build wants that the one before did not, one by one.
    wants: Vec<String>,
    /// An earlier build from this file serves.
    earlier_serves: bool,
    /// Version of the build from this file that serves.
    serving: Option<String>,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
}

impl PluginView {
    fn new(plugin: Plugin, whole: bool) -> Self {
        let mut wants = Vec::new();
        let (standing, reason, earlier_serves) = match plugin.standing {
            Standing::Serving => ("serving", None, false),
            Standing::Held { reason, wants: new, earlier_serves } => {
                wants = new;
                ("held", Some(reason), earlier_serves)
            }
            Standing::Waiting { reason, earlier_serves } => ("waiting", Some(reason), earlier_serves),
            Standing::Refused { reason, earlier_serves } => ("refused", Some(reason), earlier_serves),
        };
        Self {
            file: plugin.file,
            size: plugin.size,
            hash: plugin.hash,
            connector: plugin.description.as_ref().map(|description| description.id.clone()),
            version: plugin.description.as_ref().map(|description| description.version.clone()),
            standing,
            reason,
            wants,
            serving: plugin.serving,
            earlier_serves,
            at: plugin.at,
            description: plugin.description.filter(|_| whole).map(|description| Description::clone(&description)),
        }
    }
}

pub(super) async fn list(State(api): State<Api>) -> Json<Vec<PluginView>> {
    Json(listed(&api))
}

/// By connector or file name; of several files of a connector the one that serves.
pub(super) async fn show(State(api): State<Api>, At(name): At<String>) -> Result<Json<PluginView>, Problem> {
    let mut found: Vec<Plugin> = api
        .service
        .registry()
        .list()
        .into_iter()
        .filter(|plugin| {
            plugin.file == name || plugin.description.as_ref().is_some_and(|description| description.id == name)
        })
        .collect();
    found.sort_by_key(|plugin| (plugin.file != name, plugin.standing != Standing::Serving));
    let plugin = found.into_iter().next().ok_or_else(|| Problem::missing("connector", &name))?;
    Ok(Json(PluginView::new(plugin, true)))
}

pub(super) async fn rescan(State(api): State<Api>) -> Result<Json<Vec<PluginView>>, Problem> {
    let registry = api.service.registry().clone();
    super::through(async move { Ok(registry.reconcile().await.map(drop)?) }).await?;
    Ok(Json(listed(&api)))
}

/// Approval of what was shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Approval {
    /// Only this content is meant.
    hash: Option<String>,
}

/// Lets a held build serve.
pub(super) async fn approve(
    State(api): State<Api>,
    At(name): At<String>,
    Json(approval): Json<Approval>,
) -> Result<Json<Vec<PluginView>>, Problem> {
    let registry = api.service.registry().clone();
    super::through(async move { Ok(registry.approve(&name, approval.hash.as_deref()).await?) }).await?;
    Ok(Json(listed(&api)))
}

fn listed(api: &Api) -> Vec<PluginView> {
    api.service.registry().list().into_iter().map(|plugin| PluginView::new(plugin, false)).collect()
}
