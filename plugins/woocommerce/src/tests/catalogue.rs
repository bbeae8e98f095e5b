use serde_json::json;
use tradepost_sdk::catalog::{Attribute, Content, Medium, PriceKind};
use tradepost_sdk::head::{Op, PartKind};
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::records::{Kind, Records, Removal};
use tradepost_sdk::target::{Doomed, Probe};
use tradepost_sdk::types::{Error, Field};
use woocommerce_simulator::{Config, Misbehaviour, Operation, Script};

use super::{category, head, level, price, product, variant};
use crate::WooCommerce;
use crate::map::remote;
use crate::stand_in::StandIn;

fn probe(item: &str, keys: &[(&str, &str)]) -> Probe {
    let keys = keys.iter().map(|(name, value)| Field { name: (*name).into(), value: (*value).into() }).collect();
    Probe { item: item.into(), marker: None, of: None, keys }
}

/// A shop with one simple product.
fn with_cup() -> StandIn {
    let host = StandIn::start(Config::default());
    let cup = product(Op::Create, "p/1", "Tasse", vec![variant("T", None)]);
    host.push::<WooCommerce>(Records::Products(vec![cup])).unwrap();
    host
}

#[test]
fn a_simple_product_is_made_by_one_request_and_not_for_sale_before_its_stock() {
    let host = StandIn::start(Config::default());
    let salt = product(Op::Create, "p/1", "Salz & Pfeffer", vec![variant("SP", None)]);
    host.push::<WooCommerce>(Records::Products(vec![salt])).unwrap();
    let written = host.written("p/1");
    let there = host.simulator.control().article("SP").unwrap();
    assert_eq!(written.remote.id, there["id"].to_string());
    assert_eq!(written.parts[0].what, PartKind::Variant);
    assert_eq!(there["name"], "Salz &amp; Pfeffer");
    assert_eq!((&there["tax_class"], &there["weight"]), (&json!("reduced-rate"), &json!("0.25")));
    assert_eq!((&there["status"], &there["stock_status"]), (&json!("publish"), &json!("outofstock")));
    assert_eq!(host.simulator.control().journal().write_requests(), 1);
    let probes = [probe("p/1", &[("sku", "SP")]), probe("p/2", &[("sku", "NO")])];
    let found = host.find::<WooCommerce>(Kind::Product, probes.to_vec()).unwrap();
    assert_eq!((found[0].len(), found[1].len()), (1, 0));
    assert_eq!((found[0][0].marker.as_deref(), found[0][0].whole), (Some("m-p/1"), true));
    host.nothing_ignored();
}

#[test]
fn a_product_with_variations_goes_on_wherever_it_was_cut() {
    let two = || vec![variant("T-R", Some("rot")), variant("T-B", Some("blau"))];
    let wanted = || product(Op::Create, "p/1", "Tasse", two());
    for cut in 0..5 {
        let host = StandIn::start(Config::default());
        host.cut_after(cut);
        let whole = host.push::<WooCommerce>(Records::Products(vec![wanted()])).is_ok();
        host.uncut();
        let keys = probe("p/1", &[("sku", "T-R"), ("sku", "T-B")]);
        let found = host.find::<WooCommerce>(Kind::Product, vec![keys]).unwrap().remove(0);
        assert_eq!(found.len(), usize::from(cut > 0), "cut after {cut}");
        match found.first() {
            None => host.push::<WooCommerce>(Records::Products(vec![wanted()])).unwrap(),
            Some(one) => {
                assert_eq!(one.whole, whole, "cut after {cut}");
                let mut again = wanted();
                again.head.op = Op::Resume;
                again.head.remote = Some(one.remote.clone());
                host.push::<WooCommerce>(Records::Products(vec![again])).unwrap();
            }
        }
        let control = host.simulator.control();
        assert_eq!(control.journal().writes("product", Operation::Create), 1, "cut after {cut}");
        assert_eq!(control.journal().writes("variation", Operation::Create), 2, "cut after {cut}");
        let red = control.article("T-R").unwrap();
        assert_eq!(red["attributes"][0]["option"], "rot");
        let parent = control.as_staff("GET", &format!("/products/{}", red["parent_id"]), json!(null)).unwrap();
        assert_eq!((&parent["status"], &parent["type"]), (&json!("publish"), &json!("variable")));
        let fields = parent["meta_data"].as_array().unwrap();
        assert!(!fields.iter().any(|row| row["key"] == "_tradepost_open"), "{fields:?}");
        let parts = host.written("p/1").parts;
        assert_eq!(parts.iter().filter(|part| part.what == PartKind::Variant).count(), 2);
        host.nothing_ignored();
    }
}

