//! Recorded HTTP: JSON lines, an exchange on each.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reply::Reply;
use super::wire::Wire;
use crate::http::{Request, Response};
use crate::types::{Error, Field};

/// A recorded session that answers requests.
///
/// A line of it is `{"request": {"method", "url", "headers": [[name, value]], "body" or "body64"}, "response": {"status",
/// "headers", "body" or "body64"}}`. A request is answered by the first exchange that was not played yet and has its
/// method, its URL with the parameters in any order, and its body: JSON and forms by their meaning, multipart without its
/// boundary. Headers do not count. What is not on the tape is a `bug` that says what was asked for.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::testing::{FakeHost, Tape};
///
/// let tape = Tape::parse(r#"
/// {"request": {"method": "GET", "url": "https://shop.example/products?page=1&size=2"}, "response": {"status": 200, "body": "[1,2]"}}
/// {"request": {"method": "GET", "url": "https://shop.example/products?page=2&size=2"}, "response": {"status": 500}}
/// "#).unwrap();
/// let host = FakeHost::new().tape(tape);
/// let api = Http::new("https://shop.example");
/// let ids: Vec<u32> = host.run(|| api.get("/products").query("size", 2).query("page", 1).read()).unwrap();
/// assert_eq!(ids, [1, 2]);
/// assert_eq!(host.unplayed(), ["GET https://shop.example/products?page=2&size=2"]);
///
/// let again = host.run(|| api.get("/products?size=2&page=1").read::<Vec<u32>>());
/// assert!(matches!(again, Err(Error::Bug(words)) if words.contains("not on the tape")));
/// ```
#[derive(Debug, Clone)]
pub struct Tape(Rc<RefCell<Vec<Entry>>>);

#[derive(Debug)]
struct Entry {
    exchange: Exchange,
    played: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Exchange {
    request: Asked,
    response: Answered,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Asked {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(flatten)]
    body: Bytes,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Answered {
    status: u16,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(flatten)]
    body: Bytes,
}

/// A text as it is, other bytes in base64.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Bytes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body64: Option<String>,
}

/// Why a tape cannot be read.
///
/// ```
/// use tradepost_sdk::testing::Tape;
///
/// let error = Tape::parse("{}").unwrap_err();
/// assert!(error.to_string().starts_with("line 1 of the tape is no exchange"));
/// ```
#[derive(Debug)]
pub enum TapeError {
    /// The file cannot be read.
    File(std::io::Error),
    /// A line is no exchange.
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl fmt::Display for TapeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(out, "the tape cannot be read: {error}"),
            Self::Line { line, why } => write!(out, "line {line} of the tape is no exchange: {why}"),
        }
    }
}

impl std::error::Error for TapeError {}

impl Tape {
    /// Reads a file.
    ///
    /// ```
    /// use tradepost_sdk::testing::{Tape, TapeError};
    ///
    /// assert!(matches!(Tape::read("no such file"), Err(TapeError::File(_))));
    /// ```
    ///
    /// # Errors
    /// The file cannot be read, or is no tape.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TapeError> {
        Self::parse(&std::fs::read_to_string(path).map_err(TapeError::File)?)
    }

    /// Reads a text; empty lines are passed over.
    ///
    /// # Errors
    /// A line is no exchange.
    pub fn parse(text: &str) -> Result<Self, TapeError> {
        let mut entries = Vec::new();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = |why: String| TapeError::Line { line: at + 1, why };
            let exchange: Exchange = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            exchange.request.body.bytes().and(exchange.response.body.bytes()).map_err(wrong)?;
            entries.push(Entry { exchange, played: false });
        }
        Ok(Self(Rc::new(RefCell::new(entries))))
    }

    /// The line of an exchange.
    pub(super) fn line(request: &Request, body: &[u8], response: &Response, answer: &[u8]) -> String {
        let pairs = |fields: &[Field]| fields.iter().map(|one| (one.name.clone(), one.value.clone())).collect();
        let exchange = Exchange {
            request: Asked {
                method: request.method.clone(),
                url: request.url.clone(),
                headers: pairs(&request.headers),
                body: Bytes::of(body),
            },
            response: Answered { status: response.status, headers: pairs(&response.headers), body: Bytes::of(answer) },
        };
        serde_json::to_string(&exchange).expect("texts and numbers are JSON")
    }

    /// The answer to a request.
    pub(super) fn answer(&self, request: &Request, wire: &Wire) -> Result<Reply, Error> {
        let content_type = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-type"));
        let content_type = content_type.map(|header| header.value.as_str()).or(wire.media_type.as_deref());
        let asked = meaning(content_type, &wire.body);
        let mut entries = self.0.borrow_mut();
        let found = entries.iter_mut().find(|entry| {
            let on_tape = &entry.exchange.request;
            !entry.played
                && on_tape.method.eq_ignore_ascii_case(&request.method)
                && address(&on_tape.url) == address(&request.url)
                && on_tape.body.bytes().is_ok_and(|body| meaning(on_tape.content_type(), &body) == asked)
        });
        let Some(entry) = found else {
            let next = entries.iter().find(|entry| !entry.played).map(|entry| entry.exchange.request.name());
            let body = String::from_utf8_lossy(&wire.body).chars().take(300).collect::<String>();
            return Err(Error::Bug(format!(
                "`{} {}` {body} is not on the tape (any more); next on it is: {}",
                request.method,
                request.url,
                next.unwrap_or_else(|| "nothing".into())
            )));
        };
        entry.played = true;
        let answer = &entry.exchange.response;
        let mut reply = Reply::status(answer.status).body(answer.body.bytes().map_err(Error::Bug)?);
        for (name, value) in &answer.headers {
            reply = reply.header(name, value.clone());
        }
        Ok(reply)
    }

    /// What was not asked for yet.
    pub(super) fn unplayed(&self) -> Vec<String> {
        let entries = self.0.borrow();
        entries.iter().filter(|entry| !entry.played).map(|entry| entry.exchange.request.name()).collect()
    }
}

