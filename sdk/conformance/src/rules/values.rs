//! Values that break software: they come as the platform has them, and go as they are or are refused, never mangled.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tradepost::model::{FacetKey, Kind, Record, RemoteError, Scope};

use super::kept::kept;
use super::kinds::made;
use crate::bench::Fate;
use crate::control::Golden;
use crate::rule::{End, Expected, Rule, Trial, broken, everything, rule, skip};
use crate::sample;

/// What a value rule writes and reads back.
enum Values {
    /// Name of something.
    Names(&'static [&'static str]),
    /// HTML text.
    Html(String),
    /// Amounts of prices.
    Amounts(&'static [&'static str]),
    /// A price of nothing and stock of nothing.
    Zero,
    /// Only what the simulator has.
    None,
}

/// Kinds that have texts.
const TEXTS: &[Kind] = &[Kind::Product, Kind::Category];
/// A text that every platform has room for, in bytes.
const ROOM: usize = 4096;

/// What a refusal of a value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// Nothing was mangled.
    Passes,
    /// Values as ordinary as these are taken.
    Breaks,
}

macro_rules! values {
    ($const:ident, $function:ident, $name:literal, $demands:literal, $values:expr) => {
        pub(super) const $const: Rule = rule!(Shape, $name, $demands, $function);

        async fn $function(trial: &mut Trial<'_>) -> Result<(), End> {
            values(trial, $name, $values).await
        }
    };
}

values!(
    GOLDEN_RECORDS,
    golden_records,
    "golden-records",
    "the simulator's golden records come as it says they must; written into another object and as a new one they are there whole, or a \
     warning says what the platform does not keep",
    Values::None
);
values!(
    UNICODE_TEXTS,
    unicode_texts,
    "unicode-texts",
    "accents, combining marks, emoji and characters of four bytes come and go unharmed",
    Values::Names(&["Grüße aus Œuvre, 東京 😀 𝒳 👩‍👩‍👧 e\u{301}"])
);
values!(
    RIGHT_TO_LEFT_TEXTS,
    right_to_left_texts,
    "right-to-left-texts",
    "texts from right to left keep their marks",
    Values::Names(&["كوب \u{200f}(كبير)\u{200e} עם ידית"])
);
values!(
    HTML_TEXTS,
    html_texts,
    "html-texts",
    "HTML stays HTML: what is escaped stays so, and plain names with < and & are no markup",
    Values::Html("<p>5 &lt; 7 &amp; <strong>bold</strong></p>".into())
);
values!(
    LONG_TEXTS,
    long_texts,
    "long-texts",
    "texts of 64 kB come and go whole, or are refused",
    Values::Html(format!("<p>{}</p>", "A sentence that comes again. ".repeat(2259)))
);
values!(ZERO_AMOUNTS, zero_amounts, "zero-amounts", "a price of 0 is a price, and stock of 0 is stock", Values::Zero);
values!(
    HUGE_AMOUNTS,
    huge_amounts,
    "huge-amounts",
    "huge amounts keep every digit, or are refused",
    Values::Amounts(&["98765432109876.54"])
);
values!(
    DECIMAL_PLACES,
    decimal_places,
    "decimal-places",
    "amounts with 0 to 6 decimals keep them, or are refused, or a warning says what became of them",
    Values::Amounts(&["7", "7.5", "7.25", "7.125", "7.0625", "7.03125", "7.015625"])
);
values!(
    CURRENCIES_WITHOUT_DECIMALS,
    currencies_without_decimals,
    "currencies-without-decimals",
    "amounts in currencies without decimals (JPY) or with three (KWD) are what the buyer pays",
    Values::None
);
values!(LEAP_DAYS, leap_days, "leap-days", "29 February comes as it is", Values::None);
values!(
    TIME_ZONES,
    time_zones,
    "time-zones",
    "times of zones with and without summer time are the right instants in UTC, around the change too",
    Values::None
);

