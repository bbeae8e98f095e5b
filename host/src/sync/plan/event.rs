//! Plans of events: an order and what happens to it, each sent once, in order, with a frozen body.

use std::collections::BTreeMap;

use super::{Foreseen, Outline, PreviewLine, Scene, hub};
use crate::ledger::attention::{Choice, NewAttention};
use crate::ledger::event::{Delivery, DeliveryState, EventName, OrderEventRow};
use crate::ledger::intent::{Intent, IntentState, NewIntent, Revs, Sent};
use crate::ledger::link::{LinkState, MAIN};
use crate::ledger::run::{RunItem, What};
use crate::ledger::wait::Waiting;
use crate::ledger::{LedgerError, Tx, View};
use crate::model::catalog::TaxBasis;
use crate::model::description::OrderHappening;
use crate::model::sales::{AmountOf, Happening, LineKind, OrderEvent, PaymentFacet, PaymentState, Placed, Shipment};
use crate::model::{FacetKey, Facets, IntentId, Kind, Link, Op, Record, RecordId, RecordKind, RemoteRef, Rev};
use crate::sync::guard::Alarm;
use crate::sync::lines::{self, Lines};
use crate::sync::profile::{self, Misfit};
use crate::sync::projection::{Lookup, Missing, Resolved, comes_up, read, write};

/// Reason of a delivery that makes an order as finished business.
pub const AS_DONE: &str = "create-done";
/// The lane of an order and of everything that happens to it.
const LANE: &str = "order";

/// Position of a plan whose body lacks something that it waits for.
pub(crate) const UNFINISHED: Rev = Rev(0);

/// What an event becomes on the target.
enum Shape {
    Whole(Box<Record>),
    Waits(Vec<Missing>),
    Unresolved(Vec<(RecordKind, String)>),
    Misfits(Vec<Misfit>),
    /// It need not go there.
    Void(String),
}

impl Scene {
    /// Plans that were made before and not sent are made again from the frozen event: a map may have been completed.
    pub(super) fn replan_events(&self, tx: &Tx<'_>, kind: Kind, outline: &mut Outline) -> Result<(), LedgerError> {
        if kind == Kind::Order {
            tx.wake(&format!("unresolved:{}", self.platform.id))?;
        }
        for state in [IntentState::Planned, IntentState::Retry] {
            for intent in tx.intents_in(self.platform.id, kind, state, IntentId(0), u32::MAX)? {
                let Some(event) = intent.event else { continue };
                // What may be there already is not changed any more.
                if intent.uncertain || intent.op == Op::Resume {
                    self.weigh(tx, intent.id, intent.record, intent.op, Alarm::default(), outline)?;
                    continue;
                }
                let event = tx.event(event)?;
                if self.voided_by_cancel(tx, &event, Some(&intent), outline)? {
                    continue;
                }
                let as_done = intent.op == Op::CreateDone;
                self.plan_event(tx, kind, &event, as_done, outline)?;
            }
        }
        Ok(())
    }

    pub(super) fn plan_delivery(
        &self,
        tx: &Tx<'_>,
        kind: Kind,
        delivery: &Delivery,
        outline: &mut Outline,
    ) -> Result<(), LedgerError> {
        let event = tx.event(delivery.event)?;
        if kind_of(event.name) != kind || self.voided_by_cancel(tx, &event, None, outline)? {
            return Ok(());
        }
        if let Some(why) = self.cannot(event.name) {
            return self.void(tx, &event, &why, outline);
        }
        if event.name == EventName::Placed && self.policy().orders.wait_for_payment && !is_paid(tx, event.record)? {
            return self.skip(tx, event.record, Foreseen::Block, "it is not paid yet".into(), outline);
        }
        self.plan_event(tx, kind, &event, delivery.reason.as_deref() == Some(AS_DONE), outline)
    }

