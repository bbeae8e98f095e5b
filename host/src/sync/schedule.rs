//! When an action of start mode `automatic` is due.

use std::fmt;
use std::str::FromStr;

use croner::Cron;
use croner::parser::CronParser;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// An interval (`every 5m`) or a cron expression in the platform's zone (`0 6 * * 1-5`).
#[derive(Debug, Clone)]
pub enum Schedule {
    /// So long after the last start.
    Every(SignedDuration),
    /// At these times of the day.
    Cron(Box<Cron>),
}

/// A text that is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no schedule: write an interval like `every 5m` or `every 2h 30m`, or a cron expression like `0 6 * * 1-5` ({why})"
)]
pub struct InvalidSchedule {
    /// As given.
    pub text: String,
    /// What is wrong.
    pub why: String,
}

/// Shortest interval.
const SHORTEST: SignedDuration = SignedDuration::from_secs(10);

impl FromStr for Schedule {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        let invalid = |why: String| InvalidSchedule { text: text.to_owned(), why };
        let trimmed = text.trim();
        if let Some(interval) = trimmed.strip_prefix("every ") {
            let span: Span = interval.trim().parse().map_err(|error: jiff::Error| invalid(error.to_string()))?;
            let interval = SignedDuration::try_from(span).map_err(|error| invalid(error.to_string()))?;
            if interval < SHORTEST {
                return Err(invalid(format!("at least {} seconds", SHORTEST.as_secs())));
            }
            return Ok(Self::Every(interval));
        }
        let cron = CronParser::new().parse(trimmed).map_err(|error| invalid(error.to_string()))?;
        Ok(Self::Cron(Box::new(cron)))
    }
}

impl Schedule {
    /// The first time after `after` in the zone; `None` when a cron expression never comes true again.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Every(interval) => after.checked_add(*interval).ok(),
            Self::Cron(cron) => {
                let local = after.to_zoned(zone.clone());
                cron.find_next_occurrence(&local, false).ok().map(|next| next.timestamp())
            }
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(interval) => write!(f, "every {interval:#}"),
            Self::Cron(cron) => f.write_str(&cron.pattern.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str, zone: &str) -> String {
        let schedule: Schedule = schedule.parse().unwrap();
        let zone = TimeZone::get(zone).unwrap();
        schedule.next_after(after.parse().unwrap(), &zone).unwrap().to_string()
    }

    #[test]
    fn due_times() {
        for (schedule, after, zone, expected) in [
            ("every 5m", "2026-11-22T08:00:00Z", "UTC", "2026-11-22T08:05:00Z"),
            ("every 1h 30m", "2026-11-22T08:00:00Z", "UTC", "2026-11-22T09:30:00Z"),
            // Six in the morning in Berlin is five UTC in winter and four in summer.
            ("0 6 * * *", "2026-11-22T08:00:00Z", "Europe/Berlin", "2026-11-23T05:00:00Z"),
            ("0 6 * * *", "2026-07-22T08:00:00Z", "Europe/Berlin", "2026-07-23T04:00:00Z"),
            ("0 6 * * 1-5", "2026-11-20T08:00:00Z", "UTC", "2026-11-23T06:00:00Z"),
            // Half past two does not exist on the day the clocks go forward.
            ("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin", "2026-03-29T01:00:00Z"),
        ] {
            assert_eq!(next(schedule, after, zone), expected, "{schedule} after {after} in {zone}");
        }
    }

    #[test]
    fn mistakes_are_explained() {
        for text in ["", "5m", "every", "every 1s", "every month", "* * *", "61 * * * *"] {
            let error = text.parse::<Schedule>().unwrap_err().to_string();
            assert!(error.contains("every 5m"), "{error}");
        }
    }
}
