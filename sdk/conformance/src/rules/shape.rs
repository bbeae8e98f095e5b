//! What a connector says of itself.

use jiff::tz::TimeZone;
use tradepost::model::description::Account;

use crate::rule::{End, Expected, Rule, Trial, broken, rule};

pub(super) const DESCRIBE_IS_PURE: Rule = rule!(
    Shape,
    "describe-is-pure",
    "`describe` answers the same at any time, with any chance and without any power",
    describe_is_pure
);

async fn describe_is_pure(trial: &mut Trial<'_>) -> Result<(), End> {
    let told = trial.bench.description();
    for _ in 0..2 {
        let again = trial.bench.build.describe_again().await;
        let again = again.map_err(|error| End::Broken(format!("asked again it does not answer: {error}")))?;
        if again != *told {
            return broken("asked again, at another time and with other chance, it says something else");
        }
    }
    Ok(())
}

pub(super) const CHECK_REACHES_THE_ACCOUNT: Rule = rule!(
    Shape,
    "check-reaches-the-account",
    "`check` says whose account it is, with IANA zone, channels, currencies and languages, and says the same again",
    check_reaches_the_account
);

async fn check_reaches_the_account(trial: &mut Trial<'_>) -> Result<(), End> {
    let account = trial.platform()?.check().await.expected("`check`")?;
    if account.id.trim().is_empty() {
        return broken("the account has no id, so that nobody would see when the credentials lead to another one");
    }
    if account.channels.is_empty() {
        return broken("the account has no channel");
    }
    for zone in account.channels.iter().map(|channel| &channel.zone).chain([&account.zone]) {
        if TimeZone::get(zone).is_err() {
            return broken(format!("`{zone}` is no IANA time zone such as `Europe/Berlin`"));
        }
    }
    for channel in &account.channels {
        let currency = &channel.currency;
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return broken(format!("`{currency}` of the channel {} is no ISO 4217 code", channel.id));
        }
        if channel.languages.is_empty() {
            return broken(format!("the channel {} has no language", channel.id));
        }
    }
    let again = trial.platform()?.check().await.expected("`check`, asked again,")?;
    // The platform's clock goes on.
    if (Account { now: None, ..account }) != (Account { now: None, ..again }) {
        return broken("asked again, it is another account");
    }
    Ok(())
}
