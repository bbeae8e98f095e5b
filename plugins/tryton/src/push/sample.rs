//! Pushed records for tests.

use tradepost_sdk::head::{Head, Op};
use tradepost_sdk::sales::{Address, CustomerBase, Line, LineKind, Order, OrderState, PaymentState};
use tradepost_sdk::types::{Link, TaxBasis};

pub(crate) fn head(op: Op, remote: Option<u64>) -> Head {
    Head {
        op,
        item: "i/shop/7/g1".into(),
        marker: Some("shop-ABC1".into()),
        remote: remote.map(crate::pull::remote),
        parts: Vec::new(),
        updated: None,
    }
}

pub(crate) fn base() -> CustomerBase {
    CustomerBase {
        number: None,
        email: Some("zoe@example.com".into()),
        phone: None,
        company: None,
        first_name: Some("Zoë".into()),
        last_name: Some("O'Brien".into()),
        vat_id: None,
        language: None,
        group: None,
        guest: true,
        active: true,
    }
}

pub(crate) fn address() -> Address {
    Address {
        key: "1".into(),
        company: None,
        first_name: Some("Zoë".into()),
        last_name: Some("O'Brien".into()),
        lines: vec!["Hauptstraße 5".into()],
        postcode: "80331".into(),
        city: "München".into(),
        region: None,
        country: "DE".into(),
        phone: None,
    }
}

pub(crate) fn line(id: &str, sku: &str, quantity: &str, total: &str, percent: Option<&str>) -> Line {
    Line {
        id: id.into(),
        kind: LineKind::Product,
        variant: Some(Link { id: None, key: sku.into() }),
        name: sku.into(),
        quantity: quantity.into(),
        unit_price: total.into(),
        total: total.into(),
        tax_percent: percent.map(str::to_owned),
        tax: None,
        tax_code: None,
        extra: Vec::new(),
    }
}

/// Two shirts and shipping: 38.60 net, 45.93 with tax.
pub(crate) fn order() -> Order {
    let shipping = Line { kind: LineKind::Shipping, variant: None, ..line("s", "Standard", "1", "5.00", Some("19")) };
    Order {
        head: head(Op::Create, None),
        number: "ABC1".into(),
        other_number: None,
        channel: "main".into(),
        placed: "2026-11-22T12:00:00Z".into(),
        state: OrderState::Open,
        payment_state: PaymentState::Authorised,
        currency: "EUR".into(),
        basis: TaxBasis::Net,
        customer: Link { id: Some("3".into()), key: "zoe@example.com".into() },
        buyer: base(),
        billing: address(),
        shipping: None,
        lines: vec![line("a", "TS-S-RED", "2", "33.60", Some("19")), shipping],
        taxes: Vec::new(),
        payments: Vec::new(),
        delivery: None,
        total: "45.93".into(),
        note: None,
        extra: Vec::new(),
    }
}
