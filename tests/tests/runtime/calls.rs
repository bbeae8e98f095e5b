//! Calls of a real component: what it can do, and what each fence does to it.

use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tradepost::model::description::Removal;
use tradepost::model::{
    CallError, Called, Doomed, Facets, Kind, Link, Op, Outcome, Page, Probe, PullRequest, Record, RemoteError,
    RemoteRef, Scope, StorageWrite,
};
use tradepost::runtime::PlatformConnector;
use tradepost::sync::connector::Connector;

use super::world::{Settled, World};

fn request() -> PullRequest {
    let until = "2026-11-22T08:00:00Z".parse().unwrap();
    PullRequest { kind: Kind::Stock, scope: Scope::Changed { since: None, until }, cursor: None, limit: 100 }
}

pub async fn pull(connector: &PlatformConnector) -> Called<Page> {
    connector.pull(request()).await
}

/// What the guest told in the page.
pub async fn told(connector: &PlatformConnector) -> Vec<String> {
    let page = pull(connector).await.result.expect("a page");
    page.unreadable.into_iter().map(|unreadable| unreadable.why).collect()
}

pub fn level(number: u32) -> Record {
    Record {
        kind: Kind::Stock,
        op: Op::Update,
        item: format!("item-{number}"),
        marker: None,
        remote: Some(RemoteRef::new(number.to_string())),
        of: Some(Link { id: Some(number.to_string()), key: format!("SKU-{number}") }),
        keys: Vec::new(),
        facets: Facets::from([("stock:main".into(), serde_json::json!({"quantity": "5"}))]),
        variants: Vec::new(),
        parts: Vec::new(),
        updated: None,
        as_of: None,
    }
}

pub async fn push(connector: &PlatformConnector, count: u32) -> (Called<()>, Vec<(String, Outcome)>) {
    let settled = Arc::new(Settled::default());
    let called = connector.push((1..=count).map(level).collect(), settled.clone()).await;
    let outcomes = std::mem::take(&mut *settled.0.lock().unwrap());
    (called, outcomes)
}

pub fn limit<T: std::fmt::Debug>(called: Called<T>) -> String {
    match called.result {
        Err(CallError::Limit { message }) => message,
        other => panic!("expected a limit, got {other:?}"),
    }
}

pub fn trap<T: std::fmt::Debug>(called: Called<T>) -> String {
    match called.result {
        Err(CallError::Trap { message }) => message,
        other => panic!("expected a trap, got {other:?}"),
    }
}

#[tokio::test]
async fn a_connector_describes_itself_without_any_power_and_always_the_same() {
    let world = World::new().await;
    let description = world.build().description();
    assert_eq!(description.id, "org.tradepost.guest");
    assert_eq!(description.vendor, "Tradepost", "every power refused");
    assert_eq!(description.about[0].value, "clock 1970-01-01T00:00:00Z");
    assert_eq!(description, World::new().await.build().description());
}

#[tokio::test]
async fn settings_reach_the_connector_with_their_defaults() {
    let world = World::new().await;
    let account = world.connector("polite").check().await.result.unwrap();
    assert_eq!((account.name.as_str(), account.channels.len()), ("polite", 1));
    let connector = world.lent("x", |_| {}, |lent| lent.settings = serde_json::json!({}));
    assert_eq!(connector.check().await.result.unwrap().name, "good", "the schema's default");
}

#[tokio::test]
async fn a_page_is_read_with_its_storage_writes() {
    let world = World::new().await;
    let called = pull(&world.connector("good")).await;
    let page = called.result.unwrap();
    assert_eq!(page.records.len(), 2);
    assert_eq!(page.records[1].facets[&"stock:main".into()], serde_json::json!({"quantity": "0.5"}));
    assert_eq!((page.receipt.as_deref(), called.unsafe_sent), (Some("batch 1"), 0));
    assert_eq!(called.storage, [StorageWrite { key: "count".into(), value: Some(vec![1]) }]);
    assert!(world.memory.values.lock().unwrap().is_empty(), "the engine commits them, not the runtime");
}

#[tokio::test]
async fn one_bad_record_is_kept_raw() {
    let world = World::new().await;
    let page = pull(&world.connector("bad record")).await.result.unwrap();
    assert_eq!((page.records.len(), page.unreadable.len()), (2, 1));
    assert_eq!(page.unreadable[0].id.as_deref(), Some("2"));
}

#[tokio::test]
async fn what_a_failed_call_stored_is_dropped_unless_it_was_stored_for_good() {
    let world = World::new().await;
    let called = pull(&world.connector("store and fail")).await;
    assert!(matches!(called.result, Err(CallError::Remote(RemoteError::Unavailable(_)))));
    assert!(called.storage.is_empty());
    let called = pull(&world.connector("store and trap")).await;
    assert!(called.storage.is_empty());
    let message = trap(called);
    assert!(message.contains("the shop burns\\u{1b}[31m"), "a panic's words, made harmless: {message}");
    let values = world.memory.values.lock().unwrap();
    assert_eq!(values.iter().collect::<Vec<_>>(), [(&"durable".to_owned(), &b"yes".to_vec())]);
}

