//! Whether the service lives, and whether it does its work.

use std::time::Duration;

use super::Service;
use crate::ledger::LedgerError;
use crate::ledger::instance::Mode;
use crate::ledger::trouble::Trouble;

/// How long the ledger may take to answer before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the service does not do its work now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unready {
    /// It ends.
    Stopping,
    /// The ledger does not answer.
    Stuck,
    /// The disk takes nothing, so runs rest.
    Disk(Trouble),
    /// Nothing is sent before somebody has looked.
    SafeMode,
}

impl Unready {
    /// A word for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::Stuck => "ledger-stuck",
            Self::Disk(trouble) => trouble.as_str(),
            Self::SafeMode => "safe-mode",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Stopping => "start it again",
            Self::Stuck => "look at the log and at the disk of the data folder; restart the service",
            Self::Disk(trouble) => trouble.hint(),
            Self::SafeMode => {
                "leave it with `tradepost restore --resume` or `--test-copy`; `tradepost status` says why it is on"
            }
        }
    }
}

impl Service {
    /// Whether the process is worth keeping: its ledger takes turns, whatever the disk takes.
    pub async fn is_alive(&self) -> bool {
        tokio::time::timeout(PATIENCE, self.ledger().answers()).await.unwrap_or(false)
    }

    /// Everything that keeps the service from its work; empty when it works.
    pub async fn unready(&self) -> Vec<Unready> {
        if self.inner.stop.is_cancelled() {
            return vec![Unready::Stopping];
        }
        let mut reasons = Vec::new();
        if let Some(trouble) = self.ledger().trouble() {
            reasons.push(Unready::Disk(trouble));
        }
        let mode = self.ledger().read(|view| Ok::<_, LedgerError>(view.instance()?.mode));
        match tokio::time::timeout(PATIENCE, mode).await {
            Ok(Ok(Mode::Normal)) => {}
            Ok(Ok(Mode::Safe)) => reasons.push(Unready::SafeMode),
            Ok(Err(_)) | Err(_) => reasons.push(Unready::Stuck),
        }
        if !self.is_alive().await {
            reasons.push(Unready::Stuck);
        }
        reasons.dedup();
        reasons
    }
}