    fn cannot(&self, name: EventName) -> Option<String> {
        let writing = self.description.writing(kind_of(name));
        let happening = match name {
            EventName::Placed => OrderHappening::Placed,
            EventName::Paid => OrderHappening::Paid,
            EventName::Cancelled => OrderHappening::Cancelled,
            EventName::Refunded => OrderHappening::Refunded,
            EventName::Numbered => OrderHappening::Numbered,
            EventName::Completed => OrderHappening::Completed,
            EventName::Shipment => return writing.is_none().then(|| "the connector writes no shipments".to_owned()),
            EventName::Changed => return Some("changes of placed orders are made by hand".to_owned()),
        };
        let can = writing.is_some_and(|writing| writing.events.contains(&happening));
        (!can).then(|| format!("the connector does not apply `{name}`"))
    }

    fn void(&self, tx: &Tx<'_>, event: &OrderEventRow, why: &str, outline: &mut Outline) -> Result<(), LedgerError> {
        tx.set_delivery(event.id, self.platform.id, DeliveryState::Void, Some(why))?;
        if event.name == EventName::Changed {
            self.attend(
                tx,
                NewAttention {
                    cause_key: format!("changed:{}:{}", self.platform.id, event.id),
                    kind: Some(Kind::Order),
                    record: Some(event.record),
                    title: format!("Order {} was changed after it was placed.", hub::name_of(tx, event.record)?),
                    hint: "Make the same change on the other platform by hand, then dismiss this.".into(),
                    ..NewAttention::default()
                },
            )?;
        }
        outline.items.push(RunItem {
            record: Some(event.record),
            remote: None,
            what: What::Ignored,
            detail: Some(format!("{}: {why}", event.name)),
        });
        self.skip(tx, event.record, Foreseen::Skip, format!("{}: {why}", event.name), outline)
    }

    /// An order that was cancelled before it was ever sent is never sent, and nothing that happened to it.
    fn voided_by_cancel(
        &self,
        tx: &Tx<'_>,
        event: &OrderEventRow,
        intent: Option<&Intent>,
        outline: &mut Outline,
    ) -> Result<bool, LedgerError> {
        if event.name != EventName::Placed || self.order_there(tx, event.record)?.is_some() {
            return Ok(false);
        }
        let here = self.platform.id;
        let open: Vec<Delivery> = tx
            .deliveries_of(event.record)?
            .into_iter()
            .filter(|d| d.platform == here && matches!(d.state, DeliveryState::Due | DeliveryState::Open))
            .collect();
        let mut cancelled = false;
        for delivery in &open {
            let other = tx.event(delivery.event)?;
            if other.name == EventName::Cancelled {
                let happened: Option<OrderEvent> =
                    other.body.get(&FacetKey::from("event")).map(read).transpose()?.flatten();
                cancelled |= matches!(happened.map(|event| event.what), Some(Happening::Cancelled { lines, .. }) if lines.is_empty());
            }
        }
        if !cancelled {
            return Ok(false);
        }
        if let Some(intent) = intent {
            tx.set_intent(intent.id, IntentState::Cancelled, Some("the order was cancelled before it was sent"), None)?;
        }
        for delivery in open {
            let why = "the order was cancelled before it was sent";
            tx.set_delivery(delivery.event, here, DeliveryState::Void, Some(why))?;
        }
        let why = "it was cancelled before it was sent".to_owned();
        self.skip(tx, event.record, Foreseen::Skip, why, outline)?;
        Ok(true)
    }

    fn order_there(&self, tx: &Tx<'_>, order: RecordId) -> Result<Option<RemoteRef>, LedgerError> {
        let link = tx.link_of(self.platform.id, RecordKind::Order, order, MAIN)?;
        Ok(link.filter(|link| link.state == LinkState::Live).map(|link| link.remote))
    }

