//! Pages over the files of a kind, oldest first. A page takes up a part of a file, or several small ones; what belongs to
//! one record (all variants of a product) is never divided, and is left out as a whole when one of its lines is wrong.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use tradepost_sdk::files::Entry;
use tradepost_sdk::records::{Kind, Unreadable};
use tradepost_sdk::report::Level;
use tradepost_sdk::source::{Page, Request, Scope};
use tradepost_sdk::types::Error;

use crate::host::Folder;
use crate::inbox::{self, Finished, INBOX};
use crate::map::{self, Built, Delivery};
use crate::outbox::hash;
use crate::rejects::{Rejects, Written};
use crate::table::{self, Piece, Pieces, Shape};
use crate::value::{Reason, Row, Trouble};

/// Most bytes of files on one page.
const BYTES: u64 = 4 * 1024 * 1024;
/// Most records whose lines stand apart in one file: the cursor holds them.
const APART: usize = 100;
/// Most bytes of a line that are shown to a person.
const SHOWN: usize = 8 * 1024;

/// Where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// The file.
    #[serde(rename = "n")]
    name: String,
    /// It was read to its end.
    #[serde(rename = "e", default)]
    ended: bool,
    #[serde(rename = "s", default)]
    size: u64,
    #[serde(rename = "m", default)]
    modified: String,
    #[serde(rename = "o", default)]
    offset: u64,
    #[serde(rename = "l", default)]
    line: u64,
    /// The line before could not be read, and may belong to what comes next.
    #[serde(rename = "t", default)]
    torn: bool,
    #[serde(rename = "r", default)]
    rejects: Written,
    /// Hashes of the keys whose lines stand apart in the file.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    apart: Vec<u64>,
}

/// What a page has gathered.
struct Gathered {
    limit: usize,
    built: Vec<Built>,
    unreadable: Vec<Unreadable>,
    bytes: u64,
    finished: Vec<Finished>,
}

impl Gathered {
    fn is_full(&self) -> bool {
        self.built.len() + self.unreadable.len() >= self.limit || self.bytes >= BYTES
    }
}

/// How far a file was read.
enum Reached {
    End,
    Pause(Cursor),
}

/// One page.
pub(crate) fn pull(folder: &Folder<'_>, request: &Request) -> Result<Page, Error> {
    match &request.scope {
        Scope::Changed(_) => {}
        Scope::Ids(_) => return Err(Error::Unsupported("files are read as they come, not by id".into())),
        Scope::Present => return Err(Error::Unsupported("files do not say what else there is".into())),
    }
    let kind = request.kind;
    let cursor: Option<Cursor> = request
        .cursor
        .as_deref()
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| Error::Bug(format!("a cursor that this connector did not write: {error}")))?;
    let files = inbox::files(folder, kind, cursor.is_none())?;
    let mut page = Gathered {
        limit: request.limit.max(1) as usize,
        built: Vec::new(),
        unreadable: Vec::new(),
        bytes: 0,
        finished: Vec::new(),
    };
    let behind =
        |entry: &&Entry| cursor.as_ref().is_none_or(|c| entry.name > c.name || entry.name == c.name && !c.ended);
    let mut left = files.iter().filter(behind).peekable();
    let mut next = None;
    while let Some(entry) = left.next() {
        let resume = cursor.as_ref().filter(|cursor| cursor.name == entry.name);
        let changed = resume.is_some_and(|c| c.size != entry.size || c.modified != entry.modified);
        if changed || !inbox::at_rest(folder, entry) {
            // A newer file must not be read before it.
            let words = format!("`{}` is still being written; it and what follows wait for the next pull", entry.name);
            folder.host.log(Level::Info, &words);
            break;
        }
        match read(folder, kind, entry, resume, &mut page)? {
            Reached::Pause(cursor) => {
                next = Some(cursor);
                break;
            }
            Reached::End if left.peek().is_some() && (page.is_full() || inbox::is_full(&page.finished)) => {
                next = Some(Cursor::end(entry));
                break;
            }
            Reached::End => {}
        }
    }
    unchanged(folder, &mut page.finished)?;
    Ok(Page {
        records: map::records(kind, page.built),
        deleted: Vec::new(),
        unreadable: page.unreadable,
        present: Vec::new(),
        next: next.map(|cursor| serde_json::to_string(&cursor).expect("strings and numbers are JSON")),
        watermark: None,
        receipt: inbox::receipt(&page.finished),
        total: None,
    })
}

