use tradepost_sdk::head::Op;

use super::*;
use crate::api::tests::Scripted;
use crate::map::{head, link};

fn pushed(item: &str) -> Head {
    Head { op: Op::Update, item: item.into(), ..head(remote("1", Some("1")), Vec::new(), None) }
}

fn level(item: &str, id: &str, quantity: &str) -> StockLevel {
    StockLevel {
        head: pushed(item),
        variant: link(id, "SKU"),
        warehouse: "main".into(),
        quantity: quantity.into(),
        unlimited: false,
        taken: None,
    }
}

fn base_price(item: &str, id: &str, amount: &str) -> Price {
    Price {
        head: pushed(item),
        variant: link(id, "SKU"),
        channel: "1".into(),
        kind: PriceKind::Base,
        currency: "EUR".into(),
        basis: tradepost_sdk::types::TaxBasis::Gross,
        amount: Some(amount.into()),
        from_quantity: "1".into(),
        valid_from: None,
        valid_to: None,
    }
}

fn variant(id: &str, price: i64, pieces: i64) -> Value {
    json!({"id": id, "productId": "7", "enabled": true, "trackInventory": "TRUE", "outOfStockThreshold": 0,
        "useGlobalOutOfStockThreshold": true, "prices": [{"price": price, "currencyCode": "EUR"}],
        "stockLevels": [{"stockLocationId": "1", "stockOnHand": pieces}]})
}

/// A shop with the variants 1 and 2; writes of variant `bad` are refused.
fn shop(bad: &'static str) -> Scripted {
    Scripted::new(move |document, variables| {
        if document.starts_with("query") {
            return json!({"productVariants": {"items": [variant("1", 1999, 5), variant("2", 840, 9)]}});
        }
        if variables["input"].as_array().unwrap().iter().any(|input| input["id"] == bad) {
            return json!({"errors": [{"message": "no", "extensions": {"code": "USER_INPUT_ERROR"}}]});
        }
        json!({"updateProductVariants": []})
    })
}

#[test]
fn only_what_differs_is_written_and_in_one_request() {
    let host = shop("");
    let levels = [level("a", "1", "5"), level("b", "2", "8"), level("c", "3", "1")];
    stock(&Shop::new(&host).unwrap(), &levels).unwrap();
    let writes = host.writes.borrow();
    assert_eq!(writes.len(), 1);
    assert_eq!(writes[0].1["input"], json!([{"id": "2", "stockLevels": [{"stockLocationId": "1", "stockOnHand": 8}]}]));
    let outcome = |item: &str| host.settled.borrow().iter().find(|(one, _)| one == item).unwrap().1.clone();
    assert!(matches!(outcome("a"), Outcome::Unchanged(_)));
    assert!(matches!(outcome("b"), Outcome::Done(_)));
    assert!(matches!(outcome("c"), Outcome::Failed(Error::NotFound(_))));
}

#[test]
fn stock_is_whole_pieces_from_zero() {
    let host = shop("");
    stock(&Shop::new(&host).unwrap(), &[level("a", "1", "3.9"), level("b", "2", "-2")]).unwrap();
    let input = &host.writes.borrow()[0].1["input"];
    assert_eq!(input[0]["stockLevels"][0]["stockOnHand"], 3);
    assert_eq!(input[1]["stockLevels"][0]["stockOnHand"], 0);
    let Outcome::Done(written) = &host.outcomes()[0] else { panic!() };
    assert_eq!(written.warnings.len(), 1);
}

#[test]
fn what_is_not_counted_is_not_tracked() {
    let host = shop("");
    let free = StockLevel { unlimited: true, ..level("a", "1", "0") };
    stock(&Shop::new(&host).unwrap(), &[free]).unwrap();
    assert_eq!(host.writes.borrow()[0].1["input"], json!([{"id": "1", "trackInventory": "FALSE"}]));
}

#[test]
fn one_bad_record_does_not_stop_the_others() {
    let host = shop("1");
    prices(&Shop::new(&host).unwrap(), &[base_price("a", "1", "5.00"), base_price("b", "2", "6.00")]).unwrap();
    let outcomes = host.outcomes();
    assert!(matches!(outcomes[0], Outcome::Failed(Error::Rejected(_))));
    assert!(matches!(outcomes[1], Outcome::Done(_)));
    assert_eq!(host.writes.borrow().len(), 3);
}

#[test]
fn a_lost_answer_leaves_all_of_the_batch_unknown() {
    let host = Scripted::new(|document, _| {
        if document.starts_with("query") {
            return json!({"productVariants": {"items": [variant("1", 1999, 5), variant("2", 840, 9)]}});
        }
        json!({"errors": [{"message": "database is locked", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]})
    });
    prices(&Shop::new(&host).unwrap(), &[base_price("a", "1", "5.00"), base_price("b", "2", "6.00")]).unwrap();
    assert!(host.outcomes().iter().all(|outcome| matches!(outcome, Outcome::Failed(Error::Timeout(_)))));
    assert_eq!(host.writes.borrow().len(), 1, "what may have been done is not sent again");
}

#[test]
fn the_first_price_puts_a_new_variant_on_sale() {
    let host = Scripted::new(|document, _| {
        let mut new = variant("1", 0, 0);
        new["enabled"] = json!(false);
        new["useGlobalOutOfStockThreshold"] = json!(false);
        new["outOfStockThreshold"] = json!(NO_PRICE_YET);
        if document.starts_with("query") {
            json!({"productVariants": {"items": [new]}})
        } else {
            json!({"updateProductVariants": []})
        }
    });
    prices(&Shop::new(&host).unwrap(), &[base_price("a", "1", "12.50")]).unwrap();
    assert_eq!(
        host.writes.borrow()[0].1["input"],
        json!([{"id": "1", "price": 1250, "enabled": true, "useGlobalOutOfStockThreshold": true, "outOfStockThreshold": 0}])
    );
}

#[test]
fn prices_that_vendure_cannot_hold_are_refused() {
    let host = shop("");
    let shop = Shop::new(&host).unwrap();
    let refused = [
        Price { kind: PriceKind::Special, ..base_price("special", "1", "1.00") },
        Price { currency: "USD".into(), ..base_price("currency", "1", "1.00") },
        Price { basis: tradepost_sdk::types::TaxBasis::Net, ..base_price("basis", "1", "1.00") },
        Price { amount: None, ..base_price("none", "1", "1.00") },
        Price { from_quantity: "10".into(), ..base_price("tier", "1", "1.00") },
        base_price("negative", "1", "-1.00"),
    ];
    prices(&shop, &refused).unwrap();
    assert_eq!(host.outcomes().len(), refused.len());
    assert!(
        host.outcomes()
            .iter()
            .all(|outcome| matches!(outcome, Outcome::Failed(Error::Rejected(_) | Error::Unsupported(_))))
    );
    assert!(host.writes.borrow().is_empty());
}

#[test]
fn two_warehouses_of_a_variant_are_one_input() {
    let one = |location: &str| Planned {
        item: "a",
        reference: remote("1", None),
        input: json!({"id": "1", "stockLevels": [{"stockLocationId": location, "stockOnHand": 1}]}),
        warnings: Vec::new(),
    };
    let inputs = merged(&[one("1"), one("2")]);
    assert_eq!(inputs.len(), 1);
    assert_eq!(inputs[0]["stockLevels"].as_array().unwrap().len(), 2);
}
