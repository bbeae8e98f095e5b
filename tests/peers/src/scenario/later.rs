//! The second wave, on what the first one made: parcels, a cancellation, a special price that ends, a changed customer, a deleted product.

use anyhow::{Context, Result};

use super::{Made, World, checks::Counts};
use crate::vendure::Fulfilment;

/// What must be true of the second wave.
#[derive(Debug)]
pub(super) struct Shipped {
    parcels: Vec<Fulfilment>,
    before: Counts,
}

pub(super) async fn change(world: &World, made: &Made) -> Result<Shipped> {
    let before = Counts::of(world).await?;
    let code = made.to_ship.as_ref().context("an order to ship")?;
    let sale = world.erp.sale_of(code).await?;
    let parcels = world.erp.ship(&sale, &["00340434161094042557", "00340434161094042564"]).await?;
    world.shop.cancel(made.to_cancel.as_ref().context("an order to cancel")?).await?;
    world.erp.remove_special_price(made.special_price.context("a special price")?).await?;
    world.shop.change_customer("anna@example.com", "Kowalska-Nowak", "+48 12 3456789").await?;
    world.shop.delete_product("WID-14").await?;
    let parcels = parcels
        .into_iter()
        .map(|(tracking, lines)| Fulfilment { state: "Shipped".to_owned(), tracking, lines })
        .collect();
    Ok(Shipped { parcels, before })
}

pub(super) async fn check(world: &mut World, made: &Made, shipped: &Shipped) -> Result<()> {
    let code = made.to_ship.as_ref().context("an order to ship")?;
    let order = world.shop.order(code).await?;
    world.report.equal(
        "two parcels with tracking in the shop",
        format!("{:?}", shipped.parcels),
        format!("{:?}", order.fulfilments),
    );
    world.report.equal("shipped order's state in the shop", "Shipped", order.state);
    if let Err(error) = cancelled(world, made).await {
        world.report.failed("cancelled order", &error);
    }
    let variants = world.shop.variants().await?;
    let price = variants.get("WID-05").map_or("missing".to_owned(), |v| format!("{:.2}", v.gross));
    world.report.equal("special price of WID-05 ended", "9.46", price);
    let anna = world.erp.parties_with("anna@example.com").await?;
    let found = format!("{anna:?}");
    let right = anna.len() == 1 && anna[0].name.contains("Kowalska-Nowak") && has_phone(&anna[0].contacts);
    world.report.judge("changed customer", "Kowalska-Nowak, +48 12 3456789", found, right);
    let deleted = !variants.contains_key("WID-14");
    world.report.judge(
        "product deleted in the shop is not made again",
        "gone",
        if deleted { "gone" } else { "there" },
        deleted,
    );
    world.report.equal("product deleted in the shop stays in the ERP", true, world.erp.article("WID-14").await?.active);
    world.report.equal(
        "the second wave makes no sale and no party",
        format!("{:?}", shipped.before),
        format!("{:?}", Counts::of(world).await?),
    );
    Ok(())
}

/// Nothing leaves, nothing is invoiced, the goods are free again.
async fn cancelled(world: &mut World, made: &Made) -> Result<()> {
    let sale = world.erp.sale_of(made.to_cancel.as_ref().context("an order to cancel")?).await?;
    let shipments_off = sale.shipments.iter().all(|(_, state)| state == "cancelled");
    let invoices_off = sale.invoices.iter().all(|state| state == "cancelled");
    let right = (sale.state == "cancelled" || sale.state == "done") && shipments_off && invoices_off;
    let found = format!("{}, shipments {:?}, invoices {:?}", sale.state, sale.shipments, sale.invoices);
    world.report.judge("cancelled order", "cancelled, or closed with all cancelled", found, right);
    let article = world.erp.article("WID-10").await?;
    world.report.equal("cancelled goods are free again", article.on_hand.normalize(), article.forecast.normalize());
    Ok(())
}

/// Spaces in phone numbers are a matter of taste.
fn has_phone(contacts: &[String]) -> bool {
    contacts.iter().any(|value| value.replace(' ', "").contains("+48123456789"))
}
