//! The engine: pull, push, matching, ownership, events, stock, guards, schedule. It owns the traits that `runtime`
//! implements, so it is tested with in-process fakes too.

pub mod connector;
