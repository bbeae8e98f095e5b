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

    /// At the root, with a token or without.
    async fn root(&self, path: &str, token: Option<&str>) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.get(format!("http://{}{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    fn configure(&self, text: &str) {
        std::fs::write(self._folder.path().join("tradepost.toml"), text).unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn health_needs_no_token_and_says_nothing_of_the_business() {
    let running = Running::start().await;
    drop(rustls::crypto::ring::default_provider().install_default());
    assert_eq!(running.root("/healthz", None).await, (200, r#"{"alive":true}"#.to_owned()));
    assert_eq!(running.root("/readyz", None).await, (200, r#"{"ready":true,"reasons":[]}"#.to_owned()));
    running.service.ledger().write(|tx| tx.enter_safe_mode("A sentence with a secret name.")).await.unwrap();
    let (status, text) = running.root("/readyz", None).await;
    assert_eq!(status, 503);
    assert!(text.contains(r#""reason":"safe-mode""#) && text.contains("restore --resume"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(running.root("/healthz", None).await.0, 200, "a restart would not cure it");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let foreign = client.get(format!("http://{}/healthz", running.address)).header("host", "evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 421);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_read_with_a_token_of_their_own() {
    let running = Running::start().await;
    drop(rustls::crypto::ring::default_provider().install_default());
    let own = running.service.metrics_token().expose().to_owned();
    let owner = running.service.token().expose().to_owned();
    assert_eq!(running.root("/metrics", None).await.0, 401);
    assert_eq!(running.root("/metrics", Some("x")).await.0, 401);
    assert_eq!(running.root("/metrics", Some(&owner)).await.0, 200);
    assert_eq!(running.root("/api/v1/status", Some(&own)).await.0, 401, "it opens nothing else");

    // A platform with a secret, a run that failed, and something that waits.
    let key = running.service.key().clone();
    running
        .service
        .ledger()
        .write(move |tx| {
            let shop = tx.add_platform(&crate::ledger::platform::NewPlatform {
                code: crate::model::PlatformCode::parse("shop").unwrap(),
                name: "Shop".into(),
                connector: "org.example.none".into(),
                settings: json!({"url": "https://user:hush-url@shop.example"}),
            })?;
            tx.set_secret(&key, shop, "api/token", &crate::capability::Secret::new("hush-secret".into()))?;
            tx.hold(shop, crate::model::Kind::Order, Some("9"), "hush-body", "why", None)?;
            Ok::<_, crate::ledger::LedgerError>(())
        })
        .await
        .unwrap();
    let shop = running.service.platform("shop").await.unwrap().id;
    let order = crate::service::runs::Order::new(
        shop,
        crate::ledger::run::Direction::Pull,
        crate::model::Kind::Order,
        crate::ledger::run::Cause::Manual,
    );
    running.service.run_to_end(order).await.unwrap();
    let mut page = String::new();
    for _ in 0..100 {
        page = running.root("/metrics", Some(&own)).await.1;
        if page.contains("tradepost_runs_total{") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for line in [
        r#"tradepost_runs_total{platform="shop",direction="pull",kind="order",state="failed"} 1"#,
        r#"tradepost_queue_length{queue="inbox",platform="shop"} 1"#,
        r#"tradepost_platform_state{platform="shop",state="setup"} 1"#,
        "tradepost_ledger_writable 1",
        "tradepost_safe_mode 0",
        "tradepost_automatic 0",
        "tradepost_instances_running 0",
        "tradepost_compile_cache_hits_total 0",
        "tradepost_log_lines_total{level=\"error\"}",
        "# EOF",
    ] {
        assert!(page.contains(line), "{line} is missing in\n{page}");
    }
    for name in ["tradepost_ledger_bytes ", "tradepost_disk_free_bytes ", "tradepost_queue_age_seconds{"] {
        assert!(page.contains(name), "{name} is missing in\n{page}");
    }
    for hidden in ["hush", &own, &owner, "shop.example", "org.example"] {
        assert!(!page.contains(hidden), "{hidden} is in\n{page}");
    }

    running.configure("[metrics]\naccess = \"open\"\n");
    assert_eq!(running.ask(reqwest::Method::POST, "/reload", Some(json!({}))).await.0, 200);
    assert_eq!(running.root("/metrics", None).await.0, 200);
    running.configure("[metrics]\naccess = \"off\"\n");
    assert_eq!(running.ask(reqwest::Method::POST, "/reload", Some(json!({}))).await.0, 200);
    assert_eq!(running.root("/metrics", Some(&owner)).await.0, 404);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_read_anew_and_a_bad_one_changes_nothing() {
    let running = Running::start().await;
    let reload = || running.ask(reqwest::Method::POST, "/reload", Some(json!({})));
    assert_eq!(reload().await, (200, json!({"changed": [], "restart": []})));
    running.configure("[sync]\npage = 7\n[log]\nformat = \"json\"\n[limits]\nmemory = 1048576\n");
    let expected = json!({"changed": ["limits.memory", "sync.page"], "restart": ["log.format"]});
    assert_eq!(reload().await, (200, expected));
    let config = running.service.config();
    assert_eq!((config.page, config.limits.all().memory), (7, 1_048_576));
    assert_eq!(config.log_format, crate::config::LogFormat::Text);
    for (text, words) in
        [("[sync]\npage = 0\n", "must be 1 to 1000"), ("x = 1", "there is no key `x`"), ("[", "is no TOML")]
    {
        running.configure(text);
        let (status, problem) = reload().await;
        assert_eq!((status, problem["type"].as_str()), (409, Some("refused")), "{problem}");
        assert!(problem["title"].as_str().unwrap().contains(words), "{problem}");
        assert!(problem["hint"].as_str().unwrap().contains("stays as it is"), "{problem}");
        assert_eq!(running.service.config().page, 7);
    }
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_tidied_by_the_configuration() {
    let running = Running::start().await;
    let service = &running.service;
    service.ledger().write(|tx| (0..450).try_for_each(|n| tx.audit("x", "y", &json!({ "n": n })))).await.unwrap();
    let now = jiff::Timestamp::now();
    let years = |n: i64| now.checked_add(jiff::SignedDuration::from_hours(24 * 366 * n)).unwrap();
    assert_eq!(service.tidy(now).await.unwrap(), []);
    assert_eq!(service.tidy(years(5)).await.unwrap(), []);
    assert_eq!(service.tidy(years(11)).await.unwrap(), [("audit", 450)]);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_orders_are_not_handed_on_where_nobody_takes_them() {
    let running = Running::start().await;
    let service = &running.service;
    service
        .ledger()
        .write(|tx| {
            let shop = tx.add_platform(&crate::ledger::platform::NewPlatform {
                code: crate::model::PlatformCode::parse("shop").unwrap(),
                name: "Shop".into(),
                connector: "org.example.none".into(),
                settings: json!({}),
            })?;
            tx.set_phase(shop, crate::model::Kind::Order, crate::ledger::stream::Phase::Live)
        })
        .await
        .unwrap();
    let ask = |since: &'static str| {
        running.ask(reqwest::Method::POST, "/platforms/shop/backfill", Some(json!({ "since": since })))
    };
    let (status, problem) = ask("2026-01-01T00:00:00Z").await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem["title"].as_str().unwrap().contains("no platform makes orders"), "{problem}");
    assert!(problem["hint"].as_str().unwrap().contains("--as known"), "{problem}");
    let (status, problem) = ask("2100-01-01T00:00:00Z").await;
    assert_eq!((status, problem["title"].as_str()), (409, Some("the time ends before it begins")));
    running.end().await;
}
