use std::collections::HashMap;

use serde_json::json;

use super::*;
use crate::ledger::record::{RecordState, StoredFacet};
use crate::model::FacetPattern;
use crate::model::Rev;
use crate::model::catalog::{Price, TaxBasis};
use crate::model::description::{Channel, Environment};
use crate::model::policy::PriceRule;
use crate::sync::fake::{dec, key, time};

const HERE: PlatformId = PlatformId(1);
const ERP: PlatformId = PlatformId(2);

#[derive(Default)]
struct Hub {
    links: HashMap<(RecordKind, String), Resolved>,
    remotes: HashMap<RecordId, RemoteRef>,
    contents: HashMap<String, String>,
    own: Vec<&'static str>,
}

impl Lookup for Hub {
    fn resolve(&self, _: Option<PlatformId>, kind: RecordKind, link: &Link) -> Result<Resolved, LedgerError> {
        Ok(self.links.get(&(kind, link.key.clone())).cloned().unwrap_or(Resolved::Unknown))
    }

    fn remote(&self, _: RecordKind, record: RecordId) -> Result<Option<RemoteRef>, LedgerError> {
        Ok(self.remotes.get(&record).cloned())
    }

    fn content(&self, _: PlatformId, url: &str) -> Result<Option<String>, LedgerError> {
        Ok(self.contents.get(url).cloned())
    }

    fn is_own(&self, _: RecordKind, key: &FacetKey, _: Option<PlatformId>) -> bool {
        self.own.contains(&key.as_str())
    }
}

fn facet(body: Value, from: PlatformId) -> StoredFacet {
    StoredFacet { hash: Hash::of(&body), body, rev: Rev(1), as_of: None, from: Some(from) }
}

fn record(id: i64, kind: RecordKind, facets: &[(&str, Value)]) -> StoredRecord {
    StoredRecord {
        id: RecordId(id),
        kind,
        origin: Some(ERP),
        state: RecordState::Active,
        merged_into: None,
        product: None,
        facets: facets.iter().map(|(name, body)| (key(name), facet(body.clone(), ERP))).collect(),
        rev: Rev(1),
        created_at: time("2026-11-22T10:00:00Z"),
    }
}

fn writing(facets: &[&str]) -> Writing {
    Writing { facets: facets.iter().map(|facet| FacetPattern((*facet).into())).collect(), ..Writing::default() }
}

fn account(channels: &[(&str, &str, TaxBasis)]) -> Account {
    let channel = |(id, currency, basis): &(&str, &str, TaxBasis)| Channel {
        id: (*id).into(),
        name: (*id).into(),
        currency: (*currency).into(),
        basis: *basis,
        languages: Vec::new(),
        countries: Vec::new(),
        zone: "Europe/Berlin".into(),
    };
    Account {
        id: "a".into(),
        name: "a".into(),
        environment: Environment::Test,
        zone: "Europe/Berlin".into(),
        now: None,
        channels: channels.iter().map(channel).collect(),
        warehouses: Vec::new(),
    }
}

fn projected(
    policy: &Policy,
    writing: &Writing,
    hub: &Hub,
    record: &StoredRecord,
    variants: &[StoredRecord],
) -> Projected {
    let target = Target { platform: HERE, policy, account: None, writing, now: time("2026-11-22T10:00:00Z") };
    project(&target, hub, record, variants).unwrap()
}

fn keys(projected: &Projected) -> Vec<&str> {
    projected.facets.keys().map(FacetKey::as_str).collect()
}

#[test]
fn only_foreign_facets_that_can_be_written_are_projected() {
    let mut product = record(
        1,
        RecordKind::Product,
        &[
            ("head", json!({"form": "goods", "active": true})),
            ("texts:de", json!({"name": "Tasse"})),
            ("texts:en", json!({"name": "mug"})),
            ("attributes", json!([])),
        ],
    );
    product.facets.insert(key("texts:hu"), facet(json!({"name": "bögre"}), HERE));
    let all = writing(&["*"]);
    let hub = Hub { own: vec!["texts:en"], ..Hub::default() };
    let found = projected(&Policy::default(), &all, &hub, &product, &[]);
    assert_eq!(keys(&found), ["attributes", "head", "texts:de"], "neither its own value nor one that it owns");
    let some = writing(&["head", "texts:*"]);
    let renaming = Policy { languages: [("de-AT".to_owned(), "de".to_owned())].into(), ..Policy::default() };
    let found = projected(&renaming, &some, &Hub::default(), &product, &[]);
    assert_eq!(keys(&found), ["head", "texts:de-AT"]);
}

#[test]
fn what_the_target_owns_is_sent_to_begin_with_where_the_policy_says_so() {
    let product = record(1, RecordKind::Product, &[("head", json!({})), ("texts:en", json!({"name": "mug"}))]);
    let words = FacetsOf { record: RecordKind::Product, facet: FacetPattern("texts:*".into()) };
    let beginning = Policy { only_at_create: vec![words], ..Policy::default() };
    let own = || Hub { own: vec!["texts:en"], ..Hub::default() };
    let all = writing(&["*"]);
    assert_eq!(keys(&projected(&beginning, &all, &own(), &product, &[])), ["head", "texts:en"]);
    assert_eq!(keys(&projected(&Policy::default(), &all, &own(), &product, &[])), ["head"]);
    let there = Hub { remotes: [(RecordId(1), RemoteRef::new("7"))].into(), ..own() };
    assert_eq!(keys(&projected(&beginning, &all, &there, &product, &[])), ["head"]);
}

