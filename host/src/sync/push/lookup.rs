//! Looking for what might be there before it is made.

use super::settle::Context;
use super::{End, Push, PushError};
use crate::ledger::attention::{Attention, Choice, NewAttention};
use crate::ledger::intent::{Intent, IntentState};
use crate::ledger::link::{LinkState, MAIN, MadeBy};
use crate::ledger::wait::Waiting;
use crate::ledger::{LedgerError, Tx};
use crate::model::{
    CallError, FacetKey, Found, IntentId, KeyType, Kind, Op, Probe, RecordKind, RemoteError, RemoteRef, Written,
};

/// Probes of one call.
const PROBES: usize = 50;

/// What a lookup came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    /// Nothing is there.
    Absent,
    /// It is there, and the intent has ended.
    Settled,
    /// It was begun: the intent goes on as `resume`.
    Begun,
    /// A person has to say which.
    Asked,
}

impl Push {
    /// Looks for the creates that might be there. Returns those to be sent, and how many came to an end.
    pub(super) async fn look_up(
        &mut self,
        kind: Kind,
        due: Vec<Intent>,
    ) -> Result<Result<(Vec<Intent>, usize), End>, PushError> {
        if self.connector.description().ability(kind).is_none_or(|ability| ability.lookup_lag.is_none()) {
            return Ok(Ok((due, 0)));
        }
        let platform = self.platform;
        let always = self
            .ledger
            .read(move |view| {
                let rk = if kind == Kind::Shipment { RecordKind::Shipment } else { kind.record_kind() };
                Ok::<_, LedgerError>(view.platform(platform)?.policy.looks_up(rk))
            })
            .await?;
        let asks = |intent: &Intent| match intent.op {
            Op::Create | Op::CreateDone => always || intent.uncertain,
            Op::Apply => intent.uncertain,
            Op::Resume | Op::Update | Op::Delete | Op::Read => false,
        };
        let (ask, mut send): (Vec<_>, Vec<_>) = due.into_iter().partition(asks);
        let mut ended = 0;
        for chunk in ask.chunks(PROBES) {
            let found = match self.find(kind, chunk).await? {
                Ok(found) => found,
                Err(end) => return Ok(Err(end)),
            };
            let context = self.context();
            let pairs: Vec<(IntentId, Vec<Found>)> = chunk.iter().map(|intent| intent.id).zip(found).collect();
            let looked = self
                .ledger
                .write(move |tx| {
                    let adopt = |(id, found): (IntentId, Vec<Found>)| {
                        let intent = tx.intent(id)?;
                        // A pull may have taken it back while the platform was asked.
                        if !matches!(intent.state, IntentState::Planned | IntentState::Retry) {
                            return Ok((Looked::Settled, intent));
                        }
                        let looked = context.adopt(tx, &intent, &found)?;
                        Ok((looked, tx.intent(id)?))
                    };
                    pairs.into_iter().map(adopt).collect::<Result<Vec<_>, LedgerError>>()
                })
                .await?;
            for (looked, intent) in looked {
                match looked {
                    Looked::Absent | Looked::Begun => send.push(intent),
                    Looked::Settled => ended += 1,
                    Looked::Asked => self.issues = true,
                }
            }
        }
        send.sort_by_key(|intent| intent.id);
        Ok(Ok((send, ended)))
    }

    /// Asks the platform. `Err` ends the run: without an answer nothing is created.
    pub(crate) async fn find(&self, kind: Kind, intents: &[Intent]) -> Result<Result<Vec<Vec<Found>>, End>, PushError> {
        let probes: Vec<Probe> = intents.iter().map(probe).collect();
        let called = self.connector.find(kind, probes).await;
        let platform = self.platform;
        let storage = called.storage;
        if !storage.is_empty() {
            self.ledger.write(move |tx| tx.store(platform, &storage)).await?;
        }
        drop(called.turn);
        let end = match called.result {
            Ok(found) if found.len() == intents.len() => return Ok(Ok(found)),
            Ok(found) => End::Failed(format!(
                "the connector answered {} of {} lookups; nothing was sent",
                found.len(),
                intents.len()
            )),
            Err(CallError::Remote(RemoteError::Auth(words))) => {
                let context = self.context();
                self.ledger.write(move |tx| context.pause(tx, &words)).await?;
                End::Paused
            }
            Err(CallError::Remote(RemoteError::Throttled(seconds))) => {
                End::Resting(self.context().in_seconds(i64::from(seconds)))
            }
            Err(error) => End::Failed(format!("the lookup before a create failed, nothing was sent: {error}")),
        };
        Ok(Err(end))
    }
}

