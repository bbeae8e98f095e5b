//! Connectors that attack each fence of the host.
