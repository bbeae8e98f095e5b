//! The comparison of folder and registry: at start, after every change, on command.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::registry::{Known, Registry, RegistryError, Table};
use crate::runtime::Build;
use crate::runtime::build::hash;
use crate::runtime::engine::{LoadError, MAX_FILE};

/// A file whose last change is older is complete; a younger one is looked at twice.
const OLD: Duration = Duration::from_secs(2);
/// Between the two looks at a file that is being written.
const SETTLE: Duration = Duration::from_millis(200);

/// Size and time of change: what tells that a file is not the one that was read.
type Stamp = (u64, SystemTime);

impl Registry {
    /// Brings the registry in line with the folder: takes up new and changed files, forgets removed ones. A file that
    /// is refused leaves its earlier build serving. Returns whether every file was complete; if not, look again.
    ///
    /// # Errors
    /// When the folder cannot be read: then nothing changes.
    pub async fn reconcile(&self) -> Result<bool, RegistryError> {
        let _one_at_a_time = self.inner.work.lock().await;
        let first = self.stamps().await?;
        let table = self.table();
        let known = |file: &String, stamp: &Stamp| {
            table.files.get(file).is_some_and(|known| (known.size, known.modified) == *stamp)
        };
        let young = |(_, modified): &Stamp| modified.elapsed().map_or(true, |age| age < OLD);
        let changed = first.iter().any(|(file, stamp)| !known(file, stamp) && young(stamp));
        let stamps = if changed {
            tokio::time::sleep(SETTLE).await;
            self.stamps().await?
        } else {
            first.clone()
        };

        let mut files = BTreeMap::new();
        let mut descriptions = table.descriptions.clone();
        let mut complete = true;
        for (file, stamp) in &stamps {
            let before = table.files.get(file);
            if let Some(before) = before.filter(|_| known(file, stamp)) {
                files.insert(file.clone(), before.clone());
                continue;
            }
            if young(stamp) && first.get(file) != Some(stamp) {
                // Still growing: what was known of it stays for now.
                complete = false;
                files.extend(before.map(|before| (file.clone(), before.clone())));
                continue;
            }
            match self.take_up(file, *stamp, before, &table).await {
                Some(known) => {
                    if let (Some(hash), Some(build)) = (&known.hash, &known.build)
                        && known.refused.is_none()
                    {
                        descriptions.insert(hash.clone(), build.description().clone());
                    }
                    files.insert(file.clone(), known);
                }
                None => {
                    complete = false;
                    files.extend(before.map(|before| (file.clone(), before.clone())));
                }
            }
        }
        let serving = Table::serving_of(&files);
        self.replace(Table { files, serving, descriptions });
        Ok(complete)
    }

    /// The candidates in the folder.
    async fn stamps(&self) -> Result<BTreeMap<String, Stamp>, RegistryError> {
        let folder = self.inner.folder.clone();
        let listed = tokio::task::spawn_blocking(move || stamps(&folder))
            .await
            .unwrap_or_else(|error| Err(std::io::Error::other(error)));
        listed.map_err(|source| RegistryError { path: self.inner.folder.clone(), source })
    }

    /// Reads and loads a file. `None`: it changed while it was read.
    async fn take_up(&self, file: &str, stamp: Stamp, before: Option<&Known>, table: &Table) -> Option<Known> {
        let (size, modified) = stamp;
        let at = Timestamp::now();
        let earlier = before.and_then(|before| before.build.clone());
        let refused = |hash: Option<String>, reason: String| {
            Some(Known { size, modified, hash, build: earlier.clone(), refused: Some(reason), at })
        };
        if Path::new(file).extension().is_some_and(|extension| extension == "cwasm") {
            return refused(None, LoadError::Precompiled.to_string());
        }
        if size > MAX_FILE {
            return refused(None, LoadError::TooLarge { size }.to_string());
        }
        let bytes: Arc<[u8]> = match tokio::fs::read(self.inner.folder.join(file)).await {
            Ok(bytes) if bytes.len() as u64 == size => bytes.into(),
            Ok(_) => return None,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => return refused(None, format!("the file cannot be read: {error}")),
        };
        let hash = hash(&bytes);
        if let Some(before) = before.filter(|before| before.hash.as_ref() == Some(&hash)) {
            return Some(Known { size, modified, ..before.clone() });
        }
        // The file went back to what serves: nothing to compile.
        if let Some(build) = earlier.clone().filter(|build| build.hash() == hash) {
            return Some(Known { size, modified, hash: Some(hash), build: Some(build), refused: None, at });
        }
        let known = table.descriptions.get(&hash).cloned();
        match Build::load(&self.inner.engine, bytes, known).await {
            Ok(build) => {
                Some(Known { size, modified, hash: Some(hash), build: Some(Arc::new(build)), refused: None, at })
            }
            Err(error) => refused(Some(hash), error.to_string()),
        }
    }
}

fn stamps(folder: &Path) -> std::io::Result<BTreeMap<String, Stamp>> {
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
            stamps.insert(name, (meta.len(), meta.modified()?));
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
