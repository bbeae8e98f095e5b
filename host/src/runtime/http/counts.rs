//! How a platform's requests ended, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Failure;
use crate::model::RemoteError;
use crate::runtime::power::Response;

/// Names of the outcomes, in the order of the numbers.
const NAMES: [&str; 9] = ["2xx", "3xx", "4xx", "5xx", "other", "throttled", "denied", "unreachable", "failed"];

/// Requests of one platform since the start, by outcome. Retries of a read count once, with their end.
#[derive(Debug, Default)]
pub struct Counts([AtomicU64; NAMES.len()]);

impl Counts {
    pub(super) fn note(&self, sent: &Result<Response, Failure>) {
        let place = match sent {
            Ok(response) => match response.status {
                429 => 5,
                200..=299 => 0,
                300..=399 => 1,
                400..=499 => 2,
                500..=599 => 3,
                _ => 4,
            },
            Err(Failure::Remote(RemoteError::Throttled(_))) => 5,
            Err(Failure::Denied(_) | Failure::TooLarge(_) | Failure::Remote(RemoteError::Denied(_))) => 6,
            Err(Failure::Connect(_) | Failure::Remote(RemoteError::Unavailable(_))) => 7,
            Err(Failure::Remote(_)) => 8,
        };
        self.0[place].fetch_add(1, Ordering::Relaxed);
    }

    /// Every outcome with its number.
    pub fn list(&self) -> impl Iterator<Item = (&'static str, u64)> {
        NAMES.into_iter().zip(self.0.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}
