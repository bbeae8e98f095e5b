//! Building requests and judging answers.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::{self, Answer, Body, Repeat};
use crate::types::{Error, Field, Issue};

pub use crate::failure::rejected;

/// A request under construction; [`Request::send`] hands it to the host.
#[derive(Debug, Clone)]
pub struct Request(pub http::Request);

impl Request {
    /// A request of any method, unsafe unless the method is GET or HEAD.
    #[must_use]
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self(http::Request {
            method: method.into(),
            url: url.into(),
            headers: vec![field("accept", "application/json")],
            body: None,
            credential: None,
            repeat: Repeat::ByMethod,
            rate: None,
            timeout_ms: None,
            to_blob: false,
        })
    }

    /// A read.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// Names the credential that the host places.
    #[must_use]
    pub fn credential(mut self, name: impl AsRef<str>) -> Self {
        self.0.credential = Some(name.as_ref().into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.headers.push(field(name, value));
        self
    }

    /// Adds a query parameter, escaped.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        let sign = if self.0.url.contains('?') { '&' } else { '?' };
        self.0.url.push_str(&format!("{sign}{}={}", escaped(name), escaped(&value.to_string())));
        self
    }

    /// Sends it and reads the answer's JSON: [`send`](Self::send), [`success`](Response::success),
    /// [`json`](Response::json).
    ///
    /// # Errors
    /// Those of the three.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.send()?.success()?.json()
    }

    /// Marks the request as a read whatever its method: it may be repeated and passes in a preview.
    #[must_use]
    pub fn safe(mut self) -> Self {
        self.0.repeat = Repeat::Safe;
        self
    }

    /// Sends a JSON body.
    ///
    /// # Panics
    /// Never for values made of strings, numbers, lists and maps with string keys.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(body).expect("plain values are JSON");
        self.0.headers.push(field("content-type", "application/json"));
        self.0.body = Some(Body::Bytes(bytes));
        self
    }

    /// Sends multipart form data.
    #[must_use]
    pub fn multipart(mut self, parts: Vec<http::Part>) -> Self {
        self.0.body = Some(Body::Multipart(parts));
        self
    }

    /// Sends it. Any status is an answer; see [`Response::success`].
    ///
    /// # Errors
    /// What the host says of a request that got no answer, as `http.send` documents.
    pub fn send(self) -> Result<Response, Error> {
        let unsafe_request = match self.0.repeat {
            Repeat::Safe => false,
            Repeat::Never => true,
            Repeat::ByMethod => !matches!(self.0.method.as_str(), "GET" | "HEAD"),
        };
        http::send(&self.0).map(|response| Response { response, unsafe_request })
    }
}

/// An answer, with what is needed to judge it.
#[derive(Debug, Clone)]
pub struct Response {
    /// The answer as the host gave it.
    pub response: http::Response,
    /// Whether the request could have changed the platform.
    pub unsafe_request: bool,
}

impl Response {
    /// The body; empty when it went to a blob.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.response.body {
            Answer::Bytes(bytes) => bytes,
            Answer::Blob(_) => &[],
        }
    }

    /// First value of a header; names are lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
    }

    /// The answer if its status is 2xx, else the error that the status means for a REST platform: 401 and 403 `auth`,
    /// 404 and 410 `not-found`, 409 and 412 `conflict`, 429 `throttled`, other 4xx `rejected` with the platform's
    /// words. 5xx is `unavailable` for a read; for a write it is `timeout`, because the work may have been done.
    ///
    /// # Errors
    /// As above.
    pub fn success(self) -> Result<Self, Error> {
        let status = self.response.status;
        let words = || format!("HTTP {status}: {}", excerpt(self.bytes()));
        match status {
            200..=299 => Ok(self),
            401 | 403 => Err(Error::Auth(words())),
            404 | 410 => Err(Error::NotFound(words())),
            409 | 412 => Err(Error::Conflict(Some(words()))),
            429 => Err(Error::Throttled(self.header("retry-after").and_then(|v| v.parse().ok()).unwrap_or(60))),
            400..=499 => Err(rejected(&status.to_string(), words())),
            _ if self.unsafe_request => Err(Error::Timeout(words())),
            _ => Err(Error::Unavailable(words())),
        }
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// An answer that is not the expected JSON says nothing about a write: `timeout` then, `unavailable` for a read.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(self.bytes()).map_err(|error| {
            let words = format!("unreadable answer ({error}): {}", excerpt(self.bytes()));
            if self.unsafe_request { Error::Timeout(words) } else { Error::Unavailable(words) }
        })
    }
}

