//! One request, taken apart, and the answer to it.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    error::ApiError,
    schema::{self, Arg},
    state::{Body, State, Upload},
};

/// A request below the namespace.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Path below `/wp-json/wc/v3`, with a slash at the front and none at the end.
    pub(crate) path: String,
    pub(crate) query: Body,
    pub(crate) body: Body,
    /// Where links in the answer begin: scheme, host and namespace.
    pub(crate) base: String,
    /// Pictures fetched for this request, by address; `None` where that failed.
    pub(crate) pictures: Arc<HashMap<String, Option<Upload>>>,
}

impl Call {
    /// The checked query of a list or item.
    pub(crate) fn query(&self, args: &[Arg]) -> Result<Body, ApiError> {
        schema::check(args, &self.query).map(|(clean, _)| clean)
    }

    /// The checked body; what has no effect is noted for the journal.
    pub(crate) fn body(&self, state: &mut State, args: &[Arg]) -> Result<Body, ApiError> {
        let (clean, ignored) = schema::check(args, &self.body)?;
        state.ignored = ignored;
        Ok(clean)
    }

    pub(crate) fn is_read(&self) -> bool {
        self.method == "GET" || self.method == "HEAD"
    }
}

/// An answer with a status of success.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) json: Value,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(crate) fn ok(json: impl Into<Value>) -> Self {
        Self { status: 200, json: json.into(), headers: Vec::new() }
    }

    pub(crate) fn created(json: impl Into<Value>) -> Self {
        Self { status: 201, json: json.into(), headers: Vec::new() }
    }
}

pub(crate) type Answer = Result<Reply, ApiError>;

/// Reads a query the way PHP does: `a[]=1&a[]=2` and `a[k]=1` are lists, of two equal names the last counts.
pub(crate) fn parse_query(text: &str) -> Body {
    let mut query = Map::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        match name.split_once('[') {
            Some((name, _)) => match query.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(items) => items.push(value.into_owned().into()),
                other => *other = Value::Array(vec![value.into_owned().into()]),
            },
            None => {
                query.insert(name.into_owned(), value.into_owned().into());
            }
        }
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_lists_as_php_does() {
        let query = parse_query("include[]=1&include[]=2&status=any&status=trash&sku=A%2BB");
        assert_eq!(Value::from(query), json!({"include": ["1", "2"], "status": "trash", "sku": "A+B"}));
    }
}
