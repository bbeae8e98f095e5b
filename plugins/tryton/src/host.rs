//! What the connector uses of the host, as a trait: the conversations with Tryton are tested without a sandbox.

use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::types::Error;
use tradepost_sdk::{Request, Response, blobs, platform, report, storage};

/// The powers lent by the host.
pub(crate) trait Host {
    /// Sends a request; any status is an answer.
    fn send(&self, request: Request) -> Result<Response, Error>;
    /// The host's clock.
    fn now(&self) -> String;
    /// Says what became of a pushed item.
    fn settle(&self, item: &str, outcome: Outcome);
    /// The bytes of a blob.
    fn blob(&self, id: &str) -> Result<Vec<u8>, Error>;
    /// A stored value.
    fn load(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;
    /// Stores a value with the result of the call.
    fn store(&self, key: &str, value: &[u8]) -> Result<(), Error>;
}

/// The host around the sandbox.
pub(crate) struct Lender;

/// Most bytes of a blob at a time.
const CHUNK: u32 = 4 * 1024 * 1024;

impl Host for Lender {
    fn send(&self, request: Request) -> Result<Response, Error> {
        request.send()
    }

    fn now(&self) -> String {
        platform::now()
    }

    fn settle(&self, item: &str, outcome: Outcome) {
        report::settle(item, &outcome);
    }

    fn blob(&self, id: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        loop {
            let chunk = blobs::read(id, bytes.len() as u64, CHUNK)?;
            if chunk.is_empty() {
                return Ok(bytes);
            }
            bytes.extend(chunk);
        }
    }

    fn load(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        storage::get(key)
    }

    fn store(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        storage::set(key, value)
    }
}

/// A host that answers by a script.
#[cfg(test)]
pub(crate) mod fake {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, VecDeque};

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE;
    use serde_json::{Value, json};
    use tradepost_sdk::http::{self, Answer, Body};

    use super::*;
    use crate::api::Api;
    use crate::settings::Settings;

    /// One request as the connector made it: method and path without the address of the server, the domain of a
    /// search, the body.
    #[derive(Debug, Clone, PartialEq)]
    pub(crate) struct Sent {
        pub(crate) what: String,
        pub(crate) domain: Value,
        pub(crate) context: Value,
        pub(crate) body: Value,
    }

    /// Status and body, or why there is none.
    type Answered = Result<(u16, Value), Error>;

    /// Answers in the order of the script; every line names the request it expects by method and path. What was said
    /// to be the answer always may come any number of times.
    #[derive(Default)]
    pub(crate) struct Script {
        lines: RefCell<VecDeque<(String, Answered)>>,
        always: RefCell<Vec<(String, Value)>>,
        pub(crate) sent: RefCell<Vec<Sent>>,
        pub(crate) settled: RefCell<Vec<(String, Outcome)>>,
        pub(crate) kept: RefCell<BTreeMap<String, Vec<u8>>>,
    }

    impl Script {
        /// A server with one company and these modules.
        pub(crate) fn new(modules: &[&str]) -> Self {
            let script = Self::default();
            let company = json!([{"id": 1, "party": {"id": 1, "name": "Dunder Mifflin"}, "timezone": null,
                "currency": {"id": 1, "code": "EUR", "digits": 2}}]);
            let modules: Vec<Value> = modules.iter().map(|name| json!({"id": 1, "name": name})).collect();
            script.always("GET company.company", company);
            script.always("GET ir.module", json!(modules));
            script
        }

        pub(crate) fn always(&self, what: &str, body: Value) {
            self.always.borrow_mut().push((what.into(), body));
        }

        pub(crate) fn then(self, what: &str, body: Value) -> Self {
            self.lines.borrow_mut().push_back((what.into(), Ok((200, body))));
            self
        }

        pub(crate) fn refuse(self, what: &str, words: &str) -> Self {
            let body = json!({"status": 400, "message": words, "description": ""});
            self.lines.borrow_mut().push_back((what.into(), Ok((400, body))));
            self
        }

        pub(crate) fn fail(self, what: &str, error: Error) -> Self {
            self.lines.borrow_mut().push_back((what.into(), Err(error)));
            self
        }

