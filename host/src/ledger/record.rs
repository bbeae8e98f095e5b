//! Hub records: their facets with history, and their natural keys.

mod history;
mod new;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wait::on_number;
use super::{LedgerError, Tx, View, document, from_micros, to_json};
use crate::model::kind::names;
use crate::model::{FacetKey, Hash, Key, KeyType, PlatformId, RecordId, RecordKind, Rev, RunId};
pub use new::{NewFacet, NewRecord};

/// Whether a record is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordState {
    /// In use.
    Active,
    /// Gone at its owner.
    Deleted,
    /// Went into another one.
    Merged,
}

names!(RecordState { Active => "active", Deleted => "deleted", Merged => "merged" });

/// Why a facet was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FacetRule {
    /// Its owner said so.
    Owner,
    /// The drift policy took a stranger's value.
    Adopt,
    /// A person.
    Hand,
    /// It came with a merge.
    Merge,
    /// The record began with it: its maker's value stands until the owner speaks.
    First,
}

names!(FacetRule {
    Owner => "owner", Adopt => "adopt", Hand => "hand", Merge => "merge", First => "first",
});

/// A facet as the hub keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredFacet {
    /// Canonical JSON; links inside are in the id space of `from`.
    #[serde(rename = "b")]
    pub body: Value,
    /// Of the body.
    #[serde(rename = "h")]
    pub hash: Hash,
    /// When it changed, in the ledger's order.
    #[serde(rename = "r")]
    pub rev: Rev,
    /// When the figure was taken (stock).
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Platform that said so; absent: a person.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PlatformId>,
}

/// A hub record.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRecord {
    /// Number.
    pub id: RecordId,
    /// Kind.
    pub kind: RecordKind,
    /// Platform that it came from.
    pub origin: Option<PlatformId>,
    /// Whether it is in use.
    pub state: RecordState,
    /// The survivor of a merge.
    pub merged_into: Option<RecordId>,
    /// Of a variant: the product that groups it.
    pub product: Option<RecordId>,
    /// Facets by key.
    pub facets: BTreeMap<FacetKey, StoredFacet>,
    /// Of its newest facet.
    pub rev: Rev,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which record it is, without what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Number.
    pub id: RecordId,
    /// Kind.
    pub kind: RecordKind,
    /// Platform that it came from.
    pub origin: Option<PlatformId>,
    /// Of a variant: the product that groups it.
    pub product: Option<RecordId>,
}

impl StoredRecord {
    /// Which it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity { id: self.id, kind: self.kind, origin: self.origin, product: self.product }
    }

    /// Body of a facet, read as its type.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] when it is not of that type.
    pub fn body<T: serde::de::DeserializeOwned>(&self, key: &FacetKey) -> Result<Option<T>, LedgerError> {
        self.facets
            .get(key)
            .map(|facet| T::deserialize(&facet.body))
            .transpose()
            .map_err(|source| LedgerError::Corrupt { what: "facet", source })
    }
}

/// What a write of facets says about one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct FacetChange {
    /// Which.
    pub key: FacetKey,
    /// Absent: there is no such facet any more.
    pub body: Option<Value>,
    /// When the figure was taken.
    pub as_of: Option<Timestamp>,
}

/// A facet that did change.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangedFacet {
    /// Which.
    pub key: FacetKey,
    /// Its new position.
    pub rev: Rev,
    /// Its position before.
    pub before: Option<Rev>,
    /// What it was.
    pub old: Option<Value>,
}

/// One line of a facet's history.
#[derive(Debug, Clone, PartialEq)]
pub struct FacetHistory {
    /// Which.
    pub key: FacetKey,
    /// Position.
    pub rev: Rev,
    /// When.
    pub at: Timestamp,
    /// The new body; absent: taken away.
    pub body: Option<Value>,
    /// Platform that said so.
    pub from: Option<PlatformId>,
    /// Why it was written.
    pub rule: FacetRule,
    /// Run that wrote it.
    pub run: Option<RunId>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, origin_platform, state, merged_into, product, facets, rev, created_at FROM record",
            $rest
        )
    };
}

