//! The plugins folder with real files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tradepost::ledger::plugin::PluginStanding;
use tradepost::ledger::{self, Ledger};
use tradepost::plugins::{Change, Registry, Signers, Standing, watch};
use tradepost::sync::connector::Connector;

use super::calls::pull;
use super::world::{World, engine, guest_file, guest_variant};

pub const GUEST: &str = "org.tradepost.guest";
pub const FILE: &str = "guest.wasm";

/// A plugins folder with a ledger that remembers.
pub struct Folder {
    pub root: TempDir,
    ledger: Ledger,
    pub registry: Registry,
}

impl Folder {
    pub fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    fn at(root: TempDir) -> Self {
        let ledger = Ledger::open(&root.path().join("ledger.db"), ledger::Options::default()).unwrap();
        let registry = Registry::remembering(
            &root.path().join("plugins"),
            engine(),
            ledger.clone(),
            &root.path().join("connectors"),
        )
        .unwrap();
        Self { root, ledger, registry }
    }

    /// The next life of the process.
    async fn restart(self) -> Self {
        self.restart_with(Signers::default()).await
    }

    /// With these signers.
    pub async fn restart_with(self, signers: Signers) -> Self {
        self.ledger.close();
        drop(self.registry);
        let next = Self::at(self.root);
        next.registry.set_signers(signers);
        next.look().await;
        next
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.root.path().join("plugins").join(file)
    }

    /// As people should drop: a temporary name, then the real one.
    pub fn put(&self, file: &str, bytes: &[u8]) {
        put(&self.root.path().join("plugins"), file, bytes);
    }

    pub async fn drop_in(&self, file: &str, bytes: &[u8]) {
        self.put(file, bytes);
        self.look().await;
    }

    pub async fn look(&self) {
        assert!(self.registry.reconcile().await.unwrap(), "all files are complete");
    }

    pub fn standing(&self, file: &str) -> Standing {
        self.registry.list().into_iter().find(|plugin| plugin.file == file).expect("a file").standing
    }

    fn held(&self, file: &str) -> (String, Vec<String>, bool) {
        match self.standing(file) {
            Standing::Held { reason, wants, earlier_serves } => (reason, wants, earlier_serves),
            other => panic!("{file}: {other:?}"),
        }
    }

    /// Version that serves.
    pub fn version(&self) -> Option<String> {
        Some(self.registry.get(GUEST)?.description().version.clone())
    }
}

pub fn put(folder: &Path, file: &str, bytes: &[u8]) {
    let partial = folder.join(format!(".{file}.tmp"));
    std::fs::write(&partial, bytes).unwrap();
    std::fs::rename(partial, folder.join(file)).unwrap();
}

pub fn good(version: &str) -> Vec<u8> {
    guest_variant("good", version)
}

#[tokio::test]
async fn a_bad_file_leaves_the_good_build_serving() {
    let folder = Folder::new();
    let mut changes = folder.registry.subscribe();
    let bytes = good("1.0.0");
    folder.drop_in(FILE, &bytes).await;
    let build = folder.registry.get(GUEST).expect("served");
    assert_eq!(folder.standing(FILE), Standing::Serving);
    assert!(matches!(changes.recv().await.unwrap(), Change::Serving { connector, .. } if connector == GUEST));

    // Cut short, as by a full disk.
    folder.drop_in(FILE, &bytes[..bytes.len() / 2]).await;
    assert_eq!(folder.registry.get(GUEST).expect("still served").hash(), build.hash());
    let Standing::Refused { reason, earlier_serves } = folder.standing(FILE) else { panic!() };
    assert!(earlier_serves && reason.contains("damaged"), "{reason}");
    assert!(matches!(changes.recv().await.unwrap(), Change::Refused { file, .. } if file == FILE));

    // Looking again changes nothing and says nothing.
    folder.look().await;
    assert!(changes.try_recv().is_err());

    // A start in this state serves what was good, from the kept bytes.
    let folder = folder.restart().await;
    let kept = folder.registry.get(GUEST).expect("served after a start");
    assert_eq!(kept.hash(), build.hash());
    kept.prepare().await.expect("its bytes are there");
    assert!(matches!(folder.standing(FILE), Standing::Refused { earlier_serves: true, .. }));

    let mut changes = folder.registry.subscribe();
    folder.drop_in(FILE, &bytes).await;
    assert_eq!(folder.standing(FILE), Standing::Serving);
    std::fs::remove_file(folder.path(FILE)).unwrap();
    folder.look().await;
    assert!(folder.registry.get(GUEST).is_none() && folder.registry.list().is_empty());
    assert_eq!(changes.recv().await.unwrap(), Change::Missing { connector: GUEST.into() });
    assert_eq!(build.description().id, GUEST, "whoever holds it goes on with it");
}

