//! The shop's clock: whole seconds, a site time zone, and dates written without an offset.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Map, Value};

/// The time as the shop sees it.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    pub(crate) zone: TimeZone,
    pub(crate) offset: SignedDuration,
}

impl Clock {
    /// Now, with the offset a test has set, cut to whole seconds.
    pub(crate) fn now(&self) -> Timestamp {
        whole_seconds(Timestamp::now().saturating_add(self.offset).unwrap_or(Timestamp::MAX))
    }

    pub(crate) fn local(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// Reads a date in the site's zone unless it names an offset itself.
    pub(crate) fn read_local(&self, text: &str) -> Option<Timestamp> {
        Given::parse(text).and_then(|given| given.at(&self.zone))
    }

    /// Writes `name` in the site's zone and `name_gmt` in GMT.
    pub(crate) fn write(&self, body: &mut Map<String, Value>, name: &str, at: Option<Timestamp>) {
        body.insert(name.to_owned(), at.map(|at| self.local(at)).into());
        body.insert(format!("{name}_gmt"), at.map(gmt).into());
    }
}

pub(crate) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

pub(crate) fn gmt(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Reads a date that is meant in GMT unless it names an offset itself.
pub(crate) fn read_gmt(text: &str) -> Option<Timestamp> {
    Given::parse(text).and_then(|given| given.at(&TimeZone::UTC))
}

/// A date as a client wrote it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given {
    /// With an offset or `Z`.
    Exact(Timestamp),
    /// Without: its meaning depends on the parameter.
    Civil(DateTime),
}

impl Given {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Self::Exact(at));
        }
        text.parse::<DateTime>().ok().map(Self::Civil)
    }

    pub(crate) fn at(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Exact(at) => Some(at),
            Self::Civil(date) => date.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp()),
        }
    }

    /// The clock face this date is compared by in a list filter. WordPress brings a date with an offset
    /// to the site's zone first, even where the column it then compares with is the GMT one: with
    /// `dates_are_gmt` a client must therefore send GMT without a suffix.
    pub(crate) fn face(self, zone: &TimeZone) -> DateTime {
        match self {
            Self::Exact(at) => at.to_zoned(zone.clone()).datetime(),
            Self::Civil(date) => date,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_moves_a_filter_date_to_the_site_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let given = Given::parse("2026-01-10T12:00:00Z").unwrap();
        assert_eq!(given.face(&berlin).to_string(), "2026-01-10T13:00:00");
        let plain = Given::parse("2026-01-10T12:00:00").unwrap();
        assert_eq!(plain.face(&berlin).to_string(), "2026-01-10T12:00:00");
    }

    #[test]
    fn dates_carry_no_offset() {
        let clock = Clock { zone: TimeZone::get("Europe/Berlin").unwrap(), offset: SignedDuration::ZERO };
        let at = "2026-07-01T10:00:00Z".parse().unwrap();
        let mut body = Map::new();
        clock.write(&mut body, "date_created", Some(at));
        assert_eq!(body["date_created"], "2026-07-01T12:00:00");
        assert_eq!(body["date_created_gmt"], "2026-07-01T10:00:00");
    }
}