    fn plan_event(
        &self,
        tx: &Tx<'_>,
        kind: Kind,
        event: &OrderEventRow,
        as_done: bool,
        outline: &mut Outline,
    ) -> Result<(), LedgerError> {
        let shape = match event.name {
            EventName::Placed => self.shape_order(tx, event)?,
            EventName::Shipment => self.shape_shipment(tx, event)?,
            _ => self.shape_event(tx, event)?,
        };
        let op = match event.name {
            EventName::Placed if as_done => Op::CreateDone,
            EventName::Placed | EventName::Shipment => Op::Create,
            _ => Op::Apply,
        };
        if as_done && !self.description.writing(kind).is_some_and(|writing| writing.create_done) {
            return self.void(tx, event, "the connector cannot create finished orders", outline);
        }
        let idem_key = match event.name {
            EventName::Placed => self.key(event.record, "g1"),
            name => self.key(event.record, &format!("{name}/{}", event.ext_key)),
        };
        let people = match event.name {
            EventName::Placed => self.order_marker(tx, event)?,
            _ => None,
        };
        let marker = self.marker(kind, &idem_key, people);
        let mut body = Record {
            kind,
            op,
            item: idem_key.clone(),
            marker: marker.clone(),
            remote: None,
            of: None,
            keys: Vec::new(),
            facets: event.body.clone(),
            variants: Vec::new(),
            parts: Vec::new(),
            updated: None,
            as_of: None,
        };
        let mut trouble = None;
        match shape {
            Shape::Void(why) => return self.void(tx, event, &why, outline),
            Shape::Whole(shaped) => {
                body.facets = shaped.facets;
                body.remote = shaped.remote;
                body.of = shaped.of;
                body.parts = shaped.parts;
            }
            other => trouble = Some(other),
        }
        let write = NewIntent {
            platform: self.platform.id,
            kind,
            lane: LANE.into(),
            record: event.record,
            event: Some(event.id),
            op,
            idem_key,
            marker,
            body,
            revs: Revs {
                // A body that lacks something is not sent, even when it is woken before it is planned again.
                planned: if trouble.is_some() { UNFINISHED } else { tx.instance()?.last_rev },
                rules: self.platform.policy_rev,
                facets: Sent::new(),
                variants: BTreeMap::new(),
            },
            run: self.run,
        };
        let Some(intent) = tx.plan_intent(&write)? else {
            return self.skip(tx, event.record, Foreseen::Block, "the write before is not settled".into(), outline);
        };
        tx.set_delivery(event.id, self.platform.id, DeliveryState::Open, as_done.then_some(AS_DONE))?;
        if let Some(trouble) = trouble {
            let why = self.put_aside(tx, intent, event, trouble, outline)?;
            return self.skip(tx, event.record, Foreseen::Block, why, outline);
        }
        self.weigh(tx, intent, event.record, op, Alarm::default(), outline)?;
        let foreseen = if op == Op::Apply { Foreseen::Apply } else { Foreseen::Create };
        outline.lines.push(PreviewLine {
            record: event.record,
            name: hub::name_of(tx, event.record)?,
            foreseen,
            changes: Vec::new(),
            why: format!("{} at {}", event.name, event.at),
        });
        Ok(())
    }

    /// `<code of the shop>-<number>`: short, and what a person searches for.
    fn order_marker(&self, tx: &Tx<'_>, event: &OrderEventRow) -> Result<Option<String>, LedgerError> {
        let origin = tx.record(event.record)?.origin.unwrap_or(event.from);
        let number = event.body.get(&FacetKey::from("placed")).and_then(|placed| placed["number"].as_str());
        Ok(self.codes.get(&origin).zip(number).map(|(code, number)| format!("{code}-{number}")))
    }

