//! What a status means.

use super::Response;
use super::told::Told;
use crate::types::{Error, Issue};

/// Seconds of rest where the platform does not say.
const REST: u32 = 60;

/// The error of an answer that is no success.
pub(super) fn judge(response: &Response) -> Option<Error> {
    let status = response.status();
    let told = || Told::of(response.header("content-type"), response.bytes());
    let words = || match told().message {
        message if message.is_empty() => format!("HTTP {status}"),
        message => format!("HTTP {status}: {message}"),
    };
    Some(match status {
        200..=299 => return None,
        // Often what a write that was done answers; 307 and 308 ask for the same write somewhere else.
        301..=303 if response.unsafe_request => Error::Timeout(words()),
        300..=399 => {
            let to = response.header("location").unwrap_or("another address");
            issue(status, format!("HTTP {status}: the platform points to {to}; check the address in the settings"))
        }
        401 | 403 => Error::Auth(words()),
        404 | 410 => Error::NotFound(words()),
        409 | 412 => {
            // The error has room for a version and for no words.
            crate::report::info(&words());
            Error::Conflict(response.header("etag").map(str::to_owned))
        }
        429 => Error::Throttled(rest(response)),
        400..=499 if status != 408 => {
            let told = told();
            let code = told.code.clone().unwrap_or_else(|| status.to_string());
            match told.issues {
                issues if issues.is_empty() => {
                    Error::Rejected(vec![Issue { path: String::new(), code: Some(code), message: words() }])
                }
                mut issues => {
                    for issue in issues.iter_mut().filter(|issue| issue.code.is_none()) {
                        issue.code = Some(code.clone());
                    }
                    Error::Rejected(issues)
                }
            }
        }
        _ if response.unsafe_request => Error::Timeout(words()),
        _ => Error::Unavailable(words()),
    })
}

fn issue(status: u16, message: String) -> Error {
    Error::Rejected(vec![Issue { path: String::new(), code: Some(status.to_string()), message }])
}

/// What `Retry-After` says: seconds, or a time by the platform's own clock.
fn rest(response: &Response) -> u32 {
    let Some(text) = response.header("retry-after").map(str::trim) else { return REST };
    // Some platforms send fractions.
    let whole = text.split('.').next().unwrap_or_default();
    if let Ok(seconds) = whole.parse::<u32>() {
        return if whole.len() < text.len() { seconds.saturating_add(1) } else { seconds };
    }
    let until = crate::time::http_seconds(text);
    let date = response.header("date").and_then(crate::time::http_seconds);
    match (until, date.or_else(|| crate::time::contract_seconds(&crate::platform::now()))) {
        (Some(until), Some(now)) => u32::try_from((until - now).max(1)).unwrap_or(REST),
        _ => REST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeHost, Reply};

    fn judged(reply: Reply, unsafe_request: bool) -> Error {
        judge(&Response { response: reply.response("https://shop.example"), unsafe_request }).unwrap()
    }

    #[test]
    fn each_status_means_one_thing() {
        let error = |status, unsafe_request| judged(Reply::status(status), unsafe_request);
        for status in [401, 403] {
            assert!(matches!(error(status, true), Error::Auth(_)));
        }
        for status in [404, 410] {
            assert!(matches!(error(status, false), Error::NotFound(_)));
        }
        for status in [409, 412] {
            let (plain, tagged) = (Reply::status(status), Reply::status(status).header("etag", "\"v7\""));
            let judged = |reply: Reply| FakeHost::new().run(|| judged(reply, true));
            assert!(matches!(judged(plain), Error::Conflict(None)), "words are no version");
            assert!(matches!(judged(tagged), Error::Conflict(Some(version)) if version == "\"v7\""));
        }
        for status in [400, 405, 413, 415, 422, 451] {
            assert!(matches!(error(status, true), Error::Rejected(_)));
        }
        for status in [408, 500, 502, 503, 504, 599] {
            assert!(matches!(error(status, false), Error::Unavailable(_)));
            assert!(matches!(error(status, true), Error::Timeout(_)), "may have been done");
        }
        assert!(matches!(error(302, false), Error::Rejected(_)));
        for status in [301, 302, 303] {
            assert!(matches!(error(status, true), Error::Timeout(_)), "post, redirect, get");
        }
        assert!(matches!(error(307, true), Error::Rejected(_)));
    }

    #[test]
    fn a_rest_is_said_in_seconds_or_as_a_date() {
        let rest = |value: &str| {
            let reply = Reply::status(429).header("retry-after", value).header("date", "Sun, 22 Nov 2026 08:00:00 GMT");
            judged(reply, true)
        };
        assert_eq!(rest("120"), Error::Throttled(120));
        assert_eq!(rest("1.5"), Error::Throttled(2));
        assert_eq!(rest("Sun, 22 Nov 2026 08:01:30 GMT"), Error::Throttled(90));
        assert_eq!(rest("Sun, 22 Nov 2026 07:00:00 GMT"), Error::Throttled(1), "it is over");
        assert_eq!(rest("soon"), Error::Throttled(60));
        assert_eq!(judged(Reply::status(429), true), Error::Throttled(60));
        let by_our_clock = Reply::status(429).header("retry-after", "Sun, 22 Nov 2026 12:00:30 GMT");
        assert_eq!(FakeHost::new().run(|| judged(by_our_clock, true)), Error::Throttled(30));
    }
}
