//! Compiled code on disk, so that a start does not compile every connector again.
//!
//! Loading machine code is running it: whoever can write an entry owns the process. So the folder is private, entries
//! are authenticated with a key that lies in it, and any doubt is a miss that compiles again. Nothing from the plugins
//! folder ever gets here except through the compiler.
#![expect(unsafe_code, reason = "the one place that loads compiled code; see `Cache::load` and `just_compiled`")]

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Entries kept; the least recently used ones go first.
const ENTRIES: usize = 64;

/// The compiled-code cache of one data folder.
pub struct Cache {
    folder: PathBuf,
    key: [u8; 32],
}

/// Why there is no cache. The host runs without one, only slower at its start.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The disk refused.
    #[error("the folder of compiled code {path} cannot be used")]
    File {
        /// File or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder belongs to somebody else or is a link.
    #[error("the folder of compiled code {path} is not a folder of this user; remove it, it is made again")]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

impl Cache {
    /// Opens the folder, making it and its key, and takes every right on it from others.
    ///
    /// # Errors
    /// When the disk refuses or the folder is not this user's own.
    pub fn open(folder: &Path) -> Result<Self, CacheError> {
        let at = |source| CacheError::File { path: folder.to_owned(), source };
        match DirBuilder::new().recursive(true).mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(at(error)),
            _ => {}
        }
        let meta = fs::symlink_metadata(folder).map_err(at)?;
        let parent = folder.parent().map(fs::metadata).transpose().map_err(at)?;
        if !meta.is_dir() || parent.is_some_and(|parent| parent.uid() != meta.uid()) {
            return Err(CacheError::Foreign { path: folder.to_owned() });
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(at)?;
        Ok(Self { folder: folder.to_owned(), key: key(&folder.join("key"))? })
    }

    /// The code of a component, if it was compiled before by this very engine. `None` for every doubt.
    pub(super) fn load(&self, engine: &Engine, component: &[u8]) -> Option<Component> {
        let name = entry(engine, component);
        let path = self.folder.join(&name);
        let mut bytes = Vec::new();
        let file = File::open(&path).ok()?;
        (&file).read_to_end(&mut bytes).ok()?;
        let (mac, code) = bytes.split_first_chunk::<32>()?;
        // `blake3::Hash` compares in constant time.
        if self.mac(&name, code) != blake3::Hash::from_bytes(*mac) {
            tracing::warn!(path = %path.display(), "compiled code was changed by somebody else; it is compiled again");
            let _ = fs::remove_file(&path);
            return None;
        }
        // SAFETY: `deserialize` asks for bytes that `Component::serialize` made. These are: the MAC over exactly the
        // bytes in this buffer, bound to their name, proves that this program wrote them, since nobody else has the
        // key. The name contains the engine's compatibility hash, and wasmtime checks version and settings again.
        let loaded = unsafe { Component::deserialize(engine, code) };
        match loaded {
            Ok(component) => {
                warm(&component);
                let _ = file.set_modified(SystemTime::now());
                Some(component)
            }
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), "compiled code does not fit; it is compiled again");
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Keeps the code of a component. A failure costs time at the next start and nothing else.
    pub(super) fn store(&self, engine: &Engine, component: &[u8], code: &[u8]) {
        let name = entry(engine, component);
        let write = || {
            // A name of its own for each writer: two may compile the same file at the same time.
            let temp = self.folder.join(format!("{name}.{:?}.tmp", std::thread::current().id()));
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temp)?;
            file.write_all(self.mac(&name, code).as_bytes())?;
            file.write_all(code)?;
            drop(file);
            fs::rename(&temp, self.folder.join(&name))
        };
        let written: io::Result<()> = write();
        if let Err(error) = written {
            tracing::warn!(%error, "compiled code cannot be kept");
        }
        self.prune();
    }

    fn prune(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut entries: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.file_name() != "key")
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        entries.sort();
        let extra = entries.len().saturating_sub(ENTRIES);
        for (_, path) in entries.into_iter().take(extra) {
            let _ = fs::remove_file(path);
        }
    }

    fn mac(&self, name: &str, code: &[u8]) -> blake3::Hash {
        let mut mac = blake3::Hasher::new_keyed(&self.key);
        mac.update(name.as_bytes());
        mac.update(code);
        mac.finalize()
    }
}

/// Loads code that this program's own compiler has just handed over, from memory.
///
/// # Errors
/// When it is not for this engine.
pub(super) fn just_compiled(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes come out of `Engine::precompile_component`, in this process or in one of this very program that
    // this process started and heard through a pipe; nobody else could write them. Wasmtime checks version and settings.
    let component = unsafe { Component::deserialize(engine, code) }?;
    warm(&component);
    Ok(component)
}

/// Makes the memory image now and not in the first call.
fn warm(component: &Component) {
    if let Err(error) = component.initialize_copy_on_write_image() {
        tracing::debug!(error = format!("{error:#}"), "memory image is made at the first call instead");
    }
}

/// Name of an entry, of fixed length: the component's SHA-256 and the engine's compatibility.
fn entry(engine: &Engine, component: &[u8]) -> String {
    let component: String = Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{component}-{}", compatibility(engine))
}

/// Hash of everything that code depends on: wasmtime's version and settings, the processor.
pub(super) fn compatibility(engine: &Engine) -> String {
    struct Digest(blake3::Hasher);
    impl Hasher for Digest {
        fn finish(&self) -> u64 {
            0
        }
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
    }
    let mut digest = Digest(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut digest);
    digest.0.finalize().to_hex()[..32].to_owned()
}

fn key(path: &Path) -> Result<[u8; 32], CacheError> {
    let at = |source| CacheError::File { path: path.to_owned(), source };
    match fs::read(path) {
        Ok(bytes) => {
            if let Ok(key) = bytes.try_into() {
                return Ok(key);
            }
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(error)),
        Err(_) => {}
    }
    // None yet, or cut short: with a new key every old entry is a miss.
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(CacheError::Random)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(at)?;
    file.write_all(&key).map_err(at)?;
    Ok(key)
}

#[cfg(test)]
mod tests;
