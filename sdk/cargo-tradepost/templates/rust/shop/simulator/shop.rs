//! The shop of `docs/shop-api.md`, in memory. Under `/_control` it does what the conformance suite asks of a simulator.

// Program and tests use different halves.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, Server};

pub const TOKEN: &str = "t0ken-of-the-simulator";

type Answer = (u16, Value);

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

/// A running shop; it ends when this is dropped.
pub struct Simulator {
    pub address: String,
    shop: Arc<Mutex<Shop>>,
    server: Arc<Server>,
}

impl Simulator {
    pub fn start(port: u16) -> io::Result<Self> {
        let server = Arc::new(Server::http(("127.0.0.1", port)).map_err(io::Error::other)?);
        let shop = Arc::new(Mutex::new(Shop::default()));
        let address = format!("http://{}", server.server_addr());
        for _ in 0..4 {
            let (server, shop) = (server.clone(), shop.clone());
            std::thread::spawn(move || {
                while let Ok(request) = server.recv() {
                    serve(&shop, request);
                }
            });
        }
        Ok(Self { address, shop, server })
    }

    pub fn shop(&self) -> MutexGuard<'_, Shop> {
        self.shop.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        for _ in 0..4 {
            self.server.unblock();
        }
    }
}

fn serve(shop: &Mutex<Shop>, mut request: Request) {
    let mut text = String::new();
    let read = request.as_reader().read_to_string(&mut text);
    let body = if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text) };
    let header = |name: &'static str| {
        let found = request.headers().iter().find(|header| header.field.equiv(name));
        found.map(|header| header.value.as_str().to_owned())
    };
    let (status, answer) = match (read, body) {
        (Ok(_), Ok(body)) => {
            let (token, key) = (header("authorization"), header("idempotency-key"));
            let mut shop = shop.lock().unwrap_or_else(PoisonError::into_inner);
            shop.answer(request.method(), request.url(), token.as_deref(), key.as_deref(), &body)
        }
        _ => refusal(400, "no_json", None, "The body is no JSON."),
    };
    let text = if status == 204 { String::new() } else { answer.to_string() };
    let json = Header::from_bytes("content-type", "application/json").expect("a header by its rule");
    // Whoever asked may be gone.
    drop(request.respond(Response::from_string(text).with_status_code(status).with_header(json)));
}

fn refusal(status: u16, code: &str, field: Option<&str>, message: &str) -> Answer {
    (status, json!({"error": {"code": code, "field": field, "message": message}}))
}

impl Shop {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.offset)
    }

    fn answer(&mut self, method: &Method, url: &str, token: Option<&str>, key: Option<&str>, body: &Value) -> Answer {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let mut parts = path.trim_start_matches('/').split('/');
        let (area, what, id) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        if area == "_control" {
            return self.control(method, what, body);
        }
        if token != Some(&format!("Bearer {TOKEN}")) {
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
            (Method::Get, _, "") => return (200, page(all, query)),
            (Method::Post, "products", "") => return self.make(key, body),
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
        self.products.iter().any(taken).then(|| refusal(409, "sku_taken", Some("sku"), "There is a product with this SKU."))
    }

    /// The conformance suite's hand; see the documentation of `cargo tradepost conformance`.
    pub fn control(&mut self, method: &Method, what: &str, body: &Value) -> Answer {
        let hand = json!({"make": true, "change": true, "remove": true, "count": true});
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
                    let mut made = if kind == "order" { order(*id) } else { blank(*id) };
                    made["updated_at"] = json!(now);
                    all.insert(*id, made);
                    self.last = *id;
                }
                let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
                return (200, json!({"ids": ids}));
            }
            "count" => return (200, json!({"objects": all.len(), "writes": self.writes})),
            "change" | "remove" => {
                let Some(there) = all.get_mut(&id) else {
                    return refusal(404, "unknown", None, "There is no such object.");
                };
                there["updated_at"] = json!(now);
                match (what, kind) {
                    ("remove", _) => drop(all.remove(&id)),
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

fn page(all: &BTreeMap<u64, Value>, query: &str) -> Value {
    let query: BTreeMap<&str, String> =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name, decoded(value))).collect();
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
    let time = |name: &str| query.get(name).and_then(|text| text.parse::<Timestamp>().ok());
    let ids: Option<Vec<u64>> =
        query.get("ids").map(|ids| ids.split(',').filter_map(|id| id.parse().ok()).collect());
    let fits = |id: u64, one: &Value| {
        let changed = one["updated_at"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        id > number("after").unwrap_or(0)
            && ids.as_ref().is_none_or(|ids| ids.contains(&id))
            && ["sku", "reference"].iter().all(|name| query.get(name).is_none_or(|wanted| one[name] == **wanted))
            && time("changed_since").is_none_or(|since| changed.is_some_and(|at| at > since))
            && time("changed_until").is_none_or(|until| changed.is_some_and(|at| at <= until))
    };
    let found: Vec<&Value> = all.iter().filter(|(id, one)| fits(**id, one)).map(|(_, one)| one).collect();
    let limit = number("limit").unwrap_or(50).clamp(1, 100) as usize;
    let items = &found[..limit.min(found.len())];
    let next = items.last().filter(|_| found.len() > limit).map(|last| last["id"].clone());
    json!({"items": items, "next": next})
}

/// A value of an address with its percent signs resolved.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let code = (*first == b'%').then(|| more.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn blank(id: u64) -> Value {
    json!({
        "id": id, "sku": format!("SKU-{id}"), "name": format!("Product {id}"), "description": null, "active": true,
        "gtin": null, "weight_kg": null, "tax_percent": "19", "price": "10.00", "stock": "5", "reference": null,
        "updated_at": "2026-01-01T00:00:00Z",
    })
}

fn order(id: u64) -> Value {
    json!({
        "id": id, "number": format!("R-{}", 1000 + id), "state": "open", "paid": true, "currency": "EUR",
        "placed_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "email": "ada@example.com", "note": null,
        "payment": {"method": "card", "amount": "29.90", "transaction": format!("t-{id}")},
        "address": {"first_name": "Ada", "last_name": "Lovelace", "street": "Ringweg 1", "postcode": "10115",
                    "city": "Berlin", "country": "DE"},
        "lines": [{"id": 1, "product_id": 1, "sku": "SKU-1", "name": "Cup", "quantity": "2", "unit_price": "12.50",
                   "total": "25.00", "tax_percent": "19"}],
        "shipping": {"name": "Parcel", "total": "4.90", "tax_percent": "19"}, "total": "29.90",
    })
}
