//! `/products/categories`, `/products/tags`, `/products/attributes` and the terms of an attribute.

use serde_json::{Value, json};

use crate::{
    article,
    call::{Answer, Call, Reply},
    error::ApiError,
    html,
    journal::Operation,
    paging,
    schema::{Arg, Kind},
    state::{Body, Item, State, Table},
};

/// The category of products that have no other.
pub(crate) const UNCATEGORIZED: u64 = 15;

/// One of the four lists of terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taxonomy {
    Categories,
    Tags,
    Attributes,
    /// Terms of the attribute with this number.
    Terms(u64),
}

const QUERY: &[Arg] = &[
    ("orderby", Kind::OneOf(&["id", "include", "name", "slug", "term_group", "description", "count", "menu_order"])),
    ("hide_empty", Kind::Bool),
    ("parent", Kind::Int),
    ("product", Kind::Int),
    ("slug", Kind::Text),
];

const BODY: &[Arg] = &[
    ("name", Kind::Text),
    ("slug", Kind::Text),
    ("parent", Kind::Int),
    ("description", Kind::Text),
    ("display", Kind::OneOf(&["default", "products", "subcategories", "both"])),
    ("image", article::IMAGE),
    ("menu_order", Kind::Int),
];

const ATTRIBUTE: &[Arg] = &[
    ("name", Kind::Text),
    ("slug", Kind::Text),
    ("type", Kind::OneOf(&["select"])),
    ("order_by", Kind::OneOf(&["menu_order", "name", "name_num", "id"])),
    ("has_archives", Kind::Bool),
];

impl Taxonomy {
    fn kind(self) -> &'static str {
        match self {
            Self::Categories => "category",
            Self::Tags => "tag",
            Self::Attributes => "attribute",
            Self::Terms(_) => "term",
        }
    }

    fn path(self) -> String {
        match self {
            Self::Categories => "products/categories".to_owned(),
            Self::Tags => "products/tags".to_owned(),
            Self::Attributes => "products/attributes".to_owned(),
            Self::Terms(attribute) => format!("products/attributes/{attribute}/terms"),
        }
    }

    fn table(self, state: &State) -> &Table {
        match self {
            Self::Categories => &state.categories,
            Self::Tags => &state.tags,
            Self::Attributes => &state.attributes,
            Self::Terms(_) => &state.terms,
        }
    }

    fn table_mut(self, state: &mut State) -> &mut Table {
        match self {
            Self::Categories => &mut state.categories,
            Self::Tags => &mut state.tags,
            Self::Attributes => &mut state.attributes,
            Self::Terms(_) => &mut state.terms,
        }
    }

    fn parent(self) -> u64 {
        if let Self::Terms(attribute) = self { attribute } else { 0 }
    }

    fn missing(self) -> ApiError {
        if self == Self::Attributes {
            return ApiError::new(404, "woocommerce_rest_taxonomy_invalid", "Resource does not exist.");
        }
        ApiError::new(404, "woocommerce_rest_term_invalid", "Resource does not exist.")
    }

    fn find(self, state: &State, id: u64) -> Result<&Item, ApiError> {
        self.table(state).get(&id).filter(|item| item.parent == self.parent()).ok_or_else(|| self.missing())
    }

    fn check_parent(self, state: &State) -> Result<(), ApiError> {
        match self {
            Self::Terms(id) if !state.attributes.contains_key(&id) => Err(Self::Attributes.missing()),
            _ => Ok(()),
        }
    }
}

