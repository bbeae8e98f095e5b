//! Links: the identity of hub records on platforms, with what was last seen and sent there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wait::{on_link, on_remote};
use super::{LedgerError, Tx, View, document, from_micros, micros, to_json};
use crate::model::kind::names;
use crate::model::{FacetKey, Hash, LinkId, Part, PartKind, PlatformId, RecordId, RecordKind, RemoteRef, Rev, RunId};

/// The slot of a record's only object on a platform.
pub const MAIN: &str = "main";

/// What became of the object over there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// It is there.
    Live,
    /// It was asked for and not found.
    Gone,
    /// Seen, not imported, because.
    Ignored,
    /// Unlinked by a person or a merge.
    Removed,
}

names!(LinkState { Live => "live", Gone => "gone", Ignored => "ignored", Removed => "removed" });

/// How the link came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MadeBy {
    /// The record came from there.
    Pulled,
    /// We made the object.
    Created,
    /// A natural key fitted.
    Matched,
    /// We found the object by marker or key before we made it.
    Adopted,
    /// A person.
    Hand,
}

names!(MadeBy {
    Pulled => "pulled", Created => "created", Matched => "matched", Adopted => "adopted", Hand => "hand",
});

/// What was seen of, and sent to, one facet of a remote object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkFacet {
    /// Of the body that was last seen there.
    #[serde(rename = "sh", skip_serializing_if = "Option::is_none")]
    pub seen_hash: Option<Hash>,
    /// What was last seen there; absent when the hub holds the same.
    #[serde(rename = "sb", skip_serializing_if = "Option::is_none")]
    pub seen_body: Option<Value>,
    /// When.
    #[serde(rename = "sa", skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// The hub's position that was last sent.
    #[serde(rename = "tr", skip_serializing_if = "Option::is_none")]
    pub sent_rev: Option<Rev>,
    /// Of the projection that was last sent.
    #[serde(rename = "th", skip_serializing_if = "Option::is_none")]
    pub sent_hash: Option<Hash>,
    /// When; what was read before says nothing about what became of it.
    #[serde(rename = "ta", skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// What the platform made of it: the first seen hash after the send.
    #[serde(rename = "bh", skip_serializing_if = "Option::is_none")]
    pub base_hash: Option<Hash>,
    /// Policy revision of the send.
    #[serde(rename = "rr", skip_serializing_if = "Option::is_none")]
    pub rules_rev: Option<i64>,
}

/// A link.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredLink {
    /// Number.
    pub id: LinkId,
    /// Platform.
    pub platform: PlatformId,
    /// Kind of the object: that of the record, or shipment (of an order).
    pub kind: RecordKind,
    /// Absent: ignored, never imported.
    pub record: Option<RecordId>,
    /// Tells several objects of one record apart; of a shipment, the key of its event.
    pub slot: String,
    /// The object's id.
    pub remote: RemoteRef,
    /// What became of it.
    pub state: LinkState,
    /// Why.
    pub reason: Option<String>,
    /// How it came about.
    pub made_by: MadeBy,
    /// Seen and sent, by facet.
    pub facets: BTreeMap<FacetKey, LinkFacet>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a new link needs.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// Platform.
    pub platform: PlatformId,
    /// Kind of the object.
    pub kind: RecordKind,
    /// Record, unless it is ignored.
    pub record: Option<RecordId>,
    /// Slot, mostly [`MAIN`].
    pub slot: String,
    /// The object.
    pub remote: RemoteRef,
    /// State.
    pub state: LinkState,
    /// Why, where it is ignored.
    pub reason: Option<String>,
    /// How it came about.
    pub made_by: MadeBy,
    /// Run that makes it.
    pub run: Option<RunId>,
}

impl NewLink {
    /// A live link in the main slot.
    #[must_use]
    pub fn live(platform: PlatformId, kind: RecordKind, record: RecordId, remote: RemoteRef, made_by: MadeBy) -> Self {
        Self {
            platform,
            kind,
            record: Some(record),
            slot: MAIN.into(),
            remote,
            state: LinkState::Live,
            reason: None,
            made_by,
            run: None,
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, platform, kind, record, slot, remote_id, parent, version, state, reason, made_by, facets, \
             created_at FROM link",
            $rest
        )
    };
}

