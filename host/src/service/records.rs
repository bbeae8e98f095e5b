//! Records for people: finding them, their links, everything that happened to them, and corrections by hand.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Service, ServiceError};
use crate::ledger::link::{LinkState, MAIN, MadeBy, NewLink, StoredLink};
use crate::ledger::record::StoredRecord;
use crate::ledger::want::WantReason;
use crate::ledger::{LedgerError, View};
use crate::model::{FacetKey, Kind, PlatformId, RecordId, RecordKind, RemoteRef};

/// A record in a list or alone.
#[derive(Debug, Clone, Serialize)]
pub struct RecordView {
    /// Number.
    pub id: i64,
    /// Kind.
    pub kind: RecordKind,
    /// active, deleted, merged.
    pub state: String,
    /// Platform that it came from.
    pub origin: Option<String>,
    /// Natural keys as `type value`.
    pub keys: Vec<String>,
    /// Of a variant: its product.
    pub product: Option<i64>,
    /// Objects on platforms.
    pub links: Vec<LinkView>,
    /// Facets: body, platform that said so, when a figure was taken.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facets: BTreeMap<String, FacetView>,
}

/// A facet.
#[derive(Debug, Clone, Serialize)]
pub struct FacetView {
    /// Body.
    pub body: Value,
    /// Platform that said so; absent: a person.
    pub from: Option<String>,
    /// Position in the ledger's order.
    pub rev: i64,
    /// When the figure was taken.
    pub as_of: Option<Timestamp>,
}

/// An object on a platform.
#[derive(Debug, Clone, Serialize)]
pub struct LinkView {
    /// Platform.
    pub platform: String,
    /// Kind of the object.
    pub kind: RecordKind,
    /// The object's id.
    pub remote: String,
    /// live, gone, ignored, removed.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// pulled, created, matched, adopted, hand.
    pub made_by: String,
}

/// Something that happened to a record.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryLine {
    /// When.
    pub at: Timestamp,
    /// Run, if one did it.
    pub run: Option<i64>,
    /// Platform.
    pub platform: Option<String>,
    /// pull, push, hub ...
    pub by: String,
    /// What.
    pub what: String,
    /// In words.
    pub detail: String,
}

