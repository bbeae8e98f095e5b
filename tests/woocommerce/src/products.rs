//! `/products`: simple and variable products.

use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::{
    article,
    call::{Answer, Call, Reply},
    error::ApiError,
    html,
    journal::Operation,
    meta, money, paging,
    schema::{Arg, Kind},
    state::{Body, Item, State},
    variations,
};

const STATUSES: Kind = Kind::OneOf(&["draft", "pending", "private", "publish", "future", "auto-draft", "trash"]);
const TYPES: Kind = Kind::OneOf(&["simple", "grouped", "external", "variable"]);
const TERM: Kind = Kind::List(&Kind::Object(&[("id", Kind::Int), ("name", Kind::ReadOnly), ("slug", Kind::ReadOnly)]));

const QUERY: &[Arg] = &[
    ("orderby", Kind::Text),
    ("slug", Kind::Text),
    ("status", Kind::OneOf(&["any", "future", "trash", "draft", "pending", "private", "publish"])),
    ("type", TYPES),
    ("sku", Kind::Text),
    ("featured", Kind::Bool),
    ("category", Kind::Text),
    ("tag", Kind::Text),
    ("on_sale", Kind::Bool),
    ("min_price", Kind::Text),
    ("max_price", Kind::Text),
    ("tax_class", Kind::OneOf(&["standard", "reduced-rate", "zero-rate"])),
    ("stock_status", article::STOCK_STATUS),
    ("virtual", Kind::Bool),
    ("downloadable", Kind::Bool),
];

const ORDERBY: &[&str] = &["date", "id", "include", "title", "slug", "price", "popularity", "rating", "menu_order"];

/// What a client may write of a product, besides what products and variations share.
const OWN: &[Arg] = &[
    ("name", Kind::Text),
    ("slug", Kind::Text),
    ("date_created", Kind::TextOrNull),
    ("date_created_gmt", Kind::TextOrNull),
    ("type", TYPES),
    ("status", STATUSES),
    ("featured", Kind::Bool),
    ("catalog_visibility", Kind::OneOf(&["visible", "catalog", "search", "hidden"])),
    ("short_description", Kind::Text),
    ("external_url", Kind::Text),
    ("button_text", Kind::Text),
    ("manage_stock", Kind::Bool),
    ("sold_individually", Kind::Bool),
    ("reviews_allowed", Kind::Bool),
    ("post_password", Kind::Text),
    ("upsell_ids", Kind::List(&Kind::Int)),
    ("cross_sell_ids", Kind::List(&Kind::Int)),
    ("grouped_products", Kind::List(&Kind::Int)),
    ("parent_id", Kind::Int),
    ("purchase_note", Kind::Text),
    ("categories", TERM),
    ("brands", TERM),
    ("tags", TERM),
    ("images", Kind::List(&article::IMAGE)),
    (
        "attributes",
        Kind::List(&Kind::Object(&[
            ("id", Kind::Int),
            ("name", Kind::Text),
            ("position", Kind::Int),
            ("visible", Kind::Bool),
            ("variation", Kind::Bool),
            ("options", Kind::List(&Kind::Text)),
        ])),
    ),
    (
        "default_attributes",
        Kind::List(&Kind::Object(&[("id", Kind::Int), ("name", Kind::Text), ("option", Kind::Text)])),
    ),
];

/// Fields that are stored as they come.
const AS_SENT: &[&str] = &[
    "type",
    "featured",
    "catalog_visibility",
    "external_url",
    "button_text",
    "sold_individually",
    "reviews_allowed",
    "post_password",
    "upsell_ids",
    "cross_sell_ids",
    "grouped_products",
    "parent_id",
    "purchase_note",
    "default_attributes",
];

