//! From method and path to the resource, batches included.

use serde_json::{Value, json};

use crate::{
    call::{Answer, Call, Reply},
    customers,
    error::ApiError,
    notes, orders, products, refunds, shop,
    state::State,
    terms::{self, Taxonomy},
    variations,
};

/// How many objects one batch may name.
const BATCH_LIMIT: usize = 100;

/// Something with a list, objects and mostly a batch.
#[derive(Debug, Clone, Copy)]
enum Resource {
    Products,
    Variations(u64),
    Terms(Taxonomy),
    Orders,
    Notes(u64),
    Refunds(u64),
    Customers,
}

/// Handles one request; everything it does is done when it returns.
pub(crate) fn handle(state: &mut State, call: &Call) -> Answer {
    state.ignored.clear();
    let parts: Vec<&str> = call.path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() && call.is_read() {
        return Ok(Reply::ok(json!({"namespace": "wc/v3", "routes": {}})));
    }
    if call.is_read()
        && let Some(answer) = shop::get(state, call, &parts)
    {
        return answer;
    }
    let (resource, rest) = resource(&parts).ok_or_else(ApiError::no_route)?;
    match (call.method.as_str(), rest) {
        ("GET" | "HEAD", []) => list(state, call, resource),
        ("POST", []) => create(state, call, resource),
        ("POST" | "PUT" | "PATCH", ["batch"]) if resource.has_batch() => batch(state, call, resource),
        (method, [id]) => {
            let id = id.parse().map_err(|_| ApiError::no_route())?;
            match method {
                "GET" | "HEAD" => get(state, call, resource, id),
                "POST" | "PUT" | "PATCH" => update(state, call, resource, id),
                "DELETE" => delete(state, call, resource, id),
                _ => Err(ApiError::no_route()),
            }
        }
        _ => Err(ApiError::no_route()),
    }
}

