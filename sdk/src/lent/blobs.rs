//! Large bytes, kept by the host, readable by this platform only.

use super::lent;
use crate::types::{BlobRef, Error};

/// Keeps bytes.
///
/// ```
/// use tradepost_sdk::{blobs, testing::FakeHost};
///
/// let host = FakeHost::new();
/// let kept = host.run(|| blobs::put(b"GIF89a", "image/gif", Some("pot.gif"))).unwrap();
/// assert_eq!((kept.size, kept.media_type.as_str()), (6, "image/gif"));
/// ```
///
/// # Errors
/// What the host refuses.
pub fn put(bytes: &[u8], media_type: &str, name: Option<&str>) -> Result<BlobRef, Error> {
    lent!(blobs::put, put(bytes, media_type, name))
}

/// A part of the bytes, at most 4 MiB; an empty one is the end.
///
/// ```
/// use tradepost_sdk::{blobs, testing::FakeHost};
///
/// let host = FakeHost::new();
/// let id = host.add_blob(b"GIF89a", "image/gif");
/// assert_eq!(host.run(|| blobs::read(&id, 3, 100)).unwrap(), b"89a");
/// ```
///
/// # Errors
/// `not-found`, or what the host refuses.
pub fn read(id: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
    lent!(blobs::read, read_blob(id, offset, length))
}

/// All bytes.
///
/// ```
/// use tradepost_sdk::{blobs, testing::FakeHost};
///
/// let host = FakeHost::new();
/// let id = host.add_blob(b"GIF89a", "image/gif");
/// assert_eq!(host.run(|| blobs::read_all(&id)).unwrap(), b"GIF89a");
/// ```
///
/// # Errors
/// As [`read`].
pub fn read_all(id: &str) -> Result<Vec<u8>, Error> {
    super::files::whole(|offset| read(id, offset, super::files::CHUNK))
}
