use serde_json::json;

use super::*;

/// An order as a shop with other habits than the simulated one has it: ids as text, no percentages, a fee that is a
/// discount, a plugin's status.
fn odd() -> Value {
    json!({
        "id": 71, "number": "2026-0071", "status": "shipped-partly", "currency": "eur",
        "date_created_gmt": "2026-11-20T09:30:00", "date_modified_gmt": "2026-11-20T10:00:00",
        "date_paid_gmt": "2026-11-20T09:31:00", "date_completed_gmt": null,
        "total": "23.79", "customer_id": 0, "customer_note": " ring twice ",
        "billing": {"first_name": "Ada", "country": "de", "city": "Kiel", "phone": "1"},
        "shipping": {"first_name": "Ada", "country": "de", "city": "Kiel"},
        "payment_method": "card", "transaction_id": "tx-1",
        "line_items": [
            {"id": 1, "name": "Cup &amp; plate", "product_id": 5, "variation_id": 6, "sku": "C", "quantity": 3,
             "total": "21.00", "total_tax": "3.99", "taxes": [{"id": "1", "total": "3.99"}, {"id": 2, "total": ""}]},
        ],
        "fee_lines": [
            {"id": 2, "name": "Thanks", "total": "-1.00", "total_tax": "-0.19", "taxes": [{"id": 1, "total": "-0.19"}]},
        ],
        "tax_lines": [{"rate_id": 1, "rate_percent": 19, "tax_total": "3.80", "shipping_tax_total": "0.00"}],
    })
}

fn settings() -> Settings {
    tradepost_sdk::settings::parse(r#"{"url": "https://shop.example"}"#).unwrap()
}

fn read(raw: Value) -> Order {
    order(&serde_json::from_value(raw).unwrap(), &settings()).unwrap()
}

#[test]
fn an_order_of_another_shop() {
    let order = read(odd());
    assert_eq!((order.number.as_str(), order.currency.as_str(), order.state), ("2026-0071", "EUR", OrderState::Open));
    assert_eq!(order.extra, [Field { name: "status".into(), value: "shipped-partly".into() }]);
    assert_eq!(order.customer, Link { id: None, key: "guest-71".into() });
    assert_eq!(order.shipping, None, "the same place");
    assert_eq!(order.note.as_deref(), Some("ring twice"));
    let kinds: Vec<LineKind> = order.lines.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, [LineKind::Product, LineKind::Discount, LineKind::Rounding]);
    assert_eq!(order.lines[0].name, "Cup & plate");
    assert_eq!(order.lines[0].variant, Some(link(6, "C")));
    assert_eq!((order.lines[0].unit_price.as_str(), order.lines[0].tax_percent.as_deref()), ("7", Some("19")));
    assert_eq!(order.lines[2].total, "-0.01");
    assert_eq!(order.taxes[0], Tax { percent: "19".into(), base: "20.00".into(), amount: "3.80".into() });
    assert_eq!(order.payments[0].id.as_deref(), Some("tx-1"));
}

#[test]
fn what_rounding_cannot_explain_is_left_for_the_host_to_see() {
    let mut raw = odd();
    raw["total"] = json!("25.00");
    assert!(read(raw).lines.iter().all(|line| line.kind != LineKind::Rounding));
}

#[test]
fn states_follow_the_status() {
    let states = [
        ("pending", OrderState::Pending, PaymentState::Paid),
        ("failed", OrderState::Pending, PaymentState::Paid),
        ("on-hold", OrderState::Open, PaymentState::Paid),
        ("completed", OrderState::Completed, PaymentState::Paid),
        ("cancelled", OrderState::Cancelled, PaymentState::Paid),
        ("refunded", OrderState::Cancelled, PaymentState::Refunded),
    ];
    for (status, state, payment) in states {
        let mut raw = odd();
        raw["status"] = json!(status);
        let order = read(raw);
        assert_eq!((order.state, order.payment_state), (state, payment), "{status}");
    }
    let mut raw = odd();
    raw["date_paid_gmt"] = json!(null);
    raw["status"] = json!("failed");
    assert_eq!(read(raw.clone()).payment_state, PaymentState::Failed);
    raw["status"] = json!("refunded");
    raw["date_completed_gmt"] = json!("2026-11-21T09:00:00");
    assert_eq!(read(raw).state, OrderState::Completed, "the goods had left");
}

#[test]
fn a_field_that_is_no_shipment_of_ours_is_passed_over() {
    let mut raw = odd();
    raw["meta_data"] = json!([{"key": "_tradepost_shipment_x", "value": "{"}, {"key": "_wc_shipment", "value": [1]}]);
    let raw: RawOrder = serde_json::from_value(raw).unwrap();
    assert_eq!(raw.sent(), []);
    assert_eq!(shipments(&raw, &settings()).unwrap(), []);
}

#[test]
fn an_order_without_a_total_is_not_one_that_costs_nothing() {
    let mut raw = odd();
    raw["total"] = json!("");
    let error = order(&serde_json::from_value(raw).unwrap(), &settings()).unwrap_err();
    assert!(matches!(error, Error::Bug(words) if words.contains("71") && words.contains("total")));
}
