//! What the tests of the runtime stand on: the guest, built once, and powers in memory.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
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

/// The guest with its variant and version written into the file; every pair is a build of its own.
pub fn guest_variant(variant: &str, version: &str) -> Vec<u8> {
    let mut bytes = std::fs::read(guest_file()).expect("the guest");
    let mark = b"tradepost-guest variant=";
    let at = bytes.windows(mark.len()).position(|part| part == mark).expect("the guest's variant");
    let text = format!("tradepost-guest variant={variant};version={version};");
    let place = &mut bytes[at..at + 96];
    place.fill(b'.');
    place[..text.len()].copy_from_slice(text.as_bytes());
    bytes
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
    /// Of platform 1.
    pub values: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Of the others.
    others: Mutex<BTreeMap<PlatformId, BTreeMap<String, Vec<u8>>>>,
    blobs: Mutex<HashMap<(PlatformId, String), Blob>>,
}

impl Memory {
    fn of<T>(&self, platform: PlatformId, work: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T) -> T {
        match platform {
            PlatformId(1) => work(&mut self.values.lock().unwrap()),
            _ => work(self.others.lock().unwrap().entry(platform).or_default()),
        }
    }
}

#[async_trait]
impl Store for Memory {
    async fn get(&self, platform: PlatformId, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.of(platform, |values| values.get(key).cloned()))
    }

    async fn keys(
        &self,
        platform: PlatformId,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, LedgerError> {
        let fits = |key: &&String| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after);
        Ok(self.of(platform, |values| values.keys().filter(fits).take(limit as usize).cloned().collect()))
    }

    async fn size(&self, platform: PlatformId) -> Result<u64, LedgerError> {
        Ok(self.of(platform, |values| values.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum()))
    }

    async fn set_now(&self, platform: PlatformId, key: &str, value: &[u8]) -> Result<(), LedgerError> {
        self.of(platform, |values| values.insert(key.into(), value.into()));
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
            assert!(call.leaves(), "the call still runs");
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
        Self::of(std::fs::read(guest_file()).unwrap()).await
    }

    /// With this build of the guest.
    pub async fn of(bytes: Vec<u8>) -> Self {
        let engine = engine();
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
        self.of_build(self.build.clone(), behaviour, change, lend)
    }

    /// A platform of its own storage with another build of the guest.
    pub fn connector_of(&self, build: Arc<Build>, behaviour: &str) -> PlatformConnector {
        static NEXT: AtomicI64 = AtomicI64::new(1000);
        self.of_build(build, behaviour, |_| {}, |lent| lent.platform = PlatformId(NEXT.fetch_add(1, Ordering::SeqCst)))
    }

    /// With limits of its own.
    pub fn lent_build(
        &self,
        build: Arc<Build>,
        behaviour: &str,
        change: impl FnOnce(&mut Limits),
    ) -> PlatformConnector {
        self.of_build(build, behaviour, change, |_| {})
    }

    fn of_build(
        &self,
        build: Arc<Build>,
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
        self.runtime.connector(build, lent)
    }
}
