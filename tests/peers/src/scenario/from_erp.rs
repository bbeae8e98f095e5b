//! What the clerk changes in the ERP, and how it must look in the shop.

use anyhow::Result;
use rust_decimal::Decimal;

use super::{Made, World};
use crate::{setup::SPECIAL_PRICES, tryton::Draft};

pub(super) async fn change(world: &World, made: &mut Made) -> Result<()> {
    let erp = &world.erp;
    erp.set_price("WID-01", Decimal::new(450, 2)).await?;
    erp.count_stock("WID-02", 42).await?;
    let scarf = Draft { name: "Scarf", code: "SCARF", suffixes: &["-S", "-L"], net: Decimal::new(1250, 2) };
    erp.create_product(scarf).await?;
    erp.count_stock("SCARF-S", 9).await?;
    erp.count_stock("SCARF-L", 4).await?;
    erp.add_variant("TS-S-RED", "-XL-BLUE").await?;
    erp.count_stock("TS-XL-BLUE", 11).await?;
    made.special_price = Some(erp.set_special_price(SPECIAL_PRICES, "WID-05", Decimal::new(600, 2)).await?);
    erp.deactivate("WID-13").await
}

pub(super) async fn check(world: &mut World, _made: &Made) -> Result<()> {
    let variants = world.shop.variants().await?;
    let price = |sku: &str| variants.get(sku).map_or("missing".to_owned(), |v| format!("{:.2}", v.gross));
    let pieces = |sku: &str| variants.get(sku).map_or("missing".to_owned(), |v| v.saleable().to_string());
    let product = |sku: &str| variants.get(sku).map_or("missing", |v| v.product_id.as_str());
    let report = &mut world.report;
    report.equal("price of WID-01 4.50 net", "5.36", price("WID-01"));
    report.equal("stock of WID-02 counted", "42", pieces("WID-02"));
    report.equal("new product SCARF, prices", "14.88, 14.88", format!("{}, {}", price("SCARF-S"), price("SCARF-L")));
    report.equal("new product SCARF, stock", "9, 4", format!("{}, {}", pieces("SCARF-S"), pieces("SCARF-L")));
    report.judge(
        "new product SCARF is one product",
        "both variants in it",
        format!("{} and {}", product("SCARF-S"), product("SCARF-L")),
        product("SCARF-S") == product("SCARF-L") && product("SCARF-S") != "missing",
    );
    report.equal(
        "new variant TS-XL-BLUE, price and stock",
        "19.99, 11",
        format!("{}, {}", price("TS-XL-BLUE"), pieces("TS-XL-BLUE")),
    );
    report.equal("new variant TS-XL-BLUE, in its product", product("TS-S-RED"), product("TS-XL-BLUE"));
    report.equal("special price of WID-05 6.00 net", "7.14", price("WID-05"));
    let off = variants.get("WID-13").is_none_or(|v| !v.enabled);
    report.judge("WID-13 taken out of the range", "not sold", if off { "not sold" } else { "still sold" }, off);
    let of_scarf = |p: &&crate::vendure::Product| p.skus.iter().any(|sku| sku.starts_with("SCARF"));
    let products = world.shop.products().await?;
    let scarves: Vec<&str> = products.iter().filter(of_scarf).map(|p| p.name.as_str()).collect();
    world.report.equal("new product SCARF arrived once, under its name", "Scarf", scarves.join(", "));
    Ok(())
}
