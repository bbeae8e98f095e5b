use std::cell::RefCell;
use std::rc::Rc;

use tradepost_sdk::source::Window;

use super::*;
use crate::api::tests::{Scripted, fixture};

/// A shop whose customers come and go between the pages.
fn customers(there: Rc<RefCell<Vec<u64>>>) -> Scripted {
    let person = fixture("customers")[0].clone();
    Scripted::new(move |document, variables| {
        assert!(document.contains("customers(options:$options)"));
        let options = &variables["options"];
        let (skip, take) = (options["skip"].as_u64().unwrap() as usize, options["take"].as_u64().unwrap() as usize);
        let there = there.borrow();
        let items: Vec<Value> = there
            .iter()
            .skip(skip)
            .take(take)
            .map(|id| {
                let mut one = person.clone();
                one["id"] = json!(id.to_string());
                one
            })
            .collect();
        json!({"customers": {"totalItems": there.len(), "items": items}})
    })
}

fn request(kind: Kind, scope: Scope, cursor: Option<String>, limit: u32) -> Request {
    Request { kind, scope, cursor, limit }
}

fn everything() -> Scope {
    Scope::Changed(Window { since: None, until: "2026-11-22T17:00:00Z".into() })
}

fn since() -> Scope {
    Scope::Changed(Window { since: Some("2026-11-22T17:00:00Z".into()), until: "2026-11-22T17:30:00Z".into() })
}

/// Reads to the end; `between` is called after each page.
fn read_all(host: &Scripted, mut between: impl FnMut(usize)) -> Vec<String> {
    let shop = Shop::new(host).unwrap();
    let (mut cursor, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = pull(&shop, &request(Kind::Customer, everything(), cursor, 20)).unwrap();
        for records in &page.records {
            let Records::Customers(all) = records else { panic!() };
            seen.extend(all.iter().map(|one| one.head.remote.as_ref().unwrap().id.clone()));
        }
        pages += 1;
        assert!(pages < 50, "the reading comes to an end");
        between(pages);
        match page.next {
            Some(next) => cursor = Some(next),
            None => {
                assert_eq!(
                    page.watermark.as_deref(),
                    Some("2026-11-22T16:55:09Z"),
                    "the shop's clock at the first page"
                );
                return seen;
            }
        }
    }
}

#[test]
fn pages_give_every_record_once() {
    let there = Rc::new(RefCell::new((1..=105).collect::<Vec<u64>>()));
    let seen = read_all(&customers(there), |_| {});
    assert_eq!(seen, (1..=105).map(|id: u64| id.to_string()).collect::<Vec<_>>());
}

#[test]
fn records_that_vanish_between_pages_make_no_gap() {
    let there = Rc::new(RefCell::new((1..=105).collect::<Vec<u64>>()));
    let changing = there.clone();
    // Three of those that were seen go after every page, the last seen one among them.
    let seen = read_all(&customers(there), move |page| {
        let last = page as u64 * 20;
        changing.borrow_mut().retain(|id| ![last, last - 5, last - 11].contains(id));
    });
    for id in 1..=105 {
        let times = seen.iter().filter(|one| **one == id.to_string()).count();
        assert_eq!(times, 1, "{id}");
    }
}

#[test]
fn a_lost_place_begins_again_and_loses_nothing() {
    let there = Rc::new(RefCell::new((1..=60).collect::<Vec<u64>>()));
    let changing = there.clone();
    let seen = read_all(&customers(there), move |page| {
        if page == 1 {
            changing.borrow_mut().retain(|id| *id > 20);
        }
    });
    assert!((21..=60).all(|id: u64| seen.contains(&id.to_string())));
}

#[test]
fn a_list_that_never_stands_still_is_not_read_for_ever() {
    let others = std::cell::Cell::new(0);
    let host = Scripted::new(move |_, _| {
        others.set(others.get() + 1);
        let one = json!({"id": others.get().to_string()});
        json!({"customers": {"totalItems": 7, "items": [one]}})
    });
    let shop = Shop::new(&host).unwrap();
    let mut cursor = None;
    for _ in 0..10 {
        match pull(&shop, &request(Kind::Customer, everything(), cursor, 100)) {
            Ok(page) => cursor = Some(page.next.unwrap()),
            Err(error) => return assert!(matches!(error, Error::Unavailable(_)), "{error:?}"),
        }
    }
    panic!("still reading");
}

#[test]
fn records_that_appear_before_the_place_are_not_mistaken_for_new_ones() {
    let there = Rc::new(RefCell::new((101..=160).collect::<Vec<u64>>()));
    let changing = there.clone();
    let seen = read_all(&customers(there), move |page| {
        if page == 1 {
            changing.borrow_mut().splice(0..0, 1..=5);
        }
    });
    assert!((101..=160).all(|id: u64| seen.iter().filter(|one| **one == id.to_string()).count() == 1));
}

