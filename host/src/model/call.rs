//! Arguments and results of calls to a connector.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use super::outcome::RemoteError;
use super::record::{Part, Record, RemoteRef};

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Changed since (absent: everything) and not after `until`.
    Changed {
        /// Platform time of the last complete scope.
        since: Option<Timestamp>,
        /// Upper bound.
        until: Timestamp,
    },
    /// Just these ids.
    Ids(Vec<String>),
    /// Only the ids of all there is.
    Present,
}

/// One call of `pull`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Kind.
    pub kind: Kind,
    /// Scope.
    pub scope: Scope,
    /// What the last page of this scope returned.
    pub cursor: Option<String>,
    /// Records wanted, at most 1,000.
    pub limit: u32,
}

/// Something that could not be read; kept raw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Id, if known.
    pub id: Option<String>,
    /// What the platform sent.
    pub raw: String,
    /// Why it cannot be read.
    pub why: String,
}

/// A record that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Identity.
    pub remote: RemoteRef,
    /// Marker on it.
    pub marker: Option<String>,
    /// Natural key.
    pub key: Option<String>,
}

/// One page of a pull.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Records with op `read`.
    pub records: Vec<Record>,
    /// Gone from the platform.
    pub deleted: Vec<RemoteRef>,
    /// Could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Answer to [`Scope::Present`].
    pub present: Vec<Present>,
    /// Absent: the scope is complete.
    pub next: Option<String>,
    /// Where the next `changed` scope starts.
    pub watermark: Option<Timestamp>,
    /// To be acknowledged once durable.
    pub receipt: Option<String>,
    /// Records in the scope, if known.
    pub total: Option<u64>,
}

/// What `find` looks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Idempotency key of the write.
    pub item: String,
    /// Marker it would have written.
    pub marker: Option<String>,
    /// The order, for events and shipments.
    pub of: Option<RemoteRef>,
    /// Natural keys by name.
    pub keys: Vec<(String, String)>,
}

/// A match of `find`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Identity.
    pub remote: RemoteRef,
    /// Marker on it.
    pub marker: Option<String>,
    /// False: its creation was cut off.
    pub whole: bool,
    /// Parts.
    pub parts: Vec<Part>,
}

/// One record to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doomed {
    /// Idempotency key.
    pub item: String,
    /// Identity.
    pub remote: RemoteRef,
}

/// A buffered write of the connector's storage, to be committed with the call's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageWrite {
    /// Key.
    pub key: String,
    /// Absent: removed.
    pub value: Option<Vec<u8>>,
}

/// How a call failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The connector says so.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A limit ended the call; the text names the limit, its value and the config line that changes it.
    #[error("{message}")]
    Limit {
        /// Sentence and hint.
        message: String,
    },
    /// The connector trapped or returned what the contract forbids.
    #[error("the connector failed: {message}")]
    Trap {
        /// What happened.
        message: String,
    },
    /// The host itself cannot go on: its ledger or its disk. Not the connector's fault.
    #[error("the host cannot go on: {message}")]
    Host {
        /// What happened.
        message: String,
    },
    /// There is no connector for the platform, or it lacks the ability.
    #[error("{message}")]
    Missing {
        /// Sentence and hint.
        message: String,
    },
}

/// The end of one call, with what the host saw while it ran.
#[derive(Debug)]
pub struct Called<T> {
    /// What the connector returned.
    pub result: Result<T, CallError>,
    /// Requests that were not marked as reads and left the host. With 0, a failed call has certainly done nothing.
    pub unsafe_sent: u32,
    /// Storage writes; empty when the call failed.
    pub storage: Vec<StorageWrite>,
    /// To be dropped when `storage` is committed.
    pub turn: Turn,
}

/// While it lives, no other run uses the storage of the platform: calls that write are serialised, up to the commit of
/// what they wrote. Further calls of the same run share it.
#[derive(Default, Clone)]
pub struct Turn(#[expect(dead_code, reason = "lives until it is dropped")] Option<Arc<dyn Any + Send + Sync>>);

impl Turn {
    /// Holds whatever ends the turn when dropped.
    #[must_use]
    pub fn holding(guard: Arc<dyn Any + Send + Sync>) -> Self {
        Self(Some(guard))
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn")
    }
}

impl<T> Called<T> {
    /// A result without side effects.
    pub fn plain(result: Result<T, CallError>) -> Self {
        Self { result, unsafe_sent: 0, storage: Vec::new(), turn: Turn::default() }
    }
}
