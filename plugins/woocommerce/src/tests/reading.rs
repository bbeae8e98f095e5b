use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::json;
use tradepost_sdk::catalog::PriceKind;
use tradepost_sdk::records::{Kind, Records};
use tradepost_sdk::source::{Request, Scope, Window};
use tradepost_sdk::types::TaxBasis;
use woocommerce_simulator::Config;

use super::{read, read_scope};
use crate::WooCommerce;
use crate::stand_in::StandIn;

#[test]
fn the_account_says_currency_basis_zone_and_clock() {
    let host = StandIn::start(Config::default());
    let told = host.check::<WooCommerce>().unwrap();
    assert_eq!(told.id, host.simulator.url.strip_prefix("http://").unwrap());
    assert_eq!((told.channels[0].currency.as_str(), told.channels[0].basis), ("EUR", TaxBasis::Gross));
    assert_eq!(told.zone, "Europe/Berlin");
    assert!(told.now.is_some());
    let net = StandIn::start(Config { prices_include_tax: false, currency: "CHF".into(), ..Config::default() });
    let told = net.check::<WooCommerce>().unwrap();
    assert_eq!((told.channels[0].currency.as_str(), told.channels[0].basis), ("CHF", TaxBasis::Net));
}

#[test]
fn a_whole_shop_is_read_and_nothing_is_left_out() {
    let host = StandIn::start(Config { products: 120, orders: 130, ..Config::default() });
    let (pages, watermark) = read(&host, Kind::Product, None);
    let products = records!(pages, Products);
    assert_eq!(products.len() + pages.iter().map(|page| page.unreadable.len()).sum::<usize>(), 120);
    assert!(watermark.is_some());
    assert!(pages.len() >= 3);
    let variants: Vec<String> =
        products.iter().flat_map(|one| one.variants.iter().flatten()).map(|one| one.sku.clone()).collect();
    assert_eq!(variants.iter().collect::<BTreeSet<_>>().len(), variants.len());
    assert!(products.iter().any(|one| one.variants.as_ref().unwrap().len() > 1));
    let prices = records!(read(&host, Kind::Price, None).0, Prices);
    assert_eq!(prices.iter().filter(|price| price.kind == PriceKind::Base).count(), variants.len());
    assert_eq!(records!(read(&host, Kind::Stock, None).0, Stock).len(), variants.len());
    let (pages, _) = read(&host, Kind::Order, None);
    let orders = records!(pages, Orders);
    assert!(orders.len() > 100, "{}", orders.len());
    assert!(pages.iter().all(|page| page.unreadable.is_empty()));
    assert!(!records!(read(&host, Kind::Customer, None).0, Customers).is_empty());
    assert!(!records!(read(&host, Kind::Category, None).0, Categories).is_empty());
    assert_eq!(host.simulator.control().journal().write_requests(), 0);
}

#[test]
fn lines_taxes_and_rounding_of_every_order_add_up() {
    let host = StandIn::start(Config { products: 60, orders: 90, ..Config::default() });
    let number = |text: &str| text.parse::<Decimal>().unwrap();
    let orders = records!(read(&host, Kind::Order, None).0, Orders);
    assert!(orders.len() > 60);
    for order in orders {
        let taxed = |line: &tradepost_sdk::sales::Line| {
            number(&line.total) + line.tax.as_deref().map(number).unwrap_or_default()
        };
        assert_eq!(order.lines.iter().map(taxed).sum::<Decimal>(), number(&order.total), "{}", order.number);
        for line in &order.lines {
            let product = number(&line.unit_price) * number(&line.quantity);
            assert_eq!(product.round_dp(2), number(&line.total), "{line:?}");
        }
    }
}