/// Takes `data` out of a GraphQL answer.
///
/// # Errors
/// What [`Response::success`] and [`Response::json`] give; of an answer with `errors`, the gravest of them decides by
/// `extensions.code`: FORBIDDEN and UNAUTHENTICATED are `auth`, *NOT_FOUND is `not-found`, a query that the schema
/// refuses is a `bug`. INTERNAL_SERVER_ERROR and errors without a code say nothing about a write: `timeout` then,
/// `unavailable` for a read. All others are `rejected` with the platform's words.
pub fn graphql(response: Response) -> Result<Value, Error> {
    // GraphQL servers answer a malformed query with 400 and say in `errors` what is wrong with it.
    let told = response.response.status == 400;
    let response = if told { response } else { response.success()? };
    let mut answer: Value = match response.json() {
        Ok(answer) => answer,
        Err(_) if told => return response.success().map(|_| Value::Null),
        Err(error) => return Err(error),
    };
    let errors = answer.get("errors").and_then(Value::as_array).filter(|errors| !errors.is_empty());
    let Some(errors) = errors else {
        // A list or a bare value is no answer of GraphQL, and has no `data`.
        return response.success().map(|_| answer.get_mut("data").map(Value::take).unwrap_or_default());
    };
    let code = |error: &Value| error.pointer("/extensions/code").and_then(Value::as_str).map(str::to_owned);
    let words = |error: &Value| error["message"].as_str().unwrap_or_default().to_owned();
    let with = |wanted: &dyn Fn(&str) -> bool| {
        errors.iter().find(|error| wanted(code(error).as_deref().unwrap_or("INTERNAL_SERVER_ERROR"))).map(words)
    };
    if let Some(words) = with(&|code| matches!(code, "FORBIDDEN" | "UNAUTHENTICATED" | "UNAUTHORIZED")) {
        return Err(Error::Auth(words));
    }
    if let Some(words) = with(&|code| code == "INTERNAL_SERVER_ERROR") {
        return Err(if response.unsafe_request { Error::Timeout(words) } else { Error::Unavailable(words) });
    }
    if let Some(words) = with(&|code| code.starts_with("GRAPHQL_")) {
        return Err(Error::Bug(words));
    }
    if let Some(words) = with(&|code| code.ends_with("NOT_FOUND")) {
        return Err(Error::NotFound(words));
    }
    Err(Error::Rejected(
        errors.iter().map(|e| Issue { path: String::new(), code: code(e), message: words(e) }).collect(),
    ))
}

/// A named value.
pub fn field(name: &str, value: impl Into<String>) -> Field {
    Field { name: name.into(), value: value.into() }
}

/// A part of an address, escaped.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        let body = Answer::Bytes(body.as_bytes().to_vec());
        Response {
            response: http::Response { status, headers: Vec::new(), body, url: "https://shop.example".into() },
            unsafe_request: false,
        }
    }

    #[test]
    fn an_answer_that_is_no_object_has_no_data() {
        // Found by the fuzz target `answers`: a list made the connector trap.
        for body in ["[]", "[{\"data\":1}]", "1", "null", "\"data\"", "{}"] {
            assert_eq!(graphql(answer(200, body)).unwrap(), Value::Null, "{body}");
        }
        assert_eq!(graphql(answer(200, r#"{"data":{"a":1}}"#)).unwrap()["a"], 1);
    }
}
