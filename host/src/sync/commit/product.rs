//! Products and the variants that they group. Matching looks at all of them before anything is written, so that a product
//! with one unclear variant is held as a whole.

use std::collections::BTreeSet;

use super::{Commit, Home, Place, remote};
use crate::ledger::LedgerError;
use crate::ledger::link::{LinkState, MAIN};
use crate::ledger::run::What;
use crate::model::{FacetKey, Record, RecordId, RecordKind, RemoteRef, VariantRecord};
use crate::sync::matching::Matched;
use crate::sync::page::{Ready, Said};

/// A variant of which a person has to say who it is.
struct Unclear {
    reason: String,
    candidates: Vec<RecordId>,
    variant: RemoteRef,
}

impl Commit<'_, '_> {
    pub(super) fn product(&mut self, ready: &Ready) -> Result<bool, LedgerError> {
        let record = &ready.record;
        let remote = remote(record)?;
        let matches = match self.match_variants(&record.variants)? {
            Ok(matches) => matches,
            Err(Unclear { reason, candidates, variant }) => {
                self.hold(record, &reason, &candidates, Some(&variant))?;
                return Ok(false);
            }
        };
        let matched = self.match_product(record, remote, &matches)?;
        let ours = matches!(matched, Matched::Own { .. });
        let variants = record.variants.iter().zip(ready.variants_said()).zip(matches);
        let mut place = match self.home(RecordKind::Product, ready, remote, matched)? {
            Home::Held => return Ok(false),
            Home::Ignored => {
                // The product is not imported, but what it sells may well be known: prices and stock go by the variant.
                for ((variant, said), matched) in variants {
                    if matches!(matched, Matched::Linked(_) | Matched::Key(_)) {
                        self.variant(variant, said, matched, None, false)?;
                    }
                }
                return Ok(true);
            }
            Home::At(place) => place,
        };
        let (first, mut what) = (place.is_new(), place.what);
        let grouping = FacetKey::from("grouping");
        let groups =
            record.facets.contains_key(&grouping) && (first || self.owns(RecordKind::Product, &grouping, place.origin));
        let mut listed = BTreeSet::new();
        for ((variant, said), matched) in variants {
            let id = self.variant(variant, said, matched, Some((place.id, groups)), ours)?;
            if let Some((id, touched)) = id {
                listed.insert(id);
                if touched && what == What::Unchanged {
                    what = What::Updated;
                }
            }
        }
        let changed = self.facets(&mut place, ready.said(), Some(remote), None)?;
        self.keys(&place, RecordKind::Product, &record.keys)?;
        self.tx.set_parts(place.link, &record.parts)?;
        // A product that was just made has no others.
        if groups && !first {
            self.ungroup(place.id, &listed)?;
        }
        self.line(place.id, remote, what, &changed);
        Ok(true)
    }

    /// Who each variant is; `Err` when one is not clear.
    fn match_variants(&self, variants: &[VariantRecord]) -> Result<Result<Vec<Matched>, Unclear>, LedgerError> {
        let mut matches = Vec::with_capacity(variants.len());
        let mut taken = BTreeSet::new();
        let mut skus = BTreeSet::new();
        for variant in variants {
            let remote = variant_remote(variant)?;
            let matched = self.find_record(RecordKind::Variant, remote, None, &variant.keys)?;
            let unclear = |reason: String, candidates| Unclear { reason, candidates, variant: remote.clone() };
            let record = match &matched {
                Matched::Ambiguous { reason, candidates } => {
                    return Ok(Err(unclear(reason.clone(), candidates.clone())));
                }
                Matched::Linked(link) => link.record,
                Matched::Own { record, .. } | Matched::Key(record) => Some(*record),
                Matched::New | Matched::Ignored { .. } => None,
            };
            let twice = record.is_some_and(|record| !taken.insert(record))
                || (!variant.sku.is_empty() && !skus.insert(variant.sku.as_str()));
            if twice {
                let reason = format!("SKU `{}` stands on two of its variants", variant.sku);
                return Ok(Err(unclear(reason, record.into_iter().collect())));
            }
            matches.push(matched);
        }
        Ok(Ok(matches))
    }

