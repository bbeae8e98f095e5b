//! A platform's connector for one run: a build of it with the platform's settings and powers.

mod end;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;
use wasmtime::Store as WasmStore;
use wasmtime::component::Instance;

use super::bindings::v0_1::wit::exports::tradepost::connector::source as xs;
use super::bindings::v0_1::{self, Invalid, Reading, wit};
use super::blobs::{BlobError, BlobFolder, PlatformBlobs};
use super::build::{Build, Code};
use super::engine::{Engine, LoadError};
use super::exchange::Exchange;
use super::exchange::seen::Looks;
use super::imports::storage::{Overlay, StorageLock, Turns};
use super::imports::{Clock, Phase, Powers};
use super::instance::{self, Call, State};
use super::limits::{Limit, Limits};
use super::log::{LineRate, Log};
use super::power::{Answer, CallContext, Class, Deeds, HttpClient, Request, Store};
use super::tape::Recording;
use super::witness::{Input, Witness};
use crate::ledger::LedgerError;
use crate::model::description::{Account, Description, Removal};
use crate::model::{
    CallError, Called, Doomed, Found, Issue, Kind, Outcome, Page, PlatformCode, PlatformId, Probe, PullRequest, Record,
    RemoteError,
};
use crate::sync::connector::{Connector, Content, Settle};
use end::{End, Told};

/// Most bytes of bodies that are recorded of one call.
const RECORDED: usize = 8 << 20;
/// Most bytes of names and contents of files that are recorded of one call.
const LOOKED: usize = 4 << 20;

/// Makes platforms' connectors: the engine with what all platforms share.
pub struct Runtime {
    engine: Engine,
    store: Arc<dyn Store>,
    blobs: Arc<BlobFolder>,
    shared: Mutex<HashMap<PlatformId, Shared>>,
}

/// What all calls of a platform share, whatever its settings and builds.
#[derive(Clone, Default)]
struct Shared {
    storage: StorageLock,
    lines: LineRate,
}

/// What one platform lends its connector.
#[derive(Clone)]
pub struct Lent {
    /// The platform.
    pub platform: PlatformId,
    /// Its short name: part of the keys of its orders.
    pub code: PlatformCode,
    /// Settings as the operator entered them; defaults of the schema are filled in.
    pub settings: Value,
    /// Its HTTP client, made for its grants.
    pub http: Arc<dyn HttpClient>,
    /// Its exchange folder, if granted.
    pub exchange: Option<Arc<Exchange>>,
    /// Its limits.
    pub limits: Arc<Limits>,
    /// Only reads leave the host.
    pub preview: bool,
}

impl Runtime {
    /// A runtime over the ledger's storage and the blob folder.
    #[must_use]
    pub fn new(engine: Engine, store: Arc<dyn Store>, blobs: Arc<BlobFolder>) -> Self {
        Self { engine, store, blobs, shared: Mutex::default() }
    }

    /// The engine, for loading builds.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The connector of a platform for one run.
    #[must_use]
    pub fn connector(&self, build: Arc<Build>, lent: Lent) -> PlatformConnector {
        let Shared { storage, lines } =
            self.shared.lock().unwrap_or_else(PoisonError::into_inner).entry(lent.platform).or_default().clone();
        let settings = with_defaults(&build.description().settings_schema, lent.settings);
        PlatformConnector {
            powers: Powers {
                settings: settings.to_string().into(),
                http: lent.http,
                store: Some(self.store.clone()),
                exchange: lent.exchange,
                turns: Turns::new(storage),
            },
            blobs: PlatformBlobs::new(self.blobs.clone(), self.store.clone(), lent.platform),
            platform: lent.platform,
            code: lent.code,
            limits: lent.limits,
            lines,
            preview: lent.preview,
            clock: Clock::Real,
            witness: None,
            build,
        }
    }
}

