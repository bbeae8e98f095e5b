use serde_json::json;

use super::*;
use crate::api::tests::{context, fixture};

const NOTE: &str = "Order number:";

fn raw(id: &str) -> Value {
    fixture("orders").as_array().unwrap().iter().find(|order| order["id"] == id).unwrap().clone()
}

fn read(raw: Value) -> Order {
    order(raw, &context(), NOTE).unwrap()
}

fn sum<'a>(amounts: impl Iterator<Item = &'a str>) -> Decimal {
    amounts.map(|amount| amount.parse::<Decimal>().unwrap()).sum()
}

/// Lines and taxes give the total, in the way the basis says.
fn adds_up(order: &Order) {
    let lines = sum(order.lines.iter().map(|line| line.total.as_str()));
    let taxes = sum(order.taxes.iter().map(|tax| tax.amount.as_str()));
    let bases = sum(order.taxes.iter().map(|tax| tax.base.as_str()));
    let total: Decimal = order.total.parse().unwrap();
    assert_eq!(bases + taxes, total);
    assert_eq!(if order.basis == TaxBasis::Gross { lines } else { lines + taxes }, total);
}

#[test]
fn discounts_of_the_order_are_in_its_lines() {
    let order = read(raw("3"));
    let lines: Vec<(&str, &str, &str, Option<&str>)> = order
        .lines
        .iter()
        .map(|line| (line.id.as_str(), line.total.as_str(), line.unit_price.as_str(), line.tax_percent.as_deref()))
        .collect();
    assert_eq!(
        lines,
        [
            ("5", "53.97", "17.99", Some("19")),
            ("6", "45.00", "22.50", Some("7")),
            ("shipping-3", "5.95", "5.95", Some("19")),
        ]
    );
    assert_eq!(order.total, "104.92");
    assert_eq!(order.extra, [Field { name: "coupon".into(), value: "TEN".into() }]);
    let taxes: Vec<(&str, &str, &str)> =
        order.taxes.iter().map(|tax| (tax.percent.as_str(), tax.base.as_str(), tax.amount.as_str())).collect();
    assert_eq!(taxes, [("19", "50.35", "9.57"), ("7", "42.06", "2.94")]);
    adds_up(&order);
}

#[test]
fn two_addresses() {
    let order = read(raw("2"));
    assert_eq!(order.billing.city, "München");
    let shipping = order.shipping.unwrap();
    assert_eq!((shipping.city.as_str(), shipping.country.as_str()), ("Wien", "AT"));
    assert_eq!((shipping.first_name.as_deref(), shipping.last_name.as_deref()), (Some("Büro"), Some("Zoë")));
    assert_eq!(order.customer, link("1", "zoe@example.com"));
    assert_eq!(order.payment_state, PaymentState::Authorised);
    assert_eq!(order.state, OrderState::Open);
    assert_eq!(order.placed, "2026-11-22T16:40:02.626Z");
    assert_eq!(order.delivery.unwrap().method, "standard-shipping");
}

#[test]
fn a_cancelled_order_says_so_and_its_figures_are_the_shops() {
    let order = read(raw("4"));
    assert_eq!(order.state, OrderState::Cancelled);
    assert_eq!(order.total, "0.00");
    assert_eq!(order.lines[0].quantity, "0");
    assert_eq!(order.payments[0].amount, "26.70");
    adds_up(&order);
}

#[test]
fn the_other_sides_number_is_in_a_note() {
    assert_eq!(read(raw("5")).other_number.as_deref(), Some("SO-77"));
    assert_eq!(read(raw("2")).other_number, None);
    assert_eq!(numbered(&json!({"note": "call before delivery"}), NOTE), None);
    assert_eq!(numbered(&json!({"note": "Order number:  7 "}), NOTE).as_deref(), Some("7"));
}

