//! Writes: none too many, none twice, and a word about each.

use tradepost::model::description::Writing;
use tradepost::model::{Kind, Op, Probe, Record, RemoteError, RemoteRef};

use super::kinds::made;
use crate::bench::{Fate, Platform, Pushed};
use crate::proxy::{Fault, On};
use crate::rule::{End, Expected, Rule, Trial, broken, everything, rule, skip};
use crate::sample;

/// Kinds that are read and written, and that the simulator makes.
fn both(trial: &Trial<'_>, wants: impl Fn(&Writing) -> bool) -> Vec<(Kind, Writing)> {
    let kinds = trial.readable(|hand| hand.make).into_iter();
    let writing = |kind| trial.bench.description().writing(kind).filter(|writing| wants(writing)).cloned();
    kinds.filter_map(|kind| Some((kind, writing(kind)?))).collect()
}

fn sound(pushed: &Pushed, what: &str) -> Result<(), End> {
    match pushed.crash() {
        Some(crash) => broken(format!("{what} crashed: {crash}")),
        None => Ok(()),
    }
}

pub(super) const UNCHANGED: Rule = rule!(
    Behaviour,
    "unchanged-push-makes-no-write",
    "pushing what the platform has already writes nothing",
    unchanged
);

async fn unchanged(trial: &mut Trial<'_>) -> Result<(), End> {
    let kinds = both(trial, |writing| writing.update);
    if kinds.is_empty() {
        return skip("no kind is both read and updated, or the simulator makes none");
    }
    let mut tested = false;
    for (kind, writing) in kinds {
        trial.reset().await?;
        let read = made(trial, kind, 1).await?;
        let page = trial.platform()?.pull(kind, &everything(), None, 10).await;
        if page.result.expected(&format!("reading the kind `{kind}`"))?.receipt.is_some() {
            trial.note(format!("{kind} is acknowledged, and then no longer there to be compared with"));
            continue;
        }
        let record = sample::update(&read[0], &writing, trial.bench.item());
        if record.facets.is_empty() {
            trial.note(format!("{kind}: nothing that is read is written"));
            continue;
        }
        tested = true;
        let item = record.item.clone();
        let counts = trial.hand(kind).count;
        let before = if counts { trial.control()?.count(kind).await?.writes } else { 0 };
        let pushed = trial.platform()?.push(vec![record]).await;
        sound(&pushed, "pushing what is there already")?;
        match pushed.fate(&item) {
            Fate::Done(_) | Fate::Unchanged => {}
            fate => return broken(format!("pushing the {kind} as it was read ended as {fate:?}")),
        }
        if counts {
            let writes = trial.control()?.count(kind).await?.writes - before;
            if writes > 0 {
                return broken(format!("pushing the {kind} as it was read made {writes} writes on the platform"));
            }
        } else if pushed.unsafe_sent > 0 {
            return broken(format!("pushing the {kind} as it was read sent {} writes", pushed.unsafe_sent));
        }
    }
    match (tested, trial.notes.pop()) {
        (true, note) => {
            trial.notes.extend(note);
            Ok(())
        }
        (false, Some(why)) => skip(why),
        (false, None) => skip("nothing that is read is written"),
    }
}

/// A record to create, with the kind's writing.
async fn to_create(trial: &Trial<'_>, kind: Kind, writing: &Writing) -> Result<Record, End> {
    let read = made(trial, kind, 1).await?;
    Ok(sample::create(&read[0], writing, trial.bench.item(), &trial.bench.unique()))
}

fn probe(record: &Record) -> Probe {
    Probe { item: record.item.clone(), marker: record.marker.clone(), of: None, keys: sample::keys(record) }
}

pub(super) const LOST_ANSWER: Rule = rule!(
    Behaviour,
    "lost-answer-makes-no-second-object",
    "when the answer to a create is lost, `find` sees the object, or the platform knows the item again: there is one object in the end",
    lost_answer
);

async fn lost_answer(trial: &mut Trial<'_>) -> Result<(), End> {
    let kinds = both(trial, |writing| writing.create);
    if kinds.is_empty() {
        return skip("no kind is both read and created, or the simulator makes none");
    }
    let mut tested = false;
    for (kind, writing) in kinds {
        let lookup = trial.bench.description().ability(kind).and_then(|ability| ability.lookup_lag);
        if lookup.is_none() && !writing.idempotent {
            return broken(format!(
                "{kind} records are created, and neither `lookup` nor `idempotent` is declared: after a lost answer nobody \
                 can tell whether the object is there"
            ));
        }
        if !trial.hand(kind).count {
            trial.note(format!("{kind}: the simulator counts none"));
            continue;
        }
        tested = true;
        trial.reset().await?;
        let record = to_create(trial, kind, &writing).await?;
        let before = trial.control()?.count(kind).await?.objects;
        let platform = trial.platform()?;
        trial.arm_once(Fault::CutAfter, On::Writes, 0);
        let lost = platform.push(vec![record.clone()]).await;
        trial.disarm();
        sound(&lost, "a create whose answer was lost")?;
        settle_lost(&platform, kind, &writing, &record, &lost, lookup).await?;
        let after = trial.control()?.count(kind).await?.objects;
        if after != before + 1 {
            return broken(format!(
                "one {kind} was to be created and its answer was lost: {} objects were made in the end",
                after.saturating_sub(before)
            ));
        }
    }
    if tested { Ok(()) } else { skip("the simulator counts none of the kinds that are created") }
}

