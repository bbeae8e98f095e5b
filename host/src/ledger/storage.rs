//! What connectors keep, per platform. Written with the result of the call that wrote it, or not at all.

use rusqlite::OptionalExtension;

use super::{LedgerError, Tx, View};
use crate::model::{PlatformId, StorageWrite};

impl View<'_> {
    /// A value.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn storage_value(&self, platform: PlatformId, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        self.connection
            .prepare_cached("SELECT value FROM storage WHERE platform = ?1 AND key = ?2")?
            .query_row((platform.0, key), |row| row.get(0))
            .optional()
            .map_err(Into::into)
    }

    /// Keys that begin with the prefix, in order.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn storage_keys(&self, platform: PlatformId, prefix: &str) -> Result<Vec<String>, LedgerError> {
        self.connection
            .prepare_cached("SELECT key FROM storage WHERE platform = ?1 AND key >= ?2 ORDER BY key")?
            .query_map((platform.0, prefix), |row| row.get::<_, String>(0))?
            .take_while(|key| key.as_ref().map_or(true, |key| key.starts_with(prefix)))
            .collect::<Result<_, _>>()
            .map_err(Into::into)
    }

    /// Bytes of all keys and values of a platform.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn storage_size(&self, platform: PlatformId) -> Result<u64, LedgerError> {
        self.connection
            .prepare_cached(
                "SELECT coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0) FROM storage WHERE platform = ?1",
            )?
            .query_row([platform.0], |row| row.get(0).map(i64::cast_unsigned))
            .map_err(Into::into)
    }
}

impl Tx<'_> {
    /// Applies the writes of a call, in order.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn store(&self, platform: PlatformId, writes: &[StorageWrite]) -> Result<(), LedgerError> {
        for write in writes {
            match &write.value {
                Some(value) => self
                    .connection
                    .prepare_cached("INSERT OR REPLACE INTO storage (platform, key, value) VALUES (?1, ?2, ?3)")?
                    .execute((platform.0, &write.key, value))?,
                None => self
                    .connection
                    .prepare_cached("DELETE FROM storage WHERE platform = ?1 AND key = ?2")?
                    .execute((platform.0, &write.key))?,
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::tests::{Home, platform, write};

    #[tokio::test]
    async fn writes_apply_in_order_and_prefixes_list() {
        let home = Home::new();
        let ledger = home.booted().await;
        let (shop, other) = (platform(&ledger, "shop").await, platform(&ledger, "other").await);
        write(&ledger, move |tx| {
            let put =
                |key: &str, value: Option<&[u8]>| StorageWrite { key: key.into(), value: value.map(<[u8]>::to_vec) };
            tx.store(shop, &[put("a/1", Some(b"x")), put("a/2", Some(b"yy")), put("b", Some(b"z")), put("a/1", None)])?;
            tx.store(other, &[put("a/9", Some(b"other"))])?;
            assert_eq!(tx.storage_keys(shop, "a/")?, ["a/2"]);
            assert_eq!(tx.storage_value(shop, "a/2")?.as_deref(), Some(&b"yy"[..]));
            assert_eq!(tx.storage_value(shop, "a/1")?, None);
            assert_eq!(tx.storage_size(shop)?, 3 + 2 + 1 + 1);
            Ok(())
        })
        .await;
    }
}