/// Settings with the schema's defaults where the operator said nothing.
pub(super) fn with_defaults(schema: &Value, settings: Value) -> Value {
    let mut settings = match settings {
        Value::Object(settings) => settings,
        _ => serde_json::Map::new(),
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if let Some(default) = property.get("default").filter(|_| !settings.contains_key(name)) {
            settings.insert(name.clone(), default.clone());
        }
    }
    Value::Object(settings)
}

/// The connector of one platform during one run.
pub struct PlatformConnector {
    build: Arc<Build>,
    platform: PlatformId,
    code: PlatformCode,
    limits: Arc<Limits>,
    lines: LineRate,
    preview: bool,
    clock: Clock,
    witness: Option<Arc<dyn Witness>>,
    blobs: PlatformBlobs,
    powers: Powers,
}

impl PlatformConnector {
    /// Tells somebody of every call.
    #[must_use]
    pub fn seen_by(self, witness: Arc<dyn Witness>) -> Self {
        Self { witness: Some(witness), ..self }
    }

    /// Lets the connector believe that it is this time.
    #[must_use]
    pub fn at(self, time: Timestamp) -> Self {
        Self { clock: Clock::At(time), ..self }
    }

    /// The build that serves this run.
    #[must_use]
    pub fn build(&self) -> &Arc<Build> {
        &self.build
    }

    fn context(&self, class: Class) -> CallContext {
        CallContext {
            platform: self.platform,
            code: self.code.clone(),
            preview: self.preview,
            class,
            deadline: Instant::now() + self.limits.call(),
            limits: self.limits.clone(),
            blobs: self.blobs.clone(),
            deeds: match self.witness {
                Some(_) => Arc::new(Deeds::recorded(Recording::new(RECORDED), Looks::new(LOOKED))),
                None => Arc::default(),
            },
        }
    }

    /// The build that answers now: where one was taken back, the one before it.
    fn current(&self) -> Arc<Build> {
        let mut build = self.build.clone();
        while let Some(previous) = build.instead() {
            build = previous;
        }
        build
    }

    /// Asks the build that serves. When it fails in its first calls and nothing of the call left the host, the build
    /// before it answers, as if it had never been replaced.
    async fn served<'a, T>(
        &'a self,
        clean: impl Fn() -> bool + Send,
        ask: impl Fn(Arc<Build>) -> BoxFuture<'a, Called<T>> + Send,
    ) -> Called<T> {
        let mut build = self.current();
        loop {
            let called = ask(build.clone()).await;
            match build.judge(&called.result) {
                Some(previous) if called.unsafe_sent == 0 && clean() => build = previous,
                _ => return called,
            }
        }
    }

    /// One call in a fresh instance.
    async fn call<T: Send>(
        &self,
        build: &Build,
        code: &Code,
        phase: Phase,
        class: Class,
        work: impl Work<T>,
    ) -> (Result<T, CallError>, End) {
        let context = self.context(class);
        let seen = context.clone();
        let description = build.description();
        let name = format!("{}@{}", description.id, description.version);
        let call = Call {
            context,
            phase,
            powers: self.powers.clone(),
            clock: self.clock,
            log: Log::new(Some(&self.code), &name, &self.limits, self.lines.clone()),
            storage: if self.witness.is_some() { Overlay::remembering() } else { Overlay::default() },
        };
        let began = Timestamp::now();
        let finished = instance::run(build.engine(), &code.pre, call, work).await;
        let result = match finished.result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(CallError::Remote(v0_1::from_error(error))),
            Err(error) => Err(error),
        };
        (result, End { began, unsafe_sent: seen.unsafe_sent(), storage: finished.storage, deeds: seen.deeds })
    }

    async fn read_page(&self, kind: Kind, page: xs::Page) -> Result<Page, CallError> {
        if v0_1::items_of(&page) > self.limits.page_items {
            return Err(CallError::Limit { message: Limit::PageItems.exceeded(&self.limits).to_string() });
        }
        let mut contents = HashMap::new();
        for id in v0_1::blobs_of(&page) {
            if !contents.contains_key(&id)
                && let Some(blob) = self.blobs.get(&id).await.map_err(|error| broken(&error))?
            {
                contents.insert(id, blob.content);
            }
        }
        let reading = Reading { code: &self.code, contents: &contents };
        v0_1::page(kind, page, &reading).map_err(|error| refused("page", &error))
    }

    fn lacks<T>(build: &Build, interface: &str) -> Called<T> {
        let Description { id, version, .. } = &**build.description();
        let message = format!(
            "the connector {id} {version} exports no `{interface}`; use a build that has it, or remove the action"
        );
        Called::plain(Err(CallError::Missing { message }))
    }

    /// Blobs of this platform for all pictures of the records; what nobody has is left out.
    async fn lend(&self, records: &[Record]) -> Result<v0_1::Lent, BlobError> {
        let mut lent = v0_1::Lent::new();
        for content in v0_1::contents_of(records) {
            if !lent.contains_key(&content)
                && let Some(blob) = self.blobs.lend(&content).await?
            {
                lent.insert(content, blob);
            }
        }
        Ok(lent)
    }
}

