//! All rules, in the order in which they run.

mod faults;
mod kept;
mod kinds;
mod orders;
mod paging;
mod secrets;
mod settings;
mod shape;
mod unreadable;
mod values;
mod words;
mod writing;

use crate::rule::Rule;

/// All rules.
#[must_use]
pub fn all() -> &'static [Rule] {
    RULES
}

const RULES: &[Rule] = &[
    shape::DESCRIBE_IS_PURE,
    settings::SETTINGS_SCHEMA,
    settings::SETTINGS_STAY_COMPATIBLE,
    settings::IDENTITY_STAYS,
    shape::CHECK_REACHES_THE_ACCOUNT,
    words::CHECK_EXPLAINS_REFUSED_CREDENTIALS,
    words::CHECK_EXPLAINS_AN_UNREACHABLE_PLATFORM,
    kinds::DECLARED_KINDS_ARE_READ,
    kinds::DECLARED_KINDS_ARE_WRITTEN,
    kinds::DECLARED_SCOPES_WORK,
    values::GOLDEN_RECORDS,
    values::UNICODE_TEXTS,
    values::RIGHT_TO_LEFT_TEXTS,
    values::HTML_TEXTS,
    values::LONG_TEXTS,
    values::ZERO_AMOUNTS,
    values::HUGE_AMOUNTS,
    values::DECIMAL_PLACES,
    values::CURRENCIES_WITHOUT_DECIMALS,
    values::LEAP_DAYS,
    values::TIME_ZONES,
    paging::NO_GAP_OR_DOUBLE,
    paging::RESUMES_FROM_ANY_CURSOR,
    paging::SURVIVES_CHANGES,
    paging::SURVIVES_REMOVALS,
    paging::PULLING_TWICE,
    paging::CHANGED_RECORDS,
    unreadable::STOPS_NOTHING,
    paging::CLOCK_SKEW,
    paging::ACKNOWLEDGED,
    paging::STORAGE_SURVIVES,
    paging::NEW_BUILD,
    writing::UNCHANGED,
    writing::lost::LOST_ANSWER,
    writing::find::FIND,
    writing::batch::PARTIAL_FAILURE,
    writing::batch::ONE_OF_FIFTY,
    faults::THROTTLED_WITH_WAIT,
    faults::THROTTLED_WITHOUT_WAIT,
    faults::CREDENTIALS_REFUSED,
    faults::SERVER_ERROR,
    faults::ERROR_PAGE,
    faults::SLOW_ANSWER,
    faults::CUT_BEFORE,
    faults::CUT_AFTER,
    faults::WRONG_CONTENT_TYPE,
    faults::INVALID_JSON,
    faults::EMPTY_BODY,
    faults::EMPTY_OBJECT,
    faults::REDIRECT,
    orders::TOTALS,
    secrets::SECRETS,
];
