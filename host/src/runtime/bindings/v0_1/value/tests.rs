use super::*;

#[test]
fn decimals_are_those_of_the_contract_and_nothing_else() {
    for (text, expected) in [
        ("0", "0"),
        ("-0.5", "-0.5"),
        ("19.90", "19.9"),
        ("100", "100"),
        ("123456789012345678.123456789", "123456789012345678.123456789"),
    ] {
        assert_eq!(decimal("x", text).map(|d| d.to_string()), Ok(expected.to_owned()), "{text}");
        assert_eq!(to_decimal(decimal("x", text).unwrap()), expected);
    }
    for text in [
        "",
        "-",
        ".5",
        "5.",
        "1e3",
        "1,5",
        "+1",
        " 1",
        "1 ",
        "NaN",
        "--1",
        "1_000",
        "0x10",
        "1.1234567890",
        "1234567890123456789",
        "١",
    ] {
        let error = decimal("lines[2].total", text).unwrap_err();
        assert_eq!(error.path, "lines[2].total", "{text}");
    }
}

#[test]
fn amounts_with_more_digits_than_the_contract_has_are_rounded_on_the_way_out() {
    assert_eq!(to_decimal("0.33333333333333".parse().unwrap()), "0.333333333");
}

#[test]
fn times_are_utc_and_days_are_days() {
    assert_eq!(timestamp("x", "2026-11-22T08:00:00Z").map(to_timestamp), Ok("2026-11-22T08:00:00Z".into()));
    assert!(timestamp("x", "2026-11-22T08:00:00.25Z").is_ok());
    for text in ["2026-11-22T08:00:00", "2026-11-22T08:00:00+01:00", "2026-11-22", "now", "", "2026-13-01T00:00:00Z"] {
        assert!(timestamp("x", text).is_err(), "{text}");
    }
    assert!(date("x", "2026-02-28").is_ok());
    for text in ["2026-02-30", "28.02.2026", "2026-02-28T00:00:00"] {
        assert!(date("x", text).is_err(), "{text}");
    }
}

#[test]
fn codes_and_ids_are_checked() {
    assert!(currency("x", "EUR".into()).is_ok());
    for text in ["eur", "EURO", "€", ""] {
        assert!(currency("x", text.into()).is_err(), "{text}");
    }
    for text in ["de", "en-GB", "zh-Hant-TW"] {
        assert!(language("x", text.into()).is_ok(), "{text}");
    }
    for text in ["", "d", "de_DE", "de:at", "deutsch!"] {
        assert!(language("x", text.into()).is_err(), "{text}");
    }
    assert!(id("x", "gid://shop/Product/1".into()).is_ok());
    for text in [String::new(), "x".repeat(256), "a\0b".into()] {
        assert!(id("x", text).is_err());
    }
}

#[test]
fn a_link_needs_an_id_or_a_key() {
    let link = |id: Option<&str>, key: &str| link("x", wt::Link { id: id.map(Into::into), key: key.into() });
    assert!(link(Some("7"), "").is_ok());
    assert!(link(None, "SKU-1").is_ok());
    assert!(link(None, " ").is_err());
    assert!(link(Some(""), "SKU-1").is_err());
}

#[test]
fn extra_fields_are_sorted_and_unique() {
    let field = |name: &str, value: &str| wt::Field { name: name.into(), value: value.into() };
    let fields = extra(vec![field("b", "1"), field("a", "2"), field("b", "3")]);
    let pairs: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect();
    assert_eq!(pairs, [("a", "2"), ("b", "1")]);
}

#[test]
fn a_path_leads_to_the_field() {
    let error = list("lines", vec!["1", "x"], |text| within(|| "tax".into(), decimal("percent", text))).unwrap_err();
    assert_eq!(error.to_string(), "lines[1].tax.percent: `x` is not a decimal number of the contract");
}