#[test]
fn an_answer_that_was_lost_makes_no_second_product() {
    let host = with_cup();
    let mut again = product(Op::Create, "p/1", "Tasse", vec![variant("T", None)]);
    host.push::<WooCommerce>(Records::Products(vec![again.clone()])).unwrap();
    assert_eq!(host.simulator.control().journal().writes("product", Operation::Create), 1);
    host.written("p/1");
    again.head.item = "p/2".into();
    host.push::<WooCommerce>(Records::Products(vec![again])).unwrap();
    let Some(Outcome::Failed(Error::Rejected(issues))) = host.outcome("p/2") else {
        panic!("{:?}", host.outcome("p/2"))
    };
    assert_eq!(issues[0].code.as_deref(), Some("product_invalid_sku"));
}

#[test]
fn a_simple_product_gets_variations_and_loses_one() {
    let host = with_cup();
    let at = host.written("p/1").remote;
    let two = vec![variant("T", Some("rot")), variant("T-B", Some("blau"))];
    let mut more = product(Op::Update, "p/2", "Tasse", two);
    more.head.remote = Some(at.clone());
    host.push::<WooCommerce>(Records::Products(vec![more.clone()])).unwrap();
    let control = host.simulator.control();
    assert_eq!(control.article("T").unwrap()["parent_id"].to_string(), at.id);
    assert_eq!(host.written("p/2").parts.len(), 2);
    more.head.item = "p/3".into();
    more.variants.as_mut().unwrap().pop();
    host.push::<WooCommerce>(Records::Products(vec![more])).unwrap();
    assert_eq!(control.article("T-B").unwrap()["status"], "private");
    assert_eq!(control.article("T").unwrap()["status"], "publish");
    assert_eq!(host.written("p/3").warnings.len(), 1);
    host.nothing_ignored();
}

#[test]
fn pictures_are_fetched_once_and_what_cannot_be_is_said() {
    let host = StandIn::start(Config::default());
    let medium = |key: &str, url: Option<String>| Medium {
        key: key.into(),
        content: Content { blob: None, url },
        title: Vec::new(),
    };
    let address = format!("{}/wp-content/uploads/catalogue/tasse.png", host.simulator.url);
    let mut wanted = product(Op::Create, "p/1", "Tasse", vec![variant("T", None)]);
    wanted.pictures = Some(vec![medium("a", Some(address)), medium("b", None)]);
    host.push::<WooCommerce>(Records::Products(vec![wanted.clone()])).unwrap();
    let written = host.written("p/1");
    assert_eq!(written.warnings.len(), 1);
    let picture = written.parts.iter().find(|part| part.what == PartKind::Picture).unwrap().clone();
    assert_eq!(picture.key, "a");
    wanted.head = head(Op::Update, "p/2", Some(written.remote.clone()));
    wanted.head.parts = written.parts;
    host.push::<WooCommerce>(Records::Products(vec![wanted.clone()])).unwrap();
    let now = host.simulator.control().article("T").unwrap();
    assert_eq!(now["images"][0]["id"].to_string(), picture.id);
    wanted.head.item = "p/3".into();
    wanted.head.parts = Vec::new();
    wanted.pictures = Some(vec![medium("c", Some("ftp://nowhere/x.png".into()))]);
    host.push::<WooCommerce>(Records::Products(vec![wanted])).unwrap();
    assert!(host.written("p/3").warnings[0].message.contains("could not fetch"));
    let now = host.simulator.control().article("T").unwrap();
    assert_eq!(now["images"][0]["id"].to_string(), picture.id, "what cannot be replaced stays");
    host.nothing_ignored();
}

#[test]
fn a_rate_that_no_class_has_is_a_question() {
    let host = StandIn::start(Config::default());
    let mut odd = variant("T", None);
    odd.tax_percent = Some("8.1".into());
    host.push::<WooCommerce>(Records::Products(vec![product(Op::Create, "p/1", "Tasse", vec![odd])])).unwrap();
    assert!(matches!(host.outcome("p/1"), Some(Outcome::Failed(Error::MappingMissing(_)))));
    assert_eq!(host.simulator.control().journal().write_requests(), 0);
}

