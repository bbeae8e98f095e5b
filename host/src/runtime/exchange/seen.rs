//! What a call saw of an exchange folder before it changed anything there: enough to lay the folder out again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::tape::Body;
use super::Entry;

/// A file or folder that a call saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SeenFile {
    /// In the exchange folder, with `/` between its parts.
    pub path: String,
    /// A folder, else a plain file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub folder: bool,
    /// Bytes.
    #[serde(default)]
    pub size: u64,
    /// Last change.
    pub modified: Timestamp,
    /// What was read of it, in its order. The rest was not looked at, or went beyond what is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<SeenPart>,
}

/// Bytes of a file that were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenPart {
    /// Where they begin.
    pub offset: u64,
    /// `body`, `body64` or `omitted`.
    #[serde(flatten)]
    pub bytes: Body,
}

/// Remembers what a call sees, up to so many bytes.
#[derive(Debug)]
pub struct Looks {
    most: usize,
    state: Mutex<Looked>,
}

#[derive(Debug, Default)]
struct Looked {
    files: BTreeMap<String, (SeenFile, BTreeMap<u64, Vec<u8>>)>,
    /// What the call itself wrote or moved: from then on it sees its own work.
    changed: BTreeSet<String>,
    bytes: usize,
    left_out: usize,
}

impl Looks {
    /// Keeps at most so many bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, state: Mutex::default() }
    }

    /// A folder was listed.
    pub fn listed(&self, folder: &str, entries: &[Entry]) {
        let mut looked = self.lock();
        if !folder.is_empty() {
            let itself = Entry { name: String::new(), folder: true, size: 0, modified: Timestamp::UNIX_EPOCH };
            looked.found(folder, &itself, self.most);
        }
        for entry in entries {
            let path = if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
            looked.found(&path, entry, self.most);
        }
    }

    /// A file is looked for, and may not be there: what stands there is asked for the first time only.
    pub fn found(&self, path: &str, entry: impl FnOnce() -> Option<Entry>) {
        if self.lock().knows(path) {
            return;
        }
        if let Some(entry) = entry() {
            self.lock().found(path, &entry, self.most);
        }
    }

    /// Bytes of a file were read.
    pub fn read(&self, path: &str, offset: u64, bytes: &[u8]) {
        let mut looked = self.lock();
        if looked.changed.contains(path) {
            return;
        }
        let room = self.most.saturating_sub(looked.bytes);
        let Some((_, parts)) = looked.files.get_mut(path) else { return };
        if bytes.len() > room {
            looked.left_out += 1;
            return;
        }
        let added = add(parts, offset, bytes);
        looked.bytes += added;
    }

    /// The call writes or moves a file: what it sees of it afterwards is its own work.
    pub fn changes(&self, path: &str) {
        self.lock().changed.insert(path.to_owned());
    }

    /// What was seen, by path.
    pub fn take(&self) -> Vec<SeenFile> {
        let Looked { files, left_out, .. } = std::mem::take(&mut *self.lock());
        if left_out > 0 {
            tracing::debug!(left_out, "files of a call went beyond what is recorded");
        }
        let whole = |(file, parts): (SeenFile, BTreeMap<u64, Vec<u8>>)| {
            let part = |(offset, bytes)| SeenPart { offset, bytes: Body::of(bytes) };
            SeenFile { parts: parts.into_iter().map(part).collect(), ..file }
        };
        files.into_values().map(whole).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Looked> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Looked {
    fn knows(&self, path: &str) -> bool {
        self.files.contains_key(path) || self.changed.contains(path)
    }

    fn found(&mut self, path: &str, entry: &Entry, most: usize) {
        if self.knows(path) {
            return;
        }
        let weight = path.len() + 96;
        if self.bytes + weight > most {
            self.left_out += 1;
            return;
        }
        self.bytes += weight;
        let Entry { folder, size, modified, .. } = *entry;
        let file = SeenFile { path: path.to_owned(), folder, size, modified, parts: Vec::new() };
        self.files.insert(path.to_owned(), (file, BTreeMap::new()));
    }
}

/// Adds what is not there yet; says how many bytes that was.
fn add(parts: &mut BTreeMap<u64, Vec<u8>>, mut offset: u64, mut bytes: &[u8]) -> usize {
    let mut added = 0;
    while !bytes.is_empty() {
        let before = parts.range_mut(..=offset).next_back().map(|(start, part)| (start + part.len() as u64, part));
        let after = |parts: &BTreeMap<u64, Vec<u8>>| parts.range(offset + 1..).next().map(|(start, _)| start - offset);
        match before {
            Some((end, _)) if end > offset => {
                let known = usize::try_from(end - offset).unwrap_or(bytes.len()).min(bytes.len());
                bytes = &bytes[known..];
                offset += known as u64;
            }
            joins => {
                let joins = joins.is_some_and(|(end, _)| end == offset);
                let room = after(parts).and_then(|room| usize::try_from(room).ok()).unwrap_or(bytes.len());
                let (new, rest) = bytes.split_at(room.min(bytes.len()));
                match parts.range_mut(..=offset).next_back().filter(|_| joins) {
                    Some((_, part)) => part.extend_from_slice(new),
                    None => drop(parts.insert(offset, new.to_vec())),
                }
                added += new.len();
                offset += new.len() as u64;
                bytes = rest;
            }
        }
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, size: u64) -> Entry {
        Entry { name: name.into(), folder: false, size, modified: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn parts_are_kept_once_whatever_the_order() {
        let mut parts = BTreeMap::new();
        assert_eq!(add(&mut parts, 4, b"efgh"), 4);
        assert_eq!(add(&mut parts, 0, b"abcdef"), 4);
        assert_eq!(add(&mut parts, 2, b"cdefghij"), 2);
        assert_eq!(add(&mut parts, 20, b"z"), 1);
        let all: Vec<u8> = parts.range(..20).flat_map(|(_, part)| part.clone()).collect();
        assert_eq!((all.as_slice(), parts.len()), (b"abcdefghij".as_slice(), 3));
    }

    #[test]
    fn the_folder_is_seen_as_it_was_before_the_call() {
        let looks = Looks::new(10_000);
        looks.listed("inbox", &[entry("a.csv", 3)]);
        looks.read("inbox/a.csv", 0, b"abc");
        looks.changes("failed/a.csv");
        looks.changes("inbox/a.csv");
        looks.listed("failed", &[entry("a.csv", 9)]);
        looks.read("inbox/a.csv", 3, b"more");
        let seen = looks.take();
        let paths: Vec<&str> = seen.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["failed", "inbox", "inbox/a.csv"]);
        assert_eq!(seen[2].parts, [SeenPart { offset: 0, bytes: Body::of("abc") }]);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let looks = Looks::new(1_000);
        let many: Vec<Entry> = (0..100).map(|n| entry(&format!("{n:03}.csv"), 2_000)).collect();
        looks.listed("inbox", &many);
        looks.read("inbox/000.csv", 0, &[b'x'; 2_000]);
        let seen = looks.take();
        assert!(seen.len() < 12, "{}", seen.len());
        assert!(seen.iter().all(|file| file.parts.is_empty()));
    }
}
