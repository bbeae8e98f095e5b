//! Large bytes outside the ledger: one file per content under the data folder, named by its hash, never changed. Equal
//! bytes are kept once; a platform knows them by random ids of its own.

use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::power::{Blob, NoStore, Store};
use crate::ledger::LedgerError;
use crate::model::PlatformId;

/// Why bytes were not kept or found.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The disk refused.
    #[error("the blob file {path} cannot be used")]
    File {
        /// File or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The ledger refused.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

/// The folder `blobs` of a data folder: `ab/cdef...` by content, `tmp/` for what is being written.
#[derive(Debug)]
pub struct BlobFolder {
    root: PathBuf,
}

impl BlobFolder {
    /// Opens the folder, making it, and removes what a crash left half-written. The caller holds the lock on the data
    /// folder.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn open(root: &Path) -> Result<Self, BlobError> {
        let tmp = root.join("tmp");
        let at = |source| BlobError::File { path: tmp.clone(), source };
        match std::fs::remove_dir_all(&tmp) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(error)),
            _ => {}
        }
        std::fs::create_dir_all(&tmp).map_err(at)?;
        Ok(Self { root: root.to_owned() })
    }

    /// Where the bytes of a content are. `None` when the text is no content id.
    #[must_use]
    pub fn path(&self, content: &str) -> Option<PathBuf> {
        let hex = content.len() == 64 && content.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        hex.then(|| self.root.join(&content[..2]).join(&content[2..]))
    }

    /// Opens the bytes of a content for streaming; `None` when they are not there.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn read(&self, content: &str) -> Result<Option<File>, BlobError> {
        let Some(path) = self.path(content) else { return Ok(None) };
        match File::open(&path).await {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BlobError::File { path, source }),
        }
    }

    /// Starts a new content.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn writer(&self) -> Result<BlobWriter, BlobError> {
        let path = self.root.join("tmp").join(random_id()?);
        let file = File::create_new(&path).await.map_err(|source| BlobError::File { path: path.clone(), source })?;
        Ok(BlobWriter { file, temp: TempPath(path), root: self.root.clone(), hasher: blake3::Hasher::new(), size: 0 })
    }
}

/// Bytes on their way into a [`BlobFolder`]; dropped before [`BlobWriter::finish`] nothing remains.
pub struct BlobWriter {
    file: File,
    temp: TempPath,
    root: PathBuf,
    hasher: blake3::Hasher,
    size: u64,
}

struct TempPath(PathBuf);

impl Drop for TempPath {
    fn drop(&mut self) {
        // Gone already when the content was kept; what stays behind after a crash is removed at the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl BlobWriter {
    /// Appends bytes.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).await.map_err(|source| BlobError::File { path: self.temp.0.clone(), source })
    }

    /// Bytes so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Makes the content durable and returns its id and size.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn finish(mut self) -> Result<(String, u64), BlobError> {
        let content = self.hasher.finalize().to_hex().to_string();
        let folder = self.root.join(&content[..2]);
        let path = folder.join(&content[2..]);
        let at = |source| BlobError::File { path: path.clone(), source };
        self.file.flush().await.map_err(at)?;
        self.file.sync_all().await.map_err(at)?;
        let made = !fs::try_exists(&folder).await.map_err(at)?;
        fs::create_dir_all(&folder).await.map_err(at)?;
        // Renaming over an equal file changes nothing, so two writers of one content need not know of each other.
        fs::rename(&self.temp.0, &path).await.map_err(at)?;
        File::open(&folder).await.map_err(at)?.sync_all().await.map_err(at)?;
        if made {
            File::open(&self.root).await.map_err(at)?.sync_all().await.map_err(at)?;
        }
        Ok((content, self.size))
    }
}

/// The blobs of one platform.
#[derive(Clone)]
pub struct PlatformBlobs {
    folder: Arc<BlobFolder>,
    store: Arc<dyn Store>,
    platform: PlatformId,
}

impl PlatformBlobs {
    /// Of this platform.
    #[must_use]
    pub fn new(folder: Arc<BlobFolder>, store: Arc<dyn Store>, platform: PlatformId) -> Self {
        Self { folder, store, platform }
    }

    /// No blobs at all: while a connector describes itself, where the host functions refuse before they look.
    pub(super) fn none() -> Self {
        let folder = Arc::new(BlobFolder { root: PathBuf::from("/nonexistent") });
        Self { folder, store: Arc::new(NoStore), platform: PlatformId(0) }
    }

    /// The platform's blob with this id.
    ///
    /// # Errors
    /// When the ledger refuses.
    pub async fn get(&self, id: &str) -> Result<Option<Blob>, BlobError> {
        Ok(self.store.blob(self.platform, id).await?)
    }

    /// Opens the bytes of a blob for streaming; `None` when they are not there.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn open(&self, blob: &Blob) -> Result<Option<File>, BlobError> {
        self.folder.read(&blob.content).await
    }

    /// Some bytes of a blob; empty at its end, `None` when they are not there.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn read(&self, blob: &Blob, offset: u64, length: u32) -> Result<Option<Vec<u8>>, BlobError> {
        let Some(mut file) = self.open(blob).await? else { return Ok(None) };
        let at = |source| BlobError::File { path: self.folder.path(&blob.content).unwrap_or_default(), source };
        file.seek(SeekFrom::Start(offset)).await.map_err(at)?;
        let mut bytes = Vec::new();
        file.take(length.into()).read_to_end(&mut bytes).await.map_err(at)?;
        Ok(Some(bytes))
    }

    /// Starts a new content; hand it to [`Self::keep`].
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn writer(&self) -> Result<BlobWriter, BlobError> {
        self.folder.writer().await
    }

    /// Makes written bytes durable and gives the platform an id for them. `url` is where they were fetched from.
    ///
    /// # Errors
    /// When disk or ledger refuse.
    pub async fn keep(
        &self,
        writer: BlobWriter,
        media_type: &str,
        name: Option<&str>,
        url: Option<&str>,
    ) -> Result<Blob, BlobError> {
        let (content, size) = writer.finish().await?;
        let id = random_id()?;
        let blob = Blob { id, content, size, media_type: media_type.to_owned(), name: name.map(str::to_owned) };
        self.store.add_blob(self.platform, &blob, url).await?;
        Ok(blob)
    }

    /// The platform's own blob with this content, made if only another platform has it; `None` when nobody has it.
    ///
    /// # Errors
    /// When ledger or system refuse.
    pub async fn lend(&self, content: &str) -> Result<Option<Blob>, BlobError> {
        match self.store.blob_with_content(self.platform, content).await? {
            None => Ok(None),
            Some((platform, blob)) if platform == self.platform => Ok(Some(blob)),
            Some((_, blob)) => {
                let own = Blob { id: random_id()?, ..blob };
                self.store.add_blob(self.platform, &own, None).await?;
                Ok(Some(own))
            }
        }
    }
}

/// 128 random bits as text.
fn random_id() -> Result<String, BlobError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(BlobError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
