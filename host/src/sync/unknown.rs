//! Settling writes whose end nobody knows, before anything else is sent there.

use jiff::{SignedDuration, Timestamp};

use super::push::settle::Context;
use super::push::{End, Push, PushError};
use crate::ledger::attention::{Choice, NewAttention};
use crate::ledger::intent::{Intent, IntentState};
use crate::ledger::link::{LinkState, MAIN};
use crate::ledger::{LedgerError, Tx};
use crate::model::{Found, IntentId, Kind, Op};

/// Unknown writes taken up at a time.
const CHUNK: u32 = 50;

impl Push {
    /// Settles the unknown writes of a kind as far as that can be done now. `Some` ends the run.
    pub(crate) async fn settle_unknowns(&mut self, kind: Kind) -> Result<Option<End>, PushError> {
        let lag = self.connector.description().ability(kind).and_then(|ability| ability.lookup_lag);
        let idempotent = self.connector.description().writing(kind).is_some_and(|writing| writing.idempotent);
        let mut after = IntentId(0);
        loop {
            let platform = self.platform;
            let unknown: Vec<Intent> = self
                .ledger
                .read(move |view| view.intents_in(platform, kind, IntentState::Unknown, after, CHUNK))
                .await?;
            let Some(last) = unknown.last() else { return Ok(None) };
            after = last.id;
            let settle = self.settle_time().await?;
            // Absolute values, and what the platform takes only once, may be sent again.
            let repeatable = |intent: &Intent| {
                matches!(intent.op, Op::Update | Op::Delete | Op::Read) || (idempotent && intent.op != Op::Resume)
            };
            let (again, ask): (Vec<_>, Vec<_>) = unknown.into_iter().partition(repeatable);
            let context = self.context();
            self.ledger
                .write(move |tx| {
                    for intent in &again {
                        // A pull that read our own child may have settled it meanwhile.
                        if tx.intent(intent.id)?.state != IntentState::Unknown {
                            continue;
                        }
                        tx.set_intent(intent.id, IntentState::Planned, intent.error.as_deref(), None)?;
                    }
                    Ok::<_, LedgerError>(())
                })
                .await?;
            if ask.is_empty() {
                continue;
            }
            self.issues = true;
            let Some(lag) = lag else {
                self.ledger
                    .write(move |tx| ask.iter().try_for_each(|intent| without_lookup(tx, &context, intent, settle)))
                    .await?;
                continue;
            };
            let found = match self.find(kind, &ask).await? {
                Ok(found) => found,
                Err(end) => return Ok(Some(end)),
            };
            let pairs: Vec<(Intent, Vec<Found>)> = ask.into_iter().zip(found).collect();
            let lag = SignedDuration::from_secs(i64::from(lag));
            self.ledger
                .write(move |tx| {
                    pairs.iter().try_for_each(|(intent, found)| looked(tx, &context, intent, found, settle, lag))
                })
                .await?;
        }
    }

    /// After how long nothing that was sent can still take effect.
    async fn settle_time(&self) -> Result<SignedDuration, LedgerError> {
        let platform = self.platform;
        let seconds = self.ledger.read(move |view| view.platform(platform).map(|p| p.max_settle_s)).await?;
        Ok(self.deadline + SignedDuration::from_secs(seconds))
    }
}

/// When nothing of a write can come any more.
fn over(intent: &Intent, settle: SignedDuration) -> Timestamp {
    let sent = intent.sent_at.unwrap_or(Timestamp::UNIX_EPOCH);
    sent.checked_add(settle).unwrap_or(Timestamp::MAX)
}

fn looked(
    tx: &Tx<'_>,
    context: &Context,
    intent: &Intent,
    found: &[Found],
    settle: SignedDuration,
    lag: SignedDuration,
) -> Result<(), LedgerError> {
    // It may have been settled by a pull that read our own child.
    if tx.intent(intent.id)?.state != IntentState::Unknown {
        return Ok(());
    }
    let over = over(intent, settle);
    if found.is_empty() {
        if context.now < over {
            return Ok(());
        }
        let Some(first) = intent.absent_at else {
            if lag.is_zero() {
                return absent(tx, intent);
            }
            return tx.note_absent(intent.id, Some(context.now));
        };
        // A second look one lag after the first that was late enough.
        let again = first.checked_add(lag).unwrap_or(Timestamp::MAX);
        return if context.now >= again { absent(tx, intent) } else { Ok(()) };
    }
    // Half made may still be going on; it is taken up when that is over.
    if found.iter().any(|hit| !hit.whole) && context.now < over {
        return Ok(());
    }
    tx.note_absent(intent.id, None)?;
    match context.adopt(tx, intent, found)? {
        super::push::Looked::Begun => tx.set_intent(intent.id, IntentState::Planned, None, None),
        super::push::Looked::Absent => absent(tx, intent),
        super::push::Looked::Settled | super::push::Looked::Asked => Ok(()),
    }
}

