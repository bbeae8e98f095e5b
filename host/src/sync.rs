//! The engine: pull, push, matching, ownership, events, stock, guards, schedule. It owns the traits that `runtime`
//! implements, so it is tested with in-process fakes too.

pub mod clock;
pub mod connector;
#[cfg(test)]
#[allow(dead_code, unused_imports, reason = "helpers for many tests; none needs all of them")]
pub(crate) mod fake;
