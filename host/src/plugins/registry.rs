//! What the plugins folder holds and what is served of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::{broadcast, watch};

use super::kept::Kept;
use super::signature::Signers;
use crate::ledger::plugin::{ConnectorRow, PluginRow, PluginStanding};
use crate::ledger::{Ledger, LedgerError};
use crate::model::description::Description;
use crate::runtime::{Build, Engine};

/// Changes that a slow listener may fall behind.
const BACKLOG: usize = 256;
/// Builds that are remembered although nothing needs them.
const REMEMBERED: u32 = 200;

/// The plugins folder and the builds that serve. Clones share it.
#[derive(Clone)]
pub struct Registry {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) folder: PathBuf,
    pub(super) engine: Engine,
    /// Whose signatures count.
    signers: RwLock<Arc<Signers>>,
    /// What outlives the process; absent in commands that only look.
    pub(super) memory: Option<Memory>,
    /// One reconciliation at a time.
    pub(super) work: tokio::sync::Mutex<Work>,
    /// Replaced as a whole: whoever looks sees the folder before a change or after it.
    table: RwLock<Arc<Table>>,
    changes: broadcast::Sender<Change>,
    /// Marked whenever the table was replaced.
    looked: watch::Sender<()>,
}

/// What only reconciliations use.
#[derive(Default)]
pub(super) struct Work {
    /// What was remembered has been read.
    pub(super) recalled: bool,
    /// By whom what is known was judged.
    pub(super) signers: Option<Arc<Signers>>,
    /// Why contents were refused, by hash.
    pub(super) refusals: HashMap<String, String>,
}

/// Ledger and folder of good bytes.
pub(super) struct Memory {
    pub(super) ledger: Ledger,
    pub(super) kept: Kept,
}

/// Why the folder cannot be used, or a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The disk refuses.
    #[error("the folder {path} cannot be used")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What was decided could not be kept; what served goes on serving.
    #[error("what serves could not be noted")]
    Ledger(#[from] LedgerError),
    /// There is nothing to approve.
    #[error("{message}")]
    Approve {
        /// What is wrong and what to do.
        message: String,
    },
}

/// What stands of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its build serves.
    Serving,
    /// It can be used, and waits for a person.
    Held {
        /// A sentence with what to do.
        reason: String,
        /// What it wants that the build before did not, one by one.
        wants: Vec<String>,
        /// An earlier build from this file serves.
        earlier_serves: bool,
    },
    /// It is not looked at before its signature is there.
    Waiting {
        /// A sentence with what to do.
        reason: String,
        /// An earlier build from this file still serves.
        earlier_serves: bool,
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
    /// Version of the build from this file that serves.
    pub serving: Option<String>,
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
    /// A file can be used and waits for a person.
    Held {
        /// File.
        file: String,
        /// A sentence with what to do.
        reason: String,
    },
    /// A file waits for its signature.
    Waiting {
        /// File.
        file: String,
        /// A sentence with what to do.
        reason: String,
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

/// What is known of the folder.
#[derive(Clone, Default)]
pub(super) struct Table {
    /// By file name.
    pub(super) files: BTreeMap<String, Known>,
    /// By connector.
    pub(super) connectors: BTreeMap<String, Served>,
    /// Builds that were looked at, by hash.
    pub(super) looked: HashMap<String, Looked>,
}

/// Device, number and change of an inode.
pub(super) type Inode = (u64, u64, i64, i64);

/// What tells that a file is not the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) size: u64,
    pub(super) modified: SystemTime,
    pub(super) inode: Inode,
    /// The same of its signature, where one is needed and there.
    pub(super) signature: Option<(u64, SystemTime, Inode)>,
}

impl Stamp {
    /// When the file or its signature was changed last.
    pub(super) fn changed(&self) -> SystemTime {
        self.signature.map_or(self.modified, |(_, modified, _)| modified.max(self.modified))
    }
}

/// What is known of a file.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) stamp: Stamp,
    /// When it was read: a file may change again within the same tick of its clock.
    pub(super) read: SystemTime,
    pub(super) hash: Option<String>,
    pub(super) verdict: Verdict,
    pub(super) at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Serving,
    Held { reason: String, wants: Vec<String> },
    Waiting { reason: String },
    Refused { reason: String, passes: bool },
}

