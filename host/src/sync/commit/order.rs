//! Orders: what happened since they were last seen, who is told of it, which goods they hold, and who bought.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::totals::mismatch;
use super::{Commit, Home, Place, remote};
use crate::ledger::LedgerError;
use crate::ledger::attention::{Choice, NewAttention};
use crate::ledger::event::{DeliveryState, EventName};
use crate::ledger::link::{LinkState, StoredLink};
use crate::ledger::platform::{Platform, PlatformState};
use crate::ledger::record::StoredRecord;
use crate::ledger::run::What;
use crate::ledger::stream::Phase;
use crate::model::description::Environment;
use crate::model::sales::{Happening, LineKind, OrderEvent, OrderState, Payment, PaymentFacet, PaymentState, Placed};
use crate::model::{
    EventId, FacetKey, Facets, Key, KeyType, Kind, LinkId, Part, PartKind, PlatformId, Record, RecordId, RecordKind,
    RemoteRef,
};
use crate::sync::lines::{self, Goods, Lines};
use crate::sync::matching::Matched;
use crate::sync::page::Ready;

/// Why a delivery is void of which nothing had left.
const UNSENT: &str = "cancelled before it was sent";

/// An order as the hub holds it, or a platform shows it.
#[derive(Debug, Clone, Default)]
pub(in crate::sync) struct Order {
    pub(super) placed: Option<Placed>,
    pub(super) state: Option<OrderState>,
    payment: Option<PaymentFacet>,
}

impl Order {
    pub(super) fn of(stored: &StoredRecord) -> Result<Self, LedgerError> {
        Ok(Self {
            placed: stored.body(&"placed".into())?,
            state: stored.body(&"state".into())?,
            payment: stored.body(&"payment".into())?,
        })
    }

    /// What a platform says of it.
    ///
    /// # Errors
    /// Which facet cannot be read, and why.
    pub(in crate::sync) fn read(facets: &Facets) -> Result<Self, String> {
        Ok(Self { placed: body(facets, "placed")?, state: body(facets, "state")?, payment: body(facets, "payment")? })
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.state == Some(OrderState::Cancelled)
    }

    pub(super) fn is_paid(&self) -> bool {
        use PaymentState::{Authorised, Paid, PartlyRefunded, Refunded};
        self.payment
            .as_ref()
            .is_some_and(|payment| matches!(payment.state, Authorised | Paid | PartlyRefunded | Refunded))
    }

    fn payments(&self) -> &[Payment] {
        self.payment.as_ref().map_or(&[], |payment| &payment.payments)
    }
}

fn body<'a, T: Deserialize<'a>>(facets: &'a Facets, key: &str) -> Result<Option<T>, String> {
    let body = facets.get(&FacetKey::from(key)).map(T::deserialize);
    body.transpose().map_err(|error| format!("{key}: {error}"))
}

/// The frozen body of the order itself, canonical JSON: its facets.
fn frozen<'a, T: serde::Serialize + 'a>(
    facets: impl Iterator<Item = (&'a FacetKey, &'a T)>,
) -> Result<String, LedgerError> {
    let of_order = facets.filter(|(key, _)| matches!(key.name(), "placed" | "state" | "payment"));
    serde_json::to_string(&of_order.collect::<BTreeMap<_, _>>())
        .map_err(|source| LedgerError::Corrupt { what: "order", source })
}