impl Asked {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    fn content_type(&self) -> Option<&str> {
        let header = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        header.map(|(_, value)| value.as_str())
    }
}

impl Bytes {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok("") => Self::default(),
            Ok(text) => Self { body: Some(text.into()), body64: None },
            Err(_) => Self { body: None, body64: Some(STANDARD.encode(bytes)) },
        }
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        match (&self.body, &self.body64) {
            (Some(_), Some(_)) => Err("it has both `body` and `body64`".into()),
            (Some(text), None) => Ok(text.clone().into_bytes()),
            (None, Some(text)) => STANDARD.decode(text).map_err(|error| format!("`body64` is no base64: {error}")),
            (None, None) => Ok(Vec::new()),
        }
    }
}

/// An address and its parameters in any order.
fn address(url: &str) -> (&str, Vec<&str>) {
    let url = url.split('#').next().unwrap_or_default();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut parameters: Vec<&str> = query.split('&').filter(|parameter| !parameter.is_empty()).collect();
    parameters.sort_unstable();
    (path.trim_end_matches('/'), parameters)
}

/// What a body says, apart from how it is written.
#[derive(Debug, PartialEq)]
enum Meaning {
    Json(Value),
    Form(Vec<String>),
    Bytes(Vec<u8>),
}

fn meaning(content_type: Option<&str>, body: &[u8]) -> Meaning {
    let media_type = content_type.unwrap_or_default();
    if media_type.starts_with("application/x-www-form-urlencoded") {
        let text = String::from_utf8_lossy(body).replace('+', "%20");
        let mut pairs: Vec<String> = text.split('&').map(Into::into).collect();
        pairs.sort_unstable();
        return Meaning::Form(pairs);
    }
    if let Some((_, boundary)) = media_type.split_once("boundary=") {
        let boundary = boundary.split(';').next().unwrap_or_default().trim_matches('"');
        let text = String::from_utf8_lossy(body).replace(boundary, "boundary");
        return Meaning::Bytes(text.into_bytes());
    }
    match serde_json::from_slice(body) {
        Ok(value) => Meaning::Json(value),
        Err(_) => Meaning::Bytes(body.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_compared_by_what_they_say() {
        let json = Some("application/json");
        assert_eq!(meaning(json, br#"{"a":1,"b":2}"#), meaning(json, br#"{ "b": 2, "a": 1 }"#));
        assert_ne!(meaning(json, br#"{"a":1}"#), meaning(json, br#"{"a":2}"#));
        let form = Some("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(meaning(form, b"a=x+y&b=2"), meaning(form, b"b=2&a=x%20y"));
        let first = meaning(Some("multipart/form-data; boundary=\"q1\""), b"--q1\r\n\r\nx\r\n--q1--");
        assert_eq!(first, meaning(Some("multipart/form-data; boundary=zz"), b"--zz\r\n\r\nx\r\n--zz--"));
    }

    #[test]
    fn a_repeated_request_gets_one_answer_after_the_other() {
        let line = |status: u16| {
            format!(r#"{{"request":{{"method":"GET","url":"https://a.example/x"}},"response":{{"status":{status}}}}}"#)
        };
        let tape = Tape::parse(&format!("{}\n\n{}\n", line(503), line(200))).unwrap();
        let request = crate::Request::get("https://a.example/x").0;
        let status = || {
            let wire = Wire { body: Vec::new(), media_type: None };
            tape.answer(&request, &wire).map(|reply| reply.response("").status)
        };
        assert_eq!((status(), status()), (Ok(503), Ok(200)));
        assert!(matches!(status(), Err(Error::Bug(words)) if words.contains("next on it is: nothing")));
    }

    #[test]
    fn what_is_no_text_is_kept_in_base64() {
        let bytes = Bytes::of(b"GIF\xFF");
        assert_eq!((bytes.body.as_deref(), bytes.body64.as_deref()), (None, Some("R0lG/w==")));
        assert_eq!(bytes.bytes().unwrap(), b"GIF\xFF");
        assert!(
            Tape::parse(
                r#"{"request":{"method":"GET","url":"u","body":"a","body64":"YQ=="},"response":{"status":200}}"#
            )
            .is_err()
        );
    }
}
