//! The comparison of folder and registry: at start, after every change, on command.
//!
//! Every file is read whole and settled, then looked at (parsed, checked, compiled, asked what it is), then decided
//! upon. What was decided is durable before anything is swapped.

mod signed;
mod stamps;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::compare::compare;
use super::registry::{Known, Looked, Registry, RegistryError, Served, Stamp, Table, Verdict, Work};
use super::signature::{Signed, Signers};
use crate::crash;
use crate::ledger::LedgerError;
use crate::ledger::plugin::PluginStanding;
use crate::runtime::build::hash;
use crate::runtime::engine::{LoadError, MAX_FILE};
use crate::runtime::{Build, Verdict as TrialVerdict};

/// A file that was changed so shortly before it was read may change again without another time of change.
const TICK: Duration = Duration::from_secs(2);
/// Between the two looks at a file with unknown content: it must have the same bytes in both.
const SETTLE: Duration = Duration::from_millis(200);
/// Refusals that are remembered.
const REFUSALS: usize = 100;

/// A file as it was read.
struct Read {
    stamp: Stamp,
    at: SystemTime,
    content: Content,
}

enum Content {
    Bytes {
        hash: String,
        bytes: Arc<[u8]>,
    },
    /// It is no candidate, whatever is in it.
    Refused(String),
    /// It is there and cannot be read.
    Unreadable(String),
}

impl Content {
    fn hash(&self) -> Option<&String> {
        match self {
            Self::Bytes { hash, .. } => Some(hash),
            Self::Refused(_) | Self::Unreadable(_) => None,
        }
    }
}

impl Registry {
    /// Brings the registry in line with the folder: takes up new and changed files, forgets removed ones. A file that
    /// is refused or held leaves its earlier build serving. Returns whether every file was complete; if not, look again.
    ///
    /// # Errors
    /// When the folder cannot be read or the decision cannot be kept: then nothing changes.
    pub async fn reconcile(&self) -> Result<bool, RegistryError> {
        let mut work = self.inner.work.lock().await;
        let first = !work.recalled;
        let mut table = Table::clone(&self.table());
        if first {
            table = self.recall().await?;
        }
        // Others judge otherwise: every file is read again then.
        let signers = self.signers();
        let judged_anew = work.signers.as_ref().is_none_or(|before| **before != *signers);
        if judged_anew {
            table.files.clear();
        }
        let mut stamps = self.stamps().await?;
        let mut reads = self.read_changed(&table, &stamps).await;
        let strange =
            |table: &Table, read: &Read| read.content.hash().is_none_or(|hash| !table.looked.contains_key(hash));
        let mut complete = true;
        if reads.values().any(|read| strange(&table, read)) {
            tokio::time::sleep(SETTLE).await;
            stamps = self.stamps().await?;
            let again = self.read_changed(&table, &stamps).await;
            let before = std::mem::replace(&mut reads, again);
            // Still growing: what was known of it stays for now.
            reads.retain(|file, read| {
                let settled = !strange(&table, read)
                    || before
                        .get(file)
                        .is_some_and(|b| b.stamp == read.stamp && b.content.hash() == read.content.hash());
                complete &= settled;
                settled
            });
        }

        let (fresh, signed) = (HashMap::new(), HashMap::new());
        let mut round =
            Round { registry: self, signers: signers.clone(), table, stamps, fresh, signed, trials: Vec::new(), first };
        if first {
            round.restore().await;
        } else if judged_anew {
            round.dismiss_unsigned().await;
        }
        round.table.files.retain(|file, _| round.stamps.contains_key(file));
        for (file, read) in reads {
            round.look(&mut work, &file, read).await;
        }
        round.decide_all().await;
        round.mark_missing();
        let Round { table, trials, .. } = round;
        // Before the first call can reach them.
        for trial in trials {
            self.begin_trial(trial);
        }
        self.commit(table).await?;
        work.recalled = true;
        work.signers = Some(signers);
        Ok(complete)
    }

    /// What the ledger remembers.
    async fn recall(&self) -> Result<Table, RegistryError> {
        let mut table = Table::default();
        let Some(memory) = &self.inner.memory else { return Ok(table) };
        let (plugins, connectors) =
            memory.ledger.read(|view| Ok::<_, LedgerError>((view.plugins()?, view.connectors()?))).await?;
        for plugin in plugins {
            let (file, host, standing, reason) = (plugin.file, plugin.host, plugin.standing, plugin.reason);
            let looked = Looked { file, description: Arc::new(plugin.description), host, standing, reason };
            table.looked.insert(plugin.hash, looked);
        }
        for row in connectors {
            let served = Served { file: row.file, hash: row.hash, build: None, previous: row.previous };
            table.connectors.insert(row.id, served);
        }
        Ok(table)
    }