async fn values(trial: &mut Trial<'_>, case: &str, values: Values) -> Result<(), End> {
    let mut tested = false;
    let mut golden = Vec::new();
    let control = trial.bench.control.as_ref();
    if let Some(control) = control.filter(|control| control.offers.golden.iter().any(|offered| offered == case)) {
        let records = control.golden(case).await?;
        tested |= compare(trial, &records).await?;
        golden = records;
    }
    if case == "golden-records" {
        tested |= kept(trial, &golden).await?;
    }
    tested |= match values {
        Values::None => false,
        Values::Names(names) => {
            let mut done = false;
            for name in names {
                done |= round_trip(trial, TEXTS, "texts", "name", json!(name), Refusal::Breaks).await?;
            }
            done
        }
        Values::Html(html) => {
            // A platform may have no room for 64 kB; markup it takes.
            let refusal = if html.len() > ROOM { Refusal::Passes } else { Refusal::Breaks };
            round_trip(trial, TEXTS, "texts", "long_html", json!(html), refusal).await?
        }
        Values::Zero => {
            let price = round_trip(trial, &[Kind::Price], "price", "amount", json!("0"), Refusal::Breaks).await?;
            price | round_trip(trial, &[Kind::Stock], "stock", "quantity", json!("0"), Refusal::Breaks).await?
        }
        Values::Amounts(amounts) => {
            let mut done = false;
            for amount in amounts {
                done |= round_trip(trial, &[Kind::Price], "price", "amount", json!(amount), Refusal::Passes).await?;
            }
            done
        }
    };
    if tested {
        return Ok(());
    }
    skip(format!("the simulator has no golden records for `{case}`, and the connector writes no such values"))
}

/// What the simulator says of its records against what was read.
async fn compare(trial: &mut Trial<'_>, expected: &[Golden]) -> Result<bool, End> {
    let mut tested = false;
    let mut kinds: Vec<Kind> = expected.iter().map(|golden| golden.kind).collect();
    kinds.sort();
    kinds.dedup();
    for kind in kinds {
        if trial.bench.description().reading(kind).is_none() {
            continue;
        }
        tested = true;
        let scan =
            trial.platform()?.scan(kind, &everything(), 100).await.expected(&format!("reading the kind `{kind}`"))?;
        for golden in expected.iter().filter(|golden| golden.kind == kind) {
            let is = |record: &&Record| record.remote.as_ref().is_some_and(|remote| remote.id == golden.id);
            let Some(record) = scan.records.iter().find(is) else {
                return broken(format!("the {kind} {} is on the platform and was not read", golden.id));
            };
            for (facet, body) in &golden.facets {
                let found = record.facets.get(&FacetKey::from(facet.as_str())).unwrap_or(&Value::Null);
                differs(&format!("{kind} {}: {facet}", golden.id), body, found)?;
            }
            for variant in &golden.variants {
                let found = record.variants.iter().find(|found| found.sku == variant.sku);
                let Some(found) = found else {
                    return broken(format!("{kind} {}: there is no variant `{}`", golden.id, variant.sku));
                };
                for (facet, body) in &variant.facets {
                    let found = found.facets.get(&FacetKey::from(facet.as_str())).unwrap_or(&Value::Null);
                    differs(&format!("{kind} {}: variant {}: {facet}", golden.id, variant.sku), body, found)?;
                }
            }
        }
    }
    Ok(tested)
}

/// Everything that is expected must be there; more may be. Numbers in text are compared as numbers, times as instants.
fn differs(path: &str, expected: &Value, found: &Value) -> Result<(), End> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (name, value) in expected {
                differs(&format!("{path}.{name}"), value, found.get(name).unwrap_or(&Value::Null))?;
            }
            Ok(())
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (i, (expected, found)) in expected.iter().zip(found).enumerate() {
                differs(&format!("{path}[{i}]"), expected, found)?;
            }
            Ok(())
        }
        (expected, found) if same(expected, found) => Ok(()),
        (expected, found) => broken(format!("{path} must be {}, found {}", short(expected), short(found))),
    }
}

