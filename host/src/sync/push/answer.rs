//! What follows from the answers to questions that a push asked.

use jiff::Timestamp;

use super::lookup::answer_which;
use crate::ledger::attention::Attention;
use crate::ledger::event::DeliveryState;
use crate::ledger::intent::IntentState;
use crate::ledger::{LedgerError, Tx};
use crate::model::IntentId;
use crate::sync::unknown;

/// Does what the answer to an attention of a push says; the attention is answered already. False: it is none of a push's.
///
/// # Errors
/// [`LedgerError::Conflict`] when the answer contradicts what the ledger holds by now.
pub fn apply(tx: &Tx<'_>, asked: &Attention, answer: &str, now: Timestamp) -> Result<bool, LedgerError> {
    let intent = asked.data["intent"].as_i64().map(IntentId);
    match (asked.cause_key.split(':').next(), answer, intent) {
        (Some("guard"), "release", _) => release(tx, asked).map(|_| true),
        (Some("guard"), "discard", _) => discard(tx, asked, now).map(|_| true),
        (Some("refused" | "failing"), "retry", Some(intent)) => retry(tx, intent).map(|()| true),
        (Some("refused" | "failing"), "dismiss", Some(intent)) => {
            dismiss(tx, intent, "given up by a person").map(|()| true)
        }
        (Some("which"), answer, Some(_)) => answer_which(tx, asked, answer, now).map(|()| true),
        (Some("unknown"), answer @ ("there" | "not-there"), Some(intent)) => {
            unknown::answer(tx, intent, answer == "there", None, now).map(|()| true)
        }
        _ => Ok(false),
    }
}

/// Lets a held plan go, as it was shown. What changed since is asked for again.
///
/// # Errors
/// Of the ledger.
pub fn release(tx: &Tx<'_>, held: &Attention) -> Result<usize, LedgerError> {
    let intents = intents_of(held);
    tx.release_intents(&intents)?;
    Ok(intents.len())
}

/// Takes a held plan back: nothing of it is sent, and newer changes are planned anew.
///
/// # Errors
/// Of the ledger.
pub fn discard(tx: &Tx<'_>, held: &Attention, now: Timestamp) -> Result<usize, LedgerError> {
    let mut count = 0;
    for id in intents_of(held) {
        let intent = tx.intent(id)?;
        if !matches!(intent.state, IntentState::Planned | IntentState::Retry) || intent.uncertain {
            continue;
        }
        tx.set_intent(id, IntentState::Cancelled, Some("taken back by a person"), None)?;
        match intent.event {
            Some(event) => {
                tx.set_delivery(event, intent.platform, DeliveryState::Void, Some("taken back by a person"))?
            }
            None => tx.satisfy(intent.platform, intent.kind, intent.record, intent.revs.planned, now)?,
        }
        count += 1;
    }
    Ok(count)
}

fn intents_of(held: &Attention) -> Vec<IntentId> {
    let intents = held.data["intents"].as_array().map(Vec::as_slice).unwrap_or_default();
    intents.iter().filter_map(serde_json::Value::as_i64).map(IntentId).collect()
}

/// A person wants a write tried again: one that was refused, fails again and again, or waits.
///
/// # Errors
/// [`LedgerError::Conflict`] when it is on its way, done or unknown.
pub fn retry(tx: &Tx<'_>, id: IntentId) -> Result<(), LedgerError> {
    let intent = tx.intent(id)?;
    match intent.state {
        IntentState::Refused
        | IntentState::Retry
        | IntentState::Waiting
        | IntentState::Planned
        | IntentState::Cancelled
        | IntentState::Dismissed => tx.set_intent(id, IntentState::Planned, None, None),
        IntentState::Sending | IntentState::Unknown | IntentState::Done | IntentState::Superseded => {
            Err(LedgerError::Conflict { message: format!("intent {id} is {} and is not tried again", intent.state) })
        }
    }
}

/// A person gives a write up. The event it carried is void, so that what comes after it goes on.
///
/// # Errors
/// [`LedgerError::Conflict`] when it is on its way, done or unknown.
pub fn dismiss(tx: &Tx<'_>, id: IntentId, why: &str) -> Result<(), LedgerError> {
    let intent = tx.intent(id)?;
    if matches!(intent.state, IntentState::Sending | IntentState::Unknown | IntentState::Done) {
        return Err(LedgerError::Conflict {
            message: format!("intent {id} is {}, it cannot be given up", intent.state),
        });
    }
    tx.set_intent(id, IntentState::Dismissed, Some(why), None)?;
    if let Some(event) = intent.event {
        tx.set_delivery(event, intent.platform, DeliveryState::Void, Some(why))?;
    }
    Ok(())
}
