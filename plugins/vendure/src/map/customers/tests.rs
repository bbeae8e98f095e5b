use serde_json::json;

use super::*;
use crate::api::tests::fixture;

#[test]
fn a_guest_with_an_address() {
    let customer = customer(fixture("customers")[0].clone()).unwrap();
    let base = customer.base.unwrap();
    assert_eq!(base.email.as_deref(), Some("zoe@example.com"));
    assert!(base.guest);
    let address = &customer.addresses.unwrap()[0];
    assert_eq!((address.first_name.as_deref(), address.last_name.as_deref()), (Some("Zoë"), Some("O'Brien")));
    assert_eq!(address.lines, ["Hauptstraße 5"]);
    assert_eq!((address.postcode.as_str(), address.country.as_str()), ("80331", "DE"));
    assert_eq!(address.company, None);
    assert_eq!(customer.head.parts, [part(PartKind::Address, "1", "1")]);
}

#[test]
fn a_customer_with_a_log_in_is_no_guest() {
    let mut raw = fixture("customers")[1].clone();
    raw["user"] = json!({"id": "5"});
    raw["groups"] = json!([{"name": "Resellers"}]);
    let base = customer(raw).unwrap().base.unwrap();
    assert!(!base.guest);
    assert_eq!(base.group.as_deref(), Some("Resellers"));
}

#[test]
fn names_are_split_as_the_owners_are_or_before_the_last_word() {
    let owner = Person {
        email_address: String::new(),
        first_name: "Anna Maria".into(),
        last_name: "de la Cruz".into(),
        phone_number: None,
        user: None,
    };
    let names = |full: &str| {
        let postal = Postal { full_name: Some(full.into()), ..Postal::default() };
        let address = postal.address("k", "de", Some(&owner));
        assert_eq!(address.country, "DE");
        (address.first_name.unwrap_or_default(), address.last_name.unwrap_or_default())
    };
    assert_eq!(names("Anna Maria de la Cruz"), ("Anna Maria".into(), "de la Cruz".into()));
    assert_eq!(names("Büro Zoë Lager"), ("Büro Zoë".into(), "Lager".into()));
    assert_eq!(names("Max"), (String::new(), "Max".into()));
    assert_eq!(names(""), (String::new(), String::new()));
}
