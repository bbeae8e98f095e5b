//! Platforms: setting them up, first contact, putting them to work.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Problem;
use super::input::{At, Body};
use super::{Api, through};
use crate::capability::Request;
use crate::ledger::LedgerError;
use crate::ledger::platform::{Platform, PlatformState};
use crate::ledger::stream::Stream;
use crate::model::Kind;
use crate::model::description::{Account, Description};
use crate::model::policy::Policy;
use crate::service::Service;
use crate::service::contact::Review;
use crate::service::platforms::{PlatformChange, environment_word};

/// A platform in a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PlatformView {
    code: String,
    name: String,
    connector: String,
    /// Version of the build that serves it; absent: its connector is missing.
    version: Option<String>,
    state: &'static str,
    reason: Option<String>,
    environment: &'static str,
    account: Option<Account>,
    /// What has to be done before it works, each a sentence with its command.
    needs: Vec<String>,
}

/// A platform alone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PlatformDetail {
    #[serde(flatten)]
    summary: PlatformView,
    id_space: Option<String>,
    clock_skew_ms: i64,
    settings: Value,
    settings_schema: Option<Value>,
    missing_settings: Vec<String>,
    secrets: Vec<String>,
    missing_secrets: Vec<String>,
    /// Secrets that it works without.
    optional_secrets: Vec<String>,
    grants: Value,
    missing_grants: Option<Request>,
    abilities: Vec<AbilityView>,
    streams: Vec<StreamView>,
    policy: Policy,
    policy_rev: i64,
}