pub(crate) fn list(state: &State, call: &Call) -> Answer {
    let args = paging::args(call, &[paging::COMMON, paging::POSTS, QUERY])?;
    let orderby = paging::check_orderby(state, &args, ORDERBY)?;
    let filter = paging::Filter::read(state, &args);
    let now = state.now();
    let status = paging::text(&args, "status").unwrap_or("any");
    let search = paging::text(&args, "search");
    let is = |item: &Item, name: &str| paging::text(&args, name).is_none_or(|want| item.text(name) == want);
    let flag = |item: &Item, name: &str| args.get(name).is_none_or(|want| item.body.get(name) == Some(want));
    let in_terms = |item: &Item, name: &str, list: &str| {
        paging::text(&args, name).is_none_or(|want| {
            let ids: Vec<u64> = want.split(',').filter_map(|id| id.trim().parse().ok()).collect();
            item.body
                .get(list)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .any(|t| t["id"].as_u64().is_some_and(|id| ids.contains(&id)))
        })
    };
    let bound = |name: &str| paging::text(&args, name).and_then(money::read);
    let (min, max) = (bound("min_price"), bound("max_price"));
    let admits = |item: &Item| {
        filter.admits(item, if item.parent > 0 { item.parent } else { item.int("parent_id") as u64 })
            && article::has_status(item, status)
            && is(item, "type")
            && is(item, "slug")
            && is(item, "stock_status")
            && flag(item, "featured")
            && flag(item, "virtual")
            && flag(item, "downloadable")
            && paging::text(&args, "tax_class")
                .is_none_or(|want| item.text("tax_class") == if want == "standard" { "" } else { want })
            && args.get("on_sale").is_none_or(|want| want.as_bool() == Some(article::on_sale(item, now)))
            && in_terms(item, "category", "categories")
            && in_terms(item, "tag", "tags")
            && search.is_none_or(|word| {
                paging::found(&[item.text("name"), item.text("short_description"), item.text("description")], word)
            })
            && (min.is_none() && max.is_none() || {
                let price = money::read(&article::price(state, item)).unwrap_or_default();
                min.is_none_or(|min| price >= min) && max.is_none_or(|max| price <= max)
            })
    };
    // A search by SKU finds variations too, written as products with a parent.
    let mut items: Vec<&Item> = match paging::text(&args, "sku") {
        Some(skus) => {
            let mut ids: Vec<u64> = std::iter::once(skus)
                .chain(skus.split(','))
                .filter_map(|sku| state.skus.get(sku.trim()).copied())
                .collect();
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().filter_map(|id| state.article(id)).filter(|item| admits(item)).collect()
        }
        None => state.products.values().filter(|item| admits(item)).collect(),
    };
    paging::sort(&mut items, &args, &orderby, "desc", |a, b| compare(state, &orderby, a, b));
    Ok(paging::page(call, &args, &items, |item| render(state, item)))
}

fn compare(state: &State, orderby: &str, a: &Item, b: &Item) -> Ordering {
    match orderby {
        "title" => a.text("name").to_lowercase().cmp(&b.text("name").to_lowercase()),
        "slug" => a.text("slug").cmp(b.text("slug")),
        "menu_order" => a.int("menu_order").cmp(&b.int("menu_order")),
        "popularity" => a.int("total_sales").cmp(&b.int("total_sales")),
        "price" => money::read(&article::price(state, a)).cmp(&money::read(&article::price(state, b))),
        _ => Ordering::Equal,
    }
}

pub(crate) fn get(state: &State, id: u64) -> Answer {
    let item = state.article(id).ok_or_else(|| ApiError::invalid_id("product"))?;
    Ok(Reply::ok(render(state, item)))
}

/// A product, or a variation in the form of a product.
pub(crate) fn render(state: &State, item: &Item) -> Value {
    if item.parent > 0 {
        return render_variation(state, item);
    }
    let mut body = article::render(state, item);
    let sale = article::on_sale(item, state.now());
    if item.text("type") == "variable" {
        let on_sale = article::children(state, item).any(|child| article::on_sale(child, state.now()));
        body.insert("on_sale".to_owned(), on_sale.into());
        body.insert("regular_price".to_owned(), "".into());
        body.insert("sale_price".to_owned(), "".into());
    } else {
        body.insert("on_sale".to_owned(), sale.into());
    }
    let price = body.get("price").and_then(Value::as_str).unwrap_or_default();
    let html = if price.is_empty() {
        String::new()
    } else {
        format!("<span class=\"amount\">{}&nbsp;{}</span>", price.replace('.', ","), state.shop.currency)
    };
    body.insert("price_html".to_owned(), html.into());
    let slug = item.text("slug");
    body.insert("permalink".to_owned(), format!("{}/product/{slug}/", state.shop.url).into());
    let terms: Vec<Value> = item
        .body
        .get("categories")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|row| state.categories.get(&row["id"].as_u64()?))
        .map(|term| json!({"id": term.id, "name": term.text("name"), "slug": term.text("slug")}))
        .collect();
    body.insert("categories".to_owned(), terms.into());
    body.into()
}

