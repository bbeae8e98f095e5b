//! What is written is kept: records go to the platform with everything that the connector says it writes, and come back so.

use serde_json::Value;
use tradepost::model::description::Writing;
use tradepost::model::{FacetKey, Facets, Kind, Record, RemoteRef, Scope, Written};

use super::kinds::made;
use super::values::{same, short};
use crate::bench::Fate;
use crate::control::Golden;
use crate::rule::{End, Expected, Trial, broken, everything};
use crate::sample;

/// Kinds whose records are said facet by facet. Orders and shipments are business: what the platform makes of them is judged by
/// the total and by what happens.
const KINDS: &[Kind] = &[Kind::Category, Kind::Product, Kind::Customer, Kind::Stock, Kind::Price];

/// Members that are the object's own: another has other names and another place among its like, and what only the platform has
/// a field for is its affair. That natural keys arrive is another rule's.
const OWN: &[&str] = &["id", "key", "sku", "gtin", "number", "email", "slug", "position", "extra"];

/// Writes each kind as its golden record (else a plain one) is, into another object and as a new one. Says whether any was.
pub(super) async fn kept(trial: &mut Trial<'_>, golden: &[Golden]) -> Result<bool, End> {
    let mut tested = false;
    for kind in KINDS.iter().copied() {
        let description = trial.bench.description();
        let (Some(writing), Some(_)) = (description.writing(kind).cloned(), description.reading(kind)) else {
            continue;
        };
        if !trial.hand(kind).make || description.origins.is_empty() {
            continue;
        }
        let other = made(trial, kind, 1).await?.swap_remove(0);
        // The golden records are there: the rule has just read them.
        let source = match golden.iter().find(|golden| golden.kind == kind) {
            Some(golden) => read(trial, kind, &RemoteRef::new(&golden.id)).await?,
            None => Vec::new(),
        };
        // An article may have several prices: those of the same sort.
        let sort = |one: &&Record| one.facets.keys().eq(other.facets.keys());
        let source = match source.iter().find(sort).or(source.first()) {
            Some(source) => source.clone(),
            None => {
                trial.note(format!("{kind}: without a golden record, only what a plain one says was written"));
                other.clone()
            }
        };
        if writing.update {
            let record = sample::update(&other, &writing, trial.bench.item());
            tested |= write(trial, like(record, &source, &writing), "changed to be").await?;
        }
        if writing.create {
            let unique = trial.bench.unique();
            let record = sample::create(&source, &writing, trial.bench.item(), &unique);
            tested |= write(trial, record, "made").await?;
        }
    }
    Ok(tested)
}

/// The record with everything that `source` says but for its own names.
fn like(mut record: Record, source: &Record, writing: &Writing) -> Record {
    let wanted = sample::update(source, writing, String::new());
    take(&mut record.facets, &wanted.facets);
    if let ([ours], [theirs]) = (record.variants.as_mut_slice(), wanted.variants.as_slice()) {
        take(&mut ours.facets, &theirs.facets);
    }
    record
}

fn take(ours: &mut Facets, theirs: &Facets) {
    for (key, body) in theirs.iter().filter(|(key, _)| compared(key)) {
        let kept = ours.get(key).cloned().unwrap_or_default();
        let mut body = body.clone();
        // Names of categories are often there once.
        let name = (key.name() == "texts").then_some("name");
        for name in OWN.iter().copied().chain(name) {
            let Some(members) = body.as_object_mut() else { continue };
            match kept.get(name) {
                Some(own) => members.insert(name.to_owned(), own.clone()),
                None => members.remove(name),
            };
        }
        ours.insert(key.clone(), body);
    }
}

/// A picture gets an address of its own; how variants are grouped is said by their keys.
fn compared(key: &FacetKey) -> bool {
    !matches!(key.name(), "media" | "grouping")
}

/// Writes a record and compares what is there afterwards. `false` where there was nothing to write.
async fn write(trial: &mut Trial<'_>, record: Record, how: &str) -> Result<bool, End> {
    let kind = record.kind;
    if record.facets.is_empty() {
        return Ok(false);
    }
    let pushed = trial.platform()?.push(vec![record.clone()]).await;
    if let Some(crash) = pushed.crash() {
        return broken(format!("a {kind} with all that is written crashed it: {crash}"));
    }
    let (remote, warnings) = match (pushed.fate(&record.item), &record.remote) {
        (Fate::Done(Written { remote, warnings, .. }), _) => (remote, warnings),
        (Fate::Unchanged, Some(remote)) => (remote.clone(), Vec::new()),
        (fate, _) => {
            return broken(format!("a {kind} was to be {how} like one that is there, and ended as {fate:?}"));
        }
    };
    let back = read(trial, kind, &remote).await?;
    if back.is_empty() {
        return broken(format!("the {kind} {} was {how}, and then is not read", remote.id));
    }
    let mut lost = lost(&record.facets, |key| back.iter().find_map(|back| back.facets.get(key)));
    for variant in &record.variants {
        let found = back.iter().flat_map(|back| &back.variants).find(|found| found.sku == variant.sku);
        match found {
            Some(found) => lost.extend(self::lost(&variant.facets, |key| found.facets.get(key))),
            None => return broken(format!("the {kind} {} was {how} and has no variant `{}`", remote.id, variant.sku)),
        }
    }
    let mut told = Vec::new();
    for Lost { path, sent, found } in lost {
        // A warning is about the whole record, or about this.
        let member = path.rsplit('.').next().unwrap_or(&path).split('[').next().unwrap_or_default();
        let names = |text: &str| text.contains(member) || text.contains(path.split(['.', ':']).next().unwrap_or(&path));
        let said = warnings.iter().find(|issue| issue.path.is_empty() || names(&issue.path) || names(&issue.message));
        match said {
            Some(issue) => told.push(format!("{kind}: {path} is not kept, with the warning: {}", issue.message)),
            None => {
                return broken(format!(
                    "the {kind} {} was {how}: {path} was written as {} and reads back as {}, without a warning",
                    remote.id,
                    short(&sent),
                    short(&found)
                ));
            }
        }
    }
    trial.notes.extend(told);
    Ok(true)
}

