//! Conversations: what leaves for Tryton, in which order, and what is settled when it breaks off.

use serde_json::{Value, json};
use tradepost_sdk::catalog::{Category, CategoryBase, Texts};
use tradepost_sdk::head::{Op, Part, PartKind};
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::records::{Kind, Records, Removal};
use tradepost_sdk::sales::{Address, AmountOf, Cancellation, Customer, Happening, Order, OrderEvent};
use tradepost_sdk::target::{Doomed, Probe};
use tradepost_sdk::types::Field;
use tradepost_sdk::types::{Error, Link};

use super::{push, remove, sample};
use crate::host::fake::Script;
use crate::map::texts::empty;
use crate::pull::remote;

fn exact(text: &str) -> Value {
    json!({"__class__": "Decimal", "decimal": text})
}

fn sale(state: &str, total: &str) -> Value {
    json!({"id": 3, "number": "7", "state": state, "total_amount": exact(total),
        "lines": [{"id": 31, "sequence": 1}, {"id": 32, "sequence": 2}]})
}

/// A server that knows what the sample order needs.
fn server() -> Script {
    let script = Script::new(&["carrier", "sale_shipment_cost"]);
    let carrier = json!([{"id": 1, "party": {"id": 2, "name": "DHL"}, "carrier_product": {"id": 21}}]);
    let tax = json!({"id": 1, "name": "VAT 19%", "rate": exact("0.19")});
    let address = json!([{"id": 5, "party_name": "Zoë O'Brien", "street_unstructured": "Hauptstraße 5",
        "postal_code": "80331", "city": "München", "country": {"id": 1, "code": "DE"}, "active": true}]);
    let unit = json!({"id": 1});
    script.always("GET carrier", carrier);
    script.always("GET account.tax", json!([tax]));
    script.always("GET product.category", json!([{"id": 1, "name": "Accounting 19", "customer_taxes": [tax]}]));
    script.always("GET party.address", address);
    let products = json!([{"id": 1, "code": "TS-S-RED", "sale_uom": unit, "default_uom": unit},
        {"id": 21, "code": "SHIP", "sale_uom": unit, "default_uom": unit}]);
    script.always("GET product.product", products);
    script
}

fn place(script: &Script, order: &Order) -> Result<(), Error> {
    push(&script.api(), &Records::Orders(vec![order.clone()]))
}

fn failure(script: &Script) -> Error {
    match script.settled.borrow().last() {
        Some((_, Outcome::Failed(error))) => error.clone(),
        other => panic!("not failed: {other:?}"),
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::Rejected(issues) => issues[0].message.clone(),
        other => panic!("not rejected: {other:?}"),
    }
}

#[test]
fn a_sale_is_drafted_quoted_and_confirmed() {
    let script = server()
        .then("POST sale.sale", sale("draft", "45.93"))
        .then("POST sale.sale/3/quote", json!({"id": 3}))
        .then("GET sale.sale", json!([sale("quotation", "45.93")]))
        .then("POST sale.sale/3/confirm", json!({"id": 3}))
        .then("GET sale.sale", json!([sale("processing", "45.93")]));
    place(&script, &sample::order()).unwrap();
    script.played();
    let values = script.body("POST sale.sale");
    assert_eq!(values["reference"], "shop-ABC1");
    assert_eq!(
        (&values["party"], &values["invoice_address"], &values["shipment_address"]),
        (&json!(3), &json!(5), &json!(5))
    );
    assert_eq!((&values["carrier"], &values["shipment_cost_method"]), (&json!(1), &Value::Null));
    let lines = &values["lines"][0][1];
    assert_eq!(lines[0]["product"], 1);
    assert_eq!(lines[0]["unit_price"], exact("16.80"));
    assert_eq!((lines[0]["quantity"].to_string(), &lines[0]["taxes"]), ("2.0".into(), &json!([["add", [1]]])));
    assert_eq!(lines[1]["product"], 21, "the carrier's product");
    let settled = script.settled.borrow();
    let [(_, Outcome::Partial(draft)), (_, Outcome::Done(done))] = settled.as_slice() else { panic!("{settled:?}") };
    assert_eq!(draft.remote, remote(3));
    assert_eq!(done.total.as_deref(), Some("45.93"));
    let part = |key: &str, id: &str| Part { what: PartKind::Line, key: key.into(), id: id.into() };
    assert_eq!(done.parts, [part("a", "31"), part("s", "32")]);
}

