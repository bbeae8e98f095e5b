//! One file per command.

pub mod build;
pub mod conformance;
pub mod doctor;
pub mod inspect;
pub mod keygen;
pub mod new;
pub mod record;
pub mod replay;
pub mod test;
pub mod watch;
