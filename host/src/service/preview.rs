//! Previews in words.

use serde::Serialize;
use serde_json::Value;

use super::{Service, ServiceError};
use crate::ledger::run::Direction;
use crate::model::Kind;
use crate::sync::connector::Connectors;
use crate::sync::plan::{Foreseen, PreviewLine};
use crate::sync::pull::{Mode, Pull};

/// What an action would do to one record.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Record, if the hub knows it.
    pub record: Option<i64>,
    /// As a person knows it.
    pub name: String,
    /// create, change, remove, apply, skip, block; for pulls what would become of it.
    pub what: String,
    /// Facet by facet.
    pub changes: Vec<FacetLine>,
    /// Why.
    pub why: String,
}

/// A facet that would change.
#[derive(Debug, Clone, Serialize)]
pub struct FacetLine {
    /// Facet.
    pub facet: String,
    /// What the platform shows now, if known.
    pub old: Option<Value>,
    /// What it would get.
    pub new: Value,
}

impl Service {
    /// What an action would do, without writing anywhere.
    ///
    /// # Errors
    /// Nobody serves the platform, or it cannot be read.
    pub async fn preview(&self, code: &str, direction: Direction, kind: Kind) -> Result<Vec<Line>, ServiceError> {
        let platform = self.platform(code).await?;
        match direction {
            Direction::Pull => {
                let connector = self.serving().connector(platform.id, true)?;
                let reading = connector.description().reading(kind);
                if reading.is_some_and(|reading| reading.writes) {
                    return Err(ServiceError::refused(format!(
                        "reading {kind} changes something on `{code}`, so there is no preview of it"
                    )));
                }
                let pull = Pull {
                    ledger: self.ledger().clone(),
                    clock: self.clock(),
                    connector,
                    platform: platform.id,
                    kind,
                    run: crate::model::RunId(0),
                    page: self.runs().tuning().page,
                    stop: tokio_util::sync::CancellationToken::new(),
                };
                let items = pull.preview(Mode::Changes).await?.map_err(|end| {
                    ServiceError::refused(end.message.unwrap_or_else(|| "the platform cannot be read".into()))
                })?;
                Ok(items
                    .into_iter()
                    .map(|item| Line {
                        record: item.record.map(|record| record.0),
                        name: item.remote.unwrap_or_default(),
                        what: item.what.to_string(),
                        changes: Vec::new(),
                        why: item.detail.unwrap_or_default(),
                    })
                    .collect())
            }
            Direction::Push => {
                Ok(self.runs().pusher().preview(platform.id, kind).await?.into_iter().map(line).collect())
            }
            other => Err(ServiceError::refused(format!("there is no preview of `{other}`"))),
        }
    }
}

fn line(line: PreviewLine) -> Line {
    Line {
        record: Some(line.record.0),
        what: word(line.foreseen).into(),
        changes: line
            .changes
            .into_iter()
            .map(|change| FacetLine { facet: change.key.to_string(), old: change.old, new: change.new })
            .collect(),
        name: line.name,
        why: line.why,
    }
}

fn word(foreseen: Foreseen) -> &'static str {
    match foreseen {
        Foreseen::Create => "create",
        Foreseen::Change => "change",
        Foreseen::Remove => "remove",
        Foreseen::Apply => "apply",
        Foreseen::Skip => "skip",
        Foreseen::Block => "block",
    }
}

/// One line of a plan for people.
pub(super) fn sentence(kind: Kind, line: &PreviewLine) -> String {
    let facets: Vec<&str> = line.changes.iter().map(|change| change.key.as_str()).collect();
    let what = if facets.is_empty() { line.why.clone() } else { facets.join(", ") };
    format!("{} {kind} {}: {what}", word(line.foreseen), line.name)
}
