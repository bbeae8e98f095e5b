//! A disk that loses at a power cut what was not synced.
//!
//! [`vfs`] sits between SQLite and its files and writes down, before each change, what was there. A sync forgets that.
//! [`cut`] is called when the process is dead: of what was not synced, each sector may or may not have reached the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::dice::Dice;

pub mod vfs;

/// Folder of the notes; its presence in the environment puts the disk in place.
pub const NOTES: &str = "TRADEPOST_TEST_POWERCUT";

/// What a disk writes as a whole.
const SECTOR: usize = 512;

/// Notes of one file: its path in the first line, then changes since the last sync, oldest first.
pub(crate) struct Notes {
    file: File,
    head: u64,
}

impl Notes {
    /// For a file that was opened. What an earlier life of it noted stays.
    pub(crate) fn of(folder: &Path, path: &str) -> std::io::Result<Self> {
        let name: String = path.chars().map(|c| if c == '/' { '%' } else { c }).collect();
        // Every connection to the file adds to the same notes.
        let mut file = OpenOptions::new().append(true).create(true).open(folder.join(name))?;
        let head = path.len() as u64 + 1;
        if file.metadata()?.len() == 0 {
            file.write_all(path.as_bytes())?;
            file.write_all(b"\n")?;
        }
        Ok(Self { file, head })
    }

    /// Before a change: the size of the file, and what is there now where it changes.
    pub(crate) fn change(&mut self, size: u64, offset: u64, before: &[u8], length: u64) -> std::io::Result<()> {
        let mut record = Vec::with_capacity(32 + before.len());
        for number in [size, offset, before.len() as u64, length] {
            record.extend(number.to_le_bytes());
        }
        record.extend(before);
        // One call, so that a kill leaves the whole note or none of it.
        self.file.write_all(&record)
    }

    /// Everything is on the disk.
    pub(crate) fn synced(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.head)
    }
}

/// One change that was not synced.
struct Change {
    size: u64,
    offset: u64,
    before: Vec<u8>,
    /// Bytes it wrote; none for a truncation.
    length: u64,
    after: Vec<u8>,
}

/// The power is cut: what was not synced is lost, or part of it. Returns how many changes were taken back.
///
/// # Errors
/// The notes do not fit the files.
pub fn cut(folder: &Path, dice: &mut Dice) -> Result<usize> {
    let mut lost = 0;
    for entry in fs::read_dir(folder)? {
        let notes = entry?.path();
        lost += cut_file(&notes, dice).with_context(|| format!("notes {}", notes.display()))?;
        fs::remove_file(&notes)?;
    }
    Ok(lost)
}

fn cut_file(notes: &Path, dice: &mut Dice) -> Result<usize> {
    let bytes = fs::read(notes)?;
    let end = bytes.iter().position(|byte| *byte == b'\n').context("no path in it")?;
    let path = PathBuf::from(std::str::from_utf8(&bytes[..end])?);
    let mut changes = read_changes(&bytes[end + 1..])?;
    // What is shared between processes lives in memory and dies with them.
    let mut shared = path.clone().into_os_string();
    shared.push("-shm");
    match fs::remove_file(PathBuf::from(shared)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut file = match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    // Back to what is certainly there, newest first, keeping what each change had written.
    for change in changes.iter_mut().rev() {
        let now = file.metadata()?.len();
        let there = now.saturating_sub(change.offset).min(change.length);
        change.after = vec![0; usize::try_from(there)?];
        file.seek(SeekFrom::Start(change.offset))?;
        file.read_exact(&mut change.after)?;
        file.seek(SeekFrom::Start(change.offset))?;
        file.write_all(&change.before)?;
        file.set_len(change.size)?;
    }
    // What happened to reach the disk nevertheless, in any selection of sectors.
    let mut lost = 0;
    for change in &changes {
        if change.length == 0 {
            if dice.chance(50) {
                file.set_len(change.offset)?;
            } else {
                lost += 1;
            }
            continue;
        }
        for (n, sector) in change.after.chunks(SECTOR).enumerate() {
            if dice.chance(50) {
                file.seek(SeekFrom::Start(change.offset + (n * SECTOR) as u64))?;
                file.write_all(sector)?;
            } else {
                lost += 1;
            }
        }
    }
    file.sync_all()?;
    Ok(lost)
}

fn read_changes(mut bytes: &[u8]) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    while !bytes.is_empty() {
        // The last note may be half written: then what it is about did not happen.
        if bytes.len() < 32 {
            break;
        }
        let number = |n: usize| u64::from_le_bytes(bytes[n * 8..n * 8 + 8].try_into().unwrap_or_default());
        let (size, offset, kept, length) = (number(0), number(1), usize::try_from(number(2))?, number(3));
        if bytes.len() < 32 + kept {
            break;
        }
        ensure!(offset <= i64::MAX as u64 && size <= i64::MAX as u64, "a note makes no sense");
        changes.push(Change { size, offset, before: bytes[32..32 + kept].to_vec(), length, after: Vec::new() });
        bytes = &bytes[32 + kept..];
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_synced_comes_and_goes_and_what_was_stays() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let notes = folder.path().join("notes");
        let path = folder.path().join("data");
        let mut kept_all = 0;
        let mut lost_all = 0;
        for seed in 0..64 {
            fs::create_dir_all(&notes)?;
            fs::write(&path, [b'a'; 2048])?;
            let mut noted = Notes::of(&notes, path.to_str().context("plain")?)?;
            noted.change(2048, 0, &[b'a'; 512], 512)?;
            noted.synced()?;
            fs::write(&path, [[b'b'; 512], [b'a'; 512], [b'a'; 512], [b'a'; 512]].concat())?;
            // Overwrites the second sector and adds a fifth.
            noted.change(2048, 512, &[b'a'; 512], 512)?;
            noted.change(2048, 2048, &[], 512)?;
            let full = [[b'b'; 512], [b'c'; 512], [b'a'; 512], [b'a'; 512], [b'd'; 512]].concat();
            fs::write(&path, &full)?;
            let lost = cut(&notes, &mut Dice::new(seed))?;
            let found = fs::read(&path)?;
            assert_eq!(found[..512], [b'b'; 512], "what was synced is there");
            assert!(found[512..1024] == [b'a'; 512] || found[512..1024] == [b'c'; 512]);
            assert!(found.len() == 2048 || found[2048..] == [b'd'; 512]);
            kept_all += usize::from(found == full);
            lost_all += usize::from(lost == 2);
            assert_eq!(fs::read_dir(&notes)?.count(), 0);
        }
        assert!(kept_all > 0 && lost_all > 0, "both happen: {kept_all} {lost_all}");
        Ok(())
    }
}
