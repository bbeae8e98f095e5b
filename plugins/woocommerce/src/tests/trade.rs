use serde_json::json;
use tradepost_sdk::head::Op;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::records::{Kind, Records};
use tradepost_sdk::sales::{
    Cancellation, Happening, LineKind, Order, OrderEvent, OrderState, Parcel, PaymentState, Shipment,
};
use tradepost_sdk::source::Scope;
use tradepost_sdk::target::Probe;
use tradepost_sdk::types::{Error, Field, Link};
use woocommerce_simulator::{Cart, Config, Operation};

use super::{head, read, read_scope};
use crate::WooCommerce;
use crate::map::orders::reference;
use crate::map::remote;
use crate::stand_in::StandIn;

/// A shop with one article and one order of three of it.
fn sold(cart: Cart) -> (StandIn, u64) {
    let host = StandIn::start(Config::default());
    let control = host.simulator.control();
    let goods =
        json!({"name": "Tasse", "sku": "T", "regular_price": "19.99", "manage_stock": true, "stock_quantity": 10});
    control.as_staff("POST", "/products", goods).unwrap();
    let billing = json!({"first_name": "Ada", "last_name": "Meer", "address_1": "Kai 1", "postcode": "20095",
        "city": "Hamburg", "country": "DE", "email": "Ada@Example.com"});
    let cart = Cart { items: vec![("T".into(), 3)], billing, ..cart };
    let id = control.place_order(&cart).unwrap();
    (host, id)
}

fn order(host: &StandIn, id: u64) -> Order {
    let pages = read_scope(host, Kind::Order, &Scope::Ids(vec![id.to_string()])).0;
    records!(pages, Orders).remove(0)
}

fn event(item: &str, order: u64, what: Happening) -> Records {
    Records::OrderEvents(vec![OrderEvent {
        head: head(Op::Create, item, Some(remote(order, None))),
        order: Link { id: Some(order.to_string()), key: String::new() },
        at: "2026-11-22T10:00:00Z".into(),
        what,
    }])
}

fn shipment(item: &str, order: u64, codes: &[&str], completes: bool) -> Shipment {
    let parcel = |(at, code): (usize, &&str)| Parcel {
        number: u32::try_from(at).unwrap() + 1,
        carrier: Some("DHL".into()),
        tracking: Some((*code).into()),
        tracking_url: None,
        weight_kg: None,
        lines: Vec::new(),
    };
    Shipment {
        head: head(Op::Create, item, None),
        order: Link { id: Some(order.to_string()), key: String::new() },
        shipped: "2026-11-22T10:00:00Z".into(),
        parcels: codes.iter().enumerate().map(parcel).collect(),
        completes,
        extra: Vec::new(),
    }
}

#[test]
fn an_order_is_net_with_its_tax_beside_it() {
    let (host, id) = sold(Cart { coupon: Some("willkommen10".into()), ..Cart::default() });
    let order = order(&host, id);
    assert_eq!((order.state, order.payment_state), (OrderState::Open, PaymentState::Paid));
    assert_eq!((order.customer.id.as_deref(), order.customer.key.as_str()), (None, "ada@example.com"));
    assert!(order.buyer.guest && order.shipping.is_none());
    assert_eq!(order.lines[0].tax_percent.as_deref(), Some("19"));
    assert_eq!(order.lines[0].variant.as_ref().unwrap().key, "T");
    assert_eq!(order.lines[1].kind, LineKind::Shipping);
    assert!(order.lines.iter().all(|line| line.kind != LineKind::Discount), "a coupon is in the totals");
    assert_eq!(order.extra[0].value, "willkommen10");
    assert_eq!(order.total, host.simulator.control().order(id).unwrap()["total"].as_str().unwrap());
    assert_eq!(order.delivery.unwrap().method, "flat_rate");
}

#[test]
fn money_that_comes_later_and_money_that_goes_back() {
    let (host, id) = sold(Cart { payment_method: "cod".into(), ..Cart::default() });
    assert_eq!(order(&host, id).payment_state, PaymentState::Unpaid);
    let (host, id) = sold(Cart::default());
    host.simulator.control().refund_order(id, Some("5.00"), "").unwrap();
    assert_eq!(order(&host, id).payment_state, PaymentState::PartlyRefunded);
    host.simulator.control().refund_order(id, None, "").unwrap();
    let refunded = order(&host, id);
    assert_eq!((refunded.payment_state, refunded.state), (PaymentState::Refunded, OrderState::Cancelled));
}

