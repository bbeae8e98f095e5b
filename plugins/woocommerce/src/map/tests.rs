use serde_json::json;

use super::*;

#[test]
fn free_fields_come_as_text_or_as_numbers() {
    let rows: Vec<Meta> = serde_json::from_value(json!([
        {"id": 1, "key": "a", "value": "x"}, {"id": 2, "key": "b", "value": 7}, {"id": 3, "key": "c", "value": null},
        {"id": 4, "key": "d", "value": ""},
    ]))
    .unwrap();
    let found = ["a", "b", "c", "d", "e"].map(|key| meta(&rows, key));
    assert_eq!(found, [Some("x".into()), Some("7".into()), None, None, None]);
}

#[test]
fn times_have_no_offset() {
    let time = gmt(Some("2026-11-22T10:00:00")).unwrap().unwrap();
    assert_eq!(time.to_string(), "2026-11-22T10:00:00Z");
    assert_eq!(as_gmt(time), "2026-11-22T10:00:00");
    assert_eq!(gmt(None).unwrap(), None);
    assert!(gmt(Some("soon")).is_err());
}

#[test]
fn entities_are_taken_out_once() {
    assert_eq!(plain("Salz &amp; Pfeffer &lt; 5"), "Salz & Pfeffer < 5");
    assert_eq!(plain("&amp;lt;"), "&lt;");
}

#[test]
fn addresses_are_ascii() {
    assert_eq!(slug("Küche & Bad, groß"), "kueche-bad-gross");
    assert_eq!(slug("  Tassen  "), "tassen");
}
