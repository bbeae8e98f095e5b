//! `storage`: a platform's private keys and values. Writes are kept aside and go out with the call's result.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

use super::super::bindings::v0_1::wit::tradepost::connector::storage::Host;
use super::super::bindings::v0_1::wit::tradepost::connector::types::Error;
use super::super::instance::{Cost, HostError, State};
use super::super::limits::Limit;
use super::super::power::Store;
use crate::model::{PlatformId, StorageWrite, Turn};

/// Longest key and value, in bytes.
const KEY: usize = 255;
const VALUE: usize = 1 << 20;
/// Most keys of one listing.
const KEYS: u32 = 1000;

/// The lock on the storage of one platform.
pub(in crate::runtime) type StorageLock = Arc<tokio::sync::Mutex<()>>;

/// One run's way to the storage of its platform: whoever uses it first has it until the writes are committed. Further
/// calls of the same run join the turn, so that an acknowledgement does not wait for the page before it.
#[derive(Clone)]
pub(in crate::runtime) struct Turns {
    lock: StorageLock,
    current: Arc<Mutex<Weak<OwnedMutexGuard<()>>>>,
}

impl Turns {
    pub(in crate::runtime) fn new(lock: StorageLock) -> Self {
        Self { lock, current: Arc::default() }
    }

    async fn take(&self) -> Arc<OwnedMutexGuard<()>> {
        let current = || self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let joined = current().upgrade();
        if let Some(guard) = joined {
            return guard;
        }
        let guard = Arc::new(self.lock.clone().lock_owned().await);
        *current() = Arc::downgrade(&guard);
        guard
    }
}

/// What a call has written and nobody has committed.
#[derive(Default)]
pub(in crate::runtime) struct Overlay {
    writes: BTreeMap<String, Option<Vec<u8>>>,
    turn: Option<Arc<OwnedMutexGuard<()>>>,
    /// Bytes of the platform's storage with these writes, once known.
    size: Option<u64>,
    /// What was read, when somebody wants to know.
    reads: Option<Reads>,
}

/// What a call read of the storage as it was before.
#[derive(Default)]
struct Reads {
    values: BTreeMap<String, Option<Vec<u8>>>,
    listed: BTreeSet<String>,
    bytes: usize,
}

/// Most bytes of values that are remembered.
const READ: usize = 4 << 20;

impl Reads {
    fn value(&mut self, key: &str, value: Option<&Vec<u8>>) {
        let size = value.map_or(0, Vec::len);
        if !self.values.contains_key(key) && self.bytes + size <= READ {
            self.bytes += size;
            self.values.insert(key.to_owned(), value.cloned());
        }
    }
}

impl Overlay {
    /// One that remembers what is read.
    pub(in crate::runtime) fn remembering() -> Self {
        Self { reads: Some(Reads::default()), ..Self::default() }
    }

    /// What was read; a key that was only listed has no bytes.
    pub(in crate::runtime) fn take_reads(&mut self) -> BTreeMap<String, Option<Vec<u8>>> {
        let Some(Reads { mut values, listed, .. }) = self.reads.take() else { return BTreeMap::new() };
        for key in listed {
            values.entry(key).or_insert_with(|| Some(Vec::new()));
        }
        values
    }

    /// The writes, and the turn that lasts until they are committed.
    pub(in crate::runtime) fn into_writes(self) -> (Vec<StorageWrite>, Turn) {
        let writes: Vec<_> = self.writes.into_iter().map(|(key, value)| StorageWrite { key, value }).collect();
        // Without writes there is nothing to wait for.
        let turn = self.turn.filter(|_| !writes.is_empty());
        (writes, turn.map_or_else(Turn::default, |guard| Turn::holding(guard)))
    }
}

fn denied<T>(words: impl Into<String>) -> Result<T, Error> {
    Err(Error::Denied(words.into()))
}

impl State {
    /// The store, and the turn to use it.
    async fn store(&mut self) -> Result<(Arc<dyn Store>, PlatformId), Error> {
        let Some(store) = self.call.powers.store.clone() else {
            return denied("there is no storage while the connector describes itself");
        };
        if self.call.storage.turn.is_none() {
            self.call.storage.turn = Some(self.call.powers.turns.take().await);
        }
        Ok((store, self.call.context.platform))
    }

