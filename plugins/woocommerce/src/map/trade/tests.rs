use serde_json::json;
use tradepost_sdk::types::TaxBasis;

use super::*;

fn article(more: serde_json::Value) -> Article {
    let mut raw = json!({"id": 5, "sku": "C", "regular_price": "10.00", "sale_price": "", "stock_status": "instock"});
    raw.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(raw).unwrap()
}

#[test]
fn the_last_second_of_a_sale_is_not_the_first_after_it() {
    let money = Money { currency: "EUR".into(), basis: TaxBasis::Gross, country: "DE".into() };
    let sale = article(json!({"sale_price": "8.50", "date_on_sale_to_gmt": "2026-12-24T22:59:59"}));
    let [base, special] = prices(&sale, &money).unwrap();
    assert_eq!((base.amount.as_deref(), special.amount.as_deref()), (Some("10"), Some("8.5")));
    assert_eq!(special.valid_to.as_deref(), Some("2026-12-24T23:00:00Z"));
    // Dates without a price are left over from an old sale.
    let [_, none] = prices(&article(json!({"date_on_sale_to_gmt": "2026-01-01T00:00:00"})), &money).unwrap();
    assert_eq!((none.amount, none.valid_to), (None, None));
}

#[test]
fn stock_is_counted_by_the_article_or_its_product_or_not_at_all() {
    let product = article(json!({"manage_stock": true, "stock_quantity": 12}));
    let own = article(json!({"manage_stock": true, "stock_quantity": -2}));
    let by_parent = article(json!({"manage_stock": "parent"}));
    let free = article(json!({"manage_stock": false}));
    let sold_out = article(json!({"manage_stock": false, "stock_status": "outofstock"}));
    let told = |raw: &Article, product: &Article| {
        let level = stock(raw, product).unwrap();
        (level.quantity, level.unlimited)
    };
    assert_eq!(told(&own, &product), ("-2".into(), false));
    assert_eq!(told(&by_parent, &product), ("12".into(), false));
    assert_eq!(told(&free, &free), ("0".into(), true));
    assert_eq!(told(&sold_out, &sold_out), ("0".into(), false));
}

#[test]
fn an_account_without_a_shipping_address_has_one() {
    let raw = json!({"id": 3, "email": "Ada@Example.com", "billing": {"last_name": "Meer", "city": "Kiel", "country": "de"},
        "shipping": {"country": "DE"}});
    let read = customer(&serde_json::from_value(raw).unwrap()).unwrap();
    let base = read.base.unwrap();
    assert_eq!((base.email.as_deref(), base.last_name.as_deref()), (Some("ada@example.com"), Some("Meer")));
    let addresses = read.addresses.unwrap();
    assert_eq!((addresses.len(), addresses[0].country.as_str()), (1, "DE"));
}
