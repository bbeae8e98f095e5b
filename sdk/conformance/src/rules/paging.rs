//! Pages: nothing is lost and nothing comes twice, whatever happens between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tradepost::model::{Kind, Record, Scope};

use crate::bench::{Differs, PAGES, Scan, ids};
use crate::control::Hand;
use crate::rule::{End, Expected, Rule, Trial, broken, everything, rule, skip};

/// Kinds whose pages are not acknowledged. What is acknowledged is a queue, with a rule of its own; where there is nothing
/// but queues, as in a folder of files, they are read like lists: what is not acknowledged comes again.
async fn lists(trial: &mut Trial<'_>, wants: impl Fn(Hand) -> bool) -> Result<Vec<Kind>, End> {
    let mut lists = Vec::new();
    let mut queues = Vec::new();
    for kind in trial.readable(|hand| hand.make && wants(hand)) {
        match is_queue(trial, kind).await? {
            true => queues.push(kind),
            false => lists.push(kind),
        }
    }
    if lists.is_empty() {
        return match queues.is_empty() {
            true => skip("there is no kind that the simulator makes (and changes, and removes)"),
            false => Ok(queues),
        };
    }
    if !queues.is_empty() {
        let queues: Vec<&str> = queues.into_iter().map(Kind::as_str).collect();
        trial.note(format!("{} is acknowledged: see acknowledged-only-after-durable", queues.join(", ")));
    }
    Ok(lists)
}

async fn is_queue(trial: &Trial<'_>, kind: Kind) -> Result<bool, End> {
    if let Some(known) = trial.bench.is_queue(kind) {
        return Ok(known);
    }
    trial.reset().await?;
    trial.control()?.make(kind, 1).await?;
    let page = trial.platform()?.pull(kind, &everything(), None, 10).await;
    let is_queue = page.result.expected(&format!("reading the kind `{kind}`"))?.receipt.is_some();
    trial.bench.seen(kind, is_queue);
    Ok(is_queue)
}

/// Records that are made where a connector hands over more than it is asked for: more than any page of its own.
const MANY: usize = 260;

/// Where all came in one page, nothing was seen of the next ones.
fn noted(trial: &mut Trial<'_>, kind: Kind, scan: &Scan) {
    if scan.pages.len() < 2 {
        trial.note(format!("{kind}: {} records came in one page, so there was no other one", scan.ids().len()));
    }
}

/// Nothing lost, nothing twice.
fn complete(kind: Kind, made: &[String], found: &[String], how: &str) -> Result<(), End> {
    let mut seen = BTreeMap::new();
    for id in found {
        *seen.entry(id).or_insert(0) += 1;
    }
    for id in made {
        match seen.get(id) {
            None => return broken(format!("{how}: the {kind} {id} was lost; read were {found:?}")),
            Some(1) => {}
            Some(times) => return broken(format!("{how}: the {kind} {id} came {times} times; read were {found:?}")),
        }
    }
    Ok(())
}

pub(super) const NO_GAP_OR_DOUBLE: Rule =
    rule!(Behaviour, "paging-has-no-gap-or-double", "with pages of any size, each record comes once", no_gap_or_double);

async fn no_gap_or_double(trial: &mut Trial<'_>) -> Result<(), End> {
    for kind in lists(trial, |_| true).await? {
        trial.reset().await?;
        let mut made = trial.control()?.make(kind, 6).await?;
        // One by one, not a divisor, a divisor, exactly all, more than all.
        for limit in [1, 4, 3, 6, 50] {
            let mut scan = trial.platform()?.scan(kind, &everything(), limit).await.expected("reading in pages")?;
            if limit == 1 && scan.pages.len() < 2 {
                // Its pages have a size of their own.
                made.extend(trial.control()?.make(kind, MANY).await?);
                scan = trial.platform()?.scan(kind, &everything(), limit).await.expected("reading in pages")?;
                noted(trial, kind, &scan);
            }
            complete(kind, &made, &scan.ids(), &format!("in pages of {limit}"))?;
        }
    }
    Ok(())
}

pub(super) const RESUMES_FROM_ANY_CURSOR: Rule = rule!(
    Behaviour,
    "paging-resumes-from-any-cursor",
    "from every cursor the same page comes again, in a new host with what was durable when the cursor was",
    resumes_from_any_cursor
);

