//! Back-fill: orders that were read and left out go to other platforms as finished business.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ledger::link::LinkState;
use crate::ledger::{LedgerError, Tx};
use crate::model::{Kind, LinkId, PlatformId, RecordKind};
use crate::sync::commit::Commit;
pub use crate::sync::commit::backfill::Backfilled;

/// Orders looked at in one transaction.
const CHUNK: u32 = 200;

/// What a back-fill asks for.
#[derive(Debug, Clone)]
pub struct Backfill {
    /// Shop whose orders are handed on.
    pub shop: PlatformId,
    /// Placed at or after.
    pub since: Timestamp,
    /// Placed before.
    pub until: Timestamp,
    /// Platforms whose connectors can create finished orders.
    pub able: Vec<PlatformId>,
}

impl Backfill {
    /// Handles the next orders after `after`; counts what became of them, and says where to go on. Nothing is handed on
    /// twice, so it can be cut off and begun again.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub fn chunk(
        &self,
        tx: &Tx<'_>,
        after: LinkId,
        now: Timestamp,
        counts: &mut BTreeMap<Backfilled, u64>,
    ) -> Result<Option<LinkId>, LedgerError> {
        let mut commit = Commit::new(tx, self.shop, Kind::Order, None, now, false)?;
        let links = tx.links_after(self.shop, RecordKind::Order, LinkState::Ignored, after, CHUNK)?;
        for link in &links {
            let ended = commit.backfill(link, (self.since, self.until), &self.able)?;
            *counts.entry(ended).or_default() += 1;
        }
        Ok(links.last().map(|link| link.id))
    }
}
