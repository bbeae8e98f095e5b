//! The connector over a fake platform.

use std::sync::Arc;

use async_trait::async_trait;
use rust_decimal::Decimal;

use super::reading::{batch, fits, pull};
use super::script::{Misfortune, Side, Verb};
use super::world::{Applied, Figure, Object, Variant, World, cents, remote};
use super::{FakePlatform, key};
use crate::model::catalog::TaxBasis;
use crate::model::description::{Account, Description, Removal};
use crate::model::sales::{Happening, LineKind, OrderEvent, OrderState, Placed, Shipment};
use crate::model::{
    CallError, Called, Doomed, FacetKey, Found, Hash, Issue, Key, KeyType, Kind, Link, Op, Outcome, Page, Part,
    PartKind, Present, Probe, PullRequest, Record, RemoteError, RemoteRef, Scope, VariantRecord, Written,
};
use crate::sync::connector::{Connector, Content, Settle};

/// How one item ended.
enum End {
    Settled(Outcome),
    Forgotten,
    Stop(CallError),
}

fn trap(message: &str) -> CallError {
    CallError::Trap { message: message.into() }
}

impl FakePlatform {
    /// One HTTP request: at its two sides the host may die.
    fn request<T>(&self, unsafe_sent: Option<&mut u32>, work: impl FnOnce(&mut World) -> T) -> Result<T, CallError> {
        let (result, dies) = {
            let mut world = self.world();
            if world.crashed {
                return Err(trap("the host is dead"));
            }
            world.requests += 1;
            let number = world.requests;
            if world.crash_at == Some((number, Side::Before)) {
                (None, true)
            } else {
                if let Some(sent) = unsafe_sent {
                    *sent += 1;
                    world.writes += 1;
                }
                (Some(work(&mut world)), world.crash_at == Some((number, Side::After)))
            }
        };
        if dies {
            self.crash();
            return Err(trap("the host died"));
        }
        result.ok_or_else(|| trap("the host died"))
    }

    fn begin(&self, verb: Verb) -> Result<u32, CallError> {
        let mut world = self.world();
        if world.crashed {
            return Err(trap("the host is dead"));
        }
        let call = world.begin(verb);
        match world.strike(verb, call, None, 1) {
            None => Ok(call),
            Some(Misfortune::Refuse(error)) => Err(CallError::Remote(error)),
            Some(_) => Err(trap("scripted")),
        }
    }

    /// One request of an item's work, with what the script has for it.
    fn step(
        &self,
        at: (u32, u32, u32),
        sent: &mut u32,
        work: impl FnOnce(&mut World) -> Result<Written, RemoteError> + Send + 'static,
    ) -> Result<Written, End> {
        let (call, item, step) = at;
        let strike = self.world().strike(Verb::Push, call, Some(item), step);
        let lost = || End::Settled(Outcome::Failed(RemoteError::Timeout("no answer in time".into())));
        match strike {
            Some(Misfortune::Refuse(error)) => return Err(End::Settled(Outcome::Failed(error))),
            Some(Misfortune::TrapBefore) => return Err(End::Stop(trap("scripted"))),
            Some(Misfortune::Late(seconds)) => {
                let late = move |world: &mut World| drop(work(world));
                self.request(Some(sent), |world| world.later(seconds, Box::new(late))).map_err(End::Stop)?;
                return Err(lost());
            }
            _ => {}
        }
        let written = self.request(Some(sent), work).map_err(End::Stop)?;
        match strike {
            Some(Misfortune::TimeoutAfter) => Err(lost()),
            Some(Misfortune::TrapAfter) => Err(End::Stop(trap("scripted"))),
            Some(Misfortune::Forget) => Err(End::Forgotten),
            _ => written.map_err(|error| End::Settled(Outcome::Failed(error))),
        }
    }

