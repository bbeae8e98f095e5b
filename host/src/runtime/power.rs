//! What the host lends a connector, as the runtime needs it: the ledger's storage and blobs behind [`Store`], requests
//! behind [`HttpClient`]. Both are made per platform elsewhere, so that calls are tested with in-process fakes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

use super::blobs::PlatformBlobs;
use super::exchange::seen::{Looks, SeenFile};
use super::limits::{Exceeded, Limit, Limits};
use super::tape::{Exchange, Recording};
use crate::ledger::LedgerError;
use crate::model::{Kind, PlatformCode, PlatformId, RemoteError};

/// Storage and blobs of all platforms, kept by the ledger. Keys and ids of one platform mean nothing to another.
#[async_trait]
pub trait Store: Send + Sync {
    /// The committed value of a key.
    async fn get(&self, platform: PlatformId, key: &str) -> Result<Option<Vec<u8>>, LedgerError>;

    /// Committed keys with the prefix that sort after `after`, sorted by bytes, at most `limit`.
    async fn keys(
        &self,
        platform: PlatformId,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, LedgerError>;

    /// Bytes of all committed keys and values of the platform.
    async fn size(&self, platform: PlatformId) -> Result<u64, LedgerError>;

    /// Writes one value in a transaction of its own; durable when it returns.
    async fn set_now(&self, platform: PlatformId, key: &str, value: &[u8]) -> Result<(), LedgerError>;

    /// The platform's blob with this id.
    async fn blob(&self, platform: PlatformId, id: &str) -> Result<Option<Blob>, LedgerError>;

    /// Some blob with this content: the platform's own if it has one, else any platform's (its `id`
    /// then means nothing to this one).
    async fn blob_with_content(
        &self,
        platform: PlatformId,
        content: &str,
    ) -> Result<Option<(PlatformId, Blob)>, LedgerError>;

    /// Remembers a blob whose bytes are already durable; `url` is where it was fetched from. The id is new.
    async fn add_blob(&self, platform: PlatformId, blob: &Blob, url: Option<&str>) -> Result<(), LedgerError>;
}

/// Bytes the host keeps, as one platform knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Random per platform.
    pub id: String,
    /// Hex of the bytes' BLAKE3: the name of the file, and what `Medium::blob` holds in the hub.
    pub content: String,
    /// Bytes.
    pub size: u64,
    /// Media type.
    pub media_type: String,
    /// File name, if known.
    pub name: Option<String>,
}

/// Sends a platform's requests: grants, address policy, credentials, rate limits, retries and masking. One per platform
/// and grant set.
#[async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends one request. Any status is an answer.
    ///
    /// The implementation asks [`CallContext::leaves`] immediately before a request that is not a read leaves the
    /// host, and refuses such a request with `denied` when [`CallContext::preview`] is set.
    ///
    /// # Errors
    /// `denied` (grant, address, size), `throttled`, `unavailable` (no connection: nothing was done), `timeout` (sent,
    /// no complete answer), `auth` (log-in refused); no other case.
    async fn send(&self, call: &CallContext, request: Request) -> Result<Response, RemoteError>;

    /// As [`Self::send`], with what was the cause of an error.
    ///
    /// # Errors
    /// As [`Self::send`].
    async fn send_typed(&self, call: &CallContext, request: Request) -> Result<Response, Unanswered> {
        self.send(call, request).await.map_err(Unanswered::from)
    }
}

/// A request that got no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// What the contract says of it.
    pub error: RemoteError,
    /// What was the cause.
    pub cause: Cause,
}

/// What was the cause of a missing answer, as finely as `wasi:http` can tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Not granted, or against a rule.
    Refused,
    /// The host leads to an address that may not be reached.
    Address,
    /// The answer is larger than so many bytes.
    TooLarge(u64),
    /// To be asked again after so many seconds.
    Throttled(u32),
    /// Too many requests under way.
    Busy,
    /// No connection.
    Unreachable,
    /// Sent, but no complete answer came.
    NoAnswer,
    /// The platform refused the log-in.
    LogIn,
}

impl From<RemoteError> for Unanswered {
    fn from(error: RemoteError) -> Self {
        let cause = match &error {
            RemoteError::Throttled(seconds) => Cause::Throttled(*seconds),
            RemoteError::Auth(_) => Cause::LogIn,
            RemoteError::Unavailable(_) => Cause::Busy,
            RemoteError::Timeout(_) => Cause::NoAnswer,
            _ => Cause::Refused,
        };
        Self { error, cause }
    }
}

