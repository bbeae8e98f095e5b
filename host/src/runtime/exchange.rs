//! An exchange folder: what a connector may see of the file system. No path leaves it, no link is followed, only plain
//! files and folders count; names that begin with a dot or end in `.tmp` are somebody's unfinished work.

pub mod seen;

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use jiff::Timestamp;

use crate::crash;
use seen::SeenFile;

/// Folders that the host makes in an exchange folder.
const FOLDERS: [&str; 4] = ["inbox", "outbox", "done", "failed"];

/// One granted folder.
#[derive(Debug)]
pub struct Exchange {
    dir: Dir,
}

/// Why a file was not touched.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The path is none that a connector may name.
    #[error("`{path}` is not a path in the exchange folder: parts are divided by `/`, none is empty, `.` or `..`")]
    Path {
        /// As given.
        path: String,
    },
    /// A link, device or the like stands there.
    #[error("`{path}` is neither a plain file nor a folder")]
    Special {
        /// As given.
        path: String,
    },
    /// Nothing is there.
    #[error("there is no `{path}` in the exchange folder")]
    Missing {
        /// As given.
        path: String,
    },
    /// Something else is already there.
    #[error("`{path}` is already there; move the file to another name")]
    Occupied {
        /// As given.
        path: String,
    },
    /// The file is larger than allowed.
    #[error("`{path}` has {size} bytes")]
    TooLarge {
        /// As given.
        path: String,
        /// Its size.
        size: u64,
    },
    /// The disk refused.
    #[error("the exchange folder cannot be used at `{path}`")]
    File {
        /// As given.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What stands in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name in the folder.
    pub name: String,
    /// A folder, else a plain file.
    pub folder: bool,
    /// Bytes.
    pub size: u64,
    /// Last change.
    pub modified: Timestamp,
}

type Outcome<T> = Result<T, ExchangeError>;

