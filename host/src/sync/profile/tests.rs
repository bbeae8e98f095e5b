use super::*;
use crate::model::sales::{CustomerHead, Delivery, Payment, PaymentState};
use crate::sync::fake::{dec, time};

fn line(id: &str, kind: LineKind, quantity: &str, total: &str, percent: Option<&str>, tax: Option<&str>) -> Line {
    Line {
        id: id.into(),
        kind,
        variant: (kind == LineKind::Product).then(|| Link { id: Some(id.into()), key: id.into() }),
        name: id.into(),
        quantity: dec(quantity),
        unit_price: round(dec(total) / dec(quantity), 2),
        total: dec(total),
        tax_percent: percent.map(dec),
        tax: tax.map(dec),
        tax_code: Some("theirs".into()),
        extra: Vec::new(),
    }
}

fn order(basis: TaxBasis, total: &str, lines: Vec<Line>) -> Placed {
    Placed {
        number: "1001".into(),
        other_number: None,
        channel: "main".into(),
        placed: time("2026-11-22T10:00:00Z"),
        currency: "EUR".into(),
        basis,
        customer: Link { id: Some("c1".into()), key: "zoe@example.com".into() },
        buyer: CustomerHead::default(),
        billing: Address { country: "UK".into(), ..Address::default() },
        shipping: None,
        lines,
        taxes: Vec::new(),
        delivery: None,
        total: dec(total),
        note: None,
        extra: Vec::new(),
    }
}

