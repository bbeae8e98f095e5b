//! Every misbehaviour, seen from a client.

use std::time::{Duration, Instant};

use serde_json::json;
use woocommerce_simulator::{Cart, Config, Misbehaviour, Operation, Script};

use crate::client::Client;

/// Starts a shop whose next `POST /orders` goes wrong; answers how many orders there are after one try.
async fn orders_after(misbehave: Misbehaviour) -> (Client, reqwest::Result<reqwest::Response>, usize) {
    let shop = Client::start(Config::default());
    shop.simulator.control().misbehave(Script::next("POST", "/orders", misbehave));
    let answer = tokio::time::timeout(
        Duration::from_millis(500),
        shop.try_raw("POST", "/orders", Some(json!({"customer_note": "one"}))),
    );
    let answer = match answer.await {
        Ok(answer) => answer,
        // No answer within the time: the request was given up.
        Err(_) => shop.http.get("http://127.0.0.1:1/").send().await,
    };
    let orders = shop.simulator.control().orders().len();
    (shop, answer, orders)
}

#[tokio::test]
async fn before_means_not_done_and_after_means_done() {
    for (misbehave, status, orders) in [
        (Misbehaviour::ErrorBefore { status: 500 }, Some(500), 0),
        (Misbehaviour::ErrorAfter { status: 503 }, Some(503), 1),
        (Misbehaviour::DropBefore, None, 0),
        (Misbehaviour::DropAfter, None, 1),
        (Misbehaviour::HangBefore, None, 0),
        (Misbehaviour::HangAfter, None, 1),
        (Misbehaviour::BadGateway, Some(502), 0),
        (Misbehaviour::BadGatewayAfter, Some(502), 1),
        (Misbehaviour::TooMany { retry_after: None }, Some(429), 0),
    ] {
        let name = misbehave.name();
        let (shop, answer, made) = orders_after(misbehave).await;
        assert_eq!(answer.ok().map(|a| a.status().as_u16()), status, "{name}");
        assert_eq!(made, orders, "{name}");
        let journal = shop.simulator.control().journal();
        assert_eq!(journal.seen[0].fault.as_deref(), Some(name));
        assert_eq!(journal.writes("order", Operation::Create), orders, "{name}");
        // The next request is served again.
        assert_eq!(shop.post("/orders", json!({})).await.0, 201, "{name}");
    }
}

#[tokio::test]
async fn work_may_finish_after_the_connection_has_gone() {
    let (shop, answer, orders) = orders_after(Misbehaviour::DropThenWork { seconds: 0.4 }).await;
    assert!(answer.is_err());
    assert_eq!(orders, 0);
    let begun = Instant::now();
    while shop.simulator.control().orders().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "the work never finished");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn retry_after_is_named_when_asked_for() {
    let (_shop, answer, _) = orders_after(Misbehaviour::TooMany { retry_after: Some(7) }).await;
    assert_eq!(answer.unwrap().headers()["retry-after"], "7");
}

#[tokio::test]
async fn a_gateway_answers_with_a_page() {
    let (_shop, answer, _) = orders_after(Misbehaviour::BadGateway).await;
    let answer = answer.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/html");
    assert!(answer.text().await.unwrap().starts_with("<html>"));
}

#[tokio::test]
async fn an_answer_may_end_in_the_middle() {
    let (_shop, answer, orders) = orders_after(Misbehaviour::InvalidJson).await;
    let text = answer.unwrap().text().await.unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_err());
    assert!(text.starts_with('{'));
    assert_eq!(orders, 1);
}

#[tokio::test]
async fn slow_answers_are_whole_in_the_end() {
    let shop = Client::start(Config::default());
    let slow = Misbehaviour::Slow { bytes_per_second: 1000 };
    shop.simulator.control().misbehave(Script::next("GET", "/system_status", slow));
    let begun = Instant::now();
    let (status, body) = shop.get("/system_status").await;
    assert_eq!((status, body["settings"]["currency"].as_str()), (200, Some("EUR")));
    assert!(begun.elapsed() > Duration::from_millis(300));
}

#[tokio::test]
async fn a_lagging_list_shows_new_objects_late() {
    let shop = Client::start(Config::default());
    shop.simulator.control().set_listing_lag(Some(Duration::from_millis(600)));
    let (_, product) = shop.post("/products", json!({"name": "Late", "sku": "LATE"})).await;
    assert_eq!(shop.get("/products?sku=LATE").await.1, json!([]));
    assert_eq!(shop.get(&format!("/products/{}", product["id"])).await.0, 200);
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(shop.get("/products?sku=LATE").await.1[0]["sku"], "LATE");
}

#[tokio::test]
async fn a_rate_limit_answers_429() {
    let shop = Client::start(Config::default());
    shop.simulator.control().set_rate_limit(Some(3));
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(shop.raw("GET", "/taxes/classes", None).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
}

#[tokio::test]
async fn the_control_works_over_http() {
    let shop = Client::start(Config { products: 15, orders: 0, ..Config::default() });
    let control = format!("{}/__sim", shop.simulator.url);
    let script = json!({"method": "GET", "path": "/orders", "misbehave": {"kind": "error_before", "status": 500}});
    shop.http.post(format!("{control}/misbehave")).json(&script).send().await.unwrap().error_for_status().unwrap();
    assert_eq!(shop.get("/orders").await.0, 500);
    assert_eq!(shop.get("/orders").await.0, 200);

    let (_, products) = shop.get("/products?type=simple&per_page=1").await;
    let sku = products[0]["sku"].as_str().unwrap();
    let before = shop.simulator.control().stock(sku).unwrap();
    let cart = json!({"items": [[sku, 2]], "billing": {"country": "DE", "email": "a@example.com"}});
    let made = shop.http.post(format!("{control}/orders")).json(&cart).send().await.unwrap();
    let id = made.json::<serde_json::Value>().await.unwrap()["id"].as_u64().unwrap();
    assert_eq!(shop.simulator.control().stock(sku), Some(before - 2));
    let cancel = shop.http.post(format!("{control}/orders/{id}/cancel")).send().await.unwrap();
    assert_eq!(cancel.status(), 200);
    assert_eq!(shop.simulator.control().stock(sku), Some(before));

    let journal = shop.http.get(format!("{control}/journal")).send().await.unwrap();
    let journal: serde_json::Value = journal.json().await.unwrap();
    assert_eq!(journal["requests"]["GET /orders"], 2);
    assert_eq!(journal["writes"], json!([]), "what customers and staff do is no write of a client");
    let lost = shop.http.get(format!("{control}/nowhere")).send().await.unwrap();
    assert_eq!(lost.status(), 404);
}

#[tokio::test]
async fn customers_cannot_buy_what_is_not_there() {
    let shop = Client::start(Config::default());
    let body = json!({"name": "One", "sku": "ONE", "regular_price": "5", "manage_stock": true, "stock_quantity": 1});
    shop.post("/products", body).await;
    let cart = Cart { items: vec![("ONE".to_owned(), 2)], ..Cart::default() };
    let refused = shop.simulator.control().place_order(&cart).unwrap_err();
    assert_eq!(refused.code, "out_of_stock");
}
