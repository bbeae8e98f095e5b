//! A platform's connector for one run: a build of it with the platform's settings and powers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::time::Instant;
use wasmtime::Store as WasmStore;
use wasmtime::component::Instance;

use super::bindings::v0_1::wit::exports::tradepost::connector::source as xs;
use super::bindings::v0_1::{self, Invalid, Reading, wit};
use super::blobs::{BlobError, BlobFolder, PlatformBlobs};
use super::build::Build;
use super::engine::Engine;
use super::exchange::Exchange;
use super::imports::storage::{Overlay, StorageLock, Turns};
use super::imports::{Clock, Phase, Powers};
use super::instance::{self, Call, State};
use super::limits::{Limit, Limits};
use super::log::Log;
use super::power::{Answer, CallContext, Class, HttpClient, Request, Store};
use crate::model::description::{Account, Description, Removal};
use crate::model::{
    CallError, Called, Doomed, Found, Issue, Kind, Outcome, Page, PlatformCode, PlatformId, Probe, PullRequest, Record,
    RemoteError,
};
use crate::sync::connector::{Connector, Content, Settle};

/// Makes platforms' connectors: the engine with what all platforms share.
pub struct Runtime {
    engine: Engine,
    store: Arc<dyn Store>,
    blobs: Arc<BlobFolder>,
    storages: Mutex<HashMap<PlatformId, StorageLock>>,
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
        Self { engine, store, blobs, storages: Mutex::default() }
    }

    /// The engine, for loading builds.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The connector of a platform for one run.
    #[must_use]
    pub fn connector(&self, build: Arc<Build>, lent: Lent) -> PlatformConnector {
        let lock =
            self.storages.lock().unwrap_or_else(PoisonError::into_inner).entry(lent.platform).or_default().clone();
        let settings = with_defaults(&build.description().settings_schema, lent.settings);
        PlatformConnector {
            engine: self.engine.clone(),
            powers: Powers {
                settings: settings.to_string().into(),
                http: lent.http,
                store: Some(self.store.clone()),
                exchange: lent.exchange,
                turns: Turns::new(lock),
            },
            blobs: PlatformBlobs::new(self.blobs.clone(), self.store.clone(), lent.platform),
            platform: lent.platform,
            code: lent.code,
            limits: lent.limits,
            preview: lent.preview,
            build,
        }
    }
}

/// Settings with the schema's defaults where the operator said nothing.
fn with_defaults(schema: &Value, settings: Value) -> Value {
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
    engine: Engine,
    build: Arc<Build>,
    platform: PlatformId,
    code: PlatformCode,
    limits: Arc<Limits>,
    preview: bool,
    blobs: PlatformBlobs,
    powers: Powers,
}

