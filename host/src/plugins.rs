//! The plugins folder: which files are there, what they are, and which build serves a connector.
//!
//! There is one path for start and change: [`Registry::reconcile`] compares the folder with what is served. The watcher
//! only says "look again".
//!
//! A build that wants more than the one before, or that fails in its first calls, is held for a person while the one
//! before serves; what served last is kept in the data folder, so that a start after a bad drop still serves.

pub mod compare;
mod kept;
pub mod reconcile;
pub mod registry;
pub mod signature;
pub mod watch;

pub use registry::{Change, Plugin, Registry, RegistryError, Standing};
pub use signature::Signers;
pub use watch::{Watcher, watch};
