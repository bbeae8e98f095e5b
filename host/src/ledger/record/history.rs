//! History of facets. A line is one write of a record with what each changed facet was before: what it became stands in
//! the next line, or in the record. So a body is kept once, and the oldest lines can go at any time. What a record began
//! with has no line: it is what is left when all lines are taken back.

use std::collections::BTreeMap;

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ChangedFacet, FacetHistory, FacetRule};
use crate::ledger::{LedgerError, Tx, View, document, from_micros, micros, to_json};
use crate::model::{FacetKey, PlatformId, RecordId, Rev, RunId};

/// A facet as it was before a write.
#[derive(Debug, Serialize, Deserialize)]
struct Was<K, B> {
    #[serde(rename = "k")]
    key: K,
    /// Position of the change.
    #[serde(rename = "r")]
    rev: Rev,
    /// Position of what was before.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    before: Option<Rev>,
    /// Absent: there was none.
    #[serde(rename = "b", default = "Option::default", skip_serializing_if = "Option::is_none")]
    body: Option<B>,
}

/// A line, with the bodies before it.
type Line = (Vec<Was<FacetKey, Value>>, FacetHistory);

fn line(row: &Row<'_>) -> Result<Line, LedgerError> {
    let line = FacetHistory {
        key: FacetKey::head(),
        rev: Rev(0),
        at: from_micros(row.get(0)?),
        body: None,
        from: row.get::<_, Option<i64>>(1)?.map(PlatformId),
        rule: row.get::<_, String>(2)?.parse()?,
        run: row.get::<_, Option<i64>>(3)?.map(RunId),
    };
    Ok((document("facet_history.was", &row.get::<_, String>(4)?)?, line))
}

impl View<'_> {
    /// What a record's facets were, oldest first, with those of the records that were merged into it.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn facet_history(&self, record: RecordId) -> Result<Vec<FacetHistory>, LedgerError> {
        let records: Vec<RecordId> = self
            .connection
            .prepare_cached(
                "WITH RECURSIVE of (id) AS (SELECT ?1 UNION SELECT record.id FROM record JOIN of ON merged_into = of.id)
                 SELECT id FROM of",
            )?
            .query_map([record.0], |row| Ok(RecordId(row.get(0)?)))?
            .collect::<Result<_, _>>()?;
        let mut history = Vec::new();
        for record in records {
            let stored = self.record(record)?;
            let mut bodies: BTreeMap<FacetKey, (Option<Rev>, Value)> =
                stored.facets.into_iter().map(|(key, facet)| (key, (Some(facet.rev), facet.body))).collect();
            let lines: Vec<Line> = self
                .connection
                .prepare_cached(
                    "SELECT at, from_platform, rule, run_id, was FROM facet_history WHERE record = ?1 ORDER BY id DESC",
                )?
                .query_map([record.0], |row| Ok(line(row)))?
                .map(|row| row?)
                .collect::<Result<_, _>>()?;
            for (was, line) in lines {
                for Was { key, rev, before, body } in was.into_iter().rev() {
                    let became = match body {
                        Some(body) => bodies.insert(key.clone(), (before, body)),
                        None => bodies.remove(&key),
                    };
                    history.push(FacetHistory { key, rev, body: became.map(|(_, body)| body), ..line.clone() });
                }
            }
            let (born, run): (i64, Option<i64>) = self
                .connection
                .prepare_cached("SELECT born, run_id FROM record WHERE id = ?1")?
                .query_row([record.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for (key, (rev, body)) in bodies {
                let Some(rev) = rev.filter(|rev| rev.0 <= born) else { continue };
                let (at, from, run) = (stored.created_at, stored.origin, run.map(RunId));
                history.push(FacetHistory { key, rev, at, body: Some(body), from, rule: FacetRule::First, run });
            }
        }
        history.sort_by_key(|line| line.rev);
        Ok(history)
    }
}

impl Tx<'_> {
    /// Notes one write of a record.
    pub(super) fn note_history<'a>(
        &self,
        record: RecordId,
        changed: &'a [ChangedFacet],
        from: Option<PlatformId>,
        rule: FacetRule,
        run: Option<RunId>,
    ) -> Result<(), LedgerError> {
        let was = |change: &'a ChangedFacet| {
            let (before, body) = (change.before, change.old.as_ref());
            Was { key: &change.key, rev: change.rev, before, body }
        };
        let was: Vec<_> = changed.iter().map(was).collect();
        self.connection
            .prepare_cached(
                "INSERT INTO facet_history (record, at, from_platform, rule, run_id, was) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                record.0,
                micros(self.now()),
                from.map(|id| id.0),
                rule.as_str(),
                run.map(|id| id.0),
                to_json(&was)?,
            ))?;
        Ok(())
    }
}