impl Commit<'_, '_> {
    pub(super) fn order(&mut self, ready: &Ready) -> Result<bool, LedgerError> {
        let (record, shown) = (&ready.record, &ready.order);
        let remote = remote(record)?;
        let mut matched = self.find_record(RecordKind::Order, remote, record.marker.as_deref(), &[])?;
        if matches!(matched, Matched::New | Matched::Ignored { .. })
            && let Some(found) = self.by_other_number(remote, shown)?
        {
            matched = found;
        }
        if let Matched::New = matched
            && shown.placed.is_none()
        {
            self.hold(record, "it is new, but does not say what was ordered", &[], None)?;
            return Ok(false);
        }
        let mut place = match self.home(RecordKind::Order, ready, remote, matched)? {
            Home::Held => return Ok(false),
            Home::Ignored => return Ok(true),
            Home::At(place) => place,
        };
        let before = place.found.as_deref().map(|(record, _)| Order::of(record)).transpose()?;
        let changed = self.facets(&mut place, ready.said(), Some(remote), None)?;
        let Place { id, link, what, .. } = place;
        self.line(id, remote, what, &changed);
        if place.origin == Some(self.me.id) {
            self.tx.set_parts(link, &record.parts)?;
        } else {
            self.lines_there(id, link, record, shown)?;
            self.counterpart(id, remote, shown)?;
            return Ok(true);
        }
        if let Some(placed) = &shown.placed {
            let number = Key { kind: KeyType::OrderNumber, value: format!("{}/{}", self.me.code, placed.number) };
            self.tx.add_keys(id, RecordKind::Order, &[number])?;
            self.buyer(placed)?;
        }
        // A new order is what is shown of it.
        let stored = place.found.as_deref().map(|(record, _)| Order::of(record)).transpose()?;
        let now = stored.as_ref().unwrap_or(shown);
        let Some(placed) = &now.placed else { return Ok(true) };
        let known = place.found.as_deref().map(|(_, link)| link);
        if let Some(reason) = self.stays_out(placed) {
            if known.and_then(|link| link.reason.as_deref()) != Some(&reason) {
                self.tx.set_link_state(link, LinkState::Ignored, Some(&reason))?;
                self.item(Some(id), remote, What::Ignored, Some(reason));
            }
            return Ok(true);
        }
        if known.is_some_and(|link| link.state == LinkState::Ignored) {
            self.tx.set_link_state(link, LinkState::Live, None)?;
        }
        let body = match place.found.as_deref() {
            Some((record, _)) => order_body(record)?,
            None => frozen(ready.said().iter().map(|(key, _, body)| (key, &body.text)))?,
        };
        self.happened(id, remote, before.as_ref(), now, &body)?;
        self.hold_goods(id, now, place.is_new())?;
        Ok(true)
    }

    /// An order that was known and left out may go on now: what happened to it so far happens now. False: it stays out.
    pub(in crate::sync) fn admit(&mut self, link: &StoredLink) -> Result<bool, LedgerError> {
        let Some(id) = link.record.filter(|_| link.state == LinkState::Ignored) else { return Ok(false) };
        let stored = self.tx.record(id)?;
        let order = Order::of(&stored)?;
        let Some(placed) = order.placed.as_ref().filter(|_| stored.origin == Some(self.me.id)) else {
            return Ok(false);
        };
        if self.stays_out(placed).is_some() {
            return Ok(false);
        }
        self.tx.set_link_state(link.id, LinkState::Live, None)?;
        self.happened(id, &link.remote, Some(&order), &order, &order_body(&stored)?)?;
        self.hold_goods(id, &order, false)?;
        Ok(true)
    }

    /// Orders from before the cut-over, or read during first contact, are known and go nowhere.
    fn stays_out(&self, placed: &Placed) -> Option<String> {
        if self.stream.phase != Phase::Live {
            return Some("read during first contact".into());
        }
        self.stream.cut_over_at.filter(|at| placed.placed < *at).map(|_| "before cut-over".into())
    }

    /// A platform without markers still names the number that the order has elsewhere.
    fn by_other_number(&self, remote: &RemoteRef, shown: &Order) -> Result<Option<Matched>, LedgerError> {
        let Some(number) = shown.placed.as_ref().and_then(|placed| placed.other_number.as_deref()) else {
            return Ok(None);
        };
        let mut hits = Vec::new();
        for platform in self.platforms.iter().filter(|platform| platform.id != self.me.id) {
            hits.extend(self.numbered(platform.code.as_str(), number)?);
            let prefix = format!("{}-", platform.code);
            if let Some(bare) = number.strip_prefix(&prefix) {
                hits.extend(self.numbered(platform.code.as_str(), bare)?);
            }
        }
        let found = self.one_of(RecordKind::Order, remote, hits, &format!("number `{number}`"))?;
        Ok(match found {
            Some(Matched::Key(record)) => {
                let intents = self.tx.intents_of(record)?;
                let intent = intents.into_iter().rev().find(|intent| {
                    intent.platform == self.me.id && intent.kind == Kind::Order && intent.sent_at.is_some()
                });
                Some(Matched::Own { record, intent: intent.map(Box::new) })
            }
            found => found,
        })
    }