/// Which requests go first when a platform's rate is short, and which class an action belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Orders and their events, shipments, and what a person waits for (`check`).
    Order,
    /// Stock.
    Stock,
    /// Prices.
    Price,
    /// The rest.
    Rest,
}

impl Class {
    /// The class of an action's kind.
    #[must_use]
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Order | Kind::OrderEvent | Kind::Shipment | Kind::Customer => Self::Order,
            Kind::Stock => Self::Stock,
            Kind::Price => Self::Price,
            Kind::Category | Kind::Product => Self::Rest,
        }
    }
}

/// What a power must know of the call that uses it. Clones belong to the same call.
#[derive(Clone)]
pub struct CallContext {
    /// Whose call it is.
    pub platform: PlatformId,
    /// Its short name, for logs.
    pub code: PlatformCode,
    /// Only reads leave the host.
    pub preview: bool,
    /// Admission class of its requests.
    pub class: Class,
    /// When the call is ended. Nothing may be sent after it.
    pub deadline: Instant,
    /// Limits of the platform.
    pub limits: Arc<Limits>,
    /// The platform's blobs: where bodies come from and where answers with `to_blob` go.
    pub blobs: PlatformBlobs,
    /// What the call did that can be seen outside.
    pub deeds: Arc<Deeds>,
}

/// What a call did that can be seen outside of the sandbox, counted while it runs.
#[derive(Debug, Default)]
pub struct Deeds {
    /// Requests that were not reads and left the host; the highest bit says that the call is over.
    unsafe_sent: AtomicU32,
    /// Bytes of blobs and files.
    written: AtomicU64,
    /// Its requests with their answers, when somebody wants to know them.
    recording: Option<Recording>,
    /// What it sees of its exchange folder, as well.
    looks: Option<Looks>,
}

impl Deeds {
    /// Of a call whose requests and looks into its exchange folder are recorded.
    #[must_use]
    pub fn recorded(recording: Recording, looks: Looks) -> Self {
        Self { recording: Some(recording), looks: Some(looks), ..Self::default() }
    }

    /// What was seen of the exchange folder; it is gone then.
    pub fn take_files(&self) -> Vec<SeenFile> {
        self.looks.as_ref().map(Looks::take).unwrap_or_default()
    }

    /// Where looks into the exchange folder are recorded, if somebody wants to know.
    pub(super) fn looks(&self) -> Option<&Looks> {
        self.looks.as_ref()
    }

    /// What was recorded; it is gone then.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        self.recording.as_ref().map(Recording::take).unwrap_or_default()
    }
}

/// The call is over.
const OVER: u32 = 1 << 31;

impl CallContext {
    /// Notes that a request which is not a read leaves now; a lost answer is "unknown" from here on. `false`: the call is
    /// over and its count was read, so nothing may leave any more.
    #[must_use = "nothing may leave after the call is over"]
    pub fn leaves(&self) -> bool {
        let count = |sent: u32| (sent & OVER == 0).then_some(sent + 1);
        self.deeds.unsafe_sent.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count).is_ok()
    }

    /// Whether the call is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.deeds.unsafe_sent.load(Ordering::SeqCst) & OVER != 0
    }

    /// Ends the call and says how many requests that are not reads left.
    pub(super) fn close(&self) -> u32 {
        self.deeds.unsafe_sent.fetch_or(OVER, Ordering::SeqCst) & !OVER
    }

    /// Notes bytes that go into blobs or files.
    ///
    /// # Errors
    /// When the call has made too many.
    pub fn writes(&self, bytes: u64) -> Result<(), Exceeded> {
        let written = self.deeds.written.fetch_add(bytes, Ordering::SeqCst).saturating_add(bytes);
        if written > self.limits.written { Err(Limit::Written.exceeded(&self.limits)) } else { Ok(()) }
    }

    /// Takes back a [`Self::leaves`] when no connection came about: nothing left after all.
    pub fn stayed(&self) {
        self.deeds.unsafe_sent.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many such requests left so far.
    #[must_use]
    pub fn unsafe_sent(&self) -> u32 {
        self.deeds.unsafe_sent.load(Ordering::SeqCst) & !OVER
    }

    /// Whether its requests are recorded.
    pub(super) fn is_recorded(&self) -> bool {
        self.deeds.recording.is_some()
    }

    /// Records a request with what came of it.
    pub(super) fn record(&self, exchange: Exchange) {
        if let Some(recording) = &self.deeds.recording {
            recording.add(exchange);
        }
    }

    /// Time left until the call is ended.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// Whether a request may be repeated and passes in a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// GET and HEAD are reads; everything else is sent once.
    ByMethod,
    /// A read, whatever the method.
    Safe,
    /// Sent once, counted as a write.
    Never,
}

