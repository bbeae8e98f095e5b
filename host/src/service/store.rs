//! The ledger's storage and blobs as the runtime lends them.

use async_trait::async_trait;

use crate::ledger::blob::StoredBlob;
use crate::ledger::{Ledger, LedgerError};
use crate::model::{PlatformId, StorageWrite};
use crate::runtime::power::{Blob, Store};

/// [`Store`] over the ledger.
#[derive(Clone)]
pub struct LedgerStore(pub Ledger);

#[async_trait]
impl Store for LedgerStore {
    async fn get(&self, platform: PlatformId, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let key = key.to_owned();
        self.0.read(move |view| view.storage_value(platform, &key)).await
    }

    async fn keys(
        &self,
        platform: PlatformId,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<String>, LedgerError> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        let keys = self.0.read(move |view| view.storage_keys(platform, &prefix)).await?;
        Ok(keys.into_iter().filter(|key| after.as_ref().is_none_or(|after| key > after)).take(limit as usize).collect())
    }

    async fn size(&self, platform: PlatformId) -> Result<u64, LedgerError> {
        self.0.read(move |view| view.storage_size(platform)).await
    }

    async fn set_now(&self, platform: PlatformId, key: &str, value: &[u8]) -> Result<(), LedgerError> {
        let write = StorageWrite { key: key.to_owned(), value: Some(value.to_owned()) };
        self.0.write(move |tx| tx.store(platform, &[write])).await
    }

    async fn blob(&self, platform: PlatformId, id: &str) -> Result<Option<Blob>, LedgerError> {
        let id = id.to_owned();
        Ok(self.0.read(move |view| view.blob(platform, &id)).await?.map(lend))
    }

    async fn blob_with_content(
        &self,
        platform: PlatformId,
        content: &str,
    ) -> Result<Option<(PlatformId, Blob)>, LedgerError> {
        let content = content.to_owned();
        let found = self.0.read(move |view| view.blob_with_content(platform, &content)).await?;
        Ok(found.map(|stored| (stored.platform, lend(stored))))
    }

    async fn add_blob(&self, platform: PlatformId, blob: &Blob, url: Option<&str>) -> Result<(), LedgerError> {
        let Blob { id, content, size, media_type, name } = blob.clone();
        let stored = StoredBlob { platform, id, content, size, media_type, name };
        let url = url.map(str::to_owned);
        self.0.write(move |tx| tx.add_blob(&stored, url.as_deref())).await
    }
}

fn lend(stored: StoredBlob) -> Blob {
    let StoredBlob { id, content, size, media_type, name, .. } = stored;
    Blob { id, content, size, media_type, name }
}
