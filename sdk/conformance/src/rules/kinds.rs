//! What is declared works.

use rust_decimal::Decimal;
use serde_json::json;
use tradepost::model::description::{OrderHappening, Writing};
use tradepost::model::sales::{Happening, Payment, PaymentState};
use tradepost::model::{CallError, Kind, Link, Op, Record, RemoteError, RemoteRef, Scope};

use crate::bench::{Fate, PAGES, Platform, crash, ids};
use crate::rule::{End, Expected, Rule, Trial, broken, everything, rule, skip};
use crate::sample;

pub(super) const DECLARED_KINDS_ARE_READ: Rule = rule!(
    Shape,
    "declared-kinds-are-read",
    "every kind that is declared as readable can be read, and what the platform has of it comes",
    declared_kinds_are_read
);

async fn declared_kinds_are_read(trial: &mut Trial<'_>) -> Result<(), End> {
    let kinds: Vec<Kind> =
        trial.bench.description().abilities.iter().filter(|a| a.reading.is_some()).map(|a| a.kind).collect();
    if kinds.is_empty() {
        return skip("the connector reads nothing");
    }
    for kind in kinds {
        trial.reset().await?;
        let made = match trial.hand(kind).make {
            true => trial.control()?.make(kind, 2).await?,
            false => Vec::new(),
        };
        let scan =
            trial.platform()?.scan(kind, &everything(), 100).await.expected(&format!("reading the kind `{kind}`"))?;
        if let Some(lost) = made.iter().find(|id| !scan.ids().contains(id)) {
            return broken(format!("the {kind} {lost} is on the platform and was not read"));
        }
        if made.is_empty() {
            trial.note(format!("{kind}: the simulator makes none; only that reading does not fail was seen"));
        }
    }
    Ok(())
}

pub(super) const DECLARED_SCOPES_WORK: Rule = rule!(
    Shape,
    "declared-scopes-work",
    "where reading by ids or listing all that is there is declared, just the wanted records come and all ids are listed",
    declared_scopes_work
);

async fn declared_scopes_work(trial: &mut Trial<'_>) -> Result<(), End> {
    let mut tested = false;
    for kind in trial.readable(|hand| hand.make) {
        let Some(reading) = trial.bench.description().reading(kind).cloned() else { continue };
        trial.reset().await?;
        let made = trial.control()?.make(kind, 3).await?;
        let platform = trial.platform()?;
        if reading.ids {
            tested = true;
            let wanted = vec![made[0].clone(), made[2].clone()];
            let called = platform.pull(kind, &Scope::Ids(wanted.clone()), None, 100).await;
            let mut found = ids(&called.result.expected(&format!("reading {kind} by ids"))?);
            found.sort();
            let mut wanted = wanted;
            wanted.sort();
            if found != wanted {
                return broken(format!("asked for the {kind} records {wanted:?} by id, it read {found:?}"));
            }
        }
        if reading.present {
            tested = true;
            let there = present(&platform, kind).await?;
            if let Some(lost) = made.iter().find(|id| !there.contains(id)) {
                return broken(format!(
                    "the {kind} {lost} is on the platform and not among {there:?}: it would be taken for deleted"
                ));
            }
        }
        if !trial.hand(kind).remove || !(reading.ids || reading.present) {
            continue;
        }
        trial.control()?.remove(kind, &made[1]).await?;
        if reading.ids {
            let called = platform.pull(kind, &Scope::Ids(made.clone()), None, 100).await;
            let found = ids(&called.result.expected(&format!("reading {kind} by ids, of which one is gone"))?);
            if let Some(lost) = [&made[0], &made[2]].into_iter().find(|id| !found.contains(id)) {
                let gone = &made[1];
                return broken(format!(
                    "asked for three {kind} records of which {gone} is gone, it did not read {lost}"
                ));
            }
        }
        if reading.present {
            let there = present(&platform, kind).await?;
            if there.contains(&made[1]) {
                let gone = &made[1];
                return broken(format!(
                    "the {kind} {gone} is gone and still listed: nobody would learn of its removal"
                ));
            }
        }
    }
    if tested { Ok(()) } else { skip("no kind is declared with `ids` or `present` that the simulator makes") }
}

/// Ids of all that is there.
async fn present(platform: &Platform, kind: Kind) -> Result<Vec<String>, End> {
    let (mut there, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES {
        let called = platform.pull(kind, &Scope::Present, cursor.take(), 100).await;
        platform.commit(&called);
        let page = called.result.expected(&format!("listing all {kind} records"))?;
        there.extend(page.present.into_iter().map(|present| present.remote.id));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(there);
        }
    }
    broken(format!("listing all {kind} records has no end: {PAGES} pages were read"))
}

