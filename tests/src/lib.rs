//! Scenarios over the real host, real wasm and real servers.
