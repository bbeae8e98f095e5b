use super::super::sample;
use super::super::wit::tradepost::connector::{catalog as wc, types as wt};
use super::*;

fn level(id: &str, quantity: &str) -> wc::StockLevel {
    wc::StockLevel {
        head: super::super::wit::tradepost::connector::head::Head {
            remote: Some(sample::remote(id)),
            ..sample::head()
        },
        variant: sample::link(id, "SKU-1"),
        warehouse: "main".into(),
        quantity: quantity.into(),
        unlimited: false,
        taken: None,
    }
}

fn stock(levels: Vec<wc::StockLevel>) -> xs::Page {
    xs::Page {
        records: vec![wr::Records::Stock(levels)],
        deleted: Vec::new(),
        unreadable: Vec::new(),
        present: Vec::new(),
        next: Some("page 2".into()),
        watermark: Some("2026-11-22T08:00:00Z".into()),
        receipt: Some("batch 1".into()),
        total: Some(3),
    }
}

#[test]
fn one_bad_record_is_kept_raw_and_never_stops_the_others() {
    let levels = vec![level("1", "5"), level("2", "five"), level("3", "7")];
    let page = page(Kind::Stock, stock(levels), &sample::reading()).unwrap();
    let ids: Vec<_> = page.records.iter().map(|record| record.remote.as_ref().unwrap().id.as_str()).collect();
    assert_eq!(ids, ["1", "3"]);
    let [bad] = &page.unreadable[..] else { panic!("{:?}", page.unreadable) };
    assert_eq!(bad.id.as_deref(), Some("2"));
    assert!(bad.raw.contains("five"), "{}", bad.raw);
    assert_eq!(bad.why, "quantity: `five` is not a decimal number of the contract");
    assert_eq!((page.next.as_deref(), page.receipt.as_deref(), page.total), (Some("page 2"), Some("batch 1"), Some(3)));
}

#[test]
fn deletions_and_listings_with_unusable_ids_are_kept_raw_too() {
    let empty = || wt::RemoteRef { id: String::new(), parent: None, version: None };
    let all = xs::Page {
        deleted: vec![
            wr::Deletion { remote: sample::remote("1"), at: None },
            wr::Deletion { remote: empty(), at: None },
        ],
        present: vec![
            wr::Present { remote: sample::remote("2"), marker: Some(String::new()), key: Some("SKU-2".into()) },
            wr::Present { remote: empty(), marker: None, key: None },
        ],
        unreadable: vec![wr::Unreadable { id: None, raw: "x".repeat(100_000), why: "XML".into() }],
        ..stock(Vec::new())
    };
    assert_eq!(items_of(&all), 5);
    let page = page(Kind::Stock, all, &sample::reading()).unwrap();
    assert_eq!((page.deleted.len(), page.present.len(), page.unreadable.len()), (1, 1, 3));
    assert_eq!((page.present[0].marker.as_ref(), page.present[0].key.as_deref()), (None, Some("SKU-2")));
    assert!(page.unreadable[0].raw.len() <= RAW + 4);
}

#[test]
fn a_page_that_breaks_the_contract_is_refused_as_a_whole() {
    let reading = sample::reading();
    let path = |asked, read| page(asked, read, &reading).unwrap_err().path;
    assert_eq!(path(Kind::Price, stock(Vec::new())), "records", "another kind");
    let events = xs::Page { records: vec![wr::Records::OrderEvents(Vec::new())], ..stock(Vec::new()) };
    assert_eq!(path(Kind::OrderEvent, events), "records");
    assert_eq!(path(Kind::Stock, xs::Page { next: Some("x".repeat(4097)), ..stock(Vec::new()) }), "next");
    assert_eq!(path(Kind::Stock, xs::Page { receipt: Some("x".repeat(4097)), ..stock(Vec::new()) }), "receipt");
    assert_eq!(path(Kind::Stock, xs::Page { watermark: Some("now".into()), ..stock(Vec::new()) }), "watermark");
}

#[test]
fn requests_are_passed_on() {
    let request = |scope| PullRequest { kind: Kind::Order, scope, cursor: Some("c".into()), limit: 5000 };
    let until = "2026-11-22T08:00:00Z".parse().unwrap();
    let asked = pull_request(&request(Scope::Changed { since: None, until }));
    assert_eq!((asked.kind, asked.limit, asked.cursor.as_deref()), (wr::Kind::Order, 1000, Some("c")));
    let window = xs::Window { since: None, until: "2026-11-22T08:00:00Z".into() };
    assert_eq!(asked.scope, xs::Scope::Changed(window));
    assert_eq!(pull_request(&request(Scope::Ids(vec!["7".into()]))).scope, xs::Scope::Ids(vec!["7".into()]));
    assert_eq!(pull_request(&request(Scope::Present)).scope, xs::Scope::Present);
}

#[test]
fn every_kind_has_one_name_on_both_sides() {
    for model in Kind::ALL {
        assert_eq!(from_kind(kind(*model)), *model);
    }
}

#[test]
fn matches_answer_their_probes_or_prove_nothing() {
    let hit = |id: &str| xt::Found { remote: sample::remote(id), marker: None, whole: true, parts: Vec::new() };
    let matches = found(2, vec![vec![hit("1"), hit("2")], Vec::new()]).unwrap();
    assert_eq!(matches.iter().map(Vec::len).collect::<Vec<_>>(), [2, 0]);
    assert!(found(2, vec![vec![hit("1")]]).is_err(), "one answer to two probes");
    assert_eq!(found(1, vec![vec![hit("")]]).unwrap_err().path, "found[0].matches[0].remote.id");
}

#[test]
fn blobs_of_a_page_are_found_wherever_pictures_are() {
    let category = wc::Category {
        head: sample::head(),
        base: None,
        texts: Vec::new(),
        pictures: Some(sample::pictures()),
        extra: Vec::new(),
    };
    let page = xs::Page { records: vec![wr::Records::Categories(vec![category])], ..stock(Vec::new()) };
    assert_eq!(blobs_of(&page), ["blob-1"]);
}
