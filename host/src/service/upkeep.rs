//! What the service does for its ledger by itself: it watches the disk, and tidies up what is old.

use std::time::Duration;

use jiff::Timestamp;

use super::{Service, ServiceError};
use crate::ledger::LedgerError;
use crate::ledger::attention::NewAttention;
use crate::ledger::tidy::Old;
use crate::ledger::trouble::Trouble;

/// Between two looks at the disk.
const LOOK: Duration = Duration::from_secs(1);
/// After the start, before the first tidying; then between two of them.
const FIRST: Duration = Duration::from_secs(10 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Rows looked at, and rows removed, at a time.
const LOOKED_AT: u32 = 2_000;
const REMOVED: u32 = 200;
/// Between two removals, so that runs have the ledger's writer nearly for themselves.
const PAUSE: Duration = Duration::from_millis(50);
/// Cause of the question about space.
const SPACE: &str = "ledger:space";

impl Service {
    /// Notices when the disk is full, nearly full or read-only, and when that is over.
    pub(super) async fn keep_disk(self) {
        let mut asked = None;
        loop {
            let min_free = self.config().min_free;
            self.ledger().look_at_disk(min_free).await;
            let trouble = self.ledger().trouble();
            // On a disk that takes nothing only the log, the status and `/readyz` say so.
            if matches!(trouble, None | Some(Trouble::Low))
                && trouble != asked
                && self.ask_for_space(trouble).await.is_ok()
            {
                asked = trouble;
            }
            tokio::select! {
                () = self.inner.stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// A person is asked while that can still be written, and no more once it is over.
    async fn ask_for_space(&self, trouble: Option<Trouble>) -> Result<(), LedgerError> {
        let folder = self.folder().root().display().to_string();
        self.ledger()
            .write(move |tx| match trouble {
                Some(trouble) => tx
                    .attend(
                        &NewAttention {
                            cause_key: SPACE.into(),
                            title: format!("Runs rest: {trouble}."),
                            hint: format!("In {folder}: {}.", trouble.hint()),
                            ..NewAttention::default()
                        },
                        None,
                    )
                    .map(drop),
                None => tx.solve_attention(SPACE).map(drop),
            })
            .await
    }

    /// Tidies once a day.
    pub(super) async fn keep_tidy(self) {
        let mut wait = FIRST;
        loop {
            tokio::select! {
                () = self.inner.stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = DAY;
            match self.tidy(self.clock().now()).await {
                Ok(removed) if removed.is_empty() => {}
                Ok(removed) => tracing::info!(?removed, "what was old is gone"),
                Err(error) => tracing::warn!(%error, "not everything that is old is gone"),
            }
        }
    }

    /// Removes what is old by the configuration, a little at a time; how much of what.
    ///
    /// # Errors
    /// When the ledger cannot be used. What is gone is gone; the next time goes on.
    pub async fn tidy(&self, now: Timestamp) -> Result<Vec<(&'static str, u64)>, ServiceError> {
        self.cases().tidy();
        let mut removed = Vec::new();
        for old in Old::ALL {
            let Some(before) = self.config().retention.before(old, now) else { continue };
            let count = self.tidy_kind(old, before).await?;
            if count > 0 {
                removed.push((old.as_str(), count));
            }
        }
        Ok(removed)
    }

    async fn tidy_kind(&self, old: Old, before: Timestamp) -> Result<u64, LedgerError> {
        let mut count = 0;
        let mut after = Some(i64::MIN);
        while let Some(from) = after {
            let (ids, next) = self.ledger().read(move |view| view.old(old, before, from, LOOKED_AT)).await?;
            after = next;
            let mut left = ids.as_slice();
            while let Some(first) = left.first().copied() {
                if self.inner.stop.is_cancelled() || self.ledger().trouble().is_some() {
                    return Ok(count);
                }
                // The lines of one run may be many; other rows go in one step each.
                let chunk =
                    if old == Old::Lines { vec![first] } else { left[..left.len().min(REMOVED as usize)].to_vec() };
                let (taken, ids) = (chunk.len(), chunk.clone());
                let gone = self.ledger().write(move |tx| tx.remove_old(old, before, &ids, REMOVED)).await?;
                count += u64::from(gone);
                if old != Old::Lines || gone < REMOVED {
                    left = &left[taken..];
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(count)
    }
}