fn with<T>(profile: &OrderProfile, basis: TaxBasis, work: impl FnOnce(&Target<'_>) -> T) -> T {
    let article = |sku: &str| Link { id: Some(format!("art-{sku}")), key: sku.into() };
    work(&Target { profile, basis, currencies: &["EUR".to_owned()], article: &article })
}

/// As a target computes that taxes the document.
fn target_total(placed: &Placed) -> Decimal {
    let mut rates: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for line in placed.lines.iter().filter(|line| line.kind != LineKind::Text) {
        let amount = round(line.unit_price * line.quantity, 2);
        assert_eq!(amount, line.total, "the price of one gives the line {}", line.id);
        *rates.entry(line.tax_percent.unwrap_or_default()).or_default() += amount;
    }
    let taxed = |(percent, sum): (&Decimal, &Decimal)| match placed.basis {
        TaxBasis::Gross => *sum,
        TaxBasis::Net => *sum + round(*sum * *percent / Decimal::ONE_HUNDRED, 2),
    };
    rates.iter().map(taxed).sum()
}

#[test]
fn totals_survive_the_change_of_basis() {
    use LineKind::{Discount, Product, Shipping};
    let cases = [
        ("one line", "59.97", vec![line("a", Product, "3", "59.97", Some("19"), Some("9.58"))]),
        (
            "two rates, discount, shipping",
            "104.92",
            vec![
                line("a", Product, "3", "59.97", Some("19"), None),
                line("b", Product, "2", "50.00", Some("7"), None),
                line("c", Discount, "1", "-6.00", Some("19"), None),
                line("d", Discount, "1", "-5.00", Some("7"), None),
                line("s", Shipping, "1", "5.95", Some("19"), None),
            ],
        ),
        (
            "line taxes that do not add up to the document's",
            "30.03",
            vec![
                line("a", Product, "1", "10.01", Some("19"), Some("1.60")),
                line("b", Product, "1", "10.01", Some("19"), Some("1.60")),
                line("c", Product, "1", "10.01", Some("19"), Some("1.60")),
            ],
        ),
        ("no tax", "12.34", vec![line("a", Product, "1", "12.34", None, None)]),
        ("seven of one", "70.00", vec![line("a", Product, "7", "70.00", Some("19"), None)]),
        ("a thousand small ones", "9.99", vec![line("a", Product, "1000", "9.99", Some("19"), None)]),
        ("thirds", "0.10", vec![line("a", Product, "3", "0.10", Some("7"), None)]),
    ];
    for (name, total, lines) in cases {
        let converted =
            with(&OrderProfile::default(), TaxBasis::Net, |t| placed(t, order(TaxBasis::Gross, total, lines.clone())));
        let converted = converted.unwrap_or_else(|misfits| panic!("{name}: {misfits:?}"));
        assert_eq!(target_total(&converted), dec(total), "{name}");
        assert_eq!(converted.basis, TaxBasis::Net);
        let stated: Decimal = converted.taxes.iter().map(|tax| tax.base + tax.amount).sum();
        let untaxed: Decimal = converted.lines.iter().filter(|l| l.tax_percent.is_none()).map(|l| l.total).sum();
        assert_eq!(stated + untaxed, dec(total), "{name}: taxes");
    }
}

#[test]
fn every_gross_cent_can_be_written_net() {
    for cents in 1..=3_000 {
        for percent in ["19", "7", "20", "8.1"] {
            let total = Decimal::new(cents, 2);
            let text = total.to_string();
            let lines = vec![line("a", LineKind::Product, "1", &text, Some(percent), None)];
            let converted =
                with(&OrderProfile::default(), TaxBasis::Net, |t| placed(t, order(TaxBasis::Gross, &text, lines)))
                    .unwrap();
            assert_eq!(target_total(&converted), total, "{total} at {percent} %");
            let rounding = converted.lines.iter().filter(|line| line.kind == LineKind::Rounding);
            assert!(rounding.map(|line| line.total.abs()).sum::<Decimal>() <= dec("0.01"));
        }
    }
}

#[test]
fn net_orders_go_to_gross_targets_too() {
    let lines = vec![
        line("a", LineKind::Product, "3", "50.39", Some("19"), None),
        line("b", LineKind::Product, "2", "46.73", Some("7"), None),
    ];
    let total = "109.96";
    let converted =
        with(&OrderProfile::default(), TaxBasis::Gross, |t| placed(t, order(TaxBasis::Net, total, lines))).unwrap();
    assert_eq!(target_total(&converted), dec(total));
}

#[test]
fn rounding_is_tax_free_and_bounded() {
    let same = |total: &str, lines: usize| {
        let lines = (0..lines).map(|n| line(&n.to_string(), LineKind::Product, "1", "10.00", Some("19"), None));
        let profile = OrderProfile { rounding_sku: Some("ROUND".into()), ..OrderProfile::default() };
        with(&profile, TaxBasis::Gross, |t| placed(t, order(TaxBasis::Gross, total, lines.collect())))
    };
    let rounded = same("10.02", 1).unwrap();
    let last = rounded.lines.last().unwrap();
    assert_eq!((last.kind, last.total, last.tax_percent), (LineKind::Rounding, dec("0.02"), None));
    assert_eq!(last.variant.as_ref().unwrap().id.as_deref(), Some("art-ROUND"));
    // One line and one rate carry two cents, four lines five, and never more.
    for (total, lines, fits) in [
        ("10.03", 1, false),
        ("9.98", 1, true),
        ("40.05", 4, true),
        ("40.06", 4, false),
        ("200.05", 20, true),
        ("200.06", 20, false),
    ] {
        let found = same(total, lines);
        assert_eq!(found.is_ok(), fits, "{total} {found:?}");
        if let Err(misfits) = found {
            assert!(matches!(misfits[..], [Misfit::Total { .. }]), "{misfits:?}");
        }
    }
}

#[test]
fn values_are_mapped_or_asked_for() {
    let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let profile = OrderProfile {
        shipping_sku: Some("SHIP".into()),
        shipping: map(&[("dhl", "carrier-1")]),
        payment: map(&[("card", "stripe")]),
        tax: map(&[("19", "VAT19")]),
        country: map(&[("UK", "GB")]),
        ..OrderProfile::default()
    };
    let lines = vec![
        line("a", LineKind::Product, "1", "11.90", Some("19.00"), None),
        line("s", LineKind::Shipping, "1", "5.95", Some("19"), None),
    ];
    let delivery = |method: &str| Delivery { method: method.into(), label: None, wanted_on: None, pickup_point: None };
    let whole = Placed { delivery: Some(delivery("dhl")), ..order(TaxBasis::Gross, "17.85", lines.clone()) };
    let fits = with(&profile, TaxBasis::Gross, |t| placed(t, whole)).unwrap();
    assert_eq!(fits.delivery.unwrap().method, "carrier-1");
    assert_eq!(fits.billing.country, "GB");
    assert_eq!(fits.lines[0].tax_code.as_deref(), Some("VAT19"));
    assert_eq!(fits.lines[1].variant.as_ref().unwrap().id.as_deref(), Some("art-SHIP"));
    let mut lines = lines;
    lines[0].tax_percent = Some(dec("7"));
    let unknown = Placed { delivery: Some(delivery("ups")), ..order(TaxBasis::Gross, "17.85", lines) };
    let misfits = with(&profile, TaxBasis::Gross, |t| placed(t, unknown)).unwrap_err();
    let missing = |table, value: &str| Misfit::Unmapped { table, value: value.into() };
    assert_eq!(misfits, [missing("shipping", "ups"), missing("tax", "7")]);
    let pay = |method: &str| PaymentFacet {
        state: PaymentState::Paid,
        payments: vec![Payment {
            id: None,
            method: method.into(),
            state: PaymentState::Paid,
            amount: dec("1"),
            transaction: None,
            at: None,
        }],
    };
    let paid = with(&profile, TaxBasis::Gross, |t| payment(t, pay("card"))).unwrap();
    assert_eq!(paid.payments[0].method, "stripe");
    assert_eq!(with(&profile, TaxBasis::Gross, |t| payment(t, pay("cash"))), Err(vec![missing("payment", "cash")]));
    let any = OrderProfile { payment: map(&[("*", "other")]), ..OrderProfile::default() };
    assert_eq!(with(&any, TaxBasis::Gross, |t| payment(t, pay("cash"))).unwrap().payments[0].method, "other");
}

#[test]
fn other_money_is_refused() {
    let foreign = Placed { currency: "CHF".into(), ..order(TaxBasis::Gross, "0", Vec::new()) };
    let misfits = with(&OrderProfile::default(), TaxBasis::Gross, |t| placed(t, foreign)).unwrap_err();
    assert_eq!(misfits, [Misfit::Currency { order: "CHF".into(), target: "EUR".into() }]);
}

#[test]
fn money_has_minor_units() {
    for (currency, units) in [("EUR", 2), ("JPY", 0), ("KWD", 3)] {
        assert_eq!(minor_units(currency), units, "{currency}");
    }
    assert_eq!(round(dec("2.345"), 2), dec("2.35"));
    assert_eq!(round(dec("-2.345"), 2), dec("-2.35"));
}
