//! Ledgers for the tests of the ledger's verbs and of the engine.

use std::path::PathBuf;

use super::platform::NewPlatform;
use super::{Ledger, LedgerError, Options, Tx, View};
use crate::model::{PlatformCode, PlatformId};

/// A folder with a ledger in it, gone with the test.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    pub(crate) fn open(&self) -> Ledger {
        self.open_with(Options::default())
    }

    pub(crate) fn open_with(&self, options: Options) -> Ledger {
        Ledger::open(&self.path(), options).unwrap()
    }

    /// An open ledger that has booted.
    pub(crate) async fn booted(&self) -> Ledger {
        let ledger = self.open();
        write(&ledger, |tx| tx.begin_boot("here")).await;
        ledger
    }
}

pub(crate) async fn write<T: Send + 'static>(
    ledger: &Ledger,
    work: impl FnOnce(&Tx<'_>) -> Result<T, LedgerError> + Send + 'static,
) -> T {
    ledger.write(work).await.unwrap()
}

pub(crate) async fn read<T: Send + 'static>(
    ledger: &Ledger,
    work: impl FnOnce(&View<'_>) -> Result<T, LedgerError> + Send + 'static,
) -> T {
    ledger.read(work).await.unwrap()
}

/// A platform by that code.
pub(crate) async fn platform(ledger: &Ledger, code: &'static str) -> PlatformId {
    write(ledger, move |tx| {
        tx.add_platform(&NewPlatform {
            code: PlatformCode::parse(code).unwrap(),
            name: code.to_owned(),
            connector: format!("test.{code}"),
            settings: serde_json::json!({}),
        })
    })
    .await
}
