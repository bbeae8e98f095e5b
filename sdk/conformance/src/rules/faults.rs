//! What goes wrong on the way: each fault ends in the right typed error, and the next call works. Every kind that is read
//! and every one that is written is struck: all requests of a call, and each by itself.

mod reading;
mod writing;

use tradepost::model::description::Scheme;
use tradepost::model::{CallError, Kind, RemoteError};

use self::reading::reads;
use self::writing::writes;
use crate::bench::{Fate, Scan};
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
/// Nothing was done, which the answer does not say.
const UNHEARD: Right<Fate> = |fate| matches!(fate, Fate::Unknown(_));
/// Nothing was done; saying so is as right as not being sure.
const NOT_DONE: Right<Fate> = |fate| matches!(fate, Fate::Unknown(_) | Fate::NotDone(_) | Fate::Later(_));

fault!(
    THROTTLED_WITH_WAIT,
    throttled_with_wait,
    "throttled-with-wait",
    "429 with Retry-After, to any request, ends in `throttled` (an item: or in `later`) with the platform's seconds",
    Fault::TooMany { retry_after: Some(WAIT) },
    |error| matches!(error, RemoteError::Throttled(seconds) if seconds.abs_diff(WAIT) <= 1),
    |fate| matches!(fate, Fate::Later(seconds) | Fate::NotDone(RemoteError::Throttled(seconds)) if seconds.abs_diff(WAIT) <= 1)
);
fault!(
    THROTTLED_WITHOUT_WAIT,
    throttled_without_wait,
    "throttled-without-wait",
    "429 without Retry-After, to any request, ends in `throttled` (an item: or in `later`) with seconds to wait",
    Fault::TooMany { retry_after: None },
    |error| matches!(error, RemoteError::Throttled(1..=3600)),
    |fate| matches!(fate, Fate::Later(1..=3600) | Fate::NotDone(RemoteError::Throttled(1..=3600)))
);
fault!(
    SERVER_ERROR,
    server_error,
    "server-error",
    "500, to any request, ends in `unavailable` for a read, and in `timeout` for a write: it may have been done",
    Fault::ServerError,
    AWAY,
    UNSURE
);
fault!(
    ERROR_PAGE,
    error_page,
    "error-page",
    "502 with an HTML page, to any request, ends in `unavailable` for a read, and in `timeout` for a write",
    Fault::ErrorPage,
    AWAY,
    UNHEARD
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
    match writes(trial, &Fault::CutAfter, UNSURE).await? {
        true => Ok(()),
        false => skip("the connector writes nothing over HTTP that can be tried here"),
    }
}
fault!(
    WRONG_CONTENT_TYPE,
    wrong_content_type,
    "wrong-content-type",
    "200 with an HTML page is no answer, to whichever request: `unavailable` for a read, `timeout` for a write",
    Fault::WrongContentType,
    AWAY,
    UNHEARD
);
fault!(
    INVALID_JSON,
    invalid_json,
    "invalid-json",
    "JSON that ends in the middle is no answer, to whichever request: `unavailable` for a read, `timeout` for a write",
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
    "401 in mid-run, whatever is read: a log-in that can be renewed is, and then all goes on; else it ends in `auth`",
    credentials_refused
);

async fn credentials_refused(trial: &mut Trial<'_>) -> Result<(), End> {
    sends(trial)?;
    let renewable = |scheme: &Scheme| matches!(scheme, Scheme::Session { .. } | Scheme::OauthClient { .. });
    let renews = trial.bench.description().credentials.iter().any(|credential| renewable(&credential.scheme));
    for kind in trial.readable(|hand| hand.make) {
        mid_run(trial, kind, renews).await?;
    }
    both(
        trial,
        Fault::Unauthorized,
        |error| matches!(error, RemoteError::Auth(_)),
        |fate| matches!(fate, Fate::NotDone(RemoteError::Auth(_))),
    )
    .await
}

/// The log-in ends after the first page.
async fn mid_run(trial: &mut Trial<'_>, kind: Kind, renews: bool) -> Result<(), End> {
    trial.reset().await?;
    let made = trial.control()?.make(kind, 3).await?;
    let (platform, scope, mut scan) = (trial.platform()?, everything(), Scan::default());
    let ended = platform.step(kind, &scope, 1, &mut scan).await.expected(&format!("the first page of {kind}"))?;
    if ended {
        trial.note(format!("{kind}: all came in one page, so that no log-in could end after it"));
        return Ok(());
    }
    let mark = trial.bench.proxy.journal.mark();
    trial.arm_once(Fault::Unauthorized, On::Reads, 0);
    let rest = platform.finish(kind, &scope, 1, &mut scan).await;
    trial.disarm();
    if !trial.bench.proxy.journal.since(mark).iter().any(|exchange| exchange.fault.is_some()) {
        trial.note(format!("{kind}: no request was sent after the first page, so that no log-in could end there"));
    }
    match rest {
        Ok(()) if made.iter().all(|id| scan.ids().contains(id)) => Ok(()),
        Ok(()) => {
            broken(format!("401 in mid-run, and records of the kind {kind} are lost: read were {:?}", scan.ids()))
        }
        Err(CallError::Remote(RemoteError::Auth(_))) if !renews => Ok(()),
        Err(error) => broken(format!("reading {kind}: 401 in mid-run ended in: {error}")),
    }
}

/// Nothing can go wrong on a way that nobody takes.
fn sends(trial: &Trial<'_>) -> Result<(), End> {
    match trial.bench.description().origins.is_empty() {
        true => skip("the connector asks for no host, so that it sends no requests"),
        false => Ok(()),
    }
}

/// Requests of a call that are struck one by one at most: over a real server each takes its time.
const MOST: usize = 4;

/// Which requests of a call a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strike {
    All,
    /// One, counted from 1, and whatever repeats it: the host repeats reads.
    Nth(u32),
}

impl Strike {
    fn arm(self, trial: &Trial<'_>, fault: &Fault, on: On) {
        match self {
            Self::All => trial.arm(fault.clone(), on),
            Self::Nth(nth) => trial.arm_same(fault.clone(), on, nth - 1),
        }
    }
}

impl std::fmt::Display for Strike {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::Nth(nth) => write!(f, " (request {nth})"),
        }
    }
}

/// All requests of a call, and where there are several, each by itself.
fn strikes(trial: &mut Trial<'_>, what: &str, requests: usize) -> Vec<Strike> {
    let note = format!("{what} sends more than {MOST} requests; the first {MOST} went wrong one by one");
    if requests > MOST && !trial.notes.contains(&note) {
        trial.note(note);
    }
    let one_by_one = if requests > 1 { requests.min(MOST) } else { 0 };
    std::iter::once(Strike::All).chain((1..).take(one_by_one).map(Strike::Nth)).collect()
}

/// Tries a fault on reads and on writes.
async fn both(trial: &mut Trial<'_>, fault: Fault, read: Right<RemoteError>, write: Right<Fate>) -> Result<(), End> {
    sends(trial)?;
    let read = reads(trial, &fault, read).await?;
    let written = writes(trial, &fault, write).await?;
    if read || written {
        return Ok(());
    }
    skip("the connector neither reads nor writes anything over HTTP that can be tried here")
}
