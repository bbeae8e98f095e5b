//! A hub between a fake shop and a fake ERP, with records as a pull would have left them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::ledger::event::EventName;
use crate::ledger::intent::IntentState;
use crate::ledger::link::{MadeBy, NewLink};
use crate::ledger::platform::{NewPlatform, PlatformState};
use crate::ledger::record::{FacetChange, FacetRule};
use crate::ledger::run::{Cause, Direction, NewRun};
use crate::ledger::stream::Phase;
use crate::ledger::tests::{Home, read, write};
use crate::ledger::want::WantReason;
use crate::ledger::{Ledger, Options};
use crate::model::catalog::TaxBasis;
use crate::model::policy::{FacetsOf, OrderProfile, Policy};
use crate::model::{
    FacetKey, FacetPattern, Facets, Key, KeyType, Kind, PlatformCode, PlatformId, RecordId, RecordKind, RemoteRef,
};
use crate::sync::clock::{Clock, StandingClock};
use crate::sync::connector::Connector;
use crate::sync::fake::{FakeConnectors, FakePlatform, time};
use crate::sync::push::{End, PushError, Pusher};

pub(super) const SHOP: PlatformId = PlatformId(1);
pub(super) const ERP: PlatformId = PlatformId(2);

pub(super) struct Stage {
    pub(super) home: Home,
    pub(super) ledger: Ledger,
    pub(super) clock: Arc<StandingClock>,
    pub(super) shop: FakePlatform,
    pub(super) erp: FakePlatform,
    pub(super) connectors: FakeConnectors,
    /// Commit boundaries until the power is cut; below 0: never.
    pub(super) fuse: Arc<AtomicI64>,
}

impl Stage {
    pub(super) async fn new() -> Self {
        // Later than the machine's clock, which the ledger's own times come from.
        let clock = Arc::new(StandingClock::at(time("2040-01-02T10:00:00Z")));
        let shop = FakePlatform::shop(Arc::clone(&clock) as Arc<dyn Clock>);
        let erp = FakePlatform::erp(Arc::clone(&clock) as Arc<dyn Clock>);
        let home = Home::new();
        let fuse = Arc::new(AtomicI64::new(-1));
        let ledger = home.open_with(options(&fuse));
        let stage = Self { home, ledger, clock, shop, erp, connectors: FakeConnectors::default(), fuse };
        stage.begin().await;
        for (id, code, policy) in [(SHOP, "shop", shop_policy()), (ERP, "erp", erp_policy())] {
            let fake = if id == SHOP { &stage.shop } else { &stage.erp };
            stage.connectors.serve(id, fake);
            let account = fake.world().account.clone();
            let space = fake.description().id_space.clone();
            write(&stage.ledger, move |tx| {
                let added = tx.add_platform(&NewPlatform {
                    code: PlatformCode::parse(code).unwrap(),
                    name: code.into(),
                    connector: format!("test.{code}"),
                    settings: json!({}),
                })?;
                assert_eq!(added, id);
                tx.set_account(id, &account, 0)?;
                tx.pin_account(id, &account.id, &space)?;
                tx.set_policy(id, &policy)?;
                tx.set_platform_state(id, PlatformState::Active, None)?;
                for kind in Kind::ALL {
                    tx.set_phase(id, *kind, Phase::Live)?;
                }
                Ok(())
            })
            .await;
        }
        stage.orders_read().await;
        stage
    }

    async fn begin(&self) {
        write(&self.ledger, |tx| {
            tx.begin_boot("here")?;
            tx.interrupt_runs_of_other_boots()?;
            tx.lose_sends()
        })
        .await;
        let crashed = self.ledger.clone();
        self.shop.on_crash(move || crashed.close());
        let crashed = self.ledger.clone();
        self.erp.on_crash(move || crashed.close());
    }

    /// The host starts again after it died.
    pub(super) async fn restart(&mut self) {
        self.fuse.store(-1, Ordering::SeqCst);
        self.ledger.close();
        self.shop.revive();
        self.erp.revive();
        self.ledger = self.home.open_with(options(&self.fuse));
        self.begin().await;
    }

    /// Cuts the power at the n-th commit boundary from now.
    pub(super) fn cut_power_at(&self, boundary: i64) {
        self.fuse.store(boundary, Ordering::SeqCst);
    }

