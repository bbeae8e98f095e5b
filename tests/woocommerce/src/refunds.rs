//! `/orders/{id}/refunds`: money given back, with or without goods put back into stock.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    call::{Answer, Call, Reply},
    error::ApiError,
    journal::Operation,
    lines, meta, money, orders, paging,
    schema::{Arg, Kind},
    shop,
    state::{Body, Item, State},
    stock,
};

const TAX: Kind = Kind::List(&Kind::Object(&[("id", Kind::Int), ("refund_total", Kind::Any)]));

pub(crate) const BODY: &[Arg] = &[
    ("amount", Kind::Text),
    ("reason", Kind::Text),
    ("refunded_by", Kind::Int),
    ("meta_data", meta::META),
    (
        "line_items",
        Kind::List(&Kind::Object(&[
            ("id", Kind::Int),
            ("quantity", Kind::Int),
            ("refund_total", Kind::Any),
            ("refund_tax", TAX),
        ])),
    ),
    ("api_refund", Kind::Bool),
    ("api_restock", Kind::Bool),
];

fn check_order(state: &State, order: u64) -> Result<&Item, ApiError> {
    let missing = || ApiError::new(404, "woocommerce_rest_invalid_order_id", "Invalid order ID.");
    state.orders.get(&order).ok_or_else(missing)
}

pub(crate) fn list(state: &State, call: &Call, order: u64) -> Answer {
    check_order(state, order)?;
    let args = paging::args(call, &[paging::COMMON, paging::POSTS, &[("orderby", Kind::Text), ("dp", Kind::Int)]])?;
    let orderby = paging::check_orderby(state, &args, &["date", "id", "include", "title", "slug"])?;
    let filter = paging::Filter::read(state, &args);
    let mut items: Vec<&Item> =
        state.refunds.values().filter(|refund| refund.parent == order && filter.admits(refund, order)).collect();
    paging::sort(&mut items, &args, &orderby, "desc", |_, _| std::cmp::Ordering::Equal);
    Ok(paging::page(call, &args, &items, |item| render(state, item)))
}

fn render(state: &State, item: &Item) -> Value {
    let mut body = item.body.clone();
    body.insert("id".to_owned(), item.id.into());
    body.insert("amount".to_owned(), money::format(money::of(&item.body, "amount"), 2).into());
    state.clock.write(&mut body, "date_created", Some(item.created));
    for row in body.get_mut("line_items").and_then(Value::as_array_mut).into_iter().flatten() {
        lines::format(row, 2);
    }
    body.into()
}

fn find(state: &State, order: u64, id: u64) -> Result<&Item, ApiError> {
    check_order(state, order)?;
    state
        .refunds
        .get(&id)
        .filter(|refund| refund.parent == order)
        .ok_or_else(|| ApiError::new(404, "woocommerce_rest_invalid_order_refund_id", "Invalid order refund ID."))
}

pub(crate) fn get(state: &State, order: u64, id: u64) -> Answer {
    Ok(Reply::ok(render(state, find(state, order, id)?)))
}

pub(crate) fn create(state: &mut State, call: &Call, order: u64) -> Answer {
    check_order(state, order)?;
    let sent = call.body(state, BODY)?;
    let api = sent.get("api_refund") != Some(&Value::Bool(false));
    let id = refund(state, order, &sent, api)?;
    state.wrote("refund", id, Operation::Create, true, &sent);
    Ok(Reply::created(render(state, &state.refunds[&id])))
}

fn amount(value: &Value) -> Decimal {
    match value {
        Value::String(text) => money::read(text).unwrap_or_default(),
        Value::Number(number) => money::read(&number.to_string()).unwrap_or_default(),
        _ => Decimal::ZERO,
    }
}

