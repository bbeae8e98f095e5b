//! The control protocol of the conformance suite, under `/_control`: the suite's hand on this shop.

use std::sync::Arc;

use axum::{http::Method, response::Response};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    clock::Clock,
    control::{Cart, Control, Refusal, refusal},
    server::{Site, json_response},
    shop,
    state::State,
};

/// One request to `/_control`.
pub(crate) fn http(site: &Arc<Site>, method: &Method, path: &str, body: &[u8]) -> Response {
    let control = Control { site: Arc::clone(site) };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    match answer(&control, method.as_str(), path.trim_start_matches("/_control").trim_matches('/'), &body) {
        Ok(json) => json_response(200, &json, &[]),
        Err(Refusal { code, message }) => json_response(400, &json!({"code": code, "message": message}), &[]),
    }
}

fn answer(control: &Control, method: &str, what: &str, body: &Value) -> Result<Value, Refusal> {
    match (method, what) {
        ("GET", "") => {
            let all = json!({"make": true, "change": true, "remove": true, "count": true});
            let frail = json!({"make": true, "change": true, "remove": true, "count": true, "spoil": true});
            Ok(json!({
                "protocol": 1,
                "kinds": {"category": all, "product": frail, "stock": all, "price": frail, "customer": all, "order": frail},
                "golden": ["golden-records", "order-totals-add-up"],
                "clock": true,
                "secrets": [],
            }))
        }
        ("POST", "reset") => {
            reset(control);
            Ok(json!({}))
        }
        ("POST", "make") => {
            let many = body["count"].as_u64().unwrap_or(1).min(500);
            let made: Result<Vec<String>, Refusal> = (0..many).map(|_| make(control, kind(body))).collect();
            Ok(json!({"ids": made?}))
        }
        ("POST", "change") => {
            let sent = match kind(body) {
                "stock" => json!({"stock_quantity": 77}),
                "price" => json!({"regular_price": "20.05"}),
                "order" => json!({"status": "completed"}),
                "customer" => json!({"first_name": "Augusta"}),
                _ => json!({"name": format!("Changed {}", text(body, "id"))}),
            };
            control.as_staff("PUT", &path(body), sent)?;
            Ok(json!({}))
        }
        ("POST", "remove") => {
            let staff = if kind(body) == "customer" { "?force=true&reassign=0" } else { "?force=true" };
            control.as_staff("DELETE", &format!("{}{staff}", path(body)), Value::Null)?;
            Ok(json!({}))
        }
        ("POST", "spoil") => spoil(control, body),
        ("POST", "count") => {
            let state = control.site.state();
            let objects = match kind(body) {
                "category" => state.categories.len(),
                "customer" => state.customers.len(),
                "order" => state.orders.len(),
                _ => state.products.len(),
            };
            let writes = state.journal.writes.iter().filter(|write| write.changed).count();
            Ok(json!({"objects": objects, "writes": writes}))
        }
        ("POST", "golden") => golden(control, text(body, "case")),
        ("POST", "clock") => {
            control.set_time_offset(body["offset-seconds"].as_i64().unwrap_or(0));
            Ok(json!({}))
        }
        _ => Err(refusal("unknown_route", "the control protocol has no such call")),
    }
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_default()
}

fn kind(body: &Value) -> &str {
    text(body, "kind")
}

fn path(body: &Value) -> String {
    let list = match kind(body) {
        "category" => "/products/categories",
        "customer" => "/customers",
        "order" => "/orders",
        _ => "/products",
    };
    format!("{list}/{}", text(body, "id"))
}

/// A shop that has just been set up; numbers go on, as after real business.
fn reset(control: &Control) {
    control.behave();
    let mut state = control.site.state();
    let clock = Clock { zone: state.clock.zone.clone(), offset: SignedDuration::ZERO };
    let mut fresh = State::new(state.shop.clone(), clock);
    shop::install(&mut fresh);
    *state = fresh;
}

fn id(made: &Value) -> Result<String, Refusal> {
    made["id"].as_u64().map(|id| id.to_string()).ok_or_else(|| refusal("internal", "what was made has no id"))
}

fn billing(number: usize) -> Value {
    json!({
        "first_name": "Ada", "last_name": "Lovelace", "address_1": "Ringweg 1", "postcode": "10115", "city": "Berlin",
        "country": "DE", "email": format!("ada-{number}@example.com"),
    })
}