    /// What happened at the platform that the order came from; `old`: as it was known, unless it is new. `body`: the
    /// order as it is now, frozen.
    fn happened(
        &mut self,
        id: RecordId,
        remote: &RemoteRef,
        old: Option<&Order>,
        new: &Order,
        body: &str,
    ) -> Result<(), LedgerError> {
        let Some(placed) = &new.placed else { return Ok(()) };
        let first = self.tx.add_event_text(id, EventName::Placed, "", body, self.me.id, self.run)?;
        let event = match first {
            Some(event) => {
                self.item(Some(id), remote, What::Event, Some("placed".into()));
                event
            }
            None => self.placed_event(id)?,
        };
        let fresh = first.is_some() || self.tx.refresh_event_text(event, body)?;
        if !fresh && let Some(before) = old.and_then(|old| old.placed.as_ref()) {
            self.edited(id, remote, before, placed, body)?;
        }
        self.payments(id, remote, placed, new, fresh)?;
        if new.state == Some(OrderState::Cancelled) {
            return self.cancelled(id, remote, event, "");
        }
        self.send_placed(id, event, placed, old.is_none())?;
        if new.state == Some(OrderState::Completed) {
            self.tell(id, remote, EventName::Completed, "", Happening::Completed)?;
        }
        Ok(())
    }

    pub(super) fn placed_event(&self, id: RecordId) -> Result<EventId, LedgerError> {
        let event = self.tx.placed_event(id)?;
        event.ok_or_else(|| LedgerError::Missing { what: "event `placed` of order", id: id.to_string() })
    }

    /// Sends the order to where orders are made, once its totals add up.
    fn send_placed(&mut self, id: RecordId, event: EventId, placed: &Placed, new: bool) -> Result<(), LedgerError> {
        let cause = format!("totals:{id}");
        if let Some(mismatch) = mismatch(placed) {
            if self.tx.deliveries_of(id)?.iter().any(|delivery| delivery.event == event) {
                return Ok(());
            }
            self.tx.attend(
                &NewAttention {
                    cause_key: cause,
                    platform: Some(self.me.id),
                    kind: Some(Kind::Order),
                    record: Some(id),
                    title: format!("Order {} of {} does not add up: {mismatch}.", placed.number, self.me.code),
                    hint: "Correct it in the shop; it is sent on when it adds up. Or send it on as it is.".into(),
                    choices: vec![Choice::new("send", "Send it on as it is"), Choice::new("keep", "Keep it here")],
                    data: serde_json::json!({"event": event.0}),
                    grouped: false,
                },
                self.run,
            )?;
            return Ok(());
        }
        if !new {
            self.tx.solve_attention(&cause)?;
        }
        self.deliver_placed(id, event)
    }

    /// Sends the order to where orders are made.
    pub(in crate::sync) fn deliver_placed(&mut self, id: RecordId, event: EventId) -> Result<(), LedgerError> {
        for target in self.platforms.iter().filter(|target| makes_orders(target) && target.id != self.me.id) {
            if !self.tx.deliver(event, target.id, id)? {
                // Cancelled unsent, and then taken up again in the shop.
                let void = self.tx.deliveries_of(id)?.into_iter().any(|delivery| {
                    (delivery.event, delivery.platform, delivery.state) == (event, target.id, DeliveryState::Void)
                        && delivery.reason.as_deref() == Some(UNSENT)
                });
                if void {
                    self.tx.set_delivery(event, target.id, DeliveryState::Due, None)?;
                }
                continue;
            }
            let test = self.me.environment == Some(Environment::Test)
                && target.environment == Some(Environment::Live)
                && !target.policy.allow_test_orders;
            if test {
                let reason = format!("{} is a test shop and {} is live", self.me.code, target.code);
                self.tx.set_delivery(event, target.id, DeliveryState::Void, Some(&reason))?;
                self.tx.attend(
                    &NewAttention {
                        cause_key: format!("test-orders:{}:{}", self.me.id, target.id),
                        platform: Some(target.id),
                        kind: Some(Kind::Order),
                        title: format!("Orders of {} are not sent to {}: {reason}.", self.me.code, target.code),
                        hint: format!("Set `allow_test_orders` in the policy of {} if this is meant.", target.code),
                        grouped: true,
                        ..NewAttention::default()
                    },
                    self.run,
                )?;
            }
        }
        Ok(())
    }

