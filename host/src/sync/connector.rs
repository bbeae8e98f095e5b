//! What the engine needs of a platform's connector.

use std::sync::Arc;

use async_trait::async_trait;

use crate::ledger::LedgerError;
use crate::model::description::{Account, Description, Removal};
use crate::model::{Called, Doomed, Found, Kind, Outcome, Page, PlatformId, Probe, PullRequest, Record, RemoteError};

/// One platform's connector, ready to be called: the serving version when it was asked for, with the platform's
/// settings, grants and secrets. A run keeps it to its end, so that a reload never changes a run.
#[async_trait]
pub trait Connector: Send + Sync {
    /// What it said of itself.
    fn description(&self) -> &Description;

    /// Whom the credentials reach.
    async fn check(&self) -> Called<Account>;

    /// One page.
    async fn pull(&self, request: PullRequest) -> Called<Page>;

    /// The page with this receipt is durable. Repeatable.
    async fn acknowledge(&self, kind: Kind, receipt: String) -> Called<()>;

    /// Writes the records, all of one kind; outcomes arrive through `settle` while it runs.
    async fn push(&self, records: Vec<Record>, settle: Arc<dyn Settle>) -> Called<()>;

    /// Removes the records; outcomes arrive through `settle`.
    async fn remove(&self, kind: Kind, items: Vec<Doomed>, how: Removal, settle: Arc<dyn Settle>) -> Called<()>;

    /// All matches per probe.
    async fn find(&self, kind: Kind, probes: Vec<Probe>) -> Called<Vec<Vec<Found>>>;

    /// Fetches the bytes at an address of this platform under its grants and keeps them.
    ///
    /// # Errors
    /// As `http.send`.
    async fn fetch(&self, url: &str) -> Result<Content, RemoteError>;
}

/// Bytes the host keeps, by content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Hex of the bytes' BLAKE3; what `Medium::blob` holds in the hub.
    pub id: String,
    /// Bytes.
    pub size: u64,
    /// Media type.
    pub media_type: String,
}

/// Hears what became of items while a call runs.
#[async_trait]
pub trait Settle: Send + Sync {
    /// Durable when it returns; a last word of what can be looked up is so within 50 ms and before the call has ended. An
    /// item that the call was not given is refused.
    ///
    /// # Errors
    /// When the ledger cannot be written: the call must end then.
    async fn settle(&self, item: &str, outcome: Outcome) -> Result<(), LedgerError>;
}

/// Where connectors come from.
pub trait Connectors: Send + Sync {
    /// The connector of a platform. In a preview only reads leave the host.
    ///
    /// # Errors
    /// A sentence with what to do: no such file, platform without grants, broken build.
    fn connector(&self, platform: PlatformId, preview: bool) -> Result<Arc<dyn Connector>, Unserved>;
}

/// Nobody serves the platform now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unserved {
    /// Sentence and hint.
    pub message: String,
}