async fn resumes_from_any_cursor(trial: &mut Trial<'_>) -> Result<(), End> {
    for kind in lists(trial, |_| true).await? {
        trial.reset().await?;
        trial.control()?.make(kind, 5).await?;
        let scope = everything();
        let platform = trial.platform()?;
        let scan = platform.scan(kind, &scope, 2).await.expected("reading in pages")?;
        noted(trial, kind, &scan);
        let at_once = platform.stored_at_once();
        for ((cursor, durable), page) in scan.asked.iter().zip(&scan.pages) {
            // What `set-now` wrote is durable whatever became of the page: a crash does not undo it.
            let mut storage = durable.clone();
            storage.extend(at_once.clone());
            let host = trial.bench.platform_that(Differs { storage, ..Differs::default() })?;
            let again = host.pull(kind, &scope, cursor.clone(), 2).await.result;
            let again = ids(&again.expected(&format!("reading {kind} again from the cursor {cursor:?}"))?);
            if again != *page {
                return broken(format!(
                    "from the cursor {cursor:?} came the {kind} records {page:?}, and then {again:?}"
                ));
            }
        }
    }
    Ok(())
}

/// What happens after the first page.
#[derive(Clone, Copy)]
enum Happens {
    Changed,
    Removed,
}

/// Reads seven records in pages of two while something happens to one of them after the first page; answers the others
/// and what was read.
async fn disturbed(trial: &mut Trial<'_>, kind: Kind, happens: Happens, at: usize) -> Result<(Vec<String>, Scan), End> {
    trial.reset().await?;
    let control = trial.control()?;
    let mut made = control.make(kind, 7).await?;
    let (platform, scope, mut scan) = (trial.platform()?, everything(), Scan::default());
    let ended = platform.step(kind, &scope, 2, &mut scan).await.expected("reading the first page")?;
    match happens {
        Happens::Changed => control.change(kind, &made[at]).await?,
        Happens::Removed => control.remove(kind, &made[at]).await?,
    }
    if !ended {
        platform.finish(kind, &scope, 2, &mut scan).await.expected("reading the next pages")?;
    }
    noted(trial, kind, &scan);
    // What changed may come again, or with the next changes.
    made.remove(at);
    Ok((made, scan))
}

pub(super) const SURVIVES_CHANGES: Rule = rule!(
    Behaviour,
    "paging-survives-changes",
    "when records change between pages, none of the others is lost or comes twice",
    survives_changes
);

async fn survives_changes(trial: &mut Trial<'_>) -> Result<(), End> {
    for kind in lists(trial, |hand| hand.change).await? {
        // One that was seen, and one that was not.
        for at in [0, 4] {
            let (made, scan) = disturbed(trial, kind, Happens::Changed, at).await?;
            complete(
                kind,
                &made,
                &scan.ids(),
                &format!("when record {} of 7 changed after the first page of 2", at + 1),
            )?;
        }
    }
    Ok(())
}

pub(super) const SURVIVES_REMOVALS: Rule = rule!(
    Behaviour,
    "paging-survives-removals",
    "when records vanish between pages, none of the others is lost or comes twice",
    survives_removals
);

async fn survives_removals(trial: &mut Trial<'_>) -> Result<(), End> {
    for kind in lists(trial, |hand| hand.remove).await? {
        for at in [0, 4] {
            let (made, scan) = disturbed(trial, kind, Happens::Removed, at).await?;
            complete(
                kind,
                &made,
                &scan.ids(),
                &format!("when record {} of 7 vanished after the first page of 2", at + 1),
            )?;
        }
    }
    Ok(())
}

pub(super) const PULLING_TWICE: Rule = rule!(
    Behaviour,
    "pulling-twice-yields-the-same",
    "what has not changed is read the same again, to the last byte",
    pulling_twice
);