/// What the host does after a lost answer: ask, and send again only what is not there.
async fn settle_lost(
    platform: &Platform,
    kind: Kind,
    writing: &Writing,
    record: &Record,
    lost: &Pushed,
    lookup: Option<u32>,
) -> Result<(), End> {
    if let Some(lag) = lookup {
        tokio::time::sleep(std::time::Duration::from_secs(u64::from(lag.min(10)))).await;
        let found = platform.find(kind, vec![probe(record)]).await.expected("`find` after a lost answer")?;
        let found = found.into_iter().next().unwrap_or_default();
        match found.as_slice() {
            [] => {}
            [one] if !one.whole => {
                let again = Record {
                    op: Op::Resume,
                    remote: Some(one.remote.clone()),
                    parts: one.parts.clone(),
                    ..record.clone()
                };
                let pushed = platform.push(vec![again]).await;
                sound(&pushed, "finishing what was half made")?;
            }
            [_] if !writing.idempotent => return Ok(()),
            [_] => {}
            several => return broken(format!("`find` sees {} objects for one create", several.len())),
        }
        // Where the platform knows an item again, sending it twice must do no harm either.
        if !found.is_empty() && !writing.idempotent {
            return Ok(());
        }
    } else if matches!(lost.fate(&record.item), Fate::Done(_) | Fate::Unchanged) {
        return Ok(());
    }
    let again = platform.push(vec![record.clone()]).await;
    sound(&again, "sending a create again")?;
    match again.fate(&record.item) {
        Fate::Done(_)
        | Fate::Unchanged
        | Fate::Later(_)
        | Fate::NotDone(RemoteError::Rejected(_) | RemoteError::Conflict(_)) => Ok(()),
        fate => broken(format!("a create whose answer was lost, sent again, ended as {fate:?}")),
    }
}

pub(super) const FIND: Rule = rule!(
    Behaviour,
    "find-sees-what-was-made",
    "`find` sees a new object by its marker and by each of its natural keys, and sees nothing where nothing is",
    find
);

async fn find(trial: &mut Trial<'_>) -> Result<(), End> {
    let mut tested = false;
    for (kind, writing) in both(trial, |writing| writing.create) {
        let Some(lag) = trial.bench.description().ability(kind).and_then(|ability| ability.lookup_lag) else {
            continue;
        };
        tested = true;
        trial.reset().await?;
        let record = to_create(trial, kind, &writing).await?;
        let platform = trial.platform()?;
        let pushed = platform.push(vec![record.clone()]).await;
        sound(&pushed, "a create")?;
        let Fate::Done(written) = pushed.fate(&record.item) else {
            return broken(format!("creating a {kind} ended as {:?}", pushed.fate(&record.item)));
        };
        tokio::time::sleep(std::time::Duration::from_secs(u64::from(lag.min(10)))).await;
        let nobody = Probe { item: trial.bench.item(), marker: None, of: None, keys: Vec::new() };
        let mut probes: Vec<(String, Probe)> = Vec::new();
        if record.marker.is_some() {
            probes.push(("its marker".into(), Probe { marker: record.marker.clone(), ..nobody.clone() }));
        }
        for key in sample::keys(&record) {
            probes.push((format!("its {} `{}`", key.0, key.1), Probe { keys: vec![key], ..nobody.clone() }));
        }
        let stranger = Probe { keys: vec![("sku".into(), trial.bench.unique())], ..nobody };
        let asked = probes.iter().map(|(_, probe)| probe.clone()).chain([stranger]).collect();
        let found = platform.find(kind, asked).await.expected("`find`")?;
        if found.len() != probes.len() + 1 {
            return broken(format!("`find` was asked {} questions and gave {} answers", probes.len() + 1, found.len()));
        }
        for ((by, _), found) in probes.iter().zip(&found) {
            if !found.iter().any(|found| found.remote.id == written.remote.id) {
                return broken(format!("`find` does not see the new {kind} {} by {by}", written.remote.id));
            }
        }
        if let Some(wrong) = found.last().filter(|found| !found.is_empty()) {
            return broken(format!("`find` sees {} for a SKU that nobody has", wrong[0].remote.id));
        }
    }
    if tested { Ok(()) } else { skip("no kind is created and looked up that the simulator makes") }
}

