//! What a hub record looks like on one platform: only facets that others own, in the platform's languages, with links in
//! its id space and prices in its basis.

mod price;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::ledger::LedgerError;
use crate::ledger::record::StoredRecord;
use crate::model::catalog::{CategoryHead, Medium, VariantHead};
use crate::model::description::{Account, Writing};
use crate::model::policy::{FacetsOf, Policy};
use crate::model::{
    FacetKey, Facets, Hash, Key, KeyType, Kind, Link, Op, PlatformId, Record, RecordId, RecordKind, RemoteRef,
    VariantRecord,
};

pub use price::{PriceSource, prices};

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// It is there, under this reference.
    There(RemoteRef),
    /// The hub knows it, the target does not (yet).
    Known(RecordId),
    /// Nobody knows it.
    Unknown,
}

/// What the projection asks the hub.
pub trait Lookup {
    /// Follows a link that is in the id space of `from`.
    ///
    /// # Errors
    /// Of the ledger.
    fn resolve(&self, from: Option<PlatformId>, kind: RecordKind, link: &Link) -> Result<Resolved, LedgerError>;

    /// The record's object on the target.
    ///
    /// # Errors
    /// Of the ledger.
    fn remote(&self, kind: RecordKind, record: RecordId) -> Result<Option<RemoteRef>, LedgerError>;

    /// Content of a picture at an address of a platform, once the host has it.
    ///
    /// # Errors
    /// Of the ledger.
    fn content(&self, from: PlatformId, url: &str) -> Result<Option<String>, LedgerError>;

    /// Whether the target itself owns the facet.
    fn is_own(&self, kind: RecordKind, key: &FacetKey, origin: Option<PlatformId>) -> bool;
}

/// The platform that is written.
pub struct Target<'a> {
    /// Which.
    pub platform: PlatformId,
    /// What the operator decided.
    pub policy: &'a Policy,
    /// Its channels, where known.
    pub account: Option<&'a Account>,
    /// What can be written of the kind.
    pub writing: &'a Writing,
    /// Now, for what depends on time.
    pub now: Timestamp,
}

/// Something that has to be there first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// A record's object on the target.
    Link {
        /// Kind of record.
        kind: RecordKind,
        /// Record.
        record: RecordId,
    },
    /// The bytes of a picture.
    Content {
        /// Platform that has them.
        from: PlatformId,
        /// Where.
        url: String,
    },
}

/// A record as the target shall have it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Projected {
    /// Facets in the target's terms.
    pub facets: Facets,
    /// Of a product whose grouping is written.
    pub variants: Vec<(RecordId, VariantRecord)>,
    /// What has to be there first.
    pub missing: Vec<Missing>,
    /// When it looks different next, without anybody changing anything.
    pub next_edge: Option<Timestamp>,
    /// Facets that cannot be written, with the reason.
    pub left_out: Vec<(FacetKey, String)>,
}

impl Projected {
    /// Hash of each facet. That of a grouping covers the variants.
    #[must_use]
    pub fn hashes(&self) -> BTreeMap<FacetKey, Hash> {
        let hash = |(key, body): (&FacetKey, &Value)| {
            let hash = if key.name() == "grouping" { self.grouping_hash() } else { Hash::of(body) };
            (key.clone(), hash)
        };
        self.facets.iter().map(hash).collect()
    }

    fn grouping_hash(&self) -> Hash {
        let variants: BTreeMap<&str, &Facets> =
            self.variants.iter().map(|(_, variant)| (variant.sku.as_str(), &variant.facets)).collect();
        Hash::of(&serde_json::to_value(variants).unwrap_or_default())
    }

