//! Storage and blobs of a platform in memory, with what a crash leaves of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tradepost::ledger::LedgerError;
use tradepost::model::{PlatformId, StorageWrite};
use tradepost::runtime::power::{Blob, Store};

type Values = BTreeMap<String, Vec<u8>>;

/// What one platform stored. A suite makes one per platform, so ids of platforms are not looked at.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    values: Values,
    /// Written with `set-now`.
    at_once: Values,
    blobs: HashMap<String, Blob>,
}

impl Memory {
    /// Storage as another build left it.
    pub(crate) fn holding(values: Values) -> Self {
        Self { inner: Mutex::new(Inner { values, ..Inner::default() }) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a call wrote becomes durable.
    pub(crate) fn commit(&self, writes: &[StorageWrite]) {
        let mut inner = self.inner();
        for write in writes {
            match &write.value {
                Some(value) => inner.values.insert(write.key.clone(), value.clone()),
                None => inner.values.remove(&write.key),
            };
        }
    }

    /// What was written with `set-now`, with its values of then.
    pub(crate) fn at_once(&self) -> Values {
        self.inner().at_once.clone()
    }

    /// All that is durable.
    pub(crate) fn values(&self) -> Values {
        self.inner().values.clone()
    }
}

#[async_trait]
impl Store for Memory {
    async fn get(&self, _: PlatformId, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.inner().values.get(key).cloned())
    }

    async fn keys(
        &self,
        _: PlatformId,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, LedgerError> {
        let fits = |key: &&String| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after);
        Ok(self.inner().values.keys().filter(fits).take(limit as usize).cloned().collect())
    }

    async fn size(&self, _: PlatformId) -> Result<u64, LedgerError> {
        Ok(self.inner().values.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum())
    }

    async fn set_now(&self, _: PlatformId, key: &str, value: &[u8]) -> Result<(), LedgerError> {
        let mut inner = self.inner();
        inner.values.insert(key.to_owned(), value.to_owned());
        inner.at_once.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn blob(&self, _: PlatformId, id: &str) -> Result<Option<Blob>, LedgerError> {
        Ok(self.inner().blobs.get(id).cloned())
    }

    async fn blob_with_content(
        &self,
        platform: PlatformId,
        content: &str,
    ) -> Result<Option<(PlatformId, Blob)>, LedgerError> {
        let found = self.inner().blobs.values().find(|blob| blob.content == content).cloned();
        Ok(found.map(|blob| (platform, blob)))
    }

    async fn add_blob(&self, _: PlatformId, blob: &Blob, _: Option<&str>) -> Result<(), LedgerError> {
        self.inner().blobs.insert(blob.id.clone(), blob.clone());
        Ok(())
    }
}
