//! What a merchant reads when `check` fails.

use std::collections::BTreeMap;

use tradepost::model::{CallError, RemoteError};

use crate::bench::{Differs, crash};
use crate::rule::{End, Rule, Trial, broken, rule, skip};

pub(super) const CHECK_EXPLAINS_REFUSED_CREDENTIALS: Rule = rule!(
    Shape,
    "check-explains-refused-credentials",
    "with wrong secrets `check` fails with `auth` and says so in a sentence that a merchant understands",
    check_explains_refused_credentials
);

async fn check_explains_refused_credentials(trial: &mut Trial<'_>) -> Result<(), End> {
    // Nothing is asked where there is nobody to ask.
    trial.platform()?;
    if trial.bench.scenario.secrets.is_empty() {
        return skip("the scenario has no secrets");
    }
    let wrong = |name: &String| (name.clone(), "wrong-0123456789".to_owned());
    let secrets: BTreeMap<String, String> = trial.bench.scenario.secrets.keys().map(wrong).collect();
    let platform = trial.bench.platform_that(Differs { secrets: Some(secrets), ..Differs::default() })?;
    match platform.check().await {
        Ok(_) if trial.exchanges().iter().any(|exchange| matches!(exchange.status, Some(401 | 403))) => {
            broken("the platform refused the credentials, and `check` says that all is well")
        }
        Ok(_) => skip("the simulator takes any credentials"),
        Err(CallError::Remote(RemoteError::Auth(words))) => understood(&words),
        Err(error) => broken(format!("`check` fails with another error than `auth`: {error}")),
    }
}

pub(super) const CHECK_EXPLAINS_AN_UNREACHABLE_PLATFORM: Rule = rule!(
    Shape,
    "check-explains-an-unreachable-platform",
    "where nobody answers, `check` fails with `unavailable` and says so in a sentence that a merchant understands",
    check_explains_an_unreachable_platform
);

async fn check_explains_an_unreachable_platform(trial: &mut Trial<'_>) -> Result<(), End> {
    if !trial.bench.scenario.has_place() {
        return skip("no setting leads to the platform (`{simulator}` in the scenario)");
    }
    // A port that was free a moment ago: nobody listens there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(crate::bench::BenchError::from)?;
    let address = format!("http://{}", listener.local_addr().map_err(crate::bench::BenchError::from)?);
    drop(listener);
    let platform = trial.bench.platform_that(Differs { address: Some(address), ..Differs::default() })?;
    match platform.check().await {
        Ok(_) => broken("nobody answers, and `check` says that all is well"),
        Err(CallError::Remote(RemoteError::Unavailable(words) | RemoteError::Timeout(words))) => understood(&words),
        Err(error) => match crash(&error) {
            Some(crash) => broken(format!("`check` crashed: {crash}")),
            None => broken(format!("`check` fails with another error than `unavailable`: {error}")),
        },
    }
}

/// Whether a text is for people: words, not a dump of JSON, HTML or a program's inside.
pub(super) fn understood(text: &str) -> Result<(), End> {
    let begins = text.trim_start();
    if text.trim().chars().count() < 8 || !text.trim().contains(' ') {
        return broken(format!("`{text}` is no sentence"));
    }
    if text.chars().count() > 600 {
        return broken(format!("a text of {} characters is not read", text.chars().count()));
    }
    let lower = text.to_lowercase();
    let inside = [
        "unwrap()",
        "panicked at",
        "stack backtrace",
        "traceback (most",
        "error {",
        "some(",
        "ok(",
        "err(",
        "undefined is not",
        "nullpointer",
        "expected value at line",
        "<html",
        "<!doctype",
    ];
    if let Some(found) = inside.iter().find(|found| lower.contains(*found)) {
        return broken(format!("the inside of a program (`{found}`) is no explanation: {text}"));
    }
    if begins.starts_with(['{', '[', '<']) {
        return broken(format!("a dump of the answer is no explanation: {text}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_told_from_dumps() {
        for text in
            ["log-in: User name or password are wrong.", "http://127.0.0.1:9: Connection refused (os error 111)"]
        {
            assert!(understood(text).is_ok(), "{text}");
        }
        for text in
            ["401", r#"{"code": 401, "message": "no way"}"#, "called `Option::unwrap()` on a `None` value", "<html>"]
        {
            assert!(understood(text).is_err(), "{text}");
        }
    }
}
