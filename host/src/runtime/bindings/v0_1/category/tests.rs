use super::super::sample;
use super::*;
use crate::model::Key;

fn category() -> wc::Category {
    wc::Category {
        head: sample::head(),
        base: Some(wc::CategoryBase {
            key: "chairs".into(),
            parent: Some(sample::link("3", "furniture")),
            active: true,
            position: Some(-2),
        }),
        texts: vec![sample::texts("de"), sample::texts("en")],
        pictures: Some(sample::pictures()),
        extra: sample::extra(),
    }
}

#[test]
fn a_category_survives_the_way_through_the_hub() {
    let record = read(category(), &sample::reading()).unwrap();
    let facets: Vec<_> = record.facets.keys().map(FacetKey::as_str).collect();
    assert_eq!(facets, ["head", "media", "texts:de", "texts:en"]);
    assert_eq!(record.keys, [Key { kind: KeyType::Category, value: "chairs".into() }]);
    assert_eq!(record.facets[&"media".into()][0]["blob"], "c0ffee", "the hub knows pictures by content");
    let written = write(&sample::pushed(record), &sample::lent()).unwrap();
    assert_eq!(written, wc::Category { head: sample::pushed_head(), ..category() });
}

#[test]
fn absent_facets_stay_absent() {
    let category = wc::Category { base: None, texts: Vec::new(), pictures: None, extra: Vec::new(), ..category() };
    let record = read(category.clone(), &sample::reading()).unwrap();
    assert!(record.facets.is_empty() && record.keys.is_empty());
    assert_eq!(
        write(&sample::pushed(record), &sample::lent()).unwrap(),
        wc::Category { head: sample::pushed_head(), ..category }
    );
}

#[test]
fn what_the_contract_forbids_is_found_with_its_path() {
    type Harm = fn(&mut wc::Category);
    let harms: [(&str, Harm); 6] = [
        ("head.remote", |c| c.head.remote = None),
        ("head.remote.id", |c| c.head.remote.as_mut().unwrap().id = String::new()),
        ("head.updated", |c| c.head.updated = Some("yesterday".into())),
        ("texts[1].language", |c| c.texts[1].language = "de".into()),
        ("pictures[0].content.blob", |c| {
            c.pictures.as_mut().unwrap()[0].content.blob.as_mut().unwrap().id = "another platform's".into();
        }),
        ("pictures[1].content", |c| c.pictures.as_mut().unwrap()[1].content.url = None),
    ];
    for (path, harm) in harms {
        let mut category = category();
        harm(&mut category);
        assert_eq!(read(category, &sample::reading()).unwrap_err().path, path);
    }
}