    /// The buyer or the shop changed what was ordered, after somebody was told.
    fn edited(
        &mut self,
        id: RecordId,
        remote: &RemoteRef,
        before: &Placed,
        placed: &Placed,
        body: &str,
    ) -> Result<(), LedgerError> {
        // Our own number of it is no edit.
        let plain = |placed: &Placed| Placed { other_number: None, ..placed.clone() };
        if plain(before) == plain(placed) {
            return Ok(());
        }
        let stored = self.tx.record(id)?;
        let key = stored.facets.get(&FacetKey::from("placed")).map(|facet| facet.hash.to_hex()).unwrap_or_default();
        if self.tx.add_event_text(id, EventName::Changed, &key, body, self.me.id, self.run)?.is_none() {
            return Ok(());
        }
        self.item(Some(id), remote, What::Event, Some("changed".into()));
        let told = self.told(id)?;
        let names: Vec<&str> =
            self.platforms.iter().filter(|t| told.contains(&t.id)).map(|target| target.code.as_str()).collect();
        if !names.is_empty() {
            self.tx.attend(
                &NewAttention {
                    cause_key: format!("edited:{id}"),
                    platform: Some(self.me.id),
                    kind: Some(Kind::Order),
                    record: Some(id),
                    title: format!(
                        "Order {} of {} was changed after it was sent to {}.",
                        placed.number,
                        self.me.code,
                        names.join(", ")
                    ),
                    hint: "Make the same change there by hand, then dismiss this.".into(),
                    data: serde_json::json!({"changed": key}),
                    ..NewAttention::default()
                },
                self.run,
            )?;
        }
        Ok(())
    }

    /// Payments and refunds. What the order itself carries when it is sent is only noted.
    fn payments(
        &mut self,
        id: RecordId,
        remote: &RemoteRef,
        placed: &Placed,
        order: &Order,
        carried: bool,
    ) -> Result<(), LedgerError> {
        for (n, payment) in order.payments().iter().enumerate() {
            let name = payment.id.clone().or_else(|| payment.transaction.clone()).unwrap_or_else(|| format!("#{n}"));
            let money_came =
                matches!(payment.state, PaymentState::Paid | PaymentState::PartlyRefunded | PaymentState::Refunded);
            if money_came && payment.amount > Decimal::ZERO {
                let paid = Payment { state: PaymentState::Paid, ..payment.clone() };
                let event = self.add(id, remote, EventName::Paid, &name, payment.at, Happening::Paid(paid))?;
                if let Some(event) = event.filter(|_| !carried) {
                    self.send_event(id, event, Kind::OrderEvent)?;
                }
            }
            let refund = if payment.amount < Decimal::ZERO {
                Some(-payment.amount)
            } else {
                (payment.state == PaymentState::Refunded).then_some(payment.amount)
            };
            if let Some(amount) = refund {
                let what = Happening::Refunded { amount, lines: Vec::new(), restock: false, reason: None };
                let event = self.add(id, remote, EventName::Refunded, &name, payment.at, what)?;
                if let Some(event) = event {
                    self.send_event(id, event, Kind::OrderEvent)?;
                }
            } else if payment.state == PaymentState::PartlyRefunded
                && !order.payments().iter().any(|other| other.amount < Decimal::ZERO)
            {
                self.tx.attend(
                    &NewAttention {
                        cause_key: format!("refund:{id}:{name}"),
                        platform: Some(self.me.id),
                        kind: Some(Kind::Order),
                        record: Some(id),
                        title: format!(
                            "Order {} of {} was partly refunded; how much, the shop does not say.",
                            placed.number, self.me.code
                        ),
                        hint: "Look in the shop and note the refund by hand where it is needed.".into(),
                        ..NewAttention::default()
                    },
                    self.run,
                )?;
            }
        }
        Ok(())
    }