pub(crate) fn list(state: &State, call: &Call, taxonomy: Taxonomy) -> Answer {
    taxonomy.check_parent(state)?;
    let args = paging::args(call, &[paging::COMMON, QUERY])?;
    let orderby = paging::text(&args, "orderby").unwrap_or("name").to_owned();
    let mut shared = args.clone();
    shared.remove("parent");
    let filter = paging::Filter::read(state, &shared);
    let parent = args.get("parent").and_then(Value::as_i64);
    let mut items: Vec<&Item> = taxonomy
        .table(state)
        .values()
        .filter(|item| {
            item.parent == taxonomy.parent()
                && filter.admits(item, 0)
                && parent.is_none_or(|id| item.int("parent") == id)
                && paging::text(&args, "slug").is_none_or(|slug| item.text("slug") == slug)
                && paging::text(&args, "search")
                    .is_none_or(|word| paging::found(&[item.text("name"), item.text("slug")], word))
        })
        .collect();
    if taxonomy == Taxonomy::Attributes {
        // The only list without pages.
        return Ok(Reply::ok(items.iter().map(|item| render(item, taxonomy)).collect::<Vec<_>>()));
    }
    let counts = counts(state, taxonomy);
    if args.get("hide_empty") == Some(&Value::Bool(true)) {
        items.retain(|item| counts.contains_key(&item.id));
    }
    paging::sort(&mut items, &args, &orderby, "asc", |a, b| match orderby.as_str() {
        "slug" => a.text("slug").cmp(b.text("slug")),
        "description" => a.text("description").cmp(b.text("description")),
        "menu_order" => a.int("menu_order").cmp(&b.int("menu_order")),
        "count" => counts.get(&a.id).cmp(&counts.get(&b.id)),
        _ => a.text("name").to_lowercase().cmp(&b.text("name").to_lowercase()),
    });
    Ok(paging::page(call, &args, &items, |item| {
        let mut row = render(item, taxonomy);
        row["count"] = counts.get(&item.id).copied().unwrap_or(0).into();
        row
    }))
}

/// How many published products each category or tag has, counted in one walk.
fn counts(state: &State, taxonomy: Taxonomy) -> std::collections::HashMap<u64, u64> {
    let list = if taxonomy == Taxonomy::Tags { "tags" } else { "categories" };
    let mut counts = std::collections::HashMap::new();
    if matches!(taxonomy, Taxonomy::Categories | Taxonomy::Tags) {
        for product in state.products.values().filter(|p| p.text("status") == "publish") {
            for id in product.body[list].as_array().into_iter().flatten().filter_map(|row| row["id"].as_u64()) {
                *counts.entry(id).or_default() += 1;
            }
        }
    }
    counts
}

fn render(item: &Item, taxonomy: Taxonomy) -> Value {
    let mut body = item.body.clone();
    body.insert("id".to_owned(), item.id.into());
    if taxonomy == Taxonomy::Attributes {
        return body.into();
    }
    body.insert("count".to_owned(), 0.into());
    if taxonomy != Taxonomy::Categories {
        for name in ["parent", "display", "image"] {
            body.remove(name);
        }
    }
    body.into()
}

pub(crate) fn get(state: &State, taxonomy: Taxonomy, id: u64) -> Answer {
    taxonomy.check_parent(state)?;
    let item = taxonomy.find(state, id)?;
    let mut row = render(item, taxonomy);
    if let Some(count) = counts(state, taxonomy).get(&id) {
        row["count"] = (*count).into();
    }
    Ok(Reply::ok(row))
}

pub(crate) fn create(state: &mut State, call: &Call, taxonomy: Taxonomy) -> Answer {
    taxonomy.check_parent(state)?;
    let sent = call.body(state, if taxonomy == Taxonomy::Attributes { ATTRIBUTE } else { BODY })?;
    if !sent.contains_key("name") {
        return Err(ApiError::missing_params(&["name"]));
    }
    let id = state.term_id();
    let body = if taxonomy == Taxonomy::Attributes {
        json!({"name": "", "slug": "", "type": "select", "order_by": "menu_order", "has_archives": false})
    } else {
        json!({
            "name": "", "slug": "", "parent": 0, "description": "", "display": "default", "image": null,
            "menu_order": 0,
        })
    };
    let Value::Object(body) = body else {
        return Err(taxonomy.missing());
    };
    let mut item = state.item(id, taxonomy.parent(), body);
    apply(state, call, taxonomy, &mut item, &sent)?;
    taxonomy.table_mut(state).insert(id, item);
    state.wrote(taxonomy.kind(), id, Operation::Create, true, &sent);
    let mut reply = Reply::created(get(state, taxonomy, id)?.json);
    reply.headers.push(("location", format!("{}/{}/{id}", call.base, taxonomy.path())));
    Ok(reply)
}

pub(crate) fn update(state: &mut State, call: &Call, taxonomy: Taxonomy, id: u64) -> Answer {
    taxonomy.check_parent(state)?;
    let mut item = taxonomy.find(state, id)?.clone();
    let sent = call.body(state, if taxonomy == Taxonomy::Attributes { ATTRIBUTE } else { BODY })?;
    let before = item.body.clone();
    apply(state, call, taxonomy, &mut item, &sent)?;
    let changed = item.body != before;
    taxonomy.table_mut(state).insert(id, item);
    state.wrote(taxonomy.kind(), id, Operation::Update, changed, &sent);
    get(state, taxonomy, id)
}

