//! Plans of figures: prices and stock of a variant. Each facet is a write of its own.

use super::state::{Wanted, changes, keys_of, shown};
use super::{Foreseen, Outline, Scene, hub};
use crate::ledger::attention::NewAttention;
use crate::ledger::intent::{IntentState, NewIntent, Revs, Sent};
use crate::ledger::link::{LinkState, MAIN, StoredLink};
use crate::ledger::record::{RecordState, StoredRecord};
use crate::ledger::wait::Waiting;
use crate::ledger::want::{AT_TIME, WantReason};
use crate::ledger::{LedgerError, Tx};
use crate::model::catalog::{Price, VariantHead};
use crate::model::description::StockFigure;
use crate::model::{FacetKey, Hash, Kind, Link, Op, Record, RecordKind, Rev};
use crate::sync::guard::alarm;
use crate::sync::projection::{Lookup, Missing, PriceSource, Projected, Target, comes_up, prices};
use crate::sync::stock::{Figures, Level, figure};

impl Scene {
    /// Prices and stock of a variant: each facet is a write of its own.
    pub(super) fn plan_figures(
        &self,
        tx: &Tx<'_>,
        kind: Kind,
        record: &StoredRecord,
        wanted: &Wanted,
        up_to: Rev,
        outline: &mut Outline,
    ) -> Result<(), LedgerError> {
        let link = tx.link_of(self.platform.id, RecordKind::Variant, record.id, MAIN)?;
        let Some(link) = link.filter(|link| link.state == LinkState::Live) else {
            if record.state == RecordState::Active && comes_up(self.policy(), Kind::Product) {
                let id = format!("{}/{kind}/{}", self.platform.id, record.id);
                let missing = [Missing::Link { kind: RecordKind::Variant, record: record.id }];
                let why = self.wait(tx, Waiting::Want, &id, &missing, outline)?;
                return self.skip(tx, record.id, Foreseen::Block, why, outline);
            }
            self.satisfied(tx, kind, record.id, up_to)?;
            return self.skip(tx, record.id, Foreseen::Skip, "the variant is not there".into(), outline);
        };
        let Some(target) = self.target(kind) else { return Ok(()) };
        let mut projected = match kind {
            Kind::Stock => self.project_stock(tx, record)?,
            _ => self.project_prices(tx, &target, record)?,
        };
        projected.facets.retain(|key, _| target.writing.writes(key));
        self.withdrawn(&target, &link, &mut projected);
        for (key, why) in &projected.left_out {
            self.attend(
                tx,
                NewAttention {
                    cause_key: format!("price:{}:{}:{key}", self.platform.id, record.id),
                    kind: Some(kind),
                    record: Some(record.id),
                    title: format!("The {key} of {} cannot be sent.", hub::name(record)),
                    hint: why.clone(),
                    ..NewAttention::default()
                },
            )?;
        }
        let mut written = false;
        let mut busy = false;
        for (key, body) in &projected.facets {
            let lane = if kind == Kind::Stock { "stock".to_owned() } else { key.to_string() };
            let hash = Hash::of(body);
            let there = link.facets.get(key);
            let sent = there.is_some_and(|there| there.sent_hash == Some(hash));
            let shows = shown(there) == Some(hash) && !wanted.moved;
            let open = tx.open_intent(self.platform.id, record.id, &lane)?;
            let left = wanted.goods_left && self.writes_physical();
            // A shop moves its stock itself when it sells or cancels. What was sent or read before such a movement is not
            // what is there after it, even when the figure comes out the same.
            let moved = kind == Kind::Stock && wanted.reason == WantReason::Data;
            let again = wanted.again(key) || left || moved;
            // A figure that may have arrived without our knowing it is written over, whatever was sent or read before.
            let doubted = open.as_ref().is_some_and(|open| open.uncertain);
            if !doubted && (shows || (sent && !again)) {
                if !sent {
                    let same = Sent::from([(key.clone(), (up_to, hash))]);
                    tx.note_sent(link.id, &same, self.platform.policy_rev)?;
                }
                match open.map(|open| (open.id, open.state)) {
                    Some((_, IntentState::Sending | IntentState::Unknown)) => busy = true,
                    Some((id, _)) => {
                        tx.set_intent(id, IntentState::Superseded, Some("the platform has it already"), None)?;
                    }
                    None => {}
                }
                continue;
            }
            let idem_key = self.key(record.id, &format!("{key}/r{up_to}"));
            let write = NewIntent {
                platform: self.platform.id,
                kind,
                lane,
                record: record.id,
                event: None,
                op: Op::Update,
                idem_key: idem_key.clone(),
                marker: None,
                body: Record {
                    kind,
                    op: Op::Update,
                    item: idem_key,
                    marker: None,
                    remote: Some(link.remote.clone()),
                    of: Some(Link { id: Some(link.remote.id.clone()), key: hub::name(record) }),
                    keys: keys_of(record, &[]),
                    facets: [(key.clone(), body.clone())].into(),
                    variants: Vec::new(),
                    parts: Vec::new(),
                    updated: None,
                    as_of: None,
                },
                revs: Revs { facets: Sent::from([(key.clone(), (up_to, hash))]), ..self.no_facets(up_to) },
                run: self.run,
            };
            let last = tx.last_done(self.platform.id, record.id, &write.lane)?;
            let changes = changes(Some(&link), last.as_ref(), &projected, std::slice::from_ref(key));
            let old = changes.first().and_then(|change| change.old.clone());
            let alarm = alarm(key, old.as_ref(), body, wanted.reason);
            self.planned(tx, &write, changes, wanted.why(), alarm, outline)?;
            written = true;
        }
        if let Some(edge) = projected.next_edge {
            tx.want(self.platform.id, kind, record.id, AT_TIME, WantReason::Time, Some(edge))?;
        }
        if written || busy {
            return Ok(());
        }
        self.satisfied(tx, kind, record.id, up_to)?;
        let why = if projected.facets.is_empty() { "its owner says nothing" } else { "the platform has it already" };
        self.skip(tx, record.id, Foreseen::Skip, why.into(), outline)
    }

