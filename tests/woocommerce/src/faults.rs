//! Misbehaviour on command: which requests go wrong, and how.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// How a request goes wrong. "Before" means that nothing was done, "after" that everything was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Misbehaviour {
    /// An error in the shop's own shape; nothing was done.
    ErrorBefore { status: u16 },
    /// The same answer, but the work was done.
    ErrorAfter { status: u16 },
    /// No answer, the connection stays open; nothing was done.
    HangBefore,
    /// No answer, the connection stays open; the work was done.
    HangAfter,
    /// The connection is closed without an answer; nothing was done.
    DropBefore,
    /// The connection is closed without an answer; the work was done.
    DropAfter,
    /// The connection is closed at once, the work is done `seconds` later.
    DropThenWork { seconds: f64 },
    /// 429, with `Retry-After` in seconds where given; nothing was done.
    TooMany { retry_after: Option<u64> },
    /// 502 with a page of a proxy; nothing was done.
    BadGateway,
    /// 502 with a page of a proxy; the work was done.
    BadGatewayAfter,
    /// The right answer, but slowly, in pieces.
    Slow { bytes_per_second: u32 },
    /// The work was done, the answer ends in the middle of its JSON, with status 200.
    InvalidJson,
}

impl Misbehaviour {
    /// The name used in the journal and over HTTP.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ErrorBefore { .. } => "error_before",
            Self::ErrorAfter { .. } => "error_after",
            Self::HangBefore => "hang_before",
            Self::HangAfter => "hang_after",
            Self::DropBefore => "drop_before",
            Self::DropAfter => "drop_after",
            Self::DropThenWork { .. } => "drop_then_work",
            Self::TooMany { .. } => "too_many",
            Self::BadGateway => "bad_gateway",
            Self::BadGatewayAfter => "bad_gateway_after",
            Self::Slow { .. } => "slow",
            Self::InvalidJson => "invalid_json",
        }
    }
}

/// Which requests misbehave: the next `times` that match, after letting `skip` matching ones pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// `GET`, `POST`, ...; any where absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Path below the namespace, `*` for any run of characters: `/products/*`; any where absent.
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub skip: u32,
    #[serde(default = "once")]
    pub times: u32,
    pub misbehave: Misbehaviour,
}

fn once() -> u32 {
    1
}

impl Script {
    /// The next request with this method and path goes wrong once.
    pub fn next(method: &str, path: &str, misbehave: Misbehaviour) -> Self {
        Self { method: Some(method.to_owned()), path: Some(path.to_owned()), skip: 0, times: 1, misbehave }
    }

    /// The next `times` requests of any kind go wrong.
    pub fn any(times: u32, misbehave: Misbehaviour) -> Self {
        Self { method: None, path: None, skip: 0, times, misbehave }
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|want| want.eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|pattern| glob(pattern, path))
    }
}

/// Whether `text` fits a pattern in which `*` stands for any run of characters.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => {
            let Some(rest) = text.strip_prefix(head) else {
                return false;
            };
            let mut starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            starts.any(|at| glob(tail, &rest[at..]))
        }
    }
}

/// The scripts that are still to come, and the rate limit.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) scripts: Vec<Script>,
    pub(crate) requests_per_second: Option<u32>,
    recent: VecDeque<Instant>,
}

impl Faults {
    /// What happens to this request; uses up the script that decides it.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<Misbehaviour> {
        if let Some(limit) = self.requests_per_second {
            let now = Instant::now();
            while self.recent.front().is_some_and(|at| now.duration_since(*at) > Duration::from_secs(1)) {
                self.recent.pop_front();
            }
            if self.recent.len() >= limit as usize {
                return Some(Misbehaviour::TooMany { retry_after: Some(1) });
            }
            self.recent.push_back(now);
        }
        let at = self.scripts.iter().position(|script| script.matches(method, path))?;
        let script = &mut self.scripts[at];
        if script.skip > 0 {
            script.skip -= 1;
            return None;
        }
        let misbehave = script.misbehave.clone();
        script.times = script.times.saturating_sub(1);
        if script.times == 0 {
            self.scripts.remove(at);
        }
        Some(misbehave)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_any_run_of_characters() {
        assert!(glob("/products/*", "/products/12/variations"));
        assert!(glob("*/batch", "/products/12/variations/batch"));
        assert!(!glob("/orders", "/orders/5"));
    }

    #[test]
    fn scripts_are_used_up() {
        let mut faults = Faults::default();
        let mut script = Script::next("POST", "/orders", Misbehaviour::DropAfter);
        script.skip = 1;
        faults.scripts.push(script);
        assert_eq!(faults.take("GET", "/orders"), None);
        assert_eq!(faults.take("POST", "/orders"), None);
        assert_eq!(faults.take("POST", "/orders"), Some(Misbehaviour::DropAfter));
        assert_eq!(faults.take("POST", "/orders"), None);
    }
}
