//! Cases: one call of a connector in a file, with everything that it saw, so that a developer repeats it in the same
//! engine. An operator exports one with `tradepost run export-case`; other people's data has been replaced in it, and
//! there is no secret in it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::engine::LoadError;
use super::exchange::seen::SeenFile;
use super::exchange::{Exchange as ExchangeFolder, ExchangeError};
use super::limits::Limits;
use super::power::Blob;
use super::tape::redact::Redactor;
use super::tape::{Exchange, Request, Tape};
use super::witness::{Input, Returned, Seen};
use super::workbench::{Ended, Setup, Workbench, WorkbenchError};
use crate::ledger::LedgerError;
use crate::model::{CallError, Outcome, PlatformCode, RemoteError};

/// How many cases a host keeps. Table `[cases]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Cases; 0: none are kept, and no call is recorded.
    pub count: u32,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Days; 0: whatever their age.
    pub days: u32,
}

/// Version of the file's format.
pub const FORMAT: u32 = 1;

/// One call with everything that it saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Bundle {
    /// [`FORMAT`].
    pub tradepost_case: u32,
    /// Version of the host.
    pub host: String,
    /// What was called.
    pub component: Component,
    /// Short name of the platform.
    pub platform: PlatformCode,
    /// When the call began: the connector sees this time again.
    pub at: Timestamp,
    /// Function and arguments.
    pub call: Input,
    /// Settings with defaults. Secrets are no settings.
    pub settings: Value,
    /// What the call read of its storage.
    #[serde(default)]
    pub storage: BTreeMap<String, Stored>,
    /// What it saw of its exchange folder as that was before. What it wrote is not here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<SeenFile>,
    /// What it was lent; the bytes are not here.
    #[serde(default)]
    pub blobs: Vec<LentBlob>,
    /// Its requests.
    pub exchanges: Vec<Exchange>,
    /// How it ended.
    pub outcome: Ending,
}

/// Which component was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Component {
    /// Id of the connector.
    pub id: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the file, as `sha256sum` shows it; absent: the file was gone already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// BLAKE3 of the file, as `tradepost plugin list --json` shows it.
    pub blake3: String,
}

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stored {
    /// As text.
    Text(String),
    /// As Base64.
    Base64(String),
    /// There was none.
    Absent,
}

/// A blob without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LentBlob {
    /// The platform's id of it.
    pub id: String,
    /// Hex of the bytes' BLAKE3.
    pub content: String,
    /// Bytes.
    pub size: u64,
    /// Media type.
    pub media_type: String,
    /// File name.
    pub name: Option<String>,
}

/// How a call ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ending {
    /// What it settled, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<(String, Outcome)>,
    /// What it returned, where that is more than nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Value>,
    /// How it failed as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failed>,
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Failed {
    /// `remote` (the connector said so), `limit`, `trap`, `host` or `missing`.
    pub how: String,
    /// In words.
    pub message: String,
    /// What the connector said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteError>,
}

