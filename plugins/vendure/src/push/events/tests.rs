use tradepost_sdk::head::Head;
use tradepost_sdk::sales::AmountOf;

use super::*;
use crate::api::tests::Scripted;
use crate::map::{head, link};

fn order() -> Value {
    json!({"id": "5", "code": "C", "state": "PaymentAuthorized", "currencyCode": "EUR", "lines": [],
        "payments": [{"id": "8", "state": "Authorized", "amount": 6273, "refunds": []}],
        "fulfillments": [], "history": {"items": []}})
}

/// Applies an event to an order; gives the writes and whether anything had to be written.
fn applied(order: Value, what: Happening) -> Result<(Vec<Value>, bool), Error> {
    let host = Scripted::new(move |document, _| {
        if document.starts_with("query") {
            return json!({"orders": {"items": [order]}});
        }
        json!({"written": {"id": "1"}})
    });
    let event = OrderEvent {
        head: Head { op: Op::Create, item: "item".into(), ..head(remote("5", None), Vec::new(), None) },
        order: link("5", "C"),
        at: "2026-11-22T17:00:00Z".into(),
        what,
    };
    let outcome = apply(&Shop::new(&host).unwrap(), &event)?;
    let writes = host.writes.borrow().iter().map(|(_, variables)| variables.clone()).collect();
    Ok((writes, matches!(outcome, Outcome::Done(_))))
}

fn paid() -> Happening {
    Happening::Paid(tradepost_sdk::sales::Payment {
        id: None,
        method: "m".into(),
        state: tradepost_sdk::sales::PaymentState::Paid,
        amount: "62.73".into(),
        transaction: None,
        at: None,
    })
}

fn cancelled(lines: Vec<AmountOf>) -> Happening {
    Happening::Cancelled(Cancellation { lines, reason: Some("ERP".into()) })
}

fn refunded(amount: &str) -> Happening {
    Happening::Refunded(Refund { amount: amount.into(), lines: Vec::new(), restock: false, reason: None })
}

#[test]
fn an_authorised_payment_is_settled_once() {
    assert_eq!(applied(order(), paid()).unwrap(), (vec![json!({"id": "8"})], true));
    let mut settled = order();
    settled["payments"][0]["state"] = json!("Settled");
    assert_eq!(applied(settled, paid()).unwrap(), (vec![], false));
    let mut none = order();
    none["payments"] = json!([]);
    assert!(matches!(applied(none, paid()), Err(Error::Rejected(_))));
}

#[test]
fn the_number_is_noted_once() {
    let (writes, _) = applied(order(), Happening::Numbered("SO-7".into())).unwrap();
    assert_eq!(writes[0]["input"], json!({"id": "5", "note": "Order number: SO-7", "isPublic": false}));
    let mut noted = order();
    noted["history"]["items"] = json!([{"type": "ORDER_NOTE", "data": {"note": "Order number: SO-7"}}]);
    assert_eq!(applied(noted.clone(), Happening::Numbered("SO-7".into())).unwrap(), (vec![], false));
    assert!(applied(noted, Happening::Numbered("SO-70".into())).unwrap().1, "another number is another note");
}

#[test]
fn a_whole_cancellation_takes_the_shipping_along() {
    let (writes, _) = applied(order(), cancelled(Vec::new())).unwrap();
    assert_eq!(writes[0]["input"]["cancelShipping"], true);
    let mut gone = order();
    gone["state"] = json!("Cancelled");
    assert_eq!(applied(gone, cancelled(Vec::new())).unwrap(), (vec![], false));
}

#[test]
fn a_part_is_cancelled_once() {
    let part = || cancelled(vec![AmountOf { line: "9".into(), quantity: "1".into() }]);
    let (writes, _) = applied(order(), part()).unwrap();
    assert_eq!(writes[0]["input"]["lines"], json!([{"orderLineId": "9", "quantity": 1}]));
    let reason = writes[0]["input"]["reason"].clone();
    let mut done = order();
    done["history"]["items"] = json!([{"type": "ORDER_CANCELLATION", "data": {"reason": reason}}]);
    assert_eq!(applied(done, part()).unwrap(), (vec![], false));
}

#[test]
fn money_goes_back_once_and_never_more_than_was_paid() {
    let mut one = order();
    one["payments"][0]["state"] = json!("Settled");
    let (writes, _) = applied(one.clone(), refunded("10.00")).unwrap();
    assert_eq!((&writes[0]["input"]["amount"], &writes[0]["input"]["paymentId"]), (&json!(1000), &json!("8")));
    let reason = writes[0]["input"]["reason"].clone();
    one["payments"][0]["refunds"] = json!([{"id": "1", "total": 6000, "state": "Pending", "reason": "else"}]);
    assert!(matches!(applied(one.clone(), refunded("10.00")), Err(Error::Rejected(_))));
    assert!(matches!(applied(one.clone(), refunded("0.001")), Err(Error::Rejected(_))));
    one["payments"][0]["refunds"] = json!([{"id": "1", "total": 1000, "state": "Pending", "reason": reason}]);
    assert_eq!(applied(one, refunded("10.00")).unwrap(), (vec![], false));
}

#[test]
fn what_was_sent_has_arrived() {
    let mut one = order();
    assert!(matches!(applied(one.clone(), Happening::Completed), Err(Error::Rejected(_))));
    one["fulfillments"] = json!([{"id": "3", "state": "Shipped"}, {"id": "4", "state": "Delivered"}]);
    assert_eq!(applied(one.clone(), Happening::Completed).unwrap().0, [json!({"id": "3", "state": "Delivered"})]);
    one["fulfillments"][0]["state"] = json!("Delivered");
    assert_eq!(applied(one, Happening::Completed).unwrap(), (vec![], false));
}

#[test]
fn an_order_that_is_not_there_is_told() {
    let host = Scripted::new(|_, _| json!({"orders": {"items": []}}));
    let event = OrderEvent {
        head: Head { op: Op::Create, item: "i".into(), ..head(remote("5", None), Vec::new(), None) },
        order: link("5", "C"),
        at: String::new(),
        what: Happening::Completed,
    };
    assert!(matches!(apply(&Shop::new(&host).unwrap(), &event), Err(Error::NotFound(_))));
}