#[test]
fn refunds_count_when_they_are_settled() {
    let mut one = raw("5");
    assert_eq!(read(one.clone()).payment_state, PaymentState::Paid, "a pending refund is not paid back");
    one["payments"][0]["refunds"] = json!([{"total": 100, "state": "Settled"}]);
    assert_eq!(read(one.clone()).payment_state, PaymentState::PartlyRefunded);
    one["payments"][0]["refunds"] = json!([{"total": 6273, "state": "Settled"}]);
    let order = read(one.clone());
    assert_eq!((order.payment_state, order.payments[0].state), (PaymentState::Refunded, PaymentState::Refunded));
    one["payments"] = json!([]);
    assert_eq!(read(one.clone()).payment_state, PaymentState::Unpaid);
    one["payments"] = json!([{"id": "1", "method": "card", "amount": 6273, "state": "Declined", "transactionId": null,
        "createdAt": "2026-11-22T16:40:02.000Z", "refunds": []}]);
    assert_eq!(read(one).payment_state, PaymentState::Failed);
}

#[test]
fn a_part_payment_is_no_payment() {
    let mut one = raw("5");
    one["payments"][0]["refunds"] = json!([]);
    one["payments"][0]["amount"] = json!(1000);
    assert_eq!(read(one).payment_state, PaymentState::PartlyPaid);
}

#[test]
fn surcharges_are_fees_and_discounts() {
    let mut one = raw("2");
    one["surcharges"] = json!([
        {"id": "1", "description": "Gift wrap", "taxRate": 19, "price": 84, "priceWithTax": 100,
         "taxLines": [{"description": "Standard Tax Europe"}]},
        {"id": "2", "description": "Sorry", "taxRate": 19, "price": -84, "priceWithTax": -100, "taxLines": []},
    ]);
    let order = read(one);
    let kinds: Vec<LineKind> = order.lines.iter().map(|line| line.kind).collect();
    use LineKind::{Discount, Fee, Product, Shipping};
    assert_eq!(kinds, [Product, Product, Fee, Discount, Shipping]);
    adds_up(&order);
}

#[test]
fn a_channel_with_net_prices() {
    let mut net = context();
    net.channel.prices_include_tax = false;
    let order = order(raw("3"), &net, NOTE).unwrap();
    assert_eq!(order.basis, TaxBasis::Net);
    assert_eq!(order.lines[0].total, "45.35");
    assert_eq!(order.total, "104.92");
    adds_up(&order);
}

#[test]
fn a_summary_that_does_not_give_the_total_is_replaced_by_the_lines() {
    let mut one = raw("3");
    one["taxSummary"][0]["taxTotal"] = json!(861);
    adds_up(&read(one));
}

#[test]
fn an_order_without_addresses_takes_the_customers_or_waits_for_a_person() {
    let mut one = raw("2");
    one["shippingAddress"] = json!({"countryCode": null});
    one["billingAddress"] = json!({"fullName": null});
    let order = read(one.clone());
    assert_eq!((order.billing.city.as_str(), order.shipping), ("München", None));
    one["customer"]["addresses"] = json!([]);
    assert!(matches!(super::order(one.clone(), &context(), NOTE), Err(Error::Rejected(_))));
    one["customer"] = json!(null);
    assert!(matches!(super::order(one, &context(), NOTE), Err(Error::Rejected(_))));
}

#[test]
fn states() {
    for (theirs, ours) in [
        ("PaymentAuthorized", OrderState::Open),
        ("PaymentSettled", OrderState::Open),
        ("Modifying", OrderState::Open),
        ("WaitingForPickup", OrderState::Open),
        ("ArrangingPayment", OrderState::Pending),
        ("PartiallyShipped", OrderState::PartlyShipped),
        ("Shipped", OrderState::Shipped),
        ("PartiallyDelivered", OrderState::Shipped),
        ("Delivered", OrderState::Completed),
        ("Cancelled", OrderState::Cancelled),
    ] {
        assert_eq!(state(theirs), ours, "{theirs}");
    }
}
