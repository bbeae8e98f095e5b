//! The API over a real loopback connection, against a service on a folder of its own.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Flags};
use crate::service::Service;

struct Running {
    service: Service,
    address: SocketAddr,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
    _folder: tempfile::TempDir,
}

impl Running {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tradepost.toml");
        std::fs::write(&file, "").unwrap();
        let config = Config::load(&Flags {
            config: Some(file),
            data: Some(folder.path().join("data")),
            plugins: Some(folder.path().join("plugins")),
            listen: Some("127.0.0.1:0".parse().unwrap()),
        })
        .unwrap();
        let service = Service::start(config).await.unwrap();
        let listener = super::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(super::serve(service.clone(), listener, stop.clone()));
        Self { service, address, stop, serving, _folder: folder }
    }

    fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.request(method, format!("http://{}/api/v1{path}", self.address))
    }

    async fn ask(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.request(method, path).bearer_auth(self.service.token().expose());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(reqwest::Method::GET, path, None).await
    }

    async fn end(self) {
        self.stop.cancel();
        self.service.stop().await;
        self.serving.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_the_token_or_under_a_foreign_name() {
    let running = Running::start().await;
    let token = running.service.token().expose().to_owned();
    for request in [
        running.request(reqwest::Method::GET, "/status"),
        running.request(reqwest::Method::GET, "/status").bearer_auth("x"),
        running.request(reqwest::Method::GET, "/status").bearer_auth(&token[..token.len() - 1]),
        running.request(reqwest::Method::POST, "/nothing"),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["type"], "unauthorized");
        assert_eq!(problem["status"], 401);
        assert_eq!(problem["request"], id.as_str());
    }
    for (host, expected) in [("shop.evil.example:80", 421), ("localhost", 200), ("127.0.0.1:1", 200)] {
        let request = running.request(reqwest::Method::GET, "/status").bearer_auth(&token).header("host", host);
        assert_eq!(request.send().await.unwrap().status(), expected, "{host}");
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_a_problem_with_a_sentence() {
    let running = Running::start().await;
    let post = reqwest::Method::POST;
    for (method, path, body, status, kind) in [
        (reqwest::Method::GET, "/platforms/shop", None, 404, "missing"),
        (reqwest::Method::GET, "/runs/7", None, 404, "missing"),
        (reqwest::Method::GET, "/runs/seven", None, 400, "invalid"),
        (reqwest::Method::GET, "/nothing", None, 404, "no-route"),
        (reqwest::Method::DELETE, "/status", None, 405, "no-method"),
        (reqwest::Method::GET, "/attention?state=lost", None, 400, "invalid"),
        (post.clone(), "/platforms", Some(json!({"code": "shop"})), 422, "invalid"),
        (post.clone(), "/platforms", Some(json!({"code": "shop", "connector": "org.example.none"})), 409, "refused"),
        (post.clone(), "/safe-mode/leave", Some(json!({})), 409, "refused"),
        (post.clone(), "/backup", Some(json!({"file": "relative.db"})), 400, "invalid"),
        (post, "/platforms", Some(json!({"code": "x".repeat(5 * 1024 * 1024)})), 413, "invalid"),
    ] {
        let (found, problem) = running.ask(method, path, body).await;
        assert_eq!((found, problem["type"].as_str()), (status, Some(kind)), "{path}: {problem}");
        assert!(!problem["title"].as_str().unwrap().is_empty());
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_seen_and_switched() {
    let running = Running::start().await;
    let (status, shown) = running.get("/status").await;
    assert_eq!((status, &shown["automatic"], &shown["mode"]), (200, &json!(false), &json!("normal")));
    let (status, _) = running.ask(reqwest::Method::PUT, "/automatic", Some(json!({"on": true}))).await;
    assert_eq!(status, 200);
    assert_eq!(running.get("/status").await.1["automatic"], json!(true));
    for path in ["/platforms", "/actions", "/runs", "/attention", "/records", "/plugins"] {
        assert_eq!(running.get(path).await, (200, json!([])), "{path}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.db");
    let (status, _) = running.ask(reqwest::Method::POST, "/backup", Some(json!({"file": file}))).await;
    assert_eq!(status, 200);
    crate::ledger::backup::inspect(&file).unwrap();
    let (status, problem) = running.ask(reqwest::Method::POST, "/backup", Some(json!({"file": file}))).await;
    assert_eq!(status, 409, "a backup that is there is not overwritten: {problem}");
    running.end().await;
}
