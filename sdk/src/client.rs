//! A platform's API as a connector talks to it.

use crate::Request;
use crate::types::Field;

/// An API with its address, its credential and what every request to it carries.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::testing::{FakeHost, Reply};
///
/// let api = Http::new("https://shop.example/api/v2/").credential("token").header("x-version", "7");
///
/// let host = FakeHost::new().http(|request| {
///     assert_eq!(request.url, "https://shop.example/api/v2/products?page=2&q=tea%20pot");
///     assert_eq!(request.credential.as_deref(), Some("token"));
///     Ok(Reply::json(&["Tea pot"]))
/// });
/// let names: Vec<String> =
///     host.run(|| api.get("/products").query("page", 2).query("q", "tea pot").read()).unwrap();
/// assert_eq!(names, ["Tea pot"]);
/// ```
#[derive(Debug, Clone)]
pub struct Http {
    base: String,
    credential: Option<String>,
    rate: Option<String>,
    headers: Vec<Field>,
}

impl Http {
    /// The API below an address.
    #[must_use]
    pub fn new(base: impl Into<String>) -> Self {
        let mut base = base.into();
        base.truncate(base.trim_end_matches('/').len());
        Self { base, credential: None, rate: None, headers: Vec::new() }
    }

    /// The credential that the host places on every request.
    #[must_use]
    pub fn credential(mut self, name: impl AsRef<str>) -> Self {
        self.credential = Some(name.as_ref().into());
        self
    }

    /// The declared rate of its requests.
    #[must_use]
    pub fn rate(mut self, name: &str) -> Self {
        self.rate = Some(name.into());
        self
    }

    /// A header of every request.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(Field::new(name, value));
        self
    }

    /// The address without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A read.
    #[must_use]
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// Makes something.
    #[must_use]
    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    /// Replaces something.
    #[must_use]
    pub fn put(&self, path: &str) -> Request {
        self.request("PUT", path)
    }

    /// Changes something.
    #[must_use]
    pub fn patch(&self, path: &str) -> Request {
        self.request("PATCH", path)
    }

    /// Deletes something.
    #[must_use]
    pub fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    /// A request of any method to a path below the address, or to a whole address.
    #[must_use]
    pub fn request(&self, method: &str, path: &str) -> Request {
        let whole = path.starts_with("https://") || path.starts_with("http://");
        let url = match path {
            _ if whole => path.into(),
            "" => self.base.clone(),
            path if path.starts_with(['/', '?']) => format!("{}{path}", self.base),
            path => format!("{}/{path}", self.base),
        };
        let mut request = Request::new(method, url);
        request.0.headers.extend(self.headers.iter().cloned());
        request.0.credential.clone_from(&self.credential);
        request.0.rate.clone_from(&self.rate);
        request
    }
}