/// A variation in the form of a product, as a search by SKU finds it.
fn render_variation(state: &State, item: &Item) -> Value {
    let mut body = blank();
    if let Value::Object(own) = variations::render(state, item) {
        body.extend(own);
    }
    let parent = state.products.get(&item.parent).map(|parent| parent.text("name")).unwrap_or_default();
    body.insert("name".to_owned(), format!("{parent} - {}", item.text("name")).into());
    body.insert("categories".to_owned(), json!([]));
    let image = body.remove("image").filter(|image| !image.is_null());
    body.insert("images".to_owned(), image.into_iter().collect::<Vec<_>>().into());
    body.into()
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let sent = call.body(state, &[article::SHARED, OWN].concat())?;
    article::check(state, &sent, 0)?;
    let images = sent.get("images").map(|images| article::images(state, call, images)).transpose()?;
    let id = state.post_id();
    let mut item = state.item(id, 0, blank());
    apply(state, &mut item, &sent, images)?;
    let sku = item.text("sku").to_owned();
    article::index_sku(state, "", &sku, id);
    state.products.insert(id, item);
    state.wrote("product", id, Operation::Create, true, &sent);
    let json = render(state, &state.products[&id]);
    let mut reply = Reply::created(json);
    reply.headers.push(("location", format!("{}/products/{id}", call.base)));
    Ok(reply)
}

pub(crate) fn update(state: &mut State, call: &Call, id: u64) -> Answer {
    if !state.products.contains_key(&id) {
        return Err(missing(state, id));
    }
    let sent = call.body(state, &[article::SHARED, OWN].concat())?;
    article::check(state, &sent, id)?;
    let images = sent.get("images").map(|images| article::images(state, call, images)).transpose()?;
    let mut item = state.products[&id].clone();
    let before = item.clone();
    apply(state, &mut item, &sent, images)?;
    let changed = item.body != before.body || item.created != before.created;
    if changed {
        item.modified = state.now();
    }
    let live = |item: &Item| {
        if item.text("status") == "trash" { String::new() } else { item.text("sku").to_owned() }
    };
    article::index_sku(state, &live(&before), &live(&item), id);
    state.products.insert(id, item);
    state.wrote("product", id, Operation::Update, changed, &sent);
    get(state, id)
}

pub(crate) fn delete(state: &mut State, call: &Call, id: u64) -> Answer {
    let item = state.products.get(&id).cloned().ok_or_else(|| missing(state, id))?;
    let args = call.query(&[("force", Kind::Bool)])?;
    let force = args.get("force").or_else(|| call.body.get("force")) == Some(&Value::Bool(true));
    if !force && item.text("status") == "trash" {
        return Err(ApiError::new(410, "woocommerce_rest_already_trashed", "The product has already been deleted."));
    }
    let before = render(state, &item);
    let children: Vec<u64> = article::children(state, &item).map(|child| child.id).collect();
    let sku = item.text("sku").to_owned();
    article::index_sku(state, &sku, "", id);
    if force {
        state.products.remove(&id);
        state.slugs.remove(item.text("slug"));
        for child in children {
            variations::remove(state, child);
        }
    } else {
        let now = state.now();
        if let Some(item) = state.products.get_mut(&id) {
            item.body.insert("status".to_owned(), "trash".into());
            item.modified = now;
        }
        for child in children {
            let sku = state.variations.get(&child).map(|c| c.text("sku").to_owned()).unwrap_or_default();
            article::index_sku(state, &sku, "", child);
        }
    }
    state.wrote("product", id, Operation::Delete, true, &Body::new());
    Ok(Reply::ok(if force { before } else { render(state, &state.products[&id]) }))
}

/// Variations can be read here, but not written.
fn missing(state: &State, id: u64) -> ApiError {
    if state.variations.contains_key(&id) {
        let message = "Variations are changed below their product, at /products/<product_id>/variations/<id>.";
        return ApiError::new(404, "woocommerce_rest_invalid_product_id", message);
    }
    ApiError::invalid_id("product")
}

