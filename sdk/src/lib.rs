//! Guest library for Tradepost connectors.
