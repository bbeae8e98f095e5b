//! The fences of the HTTP power, attacked over real sockets.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::*;
use crate::capability::Decision;
use crate::ledger::LedgerError;
use crate::model::description::{Description, Origin, Rate, Scheme};
use crate::model::{PlatformCode, PlatformId};
use crate::runtime::blobs::{BlobFolder, PlatformBlobs};
use crate::runtime::limits::Limits;
use crate::runtime::power::{Answer, Blob, Body, Class, Repeat, Store};

/// What a test server answers to a request (its whole text).
type Reply = Arc<dyn Fn(usize, &str) -> Vec<u8> + Send + Sync>;

struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers every request on a connection of its own.
    async fn start(reply: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, reply): (_, Reply) = (Arc::clone(&requests), Arc::new(reply));
        let count = Arc::new(AtomicUsize::new(0));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (seen, reply, count) = (Arc::clone(&seen), Arc::clone(&reply), Arc::clone(&count));
                tokio::spawn(async move {
                    let mut text = Vec::new();
                    let mut piece = [0; 4096];
                    loop {
                        let n = socket.read(&mut piece).await.unwrap_or(0);
                        text.extend_from_slice(&piece[..n]);
                        if n == 0 || complete(&text) {
                            break;
                        }
                    }
                    let text = String::from_utf8_lossy(&text).into_owned();
                    seen.lock().unwrap().push(text.clone());
                    let answer = reply(count.fetch_add(1, Ordering::SeqCst), &text);
                    drop(socket.write_all(&answer).await);
                    drop(socket.shutdown().await);
                });
            }
        });
        Self { address, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn complete(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse().unwrap_or(0)))
        .unwrap_or(0);
    body.len() >= length
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len())
            .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

struct NoStore;

#[async_trait]
impl Store for NoStore {
    async fn get(&self, _: PlatformId, _: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(None)
    }
    async fn keys(&self, _: PlatformId, _: &str, _: Option<&str>, _: u32) -> Result<Vec<String>, LedgerError> {
        Ok(Vec::new())
    }
    async fn size(&self, _: PlatformId) -> Result<u64, LedgerError> {
        Ok(0)
    }
    async fn set_now(&self, _: PlatformId, _: &str, _: &[u8]) -> Result<(), LedgerError> {
        Ok(())
    }
    async fn blob(&self, _: PlatformId, _: &str) -> Result<Option<Blob>, LedgerError> {
        Ok(None)
    }
    async fn blob_with_content(&self, _: PlatformId, _: &str) -> Result<Option<(PlatformId, Blob)>, LedgerError> {
        Ok(None)
    }
    async fn add_blob(&self, _: PlatformId, _: &Blob, _: Option<&str>) -> Result<(), LedgerError> {
        Ok(())
    }
}

/// Leads every name to one address.
struct Fixed(IpAddr);

#[async_trait]
impl Lookup for Fixed {
    async fn addresses(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![self.0])
    }
}

struct Bench {
    http: PlatformHttp,
    call: CallContext,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// A platform whose connector asks for these origins, all granted, with these private exceptions.
    fn new(origins: &[&str], private: &[&str], scheme: Scheme, secrets: &[(&str, &str)], lookup: &str) -> Self {
        let parsed: Vec<GrantedOrigin> = origins.iter().map(|origin| origin.parse().unwrap()).collect();
        let description = Description {
            id: "eu.tradepost.test".into(),
            version: "1.0.0".into(),
            name: vec![],
            vendor: String::new(),
            about: vec![],
            id_space: "test".into(),
            mapping_revision: 1,
            storage_version: 1,
            abilities: vec![],
            settings_schema: json!({}),
            origins: parsed
                .iter()
                .map(|o| Origin { scheme: o.scheme.clone(), host: o.host.clone(), port: Some(o.port), why: vec![] })
                .collect(),
            credentials: vec![Credential {
                name: "login".into(),
                title: vec![],
                scheme,
                origins: vec![0],
                required: true,
            }],
            rates: vec![Rate {
                name: "api".into(),
                per_second: 1000.into(),
                burst: 100,
                concurrent: None,
                remaining_header: None,
            }],
            files: false,
        };
        let decision = Decision {
            origins: parsed,
            private: private.iter().map(|text| text.parse().unwrap()).collect(),
            ..Decision::default()
        };
        let settings = json!({});
        let http = PlatformHttp::new(Options {
            grants: Arc::new(Grants::new(&description, &settings, &decision)),
            settings,
            secrets: secrets
                .iter()
                .map(|(name, value)| (format!("login/{name}"), Secret::new((*value).into())))
                .collect::<BTreeMap<_, _>>(),
            lookup: Arc::new(Fixed(lookup.parse().unwrap())),
            owns: Arc::new(|| true),
        })
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let blobs = Arc::new(BlobFolder::open(&folder.path().join("blobs")).unwrap());
        let call = CallContext {
            platform: PlatformId(1),
            code: PlatformCode::parse("shop").unwrap(),
            preview: false,
            class: Class::Order,
            deadline: Instant::now() + Duration::from_secs(30),
            limits: Arc::new(Limits { http_answer: 100_000, ..Limits::default() }),
            blobs: PlatformBlobs::new(blobs, Arc::new(NoStore), PlatformId(1)),
            deeds: Arc::default(),
        };
        Self { http, call, _folder: folder }
    }

