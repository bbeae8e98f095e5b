//! The host of the thread, for connector code that runs natively.

use std::cell::RefCell;
use std::rc::Rc;

use crate::files::Entry;
use crate::http;
use crate::outcomes::Outcome;
use crate::report::Level;
use crate::types::{BlobRef, Error, Field};

/// All that a host lends.
pub(crate) trait Lender {
    fn settings(&self) -> String;
    fn preview(&self) -> bool;
    fn now(&self) -> String;
    fn send(&self, request: &http::Request) -> Result<http::Response, Error>;
    fn send_all(&self, requests: &[http::Request]) -> Vec<Result<http::Response, Error>> {
        requests.iter().map(|request| self.send(request)).collect()
    }
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;
    fn set(&self, key: &str, value: &[u8]) -> Result<(), Error>;
    fn set_now(&self, key: &str, value: &[u8]) -> Result<(), Error>;
    fn remove(&self, key: &str) -> Result<(), Error>;
    fn keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, Error>;
    fn put(&self, bytes: &[u8], media_type: &str, name: Option<&str>) -> Result<BlobRef, Error>;
    fn read_blob(&self, id: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error>;
    fn entries(&self, folder: &str) -> Result<Vec<Entry>, Error>;
    fn read_file(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error>;
    fn to_blob(&self, path: &str, media_type: &str) -> Result<BlobRef, Error>;
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Error>;
    fn write_blob(&self, path: &str, id: &str) -> Result<(), Error>;
    fn rename(&self, path: &str, target: &str) -> Result<(), Error>;
    fn log(&self, level: Level, message: &str, fields: &[Field]);
    fn progress(&self, done: u64, total: Option<u64>, current: &str);
    fn settle(&self, item: &str, outcome: &Outcome);
}

thread_local! {
    static HOST: RefCell<Option<Rc<dyn Lender>>> = const { RefCell::new(None) };
}

/// What is said where nothing lends anything.
const NO_HOST: &str = "there is no Tradepost host in this thread: connector code that runs natively needs one, so call it \
    through `tradepost_sdk::testing::FakeHost` (feature `testing`), e.g. `FakeHost::new().run(|| ..)`";

/// Asks the host of the thread.
pub(crate) fn with<T>(ask: impl FnOnce(&dyn Lender) -> T) -> T {
    let host = HOST.with_borrow(Clone::clone);
    ask(&*host.expect(NO_HOST))
}

/// Installs a host until the guard goes, then the one before serves again.
#[cfg(feature = "testing")]
pub(crate) fn install(host: Rc<dyn Lender>) -> Installed {
    Installed(HOST.replace(Some(host)))
}

/// See [`install`].
#[cfg(feature = "testing")]
pub(crate) struct Installed(Option<Rc<dyn Lender>>);

#[cfg(feature = "testing")]
impl Drop for Installed {
    fn drop(&mut self) {
        HOST.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic(expected = "there is no Tradepost host in this thread")]
    fn without_a_host_it_says_so() {
        drop(crate::platform::now());
    }
}