/// What a call of an exported function does in its instance.
trait Work<T>:
    for<'a> FnOnce(
        &'a mut WasmStore<State>,
        &'a Instance,
    ) -> BoxFuture<'a, wasmtime::Result<Result<T, wit::tradepost::connector::types::Error>>>
    + Send
{
}

/// Fixes the type of a closure, which is not found where it is bound to a name.
fn async_work<T, F: Work<T>>(work: F) -> F {
    work
}

impl<T, F> Work<T> for F where
    F: for<'a> FnOnce(
            &'a mut WasmStore<State>,
            &'a Instance,
        ) -> BoxFuture<'a, wasmtime::Result<Result<T, wit::tradepost::connector::types::Error>>>
        + Send
{
}

fn refused(what: &str, error: &Invalid) -> CallError {
    CallError::Trap { message: format!("its {what} is not what the contract says: {error}") }
}

fn unloadable(error: &LoadError) -> CallError {
    CallError::Missing { message: format!("the connector cannot be loaded: {error}") }
}

fn broken(error: &dyn std::error::Error) -> CallError {
    CallError::Host { message: error.to_string() }
}

/// The code of a build, or the end of the call.
macro_rules! code {
    ($build:expr) => {
        match $build.code().await {
            Ok(code) => code,
            Err(error) => return Called::plain(Err(unloadable(&error))),
        }
    };
}

/// The interface of a build, or the end of the call.
macro_rules! interface {
    ($build:expr, $code:expr, $name:ident) => {
        match $code.$name.clone() {
            Some(interface) => interface,
            None => return Self::lacks($build, stringify!($name)),
        }
    };
}

impl PlatformConnector {
    async fn check_on(&self, build: &Build) -> Called<Account> {
        let code = code!(build);
        let connector = code.connector.clone();
        let work = async_work(move |store, instance| {
            Box::pin(async move {
                let guest = connector.load(&mut *store, instance)?;
                guest.call_check(&mut *store).await
            })
        });
        let (result, end) = self.call(build, code, Phase::Check, Class::Order, work).await;
        let account = |account| v0_1::account(account).map_err(|error| refused("account", &error));
        self.ended(build, self.told(|| Input::Check), end, result.and_then(account))
    }

    async fn pull_on(&self, build: &Build, request: &PullRequest) -> Called<Page> {
        let code = code!(build);
        let source = interface!(build, code, source);
        let kind = request.kind;
        let asked = v0_1::pull_request(request);
        let work = async_work(move |store, instance| {
            Box::pin(async move {
                let guest = source.load(&mut *store, instance)?;
                guest.call_pull(&mut *store, &asked).await
            })
        });
        let (result, end) = self.call(build, code, Phase::Pull, Class::of(kind), work).await;
        let page = match result {
            Ok(page) => self.read_page(kind, page).await,
            Err(error) => Err(error),
        };
        self.ended(build, self.told(|| Input::Pull { request: request.clone() }), end, page)
    }

