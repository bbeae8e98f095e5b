//! What a fake host keeps in memory.

use std::collections::BTreeMap;

use crate::files::Entry;
use crate::types::{BlobRef, Error};

/// Most bytes handed over at a time.
const PIECE: usize = 4 << 20;

/// Keys and values: those that are durable, and those of the call.
#[derive(Debug, Default)]
pub(super) struct Store {
    durable: BTreeMap<String, Vec<u8>>,
    /// Written by the call; `None` takes a key away.
    pending: BTreeMap<String, Option<Vec<u8>>>,
}

impl Store {
    pub(super) fn get(&self, key: &str) -> Option<&Vec<u8>> {
        match self.pending.get(key) {
            Some(value) => value.as_ref(),
            None => self.durable.get(key),
        }
    }

    pub(super) fn durable(&self, key: &str) -> Option<&Vec<u8>> {
        self.durable.get(key)
    }

    pub(super) fn set(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        fence(key, value)?;
        self.pending.insert(key.into(), Some(value.into()));
        Ok(())
    }

    pub(super) fn set_now(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        fence(key, value)?;
        self.pending.remove(key);
        self.durable.insert(key.into(), value.into());
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.pending.insert(key.into(), None);
    }

    pub(super) fn keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Vec<String> {
        let mut keys: Vec<&String> = self.durable.keys().chain(self.pending.keys()).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter()
            .filter(|key| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after))
            .filter(|key| self.get(key).is_some())
            .take(limit.min(1000) as usize)
            .cloned()
            .collect()
    }

    /// The call has ended: well, or not.
    pub(super) fn end(&mut self, well: bool) {
        for (key, value) in std::mem::take(&mut self.pending).into_iter().filter(|_| well) {
            match value {
                Some(value) => self.durable.insert(key, value),
                None => self.durable.remove(&key),
            };
        }
    }
}

fn fence(key: &str, value: &[u8]) -> Result<(), Error> {
    if key.is_empty() || key.len() > 255 {
        return Err(Error::Denied(format!("a key has 1 to 255 bytes, this one has {}", key.len())));
    }
    if value.len() > 1 << 20 {
        return Err(Error::Denied(format!("a value has at most 1 MiB, this one has {} bytes", value.len())));
    }
    Ok(())
}

/// Large bytes.
#[derive(Debug, Default)]
pub(super) struct Blobs(Vec<(BlobRef, Vec<u8>)>);

impl Blobs {
    pub(super) fn put(&mut self, bytes: &[u8], media_type: &str, name: Option<&str>) -> BlobRef {
        let blob = BlobRef {
            id: format!("blob-{}", self.0.len() + 1),
            size: bytes.len() as u64,
            media_type: media_type.into(),
            name: name.map(Into::into),
        };
        self.0.push((blob.clone(), bytes.into()));
        blob
    }

    pub(super) fn bytes(&self, id: &str) -> Result<&[u8], Error> {
        let found = self.0.iter().find(|(blob, _)| blob.id == id);
        found.map(|(_, bytes)| bytes.as_slice()).ok_or_else(|| Error::NotFound(format!("there is no blob `{id}`")))
    }
}

/// The exchange folder.
#[derive(Debug, Default)]
pub(super) struct Folder(BTreeMap<String, (Vec<u8>, String)>);

impl Folder {
    pub(super) fn put(&mut self, path: &str, bytes: Vec<u8>, at: String) {
        self.0.insert(path.into(), (bytes, at));
    }

    pub(super) fn bytes(&self, path: &str) -> Result<&[u8], Error> {
        let found = self.0.get(path);
        found.map(|(bytes, _)| bytes.as_slice()).ok_or_else(|| Error::NotFound(format!("there is no file `{path}`")))
    }

    pub(super) fn entries(&self, folder: &str) -> Vec<Entry> {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        let mut entries: Vec<Entry> = Vec::new();
        for (path, (bytes, modified)) in &self.0 {
            let Some(rest) = path.strip_prefix(&prefix) else { continue };
            let (name, folder) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
            let size = if folder { 0 } else { bytes.len() as u64 };
            if entries.last().is_none_or(|last| last.name != name) {
                entries.push(Entry { name: name.into(), folder, size, modified: modified.clone() });
            }
        }
        entries
    }

    pub(super) fn rename(&mut self, path: &str, target: &str) -> Result<(), Error> {
        match (self.0.contains_key(path), self.0.contains_key(target)) {
            (false, true) => Ok(()),
            (false, false) => Err(Error::NotFound(format!("there is no file `{path}`"))),
            (true, true) => Err(Error::Conflict(Some(target.into()))),
            (true, false) => {
                let file = self.0.remove(path);
                self.0.extend(file.map(|file| (target.to_owned(), file)));
                Ok(())
            }
        }
    }
}

/// A part of bytes as they are handed over.
pub(super) fn piece(bytes: &[u8], offset: u64, length: u32) -> Vec<u8> {
    let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    let to = from.saturating_add((length as usize).min(PIECE)).min(bytes.len());
    bytes[from..to].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_sees_its_own_writes_and_an_error_drops_them() {
        let mut store = Store::default();
        store.set("a", b"1").unwrap();
        store.end(true);
        store.set("b", b"2").unwrap();
        store.remove("a");
        assert_eq!(store.keys("", None, 10), ["b"]);
        store.end(false);
        assert_eq!(store.keys("", None, 10), ["a"]);
        assert!(store.set("", b"").is_err());
    }

    #[test]
    fn a_folder_lists_names_and_folders() {
        let mut folder = Folder::default();
        for path in ["inbox/a.csv", "inbox/b/c.csv", "inbox/b/d.csv", "outbox/x"] {
            folder.put(path, b"12".to_vec(), String::new());
        }
        let entries = folder.entries("inbox");
        let names: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.folder, entry.size)).collect();
        assert_eq!(names, [("a.csv", false, 2), ("b", true, 0)]);
        assert!(matches!(folder.rename("inbox/a.csv", "outbox/x"), Err(Error::Conflict(_))));
    }
}