    fn project_prices(
        &self,
        tx: &Tx<'_>,
        target: &Target<'_>,
        record: &StoredRecord,
    ) -> Result<Projected, LedgerError> {
        let lookup = self.lookup(tx);
        let foreign = record.facets.iter().filter(|(key, stored)| {
            key.name() == "price"
                && stored.from != Some(self.platform.id)
                && !lookup.is_own(RecordKind::Variant, key, record.origin)
        });
        let head: Option<VariantHead> = record.body(&FacetKey::head())?;
        let source = PriceSource { facets: foreign.collect(), tax_percent: head.and_then(|head| head.tax_percent) };
        prices(target, &source)
    }

    /// A special price that was sent and is no more is taken away there.
    fn withdrawn(&self, target: &Target<'_>, link: &StoredLink, projected: &mut Projected) {
        for (key, there) in &link.facets {
            let special = key.as_str().starts_with("price:special:");
            if !special || there.sent_hash.is_none() || projected.facets.contains_key(key) {
                continue;
            }
            let channel = key.as_str().split(':').nth(2).unwrap_or_default();
            let channels = target.account.map(|account| account.channels.as_slice()).unwrap_or_default();
            if let Some(channel) = channels.iter().find(|known| known.id == channel) {
                let none = Price {
                    currency: channel.currency.clone(),
                    basis: channel.basis,
                    amount: None,
                    valid_from: None,
                    valid_to: None,
                };
                if let Ok(body) = serde_json::to_value(none) {
                    projected.facets.insert(key.clone(), body);
                }
            }
        }
    }

    /// Whether the stock written here is what lies there, which a shipment lowers by itself.
    fn writes_physical(&self) -> bool {
        self.description.writing(Kind::Stock).is_some_and(|writing| writing.figure == Some(StockFigure::OnHand))
    }

    fn project_stock(&self, tx: &Tx<'_>, record: &StoredRecord) -> Result<Projected, LedgerError> {
        let mut projected = Projected::default();
        let lookup = self.lookup(tx);
        let mut levels = Vec::new();
        let mut owner = None;
        for (key, stored) in &record.facets {
            let (true, Some(warehouse)) = (key.name() == "stock", key.scope()) else { continue };
            if stored.from == Some(self.platform.id) || lookup.is_own(RecordKind::Variant, key, record.origin) {
                continue;
            }
            let Some(level) = record.body(key)? else { continue };
            levels.push(Level { warehouse: warehouse.to_owned(), level, as_of: stored.as_of });
            owner = owner.or(stored.from);
        }
        let read = owner.and_then(|owner| self.figures.get(&owner).copied()).unwrap_or(StockFigure::Available);
        let writing = self.description.writing(Kind::Stock);
        let written = writing.and_then(|writing| writing.figure).unwrap_or(StockFigure::Available);
        let open = tx.open_reservations(record.id)?;
        let rule = &self.policy().stock;
        if let Some(level) = figure(rule, &levels, &open, Figures { read, written }, self.platform.id) {
            let only = || match self.platform.account.as_ref().map(|account| account.warehouses.as_slice()) {
                Some([warehouse]) => warehouse.id.clone(),
                _ => "main".to_owned(),
            };
            let warehouse = rule.target.clone().unwrap_or_else(only);
            let body =
                serde_json::to_value(level).map_err(|source| LedgerError::Corrupt { what: "stock figure", source })?;
            projected.facets.insert(FacetKey::new("stock", &[&warehouse]), body);
        }
        Ok(projected)
    }
}