    /// The candidates in the folder.
    async fn stamps(&self) -> Result<BTreeMap<String, Stamp>, RegistryError> {
        let (folder, signed) = (self.inner.folder.clone(), self.signers().required());
        let listed = tokio::task::spawn_blocking(move || stamps::stamps(&folder, signed))
            .await
            .unwrap_or_else(|error| Err(std::io::Error::other(error)));
        listed.map_err(|source| RegistryError::Folder { path: self.inner.folder.clone(), source })
    }

    /// Reads what is not known, or may have changed unseen. A file that vanishes or grows meanwhile is left out.
    async fn read_changed(&self, table: &Table, stamps: &BTreeMap<String, Stamp>) -> BTreeMap<String, Read> {
        let mut reads = BTreeMap::new();
        for (file, stamp) in stamps {
            let known = table.files.get(file).is_some_and(|known| {
                let passes = matches!(known.verdict, Verdict::Refused { passes: true, .. });
                let settled = known.read.duration_since(stamp.changed()).is_ok_and(|age| age > TICK);
                known.stamp == *stamp && settled && !passes
            });
            if known {
                continue;
            }
            let at = SystemTime::now();
            let content = if Path::new(file).extension().is_some_and(|extension| extension == "cwasm") {
                Content::Refused(LoadError::Precompiled.to_string())
            } else if stamp.size > MAX_FILE {
                Content::Refused(LoadError::TooLarge { size: stamp.size }.to_string())
            } else {
                match tokio::fs::read(self.inner.folder.join(file)).await {
                    Ok(bytes) if bytes.len() as u64 == stamp.size => {
                        Content::Bytes { hash: hash(&bytes), bytes: bytes.into() }
                    }
                    Ok(_) => Content::Unreadable("the file is still being written".into()),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    Err(error) => Content::Unreadable(format!("the file cannot be read: {error}")),
                }
            };
            reads.insert(file.clone(), Read { stamp: *stamp, at, content });
        }
        reads
    }

    fn begin_trial(&self, Trial { build, previous }: Trial) {
        let (hash, registry) = (build.hash().to_owned(), Arc::downgrade(&self.inner));
        let tell = move |verdict| {
            let Some(inner) = registry.upgrade() else { return };
            // Told from within a call, which does not wait for the ledger.
            tokio::spawn(async move { Self { inner }.judged(&hash, verdict).await });
        };
        build.begin_trial(previous, Box::new(tell));
    }

    /// Notes how the first calls of a build went.
    async fn judged(&self, hash: &str, verdict: TrialVerdict) {
        let _one_at_a_time = self.inner.work.lock().await;
        let mut table = Table::clone(&self.table());
        if let TrialVerdict::Failed { reason } = &verdict {
            let reason = format!(
                "it failed in its first calls, so the build before it serves again: {reason}; drop a better build, or let \
                 it serve with `tradepost plugin approve`"
            );
            if let Some(looked) = table.looked.get_mut(hash) {
                looked.standing = PluginStanding::TakenBack;
                looked.reason = Some(reason.clone());
            }
            for known in table.files.values_mut().filter(|known| known.hash.as_deref() == Some(hash)) {
                known.verdict = Verdict::Held { reason: reason.clone(), wants: Vec::new() };
                known.at = Timestamp::now();
            }
        }
        for served in table.connectors.values_mut().filter(|served| served.hash == hash) {
            // In the table is what really answers.
            if let (TrialVerdict::Failed { .. }, Some(build)) = (&verdict, served.now()) {
                served.hash = build.hash().to_owned();
                served.build = Some(build);
            }
            served.previous = None;
        }
        if let Err(error) = self.commit(table).await {
            tracing::warn!(%error, hash, "how a build did in its first calls could not be noted");
        }
    }
}

/// A build and the one that it takes the place of.
struct Trial {
    build: Arc<Build>,
    previous: Arc<Build>,
}

