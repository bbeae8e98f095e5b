//! Objects of JSON: a list of them, or one after the other. Numbers never pass through a float: they are put in quotes
//! before anything parses them.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{Shape, Split, Window, lines, missing};
use crate::settings::Setup;
use crate::value::{Reason, Row};

pub(super) fn split(setup: &Setup, shape: &Shape, window: &Window<'_>) -> Split {
    let mut split = Split::default();
    let mut at = 0;
    let mut line = window.line;
    loop {
        while let Some(byte) =
            window.bytes.get(at).filter(|b| b.is_ascii_whitespace() || matches!(b, b',' | b'[' | b']'))
        {
            line += u64::from(*byte == b'\n');
            at += 1;
        }
        (split.used, split.lines) = (at, line - window.line);
        let Some(first) = window.bytes.get(at) else { return split };
        let end = if *first == b'{' { object(&window.bytes[at..]) } else { stray(&window.bytes[at..], window.last) };
        let Some(end) = end.map(|length| at + length) else { return split };
        let raw = &window.bytes[at..end];
        let rows = rows(setup, shape, raw, line).map_err(|why| Reason(format!("line {line}: {why}")));
        split.pieces.push(window.piece(at, end, line, rows));
        line += lines(raw);
        at = end;
    }
}

/// Length of the object at the beginning, once its last bracket is there.
fn object(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// What is no object, up to the next one or the end of the line.
fn stray(bytes: &[u8], last: bool) -> Option<usize> {
    let end = bytes.iter().position(|byte| matches!(byte, b'{' | b'\n'));
    end.or_else(|| last.then_some(bytes.len()))
}

fn rows(setup: &Setup, shape: &Shape, raw: &[u8], line: u64) -> Result<Vec<Row>, Reason> {
    let text = std::str::from_utf8(raw).map_err(|_| Reason("it is not written in UTF-8".into()))?;
    let quoted = numbers_quoted(text, setup.decimal);
    let object: Map<String, Value> =
        serde_json::from_str(&quoted).map_err(|error| Reason(format!("it is not an object of JSON: {error}")))?;
    let mut flat = Flat { setup, shape, names: Vec::new(), cells: Vec::new(), theirs: Vec::new(), list: None };
    flat.object("", object)?;
    let mut rows = Vec::new();
    match flat.list.take() {
        Some(list) if !list.is_empty() => {
            for inner in list {
                let mut row = Flat {
                    names: flat.names.clone(),
                    cells: flat.cells.clone(),
                    theirs: flat.theirs.clone(),
                    list: None,
                    ..flat
                };
                row.object("", inner)?;
                if row.list.is_some() {
                    return Err(Reason("it has lists of objects within lists of objects".into()));
                }
                rows.push(row.row(line)?);
            }
        }
        _ => rows.push(flat.row(line)?),
    }
    Ok(rows)
}

/// An object on its way to a row.
struct Flat<'a> {
    setup: &'a Setup,
    shape: &'a Shape,
    names: Vec<String>,
    cells: Vec<String>,
    theirs: Vec<String>,
    list: Option<Vec<Map<String, Value>>>,
}

impl Flat<'_> {
    fn object(&mut self, prefix: &str, object: Map<String, Value>) -> Result<(), Reason> {
        for (name, value) in object {
            let name = if prefix.is_empty() { name } else { format!("{prefix}:{name}") };
            match value {
                Value::Null => self.cell(name, String::new()),
                Value::String(text) => self.cell(name, text),
                Value::Bool(truth) => self.cell(name, truth.to_string()),
                Value::Number(number) => self.cell(name, number.to_string()),
                Value::Object(inner) => self.object(&name, inner)?,
                Value::Array(list) if list.iter().any(Value::is_object) => self.rows(&name, list)?,
                Value::Array(list) => {
                    let words: Option<Vec<String>> = list.into_iter().map(plain).collect();
                    let Some(words) = words else {
                        return Err(Reason(format!("`{name}` is a list within a list")));
                    };
                    self.cell(name, words.join(&self.setup.settings.list_separator));
                }
            }
        }
        Ok(())
    }

    fn rows(&mut self, name: &str, list: Vec<Value>) -> Result<(), Reason> {
        let objects: Option<Vec<_>> =
            list.into_iter().map(|value| if let Value::Object(object) = value { Some(object) } else { None }).collect();
        match (objects, &self.list) {
            (Some(objects), None) => {
                self.list = Some(objects);
                Ok(())
            }
            (None, _) => Err(Reason(format!("`{name}` holds objects and other things"))),
            (_, Some(_)) => Err(Reason(format!("`{name}` is the second list of objects; there can be one"))),
        }
    }

    /// What stands in an inner object wins over the outer one.
    fn cell(&mut self, theirs: String, cell: String) {
        let name = self.setup.column(self.shape.kind, &theirs);
        self.theirs.push(theirs);
        if name.is_empty() {
            return;
        }
        match self.names.iter().position(|known| *known == name) {
            Some(at) => self.cells[at] = cell,
            None => {
                self.names.push(name);
                self.cells.push(cell);
            }
        }
    }

    fn row(self, line: u64) -> Result<Row, Reason> {
        match missing(self.setup, self.shape.kind, &self.names, &self.theirs) {
            Some(why) => Err(why),
            None => Ok(Row { line, names: Rc::from(self.names), cells: self.cells }),
        }
    }
}

fn plain(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Numbers become strings with the decimal sign of the settings, digit by digit.
fn numbers_quoted(text: &str, sign: char) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut quoted, mut escaped) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if quoted {
            (quoted, escaped) = (escaped || c != '"', !escaped && c == '\\');
            out.push(c);
        } else if c == '-' || c.is_ascii_digit() {
            out.push('"');
            out.push(c);
            while let Some(c) = chars.next_if(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E')) {
                out.push(if c == '.' { sign } else { c });
            }
            out.push('"');
        } else {
            quoted = c == '"';
            out.push(c);
        }
    }
    out
}
