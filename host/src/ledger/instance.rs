//! Who this ledger is: its identity for markers and keys, its boot, its mode, the automatic switch.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::OptionalExtension;

use super::{LedgerError, Tx, View, from_micros, micros};
use crate::model::Rev;
use crate::model::kind::names;

/// Whether anything may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// As configured.
    Normal,
    /// The ledger went back in time or woke elsewhere: nothing is sent until somebody has looked.
    Safe,
}

names!(Mode { Normal => "normal", Safe => "safe" });

/// The one row about the ledger itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Made once; part of every idempotency key and marker, and kept by a restore.
    pub instance_id: String,
    /// Raised when safe mode is left.
    pub epoch: i64,
    /// New at each start; runs and sends of another boot were cut off.
    pub boot: String,
    /// Machine and folder that the ledger last worked on.
    pub host_fingerprint: String,
    /// Whether anything may be sent.
    pub mode: Mode,
    /// Why it is safe mode, a sentence.
    pub safe_reason: Option<String>,
    /// When the backup was made that this ledger was restored from.
    pub backup_at: Option<Timestamp>,
    /// The global switch of automatic mode.
    pub automatic: bool,
    /// The last position given out.
    pub last_rev: Rev,
}

impl View<'_> {
    /// The ledger's own row.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] before the first [`Tx::begin_boot`].
    pub fn instance(&self) -> Result<Instance, LedgerError> {
        self.find_instance()?.ok_or(LedgerError::Missing { what: "instance row", id: "1".into() })
    }

    fn find_instance(&self) -> Result<Option<Instance>, LedgerError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT instance_id, epoch, boot, host_fingerprint, mode, safe_reason, backup_at, automatic, last_rev
                 FROM instance",
            )?
            .query_row([], |row| {
                Ok((
                    row.get::<_, String>(4)?,
                    Instance {
                        instance_id: row.get(0)?,
                        epoch: row.get(1)?,
                        boot: row.get(2)?,
                        host_fingerprint: row.get(3)?,
                        mode: Mode::Safe,
                        safe_reason: row.get(5)?,
                        backup_at: row.get::<_, Option<i64>>(6)?.map(from_micros),
                        automatic: row.get(7)?,
                        last_rev: Rev(row.get(8)?),
                    },
                ))
            })
            .optional()?;
        row.map(|(mode, instance)| Ok(Instance { mode: mode.parse()?, ..instance })).transpose()
    }
}

impl Tx<'_> {
    /// Starts a boot: makes the row at the very first, else gives it a new boot. Another fingerprint than the stored one
    /// means a copied folder or a cloned machine: safe mode begins, and the stored fingerprint stays until
    /// [`Tx::leave_safe_mode`].
    ///
    /// # Errors
    /// Of SQLite.
    pub fn begin_boot(&self, fingerprint: &str) -> Result<Instance, LedgerError> {
        match self.find_instance()? {
            None => {
                self.connection.execute(
                    "INSERT INTO instance
                         (one, instance_id, epoch, boot, host_fingerprint, mode, automatic, last_rev, created_at)
                     VALUES (1, ?1, 1, ?2, ?3, 'normal', 0, 0, ?4)",
                    (random_name(8), random_name(8), fingerprint, micros(self.now())),
                )?;
            }
            Some(before) => {
                self.connection.execute("UPDATE instance SET boot = ?1", [random_name(8)])?;
                if before.host_fingerprint != fingerprint && before.mode == Mode::Normal {
                    self.enter_safe_mode(
                        "This ledger last worked on another machine or in another folder, so a second copy of it may be \
                         at work there.",
                    )?;
                }
            }
        }
        self.instance()
    }

    /// From now on nothing is sent, and automatic mode is off.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn enter_safe_mode(&self, reason: &str) -> Result<(), LedgerError> {
        // From now on records get numbers of another range.
        self.record.set(None);
        self.connection
            .execute("UPDATE instance SET mode = 'safe', safe_reason = ?1, automatic = 0", [reason])
            .map(drop)
            .map_err(Into::into)
    }

    /// Back to normal: the epoch rises and this machine is the ledger's from now on. What has to happen to intents and
    /// platforms first is the restore's business.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn leave_safe_mode(&self, fingerprint: &str) -> Result<Instance, LedgerError> {
        self.record.set(None);
        self.connection.execute(
            "UPDATE instance SET mode = 'normal', safe_reason = NULL, epoch = epoch + 1, host_fingerprint = ?1",
            [fingerprint],
        )?;
        self.instance()
    }

    /// Notes when the backup was made that this ledger comes from; `None` once it is dealt with.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_backup_at(&self, at: Option<Timestamp>) -> Result<(), LedgerError> {
        self.connection.execute("UPDATE instance SET backup_at = ?1", [at.map(micros)])?;
        Ok(())
    }

    /// Turns automatic mode on or off.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when it is to be turned on in safe mode.
    pub fn set_automatic(&self, on: bool) -> Result<(), LedgerError> {
        if on && self.instance()?.mode == Mode::Safe {
            return Err(LedgerError::Conflict {
                message: "automatic mode stays off in safe mode; leave safe mode first".into(),
            });
        }
        self.connection.execute("UPDATE instance SET automatic = ?1", [on])?;
        Ok(())
    }
}

/// What tells this machine and folder from a copy: a hash of the machine's id and of where the data folder is.
#[must_use]
pub fn host_fingerprint(folder: &Path) -> String {
    let mut hasher = blake3::Hasher::new();
    for source in ["/etc/machine-id", "/sys/class/dmi/id/product_uuid"] {
        hasher.update(std::fs::read(source).unwrap_or_default().trim_ascii());
        hasher.update(b"\0");
    }
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    hasher.update(folder.as_os_str().as_encoded_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Hexadecimal random name of so many bytes.
fn random_name(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).expect("an operating system that Rust supports has randomness");
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{Home, write};

    #[tokio::test]
    async fn a_boot_is_new_each_time_and_the_identity_stays() {
        let home = Home::new();
        let ledger = home.open();
        let first = write(&ledger, |tx| tx.begin_boot("here")).await;
        let second = write(&ledger, |tx| tx.begin_boot("here")).await;
        assert_eq!((first.epoch, first.mode), (1, Mode::Normal));
        assert_eq!(first.instance_id, second.instance_id);
        assert_ne!(first.boot, second.boot);
        assert_eq!(second.mode, Mode::Normal);
    }

    #[tokio::test]
    async fn a_copied_folder_wakes_in_safe_mode() {
        let home = Home::new();
        let ledger = home.open();
        write(&ledger, |tx| tx.begin_boot("here")).await;
        write(&ledger, |tx| tx.set_automatic(true)).await;
        let copy = write(&ledger, |tx| tx.begin_boot("there")).await;
        assert_eq!((copy.mode, copy.automatic), (Mode::Safe, false));
        assert!(copy.safe_reason.is_some());
        // It stays safe at the next start too, and cannot be made automatic.
        assert_eq!(write(&ledger, |tx| tx.begin_boot("there")).await.mode, Mode::Safe);
        assert!(matches!(ledger.write(|tx| tx.set_automatic(true)).await, Err(LedgerError::Conflict { .. })));
        let left = write(&ledger, |tx| tx.leave_safe_mode("there")).await;
        assert_eq!((left.mode, left.epoch), (Mode::Normal, 2));
        assert_eq!(write(&ledger, |tx| tx.begin_boot("there")).await.mode, Mode::Normal);
    }
}