    /// The record with some of the facets; `item`, `remote`, `marker` and `parts` are the caller's.
    #[must_use]
    pub fn record(&self, kind: Kind, op: Op, keys: impl Fn(&FacetKey) -> bool) -> Record {
        let facets: Facets =
            self.facets.iter().filter(|(key, _)| keys(key)).map(|(key, body)| (key.clone(), body.clone())).collect();
        let grouped = facets.contains_key(&grouping());
        let variants = self.variants.iter().filter(|_| grouped).map(|(_, variant)| variant.clone()).collect();
        Record {
            kind,
            op,
            item: String::new(),
            marker: None,
            remote: None,
            of: None,
            keys: Vec::new(),
            facets,
            variants,
            parts: Vec::new(),
            updated: None,
            as_of: None,
        }
    }
}

/// The facet `grouping`.
#[must_use]
pub fn grouping() -> FacetKey {
    FacetKey::from("grouping")
}

/// Whether a facet is sent only when its record is created.
#[must_use]
pub fn only_at_create(policy: &Policy, record: RecordKind, key: &FacetKey) -> bool {
    policy.only_at_create.iter().any(|FacetsOf { record: kind, facet }| *kind == record && facet.matches(key))
}

/// Projects a category, product or customer; `variants` are those of the product.
///
/// # Errors
/// Of the ledger.
pub fn project(
    target: &Target<'_>,
    lookup: &dyn Lookup,
    record: &StoredRecord,
    variants: &[StoredRecord],
) -> Result<Projected, LedgerError> {
    let mut projected = Projected::default();
    let is_new = lookup.remote(record.kind, record.id)?.is_none();
    for (key, stored) in &record.facets {
        // What will be the target's own is sent with the rest when the policy says so: an object has no name before.
        let begins = is_new && only_at_create(target.policy, record.kind, key);
        if key.name() == "grouping"
            || stored.from == Some(target.platform)
            || (lookup.is_own(record.kind, key, record.origin) && !begins)
        {
            continue;
        }
        let Some(key) = renamed(target.policy, key) else { continue };
        if !target.writing.writes(&key) {
            continue;
        }
        let body = match key.name() {
            "media" => media(lookup, stored.from, &stored.body, &mut projected.missing)?,
            "categories" => Some(categories(target, lookup, stored.from, &stored.body, &mut projected.missing)?),
            "head" if record.kind == RecordKind::Category => {
                Some(category_head(target, lookup, stored.from, &stored.body, &mut projected.missing)?)
            }
            _ => Some(stored.body.clone()),
        };
        if let Some(body) = body {
            projected.facets.insert(key, body);
        }
    }
    if record.kind == RecordKind::Product {
        group(target, lookup, record, variants, &mut projected)?;
    }
    Ok(projected)
}

/// The key of a facet on the target: languages may have other names there, or not be wanted.
fn renamed(policy: &Policy, key: &FacetKey) -> Option<FacetKey> {
    let (true, Some(language)) = (matches!(key.name(), "texts" | "seo"), key.scope()) else {
        return Some(key.clone());
    };
    if policy.languages.is_empty() {
        return Some(key.clone());
    }
    let (here, _) = policy.languages.iter().find(|(_, theirs)| *theirs == language)?;
    Some(FacetKey::new(key.name(), &[here]))
}

fn media(
    lookup: &dyn Lookup,
    from: Option<PlatformId>,
    body: &Value,
    missing: &mut Vec<Missing>,
) -> Result<Option<Value>, LedgerError> {
    let Some(mut media) = read::<Vec<Medium>>(body)? else { return Ok(None) };
    for medium in &mut media {
        if let (None, Some(url), Some(from)) = (&medium.blob, &medium.url, from) {
            medium.blob = lookup.content(from, url)?;
            if medium.blob.is_none() {
                missing.push(Missing::Content { from, url: url.clone() });
            }
        }
        // The address belongs to the source; two addresses of the same bytes are the same picture.
        if medium.blob.is_some() {
            medium.url = None;
        }
    }
    write(&media).map(Some)
}