impl PlatformConnector {
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
            unsafe_sent: Arc::new(AtomicU32::new(0)),
        }
    }

    /// One call in a fresh instance.
    async fn call<T: Send>(&self, phase: Phase, class: Class, work: impl Work<T>) -> (Result<T, CallError>, End) {
        let context = self.context(class);
        let unsafe_sent = context.unsafe_sent.clone();
        let description = self.build.description();
        let name = format!("{}@{}", description.id, description.version);
        let call = Call {
            context,
            phase,
            powers: self.powers.clone(),
            clock: Clock::Real,
            log: Log::new(Some(&self.code), &name, self.limits.log_lines),
            storage: Overlay::default(),
        };
        let finished = instance::run(&self.engine, &self.build.pre, call, work).await;
        let result = match finished.result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(CallError::Remote(v0_1::from_error(error))),
            Err(error) => Err(error),
        };
        (result, End { unsafe_sent: unsafe_sent.load(Ordering::SeqCst), storage: finished.storage })
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

    fn lacks<T>(&self, interface: &str) -> Called<T> {
        let Description { id, version, .. } = &**self.build.description();
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

/// What the host saw while a call ran.
struct End {
    unsafe_sent: u32,
    storage: Overlay,
}

impl End {
    /// The end with what the result means in the model. A result that was refused is a failed call too: nothing that
    /// the call stored is kept then.
    fn called<T>(self, result: Result<T, CallError>) -> Called<T> {
        if result.is_err() {
            return Called { unsafe_sent: self.unsafe_sent, ..Called::plain(result) };
        }
        let (storage, turn) = self.storage.into_writes();
        Called { result, unsafe_sent: self.unsafe_sent, storage, turn }
    }
}

fn refused(what: &str, error: &Invalid) -> CallError {
    CallError::Trap { message: format!("its {what} is not what the contract says: {error}") }
}

fn broken(error: &dyn std::error::Error) -> CallError {
    CallError::Trap { message: format!("the host cannot go on: {error}") }
}

#[async_trait]
impl Connector for PlatformConnector {
    fn description(&self) -> &Description {
        self.build.description()
    }

    async fn check(&self) -> Called<Account> {
        let connector = self.build.connector.clone();
        let work = async_work(move |store, instance| {
            Box::pin(async move {
                let guest = connector.load(&mut *store, instance)?;
                guest.call_check(&mut *store).await
            })
        });
        let (result, end) = self.call(Phase::Check, Class::Order, work).await;
        let account = |account| v0_1::account(account).map_err(|error| refused("account", &error));
        end.called(result.and_then(account))
    }

    async fn pull(&self, request: PullRequest) -> Called<Page> {
        let Some(source) = self.build.source.clone() else { return self.lacks("source") };
        let kind = request.kind;
        let asked = v0_1::pull_request(&request);
        let work = async_work(move |store, instance| {
            Box::pin(async move {
                let guest = source.load(&mut *store, instance)?;
                guest.call_pull(&mut *store, &asked).await
            })
        });
        let (result, end) = self.call(Phase::Pull, Class::of(kind), work).await;
        let page = match result {
            Ok(page) => self.read_page(kind, page).await,
            Err(error) => Err(error),
        };
        end.called(page)
    }

    async fn acknowledge(&self, kind: Kind, receipt: String) -> Called<()> {
        let Some(source) = self.build.source.clone() else { return self.lacks("source") };
        let work = async_work(move |store, instance| {
            Box::pin(async move {
                let guest = source.load(&mut *store, instance)?;
                guest.call_acknowledge(&mut *store, v0_1::kind(kind), &receipt).await
            })
        });
        let (result, end) = self.call(Phase::Acknowledge, Class::of(kind), work).await;
        end.called(result)
    }

    async fn push(&self, records: Vec<Record>, settle: Arc<dyn Settle>) -> Called<()> {
        let Some(target) = self.build.target.clone() else { return self.lacks("target") };
        let Some(kind) = records.first().map(|record| record.kind) else { return Called::plain(Ok(())) };
        let lent = match self.lend(&records).await {
            Ok(lent) => lent,
            Err(error) => return Called::plain(Err(broken(&error))),
        };
        let (batch, failed) = v0_1::offer(kind, &records, &lent);
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
        let (result, end) = self.call(Phase::Push(settle), Class::of(kind), work).await;
        end.called(result)
    }

    async fn remove(&self, kind: Kind, items: Vec<Doomed>, how: Removal, settle: Arc<dyn Settle>) -> Called<()> {
        let Some(target) = self.build.target.clone() else { return self.lacks("target") };
        let items: Vec<_> = items.iter().map(v0_1::doomed).collect();
        let work = async_work(move |store, instance| {
            Box::pin(async move {
                let guest = target.load(&mut *store, instance)?;
                guest.call_remove(&mut *store, v0_1::kind(kind), &items, v0_1::to_removal(how)).await
            })
        });
        let (result, end) = self.call(Phase::Remove(settle), Class::of(kind), work).await;
        end.called(result)
    }

    async fn find(&self, kind: Kind, probes: Vec<Probe>) -> Called<Vec<Vec<Found>>> {
        let Some(target) = self.build.target.clone() else { return self.lacks("target") };
        let asked: Vec<_> = probes.iter().map(v0_1::probe).collect();
        let work = async_work(move |store, instance| {
            Box::pin(async move {
                let guest = target.load(&mut *store, instance)?;
                guest.call_find(&mut *store, v0_1::kind(kind), &asked).await
            })
        });
        let (result, end) = self.call(Phase::Find, Class::of(kind), work).await;
        let found = |found| v0_1::found(probes.len(), found).map_err(|error| refused("answer", &error));
        end.called(result.and_then(found))
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
