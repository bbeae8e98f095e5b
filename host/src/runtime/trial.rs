//! The first calls of a build that took the place of another: when one of them fails by the build's own fault, the build
//! before serves again.

use std::sync::{Arc, Mutex, PoisonError};

use super::build::Build;
use crate::model::CallError;

/// Calls after which a build has proved itself.
const CALLS: u32 = 5;

/// How the trial of a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may stay.
    Proved,
    /// It was taken back.
    Failed {
        /// What the call ended with.
        reason: String,
    },
}

/// Told once, from within a call.
pub type Tell = Box<dyn FnOnce(Verdict) + Send>;

/// Where a build stands.
#[derive(Default)]
pub(super) struct Trial(Mutex<State>);

#[derive(Default)]
enum State {
    /// Nothing was before it, or it has proved itself.
    #[default]
    Stays,
    Tried {
        previous: Arc<Build>,
        left: u32,
        tell: Tell,
    },
    TakenBack {
        previous: Arc<Build>,
    },
}

impl Trial {
    /// Begins it. A build that reads what it stored in a new way cannot be taken back once a call succeeded: then it has
    /// stored something that the one before does not understand.
    pub(super) fn begin(&self, previous: Arc<Build>, stores_anew: bool, tell: Tell) {
        let left = if stores_anew { 1 } else { CALLS };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Tried { previous, left, tell };
    }

    /// What serves instead of a build that was taken back.
    pub(super) fn instead(&self) -> Option<Arc<Build>> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::TakenBack { previous } => Some(previous.clone()),
            State::Stays | State::Tried { .. } => None,
        }
    }

    /// Judges a call. `Some`: it failed by the fault of a build that is taken back; the one before may answer.
    pub(super) fn judge<T>(&self, result: &Result<T, CallError>) -> Option<Arc<Build>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = match result {
            Err(CallError::Trap { message }) => Some(message),
            Ok(_) | Err(CallError::Remote(_)) => None,
            // Says nothing of the build: the platform was slow, the machine busy, the disk full.
            Err(CallError::Limit { .. } | CallError::Host { .. } | CallError::Missing { .. }) => return None,
        };
        match (std::mem::take(&mut *state), fault) {
            (State::Tried { previous, tell, .. }, Some(message)) => {
                *state = State::TakenBack { previous: previous.clone() };
                drop(state);
                tell(Verdict::Failed { reason: message.clone() });
                Some(previous)
            }
            (State::Tried { tell, left: 0 | 1, .. }, None) => {
                drop(state);
                tell(Verdict::Proved);
                None
            }
            (State::Tried { previous, left, tell }, None) => {
                *state = State::Tried { previous, left: left - 1, tell };
                None
            }
            (State::TakenBack { previous }, fault) => {
                *state = State::TakenBack { previous: previous.clone() };
                fault.map(|_| previous)
            }
            (State::Stays, _) => None,
        }
    }
}
