//! `files`: the exchange folder, if one was granted.

use std::io::Read;
use std::sync::Arc;

use super::super::bindings::v0_1::wit::tradepost::connector::files::{self, Host};
use super::super::bindings::v0_1::wit::tradepost::connector::types::{BlobRef, Error};
use super::super::exchange::{Entry, Exchange, ExchangeError};
use super::super::instance::{Cost, HostError, State};
use super::super::limits::Limit;
use super::super::log::escaped;
use super::super::power::CallContext;
use super::Phase;
use super::blobs::{CHUNK, check_media_type, to_blob_ref};

/// What a file is needed for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Read,
    Write,
    Move,
}

impl State {
    fn exchange(&self, purpose: Use, path: &str) -> Result<Arc<Exchange>, Error> {
        let deny = |words: &str| Err(Error::Denied(words.to_owned()));
        let phase = &self.call.phase;
        if matches!(phase, Phase::Describe) {
            return deny("there are no files while the connector describes itself");
        }
        if purpose != Use::Read && self.call.context.preview {
            return deny("a preview writes and moves no files");
        }
        match (purpose, phase) {
            (Use::Read, _)
            | (Use::Write, Phase::Acknowledge | Phase::Push(_) | Phase::Remove(_))
            | (Use::Move, Phase::Acknowledge) => {}
            (Use::Write, Phase::Pull) if path.starts_with("failed/") => {}
            (Use::Write, Phase::Pull) => return deny("while it reads, a connector writes only below `failed`"),
            (Use::Write, _) => return deny("files are written in `pull`, `acknowledge`, `push` and `remove` only"),
            (Use::Move, _) => return deny("files are moved in `acknowledge` only, when what was read is durable"),
        }
        match &self.call.powers.exchange {
            Some(exchange) => Ok(exchange.clone()),
            None => deny("this platform was granted no exchange folder"),
        }
    }
}

impl State {
    /// What is seen of these files from now on is the call's own work.
    fn changes(&self, paths: &[&str]) {
        if let Some(looks) = self.call.context.deeds.looks() {
            paths.iter().for_each(|path| looks.changes(path));
        }
    }

    /// Whether a file of this size may still be written.
    fn fits(&self, size: u64) -> Result<(), Error> {
        let context = &self.call.context;
        if size > context.limits.file {
            return Err(Error::Denied(Limit::File.exceeded(&context.limits).to_string()));
        }
        context.writes(size).map_err(|exceeded| Error::Denied(exceeded.to_string()))
    }
}

/// Runs on a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ExchangeError> + Send + 'static,
) -> wasmtime::Result<Result<T, Error>> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(Ok(value)),
        Ok(Err(error)) => Ok(Err(refusal(&error))),
        Err(error) => Err(HostError::broken(&error)),
    }
}

fn refusal(error: &ExchangeError) -> Error {
    let words = escaped(&match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    });
    match error {
        ExchangeError::Path { .. } | ExchangeError::Special { .. } | ExchangeError::TooLarge { .. } => {
            Error::Denied(words)
        }
        ExchangeError::Missing { .. } => Error::NotFound(words),
        ExchangeError::Occupied { .. } => Error::Conflict(Some(words)),
        ExchangeError::File { .. } => Error::Unavailable(words),
    }
}

/// Counts a write that a person or an ERP can see; only in `push` and `remove` could it make something twice. Refuses it
/// when the call is over: a slow disk must not make visible what was counted as certainly not done.
fn leaves(phase: &Phase, context: &CallContext) -> impl Fn() -> bool + use<> {
    let counted = matches!(phase, Phase::Push(_) | Phase::Remove(_));
    let context = context.clone();
    move || if counted { context.leaves() } else { !context.is_over() }
}