    /// Whether the power was cut.
    pub(super) fn power_is_cut(&self) -> bool {
        self.fuse.load(Ordering::SeqCst) == 0
    }

    pub(super) fn pusher(&self) -> Pusher {
        Pusher {
            ledger: self.ledger.clone(),
            connectors: Arc::new(self.connectors.clone()),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            deadline: SignedDuration::from_secs(30),
        }
    }

    /// One run; an error when the host died in it.
    pub(super) async fn try_push(&self, platform: PlatformId, kind: Kind) -> Result<End, PushError> {
        let new =
            NewRun { action: None, platform, direction: Direction::Push, kind, cause: Cause::Manual, preview: false };
        let run = self.ledger.write(move |tx| tx.queue_run(&new)).await?;
        self.pusher().run(run, &CancellationToken::new()).await
    }

    pub(super) async fn push(&self, platform: PlatformId, kind: Kind) -> End {
        self.try_push(platform, kind).await.unwrap()
    }

    /// The shop's orders were read just now, so that the fence is open.
    pub(super) async fn orders_read(&self) {
        let now = self.clock.now();
        write(&self.ledger, move |tx| {
            for platform in [SHOP, ERP] {
                tx.end_scope(platform, Kind::Order, now, now)?;
            }
            Ok(())
        })
        .await;
    }

    pub(super) const CYCLE: [(PlatformId, Kind); 7] = [
        (SHOP, Kind::Category),
        (SHOP, Kind::Product),
        (SHOP, Kind::Price),
        (SHOP, Kind::Stock),
        (ERP, Kind::Customer),
        (ERP, Kind::Order),
        (SHOP, Kind::Shipment),
    ];

    /// Everything that is due goes out; an error when the host died.
    pub(super) async fn cycle(&self) -> Result<(), PushError> {
        for (platform, kind) in Self::CYCLE {
            if kind == Kind::Stock {
                let now = self.clock.now();
                self.ledger.write(move |tx| tx.end_scope(SHOP, Kind::Order, now, now)).await?;
            }
            self.try_push(platform, kind).await?;
        }
        self.try_push(SHOP, Kind::Order).await.map(drop)
    }

    /// Lets time pass and cycles until nothing more can happen, then asserts that one more cycle writes nothing.
    pub(super) async fn quiesce(&self) {
        // What is settled by a lookup alone makes room for what comes after it without a write.
        let mut quiet = 0;
        for _ in 0..40 {
            let before = self.writes();
            self.cycle().await.unwrap();
            quiet = if self.writes() == before && self.open().await == 0 { quiet + 1 } else { 0 };
            if quiet == 2 {
                break;
            }
            self.clock.advance(120);
        }
        for state in [IntentState::Planned, IntentState::Sending, IntentState::Unknown, IntentState::Retry] {
            for platform in [SHOP, ERP] {
                let left = read(&self.ledger, move |view| view.count_intents(platform, state)).await;
                assert_eq!(left, 0, "{state} on {platform}");
            }
        }
        let writes = self.writes();
        self.cycle().await.unwrap();
        assert_eq!(self.writes(), writes, "a second cycle writes nothing");
    }

    /// Writes that are not at their end, but for those that wait for something.
    async fn open(&self) -> u64 {
        read(&self.ledger, |view| {
            let mut open = 0;
            for state in [IntentState::Planned, IntentState::Sending, IntentState::Unknown, IntentState::Retry] {
                open += view.count_intents(SHOP, state)? + view.count_intents(ERP, state)?;
            }
            Ok(open)
        })
        .await
    }

    pub(super) fn writes(&self) -> u64 {
        let shop = self.shop.world().writes;
        shop + self.erp.world().writes
    }

