use tradepost_sdk::catalog::{Form, ProductBase};
use tradepost_sdk::head::Head;

use super::*;
use crate::api::tests::Scripted;
use crate::map::head;

fn variant(sku: &str) -> Variant {
    Variant {
        remote: None,
        sku: sku.into(),
        gtin: None,
        mpn: None,
        active: true,
        tax_class: Some("Accounting 19".into()),
        tax_percent: Some("19.0".into()),
        choices: Vec::new(),
        weight_kg: None,
        pictures: None,
        extra: Vec::new(),
    }
}

fn product(op: Op, skus: &[&str]) -> Product {
    Product {
        head: Head { op, item: "item".into(), ..head(remote("20", None), Vec::new(), None) },
        base: Some(ProductBase {
            number: Some("SCARF".into()),
            form: Form::Goods,
            active: true,
            manufacturer: None,
            unit: None,
        }),
        texts: vec![Texts {
            language: "en".into(),
            name: "Scarf, red".into(),
            short_html: None,
            long_html: Some("<p>wool</p>".into()),
            slug: None,
            meta_title: None,
            meta_description: None,
            keywords: Vec::new(),
        }],
        pictures: None,
        categories: None,
        attributes: None,
        variants: Some(skus.iter().map(|sku| variant(sku)).collect()),
        extra: Vec::new(),
    }
}

/// A product that was just made.
fn fresh() -> Value {
    let slug = making_slug("item");
    json!({"enabled": false, "slug": slug, "featuredAsset": null, "assets": [], "optionGroups": [], "variants": [],
        "translations": [{"languageCode": "en", "name": "Scarf, red", "slug": slug, "description": "<p>wool</p>"}]})
}

/// The same, finished, with one simple variant.
fn finished() -> Value {
    let mut one = fresh();
    one["enabled"] = json!(true);
    one["slug"] = json!("scarf-red");
    one["translations"][0]["slug"] = json!("scarf-red");
    one["variants"] = json!([{"id": "30", "sku": "A", "enabled": true, "outOfStockThreshold": 0,
        "useGlobalOutOfStockThreshold": true, "taxCategory": {"id": "1"}, "featuredAsset": null, "assets": [], "options": []}]);
    one
}

fn shop(there: Value) -> Scripted {
    Scripted::new(move |document, variables| {
        if document.contains("taxCategories") {
            let rate = |value: u32, category: &str| json!({"value": value, "enabled": true, "category": {"id": category}, "zone": {"id": "1"}});
            return json!({
                "taxCategories": {"items": [{"id": "1", "name": "Standard Tax"}, {"id": "2", "name": "Reduced Tax"}]},
                "taxRates": {"items": [rate(19, "1"), rate(7, "2")]},
            });
        }
        if document.starts_with("query") {
            return json!({"product": there});
        }
        if document.contains("createProductVariants") {
            let made: Vec<Value> = variables["input"]
                .as_array()
                .unwrap()
                .iter()
                .enumerate()
                .map(|(at, one)| json!({"id": format!("3{at}"), "sku": one["sku"]}))
                .collect();
            return json!({"createProductVariants": made});
        }
        if document.contains("createProductOptionGroup") {
            let options: Vec<Value> = variables["input"]["options"].as_array().unwrap().iter().enumerate()
                .map(|(at, one)| json!({"id": format!("4{at}"), "code": one["code"], "name": one["translations"][0]["name"]})).collect();
            return json!({"createProductOptionGroup": {"id": "9", "code": "c", "name": "Variant", "options": options}});
        }
        json!({"written": {"id": "20"}})
    })
}

fn push(host: &Scripted, product: &Product) -> Result<Outcome, Error> {
    write(&Shop::new(host).unwrap(), product)
}

#[test]
fn a_product_is_made_hidden_and_shown_in_the_last_step() {
    let host = shop(fresh());
    let outcome = push(&host, &product(Op::Create, &["A"])).unwrap();
    let writes = host.writes.borrow();
    let names: Vec<&str> =
        writes.iter().map(|(document, _)| document.split(['{', '(']).nth(2).unwrap_or_default()).collect();
    assert_eq!(names, ["createProduct", "createProductVariants", "updateProduct"]);
    let first = &writes[0].1["input"];
    assert_eq!(first["enabled"], false);
    assert_eq!(first["translations"][0]["slug"], making_slug("item").as_str());
    let new = &writes[1].1["input"][0];
    assert_eq!((&new["sku"], &new["taxCategoryId"], &new["enabled"]), (&json!("A"), &json!("1"), &json!(false)));
    assert_eq!(new["outOfStockThreshold"], NO_PRICE_YET, "nobody buys it before it has a price");
    let last = &writes[2].1["input"];
    assert_eq!((&last["enabled"], &last["translations"][0]["slug"]), (&json!(true), &json!("scarf-red")));
    let Outcome::Done(written) = outcome else { panic!() };
    assert_eq!(written.parts, [part(PartKind::Variant, "A", "30")]);
    assert!(matches!(&host.outcomes()[0], Outcome::Partial(written) if written.remote.id == "20"));
}