/// Pushes updates of which one is of an object that is not there.
async fn with_a_bad_one(
    trial: &Trial<'_>,
    kind: Kind,
    writing: &Writing,
    count: usize,
    bad: usize,
) -> Result<(Vec<String>, Vec<Pushed>), End> {
    if trial.bench.description().origins.is_empty() {
        return skip("a folder takes whatever is laid there: nobody in it says that an object is not there");
    }
    trial.reset().await?;
    let mut records = Vec::new();
    for read in made(trial, kind, count).await? {
        let mut record = sample::update(&read, writing, trial.bench.item());
        if !sample::touch(&mut record, &trial.bench.unique()) {
            return skip(format!("nothing of a {kind} can be changed that shows"));
        }
        records.push(record);
    }
    // An id that was made and is gone: of the right form, and of nothing.
    let gone = records[bad].remote.clone().map(|remote| remote.id).unwrap_or_default();
    match trial.hand(kind).remove {
        true => trial.control()?.remove(kind, &gone).await?,
        false => {
            let parent = records[bad].remote.as_ref().and_then(|remote| remote.parent.clone());
            records[bad].remote = Some(RemoteRef { parent, ..RemoteRef::new("99999999") });
        }
    }
    let items = records.iter().map(|record| record.item.clone()).collect();
    let platform = trial.platform()?;
    let mut pushed = Vec::new();
    for batch in records.chunks(writing.max_batch.max(1) as usize) {
        let one = platform.push(batch.to_vec()).await;
        sound(&one, "a push with an object that is not there")?;
        pushed.push(one);
    }
    Ok((items, pushed))
}

fn alone(kind: Kind, items: &[String], pushed: &[Pushed], writing: &Writing, bad: usize) -> Result<(), End> {
    for (at, item) in items.iter().enumerate() {
        let pushed = &pushed[at / writing.max_batch.max(1) as usize];
        if pushed.said(item) != 1 {
            let (number, of, times) = (at + 1, items.len(), pushed.said(item));
            let call =
                pushed.call.as_ref().err().map(|error| format!(" (the call ended with: {error})")).unwrap_or_default();
            return broken(format!(
                "item {number} of {of} {kind} records got {times} last words in the place of one{call}"
            ));
        }
        match (pushed.fate(item), at == bad) {
            (Fate::Done(_) | Fate::Unchanged, false) => {}
            (fate, false) => {
                return broken(format!("item {} of {} is good, and ended as {fate:?}", at + 1, items.len()));
            }
            (Fate::NotDone(RemoteError::NotFound(_) | RemoteError::Rejected(_)), true) => {}
            (fate, true) => {
                return broken(format!("item {} is of an object that is not there, and ended as {fate:?}", at + 1));
            }
        }
    }
    Ok(())
}

pub(super) const PARTIAL_FAILURE: Rule = rule!(
    Behaviour,
    "partial-failure-is-told-per-item",
    "when one of three items is refused, each gets its own word, and the refused one the platform's",
    partial_failure
);

async fn partial_failure(trial: &mut Trial<'_>) -> Result<(), End> {
    let kinds = both(trial, |writing| writing.update);
    if kinds.is_empty() {
        return skip("no kind is both read and updated, or the simulator makes none");
    }
    let mut tested = false;
    for (kind, writing) in kinds {
        match with_a_bad_one(trial, kind, &writing, 3, 1).await {
            Ok((items, pushed)) => {
                tested = true;
                alone(kind, &items, &pushed, &writing, 1)?;
            }
            Err(End::Skipped(reason)) => trial.note(format!("{kind}: {reason}")),
            Err(end) => return Err(end),
        }
    }
    if tested { Ok(()) } else { skip("nothing that is read and updated can be changed so that it shows") }
}

pub(super) const ONE_OF_FIFTY: Rule = rule!(
    Behaviour,
    "one-bad-item-of-fifty-fails-alone",
    "one bad item among fifty fails, and the other forty-nine are done",
    one_of_fifty
);

async fn one_of_fifty(trial: &mut Trial<'_>) -> Result<(), End> {
    let kinds = both(trial, |writing| writing.update && writing.max_batch >= 50);
    let kinds = if kinds.is_empty() { both(trial, |writing| writing.update) } else { kinds };
    let Some((kind, writing)) = kinds.into_iter().next() else {
        return skip("no kind is both read and updated, or the simulator makes none");
    };
    let (items, pushed) = with_a_bad_one(trial, kind, &writing, 50, 24).await?;
    alone(kind, &items, &pushed, &writing, 24)
}
