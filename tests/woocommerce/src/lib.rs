//! A WooCommerce REST v3 server written from the documented contract.