#[derive(Debug, Serialize)]
struct AbilityView {
    kind: Kind,
    pull: bool,
    push: bool,
    find: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct StreamView {
    kind: Kind,
    phase: &'static str,
    watermark: Option<Timestamp>,
    pulled_at: Option<Timestamp>,
    swept_at: Option<Timestamp>,
    cut_over_at: Option<Timestamp>,
    /// A pull stopped in the middle and goes on there.
    open: bool,
}

impl From<Stream> for StreamView {
    fn from(stream: Stream) -> Self {
        Self {
            kind: stream.kind,
            phase: stream.phase.as_str(),
            watermark: stream.watermark,
            pulled_at: stream.pulled_at,
            swept_at: stream.sweep_at,
            cut_over_at: stream.cut_over_at,
            open: stream.cursor.is_some(),
        }
    }
}

pub(super) async fn list(State(api): State<Api>) -> Result<Json<Vec<PlatformView>>, Problem> {
    let platforms = api.service.ledger().read(|view| view.platforms()).await?;
    let mut views = Vec::new();
    for platform in platforms.into_iter().filter(|platform| platform.state != PlatformState::Removed) {
        views.push(detail(&api.service, platform).await?.summary);
    }
    Ok(Json(views))
}

pub(super) async fn show(State(api): State<Api>, At(code): At<String>) -> Result<Json<PlatformDetail>, Problem> {
    let platform = api.service.platform(&code).await?;
    Ok(Json(detail(&api.service, platform).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPlatform {
    code: String,
    connector: String,
    #[serde(default)]
    name: String,
}

pub(super) async fn add(State(api): State<Api>, Body(new): Body<NewPlatform>) -> Result<Json<PlatformDetail>, Problem> {
    let platform = api.service.add_platform(&new.code, &new.connector, &new.name).await?;
    Ok(Json(detail(&api.service, platform).await?))
}

pub(super) async fn change(
    State(api): State<Api>,
    At(code): At<String>,
    Body(change): Body<PlatformChange>,
) -> Result<Json<PlatformDetail>, Problem> {
    let platform = api.service.change_platform(&code, change).await?;
    Ok(Json(detail(&api.service, platform).await?))
}

pub(super) async fn remove(State(api): State<Api>, At(code): At<String>) -> Result<Json<Value>, Problem> {
    api.service.remove_platform(&code).await?;
    Ok(Json(serde_json::json!({ "removed": code })))
}

pub(super) async fn test(State(api): State<Api>, At(code): At<String>) -> Result<Json<Account>, Problem> {
    let service = api.service;
    Ok(Json(through(async move { service.test_platform(&code).await }).await?))
}

pub(super) async fn onboard(State(api): State<Api>, At(code): At<String>) -> Result<Json<Review>, Problem> {
    let service = api.service;
    Ok(Json(through(async move { service.onboard(&code).await }).await?))
}

pub(super) async fn review(State(api): State<Api>, At(code): At<String>) -> Result<Json<Review>, Problem> {
    let service = api.service;
    Ok(Json(through(async move { service.review(&code).await }).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Live {
    /// Orders placed before go nowhere; absent: now.
    orders_from: Option<Timestamp>,
}

pub(super) async fn live(
    State(api): State<Api>,
    At(code): At<String>,
    Body(live): Body<Live>,
) -> Result<Json<PlatformDetail>, Problem> {
    let (service, wanted) = (api.service.clone(), code.clone());
    through(async move { service.go_live(&wanted, live.orders_from).await }).await?;
    let platform = api.service.platform(&code).await?;
    Ok(Json(detail(&api.service, platform).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Why {
    why: String,
}

pub(super) async fn pause(
    State(api): State<Api>,
    At(code): At<String>,
    Body(pause): Body<Why>,
) -> Result<Json<PlatformDetail>, Problem> {
    api.service.pause_platform(&code, &pause.why).await?;
    let platform = api.service.platform(&code).await?;
    Ok(Json(detail(&api.service, platform).await?))
}

pub(super) async fn resume(State(api): State<Api>, At(code): At<String>) -> Result<Json<PlatformDetail>, Problem> {
    api.service.resume_platform(&code).await?;
    let platform = api.service.platform(&code).await?;
    Ok(Json(detail(&api.service, platform).await?))
}

async fn detail(service: &Service, platform: Platform) -> Result<PlatformDetail, Problem> {
    let id = platform.id;
    let (secrets, streams) = service
        .ledger()
        .read(move |view| Ok::<_, LedgerError>((view.secret_names(id)?, view.streams(Some(id))?)))
        .await?;
    let description = service.description(&platform);
    let missing_grants = service.missing_grants(&platform);
    let code = platform.code.to_string();
    let mut needs = Vec::new();
    let (mut missing_settings, mut missing_secrets, mut optional_secrets) = (Vec::new(), Vec::new(), Vec::new());
    match &description {
        Ok(description) => {
            missing_settings = missing(description, &platform.settings);
            for (name, required) in secret_fields(description) {
                match (secrets.contains(&name), required) {
                    (true, _) => {}
                    (false, true) => missing_secrets.push(name),
                    (false, false) => optional_secrets.push(name),
                }
            }
            needs.extend(
                missing_settings
                    .iter()
                    .map(|name| format!("the setting `{name}`: platform set {code} --set {name}=...")),
            );
            needs.extend(
                missing_secrets.iter().map(|name| format!("the secret `{name}`: platform set {code} --secret {name}")),
            );
            if missing_settings.is_empty() {
                match &missing_grants {
                    Ok(missing) => needs.extend(grants_needed(&code, missing)),
                    Err(error) => needs.push(error.to_string()),
                }
            }
        }
        Err(error) => needs.push(error.to_string()),
    }
    let description = description.ok();
    Ok(PlatformDetail {
        summary: PlatformView {
            code,
            name: platform.name,
            connector: platform.connector,
            version: description.as_ref().map(|description| description.version.clone()),
            state: platform.state.as_str(),
            reason: platform.state_reason,
            environment: environment_word(platform.environment),
            account: platform.account,
            needs,
        },
        id_space: platform.id_space,
        clock_skew_ms: platform.clock_skew_ms,
        settings: platform.settings,
        settings_schema: description.as_ref().map(|description| description.settings_schema.clone()),
        missing_settings,
        secrets,
        missing_secrets,
        optional_secrets,
        grants: platform.grants,
        missing_grants: missing_grants.ok(),
        abilities: description.as_ref().map(|description| abilities(description)).unwrap_or_default(),
        streams: streams.into_iter().map(StreamView::from).collect(),
        policy: platform.policy,
        policy_rev: platform.policy_rev,
    })
}

fn abilities(description: &Description) -> Vec<AbilityView> {
    description
        .abilities
        .iter()
        .map(|ability| AbilityView {
            kind: ability.kind,
            pull: ability.reading.is_some(),
            push: ability.writing.is_some(),
            find: ability.lookup_lag.is_some(),
        })
        .collect()
}

/// Required settings that have neither a value nor a default.
fn missing(description: &Description, settings: &Value) -> Vec<String> {
    let schema = &description.settings_schema;
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    required
        .iter()
        .filter_map(Value::as_str)
        .filter(|name| settings.get(name).is_none() && schema["properties"][name].get("default").is_none())
        .map(str::to_owned)
        .collect()
}

/// Names of all secret fields and whether the connector needs them.
fn secret_fields(description: &Description) -> BTreeMap<String, bool> {
    description
        .credentials
        .iter()
        .flat_map(|credential| {
            credential
                .scheme
                .fields()
                .iter()
                .map(move |field| (format!("{}/{field}", credential.name), credential.required))
        })
        .collect()
}

fn grants_needed(code: &str, missing: &Request) -> Vec<String> {
    let mut needs: Vec<String> = missing
        .origins
        .iter()
        .map(|origin| format!("leave to send requests to {origin}: platform set {code} --grant {origin}"))
        .collect();
    if missing.files {
        needs.push(format!("an exchange folder: platform set {code} --files FOLDER"));
    }
    needs
}