#[test]
fn links_are_resolved_awaited_or_left_out() {
    let link = |key: &str| json!({"id": format!("erp-{key}"), "key": key});
    let product =
        record(1, RecordKind::Product, &[("categories", json!([link("there"), link("known"), link("nobody")]))]);
    let of = |key: &str| (RecordKind::Category, key.to_owned());
    let hub = Hub {
        links: [(of("there"), Resolved::There(RemoteRef::new("c7"))), (of("known"), Resolved::Known(RecordId(9)))]
            .into(),
        ..Hub::default()
    };
    let all = writing(&["*"]);
    let found = projected(&Policy::default(), &all, &hub, &product, &[]);
    assert_eq!(found.facets[&key("categories")], json!([{"id": "c7", "key": "there"}]));
    assert_eq!(found.missing, [], "categories do not come up here");
    let creating = Policy { pushes: vec![Kind::Category], create_on: vec![RecordKind::Category], ..Policy::default() };
    let found = projected(&creating, &all, &hub, &product, &[]);
    assert_eq!(found.missing, [Missing::Link { kind: RecordKind::Category, record: RecordId(9) }]);
}

#[test]
fn variants_travel_with_their_product() {
    let product = record(1, RecordKind::Product, &[("grouping", json!(["B", "A"]))]);
    let variant = |id, sku: &str| {
        record(
            id,
            RecordKind::Variant,
            &[("head", json!({"sku": sku, "active": true, "tax_class": "Accounting 19", "tax_percent": "19"}))],
        )
    };
    let hub = Hub { remotes: [(RecordId(2), RemoteRef::new("v2"))].into(), ..Hub::default() };
    let variants = [variant(2, "B"), variant(3, "A")];
    let found = projected(&Policy::default(), &writing(&["*"]), &hub, &product, &variants);
    let skus: Vec<_> = found.variants.iter().map(|(_, v)| (v.sku.as_str(), v.remote.is_some())).collect();
    assert_eq!(skus, [("A", false), ("B", true)]);
    assert_eq!(found.variants[0].1.facets[&key("head")].get("tax_class"), None, "a name of the source's own");
    let before = found.hashes()[&grouping()];
    let mut renamed = variants.clone();
    renamed[0].facets.insert(key("head"), facet(json!({"sku": "B", "active": false}), ERP));
    let after = projected(&Policy::default(), &writing(&["*"]), &hub, &product, &renamed).hashes()[&grouping()];
    assert_ne!(before, after, "a variant's change is the grouping's");
    let linked = Hub::default();
    let other = projected(&Policy::default(), &writing(&["*"]), &linked, &product, &variants).hashes()[&grouping()];
    assert_eq!(before, other, "a link that came about is no change");
}

#[test]
fn pictures_need_their_bytes() {
    let product = record(
        1,
        RecordKind::Product,
        &[("media", json!([{"key": "1", "url": "https://erp/1.png"}, {"key": "2", "url": "https://erp/2.png"}]))],
    );
    let mut hub = Hub { contents: [("https://erp/1.png".to_owned(), "c1".to_owned())].into(), ..Hub::default() };
    let found = projected(&Policy::default(), &writing(&["*"]), &hub, &product, &[]);
    assert_eq!(found.missing, [Missing::Content { from: ERP, url: "https://erp/2.png".into() }]);
    hub.contents.insert("https://erp/2.png".into(), "c2".into());
    let found = projected(&Policy::default(), &writing(&["*"]), &hub, &product, &[]);
    assert_eq!(found.facets[&key("media")], json!([{"key": "1", "blob": "c1"}, {"key": "2", "blob": "c2"}]));
    assert_eq!(found.missing, []);
}

fn price(amount: &str, basis: TaxBasis, window: (Option<&str>, Option<&str>)) -> Value {
    crate::sync::fake::body(&Price {
        currency: "EUR".into(),
        basis,
        amount: Some(dec(amount)),
        valid_from: window.0.map(time),
        valid_to: window.1.map(time),
    })
}