impl Verdict {
    /// Nothing of the file is used.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Waiting { .. } | Self::Refused { .. })
    }
}

/// Which build serves a connector.
#[derive(Clone)]
pub(super) struct Served {
    /// The file that it belongs to.
    pub(super) file: String,
    pub(super) hash: String,
    /// Absent: the file is gone.
    pub(super) build: Option<Arc<Build>>,
    /// What served before, until the build has proved itself.
    pub(super) previous: Option<String>,
}

/// A build that was looked at.
#[derive(Clone)]
pub(super) struct Looked {
    pub(super) file: String,
    pub(super) description: Arc<Description>,
    pub(super) host: String,
    pub(super) standing: PluginStanding,
    pub(super) reason: Option<String>,
}

impl Registry {
    /// A registry of this folder, which is made if it is not there, without memory: for a command that only looks.
    /// Nothing is served before the first [`Self::reconcile`].
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(folder: &Path, engine: Engine) -> Result<Self, RegistryError> {
        Self::new(folder, engine, None)
    }

    /// A registry that remembers in the ledger, with the last good bytes in the folder `kept`.
    ///
    /// # Errors
    /// When a folder cannot be made or read.
    pub fn remembering(folder: &Path, engine: Engine, ledger: Ledger, kept: &Path) -> Result<Self, RegistryError> {
        let path = kept;
        let kept = Kept::open(path).map_err(|source| RegistryError::Folder { path: path.to_owned(), source })?;
        Self::new(folder, engine, Some(Memory { ledger, kept }))
    }

