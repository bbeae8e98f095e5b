//! What a projection asks the hub.

use super::Contents;
use crate::ledger::link::{LinkState, MAIN};
use crate::ledger::record::{RecordState, StoredRecord};
use crate::ledger::{LedgerError, View};
use crate::model::{FacetKey, Key, KeyType, Link, PlatformId, RecordId, RecordKind, RemoteRef};
use crate::sync::ownership::Ownership;
use crate::sync::projection::{Lookup, Resolved};

pub(crate) struct HubLookup<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) target: PlatformId,
    pub(crate) ownership: &'a Ownership,
    pub(crate) contents: &'a Contents,
}

impl HubLookup<'_> {
    /// The hub's record behind a link in the id space of `from`.
    pub(crate) fn record(
        &self,
        from: Option<PlatformId>,
        kind: RecordKind,
        link: &Link,
    ) -> Result<Option<RecordId>, LedgerError> {
        let by_id = match (from, &link.id) {
            (Some(from), Some(id)) => self.view.link_by_remote(from, kind, id)?.and_then(|link| link.record),
            _ => None,
        };
        if let Some(record) = by_id {
            return self.survivor(record).map(Some);
        }
        if link.key.is_empty() {
            return Ok(None);
        }
        let key = match kind {
            RecordKind::Variant => KeyType::Sku,
            RecordKind::Category => KeyType::Category,
            RecordKind::Customer => KeyType::Email,
            RecordKind::Product => KeyType::Number,
            RecordKind::Order | RecordKind::Shipment => KeyType::OrderNumber,
        };
        let value = if kind == RecordKind::Customer { link.key.to_lowercase() } else { link.key.clone() };
        // Several hits name nobody.
        match self.view.records_by_key(kind, &Key { kind: key, value })?[..] {
            [record] => Ok(Some(record)),
            _ => Ok(None),
        }
    }

    fn survivor(&self, record: RecordId) -> Result<RecordId, LedgerError> {
        let mut stored = self.view.record(record)?;
        while let (RecordState::Merged, Some(into)) = (stored.state, stored.merged_into) {
            stored = self.view.record(into)?;
        }
        Ok(stored.id)
    }
}

impl Lookup for HubLookup<'_> {
    fn resolve(&self, from: Option<PlatformId>, kind: RecordKind, link: &Link) -> Result<Resolved, LedgerError> {
        let Some(record) = self.record(from, kind, link)? else { return Ok(Resolved::Unknown) };
        Ok(self.remote(kind, record)?.map_or(Resolved::Known(record), Resolved::There))
    }

    fn remote(&self, kind: RecordKind, record: RecordId) -> Result<Option<RemoteRef>, LedgerError> {
        let link = self.view.link_of(self.target, kind, record, MAIN)?;
        Ok(link.filter(|link| link.state == LinkState::Live).map(|link| link.remote))
    }

    fn content(&self, from: PlatformId, url: &str) -> Result<Option<String>, LedgerError> {
        if let Some(fetched) = self.contents.get(&(from, url.to_owned())) {
            return Ok(fetched.clone());
        }
        Ok(self.view.blob_from(from, url)?.map(|blob| blob.content))
    }

    fn is_own(&self, kind: RecordKind, key: &FacetKey, origin: Option<PlatformId>) -> bool {
        self.ownership.owner(kind, key, origin) == Some(self.target)
    }
}

/// A record as a person knows it.
pub(crate) fn name_of(view: &View<'_>, record: RecordId) -> Result<String, LedgerError> {
    view.record(record).map(|record| name(&record))
}

/// A record as a person knows it.
pub(crate) fn name(record: &StoredRecord) -> String {
    let text = |facet: &str, field: &str| {
        let facet = record.facets.get(&FacetKey::from(facet))?;
        facet.body[field].as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    };
    let texts = || {
        let texts = record.facets.iter().find(|(key, _)| key.name() == "texts")?.1;
        texts.body["name"].as_str().map(ToOwned::to_owned)
    };
    let found = match record.kind {
        RecordKind::Variant => text("head", "sku"),
        RecordKind::Product => text("head", "number").or_else(texts),
        RecordKind::Category => texts().or_else(|| text("head", "key")),
        RecordKind::Customer => text("head", "email").or_else(|| text("head", "company")),
        RecordKind::Order | RecordKind::Shipment => text("placed", "number"),
    };
    found.unwrap_or_else(|| format!("#{}", record.id))
}
