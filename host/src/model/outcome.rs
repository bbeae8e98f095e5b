//! What became of an item, and how a call or an item fails.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::record::{Part, RemoteRef};

/// One thing wrong with one field, in the platform's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Path in the record; empty for the whole record.
    pub path: String,
    /// The platform's code.
    pub code: Option<String>,
    /// The platform's words.
    pub message: String,
}

/// What the connector says of a failure; the case alone decides what happens next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum RemoteError {
    /// Credentials refused.
    #[error("the platform refuses the credentials: {0}")]
    Auth(String),
    /// Ask again after so many seconds; nothing was done.
    #[error("the platform asks to wait {0} s")]
    Throttled(u32),
    /// Unreachable; nothing was done.
    #[error("the platform cannot be reached: {0}")]
    Unavailable(String),
    /// May have been done.
    #[error("no answer: {0}")]
    Timeout(String),
    /// Wrong data; nothing was done.
    #[error("refused: {}", words(.0))]
    Rejected(Vec<Issue>),
    /// A value has to be mapped first; nothing was done.
    #[error("`{value}` is not mapped in the table `{table}`")]
    MappingMissing {
        /// Table.
        table: String,
        /// Value without a mapping.
        value: String,
        /// The value as a person reads it.
        label: Option<String>,
    },
    /// Changed by somebody else meanwhile; nothing was done.
    #[error("changed by somebody else meanwhile")]
    Conflict(Option<String>),
    /// Not on the platform.
    #[error("not found on the platform: {0}")]
    NotFound(String),
    /// The connector cannot do this.
    #[error("the connector cannot do this: {0}")]
    Unsupported(String),
    /// The host refused.
    #[error("denied: {0}")]
    Denied(String),
    /// Defect of the connector.
    #[error("defect of the connector: {0}")]
    Bug(String),
}

fn words(issues: &[Issue]) -> String {
    issues
        .iter()
        .map(
            |issue| {
                if issue.path.is_empty() { issue.message.clone() } else { format!("{}: {}", issue.path, issue.message) }
            },
        )
        .collect::<Vec<_>>()
        .join("; ")
}

/// The object over there after a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Its identity.
    pub remote: RemoteRef,
    /// Its parts as far as known.
    pub parts: Vec<Part>,
    /// Orders: the total that the platform computed, tax included.
    pub total: Option<Decimal>,
    /// Worth knowing.
    pub warnings: Vec<Issue>,
}

/// What became of one pushed item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Exists, steps are missing; not the last word.
    Partial(Written),
    /// Done.
    Done(Written),
    /// Nothing had to be written.
    Unchanged(RemoteRef),
    /// Not tried, nothing done; again after so many seconds.
    Later(u32),
    /// Failed.
    Failed(RemoteError),
}
