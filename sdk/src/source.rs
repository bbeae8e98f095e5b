//! What a reading is asked for, and a page of it.

pub use crate::bindings::reads::exports::tradepost::connector::source::{Page, Request, Scope, Window};

/// What [`Source::pull`](crate::Source::pull) is asked for.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// let request = PullRequest::all(Kind::Order);
/// assert!(request.cursor.is_none());
/// ```
pub type PullRequest = Request;
