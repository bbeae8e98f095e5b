//! Answers that are lost after the platform did the work.

use std::time::Duration;

use tradepost::model::description::Writing;
use tradepost::model::{Kind, Op, Record, RemoteError, Written};

use super::super::kinds::made;
use super::{probe, sound};
use crate::bench::{Fate, Platform, Pushed};
use crate::proxy::{Fault, On};
use crate::rule::{End, Expected, Rule, Trial, broken, rule, skip};
use crate::sample;

/// Writes of one call whose answers are lost, each in its turn: a product, its options, its variants, its end.
const WRITES: u32 = 4;
/// Longest that a lookup may lag here, in seconds.
const LAG: u32 = 10;

pub(in crate::rules) const LOST_ANSWER: Rule = rule!(
    Behaviour,
    "lost-answer-makes-no-second-object",
    "when the answer to any write of a create is lost, nobody says that nothing was done; `find` sees the object, or the platform \
     knows the item again, and what was begun is finished: there is one object in the end",
    lost_answer
);

async fn lost_answer(trial: &mut Trial<'_>) -> Result<(), End> {
    let abilities = trial.bench.description().abilities.clone();
    let mut creates = false;
    let mut tested = false;
    for ability in abilities {
        let (kind, lookup) = (ability.kind, ability.lookup_lag);
        let Some(writing) = ability.writing.filter(|writing| writing.create) else { continue };
        if lookup.is_none() && !writing.idempotent {
            return broken(format!(
                "{kind} records are created, and neither `lookup` nor `idempotent` is declared: after a lost answer nobody \
                 can tell whether the object is there"
            ));
        }
        creates = true;
        if !trial.hand(kind).count {
            trial.note(format!("{kind}: the simulator counts none"));
            continue;
        }
        for at in 0..WRITES {
            trial.reset().await?;
            let Some(record) = to_create(trial, kind, &writing).await? else {
                trial.note(format!("{kind}: neither simulator nor scenario has a record to create"));
                break;
            };
            tested = true;
            if !lose(trial, &record, &writing, lookup, at).await? {
                if at == 0 {
                    trial.note(format!("{kind}: creating one sends no request whose answer could be lost"));
                }
                break;
            }
        }
    }
    match (creates, tested) {
        (_, true) => Ok(()),
        (true, false) => skip("the simulator has and counts none of the kinds that are created"),
        (false, false) => skip("the connector creates nothing"),
    }
}

/// A record that the platform does not have: like one of its own, or like one of the scenario's samples.
async fn to_create(trial: &Trial<'_>, kind: Kind, writing: &Writing) -> Result<Option<Record>, End> {
    let (item, unique) = (trial.bench.item(), trial.bench.unique());
    let created = |record: &&Record| record.kind == kind && matches!(record.op, Op::Create | Op::CreateDone);
    if let Some(record) = trial.bench.scenario.records.iter().find(created) {
        return Ok(Some(Record { op: record.op, ..sample::create(record, writing, item, &unique) }));
    }
    if trial.bench.description().reading(kind).is_none() || !trial.hand(kind).make {
        return Ok(None);
    }
    let read = made(trial, kind, 1).await?;
    Ok(Some(sample::create(&read[0], writing, item, &unique)))
}

/// Creates a record and loses the answer to one of its writes; says whether there was such a write.
async fn lose(
    trial: &Trial<'_>,
    record: &Record,
    writing: &Writing,
    lookup: Option<u32>,
    at: u32,
) -> Result<bool, End> {
    let kind = record.kind;
    let platform = trial.platform()?;
    let before = trial.control()?.count(kind).await?.objects;
    let mark = trial.bench.proxy.journal.mark();
    trial.arm_once(Fault::CutAfter, On::Writes, at);
    let first = platform.push(vec![record.clone()]).await;
    trial.disarm();
    let lost = trial.bench.proxy.journal.since(mark).iter().any(|exchange| exchange.fault.is_some());
    if !lost && at > 0 {
        return Ok(false);
    }
    let number = at + 1;
    sound(&first, &format!("creating a {kind}, the answer to write {number} lost,"))?;
    settle(&platform, record, writing, lookup, &first, lost.then_some(number)).await?;
    let after = trial.control()?.count(kind).await?.objects;
    if after != before + 1 {
        return broken(format!(
            "one {kind} was to be created{}: {} objects were made in the end",
            if lost { format!(" and the answer to write {number} was lost") } else { String::new() },
            after.saturating_sub(before)
        ));
    }
    Ok(lost)
}

/// What the host does next: it believes what is certain, asks where it is not, and sends again only what is not there.
async fn settle(
    platform: &Platform,
    record: &Record,
    writing: &Writing,
    lookup: Option<u32>,
    first: &Pushed,
    lost: Option<u32>,
) -> Result<(), End> {
    let kind = record.kind;
    match (first.fate(&record.item), lost) {
        // Where the platform knows an item again, sending it twice must do no harm either.
        (Fate::Done(_) | Fate::Unchanged, _) if writing.idempotent => return again(platform, record).await,
        (Fate::Done(_) | Fate::Unchanged, _) => return Ok(()),
        (fate @ (Fate::NotDone(_) | Fate::Later(_)), None) => {
            return broken(format!("nothing went wrong, and creating a {kind} ended as {fate:?}"));
        }
        // A defect is no word about the platform: the host takes it for unknown.
        (Fate::Unknown(_) | Fate::NotDone(RemoteError::Bug(_)), _) => {}
        (fate @ (Fate::NotDone(_) | Fate::Later(_)), Some(number)) => {
            return broken(format!(
                "the platform did write {number} of a create and its answer was lost; the {kind} ended as {fate:?}, which says \
                 that nothing was done: the host sends it again without asking"
            ));
        }
    }
    let begun = first.begun(&record.item).cloned();
    let Some(lag) = lookup else {
        return match begun {
            Some(begun) => resume(platform, record, &begun).await,
            None => again(platform, record).await,
        };
    };
    tokio::time::sleep(Duration::from_secs(u64::from(lag.min(LAG)))).await;
    let found = platform.find(kind, vec![probe(record)]).await.expected("`find` after a lost answer")?;
    let found = found.into_iter().next().unwrap_or_default();
    match found.as_slice() {
        [one] if !one.whole => {
            let begun =
                Written { remote: one.remote.clone(), parts: one.parts.clone(), total: None, warnings: Vec::new() };
            resume(platform, record, &begun).await
        }
        [_] if !writing.idempotent => Ok(()),
        [] | [_] => again(platform, record).await,
        several => broken(format!("`find` sees {} objects for one create", several.len())),
    }
}

async fn resume(platform: &Platform, record: &Record, begun: &Written) -> Result<(), End> {
    let again =
        Record { op: Op::Resume, remote: Some(begun.remote.clone()), parts: begun.parts.clone(), ..record.clone() };
    let pushed = platform.push(vec![again]).await;
    sound(&pushed, "finishing what was half made")?;
    match pushed.fate(&record.item) {
        Fate::Done(written) if written.remote.id == begun.remote.id => Ok(()),
        Fate::Unchanged => Ok(()),
        fate => broken(format!(
            "finishing the {} {}, which was half made when an answer was lost, ended as {fate:?}",
            record.kind, begun.remote.id
        )),
    }
}

async fn again(platform: &Platform, record: &Record) -> Result<(), End> {
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