    /// A product without link, marker and key of its own is the one whose variants it has.
    fn match_product(&self, record: &Record, remote: &RemoteRef, variants: &[Matched]) -> Result<Matched, LedgerError> {
        let matched = self.find_record(RecordKind::Product, remote, record.marker.as_deref(), &record.keys)?;
        if !matches!(matched, Matched::New | Matched::Ignored { .. }) {
            return Ok(matched);
        }
        let mut products = Vec::new();
        for variant in variants {
            if let Matched::Key(id) = variant
                && let Some(product) = self.tx.record(*id)?.product
            {
                products.push(product);
            }
        }
        let found = self.one_of(RecordKind::Product, remote, products, "what its variants belong to")?;
        Ok(found.unwrap_or(matched))
    }

    /// Applies one variant; returns its record and whether anything changed. `into`: its product, and whether this
    /// platform says what belongs to that.
    fn variant(
        &mut self,
        variant: &VariantRecord,
        said: Said<'_>,
        matched: Matched,
        into: Option<(RecordId, bool)>,
        ours: bool,
    ) -> Result<Option<(RecordId, bool)>, LedgerError> {
        let remote = variant_remote(variant)?;
        let matched = match matched {
            Matched::Ignored { reason } => {
                // Who groups a product also says that it has a new variant.
                if into.is_none_or(|(_, groups)| !groups) {
                    self.ignore(RecordKind::Variant, remote, &reason)?;
                    return Ok(None);
                }
                Matched::New
            }
            Matched::Key(record) if ours => Matched::Own { record, intent: None },
            matched => matched,
        };
        let product = into.map(|(product, _)| product);
        let mut place = self.settle_match(RecordKind::Variant, remote, matched, said, product)?;
        if let (Some((product, groups)), Some((record, _))) = (into, place.found.as_deref_mut())
            && (groups || record.product.is_none())
            && record.product != Some(product)
        {
            self.tx.set_product(record.id, Some(product))?;
            record.product = Some(product);
        }
        let changed = self.facets(&mut place, said, Some(remote), None)?;
        self.keys(&place, RecordKind::Variant, &variant.keys)?;
        let Place { id, what, .. } = place;
        let new = matches!(what, What::Created | What::Matched);
        if new {
            self.item(Some(id), remote, what, Some(format!("variant `{}`", variant.sku)));
        }
        Ok(Some((id, new || !changed.is_empty())))
    }

    /// What the product's grouper lists no more is no part of it; it may turn up in another product.
    fn ungroup(&mut self, product: RecordId, listed: &BTreeSet<RecordId>) -> Result<(), LedgerError> {
        for variant in self.tx.variants_of(product)? {
            if listed.contains(&variant.id) {
                continue;
            }
            let Some(link) = self.tx.link_of(self.me.id, RecordKind::Variant, variant.id, MAIN)? else { continue };
            self.tx.set_product(variant.id, None)?;
            if link.state == LinkState::Live {
                self.tx.set_link_state(link.id, LinkState::Gone, Some("its product lists it no more"))?;
            }
            if self.owns(RecordKind::Variant, &FacetKey::head(), variant.origin) {
                self.tx.mark_deleted(variant.id)?;
            }
            self.item(Some(variant.id), &link.remote, What::Deleted, Some("its product lists it no more".into()));
        }
        Ok(())
    }
}

fn variant_remote(variant: &VariantRecord) -> Result<&RemoteRef, LedgerError> {
    variant
        .remote
        .as_ref()
        .ok_or_else(|| LedgerError::Conflict { message: format!("variant `{}` has no id", variant.sku) })
}