#[test]
fn events_are_applied_once() {
    let (host, id) = sold(Cart { payment_method: "bacs".into(), ..Cart::default() });
    let number = || Happening::Numbered("SO-7".into());
    host.push::<WooCommerce>(event("e/1", id, number())).unwrap();
    host.written("e/1");
    host.push::<WooCommerce>(event("e/1", id, number())).unwrap();
    assert!(matches!(host.outcome("e/1"), Some(Outcome::Unchanged(_))));
    assert_eq!(order(&host, id).other_number.as_deref(), Some("SO-7"));
    let key = |name: &str, value: &str| Field { name: name.into(), value: value.into() };
    let probe = |event: &str| Probe {
        item: "x".into(),
        marker: None,
        of: Some(remote(id, None)),
        keys: vec![key("event", event), key("number", "SO-7")],
    };
    let found = host.find::<WooCommerce>(Kind::OrderEvent, vec![probe("numbered"), probe("cancelled")]).unwrap();
    assert_eq!((found[0].len(), found[1].len()), (1, 0));
    let cancel = || Happening::Cancelled(Cancellation { lines: Vec::new(), reason: None });
    host.push::<WooCommerce>(event("e/2", id, cancel())).unwrap();
    host.written("e/2");
    assert_eq!(host.simulator.control().stock("T"), Some(10));
    host.push::<WooCommerce>(event("e/3", id, Happening::Completed)).unwrap();
    assert!(matches!(host.outcome("e/3"), Some(Outcome::Failed(Error::Rejected(_)))));
    assert_eq!(host.simulator.control().journal().writes("order", Operation::Update), 2);
    host.nothing_ignored();
}

#[test]
fn shipments_are_written_once_and_read_again() {
    let (host, id) = sold(Cart::default());
    let first = || Records::Shipments(vec![shipment("s/1", id, &["A1", "A2"], false)]);
    // The note is cut off: what is there is half of it.
    host.cut_after(1);
    assert!(host.push::<WooCommerce>(first()).is_err());
    host.uncut();
    let probe = Probe { item: "s/1".into(), marker: None, of: Some(remote(id, None)), keys: Vec::new() };
    let found = host.find::<WooCommerce>(Kind::Shipment, vec![probe.clone()]).unwrap();
    assert!(!found[0][0].whole);
    host.push::<WooCommerce>(first()).unwrap();
    assert!(host.find::<WooCommerce>(Kind::Shipment, vec![probe]).unwrap()[0][0].whole);
    host.push::<WooCommerce>(first()).unwrap();
    assert!(matches!(host.outcome("s/1"), Some(Outcome::Unchanged(_))));
    assert_eq!(order(&host, id).state, OrderState::Open);
    host.push::<WooCommerce>(Records::Shipments(vec![shipment("s/2", id, &["B1"], true)])).unwrap();
    let journal = host.simulator.control().journal();
    assert_eq!((journal.writes("order", Operation::Update), journal.writes("note", Operation::Create)), (2, 2));
    let there = host.simulator.control().order(id).unwrap();
    assert_eq!(there["status"], "completed");
    let fields = there["meta_data"].as_array().unwrap();
    assert_eq!(fields.iter().find(|row| row["key"] == "_tracking_number").unwrap()["value"], "A1, A2, B1");
    let again = records!(read(&host, Kind::Shipment, None).0, Shipments);
    assert_eq!(again.len(), 2);
    assert_eq!(again[0].head.remote, Some(reference(id, "s/1")));
    assert_eq!(again[0].parcels[1].tracking.as_deref(), Some("A2"));
    let one = read_scope(&host, Kind::Shipment, &Scope::Ids(vec![reference(id, "s/2").id])).0;
    assert_eq!(records!(one, Shipments), vec![again[1].clone()]);
    host.nothing_ignored();
}

#[test]
fn what_is_completed_by_hand_is_a_shipment_of_all() {
    let (host, id) = sold(Cart::default());
    host.simulator.control().edit_order(id, json!({"status": "completed"})).unwrap();
    let found = records!(read(&host, Kind::Shipment, None).0, Shipments);
    assert_eq!(found.len(), 1);
    assert!(found[0].completes && found[0].parcels[0].lines.is_empty());
    let (host, id) = sold(Cart::default());
    host.simulator.control().cancel_order(id).unwrap();
    host.push::<WooCommerce>(Records::Shipments(vec![shipment("s/1", id, &["A1"], true)])).unwrap();
    assert!(matches!(host.outcome("s/1"), Some(Outcome::Failed(Error::Rejected(_)))));
}
