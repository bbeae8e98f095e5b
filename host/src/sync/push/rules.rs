//! What follows from a change of rules: maps, languages, prices, stock, ownership.

use super::Pusher;
use crate::ledger::want::WantReason;
use crate::ledger::{LedgerError, Tx};
use crate::model::{Kind, PlatformId, RecordId};

/// Records that are wanted in one transaction.
const CHUNK: u32 = 500;

/// What waited for a map of the platform is planned again; what is still missing is asked for anew. Returns how many
/// waited. Orders that were sent are never sent again.
///
/// # Errors
/// Of the ledger.
pub fn maps_changed(tx: &Tx<'_>, platform: PlatformId) -> Result<usize, LedgerError> {
    let mut woken = 0;
    for reason in tx.waited_for(&format!("map:{platform}:"))? {
        woken += tx.wake(&reason)?;
        tx.solve_attention(&reason)?;
    }
    Ok(woken)
}

impl Pusher {
    /// The policy of a platform (or its connector's mapping) changed: what waited for it goes on, and every record of
    /// the state that is pushed there is compared with what was sent. The guard looks at what that comes to.
    ///
    /// # Errors
    /// Of the ledger.
    pub async fn rules_changed(&self, platform: PlatformId) -> Result<(), LedgerError> {
        let pushes = self
            .ledger
            .write(move |tx| {
                maps_changed(tx, platform)?;
                Ok::<_, LedgerError>(tx.platform(platform)?.policy.pushes)
            })
            .await?;
        for kind in pushes.into_iter().filter(|kind| !kind.is_event()) {
            let mut after = RecordId(0);
            while let Some(last) = self.ledger.write(move |tx| want_all(tx, platform, kind, after)).await? {
                after = last;
            }
        }
        Ok(())
    }
}

fn want_all(tx: &Tx<'_>, platform: PlatformId, kind: Kind, after: RecordId) -> Result<Option<RecordId>, LedgerError> {
    let records = tx.records_after(kind.record_kind(), after, CHUNK)?;
    for record in &records {
        tx.want(platform, kind, record.id, "", WantReason::Rules, None)?;
    }
    Ok(records.last().map(|record| record.id))
}
