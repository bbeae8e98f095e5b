//! Times: instants in UTC, a platform's local times, and the window of a reading. None of it goes through a float.
//!
//! The words that jiff has for what is wrong with a text weigh 50 kB in a component; the text itself says enough.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::source::{PullRequest, Scope};
use crate::types::Error;

/// Reads an instant: RFC 3339 with `Z` or an offset.
///
/// ```
/// use tradepost_sdk::time;
///
/// assert_eq!(time::instant("2026-11-22T09:00:00+01:00").unwrap().to_string(), "2026-11-22T08:00:00Z");
/// assert!(time::instant("2026-11-22T09:00:00").is_err(), "which zone?");
/// ```
///
/// # Errors
/// `bug` naming the text: local times need their [`Zone`].
pub fn instant(text: &str) -> Result<Timestamp, Error> {
    text.trim().parse().map_err(|_| Error::Bug(format!("`{text}` is not an instant like 2026-11-22T08:00:00Z")))
}

/// An instant of whole seconds since 1970.
///
/// ```
/// use tradepost_sdk::time;
///
/// assert_eq!(time::from_seconds(1_795_334_400).unwrap().to_string(), "2026-11-22T08:00:00Z");
/// ```
///
/// # Errors
/// `bug` for a number beyond the calendar.
pub fn from_seconds(seconds: i64) -> Result<Timestamp, Error> {
    Timestamp::from_second(seconds).map_err(|_| Error::Bug(format!("{seconds} s since 1970 is no time")))
}

/// An instant of whole milliseconds since 1970.
///
/// ```
/// use tradepost_sdk::time;
///
/// assert_eq!(time::from_millis(1_795_334_400_250).unwrap().to_string(), "2026-11-22T08:00:00.25Z");
/// ```
///
/// # Errors
/// `bug` for a number beyond the calendar.
pub fn from_millis(millis: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(millis).map_err(|_| Error::Bug(format!("{millis} ms since 1970 is no time")))
}

/// The instant of an HTTP header such as `Date`.
///
/// ```
/// use tradepost_sdk::time;
///
/// assert_eq!(time::http_date("Sun, 22 Nov 2026 08:00:00 GMT").unwrap().to_string(), "2026-11-22T08:00:00Z");
/// assert_eq!(time::http_date("yesterday"), None);
/// ```
#[must_use]
pub fn http_date(text: &str) -> Option<Timestamp> {
    Timestamp::from_second(http_seconds(text)?).ok()
}

/// Seconds since 1970 of an HTTP date. Read by hand, as every connector judges `Retry-After`, and a third of a small one
/// would be jiff.
pub(crate) fn http_seconds(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split_once(',')?.1.split_ascii_whitespace();
    let day = parts.next()?.parse().ok()?;
    let month = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
    let year = parts.next()?.parse().ok()?;
    let seconds = seconds(year, month, day, parts.next()?)?;
    matches!(parts.next(), Some("GMT" | "UTC" | "+0000")).then_some(seconds)
}

/// Seconds since 1970 of a timestamp of the contract.
pub(crate) fn contract_seconds(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    seconds(date.next()??, date.next()??, date.next()??, time.split('.').next()?)
}

