//! Tapes: the HTTP exchanges of calls as JSON lines, to be looked at, kept, and answered from instead of the network.
//!
//! A line is one request on the wire with what came of it; redirects and the host's own repetitions are lines of their
//! own. What the host placed (credentials, log-ins) is never on a tape, and secrets in answers are masked.
//!
//! ```json
//! {"request":{"method":"GET","url":"https://shop.example/products?page=1","headers":[["accept","application/json"]]},
//!  "response":{"status":200,"headers":[["content-type","application/json"]],"body":"[]"}}
//! ```
//!
//! Bytes that are no UTF-8 stand in `body64` (Base64) instead of `body`; what was too long for a tape is described in
//! `omitted`. Where no answer came there is `error` instead of `response`.

pub mod redact;
#[cfg(test)]
mod tests;

use std::io::{BufRead, Write};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use url::Url;

use super::http::{Wire, WireError};
use super::power::{Body as Sent, PartContent};
use crate::model::RemoteError;

/// Longest body that is kept.
const BODY: usize = 4 << 20;

/// One request and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What was asked.
    pub request: Request,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RemoteError>,
}

impl Exchange {
    /// About how many bytes it takes without its bodies.
    fn head(&self) -> usize {
        let headers =
            |headers: &[(String, String)]| -> usize { headers.iter().map(|(n, v)| n.len() + v.len() + 64).sum() };
        let error = self.error.as_ref().map_or(0, |error| error.to_string().len());
        let answer = self.response.as_ref().map_or(0, |response| headers(&response.headers));
        256 + self.request.method.len() + self.request.url.len() + headers(&self.request.headers) + answer + error
    }
}

/// A request as the connector made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names and values.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// `body`, `body64` or `omitted`; none of them: empty.
    #[serde(flatten)]
    pub body: Body,
}

/// An answer as the connector got it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// Names in lower case, and values.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// `body`, `body64` or `omitted`; none of them: empty.
    #[serde(flatten)]
    pub body: Body,
}

/// Bytes of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub enum Body {
    /// All of them.
    Bytes(Bytes),
    /// Only what they were: `blob HASH` or `SIZE bytes HASH`. Equal bytes have equal texts.
    Omitted(String),
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Raw {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body64: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    omitted: Option<String>,
}

impl TryFrom<Raw> for Body {
    type Error = base64::DecodeError;

    fn try_from(raw: Raw) -> Result<Self, Self::Error> {
        Ok(match raw {
            Raw { body: Some(text), .. } => Self::Bytes(text.into()),
            Raw { body64: Some(text), .. } => Self::Bytes(STANDARD.decode(text)?.into()),
            Raw { omitted: Some(text), .. } => Self::Omitted(text),
            _ => Self::default(),
        })
    }
}

impl From<Body> for Raw {
    fn from(body: Body) -> Self {
        match body {
            Body::Bytes(bytes) if bytes.is_empty() => Self::default(),
            Body::Bytes(bytes) => match String::from_utf8(bytes.into()) {
                Ok(text) => Self { body: Some(text), ..Self::default() },
                Err(error) => Self { body64: Some(STANDARD.encode(error.as_bytes())), ..Self::default() },
            },
            Body::Omitted(text) => Self { omitted: Some(text), ..Self::default() },
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl Body {
    /// The bytes, unless there are too many for a tape.
    #[must_use]
    pub fn of(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.len() <= BODY { Self::Bytes(bytes) } else { Self::omitting(&bytes) }
    }

    fn omitting(bytes: &[u8]) -> Self {
        Self::Omitted(format!("{} bytes {}", bytes.len(), blake3::hash(bytes).to_hex()))
    }

    /// The bytes that are there.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Omitted(_) => &[],
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Omitted(text) => text.len(),
        }
    }

    /// A body as it is sent, in a form that does not change from one time to the next: a multipart body has no boundary
    /// by chance, a blob is named by its content.
    pub(super) fn of_sent(body: Option<&Sent>) -> Self {
        match body {
            None => Self::default(),
            Some(Sent::Bytes(bytes)) => Self::of(bytes.clone()),
            Some(Sent::Blob(blob)) => Self::Omitted(format!("blob {}", blob.content)),
            Some(Sent::Form(fields)) => {
                let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                Self::of(text)
            }
            Some(Sent::Multipart(parts)) => {
                let mut all = Vec::new();
                for part in parts {
                    let filename = part.filename.as_deref().unwrap_or_default();
                    let media_type = part.media_type.as_deref().unwrap_or_default();
                    let head = format!("--part\r\n{}; {filename}; {media_type}\r\n\r\n", part.name);
                    all.extend_from_slice(head.as_bytes());
                    match &part.content {
                        PartContent::Bytes(bytes) => all.extend_from_slice(bytes),
                        PartContent::Blob(blob) => all.extend_from_slice(format!("blob {}", blob.content).as_bytes()),
                    }
                    all.extend_from_slice(b"\r\n");
                }
                Self::of(all)
            }
        }
    }
}

/// What one call exchanged so far. Bounded, because a connector decides how much it sends: what goes beyond is kept
/// without its bodies, and what goes beyond even so is left out.
#[derive(Debug)]
pub struct Recording {
    most: usize,
    state: Mutex<Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    exchanges: Vec<Exchange>,
    bytes: usize,
    left_out: usize,
}

impl Recording {
    /// Keeps at most so many bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, state: Mutex::default() }
    }

