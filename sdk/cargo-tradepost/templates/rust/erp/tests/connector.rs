//! The connector's own code against the simulator, natively. `cargo tradepost test` runs this and then tries the built
//! component in the host's runtime.

#[path = "../simulator/erp.rs"]
mod erp;

use serde_json::{Value, json};
use tiny_http::Method;
use tradepost_sdk::prelude::*;
use tradepost_sdk::sales::Cancellation;
use tradepost_sdk::testing::{FakeHost, Server};

use erp::{KEY, Simulator};

use {{module}}::{{type}};
use {{module}}::map;
use {{module}}::wire::{DeliveryRow, OrderRow, StockRow};

fn host(simulator: &Simulator, key: &str) -> FakeHost {
    FakeHost::new().settings(json!({"url": simulator.address})).server(Server::new().header("key", "x-api-key", key))
}

fn start() -> (Simulator, FakeHost) {
    let simulator = Simulator::start(0).unwrap();
    let host = host(&simulator, KEY);
    (simulator, host)
}

fn make(simulator: &Simulator, kind: &str, count: u64) {
    simulator.platform().control(&Method::Post, "make", &json!({"kind": kind, "count": count}));
}

fn fixture<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str::<Vec<T>>(text).unwrap().remove(0)
}

/// An order that was sold elsewhere, of the first item.
fn sold(simulator: &Simulator, item: &str) -> Order {
    make(simulator, "product", 1);
    let mut order = map::order(fixture(include_str!("../fixtures/orders.json"))).unwrap();
    let sku = first(&simulator.platform().items)["sku"].as_str().unwrap().to_owned();
    order.lines[0].variant = Some(Link::by_key(sku));
    order.number = "1001".into();
    order.head = order.head.marked(Some(format!("shop-{item}")));
    order.as_create(item)
}

fn event(item: &str, order: &str, what: Happening) -> OrderEvent {
    let head = Head { op: Op::Update, item: item.into(), ..Head::read(order) };
    OrderEvent { head, order: Link::new(order, "1001"), at: "2026-02-01T08:00:00Z".into(), what }
}

fn first(all: &std::collections::BTreeMap<u64, Value>) -> Value {
    all.values().next().cloned().unwrap()
}

#[test]
fn fixtures_become_records() {
    let levels = map::stock(fixture::<StockRow>(include_str!("../fixtures/stock.json"))).unwrap();
    let levels: Vec<_> = levels.iter().map(|one| (one.warehouse.as_str(), one.quantity.as_str())).collect();
    assert_eq!(levels, [("HAM", "7"), ("MUC", "0.5")]);
    let order = map::order(fixture::<OrderRow>(include_str!("../fixtures/orders.json"))).unwrap();
    let totals: Vec<&str> = order.lines.iter().map(|line| line.total.as_str()).collect();
    assert_eq!((totals.as_slice(), order.total.as_str()), (&["21.01", "4.12"][..], "29.90"));
    assert_eq!((order.head.marker.as_deref(), order.placed.as_str()), (Some("shop-1001"), "2026-01-31T08:00:00Z"));
    let shipment = map::shipment(fixture::<DeliveryRow>(include_str!("../fixtures/deliveries.json"))).unwrap();
    assert_eq!(shipment.parcels[0].tracking.as_deref(), Some("00340434"));
    assert_eq!((shipment.order.key.as_str(), shipment.parcels[0].lines[0].line.as_str()), ("SO-1009", "901"));
}

#[test]
fn amounts_are_exact_or_refused() {
    assert_eq!(map::hundredths("-0.05", "").unwrap(), -5);
    assert_eq!(map::hundredths("29.900", "").unwrap(), 2990);
    assert!(matches!(map::hundredths("29.905", "total"), Err(Error::Rejected(_))));
}

