//! Tradepost host.
