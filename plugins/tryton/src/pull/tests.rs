//! Readings page by page.

use serde_json::{Value, json};
use tradepost_sdk::records::{Kind, Records};
use tradepost_sdk::source::{Page, Request, Scope, Window};

use super::pull;
use crate::host::fake::Script;

fn changed(since: Option<&str>) -> Scope {
    Scope::Changed(Window { since: since.map(str::to_owned), until: "2026-11-22T13:00:00Z".into() })
}

fn request(kind: Kind, scope: Scope, cursor: Option<&str>) -> Request {
    Request { kind, scope, cursor: cursor.map(str::to_owned), limit: 2 }
}

/// A request whose first page takes all.
fn whole(kind: Kind, scope: Scope) -> Request {
    Request { limit: 100, ..request(kind, scope, None) }
}

fn category(id: u64) -> Value {
    json!({"id": id, "name": "C", "code": null, "rec_name": format!("C{id}"), "parent": null, "write_date": null,
        "create_date": null})
}

fn count(page: &Page) -> usize {
    page.records
        .iter()
        .map(|records| match records {
            Records::Categories(all) => all.len(),
            Records::Prices(all) => all.len(),
            Records::Stock(all) => all.len(),
            other => panic!("unexpected {other:?}"),
        })
        .sum()
}

