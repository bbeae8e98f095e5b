//! What waits for a person.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::error::Problem;
use super::input::{At, Body, Params};
use super::view::{AttentionView, Codes};
use super::{Api, through};
use crate::ledger::attention::{Attention, AttentionState};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Which {
    /// `open` unless told; `all` for every state.
    state: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(api): State<Api>,
    Params(which): Params<Which>,
) -> Result<Json<Vec<AttentionView>>, Problem> {
    let state = match which.state.as_deref() {
        None => Some(AttentionState::Open),
        Some("all") => None,
        Some(name) => Some(
            name.parse()
                .map_err(|error: crate::model::kind::UnknownName| Problem::invalid(&format!("{error}, all")))?,
        ),
    };
    let found = api.service.attentions(state, which.limit.unwrap_or(100).min(1_000)).await?;
    let codes = Codes::read(api.service.ledger()).await?;
    Ok(Json(found.into_iter().map(|attention| AttentionView::new(&codes, attention)).collect()))
}

pub(super) async fn show(State(api): State<Api>, At(id): At<i64>) -> Result<Json<AttentionView>, Problem> {
    let found = api.service.ledger().read(move |view| view.attention(id)).await?;
    view(&api, found).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Answer {
    answer: String,
    /// The object that a person found on the platform.
    remote_id: Option<String>,
}

pub(super) async fn answer(
    State(api): State<Api>,
    At(id): At<i64>,
    Body(given): Body<Answer>,
) -> Result<Json<AttentionView>, Problem> {
    let service = api.service.clone();
    let asked = through(async move { service.answer(id, &given.answer, given.remote_id).await }).await?;
    view(&api, asked).await
}

pub(super) async fn retry(State(api): State<Api>, At(id): At<i64>) -> Result<Json<AttentionView>, Problem> {
    let service = api.service.clone();
    let asked = through(async move { service.retry(id).await }).await?;
    view(&api, asked).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Why {
    why: String,
}

pub(super) async fn dismiss(
    State(api): State<Api>,
    At(id): At<i64>,
    Body(given): Body<Why>,
) -> Result<Json<AttentionView>, Problem> {
    let service = api.service.clone();
    let asked = through(async move { service.dismiss(id, &given.why).await }).await?;
    view(&api, asked).await
}

async fn view(api: &Api, attention: Attention) -> Result<Json<AttentionView>, Problem> {
    let codes = Codes::read(api.service.ledger()).await?;
    Ok(Json(AttentionView::new(&codes, attention)))
}