#[tokio::test]
async fn a_call_sees_its_own_writes_within_its_quota() {
    let world = World::new().await;
    {
        let mut values = world.memory.values.lock().unwrap();
        values.extend([("old-1".to_owned(), vec![1]), ("old-2".to_owned(), vec![2])]);
    }
    let connector = world.limited("storage", |limits| limits.storage = 10 << 20);
    assert_eq!(told(&connector).await, ["a,b,old-2", "b", "[true, true, true, true]"]);
}

#[tokio::test]
async fn calls_that_write_wait_for_the_commit_of_the_run_before() {
    let world = World::new().await;
    let (first, second) = (world.connector("good"), world.connector("good"));
    let called = pull(&first).await;
    // The same run goes on without waiting for itself.
    assert!(tokio::time::timeout(Duration::from_secs(20), pull(&first)).await.is_ok());
    let other = tokio::spawn(async move { told(&second).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!other.is_finished(), "another run waits");
    for StorageWrite { key, value } in called.storage {
        world.memory.values.lock().unwrap().insert(key, value.unwrap());
    }
    drop(called.turn);
    assert_eq!(other.await.unwrap(), ["count 2"], "and sees what was committed");
}

#[tokio::test]
async fn an_endless_loop_is_ended_and_shares_its_thread_meanwhile() {
    let world = World::new().await;
    for behaviour in ["loop", "loop with host calls"] {
        let connector = world.limited(behaviour, |limits| limits.cpu_seconds = 1);
        let begun = Instant::now();
        // A single-threaded runtime: without yielding, nothing else would run here.
        let (mut call, mut beats) = (std::pin::pin!(pull(&connector)), 0);
        let called = loop {
            tokio::select! {
                called = &mut call => break called,
                () = tokio::time::sleep(Duration::from_millis(10)) => beats += 1,
            }
        };
        let message = limit(called);
        assert!(message.contains("computed longer than the limit of 1 seconds"), "{message}");
        assert!(message.contains("[limits] cpu-seconds = "), "{message}");
        assert!(beats >= 5, "{behaviour}: {beats} beats");
        assert!(begun.elapsed() < Duration::from_secs(30), "{behaviour}");
    }
}

#[tokio::test]
async fn waiting_costs_wall_clock_and_not_computing_time() {
    let world = World::new().await;
    let connector = world.limited("sleep", |limits| {
        limits.cpu_seconds = 1;
        limits.call_seconds = 3;
    });
    let message = limit(pull(&connector).await);
    assert!(message.contains("[limits] call-seconds = "), "{message}");
}

#[tokio::test]
async fn memory_is_limited_over_the_whole_instance() {
    let world = World::new().await;
    let message = limit(pull(&world.limited("memory", |limits| limits.memory = 32 << 20)).await);
    assert!(message.contains("limit of 33554432 bytes") && message.contains("[limits] memory = "), "{message}");
}

#[tokio::test]
async fn deep_recursion_and_exits_are_traps() {
    let world = World::new().await;
    let message = trap(pull(&world.connector("recursion")).await);
    // Which of its two stacks ends first depends on the compiler.
    assert!(message.contains("call stack exhausted") || message.contains("out of bounds memory access"), "{message}");
    let message = trap(pull(&world.connector("exit")).await);
    assert!(message.contains("exit"), "{message}");
    // The next call is a fresh instance.
    assert!(pull(&world.connector("good")).await.result.is_ok());
}

#[tokio::test]
async fn what_comes_back_is_limited() {
    let world = World::new().await;
    let message = limit(pull(&world.connector("huge page")).await);
    assert!(message.contains("[limits] message = "), "{message}");
    let message = limit(pull(&world.connector("long page")).await);
    assert!(message.contains("[limits] page-items = "), "{message}");
    let message = trap(pull(&world.connector("other kind")).await);
    assert!(message.contains("records of another kind than `stock`"), "{message}");
}

#[tokio::test]
async fn a_flood_of_output_ends_at_the_limit_and_the_call_goes_on() {
    let world = World::new().await;
    let connector = world.limited("flood", |limits| {
        limits.log_lines_per_second = 10;
        limits.cpu_seconds = 20;
    });
    assert!(pull(&connector).await.result.is_ok());
}

#[tokio::test]
async fn wasi_gives_nothing_away() {
    let world = World::new().await;
    let told = told(&world.connector("look around")).await;
    let expected = [
        "files false",
        "file false",
        "environment 0",
        "arguments 0",
        "socket false",
        "listener false",
        "datagram false",
        "names false",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn no_path_leaves_the_exchange_folder() {
    let world = World::new().await;
    let connector = world.connector("paths");
    let inbox = world.exchange.path().join("inbox");
    std::fs::write(inbox.join("a.csv"), "x").unwrap();
    std::fs::write(inbox.join(".hidden"), "x").unwrap();
    symlink("/etc/passwd", inbox.join("link")).unwrap();
    assert_eq!(told(&connector).await, ["inbox/a.csv"]);
    let ungranted = world.lent("paths", |_| {}, |lent| lent.exchange = None);
    assert!(told(&ungranted).await.is_empty());
}

#[tokio::test]
async fn files_move_only_when_what_was_read_is_durable() {
    let world = World::new().await;
    let connector = world.connector("files");
    std::fs::write(world.exchange.path().join("inbox/a.csv"), "x").unwrap();
    assert_eq!(told(&connector).await, ["a.csv", "rename refused true, write refused true"]);
    assert!(world.exchange.path().join("failed/a.csv.rejects").exists());
    for _ in 0..2 {
        assert!(connector.acknowledge(Kind::Stock, "batch 1".into()).await.result.is_ok(), "repeatable");
    }
    assert!(world.exchange.path().join("done/a.csv").exists());
    assert!(!world.exchange.path().join("inbox/a.csv").exists());
}

#[tokio::test]
async fn blobs_are_kept_outside_the_sandbox_under_ids_of_the_platform() {
    let world = World::new().await;
    assert_eq!(told(&world.connector("blob")).await, ["ture true true"]);
}

#[tokio::test]
async fn requests_go_through_the_platforms_client() {
    let world = World::new().await;
    assert_eq!(told(&world.connector("network")).await, ["200"]);
}

#[tokio::test]
async fn outcomes_are_settled_one_by_one_and_survive_a_trap() {
    let world = World::new().await;
    let (called, settled) = push(&world.connector("good"), 3).await;
    assert!(called.result.is_ok());
    let items: Vec<_> = settled.iter().map(|(item, _)| item.as_str()).collect();
    assert_eq!(items, ["item-1", "item-2", "item-3"]);
    assert!(settled.iter().all(|(_, outcome)| matches!(outcome, Outcome::Done(_))));
    for behaviour in ["trap at the third", "loop at the third"] {
        let (called, settled) = push(&world.limited(behaviour, |limits| limits.cpu_seconds = 1), 5).await;
        assert!(matches!(called.result, Err(CallError::Trap { .. } | CallError::Limit { .. })));
        assert_eq!((settled.len(), called.unsafe_sent), (2, 0), "{behaviour}");
    }
}

#[tokio::test]
async fn writes_that_left_are_counted_and_a_preview_lets_none_leave() {
    let world = World::new().await;
    let (called, _) = push(&world.connector("send"), 3).await;
    assert_eq!(called.unsafe_sent, 3);
    let (called, _) = push(&world.connector("write a file"), 2).await;
    assert_eq!(called.unsafe_sent, 2);
    assert_eq!(std::fs::read_to_string(world.exchange.path().join("outbox/SKU-2.csv")).unwrap(), "5");
    for behaviour in ["send", "write a file"] {
        let preview = world.lent(behaviour, |_| {}, |lent| lent.preview = true);
        let (called, settled) = push(&preview, 1).await;
        assert!(matches!(called.result, Err(CallError::Remote(RemoteError::Denied(_)))), "{:?}", called.result);
        assert_eq!((called.unsafe_sent, settled.len()), (0, 0));
    }
}

#[tokio::test]
async fn an_object_without_an_id_is_unknown() {
    let world = World::new().await;
    let (_, settled) = push(&world.connector("nameless object"), 1).await;
    assert!(matches!(settled[0].1, Outcome::Failed(RemoteError::Timeout(_))));
}

#[tokio::test]
async fn a_record_that_cannot_be_written_is_refused_before_the_call() {
    let world = World::new().await;
    let settled = Arc::new(Settled::default());
    let mut bad = level(1);
    bad.facets.insert("stock:main".into(), serde_json::json!({"quantity": []}));
    let called = world.connector("good").push(vec![bad, level(2)], settled.clone()).await;
    assert!(called.result.is_ok());
    let settled = settled.0.lock().unwrap();
    assert!(matches!(&settled[0], (item, Outcome::Failed(RemoteError::Rejected(_))) if item == "item-1"));
    assert!(matches!(&settled[1], (item, Outcome::Done(_)) if item == "item-2"));
}

#[tokio::test]
async fn settling_outside_of_a_push_is_a_trap() {
    let world = World::new().await;
    let message = trap(pull(&world.connector("settle while reading")).await);
    assert!(message.contains("settled the item `x` in `pull`"), "{message}");
}

#[tokio::test]
async fn removals_and_lookups_come_back() {
    let world = World::new().await;
    let connector = world.connector("good");
    let settled = Arc::new(Settled::default());
    let items = vec![Doomed { item: "item-1".into(), remote: RemoteRef::new("1") }];
    connector.remove(Kind::Stock, items, Removal::Deactivate, settled.clone()).await.result.unwrap();
    assert!(matches!(&settled.0.lock().unwrap()[0], (_, Outcome::Unchanged(_))));

    let probe =
        |sku: &str| Probe { item: "item".into(), marker: None, of: None, keys: vec![("sku".into(), sku.into())] };
    let found = connector.find(Kind::Stock, vec![probe("SKU-7"), probe("none")]).await.result.unwrap();
    assert_eq!((found[0][0].remote.id.as_str(), found[1].len()), ("7", 0));
    let message = trap(world.connector("short answer").find(Kind::Stock, vec![probe("SKU-7")]).await);
    assert!(message.contains("0 answers to 1 probes"), "{message}");
}
