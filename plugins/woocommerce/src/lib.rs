//! Connector for WooCommerce shops.
