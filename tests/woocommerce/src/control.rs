//! The hand of the tester: reads counts, scripts misbehaviour, and acts as customers and staff do.
//!
//! In process through [`Control`], over HTTP under `/__sim/`. Nothing done here is in the journal.

use std::{sync::Arc, time::Duration};

use axum::{http::Method, response::Response};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    call::{Call, parse_query},
    error::ApiError,
    faults::Script,
    journal::Journal,
    orders, refunds, routes,
    server::{Site, json_response, text_response},
    shop,
    state::Body,
};

/// The shop said no to something the control asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    pub code: String,
    pub message: String,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self { code: error.code, message: error.message }
    }
}

pub(crate) fn refusal(code: &str, message: impl Into<String>) -> Refusal {
    Refusal { code: code.to_owned(), message: message.into() }
}

/// What a customer puts through the check-out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cart {
    /// SKU and quantity.
    pub items: Vec<(String, u32)>,
    /// 0 for a guest.
    pub customer_id: u64,
    /// Members as in the REST interface: `first_name`, `address_1`, `country`, `email`, ...
    pub billing: Value,
    /// The billing address where absent.
    pub shipping: Value,
    pub coupon: Option<String>,
    /// `bacs` (waits for the money: on-hold), `cheque`, `cod` or `card` (paid at once); `card` where empty.
    pub payment_method: String,
    /// Net costs of shipping; `4.12` where absent.
    pub shipping_total: Option<String>,
    pub note: String,
}

/// Handle on a running simulator; clones act on the same shop.
#[derive(Debug, Clone)]
pub struct Control {
    pub(crate) site: Arc<Site>,
}

impl Control {
    /// A copy of counts and journal.
    pub fn journal(&self) -> Journal {
        self.site.state().journal.clone()
    }

    /// Forgets all counts and the journal.
    pub fn reset_journal(&self) {
        self.site.state().journal = Journal::default();
    }

    /// Makes requests go wrong; scripts are tried in the order they came.
    pub fn misbehave(&self, script: Script) {
        self.site.faults().scripts.push(script);
    }

    /// Ends all misbehaviour, rate limit included.
    pub fn behave(&self) {
        let mut faults = self.site.faults();
        faults.scripts.clear();
        faults.requests_per_second = None;
        drop(faults);
        self.site.state().listing_lag = None;
    }

    /// Scripts that are not used up yet.
    pub fn pending_scripts(&self) -> Vec<Script> {
        self.site.faults().scripts.clone()
    }

    /// More requests per second than this are answered with 429.
    pub fn set_rate_limit(&self, requests_per_second: Option<u32>) {
        self.site.faults().requests_per_second = requests_per_second;
    }

    /// Objects created from now on stay out of lists and searches for this long.
    pub fn set_listing_lag(&self, lag: Option<Duration>) {
        self.site.state().listing_lag = lag;
    }

    /// Sets the shop's clock ahead (or back) by this many seconds.
    pub fn set_time_offset(&self, seconds: i64) {
        self.site.state().clock.offset = SignedDuration::from_secs(seconds);
    }

    /// Buys what is in the cart as a customer would; answers the number of the order.
    pub fn place_order(&self, cart: &Cart) -> Result<u64, Refusal> {
        place_order(&mut self.site.state(), cart)
    }