/// Categories that the target does not have and will not get are left out.
fn categories(
    target: &Target<'_>,
    lookup: &dyn Lookup,
    from: Option<PlatformId>,
    body: &Value,
    missing: &mut Vec<Missing>,
) -> Result<Value, LedgerError> {
    let mut there = Vec::new();
    for link in read::<Vec<Link>>(body)?.unwrap_or_default() {
        match lookup.resolve(from, RecordKind::Category, &link)? {
            Resolved::There(remote) => there.push(Link { id: Some(remote.id), key: link.key }),
            Resolved::Known(record) if comes_up(target.policy, Kind::Category) => {
                missing.push(Missing::Link { kind: RecordKind::Category, record });
            }
            Resolved::Known(_) | Resolved::Unknown => {}
        }
    }
    write(&there)
}

fn category_head(
    target: &Target<'_>,
    lookup: &dyn Lookup,
    from: Option<PlatformId>,
    body: &Value,
    missing: &mut Vec<Missing>,
) -> Result<Value, LedgerError> {
    let Some(mut head) = read::<CategoryHead>(body)? else { return Ok(body.clone()) };
    if let Some(parent) = head.parent.take() {
        match lookup.resolve(from, RecordKind::Category, &parent)? {
            Resolved::There(remote) => head.parent = Some(Link { id: Some(remote.id), key: parent.key }),
            Resolved::Known(record) if comes_up(target.policy, Kind::Category) => {
                missing.push(Missing::Link { kind: RecordKind::Category, record });
            }
            Resolved::Known(_) | Resolved::Unknown => {}
        }
    }
    write(&head)
}

/// Whether records of the kind are created on the target by and by.
#[must_use]
pub fn comes_up(policy: &Policy, kind: Kind) -> bool {
    policy.pushes.contains(&kind) && policy.create_on.contains(&kind.record_kind())
}

fn group(
    target: &Target<'_>,
    lookup: &dyn Lookup,
    record: &StoredRecord,
    variants: &[StoredRecord],
    projected: &mut Projected,
) -> Result<(), LedgerError> {
    let key = grouping();
    let foreign = record.facets.get(&key).is_none_or(|stored| stored.from != Some(target.platform));
    if variants.is_empty() || !foreign || !target.writing.writes(&key) {
        return Ok(());
    }
    if lookup.is_own(record.kind, &key, record.origin) {
        return Ok(());
    }
    let mut grouped: Vec<(RecordId, VariantRecord)> = Vec::new();
    for variant in variants {
        let mut facets = Facets::new();
        let mut sku = String::new();
        for name in ["head", "media"] {
            let name = FacetKey::from(name);
            let Some(stored) = variant.facets.get(&name) else { continue };
            if name == FacetKey::head() {
                let Some(mut head) = read::<VariantHead>(&stored.body)? else { continue };
                // A tax class is a name of the source's own; the percent says the same to everybody.
                if stored.from != Some(target.platform) {
                    head.tax_class = None;
                }
                sku.clone_from(&head.sku);
                facets.insert(name, write(&head)?);
            } else if let Some(body) = media(lookup, stored.from, &stored.body, &mut projected.missing)? {
                facets.insert(name, body);
            }
        }
        let keys = vec![Key { kind: KeyType::Sku, value: sku.clone() }];
        let remote = lookup.remote(RecordKind::Variant, variant.id)?;
        grouped.push((variant.id, VariantRecord { remote, sku, keys, facets }));
    }
    grouped.sort_by(|(_, a), (_, b)| a.sku.cmp(&b.sku));
    let all: Vec<VariantRecord> = grouped.iter().map(|(_, variant)| variant.clone()).collect();
    projected.facets.insert(key, VariantRecord::grouping(&all));
    projected.variants = grouped;
    Ok(())
}

/// Reads a facet body; `None` when it is null.
pub(crate) fn read<T: serde::de::DeserializeOwned>(body: &Value) -> Result<Option<T>, LedgerError> {
    if body.is_null() {
        return Ok(None);
    }
    serde_json::from_value(body.clone()).map(Some).map_err(|source| LedgerError::Corrupt { what: "facet", source })
}

/// Canonical JSON of a facet body.
pub(crate) fn write(value: &impl serde::Serialize) -> Result<Value, LedgerError> {
    serde_json::to_value(value).map_err(|source| LedgerError::Corrupt { what: "facet", source })
}
