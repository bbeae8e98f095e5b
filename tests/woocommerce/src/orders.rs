//! `/orders`: what customers bought.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    call::{Answer, Call, Reply},
    clock::{self, gmt},
    error::ApiError,
    journal::Operation,
    lines, meta, money, paging,
    schema::{Arg, Kind},
    state::{Body, Item, State},
    stock, totals,
};

pub(crate) const STATUSES: &[&str] = &[
    "auto-draft",
    "pending",
    "processing",
    "on-hold",
    "completed",
    "cancelled",
    "refunded",
    "failed",
    "checkout-draft",
];

const QUERY: &[Arg] = &[
    ("orderby", Kind::Text),
    (
        "status",
        Kind::List(&Kind::OneOf(&[
            "any",
            "trash",
            "auto-draft",
            "pending",
            "processing",
            "on-hold",
            "completed",
            "cancelled",
            "refunded",
            "failed",
            "checkout-draft",
        ])),
    ),
    ("customer", Kind::Int),
    ("product", Kind::Int),
    ("dp", Kind::Int),
    ("order_item_display_meta", Kind::Bool),
    ("created_via", Kind::List(&Kind::Text)),
];

const ORDERBY: &[&str] = &["date", "id", "include", "title", "slug"];

const ADDRESS: &[Arg] = &[
    ("first_name", Kind::Text),
    ("last_name", Kind::Text),
    ("company", Kind::Text),
    ("address_1", Kind::Text),
    ("address_2", Kind::Text),
    ("city", Kind::Text),
    ("state", Kind::Text),
    ("postcode", Kind::Text),
    ("country", Kind::Text),
    ("phone", Kind::Text),
];

const BILLING: &[Arg] = &[
    ("first_name", Kind::Text),
    ("last_name", Kind::Text),
    ("company", Kind::Text),
    ("address_1", Kind::Text),
    ("address_2", Kind::Text),
    ("city", Kind::Text),
    ("state", Kind::Text),
    ("postcode", Kind::Text),
    ("country", Kind::Text),
    ("email", Kind::TextOrNull),
    ("phone", Kind::Text),
];

const BODY: &[Arg] = &[
    ("parent_id", Kind::Int),
    ("created_via", Kind::Text),
    ("status", Kind::OneOf(STATUSES)),
    ("currency", Kind::Text),
    ("customer_id", Kind::Int),
    ("customer_note", Kind::Text),
    ("billing", Kind::Object(BILLING)),
    ("shipping", Kind::Object(ADDRESS)),
    ("payment_method", Kind::Text),
    ("payment_method_title", Kind::Text),
    ("transaction_id", Kind::Text),
    ("meta_data", meta::META),
    ("line_items", lines::LINE_ITEMS),
    ("shipping_lines", lines::SHIPPING_LINES),
    ("fee_lines", lines::FEE_LINES),
    ("coupon_lines", lines::COUPON_LINES),
    ("set_paid", Kind::Bool),
    ("manual_update", Kind::Bool),
];

const AS_SENT: &[&str] = &[
    "parent_id",
    "created_via",
    "currency",
    "customer_id",
    "customer_note",
    "payment_method",
    "payment_method_title",
    "transaction_id",
];

pub(crate) fn list(state: &State, call: &Call) -> Answer {
    let args = paging::args(call, &[paging::COMMON, paging::POSTS, QUERY])?;
    let orderby = paging::check_orderby(state, &args, ORDERBY)?;
    let filter = paging::Filter::read(state, &args);
    let statuses = paging::words(&args, "status");
    let any = statuses.is_empty() || statuses.iter().any(|s| s == "any");
    let has_status = |item: &Item| {
        let status = item.text("status");
        statuses.iter().any(|s| s == status) || any && status != "trash" && status != "auto-draft"
    };
    let customer = args.get("customer").and_then(Value::as_i64);
    let product = args.get("product").and_then(Value::as_i64);
    let search = paging::text(&args, "search");
    let via = paging::words(&args, "created_via");
    let mut items: Vec<&Item> = state
        .orders
        .values()
        .filter(|item| {
            filter.admits(item, item.int("parent_id") as u64)
                && has_status(item)
                && customer.is_none_or(|id| item.int("customer_id") == id)
                && product.is_none_or(|id| {
                    let lines = item.body["line_items"].as_array().into_iter().flatten();
                    lines.into_iter().any(|line| line["product_id"] == id)
                })
                && (via.is_empty() || via.iter().any(|v| v == item.text("created_via")))
                && search.is_none_or(|word| matches(item, word))
        })
        .collect();
    paging::sort(&mut items, &args, &orderby, "desc", |_, _| Ordering::Equal);
    let places = places(&args);
    Ok(paging::page(call, &args, &items, |item| render(state, item, places)))
}

fn matches(item: &Item, word: &str) -> bool {
    let number = item.id.to_string();
    let mut texts = vec![number.as_str()];
    for address in ["billing", "shipping"] {
        let members = item.body[address].as_object().into_iter().flatten();
        texts.extend(members.filter_map(|(_, value)| value.as_str()));
    }
    paging::found(&texts, word)
}

