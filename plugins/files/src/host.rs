//! What the connector uses of the host, as a trait: everything is tested without a sandbox.

use tradepost_sdk::files::Entry;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::report::Level;
use tradepost_sdk::settings::Json;
use tradepost_sdk::types::{BlobRef, Error};
use tradepost_sdk::{files, platform, report, storage};

use crate::settings::{Settings, Setup};

/// The powers lent by the host.
pub(crate) trait Host {
    /// What stands in a folder, sorted by name.
    fn entries(&self, folder: &str) -> Result<Vec<Entry>, Error>;
    /// Bytes of a file.
    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error>;
    /// Replaces a file as a whole.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Error>;
    /// Moves a file.
    fn rename(&self, path: &str, target: &str) -> Result<(), Error>;
    /// A file's bytes as a blob.
    fn to_blob(&self, path: &str, media_type: &str) -> Result<BlobRef, Error>;
    /// A kept value.
    fn load(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;
    /// Keeps a value, whatever becomes of the call.
    fn keep(&self, key: &str, value: &[u8]) -> Result<(), Error>;
    /// The host's clock.
    fn now(&self) -> String;
    /// Nothing may be written.
    fn preview(&self) -> bool;
    /// Says what became of a pushed item.
    fn settle(&self, item: &str, outcome: Outcome);
    /// A line for the platform's log.
    fn log(&self, level: Level, message: &str);
}

/// The host around the sandbox.
pub(crate) struct Lender;

impl Host for Lender {
    fn entries(&self, folder: &str) -> Result<Vec<Entry>, Error> {
        files::entries(folder)
    }

    fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
        files::read(path, offset, length)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        files::write(path, bytes)
    }

    fn rename(&self, path: &str, target: &str) -> Result<(), Error> {
        files::rename(path, target)
    }

    fn to_blob(&self, path: &str, media_type: &str) -> Result<BlobRef, Error> {
        files::to_blob(path, media_type)
    }

    fn load(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        storage::get(key)
    }

    fn keep(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        storage::set_now(key, value)
    }

    fn now(&self) -> String {
        platform::now()
    }

    fn preview(&self) -> bool {
        platform::preview()
    }

    fn settle(&self, item: &str, outcome: Outcome) {
        report::settle(item, &outcome);
    }

    fn log(&self, level: Level, message: &str) {
        report::log(level, message, &[]);
    }
}

/// The exchange folder with the settings that say how to read it.
pub(crate) struct Folder<'a> {
    pub(crate) host: &'a dyn Host,
    pub(crate) setup: Setup,
}

impl<'a> Folder<'a> {
    /// The folder of the platform that the call is for.
    pub(crate) fn of_platform(host: &'a dyn Host) -> Result<Self, Error> {
        let Json(settings) = tradepost_sdk::settings()?;
        Self::new(host, settings)
    }

    pub(crate) fn new(host: &'a dyn Host, settings: Settings) -> Result<Self, Error> {
        Ok(Self { host, setup: Setup::new(settings)? })
    }

