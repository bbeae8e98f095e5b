//! What the plugins folder holds and what is served of it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::model::description::Description;
use crate::runtime::{Build, Engine};

/// Changes that a slow listener may fall behind.
const BACKLOG: usize = 256;

/// The plugins folder and the builds that serve. Clones share it.
#[derive(Clone)]
pub struct Registry {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) folder: PathBuf,
    pub(super) engine: Engine,
    /// One reconciliation at a time.
    pub(super) work: tokio::sync::Mutex<()>,
    /// Replaced as a whole: whoever looks sees the folder before a change or after it.
    table: RwLock<Arc<Table>>,
    changes: broadcast::Sender<Change>,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the plugins folder {path} cannot be read")]
pub struct RegistryError {
    /// The folder.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

/// What stands of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its build serves.
    Serving,
    /// Another file has a newer build of the same connector.
    Superseded {
        /// The other file.
        by: String,
    },
    /// It cannot be used.
    Refused {
        /// A sentence with what to do.
        reason: String,
        /// An earlier build from this file still serves.
        earlier_serves: bool,
    },
}

/// One file of the folder, as the last reconciliation saw it.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// File name.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// Hex of the content's BLAKE3, if it could be read.
    pub hash: Option<String>,
    /// What the build of this file says of itself: of the one that serves, where the newest was refused.
    pub description: Option<Arc<Description>>,
    /// What stands of it.
    pub standing: Standing,
    /// When that was found.
    pub at: Timestamp,
}

/// Something happened in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// New runs of this connector use another build.
    Serving {
        /// Connector.
        connector: String,
        /// Version of the build.
        version: String,
        /// File.
        file: String,
    },
    /// A file was refused.
    Refused {
        /// File.
        file: String,
        /// A sentence with what to do.
        reason: String,
    },
    /// No file holds this connector any more.
    Missing {
        /// Connector.
        connector: String,
    },
}

#[derive(Default)]
pub(super) struct Table {
    /// By file name.
    pub(super) files: BTreeMap<String, Known>,
    /// By connector: the file whose build serves.
    pub(super) serving: BTreeMap<String, String>,
    /// What files said of themselves, by hash.
    pub(super) descriptions: HashMap<String, Arc<Description>>,
}

/// What is known of a file.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) size: u64,
    pub(super) modified: SystemTime,
    pub(super) hash: Option<String>,
    /// The last good build.
    pub(super) build: Option<Arc<Build>>,
    /// Why the newest content was refused.
    pub(super) refused: Option<String>,
    pub(super) at: Timestamp,
}

