//! A connector on the bench: calls with everything that the host saw, storage that is committed, tapes instead of the
//! network.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tradepost::model::{CallError, Kind, Page, PullRequest, RemoteError, Scope};
use tradepost::runtime::tape::{self, Body, Tape};
use tradepost::runtime::workbench::{BenchPlatform, Ended, Setup, Workbench};

use super::server::{Answer, Server, answer};
use super::world::{engine, guest_file};

async fn pull(platform: &BenchPlatform) -> Ended<Page> {
    let scope = Scope::Changed { since: None, until: "2026-11-22T08:00:00Z".parse().unwrap() };
    platform.pull(PullRequest { kind: Kind::Stock, scope, cursor: None, limit: 100 }).await
}

fn told(ended: &Ended<Page>) -> Vec<&str> {
    ended.result.as_ref().unwrap().unreadable.iter().map(|unreadable| unreadable.why.as_str()).collect()
}

fn setup(behaviour: &str, server: &Server, urls: &[String]) -> Setup {
    Setup {
        settings: json!({ "behaviour": behaviour, "shop": format!("http://{}", server.address), "urls": urls, "credential": ["key"] }),
        secrets: BTreeMap::from([("key/token".into(), "s3cret-t0ken".into())]),
        loopback: true,
        ..Setup::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_commit_what_they_store_and_show_their_requests_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Workbench::with_engine(engine(), folder.path()).unwrap();
    let build = bench.load(&std::fs::read(guest_file()).unwrap()).await.unwrap();
    let shop = bench.platform(&build, Setup { settings: json!({ "behaviour": "good" }), ..Setup::default() }).unwrap();
    assert_eq!(told(&pull(&shop).await), ["count 1"]);
    assert_eq!(told(&pull(&shop).await), ["count 2"], "the first call's writes were committed");
    let next = bench.upgraded(&shop, &build).unwrap();
    assert_eq!(told(&pull(&next).await), ["count 3"]);
    assert_eq!(next.storage()["count"], [3]);
    let other = bench.platform(&build, Setup { settings: json!({ "behaviour": "good" }), ..Setup::default() }).unwrap();
    assert_eq!(told(&pull(&other).await), ["count 1"], "platforms share nothing");

    let server = Server::start(|request| match request.split(' ').nth(1) {
        Some("/old") => answer("302 Found", "location: /new\r\n", b""),
        _ => answer("200 OK", "", b"it was s3cret-t0ken"),
    })
    .await;
    let urls = [format!("http://{}/old", server.address), "http://evil.example/".to_owned()];
    let shop = bench.platform(&build, setup("fetch", &server, &urls)).unwrap();
    let pulled = pull(&shop).await;
    assert_eq!(told(&pulled)[0], "200 it was ***");
    assert!(told(&pulled)[1].contains("Denied"));
    let seen: Vec<_> = pulled
        .exchanges
        .iter()
        .map(|exchange| (exchange.request.url.rsplit('/').next().unwrap(), exchange.response.as_ref().unwrap().status))
        .collect();
    assert_eq!(seen, [("old", 302), ("new", 200)], "what was denied was no exchange");
    let mut text = Vec::new();
    tape::write(&mut text, &pulled.exchanges).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains("s3cret") && !text.to_lowercase().contains("authorization"), "{text}");
    assert!(server.requests()[0].contains("Bearer s3cret-t0ken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tape_answers_instead_of_the_network_and_the_guard_stays() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Workbench::with_engine(engine(), folder.path()).unwrap();
    let build = bench.load(&std::fs::read(guest_file()).unwrap()).await.unwrap();
    let server = Server::start(|_| answer("200 OK", "x-page: 1\r\n", &[0xff; 100])).await;
    let urls = [format!("http://{}/a?x=1&y=2", server.address), "http://evil.example/".to_owned()];
    let setup = setup("fetch", &server, &urls);
    let live = pull(&bench.platform(&build, setup.clone()).unwrap()).await;

    let tape = Arc::new(Tape::new(live.exchanges.clone()));
    let taped = bench.platform(&build, Setup { wire: Some(tape.clone()), ..setup.clone() }).unwrap();
    let played = pull(&taped).await;
    assert_eq!(told(&played), told(&live));
    assert_eq!(played.exchanges, live.exchanges, "replaying records the same tape");
    assert_eq!((server.requests().len(), tape.unused().len(), tape.unmatched().len()), (1, 0, 0));

    let mut secondly = live.exchanges.clone();
    secondly[0].response.as_mut().unwrap().body = Body::of(vec![b'x'; 200]);
    let mut limited = Setup { wire: Some(Arc::new(Tape::new(secondly))), ..setup.clone() };
    limited.limits.http_answer = 100;
    let refused = pull(&bench.platform(&build, limited).unwrap()).await;
    assert!(told(&refused)[0].contains("[limits] http-answer"), "limits hold for a tape: {:?}", told(&refused));

    let empty = Setup { wire: Some(Arc::new(Tape::new(Vec::new()))), preview: true, ..setup };
    let nothing = pull(&bench.platform(&build, empty).unwrap()).await;
    assert!(told(&nothing)[0].contains("is not on the tape"), "{:?}", told(&nothing));
    assert_eq!(server.requests().len(), 1, "nothing went out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_on_the_tape_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Workbench::with_engine(engine(), folder.path()).unwrap();
    let build = bench.load(&std::fs::read(guest_file()).unwrap()).await.unwrap();
    let server = Server::start(|_| Answer::Text(Vec::new())).await;
    let url = format!("http://{}/write", server.address);
    let setup = setup("post", &server, &[url]);
    let live = pull(&bench.platform(&build, setup.clone()).unwrap()).await;
    assert!(matches!(live.exchanges[0].error, Some(RemoteError::Timeout(_))), "{:?}", live.exchanges);
    assert_eq!(live.unsafe_sent, 1);
    let tape = Arc::new(Tape::new(live.exchanges.clone()));
    let played = pull(&bench.platform(&build, Setup { wire: Some(tape), ..setup }).unwrap()).await;
    assert_eq!((told(&played), played.unsafe_sent), (told(&live), 1));
    assert!(!matches!(played.result, Err(CallError::Trap { .. })));
}