    async fn write(&self, call: u32, item: u32, record: Record, sent: &mut u32, settle: &dyn Settle) -> End {
        let idempotent = self.inner.description.writing(record.kind).is_some_and(|writing| writing.idempotent);
        let mut record = record;
        if self.inner.description.writing(record.kind).and_then(|writing| writing.marker).is_none() {
            record.marker = None;
        }
        let multi = self.world().multi_step.contains(&record.kind);
        let mut steps: Vec<Step> = Vec::new();
        match record.op {
            Op::Create | Op::CreateDone | Op::Resume => {
                if record.op != Op::Resume {
                    let made = record.clone();
                    steps.push(Box::new(move |world, _| create(world, &made, idempotent, !multi)));
                }
                if multi {
                    for variant in record.variants.clone() {
                        let known = record.parts.iter().any(|p| p.kind == PartKind::Variant && p.key == variant.sku);
                        if !known {
                            steps.push(Box::new(move |world, id| add_variant(world, id, &variant)));
                        }
                    }
                    let kind = record.kind;
                    steps.push(Box::new(move |world, id| finish(world, kind, id)));
                }
            }
            Op::Update | Op::Apply => {
                let changed = record.clone();
                steps.push(Box::new(move |world, _| update(world, &changed)));
            }
            Op::Read | Op::Delete => {
                return End::Settled(Outcome::Failed(RemoteError::Bug("not an op of push".into())));
            }
        }
        let mut id = record.remote.as_ref().map(|remote| remote.id.clone()).unwrap_or_default();
        let count = steps.len();
        let mut last = None;
        for (n, step) in steps.into_iter().enumerate() {
            let of = id.clone();
            let at = (call, item, u32::try_from(n).unwrap_or(u32::MAX - 1) + 1);
            let written = match self.step(at, sent, move |world| step(world, &of)) {
                Ok(written) => written,
                Err(end) => return end,
            };
            id.clone_from(&written.remote.id);
            if n + 1 < count && settle.settle(&record.item, Outcome::Partial(written.clone())).await.is_err() {
                return End::Stop(trap("the ledger is gone"));
            }
            last = Some(written);
        }
        match last {
            Some(written) => End::Settled(Outcome::Done(written)),
            None => End::Settled(Outcome::Unchanged(remote(&id))),
        }
    }
}

type Step = Box<dyn FnOnce(&mut World, &str) -> Result<Written, RemoteError> + Send>;

fn written(object: &Object) -> Written {
    let parts = object
        .variants
        .iter()
        .map(|variant| Part { kind: PartKind::Variant, key: variant.sku.clone(), id: variant.id.clone() })
        .chain(object.lines.iter().map(|(key, id)| line_part(key, id)))
        .collect();
    let total = object
        .facets
        .get(&key("placed"))
        .and_then(|placed| serde_json::from_value::<Placed>(placed.clone()).ok())
        .map(|placed| document_total(&placed));
    Written { remote: remote(&object.id), parts, total, warnings: Vec::new() }
}

pub(super) fn line_part(key: &str, id: &str) -> Part {
    Part { kind: PartKind::Line, key: key.to_owned(), id: id.to_owned() }
}

/// Ids of an order's lines, as the platform names them.
pub(super) fn line_ids(order: &Object) -> impl Iterator<Item = &str> {
    let lines = order.facets.get(&key("placed")).and_then(|placed| placed["lines"].as_array());
    lines.into_iter().flatten().filter_map(|line| line["id"].as_str())
}

/// The total as a platform computes it that sums tax per document and rate.
fn document_total(placed: &Placed) -> Decimal {
    let mut by_rate: Vec<(Option<Decimal>, Decimal)> = Vec::new();
    for line in placed.lines.iter().filter(|line| line.kind != LineKind::Text) {
        let amount = cents(line.unit_price * line.quantity);
        match by_rate.iter_mut().find(|(rate, _)| *rate == line.tax_percent) {
            Some((_, sum)) => *sum += amount,
            None => by_rate.push((line.tax_percent, amount)),
        }
    }
    let taxed = |(rate, sum): (Option<Decimal>, Decimal)| match placed.basis {
        TaxBasis::Gross => sum,
        TaxBasis::Net => sum + cents(sum * rate.unwrap_or_default() / Decimal::ONE_HUNDRED),
    };
    by_rate.into_iter().map(taxed).sum()
}

fn create(world: &mut World, record: &Record, idempotent: bool, whole: bool) -> Result<Written, RemoteError> {
    if idempotent && let Some(object) = world.objects.iter().find(|o| !o.deleted && o.item == record.item) {
        return Ok(written(object));
    }
    if record.kind == Kind::Shipment {
        ships_its_own(world, record)?;
    }
    let id = world.new_id(&record.kind.as_str()[..1]);
    let mut facets = world.cleaned(&record.facets);
    let lines = facets.get_mut(&key("placed")).map(|placed| world.number_lines(placed)).unwrap_or_default();
    let now = world.now;
    world.objects.push(Object {
        kind: record.kind,
        id: id.clone(),
        marker: record.marker.clone(),
        item: record.item.clone(),
        facets,
        variants: Vec::new(),
        lines,
        of: record.of.as_ref().and_then(|of| of.id.clone()),
        whole,
        created: now,
        updated: now,
        deleted: false,
    });
    if record.kind == Kind::Shipment && world.shipments_take_stock {
        take_stock(world, record);
    }
    if whole {
        for variant in &record.variants {
            add_variant(world, &id, variant)?;
        }
    }
    world.object(record.kind, &id).map(written).ok_or_else(|| RemoteError::Bug("just made".into()))
}

