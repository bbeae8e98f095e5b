//! Facets: what the platform owns is written, what others own is compared, and who has to hear of it wants it.

use jiff::Timestamp;

use super::{Commit, Place};
use crate::ledger::LedgerError;
use crate::ledger::attention::{Choice, NewAttention};
use crate::ledger::link::{LinkFacet, MAIN, MadeBy, NewLink, StoredLink};
use crate::ledger::platform::{Platform, PlatformState};
use crate::ledger::record::{ChangedFacet, FacetChange, FacetRule, Identity, NewFacet, NewRecord, StoredRecord};
use crate::ledger::run::What;
use crate::ledger::stream::Phase;
use crate::ledger::want::WantReason;
use crate::model::policy::Drift;
use crate::model::{FacetKey, Hash, Key, Kind, PlatformId, RecordId, RecordKind, RemoteRef};
use crate::sync::page::Said;

impl Commit<'_, '_> {
    /// A record that nobody knew begins with what is said of it, whoever owns that later: it and its link are written
    /// whole.
    pub(super) fn begin(
        &mut self,
        kind: RecordKind,
        remote: &RemoteRef,
        said: Said<'_>,
        product: Option<RecordId>,
    ) -> Result<Place, LedgerError> {
        let origin = Some(self.me.id);
        let new = NewRecord {
            kind,
            origin,
            product,
            facets: said.iter().map(|(key, _, body)| NewFacet { key, body, as_of: None }).collect(),
            run: self.run,
        };
        let (id, begun) = self.tx.insert_record(&new)?;
        let seen = said.iter().map(|(key, _, body)| {
            let facet = LinkFacet { seen_hash: Some(body.hash), seen_at: Some(self.read_at), ..LinkFacet::default() };
            (key.clone(), facet)
        });
        let link = NewLink { run: self.run, ..NewLink::live(self.me.id, kind, id, remote.clone(), MadeBy::Pulled) };
        let link = self.tx.add_first_link(&link, &seen.collect())?;
        self.want_changed(&Identity { id, kind, origin, product }, &begun)?;
        Ok(Place { id, link, origin, what: What::Created, found: None, begun })
    }

    /// Writes what the platform owns, notes what was seen, and judges what others own. Returns what changed in the hub;
    /// the place is afterwards as it is stored.
    pub(super) fn facets(
        &mut self,
        place: &mut Place,
        said: Said<'_>,
        remote: Option<&RemoteRef>,
        as_of: Option<Timestamp>,
    ) -> Result<Vec<ChangedFacet>, LedgerError> {
        let Some((record, stored)) = place.found.as_deref_mut() else { return Ok(std::mem::take(&mut place.begun)) };
        let mut seen = std::mem::take(&mut stored.facets);
        let mut owned = Vec::new();
        let mut adopted = Vec::new();
        for (key, body, canonical) in said.iter() {
            let hash = canonical.hash;
            let change = || FacetChange { key: key.clone(), body: Some(body.clone()), as_of };
            let facet = seen.entry(key.clone()).or_default();
            if self.owns(record.kind, key, record.origin) {
                let same = record.facets.get(key).is_some_and(|hub| hub.hash == hash);
                if !same || as_of.is_some() {
                    owned.push((Some(hash), change()));
                }
            } else {
                if facet.sent_at.is_some_and(|sent| sent >= self.read_at) {
                    // Read before our last send: it says nothing about what the platform made of that.
                    continue;
                }
                if self.strays(record, stored, key, facet, hash)? == Some(Drift::Adopt) {
                    adopted.push((Some(hash), change()));
                    facet.base_hash = Some(hash);
                }
            }
            facet.seen_hash = Some(hash);
            facet.seen_at = Some(self.read_at);
            facet.seen_body = None;
        }
        let mut changed = self.tx.write_hashed(record, owned, Some(self.me.id), FacetRule::Owner, self.run)?;
        changed.extend(self.tx.write_hashed(record, adopted, Some(self.me.id), FacetRule::Adopt, self.run)?);
        for (key, facet) in &mut seen {
            if record.facets.get(key).is_some_and(|hub| Some(hub.hash) == facet.seen_hash) {
                facet.seen_body = None;
            } else if let Some(body) = said.facets.get(key).filter(|_| facet.seen_at == Some(self.read_at)) {
                // The hub holds something else.
                facet.seen_body = Some(body.clone());
            }
        }
        self.tx.set_link_facets(stored.id, &seen, remote)?;
        stored.facets = seen;
        self.want_changed(&record.identity(), &changed)?;
        Ok(changed)
    }

