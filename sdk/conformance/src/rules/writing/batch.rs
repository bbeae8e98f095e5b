//! Batches of which one item is bad.

use serde_json::{Value, json};
use tradepost::model::description::Writing;
use tradepost::model::{FacetKey, Kind, Op, Record, RemoteError, RemoteRef, Scope};

use super::super::kinds::made;
use super::super::values::same;
use super::{both, sound};
use crate::bench::{Fate, Pushed};
use crate::rule::{End, Expected, Rule, Trial, broken, everything, rule, skip};
use crate::sample;

/// What is wrong with the bad item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bad {
    /// It changes an object that is not there.
    Vanished,
    /// It makes an object with the natural keys of another.
    Double,
    /// It makes an object without a name.
    Nameless,
}

impl Bad {
    fn words(self) -> &'static str {
        match self {
            Self::Vanished => "is of an object that is not there",
            Self::Double => "makes another object with the keys of one that is there",
            Self::Nameless => "makes an object without a name",
        }
    }
}

/// A batch and what became of it.
struct Tried {
    records: Vec<Record>,
    bad: usize,
    pushed: Vec<Pushed>,
    /// Objects that the kind got meanwhile, where they are counted.
    more: Option<i64>,
}

pub(in crate::rules) const PARTIAL_FAILURE: Rule = rule!(
    Behaviour,
    "partial-failure-is-told-per-item",
    "when one of three items is refused, be it of an object that is gone or a new one that cannot be, each gets its own word, the \
     refused one the platform's, and the others are on the platform",
    partial_failure
);

async fn partial_failure(trial: &mut Trial<'_>) -> Result<(), End> {
    let kinds = both(trial, |writing| writing.update);
    if kinds.is_empty() {
        return skip("no kind is both read and updated, or the simulator makes none");
    }
    let mut tested = false;
    for (kind, writing) in kinds {
        let mut cases = vec![Bad::Vanished];
        if writing.create {
            cases.extend([Bad::Double, Bad::Nameless]);
        }
        for bad in cases {
            match batch(trial, kind, &writing, 3, bad).await {
                Ok(()) => tested = true,
                Err(End::Skipped(reason)) => {
                    trial.note(format!("{kind}: {reason}"));
                    break;
                }
                Err(end) => return Err(end),
            }
        }
    }
    if tested { Ok(()) } else { skip("nothing that is read and updated can be changed so that it shows") }
}

pub(in crate::rules) const ONE_OF_FIFTY: Rule = rule!(
    Behaviour,
    "one-bad-item-of-fifty-fails-alone",
    "of each kind that is written in batches, one bad item among fifty fails, and the other forty-nine are done and on the platform",
    one_of_fifty
);

async fn one_of_fifty(trial: &mut Trial<'_>) -> Result<(), End> {
    let kinds = both(trial, |writing| writing.update);
    if kinds.is_empty() {
        return skip("no kind is both read and updated, or the simulator makes none");
    }
    let batched = kinds.iter().any(|(_, writing)| writing.max_batch > 1);
    // Where nothing goes in batches, calls that follow one another must not know of each other either.
    let kinds: Vec<_> = match batched {
        true => kinds.into_iter().filter(|(_, writing)| writing.max_batch > 1).collect(),
        false => kinds.into_iter().take(1).collect(),
    };
    let mut tested = false;
    for (kind, writing) in kinds {
        match batch(trial, kind, &writing, 50, Bad::Vanished).await {
            Ok(()) => {
                tested = true;
                trial.note(format!("{kind}: in batches of {}", writing.max_batch.clamp(1, 50)));
            }
            Err(End::Skipped(reason)) => trial.note(format!("{kind}: {reason}")),
            Err(end) => return Err(end),
        }
    }
    if tested { Ok(()) } else { skip("nothing that is read and updated can be changed so that it shows") }
}