/// All records with this id.
async fn read(trial: &Trial<'_>, kind: Kind, remote: &RemoteRef) -> Result<Vec<Record>, End> {
    let scope = match trial.bench.description().reading(kind).is_some_and(|reading| reading.ids) {
        true => Scope::Ids(vec![remote.id.clone()]),
        false => everything(),
    };
    let scan = trial.platform()?.scan(kind, &scope, 100).await.expected("reading back what was written")?;
    let is = |record: &Record| record.remote.as_ref().is_some_and(|back| back.id == remote.id);
    Ok(scan.records.into_iter().filter(is).collect())
}

/// Something that was sent and is not there.
#[derive(Debug, PartialEq)]
struct Lost {
    path: String,
    sent: Value,
    found: Value,
}

fn lost<'a>(sent: &Facets, found: impl Fn(&FacetKey) -> Option<&'a Value>) -> Vec<Lost> {
    let mut lost = Vec::new();
    for (key, body) in sent.iter().filter(|(key, _)| compared(key)) {
        gather(key.as_str(), body, found(key).unwrap_or(&Value::Null), &mut lost);
    }
    lost
}

/// Everything that was said must be there; more may be, and lists may come in another order.
fn gather(path: &str, sent: &Value, found: &Value, lost: &mut Vec<Lost>) {
    let differs = || Lost { path: path.to_owned(), sent: sent.clone(), found: found.clone() };
    match (sent, found) {
        (Value::Null, _) => {}
        (Value::Object(members), _) => {
            for (name, value) in members.iter().filter(|(name, _)| !OWN.contains(&name.as_str())) {
                gather(&format!("{path}.{name}"), value, found.get(name).unwrap_or(&Value::Null), lost);
            }
        }
        (Value::Array(items), Value::Array(there)) => {
            let is_there = |item: &Value| {
                there.iter().any(|other| {
                    let mut lost = Vec::new();
                    gather(path, item, other, &mut lost);
                    lost.is_empty() && names(item, other)
                })
            };
            if !items.iter().all(is_there) || items.len() != there.len() {
                lost.push(differs());
            }
        }
        (Value::Array(items), Value::Null) if items.is_empty() => {}
        (sent, found) if alike(sent, found) => {}
        _ => lost.push(differs()),
    }
}

/// What a list names by an id must be those.
fn names(one: &Value, other: &Value) -> bool {
    let id = |value: &Value| value["id"].as_str().map(str::to_owned);
    id(one).is_none_or(|one| id(other).is_none_or(|other| one == other))
}

/// The same but for what every platform does to a text: blanks at its ends, and between the parts of its HTML.
fn alike(sent: &Value, found: &Value) -> bool {
    let words =
        |text: &str| text.replace('>', "> ").replace('<', " <").split_whitespace().collect::<Vec<_>>().join(" ");
    match (sent.as_str(), found.as_str()) {
        _ if same(sent, found) => true,
        (Some(sent), Some(found)) => words(sent) == words(found),
        (Some(sent), None) => found.is_null() && sent.trim().is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(sent: &Value, found: &Value) -> Vec<String> {
        let mut lost = Vec::new();
        gather("head", sent, found, &mut lost);
        lost.into_iter().map(|lost| lost.path).collect()
    }

    #[test]
    fn what_is_normalised_is_kept_and_what_is_missing_is_named() {
        let sent = json!({"weight_kg": "0.350", "manufacturer": "Hafen", "sku": "A", "unit": null, "keywords": []});
        let kept = json!({"weight_kg": "0.35", "manufacturer": " Hafen ", "sku": "B", "more": 1});
        assert!(paths(&sent, &kept).is_empty());
        assert_eq!(paths(&sent, &json!({"weight_kg": "1.5"})), ["head.manufacturer", "head.weight_kg"]);
        let html = (json!("<p>5 &lt; 7</p>\n<p>b</p>"), json!("<p>5 &lt; 7</p><p>b</p>\n"));
        assert!(paths(&html.0, &html.1).is_empty());
        assert_eq!(paths(&json!("<p>a</p>"), &json!("a")), ["head"]);
    }

    #[test]
    fn lists_may_come_in_another_order() {
        let sent = json!([{"id": "1"}, {"id": "2", "key": "x"}]);
        assert!(paths(&sent, &json!([{"id": "2", "key": "y"}, {"id": "1"}])).is_empty());
        assert_eq!(paths(&sent, &json!([{"id": "1"}, {"id": "3"}])), ["head"]);
        assert_eq!(paths(&sent, &json!([{"id": "1"}])), ["head"]);
        assert_eq!(paths(&sent, &Value::Null), ["head"]);
        assert!(paths(&json!([]), &Value::Null).is_empty());
    }
}
