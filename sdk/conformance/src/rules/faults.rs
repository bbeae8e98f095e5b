//! What goes wrong on the way: each fault ends in the right typed error, and the next call works.

use tradepost::model::description::Scheme;
use tradepost::model::{CallError, Kind, RemoteError};

use super::kinds::{defect, record};
use crate::bench::{Differs, Fate, Platform};
use crate::proxy::{Fault, On};
use crate::rule::{End, Expected, Rule, Trial, broken, everything, rule, skip};

/// Seconds that the proxy asks to wait; longer than the host waits inside a call.
const WAIT: u32 = 17;

macro_rules! fault {
    ($const:ident, $function:ident, $name:literal, $demands:literal, $fault:expr, $read:expr, $write:expr) => {
        pub(super) const $const: Rule = rule!(Behaviour, $name, $demands, $function);

        async fn $function(trial: &mut Trial<'_>) -> Result<(), End> {
            both(trial, $fault, $read, $write).await
        }
    };
}

type Right<T> = fn(&T) -> bool;

/// An error that says that nothing was read; which of the two makes no difference to the host's next step.
const AWAY: Right<RemoteError> = |error| matches!(error, RemoteError::Unavailable(_) | RemoteError::Timeout(_));
/// The work was done, and nobody heard of it: only "may have been done" is true, or what the connector found out.
const UNSURE: Right<Fate> = |fate| matches!(fate, Fate::Unknown(_) | Fate::Done(_));
/// Nothing was done; saying so is as right as not being sure.
const NOT_DONE: Right<Fate> = |fate| matches!(fate, Fate::Unknown(_) | Fate::NotDone(_) | Fate::Later(_));

fault!(
    THROTTLED_WITH_WAIT,
    throttled_with_wait,
    "throttled-with-wait",
    "429 with Retry-After ends in `throttled` (an item: or in `later`) with the platform's seconds",
    Fault::TooMany { retry_after: Some(WAIT) },
    |error| matches!(error, RemoteError::Throttled(seconds) if seconds.abs_diff(WAIT) <= 1),
    |fate| matches!(fate, Fate::Later(seconds) | Fate::NotDone(RemoteError::Throttled(seconds)) if seconds.abs_diff(WAIT) <= 1)
);
fault!(
    THROTTLED_WITHOUT_WAIT,
    throttled_without_wait,
    "throttled-without-wait",
    "429 without Retry-After ends in `throttled` (an item: or in `later`) with seconds to wait",
    Fault::TooMany { retry_after: None },
    |error| matches!(error, RemoteError::Throttled(1..=3600)),
    |fate| matches!(fate, Fate::Later(1..=3600) | Fate::NotDone(RemoteError::Throttled(1..=3600)))
);
fault!(
    SERVER_ERROR,
    server_error,
    "server-error",
    "500 ends in `unavailable` for a read, and in `timeout` for a write: it may have been done",
    Fault::ServerError,
    AWAY,
    UNSURE
);
fault!(
    ERROR_PAGE,
    error_page,
    "error-page",
    "502 with an HTML page ends in `unavailable` for a read, and in `timeout` for a write",
    Fault::ErrorPage,
    AWAY,
    UNSURE
);
fault!(
    SLOW_ANSWER,
    slow_answer,
    "slow-answer",
    "an answer that does not end in time ends in `timeout`; nothing is taken for read or written",
    Fault::Slow,
    AWAY,
    UNSURE
);
fault!(
    CUT_BEFORE,
    cut_before,
    "connection-cut-before-work",
    "a connection that breaks before the platform does anything ends in an error; nothing is taken for read or written",
    Fault::CutBefore,
    AWAY,
    NOT_DONE
);
pub(super) const CUT_AFTER: Rule = rule!(
    Behaviour,
    "connection-cut-after-work",
    "a connection that breaks after the platform did the work ends in `timeout`: nobody says that nothing was done",
    cut_after
);

