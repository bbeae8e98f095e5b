//! The shop of `docs/shop-api.md`, in memory. Under `/_control` it does what the conformance suite asks of a simulator.

// Program and tests use different halves.
#![allow(dead_code)]

#[path = "server.rs"]
mod server;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tiny_http::Method;

use server::{Answer, Asked, Platform};

pub const TOKEN: &str = "t0ken-of-the-simulator";

/// A running shop.
pub type Simulator = server::Simulator<Shop>;

/// State and API.
#[derive(Default)]
pub struct Shop {
    offset: i64,
    last: u64,
    pub products: BTreeMap<u64, Value>,
    pub orders: BTreeMap<u64, Value>,
    made: BTreeMap<String, u64>,
    pub writes: u64,
}

fn refusal(status: u16, code: &str, field: Option<&str>, message: &str) -> Answer {
    (status, json!({"error": {"code": code, "field": field, "message": message}}))
}

impl Platform for Shop {
    fn answer(&mut self, asked: &Asked) -> Answer {
        let (method, body) = (&asked.method, &asked.body);
        let (area, what, id) = (asked.part(0), asked.part(1), asked.part(2));
        if area == "_control" {
            return self.control(method, what, body);
        }
        if asked.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refusal(401, "token", None, "The token is missing or wrong.");
        }
        if (area, what) == ("api", "shop") {
            let shop = json!({
                "id": "simulated", "name": "{{title}}", "currency": "EUR", "prices_include_tax": true, "language": "en",
                "country": "DE", "zone": "Europe/Berlin", "test": true, "now": self.now(),
            });
            return (200, shop);
        }
        let all = match (area, what) {
            ("api", "products") => &mut self.products,
            ("api", "orders") => &mut self.orders,
            _ => return refusal(404, "address", None, "There is nothing here."),
        };
        match (method, what, id) {
            (Method::Get, _, "") => return (200, page(all, asked)),
            (Method::Post, "products", "") => return self.make(asked.header("idempotency-key"), body),
            _ => {}
        }
        let number = id.parse().unwrap_or(0);
        let Some(there) = all.get(&number) else {
            return refusal(404, "unknown", None, &format!("There is no such object: {id}."));
        };
        match (method, what) {
            (Method::Get, _) => (200, there.clone()),
            (Method::Patch, "products") => self.change(number, body),
            (Method::Delete, "products") => {
                self.products.remove(&number);
                self.writes += 1;
                (204, Value::Null)
            }
            _ => refusal(405, "method", None, "That cannot be done here."),
        }
    }
}

impl Shop {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.offset)
    }

    fn make(&mut self, key: Option<&str>, body: &Value) -> Answer {
        let before = key.and_then(|key| self.made.get(key)).and_then(|id| self.products.get(id));
        if let Some(before) = before {
            return (200, before.clone());
        }
        if let Some(wrong) = self.wrong(body, None) {
            return wrong;
        }
        if body["sku"].as_str().is_none_or(str::is_empty) {
            return refusal(422, "missing", Some("sku"), "A product needs a SKU.");
        }
        self.last += 1;
        self.products.insert(self.last, blank(self.last));
        if let Some(key) = key {
            self.made.insert(key.to_owned(), self.last);
        }
        let (_, made) = self.change(self.last, body);
        (201, made)
    }

    fn change(&mut self, id: u64, body: &Value) -> Answer {
        if let Some(wrong) = self.wrong(body, Some(id)) {
            return wrong;
        }
        let now = self.now();
        self.writes += 1;
        let there = self.products.entry(id).or_insert_with(|| blank(id));
        for (name, value) in body.as_object().into_iter().flatten() {
            there[name] = value.clone();
        }
        there["id"] = json!(id);
        there["updated_at"] = json!(now);
        (200, there.clone())
    }

    fn wrong(&self, body: &Value, own: Option<u64>) -> Option<Answer> {
        let known = blank(0);
        for (name, value) in body.as_object().into_iter().flatten() {
            if known.get(name).is_none() {
                return Some(refusal(422, "unknown_field", Some(name), &format!("A product has no {name}.")));
            }
            let number = ["price", "stock", "tax_percent", "weight_kg"].contains(&name.as_str()) && !value.is_null();
            if number && !value.as_str().is_some_and(is_number) {
                let message = format!("{name} is a decimal number as text.");
                return Some(refusal(422, "no_number", Some(name), &message));
            }
        }
        let taken = |(id, one): (&u64, &Value)| Some(*id) != own && !body["sku"].is_null() && one["sku"] == body["sku"];
        self.products
            .iter()
            .any(taken)
            .then(|| refusal(409, "sku_taken", Some("sku"), "There is a product with this SKU."))
    }

    /// The conformance suite's hand; see the documentation of `cargo tradepost conformance`.
    pub fn control(&mut self, method: &Method, what: &str, body: &Value) -> Answer {
        let hand = json!({"make": true, "change": true, "remove": true, "count": true, "spoil": true});
        if (method, what) == (&Method::Get, "") {
            let kinds = json!({"product": hand, "stock": hand, "price": hand, "order": hand});
            let offers = json!({"protocol": 1, "kinds": kinds, "golden": [], "clock": true, "secrets": [TOKEN]});
            return (200, offers);
        }
        let (kind, now) = (body["kind"].as_str().unwrap_or_default(), self.now());
        let id: u64 = body["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0);
        let all = if kind == "order" { &mut self.orders } else { &mut self.products };
        match what {
            "reset" => *self = Self { last: self.last, ..Self::default() },
            "clock" => self.offset = body["offset-seconds"].as_i64().unwrap_or(0),
            "make" => {
                let ids: Vec<u64> = (1..=body["count"].as_u64().unwrap_or(1)).map(|n| self.last + n).collect();
                for id in &ids {
                    let mut made = if kind == "order" { order(*id, now) } else { blank(*id) };
                    made["updated_at"] = json!(now);
                    all.insert(*id, made);
                    self.last = *id;
                }
                let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
                return (200, json!({"ids": ids}));
            }
            "count" => return (200, json!({"objects": all.len(), "writes": self.writes})),
            "change" | "remove" | "spoil" => {
                let Some(there) = all.get_mut(&id) else {
                    return refusal(404, "unknown", None, "There is no such object.");
                };
                there["updated_at"] = json!(now);
                match (what, kind) {
                    ("remove", _) => drop(all.remove(&id)),
                    // As an import or a plugin leaves it.
                    ("spoil", "order") => there["placed_at"] = json!("yesterday"),
                    ("spoil", "stock") => there["stock"] = json!("some"),
                    ("spoil", "price") => there["price"] = json!("cheap"),
                    ("spoil", _) => there["name"] = Value::Null,
                    (_, "order") => there["state"] = json!("shipped"),
                    (_, "stock") => there["stock"] = json!("77"),
                    (_, "price") => there["price"] = json!("20.05"),
                    _ => there["name"] = json!(format!("{} (new)", there["name"].as_str().unwrap_or_default())),
                }
            }
            _ => return refusal(404, "unknown", None, "The simulator cannot do that."),
        }
        (200, json!({}))
    }
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    text.split_once('.').map_or_else(|| digits(text), |(whole, rest)| digits(whole) && digits(rest))
}

