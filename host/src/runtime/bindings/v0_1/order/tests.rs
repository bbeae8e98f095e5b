use super::super::sample;
use super::super::wit::tradepost::connector::types::TaxBasis;
use super::*;
use crate::model::Key;

fn line(id: &str, kind: ws::LineKind) -> ws::Line {
    ws::Line {
        id: id.into(),
        kind,
        variant: Some(sample::link("78", "SKU-1")),
        name: "Stuhl".into(),
        quantity: "2".into(),
        unit_price: "50".into(),
        total: "100".into(),
        tax_percent: Some("19".into()),
        tax: Some("19".into()),
        tax_code: Some("DE-19".into()),
        extra: sample::extra(),
    }
}

fn order() -> ws::Order {
    ws::Order {
        head: sample::head(),
        number: "100".into(),
        other_number: Some("SO-7".into()),
        channel: "main".into(),
        placed: "2026-11-22T08:00:00Z".into(),
        state: ws::OrderState::Open,
        payment_state: ws::PaymentState::Paid,
        currency: "EUR".into(),
        basis: TaxBasis::Net,
        customer: sample::link("9", "ada@example.org"),
        buyer: sample::buyer(),
        billing: sample::address("1"),
        shipping: Some(sample::address("2")),
        lines: vec![line("l1", ws::LineKind::Product), line("l2", ws::LineKind::Discount)],
        taxes: vec![ws::Tax { percent: "19".into(), base: "100".into(), amount: "19".into() }],
        payments: vec![sample::payment()],
        delivery: Some(ws::Delivery {
            method: "dhl".into(),
            label: Some("DHL Paket".into()),
            wanted_on: Some("2026-12-01".into()),
            pickup_point: Some("Packstation 1".into()),
        }),
        total: "119".into(),
        note: Some("bitte klingeln".into()),
        extra: sample::extra(),
    }
}

#[test]
fn an_order_survives_the_way_through_the_hub() {
    let record = read(order(), &sample::reading()).unwrap();
    assert_eq!(record.keys, [Key { kind: KeyType::OrderNumber, value: "shop/100".into() }]);
    let facets: Vec<_> = record.facets.keys().map(crate::model::FacetKey::as_str).collect();
    assert_eq!(facets, ["payment", "placed", "state"]);
    assert_eq!(record.facets[&"state".into()], "open");
    assert_eq!(record.facets[&"placed".into()]["total"], "119");
    let written = write(&sample::pushed(record)).unwrap();
    assert_eq!(written, ws::Order { head: sample::pushed_head(), ..order() });
}

#[test]
fn every_state_and_kind_of_line_survives() {
    use ws::{LineKind as L, OrderState as O, PaymentState as P};
    let lines = [L::Product, L::Shipping, L::Fee, L::Discount, L::GiftCard, L::Rounding, L::Text];
    let states = [O::Pending, O::Open, O::PartlyShipped, O::Shipped, O::Completed, O::Cancelled];
    let payments = [P::Unpaid, P::Authorised, P::PartlyPaid, P::Paid, P::PartlyRefunded, P::Refunded, P::Failed];
    for i in 0..7 {
        let order = ws::Order {
            lines: vec![line("l", lines[i])],
            state: states[i % states.len()],
            payment_state: payments[i],
            shipping: None,
            delivery: None,
            ..order()
        };
        let record = read(order.clone(), &sample::reading()).unwrap();
        let written = write(&sample::pushed(record)).unwrap();
        assert_eq!(written, ws::Order { head: sample::pushed_head(), ..order });
    }
}

#[test]
fn what_the_contract_forbids_is_found_with_its_path() {
    type Harm = fn(&mut ws::Order);
    let harms: [(&str, Harm); 9] = [
        ("number", |o| o.number = " ".into()),
        ("placed", |o| o.placed = "2026-11-22 08:00".into()),
        ("currency", |o| o.currency = "Euro".into()),
        ("customer", |o| {
            o.customer = super::super::wit::tradepost::connector::types::Link { id: None, key: String::new() }
        }),
        ("lines[1].tax-percent", |o| o.lines[1].tax_percent = Some("19%".into())),
        ("lines[0].id", |o| o.lines[0].id = String::new()),
        ("taxes[0].base", |o| o.taxes[0].base = "1e2".into()),
        ("payments[0].amount", |o| o.payments[0].amount = "free".into()),
        ("delivery.wanted-on", |o| o.delivery.as_mut().unwrap().wanted_on = Some("tomorrow".into())),
    ];
    for (path, harm) in harms {
        let mut order = order();
        harm(&mut order);
        assert_eq!(read(order, &sample::reading()).unwrap_err().path, path);
    }
}

#[test]
fn an_order_is_not_written_without_all_of_its_facets() {
    let mut record = sample::pushed(read(order(), &sample::reading()).unwrap());
    record.facets.remove(&"payment".into());
    assert_eq!(write(&record).unwrap_err().path, "payment");
}