/// A request of a connector.
#[derive(Debug, Clone)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// Absolute; not yet checked.
    pub url: String,
    /// As the connector gave them; not yet checked.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<Body>,
    /// Name of a declared credential.
    pub credential: Option<String>,
    /// Whether it is a read.
    pub repeat: Repeat,
    /// Name of a declared rate; absent: the first declared one.
    pub rate: Option<String>,
    /// Wish of the connector; at most the limit counts.
    pub timeout: Option<Duration>,
    /// Keep the answer's body outside the sandbox.
    pub to_blob: bool,
}

impl Request {
    /// A GET without anything else.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET".into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            credential: None,
            repeat: Repeat::ByMethod,
            rate: None,
            timeout: None,
            to_blob: false,
        }
    }

    /// Whether it only reads: may be repeated, passes in a preview, is not counted as unsafe.
    #[must_use]
    pub fn is_read(&self) -> bool {
        match self.repeat {
            Repeat::Safe => true,
            Repeat::Never => false,
            Repeat::ByMethod => matches!(self.method.as_str(), "GET" | "HEAD"),
        }
    }
}

/// Body of a request. Blobs are streamed from [`CallContext::blobs`].
#[derive(Debug, Clone)]
pub enum Body {
    /// Bytes from the sandbox.
    Bytes(Bytes),
    /// Bytes the host keeps.
    Blob(Blob),
    /// URL-encoded form.
    Form(Vec<(String, String)>),
    /// Multipart form data.
    Multipart(Vec<Part>),
}

/// One part of multipart form data.
#[derive(Debug, Clone)]
pub struct Part {
    /// Name of the form field.
    pub name: String,
    /// File name.
    pub filename: Option<String>,
    /// Media type.
    pub media_type: Option<String>,
    /// Content.
    pub content: PartContent,
}

/// Content of a part.
#[derive(Debug, Clone)]
pub enum PartContent {
    /// Bytes from the sandbox.
    Bytes(Bytes),
    /// Bytes the host keeps.
    Blob(Blob),
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// Names in lower case; secrets masked.
    pub headers: Vec<(String, String)>,
    /// Body, decompressed.
    pub body: Answer,
    /// Where it came from after redirects; secrets masked.
    pub url: String,
}

/// Body of an answer.
#[derive(Debug, Clone)]
pub enum Answer {
    /// For the sandbox.
    Bytes(Bytes),
    /// Kept by the host.
    Blob(Blob),
}

/// A client that refuses everything: for `describe`, and for platforms that were granted nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoHttp;

#[async_trait]
impl HttpClient for NoHttp {
    async fn send(&self, _: &CallContext, _: Request) -> Result<Response, RemoteError> {
        Err(RemoteError::Denied("this platform was granted no host to talk to".into()))
    }
}

/// A store that refuses everything: for `describe`.
#[derive(Debug, Clone, Copy)]
pub struct NoStore;

#[async_trait]
impl Store for NoStore {
    async fn get(&self, _: PlatformId, _: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Err(LedgerError::Closed)
    }

    async fn keys(&self, _: PlatformId, _: &str, _: Option<&str>, _: u32) -> Result<Vec<String>, LedgerError> {
        Err(LedgerError::Closed)
    }

    async fn size(&self, _: PlatformId) -> Result<u64, LedgerError> {
        Err(LedgerError::Closed)
    }

    async fn set_now(&self, _: PlatformId, _: &str, _: &[u8]) -> Result<(), LedgerError> {
        Err(LedgerError::Closed)
    }

    async fn blob(&self, _: PlatformId, _: &str) -> Result<Option<Blob>, LedgerError> {
        Err(LedgerError::Closed)
    }

    async fn blob_with_content(&self, _: PlatformId, _: &str) -> Result<Option<(PlatformId, Blob)>, LedgerError> {
        Err(LedgerError::Closed)
    }

    async fn add_blob(&self, _: PlatformId, _: &Blob, _: Option<&str>) -> Result<(), LedgerError> {
        Err(LedgerError::Closed)
    }
}
