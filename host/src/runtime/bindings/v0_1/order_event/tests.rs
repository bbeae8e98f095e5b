use super::super::sample;
use super::*;
use crate::model::sales::{Payment, PaymentState};
use crate::model::{Facets, Kind, Link, Op, RemoteRef};

fn record(what: Happening) -> Record {
    let event = OrderEvent { at: "2026-11-22T09:00:00Z".parse().unwrap(), what };
    Record {
        kind: Kind::OrderEvent,
        op: Op::Apply,
        item: "inst/shop/7/paid/1".into(),
        marker: None,
        remote: Some(RemoteRef::new("77")),
        of: Some(Link { id: Some("77".into()), key: "100".into() }),
        keys: Vec::new(),
        facets: Facets::from([("event".into(), serde_json::to_value(event).unwrap())]),
        variants: Vec::new(),
        parts: Vec::new(),
        updated: None,
        as_of: None,
    }
}

#[test]
fn every_happening_is_written() {
    let lines = || vec![AmountOf { line: "l1".into(), quantity: "1.0".parse().unwrap() }];
    let amounts = || vec![ws::AmountOf { line: "l1".into(), quantity: "1".into() }];
    let payment = Payment {
        id: Some("p1".into()),
        method: "paypal".into(),
        state: PaymentState::Paid,
        amount: "119.00".parse().unwrap(),
        transaction: Some("tx".into()),
        at: Some("2026-11-22T08:01:00Z".parse().unwrap()),
    };
    let reason = || Some("broken".to_owned());
    for (happening, expected) in [
        (Happening::Paid(payment), ws::Happening::Paid(sample::payment())),
        (
            Happening::Cancelled { lines: lines(), reason: reason() },
            ws::Happening::Cancelled(ws::Cancellation { lines: amounts(), reason: reason() }),
        ),
        (
            Happening::Refunded { amount: "10.5".parse().unwrap(), lines: lines(), restock: true, reason: reason() },
            ws::Happening::Refunded(ws::Refund {
                amount: "10.5".into(),
                lines: amounts(),
                restock: true,
                reason: reason(),
            }),
        ),
        (Happening::Numbered("SO-7".into()), ws::Happening::Numbered("SO-7".into())),
        (Happening::Completed, ws::Happening::Completed),
    ] {
        let written = write(&record(happening)).unwrap();
        assert_eq!(written.what, expected);
        assert_eq!((written.at.as_str(), written.order.id.as_deref()), ("2026-11-22T09:00:00Z", Some("77")));
        assert_eq!(written.head.item, "inst/shop/7/paid/1");
    }
}

#[test]
fn an_event_without_its_order_is_not_written() {
    let record = Record { of: None, ..record(Happening::Completed) };
    assert_eq!(write(&record).unwrap_err().path, "order");
}