#[test]
fn a_cent_that_rounding_leaves_is_a_line() {
    let script = server()
        .then("POST sale.sale", sale("draft", "45.92"))
        .then("PUT sale.sale/3", json!({"id": 3}))
        .then("GET sale.sale", json!([sale("draft", "45.93")]))
        .then("POST sale.sale/3/quote", json!({"id": 3}))
        .then("GET sale.sale", json!([sale("quotation", "45.93")]))
        .then("POST sale.sale/3/confirm", json!({"id": 3}))
        .then("GET sale.sale", json!([sale("processing", "45.93")]));
    place(&script, &sample::order()).unwrap();
    script.played();
    let line = &script.body("PUT sale.sale/3")["lines"][0][1][0];
    assert_eq!((&line["unit_price"], &line["taxes"]), (&exact("0.01"), &Value::Null));
}

#[test]
fn an_order_that_does_not_add_up_is_not_tried() {
    let script = server();
    place(&script, &Order { total: "50.00".into(), ..sample::order() }).unwrap();
    assert!(words(&failure(&script)).contains("45.93"));
    assert!(script.writes().is_empty());
}

#[test]
fn a_half_made_sale_goes_on_where_it_stopped() {
    let resumed = Order { head: sample::head(Op::Resume, Some(3)), ..sample::order() };
    let script = server()
        .then("GET sale.sale", json!([sale("quotation", "45.93")]))
        .then("POST sale.sale/3/confirm", json!({"id": 3}))
        .then("GET sale.sale", json!([sale("processing", "45.93")]));
    place(&script, &resumed).unwrap();
    script.played();
    assert_eq!(script.writes(), ["POST sale.sale/3/confirm"]);

    let script = server().then("GET sale.sale", json!([sale("processing", "45.93")]));
    place(&script, &resumed).unwrap();
    assert!(script.writes().is_empty(), "nothing is left to be done");
    assert!(matches!(script.settled.borrow().last(), Some((_, Outcome::Done(_)))));
}

#[test]
fn a_draft_with_other_lines_is_written_anew_when_resumed() {
    let script = server()
        .then("GET sale.sale", json!([sale("draft", "11.90")]))
        .then("PUT sale.sale/3", json!({"id": 3}))
        .then("GET sale.sale", json!([sale("draft", "45.93")]))
        .then("POST sale.sale/3/quote", json!({"id": 3}))
        .then("GET sale.sale", json!([sale("quotation", "45.93")]))
        .then("POST sale.sale/3/confirm", json!({"id": 3}))
        .then("GET sale.sale", json!([sale("processing", "45.93")]));
    place(&script, &Order { head: sample::head(Op::Resume, Some(3)), ..sample::order() }).unwrap();
    script.played();
    let commands = &script.body("PUT sale.sale/3")["lines"];
    assert_eq!(commands[0], json!(["delete", [31, 32]]));
    assert_eq!(commands[1][1].as_array().unwrap().len(), 2);
}

#[test]
fn a_quotation_with_another_total_is_not_confirmed() {
    let script = server()
        .then("POST sale.sale", sale("draft", "45.93"))
        .then("POST sale.sale/3/quote", json!({"id": 3}))
        .then("GET sale.sale", json!([sale("quotation", "51.88")]));
    place(&script, &sample::order()).unwrap();
    script.played();
    assert!(words(&failure(&script)).contains("51.88"));
}

#[test]
fn a_refusal_keeps_the_words_and_the_draft() {
    let script = server()
        .then("POST sale.sale", sale("draft", "45.93"))
        .refuse("POST sale.sale/3/quote", "The period is closed.");
    place(&script, &sample::order()).unwrap();
    assert_eq!(words(&failure(&script)), "The period is closed.");
    assert!(matches!(script.settled.borrow()[0].1, Outcome::Partial(_)));
}