#[test]
fn pages_follow_ids_and_the_last_one_says_up_to_when() {
    let script = Script::new(&[]);
    script.always("GET ir.lang", json!([{"id": 1, "code": "en"}]));
    let script = script
        .then("GET product.category", json!([category(3), category(4)]))
        .then("GET product.category", json!([{"id": 3, "name": "Hats"}, {"id": 4, "name": "Caps"}]))
        .then("GET product.category", json!([category(7)]))
        .then("GET product.category", json!([{"id": 7, "name": "Belts"}]));
    let scope = changed(Some("2026-11-22T12:00:00Z"));
    let first = pull(&script.api(), &request(Kind::Category, scope.clone(), None)).unwrap();
    assert_eq!((count(&first), first.watermark.as_deref()), (2, None));
    let second = pull(&script.api(), &request(Kind::Category, scope, first.next.as_deref())).unwrap();
    script.played();
    assert_eq!((count(&second), second.next.as_deref()), (1, None));
    assert_eq!(second.watermark.as_deref(), Some("2026-11-22T12:00:00Z"), "the server's clock when the reading began");
    let domain = script.domain("GET product.category", 0);
    assert!(
        domain.contains(r#"["id",">",0]"#) && domain.contains(r#""minute":58"#),
        "the overlap is read again: {domain}"
    );
    assert!(script.domain("GET product.category", 2).contains(r#"["id",">",4]"#));
    let Records::Categories(all) = &first.records[0] else { panic!("categories") };
    assert_eq!((all[0].texts[0].language.as_str(), all[0].texts[0].name.as_str()), ("en", "Hats"));
}

#[test]
fn one_row_that_cannot_be_read_stops_no_other() {
    let script = Script::new(&[]);
    script.always("GET ir.lang", json!([{"id": 1, "code": "en"}]));
    let script = script
        .then("GET product.category", json!([{"id": 3, "rec_name": 5}, category(4)]))
        .then("GET product.category", json!([]));
    let page = pull(&script.api(), &request(Kind::Category, changed(None), None)).unwrap();
    assert_eq!((count(&page), page.unreadable.len()), (1, 1));
    assert_eq!(page.unreadable[0].id.as_deref(), Some("3"));
}

#[test]
fn an_id_that_is_not_there_is_gone() {
    let script = Script::new(&[]);
    script.always("GET ir.lang", json!([{"id": 1, "code": "en"}]));
    let script = script.then("GET product.category", json!([category(3)])).then("GET product.category", json!([]));
    let ids = Scope::Ids(vec!["3".into(), "4".into(), "x".into()]);
    let page = pull(&script.api(), &request(Kind::Category, ids, None)).unwrap();
    let gone: Vec<&str> = page.deleted.iter().map(|gone| gone.remote.id.as_str()).collect();
    assert_eq!((count(&page), gone), (1, vec!["4", "x"]));
}

#[test]
fn a_foreign_cursor_is_refused() {
    let script = Script::new(&[]);
    let error = pull(&script.api(), &request(Kind::Category, changed(None), Some(r#"{"v":9,"after":1}"#))).unwrap_err();
    assert!(format!("{error:?}").contains("unknown cursor"));
}

fn list(lines: Value) -> Value {
    json!([{"id": 1, "tax_included": false, "price": null, "lines": lines}])
}

fn product(id: u64, price: &str) -> Value {
    json!({"id": id, "code": format!("WID-{id}"), "template": {"id": 90 + id},
        "list_price_used": {"__class__": "Decimal", "decimal": price}})
}

#[test]
fn a_line_taken_out_of_the_price_list_takes_the_special_price_away() {
    let line = json!([{"id": 1, "product": {"id": 10}, "formula": "6.00", "write_date": null}]);
    let special = |price: Value| json!([{"id": 10, "sale_price_uom": price}]);
    let settings = json!({"special_price_list": "Web special"});
    let script = Script::new(&[])
        .then("GET product.price_list", list(line))
        .then("GET product.product", json!([product(10, "7.95")]))
        .then("GET product.product", special(json!({"__class__": "Decimal", "decimal": "6.0000"})));
    let page = pull(&script.api_with(settings.clone()), &whole(Kind::Price, changed(None))).unwrap();
    script.played();
    let Records::Prices(prices) = &page.records[0] else { panic!("prices") };
    let amounts: Vec<Option<&str>> = prices.iter().map(|price| price.amount.as_deref()).collect();
    assert_eq!(amounts, [Some("7.95"), Some("6.0000")]);

    let script = script
        .then("GET product.price_list", list(json!([])))
        .then("GET product.product", json!([product(10, "7.95")]))
        .then("GET product.product", special(Value::Null));
    let scope = changed(Some("2026-11-22T12:00:00Z"));
    let page = pull(&script.api_with(settings.clone()), &whole(Kind::Price, scope.clone())).unwrap();
    script.played();
    assert!(script.domain("GET product.product", 2).contains(r#"["id","in",[10]]"#));
    let Records::Prices(prices) = &page.records[0] else { panic!("prices") };
    assert_eq!(prices[1].amount, None);

    let script = script.then("GET product.price_list", list(json!([]))).then("GET product.product", json!([]));
    pull(&script.api_with(settings), &whole(Kind::Price, scope)).unwrap();
    script.played();
    assert!(!script.domain("GET product.product", 4).contains(r#"["id","in""#), "told once");
}

#[test]
fn a_price_list_that_is_not_there_takes_nothing_away() {
    let script = Script::new(&[]).then("GET product.price_list", json!([]));
    let api = script.api_with(json!({"special_price_list": "Web"}));
    assert!(pull(&api, &request(Kind::Price, changed(None), None)).is_err());
}

#[test]
fn stock_changes_are_seen_by_moves() {
    let row = |id: u64, active: bool| json!({"id": id, "active": active, "code": format!("C{id}"), "template": {"id": 90 + id, "consumable": false}});
    let script = Script::new(&[]);
    script.always(
        "GET stock.location",
        json!([{"id": 5, "name": "Warehouse", "code": "WH", "storage_location": {"id": 3}}]),
    );
    let script = script
        .then("GET product.product", json!([]))
        .then("GET stock.move", json!([{"id": 1, "product": {"id": 4}}]))
        .then("GET product.product", json!([row(4, true), row(5, false)]))
        .then("GET product.product", json!([{"id": 4, "forecast_quantity": 97.0}]))
        .then("GET stock.move", json!([{"id": 9, "product": {"id": 4}, "internal_quantity": 2.0}]));
    let scope = changed(Some("2026-11-22T12:00:00Z"));
    let first = pull(&script.api(), &request(Kind::Stock, scope.clone(), None)).unwrap();
    assert_eq!((count(&first), first.watermark.as_deref()), (0, None));
    let second = pull(&script.api(), &request(Kind::Stock, scope, first.next.as_deref())).unwrap();
    script.played();
    let Records::Stock(levels) = &second.records[0] else { panic!("stock") };
    assert_eq!(
        (levels.len(), levels[0].quantity.as_str(), levels[0].warehouse.as_str()),
        (1, "95", "5"),
        "what should have left yesterday is sold"
    );
    assert!(second.next.is_none() && second.watermark.is_some());
    let sent = script.sent.borrow();
    let context = &sent[sent.len() - 2].context;
    assert_eq!((&context["locations"], &context["with_childs"]), (&json!([3]), &json!(true)));
    assert_eq!(context["stock_date_end"], json!({"__class__": "date", "year": 2026, "month": 11, "day": 22}));
}