    /// Everything at the server's address is allowed.
    fn open(server: &Server) -> Self {
        let origin = format!("http://{}", server.address);
        Self::new(&[&origin], &[&exception(server)], Scheme::Bearer, &[("token", "t0ken-value")], "127.0.0.1")
    }

    async fn get(&self, url: &str) -> Result<Response, RemoteError> {
        self.http.send(&self.call, Request::get(url)).await
    }

    async fn post(&self, url: &str) -> Result<Response, RemoteError> {
        let mut request = Request::get(url);
        request.method = "POST".into();
        request.body = Some(Body::Bytes("{}".into()));
        self.http.send(&self.call, request).await
    }
}

fn exception(server: &Server) -> String {
    format!("127.0.0.1,127.0.0.1/32,{}", server.address.port())
}

fn denied<T: std::fmt::Debug>(result: Result<T, RemoteError>) -> String {
    match result {
        Err(RemoteError::Denied(words)) => words,
        other => panic!("expected a denial, got {other:?}"),
    }
}

fn text(response: &Response) -> String {
    match &response.body {
        Answer::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Answer::Blob(blob) => panic!("expected bytes, got {blob:?}"),
    }
}

#[tokio::test]
async fn a_host_that_was_not_granted_is_denied() {
    let server = Server::start(|_, _| answer("200 OK", "", b"ok")).await;
    let bench = Bench::new(&["https://shop.example"], &[], Scheme::Bearer, &[], "127.0.0.1");
    let words = denied(bench.get(&server.url("/")).await);
    assert!(words.contains("is not granted") && words.contains("--grant"), "{words}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_into_the_private_network_is_denied_before_anything_is_sent() {
    for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fd00::1"] {
        let bench = Bench::new(&["http://shop.example"], &[], Scheme::Bearer, &[], address);
        let words = denied(bench.post("http://shop.example/").await);
        assert!(words.contains("shop.example") && words.contains("--private"), "{words}");
        assert_eq!(bench.call.unsafe_sent(), 0, "nothing left: certainly not done");
    }
}

#[tokio::test]
async fn redirects_are_judged_again() {
    let server = Server::start(|_, request| {
        let to = if request.contains("GET /loop") { "/loop" } else { "http://127.0.0.1:9/secret" };
        answer("302 Found", &format!("location: {to}\r\n"), b"")
    })
    .await;
    let bench = Bench::open(&server);
    assert!(denied(bench.get(&server.url("/")).await).contains("is not granted"));
    assert!(denied(bench.get(&server.url("/loop")).await).contains("redirects"));
    // A write is never sent twice, so its redirect is an answer.
    assert_eq!(bench.post(&server.url("/")).await.unwrap().status, 302);
}

#[tokio::test]
async fn a_credential_stays_with_its_origin() {
    let other = Server::start(|_, _| answer("200 OK", "", b"other")).await;
    let target = other.url("/taken");
    let server = Server::start(move |_, _| answer("302 Found", &format!("location: {target}\r\n"), b"")).await;
    let bench = Bench::new(
        &[&format!("http://{}", server.address), &format!("http://{}", other.address)],
        &[&exception(&server), &exception(&other)],
        Scheme::Bearer,
        &[("token", "t0ken-value")],
        "127.0.0.1",
    );
    let mut request = Request::get(server.url("/"));
    request.credential = Some("login".into());
    assert_eq!(text(&bench.http.send(&bench.call, request).await.unwrap()), "other");
    assert!(server.requests()[0].contains("authorization: Bearer t0ken-value"));
    assert!(!other.requests()[0].contains("authorization"), "{}", other.requests()[0]);

    let mut request = Request::get(other.url("/"));
    request.credential = Some("login".into());
    assert!(denied(bench.http.send(&bench.call, request).await).contains("may not be sent"));
}

#[tokio::test]
async fn secrets_are_masked_in_answers_and_addresses() {
    let server = Server::start(|_, request| {
        let line = request.lines().next().unwrap_or_default().to_owned();
        answer("200 OK", "x-echo: t0ken-value\r\n", format!("you sent {line}").as_bytes())
    })
    .await;
    let bench = Bench::new(
        &[&format!("http://{}", server.address)],
        &[&exception(&server)],
        Scheme::Query("key".into()),
        &[("value", "t0ken-value")],
        "127.0.0.1",
    );
    let mut request = Request::get(server.url("/a"));
    request.credential = Some("login".into());
    let response = bench.http.send(&bench.call, request).await.unwrap();
    assert!(server.requests()[0].starts_with("GET /a?key=t0ken-value "));
    assert_eq!(text(&response), "you sent GET /a?key=*** HTTP/1.1");
    assert!(response.url.ends_with("/a?key=***"), "{}", response.url);
    assert!(response.headers.contains(&("x-echo".into(), "***".into())));
}

