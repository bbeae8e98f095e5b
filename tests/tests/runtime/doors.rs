//! The second door, `wasi:http`: every fence that stands before `http.send` stands before it too, and what the guest
//! hears is the code that fits, while the log says the same as at the first door.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;
use tradepost::runtime::limits::Limits;
use tradepost::runtime::tape::Exchange;
use tradepost::runtime::witness::{Seen, Witness};

use super::calls::{pull, told};
use super::fences::{Net, beside};
use super::server::{Answer, Server, answer};
use super::world::World;

/// Log lines of this thread.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<u8>>>);

impl Journal {
    fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
        let journal = Self::default();
        let subscriber = tracing_subscriber::fmt().with_writer(journal.clone()).with_ansi(false).finish();
        (journal, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl<'a> MakeWriter<'a> for Journal {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl std::io::Write for Journal {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn requests_go_only_where_they_were_granted_and_the_log_says_so_at_both_doors() {
    let world = World::new().await;
    let server = Server::start(|_| answer("200 OK", "", b"shop")).await;
    let shop = format!("http://{}/x?q=1", server.address);
    let net = Net::open(&world, &server);
    let urls = [shop.as_str(), "http://evil.example/", "http://u:p@shop.example/"];
    for (behaviour, denied) in [("fetch", "Error::Denied"), ("wasi fetch", "ErrorCode::HttpRequestDenied")] {
        let (journal, guard) = Journal::begin();
        let told = told(&net.connector(behaviour, &urls, |_| {})).await;
        drop(guard);
        assert_eq!(told[0], "200 shop");
        for said in &told[1..] {
            assert!(said.starts_with(denied), "{behaviour}: {said}");
        }
        let log = journal.text();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("http.denied")).collect();
        assert_eq!(lines.len(), 2, "{behaviour}: {log}");
        assert!(lines[0].contains("evil.example") && lines[0].contains("--grant http://evil.example"), "{log}");
        assert!(lines[1].contains("carries a user name or password"), "{log}");
    }
    let told = told(&net.connector("wasi fetch", &["ftp://shop.example/"], |_| {})).await;
    assert!(told[0].contains("HttpProtocolError"), "{told:?}");
    let first = server.requests().remove(1);
    assert!(first.starts_with("GET /x?q=1 HTTP/1.1\r\n"), "{first}");
    assert_eq!(first.lines().filter(|line| line.to_lowercase().starts_with("host:")).count(), 1, "{first}");
}

#[tokio::test]
async fn a_name_or_a_redirect_that_leads_inside_is_denied_by_its_address() {
    let world = World::new().await;
    let inside = Server::start(|_| answer("200 OK", "", b"inside")).await;
    let port = inside.address.port();
    for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"] {
        let mut net = Net::new(&world, format!("http://rebound.example:{port}"));
        net.names.insert("rebound.example", vec![address.parse().unwrap()]);
        let url = format!("http://rebound.example:{port}/");
        let told = told(&net.connector("wasi fetch", &[&url], |_| {})).await;
        assert!(told[0].contains("DestinationIpProhibited"), "{address}: {}", told[0]);
    }
    let outside = Server::start(move |request| {
        let target = if request.starts_with("GET /name") { "rebound.example" } else { "127.0.0.1" };
        answer("302 Found", &format!("location: http://{target}:{port}/\r\n"), b"")
    })
    .await;
    for partner in [format!("http://rebound.example:{port}"), format!("http://127.0.0.1:{port}")] {
        let mut net = Net::open(&world, &outside);
        net.names.insert("rebound.example", vec!["127.0.0.1".parse().unwrap()]);
        let path = if partner.contains("rebound") { "name" } else { "literal" };
        net.partner = partner;
        let url = format!("http://{}/{path}", outside.address);
        let told = told(&net.connector("wasi fetch", &[&url], |_| {})).await;
        assert!(told[0].contains("DestinationIpProhibited"), "{}", told[0]);
    }
    let elsewhere = Server::start(move |_| answer("302 Found", "location: http://evil.example/\r\n", b"")).await;
    let url = format!("http://{}/", elsewhere.address);
    let told = told(&Net::open(&world, &elsewhere).connector("wasi fetch", &[&url], |_| {})).await;
    assert!(told[0].contains("HttpRequestDenied"), "{}", told[0]);
    assert_eq!((inside.requests().len(), outside.requests().len()), (0, 2));
}

#[tokio::test]
async fn address_literals_are_denied_in_every_spelling() {
    let world = World::new().await;
    let server = Server::start(|_| answer("200 OK", "", b"inside")).await;
    let port = server.address.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "127.0.0.1.",
        "169.254.169.254",
        "[fd00:ec2::254]",
    ] {
        let url = format!("http://{host}:{port}");
        let told = told(&Net::new(&world, url.clone()).connector("wasi fetch", &[&url], |_| {})).await;
        assert!(told[0].contains("DestinationIpProhibited"), "{host}: {}", told[0]);
    }
    assert!(server.requests().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn a_credential_is_named_by_a_header_goes_only_where_it_is_bound_and_is_masked() {
    let world = World::new().await;
    let shop = Server::start(|request| {
        let seen = request.lines().any(|line| line.eq_ignore_ascii_case("authorization: Bearer s3cret-t0ken"));
        answer("200 OK", "x-token: s3cret-t0ken\r\n", if seen { b"with s3cret-t0ken" } else { b"without" })
    })
    .await;
    let partner = Server::start(|_| answer("200 OK", "", b"partner")).await;
    let mut net = Net::open(&world, &shop).private(&partner);
    net.partner = format!("http://{}", partner.address);
    net.headers = vec!["tradepost-credential: key".into(), "accept: text/plain".into()];
    let (bound, other) = (format!("http://{}/", shop.address), format!("http://{}/", partner.address));
    let told1 = told(&net.connector("wasi fetch", &[&bound, &other], |_| {})).await;
    assert_eq!(told1[0], "200 with ***", "placed and masked");
    assert!(told1[1].contains("HttpRequestDenied"), "{}", told1[1]);
    assert!(partner.requests().is_empty(), "nothing was sent");
    let sent = shop.requests()[0].to_lowercase();
    assert!(!sent.contains("tradepost-") || sent.matches("tradepost").count() == 1, "only the agent: {sent}");
    assert!(sent.contains("accept: text/plain"), "{sent}");

    for header in [
        "tradepost-credential: nobody",
        "tradepost-repeat: perhaps",
        "tradepost-credentials: key",
        "tradepost-to-blob: yes",
    ] {
        net.headers = vec![header.into()];
        let told = told(&net.connector("wasi fetch", &[&bound], |_| {})).await;
        assert!(told[0].contains("HttpRequestDenied"), "{header}: {}", told[0]);
    }
    assert_eq!(shop.requests().len(), 1);
}

#[tokio::test]
async fn what_is_meant_for_the_host_and_not_understood_is_sent_through_neither_door() {
    let world = World::new().await;
    let server = Server::start(|_| answer("200 OK", "", b"ok")).await;
    let url = format!("http://{}/", server.address);
    let mut net = Net::open(&world, &server);
    for (behaviour, header, words) in [
        ("fetch", "tradepost-credential: key", "field `credential`"),
        ("fetch", "Tradepost-Credentials: key", "`tradepost-credentials` is not sent"),
        ("wasi fetch", "Tradepost-Credentials: key", "tradepost-credential, tradepost-rate"),
    ] {
        net.headers = vec![header.into()];
        let (journal, guard) = Journal::begin();
        let told = told(&net.connector(behaviour, &[&url], |_| {})).await;
        drop(guard);
        assert!(told[0].contains("Denied"), "{behaviour}, {header}: {}", told[0]);
        assert!(journal.text().contains(words), "{behaviour}, {header}: {}", journal.text());
    }
    assert!(server.requests().is_empty(), "nothing was sent");
}

/// Exchanges of calls, as a tape keeps them.
#[derive(Default)]
struct Tape(Mutex<Vec<Exchange>>);

impl Witness for Tape {
    fn seen(&self, call: Seen<'_>) {
        self.0.lock().unwrap().extend(call.exchanges);
    }
}

#[tokio::test]
async fn a_request_is_on_the_tape_alike_through_both_doors_and_its_secret_is_not() {
    let world = World::new().await;
    let server = Server::start(|request| {
        let placed = request.lines().any(|line| line.eq_ignore_ascii_case("authorization: Bearer s3cret-t0ken"));
        answer("200 OK", "x-token: s3cret-t0ken\r\n", if placed { b"with s3cret-t0ken" } else { b"without" })
    })
    .await;
    let url = format!("http://{}/orders?page=1", server.address);
    let mut tapes = Vec::new();
    for (behaviour, headers, credential) in [
        ("fetch", "x-shop: 7", vec!["key"]),
        // What the SDK says by itself at the first door, and fields of a request there.
        (
            "wasi fetch",
            "accept: application/json, x-shop: 7, tradepost-credential: key, tradepost-rate: any",
            Vec::new(),
        ),
    ] {
        let mut net = Net::open(&world, &server);
        net.headers = headers.split(", ").map(Into::into).collect();
        let tape = Arc::new(Tape::default());
        let connector = net.with_credential(behaviour, &[&url], &credential, |_| {}).seen_by(tape.clone());
        assert_eq!(told(&connector).await[0], "200 with ***", "{behaviour}");
        tapes.push(std::mem::take(&mut *tape.0.lock().unwrap()));
    }
    assert_eq!(tapes[0], tapes[1]);
    let [exchange] = tapes[1].as_slice() else { panic!("{tapes:?}") };
    let line = serde_json::to_string(exchange).unwrap();
    assert!(!line.contains("s3cret") && !line.contains("tradepost-"), "{line}");
    assert!(exchange.request.url == url && exchange.request.headers.contains(&("x-shop".into(), "7".into())), "{line}");
    assert!(line.contains("with ***"), "{line}");
}

#[tokio::test]
async fn a_declared_rate_holds_a_request_up() {
    let world = World::new().await;
    let server = Server::start(|_| answer("200 OK", "", b"ok")).await;
    let url = format!("http://{}/", server.address);
    let mut net = Net::open(&world, &server);
    // One request, and the next one after a hundred seconds, which is longer than a request may take here.
    net.headers = vec!["tradepost-rate: slow".into()];
    let told1 = told(&net.connector("wasi fetch", &[&url, &url], |limits| limits.host_call_seconds = 1)).await;
    assert_eq!(told1[0], "200 ok");
    assert!(told1[1].starts_with("429 ") && told1[1].ends_with("tradepost-error=throttled"), "{}", told1[1]);
    assert_eq!(server.requests().len(), 1, "the second one was not sent");
    net.headers = vec!["tradepost-rate: any".into()];
    assert_eq!(told(&net.connector("wasi fetch", &[&url, &url], |_| {})).await, ["200 ok", "200 ok"]);
}

#[tokio::test]
async fn headers_of_the_host_cannot_be_set() {
    let world = World::new().await;
    let server = Server::start(|_| answer("200 OK", "", b"ok")).await;
    let url = format!("http://{}/", server.address);
    let mut net = Net::open(&world, &server);
    let at_once = [
        "host: evil.example",
        "proxy-authorization: x",
        "connection: close",
        "transfer-encoding: chunked",
        "upgrade: h2c",
    ];
    net.headers = at_once.iter().map(|header| (*header).into()).collect();
    for told in told(&net.connector("wasi headers", &[], |_| {})).await {
        assert!(told.ends_with("false"), "{told}");
    }
    for header in ["proxy-foo: x", "te: trailers", "trailer: x"] {
        net.headers = vec![header.into()];
        let told = told(&net.connector("wasi fetch", &[&url], |_| {})).await;
        assert!(told[0].contains("HttpRequestDenied"), "{header}: {}", told[0]);
    }
    assert!(server.requests().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn answers_and_bodies_are_limited_in_size_and_time() {
    let world = World::new().await;
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 8 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    let server = Server::start(move |request| match request.split(' ').nth(1) {
        Some("/bomb") => answer("200 OK", "content-encoding: gzip\r\n", &bomb),
        Some("/large") => answer("200 OK", "", &vec![b'x'; 2 << 20]),
        Some("/silent") => Answer::Late(Duration::from_secs(60)),
        Some("/cut") => Answer::Text(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec()),
        _ => Answer::Endless,
    })
    .await;
    let net = Net::open(&world, &server);
    let url = |path: &str| format!("http://{}/{path}", server.address);
    let small = |limits: &mut Limits| {
        limits.http_seconds = 1;
        limits.http_answer = 1 << 20;
        limits.host_call_seconds = 2;
        limits.message = 1 << 20;
    };
    for path in ["bomb", "large"] {
        let told = beside(&world, told(&net.connector("wasi fetch", &[&url(path)], small))).await;
        assert!(told[0].contains("HttpResponseBodySize(Some(1048576))"), "{path}: {}", told[0]);
    }
    let told1 = beside(&world, told(&net.connector("wasi fetch", &[&url("endless")], small))).await;
    assert!(told1[0].contains("HttpResponseTimeout"), "{}", told1[0]);
    let called = beside(&world, pull(&net.connector("wasi post", &[&url("silent")], small))).await;
    assert!(called.result.unwrap().unreadable[0].why.contains("HttpResponseTimeout"));
    assert_eq!(called.unsafe_sent, 1, "it may have been done");
    let called = pull(&net.connector("wasi post", &[&url("cut")], small)).await;
    assert!(called.result.unwrap().unreadable[0].why.contains("HttpResponseIncomplete"));
    assert_eq!(called.unsafe_sent, 1);

    let before = server.requests().len();
    let told2 = beside(&world, told(&net.connector("wasi huge body", &[&url("x")], small))).await;
    assert!(told2[0].contains("HttpRequestBodySize"), "{}", told2[0]);
    let called = pull(&net.connector("wasi half a body", &[&url("x")], small)).await;
    assert!(called.result.is_ok(), "{:?}", called.result);
    assert_eq!(called.unsafe_sent, 0, "a body without its end is not sent");
    assert_eq!(server.requests().len(), before, "nothing was sent");
}

#[tokio::test]
async fn answers_that_are_not_let_go_are_limited() {
    let world = World::new().await;
    let server = Server::start(|_| answer("200 OK", "", b"x")).await;
    let url = format!("http://{}/", server.address);
    let told = told(&Net::open(&world, &server).connector("wasi hoard", &[&url], |_| {})).await;
    let (served, refused): (Vec<_>, Vec<_>) = told.iter().partition(|said| *said == "200");
    assert_eq!((served.len(), refused.len()), (32, 8), "{told:?}");
    assert!(refused.iter().all(|said| said.contains("ConnectionLimitReached")), "{refused:?}");
}

#[tokio::test]
async fn requests_that_are_never_sent_hold_little_of_the_hosts_memory() {
    let world = World::new().await;
    let server = Server::start(|_| answer("200 OK", "", b"x")).await;
    let told = told(&Net::open(&world, &server).connector("wasi unsent", &[], |_| {})).await;
    let taken: u64 = told[1].parse().unwrap();
    assert_eq!(told[0], "900");
    assert!((1..=32 << 20).contains(&taken), "{taken} bytes");
}

#[tokio::test]
async fn a_preview_sends_only_reads_and_writes_are_counted() {
    let world = World::new().await;
    let server = Server::start(|_| answer("200 OK", "", b"done")).await;
    let url = format!("http://{}/", server.address);
    let mut net = Net::open(&world, &server);
    net.preview = true;
    let preview = |net: &Net<'_>, behaviour: &str| net.connector(behaviour, &[&url], |_| {});
    assert!(told(&preview(&net, "wasi post")).await[0].contains("HttpRequestDenied"));
    assert_eq!(told(&preview(&net, "wasi fetch")).await[0], "200 done");
    assert_eq!(told(&preview(&net, "wasi head")).await[0], "200 ");
    net.headers = vec!["tradepost-repeat: safe".into()];
    let called = pull(&preview(&net, "wasi post")).await;
    assert_eq!((called.unsafe_sent, called.result.unwrap().unreadable[0].why.as_str()), (0, "200 done"));
    net.headers = vec!["tradepost-repeat: never".into()];
    assert!(told(&preview(&net, "wasi fetch")).await[0].contains("HttpRequestDenied"));
    assert_eq!(server.requests().len(), 3);

    net.preview = false;
    net.headers.clear();
    assert_eq!(pull(&net.connector("wasi post", &[&url, &url], |_| {})).await.unsafe_sent, 2);
    assert_eq!(pull(&net.connector("wasi fetch", &[&url], |_| {})).await.unsafe_sent, 0);
    let sent = server.requests().iter().filter(|request| request.starts_with("POST")).cloned().collect::<Vec<_>>();
    assert!(sent[1].to_lowercase().contains("content-length: 3"), "{}", sent[1]);
}

#[tokio::test]
async fn what_the_contract_has_a_word_for_is_an_answer_marked_as_the_hosts_own() {
    let world = World::new().await;
    let server = Server::start(|_| answer("429 Too Many Requests", "retry-after: 90\r\n", b"slow down")).await;
    let url = format!("http://{}/", server.address);
    let net = Net::open(&world, &server);
    // The host waits for a short while and then says for how long; a write gets the platform's own answer.
    let told1 = told(&net.connector("wasi fetch", &[&url], |_| {})).await;
    assert!(
        told1[0].starts_with("429 the platform asks to wait") && told1[0].ends_with("tradepost-error=throttled"),
        "{}",
        told1[0]
    );
    let told2 = told(&net.connector("wasi post", &[&url], |_| {})).await;
    assert_eq!(told2[0], "429 slow down");
    let nobody = Net::new(&world, "http://127.0.0.1:9").excepted("127.0.0.1,127.0.0.1/32,9");
    let told = told(&nobody.connector("wasi post", &["http://127.0.0.1:9/"], |_| {})).await;
    assert!(told[0].contains("DestinationUnavailable"), "{}", told[0]);
}
