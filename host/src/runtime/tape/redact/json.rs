//! Fields of a JSON text, replaced in place: what is not touched stays as it was written, in its order.

use serde::de::IgnoredAny;

use super::text::{Visit, walk};

/// What the place of a token belongs to.
enum Frame {
    Array,
    Object {
        /// The field that comes next.
        key: Option<String>,
        /// What a field `key` or `name` says: a field `value` is known by that, as in lists of meta data.
        named: Option<String>,
    },
}

/// One JSON document, or one per line. Of what is none, as when an answer broke off, the fields that can be told are seen,
/// and then the whole.
pub(super) fn walk_text(text: &str, visit: &mut Visit<'_>) -> String {
    let whole = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).all(whole);
    let out = document(text, false, visit);
    if whole(text) || lines() { out } else { visit(&[], &out).unwrap_or(out) }
}

/// As [`walk_text`], but what becomes shorter is followed by blanks, so that everything behind it keeps its place.
pub(super) fn walk_in_place(text: &str, visit: &mut Visit<'_>) -> String {
    document(text, true, visit)
}

/// A text of JSON, or what is left of one.
fn document(text: &str, in_place: bool, visit: &mut Visit<'_>) -> String {
    let (mut out, mut rest, mut frames) = (String::with_capacity(text.len()), text, Vec::new());
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => string_end(rest),
            '-' | '0'..='9' => rest.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let token = &rest[..end];
        rest = &rest[end..];
        let begun = out.len();
        let fill = |out: &mut String| {
            if in_place {
                out.push_str(&" ".repeat((begun + token.len()).saturating_sub(out.len())));
            }
        };
        match first {
            '{' => frames.push(Frame::Object { key: None, named: None }),
            '[' => frames.push(Frame::Array),
            '}' | ']' => drop(frames.pop()),
            ',' => {
                if let Some(Frame::Object { key, .. }) = frames.last_mut() {
                    *key = None;
                }
            }
            '"' => {
                let cut = !(token.len() > 1 && serde_json::from_str::<IgnoredAny>(token).is_ok());
                let closed = if cut { format!("{}\"", token.trim_end_matches('\\')) } else { token.to_owned() };
                let Ok(value) = serde_json::from_str::<String>(&closed) else {
                    // Whatever it was.
                    out.push('"');
                    continue;
                };
                if let Some(Frame::Object { key: key @ None, .. }) = frames.last_mut() {
                    // A key may be a value too, as in `{"anna@mail.example": 3}`.
                    let new = if is_name(&value) { None } else { visit(&[""], &value) };
                    let new = new.filter(|new| *new != value && !cut).and_then(|new| serde_json::to_string(&new).ok());
                    *key = Some(value);
                    if let Some(new) = new {
                        out.push_str(&new);
                        fill(&mut out);
                        continue;
                    }
                } else {
                    if let Some(Frame::Object { key: Some(key), named }) = frames.last_mut()
                        && matches!(key.as_str(), "key" | "name")
                    {
                        *named = Some(value.clone());
                    }
                    // JSON in a string of JSON has fields too.
                    let inner = value.trim_start().starts_with(['{', '[']);
                    let new = if inner { walk(&value, visit) } else { None };
                    let new = new.or_else(|| visit(&path(&frames), &value)).filter(|new| *new != value);
                    match new.and_then(|new| serde_json::to_string(&new).ok()) {
                        Some(new) if cut => out.push_str(&new[..new.len() - 1]),
                        Some(new) => out.push_str(&new),
                        None => out.push_str(token),
                    }
                    if !cut {
                        fill(&mut out);
                    }
                    continue;
                }
            }
            '-' | '0'..='9' => {
                let new = visit(&path(&frames), token).filter(|new| new != token);
                // It stays a number, whatever the stand-in is.
                let number = |new: String| {
                    let new = new.trim_start_matches('0');
                    let fits = serde_json::from_str::<serde_json::Number>(new).is_ok();
                    if fits { new.to_owned() } else { "0".into() }
                };
                out.push_str(&new.map_or_else(|| token.to_owned(), number));
                fill(&mut out);
                continue;
            }
            _ => {}
        }
        out.push_str(token);
    }
    out
}

/// Whether a key is the name of a field, as programs write them.
pub(super) fn is_name(key: &str) -> bool {
    key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':' | b'$' | b'/' | b'[' | b']'))
}

fn path(frames: &[Frame]) -> Vec<&str> {
    frames
        .iter()
        .filter_map(|frame| match frame {
            Frame::Array => None,
            Frame::Object { key: Some(key), named: Some(named) } if key == "value" => Some(named.as_str()),
            Frame::Object { key, .. } => key.as_deref(),
        })
        .collect()
}

/// Where the string at the beginning ends.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
