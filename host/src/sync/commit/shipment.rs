//! Shipments become events of their order. One that we made over there is known again by its link, its marker or its
//! tracking numbers.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Commit, held_id, remote, to_text};
use crate::ledger::LedgerError;
use crate::ledger::attention::NewAttention;
use crate::ledger::event::{EventName, OrderEventRow};
use crate::ledger::link::{LinkState, MadeBy, NewLink};
use crate::ledger::run::What;
use crate::ledger::wait::{Waiting, on_number, on_remote};
use crate::model::sales::Shipment;
use crate::model::{FacetKey, Facets, Hash, Kind, Link, Record, RecordId, RecordKind, RemoteRef};
use crate::sync::lines::Lines;

impl Commit<'_, '_> {
    pub(super) fn shipment(&mut self, record: &Record) -> Result<bool, LedgerError> {
        let remote = remote(record)?;
        let shipment: Shipment = read(&record.facets)?;
        if let Some(link) = self.tx.link_by_remote(self.me.id, RecordKind::Shipment, &remote.id)?
            && link.state == LinkState::Live
            && let Some(order) = link.record
        {
            self.seen_again(order, &link.slot, remote, record, &shipment)?;
            return Ok(true);
        }
        let Some(order) = self.order_of(record.of.as_ref())? else {
            let of = record.of.clone().unwrap_or(Link { id: None, key: String::new() });
            let known = match &of.id {
                Some(id) => self.tx.link_by_remote(self.me.id, RecordKind::Order, id)?,
                None => None,
            };
            if known.is_some_and(|link| link.state == LinkState::Ignored) {
                self.ignore(RecordKind::Shipment, remote, "its order is not taken over")?;
                return Ok(true);
            }
            let reason = format!("its order {} is not known here", of.id.as_deref().unwrap_or(&of.key));
            let held =
                self.tx.hold(self.me.id, record.kind, Some(&held_id(record)), &to_text(record)?, &reason, self.run)?;
            let key = match &of.id {
                Some(id) => on_remote(self.me.id, RecordKind::Order, id),
                None => on_number(&format!("{}/{}", self.me.code, of.key)),
            };
            self.tx.wait_for(Waiting::Inbox, &held.to_string(), &key)?;
            self.item(None, remote, What::Waiting, Some(reason));
            return Ok(false);
        };
        if self.tx.events_of(order)?.is_empty() {
            self.ignore(RecordKind::Shipment, remote, "its order is from before the cut-over")?;
            return Ok(true);
        }
        if let Some(event) = self.our_shipment(order, record, &shipment)? {
            self.link_shipment(order, &event.ext_key, remote, MadeBy::Created)?;
            self.item(Some(order), remote, What::Unchanged, None);
            return Ok(true);
        }
        let ext_key = format!("{}/{}", self.me.code, remote.id);
        let event = self.tx.add_event(order, EventName::Shipment, &ext_key, &record.facets, self.me.id, self.run)?;
        self.link_shipment(order, &ext_key, remote, MadeBy::Pulled)?;
        if let Some(event) = event {
            self.item(Some(order), remote, What::Event, Some("shipment".into()));
            self.send_event(order, event, Kind::Shipment)?;
        }
        self.goods_left(order)?;
        Ok(true)
    }

    /// The order that a shipment belongs to, unless it is not taken over.
    fn order_of(&self, of: Option<&Link>) -> Result<Option<RecordId>, LedgerError> {
        let Some(of) = of else { return Ok(None) };
        if let Some(id) = &of.id {
            let link = self.tx.link_by_remote(self.me.id, RecordKind::Order, id)?;
            return Ok(link.filter(|link| link.state != LinkState::Removed).and_then(|link| link.record));
        }
        let hits = self.numbered(self.me.code.as_str(), &of.key)?;
        Ok(if let [hit] = hits[..] { Some(hit) } else { None })
    }