    /// A product of the ERP with variants, prices and stock, wanted by the shop.
    pub(super) async fn product(&self, name: &'static str, skus: &[&'static str]) -> RecordId {
        let remote = self.erp.world().add_product(name, skus);
        for sku in skus {
            let mut world = self.erp.world();
            world.set_stock(sku, "main", "10");
            world.set_price(sku, "8.40");
        }
        let object = self.erp.world().object(Kind::Product, &remote).unwrap().clone();
        let stock = self.erp.world().stock.clone();
        let prices = self.erp.world().prices.clone();
        let now = self.clock.now();
        write(&self.ledger, move |tx| {
            let product = tx.create_record(RecordKind::Product, Some(ERP), None)?;
            let mut facets = object.facets.clone();
            facets.insert("grouping".into(), json!(["any"]));
            tx.write_facets(product, changes(&facets, None), Some(ERP), FacetRule::Owner, None)?;
            tx.add_link(&NewLink::live(ERP, RecordKind::Product, product, RemoteRef::new(&object.id), MadeBy::Pulled))?;
            for variant in &object.variants {
                let record = tx.create_record(RecordKind::Variant, Some(ERP), None)?;
                tx.set_product(record, Some(product))?;
                let mut facets = variant.facets.clone();
                for ((id, key), figure) in stock.iter().chain(&prices) {
                    if *id == variant.id {
                        facets.insert(key.clone(), figure.body.clone());
                    }
                }
                tx.write_facets(record, changes(&facets, Some(now)), Some(ERP), FacetRule::Owner, None)?;
                let key = Key { kind: KeyType::Sku, value: variant.sku.clone() };
                tx.add_keys(record, RecordKind::Variant, &[key])?;
                let remote = RemoteRef::new(&variant.id);
                tx.add_link(&NewLink::live(ERP, RecordKind::Variant, record, remote, MadeBy::Pulled))?;
                tx.want(SHOP, Kind::Stock, record, "stock:main", WantReason::Data, None)?;
                tx.want(SHOP, Kind::Price, record, "price:base:main", WantReason::Data, None)?;
            }
            tx.want(SHOP, Kind::Product, product, "", WantReason::Data, None)?;
            Ok(product)
        })
        .await
    }

    /// The record of a variant.
    pub(super) async fn variant(&self, sku: &'static str) -> RecordId {
        let key = Key { kind: KeyType::Sku, value: sku.into() };
        read(&self.ledger, move |view| view.records_by_key(RecordKind::Variant, &key)).await[0]
    }

    /// The owner changes a facet, and a platform wants it.
    pub(super) async fn change(&self, record: RecordId, kind: Kind, key: &'static str, body: Value) {
        let now = self.clock.now();
        write(&self.ledger, move |tx| {
            let facets = Facets::from([(FacetKey::from(key), body)]);
            tx.write_facets(record, changes(&facets, Some(now)), Some(ERP), FacetRule::Owner, None)?;
            tx.want(SHOP, kind, record, key, WantReason::Data, None)
        })
        .await;
    }

    /// An order of the shop for the ERP, with its customer.
    pub(super) async fn order(
        &self,
        number: &'static str,
        email: &'static str,
        lines: &[(&str, &str, &str)],
    ) -> RecordId {
        let remote = self.shop.world().place_order(number, email, lines);
        self.take_in(&remote).await
    }

    /// What a pull of the order would leave.
    async fn take_in(&self, remote: &str) -> RecordId {
        let order = self.shop.world().object(Kind::Order, remote).unwrap().clone();
        let placed = order.facets[&"placed".into()].clone();
        let customer = placed["customer"]["id"].as_str().unwrap().to_owned();
        let buyer = self.shop.world().object(Kind::Customer, &customer).unwrap().facets.clone();
        write(&self.ledger, move |tx| {
            let known = tx.link_by_remote(SHOP, RecordKind::Customer, &customer)?.and_then(|link| link.record);
            if known.is_none() {
                let record = tx.create_record(RecordKind::Customer, Some(SHOP), None)?;
                tx.write_facets(record, changes(&buyer, None), Some(SHOP), FacetRule::Owner, None)?;
                let remote = RemoteRef::new(&customer);
                tx.add_link(&NewLink::live(SHOP, RecordKind::Customer, record, remote, MadeBy::Pulled))?;
                tx.want(ERP, Kind::Customer, record, "", WantReason::Data, None)?;
            }
            let record = tx.create_record(RecordKind::Order, Some(SHOP), None)?;
            tx.write_facets(record, changes(&order.facets, None), Some(SHOP), FacetRule::Owner, None)?;
            let link = NewLink::live(SHOP, RecordKind::Order, record, RemoteRef::new(&order.id), MadeBy::Pulled);
            tx.add_link(&link)?;
            for line in placed["lines"].as_array().unwrap() {
                let id = line["variant"]["id"].as_str().unwrap_or_default();
                let link = tx.link_by_remote(SHOP, RecordKind::Variant, id)?;
                if let Some(variant) = link.and_then(|link| link.record) {
                    let pieces = line["quantity"].as_str().unwrap().parse().unwrap();
                    tx.reserve(record, line["id"].as_str().unwrap(), variant, pieces, SHOP)?;
                    tx.want(SHOP, Kind::Stock, variant, "stock:main", WantReason::Data, None)?;
                }
            }
            let event = tx.add_event(record, EventName::Placed, "", &order.facets, SHOP, None)?.unwrap();
            tx.deliver(event, ERP, record)?;
            Ok(record)
        })
        .await
    }

    /// Something happens to an order on one platform and goes to the other.
    pub(super) async fn happens(
        &self,
        order: RecordId,
        name: EventName,
        ext_key: &'static str,
        body: Facets,
        from: PlatformId,
    ) {
        write(&self.ledger, move |tx| {
            let to = if from == SHOP { ERP } else { SHOP };
            let event = tx.add_event(order, name, ext_key, &body, from, None)?.unwrap();
            tx.deliver(event, to, order)?;
            Ok(())
        })
        .await;
    }

    /// Causes of what waits for a person.
    pub(super) async fn attentions(&self) -> Vec<String> {
        let open =
            read(&self.ledger, |view| view.attentions(Some(crate::ledger::attention::AttentionState::Open), None, 999))
                .await;
        open.into_iter().map(|attention| attention.cause_key).collect()
    }

    /// How many intents are in each state.
    pub(super) async fn states(&self, record: RecordId) -> BTreeMap<IntentState, usize> {
        let intents = read(&self.ledger, move |view| view.intents_of(record)).await;
        let mut states = BTreeMap::new();
        for intent in intents {
            *states.entry(intent.state).or_default() += 1;
        }
        states
    }

    /// Changes the policy of a platform.
    pub(super) async fn policy(&self, platform: PlatformId, change: impl FnOnce(&mut Policy) + Send + 'static) {
        write(&self.ledger, move |tx| {
            let mut policy = tx.platform(platform)?.policy;
            change(&mut policy);
            tx.set_policy(platform, &policy)
        })
        .await;
    }
}

