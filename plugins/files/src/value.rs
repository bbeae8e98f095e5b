//! Numbers, times and words of a file.

use std::fmt;
use std::rc::Rc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use rust_decimal::Decimal;
use tradepost_sdk::types::Error;

use crate::settings::Setup;

/// Why a line or a file cannot be read, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason(pub(crate) String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Reason {
    fn from(words: String) -> Self {
        Self(words)
    }
}

/// What stops the conversion of a record.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The data: this record is left out.
    Data(Reason),
    /// The host: the call ends.
    Host(Error),
}

impl From<Reason> for Trouble {
    fn from(reason: Reason) -> Self {
        Self::Data(reason)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Host(error)
    }
}

pub(crate) type Read<T> = Result<T, Reason>;

/// One line of CSV or one object of JSON, under our names of the columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) names: Rc<[String]>,
    pub(crate) cells: Vec<String>,
}

impl Row {
    /// What stands in a column; nothing when it is empty or not there.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let cells = self.names.iter().zip(&self.cells).filter(|(column, _)| *column == name);
        cells.map(|(_, cell)| cell.trim()).find(|cell| !cell.is_empty())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|column| column == name)
    }

    /// Columns `family:name` with what is behind the colon; empty cells too.
    pub(crate) fn family<'a>(&'a self, family: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.names.iter().zip(&self.cells).filter_map(move |(column, cell)| {
            let name = column.strip_prefix(family)?.strip_prefix(':')?;
            Some((name, cell.trim()))
        })
    }
}

/// A row with what is needed to read it.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'a> {
    pub(crate) row: &'a Row,
    pub(crate) setup: &'a Setup,
}

impl<'a> Cells<'a> {
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.row.get(name).map(str::to_owned)
    }

    pub(crate) fn needed(&self, name: &str) -> Read<&'a str> {
        self.row.get(name).ok_or_else(|| Reason(format!("line {}: `{name}` is empty", self.row.line)))
    }

    /// An id or key: at most 255 bytes.
    pub(crate) fn id(&self, name: &str) -> Read<String> {
        let id = self.needed(name)?;
        if id.len() > 255 || id.chars().any(char::is_control) {
            return Err(self.wrong(name, "it is longer than 255 bytes or has control characters in it"));
        }
        Ok(id.to_owned())
    }

    pub(crate) fn decimal(&self, name: &str) -> Read<Option<String>> {
        let read = |text| decimal(text, self.setup.decimal).map_err(|why| self.wrong(name, &why.0));
        self.row.get(name).map(read).transpose()
    }

    pub(crate) fn whole(&self, name: &str) -> Read<Option<i32>> {
        let read = |text: &str| text.parse().map_err(|_| self.wrong(name, &format!("`{text}` is not a whole number")));
        self.row.get(name).map(read).transpose()
    }

    pub(crate) fn truth(&self, name: &str) -> Read<Option<bool>> {
        let read = |text: &str| match text.to_lowercase().as_str() {
            "1" | "true" | "yes" | "y" | "ja" | "j" | "x" => Ok(true),
            "0" | "false" | "no" | "n" | "nein" | "-" => Ok(false),
            _ => Err(self.wrong(name, &format!("`{text}` is neither yes nor no"))),
        };
        self.row.get(name).map(read).transpose()
    }

    /// An instant; a day alone is its first moment in the zone of the settings.
    pub(crate) fn time(&self, name: &str) -> Read<Option<Timestamp>> {
        Ok(self.when(name)?.map(|(at, _)| at))
    }

    /// An instant; a day alone is its last second.
    pub(crate) fn end(&self, name: &str) -> Read<Option<Timestamp>> {
        match self.when(name)? {
            Some((_, Some(day))) => {
                let last = self.setup.zone.to_timestamp(day.at(23, 59, 59, 0));
                last.map(Some).map_err(|error| self.wrong(name, &error.to_string()))
            }
            other => Ok(other.map(|(at, _)| at)),
        }
    }

    fn when(&self, name: &str) -> Read<Option<(Timestamp, Option<Date>)>> {
        let read = |text| when(text, self.setup).map_err(|why| self.wrong(name, &why.0));
        self.row.get(name).map(read).transpose()
    }

    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let values = self.row.get(name).unwrap_or_default().split(&self.setup.settings.list_separator);
        values.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }

    pub(crate) fn wrong(&self, name: &str, why: &str) -> Reason {
        Reason(format!("line {}, `{name}`: {why}", self.row.line))
    }
}