/// One reconciliation: what it has found out and changed so far.
struct Round<'a> {
    registry: &'a Registry,
    signers: Arc<Signers>,
    table: Table,
    stamps: BTreeMap<String, Stamp>,
    /// Builds that were loaded in it.
    fresh: HashMap<String, (Arc<Build>, Arc<[u8]>)>,
    /// Valid signatures by hash, to be kept with the bytes.
    signed: HashMap<String, Signed>,
    trials: Vec<Trial>,
    /// The first of this process: nothing serves yet.
    first: bool,
}

impl Round<'_> {
    fn host(&self) -> String {
        self.registry.inner.engine.fingerprint()
    }

    /// At the start: what served last serves again, from the bytes that were kept, as long as its file is there in
    /// whatever state. Code is loaded when it is used.
    async fn restore(&mut self) {
        let Some(memory) = &self.registry.inner.memory else { return };
        let ids: Vec<String> = self.table.connectors.keys().cloned().collect();
        for id in ids {
            let Some(served) = self.table.connectors.get(&id).cloned() else { continue };
            if !self.stamps.contains_key(&served.file) {
                continue;
            }
            let Some(build) = self.remembered(&served.hash).await else { continue };
            if let Some(previous) = &served.previous
                && memory.kept.path(previous).exists()
                && let Some(previous) = self.remembered(previous).await
            {
                self.trials.push(Trial { build: build.clone(), previous });
            }
            if let Some(served) = self.table.connectors.get_mut(&id) {
                served.build = Some(build);
            }
        }
    }

    /// A build from the kept bytes; checked now where another host checked it before.
    async fn remembered(&mut self, hash: &str) -> Option<Arc<Build>> {
        let memory = self.registry.inner.memory.as_ref()?;
        let looked = self.table.looked.get(hash)?;
        let path = memory.kept.path(hash);
        if !path.exists() {
            tracing::warn!(path = %path.display(), "the kept bytes of a connector are gone");
            return None;
        }
        if let Err(error) = self.judge_kept(hash).await {
            tracing::warn!(%error, connector = looked.description.id, "a kept connector has no valid signature");
            return None;
        }
        let engine = &self.registry.inner.engine;
        let build = Build::known(engine, hash.to_owned(), path, looked.description.clone());
        if looked.host != self.host() {
            if let Err(error) = build.prepare().await {
                tracing::warn!(%error, connector = looked.description.id, "a kept connector does not suit this host");
                return None;
            }
            let host = self.host();
            if let Some(looked) = self.table.looked.get_mut(hash) {
                looked.host = host;
            }
        }
        Some(Arc::new(build))
    }

    /// Finds out what a file is.
    async fn look(&mut self, work: &mut Work, file: &str, read: Read) {
        let Read { stamp, at: read, content } = read;
        let at = Timestamp::now();
        let refused = |hash: Option<String>, reason: String, passes: bool| {
            let verdict = Verdict::Refused { reason, passes };
            Known { stamp, read, hash, verdict, at }
        };
        let known = match content {
            Content::Refused(reason) => refused(None, reason, false),
            Content::Unreadable(reason) => refused(None, reason, true),
            Content::Bytes { hash, bytes } => match self.judge_file(file, &hash, &bytes).await {
                Err(verdict) => Known { stamp, read, hash: Some(hash), verdict, at },
                Ok(()) => match self.examine(work, file, &hash, bytes).await {
                    // The decision follows.
                    Ok(()) => Known { stamp, read, hash: Some(hash), verdict: Verdict::Serving, at },
                    Err((reason, passes)) => refused(Some(hash), reason, passes),
                },
            },
        };
        match self.table.files.get_mut(file) {
            // Nothing new but the times: what stood of it and since when stays.
            Some(before) if before.hash == known.hash && !known.verdict.is_closed() => {
                (before.stamp, before.read) = (stamp, read);
                if before.verdict.is_closed() {
                    before.verdict = known.verdict;
                }
            }
            Some(before) if (&before.hash, &before.verdict) == (&known.hash, &known.verdict) => {
                (before.stamp, before.read) = (stamp, read);
            }
            _ => {
                self.table.files.insert(file.to_owned(), known);
            }
        }
    }

    /// Makes sure that the content was looked at by this host.
    async fn examine(
        &mut self,
        work: &mut Work,
        file: &str,
        hash: &str,
        bytes: Arc<[u8]>,
    ) -> Result<(), (String, bool)> {
        if let Some(reason) = work.refusals.get(hash) {
            return Err((reason.clone(), false));
        }
        let host = self.host();
        let before = self.table.looked.get(hash).cloned();
        if let Some(looked) = before.as_ref().filter(|looked| looked.host == host) {
            // The bytes may be needed to keep them.
            let engine = &self.registry.inner.engine;
            let path = self.registry.inner.folder.join(file);
            self.agree(hash, &looked.description)?;
            let build = Build::known(engine, hash.to_owned(), path, looked.description.clone());
            self.fresh.insert(hash.to_owned(), (Arc::new(build), bytes));
            return Ok(());
        }
        let known = before.as_ref().map(|looked| looked.description.clone());
        match Build::load(&self.registry.inner.engine, bytes.clone(), known).await {
            Ok(build) => {
                let description = build.description().clone();
                self.agree(hash, &description)?;
                let (standing, reason) =
                    before.map_or((PluginStanding::Held, None), |looked| (looked.standing, looked.reason));
                let looked = Looked { file: file.to_owned(), description, host, standing, reason };
                self.table.looked.insert(hash.to_owned(), looked);
                self.fresh.insert(hash.to_owned(), (Arc::new(build), bytes));
                Ok(())
            }
            Err(error) => {
                if !error.passes() {
                    if work.refusals.len() >= REFUSALS {
                        work.refusals.clear();
                    }
                    work.refusals.insert(hash.to_owned(), error.to_string());
                }
                Err((error.to_string(), error.passes()))
            }
        }
    }

    /// Decides upon every usable file, the oldest first: an id belongs to the file that first brought it.
    async fn decide_all(&mut self) {
        let mut order: Vec<(SystemTime, String)> =
            self.table.files.iter().map(|(file, known)| (known.stamp.modified, file.clone())).collect();
        order.sort();
        for (_, file) in order {
            let Some(known) = self.table.files.get(&file) else { continue };
            let closed = known.verdict.is_closed();
            let Some(hash) = known.hash.clone().filter(|_| !closed) else { continue };
            let verdict = match self.decide(&file, &hash) {
                Decision::Serve => self.serve(&file, &hash).await,
                Decision::Hold { reason, wants } => {
                    self.set_standing(&hash, PluginStanding::Held, Some(reason.clone()));
                    Verdict::Held { reason, wants }
                }
                Decision::StayBack { reason } => Verdict::Held { reason, wants: Vec::new() },
            };
            if let Some(known) = self.table.files.get_mut(&file)
                && known.verdict != verdict
            {
                known.verdict = verdict;
                known.at = Timestamp::now();
            }
        }
    }

    fn set_standing(&mut self, hash: &str, standing: PluginStanding, reason: Option<String>) {
        if let Some(looked) = self.table.looked.get_mut(hash) {
            (looked.standing, looked.reason) = (standing, reason);
        }
    }

    fn decide(&self, file: &str, hash: &str) -> Decision {
        let Some(looked) = self.table.looked.get(hash) else {
            return Decision::StayBack { reason: "it was not looked at yet".into() };
        };
        let description = &looked.description;
        let id = &description.id;
        let approve = format!("look at it and allow it with `tradepost plugin approve {file}`, or remove it");
        let hold = |why: String| Decision::Hold { reason: format!("{why}; {approve}"), wants: Vec::new() };
        let owner = self.table.connectors.get(id);
        let there = |file: &String| self.stamps.contains_key(file);
        // What serves goes on serving, also under a new name.
        if owner.is_some_and(|owner| owner.hash == hash && (owner.file == file || !there(&owner.file))) {
            return Decision::Serve;
        }
        match looked.standing {
            PluginStanding::Approved => return Decision::Serve,
            PluginStanding::TakenBack => {
                let reason = looked.reason.clone().unwrap_or_else(|| "it failed in its first calls".into());
                return Decision::StayBack { reason };
            }
            PluginStanding::Accepted | PluginStanding::Held => {}
        }
        if let Some((own, _)) = self.table.connectors.iter().find(|(other, served)| served.file == file && *other != id)
        {
            return hold(format!("it says that it is `{id}`, but this file holds `{own}`"));
        }
        let Some(owner) = owner else { return Decision::Serve };
        if owner.file != file {
            let other = &owner.file;
            return if owner.hash == hash {
                hold(format!("`{id}` is served from {other}, which has the same bytes"))
            } else {
                hold(format!("the connector `{id}` belongs to the file {other}"))
            };
        }
        let Some(before) = self.table.looked.get(&owner.hash) else { return Decision::Serve };
        let compared = compare(&before.description, description);
        for note in &compared.notes {
            tracing::info!(file, connector = id, note, "a build differs from the one before");
        }
        if compared.holds.is_empty() {
            return Decision::Serve;
        }
        let (wants, serves) = (compared.holds, &before.description.version);
        let reason = format!("{} ({serves} goes on serving); {approve}", wants.join("; "));
        Decision::Hold { reason, wants }
    }

    /// Puts a build in service.
    async fn serve(&mut self, file: &str, hash: &str) -> Verdict {
        let Some(looked) = self.table.looked.get(hash).cloned() else {
            return Verdict::Refused { reason: "it was not looked at yet".into(), passes: true };
        };
        let id = looked.description.id.clone();
        let before = self.table.connectors.get(&id).cloned();
        if let Some(before) = before.as_ref().filter(|before| before.hash == hash && before.build.is_some()) {
            let moved = Served { file: file.to_owned(), ..before.clone() };
            self.table.connectors.insert(id, moved);
            self.set_standing(hash, PluginStanding::Accepted, None);
            return Verdict::Serving;
        }
        let passes = |error: &dyn std::fmt::Display| Verdict::Refused { reason: error.to_string(), passes: true };
        let (build, bytes) = match self.fresh.get(hash).cloned() {
            Some(fresh) => fresh,
            None => {
                // It was looked at in an earlier round.
                let path = self.registry.inner.folder.join(file);
                let bytes: Arc<[u8]> = match tokio::fs::read(&path).await {
                    Ok(bytes) if crate::runtime::build::hash(&bytes) == hash => bytes.into(),
                    Ok(_) => return passes(&"the file changed while it was taken up"),
                    Err(error) => return passes(&format!("the file cannot be read: {error}")),
                };
                let (engine, name) = (&self.registry.inner.engine, hash.to_owned());
                (Arc::new(Build::known(engine, name, path, looked.description.clone())), bytes)
            }
        };
        if !self.signed.contains_key(hash)
            && let Err(verdict) = self.judge_file(file, hash, &bytes).await
        {
            return verdict;
        }
        if let Err((reason, passes)) = self.agree(hash, &looked.description) {
            return Verdict::Refused { reason, passes };
        }
        // All that can fail fails before the swap. At a start nothing serves meanwhile, so it is left to the first use.
        if !self.first
            && let Err(error) = build.prepare().await
        {
            return Verdict::Refused { reason: error.to_string(), passes: error.passes() };
        }
        let build = match &self.registry.inner.memory {
            None => build,
            Some(memory) => {
                let (kept, name) = (memory.kept.clone(), hash.to_owned());
                let signature = self.signed.get(hash).map(|signed| signed.text.clone());
                let keep = move || kept.keep(&name, &bytes, signature.as_deref());
                let keep = tokio::task::spawn_blocking(keep).await;
                if let Err(error) = keep.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
                    return passes(&format!("its bytes cannot be kept: {error}"));
                }
                if self.first {
                    // Whatever becomes of the file, the kept bytes stay.
                    let engine = &self.registry.inner.engine;
                    let path = memory.kept.path(hash);
                    Arc::new(Build::known(engine, hash.to_owned(), path, looked.description.clone()))
                } else {
                    build
                }
            }
        };
        crash::point(crash::Point::Swapping);
        let previous = before.as_ref().and_then(Served::now).filter(|previous| previous.hash() != hash);
        let served = Served {
            file: file.to_owned(),
            hash: hash.to_owned(),
            build: Some(build.clone()),
            previous: previous.as_ref().map(|previous| previous.hash().to_owned()),
        };
        // The file holds another connector now.
        self.table.connectors.retain(|other, served| *other == id || served.file != file);
        self.table.connectors.insert(id, served);
        self.set_standing(hash, PluginStanding::Accepted, None);
        if let Some(previous) = previous {
            self.trials.push(Trial { build, previous });
        }
        Verdict::Serving
    }

    /// What no file holds any more is served no more. Runs under way finish on what they hold; to whom the connector
    /// belongs, and what it could do, stays known.
    fn mark_missing(&mut self) {
        let files: BTreeSet<&String> = self.stamps.keys().collect();
        for served in self.table.connectors.values_mut() {
            if !files.contains(&served.file) {
                served.build = None;
                served.previous = None;
            }
        }
    }
}

enum Decision {
    Serve,
    Hold {
        reason: String,
        wants: Vec<String>,
    },
    /// As it was decided before.
    StayBack {
        reason: String,
    },
}