pub(super) const DECLARED_KINDS_ARE_WRITTEN: Rule = rule!(
    Shape,
    "declared-kinds-are-written",
    "every kind and every event that is declared as writable is written, or refused with the platform's own reason",
    declared_kinds_are_written
);

async fn declared_kinds_are_written(trial: &mut Trial<'_>) -> Result<(), End> {
    let abilities = &trial.bench.description().abilities;
    let kinds: Vec<(Kind, Writing)> = abilities.iter().filter_map(|a| Some((a.kind, a.writing.clone()?))).collect();
    if kinds.is_empty() {
        return skip("the connector writes nothing");
    }
    let mut written = 0;
    for (kind, writing) in kinds {
        trial.reset().await?;
        let mut tries = Vec::new();
        if let Some(record) = record(trial, kind, &writing).await? {
            tries.push((record, true));
        } else {
            tries.extend(of_orders(trial, kind, &writing).await?.into_iter().map(|record| (record, true)));
            if tries.is_empty() {
                let is_there = !matches!(kind, Kind::OrderEvent | Kind::Shipment);
                tries.extend(generic(trial, kind, &writing).map(|record| (record, is_there)));
            }
        }
        if tries.is_empty() {
            trial.note(format!("{kind}: neither simulator nor scenario has a record to write"));
        }
        for (record, is_there) in tries {
            let (item, what) = (record.item.clone(), named(&record));
            let pushed = trial.platform()?.push(vec![record]).await;
            if let Some(crash) = pushed.crash() {
                return broken(format!("writing {what} crashed: {crash}"));
            }
            match pushed.fate(&item) {
                Fate::Done(_) | Fate::Unchanged => written += 1,
                Fate::Later(_) => trial.note(format!("{what}: the platform wants it later")),
                // Its own reason: a rule of the merchant's, a state in which that cannot be.
                Fate::NotDone(error @ (RemoteError::Rejected(_) | RemoteError::Conflict(_))) => {
                    trial.note(format!("{what}: the platform refused the sample: {error}"));
                }
                Fate::NotDone(error @ RemoteError::NotFound(_)) if !is_there => {
                    trial.note(format!("{what} of an order that is not there: {error}"));
                }
                Fate::NotDone(error) => {
                    return broken(format!("{what} is declared as writable, and writing it fails: {error}"));
                }
                Fate::Unknown(words) => {
                    return broken(format!("nothing went wrong, and what became of {what} is not known: {words}"));
                }
            }
        }
    }
    match written {
        0 => skip(format!("nothing could be written: {}", trial.notes.join("; "))),
        _ => Ok(()),
    }
}

/// A record as messages name it.
fn named(record: &Record) -> String {
    let what = record.facets.get(&"event".into()).map(|event| &event["what"]);
    match what.and_then(|what| what.as_str().or_else(|| what.as_object()?.keys().next().map(String::as_str))) {
        Some(what) => format!("a {} `{what}`", record.kind),
        None => format!("a {}", record.kind),
    }
}

/// What is sent about orders, about real ones: each event that is declared, or a shipment.
async fn of_orders(trial: &Trial<'_>, kind: Kind, writing: &Writing) -> Result<Vec<Record>, End> {
    let about = matches!(kind, Kind::OrderEvent | Kind::Shipment);
    if !about || trial.bench.description().reading(Kind::Order).is_none() || !trial.hand(Kind::Order).make {
        return Ok(Vec::new());
    }
    let count = if kind == Kind::OrderEvent { writing.events.len().max(1) } else { 1 };
    let mut records = Vec::new();
    for (at, order) in made(trial, Kind::Order, count).await?.into_iter().enumerate() {
        let (Some(remote), Some(mut record)) = (order.remote, generic(trial, kind, writing)) else { continue };
        let number = order.keys.first().map_or_else(|| remote.id.clone(), |key| key.value.clone());
        record.of = Some(Link { id: Some(remote.id.clone()), key: number });
        if kind == Kind::OrderEvent {
            record.remote = Some(remote);
            let what = happening(writing.events.get(at).copied(), &trial.bench.unique());
            record.facets.insert("event".into(), json!({"at": jiff::Timestamp::now().to_string(), "what": what}));
        }
        records.push(record);
    }
    Ok(records)
}

