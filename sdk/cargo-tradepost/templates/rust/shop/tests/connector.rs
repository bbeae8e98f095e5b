//! The connector's own code against the simulator, natively. `cargo tradepost test` runs this and then tries the built
//! component in the host's runtime.

#[path = "../simulator/shop.rs"]
mod shop;

use serde_json::{Value, json};
use tiny_http::Method;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::{FakeHost, Server};

use shop::{Simulator, TOKEN};

use {{module}}::{{type}};
use {{module}}::map;
use {{module}}::wire::{OrderRow, Row, Shop};

fn host(simulator: &Simulator, token: &str) -> FakeHost {
    FakeHost::new().settings(json!({"url": simulator.address})).server(Server::new().bearer("token", token))
}

fn start() -> (Simulator, FakeHost) {
    let simulator = Simulator::start(0).unwrap();
    let host = host(&simulator, TOKEN);
    (simulator, host)
}

fn make(simulator: &Simulator, kind: &str, count: u64) {
    simulator.platform().control(&Method::Post, "make", &json!({"kind": kind, "count": count}));
}

fn fixture<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str::<Vec<T>>(text).unwrap().remove(0)
}

fn new_product(item: &str, sku: &str) -> Product {
    let row = Row { sku: sku.to_owned(), ..fixture(include_str!("../fixtures/products.json")) };
    let mut product = map::product(row, "en").unwrap();
    product.head = Head { marker: Some(format!("tp-{item}")), ..product.head };
    product.as_create(item)
}

#[test]
fn fixtures_become_records() {
    let product = map::product(fixture(include_str!("../fixtures/products.json")), "en").unwrap();
    assert_eq!(product.variants.unwrap()[0].weight_kg.as_deref(), Some("0.350"));
    let shop: Shop = serde_json::from_value(json!({
        "id": "s", "name": "S", "currency": "EUR", "prices_include_tax": true, "language": "en", "country": "DE",
        "zone": "Europe/Berlin", "test": true, "now": "2026-01-01T00:00:00Z",
    }))
    .unwrap();
    let row: OrderRow = fixture(include_str!("../fixtures/orders.json"));
    let order = map::order(row, &shop).unwrap();
    let totals: Vec<&str> = order.lines.iter().map(|line| line.total.as_str()).collect();
    assert_eq!((totals.as_slice(), order.total.as_str()), (&["25.00", "4.90"][..], "29.90"));
}

#[test]
fn check_says_whose_shop_it_is() {
    let (_simulator, host) = start();
    assert_eq!(host.check::<{{type}}>().unwrap().id, "simulated");
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    let (simulator, host) = start();
    make(&simulator, "product", 7);
    let pages = host.pull_all::<{{type}}>(PullRequest::all(Kind::Product).limit(3)).unwrap();
    let sizes: Vec<usize> = pages.iter().flat_map(|page| &page.records).map(Records::len).collect();
    assert_eq!(sizes, [3, 3, 1]);
}

#[test]
fn a_product_is_made_once_however_often_it_is_pushed() {
    let (simulator, host) = start();
    for _ in 0..2 {
        host.push::<{{type}}>(vec![new_product("i-1", "NEW-1")]).unwrap();
        assert!(matches!(host.outcome("i-1"), Some(Outcome::Done(_))));
    }
    assert_eq!(simulator.platform().products.len(), 1);
    let probe = Probe { item: "i-1".into(), marker: Some("tp-i-1".into()), of: None, keys: Vec::new() };
    assert_eq!(host.find::<{{type}}>(Kind::Product, vec![probe]).unwrap()[0].len(), 1);
}

#[test]
fn what_is_the_same_is_not_written() {
    let (simulator, host) = start();
    make(&simulator, "product", 1);
    let row: Row = serde_json::from_value(first(&simulator)).unwrap();
    let level = StockLevel { quantity: "5.0".into(), ..map::stock(row).unwrap() };
    host.push::<{{type}}>(vec![level.as_update("i-1")]).unwrap();
    assert!(matches!(host.outcome("i-1"), Some(Outcome::Unchanged(_))));
    assert_eq!(simulator.platform().writes, 0);
}

#[test]
fn one_bad_product_fails_alone_in_the_shops_words() {
    let (simulator, host) = start();
    make(&simulator, "product", 1);
    let taken = first(&simulator)["sku"].as_str().unwrap().to_owned();
    host.push::<{{type}}>(vec![new_product("i-1", &taken), new_product("i-2", "NEW-2")]).unwrap();
    let Some(Outcome::Failed(error)) = host.outcome("i-1") else { panic!("{:?}", host.settled()) };
    // A person has to look at it: it is nobody else's change, which would be tried again.
    assert!(matches!(&error, Error::Rejected(issues) if issues[0].path == "sku"), "{error:?}");
    assert!(tradepost_sdk::words(&error).contains("There is a product with this SKU"), "{error:?}");
    assert!(matches!(host.outcome("i-2"), Some(Outcome::Done(_))));
}

#[test]
fn a_record_that_cannot_be_read_stops_no_other() {
    let (simulator, host) = start();
    let kinds = [(Kind::Product, "product"), (Kind::Stock, "stock"), (Kind::Price, "price"), (Kind::Order, "order")];
    for (kind, name) in kinds {
        simulator.platform().control(&Method::Post, "reset", &Value::Null);
        let (_, made) = simulator.platform().control(&Method::Post, "make", &json!({"kind": name, "count": 3}));
        let spoilt = &made["ids"][1];
        simulator.platform().control(&Method::Post, "spoil", &json!({"kind": name, "id": spoilt}));
        let page = host.pull::<{{type}}>(PullRequest::all(kind)).unwrap();
        assert_eq!((page.records[0].len(), page.unreadable.len()), (2, 1), "{name}");
        assert_eq!(page.unreadable[0].id.as_deref(), spoilt.as_str());
    }
}

#[test]
fn a_wrong_token_is_the_operators_matter() {
    let (simulator, _) = start();
    let error = host(&simulator, "wrong").check::<{{type}}>().unwrap_err();
    assert!(matches!(error, Error::Auth(_)), "{error:?}");
}

fn first(simulator: &Simulator) -> Value {
    simulator.platform().products.values().next().cloned().unwrap()
}
