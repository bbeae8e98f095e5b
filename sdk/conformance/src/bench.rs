//! The connector on the bench: built component, real runtime, the fault proxy in the place of the platform.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tempfile::TempDir;
use tradepost::capability::{Decision, Grants, PrivateException, Secret, grants, origin::InvalidOrigin};
use tradepost::ledger::LedgerError;
use tradepost::model::description::{Account, Description};
use tradepost::model::{
    CallError, Called, Found, Kind, Outcome, Page, PlatformCode, PlatformId, Probe, PullRequest, Record, RemoteError,
    Scope, StorageWrite, Unreadable,
};
use tradepost::runtime::blobs::BlobFolder;
use tradepost::runtime::http::{Options, PlatformHttp, SystemLookup};
use tradepost::runtime::limits::Limits;
use tradepost::runtime::power::{CallContext, HttpClient, Request, Response};
use tradepost::runtime::{Build, Engine, Lent, PlatformConnector, Runtime};
use tradepost::sync::connector::{Connector, Settle};
use url::Url;

use crate::control::{Control, ControlError};
use crate::folder;
use crate::listen::hear;
use crate::proxy::{MARK, Proxy};
use crate::scenario::{PLACE, Scenario};
use crate::store::Memory;

/// Most pages of one scope; a connector that has more goes round in circles.
pub(crate) const PAGES: usize = 2000;
/// Longest that one request may take: a busy machine must not look like a fault.
const HTTP_SECONDS: u64 = 45;

/// Pauses of the host before it repeats a read: nobody recovers here meanwhile.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(20));