fn page(all: &BTreeMap<u64, Value>, asked: &Asked) -> Value {
    let number = |name: &str| asked.query(name).and_then(|text| text.parse::<u64>().ok());
    let time = |name: &str| asked.query(name).and_then(|text| text.parse::<Timestamp>().ok());
    let ids: Option<Vec<u64>> = asked.query("ids").map(|ids| ids.split(',').filter_map(|id| id.parse().ok()).collect());
    let fits = |id: u64, one: &Value| {
        let changed = one["updated_at"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        id > number("after").unwrap_or(0)
            && ids.as_ref().is_none_or(|ids| ids.contains(&id))
            && ["sku", "reference"].iter().all(|name| asked.query(name).is_none_or(|wanted| one[name] == wanted))
            && time("changed_since").is_none_or(|since| changed.is_some_and(|at| at > since))
            && time("changed_until").is_none_or(|until| changed.is_some_and(|at| at <= until))
    };
    let found: Vec<&Value> = all.iter().filter(|(id, one)| fits(**id, one)).map(|(_, one)| one).collect();
    let limit = number("limit").unwrap_or(50).clamp(1, 100) as usize;
    let items = &found[..limit.min(found.len())];
    let next = items.last().filter(|_| found.len() > limit).map(|last| last["id"].clone());
    json!({"items": items, "next": next})
}

fn blank(id: u64) -> Value {
    json!({
        "id": id, "sku": format!("SKU-{id}"), "name": format!("Product {id}"), "description": null, "active": true,
        "gtin": null, "weight_kg": null, "tax_percent": "19", "price": "10.00", "stock": "5", "reference": null,
        "updated_at": "2026-01-01T00:00:00Z",
    })
}

fn order(id: u64, placed: Timestamp) -> Value {
    json!({
        "id": id, "number": format!("R-{}", 1000 + id), "state": "open", "paid": true, "currency": "EUR",
        "placed_at": placed, "updated_at": placed, "email": "ada@example.com", "note": null,
        "payment": {"method": "card", "amount": "29.90", "transaction": format!("t-{id}")},
        "address": {"first_name": "Ada", "last_name": "Lovelace", "street": "Ringweg 1", "postcode": "10115",
                    "city": "Berlin", "country": "DE"},
        "lines": [{"id": 1, "product_id": 1, "sku": "SKU-1", "name": "Cup", "quantity": "2", "unit_price": "12.50",
                   "total": "25.00", "tax_percent": "19"}],
        "shipping": {"name": "Parcel", "total": "4.90", "tax_percent": "19"}, "total": "29.90",
    })
}
