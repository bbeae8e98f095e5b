//! Writes: none too many, none twice, and a word about each.

pub(super) mod batch;
pub(super) mod find;
pub(super) mod lost;

use tradepost::model::description::Writing;
use tradepost::model::{Kind, Probe, Record, RemoteRef};

use super::kinds::made;
use crate::bench::{Fate, Pushed};
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

/// What the host asks with for a record.
fn probe(record: &Record) -> Probe {
    let of = record.of.as_ref().filter(|_| record.kind == Kind::Shipment).and_then(|of| of.id.clone());
    Probe {
        item: record.item.clone(),
        marker: record.marker.clone(),
        of: of.map(RemoteRef::new),
        keys: sample::keys(record),
    }
}
