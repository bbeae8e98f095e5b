//! Errors and outcomes. The case decides what the host does next, so nothing here may make an answer surer than it is.

use super::value::{decimal, list, part, remote_ref};
use super::wit::tradepost::connector::{outcomes as wo, types as wt};
use crate::model::{Issue, Outcome, RemoteError, Written};

/// What the connector says of a failure.
#[must_use]
pub fn from_error(error: wt::Error) -> RemoteError {
    match error {
        wt::Error::Auth(words) => RemoteError::Auth(words),
        wt::Error::Throttled(seconds) => RemoteError::Throttled(seconds),
        wt::Error::Unavailable(words) => RemoteError::Unavailable(words),
        wt::Error::Timeout(words) => RemoteError::Timeout(words),
        wt::Error::Rejected(issues) => RemoteError::Rejected(issues.into_iter().map(issue).collect()),
        wt::Error::MappingMissing(wt::Missing { table, value, label }) => {
            RemoteError::MappingMissing { table, value, label }
        }
        wt::Error::Conflict(version) => RemoteError::Conflict(version),
        wt::Error::NotFound(words) => RemoteError::NotFound(words),
        wt::Error::Unsupported(words) => RemoteError::Unsupported(words),
        wt::Error::Denied(words) => RemoteError::Denied(words),
        wt::Error::Bug(words) => RemoteError::Bug(words),
    }
}

/// What a power says of a failure.
#[must_use]
pub fn to_error(error: RemoteError) -> wt::Error {
    match error {
        RemoteError::Auth(words) => wt::Error::Auth(words),
        RemoteError::Throttled(seconds) => wt::Error::Throttled(seconds),
        RemoteError::Unavailable(words) => wt::Error::Unavailable(words),
        RemoteError::Timeout(words) => wt::Error::Timeout(words),
        RemoteError::Rejected(issues) => wt::Error::Rejected(
            issues.into_iter().map(|Issue { path, code, message }| wt::Issue { path, code, message }).collect(),
        ),
        RemoteError::MappingMissing { table, value, label } => {
            wt::Error::MappingMissing(wt::Missing { table, value, label })
        }
        RemoteError::Conflict(version) => wt::Error::Conflict(version),
        RemoteError::NotFound(words) => wt::Error::NotFound(words),
        RemoteError::Unsupported(words) => wt::Error::Unsupported(words),
        RemoteError::Denied(words) => wt::Error::Denied(words),
        RemoteError::Bug(words) => wt::Error::Bug(words),
    }
}

fn issue(issue: wt::Issue) -> Issue {
    let wt::Issue { path, code, message } = issue;
    Issue { path, code, message }
}

/// What became of an item. A reference without an id proves nothing: the item is unknown then and looked for.
#[must_use]
pub fn outcome(outcome: wo::Outcome) -> Outcome {
    let unknown = |error: super::Invalid| {
        Outcome::Failed(RemoteError::Timeout(format!(
            "the connector reported an object that cannot be linked: {error}"
        )))
    };
    match outcome {
        wo::Outcome::Partial(object) => written(object).map_or_else(unknown, Outcome::Partial),
        wo::Outcome::Done(object) => written(object).map_or_else(unknown, Outcome::Done),
        wo::Outcome::Unchanged(remote) => remote_ref("remote", remote).map_or_else(unknown, Outcome::Unchanged),
        wo::Outcome::Later(seconds) => Outcome::Later(seconds),
        wo::Outcome::Failed(error) => Outcome::Failed(from_error(error)),
    }
}

fn written(written: wo::Written) -> Result<Written, super::Invalid> {
    let wo::Written { remote, parts, total, warnings } = written;
    let remote = remote_ref("remote", remote)?;
    let mut warnings: Vec<_> = warnings.into_iter().map(issue).collect();
    let mut note = |error: super::Invalid| {
        warnings.push(Issue { path: error.path, code: Some("contract".into()), message: error.why });
    };
    // The object exists whatever else is wrong; what cannot be read is said and left out.
    let parts = match list("parts", parts, part) {
        Ok(parts) => parts,
        Err(error) => {
            note(error);
            Vec::new()
        }
    };
    let total = total.and_then(|total| decimal("total", &total).map_err(&mut note).ok());
    Ok(Written { remote, parts, total, warnings })
}

#[cfg(test)]
mod tests;
