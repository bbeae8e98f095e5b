//! What every request passes first: an id, the name under which we were reached, the token.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Api;
use super::error::{Problem, REQUEST};
use crate::config::MetricsAccess;

/// Refuses who was led here by a foreign name (DNS rebinding) or has no token.
pub(super) async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let id = request_id();
    let shown = HeaderValue::from_str(&id).ok();
    let mut response = REQUEST
        .scope(id, async move {
            if !loopback(request.headers()) {
                return Problem::wrong_host().into_response();
            }
            if let Err(problem) = admit(&api, request.uri().path(), request.headers()) {
                return problem.into_response();
            }
            next.run(request).await
        })
        .await;
    if let Some(id) = shown {
        response.headers_mut().insert("x-request-id", id);
    }
    // Answers hold business data: nothing on the way keeps them.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whether somebody may ask this. Health is no secret, and says words that are always the same.
fn admit(api: &Api, path: &str, headers: &HeaderMap) -> Result<(), Problem> {
    let service = &api.service;
    let owner = || has_token(headers, service.token().expose());
    match path {
        "/healthz" | "/readyz" => Ok(()),
        "/metrics" => match service.config().metrics {
            MetricsAccess::Off => Err(Problem::metrics_off()),
            MetricsAccess::Open => Ok(()),
            MetricsAccess::Token if owner() || has_token(headers, service.metrics_token().expose()) => Ok(()),
            MetricsAccess::Token => Err(Problem::no_metrics_token()),
        },
        _ if owner() => Ok(()),
        _ => Err(Problem::no_token()),
    }
}

fn request_id() -> String {
    let mut bytes = [0; 8];
    // Without random numbers requests only lose their names in the log.
    let _ = getrandom::fill(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}

/// Whether the one `Host` is a name of this machine's loopback.
fn loopback(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) if port.is_empty() || port.starts_with(':') => name,
            _ => return false,
        },
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn has_token(headers: &HeaderMap, token: &str) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|given| same(given.trim(), token))
}

/// Compares in a time that does not tell where they differ: hashes are compared, and whoever guesses does not choose them.
fn same(given: &str, token: &str) -> bool {
    !token.is_empty() && blake3::hash(given.as_bytes()) == blake3::hash(token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_hosts() {
        for (host, expected) in [
            ("127.0.0.1:8484", true),
            ("127.0.0.1", true),
            ("localhost:8484", true),
            ("[::1]:8484", true),
            ("evil.example:8484", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("[::1]evil", false),
            ("192.168.0.1:8484", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            assert_eq!(loopback(&headers), expected, "{host}");
        }
        assert!(!loopback(&HeaderMap::new()));
    }

    #[test]
    fn the_token_must_be_the_whole_token() {
        for (value, expected) in
            [("Bearer abc", true), ("Bearer ab", false), ("abc", false), ("Bearer ", false), ("Basic abc", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            assert_eq!(has_token(&headers, "abc"), expected, "{value}");
            assert!(!has_token(&headers, ""), "{value}");
        }
    }
}