/// The suite cannot begin. Not a failed rule.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The engine refuses this machine.
    #[error(transparent)]
    Engine(#[from] tradepost::runtime::engine::EngineError),
    /// The host would refuse the file.
    #[error("{which} cannot be loaded: {source}")]
    Load {
        /// Which of the files.
        which: &'static str,
        /// The host's words.
        source: tradepost::runtime::LoadError,
    },
    /// The address is none.
    #[error("`{address}` is no address of a simulator; write it like `http://127.0.0.1:8888`")]
    Address {
        /// As given.
        address: String,
    },
    /// The connector would not talk to the proxy.
    #[error(
        "no setting leads to the simulator: write `{PLACE}` where the connector is told the platform's address, e.g. \
         `[settings] url = \"{PLACE}\"`"
    )]
    NoPlace,
    /// There is no such rule.
    #[error("there is no rule `{name}`, which is {place}; `cargo tradepost conformance --rules` lists them")]
    Rule {
        /// As given.
        name: String,
        /// Where.
        place: &'static str,
    },
    /// A setting that names a host is none.
    #[error(transparent)]
    Origin(#[from] InvalidOrigin),
    /// The simulator does not do as it says.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The machine.
    #[error("the bench cannot be set up: {0}")]
    Machine(#[from] std::io::Error),
    /// The host's client.
    #[error(transparent)]
    Client(#[from] tradepost::runtime::http::ClientError),
    /// Blobs.
    #[error("the bench cannot be set up: {0}")]
    Blobs(#[from] tradepost::runtime::blobs::BlobError),
}

/// What all rules share.
pub(crate) struct Bench {
    engine: Engine,
    pub(crate) build: Arc<Build>,
    pub(crate) earlier: Option<Arc<Build>>,
    pub(crate) proxy: Proxy,
    pub(crate) control: Option<Control>,
    pub(crate) scenario: Scenario,
    settings: Value,
    folder: TempDir,
    /// The exchange folder of this trial: where the connector works with files, it is the platform.
    exchange: Mutex<PathBuf>,
    /// Everything that left the connector, as text, with where it was.
    outputs: Arc<Mutex<Vec<(String, String)>>>,
    items: AtomicU64,
    /// HTTP clients by build, for platforms as the scenario has them: making one reads all root certificates.
    clients: Mutex<BTreeMap<String, Arc<PlatformHttp>>>,
    /// Whether pages of a kind are acknowledged, as far as rules have seen.
    queues: Mutex<BTreeMap<Kind, bool>>,
}

/// How a platform differs from the scenario's.
#[derive(Default)]
pub(crate) struct Differs {
    pub(crate) build: Option<Arc<Build>>,
    pub(crate) storage: BTreeMap<String, Vec<u8>>,
    pub(crate) secrets: Option<BTreeMap<String, String>>,
    /// In the place of the proxy.
    pub(crate) address: Option<String>,
    /// Longest that a request of the connector may take.
    pub(crate) patience: Option<Duration>,
}

impl Bench {
    pub(crate) async fn open(
        component: Vec<u8>,
        earlier: Option<Vec<u8>>,
        scenario: Scenario,
        engine: Option<Engine>,
    ) -> Result<Self, BenchError> {
        // An error means that somebody installed one already, which serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let reached = scenario.simulator.is_some();
        // Port 9 is the discard service: nothing is sent there, it only stands in the place of an address.
        let address = scenario.simulator.clone().unwrap_or_else(|| "http://127.0.0.1:9".to_owned());
        let invalid = || BenchError::Address { address: address.clone() };
        let url = Url::parse(&address).map_err(|_| invalid())?;
        let (Some(_), true) = (url.host_str(), matches!(url.scheme(), "http" | "https")) else { return Err(invalid()) };
        let upstream = url.origin().ascii_serialization();
        let below = url.path().trim_end_matches('/').to_owned();
        let control = match reached {
            true => {
                let control = scenario.control.clone().unwrap_or_else(|| format!("{upstream}/_control"));
                Control::open(&control).await?
            }
            false => None,
        };
        let mut secrets: Vec<String> = scenario.secrets.values().cloned().collect();
        secrets.extend(control.iter().flat_map(|control| control.offers.secrets.clone()));
        let proxy = Proxy::start(&upstream, secrets).await?;
        let settings = scenario.settings_at(&format!("{}{below}", proxy.address));
        let engine = match engine {
            Some(engine) => engine,
            None => Engine::new(None)?,
        };
        let load = async |which, bytes: Vec<u8>| {
            let build = Build::load(&engine, bytes.into(), None).await;
            build.map(Arc::new).map_err(|source| BenchError::Load { which, source })
        };
        let build = load("the component", component).await?;
        let earlier = match earlier {
            Some(bytes) => Some(load("the earlier build", bytes).await?),
            None => None,
        };
        // Who asks for no host sends nothing: its platform is a folder.
        if reached && !scenario.has_place() && !build.description().origins.is_empty() {
            return Err(BenchError::NoPlace);
        }
        let folder = tempfile::tempdir()?;
        let exchange = Mutex::new(folder::fresh(folder.path())?);
        let (outputs, items) = (Arc::default(), AtomicU64::new(0));
        let (clients, queues) = (Mutex::default(), Mutex::default());
        Ok(Self {
            engine,
            build,
            earlier,
            proxy,
            control,
            scenario,
            settings,
            folder,
            exchange,
            outputs,
            items,
            clients,
            queues,
        })
    }

    pub(crate) fn description(&self) -> &Description {
        self.build.description()
    }

    /// Whether pages of a kind are acknowledged, if a rule has seen it.
    pub(crate) fn is_queue(&self, kind: Kind) -> Option<bool> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).get(&kind).copied()
    }

    /// Remembers what a rule has seen: on a real platform making records takes its time.
    pub(crate) fn seen(&self, kind: Kind, is_queue: bool) {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, is_queue);
    }

    /// An empty platform, as far as it can be emptied.
    pub(crate) async fn reset(&self) -> Result<(), BenchError> {
        let folder = match self.description().files {
            true => Some(folder::fresh(self.folder.path())?),
            false => None,
        };
        if let Some(control) = &self.control {
            control.reset(folder.as_deref()).await?;
        }
        if let Some(folder) = folder {
            *self.exchange.lock().unwrap_or_else(PoisonError::into_inner) = folder;
        }
        Ok(())
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<PlatformHttp>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A key that was not used before.
    pub(crate) fn item(&self) -> String {
        format!("conformance-{}-{}", std::process::id(), self.items.fetch_add(1, Ordering::Relaxed))
    }

    /// A text that was not used before, for natural keys.
    pub(crate) fn unique(&self) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        format!("{:X}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// What lies in the exchange folder, by its name there.
    pub(crate) fn exchanged(&self) -> Result<Vec<(String, String)>, BenchError> {
        Ok(folder::texts(&self.exchange.lock().unwrap_or_else(PoisonError::into_inner))?)
    }

    pub(crate) fn outputs(&self) -> Vec<(String, String)> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The platform as the scenario has it, with empty storage.
    pub(crate) fn platform(&self) -> Result<Platform, BenchError> {
        self.platform_that(Differs::default())
    }

    pub(crate) fn platform_that(&self, differs: Differs) -> Result<Platform, BenchError> {
        static NEXT: AtomicI64 = AtomicI64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let build = differs.build.unwrap_or_else(|| self.build.clone());
        let settings = match &differs.address {
            Some(address) => self.scenario.settings_at(address),
            None => self.settings.clone(),
        };
        let description = build.description();
        let files = self.exchange.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let asked = grants::Request::of(description, &settings)?;
        // What leads to the bench's own addresses is allowed by name, as an operator would.
        let private = asked.origins.iter().filter_map(|origin| {
            let range = match origin.host.trim_matches(['[', ']']).parse::<std::net::IpAddr>() {
                Ok(address) => address.to_string().parse().ok()?,
                Err(_) if origin.host == "localhost" => "127.0.0.0/8".parse().ok()?,
                Err(_) => return None,
            };
            Some(PrivateException { host: origin.host.clone(), range, port: origin.port })
        });
        let decision = Decision {
            private: private.collect(),
            origins: asked.origins,
            files: asked.files.then(|| files.clone()),
            ..Decision::default()
        };
        let usual = differs.secrets.is_none() && differs.address.is_none();
        let known = self.clients().get(build.hash()).filter(|_| usual).cloned();
        let http = match known {
            Some(http) => http,
            None => {
                let secrets = differs.secrets.unwrap_or_else(|| self.scenario.secrets.clone());
                // A simulator needs no sparing: without declared rates a suite takes seconds in the place of minutes.
                let unhurried = Description { rates: Vec::new(), ..Description::clone(description) };
                let http = PlatformHttp::new(Options {
                    grants: Arc::new(Grants::new(&unhurried, &settings, &decision)),
                    settings: settings.clone(),
                    secrets: secrets.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
                    lookup: Arc::new(SystemLookup),
                    owns: Arc::new(|| true),
                })?;
                let (first, longest) = PAUSES;
                let http = Arc::new(http.pausing(first, longest));
                if usual {
                    self.clients().insert(build.hash().to_owned(), http.clone());
                }
                http
            }
        };
        let exchange = match description.files {
            true => Some(Arc::new(folder::open(&files)?)),
            false => None,
        };
        let store = Arc::new(Memory::holding(differs.storage));
        let blobs = self.folder.path().join(format!("blobs-{number}"));
        std::fs::create_dir_all(&blobs)?;
        let runtime = Runtime::new(self.engine.clone(), store.clone(), Arc::new(BlobFolder::open(&blobs)?));
        let limits = Limits { http_seconds: HTTP_SECONDS, ..Limits::default() };
        let code = PlatformCode::parse("conformance").expect("a code by its rule");
        let connector = runtime.connector(
            build,
            Lent {
                platform: PlatformId(number),
                code,
                settings,
                http: Arc::new(Marked { http, patience: differs.patience }),
                exchange,
                limits: Arc::new(limits),
                preview: false,
            },
        );
        Ok(Platform { connector, store, outputs: self.outputs.clone() })
    }
}

/// Tells the proxy what the connector called a request; everything else is the host's own client.
struct Marked {
    http: Arc<PlatformHttp>,
    patience: Option<Duration>,
}

#[async_trait]
impl HttpClient for Marked {
    async fn send(&self, call: &CallContext, mut request: Request) -> Result<Response, RemoteError> {
        let mark = if request.is_read() { "read" } else { "write" };
        request.headers.push((MARK.into(), mark.into()));
        request.timeout = self.patience.or(request.timeout);
        self.http.send(call, request).await
    }
}

/// One platform with a connector: its storage is its own.
pub(crate) struct Platform {
    connector: PlatformConnector,
    store: Arc<Memory>,
    outputs: Arc<Mutex<Vec<(String, String)>>>,
}

/// Stored values by key.
pub(crate) type Durable = BTreeMap<String, Vec<u8>>;

/// A scope that was read to its end, each page committed before the next.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) records: Vec<Record>,
    /// Ids by page.
    pub(crate) pages: Vec<Vec<String>>,
    /// What each page was asked with, and what was durable then.
    pub(crate) asked: Vec<(Option<String>, Durable)>,
    pub(crate) watermark: Option<jiff::Timestamp>,
    pub(crate) receipts: Vec<String>,
    pub(crate) unsafe_sent: u32,
    pub(crate) gone: Vec<String>,
    pub(crate) unreadable: Vec<Unreadable>,
    next: Option<String>,
}

impl Scan {
    /// Ids of all records in their order.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.pages.iter().flatten().cloned().collect()
    }
}