fn link(row: &Row<'_>) -> Result<StoredLink, LedgerError> {
    Ok(StoredLink {
        id: LinkId(row.get(0)?),
        platform: PlatformId(row.get(1)?),
        kind: row.get::<_, String>(2)?.parse()?,
        record: row.get::<_, Option<i64>>(3)?.map(RecordId),
        slot: row.get(4)?,
        remote: RemoteRef { id: row.get(5)?, parent: row.get(6)?, version: row.get(7)? },
        state: row.get::<_, String>(8)?.parse()?,
        reason: row.get(9)?,
        made_by: row.get::<_, String>(10)?.parse()?,
        facets: document("link.facets", &row.get::<_, String>(11)?)?,
        created_at: from_micros(row.get(12)?),
    })
}

impl View<'_> {
    /// A link by number.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is none.
    pub fn link(&self, id: LinkId) -> Result<StoredLink, LedgerError> {
        self.connection
            .prepare_cached(select!(" WHERE id = ?1"))?
            .query_row([id.0], |row| Ok(link(row)))
            .optional()?
            .ok_or_else(|| LedgerError::Missing { what: "link", id: id.to_string() })?
    }

    /// The link of a remote object, in whatever state.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn link_by_remote(
        &self,
        platform: PlatformId,
        kind: RecordKind,
        remote_id: &str,
    ) -> Result<Option<StoredLink>, LedgerError> {
        self.connection
            .prepare_cached(select!(" WHERE platform = ?1 AND kind = ?2 AND remote_id = ?3"))?
            .query_row((platform.0, kind.as_str(), remote_id), |row| Ok(link(row)))
            .optional()?
            .transpose()
    }

    /// The link of a record on a platform in a slot, unless it was removed.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn link_of(
        &self,
        platform: PlatformId,
        kind: RecordKind,
        record: RecordId,
        slot: &str,
    ) -> Result<Option<StoredLink>, LedgerError> {
        self.connection
            .prepare_cached(select!(
                " WHERE platform = ?1 AND kind = ?2 AND record = ?3 AND slot = ?4 AND state <> 'removed'"
            ))?
            .query_row((platform.0, kind.as_str(), record.0, slot), |row| Ok(link(row)))
            .optional()?
            .transpose()
    }

    /// All links of a record, removed ones too.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn links_of(&self, record: RecordId) -> Result<Vec<StoredLink>, LedgerError> {
        self.connection
            // Each state by itself has an index.
            .prepare_cached(concat!(
                select!(" WHERE record = ?1 AND state <> 'removed' UNION ALL "),
                select!(" WHERE record = ?1 AND state = 'removed' ORDER BY id")
            ))?
            .query_map([record.0], |row| Ok(link(row)))?
            .map(|row| row?)
            .collect()
    }

    /// Links of a kind on a platform in a state, after a number, in order: for walking over all of them.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn links_after(
        &self,
        platform: PlatformId,
        kind: RecordKind,
        state: LinkState,
        after: LinkId,
        limit: u32,
    ) -> Result<Vec<StoredLink>, LedgerError> {
        self.connection
            .prepare_cached(select!(
                " WHERE platform = ?1 AND kind = ?2 AND state = ?3 AND id > ?4 ORDER BY id LIMIT ?5"
            ))?
            .query_map((platform.0, kind.as_str(), state.as_str(), after.0, limit), |row| Ok(link(row)))?
            .map(|row| row?)
            .collect()
    }

    /// Live links of a kind on a platform that were made before a moment, after a number, in order. Younger ones, which
    /// after a first pull are all, are not even read.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn live_links_made_before(
        &self,
        platform: PlatformId,
        kind: RecordKind,
        before: Timestamp,
        after: LinkId,
        limit: u32,
    ) -> Result<Vec<StoredLink>, LedgerError> {
        self.connection
            .prepare_cached(select!(
                " WHERE platform = ?1 AND kind = ?2 AND state = 'live' AND created_at < ?3 AND id > ?4 ORDER BY id LIMIT ?5"
            ))?
            .query_map((platform.0, kind.as_str(), micros(before), after.0, limit), |row| Ok(link(row)))?
            .map(|row| row?)
            .collect()
    }

    /// How many links of a kind a platform has in a state.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn count_links(&self, platform: PlatformId, kind: RecordKind, state: LinkState) -> Result<u64, LedgerError> {
        self.connection
            .prepare_cached("SELECT count(*) FROM link WHERE platform = ?1 AND kind = ?2 AND state = ?3")?
            .query_row((platform.0, kind.as_str(), state.as_str()), |row| row.get(0).map(i64::cast_unsigned))
            .map_err(Into::into)
    }

    /// Whether a person said that this object is not this record.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn is_never_match(
        &self,
        platform: PlatformId,
        kind: RecordKind,
        remote_id: &str,
        record: RecordId,
    ) -> Result<bool, LedgerError> {
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM never_match
                 WHERE platform = ?1 AND kind = ?2 AND remote_id = ?3 AND record = ?4)",
            )?
            .query_row((platform.0, kind.as_str(), remote_id, record.0), |row| row.get(0))
            .map_err(Into::into)
    }

    /// Parts of a remote object with ids of their own.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn parts_of(&self, link: LinkId) -> Result<Vec<Part>, LedgerError> {
        self.connection
            .prepare_cached("SELECT part, local_key, remote_id FROM sublink WHERE link = ?1 ORDER BY part, local_key")?
            .query_map([link.0], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)))?
            .map(|row| {
                let (kind, key, id) = row?;
                Ok(Part { kind: kind.parse::<PartKind>()?, key, id })
            })
            .collect()
    }
}

