use tradepost_sdk::head::Head;
use tradepost_sdk::sales::AmountOf;

use super::*;
use crate::api::tests::{Scripted, fixture};
use crate::map::{head, link};

fn parcel(number: u32, tracking: Option<&str>, lines: &[(&str, &str)]) -> Parcel {
    Parcel {
        number,
        carrier: Some("DHL".into()),
        tracking: tracking.map(Into::into),
        tracking_url: None,
        weight_kg: None,
        lines: lines
            .iter()
            .map(|(line, quantity)| AmountOf { line: (*line).into(), quantity: (*quantity).into() })
            .collect(),
    }
}

fn shipment(parcels: Vec<Parcel>) -> Shipment {
    Shipment {
        head: Head { op: Op::Create, item: "s".into(), remote: None, ..head(reference("1", "0"), Vec::new(), None) },
        order: link("1", "CODE"),
        shipped: "2026-11-22T17:00:00Z".into(),
        parcels,
        completes: true,
        extra: Vec::new(),
    }
}

/// A shop whose order 1 has the recorded fulfilments that `keep` keeps.
fn shop(keep: fn(&mut Value)) -> Scripted {
    Scripted::new(move |document, _| {
        if document.starts_with("query") {
            let mut order = fixture("fulfilments")[0].clone();
            keep(&mut order);
            return json!({"orders": {"items": [order]}});
        }
        json!({"written": {"__typename": "Fulfillment", "id": "9", "state": "Pending"}})
    })
}

fn two() -> Vec<Parcel> {
    vec![parcel(1, Some("00341"), &[("1", "2")]), parcel(2, Some("00342"), &[("2", "1")])]
}

#[test]
fn each_parcel_is_a_fulfilment_that_is_then_shipped() {
    let host = shop(|order| order["fulfillments"] = json!([]));
    let outcome = write(&Shop::new(&host).unwrap(), &shipment(two())).unwrap();
    let writes = host.writes.borrow();
    assert_eq!(writes.len(), 4);
    let input = &writes[0].1["input"];
    assert_eq!(input["lines"], json!([{"orderLineId": "1", "quantity": 2}]));
    assert_eq!(input["handler"]["code"], "manual-fulfillment");
    assert_eq!(input["handler"]["arguments"][1], json!({"name": "trackingCode", "value": "00341"}));
    assert_eq!(writes[1].1, json!({"id": "9", "state": "Shipped"}));
    assert!(matches!(outcome, Outcome::Done(_)));
    assert!(matches!(host.outcomes()[0], Outcome::Partial(_)), "told before the next step");
}

#[test]
fn what_is_there_is_not_sent_again() {
    let host = shop(|_| {});
    let outcome = write(&Shop::new(&host).unwrap(), &shipment(two())).unwrap();
    assert!(host.writes.borrow().is_empty());
    assert_eq!(outcome, Outcome::Unchanged(reference("1", "1")));
}

#[test]
fn a_parcel_whose_answer_was_lost_is_finished() {
    let host = shop(|order| {
        order["fulfillments"][0]["state"] = json!("Pending");
        order["fulfillments"].as_array_mut().unwrap().pop();
    });
    write(&Shop::new(&host).unwrap(), &shipment(two())).unwrap();
    let writes = host.writes.borrow();
    assert_eq!(writes[0].1, json!({"id": "1", "state": "Shipped"}));
    assert_eq!(writes[1].1["input"]["lines"], json!([{"orderLineId": "2", "quantity": 1}]));
    assert_eq!(writes.len(), 3);
}

#[test]
fn parcels_without_codes_are_told_by_their_goods() {
    let host = shop(|order| {
        for one in order["fulfillments"].as_array_mut().unwrap() {
            one["trackingCode"] = json!("");
        }
    });
    let parcels = vec![parcel(1, None, &[("2", "1")]), parcel(2, None, &[("1", "2")])];
    let outcome = write(&Shop::new(&host).unwrap(), &shipment(parcels)).unwrap();
    assert!(host.writes.borrow().is_empty());
    assert_eq!(outcome, Outcome::Unchanged(reference("1", "2")));
}

#[test]
fn a_cancelled_fulfilment_does_not_count() {
    let host = shop(|order| {
        for one in order["fulfillments"].as_array_mut().unwrap() {
            one["state"] = json!("Cancelled");
        }
    });
    write(&Shop::new(&host).unwrap(), &shipment(two())).unwrap();
    assert_eq!(host.writes.borrow().len(), 4);
}

#[test]
fn parcels_that_do_not_say_what_is_in_them_share_what_is_left() {
    let mut order: Shipped = read(fixture("fulfilments")[0].clone()).unwrap();
    order.fulfillments.as_mut().unwrap().truncate(1);
    let all = shipment(vec![parcel(1, Some("A"), &[]), parcel(2, Some("B"), &[])]);
    let plan = plan(&all, &order).unwrap();
    assert_eq!(plan.len(), 1);
    assert_eq!(plan[0].lines, [("2".to_owned(), 1)]);
    assert_eq!((plan[0].tracking.as_deref(), plan[0].parcels.as_slice()), (Some("A, B"), [1, 2].as_slice()));
}

#[test]
fn parts_of_pieces_are_refused() {
    let host = shop(|_| {});
    let half = shipment(vec![parcel(1, None, &[("1", "0.5")])]);
    assert!(matches!(write(&Shop::new(&host).unwrap(), &half), Err(Error::Rejected(_))));
}