/// Gives money back; used by the REST interface and by the control of the simulator.
pub(crate) fn refund(state: &mut State, order: u64, sent: &Body, api: bool) -> Result<u64, ApiError> {
    let refused = |message: &str| ApiError::new(400, "woocommerce_rest_cannot_create_order_refund", message.to_owned());
    let of = check_order(state, order)?.clone();
    let paid = money::of(&of.body, "total");
    let before: Decimal =
        state.refunds.values().filter(|r| r.parent == order).map(|r| money::of(&r.body, "amount")).sum();
    let lines = of.body["line_items"].as_array().cloned().unwrap_or_default();
    let mut rows = Vec::new();
    let mut back = Vec::new();
    let mut sum = Decimal::ZERO;
    for given in sent.get("line_items").and_then(Value::as_array).into_iter().flatten() {
        let line = lines.iter().find(|line| line["id"] == given["id"]);
        let line = line.ok_or_else(|| refused("Order item ID provided is not associated with order."))?;
        let total = amount(&given["refund_total"]);
        let tax: Decimal =
            given["refund_tax"].as_array().into_iter().flatten().map(|t| amount(&t["refund_total"])).sum();
        let quantity = given["quantity"].as_i64().unwrap_or(0);
        sum += total + tax;
        back.push((line.clone(), quantity));
        let mut row = line.clone();
        row["id"] = state.line_id().into();
        row["quantity"] = (-quantity).into();
        row["subtotal"] = (-total).to_string().into();
        row["total"] = (-total).to_string().into();
        row["subtotal_tax"] = (-tax).to_string().into();
        row["total_tax"] = (-tax).to_string().into();
        row["meta_data"] =
            json!([{"id": state.meta_id(), "key": "_refunded_item_id", "value": line["id"].to_string()}]);
        rows.push(row);
    }
    let amount = sent.get("amount").and_then(Value::as_str).and_then(money::read).unwrap_or(sum);
    if amount <= Decimal::ZERO {
        return Err(refused("Refund amount must be greater than zero."));
    }
    if before + amount > paid {
        return Err(refused("Invalid refund amount."));
    }
    if api && !shop::refunds_by_itself(of.text("payment_method")) {
        return Err(ApiError::new(
            500,
            "woocommerce_rest_cannot_create_order_refund",
            "The payment gateway for this order does not support automatic refunds.",
        ));
    }
    let id = state.post_id();
    let body = json!({
        "amount": amount.to_string(), "reason": sent.get("reason").cloned().unwrap_or("".into()), "refunded_by": 1,
        "refunded_payment": api, "meta_data": [], "line_items": rows, "tax_lines": [], "shipping_lines": [],
        "fee_lines": [],
    });
    let Value::Object(mut body) = body else {
        return Err(ApiError::no_route());
    };
    if let Some(given) = sent.get("meta_data") {
        meta::apply(state, &mut body, given);
    }
    let item = state.item(id, order, body);
    state.refunds.insert(id, item);
    if sent.get("api_restock") != Some(&Value::Bool(false)) && of.body.get("_stock_reduced") == Some(&Value::Bool(true))
    {
        for (line, quantity) in back {
            let article = line["variation_id"].as_u64().filter(|id| *id > 0).or_else(|| line["product_id"].as_u64());
            if let Some(article) = article {
                stock::shift(state, article, quantity);
            }
        }
    }
    let now = state.now();
    if let Some(mut item) = state.orders.get(&order).cloned() {
        if before + amount >= paid {
            orders::enter_status(state, &mut item, "refunded");
        }
        item.modified = now;
        state.orders.insert(order, item);
    }
    Ok(id)
}

/// Refunds know no trash: without `force` the answer is 501.
pub(crate) fn delete(state: &mut State, call: &Call, order: u64, id: u64) -> Answer {
    let before = render(state, find(state, order, id)?);
    let args = call.query(&[("force", Kind::Bool)])?;
    if args.get("force").or_else(|| call.body.get("force")) != Some(&Value::Bool(true)) {
        return Err(ApiError::new(
            501,
            "woocommerce_rest_trash_not_supported",
            "The shop_order_refund does not support trashing.",
        ));
    }
    state.refunds.remove(&id);
    state.wrote("refund", id, Operation::Delete, true, &Body::new());
    Ok(Reply::ok(before))
}
