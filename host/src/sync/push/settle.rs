//! What an outcome does to the ledger: one transaction per item, so that a cut between two items loses neither.

use jiff::{SignedDuration, Timestamp};

use crate::ledger::attention::{Choice, NewAttention};
use crate::ledger::event::DeliveryState;
use crate::ledger::intent::{Intent, IntentState};
use crate::ledger::link::{LinkState, MAIN, MadeBy, NewLink};
use crate::ledger::platform::PlatformState;
use crate::ledger::run::{RunItem, What};
use crate::ledger::wait::Waiting;
use crate::ledger::want::{GOODS_LEFT, WantReason};
use crate::ledger::{LedgerError, Tx, View};
use crate::model::description::Removal;
use crate::model::policy::{OnDelete, OnGone};
use crate::model::sales::Placed;
use crate::model::{
    FacetKey, IntentId, Kind, LinkId, Op, Outcome, PartKind, PlatformId, RecordKind, RemoteError, RemoteRef, RunId,
    Written,
};
use crate::sync::projection::read;

/// What every transaction of a run needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) platform: PlatformId,
    pub(crate) run: Option<RunId>,
    pub(crate) now: Timestamp,
}

/// What an outcome means for the rest of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Go on.
    Fine,
    /// Something waits for a person or for later.
    Issue,
    /// Nobody knows, unless it turns out that nothing was sent.
    Unknown,
    /// The credentials are refused: stop.
    Auth,
    /// The platform wants to rest: stop.
    Throttled(u32),
    /// The platform is away: stop.
    Unavailable,
}

/// Seconds until a write is tried again after so many attempts: half a minute, doubled, at most an hour.
fn backoff(attempts: u32) -> i64 {
    (30_i64 << attempts.saturating_sub(1).min(10)).min(3_600)
}

/// Attempts after which a person is told.
const TELL_AFTER: u32 = 5;