fn make(control: &Control, kind: &str) -> Result<String, Refusal> {
    let number = {
        let state = control.site.state();
        state.products.len() + state.customers.len() + state.categories.len() + state.orders.len() + 1
    };
    match kind {
        "category" => {
            let made =
                control.as_staff("POST", "/products/categories", json!({"name": format!("Category {number}")}))?;
            id(&made)
        }
        "customer" => {
            let sent = json!({
                "email": format!("customer-{number}@example.com"), "first_name": "Ada", "last_name": "Lovelace",
                "billing": billing(number),
            });
            id(&control.as_staff("POST", "/customers", sent)?)
        }
        "order" => {
            let sku = format!("CONF-{number}");
            product(control, &sku, json!({}))?;
            let items = vec![(sku, 2)];
            Ok(control.place_order(&Cart { items, billing: billing(number), ..Cart::default() })?.to_string())
        }
        _ => product(control, &format!("CONF-{number}"), json!({})),
    }
}

/// What plugins and imports leave behind, past every check of the shop.
fn spoil(control: &Control, body: &Value) -> Result<Value, Refusal> {
    let mut state = control.site.state();
    let id = text(body, "id").parse::<u64>().unwrap_or_default();
    let (item, field, word) = match kind(body) {
        "order" => (state.orders.get_mut(&id), "currency", "Euro"),
        "price" => (state.products.get_mut(&id), "regular_price", "on request"),
        _ => (state.products.get_mut(&id), "weight", "heavy"),
    };
    let item = item.ok_or_else(|| refusal("unknown_id", "there is no such object"))?;
    item.body.insert(field.into(), json!(word));
    Ok(json!({}))
}

fn product(control: &Control, sku: &str, members: Value) -> Result<String, Refusal> {
    let mut sent = json!({
        "name": format!("Product {sku}"), "sku": sku, "type": "simple", "status": "publish", "regular_price": "19.90",
        "manage_stock": true, "stock_quantity": 50, "description": "<p>Plain.</p>", "weight": "1.5",
    });
    for (name, value) in members.as_object().into_iter().flatten() {
        sent[name] = value.clone();
    }
    id(&control.as_staff("POST", "/products", sent)?)
}

fn golden(control: &Control, case: &str) -> Result<Value, Refusal> {
    let records = match case {
        "golden-records" => {
            let shelf = json!({"name": "Cups", "description": "<p>What one drinks from.</p>", "menu_order": 3});
            let shelf = id(&control.as_staff("POST", "/products/categories", shelf)?)?;
            let members = json!({
                "name": "Plain cup", "regular_price": "12.50", "weight": "0.35", "stock_quantity": 7,
                "short_description": "<p>A cup.</p>", "categories": [{"id": shelf.parse::<u64>().unwrap_or_default()}],
                "attributes": [{"name": "Material", "visible": true, "options": ["Porzellan", "Kork"]}],
            });
            let id = product(control, "GOLD-1", members)?;
            vec![
                json!({"kind": "category", "id": shelf, "facets": {
                    "head": {"position": 3}, "texts:de": {"name": "Cups", "long_html": "<p>What one drinks from.</p>"},
                }}),
                json!({"kind": "product", "id": id, "facets": {
                    "head": {"form": "goods", "active": true},
                    "texts:de": {"name": "Plain cup", "long_html": "<p>Plain.</p>", "short_html": "<p>A cup.</p>"},
                    "categories": [{"id": shelf}],
                    "attributes": [{"name": "Material", "value": "Porzellan"}, {"name": "Material", "value": "Kork"}],
                }, "variants": [{"sku": "GOLD-1", "facets": {"head": {"sku": "GOLD-1", "weight_kg": "0.35"}}}]}),
                json!({"kind": "stock", "id": id, "facets": {"stock:main": {"quantity": "7"}}}),
                json!({"kind": "price", "id": id, "facets": {"price:base:main": {"amount": "12.50", "currency": "EUR"}}}),
            ]
        }
        "order-totals-add-up" => {
            product(control, "GOLD-2", json!({"regular_price": "3.33"}))?;
            product(control, "GOLD-3", json!({"regular_price": "0.99", "tax_class": "reduced-rate"}))?;
            let mut records = Vec::new();
            for (pieces, shipping) in [(1, "4.12"), (3, "0.00"), (7, "5.88")] {
                let items = vec![("GOLD-2".to_owned(), pieces), ("GOLD-3".to_owned(), 3)];
                let shipping_total = Some(shipping.to_owned());
                let order =
                    control.place_order(&Cart { items, billing: billing(0), shipping_total, ..Cart::default() })?;
                let total = control.order(order).unwrap_or_default()["total"].clone();
                records.push(json!({"kind": "order", "id": order.to_string(), "facets": {"placed": {"total": total}}}));
            }
            records
        }
        _ => return Err(refusal("unknown_case", case)),
    };
    Ok(json!({"records": records}))
}
