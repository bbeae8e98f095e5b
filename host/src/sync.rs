//! The engine: pull, push, matching, ownership, events, stock, guards, schedule. It owns the traits that `runtime`
//! implements, so it is tested with in-process fakes too.

pub mod answers;
pub mod clock;
mod commit;
pub mod connector;
#[cfg(test)]
#[allow(dead_code, unused_imports, reason = "helpers for many tests; none needs all of them")]
pub(crate) mod fake;
mod matching;
pub mod ownership;
mod page;
pub mod pull;
pub mod recovery;
mod sweep;
