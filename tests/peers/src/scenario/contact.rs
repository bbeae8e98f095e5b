//! Onboarding with its review of first contact, and the first full sync.

use anyhow::Result;

use super::{World, checks};
use crate::{money::gross, setup::Platforms};

pub(super) async fn run(world: &mut World, platforms: &Platforms) -> Result<()> {
    let (shop_mark, erp_mark) = (world.shop_proxy.mark(), world.erp_proxy.mark());
    for platform in platforms.both() {
        world.operator.add(platform).await?;
        let answer = world.operator.test(&platform.code).await?;
        world.report.judge(&format!("connection of {}", platform.code), "an account", &answer, answer.contains("EUR"));
    }
    for platform in platforms.both() {
        world.operator.match_up(&platform.code).await?;
    }
    let review = world.operator.review(&platforms.shop.code).await?;
    let plan = review["plan"].to_string();
    world.report.judge(
        "the review names what the shop lacks",
        "WID-15",
        plan.chars().take(160).collect::<String>(),
        plan.contains("WID-15") || plan.contains("Widget 15"),
    );
    let only_here = review["kinds"].as_array().into_iter().flatten().find(|kind| kind["kind"] == "product");
    world.report.equal(
        "the review counts what only the shop has: Hoodie, Gift Card",
        2,
        only_here.map_or("nothing".to_owned(), |kind| kind["only_here"].to_string()),
    );
    let written = [world.shop_proxy.writes_since(shop_mark), world.erp_proxy.writes_since(erp_mark)].concat();
    world.report.equal("writes before the review is answered", "", written.join("; "));
    for platform in platforms.both() {
        world.operator.go_live(&platform.code).await?;
    }
    world.cycle("first sync").await?;
    catalogue(world).await?;
    texts(world).await?;
    checks::stock(world, "stock after the first sync", &[]).await
}

/// Every article of the ERP is one variant of the shop at the ERP's price; services are not sold.
async fn catalogue(world: &mut World) -> Result<()> {
    let (variants, articles) = (world.shop.variants().await?, world.erp.articles().await?);
    let mut wrong = Vec::new();
    for article in articles.values().filter(|a| a.is_goods) {
        let expected = gross(article.net, article.tax);
        match variants.get(&article.code) {
            None => wrong.push(format!("{} is missing", article.code)),
            Some(v) if v.gross != expected => {
                wrong.push(format!("{}: {} instead of {expected}", article.code, v.gross))
            }
            Some(_) => {}
        }
    }
    let found = if wrong.is_empty() { format!("{} articles", articles.len()) } else { wrong.join("; ") };
    world.report.judge("prices of the ERP in the shop", "every article, net + tax", found, wrong.is_empty());
    world.report.equal("shop variants: 22 and WID-15, no service", 23, variants.len());
    world.report.equal("ERP articles: none doubled", 21, articles.len());
    Ok(())
}

async fn texts(world: &mut World) -> Result<()> {
    for sku in ["BOOK-1", "TS-M-RED"] {
        let expected = world.shop.product_of(sku).await?.description;
        let found = world.erp.article(sku).await?.description;
        world.report.equal(&format!("text of {sku} in the ERP"), expected, found);
    }
    Ok(())
}
