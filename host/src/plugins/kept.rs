//! The last good bytes of connectors, so that a start after a bad drop still serves.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::signature::{EXTENSION, beside};

/// A folder with files named by the hash of their content.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    folder: PathBuf,
}

impl Kept {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where the bytes of a hash are.
    pub(super) fn path(&self, hash: &str) -> PathBuf {
        self.folder.join(format!("{hash}.wasm"))
    }

    /// Makes the bytes durable under their hash, and the signature beside them if there is one.
    pub(super) fn keep(&self, hash: &str, bytes: &[u8], signature: Option<&str>) -> io::Result<()> {
        let path = self.path(hash);
        if let Some(signature) = signature {
            self.write(hash, &beside(&path), signature.as_bytes())?;
        }
        if fs::metadata(&path).is_ok_and(|meta| meta.len() == bytes.len() as u64) {
            return Ok(());
        }
        self.write(hash, &path, bytes)
    }

    fn write(&self, hash: &str, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let temp = self.folder.join(format!(".{hash}.tmp"));
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temp)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temp, path)?;
        File::open(&self.folder)?.sync_all()
    }

    /// Removes what nothing needs any more. A failure costs disk space until the next time.
    pub(super) fn prune(&self, needed: &BTreeSet<String>) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let file = name.strip_suffix(EXTENSION).unwrap_or(&name);
            if !file.strip_suffix(".wasm").is_some_and(|hash| needed.contains(hash)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_until_nothing_needs_them() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::open(&folder.path().join("connectors")).unwrap();
        kept.keep("aa", b"one", Some("signed")).unwrap();
        kept.keep("bb", b"two", None).unwrap();
        kept.keep("bb", b"two", Some("signed")).unwrap();
        kept.prune(&BTreeSet::from(["bb".to_owned()]));
        assert!(!kept.path("aa").exists() && !beside(&kept.path("aa")).exists());
        assert_eq!(fs::read(beside(&kept.path("bb"))).unwrap(), b"signed");
        assert_eq!(fs::read(kept.path("bb")).unwrap(), b"two");
    }
}
