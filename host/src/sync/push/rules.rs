//! What follows from a change of rules: maps, languages, prices, stock, ownership.

use crate::ledger::want::WantReason;
use crate::ledger::{LedgerError, Tx};
use crate::model::{PlatformId, RecordId};

/// Records read at a time.
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

/// The policy of a platform (or its connector's mapping) changed: what waited for it goes on, and every record of the
/// state that is pushed there is compared with what was sent. The guard looks at what that comes to.
///
/// # Errors
/// Of the ledger.
pub fn rules_changed(tx: &Tx<'_>, platform: PlatformId) -> Result<(), LedgerError> {
    maps_changed(tx, platform)?;
    let pushes = tx.platform(platform)?.policy.pushes;
    for kind in pushes.into_iter().filter(|kind| !kind.is_event()) {
        let mut after = RecordId(0);
        loop {
            let records = tx.records_after(kind.record_kind(), after, CHUNK)?;
            let Some(last) = records.last() else { break };
            after = last.id;
            for record in &records {
                tx.want(platform, kind, record.id, "", WantReason::Rules, None)?;
            }
        }
    }
    Ok(())
}