#[test]
fn changes_are_found_also_of_variations_and_of_what_is_deleted() {
    let host = StandIn::start(Config { products: 60, ..Config::default() });
    let control = host.simulator.control();
    let (pages, watermark) = read(&host, Kind::Product, None);
    let all = records!(pages, Products);
    let id = |one: &tradepost_sdk::catalog::Product| one.head.remote.as_ref().unwrap().id.clone();
    let count = |one: &tradepost_sdk::catalog::Product| one.variants.as_ref().unwrap().len();
    let sku = |one: &tradepost_sdk::catalog::Product, at: usize| one.variants.as_ref().unwrap()[at].sku.clone();
    let many = all.iter().find(|one| count(one) > 1).unwrap();
    let single: Vec<_> = all.iter().filter(|one| count(one) == 1).collect();
    control.set_time_offset(3600);
    control.edit_article(&sku(many, 1), json!({"weight": "9"})).unwrap();
    control.edit_article(&sku(single[0], 0), json!({"name": "Neu"})).unwrap();
    control.as_staff("DELETE", &format!("/products/{}", id(single[1])), json!(null)).unwrap();
    let since = watermark.unwrap().parse::<Timestamp>().unwrap() + SignedDuration::from_mins(30);
    let (pages, _) = read(&host, Kind::Product, Some(&since.to_string()));
    let ids: BTreeSet<String> = records!(pages, Products).iter().map(id).collect();
    assert_eq!(ids, BTreeSet::from([id(many), id(single[0])]));
    let deleted: Vec<&str> = pages.iter().flat_map(|page| &page.deleted).map(|one| one.remote.id.as_str()).collect();
    assert_eq!(deleted, [id(single[1])]);
    let prices = records!(read(&host, Kind::Price, Some(&since.to_string())).0, Prices);
    assert_eq!(prices.len(), 2 * (count(many) + 1));
}

#[test]
fn nothing_is_passed_over_while_rows_go() {
    let host = StandIn::start(Config { products: 40, ..Config::default() });
    let ids = |records: &[Records]| -> Vec<String> {
        let of = |records: &Records| match records {
            Records::Products(some) => some.iter().map(|one| one.head.remote.as_ref().unwrap().id.clone()).collect(),
            other => panic!("{other:?}"),
        };
        records.iter().flat_map(|records| -> Vec<String> { of(records) }).collect()
    };
    let all: Vec<String> = read(&host, Kind::Product, None).0.iter().flat_map(|page| ids(&page.records)).collect();
    let (mut seen, mut deleted): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut cursor = None;
    loop {
        let window = Window { since: None, until: "2099-01-01T00:00:00Z".into() };
        let request = Request { kind: Kind::Product, scope: Scope::Changed(window), cursor, limit: 7 };
        let page = host.pull::<WooCommerce>(request).unwrap();
        seen.extend(ids(&page.records));
        cursor = page.next.clone();
        if cursor.is_none() {
            break;
        }
        // More than a page overlaps disappears before the cursor.
        for id in seen.iter().rev().take(6).cloned().collect::<Vec<_>>() {
            if !deleted.contains(&id) {
                let path = format!("/products/{id}?force=true");
                host.simulator.control().as_staff("DELETE", &path, json!(null)).unwrap();
                deleted.push(id);
            }
        }
    }
    assert_eq!(seen, all);
    assert!(deleted.len() > 20);
}

#[test]
fn ids_and_presence() {
    let host = StandIn::start(Config { products: 30, orders: 20, ..Config::default() });
    for kind in [Kind::Product, Kind::Order, Kind::Category, Kind::Customer] {
        let pages = read_scope(&host, kind, &Scope::Present).0;
        let present: Vec<String> =
            pages.iter().flat_map(|page| &page.present).map(|one| one.remote.id.clone()).collect();
        assert!(!present.is_empty(), "{kind:?}");
        let wanted = Scope::Ids(vec![present[0].clone(), "999999".into()]);
        let (pages, _) = read_scope(&host, kind, &wanted);
        assert_eq!(pages[0].deleted.len(), 1, "{kind:?}");
    }
    let levels = records!(read(&host, Kind::Stock, None).0, Stock);
    let one = levels.iter().find(|one| one.head.remote.as_ref().unwrap().parent.is_some()).unwrap();
    let id = one.head.remote.as_ref().unwrap().id.clone();
    let again = records!(read_scope(&host, Kind::Stock, &Scope::Ids(vec![id])).0, Stock);
    assert_eq!(again, vec![one.clone()]);
}