/// Reading does no work that could be done: a connector cannot tell the two cuts apart there.
async fn cut_after(trial: &mut Trial<'_>) -> Result<(), End> {
    sends(trial)?;
    match writes(trial, Fault::CutAfter, UNSURE).await? {
        true => Ok(()),
        false => skip("the connector writes nothing over HTTP that can be tried here"),
    }
}
fault!(
    WRONG_CONTENT_TYPE,
    wrong_content_type,
    "wrong-content-type",
    "200 with an HTML page is no answer: `unavailable` for a read, `timeout` for a write",
    Fault::WrongContentType,
    AWAY,
    UNSURE
);
fault!(
    INVALID_JSON,
    invalid_json,
    "invalid-json",
    "JSON that ends in the middle is no answer: `unavailable` for a read, `timeout` for a write",
    Fault::InvalidJson,
    AWAY,
    UNSURE
);
fault!(
    EMPTY_BODY,
    empty_body,
    "empty-body",
    "200 without a body is no list of records: `unavailable` for a read; a write is done or `timeout`",
    Fault::EmptyBody,
    AWAY,
    UNSURE
);
fault!(
    EMPTY_OBJECT,
    empty_object,
    "empty-object",
    "200 with `{}` is no list of records and names no object: a read ends in an error; a write is done or `timeout`",
    Fault::EmptyObject,
    |_| true,
    UNSURE
);
fault!(
    REDIRECT,
    redirect,
    "redirect",
    "a redirect to where nobody granted anything is refused by the host and told as it is; a redirected write is not done",
    Fault::Redirect,
    |error| matches!(error, RemoteError::Denied(_) | RemoteError::Unavailable(_)),
    NOT_DONE
);

pub(super) const CREDENTIALS_REFUSED: Rule = rule!(
    Behaviour,
    "credentials-refused-mid-run",
    "401 in mid-run: a log-in that can be renewed is, and then all goes on; else it ends in `auth`",
    credentials_refused
);

async fn credentials_refused(trial: &mut Trial<'_>) -> Result<(), End> {
    sends(trial)?;
    let renewable = |scheme: &Scheme| matches!(scheme, Scheme::Session { .. } | Scheme::OauthClient { .. });
    let renews = trial.bench.description().credentials.iter().any(|credential| renewable(&credential.scheme));
    if let Some(kind) = trial.readable(|hand| hand.make).into_iter().next() {
        trial.reset().await?;
        let made = trial.control()?.make(kind, 3).await?;
        let platform = trial.platform()?;
        // After the first page.
        trial.arm_once(Fault::Unauthorized, On::Reads, 1);
        match platform.scan(kind, &everything(), 1).await {
            Ok(scan) if made.iter().all(|id| scan.ids().contains(id)) => {}
            Ok(scan) => return broken(format!("401 in mid-run, and records are lost: read were {:?}", scan.ids())),
            Err(CallError::Remote(RemoteError::Auth(_))) if !renews => {}
            Err(error) => return broken(format!("401 in mid-run ended in: {error}")),
        }
    }
    both(
        trial,
        Fault::Unauthorized,
        |error| matches!(error, RemoteError::Auth(_)),
        |fate| matches!(fate, Fate::NotDone(RemoteError::Auth(_))),
    )
    .await
}

/// Nothing can go wrong on a way that nobody takes.
fn sends(trial: &Trial<'_>) -> Result<(), End> {
    match trial.bench.description().origins.is_empty() {
        true => skip("the connector asks for no host, so that it sends no requests"),
        false => Ok(()),
    }
}

/// The host keeps to the seconds that a platform asks for; here they are over at once.
fn rested(trial: &Trial<'_>, fault: &Fault) {
    if matches!(fault, Fault::TooMany { .. }) {
        trial.bench.much_later();
    }
}

/// The platform that a fault strikes.
fn struck(trial: &Trial<'_>, fault: &Fault) -> Result<Platform, End> {
    Ok(trial.bench.platform_that(Differs { impatient: *fault == Fault::Slow, ..Differs::default() })?)
}