fn record(row: &Row<'_>) -> Result<StoredRecord, LedgerError> {
    Ok(StoredRecord {
        id: RecordId(row.get(0)?),
        kind: row.get::<_, String>(1)?.parse()?,
        origin: row.get::<_, Option<i64>>(2)?.map(PlatformId),
        state: row.get::<_, String>(3)?.parse()?,
        merged_into: row.get::<_, Option<i64>>(4)?.map(RecordId),
        product: row.get::<_, Option<i64>>(5)?.map(RecordId),
        facets: document("record.facets", &row.get::<_, String>(6)?)?,
        rev: Rev(row.get(7)?),
        created_at: from_micros(row.get(8)?),
    })
}

impl View<'_> {
    /// A record, deleted and merged ones too.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn record(&self, id: RecordId) -> Result<StoredRecord, LedgerError> {
        self.connection
            .prepare_cached(select!(" WHERE id = ?1"))?
            .query_row([id.0], |row| Ok(record(row)))
            .optional()?
            .ok_or_else(|| LedgerError::Missing { what: "record", id: id.to_string() })?
    }

    /// The variants that a product groups.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn variants_of(&self, product: RecordId) -> Result<Vec<StoredRecord>, LedgerError> {
        self.connection
            .prepare_cached(select!(" WHERE product = ?1 AND state = 'active' ORDER BY id"))?
            .query_map([product.0], |row| Ok(record(row)))?
            .map(|row| row?)
            .collect()
    }

    /// Active records of a kind after a number, in order: for walking over all of them.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn records_after(
        &self,
        kind: RecordKind,
        after: RecordId,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, LedgerError> {
        self.connection
            .prepare_cached(select!(" WHERE kind = ?1 AND id > ?2 AND state = 'active' ORDER BY id LIMIT ?3"))?
            .query_map((kind.as_str(), after.0, limit), |row| Ok(record(row)))?
            .map(|row| row?)
            .collect()
    }

    /// Records with a natural key; more than one is ambiguous.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn records_by_key(&self, kind: RecordKind, key: &Key) -> Result<Vec<RecordId>, LedgerError> {
        self.connection
            .prepare_cached(
                "SELECT record FROM record_key JOIN record ON record.id = record_key.record
                 WHERE record_key.kind = ?1 AND type = ?2 AND value = ?3 AND state = 'active' ORDER BY record",
            )?
            .query_map((kind.as_str(), key.kind.as_str(), &key.value), |row| Ok(RecordId(row.get(0)?)))?
            .collect::<Result<_, _>>()
            .map_err(Into::into)
    }

    /// Natural keys of a record.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn keys_of(&self, record: RecordId) -> Result<Vec<Key>, LedgerError> {
        self.connection
            .prepare_cached("SELECT type, value FROM record_key WHERE record = ?1 ORDER BY type, value")?
            .query_map([record.0], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?
            .map(|row| row.map_err(LedgerError::from).and_then(|(kind, value)| Ok(Key { kind: kind.parse()?, value })))
            .collect()
    }

    /// Records whose natural key or remote id is, or begins with, the text; newest first.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn search_records(
        &self,
        kind: Option<RecordKind>,
        text: &str,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, LedgerError> {
        self.connection
            .prepare_cached(select!(
                " WHERE (?1 IS NULL OR kind = ?1) AND (?2 = '' OR id IN (
                     SELECT record FROM record_key
                     WHERE substr(value, 1, length(?2)) = ?2 OR substr(value, -length(?2) - 1) = '/' || ?2
                     UNION SELECT record FROM link WHERE remote_id = ?2 AND record IS NOT NULL))
                 ORDER BY id DESC LIMIT ?3"
            ))?
            .query_map((kind.map(RecordKind::as_str), text, limit), |row| Ok(record(row)))?
            .map(|row| row?)
            .collect()
    }
}

