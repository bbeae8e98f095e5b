//! The powers as host functions: one file per interface. Every function first asks whether the platform was granted it.

mod blobs;
pub(super) mod files;
mod http;
mod platform;
mod report;
pub(super) mod storage;
pub(super) mod wasi_http;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

use super::bindings::v0_1::wit::tradepost::connector::{catalog, head, outcomes, records, sales, types};
use super::exchange::Exchange;
use super::instance::State;
use super::power::{HttpClient, Store};
use crate::sync::connector::Settle;

/// Why there are no requests in `describe`.
const DESCRIBING: &str = "there is no network while the connector describes itself";

// Interfaces that only have types.
impl types::Host for State {}
impl head::Host for State {}
impl outcomes::Host for State {}
impl catalog::Host for State {}
impl sales::Host for State {}
impl records::Host for State {}

/// Which function of the connector runs: some powers depend on it.
#[derive(Clone)]
pub(super) enum Phase {
    /// Nothing is lent.
    Describe,
    Check,
    Pull,
    Acknowledge,
    Push(Arc<dyn Settle>),
    Remove(Arc<dyn Settle>),
    Find,
}

impl Phase {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Describe => "describe",
            Self::Check => "check",
            Self::Pull => "pull",
            Self::Acknowledge => "acknowledge",
            Self::Push(_) => "push",
            Self::Remove(_) => "remove",
            Self::Find => "find",
        }
    }
}

/// What a platform's calls are lent.
#[derive(Clone)]
pub(super) struct Powers {
    /// Settings as JSON.
    pub(super) settings: Arc<str>,
    pub(super) http: Arc<dyn HttpClient>,
    /// Absent in `describe`.
    pub(super) store: Option<Arc<dyn Store>>,
    /// The exchange folder, if granted.
    pub(super) exchange: Option<Arc<Exchange>>,
    /// Who may use the platform's storage now.
    pub(super) turns: storage::Turns,
}

/// Where time and chance come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// The machine's.
    Real,
    /// Always the same: what a connector says of itself depends on its file alone.
    Fixed,
    /// Time stands still there; chance is the machine's.
    At(Timestamp),
}

impl Clock {
    pub(super) fn now(self) -> Timestamp {
        match self {
            Self::Real => Timestamp::now(),
            Self::Fixed => Timestamp::UNIX_EPOCH,
            Self::At(time) => time,
        }
    }

    pub(super) fn apply(self, wasi: &mut WasiCtxBuilder) {
        match self {
            Self::Real => {}
            Self::Fixed => {
                wasi.wall_clock(Stopped(Duration::ZERO)).monotonic_clock(Stopped(Duration::ZERO));
                wasi.secure_random(fixed_chance()).insecure_random(fixed_chance()).insecure_random_seed(0);
            }
            // The monotonic clock goes on, so that waiting ends.
            Self::At(time) => {
                let since = time.duration_since(Timestamp::UNIX_EPOCH);
                wasi.wall_clock(Stopped(Duration::try_from(since).unwrap_or_default()));
            }
        }
    }
}

struct Stopped(Duration);

impl HostWallClock for Stopped {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Stopped {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

fn fixed_chance() -> wasmtime_wasi::Deterministic {
    // Long and varied, so that code which draws until it likes the number ends.
    let mut bytes = vec![0; 4096];
    blake3::Hasher::new().update(b"tradepost describe").finalize_xof().fill(&mut bytes);
    wasmtime_wasi::Deterministic::new(bytes)
}
