//! Goods that orders hold until the owner of the stock counts them itself.

use std::collections::BTreeSet;

use super::Commit;
use super::order::Order;
use crate::ledger::LedgerError;
use crate::ledger::link::LinkState;
use crate::ledger::want::{MOVED, WantReason};
use crate::model::sales::{LineKind, OrderState};
use crate::model::{FacetKey, Key, KeyType, Kind, Link, PlatformId, RecordId, RecordKind};

impl Commit<'_, '_> {
    /// The goods that the order holds until the owner of the stock counts them itself.
    pub(super) fn hold_goods(&mut self, id: RecordId, order: &Order, new: bool) -> Result<(), LedgerError> {
        let over = matches!(order.state, Some(OrderState::Shipped | OrderState::Completed | OrderState::Cancelled));
        let Some(placed) = order.placed.as_ref().filter(|_| !over) else {
            return if new { Ok(()) } else { self.release_goods(id) };
        };
        let mut lines = BTreeSet::new();
        for line in placed.lines.iter().filter(|line| line.kind == LineKind::Product) {
            let Some(variant) = self.variant_of(line.variant.as_ref())? else { continue };
            lines.insert(line.id.clone());
            if self.tx.reserve(id, &line.id, variant, line.quantity, self.me.id)? {
                self.want_stock(variant)?;
            }
        }
        if new {
            return Ok(());
        }
        for reservation in self.tx.reservations_of(id)? {
            if reservation.open && !lines.contains(&reservation.line) {
                self.tx.release(reservation.id)?;
                self.want_stock(reservation.variant)?;
            }
        }
        Ok(())
    }

    pub(super) fn release_goods(&mut self, id: RecordId) -> Result<(), LedgerError> {
        for reservation in self.tx.reservations_of(id)? {
            if reservation.open {
                self.tx.release(reservation.id)?;
                self.want_stock(reservation.variant)?;
            }
        }
        Ok(())
    }

    /// The variant on an order line, as this platform names it.
    pub(super) fn variant_of(&self, link: Option<&Link>) -> Result<Option<RecordId>, LedgerError> {
        self.variant_on(Some(self.me.id), link)
    }

    /// The variant on an order line, as some platform names it.
    pub(super) fn variant_on(
        &self,
        platform: Option<PlatformId>,
        link: Option<&Link>,
    ) -> Result<Option<RecordId>, LedgerError> {
        let Some(link) = link else { return Ok(None) };
        if let (Some(platform), Some(id)) = (platform, &link.id)
            && let Some(found) = self.tx.link_by_remote(platform, RecordKind::Variant, id)?
            && found.state != LinkState::Removed
            && found.record.is_some()
        {
            return Ok(found.record);
        }
        if link.key.is_empty() {
            return Ok(None);
        }
        let key = Key { kind: KeyType::Sku, value: link.key.trim().to_owned() };
        let hits = self.tx.records_by_key(RecordKind::Variant, &key)?;
        Ok(if let [hit] = hits[..] { Some(hit) } else { None })
    }

    /// Every shop that sells the variant has to compute its figure anew.
    pub(super) fn want_stock(&self, variant: RecordId) -> Result<(), LedgerError> {
        let mut sellers = self.platforms.iter().filter(|target| target.policy.pushes.contains(&Kind::Stock)).peekable();
        if sellers.peek().is_none() {
            return Ok(());
        }
        let record = self.tx.record(variant)?;
        let keys: Vec<&FacetKey> = record.facets.keys().filter(|key| key.name() == "stock").collect();
        for target in sellers {
            for key in &keys {
                if self.ownership.owner(RecordKind::Variant, key, record.origin) != Some(target.id)
                    && self.hears(target, Kind::Stock, &record.identity())?
                {
                    self.tx.want(target.id, Kind::Stock, variant, key.as_str(), WantReason::Data, None)?;
                    if target.id == self.me.id {
                        self.tx.want(target.id, Kind::Stock, variant, MOVED, WantReason::Data, None)?;
                    }
                }
            }
        }
        Ok(())
    }
}
