//! The shop's state and its API.
//!
//! `POST /login` gives a token. `GET /{list}` pages by id (`after`, `limit`), filters by time of change (`since`, `until`)
//! or takes `ids`; `GET /ids/{list}` lists ids; `POST /batch/{list}` writes; `GET /find/products` looks up by key, marker
//! and SKU; `POST /orders/ack` takes orders out of the list of new ones.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::server::Call;

/// Who may log in.
pub const USER: &str = "conformance";
/// Password of [`USER`].
pub const PASSWORD: &str = "correct horse battery staple";

/// The shop says no.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

pub(crate) fn refusal(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { status, code, message: message.into() }
}

pub(crate) type Answer = Result<Value, Refusal>;

/// Everything the shop knows. Stock and price are members of the product, each with a time of change of its own.
#[derive(Debug, Default)]
pub(crate) struct Shop {
    pub(crate) offset: i64,
    pub(crate) products: BTreeMap<u64, Value>,
    pub(crate) orders: BTreeMap<u64, Value>,
    pub(crate) writes: u64,
    /// Numbers are never used twice, not even after a reset: tokens are made of them.
    pub(crate) last: u64,
    acknowledged: BTreeSet<u64>,
    tokens: BTreeSet<String>,
}

impl Shop {
    pub(crate) fn reset(&mut self) {
        *self = Self { last: self.last, tokens: std::mem::take(&mut self.tokens), ..Self::default() };
    }

    pub(crate) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(SignedDuration::from_secs(self.offset)).unwrap_or(now)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    pub(crate) fn answer(&mut self, call: &Call) -> Answer {
        let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
        if (call.method.as_str(), path.as_slice()) == ("POST", &["login"]) {
            return self.log_in(call);
        }
        if !call.token.as_ref().is_some_and(|token| self.tokens.contains(token)) {
            return Err(refusal(401, "log-in", "Please log in: the token is missing or no longer valid."));
        }
        match (call.method.as_str(), path.as_slice()) {
            ("GET", ["account"]) => Ok(json!({
                "id": "model-shop", "name": "Model shop", "test": true, "zone": "Europe/Berlin", "currency": "EUR",
                "country": "DE", "language": "en", "now": self.now().to_string(),
            })),
            ("GET", ["find", "products"]) => Ok(self.find(call)),
            ("GET", ["ids", list]) => Ok(json!({"ids": self.list(list)?.keys().collect::<Vec<_>>()})),
            ("GET", [list]) => self.page(list, call),
            ("POST", ["batch", list]) => self.batch(list, call),
            ("POST", ["orders", "ack"]) => {
                let ids = call.body["ids"].as_array().into_iter().flatten().filter_map(Value::as_u64);
                self.acknowledged.extend(ids);
                Ok(json!({"done": true}))
            }
            _ => Err(refusal(404, "no-route", "There is nothing at this address.")),
        }
    }

    fn log_in(&mut self, call: &Call) -> Answer {
        if call.body["user"] != USER || call.body["password"] != PASSWORD {
            return Err(refusal(401, "log-in", "User name or password are wrong."));
        }
        let token = format!("session-{:08x}-of-the-model-shop", self.number().wrapping_mul(2_654_435_761));
        self.tokens.insert(token.clone());
        Ok(json!({"token": token, "seconds": 3600}))
    }

    fn list(&self, list: &str) -> Result<&BTreeMap<u64, Value>, Refusal> {
        match list {
            "products" | "stock" | "prices" => Ok(&self.products),
            "orders" => Ok(&self.orders),
            _ => Err(refusal(404, "no-list", format!("There is no list {list}."))),
        }
    }

