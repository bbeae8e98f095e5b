//! Lines of CSV. A file is taken apart as bytes, because both encodings hold ASCII as it is, and decoded cell by cell.

use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder};
use encoding_rs::Encoding;

use super::{Shape, Split, Window, line_end, lines, missing};
use crate::settings::Setup;
use crate::value::{Reason, Row};

fn reader(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes)
}

/// Reads the line with the names.
pub(super) fn header(setup: &Setup, shape: &mut Shape, head: &[u8], whole: bool) -> Result<(), Reason> {
    let mut record = ByteRecord::new();
    let mut reader = reader(head, shape.delimiter);
    let read = reader.read_byte_record(&mut record);
    let mut end = usize::try_from(reader.position().byte()).unwrap_or(head.len());
    if !matches!(read, Ok(true)) {
        return Err(Reason("it is empty; the first line has to name the columns".into()));
    }
    if end >= head.len() && !whole {
        return Err(Reason("its first line, which has to name the columns, does not end".into()));
    }
    if end > 0 && head[end - 1] == b'\r' && head.get(end) == Some(&b'\n') {
        end += 1;
    }
    let theirs: Vec<String> = record
        .iter()
        .map(|cell| decoded(shape.encoding, cell).map(|name| name.trim().to_owned()))
        .collect::<Option<_>>()
        .ok_or_else(|| not_encoded(shape.encoding))?;
    let names: Vec<String> = theirs.iter().map(|name| setup.column(shape.kind, name)).collect();
    for (n, name) in names.iter().enumerate() {
        if !name.is_empty() && names[..n].contains(name) {
            return Err(Reason(format!("column `{}` is there twice", theirs[n])));
        }
    }
    if let Some(why) = missing(setup, shape.kind, &names, &theirs) {
        return Err(why);
    }
    let raw = &head[..end];
    shape.header = raw.strip_suffix(b"\n").map_or(raw, |raw| raw.strip_suffix(b"\r").unwrap_or(raw)).to_vec();
    shape.names = Rc::from(names);
    shape.start += end as u64;
    shape.line = 1 + lines(raw);
    Ok(())
}

pub(super) fn split(shape: &Shape, window: &Window<'_>) -> Split {
    let mut split = Split::default();
    let mut at = 0;
    let mut line = window.line;
    // Once for the whole window, and once more behind every line that was given up.
    'reading: loop {
        let begin = at;
        let mut reader = reader(&window.bytes[begin..], shape.delimiter);
        let mut record = ByteRecord::new();
        loop {
            // Ends of lines in front of it belong to the record before, or to none.
            while let Some(byte @ (b'\r' | b'\n')) = window.bytes.get(at) {
                line += u64::from(*byte == b'\n');
                at += 1;
            }
            (split.used, split.lines) = (at, line - window.line);
            if !matches!(reader.read_byte_record(&mut record), Ok(true)) {
                break 'reading;
            }
            let end = begin + usize::try_from(reader.position().byte()).unwrap_or(window.bytes.len());
            if end >= window.bytes.len() && !window.last {
                break 'reading;
            }
            let raw = &window.bytes[at..end];
            let ended = raw.strip_suffix(b"\n").unwrap_or(raw);
            let ended = ended.strip_suffix(b"\r").unwrap_or(ended);
            let broken = record.iter().any(|cell| cell.contains(&b'\n'));
            if record.iter().all(|cell| cell.iter().all(u8::is_ascii_whitespace)) {
                line += lines(raw);
                at = end;
                continue;
            }
            let odd = ended.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
            let cut = odd && window.last && end == window.bytes.len() && opens(ended, shape.delimiter);
            if cut || broken && (odd || record.len() != shape.names.len()) {
                // A quote pairs with one of a later line: give up the first line only.
                let to = line_end(window.bytes, at);
                let why = Reason(format!("line {line}: a quote that is opened here is not closed on this line"));
                split.pieces.push(window.piece(at, to, line, Err(why)));
                line += 1;
                at = to;
                continue 'reading;
            }
            split.pieces.push(window.piece(at, end, line, row(shape, &record, line).map(|row| vec![row])));
            line += lines(raw);
            at = end;
        }
    }
    split
}

/// Whether a cell begins with a quote.
fn opens(line: &[u8], delimiter: u8) -> bool {
    line.starts_with(b"\"") || line.windows(2).any(|pair| pair == [delimiter, b'"'])
}

fn row(shape: &Shape, record: &ByteRecord, line: u64) -> Result<Row, Reason> {
    if record.len() != shape.names.len() {
        let (has, wanted) = (record.len(), shape.names.len());
        return Err(Reason(format!("line {line}: it has {has} columns instead of {wanted}")));
    }
    let cells = record
        .iter()
        .map(|cell| decoded(shape.encoding, cell))
        .collect::<Option<Vec<String>>>()
        .ok_or_else(|| Reason(format!("line {line}: {}", not_encoded(shape.encoding))))?;
    Ok(Row { line, names: shape.names.clone(), cells })
}

fn decoded(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(std::borrow::Cow::into_owned)
}

fn not_encoded(encoding: &'static Encoding) -> Reason {
    Reason(format!("it is not written in {}; change the setting `encoding` or the export", encoding.name()))
}
