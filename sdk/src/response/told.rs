//! The platform's own words, in the shapes that platforms use.

use serde_json::Value;

use crate::types::Issue;

/// Most characters of a page or a text.
const MOST: usize = 500;

/// What an answer says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) message: String,
    pub(super) code: Option<String>,
    /// What is wrong with single fields.
    pub(super) issues: Vec<Issue>,
}

impl Told {
    pub(super) fn of(media_type: Option<&str>, bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(bytes) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => Self::json(&value),
            Ok(Value::String(message)) => Self { message: shortened(&message), ..Self::default() },
            _ if is_html(media_type, bytes) => Self { message: page(bytes), ..Self::default() },
            _ => Self { message: shortened(&String::from_utf8_lossy(bytes)), ..Self::default() },
        }
    }

    fn json(value: &Value) -> Self {
        let places = [value, &value["error"], &value["error"]["details"], &value["data"]];
        let text = |names: &[&str]| places.iter().find_map(|place| names.iter().find_map(|name| scalar(&place[*name])));
        let issues: Vec<Issue> = places
            .iter()
            .flat_map(|place| ["errors", "violations", "invalid-params", "params", "details"].map(|name| &place[name]))
            .find_map(|list| Some(issues(list)).filter(|issues| !issues.is_empty()))
            .unwrap_or_default();
        let message = text(&["message", "detail", "error_description", "description", "error", "title", "msg"]);
        let told: Vec<&str> = issues.iter().map(|issue| issue.message.as_str()).collect();
        let message = message.unwrap_or_else(|| match told.is_empty() {
            true => shortened(&value.to_string()),
            false => told.join(" "),
        });
        let code = text(&["code", "errorCode", "error_code"]);
        // A list of words that name no field says what the message says.
        let issues = if issues.iter().all(|issue| issue.path.is_empty()) { Vec::new() } else { issues };
        Self { message: shortened(&message), code, issues }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `{"field": ["words"]}`, `[{"field": "..", "message": ".."}]`, `["words"]`.
fn issues(list: &Value) -> Vec<Issue> {
    let issue = |path: String, code: Option<String>, message: &str| Issue { path, code, message: shortened(message) };
    match list {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, words)| match words {
                Value::Array(all) => all.iter().map(|one| (name, one)).collect::<Vec<_>>(),
                one => vec![(name, one)],
            })
            .filter_map(|(name, words)| {
                let words = scalar(words).or_else(|| scalar(&words["message"]))?;
                Some(issue(name.clone(), None, &words))
            })
            .collect(),
        Value::Array(all) => all
            .iter()
            .filter_map(|one| {
                let first = |names: &[&str]| names.iter().find_map(|name| scalar(&one[*name]));
                if let Some(words) = one.as_str() {
                    return Some(issue(String::new(), None, words));
                }
                let message = first(&["message", "detail", "reason", "title", "description"])?;
                let path = first(&["field", "path", "propertyPath", "pointer", "name", "parameter", "property"])
                    .or_else(|| scalar(&one["source"]["pointer"]))
                    .or_else(|| path(&one["field"]))
                    .unwrap_or_default();
                Some(issue(path, first(&["code", "errorCode"]), &message))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// `["lines", 2, "price"]` is `lines.2.price`.
fn path(parts: &Value) -> Option<String> {
    let parts: Vec<String> = parts.as_array()?.iter().filter_map(scalar).collect();
    Some(parts.join(".")).filter(|path| !path.is_empty())
}

fn is_html(media_type: Option<&str>, bytes: &[u8]) -> bool {
    let begin = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(bytes.len());
    let begin = &bytes[begin..bytes.len().min(begin + 15)].to_ascii_lowercase();
    media_type.is_some_and(|media_type| media_type.contains("html"))
        || [b"<!doctype html".as_slice(), b"<html", b"<head", b"<body"].iter().any(|tag| begin.starts_with(tag))
}

/// The text of a page, without what nobody reads.
fn page(bytes: &[u8]) -> String {
    // Pages of errors are short; what comes later is decoration.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 16)]).into_owned();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        out.push(' ');
        let tag = rest[at + 1..].to_ascii_lowercase();
        let end = ["script", "style", "!--"].iter().find(|name| tag.starts_with(*name)).map(|name| match *name {
            "!--" => "-->".to_owned(),
            name => format!("</{name}"),
        });
        let from = match end {
            Some(end) => tag.find(&end).map_or(tag.len(), |found| found + if end == "-->" { 2 } else { 0 }),
            None => 0,
        };
        rest = match rest[at + 1..].get(from..).and_then(|after| Some((after, after.find('>')?))) {
            Some((after, close)) => &after[close + 1..],
            None => "",
        };
    }
    out.push_str(rest);
    for (entity, sign) in
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        out = out.replace(entity, sign);
    }
    shortened(&out)
}

fn shortened(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The beginning of an answer for a message to a person: of a page its text, shortened.
///
/// ```
/// use tradepost_sdk::response::excerpt;
///
/// assert_eq!(excerpt(b"<html><style>p{}</style><h1>Down</h1>\n<p>for  maintenance &amp; rest"), "Down for maintenance & rest");
/// assert_eq!(excerpt(&[b'x'; 900]).chars().count(), 501);
/// ```
#[must_use]
pub fn excerpt(bytes: &[u8]) -> String {
    if is_html(None, bytes) {
        page(bytes)
    } else {
        shortened(&String::from_utf8_lossy(&bytes[..bytes.len().min(8 * MOST)]))
    }
}

/// Most bytes of an answer in JSON that are quoted where it cannot be read.
const SHORT: usize = 100;

/// An answer that cannot be read, for words that stay in logs: a long one in JSON is data, which may hold whatever the
/// platform keeps to itself.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    match bytes.trim_ascii_start() {
        [b'{' | b'[', ..] if bytes.len() > SHORT => format!("{} bytes of JSON", bytes.len()),
        _ => excerpt(bytes),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(value: &Value) -> Told {
        Told::of(Some("application/json"), value.to_string().as_bytes())
    }

    #[test]
    fn words_are_found_where_platforms_put_them() {
        for value in [
            json!({"message": "No."}),
            json!({"error": "No."}),
            json!({"error": {"message": "No.", "code": 7}}),
            json!({"title": "Bad Request", "detail": "No."}),
            json!({"error": "invalid_grant", "error_description": "No."}),
            json!({"errors": ["No."]}),
            json!("No."),
        ] {
            assert_eq!(told(&value).message, "No.", "{value}");
            assert_eq!(told(&value).issues, [], "{value}");
        }
        assert_eq!(told(&json!({"odd": 1})).message, r#"{"odd":1}"#);
        assert_eq!(told(&json!({"error": {"code": "taken", "message": "No."}})).code.as_deref(), Some("taken"));
    }

    #[test]
    fn long_data_is_not_quoted() {
        assert_eq!(quoted(br#"{"odd": 1"#), r#"{"odd": 1"#);
        let data = format!(r#" [{{"iban": "DE02120300000000202051", "note": "{}"#, "x".repeat(100));
        assert_eq!(quoted(data.as_bytes()), format!("{} bytes of JSON", data.len()));
        assert_eq!(quoted("Be back soon. ".repeat(10).as_bytes()), "Be back soon. ".repeat(10).trim_end());
    }

    #[test]
    fn fields_are_named() {
        for value in [
            json!({"errors": {"sku": ["Taken."]}}),
            json!({"errors": [{"field": "sku", "message": "Taken."}]}),
            json!({"violations": [{"propertyPath": "sku", "message": "Taken."}]}),
            json!({"errors": [{"source": {"pointer": "sku"}, "detail": "Taken."}]}),
            json!({"data": {"params": {"sku": "Taken."}}}),
        ] {
            let issues = told(&value).issues;
            assert_eq!((issues[0].path.as_str(), issues[0].message.as_str()), ("sku", "Taken."), "{value}");
        }
        let nested = told(&json!({"errors": [{"field": ["lines", 2, "price"], "message": "Too low."}]}));
        assert_eq!(nested.issues[0].path, "lines.2.price");
    }

    #[test]
    fn pages_of_strangers_do_no_harm() {
        for page_of in ["<", "<!--", "<script>", "<html><!-- ä", "<html>ä<", "<style></style", "<html></html><İ>x"] {
            let _ = excerpt(page_of.as_bytes());
            let _ = Told::of(Some("text/html"), page_of.as_bytes());
        }
        assert_eq!(excerpt(b"<!DOCTYPE html><title>A</title><script>if (a<b) {}</script><!-- x > --> B"), "A B");
    }
}
