//! Answers of a platform that is not there.

use serde::Serialize;

use crate::http::{Answer, Response};
use crate::types::Field;

/// An answer for a closure to give.
///
/// ```
/// use tradepost_sdk::testing::Reply;
///
/// let reply = Reply::json(&["Tea pot"]).header("link", "<https://shop.example/?page=2>; rel=\"next\"");
/// assert_eq!(reply.response("https://shop.example/").status, 200);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Reply {
    status: u16,
    headers: Vec<Field>,
    body: Vec<u8>,
}

impl Reply {
    /// A status with an empty body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// 200 with a JSON body.
    ///
    /// # Panics
    /// For what is no JSON: maps without text keys.
    #[must_use]
    pub fn json(body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("a test answers with what is JSON");
        Self::status(200).header("content-type", "application/json").body(body)
    }

    /// 200 with a text of some media type.
    #[must_use]
    pub fn text(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).header("content-type", media_type).body(body)
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With a header; names become lower case, as the host gives them.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(Field::new(name.to_lowercase(), value));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The answer as the host hands it over.
    #[must_use]
    pub fn response(self, url: &str) -> Response {
        Response { status: self.status, headers: self.headers, body: Answer::Bytes(self.body), url: url.into() }
    }
}