#[tokio::test]
async fn sizes_count_decompressed_bytes() {
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 50_000_000]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let server = Server::start(move |_, _| answer("200 OK", "content-encoding: gzip\r\n", &bomb)).await;
    let words = denied(Bench::open(&server).get(&server.url("/")).await);
    assert!(words.contains("http-answer"), "{words}");
}

#[tokio::test]
async fn an_answer_without_end_is_ended() {
    let server = Server::start(|_, _| b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort".to_vec()).await;
    let bench = Bench::open(&server);
    assert!(matches!(bench.post(&server.url("/")).await, Err(RemoteError::Timeout(_))));
    assert_eq!(bench.call.unsafe_sent(), 1, "it left: unknown");
}

#[tokio::test]
async fn reads_are_repeated_and_writes_are_not() {
    let server = Server::start(|n, _| {
        if n % 2 == 0 { answer("503 Service Unavailable", "", b"") } else { answer("200 OK", "", b"ok") }
    })
    .await;
    let bench = Bench::open(&server);
    assert_eq!(bench.get(&server.url("/")).await.unwrap().status, 200);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(bench.post(&server.url("/")).await.unwrap().status, 503);
    assert_eq!(server.requests().len(), 3);
    assert_eq!(bench.call.unsafe_sent(), 1);
    let mut request = Request::get(server.url("/"));
    request.method = "POST".into();
    request.repeat = Repeat::Safe;
    // The fourth request is the simulated success of the pattern.
    assert_eq!(bench.http.send(&bench.call, request).await.unwrap().status, 200);
    assert_eq!(bench.call.unsafe_sent(), 1, "marked safe: not counted");
}

#[tokio::test]
async fn no_connection_is_certainly_not_done() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = Server { address: free, requests: Arc::default() };
    let bench = Bench::open(&gone);
    assert!(matches!(bench.post(&gone.url("/")).await, Err(RemoteError::Unavailable(_))));
    assert_eq!(bench.call.unsafe_sent(), 0);
}

#[tokio::test]
async fn a_preview_sends_only_reads() {
    let server = Server::start(|_, _| answer("200 OK", "", b"ok")).await;
    let mut bench = Bench::open(&server);
    bench.call.preview = true;
    assert!(denied(bench.post(&server.url("/")).await).contains("preview"));
    assert_eq!(bench.get(&server.url("/")).await.unwrap().status, 200);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn headers_of_the_host_are_refused() {
    let server = Server::start(|_, _| answer("200 OK", "", b"ok")).await;
    let bench = Bench::open(&server);
    for name in ["Host", "connection", "Transfer-Encoding", "content-length", "Proxy-Authorization", "bad name"] {
        let mut request = Request::get(server.url("/"));
        request.headers.push((name.into(), "x".into()));
        assert!(denied(bench.http.send(&bench.call, request).await).contains(name), "{name}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_session_is_opened_once_kept_secret_and_renewed() {
    let server = Server::start(|n, request| {
        if request.starts_with("POST /login") {
            return answer("200 OK", &format!("x-token: session-{n}\r\n"), b"{}");
        }
        if request.contains("authorization: Bearer session-0") && n >= 3 {
            return answer("401 Unauthorized", "", b"expired");
        }
        let token = request.lines().find(|line| line.starts_with("authorization")).unwrap_or("none").to_owned();
        answer("200 OK", "", token.as_bytes())
    })
    .await;
    let bench = Bench::new(
        &[&format!("http://{}", server.address)],
        &[&exception(&server)],
        Scheme::Session {
            method: "POST".into(),
            url: server.url("/login"),
            body: r#"{"user": "{username}", "password": "{password}"}"#.into(),
            media_type: "application/json".into(),
            token_at: "header:x-token".into(),
            header: "authorization".into(),
            prefix: "Bearer ".into(),
            seconds: None,
        },
        &[("username", "admin"), ("password", "p\"w-secret")],
        "127.0.0.1",
    );
    let send = || async {
        let mut request = Request::get(server.url("/data"));
        request.method = "POST".into();
        request.credential = Some("login".into());
        bench.http.send(&bench.call, request).await.unwrap()
    };
    assert_eq!(text(&send().await), "authorization: Bearer ***");
    assert_eq!(text(&send().await), "authorization: Bearer ***");
    assert_eq!(server.requests().len(), 3, "one log-in for two requests");
    assert!(server.requests()[0].contains(r#""password": "p\"w-secret""#));
    // The token is refused now: nothing was done, so even a write goes again with a fresh one.
    assert_eq!(send().await.status, 200);
    assert!(server.requests().last().unwrap().contains("Bearer session-4"));
}