impl Cursor {
    fn end(entry: &Entry) -> Self {
        Self {
            name: entry.name.clone(),
            ended: true,
            size: 0,
            modified: String::new(),
            offset: 0,
            line: 0,
            torn: false,
            rejects: Written::default(),
            apart: Vec::new(),
        }
    }
}

/// Files that changed while they were read stay in the inbox.
fn unchanged(folder: &Folder<'_>, finished: &mut Vec<Finished>) -> Result<(), Error> {
    if finished.is_empty() {
        return Ok(());
    }
    let now = folder.host.entries(INBOX)?;
    finished.retain(|file| {
        let same = now.iter().any(|e| e.name == file.name && e.size == file.size && e.modified == file.modified);
        if !same {
            folder.host.log(Level::Warn, &format!("`{}` changed while it was read; it is read again", file.name));
        }
        same
    });
    Ok(())
}

/// Reads a file from its beginning or where the last page ended.
fn read(
    folder: &Folder<'_>,
    kind: Kind,
    entry: &Entry,
    resume: Option<&Cursor>,
    page: &mut Gathered,
) -> Result<Reached, Error> {
    let format = inbox::format(&entry.name).expect("only such files are listed");
    let mut pieces = match table::open(folder, kind, format, entry) {
        Ok(Ok(pieces)) => pieces,
        // Nothing in it, not even names of columns: nothing to say.
        Ok(Err(_)) if entry.size == 0 => {
            page.finished.push(Finished::new(folder, entry, false)?);
            return Ok(Reached::End);
        }
        Ok(Err(why)) => return failed(folder, entry, &why, page),
        Err(Error::NotFound(_)) => return Ok(Reached::End),
        Err(Error::Denied(words)) => {
            folder.host.log(Level::Error, &format!("`{}` stays in the inbox: {words}", entry.name));
            page.unreadable.push(Unreadable {
                id: Some(entry.name.clone()),
                raw: entry.name.clone(),
                why: format!("File {} cannot be read and stays in the inbox: {words}.", entry.name),
            });
            return Ok(Reached::End);
        }
        Err(error) => return Err(error),
    };
    let delivery = Delivery::new(folder, entry);
    let apart = match resume {
        Some(cursor) => {
            pieces.seek(cursor.offset, cursor.line);
            cursor.apart.clone()
        }
        None => match apart(&mut pieces, &delivery)? {
            Ok(apart) => apart,
            Err(why) => return failed(folder, entry, &why, page),
        },
    };
    let mut rejects = Rejects::new(folder, entry, resume.map(|cursor| cursor.rejects).unwrap_or_default())?;
    let mut torn = resume.is_some_and(|cursor| cursor.torn);
    loop {
        if page.is_full() && pieces.peek()?.is_some() {
            let (offset, line) = pieces.place();
            let (size, modified, name) = (entry.size, entry.modified.clone(), entry.name.clone());
            let rejects = rejects.flush()?;
            let cursor = Cursor { name, ended: false, size, modified, offset, line, torn, rejects, apart };
            return Ok(Reached::Pause(cursor));
        }
        let Some(group) = group(&mut pieces, &delivery, &mut torn)? else { break };
        page.bytes += group.pieces.iter().map(|piece| piece.raw.len() as u64).sum::<u64>();
        let why = match build(&delivery, kind, &group, &apart) {
            Ok(built) => {
                page.built.extend(built);
                continue;
            }
            Err(Trouble::Host(error)) => return Err(error),
            Err(Trouble::Data(why)) => why,
        };
        let id = group.key.clone().filter(|key| key.len() <= 255);
        let shape = &pieces.shape;
        refuse(&mut rejects, shape, &group, &why)?;
        page.unreadable.push(Unreadable {
            id: Some(id.unwrap_or_else(|| format!("{}:{}", entry.name, group.pieces[0].line))),
            raw: shown(shape, &group.pieces),
            why: format!("{}, {why}", entry.name),
        });
    }
    rejects.flush()?;
    page.finished.push(Finished::new(folder, entry, false)?);
    Ok(Reached::End)
}

/// What makes up one record.
struct Group {
    key: Option<String>,
    pieces: Vec<Piece>,
    /// A line next to it could not be read and may have belonged to it.
    torn: bool,
}