    /// The event that we sent here as this shipment.
    fn our_shipment(
        &self,
        order: RecordId,
        record: &Record,
        shipment: &Shipment,
    ) -> Result<Option<OrderEventRow>, LedgerError> {
        let sent = self.tx.intents_of(order)?.into_iter().filter(|intent| {
            intent.platform == self.me.id && intent.kind == Kind::Shipment && intent.sent_at.is_some()
        });
        let tracking = tracking(shipment);
        for intent in sent {
            let Some(event) = intent.event else { continue };
            let event = self.tx.event(event)?;
            if self.tx.link_of(self.me.id, RecordKind::Shipment, order, &event.ext_key)?.is_some() {
                continue;
            }
            let marked = record
                .marker
                .as_ref()
                .is_some_and(|marker| intent.marker.as_ref() == Some(marker) || intent.idem_key == *marker);
            let known = intent.remote_id.is_some() && intent.remote_id == record.remote.as_ref().map(|r| r.id.clone());
            let same_parcels = !tracking.is_empty() && self::tracking(&read(&event.body)?) == tracking;
            if marked || known || same_parcels {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn link_shipment(
        &mut self,
        order: RecordId,
        ext_key: &str,
        remote: &RemoteRef,
        made_by: MadeBy,
    ) -> Result<(), LedgerError> {
        self.tx.add_link(&NewLink {
            slot: ext_key.to_owned(),
            run: self.run,
            ..NewLink::live(self.me.id, RecordKind::Shipment, order, remote.clone(), made_by)
        })?;
        Ok(())
    }

    /// A shipment that is known. Its event is frozen once it was sent; before that the newer words go out.
    fn seen_again(
        &mut self,
        order: RecordId,
        ext_key: &str,
        remote: &RemoteRef,
        record: &Record,
        shipment: &Shipment,
    ) -> Result<(), LedgerError> {
        let events = self.tx.events_of(order)?;
        let known = events.iter().find(|event| event.name == EventName::Shipment && event.ext_key == ext_key);
        let Some(event) = known.filter(|event| event.from == self.me.id && event.body != record.facets) else {
            self.item(Some(order), remote, What::Unchanged, None);
            return Ok(());
        };
        if self.tx.refresh_event(event.id, &record.facets)? {
            self.item(Some(order), remote, What::Updated, None);
        } else if tracking(&read(&event.body)?) != tracking(shipment) {
            let hash = Hash::of(&record.facets[&FacetKey::from("shipment")]).to_hex();
            self.tx.attend(
                &NewAttention {
                    cause_key: format!("shipment:{}:{hash}", event.id),
                    platform: Some(self.me.id),
                    kind: Some(Kind::Shipment),
                    record: Some(order),
                    title: format!("Shipment {} of {} was changed after it was passed on.", remote.id, self.me.code),
                    hint: "Correct the tracking numbers in the shop by hand, then dismiss this.".into(),
                    ..NewAttention::default()
                },
                self.run,
            )?;
            self.item(Some(order), remote, What::Updated, Some("changed after it was passed on".into()));
        } else {
            self.item(Some(order), remote, What::Unchanged, None);
        }
        self.goods_left(order)
    }

    /// Goods that left are held no more.
    pub(super) fn goods_left(&mut self, order: RecordId) -> Result<(), LedgerError> {
        let lines = Lines::on(self.tx, self.me.id, order)?;
        let mut left: BTreeMap<String, Decimal> = BTreeMap::new();
        let mut complete = false;
        for event in self.tx.events_of(order)? {
            if event.name != EventName::Shipment || event.from != self.me.id {
                continue;
            }
            let shipment: Shipment = read(&event.body)?;
            complete |= shipment.completes;
            for line in shipment.parcels.iter().flat_map(|parcel| &parcel.lines) {
                if let Some(ours) = lines.hub(&line.line) {
                    *left.entry(ours.to_owned()).or_default() += line.quantity;
                }
            }
            // A parcel without lines is all of the order.
            complete |= shipment.parcels.iter().all(|parcel| parcel.lines.is_empty());
        }
        if complete {
            return self.release_goods(order);
        }
        for reservation in self.tx.reservations_of(order)?.into_iter().filter(|reservation| reservation.open) {
            let Some(pieces) = left.get(&reservation.line).copied() else { continue };
            if pieces == reservation.shipped {
                continue;
            }
            self.tx.set_shipped(reservation.id, pieces)?;
            if pieces >= reservation.quantity {
                self.tx.release(reservation.id)?;
            }
            self.want_stock(reservation.variant)?;
        }
        Ok(())
    }
}

fn read(facets: &Facets) -> Result<Shipment, LedgerError> {
    let body = facets.get(&FacetKey::from("shipment")).cloned().unwrap_or_default();
    serde_json::from_value(body).map_err(|source| LedgerError::Corrupt { what: "shipment", source })
}

fn tracking(shipment: &Shipment) -> Vec<&str> {
    let mut numbers: Vec<&str> =
        shipment.parcels.iter().filter_map(|parcel| parcel.tracking.as_deref()).filter(|t| !t.is_empty()).collect();
    numbers.sort_unstable();
    numbers
}
