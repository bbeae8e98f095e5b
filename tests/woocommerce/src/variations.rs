//! `/products/{id}/variations`: what a variable product is bought as.

use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::{
    article,
    call::{Answer, Call, Reply},
    error::ApiError,
    journal::Operation,
    paging,
    schema::{Arg, Kind},
    state::{Body, Item, State},
};

const QUERY: &[Arg] = &[
    ("orderby", Kind::Text),
    ("slug", Kind::Text),
    ("status", Kind::OneOf(&["any", "future", "trash", "draft", "pending", "private", "publish"])),
    ("sku", Kind::Text),
    ("on_sale", Kind::Bool),
    ("stock_status", article::STOCK_STATUS),
];

const ORDERBY: &[&str] = &["date", "id", "include", "title", "slug", "menu_order"];

const OWN: &[Arg] = &[
    ("status", Kind::OneOf(&["draft", "pending", "private", "publish"])),
    ("manage_stock", Kind::BoolOrText),
    ("image", article::IMAGE),
    ("attributes", Kind::List(&Kind::Object(&[("id", Kind::Int), ("name", Kind::Text), ("option", Kind::Text)]))),
];

pub(crate) fn list(state: &State, call: &Call, parent: u64) -> Answer {
    let product = state.products.get(&parent).ok_or_else(|| ApiError::invalid_id("product"))?;
    let args = paging::args(call, &[paging::COMMON, paging::POSTS, QUERY])?;
    let orderby = paging::check_orderby(state, &args, ORDERBY)?;
    let filter = paging::Filter::read(state, &args);
    let status = paging::text(&args, "status").unwrap_or("any");
    let skus: Option<Vec<&str>> = paging::text(&args, "sku").map(|skus| skus.split(',').map(str::trim).collect());
    let mut items: Vec<&Item> = article::children(state, product)
        .filter(|item| {
            filter.admits(item, parent)
                && article::has_status(item, status)
                && skus.as_ref().is_none_or(|skus| skus.contains(&item.text("sku")))
                && paging::text(&args, "stock_status").is_none_or(|want| item.text("stock_status") == want)
                && args.get("on_sale").is_none_or(|want| want.as_bool() == Some(article::on_sale(item, state.now())))
                && paging::text(&args, "search").is_none_or(|word| {
                    paging::found(&[item.text("name"), item.text("description"), item.text("sku")], word)
                })
        })
        .collect();
    paging::sort(&mut items, &args, &orderby, "desc", |a, b| match orderby.as_str() {
        "menu_order" => a.int("menu_order").cmp(&b.int("menu_order")),
        "title" | "slug" => a.text("name").cmp(b.text("name")),
        _ => Ordering::Equal,
    });
    Ok(paging::page(call, &args, &items, |item| render(state, item)))
}

fn find(state: &State, parent: u64, id: u64) -> Result<&Item, ApiError> {
    if !state.products.contains_key(&parent) {
        return Err(ApiError::invalid_id("product"));
    }
    let item = state.variations.get(&id).ok_or_else(|| ApiError::invalid_id("product_variation"))?;
    if item.parent == parent { Ok(item) } else { Err(ApiError::invalid_id("product_variation")) }
}

pub(crate) fn get(state: &State, parent: u64, id: u64) -> Answer {
    let item = find(state, parent, id)?;
    Ok(Reply::ok(render(state, item)))
}

pub(crate) fn render(state: &State, item: &Item) -> Value {
    let mut body = article::render(state, item);
    body.insert("on_sale".to_owned(), article::on_sale(item, state.now()).into());
    body.insert("type".to_owned(), "variation".into());
    body.insert("parent_id".to_owned(), item.parent.into());
    let parent = state.products.get(&item.parent);
    let slug = parent.map(|p| p.text("slug")).unwrap_or_default();
    body.insert("permalink".to_owned(), format!("{}/product/{slug}/?variation={}", state.shop.url, item.id).into());
    if item.body["manage_stock"] == false && parent.is_some_and(|p| p.body["manage_stock"] == true) {
        let parent = parent.map(|p| (p.body["stock_quantity"].clone(), p.body["stock_status"].clone()));
        if let Some((quantity, status)) = parent {
            body.insert("manage_stock".to_owned(), "parent".into());
            body.insert("stock_quantity".to_owned(), quantity);
            body.insert("stock_status".to_owned(), status);
        }
    }
    body.into()
}