pub(super) fn same(one: &Value, other: &Value) -> bool {
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<Decimal>().ok());
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    one == other
        || number(one).is_some_and(|number_| Some(number_) == number(other))
        || time(one).is_some_and(|instant| Some(instant) == time(other))
}

pub(super) fn short(value: &Value) -> String {
    let text = value.to_string();
    let end = text.floor_char_boundary(300);
    if end < text.len() { format!("{}… ({} bytes)", &text[..end], text.len()) } else { text }
}

/// Writes a value into an object and reads it back. `false` where the connector does not write such a thing.
async fn round_trip(
    trial: &mut Trial<'_>,
    kinds: &[Kind],
    facet: &str,
    member: &str,
    value: Value,
    refusal: Refusal,
) -> Result<bool, End> {
    let description = trial.bench.description();
    for kind in kinds {
        let (Some(writing), Some(_)) = (description.writing(*kind), description.reading(*kind)) else { continue };
        if !writing.update || !trial.hand(*kind).make {
            continue;
        }
        let read = made(trial, *kind, 1).await?;
        let mut record = sample::update(&read[0], writing, trial.bench.item());
        let Some((key, body)) = record.facets.iter_mut().find(|(key, _)| key.name() == facet) else { continue };
        body[member] = value.clone();
        let (key, item) = (key.clone(), record.item.clone());
        let Some(remote) = record.remote.clone() else { continue };
        let platform = trial.platform()?;
        let pushed = platform.push(vec![record]).await;
        if let Some(crash) = pushed.crash() {
            return broken(format!("writing {} crashed: {crash}", short(&value)));
        }
        let written = match pushed.fate(&item) {
            Fate::Done(written) => written,
            Fate::NotDone(RemoteError::Rejected(issues)) => {
                let words = issues.first().map(|issue| issue.message.clone()).unwrap_or_default();
                if refusal == Refusal::Breaks {
                    return broken(format!("{} as {member} of a {kind} was refused: {words}", short(&value)));
                }
                trial.note(format!("{} was refused: {words}", short(&value)));
                return Ok(true);
            }
            fate => return broken(format!("writing {} as {member} of a {kind} ended as {fate:?}", short(&value))),
        };
        let scope = match description.reading(*kind).is_some_and(|reading| reading.ids) {
            true => Scope::Ids(vec![remote.id.clone()]),
            false => everything(),
        };
        let scan = trial.platform()?.scan(*kind, &scope, 100).await.expected("reading back what was written")?;
        let back = scan.records.iter().find(|record| record.remote.as_ref().is_some_and(|back| back.id == remote.id));
        let back = back.and_then(|record| record.facets.get(&key)).map_or(Value::Null, |body| body[member].clone());
        if same(&value, &back) {
            return Ok(true);
        }
        if written.warnings.is_empty() {
            let (sent, back) = (short(&value), short(&back));
            return broken(format!(
                "{member} of a {kind} was written as {sent} and reads back as {back}, without a warning"
            ));
        }
        let words = written.warnings.iter().map(|issue| issue.message.as_str()).collect::<Vec<_>>().join("; ");
        trial.note(format!("{} became {} with the warning: {words}", short(&value), short(&back)));
        return Ok(true);
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_may_be_there_and_numbers_are_numbers() {
        let found = json!({"amount": "19.9", "at": "2026-03-29T00:59:59Z", "more": 1, "list": [{"a": "1.0", "b": 2}]});
        let expected = json!({"amount": "19.90", "at": "2026-03-29T01:59:59+01:00", "list": [{"a": "1"}]});
        assert!(differs("x", &expected, &found).is_ok());
        for wrong in [json!({"amount": "19.91"}), json!({"list": []}), json!({"missing": "1"})] {
            assert!(differs("x", &wrong, &found).is_err(), "{wrong}");
        }
    }
}
