//! Tax classes and the rates they have at home.

use rust_decimal::Decimal;
use serde::Deserialize;

/// A rate of the shop.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Rate {
    pub id: u64,
    #[serde(default)]
    pub country: String,
    #[serde(default)]
    pub state: String,
    #[serde(default)]
    pub postcode: String,
    pub rate: String,
    #[serde(default)]
    pub priority: i64,
    #[serde(default)]
    pub class: String,
}

/// The slug of the standard class: products write it as nothing.
const STANDARD: &str = "standard";

/// What a class costs at home, in percent: of each priority the first rate counts, as at the check-out. Absent where
/// the shop has no rate for it.
#[must_use]
pub fn percent(rates: &[Rate], country: &str, class: &str) -> Option<Decimal> {
    let class = if class.is_empty() { STANDARD } else { class };
    let mut counted: Vec<i64> = Vec::new();
    let mut sum: Option<Decimal> = None;
    // A rate for the country goes before one for everywhere.
    let mut here: Vec<&Rate> = rates
        .iter()
        .filter(|rate| rate.class == class && rate.state.is_empty() && rate.postcode.is_empty())
        .filter(|rate| rate.country.is_empty() || rate.country.eq_ignore_ascii_case(country))
        .collect();
    here.sort_by_key(|rate| rate.country.is_empty());
    for rate in here {
        if let (false, Ok(percent)) = (counted.contains(&rate.priority), rate.rate.parse::<Decimal>()) {
            counted.push(rate.priority);
            sum = Some(sum.unwrap_or_default() + percent);
        }
    }
    sum.map(|sum| sum.normalize())
}

/// The class with this rate at home, the standard one first. Written as products want it.
#[must_use]
pub fn class(rates: &[Rate], country: &str, wanted: Decimal) -> Option<String> {
    let mut classes: Vec<&str> = rates.iter().map(|rate| rate.class.as_str()).collect();
    classes.sort_by_key(|class| *class != STANDARD);
    classes.dedup();
    let found = classes.into_iter().find(|class| percent(rates, country, class) == Some(wanted.normalize()))?;
    Some(written(found))
}

/// A class as products want it.
#[must_use]
pub fn written(class: &str) -> String {
    if class == STANDARD { String::new() } else { class.into() }
}

/// The class that the operator's table (`19=standard, 7=reduced-rate`) has for a percentage.
#[must_use]
pub fn mapped(table: &str, wanted: Decimal) -> Option<String> {
    let mut rows = table.split(',').filter_map(|row| row.split_once('='));
    let found = rows.find(|(percent, _)| percent.trim().parse::<Decimal>() == Ok(wanted));
    found.map(|(_, class)| written(class.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(id: u64, country: &str, percent: &str, class: &str) -> Rate {
        Rate {
            id,
            country: country.into(),
            state: String::new(),
            postcode: String::new(),
            rate: percent.into(),
            priority: 1,
            class: class.into(),
        }
    }

    #[test]
    fn the_rate_at_home_counts() {
        let rates =
            [rate(9, "", "25.0000", STANDARD), rate(1, "DE", "19.0000", STANDARD), rate(2, "AT", "20", STANDARD)];
        assert_eq!(percent(&rates, "DE", ""), Some("19".parse().unwrap()));
        assert_eq!(percent(&rates, "FR", STANDARD), Some("25".parse().unwrap()));
        assert_eq!(percent(&rates, "DE", "reduced-rate"), None);
    }

    #[test]
    fn priorities_add_up() {
        let mut second = rate(2, "CA", "7", STANDARD);
        second.priority = 2;
        assert_eq!(percent(&[rate(1, "CA", "5", STANDARD), second], "CA", ""), Some("12".parse().unwrap()));
    }

    #[test]
    fn a_class_is_found_by_its_rate() {
        let rates = [rate(2, "DE", "7.0000", "reduced-rate"), rate(1, "DE", "19.0000", STANDARD)];
        assert_eq!(class(&rates, "DE", "19.00".parse().unwrap()), Some(String::new()));
        assert_eq!(class(&rates, "DE", "7".parse().unwrap()).as_deref(), Some("reduced-rate"));
        assert_eq!(class(&rates, "DE", "8".parse().unwrap()), None);
    }

    #[test]
    fn the_operators_table_names_classes() {
        let table = "19=standard, 7.0 = reduced-rate";
        let found = ["19.00", "7", "8"].map(|percent| mapped(table, percent.parse().unwrap()));
        assert_eq!(found, [Some(String::new()), Some("reduced-rate".into()), None]);
    }
}
