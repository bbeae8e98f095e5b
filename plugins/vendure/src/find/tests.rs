use tradepost_sdk::types::Field;

use super::*;
use crate::api::tests::{Scripted, fixture};

fn probe(item: &str, keys: &[(&str, &str)], of: Option<&str>) -> Probe {
    Probe {
        item: item.into(),
        marker: None,
        of: of.map(|id| remote(id, None)),
        keys: keys.iter().map(|(name, value)| Field::new(*name, *value)).collect(),
    }
}

fn product(id: &str, slug: &str, skus: &[&str]) -> Value {
    let variants: Vec<Value> = skus.iter().map(|sku| json!({"id": format!("v-{sku}"), "sku": sku})).collect();
    json!({"id": id, "translations": [{"slug": slug}], "variants": variants})
}

#[test]
fn products_are_found_by_any_number_and_half_made_ones_by_their_item() {
    let half = making_slug("item-2");
    let host = Scripted::new(move |_, variables| {
        assert_eq!(variables["variants"]["filter"]["sku"]["in"], json!(["A", "B", "C", "D"]));
        assert_eq!(variables["products"]["filter"]["_or"][1]["slug"]["contains"], half.as_str());
        json!({
            "products": {"items": [product("2", &half, &[])]},
            "productVariants": {"items": [
                {"product": product("1", "shirt", &["A", "B"])},
                {"product": product("1", "shirt", &["A", "B"])},
                {"product": product("3", "other", &["B"])},
            ]},
        })
    });
    let probes = [
        probe("item-1", &[("sku", "A"), ("sku", "B")], None),
        probe("item-2", &[("sku", "C")], None),
        probe("item-3", &[("sku", "D")], None),
    ];
    let found = find(&Shop::new(&host).unwrap(), Kind::Product, &probes).unwrap();
    let ids = |at: usize| found[at].iter().map(|one| (one.remote.id.as_str(), one.whole)).collect::<Vec<_>>();
    assert_eq!(ids(0), [("1", true), ("3", true)], "two matches are for a person");
    assert_eq!(ids(1), [("2", false)]);
    assert_eq!(ids(2), []);
    assert_eq!(found[0][0].parts.len(), 2);
    assert_eq!(host.reads.borrow().len(), 1);
}

#[test]
fn customers_are_found_whatever_the_case() {
    let host = Scripted::new(|_, _| json!({"customers": {"items": fixture("customers")}}));
    let probes = [probe("", &[("email", "Zoe@Example.com")], None), probe("", &[("email", "x@example.com")], None)];
    let found = find(&Shop::new(&host).unwrap(), Kind::Customer, &probes).unwrap();
    assert_eq!((found[0][0].remote.id.as_str(), found[1].len()), ("1", 0));
}

#[test]
fn categories_are_found_by_the_key_that_their_address_is_made_of() {
    let host = Scripted::new(|_, variables| {
        assert_eq!(variables["options"]["filter"]["slug"]["in"], json!(["Mugs & Cups", "mugs-cups"]));
        json!({"collections": {"items": [{"id": "3", "slug": "mugs-cups"}, {"id": "4", "slug": "mugs"}]}})
    });
    let found = find(&Shop::new(&host).unwrap(), Kind::Category, &[probe("", &[("category", "Mugs & Cups")], None)]);
    let ids: Vec<String> = found.unwrap().remove(0).into_iter().map(|one| one.remote.id).collect();
    assert_eq!(ids, ["3"]);
}

#[test]
fn shipments_are_found_by_their_tracking_codes() {
    let host = Scripted::new(|_, _| json!({"orders": {"items": fixture("fulfilments")}}));
    let probes = [
        probe("", &[("tracking", "00341"), ("tracking", "00342")], Some("1")),
        probe("", &[("tracking", "00341"), ("tracking", "00399")], Some("1")),
        probe("", &[("tracking", "00341")], Some("3")),
        probe("", &[], Some("1")),
    ];
    let found = find(&Shop::new(&host).unwrap(), Kind::Shipment, &probes).unwrap();
    assert_eq!((found[0][0].remote.id.as_str(), found[0][0].whole, found[0][0].parts.len()), ("1/1", true, 2));
    assert!(!found[1][0].whole, "one of two parcels is not the whole");
    assert!(found[2].is_empty() && found[3].is_empty());
}

#[test]
fn events_are_found_where_they_were_applied() {
    let host = Scripted::new(|_, _| {
        json!({"orders": {"items": [{"id": "5", "state": "PaymentSettled", "currencyCode": "EUR",
            "payments": [{"id": "8", "state": "Settled", "amount": 1, "refunds": []}], "fulfillments": [],
            "history": {"items": [{"type": "ORDER_NOTE", "data": {"note": "Order number: SO-7"}}]}}]}})
    });
    let asked =
        [("paid", "", 1), ("numbered", "SO-7", 1), ("numbered", "SO-8", 0), ("cancelled", "", 0), ("completed", "", 0)];
    let probes: Vec<Probe> =
        asked.iter().map(|(event, number, _)| probe("i", &[("event", event), ("number", number)], Some("5"))).collect();
    let found = find(&Shop::new(&host).unwrap(), Kind::OrderEvent, &probes).unwrap();
    for (at, (event, number, times)) in asked.iter().enumerate() {
        assert_eq!(found[at].len(), *times, "{event} {number}");
    }
}
