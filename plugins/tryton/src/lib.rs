//! Connector for the Tryton ERP.