async fn pulling_twice(trial: &mut Trial<'_>) -> Result<(), End> {
    for kind in lists(trial, |_| true).await? {
        trial.reset().await?;
        trial.control()?.make(kind, 3).await?;
        let scope = everything();
        let once = trial.platform()?.scan(kind, &scope, 100).await.expected("reading")?;
        let twice = trial.platform()?.scan(kind, &scope, 100).await.expected("reading again")?;
        for (one, other) in once.records.iter().zip(&twice.records) {
            if (&one.facets, &one.variants, &one.keys) != (&other.facets, &other.variants, &other.keys) {
                let difference = one.facets.iter().find(|(key, body)| other.facets.get(key) != Some(body));
                let id = one.remote.as_ref().map(|remote| remote.id.clone()).unwrap_or_default();
                let difference = match difference {
                    Some((key, body)) => {
                        let then = other.facets.get(key).cloned().unwrap_or_default();
                        format!("facet {key} is {body}, then {then}")
                    }
                    None if one.keys != other.keys => format!("keys are {:?}, then {:?}", one.keys, other.keys),
                    None => format!("variants are {:?}, then {:?}", one.variants, other.variants),
                };
                return broken(format!("the {kind} {id} is another one: {difference}"));
            }
        }
        if once.ids() != twice.ids() {
            return broken(format!("{kind}: first came {:?}, then {:?}", once.ids(), twice.ids()));
        }
    }
    Ok(())
}

pub(super) const CHANGED_RECORDS: Rule = rule!(
    Behaviour,
    "changed-records-come-again",
    "what changes after a complete scope comes with the next one that begins there, as it is now",
    changed_records
);

async fn changed_records(trial: &mut Trial<'_>) -> Result<(), End> {
    let kinds = lists(trial, |hand| hand.change).await?;
    let kinds: Vec<Kind> =
        kinds.into_iter().filter(|kind| trial.bench.description().reading(*kind).is_some_and(|r| r.changes)).collect();
    if kinds.is_empty() {
        return skip("no kind is declared with `changes`: every pull is a full list");
    }
    for kind in kinds {
        trial.reset().await?;
        let made = trial.control()?.make(kind, 3).await?;
        let platform = trial.platform()?;
        let until = jiff::Timestamp::now();
        let scan = platform.scan(kind, &Scope::Changed { since: None, until }, 100).await.expected("reading all")?;
        platform.acknowledge_all(kind, &scan).await.expected("acknowledging")?;
        trial.control()?.change(kind, &made[1]).await?;
        let since = Some(scan.watermark.unwrap_or(until));
        let next = platform.scan(kind, &Scope::Changed { since, until: jiff::Timestamp::now() }, 100).await;
        let next = next.expected("reading changes")?;
        let found = next.ids();
        if !found.contains(&made[1]) {
            return broken(format!("the {kind} {} changed and did not come again; read were {found:?}", made[1]));
        }
        // A change shows when it is read: so does the control protocol promise.
        let said = |scan: &Scan| {
            let of = |record: &&Record| record.remote.as_ref().is_some_and(|remote| remote.id == made[1]);
            let said = scan.records.iter().filter(of).map(|record| (record.facets.clone(), record.variants.clone()));
            said.collect::<Vec<_>>()
        };
        if said(&scan) == said(&next) {
            return broken(format!("the {kind} {} changed and came again as it was before", made[1]));
        }
    }
    Ok(())
}

pub(super) const CLOCK_SKEW: Rule = rule!(
    Behaviour,
    "clock-skew",
    "when the platform's clock is 5 minutes ahead or behind, no change of any kind is lost",
    clock_skew
);

async fn clock_skew(trial: &mut Trial<'_>) -> Result<(), End> {
    if !trial.bench.control.as_ref().is_some_and(|control| control.offers.clock) {
        return skip("the simulator cannot set its clock");
    }
    let kinds = lists(trial, |hand| hand.change).await?;
    let changes = |kind: &Kind| trial.bench.description().reading(*kind).is_some_and(|reading| reading.changes);
    let kinds: Vec<Kind> = kinds.into_iter().filter(changes).collect();
    if kinds.is_empty() {
        return skip("no kind is declared with `changes`: every pull is a full list");
    }
    for kind in kinds {
        for offset in [-300, 300] {
            skewed(trial, kind, offset).await?;
        }
    }
    trial.control()?.clock(0).await?;
    Ok(())
}

