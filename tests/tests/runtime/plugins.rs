//! The plugins folder with real files.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tradepost::plugins::{Change, Registry, Standing, watch};

use super::world::{engine, guest_file};

const GUEST: &str = "org.tradepost.guest";

fn folder() -> (TempDir, Registry) {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(folder.path(), engine()).unwrap();
    (folder, registry)
}

fn drop_in(folder: &Path, name: &str) {
    std::fs::copy(guest_file(), folder.join(name)).unwrap();
}

fn standing(registry: &Registry, file: &str) -> Standing {
    registry.list().into_iter().find(|plugin| plugin.file == file).expect("a file").standing
}

#[tokio::test]
async fn a_bad_file_leaves_the_good_build_serving() {
    let (folder, registry) = folder();
    let mut changes = registry.subscribe();
    drop_in(folder.path(), "guest.wasm");
    assert!(registry.reconcile().await.unwrap());
    let build = registry.get(GUEST).expect("served");
    assert_eq!(standing(&registry, "guest.wasm"), Standing::Serving);
    assert!(matches!(changes.recv().await.unwrap(), Change::Serving { connector, .. } if connector == GUEST));

    // Cut short, as by a full disk.
    let bytes = std::fs::read(guest_file()).unwrap();
    std::fs::write(folder.path().join("guest.wasm"), &bytes[..bytes.len() / 2]).unwrap();
    registry.reconcile().await.unwrap();
    assert_eq!(registry.get(GUEST).expect("still served").hash(), build.hash());
    let Standing::Refused { reason, earlier_serves } = standing(&registry, "guest.wasm") else { panic!() };
    assert!(earlier_serves && reason.contains("damaged"), "{reason}");
    assert!(matches!(changes.recv().await.unwrap(), Change::Refused { file, .. } if file == "guest.wasm"));

    // Looking again changes nothing and says nothing.
    registry.reconcile().await.unwrap();
    assert!(changes.try_recv().is_err());

    std::fs::write(folder.path().join("guest.wasm"), &bytes).unwrap();
    registry.reconcile().await.unwrap();
    assert_eq!(standing(&registry, "guest.wasm"), Standing::Serving);

    std::fs::remove_file(folder.path().join("guest.wasm")).unwrap();
    registry.reconcile().await.unwrap();
    assert!(registry.get(GUEST).is_none() && registry.list().is_empty());
    assert_eq!(changes.recv().await.unwrap(), Change::Missing { connector: GUEST.into() });
    assert_eq!(build.description().id, GUEST, "whoever holds it goes on with it");
}

#[tokio::test]
async fn other_files_are_ignored_or_refused_with_a_sentence() {
    let (folder, registry) = folder();
    drop_in(folder.path(), ".guest.wasm");
    drop_in(folder.path(), "guest.wasm.tmp");
    std::fs::write(folder.path().join("README.md"), "x").unwrap();
    std::fs::write(folder.path().join("module.wasm"), b"\0asm\x01\0\0\0").unwrap();
    std::fs::write(folder.path().join("code.cwasm"), b"\x7fELF").unwrap();
    std::fs::write(folder.path().join("text.wasm"), b"hello").unwrap();
    registry.reconcile().await.unwrap();
    let reasons: Vec<_> = registry
        .list()
        .into_iter()
        .map(|plugin| match plugin.standing {
            Standing::Refused { reason, earlier_serves: false } => (plugin.file, reason),
            other => panic!("{}: {other:?}", plugin.file),
        })
        .collect();
    assert_eq!(reasons.len(), 3);
    for ((file, reason), (name, words)) in reasons.iter().zip([
        ("code.cwasm", "machine code"),
        ("module.wasm", "core WebAssembly module"),
        ("text.wasm", "no WebAssembly component"),
    ]) {
        assert!(file == name && reason.contains(words), "{file}: {reason}");
    }
}

#[tokio::test]
async fn of_two_files_of_one_connector_one_serves_and_the_other_waits() {
    let (folder, registry) = folder();
    drop_in(folder.path(), "a.wasm");
    drop_in(folder.path(), "b.wasm");
    registry.reconcile().await.unwrap();
    assert_eq!(registry.serving().len(), 1);
    assert_eq!(standing(&registry, "a.wasm"), Standing::Superseded { by: "b.wasm".into() });
    std::fs::remove_file(folder.path().join("b.wasm")).unwrap();
    registry.reconcile().await.unwrap();
    assert_eq!(standing(&registry, "a.wasm"), Standing::Serving);
    assert!(registry.get(GUEST).is_some());
}

#[tokio::test]
async fn the_watcher_takes_up_what_is_dropped_in_and_forgets_what_is_removed() {
    let (folder, registry) = folder();
    let mut changes = registry.subscribe();
    let _watcher = watch(registry.clone());
    // The watcher begins in its own task; a change that came before it is found by its first look.
    drop_in(folder.path(), "guest.wasm");
    let change = tokio::time::timeout(Duration::from_secs(60), changes.recv()).await.expect("in time").unwrap();
    assert!(matches!(change, Change::Serving { .. }), "{change:?}");
    std::fs::remove_file(folder.path().join("guest.wasm")).unwrap();
    let change = tokio::time::timeout(Duration::from_secs(60), changes.recv()).await.expect("in time").unwrap();
    assert_eq!(change, Change::Missing { connector: GUEST.into() });
}