#[tokio::test]
async fn a_start_compiles_and_describes_nothing_that_is_known() {
    let folder = Folder::new();
    folder.drop_in(FILE, &good("1.0.0")).await;
    let folder = folder.restart().await;
    let figures = folder.registry.engine().usage();
    assert_eq!((figures.cache_misses, figures.cache_hits), (0, 0), "code is loaded at first use");
    folder.registry.get(GUEST).expect("served").prepare().await.unwrap();
    let figures = folder.registry.engine().usage();
    assert_eq!((figures.cache_misses, figures.cache_hits), (0, 1), "from the cache");
}

#[tokio::test]
async fn other_files_are_ignored_or_refused_with_a_sentence() {
    let folder = Folder::new();
    let bytes = std::fs::read(guest_file()).unwrap();
    for (name, bytes) in [
        (".guest.wasm", bytes.as_slice()),
        ("guest.wasm.tmp", &bytes),
        ("README.md", b"x"),
        ("module.wasm", b"\0asm\x01\0\0\0"),
        ("code.cwasm", b"\x7fELF"),
        ("text.wasm", b"hello"),
    ] {
        std::fs::write(folder.path(name), bytes).unwrap();
    }
    folder.look().await;
    let reasons: Vec<_> = folder
        .registry
        .list()
        .into_iter()
        .map(|plugin| match plugin.standing {
            Standing::Refused { reason, earlier_serves: false } => (plugin.file, reason),
            other => panic!("{}: {other:?}", plugin.file),
        })
        .collect();
    assert_eq!(reasons.len(), 3);
    for ((file, reason), (name, words)) in reasons.iter().zip([
        ("code.cwasm", "put the `.wasm` file itself"),
        ("module.wasm", "build it for the target wasm32-wasip2"),
        ("text.wasm", "put the `.wasm` file that the connector's build made"),
    ]) {
        assert!(file == name && reason.contains(words), "{file}: {reason}");
    }
}

#[tokio::test]
async fn an_id_belongs_to_the_file_that_first_brought_it() {
    let folder = Folder::new();
    folder.drop_in("b.wasm", &good("1.0.0")).await;
    // Sorted before it, and newer: a stranger all the same.
    folder.drop_in("a.wasm", &good("2.0.0")).await;
    assert_eq!(folder.version().as_deref(), Some("1.0.0"));
    let (reason, _, earlier) = folder.held("a.wasm");
    assert!(reason.contains("belongs to the file b.wasm") && reason.contains("plugin approve a.wasm"), "{reason}");
    assert!(!earlier);
    // Also after the owner is gone, and after a start.
    std::fs::remove_file(folder.path("b.wasm")).unwrap();
    folder.look().await;
    assert_eq!(folder.version(), None);
    let folder = folder.restart().await;
    assert_eq!(folder.version(), None);
    folder.held("a.wasm");
    // A person may hand it over.
    folder.registry.approve("a.wasm", None).await.unwrap();
    assert_eq!(folder.version().as_deref(), Some("2.0.0"));
    assert_eq!(folder.standing("a.wasm"), Standing::Serving);
    folder.drop_in("b.wasm", &good("1.0.0")).await;
    assert!(folder.held("b.wasm").0.contains("belongs to the file a.wasm"));
    assert!(folder.registry.approve("nothing.wasm", None).await.is_err());
}

#[tokio::test]
async fn a_file_under_a_new_name_is_the_same_file() {
    let folder = Folder::new();
    folder.drop_in("a.wasm", &good("1.0.0")).await;
    folder.drop_in("b.wasm", &good("1.0.0")).await;
    assert!(folder.held("b.wasm").0.contains("same bytes"));
    std::fs::remove_file(folder.path("a.wasm")).unwrap();
    folder.look().await;
    assert_eq!(folder.standing("b.wasm"), Standing::Serving);
    assert_eq!(folder.version().as_deref(), Some("1.0.0"));
}

