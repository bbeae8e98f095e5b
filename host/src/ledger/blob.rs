//! Which platform knows which bytes by which id; the bytes themselves are files named by content.

use rusqlite::{OptionalExtension, Row};

use super::{LedgerError, Tx, View, micros};
use crate::model::PlatformId;

/// Bytes as one platform knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlob {
    /// Platform.
    pub platform: PlatformId,
    /// Random id on that platform.
    pub id: String,
    /// Hex of the bytes' BLAKE3.
    pub content: String,
    /// Bytes.
    pub size: u64,
    /// Media type.
    pub media_type: String,
    /// File name, if known.
    pub name: Option<String>,
}

const COLUMNS: &str = "SELECT platform, id, content, size, media_type, name FROM blob";

fn blob(row: &Row<'_>) -> rusqlite::Result<StoredBlob> {
    Ok(StoredBlob {
        platform: PlatformId(row.get(0)?),
        id: row.get(1)?,
        content: row.get(2)?,
        size: row.get::<_, i64>(3)?.unsigned_abs(),
        media_type: row.get(4)?,
        name: row.get(5)?,
    })
}

impl View<'_> {
    /// The platform's blob with this id.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn blob(&self, platform: PlatformId, id: &str) -> Result<Option<StoredBlob>, LedgerError> {
        Ok(self
            .connection
            .prepare_cached(&format!("{COLUMNS} WHERE platform = ?1 AND id = ?2"))?
            .query_row((platform.0, id), blob)
            .optional()?)
    }

    /// A blob with this content, the platform's own if it has one.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn blob_with_content(&self, platform: PlatformId, content: &str) -> Result<Option<StoredBlob>, LedgerError> {
        Ok(self
            .connection
            .prepare_cached(&format!("{COLUMNS} WHERE content = ?2 ORDER BY platform <> ?1 LIMIT 1"))?
            .query_row((platform.0, content), blob)
            .optional()?)
    }

    /// What was fetched last from an address of this platform.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn blob_from(&self, platform: PlatformId, url: &str) -> Result<Option<StoredBlob>, LedgerError> {
        Ok(self
            .connection
            .prepare_cached(&format!("{COLUMNS} WHERE platform = ?1 AND url = ?2 ORDER BY at DESC LIMIT 1"))?
            .query_row((platform.0, url), blob)
            .optional()?)
    }
}

impl Tx<'_> {
    /// Remembers a blob whose bytes are durable.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn add_blob(&self, blob: &StoredBlob, url: Option<&str>) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(
                "INSERT INTO blob (platform, id, content, size, media_type, name, url, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                blob.platform.0,
                &blob.id,
                &blob.content,
                i64::try_from(blob.size).unwrap_or(i64::MAX),
                &blob.media_type,
                &blob.name,
                url,
                micros(self.now()),
            ))?;
        Ok(())
    }
}