    /// Sends a request past counting, authentication and misbehaviour: what staff do in the shop's own pages.
    /// `path` is below the namespace and may carry a query.
    pub fn as_staff(&self, method: &str, path: &str, body: Value) -> Result<Value, Refusal> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let call = Call {
            method: method.to_owned(),
            path: path.to_owned(),
            query: parse_query(query),
            body: body.as_object().cloned().unwrap_or_default(),
            base: self.site.url.clone(),
            pictures: Arc::default(),
        };
        let mut state = self.site.state();
        let before = state.journal.writes.len();
        let answer = routes::handle(&mut state, &call);
        state.journal.writes.truncate(before);
        Ok(answer.map(|reply| reply.json)?)
    }

    /// The product or variation with this SKU, as the REST interface shows it.
    pub fn article(&self, sku: &str) -> Option<Value> {
        let path = self.article_path(sku)?;
        self.as_staff("GET", &path, Value::Null).ok()
    }

    fn article_path(&self, sku: &str) -> Option<String> {
        let state = self.site.state();
        let item = state.article(*state.skus.get(sku)?)?;
        Some(match item.parent {
            0 => format!("/products/{}", item.id),
            parent => format!("/products/{parent}/variations/{}", item.id),
        })
    }

    /// The quantity in stock; `None` where there is no such SKU or its stock is not managed.
    pub fn stock(&self, sku: &str) -> Option<i64> {
        self.article(sku)?["stock_quantity"].as_i64()
    }

    /// Edits the product or variation with this SKU.
    pub fn edit_article(&self, sku: &str, fields: Value) -> Result<Value, Refusal> {
        let path = self.article_path(sku).ok_or_else(|| refusal("unknown_sku", sku))?;
        self.as_staff("PUT", &path, fields)
    }

    /// Deletes the product or variation with this SKU for good.
    pub fn delete_article(&self, sku: &str) -> Result<Value, Refusal> {
        let path = self.article_path(sku).ok_or_else(|| refusal("unknown_sku", sku))?;
        self.as_staff("DELETE", &format!("{path}?force=true"), Value::Null)
    }

    /// The order as the REST interface shows it.
    pub fn order(&self, id: u64) -> Option<Value> {
        self.as_staff("GET", &format!("/orders/{id}"), Value::Null).ok()
    }

    /// Every order, by number, those in the trash included.
    pub fn orders(&self) -> Vec<Value> {
        let state = self.site.state();
        state.orders.values().map(|item| orders::render(&state, item, 2)).collect()
    }

    /// Edits an order: lines, addresses, notes, status.
    pub fn edit_order(&self, id: u64, fields: Value) -> Result<Value, Refusal> {
        self.as_staff("PUT", &format!("/orders/{id}"), fields)
    }

    /// Cancels an order; its stock comes back.
    pub fn cancel_order(&self, id: u64) -> Result<Value, Refusal> {
        self.edit_order(id, json!({"status": "cancelled"}))
    }

    /// The money has come in.
    pub fn pay_order(&self, id: u64) -> Result<Value, Refusal> {
        self.edit_order(id, json!({"set_paid": true}))
    }

    /// Gives back an amount, or all that is left of the order where `amount` is absent.
    pub fn refund_order(&self, id: u64, amount: Option<&str>, reason: &str) -> Result<u64, Refusal> {
        let mut state = self.site.state();
        let total = state.orders.get(&id).map(|order| crate::money::of(&order.body, "total")).unwrap_or_default();
        let before: rust_decimal::Decimal =
            state.refunds.values().filter(|r| r.parent == id).map(|r| crate::money::of(&r.body, "amount")).sum();
        let amount = amount.map_or_else(|| (total - before).to_string(), str::to_owned);
        let sent = json!({"amount": amount, "reason": reason});
        Ok(refunds::refund(&mut state, id, sent.as_object().unwrap_or(&Body::new()), false)?)
    }
}

pub(crate) fn place_order(state: &mut crate::state::State, cart: &Cart) -> Result<u64, Refusal> {
    let mut lines = Vec::new();
    for (sku, quantity) in &cart.items {
        let item = state.skus.get(sku).and_then(|id| state.article(*id));
        let item = item.ok_or_else(|| refusal("unknown_sku", sku.as_str()))?;
        let holder = match item.body["manage_stock"] == true {
            true => Some(item),
            false => state.products.get(&item.parent).filter(|parent| parent.body["manage_stock"] == true),
        };
        let short =
            holder.is_some_and(|h| h.text("backorders") == "no" && h.int("stock_quantity") < i64::from(*quantity));
        if short || item.text("stock_status") == "outofstock" && holder.is_none() {
            return Err(refusal("out_of_stock", format!("{sku} is not in stock in this quantity")));
        }
        let (product, variation) = if item.parent > 0 { (item.parent, item.id) } else { (item.id, 0) };
        lines.push(json!({"product_id": product, "variation_id": variation, "quantity": quantity}));
    }
    if lines.is_empty() {
        return Err(refusal("empty_cart", "the cart holds nothing"));
    }
    let billing = cart.billing.clone();
    let shipping = match &cart.shipping {
        Value::Object(shipping) => Value::from(shipping.clone()),
        _ => {
            let mut shipping = billing.clone();
            if let Some(members) = shipping.as_object_mut() {
                members.remove("email");
            }
            shipping
        }
    };
    let method = if cart.payment_method.is_empty() { "card" } else { cart.payment_method.as_str() };
    let shipping_total = cart.shipping_total.clone().unwrap_or_else(|| "4.12".to_owned());
    let mut sent = json!({
        "status": if method == "bacs" { "on-hold" } else if method == "card" { "pending" } else { "processing" },
        "customer_id": cart.customer_id, "billing": billing, "shipping": shipping, "line_items": lines,
        "payment_method": method, "payment_method_title": shop::gateway_title(method).unwrap_or(method),
        "customer_note": cart.note, "set_paid": method == "card",
        "shipping_lines": [{"method_id": "flat_rate", "method_title": "Standardversand", "instance_id": "1", "total": shipping_total}],
    });
    for name in ["billing", "shipping"] {
        if !sent[name].is_object() {
            sent[name] = json!({});
        }
    }
    if let Some(code) = &cart.coupon {
        sent["coupon_lines"] = json!([{"code": code}]);
    }
    Ok(orders::place(state, sent.as_object().unwrap_or(&Body::new()), "checkout")?)
}

const HELP: &str = "\
Control of the WooCommerce simulator. Bodies and answers are JSON.