#[test]
fn check_says_whose_erp_it_is() {
    let (_simulator, host) = start();
    let account = host.check::<{{type}}>().unwrap();
    assert_eq!((account.id.as_str(), account.warehouses.len()), ("simulated", 2));
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
fn an_order_is_made_once_however_often_it_is_pushed() {
    let (simulator, host) = start();
    let order = sold(&simulator, "i-1");
    for _ in 0..2 {
        host.push::<{{type}}>(vec![order.clone()]).unwrap();
        let Some(Outcome::Done(written)) = host.outcome("i-1") else { panic!("{:?}", host.settled()) };
        assert_eq!(written.total.as_deref(), Some("29.90"));
        assert_eq!(written.parts[0].key, order.lines[0].id);
    }
    assert_eq!(simulator.platform().orders.len(), 1);
    let made = first(&simulator.platform().orders);
    assert_eq!((&made["state"], made["number"].is_string()), (&json!("confirmed"), true));
}

#[test]
fn a_draft_that_was_left_is_finished_and_not_made_again() {
    let (simulator, host) = start();
    let order = sold(&simulator, "i-1");
    host.push::<{{type}}>(vec![order.clone()]).unwrap();
    for draft in simulator.platform().orders.values_mut() {
        (draft["state"], draft["number"]) = (json!("draft"), Value::Null);
    }
    assert_eq!(host.pull::<{{type}}>(PullRequest::all(Kind::Order)).unwrap().records[0].len(), 0);
    let probe = Probe { item: "i-1".into(), marker: order.head.marker.clone(), of: None, keys: Vec::new() };
    let found = host.find::<{{type}}>(Kind::Order, vec![probe]).unwrap().remove(0).remove(0);
    assert!(!found.whole);
    let resumed = Order { head: Head { op: Op::Resume, remote: Some(found.remote), ..order.head.clone() }, ..order };
    host.push::<{{type}}>(vec![resumed]).unwrap();
    assert_eq!(simulator.platform().orders.len(), 1);
    assert_eq!(first(&simulator.platform().orders)["state"], "confirmed");
}

#[test]
fn one_bad_order_fails_alone_in_the_erps_words() {
    let (simulator, host) = start();
    let mut bad = sold(&simulator, "i-1");
    bad.lines[0].variant = Some(Link::by_key("NOBODY"));
    host.push::<{{type}}>(vec![bad, sold(&simulator, "i-2")]).unwrap();
    let Some(Outcome::Failed(error)) = host.outcome("i-1") else { panic!("{:?}", host.settled()) };
    assert!(tradepost_sdk::words(&error).contains("There is no item"), "{error:?}");
    assert!(matches!(host.outcome("i-2"), Some(Outcome::Done(_))));
}

#[test]
fn events_are_applied_once_and_found() {
    let (simulator, host) = start();
    host.push::<{{type}}>(vec![sold(&simulator, "i-1")]).unwrap();
    let id = first(&simulator.platform().orders)["id"].to_string();
    let payment = Payment {
        id: None,
        method: "card".into(),
        state: PaymentState::Paid,
        amount: "1.00".into(),
        transaction: None,
        at: None,
    };
    let paid = event("i-2", &id, Happening::Paid(payment));
    let void = event("i-3", &id, Happening::Cancelled(Cancellation { lines: Vec::new(), reason: None }));
    let probe = |item: &str, what: &str| Probe {
        item: item.into(),
        marker: None,
        of: Some(RemoteRef::new(&id)),
        keys: vec![Field::new("event", what)],
    };
    let probes = || vec![probe("i-2", r#"{"paid":{}}"#), probe("i-3", r#"{"cancelled":{"lines":[]}}"#)];
    let found = || host.find::<{{type}}>(Kind::OrderEvent, probes()).unwrap().concat().len();
    assert_eq!(found(), 0);
    host.push::<{{type}}>(vec![paid.clone(), void.clone()]).unwrap();
    assert_eq!(found(), 2);
    let writes = simulator.platform().writes;
    host.push::<{{type}}>(vec![paid, void]).unwrap();
    assert!(matches!(host.outcome("i-3"), Some(Outcome::Unchanged(_))));
    assert_eq!(simulator.platform().writes, writes);
}

#[test]
fn a_record_that_cannot_be_read_stops_no_other() {
    let (simulator, host) = start();
    let kinds = [
        (Kind::Product, "product"),
        (Kind::Stock, "stock"),
        (Kind::Price, "price"),
        (Kind::Order, "order"),
        (Kind::Shipment, "shipment"),
    ];
    for (kind, name) in kinds {
        simulator.platform().control(&Method::Post, "reset", &Value::Null);
        let (_, made) = simulator.platform().control(&Method::Post, "make", &json!({"kind": name, "count": 3}));
        let spoilt = &made["ids"][1];
        simulator.platform().control(&Method::Post, "spoil", &json!({"kind": name, "id": spoilt}));
        let page = host.pull::<{{type}}>(PullRequest::all(kind)).unwrap();
        let told: Vec<Option<&str>> = page.unreadable.iter().map(|one| one.id.as_deref()).collect();
        assert_eq!(told, [spoilt.as_str()], "{name}");
        assert!(page.records[0].len() >= 2, "{name}");
    }
}

#[test]
fn a_wrong_key_is_the_operators_matter() {
    let (simulator, _) = start();
    let error = host(&simulator, "wrong").check::<{{type}}>().unwrap_err();
    assert!(matches!(error, Error::Auth(_)), "{error:?}");
}
