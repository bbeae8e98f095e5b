use super::super::sample;
use super::*;
use crate::model::Key;

fn customer() -> ws::Customer {
    ws::Customer {
        head: sample::head(),
        base: Some(sample::buyer()),
        addresses: Some(vec![sample::address("1"), sample::address("2")]),
        extra: sample::extra(),
    }
}

#[test]
fn a_customer_survives_the_way_through_the_hub() {
    let record = read(customer()).unwrap();
    let key = |kind, value: &str| Key { kind, value: value.into() };
    assert_eq!(record.keys, [key(KeyType::Email, "ada@example.org"), key(KeyType::Number, "K-1")]);
    assert_eq!(record.facets[&"head".into()]["email"], "Ada@Example.org", "the key is lowered, the address is not");
    assert_eq!(write(&sample::pushed(record)).unwrap(), ws::Customer { head: sample::pushed_head(), ..customer() });
}

#[test]
fn blank_fields_say_nothing() {
    let blank = ws::CustomerBase { email: Some(" ".into()), language: Some(String::new()), ..sample::buyer() };
    let record = read(ws::Customer { base: Some(blank), addresses: None, ..customer() }).unwrap();
    let head = &record.facets[&"head".into()];
    assert!(head.get("email").is_none() && head.get("language").is_none());
    assert!(!record.facets.contains_key(&"addresses".into()));
}

#[test]
fn a_language_that_is_none_is_found_with_its_path() {
    let base = ws::CustomerBase { language: Some("German".repeat(9)), ..sample::buyer() };
    assert_eq!(read(ws::Customer { base: Some(base), ..customer() }).unwrap_err().path, "base.language");
}
