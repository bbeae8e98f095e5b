//! Building requests.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Response;
use crate::http::{self, Body, Part, PartContent, Repeat};
use crate::types::{Error, Field};

/// A request under construction; [`Request::send`] hands it to the host. [`Http`](crate::Http) makes them for an API.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// let request = Request::new("POST", "https://shop.example/orders").credential("token").query("notify", false);
/// assert_eq!(request.0.url, "https://shop.example/orders?notify=false");
/// ```
#[derive(Debug, Clone)]
pub struct Request(pub http::Request);

/// How it is sent and read.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::testing::{FakeHost, Reply};
///
/// let host = FakeHost::new().http(|request| Ok(match request.method.as_str() {
///     "GET" => Reply::json(&[1, 2]),
///     _ => Reply::status(201),
/// }));
/// let ids: Vec<u32> = host.run(|| Request::get("https://shop.example/ids").read()).unwrap();
/// assert_eq!(ids, [1, 2]);
/// let made = host.run(|| Request::new("POST", "https://shop.example/ids").json(&3).send()).unwrap();
/// assert_eq!(made.status(), 201);
/// ```
impl Request {
    /// A request of any method, unsafe unless the method is GET or HEAD.
    #[must_use]
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self(http::Request {
            method: method.into(),
            url: url.into(),
            headers: vec![Field::new("accept", "application/json")],
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

    /// Adds a header; `accept` and `content-type` take the place of what stands there.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        if ["accept", "content-type"].iter().any(|one| one.eq_ignore_ascii_case(name)) {
            self.0.headers.retain(|header| !header.name.eq_ignore_ascii_case(name));
        }
        self.0.headers.push(Field::new(name, value));
        self
    }