    async fn acknowledge_on(&self, build: &Build, kind: Kind, receipt: String) -> Called<()> {
        let code = code!(build);
        let source = interface!(build, code, source);
        let told = self.told(|| Input::Acknowledge { kind, receipt: receipt.clone() });
        let work = async_work(move |store, instance| {
            Box::pin(async move {
                let guest = source.load(&mut *store, instance)?;
                guest.call_acknowledge(&mut *store, v0_1::kind(kind), &receipt).await
            })
        });
        let (result, end) = self.call(build, code, Phase::Acknowledge, Class::of(kind), work).await;
        self.ended(build, told, end, result)
    }

    async fn push_on(&self, build: &Build, records: &[Record], settle: Arc<dyn Settle>) -> Called<()> {
        let code = code!(build);
        let target = interface!(build, code, target);
        let Some(kind) = records.first().map(|record| record.kind) else { return Called::plain(Ok(())) };
        let lent = match self.lend(records).await {
            Ok(lent) => lent,
            Err(error) => return Called::plain(Err(broken(&error))),
        };
        let mut told = self.told(|| Input::Push { records: records.to_vec() });
        if let Some(told) = &mut told {
            told.blobs = lent.values().cloned().collect();
        }
        let settle = Told::hearing(&mut told, settle);
        let (batch, failed) = v0_1::offer(kind, records, &lent);
        for (item, Invalid { path, why }) in &failed {
            let issue = Issue { path: path.clone(), code: Some("contract".into()), message: why.clone() };
            let outcome = Outcome::Failed(RemoteError::Rejected(vec![issue]));
            if let Err(error) = settle.settle(item, outcome).await {
                return Called::plain(Err(broken(&error)));
            }
        }
        if failed.len() == records.len() {
            return Called::plain(Ok(()));
        }
        let work = async_work(move |store, instance| {
            Box::pin(async move {
                let guest = target.load(&mut *store, instance)?;
                guest.call_push(&mut *store, &batch).await
            })
        });
        let (result, end) = self.call(build, code, Phase::Push(settle), Class::of(kind), work).await;
        self.ended(build, told, end, result)
    }

    async fn remove_on(
        &self,
        build: &Build,
        kind: Kind,
        items: &[Doomed],
        how: Removal,
        settle: Arc<dyn Settle>,
    ) -> Called<()> {
        let code = code!(build);
        let target = interface!(build, code, target);
        let mut told = self.told(|| Input::Remove { kind, items: items.to_vec(), how });
        let settle = Told::hearing(&mut told, settle);
        let items: Vec<_> = items.iter().map(v0_1::doomed).collect();
        let work = async_work(move |store, instance| {
            Box::pin(async move {
                let guest = target.load(&mut *store, instance)?;
                guest.call_remove(&mut *store, v0_1::kind(kind), &items, v0_1::to_removal(how)).await
            })
        });
        let (result, end) = self.call(build, code, Phase::Remove(settle), Class::of(kind), work).await;
        self.ended(build, told, end, result)
    }

    async fn find_on(&self, build: &Build, kind: Kind, probes: &[Probe]) -> Called<Vec<Vec<Found>>> {
        let code = code!(build);
        let target = interface!(build, code, target);
        let asked: Vec<_> = probes.iter().map(v0_1::probe).collect();
        let count = asked.len();
        let work = async_work(move |store, instance| {
            Box::pin(async move {
                let guest = target.load(&mut *store, instance)?;
                guest.call_find(&mut *store, v0_1::kind(kind), &asked).await
            })
        });
        let (result, end) = self.call(build, code, Phase::Find, Class::of(kind), work).await;
        let found = |found| v0_1::found(count, found).map_err(|error| refused("answer", &error));
        let told = self.told(|| Input::Find { kind, probes: probes.to_vec() });
        self.ended(build, told, end, result.and_then(found))
    }
}

