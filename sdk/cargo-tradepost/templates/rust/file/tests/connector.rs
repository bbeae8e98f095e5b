//! The connector's own code over an exchange folder in memory.

use serde_json::{Value, json};
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::FakeHost;

use {{module}}::{{type}};

fn host() -> FakeHost {
    FakeHost::new()
        .settings(json!({"account": "main"}))
        .file("inbox/products-1.json", include_str!("../fixtures/products.json"))
        .file("inbox/products-2.json", "[]")
}

#[test]
fn a_file_is_a_page_and_moves_once_it_is_durable() {
    let host = host();
    let first = host.pull::<{{type}}>(PullRequest::all(Kind::Product)).unwrap();
    assert_eq!(first.records[0].len(), 2);
    assert!(host.read_file("inbox/products-1.json").is_some());
    host.acknowledge::<{{type}}>(Kind::Product, first.receipt.as_deref().unwrap()).unwrap();
    assert!(host.read_file("done/products-1.json").is_some());
    let last = host.pull::<{{type}}>(PullRequest::all(Kind::Product).after(first.next)).unwrap();
    assert_eq!((last.receipt.as_deref(), last.next), (Some("products-2.json"), None));
}

#[test]
fn an_order_is_one_file_however_often_it_is_pushed() {
    let host = host();
    let billing = Address::new("billing", "DE", "10115", "Berlin");
    let order = Order {
        lines: vec![Line::product("1", Link::by_key("A-1"), "Cup", "2", "12.50", "25.00")],
        total: "25.00".into(),
        ..Order::read("R/1", "R/1", "2026-01-31T08:00:00Z", "EUR", TaxBasis::Gross, billing)
    };
    for _ in 0..2 {
        host.push::<{{type}}>(vec![order.clone().as_create("i-1")]).unwrap();
        assert!(matches!(host.outcome("i-1"), Some(Outcome::Done(_))));
    }
    let file = "order-R%2F1+i-1.json";
    let written = host.read_file(&format!("outbox/{file}")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap()["lines"][0]["sku"], "A-1");
    let keys = vec![Field::new("number", "R/1")];
    let probe = Probe { item: "i-1".into(), marker: None, of: None, keys };
    assert_eq!(host.find::<{{type}}>(Kind::Order, vec![probe]).unwrap()[0].len(), 1);
    // The ERP has taken it: it is not written again.
    let host = self::host().file(&format!("done/{file}"), "{}");
    host.push::<{{type}}>(vec![order.as_create("i-1")]).unwrap();
    assert!(host.read_file(&format!("outbox/{file}")).is_none());
    assert!(matches!(host.outcome("i-1"), Some(Outcome::Done(_))));
}

#[test]
fn a_file_that_is_no_list_stops_no_other() {
    let host = host().file("inbox/products-0.json", "oops");
    let page = host.pull::<{{type}}>(PullRequest::all(Kind::Product)).unwrap();
    assert_eq!((page.unreadable.len(), page.receipt.as_deref()), (1, Some("products-0.json")));
    assert!(page.next.is_some());
}
