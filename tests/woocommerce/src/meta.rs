//! `meta_data`: free fields of an object, each with a number, updated by number or by key.

use serde_json::{Value, json};

use crate::{
    schema::Kind,
    state::{Body, State},
};

pub(crate) const META: Kind =
    Kind::List(&Kind::Object(&[("id", Kind::Int), ("key", Kind::Text), ("value", Kind::Any)]));

/// Applies the given rows to the stored ones: a row with a known `id` is that row, one without is the
/// row with its key or a new one; a null value removes the row.
pub(crate) fn apply(state: &mut State, body: &mut Body, given: &Value) {
    let mut rows = match body.remove("meta_data") {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    };
    for row in given.as_array().into_iter().flatten() {
        let id = row["id"].as_u64().filter(|id| *id != 0);
        let key = row["key"].as_str();
        let value = row.get("value");
        let found = match id {
            Some(id) => rows.iter().position(|r| r["id"] == id),
            None => key.and_then(|key| rows.iter().position(|r| r["key"] == key)),
        };
        match (found, value) {
            (Some(at), Some(Value::Null)) => {
                rows.remove(at);
            }
            (Some(at), value) => {
                if let Some(key) = key {
                    rows[at]["key"] = key.into();
                }
                if let Some(value) = value {
                    rows[at]["value"] = stored(value);
                }
            }
            (None, Some(Value::Null) | None) => {}
            (None, Some(value)) => {
                if let Some(key) = key.filter(|key| !key.is_empty()) {
                    let id = state.meta_id();
                    rows.push(json!({"id": id, "key": key, "value": stored(value)}));
                }
            }
        }
    }
    body.insert("meta_data".to_owned(), rows.into());
}

/// WordPress keeps single values as text.
fn stored(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.to_string().into(),
        Value::Bool(true) => "1".into(),
        Value::Bool(false) => "".into(),
        other => other.clone(),
    }
}
