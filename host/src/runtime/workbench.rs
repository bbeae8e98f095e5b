//! A connector on the bench: any component with an invented platform around it, in the real runtime and without a
//! service. Conformance tests, tapes, replays and measurements stand on it.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use tradepost::model::{Kind, PullRequest, Scope};
//! use tradepost::runtime::workbench::{Setup, Workbench};
//!
//! let bench = Workbench::open("target/bench".as_ref())?;
//! let build = bench.load(&std::fs::read("shop.wasm")?).await?;
//! let shop = bench.platform(&build, Setup {
//!     settings: serde_json::json!({ "url": "http://127.0.0.1:8080" }),
//!     secrets: [("key/token".to_owned(), "t0ken".to_owned())].into(),
//!     loopback: true,
//!     ..Setup::default()
//! })?;
//! let scope = Scope::Changed { since: None, until: jiff::Timestamp::now() };
//! let pulled = shop.pull(PullRequest { kind: Kind::Product, scope, cursor: None, limit: 100 }).await;
//! println!("{} records with {} requests", pulled.result?.records.len(), pulled.exchanges.len());
//! # Ok(()) }
//! ```

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::blobs::{BlobError, BlobFolder, PlatformBlobs};
use super::engine::{EngineError, LoadError};
use super::exchange::{Exchange as ExchangeFolder, ExchangeError};
use super::http::{ClientError, Lookup, Options, PlatformHttp, SystemLookup, Wire};
use super::limits::Limits;
use super::memory::Memory;
use super::power::{Blob, Store};
use super::tape::Exchange;
use super::witness::{Seen, Witness};
use super::{Build, Cache, Engine, Lent, PlatformConnector, Runtime};
use crate::capability::origin::InvalidOrigin;
use crate::capability::{Decision, Grants, PrivateException, Request, Secret};
use crate::ledger::LedgerError;
use crate::model::description::{Account, Removal};
use crate::model::{
    CallError, Called, Doomed, Found, Kind, Outcome, Page, PlatformCode, PlatformId, Probe, PullRequest, Record,
};
use crate::sync::connector::{Connector, Settle};

/// Platforms that exist only here share an engine, a folder for blobs and compiled code, and nothing else.
pub struct Workbench {
    runtime: Runtime,
    memory: Arc<Memory>,
    blobs: Arc<BlobFolder>,
    next: AtomicI64,
}

/// What the invented platform is. Everything that the connector asks for is granted.
#[derive(Clone, Default)]
pub struct Setup {
    /// Its short name, which is part of the keys of its orders; absent: `bench`.
    pub code: Option<PlatformCode>,
    /// Settings; defaults of the schema are filled in.
    pub settings: Value,
    /// Secrets by `credential/field`, e.g. `key/token`.
    pub secrets: BTreeMap<String, String>,
    /// What is stored already.
    pub storage: BTreeMap<String, Vec<u8>>,
    /// Exchange folder of a connector that asks for files.
    pub files: Option<PathBuf>,
    /// Limits of its calls.
    pub limits: Limits,
    /// Only reads leave.
    pub preview: bool,
    /// The hosts that it asks for may lead to this machine, as simulators do.
    pub loopback: bool,
    /// Further hosts that may lead to addresses that are not public.
    pub private: Vec<PrivateException>,
    /// Addresses of names, in place of the resolver's.
    pub names: BTreeMap<String, IpAddr>,
    /// In place of the network, e.g. a [`Tape`](super::tape::Tape). Addresses do not matter then.
    pub wire: Option<Arc<dyn Wire>>,
    /// The time that the connector sees; absent: the machine's.
    pub now: Option<Timestamp>,
}

