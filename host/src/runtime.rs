//! Runs connectors: the only place that names wasmtime. A fresh instance per call, with limits, lends a connector the
//! powers its platform was granted and nothing else.

pub mod blobs;
pub mod http;
pub mod limits;
pub mod power;
