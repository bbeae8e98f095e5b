//! A host for tests, before a simulated shop: it sends what the connector asks for, and cuts it off where a test wants it.

use std::cell::Cell;
use std::ops::Deref;
use std::rc::Rc;

use serde_json::json;
use tradepost_sdk::http;
use tradepost_sdk::outcomes::{Outcome, Written};
use tradepost_sdk::testing::{FakeHost, Server};
use tradepost_sdk::types::Error;
use woocommerce_simulator::{Config, Simulator};

/// A shop with a host before it.
pub(crate) struct StandIn {
    pub(crate) simulator: Simulator,
    host: FakeHost,
    /// Writes that are still let through; none: all.
    left: Rc<Cell<Option<u32>>>,
}

impl Deref for StandIn {
    type Target = FakeHost;

    fn deref(&self) -> &FakeHost {
        &self.host
    }
}

impl StandIn {
    pub(crate) fn start(config: Config) -> Self {
        let simulator = Simulator::start(config).unwrap();
        let left = Rc::new(Cell::new(None));
        let server = Server::new().basic("api", &simulator.key, &simulator.secret);
        let gate = left.clone();
        let host = FakeHost::new().settings(json!({"url": simulator.url, "language": "de"})).http(move |request| {
            pass(&gate, request)?;
            mirror(request);
            assert_eq!(request.credential.as_deref(), Some("api"));
            server.answer(request)
        });
        Self { simulator, host, left }
    }

    /// Lets only so many writes through; the next ones find no answer, as when the host is killed.
    pub(crate) fn cut_after(&self, writes: u32) {
        self.left.set(Some(writes));
    }

    pub(crate) fn uncut(&self) {
        self.left.set(None);
    }

    /// What the last word about an item, which is `done`, says.
    pub(crate) fn written(&self, item: &str) -> Written {
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

/// Counts a write off.
fn pass(left: &Cell<Option<u32>>, request: &http::Request) -> Result<(), Error> {
    let Some(some) = left.get().filter(|_| request.method != "GET") else { return Ok(()) };
    left.set(Some(some.checked_sub(1).ok_or_else(|| Error::Unavailable("cut".into()))?));
    Ok(())
}

/// Shows the request to a second server, whose address is in `WOOCOMMERCE_JUDGE`: it knows the vendor's own description
/// and notes what is forbidden there. Its answers do not count.
fn mirror(request: &http::Request) {
    if let Ok(judge) = std::env::var("WOOCOMMERCE_JUDGE") {
        let path = request.url.find("/wp-json").unwrap();
        let url = format!("{}{}", judge.trim_end_matches('/'), &request.url[path..]);
        let server = Server::new().basic("api", "ck", "cs");
        drop(server.answer(&http::Request { url, ..request.clone() }));
    }
}
