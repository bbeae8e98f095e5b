//! Whose object is this? By link, by our marker, by an open create of ours, by natural key, else new or ignored.

use super::commit::Commit;
use crate::ledger::LedgerError;
use crate::ledger::event::{DeliveryState, EventName};
use crate::ledger::intent::{Intent, IntentState};
use crate::ledger::link::{LinkState, MAIN, StoredLink};
use crate::ledger::record::RecordState;
use crate::model::{Key, KeyType, Kind, LinkId, Op, RecordId, RecordKind, RemoteRef};

/// The answer.
#[derive(Debug)]
pub(super) enum Matched {
    /// It is linked.
    Linked(StoredLink),
    /// It carries our marker: we made it.
    Own {
        /// What it is.
        record: RecordId,
        /// The write that made it, if the ledger knows.
        intent: Option<Box<Intent>>,
    },
    /// Exactly one record has its key and no other object there.
    Key(RecordId),
    /// Nobody knows it, and this platform may make new records.
    New,
    /// Nobody knows it, and it is not imported.
    Ignored {
        /// Why.
        reason: String,
    },
    /// A person has to say.
    Ambiguous {
        /// Why.
        reason: String,
        /// What it may be.
        candidates: Vec<RecordId>,
    },
}

impl Commit<'_, '_> {
    /// Whose object it is.
    pub(super) fn find_record(
        &self,
        kind: RecordKind,
        remote: &RemoteRef,
        marker: Option<&str>,
        keys: &[Key],
    ) -> Result<Matched, LedgerError> {
        if let Some(link) = self.tx.link_by_remote(self.me.id, kind, &remote.id)?
            && link.record.is_some()
            && link.state != LinkState::Removed
        {
            return Ok(Matched::Linked(link));
        }
        if let Some(own) = self.by_marker(kind, remote, marker)? {
            return Ok(own);
        }
        if let Some(found) = self.by_key(kind, remote, keys)? {
            return Ok(found);
        }
        Ok(self.stranger(kind))
    }

    /// What becomes of an object that nobody knows.
    pub(super) fn stranger(&self, kind: RecordKind) -> Matched {
        let creates = &self.me.policy.creates;
        let may = creates.contains(&kind) || (kind == RecordKind::Variant && creates.contains(&RecordKind::Product));
        if may {
            Matched::New
        } else {
            Matched::Ignored { reason: format!("{} makes no new records of the kind {kind}", self.me.code) }
        }
    }

    fn by_marker(
        &self,
        kind: RecordKind,
        remote: &RemoteRef,
        marker: Option<&str>,
    ) -> Result<Option<Matched>, LedgerError> {
        let Some(marker) = marker.filter(|marker| !marker.is_empty()) else { return Ok(None) };
        let mut intents = self.tx.creates_by_marker(self.me.id, marker)?;
        intents.retain(|intent| intent.kind != Kind::Shipment && intent.kind.record_kind() == kind);
        let (record, intent) = match intents.pop() {
            Some(intent) => (Some(intent.record), Some(Box::new(intent))),
            None => (self.named_by(kind, marker)?, None),
        };
        let Some(record) = record else { return Ok(None) };
        Ok(Some(match self.taken(kind, remote, record)? {
            Some(other) => Matched::Ambiguous {
                reason: format!(
                    "it carries our marker of record {record}, which is {} there already: it may be there twice",
                    other.remote.id
                ),
                candidates: vec![record],
            },
            None => Matched::Own { record, intent },
        }))
    }

    /// The record that a marker names when no write is known for it, as after a restore.
    fn named_by(&self, kind: RecordKind, marker: &str) -> Result<Option<RecordId>, LedgerError> {
        let instance = self.tx.instance()?.instance_id;
        let mut parts = marker.split('/');
        if parts.next() == Some(instance.as_str())
            && let Some(Ok(number)) = parts.nth(1).map(str::parse)
        {
            return match self.tx.record(RecordId(number)) {
                Ok(found) if found.kind == kind && found.state == RecordState::Active => Ok(Some(found.id)),
                Ok(_) | Err(LedgerError::Missing { .. }) => Ok(None),
                Err(error) => Err(error),
            };
        }
        if kind != RecordKind::Order {
            return Ok(None);
        }
        let mut hits = Vec::new();
        for platform in &self.platforms {
            if let Some(number) = marker.strip_prefix(platform.code.as_str()).and_then(|rest| rest.strip_prefix('-')) {
                hits.extend(self.numbered(platform.code.as_str(), number)?);
            }
        }
        Ok(if let [hit] = hits[..] { Some(hit) } else { None })
    }

