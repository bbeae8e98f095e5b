//! What a reading is asked for, and a page of it.

pub use crate::bindings::reads::exports::tradepost::connector::source::{Page, Request, Scope, Window};

/// What [`Source::pull`](crate::Source::pull) is asked for.
pub type PullRequest = Request;