#[test]
fn a_lost_answer_is_unknown_and_nothing_follows() {
    let script = server().fail("POST sale.sale", Error::Timeout("no answer".into()));
    place(&script, &sample::order()).unwrap();
    assert!(matches!(failure(&script), Error::Timeout(_)));
    assert_eq!(script.writes(), ["POST sale.sale"]);
}

#[test]
fn a_platform_that_went_away_leaves_the_begun_open_and_the_rest_untried() {
    let script = server()
        .then("POST sale.sale", sale("draft", "45.93"))
        .fail("POST sale.sale/3/quote", Error::Unavailable("down".into()));
    let mut second = sample::order();
    second.head.item = "second".into();
    let result = push(&script.api(), &Records::Orders(vec![sample::order(), second]));
    assert!(matches!(result, Err(Error::Unavailable(_))));
    let settled = script.settled.borrow();
    let [(first, Outcome::Partial(_)), (second, Outcome::Later(_))] = settled.as_slice() else { panic!("{settled:?}") };
    assert_eq!((first.as_str(), second.as_str()), ("i/shop/7/g1", "second"));
}

#[test]
fn what_cannot_be_mapped_is_asked_before_anything_is_written() {
    let script = server();
    let mut order = sample::order();
    order.lines[0] = sample::line("a", "TS-S-RED", "2", "33.60", Some("20"));
    order.total = "46.27".into();
    place(&script, &order).unwrap();
    let Error::MappingMissing(missing) = failure(&script) else { panic!("mapping missing") };
    assert_eq!((missing.table.as_str(), missing.value.as_str()), ("tax", "20"));

    order.lines[0] = sample::line("a", "NOWHERE", "2", "33.60", Some("19"));
    order.total = "45.93".into();
    place(&script, &order).unwrap();
    assert!(words(&failure(&script)).contains("NOWHERE"));
    assert!(script.writes().is_empty());
}

#[test]
fn a_buyer_with_two_parties_is_a_question() {
    let script = server();
    let mechanism =
        |party: u64| json!({"id": party, "value": "Zoe@Example.com", "party": {"id": party, "active": true}});
    let script = script.then("GET party.contact_mechanism", json!([mechanism(3), mechanism(4)]));
    let order = Order { customer: Link { id: None, key: "zoe@example.com".into() }, ..sample::order() };
    place(&script, &order).unwrap();
    assert!(words(&failure(&script)).contains("2 parties"));
    assert!(script.writes().is_empty());
}

fn confirmed(shipment: &str, invoice: &str) -> Value {
    let state = |state: &str, one: &str| if one == "cancelled" { "exception".to_owned() } else { state.to_owned() };
    json!({"id": 3, "number": "7", "state": "processing", "invoice_state": state("pending", invoice),
        "shipment_state": state("waiting", shipment), "shipments": [{"id": 8, "number": "8", "state": shipment}],
        "invoices": [{"id": 9, "number": null, "state": invoice}], "invoices_ignored": [],
        "lines": [{"id": 31, "moves": [{"id": 41, "state": if shipment == "cancelled" { "cancelled" } else { "draft" }}],
            "moves_ignored": []}, {"id": 32, "moves": [], "moves_ignored": []}]})
}

fn undone() -> Value {
    let mut sale = confirmed("cancelled", "cancelled");
    sale["state"] = json!("done");
    sale["invoice_state"] = json!("none");
    sale["shipment_state"] = json!("none");
    sale
}

fn cancellation(lines: Vec<AmountOf>) -> Records {
    Records::OrderEvents(vec![OrderEvent {
        head: sample::head(Op::Create, Some(3)),
        order: Link { id: Some("3".into()), key: "ABC1".into() },
        at: "2026-11-22T12:00:00Z".into(),
        what: Happening::Cancelled(Cancellation { lines, reason: None }),
    }])
}

#[test]
fn a_confirmed_sale_is_cancelled_with_what_came_of_it() {
    let script = Script::new(&[])
        .then("GET sale.sale", json!([confirmed("waiting", "draft")]))
        .then("POST stock.shipment.out/8/cancel", json!({"id": 8}))
        .then("POST account.invoice/9/cancel", json!({"id": 9}))
        .then("GET sale.sale", json!([confirmed("cancelled", "cancelled")]))
        .then("PUT sale.sale/3", json!({"id": 3}))
        .then("POST sale.sale/3/process", json!({"id": 3}))
        .then("GET sale.sale", json!([undone()]));
    push(&script.api(), &cancellation(Vec::new())).unwrap();
    script.played();
    let ignored = script.body("PUT sale.sale/3");
    assert_eq!(ignored["invoices_ignored"], json!([["add", [9]]]));
    assert_eq!(ignored["lines"], json!([["write", [31], {"moves_ignored": [["add", [41]]]}]]));
    assert!(matches!(script.settled.borrow()[0].1, Outcome::Done(_)));
}

