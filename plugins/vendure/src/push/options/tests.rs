use super::*;

fn variant(sku: &str, choices: &[(&str, &str)]) -> Variant {
    Variant {
        remote: None,
        sku: sku.into(),
        gtin: None,
        mpn: None,
        active: true,
        tax_class: None,
        tax_percent: None,
        choices: choices
            .iter()
            .map(|(axis, value)| Choice {
                axis: (*axis).into(),
                value: (*value).into(),
                names: Vec::new(),
                values: Vec::new(),
            })
            .collect(),
        weight_kg: None,
        pictures: None,
        extra: Vec::new(),
    }
}

fn group(name: &str, options: &[&str]) -> Group {
    let option = |name: &&str| Choosable {
        id: format!("o-{name}"),
        code: slug(name, "x"),
        name: (*name).into(),
        translations: Vec::new(),
    };
    Group {
        id: format!("g-{name}"),
        code: format!("shirt-{name}"),
        name: name.into(),
        translations: vec![Named { name: "Größe".into() }],
        options: options.iter().map(option).collect(),
    }
}

fn values(rows: &[Vec<Wanted>]) -> Vec<Vec<(&str, &str)>> {
    rows.iter().map(|row| row.iter().map(|one| (one.axis.as_str(), one.value.as_str())).collect()).collect()
}

#[test]
fn a_simple_product_has_no_options() {
    assert_eq!(values(&plan(&[variant("A", &[])], &[])), [vec![]]);
}

#[test]
fn variants_without_choices_are_told_apart_by_their_numbers() {
    let rows = plan(&[variant("A", &[]), variant("B", &[])], &[]);
    assert_eq!(values(&rows), [vec![("Variant", "A")], vec![("Variant", "B")]]);
}

#[test]
fn every_variant_has_one_option_of_every_group() {
    let rows = plan(&[variant("A", &[("size", "S"), ("colour", "red")]), variant("B", &[("Size", "M")])], &[]);
    assert_eq!(values(&rows), [vec![("size", "S"), ("colour", "red")], vec![("size", "M"), ("colour", "B")]]);
}

#[test]
fn a_number_among_the_groups_of_the_merchant() {
    let groups = [group("size", &["S"]), group("colour", &["red"])];
    let rows = plan(&[variant("NEW", &[])], &groups);
    assert_eq!(values(&rows), [vec![("size", "NEW"), ("colour", "-")]]);
    let warning = unnamed(&variant("NEW", &[]), &groups).unwrap();
    assert!(warning.message.contains("size, colour"));
    assert_eq!(unnamed(&variant("NEW", &[("size", "S"), ("colour", "red")]), &groups), None);
}

#[test]
fn groups_and_options_are_known_by_any_of_their_names() {
    let size = group("size", &["S"]);
    assert!(size.is("Size") && size.is("größe") && size.is("shirt-size"));
    assert!(!size.is("colour"));
    assert_eq!(size.option("s").unwrap().id, "o-S");
    assert_eq!(size.option("XL"), None);
    let rows = plan(&[variant("A", &[("größe", "S")])], std::slice::from_ref(&size));
    assert_eq!(values(&rows), [vec![("size", "S")]]);
}
