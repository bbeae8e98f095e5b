//! The service as an operator has it: the real program as a process, told by its commands, its service manager, its disk.

mod backup;
mod cases;
mod commands;
mod disk;
mod manager;
mod stop;
mod tapes;
mod unit;
mod watch;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tradepost_tests::build;
use tradepost_tests::erp::Erp;
use tradepost_tests::host::Place;
use tradepost_tests::trade;
use woocommerce_simulator::{Cart, Config, Control, Simulator};

/// An empty place with the program; the folder is gone with the first value.
async fn place() -> Result<(TempDir, Place)> {
    let root = tempfile::tempdir()?;
    let place = Place {
        program: tokio::task::spawn_blocking(build::program).await??,
        root: root.path().to_owned(),
        notes: None,
    };
    std::fs::create_dir_all(place.plugins())?;
    std::fs::write(place.config(), trade::CONFIG)?;
    Ok((root, place))
}

/// A shop and an ERP that were put to work.
struct Trade {
    _root: TempDir,
    place: Place,
    shop: Simulator,
    erp: Erp,
}

impl Trade {
    async fn begin() -> Result<Self> {
        let (root, place) = place().await?;
        connectors(&place).await?;
        let shop = Simulator::start(Config { products: 14, orders: 0, ..Config::default() })?;
        let mut erp = Erp::of(shop.control(), &root.path().join("exchange"))?;
        trade::begin(&place, &shop, &mut erp).await?;
        Ok(Self { _root: root, place, shop, erp })
    }

    /// A customer buys a piece of the first article.
    fn sell(&self, n: u32) -> Result<u64> {
        sell(self.shop.control(), self.erp.skus().first().context("there are articles")?, n)
    }
}

async fn connectors(place: &Place) -> Result<()> {
    let plugins = place.plugins();
    tokio::task::spawn_blocking(move || build::connectors(&["files-connector", "woocommerce-connector"], &plugins))
        .await?
}

fn sell(shop: &Control, sku: &str, n: u32) -> Result<u64> {
    Ok(shop.place_order(&Cart {
        items: vec![(sku.to_owned(), 1)],
        billing: serde_json::json!({
            "first_name": "Mara", "last_name": format!("Lindqvist {n}"), "email": format!("mara{n}@example.org"),
            "address_1": "Deichstraße 1", "postcode": "20459", "city": "Hamburg", "country": "DE",
        }),
        payment_method: "card".into(),
        ..Cart::default()
    })?)
}