#[test]
fn stock_and_prices_of_products_and_variations_go_in_batches() {
    let host = StandIn::start(Config::default());
    let two = vec![variant("T-R", Some("rot")), variant("T-B", Some("blau"))];
    let cup = product(Op::Create, "p/1", "Tasse", two);
    let scarf = product(Op::Create, "p/2", "Schal", vec![variant("S", None)]);
    host.push::<WooCommerce>(Records::Products(vec![cup, scarf])).unwrap();
    let control = host.simulator.control();
    let id = |sku: &str| control.article(sku).unwrap()["id"].as_u64().unwrap();
    let parent = control.article("T-R").unwrap()["parent_id"].as_u64();
    control.reset_journal();
    let levels = vec![
        level("s/1", id("T-R"), parent, "4"),
        level("s/2", id("T-B"), parent, "2.9"),
        level("s/3", id("S"), None, "7"),
        level("s/4", 99_999, None, "1"),
    ];
    host.push::<WooCommerce>(Records::Stock(levels)).unwrap();
    assert_eq!(["T-R", "T-B", "S"].map(|sku| control.stock(sku)), [Some(4), Some(2), Some(7)]);
    assert!(matches!(host.outcome("s/4"), Some(Outcome::Failed(Error::NotFound(_)))));
    host.written("s/3");
    let mut special = price("r/2", id("S"), None, PriceKind::Special, Some("8.00"));
    special.valid_from = Some("2026-12-01T00:00:00Z".into());
    special.valid_to = Some("2026-12-24T23:00:00Z".into());
    let prices = vec![
        price("r/1", id("S"), None, PriceKind::Base, Some("9.90")),
        special,
        price("r/3", id("T-R"), parent, PriceKind::Base, Some("19.00")),
    ];
    host.push::<WooCommerce>(Records::Prices(prices)).unwrap();
    let scarf = control.article("S").unwrap();
    assert_eq!((&scarf["regular_price"], &scarf["sale_price"]), (&json!("9.9"), &json!("8")));
    assert_eq!(scarf["date_on_sale_to_gmt"], "2026-12-24T22:59:59");
    assert_eq!(control.journal().write_requests(), 4, "two batches for stock, two for prices");
    let gone = price("r/5", id("S"), None, PriceKind::Special, None);
    host.push::<WooCommerce>(Records::Prices(vec![gone])).unwrap();
    let scarf = control.article("S").unwrap();
    assert_eq!((&scarf["sale_price"], &scarf["date_on_sale_to_gmt"]), (&json!(""), &json!(null)));
    host.nothing_ignored();
}

#[test]
fn stock_and_prices_that_the_shop_has_are_not_written_again() {
    let host = StandIn::start(Config::default());
    let two = vec![variant("T-R", Some("rot")), variant("T-B", Some("blau"))];
    let cup = product(Op::Create, "p/1", "Tasse", two);
    let scarf = product(Op::Create, "p/2", "Schal", vec![variant("S", None)]);
    host.push::<WooCommerce>(Records::Products(vec![cup, scarf])).unwrap();
    let control = host.simulator.control();
    let id = |sku: &str| control.article(sku).unwrap()["id"].as_u64().unwrap();
    let parent = control.article("T-R").unwrap()["parent_id"].as_u64();
    let levels = |run: &str, red: &str| {
        Records::Stock(vec![
            level(&format!("{run}/1"), id("T-R"), parent, red),
            level(&format!("{run}/2"), id("T-B"), parent, "2"),
            level(&format!("{run}/3"), id("S"), None, "7"),
        ])
    };
    host.push::<WooCommerce>(levels("s", "4")).unwrap();
    control.reset_journal();
    host.push::<WooCommerce>(levels("t", "5")).unwrap();
    assert_eq!((control.stock("T-R"), control.journal().write_requests()), (Some(5), 1), "only the red cup");
    host.written("t/1");
    assert!(matches!(host.outcome("t/2"), Some(Outcome::Unchanged(_))));
    assert!(matches!(host.outcome("t/3"), Some(Outcome::Unchanged(_))));
    let prices = |run: &str, to: &str| {
        let mut special = price(&format!("{run}/2"), id("S"), None, PriceKind::Special, Some("8.00"));
        special.valid_to = Some(to.into());
        Records::Prices(vec![price(&format!("{run}/1"), id("S"), None, PriceKind::Base, Some("9.90")), special])
    };
    host.push::<WooCommerce>(prices("r", "2026-12-24T23:00:00Z")).unwrap();
    control.reset_journal();
    host.push::<WooCommerce>(prices("u", "2026-12-24T23:00:00Z")).unwrap();
    assert_eq!(control.journal().write_requests(), 0);
    assert!(matches!(host.outcome("u/2"), Some(Outcome::Unchanged(_))));
    host.push::<WooCommerce>(prices("v", "2026-12-25T23:00:00Z")).unwrap();
    host.written("v/1");
    assert_eq!(control.article("S").unwrap()["date_on_sale_to_gmt"], "2026-12-25T22:59:59");
}