        pub(crate) fn api(&self) -> Api<'_> {
            self.api_with(json!({}))
        }

        /// With more settings.
        pub(crate) fn api_with(&self, mut settings: Value) -> Api<'_> {
            settings["url"] = json!("http://erp.test/erp");
            let settings: Settings = serde_json::from_value(settings).unwrap();
            Api::new(self, settings)
        }

        /// The domain of the n-th request of this name.
        pub(crate) fn domain(&self, what: &str, n: usize) -> String {
            let sent = self.sent.borrow();
            sent.iter().filter(|sent| sent.what == what).nth(n).map(|sent| sent.domain.to_string()).unwrap_or_default()
        }

        /// The writes that left.
        pub(crate) fn writes(&self) -> Vec<String> {
            let sent = self.sent.borrow();
            sent.iter().filter(|sent| !sent.what.starts_with("GET")).map(|sent| sent.what.clone()).collect()
        }

        /// The body of the write with this name.
        pub(crate) fn body(&self, what: &str) -> Value {
            let sent = self.sent.borrow();
            sent.iter().find(|sent| sent.what == what).map(|sent| sent.body.clone()).unwrap_or_default()
        }

        /// Fails the test if the script was not played to its end.
        pub(crate) fn played(&self) {
            assert!(self.lines.borrow().is_empty(), "not asked for: {:?}", self.lines.borrow());
        }
    }

    impl Host for Script {
        fn send(&self, request: Request) -> Result<Response, Error> {
            let request = request.0;
            let path = request.url.strip_prefix("http://erp.test/erp/rest/model/").expect("the address of the server");
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let what = format!("{} {path}", request.method);
            let decode = |text: &str| -> Value {
                serde_json::from_slice(&URL_SAFE.decode(text.replace("%3D", "=")).unwrap()).unwrap()
            };
            let domain = query.split('&').find_map(|p| p.strip_prefix("d=")).map(decode).unwrap_or_default();
            let context = request.headers.iter().find(|h| h.name == "x-tryton-context").map(|h| decode(&h.value));
            let body = match &request.body {
                Some(Body::Bytes(bytes)) => serde_json::from_slice(bytes).unwrap(),
                _ => Value::Null,
            };
            let sent = Sent { what: what.clone(), domain, context: context.unwrap_or_default(), body };
            self.sent.borrow_mut().push(sent);
            let unsafe_request = request.method != "GET";
            if let Some((_, body)) = self.always.borrow().iter().find(|(expected, _)| *expected == what) {
                return Ok(response(200, body, unsafe_request));
            }
            let (expected, result) =
                self.lines.borrow_mut().pop_front().unwrap_or_else(|| panic!("{what} was not expected"));
            assert_eq!(what, expected);
            result.map(|(status, body)| response(status, &body, unsafe_request))
        }

        fn now(&self) -> String {
            "2026-11-22T12:00:00Z".into()
        }

        fn settle(&self, item: &str, outcome: Outcome) {
            self.settled.borrow_mut().push((item.into(), outcome));
        }

        fn blob(&self, id: &str) -> Result<Vec<u8>, Error> {
            Ok(id.as_bytes().to_vec())
        }

        fn load(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            Ok(self.kept.borrow().get(key).cloned())
        }

        fn store(&self, key: &str, value: &[u8]) -> Result<(), Error> {
            self.kept.borrow_mut().insert(key.into(), value.into());
            Ok(())
        }
    }

    pub(crate) fn answer(status: u16, body: &Value) -> Response {
        response(status, body, false)
    }

    pub(crate) fn unsafe_answer(status: u16, body: &Value) -> Response {
        response(status, body, true)
    }

    fn response(status: u16, body: &Value, unsafe_request: bool) -> Response {
        let body = Answer::Bytes(serde_json::to_vec(body).unwrap());
        let headers = vec![tradepost_sdk::types::Field::new("date", "Sun, 22 Nov 2026 12:00:00 GMT")];
        let response = http::Response { status, headers, body, url: "http://erp.test".into() };
        Response { response, unsafe_request }
    }
}
