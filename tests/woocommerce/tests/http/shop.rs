//! The documented rules, over real HTTP.

use crate::client::Client;
use serde_json::json;
use woocommerce_simulator::{Config, Operation};

#[tokio::test]
async fn products_are_created_read_changed_and_listed() {
    let shop = Client::start(Config::default());
    let (status, product) = shop
        .post("/products", json!({"name": "Salt & Pepper", "sku": "SP-1", "regular_price": "9,90", "manage_stock": true, "stock_quantity": 4}))
        .await;
    assert_eq!(status, 201, "{product}");
    assert_eq!(product["name"], "Salt &amp; Pepper");
    assert_eq!(product["price"], "9.90");
    assert_eq!(product["stock_status"], "instock");
    let id = product["id"].as_u64().unwrap();
    let (status, found) = shop.get("/products?sku=SP-1").await;
    assert_eq!((status, found[0]["id"].as_u64()), (200, Some(id)));
    let (status, error) = shop.post("/products", json!({"sku": "SP-1"})).await;
    assert_eq!((status, error["code"].as_str()), (400, Some("product_invalid_sku")));
    assert_eq!(error["data"]["resource_id"], id);
    let (status, changed) = shop.put(&format!("/products/{id}"), json!({"stock_quantity": 0})).await;
    assert_eq!((status, changed["stock_status"].as_str()), (200, Some("outofstock")));
    let journal = shop.simulator.control().journal();
    assert_eq!(journal.writes("product", Operation::Create), 1);
    assert_eq!(journal.writes("product", Operation::Update), 1);
    assert_eq!(journal.requests("POST", "/products"), 2);
}

#[tokio::test]
async fn an_order_takes_stock_and_adds_up() {
    let shop = Client::start(Config::default());
    let (_, product) = shop
        .post(
            "/products",
            json!({"name": "Tasse", "sku": "T", "regular_price": "19.99", "manage_stock": true, "stock_quantity": 10}),
        )
        .await;
    let body = json!({
        "set_paid": true, "billing": {"country": "DE", "email": "a@example.com"},
        "line_items": [{"product_id": product["id"], "quantity": 3}],
        "shipping_lines": [{"method_id": "flat_rate", "method_title": "Versand", "total": "4.12"}],
    });
    let (status, order) = shop.post("/orders", body).await;
    assert_eq!(status, 201, "{order}");
    assert_eq!(order["status"], "processing");
    assert_eq!(order["line_items"][0]["total"], "50.39");
    assert_eq!(order["line_items"][0]["total_tax"], "9.58");
    assert_eq!(order["shipping_tax"], "0.78");
    assert_eq!(order["total"], "64.87");
    assert_eq!(shop.simulator.control().stock("T"), Some(7));
    let path = format!("/orders/{}", order["id"]);
    let (_, cancelled) = shop.put(&path, json!({"status": "cancelled"})).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(shop.simulator.control().stock("T"), Some(10));
}

#[tokio::test]
async fn the_catalogue_fills_a_shop() {
    let shop = Client::start(Config { products: 60, orders: 40, ..Config::default() });
    let answer = shop.raw("GET", "/products?per_page=100", None).await;
    assert_eq!(answer.headers()["x-wp-total"], "60");
    let rows: serde_json::Value = answer.json().await.unwrap();
    let image = rows[0]["images"][0]["src"].as_str().unwrap();
    let picture = shop.http.get(image).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert!(picture.bytes().await.unwrap().starts_with(b"\x89PNG"));
    let (_, orders) = shop.get("/orders?per_page=100&status=any").await;
    assert!(orders.as_array().unwrap().len() > 35);
}