    /// The order is void: who has not been sent it yet never will be, the others are told.
    fn cancelled(&mut self, id: RecordId, remote: &RemoteRef, placed: EventId, key: &str) -> Result<(), LedgerError> {
        for delivery in self.tx.deliveries_of(id)? {
            if delivery.event == placed
                && matches!(delivery.state, DeliveryState::Due | DeliveryState::Open)
                && self.tx.withdraw_delivery(placed, delivery.platform, UNSENT)?
            {
                for later in self.tx.deliveries_of(id)? {
                    if later.platform == delivery.platform && later.event != placed {
                        self.tx.withdraw_delivery(later.event, later.platform, "its order was cancelled unsent")?;
                    }
                }
            }
        }
        self.tx.solve_attention(&format!("totals:{id}"))?;
        self.tell(id, remote, EventName::Cancelled, key, Happening::Cancelled { lines: Vec::new(), reason: None })
    }

    /// What a platform says of an order that another one placed: its number, its cancellation, its end.
    fn counterpart(&mut self, id: RecordId, remote: &RemoteRef, shown: &Order) -> Result<(), LedgerError> {
        let stored = self.tx.record(id)?;
        let known = Order::of(&stored)?;
        let state = shown.state.unwrap_or(OrderState::Pending);
        if !matches!(state, OrderState::Pending | OrderState::Cancelled) {
            self.tx.accept_reservations(id, self.read_at)?;
        }
        if self.tx.events_of(id)?.is_empty() {
            // From before the cut-over: nobody is told anything.
            return Ok(());
        }
        let theirs = known.placed.as_ref().map(|placed| placed.number.as_str());
        if let Some(number) = shown.placed.as_ref().map(|placed| placed.number.as_str())
            && !number.is_empty()
            && Some(number) != theirs
        {
            let key = format!("{}/{number}", self.me.code);
            self.tx.add_keys(id, RecordKind::Order, &[Key { kind: KeyType::OrderNumber, value: key.clone() }])?;
            self.tell(id, remote, EventName::Numbered, &key, Happening::Numbered(number.to_owned()))?;
        }
        match state {
            OrderState::Cancelled => {
                let what = Happening::Cancelled { lines: Vec::new(), reason: None };
                self.tell(id, remote, EventName::Cancelled, "", what)?;
                self.release_goods(id)?;
            }
            OrderState::Completed => self.tell(id, remote, EventName::Completed, "", Happening::Completed)?,
            OrderState::Pending | OrderState::Open | OrderState::PartlyShipped | OrderState::Shipped => {}
        }
        Ok(())
    }

