//! Connector for Vendure shops.
