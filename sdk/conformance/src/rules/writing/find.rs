//! Lookups.

use std::time::Duration;

use tradepost::model::{Probe, Record};

use super::{both, probe, sound, to_create};
use crate::bench::Fate;
use crate::rule::{End, Expected, Rule, Trial, broken, rule, skip};

/// Longest that a lookup may lag here, in seconds.
const LAG: u32 = 10;

pub(in crate::rules) const FIND: Rule = rule!(
    Behaviour,
    "find-sees-what-was-made",
    "`find` sees a new object by its marker and by each of its natural keys, and not by a key that is a part of its own, longer, or \
     fits as a pattern",
    find
);

async fn find(trial: &mut Trial<'_>) -> Result<(), End> {
    let mut tested = false;
    for (kind, writing) in both(trial, |writing| writing.create) {
        let Some(lag) = trial.bench.description().ability(kind).and_then(|ability| ability.lookup_lag) else {
            continue;
        };
        trial.reset().await?;
        let record = to_create(trial, kind, &writing).await?;
        let (own, strangers) = probes(trial, &record);
        if own.is_empty() {
            trial.note(format!("{kind}: nothing of it is looked for, neither a marker nor a natural key"));
            continue;
        }
        tested = true;
        let platform = trial.platform()?;
        let pushed = platform.push(vec![record.clone()]).await;
        sound(&pushed, "a create")?;
        let Fate::Done(written) = pushed.fate(&record.item) else {
            return broken(format!("creating a {kind} ended as {:?}", pushed.fate(&record.item)));
        };
        tokio::time::sleep(Duration::from_secs(u64::from(lag.min(LAG)))).await;
        let asked: Vec<Probe> = own.iter().chain(&strangers).map(|(_, probe)| probe.clone()).collect();
        let questions = asked.len();
        let found = platform.find(kind, asked).await.expected("`find`")?;
        if found.len() != questions {
            return broken(format!("`find` was asked {questions} questions and gave {} answers", found.len()));
        }
        for ((by, _), found) in own.iter().zip(&found) {
            if !found.iter().any(|found| found.remote.id == written.remote.id) {
                return broken(format!("`find` does not see the new {kind} {} by {by}", written.remote.id));
            }
        }
        for ((by, _), found) in strangers.iter().zip(&found[own.len()..]) {
            if found.iter().any(|found| found.remote.id == written.remote.id) {
                return broken(format!("`find` takes the new {kind} {} for the one with {by}", written.remote.id));
            }
        }
        if let Some(wrong) = found.last().and_then(|found| found.first()) {
            return broken(format!("`find` sees the {kind} {} by a key that nobody has", wrong.remote.id));
        }
    }
    if tested { Ok(()) } else { skip("no kind is created and looked up that the simulator makes") }
}

type Named = (String, Probe);

/// What the object must be found by, and what it must not be found by, each with its name.
fn probes(trial: &Trial<'_>, record: &Record) -> (Vec<Named>, Vec<Named>) {
    let whole = probe(record);
    let by = |marker: Option<String>, keys: Vec<(String, String)>| Probe {
        item: trial.bench.item(),
        marker,
        of: whole.of.clone(),
        keys,
    };
    let (mut own, mut strangers) = (Vec::new(), Vec::new());
    if let Some(marker) = &whole.marker {
        strangers.push(("a marker that is longer than its own".into(), by(Some(format!("{marker}0")), Vec::new())));
        own.push(("its marker".into(), by(Some(marker.clone()), Vec::new())));
    }
    for (name, value) in whole.keys.clone() {
        for (what, other) in near(&value) {
            strangers.push((format!("the {name} `{other}`, {what} `{value}`"), by(None, vec![(name.clone(), other)])));
        }
        own.push((format!("its {name} `{value}`"), by(None, vec![(name, value)])));
    }
    // The last one is like nothing there is, in all of its keys.
    let nobody = own.iter().flat_map(|(_, probe)| &probe.keys).map(|(name, _)| (name.clone(), trial.bench.unique()));
    strangers.push(("keys that nobody has".into(), by(None, nobody.collect())));
    (own, strangers)
}

/// Keys that are nearly this one: a search that is not exact takes them for it.
fn near(key: &str) -> Vec<(&'static str, String)> {
    let mut near = vec![("longer than", format!("{key}0"))];
    if let Some((last, _)) = key.char_indices().next_back().filter(|(at, _)| *at > 0) {
        near.push(("the beginning of", key[..last].to_owned()));
        near.push(("a pattern of", format!("{}_", &key[..last])));
    }
    near
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn nearly_the_same_is_longer_shorter_or_a_pattern() {
        let keys = |key: &str| near(key).into_iter().map(|(_, key)| key).collect::<Vec<_>>();
        assert_eq!(keys("A-10"), ["A-100", "A-1", "A-1_"]);
        assert_eq!(keys("Ä"), ["Ä0"]);
    }
}