/// Of a day of the proleptic Gregorian calendar and `08:00:00`.
fn seconds(year: i64, month: i64, day: i64, time: &str) -> Option<i64> {
    let mut time = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        // A leap second is the beginning of the next minute.
        && (0..=60).contains(&second);
    // Years that begin in March have their odd day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    fits.then_some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// The time zone of a platform that says local times.
///
/// ```
/// use tradepost_sdk::time::Zone;
///
/// let berlin = Zone::named("Europe/Berlin").unwrap();
/// assert_eq!(berlin.instant("2026-11-22T09:00:00").unwrap().to_string(), "2026-11-22T08:00:00Z");
/// assert_eq!(berlin.instant("2026-07-01 09:00").unwrap().to_string(), "2026-07-01T07:00:00Z");
/// assert_eq!(berlin.read("22.11.2026 09:00", "%d.%m.%Y %H:%M").unwrap().to_string(), "2026-11-22T08:00:00Z");
/// let told = berlin.read("22.11.2026 09:00 +0000", "%d.%m.%Y %H:%M %z").unwrap();
/// assert_eq!(told.to_string(), "2026-11-22T09:00:00Z", "an offset in the text counts");
/// ```
///
/// When the clocks are set back, an hour is there twice: the first one is meant. When they are set forward, an hour is
/// missing: its times are read as if the clocks had not been set yet.
///
/// ```
/// # use tradepost_sdk::time::Zone;
/// let berlin = Zone::named("Europe/Berlin").unwrap();
/// assert_eq!(berlin.instant("2026-10-25T02:30:00").unwrap().to_string(), "2026-10-25T00:30:00Z");
/// assert_eq!(berlin.instant("2026-03-29T02:30:00").unwrap().to_string(), "2026-03-29T01:30:00Z");
/// ```
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of an IANA name.
    ///
    /// ```
    /// use tradepost_sdk::time::Zone;
    ///
    /// assert!(Zone::named("Middle/Earth").is_err());
    /// ```
    ///
    /// # Errors
    /// `rejected`: there is no such zone.
    pub fn named(name: &str) -> Result<Self, Error> {
        TimeZone::get(name.trim()).map(Self).map_err(|_| {
            crate::rejected("zone", format!("`{name}` is not a time zone; use an IANA name such as Europe/Berlin"))
        })
    }

    /// Coordinated universal time, for platforms whose times lack their `Z`.
    ///
    /// ```
    /// use tradepost_sdk::time::Zone;
    ///
    /// assert_eq!(Zone::utc().instant("2026-11-22 08:00:00").unwrap().to_string(), "2026-11-22T08:00:00Z");
    /// ```
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The instant of a local time like `2026-11-22T09:00:00`, of a day like `2026-11-22`, which begins at midnight, or of
    /// a time that says its offset.
    ///
    /// # Errors
    /// `bug` naming the text.
    pub fn instant(&self, text: &str) -> Result<Timestamp, Error> {
        let text = text.trim();
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(instant);
        }
        let local = text.parse::<DateTime>().or_else(|error| match text.parse::<Date>() {
            Ok(day) => Ok(day.to_datetime(jiff::civil::Time::midnight())),
            Err(_) => Err(error),
        });
        self.of(local, text)
    }

    /// The instant of a local time, or of a day, in a format of strptime; an offset that the text says counts, not the zone.
    ///
    /// # Errors
    /// `bug` naming the text.
    pub fn read(&self, text: &str, format: &str) -> Result<Timestamp, Error> {
        let wrong = |_| Error::Bug(format!("`{text}` is not a time"));
        let parts = BrokenDownTime::parse(format, text.trim()).map_err(wrong)?;
        // `%z` and `%s` say the instant by themselves.
        if parts.offset().is_some() || parts.timestamp().is_some() {
            return parts.to_timestamp().map_err(wrong);
        }
        self.of(parts.to_datetime(), text)
    }

    fn of(&self, local: Result<DateTime, jiff::Error>, text: &str) -> Result<Timestamp, Error> {
        let zoned = local.and_then(|local| local.to_zoned(self.0.clone()));
        zoned.map(|zoned| zoned.timestamp()).map_err(|_| Error::Bug(format!("`{text}` is not a time")))
    }

    /// An instant in local time, for filters and fields of the platform.
    ///
    /// ```
    /// use tradepost_sdk::time::{Zone, instant};
    ///
    /// let berlin = Zone::named("Europe/Berlin").unwrap();
    /// let local = berlin.local(instant("2026-11-22T08:00:00Z").unwrap());
    /// assert_eq!(local.to_string(), "2026-11-22T09:00:00");
    /// assert_eq!(local.strftime("%d.%m.%Y").to_string(), "22.11.2026");
    /// ```
    #[must_use]
    pub fn local(&self, instant: Timestamp) -> DateTime {
        self.0.to_datetime(instant)
    }
}

