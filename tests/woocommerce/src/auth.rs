//! Who may ask: a consumer key with its secret, in the header or in the query.

use axum::http::{HeaderMap, Method, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{error::ApiError, state::Body};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Permission {
    Read,
    Write,
    #[default]
    ReadWrite,
}

#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) permission: Permission,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("permission", &self.permission).finish_non_exhaustive()
    }
}

/// Checks key and secret and takes them out of the query.
pub(crate) fn check(keys: &Keys, headers: &HeaderMap, query: &mut Body, method: &Method) -> Result<(), ApiError> {
    let of_query = |query: &mut Body, name: &str| match query.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let in_query = of_query(query, "consumer_key").zip(of_query(query, "consumer_secret"));
    let in_header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(basic);
    let Some((key, secret)) = in_header.or(in_query) else {
        let message = "Sorry, you are not allowed to use this resource.";
        return Err(ApiError::new(401, "woocommerce_rest_cannot_view", message));
    };
    let refused = |message: &str| Err(ApiError::new(401, "woocommerce_rest_authentication_error", message));
    if key != keys.key {
        return refused("Consumer key is invalid.");
    }
    if secret != keys.secret {
        return refused("Consumer secret is invalid.");
    }
    let reads = method == Method::GET || method == Method::HEAD;
    match keys.permission {
        Permission::Read if !reads => refused("The API key provided does not have write permissions."),
        Permission::Write if reads => refused("The API key provided does not have read permissions."),
        _ => Ok(()),
    }
}

fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (key, secret) = text.split_once(':')?;
    Some((key.to_owned(), secret.to_owned()))
}
