//! The ERP of `docs/erp-api.md`, in memory. Under `/_control` it does what the conformance suite asks of a simulator.

// Program and tests use different halves.
#![allow(dead_code)]

#[path = "server.rs"]
mod server;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tiny_http::Method;

use server::{Answer, Asked, Platform};

pub const KEY: &str = "k3y-of-the-simulator";

/// Objects as the suite's rules want them, and how they must be read.
const GOLDEN: &str = include_str!("../fixtures/golden.json");

/// A running ERP.
pub type Simulator = server::Simulator<Erp>;

type Objects = BTreeMap<u64, Value>;

/// State and API.
#[derive(Default)]
pub struct Erp {
    offset: i64,
    last: u64,
    pub items: Objects,
    pub orders: Objects,
    pub deliveries: Objects,
    pub writes: u64,
}

fn refusal(status: u16, field: &str, message: &str) -> Answer {
    let errors = if field.is_empty() { json!([]) } else { json!([{"field": field, "message": message}]) };
    (status, json!({"message": message, "errors": errors}))
}

impl Platform for Erp {
    fn answer(&mut self, asked: &Asked) -> Answer {
        let (method, list, id, verb) = (&asked.method, asked.part(1), asked.part(2), asked.part(3));
        if asked.part(0) == "_control" {
            return self.control(method, list, &asked.body);
        }
        if asked.header("x-api-key") != Some(KEY) {
            return refusal(401, "", "The key is missing or wrong.");
        }
        let all = match (asked.part(0), list) {
            ("v1", "company") => return (200, self.company()),
            ("v1", "items" | "stock") => &self.items,
            ("v1", "orders") => &self.orders,
            ("v1", "deliveries") => &self.deliveries,
            _ => return refusal(404, "", "There is nothing here."),
        };
        match (method, list, id) {
            (Method::Get, _, "") => return (200, page(all, asked)),
            (Method::Post, "orders", "") => return self.make(&asked.body),
            _ => {}
        }
        let number = id.parse().unwrap_or(0);
        let Some(there) = all.get(&number) else {
            return refusal(404, "", &format!("There is no such object: {id}."));
        };
        match (method, list, verb) {
            (Method::Get, "orders", "") => (200, there.clone()),
            (Method::Post, "orders", "confirm" | "payments" | "cancel") => self.act(number, verb, &asked.body),
            _ => refusal(405, "", "That cannot be done here."),
        }
    }
}