#[test]
fn categories_make_a_tree_and_are_found_by_their_key() {
    let host = StandIn::start(Config::default());
    host.push::<WooCommerce>(Records::Categories(vec![category("c/1", "Küche & Bad", None)])).unwrap();
    let top: u64 = host.written("c/1").remote.id.parse().unwrap();
    host.push::<WooCommerce>(Records::Categories(vec![category("c/2", "Tassen", Some(top))])).unwrap();
    let found = host.find::<WooCommerce>(Kind::Category, vec![probe("c/1", &[("category", "Küche & Bad")])]).unwrap();
    assert_eq!(found[0][0].remote.id, top.to_string());
    let item = Doomed { item: "c/3".into(), remote: host.written("c/2").remote };
    host.remove::<WooCommerce>(Kind::Category, vec![item.clone()], Removal::Delete).unwrap();
    host.written("c/3");
    host.remove::<WooCommerce>(Kind::Category, vec![item], Removal::Delete).unwrap();
    assert!(matches!(host.outcome("c/3"), Some(Outcome::Unchanged(_))));
    host.nothing_ignored();
}

#[test]
fn products_are_hidden_or_put_into_the_trash() {
    let host = with_cup();
    let doomed = |item: &str| Doomed { item: item.into(), remote: host.written("p/1").remote };
    host.remove::<WooCommerce>(Kind::Product, vec![doomed("d/1")], Removal::Deactivate).unwrap();
    assert_eq!(host.simulator.control().article("T").unwrap()["status"], "draft");
    host.remove::<WooCommerce>(Kind::Product, vec![doomed("d/2"), doomed("d/3")], Removal::Delete).unwrap();
    host.written("d/2");
    assert!(matches!(host.outcome("d/3"), Some(Outcome::Unchanged(_))));
    let unknown = Doomed { item: "d/4".into(), remote: remote(99_999, None) };
    host.remove::<WooCommerce>(Kind::Product, vec![unknown], Removal::Delete).unwrap();
    assert!(matches!(host.outcome("d/4"), Some(Outcome::Unchanged(_))));
}

#[test]
fn a_batch_is_read_by_one_request_and_what_is_written_back_is_read_directly_before() {
    let host = StandIn::start(Config::default());
    let control = host.simulator.control();
    let all = |op| ["p/1", "p/2", "p/3"].map(|item| product(op, item, item, vec![variant(item, None)])).to_vec();
    host.push::<WooCommerce>(Records::Products(all(Op::Create))).unwrap();
    let mut again = all(Op::Update);
    for one in &mut again {
        one.head.remote = Some(host.written(&one.head.item).remote);
        one.texts[0].name.push('!');
    }
    let asked = |batch: Vec<_>| {
        let before = control.journal();
        host.push::<WooCommerce>(Records::Products(batch)).unwrap();
        let now = control.journal();
        ["GET /products", "GET /products/{id}", "PUT /products/{id}"].map(|route| {
            let (method, route) = route.split_once(' ').unwrap();
            now.requests(method, route) - before.requests(method, route)
        })
    };
    assert_eq!(asked(again.clone()), [1, 0, 3]);
    // Attributes are replaced as a whole: where some are written, the product is read directly before.
    let property = |name: &str| Attribute { name: name.into(), value: "Holz".into(), language: None, unit: None };
    again[1].attributes = Some(vec![property("Material")]);
    assert_eq!(asked(again.clone()), [1, 1, 3]);
    assert_eq!(asked(again.clone()), [1, 0, 3], "they are there now");
    // A list that the shop cannot give stops nobody: each is asked for alone.
    control.misbehave(Script::any(1, Misbehaviour::ErrorBefore { status: 500 }));
    assert_eq!(asked(again.clone()), [1, 3, 3]);
    for item in ["p/1", "p/2", "p/3"] {
        assert_eq!(control.article(item).unwrap()["name"], format!("{item}!"));
    }
    host.nothing_ignored();
}

#[test]
fn a_product_with_variations_is_written_once_unless_what_it_offers_changes() {
    let host = StandIn::start(Config::default());
    let cup = |op| product(op, "p/1", "Tasse", vec![variant("T-R", Some("rot")), variant("T-B", Some("blau"))]);
    host.push::<WooCommerce>(Records::Products(vec![cup(Op::Create)])).unwrap();
    let mut again = cup(Op::Update);
    again.head.remote = Some(host.written("p/1").remote);
    let puts = || host.simulator.control().journal().requests("PUT", "/products/{id}");
    let before = puts();
    host.push::<WooCommerce>(Records::Products(vec![again.clone()])).unwrap();
    assert_eq!(puts() - before, 1);
    again.variants.as_mut().unwrap().push(variant("T-G", Some("grün")));
    host.push::<WooCommerce>(Records::Products(vec![again])).unwrap();
    assert_eq!(puts() - before, 3, "it offers the new choice before a variation makes it");
    host.nothing_ignored();
}