    /// Judges what a platform shows of a facet that it does not own.
    fn strays(
        &mut self,
        record: &StoredRecord,
        link: &StoredLink,
        key: &FacetKey,
        facet: &mut LinkFacet,
        hash: Hash,
    ) -> Result<Option<Drift>, LedgerError> {
        let Some(base) = facet.base_hash else {
            if facet.sent_hash.is_some() {
                facet.base_hash = Some(hash);
            }
            return Ok(None);
        };
        let cause = format!("drift:{}:{key}", link.id);
        if base == hash {
            self.tx.solve_attention(&cause)?;
            return Ok(None);
        }
        // Sales move a shop's stock and people work on orders: there it is no drift unless the operator says so.
        let said = self.me.policy.drift.iter().any(|rule| rule.record == record.kind && rule.facet.matches(key));
        if !said && (key.name() == "stock" || record.kind == RecordKind::Order) {
            return Ok(None);
        }
        let drift = self.me.policy.drift_of(record.kind, key);
        match drift {
            Drift::Report if facet.seen_hash != Some(hash) => {
                let title = format!(
                    "{} {} on {}: `{key}` was changed there, but it is owned elsewhere.",
                    record.kind, link.remote.id, self.me.code
                );
                self.tx.attend(
                    &NewAttention {
                        cause_key: cause,
                        platform: Some(self.me.id),
                        record: Some(record.id),
                        title,
                        hint: "Send the owner's value again, take the value over, or leave it. A drift rule in the \
                               platform's policy decides this for good."
                            .into(),
                        choices: vec![
                            Choice::new("restore", "Send the owner's value again"),
                            Choice::new("adopt", "Take this value over"),
                            Choice::new("leave", "Leave it"),
                        ],
                        data: serde_json::json!({"link": link.id.0, "facet": key.as_str()}),
                        ..NewAttention::default()
                    },
                    self.run,
                )?;
            }
            Drift::Report | Drift::Adopt => {}
            Drift::Restore => {
                // What was sent is there no more, so that equal values are sent again too.
                facet.sent_hash = None;
                if let Some((kind, of, want_key)) = pushed_as(&record.identity(), key) {
                    self.tx.want(self.me.id, kind, of, &want_key, WantReason::Drift, None)?;
                }
            }
        }
        Ok(Some(drift))
    }

    pub(in crate::sync) fn owns(&self, kind: RecordKind, key: &FacetKey, origin: Option<PlatformId>) -> bool {
        self.ownership.owner(kind, key, origin) == Some(self.me.id)
    }

    pub(super) fn keys(&self, place: &Place, kind: RecordKind, keys: &[Key]) -> Result<(), LedgerError> {
        if place.is_new() {
            self.tx.add_keys(place.id, kind, keys)?;
        } else if self.owns(kind, &FacetKey::head(), place.origin) {
            self.tx.replace_keys(place.id, kind, keys)?;
        }
        Ok(())
    }

    /// Every other platform that is told of such facets wants them.
    pub(super) fn want_changed(&self, record: &Identity, changed: &[ChangedFacet]) -> Result<(), LedgerError> {
        // During first contact nobody has looked yet; going live makes everybody hear of everything.
        if self.stream.phase != Phase::Live {
            return Ok(());
        }
        for change in changed {
            let Some((kind, of, key)) = pushed_as(record, &change.key) else { continue };
            for target in &self.platforms {
                if target.id != self.me.id
                    && self.ownership.owner(record.kind, &change.key, record.origin) != Some(target.id)
                    && self.hears(target, kind, record)?
                {
                    self.tx.want(target.id, kind, of, &key, WantReason::Data, None)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a platform is told of a record: it has it, or gets new ones.
    pub(super) fn hears(&self, target: &Platform, kind: Kind, record: &Identity) -> Result<bool, LedgerError> {
        if target.state == PlatformState::Removed || !target.policy.pushes.contains(&kind) {
            return Ok(false);
        }
        let made = if record.kind == RecordKind::Variant { RecordKind::Product } else { record.kind };
        Ok(target.policy.create_on.contains(&made)
            || self.tx.link_of(target.id, record.kind, record.id, MAIN)?.is_some())
    }

    /// The platform that was pulled has a record that it did not make: it hears all of it once.
    pub(super) fn want_whole(&self, kind: RecordKind, record: RecordId) -> Result<(), LedgerError> {
        let pushes: &[Kind] = match kind {
            RecordKind::Category => &[Kind::Category],
            RecordKind::Product => &[Kind::Product],
            RecordKind::Variant => &[Kind::Stock, Kind::Price],
            RecordKind::Customer => &[Kind::Customer],
            RecordKind::Order | RecordKind::Shipment => &[],
        };
        for kind in pushes.iter().filter(|kind| self.me.policy.pushes.contains(kind)) {
            self.tx.want(self.me.id, *kind, record, "", WantReason::Data, None)?;
        }
        Ok(())
    }
}

/// Which push carries a facet, of which record, under which key.
pub(in crate::sync) fn pushed_as(record: &Identity, key: &FacetKey) -> Option<(Kind, RecordId, String)> {
    let own = |kind| Some((kind, record.id, key.as_str().to_owned()));
    match record.kind {
        RecordKind::Category => own(Kind::Category),
        RecordKind::Product => own(Kind::Product),
        RecordKind::Customer => own(Kind::Customer),
        RecordKind::Variant => match key.name() {
            "stock" => own(Kind::Stock),
            "price" => own(Kind::Price),
            // A variant travels inside its product.
            _ => record.product.map(|product| (Kind::Product, product, "grouping".to_owned())),
        },
        RecordKind::Order | RecordKind::Shipment => None,
    }
}
