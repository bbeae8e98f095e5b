//! A host for native tests of connector code (feature `testing`).

mod host;
mod memory;
mod reply;

pub use host::FakeHost;
pub use reply::Reply;