    /// Lets a plan wait for other records, for a person's map, or for a person.
    fn put_aside(
        &self,
        tx: &Tx<'_>,
        intent: IntentId,
        event: &OrderEventRow,
        trouble: Shape,
        outline: &mut Outline,
    ) -> Result<String, LedgerError> {
        let name = hub::name_of(tx, event.record)?;
        let id = intent.to_string();
        match trouble {
            Shape::Waits(missing) => {
                let why = self.wait(tx, Waiting::Intent, &id, &missing, outline)?;
                for missing in &missing {
                    self.ask_for_record(tx, missing)?;
                }
                tx.set_intent(intent, IntentState::Waiting, Some(&why), None)?;
                Ok(why)
            }
            Shape::Unresolved(links) => {
                tx.wait_for(Waiting::Intent, &id, &format!("unresolved:{}", self.platform.id))?;
                let mut why = Vec::new();
                for (kind, key) in links {
                    self.attend(
                        tx,
                        NewAttention {
                            cause_key: format!("unresolved:{}:{kind}:{key}", self.platform.id),
                            kind: Some(Kind::Order),
                            record: Some(event.record),
                            title: format!("Order {name} needs {kind} `{key}`, which nobody knows."),
                            hint: format!("Create {kind} `{key}` where records of that kind come from, or link it."),
                            ..NewAttention::default()
                        },
                    )?;
                    why.push(format!("{kind} `{key}` is not known"));
                }
                let why = why.join("; ");
                tx.set_intent(intent, IntentState::Waiting, Some(&why), None)?;
                Ok(why)
            }
            Shape::Misfits(misfits) => {
                let why = misfits.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                let mut waits = true;
                for misfit in &misfits {
                    match misfit {
                        Misfit::Unmapped { table, value } => {
                            let key = format!("map:{}:{table}:{value}", self.platform.id);
                            tx.wait_for(Waiting::Intent, &id, &key)?;
                            self.attend(
                                tx,
                                NewAttention {
                                    cause_key: key,
                                    kind: Some(Kind::Order),
                                    title: format!(
                                        "The {table} value `{value}` is not mapped for {}.",
                                        self.platform.name
                                    ),
                                    hint: format!(
                                        "Add `{value}` to the map `{table}` of the order profile of `{}`.",
                                        self.platform.code
                                    ),
                                    grouped: true,
                                    ..NewAttention::default()
                                },
                            )?;
                        }
                        // Known as soon as the order itself is read there.
                        Misfit::Line { .. } => {
                            tx.wait_for(Waiting::Intent, &id, &lines::of_order(event.record))?;
                            self.attend(tx, NewAttention {
                                cause_key: format!("refused:{intent}"),
                                kind: Some(kind_of(event.name)),
                                record: Some(event.record),
                                title: format!("The {} of order {name} is not sent to {}: {why}.", event.name, self.platform.name),
                                hint: "Pull the orders of both platforms. If it still waits then, make the same there by hand and give this up.".into(),
                                choices: vec![Choice::new("retry", "Try again"), Choice::new("dismiss", "Give it up")],
                                data: serde_json::json!({"intent": intent.0}),
                                ..NewAttention::default()
                            })?;
                        }
                        Misfit::Currency { .. } | Misfit::Total { .. } => waits = false,
                    }
                }
                if waits {
                    tx.set_intent(intent, IntentState::Waiting, Some(&why), None)?;
                } else {
                    tx.set_intent(intent, IntentState::Refused, Some(&why), None)?;
                    self.attend(tx, NewAttention {
                        cause_key: format!("refused:{intent}"),
                        kind: Some(Kind::Order),
                        record: Some(event.record),
                        title: format!("Order {name} cannot be written on {}: {why}.", self.platform.name),
                        hint: "Correct the order or the profile and retry, or enter the order by hand and dismiss this.".into(),
                        choices: vec![Choice::new("retry", "Try again"), Choice::new("dismiss", "Give it up")],
                        data: serde_json::json!({"intent": intent.0}),
                        ..NewAttention::default()
                    })?;
                }
                Ok(why)
            }
            Shape::Whole(_) | Shape::Void(_) => Ok(String::new()),
        }
    }

    /// A record that will not come up by itself is asked for.
    fn ask_for_record(&self, tx: &Tx<'_>, missing: &Missing) -> Result<(), LedgerError> {
        let Missing::Link { kind, record } = missing else { return Ok(()) };
        let push = match kind {
            RecordKind::Variant | RecordKind::Product => Kind::Product,
            RecordKind::Customer => Kind::Customer,
            RecordKind::Category => Kind::Category,
            RecordKind::Order | RecordKind::Shipment => Kind::Order,
        };
        let comes = match kind {
            RecordKind::Variant => self.policy().create_on.contains(&RecordKind::Product),
            other => self.policy().create_on.contains(other),
        };
        if comes && self.policy().pushes.contains(&push) {
            return Ok(());
        }
        let name = hub::name_of(tx, *record)?;
        self.attend(tx, NewAttention {
            cause_key: format!("absent:{}:{kind}:{record}", self.platform.id),
            kind: Some(Kind::Order),
            record: Some(*record),
            title: format!("Orders wait for {kind} {name}, which is not on {}.", self.platform.name),
            hint: format!("Create it there with the same key (it is linked when it is read), or link it by hand: `tradepost record link {record} {}`.", self.platform.code),
            grouped: true,
            ..NewAttention::default()
        })
    }