/// What to look for.
pub(crate) fn probe(intent: &Intent) -> Probe {
    let mut keys: Vec<(String, String)> = Vec::new();
    for key in &intent.body.keys {
        let name = match key.kind {
            KeyType::Sku => "sku",
            KeyType::Ean => "ean",
            KeyType::Number | KeyType::OrderNumber => "number",
            KeyType::Email => "email",
            KeyType::Category => "category",
        };
        keys.push((name.into(), key.value.clone()));
    }
    let facet = |name: &str| intent.body.facets.get(&FacetKey::from(name));
    if let Some(number) = facet("placed").and_then(|placed| placed["number"].as_str()) {
        keys.push(("number".into(), number.into()));
    }
    let parcels = facet("shipment").and_then(|shipment| shipment["parcels"].as_array());
    for parcel in parcels.into_iter().flatten() {
        if let Some(tracking) = parcel["tracking"].as_str() {
            keys.push(("tracking".into(), tracking.into()));
        }
    }
    if let Some(event) = facet("event") {
        keys.push(("event".into(), event["what"].to_string()));
    }
    let of = match intent.kind {
        Kind::OrderEvent => intent.body.remote.clone(),
        Kind::Shipment => intent.body.of.as_ref().and_then(|of| of.id.clone()).map(RemoteRef::new),
        _ => None,
    };
    Probe { item: intent.idem_key.clone(), marker: intent.marker.clone(), of, keys }
}

impl Context {
    /// Takes what a lookup found for what was to be made.
    pub(crate) fn adopt(&self, tx: &Tx<'_>, intent: &Intent, found: &[Found]) -> Result<Looked, LedgerError> {
        let kind = if intent.kind == Kind::Shipment { RecordKind::Shipment } else { intent.kind.record_kind() };
        let mut hits: Vec<&Found> = Vec::new();
        for hit in found {
            if !tx.is_never_match(self.platform, kind, &hit.remote.id, intent.record)?
                && !hits.iter().any(|other| other.remote.id == hit.remote.id)
            {
                hits.push(hit);
            }
        }
        let marked = |hit: &&&Found| intent.marker.is_some() && hit.marker == intent.marker;
        let ours: Vec<&Found> = hits.iter().filter(marked).copied().collect();
        // What was reported while it was made is it, whatever else bears its key.
        let reported = hits.iter().find(|hit| intent.remote_id.as_deref() == Some(hit.remote.id.as_str()));
        let hit = match (reported, &ours[..], &hits[..]) {
            (Some(hit), _, _) => *hit,
            (None, [hit], _) | (None, [], [hit]) => *hit,
            (None, [], []) => return Ok(Looked::Absent),
            (None, _, _) => {
                return self.ask_which(tx, intent, &hits, "several objects there could be it").map(|()| Looked::Asked);
            }
        };
        let made_by = if hit.marker.is_some() && hit.marker == intent.marker || intent.remote_id.is_some() {
            MadeBy::Created
        } else {
            MadeBy::Adopted
        };
        if intent.op == Op::Apply {
            self.take(tx, intent, hit, made_by)?;
            return Ok(Looked::Settled);
        }
        if let Some(link) = tx.link_by_remote(self.platform, kind, &hit.remote.id)?
            && link.state == LinkState::Live
            && link.record.is_some_and(|record| record != intent.record)
        {
            let why = "the object there belongs to another record";
            return self.ask_which(tx, intent, &[hit], why).map(|()| Looked::Asked);
        }
        if !hit.whole {
            tx.turn_intent(intent.id, Op::Resume, Some(&hit.remote), &hit.parts)?;
            return Ok(Looked::Begun);
        }
        if intent.kind.is_event() || made_by == MadeBy::Created || intent.op == Op::Resume {
            self.take(tx, intent, hit, made_by)?;
            return Ok(Looked::Settled);
        }
        // Somebody made it before us: it is linked, and what differs is written as an update.
        let written =
            Written { remote: hit.remote.clone(), parts: hit.parts.clone(), total: None, warnings: Vec::new() };
        let mut bare = intent.clone();
        bare.revs.facets.clear();
        bare.revs.variants.clear();
        bare.revs.planned = crate::model::Rev(0);
        self.done(tx, &bare, &written, made_by)?;
        tx.set_intent(intent.id, IntentState::Superseded, Some("it was there already and is linked"), None)?;
        Ok(Looked::Settled)
    }