#[test]
fn what_cannot_be_read_is_kept_and_stops_nothing() {
    let host = Scripted::new(|_, _| {
        let mut all = fixture("customers");
        all[1] = json!({"id": "2", "emailAddress": 7});
        json!({"customers": {"totalItems": 3, "items": all}})
    });
    let page = pull(&Shop::new(&host).unwrap(), &request(Kind::Customer, everything(), None, 100)).unwrap();
    let Records::Customers(good) = &page.records[0] else { panic!() };
    assert_eq!(good.len(), 2);
    assert_eq!(page.unreadable[0].id.as_deref(), Some("2"));
    assert!(page.unreadable[0].raw.contains("\"emailAddress\":7"));
}

#[test]
fn products_are_read_again_when_only_a_variant_changed() {
    let host = Scripted::new(|document, variables| {
        let filter = &variables["options"]["filter"];
        if document.contains("productVariants(") {
            assert_eq!(filter["updatedAt"]["after"], "2026-11-22T16:59:30Z");
            return json!({"productVariants": {"totalItems": 2, "items": [
                {"id": "1", "productId": "1"}, {"id": "2", "productId": "1"}]}});
        }
        if filter["id"].is_null() {
            return json!({"products": {"totalItems": 0, "items": []}});
        }
        assert_eq!(filter["id"]["in"], json!(["1"]));
        json!({"products": {"totalItems": 1, "items": [fixture("products")[0]]}})
    });
    let shop = Shop::new(&host).unwrap();
    let first = pull(&shop, &request(Kind::Product, since(), None, 100)).unwrap();
    assert_eq!(first.watermark, None);
    let second = pull(&shop, &request(Kind::Product, since(), first.next, 100)).unwrap();
    let Records::Products(products) = &second.records[0] else { panic!() };
    assert_eq!(products.len(), 1);
    assert_eq!((second.next, second.watermark.is_some()), (None, true));
}

#[test]
fn orders_are_read_when_only_their_payment_or_fulfilment_changed() {
    let old = "2026-11-22T10:00:00Z";
    let new = "2026-11-22T17:05:00Z";
    let host = Scripted::new(move |document, variables| {
        let filter = &variables["options"]["filter"];
        assert_eq!(filter["active"]["eq"], false);
        assert_eq!(filter["type"]["notEq"], "Seller");
        if document.contains("customer{") {
            assert_eq!(filter["id"]["in"], json!(["2", "3", "4"]));
            return json!({"orders": {"items": fixture("orders")}});
        }
        assert_eq!(filter["_or"][0]["updatedAt"]["after"], "2026-11-22T16:59:30Z");
        assert_eq!(filter["_or"][1]["orderPlacedAt"]["after"], "2026-10-23T16:59:30Z");
        let order = |id: &str, updated: &str, paid: &str, sent: &str| {
            json!({"id": id, "updatedAt": updated, "orderPlacedAt": old,
                "payments": [{"updatedAt": paid, "refunds": []}], "fulfillments": [{"updatedAt": sent}]})
        };
        json!({"orders": {"totalItems": 4, "items": [
            order("1", old, old, old), order("2", new, old, old), order("3", old, new, old), order("4", old, old, new),
        ]}})
    });
    let page = pull(&Shop::new(&host).unwrap(), &request(Kind::Order, since(), None, 100)).unwrap();
    let Records::Orders(orders) = &page.records[0] else { panic!() };
    assert_eq!(orders.len(), 4, "all of the recording");
    assert_eq!(page.total, None, "the list that was scanned is not what is returned");
}

#[test]
fn ids_that_are_gone_are_deleted() {
    let host = Scripted::new(|_, variables| {
        assert_eq!(variables["options"]["filter"]["id"]["in"], json!(["1", "9"]));
        json!({"products": {"items": [fixture("products")[0]]}})
    });
    let ids = Scope::Ids(vec!["1".into(), "9".into()]);
    let page = pull(&Shop::new(&host).unwrap(), &request(Kind::Product, ids, None, 100)).unwrap();
    assert_eq!(page.deleted, [Deletion { remote: remote("9", None), at: None }]);
}

#[test]
fn shipments_are_read_by_the_ids_of_order_and_fulfilment() {
    let host = Scripted::new(|_, variables| {
        assert_eq!(variables["options"]["filter"]["id"]["in"], json!(["1", "1"]));
        json!({"orders": {"items": [fixture("fulfilments")[0]]}})
    });
    let ids = Scope::Ids(vec!["1/2".into(), "1/7".into()]);
    let page = pull(&Shop::new(&host).unwrap(), &request(Kind::Shipment, ids, None, 100)).unwrap();
    let Records::Shipments(all) = &page.records[0] else { panic!() };
    assert_eq!(all.len(), 1);
    assert_eq!(page.deleted[0].remote.id, "1/7");
}

#[test]
fn an_unreadable_cursor_is_told() {
    let host = Scripted::new(|_, _| json!({}));
    let request = request(Kind::Customer, everything(), Some("page 2".into()), 10);
    assert!(matches!(pull(&Shop::new(&host).unwrap(), &request), Err(Error::Bug(_))));
}