/// The platform's clock is off while records are made, read and changed.
async fn skewed(trial: &Trial<'_>, kind: Kind, offset: i64) -> Result<(), End> {
    trial.reset().await?;
    let control = trial.control()?;
    control.clock(offset).await?;
    let made = control.make(kind, 3).await?;
    let platform = trial.platform()?;
    // As the host does: where the connector shows the platform's clock, times are told by it.
    let (before, begun) = (jiff::Timestamp::now(), std::time::Instant::now());
    let account = platform.check().await.expected("`check`")?;
    let took = begun.elapsed();
    let skew = account.now.map(|now| now.duration_since(before + took / 2)).unwrap_or_default();
    let now = || jiff::Timestamp::now().checked_add(skew).unwrap_or(before);
    let until = now();
    let scan = platform.scan(kind, &Scope::Changed { since: None, until }, 100).await.expected("reading all")?;
    let found: BTreeSet<String> = scan.ids().into_iter().collect();
    platform.acknowledge_all(kind, &scan).await.expected("acknowledging")?;
    // Nobody knows the other clock better than by what it took to ask.
    tokio::time::sleep(took).await;
    control.change(kind, &made[1]).await?;
    tokio::time::sleep(took).await;
    let since = Some(scan.watermark.unwrap_or(until));
    let next = platform.scan(kind, &Scope::Changed { since, until: now() }, 100).await.expected("reading changes")?;
    let side = if offset < 0 { "behind" } else { "ahead" };
    if let Some(lost) = made.iter().find(|id| !found.contains(*id) && !next.ids().contains(id)) {
        return broken(format!("the platform's clock is 5 minutes {side}, and the {kind} {lost} was lost"));
    }
    if !next.ids().contains(&made[1]) {
        let words =
            format!("the platform's clock is 5 minutes {side}, and a change of the {kind} {} was lost", made[1]);
        return broken(words);
    }
    Ok(())
}

pub(super) const ACKNOWLEDGED: Rule = rule!(
    Behaviour,
    "acknowledged-only-after-durable",
    "pulling tells the platform nothing: what was not acknowledged comes again, and acknowledging twice is fine",
    acknowledged
);

async fn acknowledged(trial: &mut Trial<'_>) -> Result<(), End> {
    let mut tested = false;
    for kind in trial.readable(|hand| hand.make) {
        if !is_queue(trial, kind).await? {
            continue;
        }
        trial.reset().await?;
        let made = trial.control()?.make(kind, 5).await?;
        let platform = trial.platform()?;
        let scan = platform.scan(kind, &everything(), 2).await.expected("reading")?;
        if scan.receipts.is_empty() {
            continue;
        }
        tested = true;
        complete(kind, &made, &scan.ids(), "at first")?;
        let writes = trial.bench.description().reading(kind).is_some_and(|reading| reading.writes);
        if scan.unsafe_sent > 0 && !writes {
            return broken(format!("reading {kind} sent {} writes, and `writes` is not declared", scan.unsafe_sent));
        }
        // The host was killed before it had written anything down.
        let again = trial.platform()?.scan(kind, &everything(), 2).await.expected("reading again")?;
        complete(kind, &made, &again.ids(), "when nothing had been acknowledged")?;
        // As a host reads: each page is acknowledged before the next one is asked for.
        let (host, scope, mut paged) = (trial.platform()?, everything(), Scan::default());
        loop {
            let before = paged.receipts.len();
            let ended = host.step(kind, &scope, 2, &mut paged).await.expected("reading page by page")?;
            for receipt in &paged.receipts[before..] {
                for _ in 0..2 {
                    host.acknowledge(kind, receipt).await.expected("acknowledging (twice)")?;
                }
            }
            if ended {
                break;
            }
            if paged.pages.len() > PAGES {
                return broken(format!("the scope has no end: {PAGES} pages were read"));
            }
        }
        complete(kind, &made, &paged.ids(), "when each page was acknowledged before the next")?;
        let left = host.scan(kind, &scope, 100).await.expected("reading what is left")?.ids();
        if let Some(again) = made.iter().find(|id| left.contains(id)) {
            trial.note(format!("{kind}: what was acknowledged comes again when everything is read, e.g. {again}"));
        }
        let count = trial.hand(kind).count;
        if count && trial.control()?.count(kind).await?.objects < made.len() as u64 {
            return broken(format!("acknowledging removed {kind} records from the platform"));
        }
    }
    if tested { Ok(()) } else { skip("no kind is acknowledged") }
}

