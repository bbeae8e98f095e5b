//! Runs connectors: the only place that names wasmtime. A fresh instance per call, with limits, lends a connector the
//! powers its platform was granted and nothing else.

pub mod bindings;
pub mod blobs;
pub mod build;
pub mod cache;
pub mod case;
pub mod check;
pub mod compile;
pub mod connector;
pub mod engine;
pub mod exchange;
pub mod http;
mod imports;
mod instance;
pub mod limits;
pub mod log;
pub mod memory;
pub mod power;
pub mod tape;
mod trial;
pub mod witness;
pub mod workbench;

pub use build::Build;
pub use cache::Cache;
pub use connector::{Lent, PlatformConnector, Runtime};
pub use engine::{Engine, LoadError, Options};
pub use trial::{Tell, Verdict};