    /// Which of the lines there is which of the hub's. Who made them there said so already; a reading knows only the ids
    /// that they have there, which may be those of other lines here.
    fn lines_there(&mut self, id: RecordId, link: LinkId, record: &Record, shown: &Order) -> Result<(), LedgerError> {
        let (lines, others): (Vec<Part>, Vec<Part>) =
            record.parts.iter().cloned().partition(|part| part.kind == PartKind::Line);
        self.tx.set_parts(link, &others)?;
        let known = Lines::on(self.tx, self.me.id, id)?;
        let Some(placed) = Order::of(&self.tx.record(id)?)?.placed else { return Ok(()) };
        let mut ours = Vec::new();
        for line in placed.lines.iter().filter(|line| line.kind == LineKind::Product && known.there(&line.id).is_none())
        {
            if let Some(variant) = self.variant_on(self.tx.record(id)?.origin, line.variant.as_ref())? {
                ours.push(Goods { line: line.id.clone(), variant, pieces: line.quantity });
            }
        }
        let mut named: Vec<Part> = lines
            .into_iter()
            .filter(|part| part.key != part.id && ours.iter().any(|goods| goods.line == part.key))
            .collect();
        ours.retain(|goods| !named.iter().any(|part| part.key == goods.line));
        let mut theirs = Vec::new();
        for line in shown.placed.iter().flat_map(|placed| &placed.lines).filter(|line| line.kind == LineKind::Product) {
            if known.hub(&line.id).is_none()
                && !named.iter().any(|part| part.id == line.id)
                && let Some(variant) = self.variant_on(Some(self.me.id), line.variant.as_ref())?
            {
                theirs.push(Goods { line: line.id.clone(), variant, pieces: line.quantity });
            }
        }
        let same = lines::same(&ours, &theirs).into_iter();
        named.extend(same.map(|(key, id)| Part { kind: PartKind::Line, key, id }));
        if named.is_empty() {
            return Ok(());
        }
        self.tx.set_parts(link, &named)?;
        self.tx.wake(&lines::of_order(id))?;
        self.goods_left(id)
    }

    /// Notes an event and sends it to everybody else who has the order.
    fn tell(
        &mut self,
        id: RecordId,
        remote: &RemoteRef,
        name: EventName,
        key: &str,
        what: Happening,
    ) -> Result<(), LedgerError> {
        match self.add(id, remote, name, key, None, what)? {
            Some(event) => self.send_event(id, event, Kind::OrderEvent),
            None => Ok(()),
        }
    }

    fn add(
        &mut self,
        id: RecordId,
        remote: &RemoteRef,
        name: EventName,
        key: &str,
        at: Option<Timestamp>,
        what: Happening,
    ) -> Result<Option<EventId>, LedgerError> {
        let event = OrderEvent { at: at.unwrap_or(self.read_at), what };
        let body = serde_json::to_value(event).map_err(|source| LedgerError::Corrupt { what: "event", source })?;
        let facets = Facets::from([(FacetKey::from("event"), body)]);
        let added = self.tx.add_event(id, name, key, &facets, self.me.id, self.run)?;
        if added.is_some() {
            self.item(Some(id), remote, What::Event, Some(name.as_str().into()));
        }
        Ok(added)
    }

    /// Platforms that have the order or are about to get it.
    fn told(&self, id: RecordId) -> Result<BTreeSet<PlatformId>, LedgerError> {
        let mut told: BTreeSet<PlatformId> = self
            .tx
            .links_of(id)?
            .into_iter()
            .filter(|link| link.kind == RecordKind::Order && link.state == LinkState::Live)
            .map(|link| link.platform)
            .collect();
        let placed = self.placed_event(id)?;
        let on_its_way = |state| state != DeliveryState::Void;
        told.extend(
            self.tx
                .deliveries_of(id)?
                .into_iter()
                .filter(|delivery| delivery.event == placed && on_its_way(delivery.state))
                .map(|delivery| delivery.platform),
        );
        told.remove(&self.me.id);
        Ok(told)
    }

    /// Sends an event to everybody else who has the order and hears of such events.
    pub(super) fn send_event(&mut self, id: RecordId, event: EventId, kind: Kind) -> Result<(), LedgerError> {
        let told = self.told(id)?;
        for target in self.platforms.iter().filter(|target| told.contains(&target.id)) {
            if target.state != PlatformState::Removed && target.policy.pushes.contains(&kind) {
                self.tx.deliver(event, target.id, id)?;
            }
        }
        Ok(())
    }
}

/// The frozen body of an order as the hub has it.
pub(super) fn order_body(stored: &StoredRecord) -> Result<String, LedgerError> {
    frozen(stored.facets.iter().map(|(key, facet)| (key, &facet.body)))
}

pub(super) fn makes_orders(target: &Platform) -> bool {
    target.state != PlatformState::Removed
        && target.policy.create_on.contains(&RecordKind::Order)
        && target.policy.pushes.contains(&Kind::Order)
}