#[test]
fn a_resumed_creation_makes_only_what_is_missing() {
    let mut there = fresh();
    there["variants"] = finished()["variants"].clone();
    there["variants"][0]["enabled"] = json!(false);
    there["variants"][0]["useGlobalOutOfStockThreshold"] = json!(false);
    there["variants"][0]["outOfStockThreshold"] = json!(NO_PRICE_YET);
    let host = shop(there);
    let outcome = push(&host, &product(Op::Resume, &["A"])).unwrap();
    let writes = host.writes.borrow();
    assert_eq!(writes.len(), 1, "only the step that shows it");
    assert_eq!(writes[0].1["input"]["enabled"], true);
    assert!(matches!(outcome, Outcome::Done(_)));
}

#[test]
fn what_the_shop_has_is_not_written() {
    let host = shop(finished());
    let mut same = product(Op::Update, &["A"]);
    same.texts[0].slug = Some("scarf-red".into());
    assert!(matches!(push(&host, &same).unwrap(), Outcome::Unchanged(_)));
    same.texts[0].slug = None;
    assert!(matches!(push(&host, &same).unwrap(), Outcome::Unchanged(_)), "no address says nothing");
    assert!(host.writes.borrow().is_empty());
}

#[test]
fn absent_facets_say_nothing() {
    let host = shop(finished());
    let mut none = product(Op::Update, &[]);
    (none.base, none.variants) = (None, None);
    none.texts.clear();
    assert!(matches!(push(&host, &none).unwrap(), Outcome::Unchanged(_)));
    assert!(host.writes.borrow().is_empty());
}

#[test]
fn a_second_variant_gives_the_first_an_option_too() {
    let host = shop(finished());
    push(&host, &product(Op::Update, &["A", "B"])).unwrap();
    let writes = host.writes.borrow();
    let find = |name: &str| writes.iter().find(|(document, _)| document.contains(name)).map(|(_, variables)| variables);
    assert_eq!(find("updateProductVariants").unwrap()["input"], json!([{"id": "30", "optionIds": ["40"]}]));
    assert_eq!(find("createProductVariants").unwrap()["input"][0]["optionIds"], json!(["41"]));
    let at = |name: &str| writes.iter().position(|(document, _)| document.contains(name));
    assert!(at("updateProductVariants") < at("createProductVariants"), "the old one would stand in the way");
}

#[test]
fn a_variant_that_is_gone_is_hidden() {
    let mut there = finished();
    let mut second = there["variants"][0].clone();
    (second["id"], second["sku"]) = (json!("31"), json!("B"));
    there["variants"].as_array_mut().unwrap().push(second);
    let host = shop(there);
    push(&host, &product(Op::Update, &["A"])).unwrap();
    assert_eq!(host.writes.borrow()[0].1["input"], json!([{"id": "31", "enabled": false}]));
}

#[test]
fn an_unknown_tax_class_is_asked_for_before_anything_exists() {
    let host = shop(fresh());
    let mut odd = product(Op::Create, &["A"]);
    odd.variants.as_mut().unwrap()[0].tax_percent = Some("12".into());
    let Err(Error::MappingMissing(missing)) = push(&host, &odd) else { panic!() };
    assert_eq!((missing.table.as_str(), missing.value.as_str()), ("tax-class", "Accounting 19"));
    assert!(host.writes.borrow().is_empty());
}

#[test]
fn a_language_that_the_channel_lacks_is_left_out() {
    let host = shop(finished());
    let mut german = product(Op::Update, &["A"]);
    german.texts[0].language = "de".into();
    push(&host, &german).unwrap();
    assert!(host.writes.borrow().is_empty());
}

#[test]
fn pictures_are_compared_in_display_order() {
    let ids = |all: &[&str]| all.iter().map(|id| Id { id: (*id).into() }).collect::<Vec<_>>();
    let wanted = ["2".to_owned(), "1".to_owned()];
    let mut input = json!({});
    media(&mut input, &wanted, &ids(&["1", "2"]), Some(&Id { id: "2".into() }));
    assert_eq!(input, json!({}), "the featured one is first");
    media(&mut input, &wanted, &ids(&["1", "2"]), Some(&Id { id: "1".into() }));
    assert_eq!(input, json!({"assetIds": ["2", "1"], "featuredAssetId": "2"}));
}
