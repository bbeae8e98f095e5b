//! Orders in all their states, refunds, notes, customers, and what describes the shop.

use serde_json::json;
use woocommerce_simulator::{Cart, Config};

use crate::client::Client;

/// A shop that sells one thing for 11.90 with 19 % in it.
async fn shop() -> Client {
    let shop = Client::start(Config::default());
    let body =
        json!({"name": "Tasse", "sku": "T", "regular_price": "11.90", "manage_stock": true, "stock_quantity": 10});
    shop.post("/products", body).await;
    shop
}

fn cart(method: &str, coupon: Option<&str>) -> Cart {
    Cart {
        items: vec![("T".to_owned(), 2)],
        billing: json!({"first_name": "Käthe", "last_name": "Weiß", "country": "DE", "email": "k@example.com"}),
        payment_method: method.to_owned(),
        coupon: coupon.map(str::to_owned),
        shipping_total: Some("0.00".to_owned()),
        ..Cart::default()
    }
}

#[tokio::test]
async fn a_coupon_lowers_the_lines() {
    let shop = shop().await;
    let control = shop.simulator.control();
    let order = control.order(control.place_order(&cart("card", Some("willkommen10"))).unwrap()).unwrap();
    assert_eq!(order["line_items"][0]["subtotal"], "20.00");
    assert_eq!(order["line_items"][0]["total"], "18.00");
    assert_eq!((order["discount_total"].as_str(), order["discount_tax"].as_str()), (Some("2.00"), Some("0.38")));
    assert_eq!(order["total"], "21.42");
    assert_eq!(order["tax_lines"][0]["rate_percent"], 19);
    assert_eq!(order["coupon_lines"][0]["code"], "willkommen10");
    let order = control.order(control.place_order(&cart("card", Some("fuenfer"))).unwrap()).unwrap();
    assert_eq!(order["total"], "18.80");
    let unknown = shop.post("/orders", json!({"coupon_lines": [{"code": "nope"}]})).await;
    assert_eq!((unknown.0, unknown.1["code"].as_str()), (400, Some("woocommerce_rest_invalid_coupon")));
}

#[tokio::test]
async fn money_that_comes_later_moves_the_order_on() {
    let shop = shop().await;
    let control = shop.simulator.control();
    let id = control.place_order(&cart("bacs", None)).unwrap();
    let order = control.order(id).unwrap();
    assert_eq!((order["status"].as_str(), order["date_paid"].is_null()), (Some("on-hold"), true));
    assert_eq!(control.stock("T"), Some(8));
    let (_, paid) = shop.put(&format!("/orders/{id}"), json!({"set_paid": true, "transaction_id": "B-1"})).await;
    assert_eq!((paid["status"].as_str(), paid["date_paid_gmt"].is_string()), (Some("processing"), true));
    assert_eq!(control.stock("T"), Some(8), "stock is taken once");
    let (_, done) = shop.put(&format!("/orders/{id}"), json!({"status": "completed"})).await;
    assert!(done["date_completed_gmt"].is_string());
}

