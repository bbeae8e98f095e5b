//! What the tests of the runtime stand on: the guest, built once, and powers in memory.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use tempfile::TempDir;
use tradepost::ledger::LedgerError;
use tradepost::model::{Outcome, PlatformCode, PlatformId, RemoteError};
use tradepost::runtime::blobs::BlobFolder;
use tradepost::runtime::exchange::Exchange;
use tradepost::runtime::limits::Limits;
use tradepost::runtime::power::{Answer, Blob, CallContext, HttpClient, Request, Response, Store};
use tradepost::runtime::{Build, Cache, Engine, Lent, PlatformConnector, Runtime};
use tradepost::sync::connector::Settle;
use tradepost_build::{Connector, Workspace};

/// The guest's file.
pub fn guest_file() -> PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let workspace = Workspace::of_this_build().expect("a workspace");
        let connectors = [Connector::new("misbehaving-guests")];
        tradepost_build::build(&workspace, &connectors, &|_| {}).expect("the guest")[0].path.clone()
    };
    FILE.get_or_init(build).clone()
}

/// Compiled code of the guest, shared by all tests of this process.
fn cache() -> Cache {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder"));
    Cache::open(&folder.path().join("compiled")).expect("a cache")
}

pub fn engine() -> Engine {
    Engine::new(Some(cache())).expect("an engine")
}

/// Storage and blobs in memory.
#[derive(Default)]
pub struct Memory {
    pub values: Mutex<BTreeMap<String, Vec<u8>>>,
    blobs: Mutex<HashMap<(PlatformId, String), Blob>>,
}

#[async_trait]
impl Store for Memory {
    async fn get(&self, _: PlatformId, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.values.lock().unwrap().get(key).cloned())
    }

    async fn keys(
        &self,
        _: PlatformId,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, LedgerError> {
        let values = self.values.lock().unwrap();
        let keys =
            values.keys().filter(|key| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after));
        Ok(keys.take(limit as usize).cloned().collect())
    }

    async fn size(&self, _: PlatformId) -> Result<u64, LedgerError> {
        Ok(self.values.lock().unwrap().iter().map(|(key, value)| (key.len() + value.len()) as u64).sum())
    }

    async fn set_now(&self, _: PlatformId, key: &str, value: &[u8]) -> Result<(), LedgerError> {
        self.values.lock().unwrap().insert(key.into(), value.into());
        Ok(())
    }

    async fn blob(&self, platform: PlatformId, id: &str) -> Result<Option<Blob>, LedgerError> {
        Ok(self.blobs.lock().unwrap().get(&(platform, id.to_owned())).cloned())
    }

    async fn blob_with_content(
        &self,
        platform: PlatformId,
        content: &str,
    ) -> Result<Option<(PlatformId, Blob)>, LedgerError> {
        let blobs = self.blobs.lock().unwrap();
        let mut found: Vec<_> = blobs.iter().filter(|(_, blob)| blob.content == content).collect();
        found.sort_by_key(|((owner, _), _)| *owner != platform);
        Ok(found.first().map(|((owner, _), blob)| (*owner, (*blob).clone())))
    }

    async fn add_blob(&self, platform: PlatformId, blob: &Blob, _: Option<&str>) -> Result<(), LedgerError> {
        self.blobs.lock().unwrap().insert((platform, blob.id.clone()), blob.clone());
        Ok(())
    }
}

/// Answers every request and counts the writes.
pub struct Shop;

#[async_trait]
impl HttpClient for Shop {
    async fn send(&self, call: &CallContext, request: Request) -> Result<Response, RemoteError> {
        if !request.is_read() {
            if call.preview {
                return Err(RemoteError::Denied("a preview only reads".into()));
            }
            call.leaves();
        }
        Ok(Response { status: 200, headers: Vec::new(), body: Answer::Bytes("{}".into()), url: request.url })
    }
}

/// Remembers what was settled.
#[derive(Default)]
pub struct Settled(pub Mutex<Vec<(String, Outcome)>>);

#[async_trait]
impl Settle for Settled {
    async fn settle(&self, item: &str, outcome: Outcome) -> Result<(), LedgerError> {
        self.0.lock().unwrap().push((item.to_owned(), outcome));
        Ok(())
    }
}

/// One platform with the guest.
pub struct World {
    pub memory: Arc<Memory>,
    pub exchange: TempDir,
    runtime: Runtime,
    build: Arc<Build>,
    _blobs: TempDir,
}

impl World {
    pub async fn new() -> Self {
        let engine = engine();
        let bytes = std::fs::read(guest_file()).unwrap();
        let build = Arc::new(Build::load(&engine, bytes.into(), None).await.expect("the guest is a connector"));
        let memory = Arc::new(Memory::default());
        let blobs = tempfile::tempdir().unwrap();
        let folder = Arc::new(BlobFolder::open(blobs.path()).unwrap());
        let runtime = Runtime::new(engine, memory.clone(), folder);
        Self { memory, exchange: tempfile::tempdir().unwrap(), runtime, build, _blobs: blobs }
    }

    pub fn build(&self) -> &Arc<Build> {
        &self.build
    }

    pub fn connector(&self, behaviour: &str) -> PlatformConnector {
        self.limited(behaviour, |_| {})
    }

    pub fn limited(&self, behaviour: &str, change: impl FnOnce(&mut Limits)) -> PlatformConnector {
        self.lent(behaviour, change, |_| {})
    }

    pub fn lent(
        &self,
        behaviour: &str,
        change: impl FnOnce(&mut Limits),
        lend: impl FnOnce(&mut Lent),
    ) -> PlatformConnector {
        let mut limits = Limits { cpu_seconds: 2, call_seconds: 30, ..Limits::default() };
        change(&mut limits);
        let mut lent = Lent {
            platform: PlatformId(1),
            code: PlatformCode::parse("guest").unwrap(),
            settings: serde_json::json!({ "behaviour": behaviour }),
            http: Arc::new(Shop),
            exchange: Some(Arc::new(Exchange::open(self.exchange.path()).unwrap())),
            limits: Arc::new(limits),
            preview: false,
        };
        lend(&mut lent);
        self.runtime.connector(self.build.clone(), lent)
    }
}
