//! Private keys and values of this platform.
//!
//! A call sees its own writes; they commit with its result and are dropped with an error, so nothing whose loss could
//! double or lose a record may live here.
//!
//! ```
//! use tradepost_sdk::{storage, testing::FakeHost};
//!
//! FakeHost::new().run(|| {
//!     storage::set("seen:7", b"1")?;
//!     assert_eq!(storage::get("seen:7")?.as_deref(), Some(&b"1"[..]));
//!     assert_eq!(storage::keys("seen:", None, 100)?, ["seen:7"]);
//!     storage::remove("seen:7")?;
//!     storage::get("seen:7")
//! }).unwrap();
//! ```

use super::lent;
use crate::types::Error;

/// The value of a key.
///
/// ```
/// use tradepost_sdk::{storage, testing::FakeHost};
///
/// assert_eq!(FakeHost::new().run(|| storage::get("nothing")).unwrap(), None);
/// ```
///
/// # Errors
/// What the host refuses.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    lent!(storage::get, get(key))
}

/// Keeps a value with the result of the call. Keys have 1 to 255 bytes, values at most 1 MiB.
///
/// ```
/// use tradepost_sdk::{storage, testing::FakeHost};
///
/// let host = FakeHost::new();
/// host.run(|| storage::set("token", b"abc")).unwrap();
/// assert_eq!(host.stored("token").unwrap(), b"abc");
/// ```
///
/// # Errors
/// What the host refuses.
pub fn set(key: &str, value: &[u8]) -> Result<(), Error> {
    lent!(storage::set, set(key, value))
}

/// Keeps a value at once, whatever becomes of the call.
///
/// ```
/// use tradepost_sdk::{storage, testing::FakeHost, types::Error};
///
/// let host = FakeHost::new();
/// let cut: Result<(), Error> = host.call(|| {
///     storage::set("with the call", b"1")?;
///     storage::set_now("at once", b"1")?;
///     Err(Error::Unavailable("down".into()))
/// });
/// assert!(cut.is_err());
/// assert_eq!((host.stored("with the call"), host.stored("at once")), (None, Some(b"1".to_vec())));
/// ```
///
/// # Errors
/// What the host refuses.
pub fn set_now(key: &str, value: &[u8]) -> Result<(), Error> {
    lent!(storage::set_now, set_now(key, value))
}

/// Takes a key away, with the result of the call.
///
/// ```
/// use tradepost_sdk::{storage, testing::FakeHost};
///
/// FakeHost::new().run(|| storage::remove("was never there")).unwrap();
/// ```
///
/// # Errors
/// What the host refuses.
pub fn remove(key: &str) -> Result<(), Error> {
    lent!(storage::remove, remove(key))
}

/// Keys with the prefix after `after`, sorted, at most `limit`, which is at most 1,000.
///
/// ```
/// use tradepost_sdk::{storage, testing::FakeHost};
///
/// let keys = FakeHost::new().run(|| {
///     for key in ["a:1", "a:2", "a:3", "b:1"] {
///         storage::set(key, b"")?;
///     }
///     storage::keys("a:", Some("a:1"), 1)
/// });
/// assert_eq!(keys.unwrap(), ["a:2"]);
/// ```
///
/// # Errors
/// What the host refuses.
pub fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, Error> {
    lent!(storage::keys, keys(prefix, after, limit))
}
