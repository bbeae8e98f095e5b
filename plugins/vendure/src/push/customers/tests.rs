use super::*;
use crate::api::tests::{Scripted, fixture};
use crate::map::customers::customer;
use tradepost_sdk::head::Head;

fn update(change: impl FnOnce(&mut Customer)) -> Scripted {
    let host = Scripted::new(|document, _| {
        if document.starts_with("query") {
            return json!({"customer": fixture("customers")[0]});
        }
        json!({"written": {"id": "77", "success": true}})
    });
    let mut pushed = customer(fixture("customers")[0].clone()).unwrap();
    pushed.head = Head { op: Op::Update, item: "a".into(), ..pushed.head };
    change(&mut pushed);
    let outcome = write(&Shop::new(&host).unwrap(), &pushed).unwrap();
    host.settled.borrow_mut().push(("last".into(), outcome));
    host
}

#[test]
fn what_the_shop_has_is_not_written() {
    let host = update(|_| {});
    assert!(host.writes.borrow().is_empty());
    assert!(matches!(host.outcomes().last(), Some(Outcome::Unchanged(_))));
}

#[test]
fn a_changed_phone_is_one_write() {
    let host = update(|customer| customer.base.as_mut().unwrap().phone = Some("+49 1".into()));
    let writes = host.writes.borrow();
    assert_eq!(writes.len(), 1);
    assert_eq!(writes[0].1["input"]["phoneNumber"], "+49 1");
}

#[test]
fn an_absent_facet_says_nothing() {
    let host = update(|customer| {
        customer.base = None;
        customer.addresses = None;
    });
    assert!(host.writes.borrow().is_empty());
}

#[test]
fn addresses_are_added_changed_and_only_ours_are_dropped() {
    let host = update(|customer| {
        let addresses = customer.addresses.as_mut().unwrap();
        let new = Address { key: "erp-2".into(), city: "Graz".into(), country: "AT".into(), ..addresses[0].clone() };
        addresses[0].city = "Berlin".into();
        addresses.push(new);
    });
    let writes = host.writes.borrow();
    assert_eq!(writes.len(), 2);
    assert_eq!((&writes[0].1["input"]["id"], &writes[0].1["input"]["city"]), (&json!("1"), &json!("Berlin")));
    assert_eq!((&writes[1].1["id"], &writes[1].1["input"]["countryCode"]), (&json!("1"), &json!("AT")));
    let Some(Outcome::Done(written)) = host.outcomes().last().cloned() else { panic!() };
    assert_eq!(written.parts.last(), Some(&part(PartKind::Address, "erp-2", "77")));
    // One of a stranger stays, one that the host remembers goes.
    let stranger = update(|customer| {
        customer.addresses = Some(Vec::new());
        customer.head.parts.clear();
    });
    assert!(stranger.writes.borrow().is_empty());
    let ours = update(|customer| customer.addresses = Some(Vec::new()));
    assert!(ours.writes.borrow()[0].0.contains("deleteCustomerAddress"));
}

#[test]
fn a_customer_needs_an_address_to_write_to() {
    let customer = customer(fixture("customers")[0].clone()).unwrap();
    let base = CustomerBase { email: None, ..customer.base.unwrap() };
    assert!(matches!(person(&base), Err(Error::Rejected(_))));
}
