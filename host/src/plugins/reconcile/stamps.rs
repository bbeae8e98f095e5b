//! What lies in the folder.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::super::registry::Stamp;
use super::super::signature::beside;

/// The candidates of a folder, with their signatures where these are needed.
pub(super) fn stamps(folder: &Path, signed: bool) -> std::io::Result<BTreeMap<String, Stamp>> {
    let mut stamps = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !is_candidate(&name) {
            continue;
        }
        // Links are followed: operators link builds into the folder. What vanished meanwhile is not there.
        let Ok(meta) = std::fs::metadata(entry.path()) else { continue };
        if meta.is_file() {
            let inode = |meta: &std::fs::Metadata| (meta.dev(), meta.ino(), meta.ctime(), meta.ctime_nsec());
            let signature = std::fs::metadata(beside(&entry.path())).ok().filter(|_| signed);
            let signature = signature.and_then(|meta| Some((meta.len(), meta.modified().ok()?, inode(&meta))));
            let (size, modified, inode) = (meta.len(), meta.modified()?, inode(&meta));
            stamps.insert(name, Stamp { size, modified, inode, signature });
        }
    }
    Ok(stamps)
}

/// Whether a name is that of a finished file; copies in progress have other names.
fn is_candidate(name: &str) -> bool {
    !name.starts_with('.') && (name.ends_with(".wasm") || name.ends_with(".cwasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_copies_in_progress_are_no_candidates() {
        for name in [".shop.wasm", "shop.wasm.tmp", "shop.wasm.part", "shop.wasm~", "README.md", ".shop.wasm.x7Gh2"] {
            assert!(!is_candidate(name), "{name}");
        }
        for name in ["shop.wasm", "shop-1.2.0.wasm", "shop.cwasm"] {
            assert!(is_candidate(name), "{name}");
        }
    }
}