impl Tx<'_> {
    /// Writes the facets whose body differs, with history and a new position each, and returns those. A figure that is
    /// the same again only gets its newer `as_of`.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is no such record.
    pub fn write_facets(
        &self,
        id: RecordId,
        changes: Vec<FacetChange>,
        from: Option<PlatformId>,
        rule: FacetRule,
        run: Option<RunId>,
    ) -> Result<Vec<ChangedFacet>, LedgerError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let changes = changes.into_iter().map(|change| (change.body.as_ref().map(Hash::of), change)).collect();
        self.write_hashed(&mut self.record(id)?, changes, from, rule, run)
    }

    /// As [`Self::write_facets`], of a record that was read in this transaction, with the hashes of the bodies. The
    /// record is afterwards as it is stored.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn write_hashed(
        &self,
        record: &mut StoredRecord,
        changes: Vec<(Option<Hash>, FacetChange)>,
        from: Option<PlatformId>,
        rule: FacetRule,
        run: Option<RunId>,
    ) -> Result<Vec<ChangedFacet>, LedgerError> {
        let mut changed = Vec::new();
        let mut touched = false;
        for (hash, change) in changes {
            let old = record.facets.get(&change.key);
            if old.map(|old| old.hash) == hash {
                if let Some(facet) = record.facets.get_mut(&change.key)
                    && change.as_of.is_some_and(|new| facet.as_of.is_none_or(|old| new > old))
                {
                    facet.as_of = change.as_of;
                    touched = true;
                }
                continue;
            }
            let rev = self.next_rev()?;
            let old = match (change.body, hash) {
                (Some(body), Some(hash)) => {
                    let facet = StoredFacet { body, hash, rev, as_of: change.as_of, from };
                    record.facets.insert(change.key.clone(), facet)
                }
                _ => record.facets.remove(&change.key),
            };
            record.rev = rev;
            let (before, old) = old.map(|old| (old.rev, old.body)).unzip();
            changed.push(ChangedFacet { key: change.key, rev, before, old });
        }
        if !changed.is_empty() {
            self.note_history(record.id, &changed, from, rule, run)?;
        }
        if touched || !changed.is_empty() {
            self.connection.prepare_cached("UPDATE record SET facets = ?2, rev = ?3 WHERE id = ?1")?.execute((
                record.id.0,
                to_json(&record.facets)?,
                record.rev.0,
            ))?;
        }
        Ok(changed)
    }

    /// Adds natural keys, and wakes what waited for an order with such a number.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn add_keys(&self, record: RecordId, kind: RecordKind, keys: &[Key]) -> Result<(), LedgerError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO record_key (kind, type, value, record) VALUES (?1, ?2, ?3, ?4)")?;
        for key in keys.iter().filter(|key| !key.value.is_empty()) {
            let added = insert.execute((kind.as_str(), key.kind.as_str(), &key.value, record.0))?;
            if added > 0 && key.kind == KeyType::OrderNumber {
                self.wake(&on_number(&key.value))?;
            }
        }
        Ok(())
    }

    /// Makes these the record's keys of their types: the owner said so.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn replace_keys(&self, record: RecordId, kind: RecordKind, keys: &[Key]) -> Result<(), LedgerError> {
        let mut types: Vec<KeyType> = keys.iter().map(|key| key.kind).collect();
        types.sort_unstable();
        types.dedup();
        for type_ in types {
            self.connection
                .prepare_cached("DELETE FROM record_key WHERE record = ?1 AND type = ?2")?
                .execute((record.0, type_.as_str()))?;
        }
        self.add_keys(record, kind, keys)
    }

    /// Puts a variant into a product, or takes it out.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_product(&self, variant: RecordId, product: Option<RecordId>) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("UPDATE record SET product = ?2 WHERE id = ?1")?
            .execute((variant.0, product.map(|id| id.0)))?;
        Ok(())
    }

    /// The record is gone at its owner; it keeps links and history.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn mark_deleted(&self, record: RecordId) -> Result<(), LedgerError> {
        self.set_record_state(record, RecordState::Deleted)
    }

    /// The record is back at its owner.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn mark_active(&self, record: RecordId) -> Result<(), LedgerError> {
        self.set_record_state(record, RecordState::Active)
    }

    fn set_record_state(&self, record: RecordId, state: RecordState) -> Result<(), LedgerError> {
        let rev = self.next_rev()?;
        self.connection.prepare_cached("UPDATE record SET state = ?2, rev = ?3 WHERE id = ?1")?.execute((
            record.0,
            state.as_str(),
            rev.0,
        ))?;
        Ok(())
    }

    /// Merges a record into another of its kind: links, keys, facets that the survivor lacks, variants and
    /// reservations go over; the history that the loser has keeps its own number and is shown with the survivor's. A link whose slot is taken on its platform goes over in a slot of its own, named after its
    /// remote id; these are returned, because a person has to say which of the two objects is the right one.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when they are of different kinds, the same, or a write of the loser is under way.
    pub fn merge_records(
        &self,
        survivor: RecordId,
        loser: RecordId,
        run: Option<RunId>,
    ) -> Result<Vec<crate::model::LinkId>, LedgerError> {
        let (kept, lost) = (self.record(survivor)?, self.record(loser)?);
        if kept.kind != lost.kind || survivor == loser || kept.state != RecordState::Active {
            return Err(LedgerError::Conflict {
                message: format!("{loser} ({}) cannot be merged into {survivor} ({})", lost.kind, kept.kind),
            });
        }
        let under_way: bool = self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM intent WHERE record = ?1 AND state IN ('sending', 'unknown'))",
            )?
            .query_row([loser.0], |row| row.get(0))?;
        if under_way {
            return Err(LedgerError::Conflict {
                message: format!("a write of record {loser} is under way; merge it once that is settled"),
            });
        }
        let mut colliding = Vec::new();
        for link in self.links_of(loser)? {
            let taken = link.state != super::link::LinkState::Removed
                && self.link_of(link.platform, link.kind, survivor, &link.slot)?.is_some();
            let slot = if taken { format!("merged:{}", link.remote.id) } else { link.slot.clone() };
            self.connection
                .prepare_cached("UPDATE link SET record = ?2, slot = ?3 WHERE id = ?1")?
                .execute((link.id.0, survivor.0, slot))?;
            if taken {
                colliding.push(link.id);
            }
        }
        let missing = lost
            .facets
            .iter()
            .filter(|(key, _)| !kept.facets.contains_key(*key))
            .map(|(key, facet)| {
                (facet.from, FacetChange { key: key.clone(), body: Some(facet.body.clone()), as_of: facet.as_of })
            })
            .collect::<Vec<_>>();
        for (from, change) in missing {
            self.write_facets(survivor, vec![change], from, FacetRule::Merge, run)?;
        }
        self.add_keys(survivor, kept.kind, &self.keys_of(loser)?)?;
        for sql in [
            "UPDATE record SET product = ?1 WHERE product = ?2",
            "UPDATE reservation SET variant = ?1 WHERE variant = ?2",
            "UPDATE run_item SET record = ?1 WHERE record = ?2",
            "UPDATE OR IGNORE want SET record = ?1 WHERE record = ?2",
            "UPDATE OR IGNORE never_match SET record = ?1 WHERE record = ?2",
        ] {
            self.connection.prepare_cached(sql)?.execute((survivor.0, loser.0))?;
        }
        for sql in [
            "DELETE FROM want WHERE record = ?1",
            "DELETE FROM record_key WHERE record = ?1",
            "UPDATE intent SET state = 'cancelled', error = 'its record was merged into another'
             WHERE record = ?1 AND state IN ('planned', 'retry', 'waiting')",
        ] {
            self.connection.prepare_cached(sql)?.execute([loser.0])?;
        }
        let rev = self.next_rev()?;
        self.connection
            .prepare_cached("UPDATE record SET state = 'merged', merged_into = ?2, rev = ?3 WHERE id = ?1")?
            .execute((loser.0, survivor.0, rev.0))?;
        Ok(colliding)
    }
}

#[cfg(test)]
mod tests;