/// Pushes changes to objects with a bad item in their middle, and looks at the words and at the platform.
async fn batch(trial: &mut Trial<'_>, kind: Kind, writing: &Writing, count: usize, bad: Bad) -> Result<(), End> {
    let Some(tried) = push(trial, kind, writing, count, bad).await? else { return Ok(()) };
    words(trial, &tried, writing, bad)?;
    there(trial, &tried).await
}

/// `None` where nothing can be wrong in this way.
async fn push(
    trial: &Trial<'_>,
    kind: Kind,
    writing: &Writing,
    count: usize,
    wrong: Bad,
) -> Result<Option<Tried>, End> {
    if trial.bench.description().origins.is_empty() {
        return skip("a folder takes whatever is laid there: nobody in it says that an object is not there");
    }
    trial.reset().await?;
    let bad = (count - 1) / 2;
    let (mut records, mut read): (Vec<Record>, Vec<Record>) = Default::default();
    for one in made(trial, kind, count).await? {
        let mut record = sample::update(&one, writing, trial.bench.item());
        // An article may have several prices, and some of them say nothing.
        let again = records.iter().any(|before| before.remote == record.remote);
        if !again && records.len() < count && sample::touch(&mut record, &trial.bench.unique()) {
            records.push(record);
            read.push(one);
        }
    }
    if records.len() < count {
        return skip(format!("nothing of a {kind} can be changed that shows"));
    }
    match wrong {
        // An id that was made and is gone: of the right form, and of nothing.
        Bad::Vanished if trial.hand(kind).remove => {
            let gone = records[bad].remote.clone().map(|remote| remote.id).unwrap_or_default();
            trial.control()?.remove(kind, &gone).await?;
        }
        Bad::Vanished => {
            let parent = records[bad].remote.as_ref().and_then(|remote| remote.parent.clone());
            records[bad].remote = Some(RemoteRef { parent, ..RemoteRef::new("99999999") });
        }
        Bad::Double | Bad::Nameless => {
            let new = sample::create(&read[bad], writing, trial.bench.item(), &trial.bench.unique());
            match invalid(new, &read[bad], wrong) {
                Some(record) => records[bad] = record,
                None => return Ok(None),
            }
        }
    }
    let counts = trial.hand(kind).count;
    let objects = async || match counts {
        true => Ok::<_, End>(Some(i64::try_from(trial.control()?.count(kind).await?.objects).unwrap_or_default())),
        false => Ok(None),
    };
    let before = objects().await?;
    let platform = trial.platform()?;
    let mut pushed = Vec::new();
    for batch in records.chunks(size(writing)) {
        let one = platform.push(batch.to_vec()).await;
        sound(&one, "a push with a bad item")?;
        pushed.push(one);
    }
    let more = objects().await?.zip(before).map(|(after, before)| after - before);
    Ok(Some(Tried { records, bad, pushed, more }))
}

fn size(writing: &Writing) -> usize {
    writing.max_batch.max(1) as usize
}

/// A new record that cannot be made beside `other`; `None` where its kind has nothing that could be wrong like that.
fn invalid(mut record: Record, other: &Record, wrong: Bad) -> Option<Record> {
    if wrong == Bad::Nameless {
        let mut named = record.facets.iter_mut().filter(|(key, _)| key.name() == "texts").peekable();
        named.peek()?;
        for (_, body) in named {
            body["name"] = json!("");
        }
        return Some(record);
    }
    let head = FacetKey::head();
    let mut double = false;
    for name in ["key", "number", "email"] {
        if let Some(theirs) = other.facets.get(&head).map(|body| &body[name]).filter(|theirs| theirs.is_string()) {
            record.facets.get_mut(&head)?[name] = theirs.clone();
            double = true;
        }
    }
    for (ours, theirs) in record.variants.iter_mut().zip(&other.variants).filter(|(_, theirs)| !theirs.sku.is_empty()) {
        ours.sku.clone_from(&theirs.sku);
        ours.keys.clone_from(&theirs.keys);
        if let Some(body) = ours.facets.get_mut(&head) {
            body["sku"] = json!(theirs.sku);
        }
        double = true;
    }
    if record.facets.contains_key(&FacetKey::from("grouping")) {
        record.facets.insert("grouping".into(), tradepost::model::VariantRecord::grouping(&record.variants));
    }
    record.keys.clone_from(&other.keys);
    double.then_some(record)
}