pub(super) const STORAGE_SURVIVES: Rule = rule!(
    Behaviour,
    "storage-survives",
    "a page that was not committed comes again whole: what it stored is gone with it, and nothing was marked as read",
    storage_survives
);

async fn storage_survives(trial: &mut Trial<'_>) -> Result<(), End> {
    for kind in lists(trial, |hand| hand.change).await? {
        trial.reset().await?;
        let made = trial.control()?.make(kind, 3).await?;
        let platform = trial.platform()?;
        let until = jiff::Timestamp::now();
        let scan = platform.scan(kind, &Scope::Changed { since: None, until }, 100).await.expected("reading all")?;
        platform.acknowledge_all(kind, &scan).await.expected("acknowledging")?;
        trial.control()?.change(kind, &made[1]).await?;
        let scope = Scope::Changed { since: Some(scan.watermark.unwrap_or(until)), until: jiff::Timestamp::now() };
        let lost = platform.pull(kind, &scope, None, 100).await.result.expected("reading changes")?;
        // Killed before the commit: another host, with what is durable.
        let host = trial.bench.platform_that(Differs { storage: platform.storage(), ..Differs::default() })?;
        let again = host.pull(kind, &scope, None, 100).await.result.expected("reading changes again")?;
        if ids(&again) != ids(&lost) {
            return broken(format!(
                "a page with the {kind} records {:?} was not committed; asked again, it has {:?}",
                ids(&lost),
                ids(&again)
            ));
        }
    }
    Ok(())
}

pub(super) const NEW_BUILD: Rule = rule!(
    Behaviour,
    "new-build-reads-old-storage",
    "a new build goes on with the storage, the watermark and the cursors of the earlier one",
    new_build
);

async fn new_build(trial: &mut Trial<'_>) -> Result<(), End> {
    let Some(earlier) = &trial.bench.earlier else {
        return skip("no earlier build was given (`--earlier FILE`)");
    };
    let earlier = Arc::clone(earlier);
    for kind in lists(trial, |hand| hand.change).await? {
        trial.reset().await?;
        if earlier.description().reading(kind).is_none() {
            continue;
        }
        let made = trial.control()?.make(kind, 5).await?;
        let old = |storage| {
            trial.bench.platform_that(Differs { build: Some(earlier.clone()), storage, ..Differs::default() })
        };
        let new = |storage| trial.bench.platform_that(Differs { storage, ..Differs::default() });
        let platform = old(BTreeMap::new())?;
        let until = jiff::Timestamp::now();
        let scope = Scope::Changed { since: None, until };
        let scan = platform.scan(kind, &scope, 2).await.expected("reading with the earlier build")?;
        noted(trial, kind, &scan);
        // In the middle of a scope.
        if let (Some((cursor, storage)), Some(before)) = (scan.asked.get(1), scan.pages.get(1)) {
            let page = new(storage.clone())?.pull(kind, &scope, cursor.clone(), 2).await.result;
            let page = ids(&page.expected(&format!("reading {kind} from a cursor of the earlier build"))?);
            if page != *before {
                return broken(format!("from a cursor of the earlier build came {page:?} in the place of {before:?}"));
            }
        }
        // And between two.
        trial.control()?.change(kind, &made[1]).await?;
        let scope = Scope::Changed { since: Some(scan.watermark.unwrap_or(until)), until: jiff::Timestamp::now() };
        let storage = platform.storage();
        let before = old(storage.clone())?.scan(kind, &scope, 100).await.expected("reading changes")?;
        let now = new(storage)?.scan(kind, &scope, 100).await.expected("reading changes with the new build")?;
        if (before.ids(), &before.gone) != (now.ids(), &now.gone) {
            return broken(format!(
                "with what the earlier build stored, it reads the {kind} changes {:?}, this one {:?}",
                before.ids(),
                now.ids()
            ));
        }
    }
    Ok(())
}