    /// Adds a query parameter, escaped.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        let sign = if self.0.url.contains('?') { '&' } else { '?' };
        self.0.url.push_str(&format!("{sign}{}={}", escaped(name), escaped(&value.to_string())));
        self
    }

    /// Adds a query parameter where there is a value.
    #[must_use]
    pub fn query_if(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Marks the request as a read whatever its method: it may be repeated and passes in a preview.
    #[must_use]
    pub fn safe(mut self) -> Self {
        self.0.repeat = Repeat::Safe;
        self
    }

    /// Marks the request as a write whatever its method: it is sent once.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.0.repeat = Repeat::Never;
        self
    }

    /// Names the declared rate that it counts against.
    #[must_use]
    pub fn rate(mut self, name: &str) -> Self {
        self.0.rate = Some(name.into());
        self
    }

    /// Waits less long for the answer than the operator allows.
    #[must_use]
    pub fn timeout_ms(mut self, milliseconds: u32) -> Self {
        self.0.timeout_ms = Some(milliseconds);
        self
    }

    /// Keeps the answer's body outside the sandbox; see [`Response::blob`].
    #[must_use]
    pub fn to_blob(mut self) -> Self {
        self.0.to_blob = true;
        self
    }

    /// Sends a JSON body. Decimals written with [`exact`](crate::exact) stay exact.
    ///
    /// # Panics
    /// Never for values made of strings, numbers, lists and maps with string keys.
    #[must_use]
    pub fn json(self, body: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(body).expect("plain values are JSON");
        self.bytes("application/json", bytes)
    }

    /// Sends an XML body; its root is named after the type, unless serde is told otherwise.
    ///
    /// ```
    /// use tradepost_sdk::prelude::*;
    ///
    /// #[derive(serde::Serialize)]
    /// #[serde(rename = "stock")]
    /// struct Stock { sku: &'static str, quantity: u32 }
    ///
    /// let request = Request::new("POST", "https://erp.example").xml(&Stock { sku: "A&B", quantity: 4 }).unwrap();
    /// let Some(tradepost_sdk::http::Body::Bytes(body)) = request.0.body else { panic!() };
    /// assert!(String::from_utf8(body).unwrap().ends_with("<stock><sku>A&amp;B</sku><quantity>4</quantity></stock>"));
    /// ```
    ///
    /// # Errors
    /// `bug` for a value that XML cannot hold.
    #[cfg(feature = "xml")]
    pub fn xml(self, body: &impl Serialize) -> Result<Self, Error> {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        quick_xml::se::to_writer(&mut text, body).map_err(|error| Error::Bug(format!("no XML: {error}")))?;
        Ok(self.header("accept", "application/xml").bytes("application/xml", text.into_bytes()))
    }

    /// Sends a form, escaped.
    ///
    /// ```
    /// use tradepost_sdk::prelude::*;
    ///
    /// let request = Request::new("POST", "https://shop.example/login").form([("user", "a&b"), ("page", "2")]);
    /// let Some(tradepost_sdk::http::Body::Form(fields)) = request.0.body else { panic!() };
    /// assert_eq!(fields[0], Field::new("user", "a&b"), "the host escapes");
    /// ```
    #[must_use]
    pub fn form<N: Into<String>, V: Into<String>>(mut self, fields: impl IntoIterator<Item = (N, V)>) -> Self {
        self.0.body = Some(Body::Form(fields.into_iter().map(|(name, value)| Field::new(name, value)).collect()));
        self
    }

    /// Sends multipart form data; see [`Multipart`].
    #[must_use]
    pub fn multipart(mut self, parts: impl Into<Vec<Part>>) -> Self {
        self.0.body = Some(Body::Multipart(parts.into()));
        self
    }

    /// Sends bytes of a media type.
    #[must_use]
    pub fn bytes(self, media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let mut request = self.header("content-type", media_type);
        request.0.body = Some(Body::Bytes(bytes.into()));
        request
    }

    /// Sends bytes that the host keeps.
    #[must_use]
    pub fn blob(self, media_type: &str, id: &str) -> Self {
        let mut request = self.header("content-type", media_type);
        request.0.body = Some(Body::Blob(id.into()));
        request
    }

    /// Whether it could change the platform.
    #[must_use]
    pub fn is_unsafe(&self) -> bool {
        match self.0.repeat {
            Repeat::Safe => false,
            Repeat::Never => true,
            Repeat::ByMethod => !matches!(self.0.method.as_str(), "GET" | "HEAD"),
        }
    }

    /// Sends it. Any status is an answer; see [`Response::success`].
    ///
    /// # Errors
    /// What the host says of a request that got no answer, as [`http::send`] documents.
    pub fn send(self) -> Result<Response, Error> {
        let unsafe_request = self.is_unsafe();
        http::send(&self.0).map(|response| Response { response, unsafe_request })
    }

    /// Sends it and reads the answer's JSON: [`send`](Self::send), [`success`](Response::success),
    /// [`json`](Response::json).
    ///
    /// # Errors
    /// Those of the three.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.send()?.success()?.json()
    }
}

/// Parts of multipart form data.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::request::Multipart;
///
/// let parts = Multipart::new().text("alt", "Tea pot").file("file", "pot.gif", "image/gif", b"GIF89a");
/// let request = Request::new("POST", "https://shop.example/media").multipart(parts);
/// assert!(request.is_unsafe());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Multipart(Vec<Part>);

impl Multipart {
    /// No parts yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, name: &str, text: impl Into<String>) -> Self {
        let text: String = text.into();
        self.part(name, None, None, PartContent::Bytes(text.into_bytes()))
    }

    /// Adds a file.
    #[must_use]
    pub fn file(self, name: &str, filename: &str, media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.part(name, Some(filename), Some(media_type), PartContent::Bytes(bytes.into()))
    }

    /// Adds a file that the host keeps.
    #[must_use]
    pub fn blob(self, name: &str, filename: &str, media_type: &str, id: &str) -> Self {
        self.part(name, Some(filename), Some(media_type), PartContent::Blob(id.into()))
    }

    fn part(mut self, name: &str, filename: Option<&str>, media_type: Option<&str>, content: PartContent) -> Self {
        let (filename, media_type) = (filename.map(Into::into), media_type.map(Into::into));
        self.0.push(Part { name: name.into(), filename, media_type, content });
        self
    }
}

impl From<Multipart> for Vec<Part> {
    fn from(multipart: Multipart) -> Self {
        multipart.0
    }
}

/// A part of an address, escaped.
///
/// ```
/// assert_eq!(tradepost_sdk::request::escaped("A&B ü/1"), "A%26B%20%C3%BC%2F1");
/// ```
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
