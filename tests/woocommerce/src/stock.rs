//! Stock that orders take and give back.

use serde_json::Value;

use crate::{
    article,
    state::{Item, State},
};

/// Takes what the order needs from stock, once per order.
pub(crate) fn take(state: &mut State, order: &mut Item) {
    if order.body.get("_stock_reduced") != Some(&Value::Bool(true)) {
        move_lines(state, order, -1);
        order.body.insert("_stock_reduced".to_owned(), true.into());
    }
}

/// Puts back what the order had taken.
pub(crate) fn give_back(state: &mut State, order: &mut Item) {
    if order.body.get("_stock_reduced") == Some(&Value::Bool(true)) {
        move_lines(state, order, 1);
        order.body.insert("_stock_reduced".to_owned(), false.into());
    }
}

fn move_lines(state: &mut State, order: &Item, sign: i64) {
    for line in order.body["line_items"].as_array().into_iter().flatten() {
        let id = line["variation_id"].as_u64().filter(|id| *id > 0).or_else(|| line["product_id"].as_u64());
        let quantity = line["quantity"].as_i64().unwrap_or(0);
        if let Some(id) = id {
            shift(state, id, sign * quantity);
        }
    }
}

/// Changes the quantity of a product or variation whose stock is managed, its parent's where it leaves that to it.
pub(crate) fn shift(state: &mut State, id: u64, by: i64) {
    let now = state.now();
    let managed = |item: &Item| item.body["manage_stock"] == true;
    let Some(item) = state.article(id) else {
        return;
    };
    let id = if !managed(item) && item.parent > 0 { item.parent } else { id };
    if let Some(item) = state.article_mut(id).filter(|item| managed(item))
        && by != 0
    {
        let quantity = item.int("stock_quantity") + by;
        item.body.insert("stock_quantity".to_owned(), quantity.into());
        article::settle_stock_status(item);
        item.modified = now;
    }
}
