//! Authentication, refusals, pages, dates and batches as documented.

use serde_json::{Value, json};
use woocommerce_simulator::{Config, Operation, Permission};

use crate::client::Client;

#[tokio::test]
async fn key_and_secret_are_needed_in_header_or_query() {
    let shop = Client::start(Config::default());
    let url = format!("{}/products", shop.simulator.api());
    assert_eq!(shop.http.get(&url).send().await.unwrap().status(), 401);
    let wrong = shop.http.get(&url).basic_auth(&shop.simulator.key, Some("cs_wrong")).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let error: Value = wrong.json().await.unwrap();
    assert_eq!(error["code"], "woocommerce_rest_authentication_error");
    assert_eq!(error["data"]["status"], 401);
    let query = format!("{url}?consumer_key={}&consumer_secret={}", shop.simulator.key, shop.simulator.secret);
    assert_eq!(shop.http.get(query).send().await.unwrap().status(), 200);
    let seen = shop.simulator.control().journal().seen;
    assert!(seen.iter().all(|seen| !seen.target.contains("consumer_secret")));
}

#[tokio::test]
async fn a_key_for_reading_does_not_write() {
    let shop = Client::start(Config { permission: Permission::Read, ..Config::default() });
    assert_eq!(shop.get("/products").await.0, 200);
    assert_eq!(shop.post("/products", json!({"name": "x"})).await.0, 401);
}

#[tokio::test]
async fn values_outside_the_contract_are_refused_by_name() {
    let shop = Client::start(Config::default());
    for (path, param) in [
        ("/products?per_page=101", "per_page"),
        ("/products?per_page=0", "per_page"),
        ("/products?page=0", "page"),
        ("/products?orderby=modified", "orderby"),
        ("/products?orderby=sku", "orderby"),
        ("/orders?status=shipped", "status"),
        ("/orders?order=up", "order"),
        ("/orders?modified_after=yesterday", "modified_after"),
        ("/customers?email=nobody", "email"),
        ("/orders?include=a", "include"),
    ] {
        let (status, error) = shop.get(path).await;
        assert_eq!((status, error["code"].as_str()), (400, Some("rest_invalid_param")), "{path}");
        assert!(error["data"]["params"][param].is_string(), "{path}: {error}");
    }
    for (path, body, param) in [
        ("/products", json!({"regular_price": 9.9}), "regular_price"),
        ("/products", json!({"type": "bundle"}), "type"),
        ("/products", json!({"stock_quantity": null}), "stock_quantity"),
        ("/products", json!({"categories": [{"id": "x"}]}), "categories"),
        ("/orders", json!({"status": "shipped"}), "status"),
        ("/orders", json!({"line_items": [{"product_id": 1, "quantity": "two"}]}), "line_items"),
    ] {
        let (status, error) = shop.post(path, body).await;
        assert_eq!(status, 400, "{error}");
        assert!(error["data"]["params"][param].is_string(), "{error}");
    }
    assert_eq!(shop.get("/nothing").await.1["code"], "rest_no_route");
    assert_eq!(shop.get("/products/999").await.1["code"], "woocommerce_rest_product_invalid_id");
    assert_eq!(shop.get("/orders/999").await.0, 404);
    assert!(shop.simulator.control().journal().writes.is_empty());
}