/// Passes outcomes on and remembers that there was one.
struct Noted {
    settle: Arc<dyn Settle>,
    any: AtomicBool,
}

impl Noted {
    fn new(settle: Arc<dyn Settle>) -> Arc<Self> {
        Arc::new(Self { settle, any: AtomicBool::new(false) })
    }

    fn none(&self) -> bool {
        !self.any.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Settle for Noted {
    async fn settle(&self, item: &str, outcome: Outcome) -> Result<(), LedgerError> {
        self.any.store(true, Ordering::SeqCst);
        self.settle.settle(item, outcome).await
    }
}

#[async_trait]
impl Connector for PlatformConnector {
    fn description(&self) -> &Description {
        self.build.description()
    }

    async fn check(&self) -> Called<Account> {
        self.served(|| true, |build| Box::pin(async move { self.check_on(&build).await })).await
    }

    async fn pull(&self, request: PullRequest) -> Called<Page> {
        let ask = |build: Arc<Build>| -> BoxFuture<'_, _> {
            let request = request.clone();
            Box::pin(async move { self.pull_on(&build, &request).await })
        };
        self.served(|| true, ask).await
    }

    async fn acknowledge(&self, kind: Kind, receipt: String) -> Called<()> {
        let ask = |build: Arc<Build>| -> BoxFuture<'_, _> {
            let receipt = receipt.clone();
            Box::pin(async move { self.acknowledge_on(&build, kind, receipt).await })
        };
        self.served(|| true, ask).await
    }

    async fn push(&self, records: Vec<Record>, settle: Arc<dyn Settle>) -> Called<()> {
        let (records, noted) = (Arc::new(records), Noted::new(settle));
        let ask = |build: Arc<Build>| -> BoxFuture<'_, _> {
            let (records, settle) = (records.clone(), noted.clone());
            Box::pin(async move { self.push_on(&build, &records, settle).await })
        };
        self.served(|| noted.none(), ask).await
    }

    async fn remove(&self, kind: Kind, items: Vec<Doomed>, how: Removal, settle: Arc<dyn Settle>) -> Called<()> {
        let (items, noted) = (Arc::new(items), Noted::new(settle));
        let ask = |build: Arc<Build>| -> BoxFuture<'_, _> {
            let (items, settle) = (items.clone(), noted.clone());
            Box::pin(async move { self.remove_on(&build, kind, &items, how, settle).await })
        };
        self.served(|| noted.none(), ask).await
    }

    async fn find(&self, kind: Kind, probes: Vec<Probe>) -> Called<Vec<Vec<Found>>> {
        let probes = Arc::new(probes);
        let ask = |build: Arc<Build>| -> BoxFuture<'_, _> {
            let probes = probes.clone();
            Box::pin(async move { self.find_on(&build, kind, &probes).await })
        };
        self.served(|| true, ask).await
    }

    async fn fetch(&self, url: &str) -> Result<Content, RemoteError> {
        let request = Request { to_blob: true, ..Request::get(url) };
        let response = self.powers.http.send(&self.context(Class::Rest), request).await?;
        let words = format!("HTTP {} for a picture or document at {}", response.status, response.url);
        match (response.status, response.body) {
            (200..=299, Answer::Blob(blob)) => {
                Ok(Content { id: blob.content, size: blob.size, media_type: blob.media_type })
            }
            (200..=299, Answer::Bytes(_)) => Err(RemoteError::Bug("the answer was not kept as a blob".into())),
            (401 | 403, _) => Err(RemoteError::Auth(words)),
            (404 | 410, _) => Err(RemoteError::NotFound(words)),
            (429, _) => Err(RemoteError::Throttled(60)),
            (300..=499, _) => {
                Err(RemoteError::Rejected(vec![Issue { path: String::new(), code: None, message: words }]))
            }
            _ => Err(RemoteError::Unavailable(words)),
        }
    }
}
