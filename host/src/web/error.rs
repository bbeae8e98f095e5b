//! Problem details (RFC 9457). The only file that names status codes; internal text goes to the log alone.

use std::error::Error;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::ledger::LedgerError;
use crate::plugins::RegistryError;
use crate::service::ServiceError;

tokio::task_local! {
    /// Id of the request that is being answered.
    pub(super) static REQUEST: String;
}

/// What went wrong, for a person and for a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A word for programs: `unauthorized`, `missing`, `refused`, `invalid`, `stopping`, `internal` ...
    #[serde(rename = "type")]
    pub kind: String,
    /// What went wrong, a sentence.
    pub title: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// HTTP status.
    pub status: u16,
    /// Finds the request in the log.
    #[serde(default)]
    pub request: String,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, message: &str) -> Self {
        // Messages for operators read `what is wrong; what to do`.
        let (title, hint) = match message.split_once("; ") {
            Some((title, hint)) => (title, Some(hint.to_owned())),
            None => (message, None),
        };
        Self { kind: kind.to_owned(), title: title.to_owned(), hint, status: status.as_u16(), request: String::new() }
    }

    pub(super) fn no_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "the token is missing or wrong; send `Authorization: Bearer` with the text of the file `token` in the data folder",
        )
    }

    pub(super) fn metrics_off() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-route",
            "metrics are off; set `[metrics] access = \"token\"` in the configuration and run `tradepost reload`",
        )
    }

    pub(super) fn no_metrics_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "the token is missing or wrong; send `Authorization: Bearer` with the text of the file `metrics-token` in the data folder",
        )
    }

    pub(super) fn wrong_host() -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "wrong-host",
            "this address was reached under a foreign name; use 127.0.0.1, [::1] or localhost",
        )
    }

    pub(super) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-route", "there is nothing at this address; all routes are below /api/v1")
    }

    pub(super) fn no_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "no-method", "this address does not know the method")
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    /// A request that cannot be read.
    pub(super) fn unread(status: StatusCode, message: &str) -> Self {
        Self::new(status, "invalid", message)
    }

    pub(super) fn missing(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "missing", &format!("there is no {what} `{id}`"))
    }

    pub(super) fn refused(message: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "refused", message)
    }

    pub(super) fn internal(error: &(dyn Error + 'static)) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            text = format!("{text}: {inner}");
            source = inner.source();
        }
        let request = REQUEST.try_with(Clone::clone).unwrap_or_default();
        tracing::error!(error = text, request, "request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            &format!("the service could not do this; its log says why at request {request}"),
        )
    }
}

/// Status of what is asked whether it is well.
pub(super) fn available(well: bool) -> StatusCode {
    if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match &error {
            LedgerError::Missing { what, id } => Self::missing(what, id),
            LedgerError::Conflict { message } => Self::refused(message),
            LedgerError::Name(name) => Self::invalid(&name.to_string()),
            LedgerError::Unwritable { .. } => {
                tracing::error!(%error, "request not carried out");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unwritable", &error.to_string())
            }
            LedgerError::Closed => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the service is stopping; start it again")
            }
            _ => Self::internal(&error),
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Ledger(error) => error.into(),
            ServiceError::Missing { what, id } => Self::missing(what, &id),
            ServiceError::Refused { message } => Self::refused(&message),
            ServiceError::Unserved(unserved) => {
                Self { kind: "unserved".into(), ..Self::refused(&unserved.to_string()) }
            }
            ServiceError::Registry(error) => match error {
                RegistryError::Approve { message } => Self::refused(&message),
                RegistryError::Folder { ref source, .. } => Self::refused(&format!("{error}: {source}")),
                RegistryError::Ledger(error) => error.into(),
            },
            other => Self::internal(&other),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        self.request = REQUEST.try_with(Clone::clone).unwrap_or_default();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
