//! What products and variations have in common: SKU, prices, stock, sizes, pictures.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    call::Call,
    clock::{self, gmt},
    error::ApiError,
    html, money, paging,
    schema::{Arg, Kind},
    state::{Body, Item, State},
};

pub(crate) const STOCK_STATUS: Kind = Kind::OneOf(&["instock", "outofstock", "onbackorder"]);

pub(crate) const IMAGE: Kind = Kind::Object(&[
    ("id", Kind::Int),
    ("src", Kind::Text),
    ("name", Kind::Text),
    ("alt", Kind::Text),
    ("date_created", Kind::ReadOnly),
    ("date_created_gmt", Kind::ReadOnly),
    ("date_modified", Kind::ReadOnly),
    ("date_modified_gmt", Kind::ReadOnly),
]);

/// Fields a client may write of either.
pub(crate) const SHARED: &[Arg] = &[
    ("description", Kind::Text),
    ("sku", Kind::Text),
    ("global_unique_id", Kind::Text),
    ("regular_price", Kind::Text),
    ("sale_price", Kind::Text),
    ("date_on_sale_from", Kind::TextOrNull),
    ("date_on_sale_from_gmt", Kind::TextOrNull),
    ("date_on_sale_to", Kind::TextOrNull),
    ("date_on_sale_to_gmt", Kind::TextOrNull),
    ("virtual", Kind::Bool),
    ("downloadable", Kind::Bool),
    ("downloads", Kind::List(&Kind::Object(&[("id", Kind::Text), ("name", Kind::Text), ("file", Kind::Text)]))),
    ("download_limit", Kind::Int),
    ("download_expiry", Kind::Int),
    ("tax_status", Kind::OneOf(&["taxable", "shipping", "none"])),
    ("tax_class", Kind::Text),
    ("stock_quantity", Kind::Int),
    ("stock_status", STOCK_STATUS),
    ("backorders", Kind::OneOf(&["no", "notify", "yes"])),
    ("low_stock_amount", Kind::IntOrNull),
    ("weight", Kind::Text),
    ("dimensions", Kind::Object(&[("length", Kind::Text), ("width", Kind::Text), ("height", Kind::Text)])),
    ("shipping_class", Kind::Text),
    ("menu_order", Kind::Int),
    ("meta_data", crate::meta::META),
];

const AS_SENT: &[&str] = &[
    "global_unique_id",
    "virtual",
    "downloadable",
    "downloads",
    "download_limit",
    "download_expiry",
    "tax_status",
    "backorders",
    "low_stock_amount",
    "weight",
    "shipping_class",
    "menu_order",
];

/// Whether a list that asks for `wanted` shows the object: `any` leaves out what lies in the trash.
pub(crate) fn has_status(item: &Item, wanted: &str) -> bool {
    let status = item.text("status");
    if wanted == "any" { status != "trash" && status != "auto-draft" } else { status == wanted }
}

/// The variations of a product.
pub(crate) fn children<'a>(state: &'a State, item: &'a Item) -> impl Iterator<Item = &'a Item> {
    item.body
        .get("variations")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|id| state.variations.get(&id.as_u64()?))
}

/// Refuses a SKU that another article has, before anything is changed.
pub(crate) fn check(state: &State, sent: &Body, id: u64) -> Result<(), ApiError> {
    if let Some(sku) = paging::text(sent, "sku")
        && let Some(owner) = state.skus.get(html::plain(sku).as_str())
        && *owner != id
    {
        let message = "Invalid or duplicated SKU.";
        let error = ApiError::new(400, "product_invalid_sku", message);
        return Err(error.with("resource_id", (*owner).into()).with("unique_sku", format!("{sku}-1").into()));
    }
    for name in ["date_on_sale_from", "date_on_sale_from_gmt", "date_on_sale_to", "date_on_sale_to_gmt"] {
        if paging::text(sent, name).is_some_and(|at| clock::read_gmt(at).is_none() && day(at).is_none()) {
            return Err(ApiError::invalid_param(name, "Invalid date."));
        }
    }
    Ok(())
}

/// A date without a time means its midnight.
fn day(text: &str) -> Option<String> {
    // Parsing a day takes a date with a time too, and drops the time.
    let text = text.trim();
    if text.len() > "2026-12-31".len() {
        return None;
    }
    text.parse::<jiff::civil::Date>().ok().map(|day| format!("{day}T00:00:00"))
}

pub(crate) fn index_sku(state: &mut State, before: &str, after: &str, id: u64) {
    if before != after {
        if !before.is_empty() && state.skus.get(before) == Some(&id) {
            state.skus.remove(before);
        }
        if !after.is_empty() {
            state.skus.insert(after.to_owned(), id);
        }
    }
}

