//! What the merchant and the customers do in the shop, and how it must look in the ERP.

use anyhow::{Context, Result};
use rust_decimal::Decimal;

use super::{Made, World, checks::Counts};
use crate::{
    picture,
    vendure::{Address, Basket},
};

const MUNICH: Address =
    Address { name: "Zoë O'Brien", street: "Hauptstraße 5", postal_code: "80331", city: "München", country: "DE" };
const VIENNA: Address =
    Address { name: "Büro Zoë", street: "Ring 1", postal_code: "1010", city: "Wien", country: "AT" };
const CRACOW: Address =
    Address { name: "Anna Kowalska", street: "ul. Długa 7", postal_code: "31-146", city: "Kraków", country: "PL" };
const BERLIN: Address =
    Address { name: "Max Muster", street: "Weg 1", postal_code: "10115", city: "Berlin", country: "DE" };

/// Changed while nobody buys from it.
const TEXT: &str = "Stoneware mug, 0.4 l, <em>dishwasher safe</em> — größer";

pub(super) async fn change(world: &World, made: &mut Made) -> Result<()> {
    let shop = &world.shop;
    shop.set_description("MUG-1", TEXT).await?;
    shop.add_picture("MUG-1", "mug-side.png", picture::png([40, 90, 200])).await?;

    let anna = |lines| Basket {
        email: "anna@example.com",
        first_name: "Anna",
        last_name: "Kowalska",
        lines,
        ship_to: CRACOW,
        bill_to: CRACOW,
        coupon: None,
    };
    let zoe = |lines, ship_to| Basket {
        email: "zoe@example.com",
        first_name: "Zoë",
        last_name: "O'Brien",
        lines,
        ship_to,
        bill_to: MUNICH,
        coupon: None,
    };
    let max = Basket {
        email: "max.new@example.com",
        first_name: "Max",
        last_name: "Muster",
        lines: &[("TS-M-RED", 3), ("BOOK-1", 2)],
        ship_to: BERLIN,
        bill_to: BERLIN,
        coupon: Some("TEN"),
    };
    made.orders.push(shop.buy(anna(&[("TS-S-RED", 2), ("MUG-1", 1)])).await?);
    made.orders.push(shop.buy(zoe(&[("BOOK-1", 1)], MUNICH)).await?);
    made.orders.push(shop.buy(zoe(&[("WID-07", 7), ("TS-L-BLUE", 1)], VIENNA)).await?);
    made.orders.push(shop.buy(max).await?);
    // Sevenths of a cent: what rounding line by line or by tax makes different.
    made.orders.push(shop.buy(anna(&[("WID-03", 7), ("WID-09", 3), ("BOOK-1", 3)])).await?);
    made.orders.push(shop.buy(anna(&[("WID-10", 1)])).await?);
    for code in &made.orders {
        shop.settle(code).await?;
    }
    made.to_ship = made.orders.first().cloned();
    made.to_cancel = made.orders.last().cloned();
    Ok(())
}

pub(super) async fn check(world: &mut World, made: &Made, before: &Counts) -> Result<()> {
    let found = world.erp.article("MUG-1").await?.description;
    world.report.equal("text of MUG-1 in the ERP", TEXT, found);
    pictures(world).await?;
    for code in &made.orders {
        if let Err(error) = order(world, code).await {
            world.report.failed(&format!("order {code}"), &error);
        }
    }
    let now = Counts::of(world).await?;
    world.report.equal("new sales in the ERP", made.orders.len(), now.sales - before.sales);
    // Zoë is known to the ERP already; Anna and Max are new.
    world.report.equal("new parties in the ERP", 2, now.parties - before.parties);
    for email in ["anna@example.com", "zoe@example.com", "max.new@example.com"] {
        let count = world.erp.parties_with(email).await?.len();
        world.report.equal(&format!("parties with {email}"), 1, count);
    }
    two_addresses(world, made).await
}

/// The ERP turns every picture into a JPEG of its own, so it is counted and looked at, not compared byte by byte.
async fn pictures(world: &mut World) -> Result<()> {
    let expected = world.shop.product_of("MUG-1").await?.pictures.len();
    let found = world.erp.pictures("MUG-1").await?;
    world.report.equal("pictures of MUG-1 in the ERP", expected, found.len());
    let readable = found.iter().all(|bytes| bytes.starts_with(&[0xff, 0xd8]) || bytes.starts_with(b"\x89PNG"));
    world.report.judge("pictures are pictures", "JPEG or PNG", found.len(), readable && !found.is_empty());
    Ok(())
}

async fn order(world: &mut World, code: &str) -> Result<()> {
    let order = world.shop.order(code).await?;
    let sale = world.erp.sale_of(code).await?;
    let expected: Vec<(String, Decimal)> =
        order.lines.iter().map(|(sku, n)| (sku.clone(), Decimal::from(*n))).collect();
    let report = &mut world.report;
    report.equal(&format!("order {code}: goods"), format!("{expected:?}"), format!("{:?}", sale.goods));
    report.equal(&format!("order {code}: total"), format!("{:.2}", order.gross), format!("{:.2}", sale.total));
    report.equal(
        &format!("order {code}: goes to, is paid by"),
        format!("{}, {}", order.ship_to_city, order.bill_to_city),
        format!("{}, {}", sale.ship_to_city, sale.bill_to_city),
    );
    report.judge(
        &format!("order {code}: state in the ERP"),
        "confirmed or processing",
        &sale.state,
        matches!(sale.state.as_str(), "confirmed" | "processing"),
    );
    let notes: Vec<&String> = order.notes.iter().filter(|note| names(note, &sale.number)).collect();
    report.judge(
        &format!("order {code}: the ERP's number in the shop"),
        format!("one note with {}", sale.number),
        format!("{:?}", order.notes),
        notes.len() == 1 && !sale.number.is_empty(),
    );
    Ok(())
}

/// Whether a note contains the number as a word of its own.
fn names(note: &str, number: &str) -> bool {
    note.split(|c: char| !c.is_alphanumeric()).any(|word| word == number)
}

async fn two_addresses(world: &mut World, made: &Made) -> Result<()> {
    let (first, second) =
        (made.orders.get(1).context("Zoë's first order")?, made.orders.get(2).context("Zoë's second order")?);
    let parties = world.erp.parties_with("zoe@example.com").await?;
    let cities = parties.first().map(|party| party.cities.clone()).unwrap_or_default();
    let both = cities.iter().any(|c| c == "München") && cities.iter().any(|c| c == "Wien");
    world.report.judge("both addresses at one party", "München and Wien", cities.join(", "), both);
    let (first, second) = (world.erp.sales_of(first).await?, world.erp.sales_of(second).await?);
    let same = first.first().map(|s| s.party) == second.first().map(|s| s.party) && !first.is_empty();
    world.report.judge("two orders of one customer", "one party", if same { "one party" } else { "two" }, same);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_number_is_found_as_a_word_only() {
        assert!(names("ERP order 14", "14"));
        assert!(names("erp:14.", "14"));
        assert!(!names("ERP order 142", "14"));
        assert!(!names("", "14"));
    }
}