/// A record of the platform, changed; or, where only creating is declared, made new.
pub(super) async fn record(trial: &Trial<'_>, kind: Kind, writing: &Writing) -> Result<Option<Record>, End> {
    let samples = &trial.bench.scenario.records;
    if let Some(sample) = samples.iter().find(|sample| sample.kind == kind) {
        return Ok(Some(Record { item: trial.bench.item(), ..sample.clone() }));
    }
    if trial.bench.description().reading(kind).is_none() || !trial.hand(kind).make {
        return Ok(None);
    }
    let read = made(trial, kind, 1).await?;
    let Some(read) = read.first() else { return Ok(None) };
    let (item, unique) = (trial.bench.item(), trial.bench.unique());
    if !writing.update {
        return Ok(Some(sample::create(read, writing, item, &unique)));
    }
    let mut record = sample::update(read, writing, item);
    sample::touch(&mut record, &unique);
    Ok(Some(record))
}

/// Makes records on the platform and reads them.
pub(super) async fn made(trial: &Trial<'_>, kind: Kind, count: usize) -> Result<Vec<Record>, End> {
    let made = trial.control()?.make(kind, count).await?;
    let scan = trial.platform()?.scan(kind, &everything(), 1000).await;
    let mut records = scan.expected(&format!("reading the kind `{kind}`"))?.records;
    records.retain(|record| record.remote.as_ref().is_some_and(|remote| made.contains(&remote.id)));
    if records.len() < count {
        return broken(format!(
            "{count} {kind} records were made on the platform, {} of them were read",
            records.len()
        ));
    }
    Ok(records)
}

/// A record that nobody made, for kinds that are only written.
fn generic(trial: &Trial<'_>, kind: Kind, writing: &Writing) -> Option<Record> {
    let unique = trial.bench.unique();
    let email = format!("conformance-{}@example.com", unique.to_lowercase());
    let head = json!({"email": email, "first_name": "Ada", "last_name": "Lovelace", "guest": true, "active": true});
    let address = json!({"last_name": "Lovelace", "lines": ["Ringweg 1"], "postcode": "10115", "city": "Berlin", "country": "DE"});
    let mut record = Record {
        kind,
        op: Op::Create,
        item: trial.bench.item(),
        marker: None,
        remote: None,
        of: None,
        keys: Vec::new(),
        facets: tradepost::model::Facets::new(),
        variants: Vec::new(),
        parts: Vec::new(),
        updated: None,
        as_of: None,
    };
    match kind {
        Kind::Customer => {
            record.facets.insert("head".into(), head);
            record.facets.insert("addresses".into(), json!([address]));
        }
        Kind::OrderEvent => {
            // Of an order that is not there: the platform says so.
            record.op = Op::Apply;
            record.remote = Some(RemoteRef::new("999999999"));
            record.of = Some(Link { id: Some("999999999".into()), key: "none".into() });
            let what = happening(writing.events.first().copied(), &unique);
            record.facets.insert("event".into(), json!({"at": "2026-01-01T00:00:00Z", "what": what}));
        }
        Kind::Shipment => {
            record.of = Some(Link { id: Some("999999999".into()), key: "none".into() });
            let parcel = json!({"number": 1, "carrier": "DHL", "tracking": "00340434", "lines": []});
            record.facets.insert(
                "shipment".into(),
                json!({"shipped": "2026-01-01T00:00:00Z", "parcels": [parcel], "completes": true}),
            );
        }
        _ => return None,
    }
    Some(record)
}

/// Something of this kind that happens to an order; where no kind is declared, it is completed.
fn happening(kind: Option<OrderHappening>, unique: &str) -> Happening {
    match kind {
        Some(OrderHappening::Paid) => Happening::Paid(Payment {
            id: None,
            method: "card".into(),
            state: PaymentState::Paid,
            amount: Decimal::TEN,
            transaction: Some(format!("t-{unique}")),
            at: None,
        }),
        Some(OrderHappening::Cancelled) => Happening::Cancelled { lines: Vec::new(), reason: None },
        Some(OrderHappening::Refunded) => {
            Happening::Refunded { amount: Decimal::TEN, lines: Vec::new(), restock: false, reason: None }
        }
        Some(OrderHappening::Numbered) => Happening::Numbered(format!("C-{unique}")),
        Some(OrderHappening::Placed | OrderHappening::Completed) | None => Happening::Completed,
    }
}

/// Whether an error is the connector's own defect.
pub(super) fn defect(error: &CallError) -> bool {
    crash(error).is_some() || matches!(error, CallError::Remote(RemoteError::Bug(_)))
}