#[tokio::test]
async fn money_goes_back_in_parts_and_whole() {
    let shop = shop().await;
    let control = shop.simulator.control();
    let id = control.place_order(&cart("cheque", None)).unwrap();
    let line = control.order(id).unwrap()["line_items"][0]["id"].clone();
    let part = json!({"line_items": [{"id": line, "quantity": 1, "refund_total": 10, "refund_tax": [{"id": 1, "refund_total": 1.9}]}]});
    let path = format!("/orders/{id}/refunds");
    let (status, refused) = shop.post(&path, part.clone()).await;
    assert_eq!(status, 500, "no gateway pays this back by itself: {refused}");
    let mut part = part;
    part["api_refund"] = false.into();
    let (status, refund) = shop.post(&path, part).await;
    assert_eq!((status, refund["amount"].as_str()), (201, Some("11.90")));
    assert_eq!(control.stock("T"), Some(9));
    assert_eq!(control.order(id).unwrap()["refunds"][0]["total"], "-11.90");
    assert_eq!(shop.post(&path, json!({"amount": "12.00", "api_refund": false})).await.0, 400);
    control.refund_order(id, None, "Rest").unwrap();
    assert_eq!(control.order(id).unwrap()["status"], "refunded");
    assert_eq!(shop.get(&path).await.1.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn lines_are_changed_by_number_and_removed_by_null() {
    let shop = shop().await;
    let (_, order) = shop.post("/orders", json!({"line_items": [{"sku": "T", "quantity": 1}]})).await;
    assert_eq!(order["total"], "11.90");
    let path = format!("/orders/{}", order["id"]);
    let line = &order["line_items"][0]["id"];
    let (_, order) = shop.put(&path, json!({"line_items": [{"id": line, "quantity": 3}]})).await;
    assert_eq!(order["total"], "35.70");
    let (_, order) = shop
        .put(
            &path,
            json!({"line_items": [{"id": line, "product_id": null}], "fee_lines": [{"name": "Gebühr", "total": "2"}]}),
        )
        .await;
    assert_eq!((order["line_items"].clone(), order["total"].as_str()), (json!([]), Some("2.38")));
    for body in [
        json!({"line_items": [{"quantity": 1}]}),
        json!({"customer_id": 77}),
        json!({"shipping_lines": [{"total": "1"}]}),
    ] {
        assert_eq!(shop.post("/orders", body).await.0, 400);
    }
}

#[tokio::test]
async fn foreign_countries_bear_their_own_taxes() {
    let shop = shop().await;
    let order = |country: &str| json!({"shipping": {"country": country}, "line_items": [{"sku": "T"}]});
    assert_eq!(shop.post("/orders", order("AT")).await.1["total"], "12.00");
    assert_eq!(shop.post("/orders", order("CH")).await.1["total"], "10.00");
}

#[tokio::test]
async fn orders_are_found_by_status_customer_and_words() {
    let shop = shop().await;
    let control = shop.simulator.control();
    let open = control.place_order(&cart("card", None)).unwrap();
    let gone = control.place_order(&cart("cod", None)).unwrap();
    assert_eq!(shop.delete(&format!("/orders/{gone}")).await.1["status"], "trash");
    let ids = async |query: &str| -> Vec<u64> {
        let (_, rows) = shop.get(&format!("/orders?{query}")).await;
        rows.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(ids("status=any").await, [open]);
    assert_eq!(ids("status=trash,processing&orderby=id&order=asc").await, [open, gone]);
    assert_eq!(ids("status[]=any&status[]=trash").await.len(), 2);
    assert_eq!(ids("search=k@example.com").await, [open]);
    assert!(ids("search=nobody").await.is_empty());
}

#[tokio::test]
async fn notes_are_for_the_shop_or_the_customer() {
    let shop = shop().await;
    let id = shop.simulator.control().place_order(&cart("card", None)).unwrap();
    let path = format!("/orders/{id}/notes");
    assert_eq!(shop.post(&path, json!({})).await.1["code"], "rest_missing_callback_param");
    let (status, note) = shop.post(&path, json!({"note": "Unterwegs", "customer_note": true})).await;
    assert_eq!((status, note["customer_note"].as_bool()), (201, Some(true)));
    shop.post(&path, json!({"note": "intern"})).await;
    assert_eq!(shop.get(&format!("{path}?type=customer")).await.1.as_array().unwrap().len(), 1);
    assert_eq!(shop.get(&path).await.1.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_address_of_mail_has_one_account() {
    let shop = shop().await;
    let (status, customer) = shop.post("/customers", json!({"email": "a@example.com", "first_name": "Zoë"})).await;
    assert_eq!((status, customer["username"].as_str()), (201, Some("a")));
    let (status, error) = shop.post("/customers", json!({"email": "A@example.com"})).await;
    assert_eq!((status, error["code"].as_str()), (400, Some("registration-error-email-exists")));
    let (_, found) = shop.get("/customers?email=a@example.com").await;
    assert_eq!(found[0]["first_name"], "Zoë");
    let path = format!("/customers/{}", customer["id"]);
    let (_, changed) = shop.put(&path, json!({"billing": {"city": "Kiel"}})).await;
    assert_eq!((changed["billing"]["city"].as_str(), changed["billing"]["country"].as_str()), (Some("Kiel"), Some("")));
    assert_eq!(shop.delete(&path).await.0, 501);
    assert_eq!(shop.delete(&format!("{path}?force=true")).await.0, 200);
}

#[tokio::test]
async fn the_shop_describes_itself() {
    let shop = shop().await;
    assert_eq!(shop.get("/data/currencies/current").await.1["code"], "EUR");
    assert_eq!(shop.get("/settings/tax/woocommerce_prices_include_tax").await.1["value"], "yes");
    assert_eq!(shop.get("/taxes?class=reduced-rate").await.1[0]["rate"], "7.0000");
    assert_eq!(shop.get("/taxes/classes").await.1[1]["slug"], "reduced-rate");
    assert_eq!(shop.get("/payment_gateways/bacs").await.1["enabled"], true);
    let (_, zones) = shop.get("/shipping/zones").await;
    let (_, methods) = shop.get(&format!("/shipping/zones/{}/methods", zones[1]["id"])).await;
    assert_eq!(methods[0]["method_id"], "flat_rate");
    assert_eq!(shop.get("/system_status").await.1["environment"]["timezone"], "Europe/Berlin");
}

#[tokio::test]
async fn one_seed_makes_one_shop() {
    let config = Config { products: 40, orders: 30, seed: 7, ..Config::default() };
    let (one, two) = (Client::start(config.clone()), Client::start(config));
    let names = |shop: &Client| -> Vec<String> {
        let orders = shop.simulator.control().orders();
        orders.iter().map(|o| format!("{} {} {}", o["id"], o["total"], o["billing"]["email"])).collect()
    };
    assert_eq!(names(&one), names(&two));
    assert_eq!(one.simulator.key, two.simulator.key);
    let cents = |text: &serde_json::Value| -> i64 { text.as_str().unwrap().replace('.', "").parse().unwrap() };
    for order in one.simulator.control().orders() {
        let mut sum = cents(&order["total_tax"]) + cents(&order["shipping_total"]);
        sum += order["line_items"].as_array().unwrap().iter().map(|line| cents(&line["total"])).sum::<i64>();
        assert!((sum - cents(&order["total"])).abs() <= 1, "{order}");
    }
}
