//! Pulls from platforms in memory.

mod backfill;
mod catalog;
mod crash;
mod orders;
mod restore;

use super::*;
use crate::ledger::attention::{Attention, AttentionState};
use crate::ledger::link::StoredLink;
use crate::ledger::record::StoredRecord;
use crate::ledger::run::{Cause, Direction, NewRun};
use crate::ledger::tests::{Home, platform, read, write};
use crate::model::policy::{FacetsOf, Policy};
use crate::model::{FacetKey, FacetPattern, RecordId, RecordKind};
use crate::sync::clock::StandingClock;
use crate::sync::fake::{FakePlatform, key, time};

/// A shop and an ERP that owns the catalogue, with everything live.
pub(super) struct Bench {
    pub(super) home: Home,
    pub(super) clock: Arc<StandingClock>,
    pub(super) shop: FakePlatform,
    pub(super) erp: FakePlatform,
    pub(super) shop_id: PlatformId,
    pub(super) erp_id: PlatformId,
}

pub(super) const SHOP: &str = "shop";

impl Bench {
    pub(super) async fn new() -> (Self, Ledger) {
        let home = Home::new();
        let ledger = home.booted().await;
        // Later than the machine's clock, which the ledger's own times come from.
        let clock = Arc::new(StandingClock::at(time("2040-01-02T10:00:00Z")));
        let shop = FakePlatform::shop(Arc::clone(&clock) as Arc<dyn Clock>);
        let erp = FakePlatform::erp(Arc::clone(&clock) as Arc<dyn Clock>);
        let (shop_id, erp_id) = (platform(&ledger, SHOP).await, platform(&ledger, "erp").await);
        let all = |record| FacetsOf { record, facet: FacetPattern("*".into()) };
        let erp_policy = Policy {
            owns: [RecordKind::Category, RecordKind::Product, RecordKind::Variant].map(all).into(),
            creates: vec![RecordKind::Category, RecordKind::Product],
            create_on: vec![RecordKind::Order, RecordKind::Customer],
            pushes: vec![Kind::Customer, Kind::Order, Kind::OrderEvent],
            ..Policy::default()
        };
        let shop_policy = Policy {
            creates: vec![RecordKind::Customer, RecordKind::Order],
            create_on: vec![RecordKind::Category, RecordKind::Product],
            pushes: vec![Kind::Category, Kind::Product, Kind::Stock, Kind::Price, Kind::OrderEvent, Kind::Shipment],
            ..Policy::default()
        };
        write(&ledger, move |tx| {
            tx.set_policy(shop_id, &shop_policy)?;
            tx.set_policy(erp_id, &erp_policy)?;
            for platform in [shop_id, erp_id] {
                tx.set_platform_state(platform, PlatformState::Active, None)?;
                for kind in Kind::ALL {
                    tx.set_phase(platform, *kind, Phase::Live)?;
                }
            }
            Ok(())
        })
        .await;
        (Self { home, clock, shop, erp, shop_id, erp_id }, ledger)
    }

    pub(super) async fn change_policy(
        &self,
        ledger: &Ledger,
        platform: PlatformId,
        change: impl FnOnce(&mut Policy) + Send + 'static,
    ) {
        write(ledger, move |tx| {
            let mut policy = tx.platform(platform)?.policy;
            change(&mut policy);
            tx.set_policy(platform, &policy)
        })
        .await;
    }

    pub(super) async fn prepare(&self, ledger: &Ledger, platform: PlatformId, kind: Kind) -> Result<Pull, LedgerError> {
        let run = ledger
            .write(move |tx| {
                tx.queue_run(&NewRun {
                    action: None,
                    platform,
                    direction: Direction::Pull,
                    kind,
                    cause: Cause::Manual,
                    preview: false,
                })
            })
            .await?;
        let fake = if platform == self.shop_id { &self.shop } else { &self.erp };
        Ok(Pull {
            ledger: ledger.clone(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            connector: Arc::new(fake.clone()),
            platform,
            kind,
            run,
            // Few, so that everything has pages.
            page: 3,
            stop: CancellationToken::new(),
        })
    }

    pub(super) async fn try_pull(
        &self,
        ledger: &Ledger,
        platform: PlatformId,
        kind: Kind,
        mode: Mode,
    ) -> Result<End, LedgerError> {
        self.prepare(ledger, platform, kind).await?.run(mode).await
    }

    /// Pulls changes a minute later.
    pub(super) async fn pull(&self, ledger: &Ledger, platform: PlatformId, kind: Kind) -> End {
        self.clock.advance(60);
        self.try_pull(ledger, platform, kind, Mode::Changes).await.unwrap()
    }
}

pub(super) async fn records(ledger: &Ledger, kind: RecordKind) -> Vec<StoredRecord> {
    read(ledger, move |view| view.records_after(kind, RecordId(0), 1_000)).await
}

pub(super) async fn link(ledger: &Ledger, platform: PlatformId, kind: RecordKind, id: &str) -> Option<StoredLink> {
    let id = id.to_owned();
    read(ledger, move |view| view.link_by_remote(platform, kind, &id)).await
}

pub(super) async fn open_attentions(ledger: &Ledger) -> Vec<Attention> {
    read(ledger, |view| view.attentions(Some(AttentionState::Open), None, 100)).await
}

/// What a platform wants: kind, record, key.
pub(super) async fn wants(ledger: &Ledger, platform: PlatformId) -> Vec<(String, i64, String)> {
    read(ledger, move |view| view.want_list(platform)).await
}