impl Erp {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.offset)
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn company(&self) -> Value {
        json!({
            "id": "simulated", "name": "{{title}}", "currency": "EUR", "language": "en", "country": "DE",
            "zone": "Europe/Berlin", "test": true, "now": self.now(),
            "warehouses": [{"id": "HAM", "name": "Hamburg"}, {"id": "MUC", "name": "Munich"}],
        })
    }

    /// Makes a draft, once per external reference.
    fn make(&mut self, body: &Value) -> Answer {
        let reference = &body["external_reference"];
        let same = |order: &&Value| !reference.is_null() && order["external_reference"] == *reference;
        if let Some(before) = self.orders.values().find(same) {
            return (200, before.clone());
        }
        let mut lines = body["lines"].as_array().cloned().unwrap_or_default();
        let id = self.last + 1;
        for (at, line) in lines.iter_mut().enumerate() {
            let item = self.items.values().find(|item| item["id"] == line["item_id"] || item["sku"] == line["sku"]);
            match item {
                None if line["kind"] == "item" => {
                    let words = format!("There is no item {} with the SKU {}.", line["item_id"], line["sku"]);
                    return refusal(422, &format!("lines[{at}].item_id"), &words);
                }
                Some(item) if line["kind"] == "item" => line["item_id"] = item["id"].clone(),
                _ => {}
            }
            line["id"] = json!(id * 100 + at as u64 + 1);
        }
        let (taxes, gross) = totals(&lines);
        if body["gross"] != gross {
            let words = format!("The lines and their taxes come to {gross}, the order says {}.", body["gross"]);
            return refusal(422, "gross", &words);
        }
        let mut order = body.clone();
        let own = json!({"id": id, "number": null, "state": "draft", "lines": lines, "taxes": taxes, "modified_at": self.now()});
        merge(&mut order, &own);
        self.last = id;
        self.writes += 1;
        self.orders.insert(id, order.clone());
        (201, order)
    }

    /// Confirms, pays or cancels an order; what it is already stays as it is.
    fn act(&mut self, id: u64, verb: &str, body: &Value) -> Answer {
        let now = self.now();
        let order = self.orders.get_mut(&id).expect("it was there a moment ago");
        let state = order["state"].as_str().unwrap_or_default().to_owned();
        let payments = order["payments"].as_array().cloned().unwrap_or_default();
        let known = |one: &Value| !body["reference"].is_null() && one["reference"] == body["reference"];
        match (verb, state.as_str()) {
            ("confirm", "draft") => {
                order["state"] = json!("confirmed");
                order["number"] = json!(format!("SO-{}", 1000 + id));
            }
            ("payments", _) if !payments.iter().any(known) => {
                order["payments"] = payments.into_iter().chain([body.clone()]).collect();
            }
            ("cancel", "draft" | "confirmed") => order["state"] = json!("cancelled"),
            ("cancel", state) if state != "cancelled" => {
                return refusal(422, "state", &format!("An order that is {state} cannot be cancelled."));
            }
            _ => return (200, order.clone()),
        }
        order["modified_at"] = json!(now);
        self.writes += 1;
        (200, order.clone())
    }

    /// The conformance suite's hand; see the documentation of `cargo tradepost conformance`.
    pub fn control(&mut self, method: &Method, what: &str, body: &Value) -> Answer {
        let golden: Value = serde_json::from_str(GOLDEN).expect("a fixture");
        let hand = json!({"make": true, "change": true, "remove": true, "count": true, "spoil": true});
        if (method, what) == (&Method::Get, "") {
            let kinds = json!({"product": hand, "stock": hand, "price": hand, "order": hand, "shipment": hand});
            let cases: Vec<&String> = golden.as_object().into_iter().flatten().map(|(case, _)| case).collect();
            let offers = json!({"protocol": 1, "kinds": kinds, "golden": cases, "clock": true, "secrets": [KEY]});
            return (200, offers);
        }
        let (kind, now) = (body["kind"].as_str().unwrap_or_default(), self.now());
        match what {
            "reset" => *self = Self { last: self.last, ..Self::default() },
            "clock" => self.offset = body["offset-seconds"].as_i64().unwrap_or(0),
            "make" => {
                let count = body["count"].as_u64().unwrap_or(1);
                let ids: Vec<String> = (0..count).map(|_| self.put(kind, &Value::Null).to_string()).collect();
                return (200, json!({"ids": ids}));
            }
            "golden" => {
                let mut records = golden[body["case"].as_str().unwrap_or_default()].clone();
                for record in records.as_array_mut().into_iter().flatten() {
                    let id = self.put(record["kind"].as_str().unwrap_or_default(), &record["members"]);
                    record["id"] = json!(id.to_string());
                }
                return (200, json!({"records": records}));
            }
            "count" => return (200, json!({"objects": self.all(kind).len(), "writes": self.writes})),
            "change" | "remove" | "spoil" => {
                let id: u64 = body["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0);
                let Some(there) = self.all(kind).get_mut(&id) else {
                    return refusal(404, "", "There is no such object.");
                };
                there["modified_at"] = json!(now);
                match (what, kind) {
                    ("remove", _) => drop(self.all(kind).remove(&id)),
                    // As an import or a plugin leaves it.
                    ("spoil", "order") => there["ordered_at"] = json!("yesterday"),
                    ("spoil", "stock") => there["levels"][0]["available"] = json!("some"),
                    ("spoil", "price") => there["net_price"] = Value::Null,
                    ("spoil", "shipment") => there["shipped_at"] = json!("yesterday"),
                    ("spoil", _) => there["name"] = Value::Null,
                    (_, "order") => there["state"] = json!("shipped"),
                    (_, "stock") => there["levels"][0]["available"] = json!("77"),
                    (_, "price") => there["net_price"] = json!(2005),
                    (_, "shipment") => there["parcels"][0]["tracking_code"] = json!("0034-2"),
                    _ => there["name"] = json!(format!("{} (new)", there["name"].as_str().unwrap_or_default())),
                }
            }
            _ => return refusal(404, "", "The simulator cannot do that."),
        }
        (200, json!({}))
    }

    fn all(&mut self, kind: &str) -> &mut Objects {
        match kind {
            "order" => &mut self.orders,
            "shipment" => &mut self.deliveries,
            _ => &mut self.items,
        }
    }

    /// Makes an object that has these members, and what it needs.
    fn put(&mut self, kind: &str, members: &Value) -> u64 {
        let mut made = match kind {
            "order" => {
                let known = self.items.keys().next().copied();
                order(known.unwrap_or_else(|| self.put("product", &Value::Null)))
            }
            "shipment" => delivery(self.put("order", &json!({"state": "shipped"}))),
            _ => item(self.last + 1),
        };
        let id = self.next();
        let numbered = if kind == "order" { json!({"number": format!("SO-{}", 1000 + id)}) } else { json!({}) };
        for members in [&json!({"id": id, "modified_at": self.now()}), &numbered, members] {
            merge(&mut made, members);
        }
        self.all(kind).insert(id, made);
        id
    }
}

fn merge(object: &mut Value, members: &Value) {
    for (name, value) in members.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
}

