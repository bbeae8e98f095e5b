//! What a person does with plans and writes: let go, take back, try again, give up.

use jiff::Timestamp;

use crate::ledger::attention::Attention;
use crate::ledger::event::DeliveryState;
use crate::ledger::intent::IntentState;
use crate::ledger::{LedgerError, Tx};
use crate::model::IntentId;

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
