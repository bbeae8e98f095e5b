//! Cases of a connector that works with files: the exchange folder is part of what a call saw.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tradepost::model::{Kind, PullRequest, Scope};
use tradepost::runtime::PlatformConnector;
use tradepost::runtime::case::{Bundle, Replay, replay};
use tradepost::runtime::exchange::Exchange;
use tradepost::runtime::exchange::seen::{SeenFile, SeenPart};
use tradepost::runtime::tape::Body;
use tradepost::sync::connector::Connector as _;
use tradepost_build::{Connector, Workspace};

use super::cases::{Kept, again};
use super::world::World;

const CUSTOMERS: &str = "number;email;first_name;last_name;street;postcode;city;country\n\
    K-1;mara.lindqvist@mail.example;Mara;Lindqvist;Deichstraße 7;20459;Hamburg;DE\n\
    K-2;jo@gmx.de;Jörg;Weberling;Am Tor 1;10115;Berlin;Germany\n\
    K-3;ida.wolf@mail.example;Ida;Wolfram;Ringweg 1;89073;Ulm;DE\n";

struct Erp {
    world: World,
    wasm: Vec<u8>,
    kept: Arc<Kept>,
}

impl Erp {
    async fn new() -> Self {
        let workspace = Workspace::of_this_build().expect("a workspace");
        let built = tradepost_build::build(&workspace, &[Connector::new("files-connector")], &|_| {});
        let wasm = fs::read(&built.expect("the connector builds")[0].path).unwrap();
        let world = World::of(wasm.clone()).await;
        Exchange::open(world.exchange.path()).unwrap();
        Self { world, wasm, kept: Arc::default() }
    }

    fn connector(&self) -> PlatformConnector {
        let settings = json!({"settle_seconds": 0, "environment": "test"});
        self.world.lent("", |_| {}, |lent| lent.settings = settings).seen_by(self.kept.clone())
    }

    fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        fs::write(self.world.exchange.path().join(path), content).unwrap();
    }

    /// The last call as a developer gets it, repeated.
    async fn repeated(&self) -> (Bundle, Replay) {
        let case = again(&self.kept.take().0.redacted([9; 32]).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let replayed = replay(&case, &self.wasm, folder.path()).await.unwrap();
        assert_eq!(replayed.differs, None);
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("exchange")), "{left:?}");
        (case, replayed)
    }
}

fn asked(kind: Kind, cursor: Option<String>, limit: u32) -> PullRequest {
    let scope = Scope::Changed { since: None, until: "2026-11-22T08:00:00Z".parse().unwrap() };
    PullRequest { kind, scope, cursor, limit }
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_found_a_bad_line_is_repeated_with_the_files_of_then_and_without_people() {
    let erp = Erp::new().await;
    erp.put("inbox/customers-1.csv", CUSTOMERS);
    erp.put("inbox/stock-1.csv", "sku;quantity\nA;1\n");
    let connector = erp.connector();
    let mut cursor = None;
    for page in 0..3 {
        let called = connector.pull(asked(Kind::Customer, cursor.take(), 1)).await.result.unwrap();
        let failed = erp.world.exchange.path().join("failed");
        let written = names(&failed);
        // What the call wrote is not put back before it is repeated.
        for name in &written {
            fs::remove_file(failed.join(name)).unwrap();
        }
        let (case, replayed) = erp.repeated().await;
        assert!(replayed.same(), "page {page}: {:#?}\n{:#?}", replayed.outcome, replayed.recorded);
        let text = serde_json::to_string(&case).unwrap();
        for gone in [
            "ara.lin",
            "Mara",
            "Lindqvist",
            "Deich",
            "20459",
            "gmx",
            "Jörg",
            "Weberling",
            "10115",
            "Ida",
            "Wolfram",
            "89073",
        ] {
            assert!(!text.contains(gone), "page {page}: {gone}: {text}");
        }
        let seen: Vec<(&str, u64)> = case.files.iter().map(|file| (file.path.as_str(), file.size)).collect();
        assert!(seen.contains(&("inbox/customers-1.csv", CUSTOMERS.len() as u64)), "{seen:?}");
        assert!(seen.contains(&("inbox/stock-1.csv", 17)), "{seen:?}");
        assert!(!text.contains("quantity"), "what was not read is not in it");
        assert!(names(&failed).is_empty(), "the operator's folder is not touched");
        let told = replayed.outcome.returned.unwrap_or_default();
        assert_eq!(told["unreadable"].as_array().map_or(0, Vec::len), usize::from(page == 1), "{told}");
        cursor = called.next;
    }
    assert!(cursor.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_moved_and_written_is_repeated_in_a_folder_that_is_thrown_away() {
    let erp = Erp::new().await;
    erp.put("inbox/stock-1.csv", "sku;quantity\nA;1\n");
    let connector = erp.connector();
    let page = connector.pull(asked(Kind::Stock, None, 10)).await.result.unwrap();
    assert!(erp.repeated().await.1.same());
    connector.acknowledge(Kind::Stock, page.receipt.unwrap()).await.result.unwrap();
    assert_eq!(names(&erp.world.exchange.path().join("done")), ["stock-1.csv"]);
    let (case, replayed) = erp.repeated().await;
    assert!(replayed.same(), "{:?}\n{:?}", replayed.outcome, replayed.recorded);
    let file = case.files.iter().find(|file| file.path == "inbox/stock-1.csv").expect("as it was before");
    assert_eq!((file.size, &file.parts), (17, &Vec::new()), "it was moved and not read");
    assert!(!case.files.iter().any(|file| file.path == "done/stock-1.csv"), "{:?}", case.files);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_kept_up_to_a_bound() {
    let erp = Erp::new().await;
    let line = format!("A;{:0900}\n", 1);
    erp.put("inbox/stock-1.csv", format!("sku;quantity\n{}", line.repeat(6_000)));
    let page = erp.connector().pull(asked(Kind::Stock, None, 1000)).await.result.unwrap();
    assert!(!page.unreadable.is_empty() || page.next.is_some());
    let (bundle, _) = erp.kept.take();
    let size: usize = bundle.files.iter().flat_map(|file| &file.parts).map(|part| part.bytes.bytes().len()).sum();
    assert!(size <= 4 << 20, "{size}");
    assert_eq!(bundle.files.iter().find(|file| file.path == "inbox/stock-1.csv").unwrap().size, 13 + 903 * 6_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_writes_nowhere_else() {
    let erp = Erp::new().await;
    erp.connector().check().await.result.unwrap();
    let (case, _) = erp.kept.take();
    for path in ["../outside.csv", "/tmp/outside.csv", "inbox/../../outside.csv", "inbox/.hidden"] {
        let part = SeenPart { offset: 0, bytes: Body::of("x") };
        let file = SeenFile { path: path.into(), folder: false, size: 1, modified: case.at, parts: vec![part] };
        let folder = tempfile::tempdir().unwrap();
        let wrong = replay(&Bundle { files: vec![file], ..case.clone() }, &erp.wasm, folder.path()).await;
        assert!(wrong.is_err(), "{path}");
        assert!(!folder.path().join("outside.csv").exists() && !Path::new("/tmp/outside.csv").exists());
    }
    let older: Value = serde_json::to_value(&case).unwrap();
    assert!(older.get("files").is_some() || again(&case).files.is_empty());
}
