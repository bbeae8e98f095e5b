//! Reading and judging answers.

mod judge;
mod told;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::http::{self, Answer};
use crate::types::{BlobRef, Error};

pub use told::excerpt;
pub(crate) use told::quoted;

/// An answer, with what is needed to judge it.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::testing::Reply;
///
/// let reply = Reply::json(&["a"]).header("date", "Sun, 22 Nov 2026 08:00:00 GMT");
/// let response = Response { response: reply.response("https://shop.example"), unsafe_request: false };
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.header("content-type"), Some("application/json"));
/// assert_eq!(response.date().unwrap().to_string(), "2026-11-22T08:00:00Z");
/// assert_eq!(response.success().unwrap().json::<Vec<String>>().unwrap(), ["a"]);
/// ```
#[derive(Debug, Clone)]
pub struct Response {
    /// The answer as the host gave it.
    pub response: http::Response,
    /// Whether the request could have changed the platform.
    pub unsafe_request: bool,
}

impl Response {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// The body; empty when it went to a blob.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.response.body {
            Answer::Bytes(bytes) => bytes,
            Answer::Blob(_) => &[],
        }
    }

    /// The blob that holds the body, where that was asked for.
    #[must_use]
    pub fn blob(&self) -> Option<&BlobRef> {
        match &self.response.body {
            Answer::Bytes(_) => None,
            Answer::Blob(blob) => Some(blob),
        }
    }

    /// First value of a header; names are lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
    }

    /// The platform's clock when it answered, in whole seconds and never ahead.
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        self.header("date").and_then(crate::time::http_date)
    }

    /// The target of a `Link` header.
    ///
    /// ```
    /// use tradepost_sdk::prelude::*;
    /// use tradepost_sdk::testing::Reply;
    ///
    /// let reply = Reply::status(200).header("link", r#"<https://a.example/?p=1>; rel="prev", </?p=3>; rel=next"#);
    /// let response = Response { response: reply.response("https://a.example/?p=2"), unsafe_request: false };
    /// assert_eq!(response.link("next").as_deref(), Some("https://a.example/?p=3"));
    /// assert_eq!(response.link("last"), None);
    /// ```
    #[must_use]
    pub fn link(&self, rel: &str) -> Option<String> {
        let mut headers = self.response.headers.iter().filter(|header| header.name == "link");
        let target = headers.find_map(|header| crate::paging::link(&header.value, rel))?;
        Some(crate::paging::absolute(&self.response.url, &target))
    }

    /// The answer if its status is 2xx, else the error that the status means for a REST platform:
    ///
    /// | status | error |
    /// |---|---|
    /// | 401, 403 | `auth` |
    /// | 404, 410 | `not-found` |
    /// | 409, 412 | `conflict` with the `ETag` as the current version; the words go to the log |
    /// | 429 | `throttled` for what `Retry-After` says in seconds or as a date, else 60 s |
    /// | other 4xx | `rejected`, with an issue per field where the answer names fields |
    /// | 5xx, 408 | `unavailable` for a read; `timeout` for a write, because the work may have been done |
    /// | 3xx | `rejected`: the host follows what may be followed |
    ///
    /// The platform's own words are kept; of an HTML page just its text, shortened.
    ///
    /// ```
    /// use tradepost_sdk::prelude::*;
    /// use tradepost_sdk::testing::Reply;
    /// use serde_json::json;
    ///
    /// let judged = |reply: Reply, unsafe_request| {
    ///     Response { response: reply.response("https://shop.example"), unsafe_request }.success().unwrap_err()
    /// };
    /// let wrong = json!({"message": "Invalid.", "errors": {"sku": ["The SKU is taken."]}});
    /// let Error::Rejected(issues) = judged(Reply::json(&wrong).with_status(422), true) else { panic!() };
    /// assert_eq!((issues[0].path.as_str(), issues[0].message.as_str()), ("sku", "The SKU is taken."));
    ///
    /// assert!(matches!(judged(Reply::status(429).header("retry-after", "7"), true), Error::Throttled(7)));
    ///
    /// let page = Reply::text("text/html", "<html><h1>Bad gateway</h1><p>nginx</p></html>").with_status(502);
    /// assert!(matches!(judged(page.clone(), false), Error::Unavailable(words) if words == "HTTP 502: Bad gateway nginx"));
    /// assert!(matches!(judged(page, true), Error::Timeout(_)), "a write may have been done");
    /// ```
    ///
    /// # Errors
    /// As above.
    pub fn success(self) -> Result<Self, Error> {
        match judge::judge(&self) {
            None => Ok(self),
            Some(error) => Err(error),
        }
    }

    /// The body as JSON.
    ///
    /// ```
    /// use tradepost_sdk::prelude::*;
    /// use tradepost_sdk::testing::Reply;
    ///
    /// let reply = Reply::text("text/html", "<html>Please log in</html>");
    /// let response = Response { response: reply.response("https://shop.example"), unsafe_request: false };
    /// let Err(Error::Unavailable(words)) = response.json::<u32>() else { panic!() };
    /// assert!(words.ends_with("Please log in"), "{words}");
    /// ```
    ///
    /// # Errors
    /// An answer that is not the expected JSON says nothing about a write: `timeout` then, `unavailable` for a read.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(self.bytes()).map_err(|error| self.unreadable(&error))
    }

    /// The body as XML.
    ///
    /// ```
    /// use tradepost_sdk::prelude::*;
    /// use tradepost_sdk::testing::Reply;
    ///
    /// #[derive(Debug, PartialEq, serde::Deserialize)]
    /// struct Stock { #[serde(rename = "item", default)] items: Vec<Item> }
    /// #[derive(Debug, PartialEq, serde::Deserialize)]
    /// struct Item { #[serde(rename = "@sku")] sku: String, #[serde(rename = "$text")] quantity: u32 }
    ///
    /// let reply = Reply::text("application/xml", r#"<stock><item sku="A">4</item><item sku="B">0</item></stock>"#);
    /// let response = Response { response: reply.response("https://erp.example"), unsafe_request: false };
    /// assert_eq!(response.xml::<Stock>().unwrap().items[0], Item { sku: "A".into(), quantity: 4 });
    /// ```
    ///
    /// # Errors
    /// As [`Response::json`].
    #[cfg(feature = "xml")]
    pub fn xml<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let text = self.text()?;
        quick_xml::de::from_str(&text).map_err(|error| self.unreadable(&error))
    }

    /// The body as text: in the character set that the answer names (feature `charset`), else in UTF-8.
    ///
    /// ```
    /// use tradepost_sdk::prelude::*;
    /// use tradepost_sdk::testing::Reply;
    ///
    /// let reply = Reply::text("text/csv; charset=windows-1252", b"K\xF6ln".to_vec());
    /// let response = Response { response: reply.response("https://erp.example"), unsafe_request: false };
    /// assert_eq!(response.text().unwrap(), "Köln");
    /// ```
    ///
    /// # Errors
    /// As [`Response::json`], for bytes that are no text in that character set.
    pub fn text(&self) -> Result<String, Error> {
        #[cfg(feature = "charset")]
        if let Some(label) = crate::charset::named(self.header("content-type"), self.bytes()) {
            return crate::charset::decode(self.bytes(), &label)
                .map_err(|error| self.unreadable(&crate::words(&error)));
        }
        let bytes = self.bytes().strip_prefix(b"\xEF\xBB\xBF").unwrap_or(self.bytes());
        std::str::from_utf8(bytes).map(Into::into).map_err(|error| self.unreadable(&error))
    }

    /// An answer that says nothing.
    fn unreadable(&self, error: &dyn std::fmt::Display) -> Error {
        let words = format!("unreadable answer ({error}): {}", quoted(self.bytes()));
        if self.unsafe_request { Error::Timeout(words) } else { Error::Unavailable(words) }
    }
}
