//! `/orders/{id}/notes`: remarks on an order, for the shop alone or for the customer too.

use serde_json::{Value, json};

use crate::{
    call::{Answer, Call, Reply},
    error::ApiError,
    html,
    journal::Operation,
    paging,
    schema::Kind,
    state::{Body, Item, State},
};

fn check_order(state: &State, order: u64) -> Result<(), ApiError> {
    if state.orders.contains_key(&order) {
        return Ok(());
    }
    Err(ApiError::new(404, "woocommerce_rest_order_invalid_id", "Invalid order ID."))
}

/// The newest first, all on one page.
pub(crate) fn list(state: &State, call: &Call, order: u64) -> Answer {
    check_order(state, order)?;
    let args = call.query(&[("type", Kind::OneOf(&["any", "customer", "internal"]))])?;
    let kind = paging::text(&args, "type").unwrap_or("any");
    let rows: Vec<Value> = state
        .notes
        .values()
        .rev()
        .filter(|note| note.parent == order)
        .filter(|note| match kind {
            "customer" => note.body["customer_note"] == true,
            "internal" => note.body["customer_note"] == false,
            _ => true,
        })
        .map(|note| render(state, note))
        .collect();
    Ok(Reply::ok(rows))
}

fn render(state: &State, note: &Item) -> Value {
    let mut body = note.body.clone();
    body.insert("id".to_owned(), note.id.into());
    state.clock.write(&mut body, "date_created", Some(note.created));
    body.into()
}

fn find(state: &State, order: u64, id: u64) -> Result<&Item, ApiError> {
    check_order(state, order)?;
    state
        .notes
        .get(&id)
        .filter(|note| note.parent == order)
        .ok_or_else(|| ApiError::new(404, "woocommerce_rest_invalid_id", "Invalid resource ID."))
}

pub(crate) fn get(state: &State, order: u64, id: u64) -> Answer {
    Ok(Reply::ok(render(state, find(state, order, id)?)))
}

pub(crate) fn create(state: &mut State, call: &Call, order: u64) -> Answer {
    check_order(state, order)?;
    let args = &[("note", Kind::Text), ("customer_note", Kind::Bool), ("added_by_user", Kind::Bool)];
    let sent = call.body(state, args)?;
    let Some(text) = sent.get("note").and_then(Value::as_str) else {
        return Err(ApiError::missing_params(&["note"]));
    };
    let id = state.post_id();
    let by_user = sent.get("added_by_user") == Some(&Value::Bool(true));
    let body = json!({
        "author": if by_user { "admin" } else { "system" },
        "note": html::clean(text),
        "customer_note": sent.get("customer_note") == Some(&Value::Bool(true)),
    });
    let Value::Object(body) = body else {
        return Err(ApiError::no_route());
    };
    let item = state.item(id, order, body);
    state.notes.insert(id, item);
    state.wrote("note", id, Operation::Create, true, &sent);
    Ok(Reply::created(render(state, &state.notes[&id])))
}

pub(crate) fn delete(state: &mut State, call: &Call, order: u64, id: u64) -> Answer {
    let before = render(state, find(state, order, id)?);
    let args = call.query(&[("force", Kind::Bool)])?;
    if args.get("force").or_else(|| call.body.get("force")) != Some(&Value::Bool(true)) {
        return Err(ApiError::new(501, "woocommerce_rest_trash_not_supported", "Order notes do not support trashing."));
    }
    state.notes.remove(&id);
    state.wrote("note", id, Operation::Delete, true, &Body::new());
    Ok(Reply::ok(before))
}
