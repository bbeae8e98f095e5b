use serde_json::json;

use super::*;
use crate::api::tests::fixture;

#[test]
fn each_fulfilment_that_left_is_a_shipment() {
    let all = shipments(fixture("fulfilments")[0].clone()).unwrap();
    let seen: Vec<(&str, Option<&str>, bool)> = all
        .iter()
        .map(|one| {
            let remote = one.head.remote.as_ref().unwrap();
            assert_eq!(remote.parent.as_deref(), Some("1"));
            (remote.id.as_str(), one.parcels[0].tracking.as_deref(), one.completes)
        })
        .collect();
    assert_eq!(seen, [("1/1", Some("00341"), false), ("1/2", Some("00342"), true)]);
    assert_eq!(all[0].parcels[0].lines, [AmountOf { line: "1".into(), quantity: "2".into() }]);
    assert_eq!(all[0].order, link("1", "U9KUC64743B6MZF6"));
}

#[test]
fn what_is_not_sent_is_no_shipment() {
    assert_eq!(shipments(fixture("fulfilments")[1].clone()).unwrap(), []);
    let mut raw = fixture("fulfilments")[0].clone();
    raw["fulfillments"][0]["state"] = json!("Pending");
    raw["fulfillments"][1]["state"] = json!("Cancelled");
    assert_eq!(shipments(raw).unwrap(), []);
}