    /// The whole of a file that we wrote ourselves; nothing when it is not there.
    pub(crate) fn whole(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let mut bytes = Vec::new();
        loop {
            match self.host.read(path, bytes.len() as u64, CHUNK) {
                Ok(chunk) if chunk.is_empty() => return Ok(Some(bytes)),
                Ok(chunk) => bytes.extend(chunk),
                Err(Error::NotFound(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether anything stands under this name.
    pub(crate) fn is_there(&self, path: &str) -> Result<bool, Error> {
        match self.host.read(path, 0, 1) {
            // Too large to be read, but there.
            Ok(_) | Err(Error::Denied(_)) => Ok(true),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

const CHUNK: u32 = 1024 * 1024;

/// A folder in memory.
#[cfg(any(test, fuzzing))]
pub(crate) mod fake {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;

    pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";
    pub(crate) const OLD: &str = "2026-11-22T08:00:00Z";

    #[derive(Default)]
    pub(crate) struct Memory {
        pub(crate) files: RefCell<BTreeMap<String, (Vec<u8>, String)>>,
        pub(crate) kept: RefCell<BTreeMap<String, Vec<u8>>>,
        pub(crate) settled: RefCell<Vec<(String, Outcome)>>,
        pub(crate) logged: RefCell<Vec<String>>,
        /// Bytes handed out.
        pub(crate) read: Cell<u64>,
        pub(crate) preview: Cell<bool>,
    }

    impl Memory {
        pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
            let memory = Self::default();
            for (path, bytes) in files {
                memory.put(path, bytes);
            }
            memory
        }

        pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
            self.put_at(path, bytes, OLD);
        }

        pub(crate) fn put_at(&self, path: &str, bytes: &[u8], at: &str) {
            self.files.borrow_mut().insert(path.into(), (bytes.to_vec(), at.into()));
        }

        pub(crate) fn folder(&self, settings: serde_json::Value) -> Folder<'_> {
            Folder::new(self, serde_json::from_value(settings).unwrap()).unwrap()
        }

        #[cfg(test)]
        pub(crate) fn text(&self, path: &str) -> Option<String> {
            self.files.borrow().get(path).map(|(bytes, _)| String::from_utf8_lossy(bytes).into_owned())
        }

        #[cfg(test)]
        pub(crate) fn paths(&self) -> Vec<String> {
            self.files.borrow().keys().cloned().collect()
        }
    }

    impl Host for Memory {
        fn entries(&self, folder: &str) -> Result<Vec<Entry>, Error> {
            let files = self.files.borrow();
            let entry = |(path, (bytes, modified)): (&String, &(Vec<u8>, String))| {
                let name = path.strip_prefix(folder)?.strip_prefix('/')?;
                Some(Entry {
                    name: name.into(),
                    folder: name.contains('/'),
                    size: bytes.len() as u64,
                    modified: modified.clone(),
                })
            };
            Ok(files.iter().filter_map(entry).collect())
        }

        fn read(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
            let files = self.files.borrow();
            let (bytes, _) = files.get(path).ok_or_else(|| Error::NotFound(path.into()))?;
            let from = (offset as usize).min(bytes.len());
            let to = (from + length as usize).min(bytes.len());
            self.read.set(self.read.get() + (to - from) as u64);
            Ok(bytes[from..to].to_vec())
        }

        fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
            assert!(!self.preview.get(), "a preview writes nothing");
            self.put_at(path, bytes, NOW);
            Ok(())
        }

        fn rename(&self, path: &str, target: &str) -> Result<(), Error> {
            let mut files = self.files.borrow_mut();
            match (files.contains_key(path), files.contains_key(target)) {
                (false, true) => Ok(()),
                (false, false) => Err(Error::NotFound(path.into())),
                (true, true) => Err(Error::Conflict(Some(target.into()))),
                (true, false) => {
                    let file = files.remove(path).unwrap();
                    files.insert(target.into(), file);
                    Ok(())
                }
            }
        }

        fn to_blob(&self, path: &str, media_type: &str) -> Result<BlobRef, Error> {
            let files = self.files.borrow();
            let (bytes, _) = files.get(path).ok_or_else(|| Error::NotFound(path.into()))?;
            let (size, name) = (bytes.len() as u64, Some(path.into()));
            Ok(BlobRef { id: format!("blob:{path}"), size, media_type: media_type.into(), name })
        }

        fn load(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            Ok(self.kept.borrow().get(key).cloned())
        }

        fn keep(&self, key: &str, value: &[u8]) -> Result<(), Error> {
            self.kept.borrow_mut().insert(key.into(), value.into());
            Ok(())
        }

        fn now(&self) -> String {
            NOW.into()
        }

        fn preview(&self) -> bool {
            self.preview.get()
        }

        fn settle(&self, item: &str, outcome: Outcome) {
            self.settled.borrow_mut().push((item.into(), outcome));
        }

        fn log(&self, _level: Level, message: &str) {
            self.logged.borrow_mut().push(message.into());
        }
    }
}
