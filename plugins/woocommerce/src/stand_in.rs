//! A host for tests: it sends what the connector asks for to a simulated shop, and remembers what was settled.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tradepost_sdk::http::{self, Answer, Body};
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::types::{Error, Field};
use tradepost_sdk::{Request, Response};
use woocommerce_simulator::{Config, Simulator};

use crate::api::Host;
use crate::settings::Settings;

/// A shop with a host before it.
pub(crate) struct StandIn {
    pub(crate) simulator: Simulator,
    pub(crate) settings: Settings,
    settled: RefCell<Vec<(String, Outcome)>>,
    /// Requests that are still let through; none: all.
    left: Cell<Option<u32>>,
}

impl StandIn {
    pub(crate) fn start(config: Config) -> Self {
        let simulator = Simulator::start(config).unwrap();
        let settings = Settings { url: simulator.url.clone(), language: "de".into(), ..Settings::default() };
        Self { simulator, settings, settled: RefCell::default(), left: Cell::new(None) }
    }

    /// Lets only so many writes through; the next ones find no answer, as when the host is killed.
    pub(crate) fn cut_after(&self, writes: u32) {
        self.left.set(Some(writes));
    }

    pub(crate) fn uncut(&self) {
        self.left.set(None);
    }

    /// The last word about an item.
    pub(crate) fn outcome(&self, item: &str) -> Option<Outcome> {
        self.settled.borrow().iter().rev().find(|(of, _)| of == item).map(|(_, outcome)| outcome.clone())
    }

    /// What the last word about an item, which is `done`, says.
    pub(crate) fn written(&self, item: &str) -> tradepost_sdk::outcomes::Written {
        match self.outcome(item) {
            Some(Outcome::Done(written)) => written,
            other => panic!("{item} is not done: {other:?}"),
        }
    }

    /// Nothing that was sent was ignored by the shop.
    pub(crate) fn nothing_ignored(&self) {
        for write in self.simulator.control().journal().writes {
            assert_eq!(write.ignored, Vec::<String>::new(), "{} {}", write.kind, write.sent);
        }
    }
}

impl Host for StandIn {
    fn settings(&self) -> Result<Settings, Error> {
        Ok(self.settings.clone())
    }

    fn send(&self, request: Request) -> Result<Response, Error> {
        let unsafe_request = request.0.method != "GET";
        if unsafe_request && let Some(left) = self.left.get() {
            if left == 0 {
                return Err(Error::Unavailable("cut".into()));
            }
            self.left.set(Some(left - 1));
        }
        mirror(&request.0);
        assert_eq!(request.0.credential.as_deref(), Some("api"));
        let key = STANDARD.encode(format!("{}:{}", self.simulator.key, self.simulator.secret));
        exchange(&request.0, &key).map(|response| Response { response, unsafe_request })
    }

    fn settle(&self, item: &str, outcome: &Outcome) {
        self.settled.borrow_mut().push((item.into(), outcome.clone()));
    }
}

/// Shows the request to a second server, whose address is in `WOOCOMMERCE_JUDGE`: it knows the vendor's own description
/// and notes what is forbidden there. Its answers do not count.
fn mirror(request: &http::Request) {
    if let Ok(judge) = std::env::var("WOOCOMMERCE_JUDGE") {
        let path = request.url.find("/wp-json").unwrap();
        let url = format!("{}{}", judge.trim_end_matches('/'), &request.url[path..]);
        drop(exchange(&http::Request { url, ..request.clone() }, &STANDARD.encode("ck:cs")));
    }
}

/// One request over one connection.
fn exchange(request: &http::Request, key: &str) -> Result<http::Response, Error> {
    let lost = |error: std::io::Error| match request.method.as_str() {
        "GET" => Error::Unavailable(error.to_string()),
        _ => Error::Timeout(error.to_string()),
    };
    let rest = request.url.strip_prefix("http://").unwrap();
    let (authority, path) = rest.split_at(rest.find('/').unwrap());
    let body = match &request.body {
        Some(Body::Bytes(bytes)) => bytes.clone(),
        None => Vec::new(),
        Some(_) => panic!("the connector sends JSON alone"),
    };
    let mut head = format!(
        "{} {path} HTTP/1.1\r\nhost: {authority}\r\nauthorization: Basic {key}\r\nconnection: close\r\ncontent-length: {}\r\n",
        request.method,
        body.len()
    );
    for header in &request.headers {
        head.push_str(&format!("{}: {}\r\n", header.name, header.value));
    }
    let mut stream = TcpStream::connect(authority).map_err(|error| Error::Unavailable(error.to_string()))?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(b"\r\n")).map_err(lost)?;
    stream.write_all(&body).map_err(lost)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(lost)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or_else(|| lost(std::io::ErrorKind::UnexpectedEof.into()))?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).unwrap();
    let headers: Vec<Field> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| Field { name: name.to_lowercase(), value: value.trim().into() })
        .collect();
    let body = answer.split_off(end + 4);
    let length = headers.iter().find(|header| header.name == "content-length");
    if length.is_none_or(|length| length.value.parse() != Ok(body.len())) {
        return Err(lost(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(http::Response { status, headers, body: Answer::Bytes(body), url: request.url.clone() })
}
