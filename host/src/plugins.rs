//! The plugins folder: which files are there, what they are, and which build serves a connector.
//!
//! There is one path for start and change: [`Registry::reconcile`] compares the folder with what is served. The watcher
//! only says "look again".

pub mod reconcile;
pub mod registry;
pub mod watch;

pub use registry::{Change, Plugin, Registry, RegistryError, Standing};
pub use watch::{Watcher, watch};
