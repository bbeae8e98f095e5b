//! Products and the variants that they group. Matching looks at all of them before anything is written, so that a product
//! with one unclear variant is held as a whole.

use std::collections::BTreeSet;

use super::{Commit, Home, remote};
use crate::ledger::LedgerError;
use crate::ledger::link::{LinkState, MAIN};
use crate::ledger::run::What;
use crate::model::{FacetKey, Record, RecordId, RecordKind, RemoteRef, VariantRecord};
use crate::sync::matching::Matched;

/// A variant of which a person has to say who it is.
struct Unclear {
    reason: String,
    candidates: Vec<RecordId>,
    variant: RemoteRef,
}

impl Commit<'_, '_> {
    pub(super) fn product(&mut self, record: &Record) -> Result<bool, LedgerError> {
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
        let (product, link, mut what) = match self.home(RecordKind::Product, record, remote, matched)? {
            Home::Held => return Ok(false),
            Home::Ignored => {
                // The product is not imported, but what it sells may well be known: prices and stock go by the variant.
                for (variant, matched) in matches {
                    if matches!(matched, Matched::Linked(_) | Matched::Key(_)) {
                        self.variant(&variant, matched, None, false)?;
                    }
                }
                return Ok(true);
            }
            Home::Of(product, link, what) => (product, link, what),
        };
        let first = what == What::Created;
        let grouping = FacetKey::from("grouping");
        let origin = self.tx.record(product)?.origin;
        let groups =
            record.facets.contains_key(&grouping) && (first || self.owns(RecordKind::Product, &grouping, origin));
        let mut listed = BTreeSet::new();
        let mut changed = Vec::new();
        for (variant, matched) in matches {
            let id = self.variant(&variant, matched, Some((product, groups)), ours)?;
            if let Some((id, touched)) = id {
                listed.insert(id);
                if touched && what == What::Unchanged {
                    what = What::Updated;
                }
            }
        }
        changed.extend(self.facets(product, link, &record.facets, Some(remote), None, first)?);
        self.keys(product, RecordKind::Product, &record.keys, first)?;
        self.tx.set_parts(link, &record.parts)?;
        // A product that was just made has no others.
        if groups && !first {
            self.ungroup(product, &listed)?;
        }
        self.line(product, remote, what, &changed);
        Ok(true)
    }

    /// Who each variant is; `Err` when one is not clear.
    fn match_variants(
        &self,
        variants: &[VariantRecord],
    ) -> Result<Result<Vec<(VariantRecord, Matched)>, Unclear>, LedgerError> {
        let mut matches = Vec::new();
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
                || (!variant.sku.is_empty() && !skus.insert(variant.sku.clone()));
            if twice {
                let reason = format!("SKU `{}` stands on two of its variants", variant.sku);
                return Ok(Err(unclear(reason, record.into_iter().collect())));
            }
            matches.push((variant.clone(), matched));
        }
        Ok(Ok(matches))
    }

    /// A product without link, marker and key of its own is the one whose variants it has.
    fn match_product(
        &self,
        record: &Record,
        remote: &RemoteRef,
        variants: &[(VariantRecord, Matched)],
    ) -> Result<Matched, LedgerError> {
        let matched = self.find_record(RecordKind::Product, remote, record.marker.as_deref(), &record.keys)?;
        if !matches!(matched, Matched::New | Matched::Ignored { .. }) {
            return Ok(matched);
        }
        let mut products = Vec::new();
        for (_, variant) in variants {
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
        let (id, link, what) = self.settle_match(RecordKind::Variant, remote, matched)?;
        let first = what == What::Created;
        if let Some((product, groups)) = into {
            let before = self.tx.record(id)?.product;
            if (groups || before.is_none()) && before != Some(product) {
                self.tx.set_product(id, Some(product))?;
            }
        }
        let changed = self.facets(id, link, &variant.facets, Some(remote), None, first)?;
        self.keys(id, RecordKind::Variant, &variant.keys, first)?;
        if first || what == What::Matched {
            self.item(Some(id), remote, what, Some(format!("variant `{}`", variant.sku)));
        }
        Ok(Some((id, first || what == What::Matched || !changed.is_empty())))
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