/// Proved absent: it is sent again, and looked for once more just before.
fn absent(tx: &Tx<'_>, intent: &Intent) -> Result<(), LedgerError> {
    // A pull has read it meanwhile: it is there, whatever the lookup says, and is not made again.
    let made = matches!(intent.op, Op::Create | Op::CreateDone | Op::Resume) && intent.kind != Kind::Shipment;
    if made
        && let Some(link) = tx.link_of(intent.platform, intent.kind.record_kind(), intent.record, MAIN)?
        && link.state == LinkState::Live
    {
        tx.turn_intent(intent.id, Op::Resume, Some(&link.remote), &[])?;
        return tx.set_intent(intent.id, IntentState::Planned, Some("read there by a pull"), None);
    }
    tx.set_intent(intent.id, IntentState::Planned, Some("proved not to be there"), None)
}

/// Without a lookup only a person can say, unless the object was reported while it was made.
fn without_lookup(tx: &Tx<'_>, context: &Context, intent: &Intent, settle: SignedDuration) -> Result<(), LedgerError> {
    let begun = intent.remote_id.is_some() && matches!(intent.op, Op::Create | Op::CreateDone | Op::Resume);
    if begun {
        if context.now < over(intent, settle) {
            return Ok(());
        }
        let remote = intent.remote_id.clone().map(crate::model::RemoteRef::new);
        tx.turn_intent(intent.id, Op::Resume, remote.as_ref(), &intent.parts)?;
        return tx.set_intent(intent.id, IntentState::Planned, None, None);
    }
    let platform = tx.platform(context.platform)?;
    let name = super::plan::name_of(tx, intent.record)?;
    tx.attend(
        &NewAttention {
            cause_key: format!("unknown:{}", intent.id),
            platform: Some(context.platform),
            kind: Some(intent.kind),
            record: Some(intent.record),
            title: format!("Nobody knows whether {} {name} arrived on {}.", intent.kind, platform.name),
            hint: format!("Look for it on the platform{}, then say what you found.", marker_words(intent)),
            choices: vec![
                Choice::new("there", "It is there"),
                Choice::new("not-there", "It is not there: send it again"),
            ],
            data: serde_json::json!({"intent": intent.id.0}),
            ..NewAttention::default()
        },
        context.run,
    )?;
    Ok(())
}

fn marker_words(intent: &Intent) -> String {
    intent.marker.as_ref().map(|marker| format!(" (it is marked `{marker}`)")).unwrap_or_default()
}

/// A person looked: `there` settles the write as done, `not-there` lets it be sent again.
///
/// # Errors
/// [`LedgerError::Conflict`] when the write is not unknown.
pub fn answer(
    tx: &Tx<'_>,
    id: IntentId,
    there: bool,
    remote_id: Option<&str>,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let intent = tx.intent(id)?;
    if intent.state != IntentState::Unknown {
        return Err(LedgerError::Conflict { message: format!("intent {id} is {}, its end is known", intent.state) });
    }
    if !there {
        return absent(tx, &intent);
    }
    let context = Context { platform: intent.platform, run: intent.run, now };
    let remote = remote_id.map(str::to_owned).or_else(|| intent.remote_id.clone());
    match (intent.op, remote) {
        (Op::Create | Op::CreateDone | Op::Resume, Some(remote)) => {
            let written = crate::model::Written {
                remote: crate::model::RemoteRef::new(remote),
                parts: intent.parts.clone(),
                total: None,
                warnings: Vec::new(),
            };
            context.done(tx, &intent, &written, crate::ledger::link::MadeBy::Hand).map(drop)
        }
        (Op::Create | Op::CreateDone | Op::Resume, None) => {
            // It is linked when it is pulled; until then nothing is sent for it.
            tx.set_intent(id, IntentState::Done, Some("a person found it there; it is linked when it is read"), None)?;
            match intent.event {
                Some(event) => tx.set_delivery(event, intent.platform, crate::ledger::event::DeliveryState::Done, None),
                None => tx.satisfy(intent.platform, intent.kind, intent.record, intent.revs.planned, now),
            }
        }
        (Op::Update | Op::Delete | Op::Apply | Op::Read, _) => {
            let remote = intent.body.remote.clone().unwrap_or_else(|| crate::model::RemoteRef::new(""));
            let written = crate::model::Written { remote, parts: Vec::new(), total: None, warnings: Vec::new() };
            context.done(tx, &intent, &written, crate::ledger::link::MadeBy::Hand).map(drop)
        }
    }
}
