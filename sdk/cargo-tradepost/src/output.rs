//! What commands print. Nothing printed acts on a terminal, whoever wrote it; text from outside, such as a connector's name
//! or words, goes through [`escape`] as well, so that it forges no line.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use tradepost::runtime::log::hidden;
use tradepost_build::Step;

/// A line on standard output.
pub fn line(text: impl AsRef<str>) {
    // Whoever closes the pipe has seen enough.
    drop(writeln!(io::stdout(), "{}", escape_lines(text.as_ref())));
}

/// A line on standard error: what is being done, beside what was found.
pub fn note(text: impl AsRef<str>) {
    drop(writeln!(io::stderr(), "{}", escape_lines(text.as_ref())));
}

/// A value as JSON on standard output, for programs and for eyes.
///
/// # Errors
/// The value is none of JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(json_text(&serde_json::to_string_pretty(value)?));
    Ok(())
}

/// JSON that means the same and hides nothing. Such characters stand in its texts only, where they can be written by number.
fn json_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) && c != '\n' {
            let mut units = [0; 2];
            safe.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// What happens while something is installed or built.
pub fn progress(step: Step<'_>) {
    match step {
        Step::Begun(text) => note(text),
        Step::Detail(text) => note(format!("    {text}")),
    }
}

/// A table without frames; nothing where there are no rows.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if !header.is_empty() {
        table.set_header(header.iter().copied());
    }
    let arrangement =
        if io::stdout().is_terminal() { ContentArrangement::Dynamic } else { ContentArrangement::Disabled };
    table.set_content_arrangement(arrangement);
    for row in rows {
        table.add_row(row.iter().map(|cell| escape(cell)));
    }
    for row in table.to_string().lines() {
        line(format!(" {}", row.trim_end()));
    }
}

/// An error with its causes, then the hint.
pub fn failure(error: &anyhow::Error) {
    note(format!("error: {}", crate::failure::sentence(error)));
    if let Some(hint) = crate::failure::hint(error) {
        note(format!("hint: {hint}"));
    }
}

/// Foreign text on one line: what acts on a terminal, hides, or turns the reading direction is shown by its number.
#[must_use]
pub fn escape(text: &str) -> String {
    shown(text, |_| false)
}

/// As [`escape`], but with line breaks and tabs as they are: for our own text, and for what a compiler printed.
#[must_use]
pub fn escape_lines(text: &str) -> String {
    shown(text, |c| matches!(c, '\n' | '\t'))
}

fn shown(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if stays(c) => safe.push(c),
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push(' '),
            c if hidden(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// A size for people.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_round() {
        assert_eq!([size(999), size(1_234), size(18_150_000)], ["999 B", "1.2 kB", "18.1 MB"]);
    }

    #[test]
    fn what_strangers_wrote_cannot_rewrite_the_terminal_or_turn_a_line() {
        assert_eq!(escape("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(escape_lines("a\n\tb\r\u{1b}]0;c\u{7}"), "a\n\tb\\u{d}\\u{1b}]0;c\\u{7}");
        assert_eq!(escape("\u{202e}gpj.exe \u{2066}"), "\\u{202e}gpj.exe \\u{2066}");
        assert_eq!(escape("Schöne Grüße, 日本 🙂"), "Schöne Grüße, 日本 🙂");
    }

    #[test]
    fn json_stays_json_and_hides_nothing() {
        let value = serde_json::json!({ "name": "\u{202e}gpj\u{9b}2J", "tag": "\u{e0041}" });
        let text = json_text(&serde_json::to_string_pretty(&value).unwrap());
        assert!(text.chars().all(|c| c == '\n' || !hidden(c)), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
