//! Categories are collections; a product is put into one by the collection's filter for single products.

use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::catalog::Category;
use tradepost_sdk::head::Op;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::types::{Error, Issue, Link};

use super::{done, known, partial, refused, unchanged, warning};
use crate::api::{Shop, read};
use crate::describe::language;
use crate::map::write::slug;
use crate::map::{filled, language_code, remote};

const CREATE: &str = "mutation($input:CreateCollectionInput!){createCollection(input:$input){id}}";
const UPDATE: &str = "mutation($input:UpdateCollectionInput!){updateCollection(input:$input){id}}";
const MOVE: &str = "mutation($input:MoveCollectionInput!){moveCollection(input:$input){id}}";
/// Code of Vendure's filter for single products.
const SINGLE: &str = "product-id-filter";

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct There {
    id: String,
    is_private: bool,
    parent_id: String,
    #[serde(default)]
    breadcrumbs: Vec<Crumb>,
    translations: Vec<Translation>,
}

#[derive(Debug, Clone, Deserialize)]
struct Crumb {
    id: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Translation {
    language_code: String,
    name: String,
    slug: String,
    description: String,
}

/// Makes or updates a category.
///
/// # Errors
/// What the shop answers.
pub fn write(shop: &Shop<'_>, category: &Category) -> Result<Outcome, Error> {
    match category.head.op {
        Op::Create | Op::CreateDone => create(shop, category),
        // The creation is one mutation: what is left of a cut one is an update.
        Op::Resume | Op::Update => update(shop, category),
        Op::Read => Err(Error::Bug("a record that was read is not written".into())),
    }
}

fn create(shop: &Shop<'_>, category: &Category) -> Result<Outcome, Error> {
    let language = language(shop)?;
    let base = category.base.as_ref().ok_or_else(|| Error::Bug("a new category without its head".into()))?;
    let mut translations: Vec<Value> = texts(category, &base.key, &[]);
    if !translations.iter().any(|text| text["languageCode"] == language) {
        let name = category.texts.first().map_or(base.key.as_str(), |text| text.name.as_str());
        translations.push(json!({
            "languageCode": language, "name": name, "slug": slug(&base.key, "category"), "description": "",
        }));
    }
    let mut input =
        json!({"isPrivate": !base.active, "filters": [], "inheritFilters": false, "translations": translations});
    if let Some(parent) = &base.parent {
        input["parentId"] = json!(
            parent
                .id
                .as_deref()
                .ok_or_else(|| { refused("parent", format!("the parent {} is not in the shop yet", parent.key)) })?
        );
    }
    let made = shop.mutate(CREATE, json!({"input": input}))?;
    let id = made["id"].as_str().ok_or_else(|| Error::Timeout("the shop names no new collection".into()))?;
    shop.settle(&category.head.item, &partial(remote(id, None), Vec::new()));
    Ok(done(remote(id, None), Vec::new(), Vec::new()))
}

fn update(shop: &Shop<'_>, category: &Category) -> Result<Outcome, Error> {
    const THERE: &str = "query($id:ID!){collection(id:$id){id isPrivate parentId breadcrumbs{id} \
        translations{languageCode name slug description}}}";
    let id = &known(&category.head)?.id;
    let raw = shop.query(THERE, json!({"id": id}))?.data["collection"].take();
    if raw.is_null() {
        return Err(Error::NotFound(format!("the shop has no collection {id}")));
    }
    let there: There = read(raw)?;
    let mut input = json!({"id": there.id});
    let mut wrote = false;
    let key = category.base.as_ref().map_or("", |base| base.key.as_str());
    let translations = texts(category, key, &there.translations);
    if !translations.is_empty() {
        input["translations"] = json!(translations);
    }
    if let Some(base) = &category.base {
        if base.active == there.is_private {
            input["isPrivate"] = json!(!base.active);
        }
        let root = there.breadcrumbs.first().map(|crumb| crumb.id.clone()).unwrap_or_default();
        let parent = match &base.parent {
            None => root,
            Some(link) => link
                .id
                .clone()
                .ok_or_else(|| refused("parent", format!("the parent {} is not in the shop yet", link.key)))?,
        };
        if parent != there.parent_id {
            let index = base.position.unwrap_or_default().max(0);
            shop.mutate(MOVE, json!({"input": {"collectionId": id, "parentId": parent, "index": index}}))?;
            wrote = true;
        }
    }
    if input.as_object().is_some_and(|fields| fields.len() > 1) {
        shop.mutate(UPDATE, json!({"input": input}))?;
        wrote = true;
    }
    let reference = remote(id, None);
    Ok(if wrote { done(reference, Vec::new(), Vec::new()) } else { unchanged(reference) })
}

fn texts(category: &Category, key: &str, there: &[Translation]) -> Vec<Value> {
    let mut all = Vec::new();
    for text in &category.texts {
        let code = language_code(&text.language);
        let old = there.iter().find(|old| old.language_code == code);
        let description = text.long_html.as_deref().or(text.short_html.as_deref()).unwrap_or_default();
        let address = filled(text.slug.as_deref());
        let Some(old) = old else {
            let address = address.unwrap_or_else(|| slug(&text.name, &slug(key, "category")));
            all.push(json!({"languageCode": code, "name": text.name, "slug": address, "description": description}));
            continue;
        };
        let mut input = json!({"languageCode": code});
        if old.name != text.name {
            input["name"] = json!(text.name);
        }
        if old.description != description {
            input["description"] = json!(description);
        }
        if let Some(address) = address.filter(|address| *address != old.slug) {
            input["slug"] = json!(address);
        }
        if input.as_object().is_some_and(|fields| fields.len() > 1) {
            all.push(input);
        }
    }
    all
}

/// Puts the product into just these collections as far as single products are filtered; says whether it wrote.
///
/// # Errors
/// What the shop answers.
pub fn membership(shop: &Shop<'_>, product: &str, wanted: &[Link], warnings: &mut Vec<Issue>) -> Result<bool, Error> {
    const FILTERS: &str = "query($options:CollectionListOptions,$id:ID!){product(id:$id){collections{id}} \
        collections(options:$options){items{id filters{code args{name value}}}}}";
    let wanted: Vec<&str> = wanted.iter().filter_map(|link| link.id.as_deref()).collect();
    let mut reply = shop.query(FILTERS, json!({"options": {"take": 900, "sort": {"id": "ASC"}}, "id": product}))?;
    let now: Vec<String> = reply.data["product"]["collections"]
        .as_array()
        .map(|all| all.iter().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    let Value::Array(collections) = reply.data["collections"]["items"].take() else { return Ok(false) };
    let mut wrote = false;
    for collection in collections {
        let id = collection["id"].as_str().unwrap_or_default();
        let (inside, mut filters) = (single(&collection["filters"], product), collection["filters"].clone());
        let wants = wanted.contains(&id);
        // By a filter of the merchant's own it may be there already, or stay there.
        if wants == inside || (wants && now.iter().any(|one| one == id)) {
            continue;
        }
        if !wants && !now.iter().any(|one| one == id) && !inside {
            continue;
        }
        set(&mut filters, product, wants);
        shop.mutate(UPDATE, json!({"input": {"id": id, "filters": inputs(&filters)}}))?;
        wrote = true;
    }
    for id in now.iter().filter(|id| !wanted.contains(&id.as_str())) {
        warnings.push(warning("categories", format!("collection {id} may keep the product by a filter of its own")));
    }
    Ok(wrote)
}

/// Whether the filters name the product by itself.
fn single(filters: &Value, product: &str) -> bool {
    filters
        .as_array()
        .into_iter()
        .flatten()
        .any(|filter| ids(filter).is_some_and(|ids| ids.iter().any(|id| id == product)))
}

/// The products that a filter names by themselves.
fn ids(filter: &Value) -> Option<Vec<String>> {
    if filter["code"] != SINGLE {
        return None;
    }
    let list = filter["args"].as_array()?.iter().find(|arg| arg["name"] == "productIds")?;
    serde_json::from_str(list["value"].as_str()?).ok()
}

fn set(filters: &mut Value, product: &str, inside: bool) {
    let Value::Array(filters) = filters else { return };
    let mut found = false;
    for filter in filters.iter_mut() {
        let Some(mut list) = ids(filter) else { continue };
        list.retain(|id| id != product);
        if inside && !found {
            list.push(product.into());
        }
        found = true;
        for arg in filter["args"].as_array_mut().into_iter().flatten().filter(|arg| arg["name"] == "productIds") {
            arg["value"] = json!(json!(list).to_string());
        }
    }
    if inside && !found {
        let args = json!([
            {"name": "productIds", "value": json!([product]).to_string()},
            {"name": "combineWithAnd", "value": "false"},
        ]);
        filters.push(json!({"code": SINGLE, "args": args}));
    }
    // A filter without products would take in all of them.
    filters.retain(|filter| ids(filter).is_none_or(|list| !list.is_empty()));
}

fn inputs(filters: &Value) -> Vec<Value> {
    filters
        .as_array()
        .into_iter()
        .flatten()
        .map(|filter| json!({"code": filter["code"], "arguments": filter["args"]}))
        .collect()
}

#[cfg(test)]
mod tests;