/// A file that is no case.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It cannot be read.
    #[error("the case cannot be read")]
    Read(#[from] std::io::Error),
    /// It is something else.
    #[error("the file is no case of `tradepost run export-case`: {0}")]
    Format(#[from] serde_json::Error),
    /// Of another version.
    #[error("the case has the format {found}, this version reads {FORMAT}; use a version that is as new as the host's")]
    Version {
        /// Of the file.
        found: u64,
    },
}

/// Why a case could not be replayed at all.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A host would refuse the component.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The bench is not set up.
    #[error(transparent)]
    Bench(#[from] WorkbenchError),
    /// What was stored is not in the case as it should be.
    #[error("the stored value `{key}` of the case is no Base64")]
    Stored {
        /// Its key.
        key: String,
    },
    /// The memory refused; a defect.
    #[error(transparent)]
    Memory(#[from] LedgerError),
    /// The files of the case cannot be laid out.
    #[error(transparent)]
    Files(#[from] ExchangeError),
    /// There is no place for them.
    #[error("there is no place for the files of the case")]
    Place(#[from] std::io::Error),
}

/// A call that was repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// The component is not the one of the case: both, in words.
    pub differs: Option<String>,
    /// How it ended now.
    pub outcome: Ending,
    /// How it ended then.
    pub recorded: Ending,
    /// Its requests now.
    pub exchanges: Vec<Exchange>,
    /// Requests that the case has no answer to.
    pub unmatched: Vec<Request>,
    /// Exchanges of the case that were not asked for.
    pub unused: Vec<Exchange>,
}

impl Replay {
    /// It ended as it did then.
    #[must_use]
    pub fn same(&self) -> bool {
        self.outcome == self.recorded
    }
}

impl Bundle {
    /// Reads a case.
    ///
    /// # Errors
    /// It is none, or of another version.
    pub fn read(from: impl Read) -> Result<Self, BundleError> {
        let value: Value = serde_json::from_reader(from)?;
        match value.get("tradepost-case").and_then(Value::as_u64) {
            Some(found) if found != u64::from(FORMAT) => Err(BundleError::Version { found }),
            _ => Ok(serde_json::from_value(value)?),
        }
    }

    /// Of a call that has ended, as it was: with other people's data.
    ///
    /// # Errors
    /// A value that is no JSON; a defect.
    pub fn of(seen: &Seen<'_>) -> serde_json::Result<Self> {
        let returned = match &seen.result {
            Ok(Returned::Account(account)) => Some(serde_json::to_value(account)?),
            Ok(Returned::Page(page)) => Some(serde_json::to_value(page)?),
            Ok(Returned::Found(found)) => Some(serde_json::to_value(found)?),
            Ok(Returned::Nothing) | Err(_) => None,
        };
        let error = seen.result.as_ref().err().map(|error| Failed::of(error));
        let stored = |value: &Option<Vec<u8>>| match value {
            None => Stored::Absent,
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Stored::Text(text.to_owned()),
                Err(_) => Stored::Base64(STANDARD.encode(bytes)),
            },
        };
        let lent = |blob: &Blob| {
            let Blob { id, content, size, media_type, name } = blob.clone();
            LentBlob { id, content, size, media_type, name }
        };
        Ok(Self {
            tradepost_case: FORMAT,
            host: env!("CARGO_PKG_VERSION").into(),
            component: Component {
                id: seen.description.id.clone(),
                version: seen.description.version.clone(),
                sha256: None,
                blake3: seen.hash.to_owned(),
            },
            platform: seen.platform.clone(),
            at: seen.began,
            call: seen.input.clone(),
            settings: serde_json::from_str(seen.settings)?,
            storage: seen.reads.iter().map(|(key, value)| (key.clone(), stored(value))).collect(),
            files: seen.files.clone(),
            blobs: seen.blobs.iter().map(lent).collect(),
            exchanges: seen.exchanges.clone(),
            outcome: Ending { settled: seen.settled.clone(), returned, error },
        })
    }

    /// The case with stand-ins for other people's data, the same ones everywhere in it.
    ///
    /// # Errors
    /// What came out does not fit its type any more; a defect.
    pub fn redacted(&self, key: [u8; 32]) -> serde_json::Result<Self> {
        let (call, outcome) = (serde_json::to_value(&self.call)?, serde_json::to_value(&self.outcome)?);
        let mut redactor = Redactor::new(key);
        redactor.learn(&self.exchanges);
        for value in [&call, &outcome, &self.settings] {
            redactor.learn_text(&value.to_string());
        }
        for (key, value) in &self.storage {
            if let Stored::Text(text) = value {
                redactor.learn_stored(key, text);
            }
        }
        for file in &self.files {
            redactor.learn_file(file);
        }
        let mut redacted = redactor.json(&outcome);
        // A line that could not be read is told as it stands in its file, and so are its stand-ins.
        let told = outcome["returned"]["unreadable"].as_array().into_iter().flatten();
        let raws: Vec<&str> = told.map(|told| told["raw"].as_str().unwrap_or_default()).collect();
        for (at, line) in redactor.quoted(&self.files, &raws).into_iter().enumerate() {
            if let Some(line) = line {
                redacted["returned"]["unreadable"][at]["raw"] = line.into();
            }
        }
        let stored = |key: &str, value: &Stored| match value {
            Stored::Text(text) => Stored::Text(redactor.stored(key, text)),
            // Nothing tells what in it is personal.
            Stored::Base64(_) | Stored::Absent => Stored::Absent,
        };
        let lent = |blob: &LentBlob| {
            // A name like `Invoice Anna Weber.pdf` says who; what it ends in says what it is.
            let name = blob.name.as_ref().map(|name| match name.rsplit_once('.') {
                Some((_, kind)) if kind.len() <= 5 => format!("file.{kind}"),
                _ => "file".into(),
            });
            LentBlob { name, ..blob.clone() }
        };
        Ok(Self {
            call: serde_json::from_value(redactor.json(&call))?,
            outcome: serde_json::from_value(redacted)?,
            settings: redactor.json(&self.settings),
            storage: self.storage.iter().map(|(key, value)| (redactor.name(key), stored(key, value))).collect(),
            files: self.files.iter().map(|file| redactor.file(file)).collect(),
            blobs: self.blobs.iter().map(lent).collect(),
            exchanges: redactor.exchanges(&self.exchanges),
            ..self.clone()
        })
    }

    /// Whether an item or object of this name has to do with the call: a key of a write, or a remote id.
    #[must_use]
    pub fn mentions(&self, name: &str) -> bool {
        let remote = |remote: Option<&crate::model::RemoteRef>| remote.is_some_and(|remote| remote.id == name);
        let asked = match &self.call {
            Input::Push { records } => records.iter().any(|r| r.item == name || remote(r.remote.as_ref())),
            Input::Remove { items, .. } => items.iter().any(|item| item.item == name || remote(Some(&item.remote))),
            Input::Find { probes, .. } => probes.iter().any(|probe| probe.item == name || remote(probe.of.as_ref())),
            Input::Pull { .. } | Input::Check | Input::Acknowledge { .. } => false,
        };
        let unreadable = self.outcome.returned.iter().filter_map(|page| page.get("unreadable")?.as_array()).flatten();
        asked || unreadable.into_iter().any(|unreadable| unreadable["id"] == name)
    }

    /// Whether it is just this item or object that went wrong, or the call as a whole.
    #[must_use]
    pub fn blames(&self, name: &str) -> bool {
        let Input::Push { records } = &self.call else { return self.mentions(name) };
        let items = records
            .iter()
            .filter(|record| record.item == name || record.remote.as_ref().is_some_and(|remote| remote.id == name));
        self.outcome.error.is_some()
            || items.into_iter().any(|record| {
                self.outcome
                    .settled
                    .iter()
                    .any(|(item, outcome)| *item == record.item && matches!(outcome, Outcome::Failed(_)))
            })
    }
}

impl Failed {
    fn of(error: &CallError) -> Self {
        let how = match error {
            CallError::Remote(_) => "remote",
            CallError::Limit { .. } => "limit",
            CallError::Trap { .. } => "trap",
            CallError::Host { .. } => "host",
            CallError::Missing { .. } => "missing",
        };
        let remote = match error {
            CallError::Remote(error) => Some(error.clone()),
            _ => None,
        };
        Self { how: how.into(), message: error.to_string(), remote }
    }
}

/// SHA-256 of a file, as `sha256sum` shows it.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Repeats a case with a component, in the engine of a host and without its network: requests are answered from the
/// case. Grants, limits and types are judged as a host judges them. `folder` keeps compiled code from time to time.
/// Needs a tokio runtime of several threads.
///
/// Where the component is not the one of the case, [`Replay::differs`] says so, and it is repeated all the same.
///
/// # Errors
/// The component is none that a host would take, or its settings name no hosts.
pub async fn replay(bundle: &Bundle, wasm: &[u8], folder: &Path) -> Result<Replay, ReplayError> {
    let bench = Workbench::open(folder)?;
    let build = bench.load(wasm).await?;
    let description = build.description();
    let ours = sha256(wasm);
    let same = match &bundle.component.sha256 {
        Some(theirs) => *theirs == ours,
        None => bundle.component.blake3 == build.hash(),
    };
    let differs = (!same).then(|| {
        let Component { id, version, sha256, blake3 } = &bundle.component;
        let theirs = sha256.as_ref().map_or_else(|| format!("blake3 {blake3}"), |hash| format!("sha256 {hash}"));
        format!(
            "the case is of {id} {version} ({theirs}), the component is {} {} (sha256 {ours})",
            description.id, description.version
        )
    });
    let mut storage = BTreeMap::new();
    for (key, value) in &bundle.storage {
        let bytes = match value {
            Stored::Text(text) => text.clone().into_bytes(),
            Stored::Base64(text) => STANDARD.decode(text).map_err(|_| ReplayError::Stored { key: key.clone() })?,
            Stored::Absent => continue,
        };
        storage.insert(key.clone(), bytes);
    }
    // Any value does: no secret leaves over a tape.
    let secret = |name: &str, field: &&str| (format!("{name}/{field}"), "replayed secret".to_owned());
    let secrets = description
        .credentials
        .iter()
        .flat_map(|credential| credential.scheme.fields().iter().map(|field| secret(&credential.name, field)))
        .collect();
    let scratch = if description.files { Some(Scratch::holding(&bundle.files, folder)?) } else { None };
    let tape = Arc::new(Tape::new(bundle.exchanges.clone()));
    let setup = Setup {
        code: Some(bundle.platform.clone()),
        settings: bundle.settings.clone(),
        secrets,
        storage,
        files: scratch.as_ref().map(|scratch| scratch.0.clone()),
        wire: Some(tape.clone()),
        now: Some(bundle.at),
        ..Setup::default()
    };
    let platform = bench.platform(&build, setup)?;
    for LentBlob { id, content, size, media_type, name } in bundle.blobs.clone() {
        platform.lend(&Blob { id, content, size, media_type, name }).await?;
    }
    let (outcome, exchanges) = match bundle.call.clone() {
        Input::Check => ending(platform.check().await, true),
        Input::Pull { request } => ending(platform.pull(request).await, true),
        Input::Acknowledge { kind, receipt } => ending(platform.acknowledge(kind, receipt).await, false),
        Input::Push { records } => ending(platform.push(records).await, false),
        Input::Remove { kind, items, how } => ending(platform.remove(kind, items, how).await, false),
        Input::Find { kind, probes } => ending(platform.find(kind, probes).await, true),
    };
    let (unmatched, unused) = (tape.unmatched(), tape.unused());
    Ok(Replay { differs, outcome, recorded: bundle.outcome.clone(), exchanges, unmatched, unused })
}

/// An exchange folder for one replay, gone when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn holding(files: &[SeenFile], parent: &Path) -> Result<Self, ReplayError> {
        let chance = getrandom::u64().map_err(std::io::Error::other)?;
        let scratch = Self(parent.join(format!("exchange-{chance:016x}")));
        std::fs::create_dir_all(&scratch.0)?;
        let exchange = ExchangeFolder::open(&scratch.0)?;
        let most = Limits::default().file;
        files.iter().try_for_each(|file| exchange.lay_out(file, most))?;
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is found and removed by hand; nothing depends on it.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn ending<T: Serialize>(ended: Ended<T>, returns: bool) -> (Ending, Vec<Exchange>) {
    let Ended { result, outcomes, exchanges, .. } = ended;
    let (returned, error) = match result {
        Ok(value) => (returns.then(|| serde_json::to_value(value).unwrap_or_default()), None),
        Err(error) => (None, Some(Failed::of(&error))),
    };
    (Ending { settled: outcomes, returned, error }, exchanges)
}