    fn new(folder: &Path, engine: Engine, memory: Option<Memory>) -> Result<Self, RegistryError> {
        let at = |source| RegistryError::Folder { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(at)?;
        std::fs::read_dir(folder).map_err(at)?;
        Ok(Self {
            inner: Arc::new(Inner {
                folder: folder.to_owned(),
                engine,
                signers: RwLock::default(),
                memory,
                work: tokio::sync::Mutex::default(),
                table: RwLock::default(),
                changes: broadcast::channel(BACKLOG).0,
                looked: watch::channel(()).0,
            }),
        })
    }

    /// From the next reconciliation on, only files count that these have signed, if they are asked for; what serves
    /// already is judged anew too.
    pub fn set_signers(&self, signers: Signers) {
        *self.inner.signers.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(signers);
    }

    pub(super) fn signers(&self) -> Arc<Signers> {
        self.inner.signers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// The engine that runs the builds.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The build that serves a connector now; `None`: the connector is missing. Whoever keeps it goes on with it,
    /// whatever happens to the file.
    #[must_use]
    pub fn get(&self, connector: &str) -> Option<Arc<Build>> {
        self.table().connectors.get(connector)?.now()
    }

    /// All connectors that are served, sorted by id.
    #[must_use]
    pub fn serving(&self) -> Vec<Arc<Build>> {
        self.table().connectors.values().filter_map(Served::now).collect()
    }

    /// All files, sorted by name, with what stands of them.
    #[must_use]
    pub fn list(&self) -> Vec<Plugin> {
        let table = self.table();
        table.files.iter().map(|(file, known)| plugin(&table, file, known)).collect()
    }

    /// Tells whenever the folder was looked at and [`list`](Self::list) may be another.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<()> {
        self.inner.looked.subscribe()
    }

    /// Changes from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// Lets a build serve that is held: the file of this name, or the one held file of this connector. With a hash only
    /// that very content is approved.
    ///
    /// # Errors
    /// Nothing is held under this name, or several files, or other bytes than were shown.
    pub async fn approve(&self, name: &str, shown: Option<&str>) -> Result<(), RegistryError> {
        let message = |message: String| RegistryError::Approve { message };
        {
            let _one_at_a_time = self.inner.work.lock().await;
            let mut table = Table::clone(&self.table());
            let is_held = |known: &Known| matches!(known.verdict, Verdict::Held { .. });
            let of = |known: &Known| known.hash.as_ref().and_then(|hash| table.looked.get(hash));
            let mut held = table.files.iter().filter(|(file, known)| {
                is_held(known) && (*file == name || of(known).is_some_and(|looked| looked.description.id == name))
            });
            let hash = match (held.next(), held.next()) {
                (Some((_, known)), None) => known.hash.clone().unwrap_or_default(),
                (Some((first, _)), Some((second, _))) => {
                    return Err(message(format!(
                        "several files of `{name}` wait, as {first} and {second}; name the file"
                    )));
                }
                (None, _) => {
                    return Err(message(format!(
                        "nothing of `{name}` waits for approval; `tradepost plugin list` shows what does"
                    )));
                }
            };
            if shown.is_some_and(|shown| shown != hash) {
                return Err(message(format!(
                    "`{name}` is another file by now; look at it again before you approve it"
                )));
            }
            let Some(looked) = table.looked.get_mut(&hash) else {
                return Err(message(format!("`{name}` was not looked at yet; try again")));
            };
            looked.standing = PluginStanding::Approved;
            looked.reason = None;
            let row = looked.row(&hash);
            if let Some(memory) = &self.inner.memory {
                memory
                    .ledger
                    .write(move |tx| {
                        tx.set_plugin(&row)?;
                        let Description { id, version, .. } = &row.description;
                        let detail = json!({ "file": row.file, "connector": id, "version": version, "hash": row.hash });
                        tx.audit("operator", "plugin.approve", &detail)
                    })
                    .await?;
            }
            tracing::info!(name, hash, "plugin file is approved");
            self.replace(table);
        }
        self.reconcile().await.map(drop)
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.inner.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes durable what is different, then puts the new table in place and says what changed.
    pub(super) async fn commit(&self, table: Table) -> Result<(), RegistryError> {
        if let Some(memory) = &self.inner.memory {
            let (old, new) = (self.table(), &table);
            let row = |table: &Table, id: &str| table.connectors.get(id).map(|served| served.row(id));
            let connectors: Vec<ConnectorRow> = new
                .connectors
                .keys()
                .filter(|id| row(&old, id) != row(new, id))
                .filter_map(|id| row(new, id))
                .collect();
            // What a connector refers to is written with it, whether or not the ledger has forgotten it meanwhile.
            let referred: BTreeSet<&String> =
                connectors.iter().flat_map(|row| [Some(&row.hash), row.previous.as_ref()]).flatten().collect();
            let plugins: Vec<PluginRow> = new
                .looked
                .iter()
                .filter(|(hash, looked)| {
                    referred.contains(hash)
                        || old.looked.get(*hash).is_none_or(|before| before.row(hash) != looked.row(hash))
                })
                .map(|(hash, looked)| looked.row(hash))
                .collect();
            let gone: Vec<String> =
                old.connectors.keys().filter(|id| !new.connectors.contains_key(*id)).cloned().collect();
            if !(plugins.is_empty() && connectors.is_empty() && gone.is_empty()) {
                let write = move |tx: &crate::ledger::Tx<'_>| {
                    for plugin in &plugins {
                        tx.set_plugin(plugin)?;
                    }
                    for connector in &connectors {
                        tx.set_served_connector(connector)?;
                    }
                    for id in &gone {
                        tx.remove_served_connector(id)?;
                    }
                    tx.prune_plugins(REMEMBERED)
                };
                memory.ledger.write::<(), LedgerError>(write).await?;
                let needed: BTreeSet<String> = new
                    .connectors
                    .values()
                    .flat_map(|served| [Some(served.hash.clone()), served.previous.clone()])
                    .flatten()
                    .collect();
                let kept = memory.kept.clone();
                // What is left over costs disk space and is removed the next time.
                drop(tokio::task::spawn_blocking(move || kept.prune(&needed)).await);
            }
        }
        self.replace(table);
        Ok(())
    }

    /// Puts a new table in place and says what is different, one line per decision.
    fn replace(&self, table: Table) {
        let table = Arc::new(table);
        let old =
            std::mem::replace(&mut *self.inner.table.write().unwrap_or_else(PoisonError::into_inner), table.clone());
        for change in changes(&old, &table) {
            match &change {
                Change::Serving { connector, version, file } => {
                    tracing::info!(connector, version, file, "connector is served");
                }
                Change::Held { file, reason } => tracing::warn!(file, reason, "plugin file is held"),
                Change::Waiting { file, reason } => tracing::warn!(file, reason, "plugin file waits for its signature"),
                Change::Refused { file, reason } => tracing::warn!(file, reason, "plugin file is refused"),
                Change::Missing { connector } => tracing::warn!(connector, "connector is missing"),
            }
            // Nobody may be listening.
            let _ = self.inner.changes.send(change);
        }
        self.inner.looked.send_replace(());
    }
}

impl Served {
    /// The build that answers now.
    pub(super) fn now(&self) -> Option<Arc<Build>> {
        let mut build = self.build.clone()?;
        while let Some(previous) = build.instead() {
            build = previous;
        }
        Some(build)
    }

