//! Storage and blobs in memory: for connectors outside of a service, and for tests.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::power::{Blob, Store};
use crate::ledger::LedgerError;
use crate::model::{PlatformId, StorageWrite};

/// [`Store`] that forgets everything when it is dropped. Keys and ids of one platform mean nothing to another.
#[derive(Debug, Default)]
pub struct Memory {
    values: Mutex<HashMap<PlatformId, BTreeMap<String, Vec<u8>>>>,
    blobs: Mutex<Vec<(PlatformId, Blob)>>,
}

impl Memory {
    fn of<T>(&self, platform: PlatformId, work: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T) -> T {
        work(self.values.lock().unwrap_or_else(PoisonError::into_inner).entry(platform).or_default())
    }

    fn blobs(&self) -> std::sync::MutexGuard<'_, Vec<(PlatformId, Blob)>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that a platform stored.
    #[must_use]
    pub fn values(&self, platform: PlatformId) -> BTreeMap<String, Vec<u8>> {
        self.of(platform, |values| values.clone())
    }

    /// Puts these in the place of what the platform stored.
    pub fn set_values(&self, platform: PlatformId, new: BTreeMap<String, Vec<u8>>) {
        self.of(platform, |values| *values = new);
    }

    /// Commits what a call wrote.
    pub fn commit(&self, platform: PlatformId, writes: Vec<StorageWrite>) {
        self.of(platform, |values| {
            for StorageWrite { key, value } in writes {
                match value {
                    Some(value) => drop(values.insert(key, value)),
                    None => drop(values.remove(&key)),
                }
            }
        });
    }
}

#[async_trait]
impl Store for Memory {
    async fn get(&self, platform: PlatformId, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.of(platform, |values| values.get(key).cloned()))
    }

    async fn keys(
        &self,
        platform: PlatformId,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, LedgerError> {
        let fits = |key: &&String| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after);
        Ok(self.of(platform, |values| values.keys().filter(fits).take(limit as usize).cloned().collect()))
    }

    async fn size(&self, platform: PlatformId) -> Result<u64, LedgerError> {
        Ok(self.of(platform, |values| values.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum()))
    }

    async fn set_now(&self, platform: PlatformId, key: &str, value: &[u8]) -> Result<(), LedgerError> {
        self.of(platform, |values| values.insert(key.into(), value.into()));
        Ok(())
    }

    async fn blob(&self, platform: PlatformId, id: &str) -> Result<Option<Blob>, LedgerError> {
        Ok(self.blobs().iter().find(|(owner, blob)| *owner == platform && blob.id == id).map(|(_, blob)| blob.clone()))
    }

    async fn blob_with_content(
        &self,
        platform: PlatformId,
        content: &str,
    ) -> Result<Option<(PlatformId, Blob)>, LedgerError> {
        let blobs = self.blobs();
        let with_content = || blobs.iter().filter(|(_, blob)| blob.content == content);
        Ok(with_content().find(|(owner, _)| *owner == platform).or_else(|| with_content().next()).cloned())
    }

    async fn add_blob(&self, platform: PlatformId, blob: &Blob, _: Option<&str>) -> Result<(), LedgerError> {
        self.blobs().push((platform, blob.clone()));
        Ok(())
    }
}