    fn shape_order(&self, tx: &Tx<'_>, event: &OrderEventRow) -> Result<Shape, LedgerError> {
        if self.order_there(tx, event.record)?.is_some() {
            return Ok(Shape::Void("the order is there".into()));
        }
        let part = |name: &str| event.body.get(&FacetKey::from(name));
        let Some(mut placed) = part("placed").map(read::<Placed>).transpose()?.flatten() else {
            return Ok(Shape::Void("the event has no order in it".into()));
        };
        let payment = part("payment").map(read::<PaymentFacet>).transpose()?.flatten();
        let lookup = self.lookup(tx);
        let (mut missing, mut unresolved) = (Vec::new(), Vec::new());
        match lookup.resolve(Some(event.from), RecordKind::Customer, &placed.customer)? {
            Resolved::There(remote) => placed.customer.id = Some(remote.id),
            Resolved::Known(record) if comes_up(self.policy(), Kind::Customer) => {
                missing.push(Missing::Link { kind: RecordKind::Customer, record });
            }
            // The buyer's data is on the order.
            Resolved::Known(_) | Resolved::Unknown => placed.customer.id = None,
        }
        for line in placed.lines.iter_mut().filter(|line| line.kind == LineKind::Product) {
            let Some(variant) = &mut line.variant else { continue };
            match lookup.resolve(Some(event.from), RecordKind::Variant, variant)? {
                Resolved::There(remote) => variant.id = Some(remote.id),
                Resolved::Known(record) => missing.push(Missing::Link { kind: RecordKind::Variant, record }),
                Resolved::Unknown => unresolved.push((RecordKind::Variant, variant.key.clone())),
            }
        }
        let article = |sku: &str| {
            let link = Link { id: None, key: sku.to_owned() };
            match lookup.resolve(None, RecordKind::Variant, &link) {
                Ok(Resolved::There(remote)) => Link { id: Some(remote.id), ..link },
                _ => link,
            }
        };
        let channels = self.platform.account.as_ref().map(|account| account.channels.as_slice()).unwrap_or_default();
        let mut currencies: Vec<String> = channels.iter().map(|channel| channel.currency.clone()).collect();
        currencies.dedup();
        let fitting = channels.iter().find(|channel| channel.currency == placed.currency);
        let basis = fitting.or(channels.first()).map_or(placed.basis, |channel| channel.basis);
        let target =
            profile::Target { profile: &self.policy().orders, basis, currencies: &currencies, article: &article };
        let mut misfits = Vec::new();
        let payment = payment.map(|payment| profile::payment(&target, payment)).transpose().unwrap_or_else(|found| {
            misfits.extend(found);
            None
        });
        let placed = profile::placed(&target, placed).map_err(|found| misfits.extend(found)).ok();
        // A person is asked first: what a map lacks is lacking whatever comes up meanwhile.
        if let (true, Some(placed)) = (misfits.is_empty(), placed) {
            if !unresolved.is_empty() {
                return Ok(Shape::Unresolved(unresolved));
            }
            if !missing.is_empty() {
                missing.sort();
                missing.dedup();
                return Ok(Shape::Waits(missing));
            }
            let mut facets = event.body.clone();
            facets.insert(FacetKey::from("placed"), write(&placed)?);
            if let Some(payment) = payment {
                facets.insert(FacetKey::from("payment"), write(&payment)?);
            }
            return Ok(Shape::Whole(Box::new(shaped(facets))));
        }
        Ok(Shape::Misfits(misfits))
    }

    fn shape_shipment(&self, tx: &Tx<'_>, event: &OrderEventRow) -> Result<Shape, LedgerError> {
        let Some(order) = self.order_there(tx, event.record)? else {
            return Ok(Shape::Void("the order is not there".into()));
        };
        let key = FacetKey::from("shipment");
        let Some(mut shipment) = event.body.get(&key).map(read::<Shipment>).transpose()?.flatten() else {
            return Ok(Shape::Void("the event has no shipment in it".into()));
        };
        for parcel in &mut shipment.parcels {
            if let Err(misfits) = self.translate(tx, event, &mut parcel.lines)? {
                return Ok(Shape::Misfits(misfits));
            }
        }
        let mut record = shaped([(key, write(&shipment)?)].into());
        record.of = Some(Link { id: Some(order.id), key: hub::name_of(tx, event.record)? });
        Ok(Shape::Whole(Box::new(record)))
    }