impl Context {
    pub(crate) fn in_seconds(&self, seconds: i64) -> Timestamp {
        self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn line(
        &self,
        tx: &Tx<'_>,
        intent: &Intent,
        what: What,
        detail: Option<&str>,
    ) -> Result<(), LedgerError> {
        let Some(run) = self.run else { return Ok(()) };
        let item = RunItem {
            record: Some(intent.record),
            remote: intent.remote_id.clone().or_else(|| intent.body.remote.as_ref().map(|remote| remote.id.clone())),
            what,
            detail: detail.map(ToOwned::to_owned),
        };
        tx.write_run_lines(run, &[item])
    }

    fn attend(&self, tx: &Tx<'_>, intent: &Intent, attention: NewAttention) -> Result<(), LedgerError> {
        let attention = NewAttention {
            platform: Some(self.platform),
            kind: Some(intent.kind),
            record: attention.record.or(Some(intent.record)),
            ..attention
        };
        tx.attend(&attention, self.run)?;
        Ok(())
    }

    /// Notes what the connector says of an item that is being sent. What was settled already stays.
    pub(crate) fn outcome(&self, tx: &Tx<'_>, id: IntentId, outcome: &Outcome) -> Result<Heard, LedgerError> {
        let intent = tx.intent(id)?;
        if intent.state != IntentState::Sending {
            return Ok(Heard::Fine);
        }
        match outcome {
            Outcome::Partial(written) => {
                tx.note_object(id, &written.remote, &written.parts)?;
                Ok(Heard::Fine)
            }
            Outcome::Done(written) => self.done(tx, &intent, written, MadeBy::Created),
            Outcome::Unchanged(remote) => {
                let written = Written { remote: remote.clone(), parts: Vec::new(), total: None, warnings: Vec::new() };
                self.done(tx, &intent, &written, MadeBy::Created)
            }
            Outcome::Later(seconds) => {
                tx.uncount_attempt(id)?;
                tx.set_intent(id, IntentState::Retry, None, Some(self.in_seconds(i64::from(*seconds))))?;
                self.line(tx, &intent, What::Waiting, Some("the connector asks to try later"))?;
                Ok(Heard::Issue)
            }
            Outcome::Failed(error) => self.failed(tx, &intent, error),
        }
    }

    /// The platform has it.
    pub(crate) fn done(
        &self,
        tx: &Tx<'_>,
        intent: &Intent,
        written: &Written,
        made_by: MadeBy,
    ) -> Result<Heard, LedgerError> {
        let mut heard = Heard::Fine;
        match intent.op {
            Op::Delete => self.removed(tx, intent)?,
            Op::Create | Op::CreateDone | Op::Resume => {
                tx.note_object(intent.id, &written.remote, &written.parts)?;
                match self.link(tx, intent, written, made_by) {
                    Ok(link) => self.sent(tx, intent, link, written)?,
                    Err(LedgerError::Conflict { message }) => {
                        heard = Heard::Issue;
                        self.attend(
                            tx,
                            intent,
                            NewAttention {
                                cause_key: format!("collision:{}", intent.id),
                                title: format!("An object was written, but cannot be linked: {message}."),
                                hint: "Look at both records: merge them, or unlink the wrong one and link this object."
                                    .into(),
                                data: serde_json::json!({"intent": intent.id.0, "remote": written.remote.id}),
                                ..NewAttention::default()
                            },
                        )?;
                    }
                    Err(error) => return Err(error),
                }
            }
            Op::Update | Op::Apply | Op::Read => {
                let kind = if matches!(intent.kind, Kind::OrderEvent | Kind::Shipment) {
                    RecordKind::Order
                } else {
                    intent.kind.record_kind()
                };
                if let Some(link) = tx.link_of(self.platform, kind, intent.record, MAIN)? {
                    self.sent(tx, intent, link.id, written)?;
                }
            }
        }
        tx.set_intent(intent.id, IntentState::Done, None, None)?;
        if let Some(event) = intent.event {
            tx.set_delivery(event, self.platform, DeliveryState::Done, None)?;
        } else {
            tx.satisfy(self.platform, intent.kind, intent.record, intent.revs.planned, self.now)?;
        }
        if intent.kind == Kind::Shipment {
            for reservation in tx.reservations_of(intent.record)? {
                tx.want(self.platform, Kind::Stock, reservation.variant, GOODS_LEFT, WantReason::Data, None)?;
            }
        }
        if intent.kind == Kind::Order {
            heard = if self.compare_total(tx, intent, written)? { heard } else { Heard::Issue };
            if self.owns_stock(tx)? {
                tx.accept_reservations(intent.record, self.now)?;
            }
        }
        for cause in ["refused", "unknown", "failing"] {
            tx.solve_attention(&format!("{cause}:{}", intent.id))?;
        }
        let what = match intent.op {
            Op::Create | Op::CreateDone | Op::Resume => What::Created,
            Op::Update | Op::Read => What::Updated,
            Op::Delete => What::Deleted,
            Op::Apply => What::Event,
        };
        let warnings: Vec<&str> = written.warnings.iter().map(|issue| issue.message.as_str()).collect();
        let keys: Vec<&str> = intent.revs.facets.keys().map(FacetKey::as_str).collect();
        let detail = if warnings.is_empty() { keys.join(", ") } else { format!("warnings: {}", warnings.join("; ")) };
        let intent = tx.intent(intent.id)?;
        self.line(tx, &intent, what, Some(detail.as_str()).filter(|detail| !detail.is_empty()))?;
        Ok(heard)
    }

    fn link(&self, tx: &Tx<'_>, intent: &Intent, written: &Written, made_by: MadeBy) -> Result<LinkId, LedgerError> {
        let kind = if intent.kind == Kind::Shipment { RecordKind::Shipment } else { intent.kind.record_kind() };
        let slot = match intent.event {
            Some(event) if kind == RecordKind::Shipment => tx.event(event)?.ext_key,
            _ => MAIN.to_owned(),
        };
        self.clear_slot(tx, kind, intent.record, &slot, &written.remote.id)?;
        tx.add_link(&NewLink {
            slot,
            run: self.run,
            ..NewLink::live(self.platform, kind, intent.record, written.remote.clone(), made_by)
        })
    }

    /// A link whose object is gone makes room for the one that was made instead.
    fn clear_slot(
        &self,
        tx: &Tx<'_>,
        kind: RecordKind,
        record: crate::model::RecordId,
        slot: &str,
        remote_id: &str,
    ) -> Result<(), LedgerError> {
        if let Some(before) = tx.link_of(self.platform, kind, record, slot)?
            && before.state == LinkState::Gone
            && before.remote.id != remote_id
        {
            tx.set_link_state(before.id, LinkState::Removed, Some("its object was gone and made again"))?;
        }
        Ok(())
    }

    /// Notes what was sent, not what is there by now, and the parts with ids of their own.
    fn sent(&self, tx: &Tx<'_>, intent: &Intent, link: LinkId, written: &Written) -> Result<(), LedgerError> {
        let revs = &intent.revs;
        if matches!(intent.kind, Kind::Category | Kind::Product | Kind::Customer | Kind::Order) {
            let facets = tx.link(link)?.facets;
            tx.set_link_facets(link, &facets, Some(&written.remote))?;
        }
        if !revs.facets.is_empty() {
            tx.note_sent(link, &revs.facets, revs.rules)?;
        }
        tx.set_parts(link, &written.parts)?;
        if intent.kind != Kind::Product {
            return Ok(());
        }
        let variants = tx.variants_of(intent.record)?;
        for part in written.parts.iter().filter(|part| part.kind == PartKind::Variant) {
            let sku = |variant: &&crate::ledger::record::StoredRecord| {
                variant.facets.get(&FacetKey::head()).is_some_and(|head| head.body["sku"] == part.key)
            };
            let Some(variant) = variants.iter().find(sku) else { continue };
            let remote = RemoteRef { id: part.id.clone(), parent: Some(written.remote.id.clone()), version: None };
            self.clear_slot(tx, RecordKind::Variant, variant.id, MAIN, &part.id)?;
            let new = NewLink {
                run: self.run,
                ..NewLink::live(self.platform, RecordKind::Variant, variant.id, remote, MadeBy::Created)
            };
            match tx.add_link(&new) {
                Ok(_) => {}
                Err(LedgerError::Conflict { message }) => {
                    self.attend(
                        tx,
                        intent,
                        NewAttention {
                            cause_key: format!("collision:{}:{}", intent.id, part.key),
                            title: format!("Variant {} was written, but cannot be linked: {message}.", part.key),
                            hint: "Look at both records: merge them, or unlink the wrong one and link this object."
                                .into(),
                            record: Some(variant.id),
                            ..NewAttention::default()
                        },
                    )?;
                }
                Err(error) => return Err(error),
            }
        }
        for (variant, sent) in &revs.variants {
            if let Some(link) = tx.link_of(self.platform, RecordKind::Variant, *variant, MAIN)? {
                tx.note_sent(link.id, sent, revs.rules)?;
            }
        }
        Ok(())
    }

    fn removed(&self, tx: &Tx<'_>, intent: &Intent) -> Result<(), LedgerError> {
        let kind = intent.kind.record_kind();
        let Some(link) = tx.link_of(self.platform, kind, intent.record, MAIN)? else { return Ok(()) };
        if removal_of(tx, self.platform)? == Removal::Delete {
            tx.set_link_state(link.id, LinkState::Gone, Some("taken away, as its owner did"))?;
            if kind == RecordKind::Product {
                for variant in tx.variants_of(intent.record)? {
                    if let Some(link) = tx.link_of(self.platform, RecordKind::Variant, variant.id, MAIN)? {
                        tx.set_link_state(link.id, LinkState::Gone, Some("taken away with its product"))?;
                    }
                }
            }
            return Ok(());
        }
        // It is hidden, not gone: what was sent last is not what is there now.
        let mut facets = link.facets;
        if let Some(head) = facets.get_mut(&FacetKey::head()) {
            head.sent_hash = None;
            head.base_hash = None;
        }
        tx.set_link_facets(link.id, &facets, None)
    }

    /// True when the platform's total is the order's.
    fn compare_total(&self, tx: &Tx<'_>, intent: &Intent, written: &Written) -> Result<bool, LedgerError> {
        let Some(total) = written.total else { return Ok(true) };
        tx.note_total(intent.id, total)?;
        let Some(placed) = intent.body.facets.get(&FacetKey::from("placed")) else { return Ok(true) };
        let Some(placed) = read::<Placed>(placed)? else { return Ok(true) };
        if placed.total == total {
            return Ok(true);
        }
        let platform = tx.platform(self.platform)?;
        self.attend(
            tx,
            intent,
            NewAttention {
                cause_key: format!("total:{}", intent.id),
                title: format!(
                    "Order {} was written on {} with a total of {total}, but the buyer pays {}.",
                    placed.number, platform.name, placed.total
                ),
                hint: "Compare the lines and taxes of both, and correct the order there by hand.".into(),
                ..NewAttention::default()
            },
        )?;
        Ok(false)
    }

    fn owns_stock(&self, tx: &Tx<'_>) -> Result<bool, LedgerError> {
        let owns = tx.platform(self.platform)?.policy.owns;
        Ok(owns.iter().any(|of| of.record == RecordKind::Variant && of.facet.0.split(':').next() == Some("stock")))
    }

    /// Certainly not done, or unknown, as the case says.
    pub(crate) fn failed(&self, tx: &Tx<'_>, intent: &Intent, error: &RemoteError) -> Result<Heard, LedgerError> {
        let words = error.to_string();
        // An object that was begun is finished, never made a second time.
        if let (Op::Create | Op::CreateDone, Some(remote)) = (intent.op, &intent.remote_id) {
            tx.turn_intent(intent.id, Op::Resume, Some(&RemoteRef::new(remote.as_str())), &intent.parts)?;
        }
        match error {
            RemoteError::Auth(_) => {
                tx.uncount_attempt(intent.id)?;
                tx.set_intent(intent.id, IntentState::Planned, Some(&words), None)?;
                self.pause(tx, &words)?;
                Ok(Heard::Auth)
            }
            RemoteError::Throttled(seconds) => {
                tx.uncount_attempt(intent.id)?;
                tx.set_intent(intent.id, IntentState::Planned, None, None)?;
                Ok(Heard::Throttled(*seconds))
            }
            RemoteError::Unavailable(_) => {
                self.retry(tx, intent, &words)?;
                Ok(Heard::Unavailable)
            }
            RemoteError::Timeout(_) | RemoteError::Bug(_) => {
                self.unknown(tx, intent, &words)?;
                Ok(Heard::Unknown)
            }
            RemoteError::Conflict(version) => {
                if let (Some(version), Some(link)) =
                    (version, tx.link_of(self.platform, intent.kind.record_kind(), intent.record, MAIN)?)
                {
                    let remote = RemoteRef { version: Some(version.clone()), ..link.remote };
                    tx.set_link_facets(link.id, &link.facets, Some(&remote))?;
                }
                self.retry(tx, intent, &words)?;
                Ok(Heard::Issue)
            }
            RemoteError::MappingMissing { table, value, label } => {
                let key = format!("map:{}:{table}:{value}", self.platform);
                tx.wait_for(Waiting::Intent, &intent.id.to_string(), &key)?;
                tx.set_intent(intent.id, IntentState::Waiting, Some(&words), None)?;
                let shown = label.as_ref().map_or_else(|| value.clone(), |label| format!("{value} ({label})"));
                self.attend(
                    tx,
                    intent,
                    NewAttention {
                        cause_key: key,
                        title: format!("The {table} value `{shown}` is not mapped."),
                        hint: format!("Add `{value}` to the map `{table}` of this platform."),
                        grouped: true,
                        ..NewAttention::default()
                    },
                )?;
                self.line(tx, intent, What::Waiting, Some(&words))?;
                Ok(Heard::Issue)
            }
            RemoteError::NotFound(_) if intent.op == Op::Delete => {
                let remote = intent.body.remote.clone().unwrap_or_else(|| RemoteRef::new(""));
                let written = Written { remote, parts: Vec::new(), total: None, warnings: Vec::new() };
                self.done(tx, intent, &written, MadeBy::Created)
            }
            RemoteError::NotFound(_) if intent.op == Op::Update => self.gone(tx, intent, &words),
            RemoteError::NotFound(_)
            | RemoteError::Rejected(_)
            | RemoteError::Unsupported(_)
            | RemoteError::Denied(_) => self.refused(tx, intent, &words),
        }
    }

    pub(crate) fn pause(&self, tx: &Tx<'_>, words: &str) -> Result<(), LedgerError> {
        tx.set_platform_state(self.platform, PlatformState::Paused, Some(words))?;
        let platform = tx.platform(self.platform)?;
        tx.attend(
            &NewAttention {
                cause_key: format!("auth:{}", self.platform),
                platform: Some(self.platform),
                title: format!("{} refuses the credentials and is paused.", platform.name),
                hint: format!(
                    "Renew them with `tradepost platform set {} --secret`, then resume the platform.",
                    platform.code
                ),
                ..NewAttention::default()
            },
            self.run,
        )?;
        Ok(())
    }

    /// Certainly not done, and it may pass later.
    pub(crate) fn retry(&self, tx: &Tx<'_>, intent: &Intent, words: &str) -> Result<(), LedgerError> {
        let at = self.in_seconds(backoff(intent.attempts));
        tx.set_intent(intent.id, IntentState::Retry, Some(words), Some(at))?;
        if intent.attempts >= TELL_AFTER {
            self.attend(
                tx,
                intent,
                NewAttention {
                    cause_key: format!("failing:{}", intent.id),
                    title: format!("A write has failed {} times: {words}.", intent.attempts),
                    hint: "It is tried again each hour; look at the platform, or dismiss the write.".into(),
                    choices: vec![Choice::new("retry", "Try now"), Choice::new("dismiss", "Give it up")],
                    data: serde_json::json!({"intent": intent.id.0}),
                    ..NewAttention::default()
                },
            )?;
        }
        self.line(tx, intent, What::Waiting, Some(words))
    }

    pub(crate) fn unknown(&self, tx: &Tx<'_>, intent: &Intent, words: &str) -> Result<(), LedgerError> {
        tx.set_intent(intent.id, IntentState::Unknown, Some(words), None)?;
        self.line(tx, intent, What::Unknown, Some(words))
    }

    /// Certainly not done, because of what it says: waits for a person, in the platform's words.
    pub(crate) fn refused(&self, tx: &Tx<'_>, intent: &Intent, words: &str) -> Result<Heard, LedgerError> {
        tx.set_intent(intent.id, IntentState::Refused, Some(words), None)?;
        if intent.event.is_none() {
            // The same content would be refused again; newer content is wanted anew.
            tx.satisfy(self.platform, intent.kind, intent.record, intent.revs.planned, self.now)?;
        }
        let platform = tx.platform(self.platform)?;
        self.attend(
            tx,
            intent,
            NewAttention {
                cause_key: format!("refused:{}", intent.id),
                title: format!("{} refuses a {}: {words}.", platform.name, intent.kind),
                hint: "Correct the record where it comes from, or retry, or give it up.".into(),
                choices: vec![Choice::new("retry", "Try again"), Choice::new("dismiss", "Give it up")],
                data: serde_json::json!({"intent": intent.id.0}),
                ..NewAttention::default()
            },
        )?;
        self.line(tx, intent, What::Refused, Some(words))?;
        Ok(Heard::Issue)
    }

    fn gone(&self, tx: &Tx<'_>, intent: &Intent, words: &str) -> Result<Heard, LedgerError> {
        let kind = intent.kind.record_kind();
        let platform = tx.platform(self.platform)?;
        tx.set_intent(intent.id, IntentState::Cancelled, Some(words), None)?;
        tx.satisfy(self.platform, intent.kind, intent.record, intent.revs.planned, self.now)?;
        let Some(link) = tx.link_of(self.platform, kind, intent.record, MAIN)? else { return Ok(Heard::Issue) };
        match platform.policy.on_gone {
            OnGone::Unlink => tx.set_link_state(link.id, LinkState::Removed, Some("gone on the platform"))?,
            OnGone::Recreate => {
                tx.set_link_state(link.id, LinkState::Gone, Some(words))?;
                let (record, kind) = match kind {
                    RecordKind::Variant => (tx.record(intent.record)?.product.unwrap_or(intent.record), Kind::Product),
                    _ => (intent.record, intent.kind),
                };
                tx.want(self.platform, kind, record, "", WantReason::Hand, None)?;
            }
            OnGone::Attention => {
                tx.set_link_state(link.id, LinkState::Gone, Some(words))?;
                self.attend(tx, intent, NewAttention {
                    cause_key: format!("gone:{}", link.id),
                    title: format!("{kind} {} is not on {} any more.", link.remote.id, platform.name),
                    hint: format!("Link the record to another object (`tradepost record link`), or unlink it; `on_gone` of `{}` decides for all.", platform.code),
                    ..NewAttention::default()
                })?;
            }
        }
        self.line(tx, intent, What::Held, Some(words))?;
        Ok(Heard::Issue)
    }
}

/// How records are taken away on a platform.
pub(crate) fn removal_of(view: &View<'_>, platform: PlatformId) -> Result<Removal, LedgerError> {
    Ok(match view.platform(platform)?.policy.on_delete {
        OnDelete::Delete => Removal::Delete,
        OnDelete::Deactivate | OnDelete::Ignore => Removal::Deactivate,
    })
}
