//! What a start does before anything else. It can be killed at any point and done again.

use crate::ledger::{Ledger, LedgerError};

/// What the last boot left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    /// Runs that were under way.
    pub runs: usize,
    /// Writes without an answer.
    pub intents: usize,
}

/// Runs of other boots were interrupted, and nobody knows the end of what they were sending. Receipts that are still owed
/// are sent by the next pull. The boot has begun already.
///
/// # Errors
/// When the ledger cannot be used.
pub async fn recover(ledger: &Ledger) -> Result<Recovered, LedgerError> {
    ledger.write(|tx| Ok(Recovered { runs: tx.interrupt_runs_of_other_boots()?, intents: tx.lose_sends()? })).await
}