#[test]
fn a_sale_that_is_not_processed_yet_goes_back_and_is_cancelled() {
    let mut sale = confirmed("waiting", "draft");
    sale["state"] = json!("confirmed");
    sale["shipments"] = json!([]);
    sale["invoices"] = json!([]);
    let script = Script::new(&[])
        .then("GET sale.sale", json!([sale]))
        .then("POST sale.sale/3/draft", json!({"id": 3}))
        .then("POST sale.sale/3/cancel", json!({"id": 3}));
    push(&script.api(), &cancellation(Vec::new())).unwrap();
    script.played();
    assert!(matches!(script.settled.borrow()[0].1, Outcome::Done(_)));
}

#[test]
fn cancelling_again_writes_nothing() {
    let script = Script::new(&[]).then("GET sale.sale", json!([undone()]));
    push(&script.api(), &cancellation(Vec::new())).unwrap();
    assert!(script.writes().is_empty());
    assert!(matches!(script.settled.borrow()[0].1, Outcome::Unchanged(_)));
}

#[test]
fn goods_in_hand_and_posted_invoices_are_for_a_person() {
    for (shipment, invoice, word) in [("picked", "draft", "Shipment 8"), ("waiting", "posted", "Invoice 9")] {
        let script = Script::new(&[]).then("GET sale.sale", json!([confirmed(shipment, invoice)]));
        push(&script.api(), &cancellation(Vec::new())).unwrap();
        assert!(words(&failure(&script)).starts_with(word));
        assert!(script.writes().is_empty());
    }
    let script = Script::new(&[]);
    push(&script.api(), &cancellation(vec![AmountOf { line: "31".into(), quantity: "1".into() }])).unwrap();
    assert!(matches!(failure(&script), Error::Unsupported(_)));
}

#[test]
fn only_what_differs_is_written_to_a_party() {
    let party = json!({"id": 3, "name": "Zoë O'Brien", "active": true, "addresses": [
            {"id": 5, "party_name": "Zoë O'Brien", "street_unstructured": "Hauptstraße 5", "postal_code": "80331",
                "city": "München", "country": {"id": 1, "code": "DE"}, "active": true},
            {"id": 6, "party_name": "Zoë O'Brien", "street_unstructured": "Alt 1", "active": true},
            {"id": 7, "party_name": "Zoë O'Brien", "street_unstructured": "Order 1", "active": true}],
        "contact_mechanisms": [{"id": 1, "type": "email", "value": "zoe@example.com", "active": true},
            {"id": 2, "type": "phone", "value": "+49 30 123456", "active": true}]});
    let mut customer = Customer {
        head: sample::head(Op::Update, Some(3)),
        base: Some(sample::base()),
        addresses: Some(vec![sample::address()]),
        extra: Vec::new(),
    };
    customer.base.as_mut().unwrap().phone = Some("+4930123456".into());
    let script = Script::new(&[]).then("GET party.party", json!([party]));
    push(&script.api(), &Records::Customers(vec![customer.clone()])).unwrap();
    assert!(matches!(script.settled.borrow()[0].1, Outcome::Unchanged(_)));

    customer.base.as_mut().unwrap().phone = Some("+49 30 99".into());
    let part = |key: &str, id: &str| Part { what: PartKind::Address, key: key.into(), id: id.into() };
    customer.head.parts = vec![part("1", "5"), part("old", "6")];
    let script = Script::new(&[])
        .then("GET party.party", json!([party]))
        .then("PUT party.party/3", json!({"id": 3}))
        .then("GET party.party", json!([party]));
    push(&script.api(), &Records::Customers(vec![customer])).unwrap();
    let expected = json!({"contact_mechanisms": [["write", [2], {"value": "+49 30 99"}]],
        "addresses": [["write", [6], {"active": false}]]});
    assert_eq!(script.body("PUT party.party/3"), expected, "the address that an order brought stays");
}

