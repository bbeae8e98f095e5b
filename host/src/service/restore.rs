//! Backups, and what follows a restore: nothing is sent until it is known what happened since.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::folder::{DataFolder, FolderError};
use super::runs::Order;
use super::{Service, ServiceError, contact};
use crate::config::Config;
use crate::ledger::instance::{Mode as InstanceMode, host_fingerprint};
use crate::ledger::platform::PlatformState;
use crate::ledger::run::{Cause, Direction, RunState};
use crate::ledger::stream::Phase;
use crate::ledger::{LedgerError, backup};
use crate::model::description::Environment;
use crate::sync::pull::Mode;

/// A recovery reads back a little further than the backup, for clocks that differ.
const OVERLAP: SignedDuration = SignedDuration::from_mins(60);

impl Service {
    /// Copies the ledger to a new file while everything goes on.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<(), ServiceError> {
        let (ledger, file) = (self.ledger().clone(), file.to_owned());
        let copied = tokio::task::spawn_blocking(move || ledger.backup_to(&file)).await;
        copied.map_err(|error| ServiceError::refused(format!("the backup was cut off: {error}")))??;
        Ok(())
    }

    /// Leaves safe mode. As the same business: every platform recovers, that is, is read since the backup and by its ids,
    /// links are found again, and nothing is sent before [`Service::resume_platform`]. As a test copy: the secrets are
    /// dropped and every platform is set up anew as a test.
    ///
    /// # Errors
    /// It is not in safe mode.
    pub async fn leave_safe_mode(&self, test_copy: bool) -> Result<(), ServiceError> {
        let fingerprint = host_fingerprint(self.folder().root());
        let now = self.clock().now();
        self.ledger()
            .write(move |tx| {
                if tx.instance()?.mode != InstanceMode::Safe {
                    return Err(LedgerError::Conflict { message: "this ledger is not in safe mode".into() });
                }
                for platform in tx.platforms()? {
                    if platform.state == PlatformState::Removed {
                        continue;
                    }
                    tx.doubt_creates(platform.id, now)?;
                    if test_copy {
                        tx.set_platform_state(platform.id, PlatformState::Paused, Some("This is a test copy."))?;
                        if let Some(mut account) = platform.account.clone() {
                            account.environment = Environment::Test;
                            tx.set_account(platform.id, &account, platform.clock_skew_ms)?;
                        }
                    } else if platform.state != PlatformState::Setup {
                        tx.set_platform_state(
                            platform.id,
                            PlatformState::Recovering,
                            Some("The ledger was restored; what happened since is being read."),
                        )?;
                    }
                }
                if test_copy {
                    tx.drop_secrets(None)?;
                }
                tx.leave_safe_mode(&fingerprint)?;
                tx.audit("operator", "safe-mode.leave", &json!({ "test-copy": test_copy }))
            })
            .await?;
        self.refresh().await?;
        if !test_copy {
            self.recover_platforms().await?;
        }
        Ok(())
    }

    /// Reads what happened on each recovering platform since the backup, and all of its ids.
    async fn recover_platforms(&self) -> Result<(), ServiceError> {
        let (instance, platforms) =
            self.ledger().read(|view| Ok::<_, LedgerError>((view.instance()?, view.platforms()?))).await?;
        let since = instance.backup_at.map(|at| at.checked_sub(OVERLAP).unwrap_or(at));
        let mut failed = Vec::new();
        for platform in platforms.into_iter().filter(|p| p.state == PlatformState::Recovering) {
            let description = self.description(&platform)?;
            for kind in contact::kinds(&description, &platform.policy) {
                let Some(reading) = description.reading(kind) else { continue };
                let id = platform.id;
                if self.ledger().read(move |view| view.stream(id, kind)).await?.phase == Phase::Off {
                    continue;
                }
                // Batches that were confirmed after the backup do not come again as changes.
                let mode = match since {
                    Some(since) if reading.changes => Mode::Window { since, until: None },
                    _ => Mode::Full,
                };
                let order = Order { mode, ..Order::new(id, Direction::Pull, kind, Cause::Recovery) };
                let run = self.run_to_end(order).await?;
                if !matches!(run.state, RunState::Done | RunState::DoneWithIssues) {
                    failed.push(format!("{} {kind}: {}", platform.code, run.message.unwrap_or_default()));
                }
                if reading.present {
                    self.run_to_end(Order::new(id, Direction::Sweep, kind, Cause::Recovery)).await?;
                }
            }
        }
        if failed.is_empty() {
            self.ledger().write(|tx| tx.set_backup_at(None)).await?;
            return Ok(());
        }
        Err(ServiceError::refused(format!(
            "not everything could be read since the backup, so nothing is sent yet: {}",
            failed.join("; ")
        )))
    }
}

/// Puts a backup in place of the ledger. No process may be at work with the data folder. The old ledger is kept beside it.
///
/// # Errors
/// The backup is none, or another process owns the folder; everything is left as it was.
pub fn restore(config: &Config, file: &Path) -> Result<std::path::PathBuf, ServiceError> {
    backup::inspect(file)?;
    let folder = DataFolder::open(&config.data)?;
    let ledger = folder.ledger();
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ServiceError::Folder(FolderError::Io { path, source })
    };
    let incoming = ledger.with_extension("restoring");
    std::fs::copy(file, &incoming).map_err(io(&incoming))?;
    std::fs::File::open(&incoming).and_then(|copy| copy.sync_all()).map_err(io(&incoming))?;
    backup::mark_restored(&incoming)?;
    let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let kept = ledger.with_file_name(format!("ledger.before-restore-{stamp}.db"));
    if ledger.exists() {
        for suffix in ["", "-wal", "-shm"] {
            let from = ledger.with_file_name(format!("ledger.db{suffix}"));
            if from.exists() {
                let to = kept.with_file_name(format!("ledger.before-restore-{stamp}.db{suffix}"));
                std::fs::rename(&from, &to).map_err(io(&from))?;
            }
        }
    }
    std::fs::rename(&incoming, &ledger).map_err(io(&ledger))?;
    if let Some(parent) = ledger.parent() {
        std::fs::File::open(parent).and_then(|folder| folder.sync_all()).map_err(io(parent))?;
    }
    Ok(kept)
}
