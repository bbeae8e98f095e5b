//! Finds out what vanished from a platform without a word: a list of all ids against the links. Nothing is gone before it
//! was asked for by its id.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::commit::Commit;
use super::pull::{End, Pull, Stop};
use crate::ledger::LedgerError;
use crate::ledger::attention::{Choice, NewAttention};
use crate::ledger::link::{LinkState, StoredLink};
use crate::ledger::run::RunState;
use crate::model::{Kind, LinkId, PullRequest, RemoteRef, Scope};

/// Links read at a time.
const LINKS: u32 = 1_000;
/// Ids fetched at a time.
const IDS: usize = 100;
/// Pages of ids at most: a connector that never ends its list must not fill the memory.
const PAGES: usize = 100_000;

impl Pull {
    /// Compares all ids. `released`: a person confirmed that so many are missing.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn sweep(&self, released: bool) -> Result<End, LedgerError> {
        self.begin().await?;
        let end = match self.all_ids(released).await {
            Ok(end) | Err(Stop::End(end)) => end,
            Err(Stop::Ledger(error)) => return Err(error),
        };
        self.finish(end).await
    }

    async fn all_ids(&self, released: bool) -> Result<End, Stop> {
        self.check_platform().await?;
        let reading = self.connector.description().reading(self.kind).cloned().unwrap_or_default();
        if !reading.present || matches!(self.kind, Kind::Stock | Kind::Price | Kind::Shipment) {
            return Ok(End::because(RunState::Done, format!("There is no list of all ids of {}.", self.kind)));
        }
        let began = self.clock.now();
        let mut present: HashSet<String> = HashSet::new();
        let mut cursor = None;
        for _ in 0..PAGES {
            let request = PullRequest { kind: self.kind, scope: Scope::Present, cursor: cursor.clone(), limit: 1_000 };
            let page = match self.connector.pull(request).await.result {
                Ok(page) => page,
                Err(error) => return Err(Stop::End(self.failed(error, false).await?)),
            };
            present.extend(page.present.into_iter().map(|found| found.remote.id));
            if page.next.is_none() || page.next == cursor {
                break;
            }
            cursor = page.next;
            if self.stop.is_cancelled() {
                return Ok(End::because(RunState::Cancelled, "Stopped."));
            }
        }
        let there = std::sync::Arc::new(present);
        let seen = std::sync::Arc::clone(&there);
        let missing = self.missing(began, move |link| seen.contains(&link.remote.id)).await?;
        let end = self.vanished(missing, there.is_empty(), released).await?;
        if end.state != RunState::Done {
            return Ok(end);
        }
        // What is there and was never read is taken over now, as after a restore.
        let unknown = self.unknown(&there).await?;
        if reading.ids {
            for ids in unknown.chunks(IDS) {
                self.aside(Scope::Ids(ids.to_vec()), Vec::new()).await?;
            }
        }
        let (platform, kind) = (self.platform, self.kind);
        self.ledger.write(move |tx| tx.set_sweep_at(platform, kind, began)).await?;
        Ok(end)
    }

    /// Links that the list does not have, and how many links there are. What was linked after the list began is too young.
    async fn missing(
        &self,
        began: Timestamp,
        there: impl Fn(&StoredLink) -> bool + Send + 'static,
    ) -> Result<(Vec<RemoteRef>, u64), LedgerError> {
        let (platform, kind) = (self.platform, self.kind.record_kind());
        self.ledger
            .read(move |view| {
                let mut missing = Vec::new();
                let mut after = LinkId(0);
                loop {
                    let links = view.live_links_made_before(platform, kind, began, after, LINKS)?;
                    let Some(last) = links.last() else { break };
                    after = last.id;
                    let gone = links.into_iter().filter(|link| !there(link));
                    missing.extend(gone.map(|link| link.remote));
                }
                Ok((missing, view.count_links(platform, kind, LinkState::Live)?))
            })
            .await
    }

    /// Ids without a link.
    async fn unknown(&self, present: &HashSet<String>) -> Result<Vec<String>, LedgerError> {
        let (platform, kind) = (self.platform, self.kind.record_kind());
        let ids: Vec<String> = present.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        self.ledger
            .read(move |view| {
                let mut unknown = Vec::new();
                for id in ids {
                    if view.link_by_remote(platform, kind, &id)?.is_none() {
                        unknown.push(id);
                    }
                }
                Ok(unknown)
            })
            .await
    }

    /// Asks for what is missing by id; what then does not come is gone. Too many, or an empty list, hold the run.
    async fn vanished(
        &self,
        (missing, links): (Vec<RemoteRef>, u64),
        empty: bool,
        released: bool,
    ) -> Result<End, Stop> {
        let (platform, kind, run) = (self.platform, self.kind, self.run);
        let cause = format!("sweep:{platform}:{kind}");
        if missing.is_empty() {
            self.ledger.write(move |tx| tx.solve_attention(&cause)).await?;
            return Ok(End::new(RunState::Done));
        }
        let me = self.ledger.read(move |view| view.platform(platform)).await?;
        let count = missing.len() as u64;
        let limit = u64::from(me.policy.guard.missing).max(links / 50);
        if !released && (empty || count > limit) {
            let why = if empty {
                format!("{} says that it has no {kind} at all, but {links} are linked.", me.code)
            } else {
                format!("{count} of {links} {kind} are missing on {}, more than {limit}.", me.code)
            };
            let title = why.clone();
            let examples: Vec<String> = missing.iter().take(20).map(|remote| remote.id.clone()).collect();
            self.ledger
                .write(move |tx| {
                    tx.attend(
                        &NewAttention {
                            cause_key: cause,
                            platform: Some(platform),
                            kind: Some(kind),
                            title,
                            hint: "Nothing was taken away. Look on the platform; if they are really gone, release it."
                                .into(),
                            choices: vec![
                                Choice::new("release", "They are gone: go on"),
                                Choice::new("leave", "Leave everything as it is"),
                            ],
                            data: serde_json::json!({"run": run.0, "missing": examples}),
                            ..NewAttention::default()
                        },
                        Some(run),
                    )
                })
                .await?;
            return Ok(End::because(RunState::Held, why));
        }
        if !self.connector.description().reading(kind).is_some_and(|reading| reading.ids) {
            let why = format!(
                "{count} {kind} of {} are in no list any more. They cannot be asked for one by one, so they stay.",
                me.code
            );
            return Ok(End::because(RunState::Done, why));
        }
        for chunk in missing.chunks(IDS) {
            let asked_at = self.clock.now();
            let ids: Vec<String> = chunk.iter().map(|remote| remote.id.clone()).collect();
            let answered = self.answered(&ids).await?;
            let gone: Vec<RemoteRef> = chunk.iter().filter(|remote| !answered.contains(&remote.id)).cloned().collect();
            // Those that did come are read as ever.
            let still: Vec<String> = ids.into_iter().filter(|id| answered.contains(id)).collect();
            if !still.is_empty() {
                self.aside(Scope::Ids(still), Vec::new()).await?;
            }
            self.ledger
                .write(move |tx| {
                    let mut commit = Commit::new(tx, platform, kind, Some(run), asked_at, false)?;
                    for remote in &gone {
                        commit.gone(kind.record_kind(), remote, "asked for by its id and not found")?;
                    }
                    let items = std::mem::take(&mut commit.items);
                    tx.write_run_lines(run, &items)
                })
                .await?;
        }
        let cause = format!("sweep:{platform}:{kind}");
        self.ledger.write(move |tx| tx.solve_attention(&cause)).await?;
        Ok(End::new(RunState::Done))
    }

    /// Which of the ids the platform still knows; what cannot be read is there too.
    async fn answered(&self, ids: &[String]) -> Result<HashSet<String>, Stop> {
        let mut answered = HashSet::new();
        let mut cursor = None;
        for _ in 0..=ids.len() {
            let request =
                PullRequest { kind: self.kind, scope: Scope::Ids(ids.to_vec()), cursor: cursor.clone(), limit: 500 };
            let page = match self.connector.pull(request).await.result {
                Ok(page) => page,
                Err(error) => return Err(Stop::End(self.failed(error, false).await?)),
            };
            answered.extend(page.records.iter().filter_map(|record| record.remote.as_ref().map(|r| r.id.clone())));
            if page.unreadable.iter().any(|found| found.id.is_none()) {
                // One of them cannot be read and does not say which it is: then none of them is gone.
                answered.extend(ids.iter().cloned());
            }
            answered.extend(page.unreadable.into_iter().filter_map(|found| found.id));
            if page.next.is_none() || page.next == cursor {
                break;
            }
            cursor = page.next;
        }
        Ok(answered)
    }
}

/// After a complete list of everything: links that were not in it are missing.
pub(super) async fn after_full(pull: &Pull, began: Timestamp) -> Result<End, Stop> {
    if matches!(pull.kind, Kind::Stock | Kind::Price | Kind::Shipment) {
        return Ok(End::new(RunState::Done));
    }
    let seen = move |link: &StoredLink| link.facets.values().any(|facet| facet.seen_at.is_some_and(|at| at >= began));
    let (missing, links) = pull.missing(began, seen).await?;
    let empty = missing.len() as u64 == links && links > 0;
    pull.vanished((missing, links), empty, false).await
}