/// Each item has one last word, and the right one.
fn words(trial: &mut Trial<'_>, tried: &Tried, writing: &Writing, wrong: Bad) -> Result<(), End> {
    let of = tried.records.len();
    for (at, record) in tried.records.iter().enumerate() {
        let (pushed, number, kind) = (&tried.pushed[at / size(writing)], at + 1, record.kind);
        let times = pushed.said(&record.item);
        if times != 1 {
            let call =
                pushed.call.as_ref().err().map(|error| format!(" (the call ended with: {error})")).unwrap_or_default();
            return broken(format!(
                "item {} of {of} {}; item {number}, a {kind}, got {times} last words in the place of one{call}",
                tried.bad + 1,
                wrong.words()
            ));
        }
        match (pushed.fate(&record.item), at == tried.bad, wrong) {
            (Fate::Done(_) | Fate::Unchanged, false, _) => {}
            (fate, false, _) => {
                return broken(format!(
                    "item {} of {of} {}; item {number}, a {kind}, is good, and ended as {fate:?}",
                    tried.bad + 1,
                    wrong.words()
                ));
            }
            (Fate::NotDone(RemoteError::NotFound(_) | RemoteError::Rejected(_)), true, Bad::Vanished) => {}
            (Fate::NotDone(RemoteError::Rejected(_) | RemoteError::Conflict(_)), true, _) => {
                if let Some(more) = tried.more.filter(|more| *more != 0) {
                    return broken(format!(
                        "item {number}, a {kind}, {}: it was refused, and there are {more} objects more",
                        wrong.words()
                    ));
                }
            }
            // Not every platform minds.
            (Fate::Done(_), true, Bad::Double | Bad::Nameless) if tried.more.is_none_or(|more| more == 1) => {
                trial.note(format!("{kind}: an item that {} is none that the platform refuses", wrong.words()));
            }
            (fate, true, _) => {
                let more = tried.more.map(|more| format!(", and there are {more} objects more")).unwrap_or_default();
                return broken(format!("item {number}, a {kind}, {}, and ended as {fate:?}{more}", wrong.words()));
            }
        }
    }
    Ok(())
}

/// The good items are on the platform as they were sent.
async fn there(trial: &Trial<'_>, tried: &Tried) -> Result<(), End> {
    let kind = tried.records[0].kind;
    let good = || tried.records.iter().enumerate().filter(|(at, _)| *at != tried.bad).map(|(_, record)| record);
    let ids: Vec<String> = good().filter_map(|record| Some(record.remote.as_ref()?.id.clone())).collect();
    let scope = match trial.bench.description().reading(kind).is_some_and(|reading| reading.ids) {
        true => Scope::Ids(ids),
        false => everything(),
    };
    let scan = trial.platform()?.scan(kind, &scope, 100).await.expected("reading back what was written")?;
    for record in good().filter(|record| record.op == Op::Update) {
        let Some(remote) = &record.remote else { continue };
        let Some((key, name)) = sample::touched(record) else { continue };
        let sent = &record.facets[&key][name];
        // Several prices of one article have one id.
        let back = scan.records.iter().filter(|back| back.remote.as_ref().is_some_and(|back| back.id == remote.id));
        let found: Vec<&Value> = back.filter_map(|back| back.facets.get(&key)).map(|body| &body[name]).collect();
        if !found.iter().any(|found| same(sent, found)) {
            return broken(format!(
                "item {} is bad; another {kind}, {}, was said to be done: {name} was sent as {sent} and reads back as {}",
                tried.bad + 1,
                remote.id,
                found.first().map_or(Value::Null, |found| Value::clone(found))
            ));
        }
    }
    Ok(())
}
