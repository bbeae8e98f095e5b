use super::super::sample;
use super::*;

fn price(kind: wc::PriceKind, from: &str) -> wc::Price {
    use super::super::wit::tradepost::connector::types::TaxBasis;
    wc::Price {
        head: sample::head(),
        variant: sample::link("78", "SKU-1"),
        channel: "CH".into(),
        kind,
        currency: "CHF".into(),
        basis: TaxBasis::Gross,
        amount: Some("19.9".into()),
        from_quantity: from.into(),
        valid_from: Some("2026-11-27T00:00:00Z".into()),
        valid_to: None,
    }
}

#[test]
fn prices_survive_the_way_through_the_hub() {
    for (kind, from, facet) in [
        (wc::PriceKind::Base, "1", "price:base:CH"),
        (wc::PriceKind::Special, "10", "price:special:CH:10"),
        (wc::PriceKind::Special, "0.5", "price:special:CH:0.5"),
    ] {
        let record = read(price(kind, from)).unwrap();
        assert_eq!(record.facets.keys().map(FacetKey::as_str).collect::<Vec<_>>(), [facet]);
        let written = write(&sample::pushed(record)).unwrap();
        assert_eq!(written, wc::Price { head: sample::pushed_head(), ..price(kind, from) });
    }
}

#[test]
fn equal_amounts_have_equal_bodies_however_they_are_written() {
    let base = read(price(wc::PriceKind::Base, "1")).unwrap();
    let other = read(wc::Price { amount: Some("19.900".into()), ..price(wc::PriceKind::Base, "1.0") }).unwrap();
    assert_eq!(base.facets, other.facets);
    let scale = |from| read(price(wc::PriceKind::Special, from)).unwrap().facets;
    assert_eq!(scale("10"), scale("10.00"));
}

#[test]
fn what_the_contract_forbids_is_found_with_its_path() {
    let base = || price(wc::PriceKind::Base, "1");
    let cases = [
        ("amount", wc::Price { amount: Some("19.9 CHF".into()), ..base() }),
        ("currency", wc::Price { currency: "chf".into(), ..base() }),
        ("channel", wc::Price { channel: String::new(), ..base() }),
        ("from-quantity", wc::Price { from_quantity: "10".into(), ..base() }),
        ("from-quantity", wc::Price { from_quantity: "one".into(), ..base() }),
        ("valid-to", wc::Price { valid_to: Some("2026-11-27".into()), ..base() }),
    ];
    for (path, price) in cases {
        assert_eq!(read(price).unwrap_err().path, path);
    }
}
