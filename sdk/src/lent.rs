//! What the host lends, as functions that connector code calls in the sandbox and natively alike.
//!
//! In the sandbox they are the imports of the component. Natively they go to the host of the thread, which
//! `testing::FakeHost` installs; where there is none, they say so.

pub mod blobs;
pub mod files;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod native;
pub mod platform;
pub mod report;
pub mod storage;

/// Calls the import, or the host of the thread.
macro_rules! lent {
    ($interface:ident :: $import:ident, $native:ident ( $($argument:expr),* )) => {{
        #[cfg(target_family = "wasm")]
        {
            crate::bindings::powers::tradepost::connector::$interface::$import($($argument),*)
        }
        #[cfg(not(target_family = "wasm"))]
        {
            crate::lent::native::with(|host| host.$native($($argument),*))
        }
    }};
}
pub(crate) use lent;