/// A shipment is of lines that its order has, as everywhere.
fn ships_its_own(world: &World, record: &Record) -> Result<(), RemoteError> {
    let id = record.of.as_ref().and_then(|of| of.id.as_deref()).unwrap_or_default();
    let order = world.object(Kind::Order, id).ok_or_else(|| RemoteError::NotFound(format!("order {id}")))?;
    let body = record.facets.get(&key("shipment")).cloned().unwrap_or_default();
    let shipment: Shipment = serde_json::from_value(body).map_err(|error| RemoteError::Bug(error.to_string()))?;
    match shipment.parcels.iter().flat_map(|parcel| &parcel.lines).find(|of| line_ids(order).all(|id| id != of.line)) {
        Some(of) => Err(RemoteError::Rejected(vec![Issue {
            path: "parcels".into(),
            code: None,
            message: format!("order {id} has no line {}", of.line),
        }])),
        None => Ok(()),
    }
}

/// Goods leave the one warehouse.
fn take_stock(world: &mut World, record: &Record) {
    let shipment: Option<Shipment> =
        record.facets.get(&key("shipment")).and_then(|body| serde_json::from_value(body.clone()).ok());
    let order = record.of.as_ref().and_then(|of| of.id.clone()).unwrap_or_default();
    let lines = world.lines_of(&order);
    for of in shipment.into_iter().flat_map(|shipment| shipment.parcels).flat_map(|parcel| parcel.lines) {
        let Some((sku, _)) = lines.iter().find(|(_, line)| line.line == of.line) else { continue };
        if let Some(there) = world.stock_of(sku, "main") {
            world.set_stock(sku, "main", &(there - of.quantity).to_string());
        }
    }
}

fn add_variant(world: &mut World, product: &str, variant: &VariantRecord) -> Result<Written, RemoteError> {
    let id = world.new_id("v");
    let facets = world.cleaned(&variant.facets);
    let now = world.now;
    let object =
        world.object_mut(Kind::Product, product).ok_or_else(|| RemoteError::NotFound(format!("product {product}")))?;
    object.variants.push(Variant { id, sku: variant.sku.clone(), facets });
    object.updated = now;
    Ok(written(object))
}

fn finish(world: &mut World, kind: Kind, id: &str) -> Result<Written, RemoteError> {
    let now = world.now;
    let object = world.object_mut(kind, id).ok_or_else(|| RemoteError::NotFound(format!("{kind} {id}")))?;
    object.whole = true;
    object.updated = now;
    Ok(written(object))
}

fn update(world: &mut World, record: &Record) -> Result<Written, RemoteError> {
    let id = record.remote.as_ref().map(|remote| remote.id.clone()).unwrap_or_default();
    let facets = world.cleaned(&record.facets);
    let now = world.now;
    match record.kind {
        Kind::Stock | Kind::Price => {
            if !world.objects.iter().any(|o| !o.deleted && o.variants.iter().any(|v| v.id == id)) {
                return Err(RemoteError::NotFound(format!("variant {id}")));
            }
            for (facet, body) in facets {
                let figures = if record.kind == Kind::Stock { &mut world.stock } else { &mut world.prices };
                figures.insert((id.clone(), facet), Figure { body, updated: now });
            }
            Ok(Written { remote: remote(&id), parts: Vec::new(), total: None, warnings: Vec::new() })
        }
        Kind::OrderEvent => {
            let body = facets.get(&key("event")).cloned().unwrap_or_default();
            let event: OrderEvent =
                serde_json::from_value(body.clone()).map_err(|error| RemoteError::Bug(error.to_string()))?;
            let order =
                world.object_mut(Kind::Order, &id).ok_or_else(|| RemoteError::NotFound(format!("order {id}")))?;
            match event.what {
                Happening::Cancelled { .. } => {
                    order.facets.insert(key("state"), super::body(&OrderState::Cancelled));
                }
                Happening::Completed => {
                    order.facets.insert(key("state"), super::body(&OrderState::Completed));
                }
                Happening::Numbered(number) => {
                    if let Some(placed) = order.facets.get_mut(&key("placed")) {
                        placed["other_number"] = number.into();
                    }
                }
                Happening::Paid(_) | Happening::Refunded { .. } => {}
            }
            order.updated = now;
            let done = written(order);
            world.applied.push(Applied { order: id, item: record.item.clone(), body, at: now });
            Ok(done)
        }
        kind => {
            let object = world.object_mut(kind, &id).ok_or_else(|| RemoteError::NotFound(format!("{kind} {id}")))?;
            object.updated = now;
            let grouped = facets.contains_key(&key("grouping"));
            object.facets.extend(facets);
            if grouped {
                object
                    .variants
                    .retain(|v| record.variants.iter().any(|w| w.remote.as_ref().is_some_and(|r| r.id == v.id)));
                for variant in &record.variants {
                    let cleaned = world.cleaned(&variant.facets);
                    let object = world.object_mut(kind, &id).expect("found above");
                    let known = variant.remote.as_ref().and_then(|r| object.variants.iter_mut().find(|v| v.id == r.id));
                    match known {
                        Some(known) => known.facets.extend(cleaned),
                        None => drop(add_variant(world, &id, variant)?),
                    }
                }
            }
            world.object(kind, &id).map(written).ok_or_else(|| RemoteError::Bug("found above".into()))
        }
    }
}

