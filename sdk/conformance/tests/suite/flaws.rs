//! Each rule catches the connector that breaks it, and no other rule does; the sound one passes all.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use model_shop::{PASSWORD, Simulator, USER};
use serde_json::json;
use tradepost_build::{Connector, Workspace};
use tradepost_conformance::{Cache, Engine, PLACE, Report, Scenario, Suite, Verdict, rules};

/// Flaws that show before there are settings: they are written into the file.
const IN_THE_FILE: &[&str] = &[
    "describe-is-pure",
    "settings-schema",
    "settings-stay-compatible",
    "identity-stays",
    "declared-kinds-are-read",
    "declared-kinds-are-written",
    "new-build-reads-old-storage",
];

/// Further flaws, `RULE:WHAT`, of rules that look at several things.
const MORE: &[&str] = &[
    "changed-records-come-again:stale",
    "clock-skew:stock",
    "credentials-refused-mid-run:orders",
    "declared-kinds-are-written:not-found",
    "declared-scopes-work:removed",
    "empty-object:second-read",
    "error-page:next-page",
    "find-sees-what-was-made:beginning",
    "find-sees-what-was-made:pattern",
    "golden-records:manufacturer",
    "golden-records:weight",
    "lost-answer-makes-no-second-object:resume",
    "lost-answer-makes-no-second-object:says-not-done",
    "lost-answer-makes-no-second-object:second-write",
    "one-bad-item-of-fifty-fails-alone:prices",
    "paging-has-no-gap-or-double:own-size",
    "partial-failure-is-told-per-item:one-for-all",
    "partial-failure-is-told-per-item:rest-is-not-sent",
    "redirect:second-write",
    "secrets-stay-secret:stored-at-once",
    "server-error:orders",
    "server-error:storage",
    "settings-stay-compatible:shorter",
    "wrong-content-type:stock",
];

/// The rule that a flaw breaks.
fn rule_of(flaw: &'static str) -> &'static str {
    flaw.split_once(':').map_or(flaw, |(rule, _)| rule)
}

/// The model connector, built once.
fn model() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let workspace = Workspace::at(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a workspace");
        let built = tradepost_build::build(&workspace, &[Connector::new("model-connector")], &|_| {});
        std::fs::read(&built.expect("the model connector")[0].path).expect("the model connector")
    })
}

/// The model connector with a flaw and a version written into the file.
fn build(flaw: &str, version: &str) -> Vec<u8> {
    let mut bytes = model().to_vec();
    let mark = b"conformance-model flaw=";
    let at = bytes.windows(mark.len()).position(|part| part == mark).expect("the model's mark");
    let text = format!("conformance-model flaw={flaw};version={version};");
    let place = &mut bytes[at..at + 96];
    place.fill(b'.');
    place[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}

/// One engine for all suites of this process, so that a component is compiled once.
fn engine() -> Engine {
    static ENGINE: OnceLock<(Engine, tempfile::TempDir)> = OnceLock::new();
    let start = || {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(&folder.path().join("compiled")).expect("a cache");
        (Engine::new(Some(cache)).expect("an engine"), folder)
    };
    ENGINE.get_or_init(start).0.clone()
}

/// The suite over the model connector with a flaw.
async fn suite(flaw: &'static str, only: &[&str]) -> Report {
    let shop = Simulator::start(0).expect("the model shop");
    let in_file = IN_THE_FILE.contains(&rule_of(flaw));
    let scenario = Scenario {
        simulator: Some(shop.url.clone()),
        settings: BTreeMap::from([
            ("url".into(), json!(PLACE)),
            ("flaw".into(), json!(if in_file { "" } else { flaw })),
        ]),
        secrets: BTreeMap::from([("login/username".into(), USER.into()), ("login/password".into(), PASSWORD.into())]),
        ..Scenario::default()
    };
    let suite = Suite {
        component: build(if in_file { flaw } else { "" }, "1.1.0"),
        earlier: Some(build("", "1.0.0")),
        scenario,
        only: only.iter().map(|&name| name.to_owned()).collect(),
        engine: Some(engine()),
    };
    suite.run(|_| {}).await.expect("the suite can work")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sound_connector_passes_every_rule() {
    let report = suite("", &[]).await;
    println!("{}", report.table(160));
    for entry in &report.entries {
        println!("{:>6} ms  {}", entry.took.as_millis(), entry.rule);
    }
    assert_eq!(report.entries.len(), rules().len());
    for entry in &report.entries {
        assert_eq!(entry.verdict, Verdict::Passed, "{}", entry.rule);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_rule_catches_its_flaw_and_no_other_rule_does() {
    // Compiled here once, and taken from the cache by all others.
    suite("", &["settings-schema"]).await;
    // Waiting for what is slow on purpose is done side by side; the work is bound by the machine anyway.
    let turns = std::sync::Arc::new(tokio::sync::Semaphore::new(16));
    let mut running = tokio::task::JoinSet::new();
    for flaw in rules().iter().map(|rule| rule.name).chain(MORE.iter().copied()) {
        let turns = std::sync::Arc::clone(&turns);
        running.spawn(async move {
            let _turn = turns.acquire_owned().await.expect("it is never closed");
            (flaw, suite(flaw, &[]).await)
        });
    }
    let mut wrong = Vec::new();
    while let Some(ended) = running.join_next().await {
        let (name, report) = ended.expect("the suite does not panic");
        let failed: Vec<&str> = report.failed().collect();
        if failed != [rule_of(name)] {
            eprintln!("{name} was caught by {failed:?}");
            wrong.push(format!("{name} was caught by {failed:?}\n{}", report.table(160)));
        } else {
            eprintln!("{name} was caught");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn rules_have_names_of_their_own_and_say_what_they_demand() {
    let mut names: Vec<&str> = rules().iter().map(|rule| rule.name).collect();
    for rule in rules() {
        assert!(rule.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", rule.name);
        assert!(rule.demands.len() > 20 && !rule.demands.ends_with('.'), "{}", rule.name);
    }
    for flaw in MORE {
        assert!(names.contains(&rule_of(flaw)), "{flaw}");
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rules().len());
}