fn places(args: &Body) -> u32 {
    args.get("dp").and_then(Value::as_u64).map_or(2, |dp| dp.min(6) as u32)
}

pub(crate) fn get(state: &State, call: &Call, id: u64) -> Answer {
    let item = state.orders.get(&id).ok_or_else(|| ApiError::invalid_id("shop_order"))?;
    let args = call.query(&[("dp", Kind::Int)])?;
    Ok(Reply::ok(render(state, item, places(&args))))
}

/// An order as it goes over the wire, amounts with `places` decimals.
pub(crate) fn render(state: &State, item: &Item, places: u32) -> Value {
    let mut body = item.body.clone();
    body.remove("_stock_reduced");
    body.insert("id".to_owned(), item.id.into());
    body.insert("number".to_owned(), item.id.to_string().into());
    state.clock.write(&mut body, "date_created", Some(item.created));
    state.clock.write(&mut body, "date_modified", Some(item.modified));
    for name in ["date_paid", "date_completed"] {
        let at = clock::read_gmt(item.text(&format!("{name}_gmt")));
        state.clock.write(&mut body, name, at);
    }
    for name in ["discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax", "total_tax"] {
        body.insert(name.to_owned(), money::format(money::of(&item.body, name), places).into());
    }
    body.insert("total".to_owned(), money::format(money::of(&item.body, "total"), places).into());
    for list in ["line_items", "shipping_lines", "fee_lines", "tax_lines"] {
        for row in body.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            lines::format(row, places);
        }
    }
    let status = item.text("status");
    let refunds: Vec<Value> = state
        .refunds
        .values()
        .filter(|refund| refund.parent == item.id)
        .map(|refund| {
            let total = money::format(-money::of(&refund.body, "amount"), 2);
            json!({"id": refund.id, "reason": refund.text("reason"), "total": total})
        })
        .collect();
    body.insert("refunds".to_owned(), refunds.into());
    let unpaid = matches!(status, "pending" | "failed");
    body.insert("is_editable".to_owned(), matches!(status, "pending" | "on-hold" | "auto-draft").into());
    body.insert("needs_payment".to_owned(), (unpaid && !money::of(&item.body, "total").is_zero()).into());
    body.insert("needs_processing".to_owned(), true.into());
    let pay =
        format!("{}/checkout/order-pay/{}/?pay_for_order=true&key={}", state.shop.url, item.id, item.text("order_key"));
    body.insert("payment_url".to_owned(), pay.into());
    body.into()
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let sent = call.body(state, BODY)?;
    let id = place(state, &sent, "rest-api")?;
    state.wrote("order", id, Operation::Create, true, &sent);
    let mut reply = Reply::created(render(state, &state.orders[&id], 2));
    reply.headers.push(("location", format!("{}/orders/{id}", call.base)));
    Ok(reply)
}

/// Makes an order of checked fields; used by the REST interface and by the customers of the simulator.
pub(crate) fn place(state: &mut State, sent: &Body, via: &str) -> Result<u64, ApiError> {
    check_customer(state, sent)?;
    let id = state.post_id();
    let mut item = state.item(id, 0, blank(state, id, via));
    apply(state, &mut item, sent)?;
    totals::calculate(state, &mut item.body);
    let status = paging::text(sent, "status").unwrap_or("pending").to_owned();
    enter_status(state, &mut item, &status);
    if sent.get("set_paid") == Some(&Value::Bool(true)) {
        pay(state, &mut item);
    }
    state.orders.insert(id, item);
    Ok(id)
}

fn check_customer(state: &State, sent: &Body) -> Result<(), ApiError> {
    match sent.get("customer_id").and_then(Value::as_u64) {
        Some(id) if id > 0 && !state.customers.contains_key(&id) => {
            Err(ApiError::new(400, "woocommerce_rest_invalid_customer_id", "Customer ID is invalid."))
        }
        _ => Ok(()),
    }
}

pub(crate) fn update(state: &mut State, call: &Call, id: u64) -> Answer {
    if !state.orders.contains_key(&id) {
        return Err(ApiError::invalid_id("shop_order"));
    }
    let sent = call.body(state, BODY)?;
    let changed = edit(state, id, &sent)?;
    state.wrote("order", id, Operation::Update, changed, &sent);
    get(state, call, id)
}

