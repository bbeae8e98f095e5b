//! Health, readiness and metrics, at the root: what monitors ask without knowing the API.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Api;
use super::error::{Problem, available};
use crate::service::meters::MEDIA_TYPE;

/// Whether the process lives.
#[derive(Debug, Serialize)]
pub(super) struct Alive {
    alive: bool,
}

pub(super) async fn healthz(State(api): State<Api>) -> Response {
    let alive = api.service.is_alive().await;
    (available(alive), Json(Alive { alive })).into_response()
}

/// Whether the service does its work.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    ready: bool,
    reasons: Vec<Reason>,
}

#[derive(Debug, Serialize)]
struct Reason {
    reason: &'static str,
    hint: &'static str,
}

pub(super) async fn readyz(State(api): State<Api>) -> Response {
    let reasons: Vec<Reason> = api
        .service
        .unready()
        .await
        .into_iter()
        .map(|unready| Reason { reason: unready.as_str(), hint: unready.hint() })
        .collect();
    let ready = reasons.is_empty();
    (available(ready), Json(Ready { ready, reasons })).into_response()
}

pub(super) async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    let mut response = api.service.metrics().await?.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Ok(response)
}
