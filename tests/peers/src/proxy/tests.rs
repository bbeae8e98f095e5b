use axum::{Json, routing::any};
use serde_json::{Value, json};

use super::*;

async fn server() -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let own = format!("http://{}", listener.local_addr().unwrap());
    let picture = format!("{own}/assets/mug.png");
    let answer = any(move |headers: HeaderMap, body: String| {
        let picture = picture.clone();
        async move {
            Json(
                json!({ "picture": picture, "body": body, "key": headers.get("x-key").map(|k| k.to_str().unwrap().to_owned()) }),
            )
        }
    });
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    own
}

fn client() -> reqwest::Client {
    crate::http::use_tls();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test]
async fn passes_on_counts_writes_and_keeps_the_host_on_one_origin() {
    let client = client();
    let proxy = Proxy::start(Server::Tryton, &server().await).await.unwrap();
    let url = format!("{}/erp/rest/model/sale.sale", proxy.url);

    let read: Value = client.get(&url).header("x-key", "k").send().await.unwrap().json().await.unwrap();
    assert_eq!(read["key"], "k");
    assert_eq!(read["picture"], format!("{}/assets/mug.png", proxy.url));
    assert_eq!(proxy.writes_since(0), Vec::<String>::new());

    let mark = proxy.mark();
    let written: Value = client.post(&url).body("{\"a\":1}").send().await.unwrap().json().await.unwrap();
    assert_eq!(written["body"], "{\"a\":1}");
    assert_eq!(proxy.writes_since(mark), ["POST /erp/rest/model/sale.sale (200)"]);
    assert_eq!(proxy.since(0).len(), 2);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_bad_gateway_and_still_counted() {
    let client = client();
    let nobody = format!("http://127.0.0.1:{}", crate::process::free_port().unwrap());
    let proxy = Proxy::start(Server::Vendure, &nobody).await.unwrap();
    let answer = client
        .post(format!("{}/admin-api", proxy.url))
        .body("{\"query\":\"mutation{deleteProduct(id:1){result}}\"}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(proxy.writes_since(0), ["deleteProduct (502)"]);
}
