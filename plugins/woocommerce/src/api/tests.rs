use serde_json::json;
use tradepost_sdk::http::{self, Answer};
use tradepost_sdk::types::Field;

use super::*;

fn judged(status: u16, body: &str, unsafe_request: bool) -> Error {
    let headers = vec![Field { name: "retry-after".into(), value: "7".into() }];
    let body = Answer::Bytes(body.as_bytes().to_vec());
    let response = http::Response { status, headers, body, url: String::new() };
    judge(Response { response, unsafe_request }).unwrap_err()
}

#[test]
fn refusals_keep_the_shops_code_and_words() {
    let sku = r#"{"code":"product_invalid_sku","message":"Invalid or duplicated SKU.","data":{"status":400,"resource_id":7}}"#;
    let Error::Rejected(issues) = judged(400, sku, true) else { panic!() };
    assert_eq!((issues[0].path.as_str(), issues[0].code.as_deref()), ("variants.sku", Some("product_invalid_sku")));
    assert!(issues[0].message.contains("Product 7"));
    let wrong = json!({"code": "rest_invalid_param", "message": "Invalid parameter(s): status",
        "data": {"status": 400, "params": {"status": "status is not one of publish."}}});
    let Error::Rejected(issues) = refusal(&wrong, 400) else { panic!() };
    assert_eq!((issues[0].path.as_str(), issues[0].message.as_str()), ("status", "status is not one of publish."));
}

#[test]
fn each_answer_means_one_thing() {
    let told = |code: &str, status: u16| json!({"code": code, "message": "m", "data": {"status": status}}).to_string();
    let auth = told("woocommerce_rest_authentication_error", 401);
    assert!(matches!(judged(401, &auth, true), Error::Auth(_)));
    let bare = r#"{"code":"unauthorized","message":"Please log in again."}"#;
    assert!(matches!(judged(401, bare, false), Error::Auth(_)), "the status of the answer holds");
    assert!(matches!(judged(404, &told("woocommerce_rest_product_invalid_id", 404), false), Error::NotFound(_)));
    assert!(matches!(judged(404, "<html>", false), Error::Rejected(_)));
    assert!(matches!(judged(404, &told("rest_no_route", 404), false), Error::Rejected(_)));
    assert!(matches!(judged(429, "slow down", true), Error::Throttled(7)));
    assert!(matches!(judged(408, &told("timeout", 408), true), Error::Timeout(_)), "the work may be done");
    assert!(matches!(judged(502, "<html>", true), Error::Timeout(_)), "the work may be done");
    assert!(matches!(judged(502, "<html>", false), Error::Unavailable(_)));
    assert!(matches!(judged(500, &told("internal_server_error", 500), true), Error::Timeout(_)));
}
