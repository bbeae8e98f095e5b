//! A platform in memory for engine tests: it keeps objects as a real one would, counts writes, and misbehaves by script.
//!
//! It lives outside the host: it survives a crash of the ledger, and what it holds at the end is what a merchant would
//! see. `connector` is the [`super::connector::Connector`] over it, `world` what it holds, `script` how it misbehaves.

mod connector;
mod reading;
mod script;
mod world;

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

pub(crate) use script::{Fault, Misfortune, Side, Verb};
pub(crate) use world::{Applied, Object, World};

use super::clock::Clock;
use super::connector::{Connector, Connectors, Unserved};
use crate::model::catalog::TaxBasis;
use crate::model::description::{
    Ability, Account, Channel, Description, Environment, OrderHappening, Reading, Removal, StockFigure, Warehouse,
    Writing,
};
use crate::model::{FacetKey, FacetPattern, Kind, PlatformId};

/// A platform; clones share it.
#[derive(Clone)]
pub(crate) struct FakePlatform {
    inner: Arc<Inner>,
}

struct Inner {
    description: Description,
    clock: Arc<dyn Clock>,
    world: Mutex<World>,
    on_crash: Mutex<Option<Box<dyn Fn() + Send + Sync>>>,
}

impl FakePlatform {
    /// A shop: gross prices, writes everything, knows markers, finds at once.
    pub(crate) fn shop(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, describe("shop"), account("shop", TaxBasis::Gross))
    }

    /// An ERP: net prices, makes orders in several calls.
    pub(crate) fn erp(clock: Arc<dyn Clock>) -> Self {
        let erp = Self::new(clock, describe("erp"), account("erp", TaxBasis::Net));
        erp.world().multi_step.insert(Kind::Order);
        erp
    }

    fn new(clock: Arc<dyn Clock>, description: Description, account: Account) -> Self {
        let world = World::new(account);
        Self { inner: Arc::new(Inner { description, clock, world: Mutex::new(world), on_crash: Mutex::new(None) }) }
    }

    /// The same platform served by a connector that says something else of itself.
    pub(crate) fn described(&self, change: impl FnOnce(&mut Description)) -> Self {
        let mut description = self.inner.description.clone();
        change(&mut description);
        let world = std::mem::replace(&mut *self.world(), World::new(account("moved", TaxBasis::Net)));
        let inner = Inner {
            description,
            clock: Arc::clone(&self.inner.clock),
            world: Mutex::new(world),
            on_crash: Mutex::new(None),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What it holds, to look at and to change as its users would.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.inner.world.lock().unwrap();
        world.advance_to(self.inner.clock.now());
        world
    }

    /// Adds to the script.
    pub(crate) fn fault(&self, fault: Fault) {
        self.world().script.push(fault);
    }

    /// What ends the host at a scripted HTTP boundary: normally closes its ledger.
    pub(crate) fn on_crash(&self, hook: impl Fn() + Send + Sync + 'static) {
        *self.inner.on_crash.lock().unwrap() = Some(Box::new(hook));
    }

    /// The host runs again.
    pub(crate) fn revive(&self) {
        let mut world = self.world();
        world.crashed = false;
        world.crash_at = None;
    }

    fn crash(&self) {
        self.inner.world.lock().unwrap().crashed = true;
        if let Some(hook) = &*self.inner.on_crash.lock().unwrap() {
            hook();
        }
    }
}

/// Serves fakes by platform.
#[derive(Clone, Default)]
pub(crate) struct FakeConnectors {
    served: Arc<Mutex<Vec<(PlatformId, FakePlatform)>>>,
}

impl FakeConnectors {
    /// Serves the platform with the fake from now on.
    pub(crate) fn serve(&self, platform: PlatformId, fake: &FakePlatform) {
        let mut served = self.served.lock().unwrap();
        served.retain(|(id, _)| *id != platform);
        served.push((platform, fake.clone()));
    }
}

impl Connectors for FakeConnectors {
    fn connector(&self, platform: PlatformId, _preview: bool) -> Result<Arc<dyn Connector>, Unserved> {
        let served = self.served.lock().unwrap();
        match served.iter().find(|(id, _)| *id == platform) {
            Some((_, fake)) => Ok(Arc::new(fake.clone())),
            None => Err(Unserved { message: format!("nobody serves platform {platform}; add a fake") }),
        }
    }
}

fn describe(name: &str) -> Description {
    let reading = |figure| Reading { changes: true, ids: true, present: true, writes: false, figure };
    let writing = |facets: &[&str]| Writing {
        facets: facets.iter().map(|facet| FacetPattern((*facet).into())).collect(),
        create: true,
        update: true,
        removals: vec![Removal::Deactivate, Removal::Delete],
        max_batch: 50,
        marker: Some(128),
        create_done: true,
        ..Writing::default()
    };
    let figure = Some(StockFigure::Available);
    let happenings = vec![
        OrderHappening::Placed,
        OrderHappening::Paid,
        OrderHappening::Cancelled,
        OrderHappening::Refunded,
        OrderHappening::Numbered,
        OrderHappening::Completed,
    ];
    let ability = |kind, reading, writing, lookup_lag| Ability { kind, reading, writing: Some(writing), lookup_lag };
    let abilities = vec![
        ability(Kind::Category, Some(reading(None)), writing(&["*"]), Some(0)),
        ability(
            Kind::Product,
            Some(reading(None)),
            writing(&["head", "texts:*", "media", "categories", "attributes", "grouping"]),
            Some(0),
        ),
        ability(Kind::Stock, Some(reading(figure)), Writing { figure, ..writing(&["stock:*"]) }, None),
        ability(Kind::Price, Some(reading(None)), writing(&["price:*"]), None),
        ability(Kind::Customer, Some(reading(None)), writing(&["head", "addresses"]), Some(0)),
        ability(
            Kind::Order,
            Some(reading(None)),
            Writing { events: happenings.clone(), ..writing(&["placed", "payment", "state"]) },
            Some(0),
        ),
        ability(Kind::OrderEvent, None, Writing { events: happenings, ..writing(&["event"]) }, Some(0)),
        ability(Kind::Shipment, Some(reading(None)), writing(&["shipment"]), Some(0)),
    ];
    Description {
        id: format!("test.{name}"),
        version: "1.0.0".into(),
        name: Vec::new(),
        vendor: "test".into(),
        about: Vec::new(),
        id_space: name.into(),
        mapping_revision: 1,
        storage_version: 1,
        abilities,
        settings_schema: json!({"type": "object"}),
        origins: Vec::new(),
        credentials: Vec::new(),
        rates: Vec::new(),
        files: false,
    }
}

fn account(name: &str, basis: TaxBasis) -> Account {
    Account {
        id: format!("{name}-account"),
        name: name.into(),
        environment: Environment::Test,
        zone: "Europe/Berlin".into(),
        now: None,
        channels: vec![Channel {
            id: "main".into(),
            name: "Main".into(),
            currency: "EUR".into(),
            basis,
            languages: vec!["de".into(), "en".into()],
            countries: vec!["DE".into()],
            zone: "Europe/Berlin".into(),
        }],
        warehouses: vec![Warehouse { id: "main".into(), name: "Main".into() }],
    }
}

/// A decimal of a test.
pub(crate) fn dec(text: &str) -> Decimal {
    text.parse().expect("tests write decimals")
}

/// A time of a test.
pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("tests write RFC 3339")
}

/// JSON of a model value.
pub(crate) fn body(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("model values have string keys")
}

/// A facet key.
pub(crate) fn key(text: &str) -> FacetKey {
    FacetKey::from(text)
}