    /// Orders that a platform gave this number.
    pub(super) fn numbered(&self, code: &str, number: &str) -> Result<Vec<RecordId>, LedgerError> {
        let key = Key { kind: KeyType::OrderNumber, value: format!("{code}/{number}") };
        self.tx.records_by_key(RecordKind::Order, &key)
    }

    fn by_key(&self, kind: RecordKind, remote: &RemoteRef, keys: &[Key]) -> Result<Option<Matched>, LedgerError> {
        let rule = self.me.policy.matching.get(&kind).copied().or(match kind {
            RecordKind::Variant => Some(KeyType::Sku),
            RecordKind::Category => Some(KeyType::Category),
            RecordKind::Customer => Some(KeyType::Email),
            RecordKind::Product | RecordKind::Order | RecordKind::Shipment => None,
        });
        let Some(rule) = rule else { return Ok(None) };
        let mut hits = Vec::new();
        for key in keys.iter().filter(|key| key.kind == rule && !key.value.is_empty()) {
            hits.extend(self.tx.records_by_key(kind, key)?);
        }
        let words = keys.iter().find(|key| key.kind == rule).map(|key| format!("{} `{}`", key.kind, key.value));
        self.one_of(kind, remote, hits, &words.unwrap_or_default())
    }

    /// The one hit that can be it.
    pub(super) fn one_of(
        &self,
        kind: RecordKind,
        remote: &RemoteRef,
        mut hits: Vec<RecordId>,
        words: &str,
    ) -> Result<Option<Matched>, LedgerError> {
        hits.sort_unstable();
        hits.dedup();
        let mut possible = Vec::new();
        for hit in hits {
            if !self.tx.is_never_match(self.me.id, kind, &remote.id, hit)? {
                possible.push(hit);
            }
        }
        Ok(match possible[..] {
            [] => None,
            [hit] => Some(match self.taken(kind, remote, hit)? {
                Some(other) => Matched::Ambiguous {
                    reason: format!("{words} belongs to record {hit}, which is {} there already", other.remote.id),
                    candidates: possible,
                },
                None => Matched::Key(hit),
            }),
            _ => Some(Matched::Ambiguous {
                reason: format!("{words} fits {} records", possible.len()),
                candidates: possible,
            }),
        })
    }

    /// Another object that stands for the record on this platform. One that is gone does not count.
    fn taken(&self, kind: RecordKind, remote: &RemoteRef, record: RecordId) -> Result<Option<StoredLink>, LedgerError> {
        let other = self.tx.link_of(self.me.id, kind, record, MAIN)?;
        Ok(other.filter(|link| link.remote.id != remote.id && link.state != LinkState::Gone))
    }

    /// A create of this record on this platform that is under way or without an answer.
    pub(super) fn open_create(&self, kind: RecordKind, record: RecordId) -> Result<Option<Intent>, LedgerError> {
        let open = |intent: &Intent| {
            intent.platform == self.me.id
                && intent.kind != Kind::Shipment
                && intent.kind.record_kind() == kind
                && matches!(intent.op, Op::Create | Op::CreateDone | Op::Resume)
                && matches!(intent.state, IntentState::Sending | IntentState::Unknown)
        };
        Ok(self.tx.intents_of(record)?.into_iter().find(open))
    }

    /// The object was made by a write of ours. One whose answer is still to come hears it from its own call; one without
    /// an answer is settled here, unless the connector can say whether the object is whole: then the lookup settles it,
    /// which knows the object from now on and never makes another.
    pub(super) fn own_child(&self, intent: &Intent, link: LinkId, remote: &RemoteRef) -> Result<(), LedgerError> {
        match intent.state {
            IntentState::Sending => self.tx.note_object(intent.id, remote, &[])?,
            IntentState::Unknown if self.finds => self.tx.note_object(intent.id, remote, &[])?,
            IntentState::Planned | IntentState::Retry | IntentState::Waiting => {
                self.tx.turn_intent(intent.id, Op::Resume, Some(remote), &[])?;
            }
            IntentState::Unknown => {
                self.tx.note_object(intent.id, remote, &[])?;
                self.tx.set_intent(intent.id, IntentState::Done, None, None)?;
                self.tx.note_sent(link, &intent.revs.facets, intent.revs.rules)?;
                if let Some(event) = intent.event {
                    self.tx.set_delivery(event, self.me.id, DeliveryState::Done, None)?;
                    if self.tx.event(event)?.name == EventName::Placed {
                        self.tx.accept_reservations(intent.record, self.read_at)?;
                    }
                }
            }
            IntentState::Done
            | IntentState::Refused
            | IntentState::Superseded
            | IntentState::Cancelled
            | IntentState::Dismissed => {}
        }
        Ok(())
    }
}