pub(crate) fn apply(state: &State, item: &mut Item, sent: &Body) -> Result<(), ApiError> {
    for name in AS_SENT {
        if let Some(value) = sent.get(*name) {
            item.body.insert((*name).to_owned(), value.clone());
        }
    }
    if let Some(text) = sent.get("description").and_then(Value::as_str) {
        item.body.insert("description".to_owned(), html::clean(text).into());
    }
    if let Some(sku) = sent.get("sku").and_then(Value::as_str) {
        item.body.insert("sku".to_owned(), html::plain(sku).into());
    }
    for name in ["regular_price", "sale_price"] {
        if let Some(text) = sent.get(name).and_then(Value::as_str) {
            item.body.insert(name.to_owned(), money::price(text).into());
        }
    }
    if let Some(class) = sent.get("tax_class").and_then(Value::as_str) {
        // The standard class is written as nothing; an unknown class becomes the standard one.
        let known = state.tax_classes.iter().any(|(slug, _)| slug == class && slug != "standard");
        item.body.insert("tax_class".to_owned(), if known || class == "parent" { class } else { "" }.into());
    }
    if let Some(Value::Object(given)) = sent.get("dimensions")
        && let Some(stored) = item.body.get_mut("dimensions").and_then(Value::as_object_mut)
    {
        stored.extend(given.clone());
    }
    for name in ["date_on_sale_from", "date_on_sale_to"] {
        let at = |value: &Value, local: bool| -> Option<Timestamp> {
            let text = value.as_str()?;
            let text = day(text).unwrap_or_else(|| text.to_owned());
            if local { state.clock.read_local(&text) } else { clock::read_gmt(&text) }
        };
        let gmt_name = format!("{name}_gmt");
        let given = match (sent.get(name), sent.get(&gmt_name)) {
            (_, Some(value)) => Some(at(value, false)),
            (Some(value), None) => Some(at(value, true)),
            (None, None) => None,
        };
        if let Some(given) = given {
            item.body.insert(gmt_name, given.map(gmt).into());
        }
    }
    stock(item, sent);
    Ok(())
}

/// Quantities count only where stock is managed; there they decide the status.
fn stock(item: &mut Item, sent: &Body) {
    if let Some(manage) = sent.get("manage_stock") {
        item.body.insert("manage_stock".to_owned(), manage.clone());
    }
    if item.body["manage_stock"] == true {
        if let Some(quantity) = sent.get("stock_quantity") {
            item.body.insert("stock_quantity".to_owned(), quantity.clone());
        } else if item.body["stock_quantity"].is_null() {
            item.body.insert("stock_quantity".to_owned(), 0.into());
        }
        settle_stock_status(item);
    } else {
        item.body.insert("stock_quantity".to_owned(), Value::Null);
        if let Some(status) = sent.get("stock_status") {
            item.body.insert("stock_status".to_owned(), status.clone());
        }
    }
}

pub(crate) fn settle_stock_status(item: &mut Item) {
    let status = match (item.int("stock_quantity") > 0, item.text("backorders")) {
        (true, _) => "instock",
        (false, "no") => "outofstock",
        (false, _) => "onbackorder",
    };
    item.body.insert("stock_status".to_owned(), status.into());
}

/// Whether the sale price is below the regular one and its time has come and not passed.
pub(crate) fn on_sale(item: &Item, now: Timestamp) -> bool {
    let (Some(regular), Some(sale)) = (money::read(item.text("regular_price")), money::read(item.text("sale_price")))
    else {
        return false;
    };
    let from = clock::read_gmt(item.text("date_on_sale_from_gmt"));
    let to = clock::read_gmt(item.text("date_on_sale_to_gmt"));
    sale < regular && from.is_none_or(|from| from <= now) && to.is_none_or(|to| now <= to)
}

/// The price a customer pays now; of a variable product the lowest of its variations.
pub(crate) fn price(state: &State, item: &Item) -> String {
    if item.text("type") == "variable" {
        let prices = children(state, item).filter(|c| c.text("status") == "publish");
        return prices
            .map(|child| price(state, child))
            .filter(|price| !price.is_empty())
            .min_by_key(|price| money::read(price))
            .unwrap_or_default();
    }
    let name = if on_sale(item, state.now()) { "sale_price" } else { "regular_price" };
    item.text(name).to_owned()
}

