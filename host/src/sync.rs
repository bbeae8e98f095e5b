//! The engine: pull, push, matching, ownership, events, stock, guards, schedule. It owns the traits that `runtime`
//! implements, so it is tested with in-process fakes too.

pub mod answers;
pub mod clock;
mod commit;
pub mod connector;
#[cfg(test)]
#[allow(dead_code, unused_imports, clippy::result_large_err, reason = "helpers for many tests; none needs all of them")]
pub(crate) mod fake;
pub mod guard;
mod lines;
mod matching;
pub mod ownership;
mod page;
pub mod plan;
pub mod profile;
pub mod projection;
pub mod pull;
pub mod push;
pub mod recovery;
pub mod schedule;
pub mod stock;
mod sweep;
pub mod unknown;
