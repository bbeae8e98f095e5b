//! A file in pieces: lines of CSV, objects of JSON, one after the other, from a window that moves over the file.

mod csv;
mod json;

use std::collections::VecDeque;
use std::rc::Rc;

use encoding_rs::{Encoding, UTF_8};
use tradepost_sdk::files::Entry;
use tradepost_sdk::records::Kind;
use tradepost_sdk::types::Error;

use crate::host::{Folder, Host};
use crate::inbox::{Format, INBOX};
use crate::map;
use crate::settings::Setup;
use crate::value::{Reason, Row};

/// Bytes read at a time: about what a page uses up.
const CHUNK: u32 = 64 * 1024;
/// Most bytes of one line or object. A quote that is never closed would swallow the rest of the file.
const PIECE: usize = 1024 * 1024;
/// Most bytes of the line with the names.
const HEADER: u32 = 16 * 1024;

/// One line or object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    /// Where it begins, in bytes from the beginning of the file.
    pub(crate) start: u64,
    /// Where the next one begins.
    pub(crate) end: u64,
    /// Number of its first line, from 1.
    pub(crate) line: u64,
    /// As it stands in the file.
    pub(crate) raw: Vec<u8>,
    /// A line is one row; an object with a list of objects is several.
    pub(crate) rows: Result<Vec<Row>, Reason>,
}

/// How a file has to be taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pub(crate) format: Format,
    pub(crate) encoding: &'static Encoding,
    pub(crate) delimiter: u8,
    /// Our names of the columns (CSV).
    pub(crate) names: Rc<[String]>,
    /// The line with the names (CSV).
    pub(crate) header: Vec<u8>,
    /// Where the first piece begins.
    pub(crate) start: u64,
    /// And its line.
    pub(crate) line: u64,
}

/// Moves over a file.
pub(crate) struct Pieces<'a> {
    host: &'a dyn Host,
    setup: &'a Setup,
    pub(crate) shape: Shape,
    path: String,
    size: u64,
    window: Vec<u8>,
    /// Where the window begins, and its line.
    base: u64,
    line: u64,
    queue: VecDeque<Piece>,
}

/// What was found at the beginning of a window.
#[derive(Debug, Default)]
struct Split {
    pieces: Vec<Piece>,
    /// Bytes that are dealt with.
    used: usize,
    /// Lines that end in them.
    lines: u64,
}

/// Opens a file: judges its beginning. The inner error says why it is not such a file.
pub(crate) fn open<'a>(
    folder: &'a Folder<'_>,
    kind: Kind,
    format: Format,
    entry: &Entry,
) -> Result<Result<Pieces<'a>, Reason>, Error> {
    let path = format!("{INBOX}/{}", entry.name);
    let setup = &folder.setup;
    let head = folder.host.read(&path, 0, HEADER)?;
    let shape = match shape(setup, kind, format, &head, head.len() as u64 >= entry.size) {
        Ok(shape) => shape,
        Err(why) => return Ok(Err(why)),
    };
    let (base, line) = (shape.start, shape.line);
    let (window, queue) = (Vec::new(), VecDeque::new());
    Ok(Ok(Pieces { host: folder.host, setup, shape, path, size: entry.size, window, base, line, queue }))
}

fn shape(setup: &Setup, kind: Kind, format: Format, head: &[u8], whole: bool) -> Result<Shape, Reason> {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(Reason("it is written in UTF-16; save it as UTF-8 or Windows-1252".into()));
    }
    let bom = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let encoding = if bom > 0 || format == Format::Json { UTF_8 } else { setup.encoding };
    let mut shape = Shape {
        kind,
        format,
        encoding,
        delimiter: setup.delimiter,
        names: Rc::new([]),
        header: Vec::new(),
        start: bom,
        line: 1,
    };
    if format == Format::Csv {
        csv::header(setup, &mut shape, &head[bom as usize..], whole)?;
    }
    Ok(shape)
}

/// The columns that are missing, in words; the names of the file itself.
fn missing(setup: &Setup, kind: Kind, names: &[String], theirs: &[String]) -> Option<Reason> {
    let gone: Vec<String> = map::needed(kind)
        .iter()
        .filter(|needed| !names.iter().any(|name| name == *needed))
        .map(|needed| match setup.theirs(kind, needed) {
            theirs if theirs == *needed => format!("`{needed}`"),
            theirs => format!("`{theirs}` ({needed})"),
        })
        .collect();
    let there = theirs.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    (!gone.is_empty()).then(|| Reason(format!("column {} is missing; there are {there}", gone.join(" and "))))
}

impl Pieces<'_> {
    /// Goes on at a piece that was found before.
    pub(crate) fn seek(&mut self, offset: u64, line: u64) {
        (self.base, self.line) = (offset, line);
        self.window.clear();
        self.queue.clear();
    }

    /// Where the next piece begins, and its line.
    pub(crate) fn place(&self) -> (u64, u64) {
        self.queue.front().map_or((self.base, self.line), |piece| (piece.start, piece.line))
    }

    pub(crate) fn next(&mut self) -> Result<Option<Piece>, Error> {
        self.fill()?;
        Ok(self.queue.pop_front())
    }

    pub(crate) fn peek(&mut self) -> Result<Option<&Piece>, Error> {
        self.fill()?;
        Ok(self.queue.front())
    }

    fn fill(&mut self) -> Result<(), Error> {
        while self.queue.is_empty() {
            let last = self.base + self.window.len() as u64 >= self.size;
            if self.window.is_empty() && last {
                return Ok(());
            }
            if !self.window.is_empty() {
                let window = Window { bytes: &self.window, base: self.base, line: self.line, last };
                let mut split = match self.shape.format {
                    Format::Csv => csv::split(&self.shape, &window),
                    Format::Json => json::split(self.setup, &self.shape, &window),
                };
                if split.used == 0 && (last || self.window.len() > PIECE) {
                    split = endless(&window);
                }
                if split.used > 0 {
                    self.window.drain(..split.used);
                    self.base += split.used as u64;
                    self.line += split.lines;
                    self.queue.extend(split.pieces);
                    continue;
                }
            }
            let at = self.base + self.window.len() as u64;
            let wanted = u32::try_from((self.size - at).min(CHUNK.into())).unwrap_or(CHUNK);
            let chunk = self.host.read(&self.path, at, wanted)?;
            if chunk.is_empty() {
                // Shorter than it was when the page began: what is left of it is not read, and the caller sees the size.
                self.size = at;
            }
            self.window.extend(chunk);
        }
        Ok(())
    }
}

/// A part of a file.
struct Window<'a> {
    bytes: &'a [u8],
    base: u64,
    line: u64,
    /// The file ends with it.
    last: bool,
}

impl Window<'_> {
    fn piece(&self, from: usize, to: usize, line: u64, rows: Result<Vec<Row>, Reason>) -> Piece {
        let (start, end) = (self.base + from as u64, self.base + to as u64);
        Piece { start, end, line, raw: self.bytes[from..to].to_vec(), rows }
    }
}

/// What began here never ends: only its first line is given up.
fn endless(window: &Window<'_>) -> Split {
    let to = line_end(window.bytes, 0);
    let why = Reason("a quote or bracket that is opened here is never closed".into());
    Split { pieces: vec![window.piece(0, to, window.line, Err(why))], used: to, lines: lines(&window.bytes[..to]) }
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| from + at + 1)
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
