//! What strangers can hand us, each as a function of bytes that must neither panic nor hang nor answer with a fault of
//! our own: the bodies of the targets. CSV and JSON files are in the files connector (`strangers`).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tradepost::config::{Config, Flags};
use tradepost::model::{Kind, Op, PlatformCode, Record};
use tradepost::runtime::bindings::v0_1::wit::exports::tradepost::connector::source as ws;
use tradepost::runtime::bindings::v0_1::wit::tradepost::connector::{catalog, head, records, sales, types};
use tradepost::runtime::bindings::v0_1::{self, Reading};
use tradepost::runtime::{Build, Engine};
use tradepost::service::Service;

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().expect("an async runtime"))
}

/// A file in the plugins folder: refused with a sentence, or a connector.
pub fn component(bytes: &[u8]) {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    runtime().block_on(async {
        let engine = ENGINE.get_or_init(|| Engine::new(None).expect("an engine"));
        if let Err(error) = Build::load(engine, bytes.into(), None).await {
            assert!(!error.to_string().is_empty());
        }
    });
}

/// A configuration file: refused with a sentence, or valid.
pub fn config(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tradepost.toml");
    std::fs::write(&file, bytes).expect("a file");
    match Config::load(&Flags { config: Some(file), ..Flags::default() }) {
        Ok(config) => assert!(config.listen.ip().is_loopback(), "it listens on {}", config.listen),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// What a connector returns from `pull`: each record is read or refused by itself, and what was read can be offered to
/// another platform.
pub fn values(bytes: &[u8]) {
    let mut feed = Feed(bytes);
    let code = PlatformCode::parse("shop").expect("a code");
    let contents = HashMap::from([("blob-1".to_owned(), "c0ffee".to_owned())]);
    let reading = Reading { code: &code, contents: &contents };
    let (kind, page) = if feed.yes() {
        let products = (0..feed.few()).map(|_| feed.product()).collect();
        (Kind::Product, records::Records::Products(products))
    } else {
        let orders = (0..feed.few()).map(|_| feed.order()).collect();
        (Kind::Order, records::Records::Orders(orders))
    };
    let page = ws::Page {
        records: vec![page],
        deleted: Vec::new(),
        unreadable: Vec::new(),
        present: Vec::new(),
        next: feed.maybe(),
        watermark: feed.maybe(),
        receipt: feed.maybe(),
        total: None,
    };
    let Ok(page) = v0_1::page(kind, page, &reading) else { return };
    let push = |record: Record| Record { op: Op::Update, item: "inst/shop/7/12".into(), ..record };
    let records: Vec<Record> = page.records.into_iter().map(push).collect();
    drop(v0_1::offer(kind, &records, &v0_1::Lent::new()));
}

/// What a shop answers over HTTP: the connector reads it or says what is wrong with it.
pub fn answers(bytes: &[u8]) {
    use std::cell::Cell;

    use tradepost_sdk::prelude::*;
    use tradepost_sdk::testing::{FakeHost, Reply};
    use woocommerce_connector::WooCommerce;

    let Some((&first, body)) = bytes.split_first() else { return };
    let status = [200, 200, 200, 400, 429, 500][usize::from(first) % 6];
    // A shop that answers everything with the same bytes, and stops answering after a while.
    let shop = |answers: u32| {
        let (left, body) = (Cell::new(answers), body.to_vec());
        let settings = serde_json::json!({"url": "https://shop.example", "language": "de"});
        FakeHost::new().settings(settings).http(move |_| {
            left.set(left.get().checked_sub(1).ok_or_else(|| Error::Unavailable("no more".into()))?);
            let reply = Reply::status(status).header("x-wp-totalpages", "2");
            Ok(reply.header("date", "Sun, 22 Nov 2026 08:00:00 GMT").body(body.clone()))
        })
    };
    for kind in [Kind::Product, Kind::Order, Kind::Stock, Kind::Price, Kind::Customer, Kind::Category, Kind::Shipment] {
        drop(shop(20).pull::<WooCommerce>(PullRequest::all(kind).limit(100)));
    }
    let asked = shop(1).run(|| Request::new("POST", "https://shop.example").send());
    drop(asked.and_then(tradepost_sdk::graphql::<Value>));
}

/// What a shop answered to a call that went wrong: redacted before it is kept. What is JSON stays JSON, and an address of
/// e-mail of ours is in no place of it.
pub fn redact(bytes: &[u8]) {
    use tradepost::runtime::tape::redact::Redactor;
    use tradepost::runtime::tape::{Body, Exchange, Request, Response};

    const OURS: &str = "anna.weber@mail.example";
    let text = String::from_utf8_lossy(bytes);
    let address = format!("https://shop.example/{}", text.lines().next().unwrap_or_default());
    let exchange = Exchange {
        request: Request { method: "POST".into(), url: address, headers: Vec::new(), body: Body::of(bytes.to_vec()) },
        response: Some(Response { status: 200, headers: Vec::new(), body: Body::of(bytes.to_vec()) }),
        error: None,
    };
    let mut redactor = Redactor::new([7; 32]);
    redactor.learn(std::slice::from_ref(&exchange));
    drop(redactor.exchanges(&[exchange]));
    let redacted = redactor.text(&text);
    assert!(!redacted.contains(OURS), "{redacted}");
    if serde_json::from_str::<Value>(&text).is_ok() {
        assert!(serde_json::from_str::<Value>(&redacted).is_ok(), "{redacted}");
    }
}

/// A request to the API of whoever has the token: never a fault of ours.
pub fn api(bytes: &[u8]) {
    struct Running {
        service: Service,
        address: SocketAddr,
        client: reqwest::Client,
        _folder: tempfile::TempDir,
    }
    static RUNNING: OnceLock<Running> = OnceLock::new();
    const ROUTES: [(&str, &str); 16] = [
        ("POST", "/platforms"),
        ("PATCH", "/platforms/shop"),
        ("POST", "/platforms/shop/run"),
        ("POST", "/platforms/shop/live"),
        ("POST", "/platforms/shop/pause"),
        ("PUT", "/actions/shop/pull/product"),
        ("PUT", "/automatic"),
        ("POST", "/attention/1/answer"),
        ("POST", "/attention/1/dismiss"),
        ("POST", "/records/1/push"),
        ("PUT", "/records/1/links/shop"),
        ("POST", "/records/1/merge"),
        ("GET", "/records?text="),
        ("GET", "/runs/"),
        ("GET", "/attention?state="),
        ("GET", "/platforms/"),
    ];
    let running = RUNNING.get_or_init(|| {
        runtime().block_on(async {
            drop(rustls::crypto::ring::default_provider().install_default());
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("tradepost.toml");
            std::fs::write(&file, "").expect("a file");
            let config = Config::load(&Flags {
                config: Some(file),
                data: Some(folder.path().join("data")),
                plugins: Some(folder.path().join("plugins")),
                listen: Some(([127, 0, 0, 1], 0).into()),
            });
            let service = Service::start(config.expect("a configuration")).await.expect("a service");
            let listener = tradepost::web::listen(([127, 0, 0, 1], 0).into()).await.expect("an address");
            let address = listener.local_addr().expect("an address");
            tokio::spawn(tradepost::web::serve(service.clone(), listener, tokio_util::sync::CancellationToken::new()));
            let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build();
            Running { service, address, client: client.expect("a client"), _folder: folder }
        })
    });
    let Some((&first, rest)) = bytes.split_first() else { return };
    let (method, path) = ROUTES[usize::from(first) % ROUTES.len()];
    let url = format!("http://{}/api/v1{path}", running.address);
    let request = if method == "GET" {
        // Only what a client would escape by itself.
        let text: String = rest.iter().take(200).map(|byte| format!("%{byte:02X}")).collect();
        running.client.get(format!("{url}{text}"))
    } else {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        running.client.request(method, url).header("content-type", "application/json").body(rest.to_vec())
    };
    let token = running.service.token().expose().to_owned();
    let answer = runtime().block_on(async {
        let answer = request.bearer_auth(token).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    });
    assert!(answer.0 < 500, "{method} {path} {:?}: {answer:?}", String::from_utf8_lossy(rest));
    if answer.0 >= 400 {
        let problem: Value = serde_json::from_str(&answer.1).expect("problem details");
        assert!(problem["title"].is_string() || problem["detail"].is_string(), "{problem}");
    }
}

/// Hands out values as the bytes say; at their end everything is empty.
struct Feed<'a>(&'a [u8]);

impl Feed<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&first, rest)) => {
                self.0 = rest;
                first
            }
            None => 0,
        }
    }

    fn yes(&mut self) -> bool {
        self.byte().is_multiple_of(2)
    }

    fn few(&mut self) -> u8 {
        self.byte() % 4
    }

    fn text(&mut self) -> String {
        const WORDS: [&str; 24] = [
            "",
            " ",
            "1",
            "0",
            "-0",
            "19",
            "9.99",
            "1e9",
            "NaN",
            "999999999999999999.999999999",
            "-1.5",
            "12345678901234567890",
            "0.1234567890",
            "2026-11-22T08:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-11-22",
            "EUR",
            "eur",
            "DE",
            "\0",
            "SKU-1",
            "blob-1",
            "a:b",
            "\u{202e}\u{1f4a9}",
        ];
        let length = usize::from(self.byte());
        match WORDS.get(length) {
            Some(word) => (*word).to_owned(),
            None => {
                let (text, rest) = self.0.split_at((length - WORDS.len()).min(self.0.len()));
                self.0 = rest;
                String::from_utf8_lossy(text).into_owned()
            }
        }
    }

    fn maybe(&mut self) -> Option<String> {
        self.yes().then(|| self.text())
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.few()).map(|_| one(self)).collect()
    }

    fn fields(&mut self) -> Vec<types::Field> {
        self.list(|feed| types::Field { name: feed.text(), value: feed.text() })
    }

    fn remote(&mut self) -> types::RemoteRef {
        types::RemoteRef { id: self.text(), parent: self.maybe(), version: self.maybe() }
    }

    fn head(&mut self) -> head::Head {
        head::Head {
            op: head::Op::Read,
            item: self.text(),
            marker: self.maybe(),
            remote: self.yes().then(|| self.remote()),
            parts: self.list(|feed| head::Part { what: head::PartKind::Line, key: feed.text(), id: feed.text() }),
            updated: self.maybe(),
        }
    }

    fn link(&mut self) -> types::Link {
        types::Link { id: self.maybe(), key: self.text() }
    }

    fn pictures(&mut self) -> Option<Vec<catalog::Medium>> {
        let medium = |feed: &mut Self| catalog::Medium {
            key: feed.text(),
            content: catalog::Content {
                blob: feed.yes().then(|| types::BlobRef {
                    id: feed.text(),
                    size: u64::from(feed.byte()),
                    media_type: feed.text(),
                    name: feed.maybe(),
                }),
                url: feed.maybe(),
            },
            title: feed.list(|feed| types::Text { language: feed.text(), value: feed.text() }),
        };
        self.yes().then(|| self.list(medium))
    }

    fn product(&mut self) -> catalog::Product {
        catalog::Product {
            head: self.head(),
            base: self.yes().then(|| catalog::ProductBase {
                number: self.maybe(),
                form: catalog::Form::Goods,
                active: self.yes(),
                manufacturer: self.maybe(),
                unit: self.maybe(),
            }),
            texts: self.list(|feed| catalog::Texts {
                language: feed.text(),
                name: feed.text(),
                short_html: feed.maybe(),
                long_html: feed.maybe(),
                slug: feed.maybe(),
                meta_title: feed.maybe(),
                meta_description: feed.maybe(),
                keywords: feed.list(Self::text),
            }),
            pictures: self.pictures(),
            categories: self.yes().then(|| self.list(Self::link)),
            attributes: self.yes().then(|| {
                self.list(|feed| catalog::Attribute {
                    name: feed.text(),
                    value: feed.text(),
                    language: feed.maybe(),
                    unit: feed.maybe(),
                })
            }),
            variants: self.yes().then(|| {
                self.list(|feed| catalog::Variant {
                    remote: feed.yes().then(|| feed.remote()),
                    sku: feed.text(),
                    gtin: feed.maybe(),
                    mpn: feed.maybe(),
                    active: feed.yes(),
                    tax_class: feed.maybe(),
                    tax_percent: feed.maybe(),
                    choices: Vec::new(),
                    weight_kg: feed.maybe(),
                    pictures: feed.pictures(),
                    extra: feed.fields(),
                })
            }),
            extra: self.fields(),
        }
    }

    fn address(&mut self) -> sales::Address {
        sales::Address {
            key: self.text(),
            company: self.maybe(),
            first_name: self.maybe(),
            last_name: self.maybe(),
            lines: self.list(Self::text),
            postcode: self.text(),
            city: self.text(),
            region: self.maybe(),
            country: self.text(),
            phone: self.maybe(),
        }
    }

    fn order(&mut self) -> sales::Order {
        sales::Order {
            head: self.head(),
            number: self.text(),
            other_number: self.maybe(),
            channel: self.text(),
            placed: self.text(),
            state: sales::OrderState::Open,
            payment_state: sales::PaymentState::Paid,
            currency: self.text(),
            basis: types::TaxBasis::Gross,
            customer: self.link(),
            buyer: sales::CustomerBase {
                number: self.maybe(),
                email: self.maybe(),
                phone: None,
                company: None,
                first_name: self.maybe(),
                last_name: self.maybe(),
                vat_id: self.maybe(),
                language: self.maybe(),
                group: None,
                guest: self.yes(),
                active: true,
            },
            billing: self.address(),
            shipping: self.yes().then(|| self.address()),
            lines: self.list(|feed| sales::Line {
                id: feed.text(),
                kind: sales::LineKind::Product,
                variant: feed.yes().then(|| feed.link()),
                name: feed.text(),
                quantity: feed.text(),
                unit_price: feed.text(),
                total: feed.text(),
                tax_percent: feed.maybe(),
                tax: feed.maybe(),
                tax_code: feed.maybe(),
                extra: feed.fields(),
            }),
            taxes: self.list(|feed| sales::Tax { percent: feed.text(), base: feed.text(), amount: feed.text() }),
            payments: self.list(|feed| sales::Payment {
                id: feed.maybe(),
                method: feed.text(),
                state: sales::PaymentState::Paid,
                amount: feed.text(),
                transaction: feed.maybe(),
                at: feed.maybe(),
            }),
            delivery: self.yes().then(|| sales::Delivery {
                method: self.text(),
                label: self.maybe(),
                wanted_on: self.maybe(),
                pickup_point: self.maybe(),
            }),
            total: self.text(),
            note: self.maybe(),
            extra: self.fields(),
        }
    }
}