/// Ids of the records of a page. Several prices of one object are one: they differ in what they say.
pub(crate) fn ids(page: &Page) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut said: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for record in &page.records {
        let Some(remote) = &record.remote else { continue };
        let facets: Vec<String> = record.facets.keys().map(|key| format!("{key:?}")).collect();
        let before = said.entry(&remote.id).or_default();
        if before.is_empty() || before.contains(&facets) {
            ids.push(remote.id.clone());
        }
        before.push(facets);
    }
    ids
}

/// What became of a push.
#[derive(Debug)]
pub(crate) struct Pushed {
    pub(crate) call: Result<(), CallError>,
    pub(crate) unsafe_sent: u32,
    settled: Vec<(String, Outcome)>,
}

/// What the host knows of an item after a push.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate {
    /// Exists as it was sent.
    Done(tradepost::model::Written),
    Unchanged,
    /// Certainly not done.
    NotDone(RemoteError),
    /// Later; nothing was done.
    Later(u32),
    /// May have been done: the host asks before it repeats.
    Unknown(String),
}

impl Pushed {
    /// The item's last word, as the host reads it.
    pub(crate) fn fate(&self, item: &str) -> Fate {
        let said = self.settled.iter().rev().find(|(settled, _)| settled == item).map(|(_, outcome)| outcome.clone());
        match said {
            Some(Outcome::Done(written)) => Fate::Done(written),
            Some(Outcome::Unchanged(_)) => Fate::Unchanged,
            Some(Outcome::Later(seconds)) => Fate::Later(seconds),
            Some(Outcome::Partial(_)) => Fate::Unknown("it is there in part".into()),
            Some(Outcome::Failed(RemoteError::Timeout(words))) => Fate::Unknown(words),
            Some(Outcome::Failed(error)) => Fate::NotDone(error),
            None if self.unsafe_sent > 0 => Fate::Unknown("it was not settled, and a write was sent".into()),
            None => match &self.call {
                Err(CallError::Remote(error)) => Fate::NotDone(error.clone()),
                Err(error) => Fate::NotDone(RemoteError::Bug(error.to_string())),
                Ok(()) => Fate::NotDone(RemoteError::Bug("it was not settled".into())),
            },
        }
    }

