//! What a platform may do: what its connector asked for in `describe` AND what the operator granted. Everything else is
//! denied. Host patterns, addresses and credentials are judged here; `runtime` asks before every use.

pub mod address;
pub mod denial;
pub mod grants;
pub mod origin;
pub mod secret;

pub use address::{AddressClass, PrivateException};
pub use denial::Denial;
pub use grants::{Decision, Grants, Request};
pub use origin::GrantedOrigin;
pub use secret::Secret;