fn resource<'a>(parts: &'a [&'a str]) -> Option<(Resource, &'a [&'a str])> {
    let number = |text: &str| text.parse::<u64>().ok();
    Some(match parts {
        ["products", "categories", rest @ ..] => (Resource::Terms(Taxonomy::Categories), rest),
        ["products", "tags", rest @ ..] => (Resource::Terms(Taxonomy::Tags), rest),
        ["products", "attributes", id, "terms", rest @ ..] => (Resource::Terms(Taxonomy::Terms(number(id)?)), rest),
        ["products", "attributes", rest @ ..] => (Resource::Terms(Taxonomy::Attributes), rest),
        ["products", id, "variations", rest @ ..] => (Resource::Variations(number(id)?), rest),
        ["products", rest @ ..] => (Resource::Products, rest),
        ["orders", id, "notes", rest @ ..] => (Resource::Notes(number(id)?), rest),
        ["orders", id, "refunds", rest @ ..] => (Resource::Refunds(number(id)?), rest),
        ["orders", rest @ ..] => (Resource::Orders, rest),
        ["customers", rest @ ..] => (Resource::Customers, rest),
        _ => return None,
    })
}

impl Resource {
    fn has_batch(self) -> bool {
        !matches!(self, Self::Notes(_) | Self::Refunds(_))
    }
}

fn list(state: &State, call: &Call, resource: Resource) -> Answer {
    match resource {
        Resource::Products => products::list(state, call),
        Resource::Variations(parent) => variations::list(state, call, parent),
        Resource::Terms(taxonomy) => terms::list(state, call, taxonomy),
        Resource::Orders => orders::list(state, call),
        Resource::Notes(order) => notes::list(state, call, order),
        Resource::Refunds(order) => refunds::list(state, call, order),
        Resource::Customers => customers::list(state, call),
    }
}

fn get(state: &State, call: &Call, resource: Resource, id: u64) -> Answer {
    match resource {
        Resource::Products => products::get(state, id),
        Resource::Variations(parent) => variations::get(state, parent, id),
        Resource::Terms(taxonomy) => terms::get(state, taxonomy, id),
        Resource::Orders => orders::get(state, call, id),
        Resource::Notes(order) => notes::get(state, order, id),
        Resource::Refunds(order) => refunds::get(state, order, id),
        Resource::Customers => customers::get(state, id),
    }
}

fn create(state: &mut State, call: &Call, resource: Resource) -> Answer {
    match resource {
        Resource::Products => products::create(state, call),
        Resource::Variations(parent) => variations::create(state, call, parent),
        Resource::Terms(taxonomy) => terms::create(state, call, taxonomy),
        Resource::Orders => orders::create(state, call),
        Resource::Notes(order) => notes::create(state, call, order),
        Resource::Refunds(order) => refunds::create(state, call, order),
        Resource::Customers => customers::create(state, call),
    }
}

fn update(state: &mut State, call: &Call, resource: Resource, id: u64) -> Answer {
    match resource {
        Resource::Products => products::update(state, call, id),
        Resource::Variations(parent) => variations::update(state, call, parent, id),
        Resource::Terms(taxonomy) => terms::update(state, call, taxonomy, id),
        Resource::Orders => orders::update(state, call, id),
        Resource::Customers => customers::update(state, call, id),
        // What was noted or paid back is not edited.
        Resource::Notes(_) | Resource::Refunds(_) => Err(ApiError::no_route()),
    }
}

fn delete(state: &mut State, call: &Call, resource: Resource, id: u64) -> Answer {
    match resource {
        Resource::Products => products::delete(state, call, id),
        Resource::Variations(parent) => variations::delete(state, call, parent, id),
        Resource::Terms(taxonomy) => terms::delete(state, call, taxonomy, id),
        Resource::Orders => orders::delete(state, call, id),
        Resource::Notes(order) => notes::delete(state, call, order, id),
        Resource::Refunds(order) => refunds::delete(state, call, order, id),
        Resource::Customers => customers::delete(state, call, id),
    }
}

/// Creates, updates and deletes one after the other; what fails says so in its place, the rest goes on.
fn batch(state: &mut State, call: &Call, resource: Resource) -> Answer {
    let rows = |name: &str| match call.body.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(rows)) => Ok(rows.clone()),
        Some(_) => Err(ApiError::invalid_param(name, format!("{name} is not of type array."))),
    };
    let (creates, updates, deletes) = (rows("create")?, rows("update")?, rows("delete")?);
    let total = creates.len() + updates.len() + deletes.len();
    if total > BATCH_LIMIT {
        let message = format!("Unable to accept more than {BATCH_LIMIT} items for this request.");
        return Err(ApiError::new(413, "woocommerce_rest_request_entity_too_large", message));
    }
    let single = |body: &Value| Call {
        method: call.method.clone(),
        path: call.path.clone(),
        base: call.base.clone(),
        query: serde_json::Map::new(),
        body: body.as_object().cloned().unwrap_or_default(),
        pictures: call.pictures.clone(),
    };
    let mut answer = serde_json::Map::new();
    if !creates.is_empty() {
        let done: Vec<Value> = creates.iter().map(|body| inline(create(state, &single(body), resource), 0)).collect();
        answer.insert("create".to_owned(), done.into());
    }
    if !updates.is_empty() {
        let mut done = Vec::new();
        for body in &updates {
            let id = body["id"].as_u64().or_else(|| body["id"].as_str().and_then(|id| id.parse().ok())).unwrap_or(0);
            let mut single = single(body);
            single.body.remove("id");
            done.push(inline(update(state, &single, resource, id), id));
        }
        answer.insert("update".to_owned(), done.into());
    }
    if !deletes.is_empty() {
        let mut done = Vec::new();
        for body in &deletes {
            let id = body.as_u64().or_else(|| body["id"].as_u64()).unwrap_or(0);
            // A batch deletes for good.
            let single = single(&json!({"force": true}));
            done.push(inline(delete(state, &single, resource, id), id));
        }
        answer.insert("delete".to_owned(), done.into());
    }
    Ok(Reply::ok(Value::from(answer)))
}

fn inline(answer: Answer, id: u64) -> Value {
    match answer {
        Ok(reply) => reply.json,
        Err(error) => json!({"id": id, "error": error.body()}),
    }
}