/// The time that a reading of changes covers: from `since`, an overlap before where the last one ended, up to and
/// including `until`.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::time::{TimeWindow, instant};
///
/// let request = PullRequest::changed(Kind::Order, "2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z");
/// let window = TimeWindow::of(&request, 120).unwrap();
/// assert_eq!(window.since.unwrap().to_string(), "2026-11-22T07:58:00Z");
/// assert!(window.covers(instant("2026-11-22T09:00:00Z").unwrap()));
/// assert!(!window.covers(instant("2026-11-22T09:00:01Z").unwrap()), "comes with the next reading");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeWindow {
    /// Where it begins; everything before it where there is none.
    pub since: Option<Timestamp>,
    /// Where it ends. What changes while the reading goes on is newer and comes with the next one, so that a list that
    /// is sorted by time does not grow under the reading.
    pub until: Timestamp,
}

impl TimeWindow {
    /// The window of a request for changes. The overlap covers clocks cut to seconds, clocks that differ, and
    /// transactions that commit after their time stamp; what is read twice does no harm.
    ///
    /// # Errors
    /// `unsupported` for a scope without times; `bug` for a text that is no time.
    pub fn of(request: &PullRequest, overlap_seconds: u32) -> Result<Self, Error> {
        let Scope::Changed(window) = &request.scope else {
            return Err(Error::Unsupported("this scope has no times".into()));
        };
        let overlap = SignedDuration::from_secs(overlap_seconds.into());
        let since = window.since.as_deref().map(instant).transpose()?;
        let since = since.map(|since| since.checked_sub(overlap).unwrap_or(Timestamp::UNIX_EPOCH));
        Ok(Self { since, until: instant(&window.until)? })
    }

    /// Whether a change at this time belongs to it.
    #[must_use]
    pub fn covers(&self, at: Timestamp) -> bool {
        at <= self.until && self.since.is_none_or(|since| at >= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_in_the_text_wins_over_the_zone() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let read = |text: &str, format: &str| berlin.read(text, format).map(|instant| instant.to_string());
        for (text, format, instant) in [
            ("22.11.2026 09:00 +0500", "%d.%m.%Y %H:%M %z", "2026-11-22T04:00:00Z"),
            ("22.11.2026 09:00 +00:00", "%d.%m.%Y %H:%M %:z", "2026-11-22T09:00:00Z"),
            ("22.11.2026 09:00", "%d.%m.%Y %H:%M", "2026-11-22T08:00:00Z"),
            ("22.11.2026", "%d.%m.%Y", "2026-11-21T23:00:00Z"),
            ("22.11.2026 +0500", "%d.%m.%Y %z", "2026-11-21T19:00:00Z"),
            ("1795334400", "%s", "2026-11-22T08:00:00Z"),
        ] {
            assert_eq!(read(text, format).as_deref(), Ok(instant), "{text}");
        }
        for (text, format) in [("09:00", "%H:%M"), ("+0500", "%z"), ("x", "%d.%m.%Y")] {
            assert!(read(text, format).is_err(), "{text}");
        }
    }

    #[test]
    fn dates_read_by_hand_are_those_of_the_calendar() {
        // Every seventh day of 400 years, so that all weekdays, leap days and ends of months come by.
        for day in (0..146_097).step_by(7) {
            let instant = from_seconds(day * 86_400 + day % 86_400).unwrap();
            assert_eq!(contract_seconds(&instant.to_string()), Some(instant.as_second()), "{instant}");
            let http = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&instant).unwrap();
            assert_eq!(http_date(&http), Some(instant), "{http}");
        }
        for wrong in ["", "Sun, 22 Nov 2026", "Sun, 22 Nov 2026 08:00:00 CET", "Sun, 32 Nov 2026 08:00:00 GMT", "x, y"]
        {
            assert_eq!(http_date(wrong), None, "{wrong}");
        }
        assert_eq!(contract_seconds("2026-11-22T08:00:00.25Z"), Some(1_795_334_400));
        assert_eq!(contract_seconds("2026-11-22 08:00"), None);
    }
}