pub(crate) fn create(state: &mut State, call: &Call, parent: u64) -> Answer {
    if !state.products.contains_key(&parent) {
        return Err(ApiError::invalid_id("product"));
    }
    let sent = call.body(state, &[article::SHARED, OWN].concat())?;
    article::check(state, &sent, 0)?;
    let id = state.post_id();
    let mut body = article::blank();
    body.extend([
        ("status".to_owned(), "publish".into()),
        ("image".to_owned(), Value::Null),
        ("attributes".to_owned(), json!([])),
    ]);
    let mut item = state.item(id, parent, body);
    apply(state, call, &mut item, &sent)?;
    let sku = item.text("sku").to_owned();
    article::index_sku(state, "", &sku, id);
    state.variations.insert(id, item);
    if let Some(Value::Array(list)) = state.products.get_mut(&parent).and_then(|p| p.body.get_mut("variations")) {
        list.push(id.into());
    }
    state.wrote("variation", id, Operation::Create, true, &sent);
    let mut reply = Reply::created(render(state, &state.variations[&id]));
    reply.headers.push(("location", format!("{}/products/{parent}/variations/{id}", call.base)));
    Ok(reply)
}

pub(crate) fn update(state: &mut State, call: &Call, parent: u64, id: u64) -> Answer {
    let mut item = find(state, parent, id)?.clone();
    let sent = call.body(state, &[article::SHARED, OWN].concat())?;
    article::check(state, &sent, id)?;
    let before = item.clone();
    apply(state, call, &mut item, &sent)?;
    let changed = item.body != before.body;
    if changed {
        item.modified = state.now();
    }
    let sku = item.text("sku").to_owned();
    article::index_sku(state, before.text("sku"), &sku, id);
    state.variations.insert(id, item);
    state.wrote("variation", id, Operation::Update, changed, &sent);
    get(state, parent, id)
}

/// Variations know no trash: without `force` the answer is 501.
pub(crate) fn delete(state: &mut State, call: &Call, parent: u64, id: u64) -> Answer {
    let item = find(state, parent, id)?;
    let before = render(state, item);
    let args = call.query(&[("force", Kind::Bool)])?;
    if args.get("force").or_else(|| call.body.get("force")) != Some(&Value::Bool(true)) {
        return Err(ApiError::new(
            501,
            "woocommerce_rest_trash_not_supported",
            "The product_variation does not support trashing.",
        ));
    }
    remove(state, id);
    if let Some(Value::Array(list)) = state.products.get_mut(&parent).and_then(|p| p.body.get_mut("variations")) {
        list.retain(|child| *child != id);
    }
    state.wrote("variation", id, Operation::Delete, true, &Body::new());
    Ok(Reply::ok(before))
}

/// Takes a variation out, with its SKU.
pub(crate) fn remove(state: &mut State, id: u64) {
    if let Some(item) = state.variations.remove(&id) {
        article::index_sku(state, item.text("sku"), "", id);
    }
}

fn apply(state: &mut State, call: &Call, item: &mut Item, sent: &Body) -> Result<(), ApiError> {
    if let Some(given) = sent.get("image") {
        let empty = given.as_object().is_some_and(Body::is_empty);
        let image = if empty { Value::Null } else { article::image(state, call, given)? };
        item.body.insert("image".to_owned(), image);
    }
    if let Some(status) = sent.get("status") {
        item.body.insert("status".to_owned(), status.clone());
    }
    if let Some(given) = sent.get("attributes") {
        let rows = attributes(state, item.parent, given);
        item.body.insert("attributes".to_owned(), rows);
    }
    article::apply(state, item, sent)?;
    if let Some(given) = sent.get("meta_data") {
        crate::meta::apply(state, &mut item.body, given);
    }
    let options: Vec<&str> =
        item.body["attributes"].as_array().into_iter().flatten().filter_map(|row| row["option"].as_str()).collect();
    let name = options.join(", ");
    item.body.insert("name".to_owned(), name.into());
    Ok(())
}

/// Only attributes that the parent marks for variations are kept.
fn attributes(state: &State, parent: u64, given: &Value) -> Value {
    let Some(parent) = state.products.get(&parent) else {
        return json!([]);
    };
    let mut rows = Vec::new();
    for row in given.as_array().into_iter().flatten() {
        let id = row["id"].as_u64().unwrap_or(0);
        let name = row["name"].as_str().unwrap_or_default();
        let of_parent = parent.body["attributes"].as_array().into_iter().flatten().find(|attribute| {
            attribute["variation"] == true
                && if id > 0 { attribute["id"] == id } else { attribute["name"] == name || attribute["slug"] == name }
        });
        if let Some(attribute) = of_parent {
            rows.push(json!({
                "id": attribute["id"], "name": attribute["name"], "slug": attribute["slug"],
                "option": crate::html::plain(row["option"].as_str().unwrap_or_default()),
            }));
        }
    }
    rows.into()
}