#[tokio::test]
async fn newer_shops_order_by_modified() {
    let shop = Client::start(Config { order_by_modified: true, ..Config::default() });
    assert_eq!(shop.get("/orders?orderby=modified&order=asc").await.0, 200);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let shop = Client::start(Config { products: 25, ..Config::default() });
    let first = shop.raw("GET", "/products?orderby=id&order=asc", None).await;
    assert_eq!(first.headers()["x-wp-total"], "25");
    assert_eq!(first.headers()["x-wp-totalpages"], "3");
    let link = first.headers()["link"].to_str().unwrap().to_owned();
    assert!(link.contains("page=2") && link.ends_with("rel=\"next\""), "{link}");
    let next = link.trim_start_matches('<').split('>').next().unwrap();
    let second = shop.http.get(next).basic_auth(&shop.simulator.key, Some(&shop.simulator.secret));
    let second = second.send().await.unwrap();
    assert!(second.headers()["link"].to_str().unwrap().contains("rel=\"prev\""));
    let first: Vec<Value> = first.json().await.unwrap();
    let second: Vec<Value> = second.json().await.unwrap();
    assert_eq!((first.len(), second.len()), (10, 10));
    assert!(first[9]["id"].as_u64() < second[0]["id"].as_u64());
    let (_, beyond) = shop.get("/products?page=9").await;
    assert_eq!(beyond, json!([]));
    let (_, offset) = shop.get("/products?orderby=id&order=asc&offset=10&per_page=1").await;
    assert_eq!(offset[0]["id"], second[0]["id"]);
    let ids = format!("/products?orderby=include&include={},{}", second[0]["id"], first[0]["id"]);
    let (_, chosen) = shop.get(&ids).await;
    assert_eq!(chosen[0]["id"], second[0]["id"]);
    assert_eq!(chosen.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn dates_filter_in_site_time_or_gmt_and_strictly() {
    let shop = Client::start(Config::default());
    let (_, order) = shop.post("/orders", json!({})).await;
    let local = order["date_modified"].as_str().unwrap();
    let gmt = order["date_modified_gmt"].as_str().unwrap();
    assert_ne!(local, gmt, "Berlin is never at GMT");
    assert_eq!(gmt.len(), "2026-01-01T00:00:00".len());
    let count = async |query: String| shop.get(&format!("/orders?{query}")).await.1.as_array().unwrap().len();
    assert_eq!(count(format!("modified_after={gmt}&dates_are_gmt=true")).await, 0);
    assert_eq!(count(format!("modified_after={local}")).await, 0);
    assert_eq!(count(format!("modified_after={gmt}")).await, 1, "GMT lies before the time in Berlin");
    // With a suffix the date is moved to the site's zone, and there it is later than GMT.
    assert_eq!(count(format!("modified_before={gmt}Z&dates_are_gmt=true")).await, 1);
    assert_eq!(count("modified_after=2020-01-01T00:00:00&dates_are_gmt=true".to_owned()).await, 1);
}

#[tokio::test]
async fn a_batch_answers_item_by_item() {
    let shop = Client::start(Config::default());
    let (_, first) = shop.post("/products", json!({"name": "First", "sku": "A"})).await;
    let body = json!({
        "create": [{"name": "Second", "sku": "B"}, {"name": "Twin", "sku": "A"}],
        "update": [{"id": first["id"], "regular_price": "5.00"}, {"id": 4711, "name": "x"}],
    });
    let (status, answer) = shop.post("/products/batch", body).await;
    assert_eq!(status, 200);
    assert_eq!(answer["create"][0]["sku"], "B");
    assert_eq!(answer["create"][1]["error"]["code"], "product_invalid_sku");
    assert_eq!(answer["update"][0]["regular_price"], "5.00");
    assert_eq!(answer["update"][1]["id"], 4711);
    assert_eq!(answer["update"][1]["error"]["data"]["status"], 404);
    let (_, answer) = shop.post("/products/batch", json!({"delete": [first["id"]]})).await;
    assert_eq!(answer["delete"][0]["id"], first["id"]);
    assert_eq!(shop.get(&format!("/products/{}", first["id"])).await.0, 404);
    let many: Vec<Value> = (0..101).map(|n| json!({"name": n.to_string()})).collect();
    assert_eq!(shop.post("/products/batch", json!({"create": many})).await.0, 413);
    assert_eq!(shop.simulator.control().journal().writes("product", Operation::Create), 2);
}

#[tokio::test]
async fn nothing_is_idempotent() {
    let shop = Client::start(Config::default());
    shop.post("/orders", json!({"transaction_id": "t"})).await;
    shop.post("/orders", json!({"transaction_id": "t"})).await;
    assert_eq!(shop.simulator.control().orders().len(), 2);
}

#[tokio::test]
async fn the_journal_names_what_had_no_effect() {
    let shop = Client::start(Config::default());
    shop.post("/products", json!({"name": "x", "price": "5", "colour": "red"})).await;
    let journal = shop.simulator.control().journal();
    assert_eq!(journal.writes[0].ignored, ["colour", "price"]);
}

#[tokio::test]
async fn broken_json_is_refused() {
    let shop = Client::start(Config::default());
    let request = shop.http.post(format!("{}/orders", shop.simulator.api()));
    let request = request.basic_auth(&shop.simulator.key, Some(&shop.simulator.secret));
    let answer = request.header("content-type", "application/json").body("{").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "rest_invalid_json");
}