impl Host for State {
    async fn entries(&mut self, folder: String) -> wasmtime::Result<Result<Vec<files::Entry>, Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            let exchange = match self.exchange(Use::Read, &folder) {
                Ok(exchange) => exchange,
                Err(error) => return Ok(Err(error)),
            };
            let deeds = self.call.context.deeds.clone();
            let entries = blocking(move || {
                let entries = exchange.entries(&folder)?;
                if let Some(looks) = deeds.looks() {
                    looks.listed(&folder, &entries);
                }
                Ok(entries)
            });
            let entries = entries.await?;
            let entry = |Entry { name, folder, size, modified }| {
                let modified = modified.to_string();
                files::Entry { name, folder, size, modified }
            };
            Ok(entries.map(|entries| entries.into_iter().map(entry).collect()))
        })
        .await
    }

    async fn read(&mut self, path: String, offset: u64, length: u32) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            let exchange = match self.exchange(Use::Read, &path) {
                Ok(exchange) => exchange,
                Err(error) => return Ok(Err(error)),
            };
            let most = self.call.context.limits.file;
            let deeds = self.call.context.deeds.clone();
            blocking(move || {
                let bytes = exchange.read(&path, offset, length.min(CHUNK), most);
                if let Some(looks) = deeds.looks() {
                    looks.found(&path, || exchange.entry(&path));
                    looks.read(&path, offset, bytes.as_deref().unwrap_or_default());
                }
                bytes
            })
            .await
        })
        .await
    }

    async fn to_blob(&mut self, path: String, media_type: String) -> wasmtime::Result<Result<BlobRef, Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            let exchange = match self.exchange(Use::Read, &path).and_then(|e| check_media_type(&media_type).map(|()| e))
            {
                Ok(exchange) => exchange,
                Err(error) => return Ok(Err(error)),
            };
            let limits = self.call.context.limits.clone();
            let most = limits.file.min(limits.blob);
            let name = path.rsplit('/').next().map(str::to_owned);
            let shown: Arc<str> = path.as_str().into();
            let deeds = self.call.context.deeds.clone();
            let file = blocking(move || {
                if let Some(looks) = deeds.looks() {
                    looks.found(&path, || exchange.entry(&path));
                }
                exchange.reader(&path, most)
            });
            let mut file = match file.await? {
                Ok(file) => file,
                Err(error) => return Ok(Err(error)),
            };
            let blobs = self.call.context.blobs.clone();
            let mut writer = blobs.writer().await.map_err(|error| HostError::broken(&error))?;
            loop {
                let shown = shown.clone();
                let read = blocking(move || {
                    let mut chunk = Vec::new();
                    match (&mut file).take(CHUNK.into()).read_to_end(&mut chunk) {
                        Ok(_) => Ok((file, chunk)),
                        Err(source) => Err(ExchangeError::File { path: shown.to_string(), source }),
                    }
                });
                let (rest, chunk) = match read.await? {
                    Ok(read) => read,
                    Err(error) => return Ok(Err(error)),
                };
                if chunk.is_empty() {
                    break;
                }
                writer.write(&chunk).await.map_err(|error| HostError::broken(&error))?;
                if let Err(exceeded) = self.call.context.writes(chunk.len() as u64) {
                    return Ok(Err(Error::Denied(exceeded.to_string())));
                }
                // It may have grown since it was opened.
                if writer.size() > most {
                    return Ok(Err(Error::Denied(Limit::File.exceeded(&limits).to_string())));
                }
                file = rest;
            }
            let blob = blobs.keep(writer, &media_type, name.as_deref(), None).await;
            blob.map(|blob| Ok(to_blob_ref(blob))).map_err(|error| HostError::broken(&error))
        })
        .await
    }

    async fn write(&mut self, path: String, bytes: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            let exchange = match self.exchange(Use::Write, &path) {
                Ok(exchange) => exchange,
                Err(error) => return Ok(Err(error)),
            };
            if let Err(error) = self.fits(bytes.len() as u64) {
                return Ok(Err(error));
            }
            self.changes(&[&path]);
            let leaves = leaves(&self.call.phase, &self.call.context);
            blocking(move || exchange.write(&path, &mut bytes.as_slice(), &leaves)).await
        })
        .await
    }

    async fn write_blob(&mut self, path: String, id: String) -> wasmtime::Result<Result<(), Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            let exchange = match self.exchange(Use::Write, &path) {
                Ok(exchange) => exchange,
                Err(error) => return Ok(Err(error)),
            };
            let blob = match self.blob(&id).await? {
                Ok(blob) => blob,
                Err(error) => return Ok(Err(error)),
            };
            if let Err(error) = self.fits(blob.size) {
                return Ok(Err(error));
            }
            let Some(file) = self.call.context.blobs.open(&blob).await.map_err(|error| HostError::broken(&error))?
            else {
                return Ok(Err(Error::NotFound(format!("the bytes of blob `{id}` are gone"))));
            };
            let mut file = file.into_std().await;
            self.changes(&[&path]);
            let leaves = leaves(&self.call.phase, &self.call.context);
            blocking(move || exchange.write(&path, &mut file, &leaves)).await
        })
        .await
    }

    async fn rename(&mut self, path: String, target: String) -> wasmtime::Result<Result<(), Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            match self.exchange(Use::Move, &path) {
                Ok(exchange) => {
                    let deeds = self.call.context.deeds.clone();
                    blocking(move || {
                        if let Some(looks) = deeds.looks() {
                            for moved in [&path, &target] {
                                looks.found(moved, || exchange.entry(moved));
                                looks.changes(moved);
                            }
                        }
                        exchange.rename(&path, &target)
                    })
                    .await
                }
                Err(error) => Ok(Err(error)),
            }
        })
        .await
    }
}