/// The next pieces that belong together. A piece that cannot be read is a group of its own, and tears its neighbours
/// where records have several lines.
fn group(pieces: &mut Pieces<'_>, delivery: &Delivery<'_>, torn: &mut bool) -> Result<Option<Group>, Error> {
    let Some(first) = pieces.next()? else { return Ok(None) };
    let grouped = map::is_grouped(pieces.shape.kind);
    let kind = pieces.shape.kind;
    let key_of = |piece: &Piece| {
        let rows = piece.rows.as_ref().ok()?;
        rows.first().and_then(|row| map::key(delivery.cells(row), kind))
    };
    if first.rows.is_err() {
        *torn = grouped;
        return Ok(Some(Group { key: None, pieces: vec![first], torn: false }));
    }
    let key = key_of(&first);
    let mut group = Group { key, pieces: vec![first], torn: std::mem::take(torn) };
    if !grouped || group.key.is_none() {
        return Ok(Some(group));
    }
    while let Some(piece) = pieces.peek()? {
        if piece.rows.is_err() {
            group.torn = true;
            break;
        }
        if key_of(piece) != group.key {
            break;
        }
        group.pieces.extend(pieces.next()?);
    }
    Ok(Some(group))
}

fn build(delivery: &Delivery<'_>, kind: Kind, group: &Group, apart: &[u64]) -> Result<Vec<Built>, Trouble> {
    let mut rows: Vec<&Row> = Vec::new();
    for piece in &group.pieces {
        match &piece.rows {
            Ok(of) => rows.extend(of),
            Err(why) => return Err(Trouble::Data(why.clone())),
        }
    }
    if group.torn {
        let line = group.pieces[0].line;
        let why = format!("line {line}: a line next to it cannot be read and may belong to it, so it is left out too");
        return Err(Trouble::Data(Reason(why)));
    }
    if let Some(key) = group.key.as_ref().filter(|key| apart.contains(&hash(key))) {
        let line = group.pieces[0].line;
        let why = format!("line {line}: the lines of `{key}` stand apart in the file; put them next to each other");
        return Err(Trouble::Data(Reason(why)));
    }
    map::build(delivery, kind, &rows)
}

/// The file as a whole is given up.
fn failed(folder: &Folder<'_>, entry: &Entry, why: &Reason, page: &mut Gathered) -> Result<Reached, Error> {
    page.unreadable.push(Unreadable {
        id: Some(entry.name.clone()),
        raw: entry.name.clone(),
        why: format!("File {} cannot be read and goes to `failed`: {why}.", entry.name),
    });
    page.finished.push(Finished::new(folder, entry, true)?);
    Ok(Reached::End)
}

/// Looks through the whole file, once, for records whose lines do not stand together: each block would pass for all
/// there is of the record, and the last one would take the variants of the others out of sale.
fn apart(pieces: &mut Pieces<'_>, delivery: &Delivery<'_>) -> Result<Result<Vec<u64>, Reason>, Error> {
    let kind = pieces.shape.kind;
    if !map::is_grouped(kind) {
        return Ok(Ok(Vec::new()));
    }
    let (offset, line) = pieces.place();
    let (mut seen, mut apart, mut last) = (HashSet::new(), Vec::new(), None);
    while let Some(piece) = pieces.next()? {
        let row = piece.rows.as_ref().ok().and_then(|rows| rows.first());
        let Some(key) = row.and_then(|row| map::key(delivery.cells(row), kind)) else { continue };
        let key = hash(&key);
        if last != Some(key) && !seen.insert(key) && !apart.contains(&key) {
            apart.push(key);
            if apart.len() > APART {
                let line = piece.line;
                return Ok(Err(Reason(format!(
                    "its lines are not sorted: line {line} belongs to earlier ones, and so \
                                              do many others; sort the export by product, customer or shipment"
                ))));
            }
        }
        last = Some(key);
    }
    pieces.seek(offset, line);
    Ok(Ok(apart))
}

fn refuse(rejects: &mut Rejects<'_>, shape: &Shape, group: &Group, why: &Reason) -> Result<(), Error> {
    group.pieces.iter().try_for_each(|piece| rejects.add(shape, piece, why))
}

fn shown(shape: &Shape, pieces: &[Piece]) -> String {
    let mut raw: Vec<u8> = pieces.iter().flat_map(|piece| &piece.raw).copied().take(SHOWN).collect();
    while raw.last().is_some_and(u8::is_ascii_whitespace) {
        raw.pop();
    }
    shape.encoding.decode_without_bom_handling(&raw).0.into_owned()
}

#[cfg(test)]
mod tests;