    fn row(&self, id: &str) -> ConnectorRow {
        let Self { file, hash, previous, .. } = self;
        ConnectorRow { id: id.to_owned(), file: file.clone(), hash: hash.clone(), previous: previous.clone() }
    }
}

impl Looked {
    fn row(&self, hash: &str) -> PluginRow {
        PluginRow {
            hash: hash.to_owned(),
            file: self.file.clone(),
            description: Description::clone(&self.description),
            host: self.host.clone(),
            standing: self.standing,
            reason: self.reason.clone(),
        }
    }
}

fn plugin(table: &Table, file: &str, known: &Known) -> Plugin {
    let server = table.connectors.values().find(|served| served.file == file).and_then(Served::now);
    let serving = server.as_ref().map(|build| build.description().version.clone());
    let looked = known.hash.as_ref().and_then(|hash| table.looked.get(hash)).map(|looked| looked.description.clone());
    let description = looked.or_else(|| server.as_ref().map(|build| build.description().clone()));
    let earlier_serves = server.is_some();
    let standing = match known.verdict.clone() {
        Verdict::Serving => Standing::Serving,
        Verdict::Held { reason, wants } => Standing::Held { reason, wants, earlier_serves },
        Verdict::Waiting { reason } => Standing::Waiting { reason, earlier_serves },
        Verdict::Refused { reason, .. } => Standing::Refused { reason, earlier_serves },
    };
    let (size, hash, at) = (known.stamp.size, known.hash.clone(), known.at);
    Plugin { file: file.to_owned(), size, hash, description, serving, standing, at }
}

fn changes(old: &Table, new: &Table) -> Vec<Change> {
    let mut changes = Vec::new();
    for (connector, served) in &new.connectors {
        let before = old.connectors.get(connector).filter(|before| before.build.is_some());
        match &served.build {
            Some(build) if before.is_none_or(|before| before.hash != served.hash) => {
                let (version, file) = (build.description().version.clone(), served.file.clone());
                changes.push(Change::Serving { connector: connector.clone(), version, file });
            }
            None if before.is_some() => changes.push(Change::Missing { connector: connector.clone() }),
            _ => {}
        }
    }
    let gone = old.connectors.iter().filter(|(id, before)| before.build.is_some() && !new.connectors.contains_key(*id));
    changes.extend(gone.map(|(connector, _)| Change::Missing { connector: connector.clone() }));
    for (file, known) in &new.files {
        if old.files.get(file).is_some_and(|before| (&before.verdict, &before.hash) == (&known.verdict, &known.hash)) {
            continue;
        }
        match known.verdict.clone() {
            Verdict::Serving => {}
            Verdict::Held { reason, .. } => changes.push(Change::Held { file: file.clone(), reason }),
            Verdict::Waiting { reason } => changes.push(Change::Waiting { file: file.clone(), reason }),
            Verdict::Refused { reason, .. } => changes.push(Change::Refused { file: file.clone(), reason }),
        }
    }
    changes
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
