//! Records: finding them, their history, corrections by hand.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::error::Problem;
use super::input::{At, Body, Params};
use crate::model::RecordKind;
use crate::service::records::{HistoryLine, LinkView, RecordView};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Find {
    kind: Option<RecordKind>,
    text: String,
    limit: Option<u32>,
}

pub(super) async fn find(State(api): State<Api>, Params(find): Params<Find>) -> Result<Json<Vec<RecordView>>, Problem> {
    Ok(Json(api.service.find_records(find.kind, find.text, find.limit.unwrap_or(20).min(1_000)).await?))
}

pub(super) async fn show(State(api): State<Api>, At(id): At<i64>) -> Result<Json<RecordView>, Problem> {
    Ok(Json(api.service.show_record(id).await?))
}

pub(super) async fn history(State(api): State<Api>, At(id): At<i64>) -> Result<Json<Vec<HistoryLine>>, Problem> {
    Ok(Json(api.service.record_history(id).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    platform: String,
}

pub(super) async fn push(
    State(api): State<Api>,
    At(id): At<i64>,
    Body(target): Body<Target>,
) -> Result<Json<Value>, Problem> {
    api.service.push_record(id, &target.platform).await?;
    Ok(Json(json!({ "record": id, "platform": target.platform })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Remote {
    remote_id: String,
}

pub(super) async fn link(
    State(api): State<Api>,
    At((id, platform)): At<(i64, String)>,
    Body(remote): Body<Remote>,
) -> Result<Json<RecordView>, Problem> {
    api.service.link_record(id, &platform, remote.remote_id).await?;
    Ok(Json(api.service.show_record(id).await?))
}

pub(super) async fn unlink(
    State(api): State<Api>,
    At((id, platform)): At<(i64, String)>,
) -> Result<Json<RecordView>, Problem> {
    api.service.unlink_record(id, &platform).await?;
    Ok(Json(api.service.show_record(id).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Merge {
    other: i64,
}

/// Returns the objects whose platform has two of them now.
pub(super) async fn merge(
    State(api): State<Api>,
    At(id): At<i64>,
    Body(merge): Body<Merge>,
) -> Result<Json<Vec<LinkView>>, Problem> {
    Ok(Json(api.service.merge_records(id, merge.other).await?))
}
