//! A shop that answers from a script, for the tests of all files, and the tests of judging answers.

use std::cell::RefCell;

use tradepost_sdk::http::{Answer, Body, Response as Raw};
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::types::Field;

use super::*;

type Script = dyn Fn(&str, &Value) -> Value;

/// Answers `data` or a whole answer with `errors` for a document and its variables, and remembers what was asked.
pub(crate) struct Scripted {
    script: Box<Script>,
    /// Documents and variables of the writes.
    pub(crate) writes: RefCell<Vec<(String, Value)>>,
    /// Documents and variables of the reads.
    pub(crate) reads: RefCell<Vec<(String, Value)>>,
    /// What was settled.
    pub(crate) settled: RefCell<Vec<(String, Outcome)>>,
}

impl Scripted {
    pub(crate) fn new(script: impl Fn(&str, &Value) -> Value + 'static) -> Self {
        Self {
            script: Box::new(script),
            writes: RefCell::default(),
            reads: RefCell::default(),
            settled: RefCell::default(),
        }
    }

    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.settled.borrow().iter().map(|(_, outcome)| outcome.clone()).collect()
    }
}

impl Host for Scripted {
    fn settings(&self) -> Result<Settings, Error> {
        Ok(Settings { url: "https://shop.example.com".into(), ..Settings::default() })
    }

    fn send(&self, request: Request) -> Result<Response, Error> {
        let Some(Body::Bytes(body)) = &request.0.body else { panic!("only JSON is scripted") };
        assert_eq!(request.0.url, "https://shop.example.com/admin-api");
        assert_eq!(request.0.credential.as_deref(), Some("login"));
        let body: Value = serde_json::from_slice(body).unwrap();
        let document = body["query"].as_str().unwrap().to_owned();
        let unsafe_request = request.0.repeat != http::Repeat::Safe;
        assert_eq!(unsafe_request, document.starts_with("mutation"), "reads are marked, writes are not: {document}");
        let asked = (document.clone(), body["variables"].clone());
        if unsafe_request { &self.writes } else { &self.reads }.borrow_mut().push(asked);
        let mut answer =
            if document == CONTEXT { fixture("context") } else { (self.script)(&document, &body["variables"]) };
        if answer.get("errors").is_none() {
            answer = json!({"data": answer});
        }
        let headers = vec![Field::new("date", "Sun, 22 Nov 2026 16:55:09 GMT")];
        let body = Answer::Bytes(answer.to_string().into_bytes());
        Ok(Response { response: Raw { status: 200, headers, body, url: request.0.url }, unsafe_request })
    }

    fn settle(&self, item: &str, outcome: &Outcome) {
        self.settled.borrow_mut().push((item.into(), outcome.clone()));
    }
}

/// A recording of the real server.
pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The recorded shop's context, with its stock location.
pub(crate) fn context() -> Context {
    Context::read(fixture("context"), "").unwrap()
}

fn failing(code: &'static str) -> Scripted {
    Scripted::new(move |_, _| json!({"errors": [{"message": "no", "extensions": {"code": code}}], "data": null}))
}

#[test]
fn an_internal_error_of_a_write_says_nothing_about_it() {
    let host = failing("INTERNAL_SERVER_ERROR");
    let shop = Shop::new(&host).unwrap();
    assert!(matches!(shop.mutate("mutation{a}", json!({})), Err(Error::Timeout(_))));
    assert!(matches!(shop.query("query{a}", json!({})), Err(Error::Unavailable(_))));
}

#[test]
fn a_figure_that_the_database_has_no_room_for_is_refused() {
    let host = Scripted::new(|_, _| {
        let words = r#"value "9876543210987654" is out of range for type integer"#;
        json!({"errors": [{"message": words, "path": ["updateProductVariants"]}], "data": null})
    });
    let error = Shop::new(&host).unwrap().mutate("mutation{a}", json!({})).unwrap_err();
    assert_eq!(rejection(&error), Some("out-of-range"));
}

#[test]
fn codes_decide_what_an_error_means() {
    let error = |code| {
        let host = failing(code);
        Shop::new(&host).unwrap().mutate("mutation{a}", json!({})).unwrap_err()
    };
    assert!(matches!(error("FORBIDDEN"), Error::Auth(_)));
    assert!(matches!(error("ENTITY_NOT_FOUND"), Error::NotFound(_)));
    assert!(matches!(error("GRAPHQL_VALIDATION_FAILED"), Error::Bug(_)));
    let refused = error("USER_INPUT_ERROR");
    assert_eq!(rejection(&refused), Some("USER_INPUT_ERROR"));
}

#[test]
fn an_error_result_is_a_refusal_with_its_details() {
    let host = Scripted::new(|_, _| {
        json!({"transitionFulfillmentToState": {
            "__typename": "FulfillmentStateTransitionError", "errorCode": "FULFILLMENT_STATE_TRANSITION_ERROR",
            "message": "Cannot transition", "transitionError": "it is Cancelled",
        }})
    });
    let error = Shop::new(&host).unwrap().mutate("mutation{a}", json!({})).unwrap_err();
    assert_eq!(rejection(&error), Some("FULFILLMENT_STATE_TRANSITION_ERROR"));
    let Error::Rejected(issues) = error else { panic!() };
    assert_eq!(issues[0].message, "Cannot transition: it is Cancelled");
}

#[test]
fn the_clock_of_the_shop_is_read_from_the_date_header() {
    let host = Scripted::new(|_, _| json!({"a": 1}));
    let reply = Shop::new(&host).unwrap().query("query{a}", json!({})).unwrap();
    assert_eq!(reply.at, Some("2026-11-22T16:55:09Z".parse().unwrap()));
}

#[test]
fn a_location_that_is_not_there_is_named() {
    assert!(matches!(Context::read(fixture("context"), "7"), Err(Error::Rejected(_))));
    let context = context();
    assert_eq!(context.location("main").unwrap(), "1");
    assert_eq!(context.location("1").unwrap(), "1");
    assert!(context.location("9").is_err());
    assert_eq!(context.channel.basis(), TaxBasis::Gross);
}
