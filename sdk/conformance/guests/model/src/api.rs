//! The shop's HTTP.

use serde_json::Value;
use tradepost_sdk::types::Error;
use tradepost_sdk::{Request, Response, platform};

use crate::flaw::breaks;

/// A setting of the platform.
pub(crate) fn setting(name: &str) -> Option<String> {
    let settings: Value = serde_json::from_str(&platform::settings()).unwrap_or_default();
    settings[name].as_str().map(str::to_owned)
}

/// A read.
///
/// # Errors
/// What the answer means.
pub(crate) fn get(path: &str) -> Result<Value, Error> {
    send(Request::get(address(path)), What::Read)
}

/// A write; the shop does it once per item key.
///
/// # Errors
/// What the answer means: `timeout` wherever it may have been done.
pub(crate) fn post(path: &str, body: &Value) -> Result<Value, Error> {
    let makes = body["items"].as_array().into_iter().flatten().any(|item| item["id"].is_null());
    send(Request::new("POST", address(path)).json(body), if makes { What::Make } else { What::Change })
}

fn address(path: &str) -> String {
    format!("{}{path}", setting("url").unwrap_or_default().trim_end_matches('/'))
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Read,
    Change,
    Make,
}

fn send(request: Request, what: What) -> Result<Value, Error> {
    let url = request.0.url.clone();
    let answer = request.credential("login").send();
    if let Some(wrong) = misread(&answer, what).or_else(|| misread_there(&answer, &url)) {
        return wrong;
    }
    answer?.success()?.json()
}

/// What a connector makes of an answer that judges it wrongly. The sound one never comes here.
fn misread(answer: &Result<Response, Error>, what: What) -> Option<Result<Value, Error>> {
    let nothing = || Some(Ok(Value::Null));
    let response = match answer {
        Err(Error::Throttled(_)) if breaks("throttled-with-wait") => return Some(Err(Error::Throttled(1))),
        Err(Error::Timeout(words)) => {
            let slow = words.contains("in time");
            return match (slow, what) {
                (true, What::Read) if breaks("slow-answer") => nothing(),
                (false, What::Read) if breaks("connection-cut-before-work") => nothing(),
                (false, What::Change) if breaks("connection-cut-after-work") => {
                    Some(Err(Error::Unavailable("the shop is away".into())))
                }
                (false, What::Make) if breaks("lost-answer-makes-no-second-object:says-not-done") => {
                    Some(Err(Error::Unavailable("the shop is away".into())))
                }
                _ => None,
            };
        }
        Err(_) => return None,
        Ok(response) => response,
    };
    let html = response.header("content-type").is_some_and(|kind| kind.contains("html"));
    let body = response.bytes();
    match response.response.status {
        429 if response.header("retry-after").is_some() && breaks("throttled-with-wait") => {
            Some(Err(Error::Throttled(1)))
        }
        429 if response.header("retry-after").is_none() && breaks("throttled-without-wait") => {
            Some(Err(Error::Bug("status 429".into())))
        }
        401 if breaks("credentials-refused-mid-run") => Some(Err(Error::Unavailable("the shop is away".into()))),
        500 if breaks("server-error") => Some(Err(tradepost_sdk::rejected("500", "server error"))),
        502 if breaks("error-page") => Some(Err(Error::Bug("expected value at line 1 column 1".into()))),
        300..=399 if breaks("redirect") => nothing(),
        200 if body.is_empty() && breaks("empty-body") => nothing(),
        200 if body == b"{}" && breaks("empty-object") => nothing(),
        200 if html && breaks("wrong-content-type") => nothing(),
        200 if !html && !body.is_empty() && breaks("invalid-json") => {
            Some(Ok(serde_json::from_slice(body).unwrap_or_default()))
        }
        _ => None,
    }
}

/// What it makes of one answer, where it judges all others rightly.
fn misread_there(answer: &Result<Response, Error>, url: &str) -> Option<Result<Value, Error>> {
    let response = answer.as_ref().ok()?;
    let html = response.header("content-type").is_some_and(|kind| kind.contains("html"));
    let nothing = match response.response.status {
        401 if url.contains("/orders?") && breaks("credentials-refused-mid-run:orders") => {
            return Some(Err(Error::Unavailable("the shop is away".into())));
        }
        500 => url.contains("/orders?") && breaks("server-error:orders"),
        502 => url.contains("/products?") && url.contains("&after=") && breaks("error-page:next-page"),
        200 if html => url.ends_with("/batch/stock") && breaks("wrong-content-type:stock"),
        200 if response.bytes() == b"{}" => url.ends_with("/account") && breaks("empty-object:second-read"),
        _ => false,
    };
    nothing.then_some(Ok(Value::Null))
}
