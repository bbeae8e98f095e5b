//! What there is to know of a call when it has ended: what went in, what it asked for, what came out. Whoever wants to
//! know is a [`Witness`]; without one nothing is recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::exchange::seen::SeenFile;
use super::power::Blob;
use super::tape::Exchange;
use crate::ledger::LedgerError;
use crate::model::description::{Account, Description, Removal};
use crate::model::{
    CallError, Doomed, Found, Issue, Kind, Outcome, Page, PlatformCode, Probe, PullRequest, Record, RemoteError,
};
use crate::sync::connector::Settle;

/// Hears of every call of a connector.
pub trait Witness: Send + Sync {
    /// A call has ended. Must not wait: the call's result waits for it.
    fn seen(&self, call: Seen<'_>);
}

/// A call that has ended.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The platform.
    pub platform: &'a PlatformCode,
    /// The build that answered.
    pub description: &'a Description,
    /// Hex of its file's BLAKE3.
    pub hash: &'a str,
    /// When it began.
    pub began: Timestamp,
    /// Which function, and its arguments.
    pub input: &'a Input,
    /// Settings that it saw.
    pub settings: &'a str,
    /// What it read of its storage as the storage was before. Absent: there was no such key.
    pub reads: BTreeMap<String, Option<Vec<u8>>>,
    /// Blobs that it was lent.
    pub blobs: &'a [Blob],
    /// What it saw of its exchange folder as that was before.
    pub files: Vec<SeenFile>,
    /// Its requests. Secrets are masked; other people's data is not.
    pub exchanges: Vec<Exchange>,
    /// What it settled, in order.
    pub settled: Vec<(String, Outcome)>,
    /// What it returned.
    pub result: Result<Returned<'a>, &'a CallError>,
    /// Requests that were not reads and left.
    pub unsafe_sent: u32,
}

impl Seen<'_> {
    /// Something of it did not go well: the call failed, or an item or a record of it did.
    #[must_use]
    pub fn went_wrong(&self) -> bool {
        let refused = |(_, outcome): &(String, Outcome)| matches!(outcome, Outcome::Failed(_));
        self.result.is_err()
            || self.settled.iter().any(refused)
            || matches!(&self.result, Ok(Returned::Page(page)) if !page.unreadable.is_empty())
    }
}

/// A function of a connector with its arguments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "function")]
pub enum Input {
    /// `check`.
    Check,
    /// `pull`.
    Pull {
        /// Argument.
        request: PullRequest,
    },
    /// `acknowledge`.
    Acknowledge {
        /// Argument.
        kind: Kind,
        /// Argument.
        receipt: String,
    },
    /// `push`.
    Push {
        /// Argument.
        records: Vec<Record>,
    },
    /// `remove`.
    Remove {
        /// Argument.
        kind: Kind,
        /// Argument.
        items: Vec<Doomed>,
        /// Argument.
        how: Removal,
    },
    /// `find`.
    Find {
        /// Argument.
        kind: Kind,
        /// Argument.
        probes: Vec<Probe>,
    },
}

impl Input {
    /// Kind of the records that it is about.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Check => None,
            Self::Pull { request } => Some(request.kind),
            Self::Push { records } => records.first().map(|record| record.kind),
            Self::Acknowledge { kind, .. } | Self::Remove { kind, .. } | Self::Find { kind, .. } => Some(*kind),
        }
    }

    /// Name of the function.
    #[must_use]
    pub fn function(&self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Pull { .. } => "pull",
            Self::Acknowledge { .. } => "acknowledge",
            Self::Push { .. } => "push",
            Self::Remove { .. } => "remove",
            Self::Find { .. } => "find",
        }
    }
}

/// What a function returned.
#[derive(Debug, Clone, Copy)]
pub enum Returned<'a> {
    /// Of `check`.
    Account(&'a Account),
    /// Of `pull`.
    Page(&'a Page),
    /// Of `find`.
    Found(&'a [Vec<Found>]),
    /// Of the others.
    Nothing,
}

/// Results of the functions.
pub(super) trait Return {
    fn returned(&self) -> Returned<'_>;
}

impl Return for Account {
    fn returned(&self) -> Returned<'_> {
        Returned::Account(self)
    }
}

impl Return for Page {
    fn returned(&self) -> Returned<'_> {
        Returned::Page(self)
    }
}

impl Return for Vec<Vec<Found>> {
    fn returned(&self) -> Returned<'_> {
        Returned::Found(self)
    }
}

impl Return for () {
    fn returned(&self) -> Returned<'_> {
        Returned::Nothing
    }
}

/// Bytes of outcomes that are remembered of a call, about; a connector may settle as often and with as many words as it
/// likes.
const REMEMBERED: usize = 4 << 20;

/// Outcomes of a call, passed on and remembered.
pub(super) struct Heard {
    settle: Arc<dyn Settle>,
    outcomes: Mutex<(Vec<(String, Outcome)>, usize)>,
}

/// About how many bytes an outcome takes.
fn weight(outcome: &Outcome) -> usize {
    let words = |issues: &[Issue]| -> usize { issues.iter().map(|one| 96 + one.path.len() + one.message.len()).sum() };
    128 + match outcome {
        Outcome::Partial(written) | Outcome::Done(written) => {
            words(&written.warnings)
                + written.parts.iter().map(|part| 96 + part.key.len() + part.id.len()).sum::<usize>()
        }
        Outcome::Failed(RemoteError::Rejected(issues)) => words(issues),
        Outcome::Failed(error) => error.to_string().len(),
        Outcome::Unchanged(_) | Outcome::Later(_) => 0,
    }
}

impl Heard {
    pub(super) fn new(settle: Arc<dyn Settle>) -> Arc<Self> {
        Arc::new(Self { settle, outcomes: Mutex::default() })
    }

    pub(super) fn take(&self) -> Vec<(String, Outcome)> {
        std::mem::take(&mut *self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)).0
    }
}

#[async_trait]
impl Settle for Heard {
    async fn settle(&self, item: &str, outcome: Outcome) -> Result<(), LedgerError> {
        let weight = item.len() + weight(&outcome);
        {
            let mut heard = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            if heard.1 + weight <= REMEMBERED {
                heard.1 += weight;
                heard.0.push((item.to_owned(), outcome.clone()));
            }
        }
        self.settle.settle(item, outcome).await
    }
}