fn apply(state: &mut State, item: &mut Item, sent: &Body, images: Option<Value>) -> Result<(), ApiError> {
    for name in AS_SENT {
        if let Some(value) = sent.get(*name) {
            item.body.insert((*name).to_owned(), value.clone());
        }
    }
    if let Some(name) = paging::text(sent, "name") {
        item.body.insert("name".to_owned(), html::clean(name).into());
    }
    for name in ["short_description"] {
        if let Some(text) = sent.get(name).and_then(Value::as_str) {
            item.body.insert(name.to_owned(), html::clean(text).into());
        }
    }
    if let Some(status) = paging::text(sent, "status") {
        item.body.insert("status".to_owned(), status.into());
    }
    let wanted = match paging::text(sent, "slug") {
        Some(slug) => Some(html::slug(slug)),
        None if item.text("slug").is_empty() => Some(html::slug(item.text("name"))),
        None => None,
    };
    if let Some(slug) = wanted {
        let slug = free_slug(state, &slug, item);
        item.body.insert("slug".to_owned(), slug.into());
    }
    let created = paging::text(sent, "date_created").and_then(|at| state.clock.read_local(at));
    let created = created.or_else(|| paging::text(sent, "date_created_gmt").and_then(crate::clock::read_gmt));
    if let Some(at) = created {
        item.created = crate::clock::whole_seconds(at);
    }
    if let Some(given) = sent.get("categories") {
        let mut rows: Vec<Value> = given
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|row| row["id"].as_u64())
            .filter(|id| state.categories.contains_key(id))
            .map(|id| json!({"id": id}))
            .collect();
        if rows.is_empty() {
            rows = vec![json!({"id": crate::terms::UNCATEGORIZED})];
        }
        item.body.insert("categories".to_owned(), rows.into());
    }
    if let Some(given) = sent.get("tags") {
        let rows: Vec<Value> = given
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|row| state.tags.get(&row["id"].as_u64()?))
            .map(|tag| json!({"id": tag.id, "name": tag.text("name"), "slug": tag.text("slug")}))
            .collect();
        item.body.insert("tags".to_owned(), rows.into());
    }
    if let Some(given) = sent.get("attributes") {
        let rows = attributes(state, given);
        item.body.insert("attributes".to_owned(), rows);
    }
    if let Some(images) = images {
        item.body.insert("images".to_owned(), images);
    }
    article::apply(state, item, sent)?;
    if let Some(given) = sent.get("meta_data") {
        let given = given.clone();
        meta::apply(state, &mut item.body, &given);
    }
    Ok(())
}

/// Attributes as sent: with the number of a global attribute, or free ones with a name and the number 0.
fn attributes(state: &State, given: &Value) -> Value {
    let mut rows = Vec::new();
    for row in given.as_array().into_iter().flatten() {
        let id = row["id"].as_u64().unwrap_or(0);
        let global = state.attributes.get(&id);
        let name = match global {
            Some(attribute) => attribute.text("name").to_owned(),
            None if id > 0 => continue,
            None => html::plain(row["name"].as_str().unwrap_or_default()),
        };
        if name.is_empty() {
            continue;
        }
        let options: Vec<String> = row["options"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(html::plain)
            .filter(|o| !o.is_empty())
            .collect();
        let slug = global.map_or_else(|| name.clone(), |attribute| attribute.text("slug").to_owned());
        rows.push(json!({
            "id": if global.is_some() { id } else { 0 },
            "name": name,
            "slug": slug,
            "position": row["position"].as_i64().unwrap_or(0),
            "visible": row["visible"].as_bool().unwrap_or(false),
            "variation": row["variation"].as_bool().unwrap_or(false),
            "options": options,
        }));
    }
    rows.into()
}

/// The wanted slug, or the next free one with a number behind it.
fn free_slug(state: &mut State, wanted: &str, item: &Item) -> String {
    let wanted = if wanted.is_empty() { item.id.to_string() } else { wanted.to_owned() };
    if wanted == item.text("slug") {
        return wanted;
    }
    state.slugs.remove(item.text("slug"));
    let mut slug = wanted.clone();
    let mut number = 2;
    while !state.slugs.insert(slug.clone()) {
        slug = format!("{wanted}-{number}");
        number += 1;
    }
    slug
}

/// A product nobody has written anything into yet.
fn blank() -> Body {
    let mut body = article::blank();
    let own = json!({
        "name": "", "slug": "", "type": "simple", "status": "publish", "featured": false,
        "catalog_visibility": "visible", "short_description": "", "total_sales": 0, "external_url": "",
        "button_text": "", "sold_individually": false, "reviews_allowed": true, "post_password": "",
        "average_rating": "0.00", "rating_count": 0, "upsell_ids": [], "cross_sell_ids": [], "parent_id": 0,
        "purchase_note": "", "categories": [{"id": crate::terms::UNCATEGORIZED}], "brands": [], "tags": [],
        "images": [], "attributes": [], "default_attributes": [], "variations": [], "grouped_products": [],
        "related_ids": [], "has_options": false,
    });
    if let Value::Object(own) = own {
        body.extend(own);
    }
    body
}
