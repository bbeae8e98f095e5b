//! The scenario of a merchant's first weeks: onboarding, first full sync, changes on either side, and days on which nothing happens.
//!
//! Ownership: products, prices and stock belong to the ERP, texts and pictures to the shop, orders and customers to where they came
//! from (the shop); the order's number and the parcels to the ERP. The shop's channel is gross in EUR, the ERP's net.

mod checks;
mod contact;
mod from_erp;
mod from_shop;
mod later;
mod quiet;

use std::path::Path;

use anyhow::{Context, Result};

use crate::{
    classify::Server, operator::Operator, peers::Peers, proxy::Proxy, report::Report, setup, tryton::Tryton,
    vendure::Vendure,
};

/// Everything a step needs.
pub(crate) struct World {
    pub(crate) peers: Peers,
    pub(crate) shop: Vendure,
    pub(crate) erp: Tryton,
    pub(crate) shop_proxy: Proxy,
    pub(crate) erp_proxy: Proxy,
    pub(crate) operator: Operator,
    pub(crate) report: Report,
}

/// What the steps of the first wave made and the second goes on with.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// Codes of the shop's orders, in the order they were placed.
    pub(crate) orders: Vec<String>,
    /// The one to be shipped.
    pub(crate) to_ship: Option<String>,
    /// The one to be cancelled.
    pub(crate) to_cancel: Option<String>,
    /// Line of the ERP's price list.
    pub(crate) special_price: Option<i64>,
}

/// Runs all of it in `folder` and gives what was found.
pub async fn run(shared: &Path, folder: &Path, keep: bool, as_it_is: bool) -> Result<Report> {
    crate::http::use_tls();
    let built = crate::build::build(&["vendure-connector", "tryton-connector"], as_it_is).await?;
    let peers = Peers::start(shared, &folder.join("peers")).await?;
    let erp_origin = peers.erp.trim_end_matches("/erp").to_owned();
    let shop_proxy = Proxy::start(Server::Vendure, &peers.shop).await?;
    let erp_proxy = Proxy::start(Server::Tryton, &erp_origin).await?;
    let shop = Vendure::login(&peers.shop).await?;
    let erp = Tryton::new(&peers.erp, &peers.erp_key)?;
    shop.create_coupon("TEN", 10).await?;
    erp.price_list(setup::SPECIAL_PRICES).await?;
    let platforms = setup::platforms(&shop, &shop_proxy, &erp_proxy, &peers.erp_key).await?;
    let operator = Operator::start(&built, &folder.join("peers-host")).await?;
    let mut world = World { peers, shop, erp, shop_proxy, erp_proxy, operator, report: Report::default() };

    contact::run(&mut world, &platforms).await.context("onboarding and first full sync")?;
    quiet::run(&mut world, "after the first sync").await?;

    let mut made = Made::default();
    let before = checks::Counts::of(&world).await?;
    from_erp::change(&world, &mut made).await.context("changes in the ERP")?;
    from_shop::change(&world, &mut made).await.context("changes in the shop")?;
    world.cycle("first wave").await?;
    from_erp::check(&mut world, &made).await?;
    from_shop::check(&mut world, &made, &before).await?;
    checks::stock(&mut world, "stock after the first wave", &[]).await?;

    let shipped = later::change(&world, &made).await.context("later changes")?;
    world.cycle("second wave").await?;
    later::check(&mut world, &made, &shipped).await?;
    checks::stock(&mut world, "stock after the second wave", &["WID-14"]).await?;
    checks::orders(&mut world, &made).await?;
    checks::history(&mut world, &made).await?;
    quiet::run(&mut world, "at the end").await?;

    let World { peers, operator, report, .. } = world;
    operator.stop().await?;
    if keep {
        peers.keep()
    } else {
        peers.stop()
    }
    Ok(report)
}

impl World {
    /// Lets the host work until what depends on something else has had its turn: an order waits for its customer, the shop's
    /// note for the ERP's number, stock for a figure that counts the order. That is twice at least, then until nothing is
    /// written any more. Every run must end well.
    pub(crate) async fn cycle(&mut self, when: &str) -> Result<()> {
        for turn in 1..=5 {
            let (shop, erp) = (self.shop_proxy.mark(), self.erp_proxy.mark());
            for run in self.operator.cycle().await? {
                let name = format!("{when}, turn {turn}: {} {}", run.platform, run.action);
                if run.state != "done" {
                    self.report.judge(&name, "done", format!("{} {}", run.state, run.detail), false);
                }
            }
            let wrote = self.shop_proxy.writes_since(shop).len() + self.erp_proxy.writes_since(erp).len();
            if turn > 1 && wrote == 0 {
                break;
            }
        }
        Ok(())
    }
}
