use super::super::sample;
use super::*;
use crate::model::{Facets, Link, Op};

fn level(item: &str, quantity: serde_json::Value) -> Record {
    Record {
        kind: Kind::Stock,
        op: Op::Update,
        item: item.into(),
        marker: None,
        remote: Some(crate::model::RemoteRef::new("78")),
        of: Some(Link { id: Some("78".into()), key: "SKU-1".into() }),
        keys: Vec::new(),
        facets: Facets::from([("stock:main".into(), serde_json::json!({"quantity": quantity}))]),
        variants: Vec::new(),
        parts: Vec::new(),
        updated: None,
        as_of: None,
    }
}

#[test]
fn what_cannot_be_written_is_named_and_the_rest_goes() {
    let mut stranger = level("c", "1".into());
    stranger.kind = Kind::Price;
    let records = [level("a", "5".into()), level("b", "five".into()), stranger];
    let (batch, failed) = offer(Kind::Stock, &records, &Lent::new());
    let wr::Records::Stock(batch) = batch else { panic!("{batch:?}") };
    assert_eq!(batch.iter().map(|level| level.head.item.as_str()).collect::<Vec<_>>(), ["a"]);
    let failed: Vec<_> = failed.iter().map(|(item, error)| (item.as_str(), error.path.as_str())).collect();
    assert_eq!(failed, [("b", "stock:main"), ("c", "")]);
}

#[test]
fn contents_are_found_in_products_and_variants() {
    let media = serde_json::json!([{"key": "1", "blob": "aa"}, {"key": "2", "url": "https://x.example/2"}]);
    let mut record = level("a", "5".into());
    record.facets.insert("media".into(), media);
    record.variants.push(crate::model::VariantRecord {
        remote: None,
        sku: "S".into(),
        keys: Vec::new(),
        facets: Facets::from([("media".into(), serde_json::json!([{"key": "3", "blob": "bb"}]))]),
    });
    assert_eq!(contents_of(&[record]), ["aa", "bb"]);
}

#[test]
fn a_picture_that_nobody_has_keeps_its_address() {
    let mut record = level("a", "5".into());
    record.kind = Kind::Category;
    record.facets = Facets::from([(
        "media".into(),
        serde_json::json!([{"key": "1", "blob": "none", "url": "https://x.example/1"}, {"key": "2", "blob": "c0ffee"}]),
    )]);
    let (batch, failed) = offer(Kind::Category, &[record], &sample::lent());
    let wr::Records::Categories(batch) = batch else { panic!("{batch:?}") };
    assert!(failed.is_empty());
    let pictures = batch[0].pictures.as_ref().unwrap();
    assert!(pictures[0].content.blob.is_none() && pictures[0].content.url.is_some());
    assert_eq!(pictures[1].content.blob.as_ref().unwrap().id, "blob-1");
}
