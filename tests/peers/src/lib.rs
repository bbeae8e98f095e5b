//! Keeps a real Vendure shop and a real Tryton ERP in step and checks the result.
