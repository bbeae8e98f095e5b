//! `blobs`: large bytes outside the sandbox.

use super::super::bindings::v0_1::wit::tradepost::connector::blobs::Host;
use super::super::bindings::v0_1::wit::tradepost::connector::types::{BlobRef, Error};
use super::super::instance::{Cost, HostError, State};
use super::super::limits::Limit;
use super::super::power::Blob;
use super::Phase;

/// Most bytes of one read.
pub(super) const CHUNK: u32 = 4 << 20;

pub(super) fn to_blob_ref(blob: Blob) -> BlobRef {
    BlobRef { id: blob.id, size: blob.size, media_type: blob.media_type, name: blob.name }
}

/// A media type that can stand in a header.
pub(super) fn check_media_type(text: &str) -> Result<(), Error> {
    let plain = text.len() <= 127 && text.contains('/') && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    if plain {
        Ok(())
    } else {
        Err(Error::Denied(format!("`{}` is not a media type", super::super::log::escaped(text))))
    }
}

impl State {
    pub(super) fn blobs_granted(&self) -> Result<(), Error> {
        match self.call.phase {
            Phase::Describe => Err(Error::Denied("there are no blobs while the connector describes itself".into())),
            _ => Ok(()),
        }
    }

    /// The platform's blob with this id.
    pub(super) async fn blob(&mut self, id: &str) -> wasmtime::Result<Result<Blob, Error>> {
        let blob = self.call.context.blobs.get(id).await.map_err(|error| HostError::broken(&error))?;
        Ok(blob.ok_or_else(|| Error::NotFound(format!("blob `{}`", super::super::log::escaped(id)))))
    }
}

impl Host for State {
    async fn put(
        &mut self,
        bytes: Vec<u8>,
        media_type: String,
        name: Option<String>,
    ) -> wasmtime::Result<Result<BlobRef, Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            if let Err(error) = self.blobs_granted().and_then(|()| check_media_type(&media_type)) {
                return Ok(Err(error));
            }
            let limits = &self.call.context.limits;
            if bytes.len() as u64 > limits.blob {
                return Ok(Err(Error::Denied(Limit::Blob.exceeded(limits).to_string())));
            }
            if let Err(exceeded) = self.call.context.writes(bytes.len() as u64) {
                return Ok(Err(Error::Denied(exceeded.to_string())));
            }
            let blobs = &self.call.context.blobs;
            let kept = async {
                let mut writer = blobs.writer().await?;
                writer.write(&bytes).await?;
                blobs.keep(writer, &media_type, name.as_deref(), None).await
            };
            kept.await.map(|blob| Ok(to_blob_ref(blob))).map_err(|error| HostError::broken(&error))
        })
        .await
    }

    async fn read(&mut self, id: String, offset: u64, length: u32) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            if let Err(error) = self.blobs_granted() {
                return Ok(Err(error));
            }
            let blob = match self.blob(&id).await? {
                Ok(blob) => blob,
                Err(error) => return Ok(Err(error)),
            };
            let bytes = self.call.context.blobs.read(&blob, offset, length.min(CHUNK)).await;
            match bytes.map_err(|error| HostError::broken(&error))? {
                Some(bytes) => Ok(Ok(bytes)),
                None => Ok(Err(Error::NotFound(format!("the bytes of blob `{id}` are gone")))),
            }
        })
        .await
    }
}
