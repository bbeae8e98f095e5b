//! Plans of state: categories, products, customers, prices, stock. They converge to the newest value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Change, Foreseen, Outline, PreviewLine, Scene, hub};
use crate::ledger::intent::{Intent, IntentState, NewIntent, Revs, Sent};
use crate::ledger::link::{LinkFacet, LinkState, MAIN, StoredLink};
use crate::ledger::record::{RecordState, StoredRecord};
use crate::ledger::wait::Waiting;
use crate::ledger::want::{AT_TIME, DELETE, GOODS_LEFT, MOVED, Want, WantReason};
use crate::ledger::{LedgerError, Tx};
use crate::model::policy::{OnDelete, OnGone};
use crate::model::{FacetKey, Hash, Kind, Op, RecordId, RecordKind, RemoteRef, Rev, VariantRecord};
use crate::sync::guard::{Alarm, alarm};
use crate::sync::projection::{Missing, Projected, Target, grouping, only_at_create, project};

/// Why a record is planned.
pub(super) struct Wanted {
    pub(super) reason: WantReason,
    delete: bool,
    /// Facets that are sent though nothing changed since.
    again: BTreeSet<FacetKey>,
    all_again: bool,
    /// Goods left the platform since its figure was written.
    pub(super) goods_left: bool,
    /// The platform moved its own stock since its figure was written or read.
    pub(super) moved: bool,
}

impl Wanted {
    fn of(wants: &[Want]) -> Self {
        Self {
            reason: wants.iter().map(|want| want.reason).max().unwrap_or(WantReason::Data),
            delete: wants.iter().any(|want| want.key == DELETE),
            again: wants
                .iter()
                .filter(|want| want.reason == WantReason::Drift)
                .map(|want| FacetKey::from(want.key.as_str()))
                .collect(),
            all_again: wants.iter().any(|want| want.reason == WantReason::Hand),
            goods_left: wants.iter().any(|want| want.key == GOODS_LEFT),
            moved: wants.iter().any(|want| want.key == MOVED),
        }
    }

    pub(super) fn again(&self, key: &FacetKey) -> bool {
        self.all_again || self.again.contains(key)
    }

    pub(super) fn why(&self) -> String {
        match self.reason {
            WantReason::Data => "its data changed",
            WantReason::Rules => "rules, maps or the connector changed",
            WantReason::Drift => "the platform shows something else than was sent",
            WantReason::Time => "its time has come",
            WantReason::Hand => "a person asked for it",
        }
        .into()
    }
}

/// One object on the platform that a record's facets go to.
struct Place<'a> {
    kind: Kind,
    lane: String,
    record: &'a StoredRecord,
    link: Option<&'a StoredLink>,
    up_to: Rev,
}

impl Scene {
    pub(super) fn plan_record(
        &self,
        tx: &Tx<'_>,
        kind: Kind,
        id: RecordId,
        outline: &mut Outline,
    ) -> Result<(), LedgerError> {
        let record = tx.record(id)?;
        let up_to = tx.instance()?.last_rev;
        let wants = tx.wants_of(self.platform.id, kind, id)?;
        let due: Vec<Want> = wants.into_iter().filter(|want| want.not_before.is_none_or(|at| at <= self.now)).collect();
        let wanted = Wanted::of(&due);
        if record.state == RecordState::Merged {
            return self.satisfied(tx, kind, id, up_to);
        }
        match kind {
            Kind::Category | Kind::Product | Kind::Customer => {
                self.plan_object(tx, kind, &record, &wanted, up_to, outline)
            }
            Kind::Stock | Kind::Price => self.plan_figures(tx, kind, &record, &wanted, up_to, outline),
            Kind::Order | Kind::OrderEvent | Kind::Shipment => Ok(()),
        }
    }

    pub(super) fn satisfied(&self, tx: &Tx<'_>, kind: Kind, record: RecordId, up_to: Rev) -> Result<(), LedgerError> {
        tx.satisfy(self.platform.id, kind, record, up_to, self.now)
    }