fn options(fuse: &Arc<AtomicI64>) -> Options {
    let fuse = Arc::clone(fuse);
    // Counts down to 1, where it blows, and then stays at 0.
    let blows = move |_| {
        let step = |left: i64| (left > 0).then(|| left - 1);
        fuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step) == Ok(1)
    };
    Options { crash: Some(Arc::new(blows)) }
}

fn changes(facets: &Facets, as_of: Option<jiff::Timestamp>) -> Vec<FacetChange> {
    facets
        .iter()
        .map(|(key, body)| FacetChange {
            key: key.clone(),
            body: Some(body.clone()),
            as_of: as_of.filter(|_| key.name() == "stock"),
        })
        .collect()
}

pub(super) fn shop_policy() -> Policy {
    Policy {
        pushes: vec![Kind::Category, Kind::Product, Kind::Price, Kind::Stock, Kind::OrderEvent, Kind::Shipment],
        create_on: vec![RecordKind::Category, RecordKind::Product],
        creates: vec![RecordKind::Order, RecordKind::Customer],
        ..Policy::default()
    }
}

fn erp_policy() -> Policy {
    let all = |record| FacetsOf { record, facet: FacetPattern("*".into()) };
    let stock = FacetsOf { record: RecordKind::Variant, facet: FacetPattern("stock:*".into()) };
    let any = BTreeMap::from([("*".to_owned(), "any".to_owned())]);
    Policy {
        owns: vec![all(RecordKind::Product), all(RecordKind::Variant), all(RecordKind::Category), stock],
        creates: vec![RecordKind::Product, RecordKind::Variant, RecordKind::Category],
        pushes: vec![Kind::Customer, Kind::Order, Kind::OrderEvent],
        create_on: vec![RecordKind::Customer, RecordKind::Order],
        orders: OrderProfile { payment: any.clone(), shipping: any, ..OrderProfile::default() },
        ..Policy::default()
    }
}

/// The ERP's basis, which orders are converted to.
pub(super) const ERP_BASIS: TaxBasis = TaxBasis::Net;
