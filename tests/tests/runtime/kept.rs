//! Components of released contracts load and work for good. Of every contract that is released, builds of our own guests are
//! kept in `tests/kept/VERSION`; those of the draft are built anew each time, and the same is asked of them.

use std::path::{Path, PathBuf};

use serde_json::json;
use tradepost::model::{Kind, Outcome, Page, Probe, PullRequest, RemoteError, Scope};
use tradepost::runtime::workbench::{BenchPlatform, Setup, Workbench};
use tradepost_build::{Connector, Workspace};

use super::calls::level;
use super::world::engine;

/// Guests of which builds are kept.
const GUESTS: [&str; 2] = ["hello-guest", "kept-guest"];
/// Most bytes of a build that is kept: it stays in the repository for good.
const MOST: u64 = 250_000;

/// Versions of the contract with their states, as `wit/README.md` lists them.
fn versions() -> Vec<(String, String)> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/README.md")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        matches!(cells.get(1), Some(&"draft" | &"released")).then(|| (cells[0].to_owned(), cells[1].to_owned()))
    };
    readme.lines().filter_map(row).collect()
}

/// The builds that are kept of a released version.
fn kept(folder: &Path, version: &str) -> Result<Vec<PathBuf>, String> {
    let file = |guest: &&str| {
        let path = folder.join(version).join(format!("{guest}.wasm"));
        let Ok(meta) = path.metadata() else {
            return Err(format!(
                "{} is missing: {version} is released, so a build of {guest} is kept; at the commit that released it, \
                 `cargo connectors {guest}`, and copy the file",
                path.display()
            ));
        };
        if meta.len() > MOST { Err(format!("{} has more than {MOST} bytes", path.display())) } else { Ok(path) }
    };
    GUESTS.iter().map(file).collect()
}

async fn pull(platform: &BenchPlatform, cursor: Option<&str>) -> Result<Page, tradepost::model::CallError> {
    let scope = Scope::Changed { since: None, until: "2026-11-22T08:00:00Z".parse().unwrap() };
    let request = PullRequest { kind: Kind::Product, scope, cursor: cursor.map(str::to_owned), limit: 100 };
    platform.pull(request).await.result
}

/// What is asked of every build: it is taken up, and each of its functions does its work.
async fn works(path: &Path) {
    let name = path.display();
    let folder = tempfile::tempdir().unwrap();
    let bench = Workbench::with_engine(engine(), folder.path()).unwrap();
    let build = bench.load(&std::fs::read(path).unwrap()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    let platform = bench.platform(&build, Setup { settings: json!({}), ..Setup::default() }).unwrap();
    let account = platform.check().await.result.unwrap_or_else(|error| panic!("{name}: {error}"));
    if build.description().id == "org.tradepost.hello" {
        assert_eq!(account.name, "Hello", "{name}");
        // It asks an address that nobody granted.
        let refused = pull(&platform, None).await.unwrap_err();
        assert!(matches!(refused, tradepost::model::CallError::Remote(RemoteError::Denied(_))), "{name}: {refused}");
        return;
    }
    let first = pull(&platform, None).await.unwrap();
    let text = |page: &Page| serde_json::to_string(&page.records).unwrap();
    assert!(text(&first).contains("Grüße 🧦"), "{name}: {}", text(&first));
    let second = pull(&platform, first.next.as_deref()).await.unwrap();
    assert!(text(&second).contains("again"), "{name}: what it stored is there: {}", text(&second));
    platform.acknowledge(Kind::Product, "receipt").await.result.unwrap();
    let probe = Probe { item: "item-1".into(), marker: None, of: None, keys: vec![("sku".into(), "A-1".into())] };
    assert_eq!(platform.find(Kind::Stock, vec![probe]).await.result.unwrap().len(), 1, "{name}");
    let mut unknown = level(2);
    unknown.of.as_mut().unwrap().id = None;
    let pushed = platform.push(vec![level(1), unknown]).await;
    assert!(pushed.result.is_ok(), "{name}: {:?}", pushed.result);
    let [(_, Outcome::Done(_)), (_, Outcome::Failed(RemoteError::NotFound(_)))] = pushed.outcomes.as_slice() else {
        panic!("{name}: {:?}", pushed.outcomes)
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn components_of_released_contracts_and_of_the_draft_load_and_work() {
    let versions = versions();
    assert!(!versions.is_empty(), "wit/README.md lists no versions");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kept");
    for (version, state) in versions {
        let files = if state == "released" {
            kept(&folder, &version).unwrap_or_else(|why| panic!("{why}"))
        } else {
            let workspace = Workspace::of_this_build().unwrap();
            let guests = GUESTS.map(Connector::new);
            let built = tradepost_build::build(&workspace, &guests, &|_| {}).unwrap();
            for guest in &built {
                assert!(guest.size <= MOST, "{} has {} bytes", guest.path.display(), guest.size);
            }
            built.into_iter().map(|guest| guest.path).collect()
        };
        for file in files {
            works(&file).await;
        }
    }
}

#[test]
fn a_release_without_its_builds_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let missing = kept(folder.path(), "0.1.0").unwrap_err();
    assert!(missing.contains("hello-guest.wasm is missing") && missing.contains("cargo connectors"), "{missing}");
    std::fs::create_dir(folder.path().join("0.1.0")).unwrap();
    for guest in GUESTS {
        let file = std::fs::File::create(folder.path().join(format!("0.1.0/{guest}.wasm"))).unwrap();
        file.set_len(if guest == "kept-guest" { MOST + 1 } else { 1 }).unwrap();
    }
    assert!(kept(folder.path(), "0.1.0").unwrap_err().contains("kept-guest.wasm has more than"));
}