#[test]
fn prices_by_table() {
    use TaxBasis::{Gross, Net};
    let none = (None, None);
    type Case<'a> = (
        &'a str,
        Vec<(&'a str, Value)>,
        Option<&'a str>,
        TaxBasis,
        Vec<PriceRule>,
        &'a [&'a str],
        Vec<(&'a str, &'a str)>,
    );
    let both: &[&str] = &["price:*"];
    let base: &[&str] = &["price:base:*"];
    let cases: Vec<Case<'_>> = vec![
        (
            "net to gross",
            vec![("price:base:erp", price("16.80", Net, none))],
            Some("19"),
            Gross,
            vec![],
            both,
            vec![("price:base:web", "19.99")],
        ),
        (
            "half a cent away from zero",
            vec![("price:base:erp", price("23.36", Net, none))],
            Some("7"),
            Gross,
            vec![],
            both,
            vec![("price:base:web", "25")],
        ),
        (
            "gross to net",
            vec![("price:base:erp", price("19.99", Gross, none))],
            Some("19"),
            Net,
            vec![],
            both,
            vec![("price:base:web", "16.8")],
        ),
        (
            "the same basis needs no tax",
            vec![("price:base:erp", price("5.00", Net, none))],
            None,
            Net,
            vec![],
            both,
            vec![("price:base:web", "5")],
        ),
        ("no tax known", vec![("price:base:erp", price("5.00", Net, none))], None, Gross, vec![], both, vec![]),
        (
            "by rule",
            vec![("price:base:erp", price("1", Net, none)), ("price:base:b2b", price("2", Net, none))],
            None,
            Net,
            vec![PriceRule { channel: "web".into(), from: "b2b".into() }],
            both,
            vec![("price:base:web", "2")],
        ),
        (
            "two channels and no rule say nothing",
            vec![("price:base:erp", price("1", Net, none)), ("price:base:b2b", price("2", Net, none))],
            None,
            Net,
            vec![],
            both,
            vec![],
        ),
        (
            "a special price where it is known",
            vec![("price:base:erp", price("8", Net, none)), ("price:special:erp:10", price("6", Net, none))],
            None,
            Net,
            vec![],
            both,
            vec![("price:base:web", "8"), ("price:special:web:10", "6")],
        ),
        (
            "the price of the hour where it is not",
            vec![("price:base:erp", price("8", Net, none)), ("price:special:erp:1", price("6", Net, none))],
            None,
            Net,
            vec![],
            base,
            vec![("price:base:web", "6")],
        ),
        (
            "a price from ten pieces is nobody's price of the hour",
            vec![("price:base:erp", price("8", Net, none)), ("price:special:erp:10", price("6", Net, none))],
            None,
            Net,
            vec![],
            base,
            vec![("price:base:web", "8")],
        ),
    ];
    for (name, facets, percent, basis, rules, can, expected) in cases {
        let stored: BTreeMap<FacetKey, StoredFacet> =
            facets.into_iter().map(|(name, body)| (key(name), facet(body, ERP))).collect();
        let source = PriceSource { facets: stored.iter().collect(), tax_percent: percent.map(dec) };
        let policy = Policy { prices: rules, ..Policy::default() };
        let account = account(&[("web", "EUR", basis)]);
        let writing = writing(can);
        let now = time("2026-11-22T10:00:00Z");
        let target = Target { platform: HERE, policy: &policy, account: Some(&account), writing: &writing, now };
        let found = prices(&target, &source).unwrap();
        let amounts: Vec<(&str, &str)> =
            found.facets.iter().map(|(key, body)| (key.as_str(), body["amount"].as_str().unwrap())).collect();
        assert_eq!(amounts, expected, "{name}");
    }
}

#[test]
fn foreign_currencies_are_left_out_with_the_reason() {
    let stored = [(key("price:base:erp"), facet(price("1", TaxBasis::Net, (None, None)), ERP))];
    let source = PriceSource { facets: stored.iter().map(|(key, facet)| (key, facet)).collect(), tax_percent: None };
    let (policy, writing) = (Policy::default(), writing(&["*"]));
    let account = account(&[("ch", "CHF", TaxBasis::Net)]);
    let now = time("2026-11-22T10:00:00Z");
    let target = Target { platform: HERE, policy: &policy, account: Some(&account), writing: &writing, now };
    let found = prices(&target, &source).unwrap();
    assert!(found.facets.is_empty());
    assert!(found.left_out[0].1.contains("CHF"), "{:?}", found.left_out);
}

#[test]
fn the_next_edge_is_the_nearest_that_comes() {
    let (from, to) = ("2026-11-27T00:00:00Z", "2026-12-01T00:00:00Z");
    let special = price("6", TaxBasis::Net, (Some(from), Some(to)));
    let stored = [
        (key("price:base:erp"), facet(price("8", TaxBasis::Net, (None, None)), ERP)),
        (key("price:special:erp:1"), facet(special, ERP)),
    ];
    let (policy, writing) = (Policy::default(), writing(&["price:base:*"]));
    let account = account(&[("web", "EUR", TaxBasis::Net)]);
    for (now, amount, edge) in [
        ("2026-11-22T10:00:00Z", "8", Some(from)),
        ("2026-11-27T00:00:00Z", "6", Some(to)),
        ("2026-12-01T00:00:00Z", "8", None),
    ] {
        let source =
            PriceSource { facets: stored.iter().map(|(key, facet)| (key, facet)).collect(), tax_percent: None };
        let target =
            Target { platform: HERE, policy: &policy, account: Some(&account), writing: &writing, now: time(now) };
        let found = prices(&target, &source).unwrap();
        assert_eq!(found.facets[&key("price:base:web")]["amount"], amount, "{now}");
        assert_eq!(found.next_edge, edge.map(time), "{now}");
    }
}
