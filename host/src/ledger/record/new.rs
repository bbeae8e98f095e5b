//! New records. One is written whole with everything that is known of it: a row that is made and then filled costs as much
//! as two.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::ChangedFacet;
use crate::ledger::{LedgerError, Tx, micros, to_json};
use crate::model::{Canonical, FacetKey, Hash, PlatformId, RecordId, RecordKind, Rev, RunId};

/// What a new record needs.
#[derive(Debug, Clone)]
pub struct NewRecord<'a> {
    /// Kind.
    pub kind: RecordKind,
    /// Platform that it comes from.
    pub origin: Option<PlatformId>,
    /// Of a variant: the product that groups it.
    pub product: Option<RecordId>,
    /// What it begins with, each key once.
    pub facets: Vec<NewFacet<'a>>,
    /// Run that makes it.
    pub run: Option<RunId>,
}

/// A facet that a record begins with.
#[derive(Debug, Clone)]
pub struct NewFacet<'a> {
    /// Which.
    pub key: &'a FacetKey,
    /// What it says.
    pub body: &'a Canonical,
    /// When the figure was taken.
    pub as_of: Option<Timestamp>,
}

/// As [`super::StoredFacet`] is stored.
#[derive(Serialize)]
struct Stored<'a> {
    b: &'a RawValue,
    h: Hash,
    r: Rev,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    f: Option<PlatformId>,
}

impl Tx<'_> {
    /// A new record without facets and keys.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn create_record(
        &self,
        kind: RecordKind,
        origin: Option<PlatformId>,
        run: Option<RunId>,
    ) -> Result<RecordId, LedgerError> {
        let new = NewRecord { kind, origin, product: None, facets: Vec::new(), run };
        self.insert_record(&new).map(|(id, _)| id)
    }

    /// A new record with its facets, each with a position of its own. They need no line of history: the record says where
    /// they come from. Returns its number and the facets.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn insert_record(&self, new: &NewRecord<'_>) -> Result<(RecordId, Vec<ChangedFacet>), LedgerError> {
        let id = self.next_record()?;
        let mut rev = self.next_rev()?;
        let mut changed = Vec::with_capacity(new.facets.len());
        let mut stored = BTreeMap::new();
        for NewFacet { key, body, as_of } in &new.facets {
            rev = self.next_rev()?;
            stored.insert(*key, Stored { b: &body.text, h: body.hash, r: rev, a: *as_of, f: new.origin });
            changed.push(ChangedFacet { key: (*key).clone(), rev, before: None, old: None });
        }
        self.connection
            .prepare_cached(
                "INSERT INTO record (id, kind, origin_platform, product, facets, rev, born, created_at, run_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8)",
            )?
            .execute((
                id.0,
                new.kind.as_str(),
                new.origin.map(|id| id.0),
                new.product.map(|id| id.0),
                to_json(&stored)?,
                rev.0,
                micros(self.now()),
                new.run.map(|id| id.0),
            ))?;
        Ok((id, changed))
    }

    /// Numbers stand in markers on platforms, so a restored ledger never gives one again that was given after its backup:
    /// each epoch has a range of its own.
    fn next_record(&self) -> Result<RecordId, LedgerError> {
        let next = match self.record.get() {
            Some(last) => last + 1,
            None => self
                .connection
                .prepare_cached(
                    "SELECT max((SELECT coalesce(max(id), 0) FROM record) + 1,
                         (epoch - (mode = 'normal')) * 4294967296 + 1)
                     FROM instance",
                )?
                .query_row([], |row| row.get(0))?,
        };
        self.record.set(Some(next));
        Ok(RecordId(next))
    }
}