/// A number with the decimal sign of the settings as a decimal of the contract. Thousands may be grouped, in threes; a
/// minus may stand behind.
pub(crate) fn decimal(text: &str, sign: char) -> Read<String> {
    let wrong = || Reason(format!("`{text}` is not a number with `{sign}` as decimal sign"));
    let (negative, digits) = match text.trim() {
        text if text.starts_with('-') => (true, &text[1..]),
        text if text.ends_with('-') => (true, &text[..text.len() - 1]),
        text => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.trim().split_once(sign).map_or((digits.trim(), None), |(w, f)| (w, Some(f)));
    let grouping = |c: char| matches!(c, '.' | ',' | '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}') && c != sign;
    let groups: Vec<&str> = whole.split(grouping).collect();
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = groups.len() == 1
        || groups.iter().enumerate().all(|(n, group)| if n == 0 { group.len() <= 3 } else { group.len() == 3 });
    // `,5` is what some programs make of a half.
    let bare = whole.is_empty() && fraction.is_some();
    if !(bare || grouped && groups.iter().all(|group| plain(group))) || !fraction.is_none_or(plain) {
        return Err(wrong());
    }
    let whole = groups.concat();
    let fraction = fraction.unwrap_or_default().trim_end_matches('0');
    let whole = whole.trim_start_matches('0');
    if whole.len() > 18 || fraction.len() > 9 {
        return Err(Reason(format!("`{text}` has more than 18 digits before or 9 behind the decimal sign")));
    }
    let plain =
        format!("{}{}.{}0", if negative { "-" } else { "" }, if whole.is_empty() { "0" } else { whole }, fraction);
    let value: Decimal = plain.parse().map_err(|_| wrong())?;
    Ok(value.normalize().to_string())
}

/// A time of the settings' formats, or RFC 3339; the day where it had no time.
fn when(text: &str, setup: &Setup) -> Read<(Timestamp, Option<Date>)> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok((at, None));
    }
    let here = |at: DateTime| setup.zone.to_timestamp(at).map_err(|error| Reason(format!("`{text}`: {error}")));
    for format in &setup.date_formats {
        let Ok(parts) = BrokenDownTime::parse(format, text) else { continue };
        if let (Some(_), Ok(at)) = (parts.offset(), parts.to_timestamp()) {
            return Ok((at, None));
        }
        match (parts.to_date(), parts.to_time()) {
            (Ok(day), Ok(time)) if parts.hour().is_some() => return Ok((here(day.to_datetime(time))?, None)),
            (Ok(day), _) => return Ok((here(day.at(0, 0, 0, 0))?, Some(day))),
            (Err(_), _) => {}
        }
    }
    let formats = setup.date_formats.join("` or `");
    Err(Reason(format!("`{text}` is not a time of the form `{formats}`")))
}

/// Plain text as HTML: paragraphs at empty lines.
pub(crate) fn html(text: &str) -> String {
    let escaped = text.replace("\r\n", "\n").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let paragraphs = escaped.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>", paragraph.replace('\n', "<br>"))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_keep_every_digit() {
        let table = [
            ("19,99", ',', "19.99"),
            ("1.234,50", ',', "1234.5"),
            ("1 234 567,005", ',', "1234567.005"),
            ("-0,10", ',', "-0.1"),
            ("12,5-", ',', "-12.5"),
            (",5", ',', "0.5"),
            ("1.000", ',', "1000"),
            ("1.000", '.', "1"),
            ("1,000.25", '.', "1000.25"),
            ("007", '.', "7"),
            ("123456789012345678.123456789", '.', "123456789012345678.123456789"),
            ("0.1", '.', "0.1"),
        ];
        for (text, sign, expected) in table {
            assert_eq!(decimal(text, sign).as_deref(), Ok(expected), "{text}");
        }
        for (text, sign) in [
            ("1.5", ','),
            ("1,5", '.'),
            ("1,2,3", ','),
            ("", '.'),
            ("abc", '.'),
            ("1e3", '.'),
            ("1.", '.'),
            ("--1", '.'),
            ("1234.567,0", ','),
            ("NaN", '.'),
            ("-", '.'),
            (".", '.'),
        ] {
            assert!(decimal(text, sign).is_err(), "{text:?} with {sign}");
        }
    }

    #[test]
    fn times_are_in_the_zone() {
        let settings = json!({"zone": "Europe/Berlin", "date_formats": "%d.%m.%Y %H:%M | %d.%m.%Y"});
        let setup = Setup::new(serde_json::from_value(settings).unwrap()).unwrap();
        let row = |text: &str| Row { line: 7, names: Rc::new(["at".into()]), cells: vec![text.into()] };
        let read = |text: &str| Cells { row: &row(text), setup: &setup }.time("at").map(|at| at.unwrap().to_string());
        let end = |text: &str| Cells { row: &row(text), setup: &setup }.end("at").map(|at| at.unwrap().to_string());
        assert_eq!(read("22.11.2026 09:30").unwrap(), "2026-11-22T08:30:00Z");
        assert_eq!(read("01.07.2026").unwrap(), "2026-06-30T22:00:00Z");
        assert_eq!(end("01.07.2026").unwrap(), "2026-07-01T21:59:59Z");
        assert_eq!(read("2026-11-22T08:30:00+01:00").unwrap(), "2026-11-22T07:30:00Z");
        let why = read("2026-11-22").unwrap_err();
        assert_eq!(why.0, "line 7, `at`: `2026-11-22` is not a time of the form `%d.%m.%Y %H:%M` or `%d.%m.%Y`");
        assert!(read("31.02.2026").is_err());
    }

    #[test]
    fn text_becomes_html() {
        assert_eq!(html("1 < 2\r\nand\n\nnext"), "<p>1 &lt; 2<br>and</p><p>next</p>");
    }
}
