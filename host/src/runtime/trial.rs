//! The first calls of a build that took the place of another: when one of them fails by the build's own fault, the build
//! before serves again.

use std::sync::{Arc, Mutex, PoisonError};

use super::build::Build;
use crate::model::CallError;

/// Calls after which a build has proved itself.
const CALLS: u32 = 5;
/// Calls that may end at a limit, one after the other, before one succeeds. A single one says little: the platform was slow.
const AT_LIMITS: u32 = 3;

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

/// Where a build stands; `B` is what serves instead of it.
pub(super) struct Trial<B = Arc<Build>>(Mutex<State<B>>);

enum State<B> {
    /// Nothing was before it, or it has proved itself.
    Stays,
    Tried {
        previous: B,
        left: u32,
        /// Calls that ended at a limit since the last other one.
        at_limits: u32,
        tell: Tell,
    },
    TakenBack {
        previous: B,
    },
}

impl<B> Default for Trial<B> {
    fn default() -> Self {
        Self(Mutex::new(State::Stays))
    }
}

impl<B: Clone> Trial<B> {
    /// Begins it. A build that reads what it stored in a new way cannot be taken back once a call succeeded: then it has
    /// stored something that the one before does not understand.
    pub(super) fn begin(&self, previous: B, stores_anew: bool, tell: Tell) {
        let left = if stores_anew { 1 } else { CALLS };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Tried { previous, left, at_limits: 0, tell };
    }

    /// Ends it without a verdict: there is nothing to go back to.
    pub(super) fn stop(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Stays;
    }

    /// What serves instead of a build that was taken back.
    pub(super) fn instead(&self) -> Option<B> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::TakenBack { previous } => Some(previous.clone()),
            State::Stays | State::Tried { .. } => None,
        }
    }

    /// Judges a call. `Some`: it failed by the fault of a build that is taken back; the one before may answer.
    pub(super) fn judge<T>(&self, result: &Result<T, CallError>) -> Option<B> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at_limit = matches!(result, Err(CallError::Limit { .. }));
        let fault = match result {
            Err(CallError::Trap { message } | CallError::Limit { message }) => Some(message),
            Ok(_) | Err(CallError::Remote(_)) => None,
            // Says nothing of the build: the disk was full, its file is gone.
            Err(CallError::Host { .. } | CallError::Missing { .. }) => return None,
        };
        match (std::mem::replace(&mut *state, State::Stays), fault) {
            (State::Tried { previous, left, at_limits, tell }, Some(_)) if at_limit && at_limits + 1 < AT_LIMITS => {
                *state = State::Tried { previous, left, at_limits: at_limits + 1, tell };
                None
            }
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
            (State::Tried { previous, left, tell, .. }, None) => {
                *state = State::Tried { previous, left: left - 1, at_limits: 0, tell };
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What was told while these calls ended so, and who answered the last one.
    fn tried(calls: &[Result<(), CallError>]) -> (Vec<Verdict>, Option<&'static str>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let trial = Trial::default();
        let tell = told.clone();
        trial.begin("before", false, Box::new(move |verdict| tell.lock().unwrap().push(verdict)));
        let answers: Vec<_> = calls.iter().map(|result| trial.judge(result)).collect();
        let told = told.lock().unwrap().clone();
        (told, answers.last().copied().flatten())
    }

    fn limit() -> Result<(), CallError> {
        Err(CallError::Limit { message: "computing time".into() })
    }

    #[test]
    fn a_build_stays_after_five_good_calls_and_goes_at_the_first_trap() {
        let trap = || Err(CallError::Trap { message: "unreachable".into() });
        assert_eq!(tried(&[Ok(()), Ok(()), Ok(()), Ok(()), Ok(()), trap()]), (vec![Verdict::Proved], None));
        let failed = vec![Verdict::Failed { reason: "unreachable".into() }];
        assert_eq!(tried(&[Ok(()), trap()]), (failed.clone(), Some("before")));
        // Calls that had begun before it was taken back.
        assert_eq!(tried(&[trap(), trap(), Ok(())]), (failed, None));
    }

    #[test]
    fn a_build_that_only_comes_to_limits_goes_and_one_that_came_to_one_stays() {
        let failed = vec![Verdict::Failed { reason: "computing time".into() }];
        assert_eq!(tried(&[limit(), limit(), limit()]), (failed, Some("before")));
        assert_eq!(tried(&[limit(), limit(), Ok(()), limit(), limit()]), (vec![], None));
        let full = || Err(CallError::Host { message: "disk".into() });
        assert_eq!(tried(&[limit(), full(), full(), full()]), (vec![], None));
    }
}
