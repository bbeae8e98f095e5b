use serde_json::json;

use super::*;
use crate::api::tests::{context, fixture};

#[test]
fn a_product_with_variants_options_texts_pictures_and_collections() {
    let product = product(fixture("products")[0].clone(), "brand").unwrap();
    let base = product.base.unwrap();
    assert!(base.active);
    assert_eq!(base.number, None);
    assert_eq!(base.manufacturer.as_deref(), Some("Acme"));
    assert_eq!(product.texts[0].language, "en");
    assert_eq!(product.texts[0].long_html.as_deref(), Some("Cotton <b>t-shirt</b>"));
    let pictures = product.pictures.unwrap();
    assert_eq!(pictures[0].key, "1");
    assert!(pictures[0].content.url.as_deref().unwrap().ends_with("/assets/source/32/shirt.png"));
    let categories: Vec<String> = product.categories.unwrap().into_iter().map(|link| link.key).collect();
    assert_eq!(categories, ["apparel", "shirts"]);
    assert_eq!(product.attributes.unwrap().len(), 2, "the manufacturer is no attribute as well");
    let variants = product.variants.unwrap();
    assert_eq!(variants[0].sku, "TS-S-RED");
    assert_eq!(variants[0].remote, Some(remote("1", Some("1"))));
    assert_eq!(variants[0].tax_class.as_deref(), Some("Standard Tax"));
    assert_eq!(variants[0].tax_percent.as_deref(), Some("19"));
    let choices: Vec<(&str, &str)> =
        variants[0].choices.iter().map(|choice| (choice.axis.as_str(), choice.value.as_str())).collect();
    assert_eq!(choices, [("size", "S"), ("colour", "red")]);
    assert_eq!(product.head.parts[0], part(PartKind::Variant, "TS-S-RED", "1"));
}

#[test]
fn a_simple_product_repeats_its_number() {
    let product = product(fixture("products")[1].clone(), "").unwrap();
    assert_eq!(product.base.unwrap().number.as_deref(), Some("MUG-1"));
    assert_eq!(product.variants.unwrap()[0].choices, []);
}

#[test]
fn a_variant_that_waits_for_its_price_is_not_inactive() {
    let mut raw = fixture("products")[1].clone();
    raw["variants"][0]["enabled"] = json!(false);
    assert!(!product(raw.clone(), "").unwrap().variants.unwrap()[0].active);
    raw["variants"][0]["useGlobalOutOfStockThreshold"] = json!(false);
    raw["variants"][0]["outOfStockThreshold"] = json!(NO_PRICE_YET);
    assert!(product(raw, "").unwrap().variants.unwrap()[0].active);
}

#[test]
fn the_featured_picture_comes_first() {
    let asset = |id: &str| RawAsset { id: id.into(), source: format!("https://shop.example.com/{id}.png") };
    let keys = |featured: Option<RawId>| -> Vec<String> {
        pictures(vec![asset("1"), asset("2"), asset("3")], featured.as_ref()).into_iter().map(|one| one.key).collect()
    };
    assert_eq!(keys(Some(RawId { id: "3".into() })), ["3", "1", "2"]);
    assert_eq!(keys(None), ["1", "2", "3"]);
}

#[test]
fn collections_and_their_parents() {
    let all = fixture("collections");
    let top = category(all[0].clone()).unwrap();
    assert_eq!(top.base.as_ref().unwrap().parent, None, "the root is no category");
    let below = category(all[1].clone()).unwrap();
    let base = below.base.unwrap();
    assert_eq!((base.key.as_str(), base.parent), ("shirts", Some(link("2", "apparel"))));
    assert!(base.active);
    assert_eq!(below.texts[0].name, "Shirts");
}

#[test]
fn the_price_is_the_channels_own() {
    let mut raw = fixture("prices")[0].clone();
    raw["prices"] = json!([{"price": 2150, "currencyCode": "USD"}, {"price": 1999, "currencyCode": "EUR"}]);
    let found = price(raw.clone(), &context()).unwrap();
    assert_eq!(found.amount.as_deref(), Some("19.99"));
    assert_eq!(found.currency, "EUR");
    assert_eq!(found.head.remote, Some(remote("1", Some("1"))));
    raw["prices"] = json!([]);
    assert_eq!(price(raw, &context()).unwrap().amount, None);
}

#[test]
fn money_beyond_32_bits_is_read_whole() {
    let mut raw = fixture("prices")[0].clone();
    raw["prices"][0]["price"] = json!(9_007_199_254_740_991_i64);
    assert_eq!(price(raw, &context()).unwrap().amount.as_deref(), Some("90071992547409.91"));
}

#[test]
fn stock_is_what_is_on_hand_in_each_location() {
    let raw = fixture("stock")[0].clone();
    let levels = stock(raw.clone(), &context()).unwrap();
    assert_eq!((levels[0].warehouse.as_str(), levels[0].quantity.as_str(), levels[0].unlimited), ("1", "98", false));
    let mut free = raw.clone();
    free["trackInventory"] = json!("FALSE");
    assert!(stock(free, &context()).unwrap()[0].unlimited);
    let mut inherits = raw;
    inherits["trackInventory"] = json!("INHERIT");
    assert!(!stock(inherits, &context()).unwrap()[0].unlimited);
}

#[test]
fn another_shape_is_told() {
    assert!(matches!(product(json!({"id": "1"}), ""), Err(Error::Bug(_))));
    assert!(matches!(price(json!({"id": "1", "prices": [{"price": "x"}]}), &context()), Err(Error::Bug(_))));
}