#[tokio::test]
async fn more_power_a_lower_version_and_another_identity_wait_for_a_person() {
    let folder = Folder::new();
    folder.drop_in(FILE, &good("1.1.0")).await;

    folder.drop_in(FILE, &good("1.0.9")).await;
    assert!(folder.held(FILE).0.contains("1.0.9 is lower than 1.1.0"));

    let greedy = guest_variant("powers", "1.2.0");
    folder.drop_in(FILE, &greedy).await;
    let (reason, wants, earlier) = folder.held(FILE);
    assert_eq!(wants, ["it wants to reach http://collector.example"]);
    assert!(earlier && reason.contains("collector.example"), "{reason}");
    assert_eq!(folder.version().as_deref(), Some("1.1.0"));

    folder.drop_in(FILE, &guest_variant("other-id", "1.2.0")).await;
    assert!(folder.held(FILE).0.contains("says that it is `org.tradepost.stranger`"));
    assert!(folder.registry.get("org.tradepost.stranger").is_none());

    // Held also after a start, where the one before serves.
    let folder = folder.restart().await;
    folder.held(FILE);
    assert_eq!(folder.version().as_deref(), Some("1.1.0"));

    folder.drop_in(FILE, &greedy).await;
    let hash = folder.registry.list()[0].hash.clone().unwrap();
    let error = folder.registry.approve(FILE, Some("another")).await.unwrap_err().to_string();
    assert!(error.contains("another file by now"), "{error}");
    folder.registry.approve(GUEST, Some(&hash)).await.unwrap();
    assert_eq!(folder.version().as_deref(), Some("1.2.0"));
    assert_eq!(folder.standing(FILE), Standing::Serving);
    let audits = folder.ledger.read(|view| view.audits(10)).await.unwrap();
    assert!(audits.iter().any(|audit| audit.what == "plugin.approve" && audit.detail["hash"] == hash.as_str()));
    // What has been allowed once is what later builds are compared with.
    folder.drop_in(FILE, &guest_variant("powers", "1.3.0")).await;
    assert_eq!(folder.version().as_deref(), Some("1.3.0"));
}

#[tokio::test]
async fn a_build_that_fails_in_its_first_calls_is_taken_back_and_no_call_notices() {
    let world = World::new().await;
    let folder = Folder::new();
    folder.drop_in(FILE, &good("1.0.0")).await;
    folder.drop_in(FILE, &guest_variant("traps", "1.1.0")).await;
    assert_eq!(folder.version().as_deref(), Some("1.1.0"), "it describes itself well");

    let broken = folder.registry.get(GUEST).unwrap();
    let connector = world.connector_of(broken.clone(), "good");
    assert!(pull(&connector).await.result.is_ok(), "the build before answered");
    assert!(connector.check().await.result.is_ok());
    assert_eq!(folder.version().as_deref(), Some("1.0.0"), "at once");
    // Noted a moment later.
    let noted = async {
        while !matches!(folder.standing(FILE), Standing::Held { .. }) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), noted).await.expect("held");
    let (reason, _, earlier) = folder.held(FILE);
    assert!(earlier && reason.contains("failed in its first calls") && reason.contains("a trap in pull"), "{reason}");

    let folder = folder.restart().await;
    assert_eq!(folder.version().as_deref(), Some("1.0.0"));
    assert!(folder.held(FILE).0.contains("failed in its first calls"));
    let plugins = folder.ledger.read(|view| view.plugins()).await.unwrap();
    assert!(plugins.iter().any(|row| row.hash == broken.hash() && row.standing == PluginStanding::TakenBack));

    // One that does well stays.
    folder.drop_in(FILE, &good("1.2.0")).await;
    let connector = world.connector_of(folder.registry.get(GUEST).unwrap(), "good");
    for _ in 0..6 {
        assert!(pull(&connector).await.result.is_ok());
    }
    assert_eq!(folder.version().as_deref(), Some("1.2.0"));
    let proved = async {
        while folder.ledger.read(|view| view.connectors()).await.unwrap()[0].previous.is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), proved).await.expect("noted");
    // From then on a failing call is its own.
    let connector = world.connector_of(folder.registry.get(GUEST).unwrap(), "trap");
    assert!(pull(&connector).await.result.is_err());
    assert_eq!(folder.version().as_deref(), Some("1.2.0"));
}

