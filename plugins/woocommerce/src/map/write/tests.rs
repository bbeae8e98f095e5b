use serde_json::json;
use tradepost_sdk::catalog::{Choice, Content};
use tradepost_sdk::head::{Head, Op};
use tradepost_sdk::types::Text;

use super::*;

fn text(language: &str, name: &str) -> Texts {
    Texts {
        language: language.into(),
        name: name.into(),
        short_html: None,
        long_html: None,
        slug: None,
        meta_title: None,
        meta_description: None,
        keywords: Vec::new(),
    }
}

fn attribute(name: &str, value: &str, unit: Option<&str>) -> Attribute {
    Attribute { name: name.into(), value: value.into(), language: None, unit: unit.map(Into::into) }
}

fn product(attributes: Option<Vec<Attribute>>, variants: Option<Vec<Variant>>) -> Product {
    let head =
        Head { op: Op::Update, item: String::new(), marker: None, remote: None, parts: Vec::new(), updated: None };
    Product {
        head,
        base: None,
        texts: Vec::new(),
        pictures: None,
        categories: None,
        attributes,
        variants,
        extra: Vec::new(),
    }
}

fn there() -> Article {
    serde_json::from_value(json!({"id": 5, "date_on_sale_from_gmt": null, "attributes": [
        {"id": 3, "name": "Farbe", "variation": true, "visible": true, "options": ["rot"]},
        {"id": 0, "name": "Material", "variation": false, "visible": false, "options": ["Ton"]}]}))
    .unwrap()
}

#[test]
fn texts_of_the_language_or_the_only_ones() {
    let both = [text("en", "Cup"), text("de-AT", "Häferl")];
    assert_eq!(texts(&both, "de").unwrap().name, "Häferl");
    assert_eq!(texts(&both, "fr"), None);
    assert_eq!(texts(&both[..1], "fr").unwrap().name, "Cup");
}

#[test]
fn a_list_of_attributes_keeps_what_was_not_handed_over() {
    assert_eq!(attributes(&product(None, None), Some(&there()), "de"), None);
    let rows =
        attributes(&product(Some(vec![attribute("Inhalt", "3", Some("l"))]), None), Some(&there()), "de").unwrap();
    assert_eq!((&rows[0]["id"], &rows[0]["options"]), (&json!(3), &json!(["rot"])));
    assert_eq!((&rows[1]["name"], &rows[1]["options"]), (&json!("Inhalt"), &json!(["3 l"])));
    assert_eq!(rows.as_array().unwrap().len(), 2);
    let blue = Variant {
        remote: None,
        sku: "B".into(),
        gtin: None,
        mpn: None,
        active: true,
        tax_class: None,
        tax_percent: None,
        choices: vec![Choice {
            axis: "colour".into(),
            value: "blue".into(),
            names: vec![Text { language: "de".into(), value: "Farbe".into() }],
            values: vec![Text { language: "de".into(), value: "blau".into() }],
        }],
        weight_kg: None,
        pictures: None,
        extra: Vec::new(),
    };
    let rows = attributes(&product(None, Some(vec![blue])), Some(&there()), "de").unwrap();
    assert_eq!((&rows[0]["id"], &rows[0]["options"]), (&json!(3), &json!(["blau"])));
    assert_eq!((&rows[1]["name"], &rows[1]["visible"]), (&json!("Material"), &json!(false)));
}

#[test]
fn a_picture_is_named_by_its_number_or_its_address() {
    let medium = |key: &str, url: Option<&str>| Medium {
        key: key.into(),
        content: Content { blob: None, url: url.map(Into::into) },
        title: Vec::new(),
    };
    let parts = [Part { what: PartKind::Picture, key: "a".into(), id: "8".into() }];
    let mut warnings = Vec::new();
    let media = [medium("a", Some("https://x/a")), medium("b", None), medium("c", Some("https://x/c"))];
    let (rows, keys) = pictures(&media, &parts, "pictures", &mut warnings);
    assert_eq!(rows, [json!({"id": 8}), json!({"src": "https://x/c"})]);
    assert_eq!(keys, ["a", "c"]);
    assert_eq!(warnings[0].path, "pictures[1]");
}

#[test]
fn half_a_piece_cannot_be_sold() {
    assert_eq!(["3", "2.9", "-0.5"].map(|text| pieces(text).unwrap()), [3, 2, -1]);
    assert_eq!(price(Some(&"9.90".to_owned())).unwrap(), "9.9");
    assert_eq!(price(None).unwrap(), "");
}
