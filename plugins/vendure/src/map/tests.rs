use serde_json::json;

use super::*;

#[test]
fn percentages_are_the_numbers_that_were_entered() {
    assert_eq!(percent(&json!(19)).as_deref(), Some("19"));
    assert_eq!(percent(&json!(19.0)).as_deref(), Some("19"));
    assert_eq!(percent(&json!(7.7)).as_deref(), Some("7.7"));
    assert_eq!(percent(&json!(20)).as_deref(), Some("20"));
    assert_eq!(percent(&json!(null)), None);
}

#[test]
fn languages() {
    assert_eq!(language_tag("pt_BR"), "pt-BR");
    assert_eq!(language_code("zh-Hans"), "zh_Hans");
}

#[test]
fn blank_text_is_none() {
    assert_eq!(filled(Some("  ")), None);
    assert_eq!(filled(Some(" a ")).as_deref(), Some("a"));
    assert_eq!(filled(None), None);
}
