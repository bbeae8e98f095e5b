//! What commands print: tables and sentences for people, the API's JSON for programs. Text from outside is escaped, so
//! that no product name rewrites a terminal.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use super::failure::Failure;
use crate::runtime::log::hidden;

/// Where and how a command prints.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// JSON instead of tables.
    pub(super) json: bool,
}

/// Bytes as they are, for a file.
pub(super) fn raw(bytes: &[u8]) {
    // Whoever closes the pipe has seen enough.
    drop(io::stdout().write_all(bytes));
}

impl Output {
    /// A line for people; nothing with `--json`.
    pub(super) fn line(self, text: impl AsRef<str>) {
        if !self.json {
            print(text.as_ref());
        }
    }

    /// What the API said, with `--json`.
    pub(super) fn value(self, value: &Value) {
        if self.json {
            print(&serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string()));
        }
    }

    /// A table for people; says so when it is empty.
    pub(super) fn table(self, header: &[&str], rows: Vec<Vec<String>>, empty: &str) {
        if self.json {
            return;
        }
        if rows.is_empty() {
            print(empty);
            return;
        }
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(header.iter().copied());
        // Where nobody looks, lines are not wrapped to a width.
        let arrangement =
            if io::stdout().is_terminal() { ContentArrangement::Dynamic } else { ContentArrangement::Disabled };
        table.set_content_arrangement(arrangement);
        for row in rows {
            table.add_row(row.iter().map(|cell| escape(cell)));
        }
        print(&table.to_string());
    }

    /// Progress on a terminal; each call replaces the last one. An empty text clears it.
    pub(super) fn progress(self, text: &str) {
        let mut err = io::stderr();
        if !self.json && err.is_terminal() {
            let short: String = escape(text).chars().take(100).collect();
            // Progress that cannot be shown is no reason to fail.
            drop(write!(err, "\r\x1b[K{short}"));
            drop(err.flush());
        }
    }

    /// A sentence and a hint on standard error; an object with `--json`.
    pub(super) fn failure(self, failure: &Failure) {
        self.progress("");
        if self.json {
            let json = serde_json::to_string_pretty(failure).unwrap_or_else(|_| failure.title.clone());
            drop(writeln!(io::stderr(), "{json}"));
            return;
        }
        drop(writeln!(io::stderr(), "error: {}", escape(&failure.title)));
        if let Some(hint) = &failure.hint {
            drop(writeln!(io::stderr(), " hint: {}", escape(hint)));
        }
    }
}

/// Prints a line; a reader that has gone (`| head`) ends the program quietly.
fn print(text: &str) {
    if writeln!(io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Makes control characters, escape sequences and direction marks visible.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            // Writing to a text cannot fail.
            c if hidden(c) => drop(write!(escaped, "\\u{{{:x}}}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A field as text: nothing for what is absent, names and numbers as they are, lists with commas.
pub(super) fn text(value: &Value, pointer: &str) -> String {
    let found = if pointer.starts_with('/') { value.pointer(pointer) } else { value.get(pointer) };
    found.map(plain).unwrap_or_default()
}

/// A value as text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A list of objects.
pub(super) fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let list = if name.is_empty() { Some(value) } else { value.get(name) };
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A time without its fractions of seconds.
pub(super) fn time(value: &Value, pointer: &str) -> String {
    let text = text(value, pointer);
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Err(_) => text,
    }
}

/// Counts of a run: `pages 3, read 250, created 250`.
pub(super) fn counts(run: &Value) -> String {
    let Some(counts) = run.get("counts").and_then(Value::as_object) else { return String::new() };
    counts
        .iter()
        .filter(|(_, count)| count.as_u64() != Some(0))
        .map(|(name, count)| format!("{name} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}