    pub(super) fn target<'a>(&'a self, kind: Kind) -> Option<Target<'a>> {
        Some(Target {
            platform: self.platform.id,
            policy: self.policy(),
            account: self.platform.account.as_ref(),
            writing: self.description.writing(kind)?,
            now: self.now,
        })
    }

    fn plan_object(
        &self,
        tx: &Tx<'_>,
        kind: Kind,
        record: &StoredRecord,
        wanted: &Wanted,
        up_to: Rev,
        outline: &mut Outline,
    ) -> Result<(), LedgerError> {
        let rk = kind.record_kind();
        let link = tx.link_of(self.platform.id, rk, record.id, MAIN)?;
        let live = link.as_ref().filter(|link| link.state == LinkState::Live);
        let place = Place { kind, lane: kind.as_str().to_owned(), record, link: live, up_to };
        if wanted.delete || record.state == RecordState::Deleted {
            return self.plan_removal(tx, &place, outline);
        }
        if let Some(link) = link.as_ref().filter(|link| link.state != LinkState::Live) {
            let again = link.state == LinkState::Gone && self.policy().on_gone == OnGone::Recreate;
            if !again {
                let why = format!("its object there is {}", link.state);
                self.satisfied(tx, kind, record.id, up_to)?;
                return self.skip(tx, record.id, Foreseen::Skip, why, outline);
            }
        }
        let Some(target) = self.target(kind) else { return Ok(()) };
        if live.is_none() && !(self.policy().create_on.contains(&rk) && target.writing.create) {
            self.satisfied(tx, kind, record.id, up_to)?;
            return self.skip(tx, record.id, Foreseen::Skip, format!("{rk} records are not created there"), outline);
        }
        let variants = if rk == RecordKind::Product { tx.variants_of(record.id)? } else { Vec::new() };
        let variants: Vec<_> = variants.into_iter().filter(|v| v.state == RecordState::Active).collect();
        let lookup = self.lookup(tx);
        let mut projected = project(&target, &lookup, record, &variants)?;
        self.drop_unfetched(&mut projected);
        if !projected.missing.is_empty() {
            let id = format!("{}/{kind}/{}", self.platform.id, record.id);
            let why = self.wait(tx, Waiting::Want, &id, &projected.missing, outline)?;
            return self.skip(tx, record.id, Foreseen::Block, why, outline);
        }
        self.write_or_not(tx, &place, wanted, &projected, &variants, outline)
    }

    /// Pictures that cannot be had leave the facet out; it is complete or absent, never half.
    fn drop_unfetched(&self, projected: &mut Projected) {
        let lost = |missing: &Missing| match missing {
            Missing::Content { from, url } => matches!(self.contents.get(&(*from, url.clone())), Some(None)),
            Missing::Link { .. } => false,
        };
        if projected.missing.iter().any(lost) {
            projected.missing.retain(|missing| !lost(missing));
            projected.facets.remove(&FacetKey::from("media"));
            for (_, variant) in &mut projected.variants {
                variant.facets.remove(&FacetKey::from("media"));
            }
        }
    }

    fn write_or_not(
        &self,
        tx: &Tx<'_>,
        place: &Place<'_>,
        wanted: &Wanted,
        projected: &Projected,
        variants: &[StoredRecord],
        outline: &mut Outline,
    ) -> Result<(), LedgerError> {
        let Place { kind, record, link, up_to, .. } = *place;
        let rk = kind.record_kind();
        let hashes = projected.hashes();
        let known = link.map(|link| &link.facets);
        let open = tx.open_intent(self.platform.id, record.id, &place.lane)?;
        // What may have arrived without our knowing it: neither what was sent before nor what was read tells what is there.
        let doubted = |key: &FacetKey| {
            open.as_ref()
                .is_some_and(|open| open.uncertain && open.op == Op::Update && open.revs.facets.contains_key(key))
        };
        let mut send = BTreeSet::new();
        let mut same = Sent::new();
        for (key, hash) in &hashes {
            if link.is_some() && only_at_create(self.policy(), rk, key) {
                continue;
            }
            if doubted(key) {
                send.insert(key.clone());
                continue;
            }
            let there = known.and_then(|known| known.get(key));
            let shown = if *key == grouping() {
                self.grouping_shown(tx, there, projected)?
            } else {
                shown(there) == Some(*hash)
            };
            let sent = there.is_some_and(|there| there.sent_hash == Some(*hash));
            if link.is_some() && shown {
                if !sent {
                    same.insert(key.clone(), (up_to, *hash));
                }
            } else if link.is_none() || !sent || wanted.again(key) {
                send.insert(key.clone());
            }
        }
        if let Some(link) = link
            && !same.is_empty()
        {
            tx.note_sent(link.id, &same, self.platform.policy_rev)?;
        }
        if let Some(edge) = projected.next_edge {
            tx.want(self.platform.id, kind, record.id, AT_TIME, WantReason::Time, Some(edge))?;
        }
        let create_key = self.key(record.id, &format!("g{}", tx.creates_done(self.platform.id, record.id)? + 1));
        // A create that was cut off is finished, whatever was pulled or refused in between.
        let begun = match &open {
            Some(open) => Some(open.clone()),
            None => tx.intent_by_key(self.platform.id, &create_key)?,
        };
        let begun = begun.filter(|begun| begun.op == Op::Resume && begun.state != IntentState::Done);
        if send.is_empty() && begun.is_none() {
            if let Some(open) = open {
                if matches!(open.state, IntentState::Sending | IntentState::Unknown) {
                    return self.skip(
                        tx,
                        record.id,
                        Foreseen::Block,
                        "the write before is not settled".into(),
                        outline,
                    );
                }
                tx.set_intent(open.id, IntentState::Superseded, Some("the platform has it already"), None)?;
            }
            self.satisfied(tx, kind, record.id, up_to)?;
            return self.skip(tx, record.id, Foreseen::Skip, "the platform has it already".into(), outline);
        }
        if link.is_none() && !hashes.contains_key(&FacetKey::head()) {
            self.satisfied(tx, kind, record.id, up_to)?;
            return self.skip(
                tx,
                record.id,
                Foreseen::Skip,
                "its owner said nothing to create it from".into(),
                outline,
            );
        }
        if link.is_some() && !self.description.writing(kind).is_some_and(|writing| writing.update) {
            self.satisfied(tx, kind, record.id, up_to)?;
            return self.skip(tx, record.id, Foreseen::Skip, "the connector cannot change it there".into(), outline);
        }
        let op = match (&begun, link) {
            (Some(_), _) => Op::Resume,
            (None, Some(_)) => Op::Update,
            (None, None) => Op::Create,
        };
        let mut body = projected.record(kind, op, |key| op != Op::Update || send.contains(key));
        let mut sent: Sent = hashes
            .iter()
            .filter(|(key, _)| body.facets.contains_key(key))
            .map(|(k, h)| (k.clone(), (up_to, *h)))
            .collect();
        if op != Op::Update {
            sent = hashes.iter().map(|(key, hash)| (key.clone(), (up_to, *hash))).collect();
        }
        let mut parts = BTreeMap::new();
        if body.facets.contains_key(&grouping()) {
            for (id, variant) in &projected.variants {
                let of = |(key, value): (&FacetKey, &Value)| (key.clone(), (up_to, Hash::of(value)));
                parts.insert(*id, variant.facets.iter().map(of).collect::<Sent>());
            }
        }
        body.remote = link.map(|link| link.remote.clone());
        if let Some(link) = link {
            body.parts = tx.parts_of(link.id)?;
        }
        if let Some(begun) = &begun {
            body.remote = begun.remote_id.clone().map(RemoteRef::new);
            body.parts.clone_from(&begun.parts);
        }
        let idem_key = match (&begun, op) {
            (Some(begun), _) => begun.idem_key.clone(),
            (None, Op::Update) => self.key(record.id, &format!("{kind}/r{up_to}")),
            (None, _) => create_key,
        };
        body.item.clone_from(&idem_key);
        body.marker = self.marker(kind, &idem_key, None);
        body.keys = keys_of(record, variants);
        let facets: Vec<FacetKey> = body.facets.keys().cloned().collect();
        let write = NewIntent {
            platform: self.platform.id,
            kind,
            lane: place.lane.clone(),
            record: record.id,
            event: None,
            op,
            idem_key,
            marker: body.marker.clone(),
            body,
            revs: Revs { planned: up_to, rules: self.platform.policy_rev, facets: sent, variants: parts },
            run: self.run,
        };
        let last = tx.last_done(self.platform.id, record.id, &place.lane)?;
        let changes = changes(link, last.as_ref(), projected, &facets);
        let alarm = changes.iter().fold(
            Alarm { rules: wanted.reason == WantReason::Rules, ..Alarm::default() },
            |all, change| {
                let one = alarm(&change.key, change.old.as_ref(), &change.new, wanted.reason);
                Alarm { price: all.price || one.price, stock_zero: all.stock_zero || one.stock_zero, ..all }
            },
        );
        self.planned(tx, &write, changes, wanted.why(), alarm, outline)
    }

    pub(super) fn planned(
        &self,
        tx: &Tx<'_>,
        write: &NewIntent,
        changes: Vec<Change>,
        why: String,
        alarm: Alarm,
        outline: &mut Outline,
    ) -> Result<(), LedgerError> {
        let Some(intent) = tx.plan_intent(write)? else {
            let why = "the write before is not settled".into();
            return self.skip(tx, write.record, Foreseen::Block, why, outline);
        };
        self.weigh(tx, intent, write.record, write.op, alarm, outline)?;
        let foreseen = match write.op {
            Op::Create | Op::CreateDone | Op::Resume => Foreseen::Create,
            Op::Delete => Foreseen::Remove,
            Op::Apply => Foreseen::Apply,
            Op::Update | Op::Read => Foreseen::Change,
        };
        let name = hub::name_of(tx, write.record)?;
        outline.lines.push(PreviewLine { record: write.record, name, foreseen, changes, why });
        Ok(())
    }

    /// Whether the platform shows the grouping, and each variant, as they would be sent.
    fn grouping_shown(
        &self,
        tx: &Tx<'_>,
        there: Option<&LinkFacet>,
        projected: &Projected,
    ) -> Result<bool, LedgerError> {
        let all: Vec<VariantRecord> = projected.variants.iter().map(|(_, variant)| variant.clone()).collect();
        if shown(there) != Some(Hash::of(&VariantRecord::grouping(&all))) {
            return Ok(false);
        }
        for (id, variant) in &projected.variants {
            let Some(link) = tx.link_of(self.platform.id, RecordKind::Variant, *id, MAIN)? else { return Ok(false) };
            for (key, body) in &variant.facets {
                if shown(link.facets.get(key)) != Some(Hash::of(body)) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn plan_removal(&self, tx: &Tx<'_>, place: &Place<'_>, outline: &mut Outline) -> Result<(), LedgerError> {
        let Place { kind, record, up_to, .. } = *place;
        let Some(link) = place.link else {
            if let Some(open) = tx.open_intent(self.platform.id, record.id, &place.lane)? {
                if matches!(open.state, IntentState::Sending | IntentState::Unknown) || open.uncertain {
                    return self.skip(tx, record.id, Foreseen::Block, "its create is not settled".into(), outline);
                }
                tx.set_intent(open.id, IntentState::Cancelled, Some("its owner took it away"), None)?;
            }
            self.satisfied(tx, kind, record.id, up_to)?;
            return self.skip(tx, record.id, Foreseen::Skip, "it is not there".into(), outline);
        };
        let can = self.description.writing(kind).map(|writing| writing.removals.clone()).unwrap_or_default();
        if self.policy().on_delete == OnDelete::Ignore || can.is_empty() {
            self.satisfied(tx, kind, record.id, up_to)?;
            let why = if can.is_empty() { "the connector cannot take it away" } else { "removals are ignored there" };
            return self.skip(tx, record.id, Foreseen::Skip, why.into(), outline);
        }
        let idem_key = self.key(record.id, &format!("{kind}/d{up_to}"));
        let mut body = Projected::default().record(kind, Op::Delete, |_| true);
        body.item.clone_from(&idem_key);
        body.remote = Some(link.remote.clone());
        let write = NewIntent {
            platform: self.platform.id,
            kind,
            lane: place.lane.clone(),
            record: record.id,
            event: None,
            op: Op::Delete,
            idem_key,
            marker: None,
            body,
            revs: self.no_facets(up_to),
            run: self.run,
        };
        self.planned(tx, &write, Vec::new(), "its owner took it away".into(), Alarm::default(), outline)
    }

    pub(super) fn no_facets(&self, planned: Rev) -> Revs {
        Revs { planned, rules: self.platform.policy_rev, facets: Sent::new(), variants: BTreeMap::new() }
    }
}

/// What the platform shows, as far as it was read after the last send.
pub(super) fn shown(there: Option<&LinkFacet>) -> Option<Hash> {
    let there = there?;
    let fresh = match (there.seen_at, there.sent_at) {
        (Some(seen), Some(sent)) => seen > sent,
        (_, None) => true,
        (None, Some(_)) => false,
    };
    there.seen_hash.filter(|_| fresh)
}

/// Facet by facet, old and new. What was never read there, or not since it was sent, is what was sent last.
pub(super) fn changes(
    link: Option<&StoredLink>,
    last: Option<&Intent>,
    projected: &Projected,
    keys: &[FacetKey],
) -> Vec<Change> {
    let change = |key: &FacetKey| {
        let there = link.and_then(|link| link.facets.get(key));
        let seen = there.and_then(|there| there.seen_body.clone().filter(|_| shown(Some(there)).is_some()));
        let sent = || last.and_then(|last| last.body.facets.get(key).cloned());
        projected.facets.get(key).map(|new| Change { key: key.clone(), old: seen.or_else(sent), new: new.clone() })
    };
    keys.iter().filter_map(change).collect()
}

/// Natural keys of a record and of its variants.
pub(super) fn keys_of(record: &StoredRecord, variants: &[StoredRecord]) -> Vec<crate::model::Key> {
    use crate::model::{Key, KeyType};
    let text = |record: &StoredRecord, field: &str| {
        let head = record.facets.get(&FacetKey::head())?;
        head.body[field].as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    };
    let mut keys = Vec::new();
    let mut add = |kind, value: Option<String>| keys.extend(value.map(|value| Key { kind, value }));
    match record.kind {
        RecordKind::Category => add(KeyType::Category, text(record, "key")),
        RecordKind::Customer => add(KeyType::Email, text(record, "email").map(|email| email.to_lowercase())),
        RecordKind::Product => add(KeyType::Number, text(record, "number")),
        RecordKind::Variant => add(KeyType::Sku, text(record, "sku")),
        RecordKind::Order | RecordKind::Shipment => {}
    }
    for variant in variants {
        add(KeyType::Sku, text(variant, "sku"));
    }
    keys
}
