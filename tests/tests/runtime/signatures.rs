//! Signed connectors: what waits, what is refused with which sentence, and that neither a restart nor a change while the
//! host runs goes around it.

use std::io::Cursor;
use std::time::Duration;

use minisign::KeyPair;
use tradepost::model::CallError;
use tradepost::plugins::signature::{RawSigner, RawSigners};
use tradepost::plugins::{Change, Signers, Standing, watch};

use super::calls::pull;
use super::plugins::{FILE, Folder, GUEST, good, put};
use super::world::{World, guest_variant};

const SIGNATURE: &str = "guest.wasm.minisig";

fn keys() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

fn signers(keys: &KeyPair, ids: &[&str]) -> Signers {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let signers = vec![RawSigner { key: keys.pk.to_base64(), ids }];
    Signers::new(RawSigners { require_signed: true, signers }).unwrap()
}

fn sign(keys: &KeyPair, bytes: &[u8], comment: &str) -> Vec<u8> {
    minisign::sign(None, &keys.sk, Cursor::new(bytes), Some(comment), None).unwrap().into_string().into_bytes()
}

fn comment(version: &str) -> String {
    format!("id={GUEST} version={version}")
}

/// A folder that wants signatures of these keys.
fn folder(keys: &KeyPair) -> Folder {
    let folder = Folder::new();
    folder.registry.set_signers(signers(keys, &["org.tradepost.*"]));
    folder
}

fn refusal(folder: &Folder) -> (String, bool) {
    match folder.standing(FILE) {
        Standing::Refused { reason, earlier_serves } => (reason, earlier_serves),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_waits_for_its_signature_and_serves_with_it() {
    let keys = keys();
    let folder = folder(&keys);
    let mut changes = folder.registry.subscribe();
    let bytes = good("1.0.0");
    folder.drop_in(FILE, &bytes).await;
    let Standing::Waiting { reason, earlier_serves: false } = folder.standing(FILE) else { panic!() };
    assert!(reason.contains("waits for its signature; put guest.wasm.minisig beside it"), "{reason}");
    assert!(folder.registry.get(GUEST).is_none());
    assert!(matches!(changes.recv().await.unwrap(), Change::Waiting { file, .. } if file == FILE));
    let plugin = &folder.registry.list()[0];
    assert!(plugin.description.is_none(), "nothing of it was run");
    folder.look().await;
    assert!(changes.try_recv().is_err(), "it is said once");

    folder.drop_in(SIGNATURE, &sign(&keys, &bytes, &comment("1.0.0"))).await;
    assert_eq!(folder.standing(FILE), Standing::Serving);
    assert_eq!(folder.version().as_deref(), Some("1.0.0"));
    assert_eq!(folder.registry.list().len(), 1, "the signature is no file of its own");
}

#[tokio::test]
async fn whatever_is_wrong_is_refused_with_what_to_do_while_the_build_before_serves() {
    let (ours, theirs) = (keys(), keys());
    let folder = folder(&ours);
    let first = good("1.0.0");
    folder.put(SIGNATURE, &sign(&ours, &first, &comment("1.0.0")));
    folder.drop_in(FILE, &first).await;
    let next = good("1.1.0");
    // The signature of the build before lies there.
    folder.drop_in(FILE, &next).await;
    let (reason, earlier) = refusal(&folder);
    assert!(earlier && reason.contains("does not fit its bytes"), "{reason}");
    for (signature, words) in [
        (sign(&theirs, &next, &comment("1.1.0")), "is not among `[[signatures.signers]]`"),
        (sign(&ours, &next, &comment("1.2.0")), "was signed as `org.tradepost.guest 1.2.0`, but says of itself"),
        (sign(&ours, &next, "id=org.tradepost.other version=1.1.0"), "was signed as `org.tradepost.other 1.1.0`"),
        (
            sign(&ours, &next, "id=com.example.shop version=1.1.0"),
            "may sign org.tradepost.*, but this is `com.example.shop`",
        ),
        (sign(&ours, &next, "timestamp:1"), "does not say `id=... version=...`"),
        (b"nonsense".to_vec(), "is none of minisign"),
    ] {
        folder.drop_in(SIGNATURE, &signature).await;
        let (reason, earlier) = refusal(&folder);
        assert!(earlier && reason.contains(words), "{words}: {reason}");
        assert_eq!(folder.version().as_deref(), Some("1.0.0"));
    }
    let good = sign(&ours, &next, &comment("1.1.0"));
    let tampered = String::from_utf8(good.clone()).unwrap().replace("version=1.1.0", "version=1.1.1");
    folder.drop_in(SIGNATURE, tampered.as_bytes()).await;
    assert!(refusal(&folder).0.contains("does not fit its bytes"));
    folder.drop_in(SIGNATURE, &good).await;
    assert_eq!((folder.standing(FILE), folder.version().as_deref()), (Standing::Serving, Some("1.1.0")));
    // An approval does not stand in for a signature.
    std::fs::remove_file(folder.path(SIGNATURE)).unwrap();
    folder.drop_in(FILE, &super::plugins::good("1.2.0")).await;
    assert!(folder.registry.approve(FILE, None).await.is_err(), "it is not held, it waits");
    assert_eq!(folder.version().as_deref(), Some("1.1.0"));
}

#[tokio::test]
async fn a_start_judges_the_kept_bytes_again() {
    let keys = keys();
    let folder = folder(&keys);
    let bytes = good("1.0.0");
    folder.put(SIGNATURE, &sign(&keys, &bytes, &comment("1.0.0")));
    folder.drop_in(FILE, &bytes).await;
    // A bad drop: the kept bytes with their kept signature serve.
    folder.drop_in(FILE, &bytes[..bytes.len() / 2]).await;
    let trusted = || signers(&keys, &["org.tradepost.*"]);
    let folder = folder.restart_with(trusted()).await;
    folder.registry.get(GUEST).expect("served from the kept bytes").prepare().await.unwrap();
    assert!(refusal(&folder).1);

    // Signers that this key is not among any more.
    let folder = folder.restart_with(signers(&super::signatures::keys(), &["*"])).await;
    assert!(folder.registry.get(GUEST).is_none());
    let folder = folder.restart_with(trusted()).await;
    assert!(folder.registry.get(GUEST).is_some());

    // Kept bytes whose signature is gone, and such that were changed.
    let kept = folder.root.path().join("connectors");
    let signature = || {
        let mut files = std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|extension| extension == "minisig")).expect("a kept signature")
    };
    let (path, text) = (signature(), std::fs::read(signature()).unwrap());
    std::fs::remove_file(&path).unwrap();
    let folder = folder.restart_with(trusted()).await;
    assert!(folder.registry.get(GUEST).is_none());
    std::fs::write(&path, text).unwrap();
    let folder = folder.restart_with(trusted()).await;
    assert!(folder.registry.get(GUEST).is_some());
}