#[async_trait]
impl Connector for FakePlatform {
    fn description(&self) -> &Description {
        &self.inner.description
    }

    async fn check(&self) -> Called<Account> {
        let result = self
            .begin(Verb::Check)
            .and_then(|_| self.request(None, |world| Account { now: Some(world.now), ..world.account.clone() }));
        Called::plain(result)
    }

    async fn pull(&self, request: PullRequest) -> Called<Page> {
        let result = self.begin(Verb::Pull).and_then(|_| self.request(None, |world| pull(world, &request)));
        Called::plain(result)
    }

    async fn acknowledge(&self, kind: Kind, receipt: String) -> Called<()> {
        let result = self.begin(Verb::Acknowledge).and_then(|_| {
            self.request(None, |world| {
                if world.batch_open.get(&kind).is_some_and(|(open, _)| *open == receipt) {
                    let (_, ids) = world.batch_open.remove(&kind).expect("just seen");
                    let queue = world.batch_queue.entry(kind).or_default();
                    queue.drain(..ids.len().min(queue.len()));
                }
            })
        });
        Called::plain(result)
    }

    async fn push(&self, records: Vec<Record>, settle: Arc<dyn Settle>) -> Called<()> {
        let mut sent = 0;
        let result = async {
            let call = self.begin(Verb::Push)?;
            for (n, record) in records.into_iter().enumerate() {
                let item = record.item.clone();
                let number = u32::try_from(n).unwrap_or(u32::MAX - 1) + 1;
                match self.write(call, number, record, &mut sent, &*settle).await {
                    End::Settled(outcome) => {
                        settle.settle(&item, outcome).await.map_err(|_| trap("the ledger is gone"))?;
                    }
                    End::Forgotten => {}
                    End::Stop(error) => return Err(error),
                }
            }
            Ok(())
        }
        .await;
        Called { result, unsafe_sent: sent, ..Called::plain(Ok(())) }
    }

    async fn remove(&self, kind: Kind, items: Vec<Doomed>, how: Removal, settle: Arc<dyn Settle>) -> Called<()> {
        let mut sent = 0;
        let result = async {
            self.begin(Verb::Remove)?;
            for doomed in items {
                let id = doomed.remote.id.clone();
                let outcome = self.request(Some(&mut sent), move |world| {
                    let now = world.now;
                    let Some(object) = world.object_mut(kind, &id) else {
                        return Outcome::Failed(RemoteError::NotFound(format!("{kind} {id}")));
                    };
                    object.updated = now;
                    match how {
                        Removal::Delete => object.deleted = true,
                        Removal::Deactivate => {
                            if let Some(head) = object.facets.get_mut(&key("head")) {
                                head["active"] = false.into();
                            }
                        }
                    }
                    Outcome::Done(written(object))
                })?;
                settle.settle(&doomed.item, outcome).await.map_err(|_| trap("the ledger is gone"))?;
            }
            Ok(())
        }
        .await;
        Called { result, unsafe_sent: sent, ..Called::plain(Ok(())) }
    }

    async fn find(&self, kind: Kind, probes: Vec<Probe>) -> Called<Vec<Vec<Found>>> {
        let one = |world: &World, probe: &Probe| -> Vec<Found> {
            if kind == Kind::OrderEvent {
                let of = probe.of.as_ref().map(|of| of.id.as_str()).unwrap_or_default();
                let seen = |a: &&Applied| {
                    a.order == of
                        && a.item == probe.item
                        && world.now.duration_since(a.at).as_secs() >= world.lookup_lag
                };
                return world
                    .applied
                    .iter()
                    .filter(seen)
                    .map(|a| Found { remote: remote(&a.order), marker: None, whole: true, parts: Vec::new() })
                    .collect();
            }
            let objects = world.objects.iter().filter(|object| object.kind == kind && fits(world, object, probe));
            objects
                .map(|object| Found {
                    remote: remote(&object.id),
                    marker: object.marker.clone(),
                    whole: object.whole,
                    parts: written(object).parts,
                })
                .collect()
        };
        let result = self
            .begin(Verb::Find)
            .and_then(|_| self.request(None, |world| probes.iter().map(|probe| one(world, probe)).collect()));
        Called::plain(result)
    }

    async fn fetch(&self, url: &str) -> Result<Content, RemoteError> {
        Ok(Content { id: Hash::of_bytes(url.as_bytes()).to_hex(), size: 1, media_type: "image/png".into() })
    }
}
