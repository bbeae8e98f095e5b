//! Types of request parameters, and the check WordPress runs over them before a route sees them.
//!
//! What a table does not list is ignored by WordPress, read-only fields included. The names of such
//! fields are collected, so that a test can insist that a client sends nothing that has no effect.

use serde_json::{Map, Value, json};

use crate::error::{ApiError, Refused};

/// What a parameter may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    TextOrNull,
    Int,
    /// A whole number with bounds, both inclusive.
    Range(i64, i64),
    AtLeast(i64),
    IntOrNull,
    Bool,
    /// `true`, `false` or the word `parent` (a variation's `manage_stock`).
    BoolOrText,
    OneOf(&'static [&'static str]),
    List(&'static Kind),
    Object(&'static [Arg]),
    /// An ISO 8601 date with time.
    Time,
    Email,
    Any,
    /// Listed by the vendor as read-only: accepted and without effect.
    ReadOnly,
}

pub(crate) type Arg = (&'static str, Kind);

/// Checks and converts the members of `given` that `args` lists.
/// The second value names what was sent and has no effect.
pub(crate) fn check(args: &[Arg], given: &Map<String, Value>) -> Result<(Map<String, Value>, Vec<String>), ApiError> {
    let mut clean = Map::new();
    let mut ignored = Vec::new();
    let mut refused = Vec::new();
    for (name, value) in given {
        match args.iter().find(|(known, _)| known == name) {
            None | Some((_, Kind::ReadOnly)) => ignored.push(name.clone()),
            Some((_, kind)) => match convert(kind, value, name, &mut ignored) {
                Ok(value) => {
                    clean.insert(name.clone(), value);
                }
                Err((code, reason)) => refused.push(Refused { param: name.clone(), code, reason }),
            },
        }
    }
    if refused.is_empty() { Ok((clean, ignored)) } else { Err(ApiError::invalid_params(refused)) }
}

type Wrong = (&'static str, String);

fn wrong_type(path: &str, kind: &str) -> Wrong {
    ("rest_invalid_type", format!("{path} is not of type {kind}."))
}

fn convert(kind: &Kind, value: &Value, path: &str, ignored: &mut Vec<String>) -> Result<Value, Wrong> {
    match kind {
        Kind::Any => Ok(value.clone()),
        Kind::ReadOnly => Ok(Value::Null),
        Kind::Text => text(value, path),
        Kind::TextOrNull if value.is_null() => Ok(Value::Null),
        Kind::TextOrNull => text(value, path).map_err(|_| wrong_type(path, "null,string")),
        Kind::Int => integer(value).map(Value::from).ok_or_else(|| wrong_type(path, "integer")),
        Kind::IntOrNull if value.is_null() => Ok(Value::Null),
        Kind::IntOrNull => integer(value).map(Value::from).ok_or_else(|| wrong_type(path, "integer,null")),
        Kind::Range(low, high) => {
            let number = integer(value).ok_or_else(|| wrong_type(path, "integer"))?;
            if (*low..=*high).contains(&number) {
                return Ok(number.into());
            }
            let reason = format!("{path} must be between {low} (inclusive) and {high} (inclusive)");
            Err(("rest_out_of_bounds", reason))
        }
        Kind::AtLeast(low) => {
            let number = integer(value).ok_or_else(|| wrong_type(path, "integer"))?;
            if number >= *low {
                return Ok(number.into());
            }
            Err(("rest_out_of_bounds", format!("{path} must be greater than or equal to {low}")))
        }
        Kind::Bool => boolean(value).map(Value::from).ok_or_else(|| wrong_type(path, "boolean")),
        Kind::BoolOrText if value == "parent" => Ok(json!("parent")),
        Kind::BoolOrText => boolean(value).map(Value::from).ok_or_else(|| wrong_type(path, "boolean,string")),
        Kind::OneOf(allowed) => {
            let word = text(value, path)?;
            if allowed.iter().any(|a| word == *a) {
                return Ok(word);
            }
            Err(("rest_not_in_enum", format!("{path} is not one of {}.", allowed.join(", "))))
        }
        Kind::List(inner) => list(value)
            .ok_or_else(|| wrong_type(path, "array"))?
            .iter()
            .enumerate()
            .map(|(index, item)| convert(inner, item, &format!("{path}[{index}]"), ignored))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::from),
        Kind::Object(args) => object(args, value, path, ignored),
        Kind::Time => {
            let word = text(value, path)?;
            let readable = word.as_str().is_some_and(|w| crate::clock::Given::parse(w).is_some());
            if readable { Ok(word) } else { Err(("rest_invalid_date", "Invalid date.".to_owned())) }
        }
        Kind::Email => {
            let word = text(value, path)?;
            let good = word.as_str().is_some_and(is_email);
            if good { Ok(word) } else { Err(("rest_invalid_email", "Invalid email address.".to_owned())) }
        }
    }
}

fn object(args: &[Arg], value: &Value, path: &str, ignored: &mut Vec<String>) -> Result<Value, Wrong> {
    let empty = Map::new();
    let members = match value {
        Value::Object(members) => members,
        // PHP writes an empty object as an empty list or an empty text.
        Value::Array(items) if items.is_empty() => &empty,
        Value::String(text) if text.is_empty() => &empty,
        _ => return Err(wrong_type(path, "object")),
    };
    let mut clean = Map::new();
    for (name, value) in members {
        let here = format!("{path}[{name}]");
        match args.iter().find(|(known, _)| known == name) {
            None | Some((_, Kind::ReadOnly)) => ignored.push(here),
            Some((_, kind)) => {
                clean.insert(name.clone(), convert(kind, value, &here, ignored)?);
            }
        }
    }
    Ok(clean.into())
}

fn text(value: &Value, path: &str) -> Result<Value, Wrong> {
    if value.is_string() { Ok(value.clone()) } else { Err(wrong_type(path, "string")) }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            number.as_i64().or_else(|| number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e15).map(|f| f as i64))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A list, or what WordPress reads as one: words separated by commas or spaces.
fn list(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items.clone()),
        Value::String(text) => {
            Some(text.split([',', ' ', '\t', '\n']).filter(|w| !w.is_empty()).map(Value::from).collect())
        }
        Value::Number(_) => Some(vec![value.clone()]),
        _ => None,
    }
}

pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    !local.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !text.contains(|c: char| c.is_whitespace() || c == ',')
        && !domain.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARGS: &[Arg] = &[
        ("per_page", Kind::Range(1, 100)),
        ("include", Kind::List(&Kind::Int)),
        ("price", Kind::Text),
        ("flag", Kind::Bool),
        ("total", Kind::ReadOnly),
        ("lines", Kind::List(&Kind::Object(&[("quantity", Kind::Int)]))),
    ];

    fn given(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn converts_words_of_a_query_to_values() {
        let (clean, ignored) = check(ARGS, &given(json!({"per_page": "20", "include": "3,4", "flag": "1"}))).unwrap();
        assert_eq!(Value::from(clean), json!({"per_page": 20, "include": [3, 4], "flag": true}));
        assert!(ignored.is_empty());
    }

    #[test]
    fn refuses_with_the_exact_place() {
        let error = check(ARGS, &given(json!({"lines": [{"quantity": "two"}], "per_page": 101}))).unwrap_err();
        assert_eq!(error.code, "rest_invalid_param");
        assert_eq!(error.data["params"]["lines"], "lines[0][quantity] is not of type integer.");
        assert_eq!(error.data["details"]["per_page"]["code"], "rest_out_of_bounds");
    }

    #[test]
    fn a_number_is_no_price() {
        assert!(check(ARGS, &given(json!({"price": 10.5}))).is_err());
    }

    #[test]
    fn names_what_has_no_effect() {
        let (_, ignored) = check(ARGS, &given(json!({"total": "1", "colour": 1, "lines": [{"sku": "x"}]}))).unwrap();
        assert_eq!(ignored, ["colour", "lines[0][sku]", "total"]);
    }
}