    async fn current(&mut self, key: &str) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let (store, platform) = match self.store().await {
            Ok(store) => store,
            Err(error) => return Ok(Err(error)),
        };
        if let Some(value) = self.call.storage.writes.get(key) {
            return Ok(Ok(value.clone()));
        }
        let value = store.get(platform, key).await.map_err(|error| HostError::broken(&error))?;
        if let Some(reads) = &mut self.call.storage.reads {
            reads.value(key, value.as_ref());
        }
        Ok(Ok(value))
    }

    /// Counts what a write changes; refused when the platform has no room left.
    async fn account(&mut self, key: &str, value: Option<&[u8]>) -> wasmtime::Result<Result<(), Error>> {
        let old = match self.current(key).await? {
            Ok(old) => old,
            Err(error) => return Ok(Err(error)),
        };
        let size = match (self.call.storage.size, &self.call.powers.store) {
            (Some(size), _) => size,
            (None, Some(store)) => {
                store.size(self.call.context.platform).await.map_err(|error| HostError::broken(&error))?
            }
            (None, None) => 0,
        };
        let entry = |value: Option<&[u8]>| value.map_or(0, |value| (key.len() + value.len()) as u64);
        let grown = size.saturating_sub(entry(old.as_deref())).saturating_add(entry(value));
        if grown > size && grown > self.call.context.limits.storage {
            return Ok(denied(Limit::Storage.exceeded(&self.call.context.limits).to_string()));
        }
        self.call.storage.size = Some(grown);
        Ok(Ok(()))
    }
}

fn check_key(key: &str) -> Result<(), Error> {
    match key.len() {
        1..=KEY => Ok(()),
        length => denied(format!("a key has 1 to {KEY} bytes, this one has {length}")),
    }
}

fn check_value(value: &[u8]) -> Result<(), Error> {
    if value.len() <= VALUE {
        Ok(())
    } else {
        denied(format!("a value has at most {VALUE} bytes, this one has {}", value.len()))
    }
}

/// Leaves a host function with the error of the contract.
macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Ok(Err(error)),
        }
    };
}

impl Host for State {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            attempt!(check_key(&key));
            self.current(&key).await
        })
        .await
    }

    async fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            attempt!(check_key(&key));
            attempt!(check_value(&value));
            attempt!(self.account(&key, Some(&value)).await?);
            self.call.storage.writes.insert(key, Some(value));
            Ok(Ok(()))
        })
        .await
    }

    async fn remove(&mut self, key: String) -> wasmtime::Result<Result<(), Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            attempt!(check_key(&key));
            attempt!(self.account(&key, None).await?);
            self.call.storage.writes.insert(key, None);
            Ok(Ok(()))
        })
        .await
    }

    async fn keys(
        &mut self,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<String>, Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            let (store, platform) = attempt!(self.store().await);
            let limit = limit.min(KEYS);
            let writes = &self.call.storage.writes;
            // Every removed key may take the place of one that is still there.
            let removed = writes.values().filter(|value| value.is_none()).count();
            let ask = limit.saturating_add(u32::try_from(removed).unwrap_or(u32::MAX));
            let mut keys = store
                .keys(platform, &prefix, after.as_deref(), ask)
                .await
                .map_err(|error| HostError::broken(&error))?;
            if let Some(reads) = &mut self.call.storage.reads {
                reads.listed.extend(keys.iter().cloned());
            }
            let writes = &self.call.storage.writes;
            keys.retain(|key| writes.get(key).is_none_or(Option::is_some));
            let own = writes.iter().filter(|(key, value)| {
                value.is_some() && key.starts_with(&prefix) && after.as_ref().is_none_or(|after| *key > after)
            });
            keys.extend(own.map(|(key, _)| key.clone()));
            keys.sort_unstable();
            keys.dedup();
            keys.truncate(limit as usize);
            Ok(Ok(keys))
        })
        .await
    }

    async fn set_now(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        let host = self.host_call(Cost::Disk)?;
        host.within(async move {
            attempt!(check_key(&key));
            attempt!(check_value(&value));
            if self.call.context.preview {
                return Ok(denied("a preview stores nothing"));
            }
            attempt!(self.account(&key, Some(&value)).await?);
            let (store, platform) = attempt!(self.store().await);
            store.set_now(platform, &key, &value).await.map_err(|error| HostError::broken(&error))?;
            self.call.storage.writes.remove(&key);
            Ok(Ok(()))
        })
        .await
    }
}