/// The tax of each rate, and what the lines come to with it.
fn totals(lines: &[Value]) -> (Vec<Value>, i64) {
    let mut nets: BTreeMap<i64, i64> = BTreeMap::new();
    for line in lines {
        *nets.entry(line["tax_rate"].as_i64().unwrap_or(0)).or_default() += line["net"].as_i64().unwrap_or(0);
    }
    // Half a hundredth is rounded up.
    let tax = |rate: i64, net: i64| (2 * net * rate + 10_000).div_euclid(20_000);
    let gross = nets.iter().map(|(rate, net)| net + tax(*rate, *net)).sum();
    let taxed = nets.iter().filter(|(rate, _)| **rate > 0);
    (taxed.map(|(rate, net)| json!({"tax_rate": rate, "net": net, "tax": tax(*rate, *net)})).collect(), gross)
}

fn page(all: &Objects, asked: &Asked) -> Value {
    let list = asked.part(1);
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let after = asked.query("cursor").and_then(|cursor| u64::from_str_radix(cursor.strip_prefix('c')?, 16).ok());
    let ids: Option<Vec<&str>> = asked.query("ids").map(|ids| ids.split(',').collect());
    let (from, to) = (asked.query("modified_from").and_then(time), asked.query("modified_to").and_then(time));
    let fits = |id: u64, one: &Value| {
        let modified = one["modified_at"].as_str().and_then(time);
        let same = |name: &str| asked.query(name).is_none_or(|wanted| one[name] == wanted);
        id > after.unwrap_or(0)
            && ids.as_ref().is_none_or(|ids| ids.contains(&id.to_string().as_str()))
            && (asked.query("confirmed") != Some("true") || one["state"] != "draft")
            && same("external_reference")
            && same("customer_reference")
            && from.is_none_or(|from| modified.is_some_and(|at| at >= from))
            && to.is_none_or(|to| modified.is_some_and(|at| at <= to))
    };
    let found: Vec<(u64, &Value)> = all.iter().map(|(id, one)| (*id, one)).filter(|(id, one)| fits(*id, one)).collect();
    let limit = asked.query("limit").and_then(|limit| limit.parse().ok()).unwrap_or(50).clamp(1, 200);
    let rows = &found[..found.len().min(limit)];
    let cursor = rows.last().filter(|_| found.len() > limit).map(|(id, _)| format!("c{id:x}"));
    let data: Vec<Value> = rows.iter().map(|(_, one)| shown(list, one)).collect();
    json!({"data": data, "cursor": cursor})
}

/// An item without its stock, or the stock of an item.
fn shown(list: &str, one: &Value) -> Value {
    let mut shown = one.clone();
    let members = shown.as_object_mut().into_iter();
    match list {
        "items" => members.for_each(|all| drop(all.remove("levels"))),
        "stock" => {
            let kept = ["id", "sku", "levels", "modified_at"];
            members.for_each(|all| all.retain(|name, _| kept.contains(&name.as_str())));
        }
        _ => {}
    }
    shown
}

fn item(id: u64) -> Value {
    json!({
        "sku": format!("SKU-{id}"), "name": format!("Item {id}"), "description": null, "active": true, "barcode": null,
        "weight_g": null, "tax_rate": 1900, "net_price": 1000,
        "levels": [{"warehouse": "HAM", "available": "5"}, {"warehouse": "MUC", "available": "0"}],
    })
}

fn order(item: u64) -> Value {
    let address = json!({"company": null, "first_name": "Ada", "last_name": "Lovelace", "lines": ["Ringweg 1"],
        "postcode": "10115", "city": "Berlin", "country": "DE"});
    let lines = json!([
        {"id": 1, "reference": null, "kind": "item", "item_id": item, "sku": format!("SKU-{item}"), "name": "Cup",
         "quantity": "2", "unit_price": "10.5042", "net": 2101, "tax_rate": 1900},
        {"id": 2, "reference": null, "kind": "shipping", "item_id": null, "sku": null, "name": "Parcel", "quantity": "1",
         "unit_price": "4.12", "net": 412, "tax_rate": 1900},
    ]);
    json!({
        "state": "confirmed", "external_reference": null, "customer_reference": null, "currency": "EUR",
        "ordered_at": "2026-01-31T09:00:00+01:00", "email": "ada@example.com", "note": null, "billing_address": address,
        "delivery_address": null, "lines": lines, "taxes": [{"tax_rate": 1900, "net": 2513, "tax": 477}], "gross": 2990,
        "payments": [{"reference": null, "method": "card", "amount": 2990, "transaction": "t-1",
                      "paid_at": "2026-01-31T09:01:00+01:00"}],
    })
}

fn delivery(order: u64) -> Value {
    json!({
        "number": format!("D-{order}"), "order_id": order, "order_number": format!("SO-{}", 1000 + order),
        "shipped_at": "2026-02-01T15:00:00+01:00", "completes_order": true,
        "parcels": [{"carrier": "DHL", "tracking_code": "00340434", "lines": [{"line_id": 1, "quantity": "2"}]}],
    })
}
