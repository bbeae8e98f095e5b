//! What must hold at any time, read at the servers themselves.

use anyhow::Result;
use rust_decimal::Decimal;

use super::{Made, World};
use crate::money::sellable;

/// How much there is on the ERP's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) sales: usize,
    pub(super) parties: usize,
}

impl Counts {
    pub(super) async fn of(world: &World) -> Result<Self> {
        Ok(Self { sales: world.erp.count_sales().await?, parties: world.erp.count_parties().await? })
    }
}

/// What the shop still sells is what the ERP has not promised: `sellable` of `engine.md` with all orders accepted and no buffer;
/// the shop's on-hand figure is that plus its own open lines, which it subtracts again.
/// `gone` names articles the shop no longer has.
pub(super) async fn stock(world: &mut World, name: &str, gone: &[&str]) -> Result<()> {
    let (variants, articles) = (world.shop.variants().await?, world.erp.articles().await?);
    let mut compared = 0;
    let mut wrong = Vec::new();
    for article in articles.values().filter(|a| a.is_goods && a.active && !gone.contains(&a.code.as_str())) {
        let Some(variant) = variants.get(&article.code) else {
            wrong.push(format!("{} is not in the shop", article.code));
            continue;
        };
        compared += 1;
        let expected = sellable(article.forecast);
        if Decimal::from(variant.saleable()) != expected {
            wrong.push(format!(
                "{}: {} instead of {} ({} on hand, {} allocated)",
                article.code,
                variant.saleable(),
                expected.normalize(),
                variant.on_hand,
                variant.allocated
            ));
        }
    }
    let found = if wrong.is_empty() { format!("{compared} equal") } else { wrong.join("; ") };
    world.report.judge(name, "sellable = forecast, every SKU", found, wrong.is_empty() && compared >= 18);
    Ok(())
}

/// Every order is one sale with the same total; cancelled ones are judged where they are cancelled.
pub(super) async fn orders(world: &mut World, made: &Made) -> Result<()> {
    for code in made.orders.iter().filter(|code| Some(*code) != made.to_cancel.as_ref()) {
        let order = world.shop.order(code).await?;
        let sales = world.erp.sales_of(code).await?;
        let totals: Vec<String> = sales.iter().map(|sale| format!("{:.2}", sale.total)).collect();
        world.report.equal(&format!("total of order {code}"), format!("{:.2}", order.gross), totals.join(" and "));
    }
    Ok(())
}

/// The record of one order names both platforms and what happened on them.
pub(super) async fn history(world: &mut World, made: &Made) -> Result<()> {
    let Some(code) = &made.to_ship else { return Ok(()) };
    let history = world.operator.history_of_order(code).await?.to_string();
    let missing: Vec<&str> =
        ["shop", "erp", "placed", "shipment"].into_iter().filter(|word| !history.contains(word)).collect();
    world.report.judge(
        "history of one order names runs, facets and platforms",
        "shop, erp, placed, shipment",
        if missing.is_empty() { "all there".to_owned() } else { format!("lacks {}", missing.join(", ")) },
        missing.is_empty(),
    );
    Ok(())
}