impl Registry {
    /// A registry of this folder, which is made if it is not there. Nothing is served before the first
    /// [`Self::reconcile`].
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(folder: &Path, engine: Engine) -> Result<Self, RegistryError> {
        let at = |source| RegistryError { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(at)?;
        std::fs::read_dir(folder).map_err(at)?;
        Ok(Self {
            inner: Arc::new(Inner {
                folder: folder.to_owned(),
                engine,
                work: tokio::sync::Mutex::default(),
                table: RwLock::default(),
                changes: broadcast::channel(BACKLOG).0,
            }),
        })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// The build that serves a connector now; `None`: the connector is missing. Whoever keeps it goes on with it,
    /// whatever happens to the file.
    #[must_use]
    pub fn get(&self, connector: &str) -> Option<Arc<Build>> {
        let table = self.table();
        table.files.get(table.serving.get(connector)?)?.build.clone()
    }

    /// All connectors that are served, sorted by id.
    #[must_use]
    pub fn serving(&self) -> Vec<Arc<Build>> {
        let table = self.table();
        table.serving.values().filter_map(|file| table.files.get(file)?.build.clone()).collect()
    }

    /// All files, sorted by name, with what stands of them.
    #[must_use]
    pub fn list(&self) -> Vec<Plugin> {
        let table = self.table();
        table
            .files
            .iter()
            .map(|(file, known)| {
                let description = known.build.as_ref().map(|build| build.description().clone());
                let server = description.as_ref().and_then(|description| table.serving.get(&description.id));
                let serves = server == Some(file);
                let standing = match (&known.refused, server) {
                    (Some(reason), _) => Standing::Refused { reason: reason.clone(), earlier_serves: serves },
                    (None, Some(by)) if !serves => Standing::Superseded { by: by.clone() },
                    (None, _) => Standing::Serving,
                };
                let (size, hash, at) = (known.size, known.hash.clone(), known.at);
                Plugin { file: file.clone(), size, hash, description, standing, at }
            })
            .collect()
    }

    /// Changes from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.inner.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a new table in place and says what is different.
    pub(super) fn replace(&self, table: Table) {
        let table = Arc::new(table);
        let old =
            std::mem::replace(&mut *self.inner.table.write().unwrap_or_else(PoisonError::into_inner), table.clone());
        for change in changes(&old, &table) {
            match &change {
                Change::Serving { connector, version, file } => {
                    tracing::info!(connector, version, file, "connector is served");
                }
                Change::Refused { file, reason } => tracing::warn!(file, reason, "plugin file is refused"),
                Change::Missing { connector } => tracing::warn!(connector, "connector is missing"),
            }
            // Nobody may be listening.
            let _ = self.inner.changes.send(change);
        }
    }
}

fn changes(old: &Table, new: &Table) -> Vec<Change> {
    let build = |table: &Table, connector: &str| -> Option<(String, Arc<Build>)> {
        let file = table.serving.get(connector)?;
        Some((file.clone(), table.files.get(file)?.build.clone()?))
    };
    let mut changes = Vec::new();
    for connector in new.serving.keys() {
        let Some((file, now)) = build(new, connector) else { continue };
        if build(old, connector).is_none_or(|(_, before)| before.hash() != now.hash()) {
            let version = now.description().version.clone();
            changes.push(Change::Serving { connector: connector.clone(), version, file });
        }
    }
    for (file, known) in &new.files {
        let before = old.files.get(file).and_then(|known| known.refused.as_ref().map(|_| known.at));
        if let Some(reason) = known.refused.as_ref().filter(|_| before != Some(known.at)) {
            changes.push(Change::Refused { file: file.clone(), reason: reason.clone() });
        }
    }
    let gone = old.serving.keys().filter(|connector| !new.serving.contains_key(*connector));
    changes.extend(gone.map(|connector| Change::Missing { connector: connector.clone() }));
    changes
}

impl Table {
    /// Which file serves which connector: the highest version, and of equal ones the last file name. Says the same
    /// whatever the order in which files came.
    pub(super) fn serving_of(files: &BTreeMap<String, Known>) -> BTreeMap<String, String> {
        let mut serving: BTreeMap<String, (Vec<Part>, String)> = BTreeMap::new();
        for (file, known) in files {
            let Some(build) = &known.build else { continue };
            let description = build.description();
            let candidate = (version(&description.version), file.clone());
            match serving.get(&description.id) {
                Some(best) if *best > candidate => {}
                _ => {
                    serving.insert(description.id.clone(), candidate);
                }
            }
        }
        serving.into_iter().map(|(connector, (_, file))| (connector, file)).collect()
    }
}

/// A part of a version; numbers are newer than words, so that `1.2.0` is newer than `1.2.0-rc.1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Word(String),
    End,
    Number(u64),
}

/// A version in an order in which newer is greater. Build metadata after `+` does not count.
pub(super) fn version(text: &str) -> Vec<Part> {
    let core = text.split('+').next().unwrap_or_default();
    let mut parts: Vec<Part> = core
        .split(['.', '-'])
        .map(|part| part.parse().map_or_else(|_| Part::Word(part.to_owned()), Part::Number))
        .collect();
    parts.push(Part::End);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_people_number_them() {
        let mut versions = ["1.10.0", "1.2.0-rc.1", "1.2.0", "1.2.0-alpha", "1.2.1", "1.2.0-rc.2", "0.9"];
        versions.sort_by_key(|text| version(text));
        assert_eq!(versions, ["0.9", "1.2.0-alpha", "1.2.0-rc.1", "1.2.0-rc.2", "1.2.0", "1.2.1", "1.10.0"]);
        assert_eq!(version("1.2.0+a"), version("1.2.0+b"));
    }
}
