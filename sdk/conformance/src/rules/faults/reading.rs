//! Faults while something is read: no page is made up, and none is lost.

use std::time::Duration;

use tradepost::model::{CallError, Kind, Page, Record, RemoteError, Scope};

use super::{Right, Strike, strikes};
use crate::bench::{Differs, Durable, Platform, ids};
use crate::proxy::{Fault, On};
use crate::rule::{End, Expected, Trial, broken, everything};

/// Longest that a request may take where the answer is slow on purpose: the host asks four times.
const PATIENCE: Duration = Duration::from_millis(500);
/// Records that are made of a kind, and that are asked for at once: two pages, the first with more than one record.
const RECORDS: (usize, u32) = (3, 2);

/// A page as it is read when nothing goes wrong.
struct Sound {
    kind: Kind,
    scope: Scope,
    cursor: Option<String>,
    /// What was durable before.
    storage: Durable,
    page: Page,
    /// Reads that it takes.
    requests: usize,
}

/// Strikes the reading of every kind; says whether there was anything to strike.
pub(super) async fn reads(trial: &mut Trial<'_>, fault: &Fault, right: Right<RemoteError>) -> Result<bool, End> {
    trial.platform()?;
    let description = trial.bench.description();
    let mut kinds = trial.readable(|hand| hand.make);
    if kinds.is_empty() {
        kinds = Kind::ALL.iter().copied().filter(|kind| description.reading(*kind).is_some()).collect();
    }
    trial.reset().await?;
    let mut tried = false;
    for kind in kinds {
        if trial.hand(kind).make {
            trial.control()?.make(kind, RECORDS.0).await?;
        }
        for (at, sound) in pages(trial, kind).await?.iter().enumerate() {
            if sound.requests == 0 {
                trial.note(format!("reading {kind} sent no request"));
                continue;
            }
            // Slow answers take their time, and a connector sees the same of them as of a connection that is cut.
            if at > 0 && *fault == Fault::Slow {
                break;
            }
            // Each request by itself is struck on the first page; the second one sends the same ones.
            let requests = if at == 0 && *fault != Fault::Slow { sound.requests } else { 1 };
            for strike in strikes(trial, &format!("reading {kind}"), requests) {
                tried |= struck(trial, sound, fault, strike, right).await?;
            }
        }
    }
    Ok(tried)
}

/// The first two pages.
async fn pages(trial: &Trial<'_>, kind: Kind) -> Result<Vec<Sound>, End> {
    let (platform, scope, mut cursor) = (trial.platform()?, everything(), None);
    let mut pages = Vec::new();
    for _ in 0..2 {
        let (storage, mark) = (platform.storage(), trial.bench.proxy.journal.mark());
        let called = platform.pull(kind, &scope, cursor.clone(), RECORDS.1).await;
        platform.commit(&called);
        let page = called.result.expected(&format!("reading the kind `{kind}`"))?;
        let requests = trial.bench.proxy.journal.since(mark).iter().filter(|sent| sent.is(On::Reads)).count();
        let next = page.next.clone();
        pages.push(Sound { kind, scope: scope.clone(), cursor, storage, page, requests });
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(pages)
}

impl Sound {
    async fn pull(&self, platform: &Platform) -> Result<Page, CallError> {
        platform.pull(self.kind, &self.scope, self.cursor.clone(), RECORDS.1).await.result
    }

    /// Says of a page how it differs from this one, but for the times at which things were seen.
    fn lacks(&self, page: &Page) -> Option<String> {
        let timeless = |record: &Record| Record { updated: None, as_of: None, ..record.clone() };
        let same = page.records.iter().map(timeless).eq(self.page.records.iter().map(timeless));
        let (read, right) = (ids(page), ids(&self.page));
        if read != right {
            return Some(format!("with the records {read:?} in the place of {right:?}"));
        }
        if page.next.is_some() != self.page.next.is_some() {
            return Some("that is the last one, though there are more".into());
        }
        if !same || page.unreadable.len() != self.page.unreadable.len() || page.deleted != self.page.deleted {
            return Some(format!("whose records {read:?} lack something of what they say"));
        }
        None
    }
}

async fn struck(
    trial: &Trial<'_>,
    sound: &Sound,
    fault: &Fault,
    strike: Strike,
    right: Right<RemoteError>,
) -> Result<bool, End> {
    let (kind, name) = (sound.kind, fault.name());
    let page = if sound.cursor.is_some() { "the second page of " } else { "" };
    let what = format!("reading {page}{kind}{strike}");
    let patience = (*fault == Fault::Slow).then_some(PATIENCE);
    let host = trial.bench.platform_that(Differs { storage: sound.storage.clone(), patience, ..Differs::default() })?;
    let mark = trial.bench.proxy.journal.mark();
    strike.arm(trial, fault, On::Reads);
    let pulled = sound.pull(&host).await;
    trial.disarm();
    if !trial.bench.proxy.journal.since(mark).iter().any(|exchange| exchange.fault.is_some()) {
        return Ok(false);
    }
    match pulled {
        // What it asked for beyond need, or again.
        Ok(page) if strike != Strike::All => {
            if let Some(lack) = sound.lacks(&page) {
                return broken(format!("{what}: {name} was taken for a page {lack}"));
            }
        }
        Ok(page) => {
            let records = page.records.len();
            return broken(format!("{what}: {name} was taken for a page of {records} records"));
        }
        Err(CallError::Remote(error)) if right(&error) => {}
        Err(error) => return broken(format!("{what}: {name} ended in another error than it should: {error}")),
    }
    // A page that was not taken leaves what was written at once, and nothing else.
    let after = trial.bench.platform_that(Differs { storage: host.storage(), ..Differs::default() })?;
    let again = ids(&sound.pull(&after).await.expected(&format!("{what}: the next call after {name}"))?);
    let before = ids(&sound.page);
    if again != before {
        return broken(format!("{what}: the next call after {name} read {again:?} in the place of {before:?}"));
    }
    Ok(true)
}