    fn take(&self, tx: &Tx<'_>, intent: &Intent, hit: &Found, made_by: MadeBy) -> Result<(), LedgerError> {
        let written =
            Written { remote: hit.remote.clone(), parts: hit.parts.clone(), total: None, warnings: Vec::new() };
        self.done(tx, intent, &written, made_by).map(drop)
    }

    /// Lets the write wait for a person who says which object it is, or that it is none of them.
    fn ask_which(&self, tx: &Tx<'_>, intent: &Intent, hits: &[&Found], why: &str) -> Result<(), LedgerError> {
        let cause = format!("which:{}", intent.id);
        tx.wait_for(Waiting::Intent, &intent.id.to_string(), &cause)?;
        tx.set_intent(intent.id, IntentState::Waiting, Some(why), None)?;
        let name = crate::sync::plan::name_of(tx, intent.record)?;
        let mut choices: Vec<Choice> = hits
            .iter()
            .map(|hit| Choice::new(format!("it:{}", hit.remote.id), format!("It is {}", hit.remote.id)))
            .collect();
        choices.push(Choice::new("none", "It is none of them: create it"));
        tx.attend(
            &NewAttention {
                cause_key: cause,
                platform: Some(self.platform),
                kind: Some(intent.kind),
                record: Some(intent.record),
                title: format!("{} {name} is not created: {why}.", intent.kind),
                hint: "Look at the objects on the platform and say which one it is.".into(),
                choices,
                data: serde_json::json!({"intent": intent.id.0}),
                ..NewAttention::default()
            },
            self.run,
        )?;
        Ok(())
    }
}

/// A person says which object a waiting write is: one of those found, or none.
///
/// # Errors
/// [`LedgerError::Conflict`] when the object belongs to another record, or the write does not wait for this.
pub fn answer_which(tx: &Tx<'_>, asked: &Attention, answer: &str, now: jiff::Timestamp) -> Result<(), LedgerError> {
    let id = IntentId(asked.data["intent"].as_i64().unwrap_or_default());
    let intent = tx.intent(id)?;
    let kind = if intent.kind == Kind::Shipment { RecordKind::Shipment } else { intent.kind.record_kind() };
    if intent.state != IntentState::Waiting {
        return Err(LedgerError::Conflict { message: format!("intent {id} is {} and waits for nobody", intent.state) });
    }
    tx.wake(&format!("which:{id}"))?;
    let Some(remote_id) = answer.strip_prefix("it:") else {
        // The person looked: when these are found again, they are not it.
        for other in asked.choices.iter().filter_map(|choice| choice.name.strip_prefix("it:")) {
            tx.never_match(intent.platform, kind, other, intent.record)?;
        }
        return tx.set_intent(id, IntentState::Planned, None, None);
    };
    if let Some(link) = tx.link_by_remote(intent.platform, kind, remote_id)?
        && link.state == LinkState::Live
        && link.record.is_some_and(|record| record != intent.record)
    {
        return Err(LedgerError::Conflict {
            message: format!("{kind} {remote_id} belongs to another record; merge the two records instead"),
        });
    }
    let context = Context { platform: intent.platform, run: intent.run, now };
    let written = Written { remote: RemoteRef::new(remote_id), parts: Vec::new(), total: None, warnings: Vec::new() };
    context.done(tx, &intent, &written, MadeBy::Hand)?;
    if intent.event.is_none() {
        // What it really looks like is not known: everything is written once more.
        if let Some(link) = tx.link_of(intent.platform, kind, intent.record, MAIN)? {
            let mut facets = link.facets;
            for facet in facets.values_mut() {
                facet.sent_hash = None;
            }
            tx.set_link_facets(link.id, &facets, None)?;
        }
        tx.want(intent.platform, intent.kind, intent.record, "", crate::ledger::want::WantReason::Hand, None)?;
    }
    Ok(())
}
