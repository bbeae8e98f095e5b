//! Why a command failed: a sentence and a hint.

use std::error::Error;

use serde::Serialize;

use super::Exit;
use crate::service::ServiceError;
use crate::web::error::Problem;

/// Why a command failed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Failure {
    /// A word for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// What went wrong, a sentence.
    pub title: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Finds the request in the service's log.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request: String,
    #[serde(skip)]
    pub(super) exit: Exit,
}

impl Failure {
    /// `what is wrong; what to do`, as all messages to operators are written.
    pub(super) fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        let (title, hint) = match message.split_once("; ") {
            Some((title, hint)) => (title.to_owned(), Some(hint.to_owned())),
            None => (message, None),
        };
        Self { kind: "failed".into(), title, hint, request: String::new(), exit: Exit::Failed }
    }

    /// Wrong usage that clap cannot see.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { kind: "usage".into(), exit: Exit::Usage, ..Self::new(message) }
    }

    /// An error with everything that led to it.
    pub(super) fn of(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            let inner_text = inner.to_string();
            if !text.contains(&inner_text) {
                text = format!("{text}: {inner_text}");
            }
            source = inner.source();
        }
        Self::new(text)
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::of(&error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            kind: problem.kind,
            title: problem.title,
            hint: problem.hint,
            request: problem.request,
            exit: Exit::Failed,
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(format!("{error:#}"))
    }
}