/// Tries a fault on reads and on writes.
async fn both(trial: &mut Trial<'_>, fault: Fault, read: Right<RemoteError>, write: Right<Fate>) -> Result<(), End> {
    sends(trial)?;
    let read = reads(trial, fault.clone(), read).await?;
    let written = writes(trial, fault, write).await?;
    if read || written {
        return Ok(());
    }
    skip("the connector neither reads nor writes anything over HTTP that can be tried here")
}

async fn reads(trial: &mut Trial<'_>, fault: Fault, right: Right<RemoteError>) -> Result<bool, End> {
    let description = trial.bench.description();
    let makes = trial.readable(|hand| hand.make).into_iter().next();
    let reads = |kind: &&Kind| description.reading(**kind).is_some();
    trial.platform()?;
    let Some(kind) = makes.or_else(|| Kind::ALL.iter().find(reads).copied()) else { return Ok(false) };
    trial.reset().await?;
    if makes.is_some() {
        trial.control()?.make(kind, 2).await?;
    }
    let name = fault.name();
    trial.arm(fault.clone(), On::Reads);
    let failed = struck(trial, &fault)?.pull(kind, &everything(), None, 10).await;
    trial.disarm();
    rested(trial, &fault);
    if !trial.exchanges().iter().any(|exchange| exchange.fault.is_some()) {
        trial.note(format!("reading {kind} sent no request"));
        return Ok(false);
    }
    match failed.result {
        Ok(page) => {
            let records = page.records.len();
            return broken(format!("reading {kind}: {name} was taken for a page of {records} records"));
        }
        Err(CallError::Remote(error)) if right(&error) => {}
        Err(error) => return broken(format!("reading {kind}: {name} ended in another error than it should: {error}")),
    }
    trial.platform()?.scan(kind, &everything(), 10).await.expected(&format!("the next call after {name}"))?;
    Ok(true)
}

async fn writes(trial: &mut Trial<'_>, fault: Fault, right: Right<Fate>) -> Result<bool, End> {
    let description = trial.bench.description();
    let mut subject = None;
    for ability in &description.abilities {
        let Some(writing) = &ability.writing else { continue };
        trial.reset().await?;
        if let Some(record) = record(trial, ability.kind, writing).await? {
            subject = Some((record, writing.idempotent));
            break;
        }
    }
    let Some((record, idempotent)) = subject else { return Ok(false) };
    let (kind, item, name) = (record.kind, record.item.clone(), fault.name());
    let mark = trial.bench.proxy.journal.mark();
    trial.arm(fault.clone(), On::Writes);
    let pushed = struck(trial, &fault)?.push(vec![record.clone()]).await;
    trial.disarm();
    rested(trial, &fault);
    if let Some(crash) = pushed.crash() {
        return broken(format!("writing a {kind}: {name} crashed it: {crash}"));
    }
    if !trial.bench.proxy.journal.since(mark).iter().any(|exchange| exchange.fault.is_some()) {
        trial.note(format!("writing {kind} sent no request that is not a read"));
        return Ok(false);
    }
    let fate = pushed.fate(&item);
    if !right(&fate) {
        return broken(format!("writing a {kind}: {name} ended as {fate:?}"));
    }
    if let Err(error) = &pushed.call
        && defect(error)
    {
        return broken(format!("writing a {kind}: {name} ended the call with: {error}"));
    }
    let before = record.remote.clone();
    let again = match trial.platform()?.push(vec![record]).await.fate(&item) {
        Fate::Done(written) => Some(written.remote),
        Fate::Unchanged => None,
        fate => return broken(format!("writing a {kind}: the next call after {name} ended as {fate:?}")),
    };
    // Who says that it is done says which object it is.
    if let Fate::Done(written) = fate
        && let Some(known) = before.or(again.filter(|_| idempotent))
        && known.id != written.remote.id
    {
        return broken(format!(
            "writing a {kind}: {name} was taken for the object `{}`, which is `{}`",
            written.remote.id, known.id
        ));
    }
    Ok(true)
}