#[tokio::test]
async fn other_signers_count_at_once_for_what_serves_too() {
    let keys = keys();
    let folder = Folder::new();
    let bytes = good("1.0.0");
    folder.drop_in(FILE, &bytes).await;
    let build = folder.registry.get(GUEST).expect("no signature is asked for");
    folder.registry.set_signers(signers(&keys, &["*"]));
    folder.look().await;
    assert!(folder.registry.get(GUEST).is_none());
    assert!(matches!(folder.standing(FILE), Standing::Waiting { earlier_serves: false, .. }));
    assert_eq!(build.description().id, GUEST, "runs under way finish");
    folder.drop_in(SIGNATURE, &sign(&keys, &bytes, &comment("1.0.0"))).await;
    assert_eq!((folder.standing(FILE), folder.version().as_deref()), (Standing::Serving, Some("1.0.0")));
    folder.registry.set_signers(Signers::default());
    std::fs::remove_file(folder.path(SIGNATURE)).unwrap();
    folder.look().await;
    assert_eq!(folder.version().as_deref(), Some("1.0.0"));
}

#[tokio::test]
async fn a_build_on_trial_gives_way_to_none_that_is_not_signed() {
    let keys = keys();
    let (world, folder) = (World::new().await, Folder::new());
    folder.drop_in(FILE, &good("1.0.0")).await;
    let traps = guest_variant("traps", "1.1.0");
    put(&folder.root.path().join("plugins"), SIGNATURE, &sign(&keys, &traps, &comment("1.1.0")));
    folder.drop_in(FILE, &traps).await;
    folder.registry.set_signers(signers(&keys, &["*"]));
    folder.look().await;
    assert_eq!(folder.version().as_deref(), Some("1.1.0"), "it is signed");
    let connector = world.connector_of(folder.registry.get(GUEST).unwrap(), "good");
    assert!(matches!(pull(&connector).await.result, Err(CallError::Trap { .. })), "the build before did not answer");
    assert_eq!(folder.version().as_deref(), Some("1.1.0"));
}

#[tokio::test]
async fn a_signature_that_is_no_file_is_not_waited_for() {
    let keys = keys();
    let folder = folder(&keys);
    let pipe = folder.path(SIGNATURE);
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let bytes = good("1.0.0");
    let dropped = folder.drop_in(FILE, &bytes);
    tokio::time::timeout(Duration::from_secs(30), dropped).await.expect("nobody waits for a pipe");
    assert!(folder.registry.get(GUEST).is_none());
    assert!(!refusal(&folder).1);
}

#[tokio::test]
async fn a_signature_that_arrives_while_the_host_runs_is_noticed() {
    let keys = keys();
    let folder = folder(&keys);
    let _watcher = watch(folder.registry.clone(), None);
    let plugins = folder.root.path().join("plugins");
    let bytes = good("1.0.0");
    put(&plugins, FILE, &bytes);
    let wait = async |done: &dyn Fn() -> bool| {
        while !done() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waiting = || folder.registry.list().iter().any(|plugin| matches!(plugin.standing, Standing::Waiting { .. }));
    tokio::time::timeout(Duration::from_secs(60), wait(&waiting)).await.expect("it waits");
    put(&plugins, SIGNATURE, &sign(&keys, &bytes, &comment("1.0.0")));
    let served = || folder.registry.get(GUEST).is_some();
    tokio::time::timeout(Duration::from_secs(60), wait(&served)).await.expect("it serves");
}