impl Service {
    /// Records whose natural key or remote id begins with the text, newest first, without facets.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn find_records(
        &self,
        kind: Option<RecordKind>,
        text: String,
        limit: u32,
    ) -> Result<Vec<RecordView>, ServiceError> {
        Ok(self
            .ledger()
            .read(move |view| {
                let codes = codes(view)?;
                let found = view.search_records(kind, &text, limit)?;
                found.into_iter().map(|record| show(view, &codes, record, false)).collect::<Result<_, LedgerError>>()
            })
            .await?)
    }

    /// One record with its facets.
    ///
    /// # Errors
    /// There is none.
    pub async fn show_record(&self, id: i64) -> Result<RecordView, ServiceError> {
        Ok(self.ledger().read(move |view| show(view, &codes(view)?, view.record(RecordId(id))?, true)).await?)
    }

    /// Everything that happened to a record: runs that touched it, facets that changed, events, writes to platforms, in
    /// the order of time.
    ///
    /// # Errors
    /// There is none.
    pub async fn record_history(&self, id: i64) -> Result<Vec<HistoryLine>, ServiceError> {
        Ok(self.ledger().read(move |view| history(view, RecordId(id))).await?)
    }

    /// Has the record written to a platform again, even where nothing seems to differ.
    ///
    /// # Errors
    /// There is none, or its kind is not pushed there.
    pub async fn push_record(&self, id: i64, platform: &str) -> Result<(), ServiceError> {
        let platform = self.platform(platform).await?;
        self.ledger()
            .write(move |tx| {
                let record = tx.record(RecordId(id))?;
                let kinds: Vec<Kind> = platform
                    .policy
                    .pushes
                    .iter()
                    .copied()
                    .filter(|kind| !kind.is_event() && kind.record_kind() == record.kind)
                    .collect();
                let (kinds, target) = match (record.kind, record.product) {
                    (RecordKind::Variant, Some(product)) if platform.policy.pushes.contains(&Kind::Product) => {
                        tx.want(platform.id, Kind::Product, product, "", WantReason::Hand, None)?;
                        (kinds, record.id)
                    }
                    _ => (kinds, record.id),
                };
                if kinds.is_empty() && record.kind != RecordKind::Variant {
                    return Err(LedgerError::Conflict {
                        message: format!("{} records are not pushed to `{}`", record.kind, platform.code),
                    });
                }
                for kind in kinds {
                    tx.want(platform.id, kind, target, "", WantReason::Hand, None)?;
                }
                // What was sent is not trusted any more.
                if let Some(link) = tx.link_of(platform.id, record.kind, record.id, MAIN)? {
                    let mut facets = link.facets;
                    for facet in facets.values_mut() {
                        facet.sent_hash = None;
                    }
                    tx.set_link_facets(link.id, &facets, None)?;
                }
                tx.audit("operator", "record.push", &json!({"record": id, "platform": platform.code}))
            })
            .await?;
        Ok(())
    }

    /// Says that an object of a platform is this record.
    ///
    /// # Errors
    /// The object belongs to another record, or the record has an object there.
    pub async fn link_record(&self, id: i64, platform: &str, remote_id: String) -> Result<(), ServiceError> {
        let platform = self.platform(platform).await?;
        self.ledger()
            .write(move |tx| {
                let record = tx.record(RecordId(id))?;
                if let Some(other) = tx.link_by_remote(platform.id, record.kind, &remote_id)?
                    && other.state == LinkState::Live
                    && other.record.is_some_and(|other| other != record.id)
                {
                    return Err(LedgerError::Conflict {
                        message: format!(
                            "{} `{remote_id}` of `{}` belongs to record {}; unlink it there first, or merge the two",
                            record.kind,
                            platform.code,
                            other.record.map_or(0, |other| other.0)
                        ),
                    });
                }
                if let Some(own) = tx.link_of(platform.id, record.kind, record.id, MAIN)?
                    && own.remote.id != remote_id
                {
                    return Err(LedgerError::Conflict {
                        message: format!(
                            "record {id} is `{}` on `{}` already; unlink that first",
                            own.remote.id, platform.code
                        ),
                    });
                }
                let remote = RemoteRef::new(remote_id.clone());
                tx.add_link(&NewLink::live(platform.id, record.kind, record.id, remote, MadeBy::Hand))?;
                tx.audit(
                    "operator",
                    "record.link",
                    &json!({"record": id, "platform": platform.code, "remote": remote_id}),
                )
            })
            .await?;
        Ok(())
    }

    /// Says that the object that is linked on a platform is not this record; they are not matched again.
    ///
    /// # Errors
    /// There is no such link.
    pub async fn unlink_record(&self, id: i64, platform: &str) -> Result<(), ServiceError> {
        let platform = self.platform(platform).await?;
        self.ledger()
            .write(move |tx| {
                let record = tx.record(RecordId(id))?;
                let link = tx.link_of(platform.id, record.kind, record.id, MAIN)?.ok_or_else(|| {
                    LedgerError::Conflict { message: format!("record {id} has no object on `{}`", platform.code) }
                })?;
                tx.unlink(link.id, "unlinked by hand")?;
                tx.audit("operator", "record.unlink", &json!({"record": id, "platform": platform.code}))
            })
            .await?;
        Ok(())
    }

    /// Merges a record into another of its kind. Returns the objects whose platform has two of them now.
    ///
    /// # Errors
    /// They are of different kinds, or a write is under way.
    pub async fn merge_records(&self, survivor: i64, other: i64) -> Result<Vec<LinkView>, ServiceError> {
        Ok(self
            .ledger()
            .write(move |tx| {
                let colliding = tx.merge_records(RecordId(survivor), RecordId(other), None)?;
                tx.audit("operator", "record.merge", &json!({"survivor": survivor, "other": other}))?;
                let codes = codes(tx)?;
                colliding.into_iter().map(|id| Ok(link_view(&codes, &tx.link(id)?))).collect::<Result<_, LedgerError>>()
            })
            .await?)
    }
}

type Codes = HashMap<PlatformId, String>;

fn codes(view: &View<'_>) -> Result<Codes, LedgerError> {
    Ok(view.platforms()?.into_iter().map(|platform| (platform.id, platform.code.to_string())).collect())
}

