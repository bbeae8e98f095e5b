//! Requests and answers as they cross the contract. Connectors build them with [`Http`](crate::Http) and
//! [`Request`](crate::Request).

use crate::lent::lent;
use crate::types::Error;

pub use crate::bindings::powers::tradepost::connector::http::{
    Answer, Body, Part, PartContent, Repeat, Request, Response,
};

/// Sends a request to a granted origin. Any status is an answer.
///
/// ```
/// use tradepost_sdk::testing::{FakeHost, Reply};
/// use tradepost_sdk::{Request, http};
///
/// let host = FakeHost::new().http(|_| Ok(Reply::status(404)));
/// let answer = host.run(|| http::send(&Request::get("https://shop.example").0)).unwrap();
/// assert_eq!(answer.status, 404);
/// ```
///
/// # Errors
/// `denied` (grant, address, size), `throttled`, `unavailable` (no connection: nothing was done), `timeout` (sent, no
/// complete answer), `auth` (log-in refused).
pub fn send(request: &Request) -> Result<Response, Error> {
    lent!(http::send, send(request))
}

/// Sends at most 32 requests side by side; answers come in order.
///
/// ```
/// use tradepost_sdk::testing::{FakeHost, Reply};
/// use tradepost_sdk::{Request, http};
///
/// let host = FakeHost::new().http(|request| Ok(Reply::json(&request.url)));
/// let requests = ["https://shop.example/1", "https://shop.example/2"].map(|url| Request::get(url).0);
/// let answers = host.run(|| http::send_all(&requests));
/// assert_eq!(answers[1].as_ref().unwrap().url, "https://shop.example/2");
/// ```
#[must_use]
pub fn send_all(requests: &[Request]) -> Vec<Result<Response, Error>> {
    lent!(http::send_all, send_all(requests))
}