#[test]
fn a_changed_address_is_a_new_one_for_orders_stand_on_the_old() {
    let party = json!({"id": 3, "name": "Zoë O'Brien", "active": true, "contact_mechanisms": [], "addresses": [
        {"id": 5, "party_name": "Zoë O'Brien", "street_unstructured": "Hauptstraße 5", "postal_code": "80331",
            "city": "München", "country": {"id": 1, "code": "DE"}, "active": true}]});
    let mut customer =
        Customer { head: sample::head(Op::Update, Some(3)), base: None, addresses: None, extra: Vec::new() };
    let moved = Address { city: "Wien".into(), country: "AT".into(), ..sample::address() };
    customer.addresses = Some(vec![moved]);
    customer.head.parts = vec![Part { what: PartKind::Address, key: "1".into(), id: "5".into() }];
    let script = Script::new(&[])
        .then("GET party.party", json!([party]))
        .then("GET country.country", json!([{"id": 2}]))
        .then("PUT party.party/3", json!({"id": 3}))
        .then("GET party.party", json!([party]));
    push(&script.api(), &Records::Customers(vec![customer])).unwrap();
    script.played();
    let commands = &script.body("PUT party.party/3")["addresses"];
    assert_eq!((&commands[0][0], &commands[0][1][0]["city"]), (&json!("create"), &json!("Wien")));
    assert_eq!(commands[1], json!(["write", [5], {"active": false}]));
}