fn show(view: &View<'_>, codes: &Codes, record: StoredRecord, facets: bool) -> Result<RecordView, LedgerError> {
    let keys = view.keys_of(record.id)?.into_iter().map(|key| format!("{} {}", key.kind, key.value)).collect();
    let links = view.links_of(record.id)?.iter().map(|link| link_view(codes, link)).collect();
    let facets = if facets {
        record
            .facets
            .into_iter()
            .map(|(key, facet)| {
                let from = facet.from.and_then(|from| codes.get(&from).cloned());
                (key.to_string(), FacetView { body: facet.body, from, rev: facet.rev.0, as_of: facet.as_of })
            })
            .collect()
    } else {
        BTreeMap::new()
    };
    Ok(RecordView {
        id: record.id.0,
        kind: record.kind,
        state: record.state.to_string(),
        origin: record.origin.and_then(|origin| codes.get(&origin).cloned()),
        keys,
        product: record.product.map(|product| product.0),
        links,
        facets,
    })
}

fn link_view(codes: &Codes, link: &StoredLink) -> LinkView {
    LinkView {
        platform: codes.get(&link.platform).cloned().unwrap_or_else(|| link.platform.to_string()),
        kind: link.kind,
        remote: link.remote.id.clone(),
        state: link.state.to_string(),
        reason: link.reason.clone(),
        made_by: link.made_by.to_string(),
    }
}

fn history(view: &View<'_>, id: RecordId) -> Result<Vec<HistoryLine>, LedgerError> {
    let codes = codes(view)?;
    let code = |platform: PlatformId| codes.get(&platform).cloned();
    view.record(id)?;
    let mut lines = Vec::new();
    for link in view.links_of(id)? {
        lines.push(HistoryLine {
            at: link.created_at,
            run: None,
            platform: code(link.platform),
            by: "hub".into(),
            what: "linked".into(),
            detail: format!("{} {} ({})", link.kind, link.remote.id, link.made_by),
        });
    }
    for change in view.facet_history(id)? {
        let verb = if change.body.is_some() { "set" } else { "taken away" };
        lines.push(HistoryLine {
            at: change.at,
            run: change.run.map(|run| run.0),
            platform: change.from.and_then(code),
            by: change.rule.to_string(),
            what: format!("facet {}", change.key),
            detail: format!(
                "{verb}: {}",
                change.body.as_ref().map(|body| summary(&change.key, body)).unwrap_or_default()
            ),
        });
    }
    for event in view.events_of(id)? {
        lines.push(HistoryLine {
            at: event.at,
            run: event.run.map(|run| run.0),
            platform: code(event.from),
            by: "event".into(),
            what: event.name.to_string(),
            detail: event.ext_key,
        });
    }
    for intent in view.intents_of(id)? {
        let object = intent.remote_id.map(|remote| format!(" as {remote}")).unwrap_or_default();
        let error = intent.error.map(|error| format!(": {error}")).unwrap_or_default();
        lines.push(HistoryLine {
            at: intent.sent_at.unwrap_or(intent.created_at),
            run: intent.run.map(|run| run.0),
            platform: code(intent.platform),
            by: "write".into(),
            what: format!("{} {}", intent.op, intent.kind),
            detail: format!("{}{object}, attempt {}{error}", intent.state, intent.attempts),
        });
    }
    let mut runs: HashMap<i64, (Option<String>, String)> = HashMap::new();
    for line in view.run_lines_of(id)? {
        let entry = match runs.entry(line.run.0) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => {
                let run = view.run(line.run)?;
                new.insert((code(run.platform), format!("{} {}", run.direction, run.kind)))
            }
        };
        lines.push(HistoryLine {
            at: line.at,
            run: Some(line.run.0),
            platform: entry.0.clone(),
            by: entry.1.clone(),
            what: line.item.what.to_string(),
            detail: line.item.detail.unwrap_or_default(),
        });
    }
    lines.sort_by_key(|line| line.at);
    Ok(lines)
}

/// A facet's body in one line.
fn summary(key: &FacetKey, body: &Value) -> String {
    let picked = match key.name() {
        "placed" => body.get("number").and_then(Value::as_str).map(|number| {
            let (total, currency) = (body["total"].as_str().unwrap_or("?"), body["currency"].as_str().unwrap_or(""));
            format!("order {number}, {total} {currency}")
        }),
        "texts" => body.get("name").and_then(Value::as_str).map(str::to_owned),
        "stock" => body.get("quantity").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    let text = picked.unwrap_or_else(|| body.to_string());
    if text.chars().count() > 120 { text.chars().take(117).chain("...".chars()).collect() } else { text }
}