#[tokio::test]
async fn the_watcher_takes_up_what_is_dropped_in_and_forgets_what_is_removed() {
    for poll in [None, Some(Duration::from_millis(300))] {
        let folder = Folder::new();
        let mut changes = folder.registry.subscribe();
        let _watcher = watch(folder.registry.clone(), poll);
        // The watcher begins in its own task; a change that came before it is found by its first look.
        folder.put(FILE, &good("1.0.0"));
        let change = tokio::time::timeout(Duration::from_secs(60), changes.recv()).await.expect("in time").unwrap();
        assert!(matches!(change, Change::Serving { .. }), "{change:?}");
        std::fs::remove_file(folder.path(FILE)).unwrap();
        let change = tokio::time::timeout(Duration::from_secs(60), changes.recv()).await.expect("in time").unwrap();
        assert_eq!(change, Change::Missing { connector: GUEST.into() });
    }
}

/// Drops while calls run.
const DROPS: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_drops_while_calls_run_disturb_none_of_them() {
    let world = Arc::new(World::new().await);
    let folder = Folder::new();
    // Every one serves in the end or is put away; all have one version, so that going back is no step down.
    let whole: Vec<Vec<u8>> = ["good", "good-too", "good-three"].map(|name| guest_variant(name, "1.0.0")).into();
    let bad: Vec<Vec<u8>> = vec![
        whole[0][..whole[0].len() / 3].to_vec(),
        guest_variant("traps-describing", "1.0.0"),
        guest_variant("powers", "1.0.0"),
        guest_variant("traps", "1.0.0"),
        guest_variant("other-id", "1.0.0"),
        b"\0asm\x01\0\0\0".to_vec(),
        Vec::new(),
    ];
    let good_hashes: Vec<String> = whole.iter().map(|bytes| tradepost::runtime::build::hash(bytes)).collect();
    let traps = tradepost::runtime::build::hash(&bad[3]);
    folder.drop_in(FILE, &whole[0]).await;
    let _watcher = watch(folder.registry.clone(), None);

    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let callers: Vec<_> = (0..2)
        .map(|_| {
            let (world, registry, stop) = (world.clone(), folder.registry.clone(), stop.clone());
            tokio::spawn(async move {
                let mut calls = 0_u32;
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    let build = registry.get(GUEST).expect("something serves at any time");
                    let connector = world.connector_of(build, "good");
                    let called = pull(&connector).await;
                    assert!(called.result.is_ok(), "call {calls}: {:?}", called.result);
                    calls += 1;
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                calls
            })
        })
        .collect();

    let mut seen = std::collections::BTreeSet::new();
    for i in 0..DROPS {
        let bytes = if i % 2 == 0 { &whole[(i / 2) % whole.len()] } else { &bad[(i / 2) % bad.len()] };
        if i % 5 == 4 {
            // As careless people drop: in place, in two pieces.
            use std::io::Write as _;
            let mut file = std::fs::File::create(folder.path(FILE)).unwrap();
            let (first, second) = bytes.split_at(bytes.len() / 2);
            file.write_all(first).unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
            file.write_all(second).unwrap();
        } else {
            folder.put(FILE, bytes);
        }
        // Now and then there is time to take it up, mostly the next drop comes before.
        if i % 10 == 0 {
            folder.registry.reconcile().await.unwrap();
        } else {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let serving = folder.registry.get(GUEST).expect("something serves at any time");
        let name = serving.hash().to_owned();
        assert!(good_hashes.contains(&name) || name == traps, "a broken version serves: {serving:?}");
        seen.insert(name);
    }
    // The last word: a good build is dropped, and serves.
    folder.put(FILE, &whole[1]);
    let settled = async {
        while folder.registry.get(GUEST).expect("served").hash() != good_hashes[1] {
            folder.registry.reconcile().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(30), settled).await.expect("the last drop serves");
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.expect("no call failed");
    }
    assert!(calls > 100, "{calls} calls ran");
    assert!(seen.len() >= 2, "reloads happened: {seen:?}");
    let figures = folder.registry.engine().usage();
    let distinct = (whole.len() + bad.len()) as u64;
    assert!(figures.cache_misses <= distinct, "{} compiles of {distinct} builds", figures.cache_misses);
    println!("{DROPS} drops, {calls} calls, {} compiles, {} builds served", figures.cache_misses, seen.len());
}
