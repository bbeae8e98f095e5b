use serde_json::json;

use super::*;

fn words(rates: &[Rate]) -> Words<'_> {
    Words { language: "de", unit: WeightUnit::G, rates, country: "DE" }
}

fn article(more: serde_json::Value) -> Article {
    let mut raw = json!({"id": 5, "name": "Cup &amp; plate", "slug": "cup", "type": "simple", "status": "publish",
        "sku": "C", "weight": "250", "tax_status": "taxable", "image": null, "date_on_sale_from_gmt": null,
        "images": [{"id": 8, "src": "https://shop.example.com/c.png", "alt": ""}, {"id": 9, "src": ""}],
        "attributes": [{"id": 0, "name": "Material", "variation": false, "visible": true, "options": ["Ton", "Glas"]}]});
    raw.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(raw).unwrap()
}

#[test]
fn a_simple_product_has_one_variant_with_its_own_id() {
    let read = product(&article(json!({})), &[], &words(&[])).unwrap();
    assert_eq!(read.base.as_ref().unwrap().number.as_deref(), Some("C"));
    assert_eq!(read.texts[0].name, "Cup & plate");
    assert_eq!(read.pictures.unwrap().len(), 1, "a picture without a file is none");
    assert_eq!(read.attributes.unwrap().len(), 2);
    let variants = read.variants.unwrap();
    assert_eq!(variants[0].remote, Some(remote(5, None)));
    assert_eq!((variants[0].weight_kg.as_deref(), variants[0].tax_percent.as_deref()), (Some("0.25"), None));
}

#[test]
fn variations_take_from_their_product_what_they_do_not_say() {
    let parent = article(json!({"type": "variable", "sku": "P", "tax_class": "reduced-rate",
        "attributes": [{"name": "Farbe", "variation": true, "options": ["rot"]}]}));
    let one = article(json!({"id": 6, "type": "variation", "parent_id": 5, "tax_class": "parent", "weight": "",
        "status": "private", "attributes": [{"name": "Farbe", "option": "rot"}]}));
    let read = product(&parent, std::slice::from_ref(&one), &words(&[])).unwrap();
    assert_eq!(read.attributes, Some(Vec::new()), "a choice is no property");
    let variants = read.variants.unwrap();
    assert_eq!(variants[0].remote, Some(remote(6, Some(5))));
    assert_eq!(variants[0].tax_class.as_deref(), Some("reduced-rate"));
    assert_eq!((variants[0].weight_kg.as_deref(), variants[0].active), (Some("0.25"), false));
    assert_eq!((variants[0].choices[0].axis.as_str(), variants[0].choices[0].value.as_str()), ("Farbe", "rot"));
}

#[test]
fn what_has_no_sku_of_its_own_is_told() {
    assert!(matches!(product(&article(json!({"sku": " "})), &[], &words(&[])), Err(Error::Rejected(_))));
    let parent = article(json!({"type": "variable"}));
    let inherits = article(json!({"id": 6, "type": "variation"}));
    assert!(matches!(product(&parent, &[inherits], &words(&[])), Err(Error::Rejected(_))));
}

#[test]
fn weights_go_there_and_back() {
    let weight: Decimal = "0.5".parse().unwrap();
    for unit in [WeightUnit::Kg, WeightUnit::G, WeightUnit::Lbs, WeightUnit::Oz] {
        assert_eq!(in_kg(of_kg(weight, unit), unit).round_dp(4), weight, "{unit:?}");
    }
}