/// Terms know no trash: without `force` the answer is 501.
pub(crate) fn delete(state: &mut State, call: &Call, taxonomy: Taxonomy, id: u64) -> Answer {
    taxonomy.check_parent(state)?;
    let before = get(state, taxonomy, id)?.json;
    let args = call.query(&[("force", Kind::Bool)])?;
    if args.get("force").or_else(|| call.body.get("force")) != Some(&Value::Bool(true)) {
        return Err(ApiError::new(501, "woocommerce_rest_trash_not_supported", "Resource does not support trashing."));
    }
    if taxonomy == Taxonomy::Categories && id == UNCATEGORIZED {
        return Err(ApiError::new(
            500,
            "woocommerce_rest_cannot_delete",
            "Default product category cannot be deleted.",
        ));
    }
    taxonomy.table_mut(state).remove(&id);
    if taxonomy == Taxonomy::Categories {
        for product in state.products.values_mut() {
            if let Some(rows) = product.body.get_mut("categories").and_then(Value::as_array_mut) {
                rows.retain(|row| row["id"] != id);
                if rows.is_empty() {
                    rows.push(json!({"id": UNCATEGORIZED}));
                }
            }
        }
    }
    state.wrote(taxonomy.kind(), id, Operation::Delete, true, &Body::new());
    Ok(Reply::ok(before))
}

fn apply(state: &mut State, call: &Call, taxonomy: Taxonomy, item: &mut Item, sent: &Body) -> Result<(), ApiError> {
    let parent = sent.get("parent").and_then(Value::as_u64).unwrap_or(item.int("parent") as u64);
    if taxonomy == Taxonomy::Categories && parent > 0 && !state.categories.contains_key(&parent) {
        return Err(ApiError::new(404, "woocommerce_rest_term_invalid", "Parent is invalid."));
    }
    let name = match paging::text(sent, "name") {
        Some(name) => html::clean(&html::plain(name)),
        None => item.text("name").to_owned(),
    };
    // Two terms with one name may not have one parent.
    let twin = taxonomy.table(state).values().find(|other| {
        other.id != item.id
            && other.parent == item.parent
            && other.text("name").eq_ignore_ascii_case(&name)
            && other.int("parent") == parent as i64
    });
    if let Some(twin) = twin {
        if taxonomy == Taxonomy::Attributes {
            let message = format!("Slug \"{}\" is already in use. Change it, please.", twin.text("slug"));
            return Err(ApiError::new(400, "woocommerce_rest_cannot_create", message));
        }
        let message = "A term with the name provided already exists with this parent.";
        return Err(ApiError::new(400, "term_exists", message).with("resource_id", twin.id.into()));
    }
    let slug = match paging::text(sent, "slug") {
        Some(slug) => html::slug(slug),
        None if item.text("slug").is_empty() => html::slug(&name),
        None => item.text("slug").to_owned(),
    };
    let slug = if taxonomy == Taxonomy::Attributes && !slug.starts_with("pa_") { format!("pa_{slug}") } else { slug };
    let slug = free_slug(taxonomy.table(state), item, &slug);
    if let Some(image) = sent.get("image") {
        let empty = image.as_object().is_none_or(Body::is_empty);
        let image = if empty { Value::Null } else { article::image(state, call, image)? };
        item.body.insert("image".to_owned(), image);
    }
    item.body.insert("name".to_owned(), name.into());
    item.body.insert("slug".to_owned(), slug.into());
    if taxonomy == Taxonomy::Categories {
        item.body.insert("parent".to_owned(), parent.into());
    }
    if let Some(text) = sent.get("description").and_then(Value::as_str) {
        item.body.insert("description".to_owned(), html::clean(text).into());
    }
    for name in ["display", "menu_order", "type", "order_by", "has_archives"] {
        if let Some(value) = sent.get(name) {
            item.body.insert(name.to_owned(), value.clone());
        }
    }
    item.modified = state.now();
    Ok(())
}

fn free_slug(table: &Table, item: &Item, wanted: &str) -> String {
    let taken =
        |slug: &str| table.values().any(|t| t.id != item.id && t.parent == item.parent && t.text("slug") == slug);
    let mut slug = wanted.to_owned();
    let mut number = 2;
    while taken(&slug) {
        slug = format!("{wanted}-{number}");
        number += 1;
    }
    slug
}