    /// The object as far as it was said to be there before the last word.
    pub(crate) fn begun(&self, item: &str) -> Option<&tradepost::model::Written> {
        self.settled.iter().rev().find_map(|(settled, outcome)| match outcome {
            Outcome::Partial(written) if settled == item => Some(written),
            _ => None,
        })
    }

    /// How often the item got a last word.
    pub(crate) fn said(&self, item: &str) -> usize {
        let last = |(settled, outcome): &&(String, Outcome)| settled == item && !matches!(outcome, Outcome::Partial(_));
        self.settled.iter().filter(last).count()
    }

    /// A trap, a limit or the like: never right.
    pub(crate) fn crash(&self) -> Option<String> {
        self.call.as_ref().err().and_then(crash)
    }
}

/// The end of a call that is no answer of the connector.
pub(crate) fn crash(error: &CallError) -> Option<String> {
    match error {
        CallError::Remote(_) => None,
        error => Some(error.to_string()),
    }
}

#[derive(Default)]
struct Settled(Mutex<Vec<(String, Outcome)>>);

#[async_trait]
impl Settle for Settled {
    async fn settle(&self, item: &str, outcome: Outcome) -> Result<(), LedgerError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((item.to_owned(), outcome));
        Ok(())
    }
}

impl Platform {
    async fn call<T: std::fmt::Debug>(&self, what: &str, call: impl Future<Output = Called<T>>) -> Called<T> {
        let (called, lines) = hear(call).await;
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        outputs.extend(lines.into_iter().map(|line| (format!("a log line of {what}"), line)));
        outputs.push((format!("what {what} returned"), format!("{:?}", called.result)));
        for StorageWrite { key, value } in &called.storage {
            let value = value.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            outputs.push((format!("what {what} stored"), format!("{key}: {value}")));
        }
        for (key, value) in self.store.at_once() {
            outputs
                .push((format!("what {what} stored at once"), format!("{key}: {}", String::from_utf8_lossy(&value))));
        }
        called
    }

