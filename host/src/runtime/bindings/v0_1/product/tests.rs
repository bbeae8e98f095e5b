use super::super::sample;
use super::*;
use crate::model::Key;

fn variant(id: &str, sku: &str) -> wc::Variant {
    wc::Variant {
        remote: Some(sample::remote(id)),
        sku: sku.into(),
        gtin: Some("4006381333931".into()),
        mpn: Some("M1".into()),
        active: true,
        tax_class: Some("standard".into()),
        tax_percent: Some("19".into()),
        choices: vec![wc::Choice {
            axis: "colour".into(),
            value: "blue".into(),
            names: vec![sample::text("Farbe")],
            values: vec![sample::text("blau")],
        }],
        weight_kg: Some("1.25".into()),
        pictures: Some(sample::pictures()),
        extra: sample::extra(),
    }
}

fn product() -> wc::Product {
    wc::Product {
        head: sample::head(),
        base: Some(wc::ProductBase {
            number: Some("P-1".into()),
            form: wc::Form::Goods,
            active: true,
            manufacturer: Some("Thonet".into()),
            unit: Some("pc".into()),
        }),
        texts: vec![sample::texts("de")],
        pictures: Some(sample::pictures()),
        categories: Some(vec![sample::link("5", "chairs")]),
        attributes: Some(vec![wc::Attribute {
            name: "material".into(),
            value: "oak".into(),
            language: Some("en".into()),
            unit: None,
        }]),
        variants: Some(vec![variant("79", "SKU-2"), variant("78", "SKU-1")]),
        extra: sample::extra(),
    }
}

#[test]
fn a_product_survives_the_way_through_the_hub() {
    let record = read(product(), &sample::reading()).unwrap();
    let facets: Vec<_> = record.facets.keys().map(FacetKey::as_str).collect();
    assert_eq!(facets, ["attributes", "categories", "grouping", "head", "media", "texts:de"]);
    assert_eq!(record.facets[&"grouping".into()], serde_json::json!(["SKU-1", "SKU-2"]));
    assert_eq!(record.keys, [Key { kind: KeyType::Number, value: "P-1".into() }]);
    let first = &record.variants[0];
    assert_eq!((first.sku.as_str(), first.facets.len()), ("SKU-2", 2));
    let key = |kind, value: &str| Key { kind, value: value.into() };
    assert_eq!(first.keys, [key(KeyType::Sku, "SKU-2"), key(KeyType::Ean, "4006381333931")]);
    let written = write(&sample::pushed(record), &sample::lent()).unwrap();
    assert_eq!(written, wc::Product { head: sample::pushed_head(), ..product() });
}

#[test]
fn absent_facets_stay_absent_and_empty_ones_empty() {
    let bare = wc::Product {
        base: None,
        texts: Vec::new(),
        pictures: None,
        categories: Some(Vec::new()),
        attributes: None,
        variants: None,
        extra: Vec::new(),
        ..product()
    };
    let record = read(bare.clone(), &sample::reading()).unwrap();
    assert_eq!(record.facets.keys().map(FacetKey::as_str).collect::<Vec<_>>(), ["categories"]);
    let written = write(&sample::pushed(record), &sample::lent()).unwrap();
    assert_eq!(written, wc::Product { head: sample::pushed_head(), ..bare });
}

#[test]
fn a_variant_without_a_number_is_known_by_its_id() {
    let product = wc::Product { variants: Some(vec![variant("78", " ")]), ..product() };
    let record = read(product, &sample::reading()).unwrap();
    assert_eq!(record.variants[0].sku, "");
    assert_eq!(record.facets[&"grouping".into()], serde_json::json!(["78"]));
}

#[test]
fn what_the_contract_forbids_is_found_with_its_path() {
    type Harm = fn(&mut wc::Product);
    let harms: [(&str, Harm); 5] = [
        ("variants[0].remote", |p| p.variants.as_mut().unwrap()[0].remote = None),
        ("variants[1].tax-percent", |p| p.variants.as_mut().unwrap()[1].tax_percent = Some("19 %".into())),
        ("variants[1].weight-kg", |p| p.variants.as_mut().unwrap()[1].weight_kg = Some("1,5".into())),
        ("variants", |p| p.variants.as_mut().unwrap()[1].sku = "SKU-2".into()),
        ("categories[0].id", |p| p.categories.as_mut().unwrap()[0].id = Some(String::new())),
    ];
    for (path, harm) in harms {
        let mut product = product();
        harm(&mut product);
        assert_eq!(read(product, &sample::reading()).unwrap_err().path, path);
    }
}
