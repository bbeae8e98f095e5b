//! Facets: what the platform owns is written, what others own is compared, and who has to hear of it wants it.

use jiff::Timestamp;

use super::Commit;
use crate::ledger::LedgerError;
use crate::ledger::attention::{Choice, NewAttention};
use crate::ledger::link::{LinkFacet, MAIN, StoredLink};
use crate::ledger::platform::{Platform, PlatformState};
use crate::ledger::record::{ChangedFacet, FacetChange, FacetRule, StoredRecord};
use crate::ledger::stream::Phase;
use crate::ledger::want::WantReason;
use crate::model::policy::Drift;
use crate::model::{FacetKey, Facets, Hash, Key, Kind, LinkId, PlatformId, RecordId, RecordKind, RemoteRef};

impl Commit<'_, '_> {
    /// Writes what the platform owns, notes what was seen, and judges what others own. Returns what changed in the hub.
    pub(super) fn facets(
        &mut self,
        id: RecordId,
        link: LinkId,
        facets: &Facets,
        remote: Option<&RemoteRef>,
        as_of: Option<Timestamp>,
        first: bool,
    ) -> Result<Vec<ChangedFacet>, LedgerError> {
        let mut record = self.tx.record(id)?;
        let stored = self.tx.link(link)?;
        let mut seen = stored.facets.clone();
        let mut owned = Vec::new();
        let mut adopted = Vec::new();
        for (key, body) in facets {
            let hash = Hash::of(body);
            let change = FacetChange { key: key.clone(), body: Some(body.clone()), as_of };
            let owns = self.owns(record.kind, key, record.origin);
            let facet = seen.entry(key.clone()).or_default();
            if owns || first {
                owned.push((Some(hash), change));
            } else {
                if facet.sent_at.is_some_and(|sent| sent >= self.read_at) {
                    // Read before our last send: it says nothing about what the platform made of that.
                    continue;
                }
                if self.strays(&record, &stored, key, facet, hash)? == Some(Drift::Adopt) {
                    adopted.push((Some(hash), change));
                    facet.base_hash = Some(hash);
                }
            }
            facet.seen_hash = Some(hash);
            facet.seen_at = Some(self.read_at);
            facet.seen_body = None;
        }
        let rule = if first { FacetRule::First } else { FacetRule::Owner };
        let mut changed = self.tx.write_hashed(&mut record, owned, Some(self.me.id), rule, self.run)?;
        changed.extend(self.tx.write_hashed(&mut record, adopted, Some(self.me.id), FacetRule::Adopt, self.run)?);
        for (key, facet) in &mut seen {
            if record.facets.get(key).is_some_and(|hub| Some(hub.hash) == facet.seen_hash) {
                facet.seen_body = None;
            } else if let Some(body) = facets.get(key).filter(|_| facet.seen_at == Some(self.read_at)) {
                // The hub holds something else.
                facet.seen_body = Some(body.clone());
            }
        }
        self.tx.set_link_facets(link, &seen, remote)?;
        self.want_changed(&record, &changed)?;
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
                if let Some((kind, of, want_key)) = pushed_as(record, key) {
                    self.tx.want(self.me.id, kind, of, &want_key, WantReason::Drift, None)?;
                }
            }
        }
        Ok(Some(drift))
    }

    pub(in crate::sync) fn owns(&self, kind: RecordKind, key: &FacetKey, origin: Option<PlatformId>) -> bool {
        self.ownership.owner(kind, key, origin) == Some(self.me.id)
    }

    pub(super) fn keys(&self, id: RecordId, kind: RecordKind, keys: &[Key], first: bool) -> Result<(), LedgerError> {
        if first || self.owns(kind, &FacetKey::head(), self.tx.record(id)?.origin) {
            self.tx.replace_keys(id, kind, keys)?;
        }
        Ok(())
    }

    /// Every other platform that is told of such facets wants them.
    pub(super) fn want_changed(&self, record: &StoredRecord, changed: &[ChangedFacet]) -> Result<(), LedgerError> {
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
    pub(super) fn hears(&self, target: &Platform, kind: Kind, record: &StoredRecord) -> Result<bool, LedgerError> {
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
pub(in crate::sync) fn pushed_as(record: &StoredRecord, key: &FacetKey) -> Option<(Kind, RecordId, String)> {
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
