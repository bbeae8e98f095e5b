//! Lines that could not be read, in a file of their own: corrected there, it can be put into the inbox as it is.
//!
//! A file of rejects belongs to one delivery and one part of it, and is rewritten with every page that adds to it. The
//! cursor says how much of it is durable, so that a page that is read again adds nothing twice.

use serde::{Deserialize, Serialize};
use tradepost_sdk::files::Entry;
use tradepost_sdk::types::Error;

use crate::host::Folder;
use crate::inbox::{FAILED, Format, stamp, with_suffix};
use crate::table::{Piece, Shape};
use crate::value::Reason;

/// Rejects of so many bytes of a file share a file, so that rewriting it stays cheap.
const PART: u64 = 1024 * 1024;

/// How far the file of rejects is durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    #[serde(rename = "p")]
    part: u64,
    #[serde(rename = "b")]
    bytes: u64,
}

/// Gathers the rejects of a page.
pub(crate) struct Rejects<'a> {
    folder: &'a Folder<'a>,
    name: String,
    modified: String,
    part: u64,
    content: Vec<u8>,
    durable: u64,
    changed: bool,
}

impl<'a> Rejects<'a> {
    /// Goes on where the last page ended.
    pub(crate) fn new(folder: &'a Folder<'a>, entry: &Entry, written: Written) -> Result<Self, Error> {
        let (name, modified) = (entry.name.clone(), entry.modified.clone());
        let Written { part, bytes } = written;
        let mut rejects = Self { folder, name, modified, part, content: Vec::new(), durable: bytes, changed: false };
        if bytes > 0 && !folder.host.preview() {
            // Somebody may have taken it away to correct it: then a new one begins.
            let mut there = folder.whole(&rejects.path())?.unwrap_or_default();
            if there.len() as u64 >= bytes {
                there.truncate(usize::try_from(bytes).unwrap_or(there.len()));
                rejects.content = there;
            }
        }
        Ok(rejects)
    }

    pub(crate) fn add(&mut self, shape: &Shape, piece: &Piece, why: &Reason) -> Result<(), Error> {
        let part = piece.start / PART;
        if part != self.part {
            self.flush()?;
            (self.part, self.durable) = (part, 0);
            self.content.clear();
        }
        if self.content.is_empty() && shape.format == Format::Csv {
            let mut header = record(shape, &["reject_line".into(), "reject_reason".into()]);
            header.pop();
            self.content.extend(header);
            self.content.push(shape.delimiter);
            self.content.extend(&shape.header);
            self.content.push(b'\n');
        }
        let line = match shape.format {
            Format::Csv => csv_line(shape, piece, why),
            Format::Json => json_line(piece, why),
        };
        self.content.extend(line);
        self.changed = true;
        Ok(())
    }

    /// Writes what was added; says what the cursor has to know.
    pub(crate) fn flush(&mut self) -> Result<Written, Error> {
        if self.changed {
            if !self.folder.host.preview() {
                self.folder.host.write(&self.path(), &self.content)?;
            }
            self.durable = self.content.len() as u64;
            self.changed = false;
        }
        Ok(Written { part: self.part, bytes: self.durable })
    }

    fn path(&self) -> String {
        let part = if self.part == 0 { String::new() } else { format!("-part{}", self.part + 1) };
        let name = with_suffix(&self.name, &format!("~{}{part}", stamp(&self.modified)));
        // Objects are written one after the other, whatever they stood in.
        let name = name.strip_suffix(".json").map(|stem| format!("{stem}.jsonl")).unwrap_or(name);
        format!("{FAILED}/{name}")
    }
}

/// The line as it stands, behind its number and the reason.
fn csv_line(shape: &Shape, piece: &Piece, why: &Reason) -> Vec<u8> {
    let raw = piece.raw.strip_suffix(b"\n").unwrap_or(&piece.raw);
    let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
    // A quote that is not closed is text.
    let quoting = raw.iter().filter(|byte| **byte == b'"').count() % 2 == 0;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .quoting(quoting)
        .delimiter(shape.delimiter)
        .from_reader(raw);
    let mut cells = csv::ByteRecord::new();
    let mut fields: Vec<Vec<u8>> = vec![piece.line.to_string().into(), shape.encoding.encode(&why.0).0.into_owned()];
    while matches!(reader.read_byte_record(&mut cells), Ok(true)) {
        fields.extend(cells.iter().map(<[u8]>::to_vec));
    }
    record(shape, &fields)
}

fn record(shape: &Shape, fields: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(shape.delimiter).flexible(true).from_writer(Vec::new());
    let written = writer.write_record(fields).and_then(|()| Ok(writer.flush()?));
    written.expect("memory takes every byte");
    writer.into_inner().expect("it was flushed")
}

fn json_line(piece: &Piece, why: &Reason) -> Vec<u8> {
    let text = String::from_utf8_lossy(&piece.raw);
    let inner = text.trim().strip_prefix('{').filter(|rest| rest.ends_with('}'));
    let why = serde_json::Value::from(why.0.as_str());
    let line = match inner {
        Some(rest) if rest.trim() != "}" => {
            format!("{{\"reject_line\":{},\"reject_reason\":{why},{}\n", piece.line, rest.replace(['\r', '\n'], " "))
        }
        _ => {
            let text = serde_json::Value::from(text.trim());
            format!("{{\"reject_line\":{},\"reject_reason\":{why},\"reject_text\":{text}}}\n", piece.line)
        }
    };
    line.into_bytes()
}