    pub(super) fn add(&self, mut exchange: Exchange) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let head = exchange.head();
        if state.bytes + head > self.most {
            state.left_out += 1;
            return;
        }
        state.bytes += head;
        let answer = exchange.response.as_mut().map(|response| &mut response.body);
        for body in [Some(&mut exchange.request.body), answer].into_iter().flatten() {
            if state.bytes + body.size() > self.most
                && let Body::Bytes(bytes) = body
            {
                *body = Body::omitting(bytes);
            }
            state.bytes += body.size();
        }
        state.exchanges.push(exchange);
    }

    /// What was recorded, in the order in which it ended.
    pub fn take(&self) -> Vec<Exchange> {
        let Recorded { exchanges, left_out, .. } =
            std::mem::take(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner));
        if left_out > 0 {
            tracing::debug!(left_out, "exchanges of a call went beyond what is recorded");
        }
        exchanges
    }
}

/// Why a tape cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The file.
    #[error("the tape cannot be read")]
    Read(#[from] std::io::Error),
    /// A line.
    #[error("line {line} of the tape is no exchange: {source}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// Writes a tape.
///
/// # Errors
/// When the writer refuses.
pub fn write(mut to: impl Write, exchanges: &[Exchange]) -> std::io::Result<()> {
    for exchange in exchanges {
        serde_json::to_writer(&mut to, exchange)?;
        to.write_all(b"\n")?;
    }
    Ok(())
}

/// Reads a tape; empty lines and lines that begin with `#` are skipped.
///
/// # Errors
/// The first line that is no exchange.
pub fn read(from: impl BufRead) -> Result<Vec<Exchange>, TapeError> {
    let mut exchanges = Vec::new();
    for (index, line) in from.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let exchange = serde_json::from_str(&line).map_err(|source| TapeError::Line { line: index + 1, source })?;
        exchanges.push(exchange);
    }
    Ok(exchanges)
}

/// A tape in place of the network. A request is answered by the first line not yet used that has its method, its URL
/// (whatever the order of its query) and its body.
#[derive(Debug)]
pub struct Tape {
    lines: Mutex<Vec<Line>>,
    unmatched: Mutex<Vec<Request>>,
}

#[derive(Debug)]
struct Line {
    exchange: Exchange,
    used: bool,
}

impl Tape {
    /// Plays these exchanges.
    #[must_use]
    pub fn new(exchanges: Vec<Exchange>) -> Self {
        let lines = exchanges.into_iter().map(|exchange| Line { exchange, used: false }).collect();
        Self { lines: Mutex::new(lines), unmatched: Mutex::default() }
    }

    /// The answer to a request, used up.
    pub fn answer(&self, request: &Request) -> Option<Exchange> {
        let wanted = key(request);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.iter_mut().find(|line| !line.used && key(&line.exchange.request) == wanted)?;
        line.used = true;
        Some(line.exchange.clone())
    }

    /// Exchanges that nobody asked for.
    #[must_use]
    pub fn unused(&self) -> Vec<Exchange> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| !line.used).map(|line| line.exchange.clone()).collect()
    }

    /// Requests that are not on the tape.
    #[must_use]
    pub fn unmatched(&self) -> Vec<Request> {
        self.unmatched.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What has to be equal.
fn key(request: &Request) -> (&str, String, Vec<(String, String)>, Body) {
    let (place, query) = match Url::parse(&request.url) {
        Ok(mut url) => {
            let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            query.sort_unstable();
            url.set_query(None);
            url.set_fragment(None);
            (url.to_string(), query)
        }
        Err(_) => (request.url.clone(), Vec::new()),
    };
    (&request.method, place, query, meaning(&request.body))
}

/// A body in a form that does not depend on blanks and on the order of fields.
fn meaning(body: &Body) -> Body {
    let text = std::str::from_utf8(body.bytes()).unwrap_or_default();
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) => Body::Bytes(value.to_string().into()),
        Err(_) => body.clone(),
    }
}

#[async_trait]
impl Wire for Tape {
    async fn carry(&self, request: &Request) -> Result<Response, WireError> {
        match self.answer(request) {
            Some(Exchange { response: Some(response), .. }) => Ok(response),
            Some(Exchange { error: Some(RemoteError::Unavailable(words)), .. }) => Err(WireError::NoConnection(words)),
            Some(Exchange { error, .. }) => {
                let words = error.map_or_else(
                    || "no answer on the tape".into(),
                    |error| match error {
                        RemoteError::Timeout(words) => words,
                        other => other.to_string(),
                    },
                );
                Err(WireError::NoAnswer(words))
            }
            None => {
                self.unmatched.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
                let words = format!("{} {} is not on the tape (again)", request.method, request.url);
                Err(WireError::NoConnection(words))
            }
        }
    }
}
