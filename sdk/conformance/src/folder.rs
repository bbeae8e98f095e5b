//! Exchange folders: where a connector works with files, its folder is the platform.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tradepost::runtime::exchange::Exchange;

/// An empty one, as a host makes it.
pub(crate) fn fresh(parent: &Path) -> io::Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let folder = parent.canonicalize()?.join(format!("exchange-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    std::fs::create_dir(&folder)?;
    open(&folder)?;
    Ok(folder)
}

/// As a host opens it for its connector.
pub(crate) fn open(folder: &Path) -> io::Result<Exchange> {
    Exchange::open(folder).map_err(io::Error::other)
}

/// What lies in it, file by file, with the names of the files.
pub(crate) fn texts(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.push((format!("the file {name}"), String::from_utf8_lossy(&std::fs::read(&path)?).into_owned()));
        }
    }
    Ok(found)
}