/// Why the bench is not set up.
#[derive(Debug, thiserror::Error)]
pub enum WorkbenchError {
    /// The wasm engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The folder.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// A setting that should name a host does not.
    #[error(transparent)]
    Origin(#[from] InvalidOrigin),
    /// The HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The exchange folder.
    #[error(transparent)]
    Files(#[from] ExchangeError),
}

impl Workbench {
    /// A bench that keeps blobs and compiled code in this folder. Needs a tokio runtime of several threads.
    ///
    /// # Errors
    /// The folder or the engine cannot be used.
    pub fn open(folder: &Path) -> Result<Self, WorkbenchError> {
        let cache = Cache::open(&folder.join("cache"))
            .inspect_err(|error| tracing::warn!(%error, "compiled code is not cached"))
            .ok();
        Self::with_engine(Engine::new(cache)?, folder)
    }

    /// A bench over an engine that is there.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn with_engine(engine: Engine, folder: &Path) -> Result<Self, WorkbenchError> {
        let blobs = Arc::new(BlobFolder::open(&folder.join("blobs"))?);
        let memory = Arc::new(Memory::default());
        let runtime = Runtime::new(engine, memory.clone(), blobs.clone());
        Ok(Self { runtime, memory, blobs, next: AtomicI64::new(1) })
    }

    /// Takes a component through everything that a host does with it: parse, check, compile, describe.
    ///
    /// # Errors
    /// Why a host would refuse it.
    pub async fn load(&self, wasm: &[u8]) -> Result<Arc<Build>, LoadError> {
        Build::load(self.runtime.engine(), wasm.into(), None).await.map(Arc::new)
    }

    /// A new platform.
    ///
    /// # Errors
    /// Its settings name no hosts, or its folder cannot be used.
    pub fn platform(&self, build: &Arc<Build>, setup: Setup) -> Result<BenchPlatform, WorkbenchError> {
        let id = PlatformId(self.next.fetch_add(1, Ordering::SeqCst));
        self.memory.set_values(id, setup.storage.clone());
        self.assemble(id, build, setup)
    }

    /// The same platform with another build: it finds what the other one stored.
    ///
    /// # Errors
    /// As [`Self::platform`].
    pub fn upgraded(&self, platform: &BenchPlatform, build: &Arc<Build>) -> Result<BenchPlatform, WorkbenchError> {
        self.assemble(platform.id, build, platform.setup.clone())
    }

    fn assemble(&self, id: PlatformId, build: &Arc<Build>, setup: Setup) -> Result<BenchPlatform, WorkbenchError> {
        let description = build.description();
        let settings = super::connector::with_defaults(&description.settings_schema, setup.settings.clone());
        let asked = Request::of(description, &settings)?;
        let mut private = setup.private.clone();
        let reachable: &[&str] = match (&setup.wire, setup.loopback) {
            (Some(_), _) => &["0.0.0.0/0", "::/0"],
            (None, true) => &["127.0.0.0/8", "::1/128"],
            (None, false) => &[],
        };
        for origin in &asked.origins {
            for range in reachable {
                let range = range.parse().expect("a range by its rule");
                private.push(PrivateException { host: origin.host.clone(), range, port: origin.port });
            }
        }
        let decision = Decision { origins: asked.origins, private, files: setup.files.clone(), ..Decision::default() };
        let grants = Grants::new(description, &settings, &decision);
        let exchange = grants.files.as_deref().map(ExchangeFolder::open).transpose()?.map(Arc::new);
        let secrets = setup.secrets.iter().map(|(name, value)| (name.clone(), Secret::new(value.clone()))).collect();
        let mut http = PlatformHttp::new(Options {
            grants: Arc::new(grants),
            settings: settings.clone(),
            secrets,
            lookup: Arc::new(Names(setup.names.clone())),
            owns: Arc::new(|| true),
        })?;
        if let Some(wire) = &setup.wire {
            http = http.over(wire.clone());
        }
        let notes = Arc::new(Notes::default());
        let lent = Lent {
            platform: id,
            code: setup.code.clone().unwrap_or_else(|| PlatformCode::parse("bench").expect("a code by its rule")),
            settings,
            http: Arc::new(http),
            exchange,
            limits: Arc::new(setup.limits.clone()),
            preview: setup.preview,
        };
        let mut connector = self.runtime.connector(build.clone(), lent).seen_by(notes.clone());
        if let Some(now) = setup.now {
            connector = connector.at(now);
        }
        Ok(BenchPlatform {
            id,
            setup,
            connector,
            memory: self.memory.clone(),
            blobs: PlatformBlobs::new(self.blobs.clone(), self.memory.clone(), id),
            notes,
            turn: tokio::sync::Mutex::default(),
        })
    }
}

/// One platform on the bench. Its calls follow each other; platforms of their own run side by side.
pub struct BenchPlatform {
    id: PlatformId,
    setup: Setup,
    connector: PlatformConnector,
    memory: Arc<Memory>,
    blobs: PlatformBlobs,
    notes: Arc<Notes>,
    turn: tokio::sync::Mutex<()>,
}

/// The end of a call with everything that the host saw.
#[derive(Debug)]
pub struct Ended<T> {
    /// What the connector returned. What it stored is committed where this is no error, as a host does with the page.
    pub result: Result<T, CallError>,
    /// What it settled, in order; `partial` outcomes come before the last word.
    pub outcomes: Vec<(String, Outcome)>,
    /// Its requests with their answers. Secrets are masked.
    pub exchanges: Vec<Exchange>,
    /// Requests that were not reads and left.
    pub unsafe_sent: u32,
}

impl BenchPlatform {
    /// The connector itself, for calls whose writes are not committed.
    #[must_use]
    pub fn connector(&self) -> &PlatformConnector {
        &self.connector
    }

