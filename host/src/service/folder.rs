//! The data folder: who owns it, its keys, and the small file that tells when the ledger went back in time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::capability::Secret;
use crate::ledger::secret::SealKey;

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process works with it.
    #[error(
        "another Tradepost process works with {path}; stop it first, or send it commands with `tradepost --data {path} ...`"
    )]
    Owned {
        /// Folder.
        path: PathBuf,
    },
    /// The disk refuses.
    #[error("{path} cannot be used")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others could read the key.
    #[error("the key file {path} can be read by others; run `chmod 600 {path}`")]
    KeyOpen {
        /// File.
        path: PathBuf,
    },
    /// The key is no key.
    #[error("{origin} holds no key: 64 hexadecimal digits are expected")]
    KeyInvalid {
        /// File or environment variable.
        origin: String,
    },
    /// No random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

/// The data folder, owned by this process until it is dropped.
#[derive(Debug)]
pub struct DataFolder {
    root: PathBuf,
    lock: File,
    /// Given back before it was dropped.
    released: AtomicBool,
}

impl DataFolder {
    /// Makes the folder if need be and takes ownership.
    ///
    /// # Errors
    /// Another process owns it, or the disk refuses.
    pub fn open(root: &Path) -> Result<Self, FolderError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| FolderError::Io { path, source }
        };
        private_folder(root).map_err(at(root))?;
        let root = root.canonicalize().map_err(at(root))?;
        private_folder(&root.join("clients/default")).map_err(at(&root))?;
        let path = root.join("lock");
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(at(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root, lock, released: AtomicBool::new(false) }),
            Err(TryLockError::WouldBlock) => Err(FolderError::Owned { path: root }),
            Err(TryLockError::Error(source)) => Err(FolderError::Io { path, source }),
        }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The ledger of the one client.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.root.join("clients/default/ledger.db")
    }

    /// Gives the folder back, for another process or another start in this one: tasks that end a little later keep this
    /// value alive, but must not keep the folder.
    pub fn release(&self) {
        self.released.store(true, Ordering::SeqCst);
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the data folder stays locked until this process ends");
        }
    }

    /// Whether the lock file is still the one that this process locked: a folder that was replaced under a running
    /// process belongs to somebody else.
    #[must_use]
    pub fn owns(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        if self.released.load(Ordering::SeqCst) {
            return false;
        }
        match (self.lock.metadata(), fs::metadata(self.root.join("lock"))) {
            (Ok(ours), Ok(there)) => ours.ino() == there.ino() && ours.dev() == there.dev(),
            _ => false,
        }
    }

    /// The key that seals secrets: from the environment, else the file `key`, made at first use.
    ///
    /// # Errors
    /// The key is readable by others or no key.
    pub fn seal_key(&self, given: Option<&Secret>) -> Result<SealKey, FolderError> {
        if let Some(given) = given {
            let bytes = parse_key(given.expose())
                .ok_or_else(|| FolderError::KeyInvalid { origin: "the environment variable TRADEPOST_KEY".into() })?;
            return Ok(SealKey::new(&bytes));
        }
        let path = self.root.join("key");
        let text = self.secret_file(&path)?;
        parse_key(&text)
            .map(|bytes| SealKey::new(&bytes))
            .ok_or_else(|| FolderError::KeyInvalid { origin: path.display().to_string() })
    }

    /// The token that commands show to the API, made at first use.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn api_token(&self) -> Result<Secret, FolderError> {
        self.secret_file(&self.root.join("token")).map(Secret::new)
    }

    /// Reads a file of 64 random hexadecimal digits that only the owner may read, making it at first use.
    fn secret_file(&self, path: &Path) -> Result<String, FolderError> {
        let at = |source| FolderError::Io { path: path.to_owned(), source };
        match File::open(path) {
            Ok(mut file) => {
                let mode = file.metadata().map_err(at)?.permissions().mode();
                if mode & 0o077 != 0 {
                    return Err(FolderError::KeyOpen { path: path.to_owned() });
                }
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(at)?;
                Ok(text.trim().to_owned())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).map_err(FolderError::Random)?;
                let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                write_durably(path, text.as_bytes()).map_err(at)?;
                Ok(text)
            }
            Err(source) => Err(at(source)),
        }
    }

    /// What reads the metrics and nothing else, made at first use.
    ///
    /// # Errors
    /// The file is readable by others.
    pub fn metrics_token(&self) -> Result<Secret, FolderError> {
        self.secret_file(&self.root.join("metrics-token")).map(Secret::new)
    }

    /// Where the ledger was last, as noted outside of it: epoch and rev.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn position(&self) -> Result<Option<(i64, i64)>, FolderError> {
        let path = self.position_path();
        match fs::read_to_string(&path) {
            Ok(text) => {
                Ok(text.trim().split_once(' ').and_then(|(epoch, rev)| Some((epoch.parse().ok()?, rev.parse().ok()?))))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FolderError::Io { path, source }),
        }
    }

    /// Notes where the ledger is.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn set_position(&self, epoch: i64, rev: i64) -> Result<(), FolderError> {
        let path = self.position_path();
        write_durably(&path, format!("{epoch} {rev}\n").as_bytes()).map_err(|source| FolderError::Io { path, source })
    }

    fn position_path(&self) -> PathBuf {
        self.root.join("clients/default/position")
    }
}

/// The API token of a data folder, for a command that talks to the process that owns it.
///
/// # Errors
/// There is none: no process ever served this folder.
pub fn read_token(root: &Path) -> io::Result<Secret> {
    fs::read_to_string(root.join("token")).map(|text| Secret::new(text.trim().to_owned()))
}

fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Temporary name, fsync, rename, fsync of the folder: the file is the old or the new one, never half.
fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temp = path.with_extension("tmp");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temp, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn parse_key(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut key = [0; 32];
    for (i, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_owns_the_folder() {
        let temp = tempfile::tempdir().unwrap();
        let first = DataFolder::open(temp.path()).unwrap();
        assert!(matches!(DataFolder::open(temp.path()), Err(FolderError::Owned { .. })));
        assert!(first.owns());
        fs::remove_file(temp.path().join("lock")).unwrap();
        assert!(!first.owns(), "a replaced folder is somebody else's");
        drop(first);
        DataFolder::open(temp.path()).unwrap();
    }

    #[test]
    fn keys_are_made_once_and_kept_private() {
        let temp = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(temp.path()).unwrap();
        folder.seal_key(None).unwrap();
        let path = temp.path().join("key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let before = fs::read_to_string(&path).unwrap();
        folder.seal_key(None).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(folder.seal_key(None), Err(FolderError::KeyOpen { .. })));
        assert!(matches!(folder.seal_key(Some(&Secret::new("short".into()))), Err(FolderError::KeyInvalid { .. })));
        assert_eq!(folder.api_token().unwrap().expose(), read_token(temp.path()).unwrap().expose());
    }

    #[test]
    fn the_position_is_remembered() {
        let temp = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(temp.path()).unwrap();
        assert_eq!(folder.position().unwrap(), None);
        folder.set_position(2, 41).unwrap();
        folder.set_position(2, 42).unwrap();
        assert_eq!(folder.position().unwrap(), Some((2, 42)));
    }
}
