//! How a fake misbehaves: at which call, item and step, and in what way.

use crate::model::RemoteError;

/// What the host asks of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Check,
    Pull,
    Acknowledge,
    Push,
    Remove,
    Find,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Misfortune {
    /// Fails before the work, with these words.
    Refuse(RemoteError),
    /// The work is done, the answer is lost.
    TimeoutAfter,
    /// The answer is lost, and the work is finished so many seconds later.
    Late(i64),
    /// The connector traps before the work.
    TrapBefore,
    /// The connector traps after the work, before it is settled.
    TrapAfter,
    /// The work is done, and the connector forgets to settle it.
    Forget,
}

/// One entry of the script; counts begin with 1. It strikes once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) verb: Verb,
    pub(crate) call: u32,
    /// Absent: the call as a whole.
    pub(crate) item: Option<u32>,
    /// Request within the item's work; 1 unless the item takes several.
    pub(crate) step: u32,
    pub(crate) what: Misfortune,
}

impl Fault {
    /// Strikes the whole call.
    pub(crate) fn call(verb: Verb, call: u32, what: Misfortune) -> Self {
        Self { verb, call, item: None, step: 1, what }
    }

    /// Strikes one item of a push.
    pub(crate) fn item(call: u32, item: u32, what: Misfortune) -> Self {
        Self { verb: Verb::Push, call, item: Some(item), step: 1, what }
    }

    /// At this request of the item.
    pub(crate) fn at_step(self, step: u32) -> Self {
        Self { step, ..self }
    }
}

/// A side of an HTTP request at which the host can die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// It was never sent.
    Before,
    /// The platform has done it, the host has not heard.
    After,
}