impl Tx<'_> {
    /// Links a remote object and wakes what waited for that. A link that is there already for the same record is taken
    /// up again; one that is ignored, removed or without record becomes this one.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when the object belongs to another record, or the record's slot to another object.
    pub fn add_link(&self, new: &NewLink) -> Result<LinkId, LedgerError> {
        if let Some(record) = new.record
            && let Some(taken) = self.link_of(new.platform, new.kind, record, &new.slot)?
            && taken.remote.id != new.remote.id
            && new.state != LinkState::Removed
        {
            return Err(LedgerError::Conflict {
                message: format!(
                    "record {record} is linked to {} {} there already, so it cannot be {} too; unlink one of them",
                    new.kind, taken.remote.id, new.remote.id
                ),
            });
        }
        let before = self.link_by_remote(new.platform, new.kind, &new.remote.id)?;
        let id = if let Some(before) = before {
            let free = before.record.is_none()
                || before.record == new.record
                || matches!(before.state, LinkState::Removed | LinkState::Ignored);
            if !free {
                return Err(LedgerError::Conflict {
                    message: format!(
                        "{} {} is linked to record {} already; unlink it there first",
                        new.kind,
                        new.remote.id,
                        before.record.map(|id| id.to_string()).unwrap_or_default()
                    ),
                });
            }
            let facets = if before.record == new.record { before.facets } else { BTreeMap::new() };
            self.connection
                .prepare_cached(
                    "UPDATE link SET record = ?2, slot = ?3, parent = ?4, version = ?5, state = ?6, reason = ?7,
                         made_by = ?8, facets = ?9, run_id = ?10
                     WHERE id = ?1",
                )?
                .execute((
                    before.id.0,
                    new.record.map(|id| id.0),
                    &new.slot,
                    &new.remote.parent,
                    &new.remote.version,
                    new.state.as_str(),
                    &new.reason,
                    new.made_by.as_str(),
                    to_json(&facets)?,
                    new.run.map(|id| id.0),
                ))?;
            before.id
        } else {
            self.connection
                .prepare_cached(
                    "INSERT INTO link (platform, kind, record, slot, remote_id, parent, version, state, reason, made_by,
                         created_at, run_id)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                )?
                .execute((
                    new.platform.0,
                    new.kind.as_str(),
                    new.record.map(|id| id.0),
                    &new.slot,
                    &new.remote.id,
                    &new.remote.parent,
                    &new.remote.version,
                    new.state.as_str(),
                    &new.reason,
                    new.made_by.as_str(),
                    micros(self.now()),
                    new.run.map(|id| id.0),
                ))?;
            LinkId(self.connection.last_insert_rowid())
        };
        if let (Some(record), LinkState::Live) = (new.record, new.state) {
            self.wake(&on_link(new.platform, new.kind, record))?;
            self.wake(&on_remote(new.platform, new.kind, &new.remote.id))?;
        }
        Ok(id)
    }

    /// Links a remote object to a record that was made for it just now, with what was seen of it. As [`Self::add_link`],
    /// but nothing can wait for the record yet, and nothing else can be linked to it.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] when the object belongs to another record.
    pub fn add_first_link(&self, new: &NewLink, seen: &BTreeMap<FacetKey, LinkFacet>) -> Result<LinkId, LedgerError> {
        let rev = self.next_rev()?;
        let made = self
            .connection
            .prepare_cached(
                "INSERT INTO link (platform, kind, record, slot, remote_id, parent, version, state, reason, made_by,
                     facets, rev, created_at, run_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
                 ON CONFLICT (platform, kind, remote_id) DO NOTHING",
            )?
            .execute((
                new.platform.0,
                new.kind.as_str(),
                new.record.map(|id| id.0),
                &new.slot,
                &new.remote.id,
                &new.remote.parent,
                &new.remote.version,
                new.state.as_str(),
                &new.reason,
                new.made_by.as_str(),
                to_json(seen)?,
                rev.0,
                micros(self.now()),
                new.run.map(|id| id.0),
            ))?;
        if made == 1 {
            let id = LinkId(self.connection.last_insert_rowid());
            self.wake(&on_remote(new.platform, new.kind, &new.remote.id))?;
            return Ok(id);
        }
        // It was seen before and left out, or unlinked.
        let id = self.add_link(new)?;
        self.set_link_facets(id, seen, None)?;
        Ok(id)
    }

    /// Says what became of the object.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_link_state(&self, link: LinkId, state: LinkState, reason: Option<&str>) -> Result<(), LedgerError> {
        self.connection.prepare_cached("UPDATE link SET state = ?2, reason = ?3 WHERE id = ?1")?.execute((
            link.0,
            state.as_str(),
            reason,
        ))?;
        Ok(())
    }

    /// Unlinks by hand: the object is not matched with that record again.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is no such link.
    pub fn unlink(&self, id: LinkId, reason: &str) -> Result<(), LedgerError> {
        let link = self.link(id)?;
        self.set_link_state(id, LinkState::Removed, Some(reason))?;
        if let Some(record) = link.record {
            self.never_match(link.platform, link.kind, &link.remote.id, record)?;
        }
        Ok(())
    }

    /// A person said that this object is not this record.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn never_match(
        &self,
        platform: PlatformId,
        kind: RecordKind,
        remote_id: &str,
        record: RecordId,
    ) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO never_match (platform, kind, remote_id, record) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((platform.0, kind.as_str(), remote_id, record.0))?;
        Ok(())
    }

    /// Replaces what was seen and sent, and the object's version.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_link_facets(
        &self,
        link: LinkId,
        facets: &BTreeMap<FacetKey, LinkFacet>,
        remote: Option<&RemoteRef>,
    ) -> Result<(), LedgerError> {
        let rev = self.next_rev()?;
        self.connection
            .prepare_cached(
                "UPDATE link SET facets = ?2, rev = ?3, parent = coalesce(?4, parent), version = coalesce(?5, version)
                 WHERE id = ?1",
            )?
            .execute((
                link.0,
                to_json(facets)?,
                rev.0,
                remote.and_then(|remote| remote.parent.as_deref()),
                remote.and_then(|remote| remote.version.as_deref()),
            ))?;
        Ok(())
    }

    /// Notes what was sent: position and hash of each facet's projection, under which rules. What the platform makes of
    /// it is not known yet.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is no such link.
    pub fn note_sent(
        &self,
        id: LinkId,
        sent: &BTreeMap<FacetKey, (Rev, Hash)>,
        rules_rev: i64,
    ) -> Result<(), LedgerError> {
        let mut facets = self.link(id)?.facets;
        for (key, (rev, hash)) in sent {
            let facet = facets.entry(key.clone()).or_default();
            facet.sent_rev = Some(*rev);
            facet.sent_hash = Some(*hash);
            facet.sent_at = Some(self.now());
            facet.base_hash = None;
            facet.rules_rev = Some(rules_rev);
        }
        self.set_link_facets(id, &facets, None)
    }

    /// Adds or replaces parts. A remote id that stood under another key moves.
    ///
    /// # Errors
    /// Of SQLite.
    pub fn set_parts(&self, link: LinkId, parts: &[Part]) -> Result<(), LedgerError> {
        for part in parts {
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO sublink (link, part, local_key, remote_id) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((link.0, part.kind.as_str(), &part.key, &part.id))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