    pub(crate) async fn check(&self) -> Result<Account, CallError> {
        self.call("check", self.connector.check()).await.result
    }

    /// One page; what it stored is not committed.
    pub(crate) async fn pull(&self, kind: Kind, scope: &Scope, cursor: Option<String>, limit: u32) -> Called<Page> {
        let request = PullRequest { kind, scope: scope.clone(), cursor, limit };
        self.call("pull", self.connector.pull(request)).await
    }

    /// What a call stored becomes durable.
    pub(crate) fn commit<T>(&self, called: &Called<T>) {
        self.store.commit(&called.storage);
    }

    pub(crate) fn storage(&self) -> BTreeMap<String, Vec<u8>> {
        self.store.values()
    }

    /// What was stored with `set-now`, which no crash undoes.
    pub(crate) fn stored_at_once(&self) -> Durable {
        self.store.at_once()
    }

    /// Reads a scope to its end.
    pub(crate) async fn scan(&self, kind: Kind, scope: &Scope, limit: u32) -> Result<Scan, CallError> {
        let mut scan = Scan::default();
        self.finish(kind, scope, limit, &mut scan).await?;
        Ok(scan)
    }

    /// Reads the rest of a scope.
    pub(crate) async fn finish(&self, kind: Kind, scope: &Scope, limit: u32, scan: &mut Scan) -> Result<(), CallError> {
        for _ in 0..PAGES {
            if self.step(kind, scope, limit, scan).await? {
                return Ok(());
            }
        }
        Err(CallError::Trap { message: format!("the scope has no end: {PAGES} pages were read") })
    }

    /// Reads the next page of a scan and commits it; says whether it was the last one.
    pub(crate) async fn step(&self, kind: Kind, scope: &Scope, limit: u32, scan: &mut Scan) -> Result<bool, CallError> {
        let cursor = scan.next.take();
        scan.asked.push((cursor.clone(), self.storage()));
        let called = self.pull(kind, scope, cursor, limit).await;
        scan.unsafe_sent += called.unsafe_sent;
        self.commit(&called);
        let page = called.result?;
        scan.pages.push(ids(&page));
        scan.gone.extend(page.deleted.iter().map(|remote| remote.id.clone()));
        scan.receipts.extend(page.receipt);
        scan.unreadable.extend(page.unreadable);
        scan.records.extend(page.records);
        scan.watermark = page.watermark;
        scan.next = page.next;
        Ok(scan.next.is_none())
    }

    pub(crate) async fn acknowledge(&self, kind: Kind, receipt: &str) -> Result<(), CallError> {
        let called = self.call("acknowledge", self.connector.acknowledge(kind, receipt.to_owned())).await;
        self.commit(&called);
        called.result
    }

    /// All that a scan read is durable: says so, as the host does.
    pub(crate) async fn acknowledge_all(&self, kind: Kind, scan: &Scan) -> Result<(), CallError> {
        for receipt in &scan.receipts {
            self.acknowledge(kind, receipt).await?;
        }
        Ok(())
    }

    /// Pushes records; what was stored is committed, as the host does with the call's result.
    pub(crate) async fn push(&self, records: Vec<Record>) -> Pushed {
        let settled = Arc::new(Settled::default());
        let called = self.call("push", self.connector.push(records, settled.clone())).await;
        self.commit(&called);
        let settled = std::mem::take(&mut *settled.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        outputs.extend(settled.iter().map(|one| ("what push settled".to_owned(), format!("{one:?}"))));
        Pushed { call: called.result, unsafe_sent: called.unsafe_sent, settled }
    }

    pub(crate) async fn find(&self, kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, CallError> {
        self.call("find", self.connector.find(kind, probes)).await.result
    }
}