    fn page(&self, list: &str, call: &Call) -> Answer {
        let objects = self.list(list)?;
        let changed = match list {
            "stock" => "stock_changed",
            _ => "changed",
        };
        let text = |name: &str| call.query.get(name).map(String::as_str);
        let time = |name: &str| text(name).and_then(|text| text.parse::<Timestamp>().ok());
        let number = |name: &str| text(name).and_then(|text| text.parse::<usize>().ok());
        let ids: Option<Vec<u64>> = text("ids").map(|ids| ids.split(',').filter_map(|id| id.parse().ok()).collect());
        let (since, until) = (time("since"), time("until"));
        // Prices have no time of change: whoever wants changes remembers what was there.
        let timed = list != "prices" && ids.is_none();
        let within = |object: &Value| {
            let at = object[changed].as_str().and_then(|text| text.parse::<Timestamp>().ok());
            !timed || at.is_none_or(|at| since.is_none_or(|since| at > since) && until.is_none_or(|until| at <= until))
        };
        let fits = |id: &u64, object: &Value| {
            ids.as_ref().is_none_or(|ids| ids.contains(id))
                && within(object)
                && (ids.is_some() || list != "orders" || !self.acknowledged.contains(id))
        };
        let mut all: Vec<(&u64, &Value)> = objects.iter().filter(|(id, object)| fits(id, object)).collect();
        if text("order") == Some("changed") {
            all.sort_by_key(|(id, object)| (object[changed].as_str().unwrap_or_default().to_owned(), **id));
        }
        let (total, limit) = (all.len(), number("limit").unwrap_or(100).clamp(1, 1000));
        let after = text("after").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        let from = match number("offset") {
            Some(offset) => offset.min(total),
            None => all.partition_point(|(id, _)| **id <= after),
        };
        let page = &all[from..(from + limit).min(total)];
        let next = page.last().filter(|_| from + limit < total).map(|(id, _)| **id);
        let items: Vec<&Value> = page.iter().map(|(_, object)| *object).collect();
        Ok(json!({"items": items, "next": next, "total": total}))
    }

    fn find(&self, call: &Call) -> Value {
        let fits = |object: &&Value| {
            ["key", "marker", "sku"].iter().any(|name| {
                call.query.get(*name).is_some_and(|wanted| !wanted.is_empty() && object[*name] == wanted.as_str())
            })
        };
        json!({"items": self.products.values().filter(fits).collect::<Vec<_>>()})
    }

    /// Every item gets an answer of its own, in order.
    fn batch(&mut self, list: &str, call: &Call) -> Answer {
        self.list(list)?;
        if list == "orders" {
            return Err(refusal(405, "read-only", "Orders are placed by customers."));
        }
        let items = call.body["items"].as_array().cloned().unwrap_or_default();
        let results = items.iter().map(|item| match self.write(list, item) {
            Ok(object) => json!({"ok": true, "id": object["id"], "version": object["version"]}),
            Err(Refusal { code, message, .. }) => json!({"ok": false, "code": code, "message": message}),
        });
        Ok(json!({"results": results.collect::<Vec<_>>()}))
    }

    fn write(&mut self, list: &str, item: &Value) -> Answer {
        let id = match item["id"].as_u64() {
            Some(id) => id,
            None if list != "products" => return Err(refusal(400, "id", "Which product is meant?")),
            None => {
                // The same key twice is the same wish.
                let again = self.products.values().find(|known| item["key"].is_string() && known["key"] == item["key"]);
                if let Some(known) = again {
                    return Ok(known.clone());
                }
                self.number()
            }
        };
        let now = self.now().to_string();
        let known = self.products.get(&id);
        if item["id"].is_u64() && known.is_none() {
            return Err(refusal(404, "unknown", format!("There is no product {id}.")));
        }
        if list == "products" && item["name"] == "" {
            return Err(refusal(400, "name", "A product needs a name."));
        }
        let mut object = known.cloned().unwrap_or_else(|| blank(id, &now));
        for (name, value) in item.as_object().into_iter().flatten().filter(|(name, _)| *name != "id") {
            object[name] = value.clone();
        }
        let stamp = if list == "stock" { "stock_changed" } else { "changed" };
        object[stamp] = json!(now);
        object["version"] = json!(object["version"].as_u64().unwrap_or(0) + 1);
        self.writes += 1;
        self.products.insert(id, object.clone());
        Ok(object)
    }
}

/// A product as the shop makes one.
pub(crate) fn blank(id: u64, now: &str) -> Value {
    json!({
        "id": id, "version": 0, "key": null, "marker": null, "number": format!("P-{id}"), "sku": format!("SKU-{id}"),
        "name": format!("Product {id}"), "html": "<p>Plain.</p>", "active": true, "weight": "1.5",
        "price": "19.90", "currency": "EUR", "quantity": "5", "changed": now, "stock_changed": now,
    })
}