    /// Says that there are bytes of this content, which are not there: for replays.
    pub(super) async fn lend(&self, blob: &Blob) -> Result<(), LedgerError> {
        self.memory.add_blob(self.id, blob, None).await
    }

    /// `check`.
    pub async fn check(&self) -> Ended<Account> {
        self.ended(self.connector.check()).await
    }

    /// `pull`.
    pub async fn pull(&self, request: PullRequest) -> Ended<Page> {
        self.ended(self.connector.pull(request)).await
    }

    /// `acknowledge`.
    pub async fn acknowledge(&self, kind: Kind, receipt: impl Into<String> + Send) -> Ended<()> {
        self.ended(self.connector.acknowledge(kind, receipt.into())).await
    }

    /// `push` of records of one kind.
    pub async fn push(&self, records: Vec<Record>) -> Ended<()> {
        self.ended(self.connector.push(records, Arc::new(Deaf))).await
    }

    /// `remove`.
    pub async fn remove(&self, kind: Kind, items: Vec<Doomed>, how: Removal) -> Ended<()> {
        self.ended(self.connector.remove(kind, items, how, Arc::new(Deaf))).await
    }

    /// `find`.
    pub async fn find(&self, kind: Kind, probes: Vec<Probe>) -> Ended<Vec<Vec<Found>>> {
        self.ended(self.connector.find(kind, probes)).await
    }

    /// Everything that is stored for it now.
    #[must_use]
    pub fn storage(&self) -> BTreeMap<String, Vec<u8>> {
        self.memory.values(self.id)
    }

    /// Keeps bytes for it, e.g. a picture: the blob's `content` is what records name.
    ///
    /// # Errors
    /// The disk refuses.
    pub async fn add_blob(&self, bytes: &[u8], media_type: &str, name: Option<&str>) -> Result<Blob, BlobError> {
        let mut writer = self.blobs.writer().await?;
        writer.write(bytes).await?;
        self.blobs.keep(writer, media_type, name, None).await
    }

    /// The bytes of a content that a record names, e.g. of a picture that was pulled.
    ///
    /// # Errors
    /// The disk refuses.
    pub async fn content(&self, content: &str) -> Result<Option<Vec<u8>>, BlobError> {
        let Some(blob) = self.blobs.lend(content).await? else { return Ok(None) };
        self.blobs.read(&blob, 0, u32::MAX).await
    }

    async fn ended<T>(&self, call: impl Future<Output = Called<T>> + Send) -> Ended<T> {
        let turn = self.turn.lock().await;
        self.notes.take();
        let Called { result, unsafe_sent, storage, turn: storage_turn } = call.await;
        self.memory.commit(self.id, storage);
        drop(storage_turn);
        let (exchanges, outcomes) = self.notes.take();
        drop(turn);
        Ended { result, outcomes, exchanges, unsafe_sent }
    }
}

/// What the last call did.
#[derive(Default)]
struct Notes(Mutex<Noted>);

/// Requests with their answers, and what was settled.
type Noted = (Vec<Exchange>, Vec<(String, Outcome)>);

impl Notes {
    fn take(&self) -> Noted {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Witness for Notes {
    fn seen(&self, call: Seen<'_>) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.0.extend(call.exchanges);
        notes.1.extend(call.settled);
    }
}

/// The notes hear outcomes already.
struct Deaf;

#[async_trait]
impl Settle for Deaf {
    async fn settle(&self, _: &str, _: Outcome) -> Result<(), LedgerError> {
        Ok(())
    }
}

/// Names with addresses of their own, before the machine's resolver.
struct Names(BTreeMap<String, IpAddr>);

#[async_trait]
impl Lookup for Names {
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        match self.0.get(name) {
            Some(address) => Ok(vec![*address]),
            None => SystemLookup.addresses(name).await,
        }
    }
}
