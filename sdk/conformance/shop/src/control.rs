//! The suite's hand: the control protocol of the conformance suite, documented in its README.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::golden::{self, CASES};
use crate::server::Call;
use crate::shop::{Answer, Shop, blank, refusal};

/// Stands in every order as a payment provider's secret; it must show nowhere.
pub(crate) const PAYMENT_SECRET: &str = "pk-secret-4242-do-not-tell";

pub(crate) fn answer(shop: &mut Shop, call: &Call) -> Answer {
    let path: Vec<&str> = call.path.iter().skip(1).map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("GET", []) => {
            let all = json!({"make": true, "change": true, "remove": true, "count": true, "spoil": true});
            Ok(json!({
                "protocol": 1,
                "kinds": {"product": all, "stock": all, "price": all, "order": all},
                "golden": CASES, "clock": true, "secrets": [PAYMENT_SECRET],
            }))
        }
        ("POST", ["reset"]) => {
            shop.reset();
            Ok(json!({}))
        }
        ("POST", ["make"]) => {
            let many = call.body["count"].as_u64().unwrap_or(1).min(1000);
            let ids: Vec<String> = (0..many).map(|_| make(shop, &call.body).to_string()).collect();
            Ok(json!({"ids": ids}))
        }
        ("POST", ["change"]) => change(shop, &call.body),
        ("POST", ["remove"]) => {
            let id = id(&call.body);
            let there = shop.products.remove(&id).or_else(|| shop.orders.remove(&id));
            there.map(|_| json!({})).ok_or_else(|| refusal(404, "unknown", "There is no such object."))
        }
        ("POST", ["spoil"]) => spoil(shop, &call.body),
        ("POST", ["count"]) => {
            let objects = if call.body["kind"] == "order" { shop.orders.len() } else { shop.products.len() };
            Ok(json!({"objects": objects, "writes": shop.writes}))
        }
        ("POST", ["golden"]) => golden::install(shop, call.body["case"].as_str().unwrap_or_default())
            .ok_or_else(|| refusal(404, "unknown", "There is no such case.")),
        ("POST", ["clock"]) => {
            shop.offset = call.body["offset-seconds"].as_i64().unwrap_or(0);
            Ok(json!({}))
        }
        _ => Err(refusal(404, "no-route", "The control protocol has no such call.")),
    }
}

fn id(body: &Value) -> u64 {
    body["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0)
}

fn make(shop: &mut Shop, body: &Value) -> u64 {
    let id = shop.number();
    let now = shop.now();
    if body["kind"] == "order" {
        shop.orders.insert(id, order(id, now));
    } else {
        shop.products.insert(id, blank(id, &now.to_string()));
    }
    id
}

fn change(shop: &mut Shop, body: &Value) -> Answer {
    let (id, now) = (id(body), shop.now().to_string());
    let kind = body["kind"].as_str().unwrap_or_default();
    let object = if kind == "order" { shop.orders.get_mut(&id) } else { shop.products.get_mut(&id) };
    let Some(object) = object else { return Err(refusal(404, "unknown", "There is no such object.")) };
    match kind {
        "stock" => {
            object["quantity"] = json!("77");
            object["stock_changed"] = json!(now);
        }
        "price" => object["price"] = json!("20.05"),
        "order" => {
            object["state"] = json!("shipped");
            object["changed"] = json!(now);
        }
        _ => {
            object["name"] = json!(format!("{} (new)", object["name"].as_str().unwrap_or_default()));
            object["changed"] = json!(now);
        }
    }
    Ok(json!({}))
}

/// A word where a number or a time belongs: what a plugin or an import makes of a record.
fn spoil(shop: &mut Shop, body: &Value) -> Answer {
    let id = id(body);
    let kind = body["kind"].as_str().unwrap_or_default();
    let object = if kind == "order" { shop.orders.get_mut(&id) } else { shop.products.get_mut(&id) };
    let Some(object) = object else { return Err(refusal(404, "unknown", "There is no such object.")) };
    match kind {
        "stock" => object["quantity"] = json!("many"),
        "price" => object["price"] = json!("on request"),
        "order" => object["placed"] = json!("yesterday"),
        _ => object["weight"] = json!("heavy"),
    }
    Ok(json!({}))
}

/// An order; amounts are whole minor units of the currency, with tax.
pub(crate) fn order(id: u64, placed: Timestamp) -> Value {
    json!({
        "id": id, "version": 1, "number": format!("O-{id}"), "placed": placed.to_string(), "changed": placed.to_string(),
        "state": "open", "paid": true, "currency": "EUR", "wanted_on": null, "payment_secret": PAYMENT_SECRET,
        "email": "ada@example.com", "name": "Ada Lovelace", "street": "Ringweg 1", "postcode": "10115", "city": "Berlin",
        "country": "DE",
        "lines": [
            {"id": format!("{id}-1"), "sku": "SKU-A", "name": "Cup", "quantity": "3", "unit": 333, "total": 999, "percent": "19"},
            {"id": format!("{id}-2"), "sku": "SKU-B", "name": "Book", "quantity": "1", "unit": 1250, "total": 1250, "percent": "7"},
        ],
        "shipping": 490, "shipping_percent": "19", "total": 2739,
    })
}