#[test]
fn a_sale_is_found_by_its_whole_reference() {
    let row = |id: u64, reference: &str, state: &str| json!({"id": id, "reference": reference, "state": state});
    let probe = |marker: &str| Probe { item: "i".into(), marker: Some(marker.into()), of: None, keys: Vec::new() };
    let rows = json!([row(3, "shop-1", "draft"), row(4, "shop-2", "processing"), row(5, "shop-2", "cancelled")]);
    let script = Script::new(&[]).then("GET sale.sale", rows);
    let probes = [probe("shop-1"), probe("shop-2"), probe("shop-3")];
    let found = crate::find::find(&script.api(), Kind::Order, &probes).unwrap();
    let ids: Vec<Vec<(&str, bool)>> =
        found.iter().map(|found| found.iter().map(|one| (one.remote.id.as_str(), one.whole)).collect()).collect();
    assert_eq!(ids, [vec![("3", false)], vec![("4", true), ("5", true)], vec![]]);
    assert!(script.domain("GET sale.sale", 0).contains(r#"["reference","in",["shop-1","shop-2","shop-3"]]"#));
}

#[test]
fn a_party_is_found_by_its_address_in_any_case() {
    let row = |party: u64, value: &str, active: bool| json!({"id": 1, "value": value, "party": {"id": party, "active": active}});
    let probe =
        |email: &str| Probe { item: "i".into(), marker: None, of: None, keys: vec![Field::new("email", email)] };
    let rows = json!([row(3, "A_b@x.test", true), row(9, "a_b@x.test", false), row(4, "axb@x.test", true)]);
    let script = Script::new(&[]).then("GET party.contact_mechanism", rows);
    let found = crate::find::find(&script.api(), Kind::Customer, &[probe("a_B@x.test")]).unwrap();
    assert_eq!(found[0].len(), 1, "{found:?}");
    assert_eq!(found[0][0].remote, remote(3));
    assert!(script.domain("GET party.contact_mechanism", 0).contains(r"a\\_b@x.test"));
}

#[test]
fn what_is_gone_already_is_as_good_as_removed() {
    let script = Script::new(&[])
        .fail("PUT product.template/3", Error::NotFound("gone".into()))
        .refuse("DELETE product.product/4", "It is used by moves.");
    let doomed = |id: u64, parent: Option<&str>| {
        let mut remote = remote(id);
        remote.parent = parent.map(str::to_owned);
        Doomed { item: id.to_string(), remote }
    };
    remove(&script.api(), Kind::Product, &[doomed(3, None)], Removal::Deactivate).unwrap();
    assert!(matches!(script.settled.borrow()[0].1, Outcome::Unchanged(_)));
    remove(&script.api(), Kind::Product, &[doomed(4, Some("3"))], Removal::Delete).unwrap();
    assert_eq!(words(&failure(&script)), "It is used by moves.");
}

fn category(op: Op, key: &str, parent: Option<u64>, name: &str) -> Category {
    let head = sample::head(op, (op == Op::Update).then_some(9));
    let parent = parent.map(|id| Link { id: Some(id.to_string()), key: "above".into() });
    let base = CategoryBase { key: key.into(), parent, active: true, position: None };
    let texts = vec![Texts { name: name.into(), ..empty("en") }];
    Category { head, base: Some(base), texts, pictures: None, extra: Vec::new() }
}

#[test]
fn a_new_category_is_found_again_by_its_key() {
    for (key, parent, code) in [
        ("shirts-2026", None, json!("shirts-2026")),
        ("Shirts", None, Value::Null),
        ("Apparel / Shirts", Some(3), Value::Null),
        ("Shirts", Some(3), json!("Shirts")),
    ] {
        let script = Script::new(&[]);
        script.always("GET ir.lang", json!([{"id": 1, "code": "en"}]));
        script.always("GET product.category", json!([{"id": 3, "rec_name": "Apparel"}]));
        let script = script.then("POST product.category", json!({"id": 9}));
        push(&script.api(), &Records::Categories(vec![category(Op::Create, key, parent, "Shirts")])).unwrap();
        assert_eq!(script.body("POST product.category")["code"], code, "{key}");
    }
}

#[test]
fn a_write_that_was_turned_away_was_not_begun() {
    for (error, later) in [(Error::Throttled(17), Some(17)), (Error::Auth("no".into()), None)] {
        let script = Script::new(&[]);
        script.always("GET ir.lang", json!([{"id": 1, "code": "en"}]));
        let script = script
            .then("GET product.category", json!([{"id": 9, "parent": null}]))
            .then("GET product.category", json!([{"id": 9, "name": "Old"}]))
            .fail("PUT product.category/9", error);
        let mut second = category(Op::Update, "b", None, "Two");
        second.head.item = "second".into();
        let batch = Records::Categories(vec![category(Op::Update, "a", None, "One"), second]);
        push(&script.api(), &batch).unwrap_err();
        let settled = script.settled.borrow();
        let [(_, first), (_, Outcome::Later(_))] = settled.as_slice() else { panic!("{settled:?}") };
        match (first, later) {
            (Outcome::Later(seconds), Some(wanted)) => assert_eq!(*seconds, wanted),
            (Outcome::Failed(Error::Auth(_)), None) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_address_that_bears_its_partys_name_is_no_other() {
    let party = json!({"id": 3, "name": "Zoë O'Brien", "active": true, "contact_mechanisms": [
            {"id": 1, "type": "email", "value": "zoe@example.com", "active": true}], "addresses": [
        {"id": 5, "street_unstructured": "Hauptstraße 5", "postal_code": "80331", "city": "München",
            "country": {"id": 1, "code": "DE"}, "active": true}]});
    let mut customer = Customer {
        head: sample::head(Op::Update, Some(3)),
        base: Some(sample::base()),
        addresses: Some(vec![sample::address()]),
        extra: Vec::new(),
    };
    let script = Script::new(&[]).then("GET party.party", json!([party]));
    push(&script.api(), &Records::Customers(vec![customer.clone()])).unwrap();
    assert!(matches!(script.settled.borrow()[0].1, Outcome::Unchanged(_)));

    // Another name of the party is not the address's.
    customer.base.as_mut().unwrap().last_name = Some("Berg".into());
    let script = Script::new(&[]).then("GET party.party", json!([party]));
    script.always("GET country.country", json!([{"id": 1}]));
    let script = script.then("PUT party.party/3", json!({"id": 3})).then("GET party.party", json!([party]));
    push(&script.api(), &Records::Customers(vec![customer])).unwrap();
    let made = &script.body("PUT party.party/3")["addresses"][0];
    assert_eq!((&made[0], &made[1][0]["party_name"]), (&json!("create"), &json!("Zoë O'Brien")));
}
