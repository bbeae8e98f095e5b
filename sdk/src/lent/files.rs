//! One granted exchange folder with `inbox`, `outbox`, `done` and `failed`. Paths are relative, with `/` between parts.

use super::lent;
use crate::types::{BlobRef, Error};

pub use crate::bindings::powers::tradepost::connector::files::Entry;

/// Most bytes that are handed over at a time.
pub(super) const CHUNK: u32 = 4 << 20;

/// Reads piece by piece to the end.
pub(super) fn whole(read: impl Fn(u64) -> Result<Vec<u8>, Error>) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    loop {
        let piece = read(bytes.len() as u64)?;
        if piece.is_empty() {
            return Ok(bytes);
        }
        bytes.extend(piece);
    }
}

/// What stands in a folder, sorted by name.
///
/// ```
/// use tradepost_sdk::{files, testing::FakeHost};
///
/// let host = FakeHost::new().file("inbox/stock.csv", "sku;quantity");
/// assert_eq!(host.run(|| files::entries("inbox")).unwrap()[0].name, "stock.csv");
/// ```
///
/// # Errors
/// What the host refuses.
pub fn entries(folder: &str) -> Result<Vec<Entry>, Error> {
    lent!(files::entries, entries(folder))
}

/// A part of a file, at most 4 MiB; an empty one is the end.
///
/// ```
/// use tradepost_sdk::{files, testing::FakeHost};
///
/// let host = FakeHost::new().file("inbox/stock.csv", "sku;quantity");
/// assert_eq!(host.run(|| files::read("inbox/stock.csv", 0, 3)).unwrap(), b"sku");
/// ```
///
/// # Errors
/// `not-found`, or what the host refuses.
pub fn read(path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
    lent!(files::read, read_file(path, offset, length))
}

/// All bytes of a file.
///
/// ```
/// use tradepost_sdk::{files, testing::FakeHost};
///
/// let host = FakeHost::new().file("inbox/stock.csv", "sku;quantity");
/// assert_eq!(host.run(|| files::read_all("inbox/stock.csv")).unwrap(), b"sku;quantity");
/// ```
///
/// # Errors
/// As [`read`].
pub fn read_all(path: &str) -> Result<Vec<u8>, Error> {
    whole(|offset| read(path, offset, CHUNK))
}

/// A file's bytes as a blob.
///
/// ```
/// use tradepost_sdk::{files, testing::FakeHost};
///
/// let host = FakeHost::new().file("inbox/pot.gif", "GIF89a");
/// assert_eq!(host.run(|| files::to_blob("inbox/pot.gif", "image/gif")).unwrap().size, 6);
/// ```
///
/// # Errors
/// As [`read`].
pub fn to_blob(path: &str, media_type: &str) -> Result<BlobRef, Error> {
    lent!(files::to_blob, to_blob(path, media_type))
}

/// Replaces a file as a whole. Refused in `pull` outside `failed`, and in a preview.
///
/// ```
/// use tradepost_sdk::{files, testing::FakeHost};
///
/// let host = FakeHost::new();
/// host.run(|| files::write("outbox/order-1.json", b"{}")).unwrap();
/// assert_eq!(host.read_file("outbox/order-1.json").unwrap(), b"{}");
/// ```
///
/// # Errors
/// What the host refuses.
pub fn write(path: &str, bytes: &[u8]) -> Result<(), Error> {
    lent!(files::write, write(path, bytes))
}

/// Writes the bytes of a blob, like [`write()`].
///
/// ```
/// use tradepost_sdk::{files, testing::FakeHost};
///
/// let host = FakeHost::new();
/// let id = host.add_blob(b"GIF89a", "image/gif");
/// host.run(|| files::write_blob("outbox/pot.gif", &id)).unwrap();
/// assert_eq!(host.read_file("outbox/pot.gif").unwrap(), b"GIF89a");
/// ```
///
/// # Errors
/// As [`write()`], and `not-found` for a blob that is not there.
pub fn write_blob(path: &str, id: &str) -> Result<(), Error> {
    lent!(files::write_blob, write_blob(path, id))
}

/// Only in `acknowledge`: what was read moves to `done` or `failed` once it is durable. Moving what has already moved
/// succeeds.
///
/// ```
/// use tradepost_sdk::{files, testing::FakeHost};
///
/// let host = FakeHost::new().file("inbox/stock.csv", "sku;quantity");
/// for _ in 0..2 {
///     host.run(|| files::rename("inbox/stock.csv", "done/stock.csv")).unwrap();
/// }
/// assert!(host.read_file("inbox/stock.csv").is_none());
/// ```
///
/// # Errors
/// `not-found`, `conflict` when both are there, or what the host refuses.
pub fn rename(path: &str, target: &str) -> Result<(), Error> {
    lent!(files::rename, rename(path, target))
}