impl Exchange {
    /// Opens the operator's folder and makes the four folders in it.
    ///
    /// # Errors
    /// When the folder is not there or not writable.
    pub fn open(folder: &Path) -> Outcome<Self> {
        let at = |source| ExchangeError::File { path: folder.display().to_string(), source };
        let dir = Dir::open_ambient_dir(folder, ambient_authority()).map_err(at)?;
        for name in FOLDERS {
            match dir.create_dir(name) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(at(error)),
                _ => {}
            }
        }
        Ok(Self { dir })
    }

    /// Files and folders in a folder, sorted by name; the empty path is the exchange folder itself.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn entries(&self, folder: &str) -> Outcome<Vec<Entry>> {
        let dir = if folder.is_empty() { self.dir.try_clone() } else { self.dir.open_dir(self.checked(folder)?) };
        let at = |source| file_error(folder, source);
        let mut entries = Vec::new();
        for entry in dir.map_err(at)?.entries().map_err(at)? {
            let entry = entry.map_err(at)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            // Gone between listing and looking: then it is not there.
            let Ok(meta) = entry.metadata() else { continue };
            if unfinished(&name) || !(meta.is_file() || meta.is_dir()) {
                continue;
            }
            let modified = meta.modified().map_err(at)?.into_std();
            let modified = Timestamp::try_from(modified).unwrap_or(Timestamp::UNIX_EPOCH);
            let (folder, size) = (meta.is_dir(), if meta.is_dir() { 0 } else { meta.len() });
            entries.push(Entry { name, folder, size, modified });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// What stands at a path, if a plain file does.
    pub fn entry(&self, path: &str) -> Option<Entry> {
        let meta = self.dir.symlink_metadata(self.checked(path).ok()?).ok().filter(cap_std::fs::Metadata::is_file)?;
        let modified = Timestamp::try_from(meta.modified().ok()?.into_std()).unwrap_or(Timestamp::UNIX_EPOCH);
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        Some(Entry { name, folder: false, size: meta.len(), modified })
    }

    /// Makes a file or folder as a call saw it, for a replay. What is not known of its bytes is zero; beyond `most` it is
    /// one byte longer than that, which is too large as well.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn lay_out(&self, file: &SeenFile, most: u64) -> Outcome<()> {
        let at = |source| file_error(&file.path, source);
        let folder = if file.folder { Some(file.path.as_str()) } else { file.path.rsplit_once('/').map(|(at, _)| at) };
        let mut walked = String::new();
        for part in folder.into_iter().flat_map(|folder| folder.split('/')) {
            walked.push_str(if walked.is_empty() { "" } else { "/" });
            walked.push_str(part);
            match self.dir.create_dir(self.checked(&walked)?) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(at(error)),
                _ => {}
            }
        }
        if file.folder {
            return Ok(());
        }
        let path = self.checked(&file.path)?;
        let mut made = self.dir.create(path).map_err(at)?.into_std();
        let size = file.size.min(most.saturating_add(1));
        made.set_len(size).map_err(at)?;
        for part in &file.parts {
            let room = usize::try_from(size.saturating_sub(part.offset)).unwrap_or(usize::MAX);
            let bytes = part.bytes.bytes();
            made.seek(SeekFrom::Start(part.offset)).map_err(at)?;
            made.write_all(&bytes[..bytes.len().min(room)]).map_err(at)?;
        }
        made.set_modified(file.modified.into()).map_err(at)
    }

    /// Opens a plain file of at most `most` bytes for reading.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn reader(&self, path: &str, most: u64) -> Outcome<std::fs::File> {
        let checked = self.checked(path)?;
        if !self.is_file(path, &checked)? {
            return Err(ExchangeError::Missing { path: path.to_owned() });
        }
        let file = self.dir.open(checked).map_err(|source| file_error(path, source))?.into_std();
        let meta = file.metadata().map_err(|source| file_error(path, source))?;
        if !meta.is_file() {
            return Err(ExchangeError::Special { path: path.to_owned() });
        }
        if meta.len() > most {
            return Err(ExchangeError::TooLarge { path: path.to_owned(), size: meta.len() });
        }
        Ok(file)
    }

    /// Some bytes of a file; empty at its end.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn read(&self, path: &str, offset: u64, length: u32, most: u64) -> Outcome<Vec<u8>> {
        let mut file = self.reader(path, most)?;
        let at = |source| file_error(path, source);
        file.seek(SeekFrom::Start(offset)).map_err(at)?;
        let mut bytes = Vec::new();
        file.take(length.into()).read_to_end(&mut bytes).map_err(at)?;
        Ok(bytes)
    }

    /// Writes a whole file, replacing one that is there. Whoever looks sees the old bytes or the new ones; they are
    /// durable when this returns. `ready` is asked when only the renaming is left, and may forbid it.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn write(&self, path: &str, content: &mut dyn Read, ready: &dyn Fn() -> bool) -> Outcome<()> {
        let checked = self.checked(path)?;
        self.is_file(path, &checked)?;
        let at = |source| file_error(path, source);
        let folder = self.parent(&checked).map_err(at)?;
        let name = checked.file_name().unwrap_or_default();
        let temp = format!(".{}.{:016x}.tmp", name.to_string_lossy(), random().map_err(at)?);
        let written = (|| {
            let mut file = folder.open_with(&temp, OpenOptions::new().write(true).create_new(true))?;
            io::copy(content, &mut file)?;
            file.flush()?;
            file.sync_all()?;
            if !ready() {
                return Err(io::Error::other("the call was over before the file was written"));
            }
            folder.rename(&temp, &folder, name)?;
            sync(&folder)?;
            crash::point(crash::Point::Sent);
            Ok(())
        })();
        if written.is_err() {
            let _ = folder.remove_file(&temp);
        }
        written.map_err(at)
    }

    /// Moves a file. One that is gone under the old name and there under the new one was moved before; one that is
    /// there under both names is another file, and the one that was moved before is kept.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub fn rename(&self, path: &str, target: &str) -> Outcome<()> {
        let (from, to) = (self.checked(path)?, self.checked(target)?);
        match (self.is_file(path, &from)?, self.is_file(target, &to)?) {
            (false, true) => return Ok(()),
            (false, false) => return Err(ExchangeError::Missing { path: path.to_owned() }),
            (true, true) => return Err(ExchangeError::Occupied { path: target.to_owned() }),
            (true, false) => {}
        }
        let at = |source| file_error(path, source);
        self.dir.rename(&from, &self.dir, &to).map_err(at)?;
        sync(&self.parent(&to).map_err(at)?).map_err(at)?;
        sync(&self.parent(&from).map_err(at)?).map_err(at)
    }

    fn parent(&self, path: &Path) -> io::Result<Dir> {
        match path.parent() {
            Some(parent) if parent != Path::new("") => self.dir.open_dir(parent),
            _ => self.dir.try_clone(),
        }
    }

    /// A path whose parts are plain names and whose folders are real folders.
    fn checked(&self, path: &str) -> Outcome<PathBuf> {
        let plain = |part: &str| {
            !part.is_empty() && part.len() <= 255 && !part.contains(['\0', '\\']) && part != "." && part != ".."
        };
        let parts: Vec<&str> = path.split('/').collect();
        if path.len() > 1024 || parts.len() > 8 || !parts.iter().all(|part| plain(part) && !unfinished(part)) {
            return Err(ExchangeError::Path { path: path.to_owned() });
        }
        let mut walked = PathBuf::new();
        for part in &parts[..parts.len() - 1] {
            walked.push(part);
            match self.dir.symlink_metadata(&walked) {
                Ok(meta) if meta.is_dir() => {}
                Ok(_) => return Err(ExchangeError::Special { path: path.to_owned() }),
                Err(source) => return Err(file_error(path, source)),
            }
        }
        walked.push(parts[parts.len() - 1]);
        Ok(walked)
    }

    /// Whether a plain file is there; an error when something else is.
    fn is_file(&self, path: &str, checked: &Path) -> Outcome<bool> {
        match self.dir.symlink_metadata(checked) {
            Ok(meta) if meta.is_file() => Ok(true),
            Ok(_) => Err(ExchangeError::Special { path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(file_error(path, source)),
        }
    }
}

fn unfinished(name: &str) -> bool {
    name.starts_with('.') || name.ends_with(".tmp")
}

fn file_error(path: &str, source: io::Error) -> ExchangeError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => ExchangeError::Missing { path },
        _ => ExchangeError::File { path, source },
    }
}

fn sync(folder: &Dir) -> io::Result<()> {
    // The handle itself only names the folder and cannot be synced.
    folder.open(".")?.sync_all()
}

fn random() -> io::Result<u64> {
    getrandom::u64().map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
