//! Connector for ERPs that exchange CSV and JSON files.