    fn shape_event(&self, tx: &Tx<'_>, event: &OrderEventRow) -> Result<Shape, LedgerError> {
        let Some(order) = self.order_there(tx, event.record)? else {
            return Ok(Shape::Void("the order is not there".into()));
        };
        let key = FacetKey::from("event");
        let Some(mut happened) = event.body.get(&key).map(read::<OrderEvent>).transpose()?.flatten() else {
            return Ok(Shape::Void("the event has nothing in it".into()));
        };
        match &mut happened.what {
            Happening::Paid(payment) => {
                let article = |sku: &str| Link { id: None, key: sku.to_owned() };
                let target = profile::Target {
                    profile: &self.policy().orders,
                    basis: TaxBasis::Gross,
                    currencies: &[],
                    article: &article,
                };
                let facet = PaymentFacet { state: payment.state, payments: vec![payment.clone()] };
                match profile::payment(&target, facet) {
                    Ok(mut facet) => {
                        if let Some(mapped) = facet.payments.pop() {
                            *payment = mapped;
                        }
                    }
                    Err(misfits) => return Ok(Shape::Misfits(misfits)),
                }
            }
            Happening::Cancelled { lines: of, .. } | Happening::Refunded { lines: of, .. } => {
                if let Err(misfits) = self.translate(tx, event, of)? {
                    return Ok(Shape::Misfits(misfits));
                }
            }
            Happening::Numbered(_) | Happening::Completed => {}
        }
        let link = tx.link_of(self.platform.id, RecordKind::Order, event.record, MAIN)?;
        let mut record = shaped([(key, write(&happened)?)].into());
        record.of = Some(Link { id: Some(order.id.clone()), key: hub::name_of(tx, event.record)? });
        record.parts = link.map(|link| tx.parts_of(link.id)).transpose()?.unwrap_or_default();
        record.remote = Some(order);
        Ok(Shape::Whole(Box::new(record)))
    }

    /// Puts the ids that the order's lines have here in place of those where the event comes from.
    fn translate(
        &self,
        tx: &Tx<'_>,
        event: &OrderEventRow,
        amounts: &mut [AmountOf],
    ) -> Result<Result<(), Vec<Misfit>>, LedgerError> {
        let from = Lines::on(tx, event.from, event.record)?;
        let to = Lines::on(tx, self.platform.id, event.record)?;
        let known = lines::translate(&from, &to, amounts);
        Ok(known.map_err(|unknown| unknown.into_iter().map(|line| Misfit::Line { line }).collect()))
    }
}

fn shaped(facets: Facets) -> Record {
    Record {
        kind: Kind::Order,
        op: Op::Create,
        item: String::new(),
        marker: None,
        remote: None,
        of: None,
        keys: Vec::new(),
        facets,
        variants: Vec::new(),
        parts: Vec::new(),
        updated: None,
        as_of: None,
    }
}

fn is_paid(view: &View<'_>, order: RecordId) -> Result<bool, LedgerError> {
    let payment: Option<PaymentFacet> = view.record(order)?.body(&FacetKey::from("payment"))?;
    Ok(payment.is_some_and(|payment| {
        matches!(
            payment.state,
            PaymentState::Authorised | PaymentState::Paid | PaymentState::PartlyRefunded | PaymentState::Refunded
        )
    }))
}

/// The kind of push that an event is.
pub(crate) fn kind_of(name: EventName) -> Kind {
    match name {
        EventName::Placed => Kind::Order,
        EventName::Shipment => Kind::Shipment,
        EventName::Paid
        | EventName::Cancelled
        | EventName::Refunded
        | EventName::Numbered
        | EventName::Completed
        | EventName::Changed => Kind::OrderEvent,
    }
}
