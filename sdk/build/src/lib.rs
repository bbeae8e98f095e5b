//! Sets up the wasm tool chain and builds connectors.