/// Changes an order; false where it already was so.
pub(crate) fn edit(state: &mut State, id: u64, sent: &Body) -> Result<bool, ApiError> {
    check_customer(state, sent)?;
    let mut item = state.orders.get(&id).cloned().ok_or_else(|| ApiError::invalid_id("shop_order"))?;
    let before = item.clone();
    apply(state, &mut item, sent)?;
    let priced = ["line_items", "shipping_lines", "fee_lines", "coupon_lines", "billing", "shipping"];
    if priced.iter().any(|name| item.body.get(*name) != before.body.get(*name)) {
        totals::calculate(state, &mut item.body);
    }
    if let Some(status) = paging::text(sent, "status") {
        let status = status.to_owned();
        enter_status(state, &mut item, &status);
    }
    if sent.get("set_paid") == Some(&Value::Bool(true)) {
        pay(state, &mut item);
    }
    let changed = item.body != before.body;
    if changed {
        item.modified = state.now();
    }
    state.orders.insert(id, item);
    Ok(changed)
}

pub(crate) fn delete(state: &mut State, call: &Call, id: u64) -> Answer {
    let mut item = state.orders.get(&id).cloned().ok_or_else(|| ApiError::invalid_id("shop_order"))?;
    let args = call.query(&[("force", Kind::Bool)])?;
    let force = args.get("force").or_else(|| call.body.get("force")) == Some(&Value::Bool(true));
    if force {
        state.orders.remove(&id);
        state.refunds.retain(|_, refund| refund.parent != id);
        state.notes.retain(|_, note| note.parent != id);
    } else {
        if item.text("status") == "trash" {
            return Err(ApiError::new(
                410,
                "woocommerce_rest_already_trashed",
                "The shop_order has already been deleted.",
            ));
        }
        item.body.insert("status".to_owned(), "trash".into());
        item.modified = state.now();
        state.orders.insert(id, item.clone());
    }
    state.wrote("order", id, Operation::Delete, true, &Body::new());
    Ok(Reply::ok(render(state, &item, 2)))
}

fn apply(state: &mut State, item: &mut Item, sent: &Body) -> Result<(), ApiError> {
    for name in AS_SENT {
        if let Some(value) = sent.get(*name) {
            item.body.insert((*name).to_owned(), value.clone());
        }
    }
    for name in ["billing", "shipping"] {
        if let (Some(Value::Object(given)), Some(Value::Object(stored))) = (sent.get(name), item.body.get_mut(name)) {
            if let Some(email) = given.get("email").and_then(Value::as_str).filter(|e| !e.is_empty())
                && !crate::schema::is_email(email)
            {
                return Err(ApiError::invalid_param("billing", "Invalid email address."));
            }
            stored.extend(given.clone());
        }
    }
    lines::apply(state, &mut item.body, sent)?;
    if let Some(given) = sent.get("meta_data") {
        meta::apply(state, &mut item.body, given);
    }
    Ok(())
}

/// Moves an order to a status with what comes along: dates, and stock taken or given back.
pub(crate) fn enter_status(state: &mut State, item: &mut Item, status: &str) {
    let now = state.now();
    item.body.insert("status".to_owned(), status.into());
    match status {
        "processing" | "completed" => {
            stamp(item, "date_paid_gmt", now);
            if status == "completed" {
                stamp(item, "date_completed_gmt", now);
            }
            stock::take(state, item);
        }
        "on-hold" => stock::take(state, item),
        "cancelled" | "pending" => stock::give_back(state, item),
        _ => {}
    }
    if status != "completed" {
        item.body.insert("date_completed_gmt".to_owned(), Value::Null);
    }
}

fn stamp(item: &mut Item, name: &str, at: Timestamp) {
    if item.body.get(name).is_none_or(Value::is_null) {
        item.body.insert(name.to_owned(), gmt(at).into());
    }
}

/// Payment has come in: an order that waited for it goes to processing.
pub(crate) fn pay(state: &mut State, item: &mut Item) {
    stamp(item, "date_paid_gmt", state.now());
    if matches!(item.text("status"), "pending" | "on-hold" | "failed" | "cancelled") {
        enter_status(state, item, "processing");
    }
}

fn blank(state: &State, id: u64, via: &str) -> Body {
    let address = |email: bool| {
        let mut address = json!({
            "first_name": "", "last_name": "", "company": "", "address_1": "", "address_2": "", "city": "",
            "state": "", "postcode": "", "country": "", "phone": "",
        });
        if email {
            address["email"] = "".into();
        }
        address
    };
    let key = (id.wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> 8;
    let body = json!({
        "parent_id": 0, "order_key": format!("wc_order_{key:014x}"), "created_via": via, "version": "9.4.0",
        "status": "pending", "currency": state.shop.currency, "prices_include_tax": state.shop.prices_include_tax,
        "currency_symbol": if state.shop.currency == "EUR" { "€" } else { "" },
        "customer_id": 0, "customer_ip_address": "", "customer_user_agent": "", "customer_note": "",
        "billing": address(true), "shipping": address(false), "payment_method": "", "payment_method_title": "",
        "transaction_id": "", "date_paid_gmt": null, "date_completed_gmt": null, "cart_hash": "",
        "meta_data": [], "line_items": [], "tax_lines": [], "shipping_lines": [], "fee_lines": [],
        "coupon_lines": [],
    });
    match body {
        Value::Object(body) => body,
        _ => Body::new(),
    }
}
