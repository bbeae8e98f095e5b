//! What commands print. Text from outside, such as a connector's name, is escaped, so that it rewrites no terminal.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use tradepost_build::Step;

/// A line on standard output.
pub fn line(text: impl AsRef<str>) {
    // Whoever closes the pipe has seen enough.
    drop(writeln!(io::stdout(), "{}", text.as_ref()));
}

/// A line on standard error: what is being done, beside what was found.
pub fn note(text: impl AsRef<str>) {
    drop(writeln!(io::stderr(), "{}", text.as_ref()));
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
    note(format!("error: {}", escape_lines(&format!("{error:#}"))));
    if let Some(hint) = crate::failure::hint(error) {
        note(format!("hint: {hint}"));
    }
}

/// Without control characters.
#[must_use]
pub fn escape(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Without control characters other than line breaks and tabs: for what a compiler printed.
#[must_use]
pub fn escape_lines(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
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
    fn a_name_cannot_rewrite_the_terminal() {
        assert_eq!(escape("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(escape_lines("a\n\u{1b}b"), "a\n\u{fffd}b");
    }
}
