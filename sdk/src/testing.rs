//! A host for native tests of connector code (feature `testing`): no wasm is needed for the quick loop.
//!
//! ```toml
//! [dev-dependencies]
//! tradepost-sdk = { version = "0.1", features = ["testing"] }
//! ```
//!
//! [`FakeHost`] lends the connector what the real host lends it: settings, checked by the schema and with defaults filled
//! in; storage, blobs and files in memory; a clock that stands. Its requests are answered by a closure, a recorded
//! [`Tape`], or a real server on this machine through [`Server`]. What was sent, logged and settled can be looked at.

mod host;
mod memory;
mod reply;
mod schema;
mod server;
mod tape;
mod wire;

pub use host::FakeHost;
pub use reply::Reply;
pub use server::Server;
pub use tape::{Tape, TapeError};
