//! Tells a request that reads from one that writes, by the contract of each server and not by the method alone.

mod graphql;

use serde_json::Value;

/// What a request does to the server it is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Leaves everything as it is.
    Read,
    /// Opens or closes a session; changes nothing a merchant would see.
    Session,
    /// Changes data; the text names what.
    Write(String),
}

/// Whose contract a request is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Vendure,
    Tryton,
    /// Any other REST interface, judged by the method.
    Rest,
}

/// Judges one request. What cannot be understood counts as a write: an unknown must never make "0 writes" true.
#[must_use]
pub fn classify(server: Server, method: &str, path: &str, content_type: &str, body: &[u8]) -> Effect {
    match server {
        Server::Vendure => vendure(method, path, content_type, body),
        Server::Tryton => tryton(method, path, body),
        Server::Rest if matches!(method, "GET" | "HEAD" | "OPTIONS") => Effect::Read,
        Server::Rest => Effect::Write(format!("{method} {path}")),
    }
}

fn vendure(method: &str, path: &str, content_type: &str, body: &[u8]) -> Effect {
    if matches!(method, "GET" | "HEAD" | "OPTIONS") {
        return Effect::Read;
    }
    if content_type.starts_with("multipart/form-data") {
        return match graphql::operations_part(body) {
            Some(operations) => graphql_body(&operations),
            None => Effect::Write(format!("{method} {path} (multipart without operations)")),
        };
    }
    graphql_body(body)
}

fn graphql_body(body: &[u8]) -> Effect {
    let Ok(parsed) = serde_json::from_slice::<Value>(body) else {
        return Effect::Write("unreadable GraphQL body".to_owned());
    };
    let requests = match parsed {
        Value::Array(list) => list,
        one => vec![one],
    };
    let mut effect = Effect::Read;
    for request in &requests {
        let Some(query) = request["query"].as_str() else {
            return Effect::Write("GraphQL body without query".to_owned());
        };
        let fields = graphql::mutated_fields(query, request["operationName"].as_str());
        if fields.is_empty() {
            continue;
        }
        if fields.iter().all(|f| matches!(f.as_str(), "login" | "authenticate" | "logout")) {
            if effect == Effect::Read {
                effect = Effect::Session;
            }
            continue;
        }
        return Effect::Write(fields.join(", "));
    }
    effect
}

fn tryton(method: &str, path: &str, body: &[u8]) -> Effect {
    if matches!(method, "GET" | "HEAD" | "OPTIONS") {
        return Effect::Read;
    }
    let path = path.split('?').next().unwrap_or(path);
    if !path.contains("/rest/") {
        if let Ok(call) = serde_json::from_slice::<Value>(body)
            && let Some(name) = call["method"].as_str()
        {
            return rpc(name);
        }
        if path.ends_with("/session/login") || path.ends_with("/session/logout") {
            return Effect::Session;
        }
    }
    Effect::Write(format!("{method} {path}"))
}

/// JSON-RPC methods end in what they do: `model.product.product.search_read`, `model.sale.sale.quote`.
fn rpc(name: &str) -> Effect {
    if matches!(name, "common.db.login" | "common.db.logout") {
        return Effect::Session;
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    let reads = [
        "search",
        "search_read",
        "search_count",
        "read",
        "fields_get",
        "default_get",
        "get_preferences",
        "version",
        "list",
        "listMethods",
        "fields_view_get",
        "export_data",
    ];
    if reads.contains(&last) { Effect::Read } else { Effect::Write(name.to_owned()) }
}

#[cfg(test)]
mod tests;