/// The stored fields, the dates and what follows from both.
pub(crate) fn render(state: &State, item: &Item) -> Body {
    let mut body = item.body.clone();
    body.insert("id".to_owned(), item.id.into());
    state.clock.write(&mut body, "date_created", Some(item.created));
    state.clock.write(&mut body, "date_modified", Some(item.modified));
    for name in ["date_on_sale_from", "date_on_sale_to"] {
        let at = clock::read_gmt(item.text(&format!("{name}_gmt")));
        state.clock.write(&mut body, name, at);
    }
    let price = price(state, item);
    let visible = item.text("status") == "publish";
    let is_virtual = item.body["virtual"] == true;
    body.insert("purchasable".to_owned(), (visible && !price.is_empty()).into());
    body.insert("price".to_owned(), price.into());
    body.insert("shipping_required".to_owned(), (!is_virtual).into());
    body.insert("shipping_taxable".to_owned(), (!is_virtual && item.text("tax_status") == "taxable").into());
    body.insert("backorders_allowed".to_owned(), (item.text("backorders") != "no").into());
    body.insert("backordered".to_owned(), (item.text("stock_status") == "onbackorder").into());
    body
}

/// Pictures as sent, with numbers and addresses on this server. A picture with a known `id` is that one.
pub(crate) fn images(state: &mut State, call: &Call, given: &Value) -> Result<Value, ApiError> {
    let mut rows = Vec::new();
    for image in given.as_array().into_iter().flatten() {
        rows.push(self::image(state, call, image)?);
    }
    Ok(rows.into())
}

pub(crate) fn image(state: &mut State, call: &Call, given: &Value) -> Result<Value, ApiError> {
    let stored = |state: &State, id: u64| -> Option<Value> {
        let holds = |item: &Item| {
            let list = item.body.get("images").and_then(Value::as_array).into_iter().flatten();
            list.chain(item.body.get("image")).find(|row| row["id"] == id).cloned()
        };
        state.products.values().chain(state.variations.values()).chain(state.categories.values()).find_map(holds)
    };
    let id = given["id"].as_u64().unwrap_or(0);
    let mut row = if id > 0 {
        stored(state, id).ok_or_else(|| {
            ApiError::new(400, "woocommerce_product_invalid_image_id", format!("#{id} is an invalid image ID."))
        })?
    } else {
        let src = given["src"].as_str().unwrap_or_default();
        upload(state, call, src)?
    };
    for name in ["name", "alt"] {
        if let Some(text) = given[name].as_str() {
            row[name] = html::plain(text).into();
        }
    }
    Ok(row)
}

fn upload(state: &mut State, call: &Call, src: &str) -> Result<Value, ApiError> {
    let failed = |why: &str| {
        ApiError::new(400, "woocommerce_product_image_upload_error", format!("Error getting remote image {src}. {why}"))
    };
    if !src.starts_with("http://") && !src.starts_with("https://") {
        return Err(failed("A valid URL was not provided."));
    }
    let upload = match call.pictures.get(src) {
        Some(Some(upload)) => upload.clone(),
        Some(None) => return Err(failed("The address could not be read.")),
        None => return Err(failed("The address was not fetched.")),
    };
    if !upload.content_type.starts_with("image/") {
        return Err(failed("Sorry, you are not allowed to upload this file type."));
    }
    let id = state.post_id();
    let name = src.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = if stem.is_empty() { "image".to_owned() } else { html::slug(stem) };
    let kind = match upload.content_type.as_str() {
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        _ => "png",
    };
    let path = format!("/wp-content/uploads/{}/{stem}-{id}.{kind}", state.now().strftime("%Y/%m"));
    let url = format!("{}{path}", state.shop.url);
    state.uploads.insert(path, upload);
    let mut row = Body::new();
    row.insert("id".to_owned(), id.into());
    let now = state.now();
    state.clock.write(&mut row, "date_created", Some(now));
    state.clock.write(&mut row, "date_modified", Some(now));
    row.insert("src".to_owned(), url.into());
    row.insert("name".to_owned(), stem.into());
    row.insert("alt".to_owned(), "".into());
    Ok(row.into())
}

/// What both begin with.
pub(crate) fn blank() -> Body {
    let body = json!({
        "description": "", "sku": "", "global_unique_id": "", "regular_price": "", "sale_price": "",
        "date_on_sale_from_gmt": null, "date_on_sale_to_gmt": null, "virtual": false, "downloadable": false,
        "downloads": [], "download_limit": -1, "download_expiry": -1, "tax_status": "taxable", "tax_class": "",
        "manage_stock": false, "stock_quantity": null, "stock_status": "instock", "backorders": "no",
        "low_stock_amount": null, "weight": "", "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_class": "", "shipping_class_id": 0, "menu_order": 0, "meta_data": [],
    });
    match body {
        Value::Object(body) => body,
        _ => Body::new(),
    }
}