GET    /__sim/journal                 counts, writes, requests
DELETE /__sim/journal                 forget them
GET    /__sim/misbehave               scripts still to come
POST   /__sim/misbehave               add one: {\"method\":\"POST\",\"path\":\"/orders\",\"skip\":0,\"times\":1,
                                      \"misbehave\":{\"kind\":\"drop_after\"}}
DELETE /__sim/misbehave               behave again, no rate limit, no lag
PUT    /__sim/settings                {\"rate_limit\":5,\"listing_lag_seconds\":10,\"time_offset_seconds\":0}
POST   /__sim/orders                  buy: {\"items\":[[\"SKU\",1]],\"billing\":{..},\"coupon\":null}
PUT    /__sim/orders/{id}             edit an order with members of the REST interface
POST   /__sim/orders/{id}/cancel      cancel it, stock comes back
POST   /__sim/orders/{id}/pay         its money has come in
POST   /__sim/orders/{id}/refund      {\"amount\":\"5.00\",\"reason\":\"\"}, all that is left without an amount
GET    /__sim/articles/{sku}          a product or variation
PUT    /__sim/articles/{sku}          edit it with members of the REST interface
DELETE /__sim/articles/{sku}          delete it for good

Kinds of misbehaviour: error_before {status}, error_after {status}, hang_before, hang_after, drop_before,
drop_after, drop_then_work {seconds}, too_many {retry_after}, bad_gateway, bad_gateway_after,
slow {bytes_per_second}, invalid_json. \"before\" means nothing was done, \"after\" that everything was.
";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    rate_limit: Option<u32>,
    #[serde(default)]
    listing_lag_seconds: Option<f64>,
    #[serde(default)]
    time_offset_seconds: Option<i64>,
}

/// One request to `/__sim/`.
pub(crate) fn http(site: &Arc<Site>, method: &Method, path: &str, _query: &str, body: &[u8]) -> Response {
    let control = Control { site: Arc::clone(site) };
    let below = path.trim_start_matches("/__sim").trim_matches('/');
    if below.is_empty() {
        return text_response(200, "text/plain; charset=utf-8", HELP.to_owned());
    }
    let decoded: Vec<String> = below.split('/').map(decode).collect();
    let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    match dispatch(&control, method.as_str(), &parts, body) {
        Ok(json) => json_response(200, &json, &[]),
        Err(refusal) => {
            let status = if refusal.code == "unknown_route" { 404 } else { 400 };
            json_response(status, &json!({"code": refusal.code, "message": refusal.message}), &[])
        }
    }
}

/// A path segment with its percent signs resolved.
fn decode(part: &str) -> String {
    let text = part.replace('+', "%2B");
    let pair = url::form_urlencoded::parse(text.as_bytes()).next();
    pair.map(|(name, _)| name.into_owned()).unwrap_or_default()
}

fn dispatch(control: &Control, method: &str, parts: &[&str], body: &[u8]) -> Result<Value, Refusal> {
    fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
        let body = if body.is_empty() { b"{}" } else { body };
        serde_json::from_slice(body).map_err(|error| refusal("unreadable_body", error.to_string()))
    }
    let done = || Ok(json!({"done": true}));
    let order = |id: &str| id.parse::<u64>().map_err(|_| refusal("unknown_order", id));
    match (method, parts) {
        ("GET", ["journal"]) => serde_json::to_value(control.journal()).map_err(|e| refusal("internal", e.to_string())),
        ("DELETE", ["journal"]) => {
            control.reset_journal();
            done()
        }
        ("GET", ["misbehave"]) => {
            serde_json::to_value(control.pending_scripts()).map_err(|e| refusal("internal", e.to_string()))
        }
        ("POST", ["misbehave"]) => {
            control.misbehave(read(body)?);
            done()
        }
        ("DELETE", ["misbehave"]) => {
            control.behave();
            done()
        }
        ("PUT" | "POST", ["settings"]) => {
            let settings: Settings = read(body)?;
            if let Some(limit) = settings.rate_limit {
                control.set_rate_limit((limit > 0).then_some(limit));
            }
            if let Some(seconds) = settings.listing_lag_seconds {
                let lag =
                    Duration::try_from_secs_f64(seconds).map_err(|e| refusal("unreadable_body", e.to_string()))?;
                control.set_listing_lag((!lag.is_zero()).then_some(lag));
            }
            if let Some(seconds) = settings.time_offset_seconds {
                control.set_time_offset(seconds);
            }
            done()
        }
        ("POST", ["orders"]) => Ok(json!({"id": control.place_order(&read(body)?)?})),
        ("PUT", ["orders", id]) => control.edit_order(order(id)?, read(body)?),
        ("POST", ["orders", id, "cancel"]) => control.cancel_order(order(id)?),
        ("POST", ["orders", id, "pay"]) => control.pay_order(order(id)?),
        ("POST", ["orders", id, "refund"]) => {
            let wanted: Value = read(body)?;
            let reason = wanted["reason"].as_str().unwrap_or_default();
            Ok(json!({"id": control.refund_order(order(id)?, wanted["amount"].as_str(), reason)?}))
        }
        ("GET", ["articles", sku]) => control.article(sku).ok_or_else(|| refusal("unknown_sku", *sku)),
        ("PUT", ["articles", sku]) => control.edit_article(sku, read(body)?),
        ("DELETE", ["articles", sku]) => control.delete_article(sku),
        _ => Err(refusal("unknown_route", "see GET /__sim for what there is")),
    }
}
