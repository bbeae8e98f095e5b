//! `/customers`: accounts. Guests have none; their orders carry the customer number 0.

use serde_json::{Value, json};

use crate::{
    call::{Answer, Call, Reply},
    error::ApiError,
    html,
    journal::Operation,
    meta, paging,
    schema::{Arg, Kind},
    state::{Body, Item, State},
};

const QUERY: &[Arg] = &[
    ("orderby", Kind::OneOf(&["id", "include", "name", "registered_date"])),
    ("email", Kind::Email),
    ("role", Kind::OneOf(&["all", "administrator", "customer", "shop_manager", "subscriber"])),
];

const ADDRESS: Kind = Kind::Object(&[
    ("first_name", Kind::Text),
    ("last_name", Kind::Text),
    ("company", Kind::Text),
    ("address_1", Kind::Text),
    ("address_2", Kind::Text),
    ("city", Kind::Text),
    ("state", Kind::Text),
    ("postcode", Kind::Text),
    ("country", Kind::Text),
    ("email", Kind::Text),
    ("phone", Kind::Text),
]);

const BODY: &[Arg] = &[
    ("email", Kind::Email),
    ("first_name", Kind::Text),
    ("last_name", Kind::Text),
    ("username", Kind::Text),
    ("password", Kind::Text),
    ("billing", ADDRESS),
    ("shipping", ADDRESS),
    ("meta_data", meta::META),
];

pub(crate) fn list(state: &State, call: &Call) -> Answer {
    let args = paging::args(call, &[paging::COMMON, QUERY])?;
    let filter = paging::Filter::read(state, &args);
    let email = paging::text(&args, "email").map(str::to_lowercase);
    let role = paging::text(&args, "role").unwrap_or("customer");
    let orderby = paging::text(&args, "orderby").unwrap_or("name").to_owned();
    let mut items: Vec<&Item> = state
        .customers
        .values()
        .filter(|item| {
            filter.admits(item, 0)
                && (role == "all" || item.text("role") == role)
                && email.as_ref().is_none_or(|email| item.text("email").to_lowercase() == *email)
                && paging::text(&args, "search").is_none_or(|word| {
                    paging::found(
                        &[item.text("email"), item.text("first_name"), item.text("last_name"), item.text("username")],
                        word,
                    )
                })
        })
        .collect();
    paging::sort(&mut items, &args, &orderby, "asc", |a, b| a.text("username").cmp(b.text("username")));
    Ok(paging::page(call, &args, &items, |item| render(state, item)))
}

pub(crate) fn render(state: &State, item: &Item) -> Value {
    let mut body = item.body.clone();
    body.insert("id".to_owned(), item.id.into());
    state.clock.write(&mut body, "date_created", Some(item.created));
    state.clock.write(&mut body, "date_modified", Some(item.modified));
    let paying = state.orders.values().any(|order| {
        order.int("customer_id") == item.id as i64 && matches!(order.text("status"), "processing" | "completed")
    });
    body.insert("is_paying_customer".to_owned(), paying.into());
    body.insert("avatar_url".to_owned(), format!("{}/avatar/{}", state.shop.url, item.id).into());
    body.into()
}

fn find(state: &State, id: u64) -> Result<&Item, ApiError> {
    state.customers.get(&id).ok_or_else(|| ApiError::new(404, "woocommerce_rest_invalid_id", "Invalid resource ID."))
}

pub(crate) fn get(state: &State, id: u64) -> Answer {
    Ok(Reply::ok(render(state, find(state, id)?)))
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let sent = call.body(state, BODY)?;
    if !sent.contains_key("email") {
        return Err(ApiError::missing_params(&["email"]));
    }
    let id = register(state, &sent)?;
    state.wrote("customer", id, Operation::Create, true, &sent);
    let mut reply = Reply::created(render(state, &state.customers[&id]));
    reply.headers.push(("location", format!("{}/customers/{id}", call.base)));
    Ok(reply)
}

/// Makes an account of checked fields. The shop makes passwords itself where none is sent.
pub(crate) fn register(state: &mut State, sent: &Body) -> Result<u64, ApiError> {
    let email = paging::text(sent, "email").unwrap_or_default().to_owned();
    check_email(state, &email, 0)?;
    let wanted = paging::text(sent, "username").unwrap_or_else(|| email.split('@').next().unwrap_or_default());
    let wanted = html::slug(wanted).replace('-', ".");
    let taken = |name: &str| state.customers.values().any(|c| c.text("username") == name);
    if sent.contains_key("username") && taken(&wanted) {
        let message = "An account is already registered with that username. Please choose another.";
        return Err(ApiError::new(400, "registration-error-username-exists", message));
    }
    let username = if taken(&wanted) {
        (2..).map(|n| format!("{wanted}{n}")).find(|name| !taken(name)).unwrap_or_default()
    } else {
        wanted
    };
    let id = state.user_id();
    let address = |email: bool| {
        let mut address = json!({
            "first_name": "", "last_name": "", "company": "", "address_1": "", "address_2": "", "city": "",
            "postcode": "", "country": "", "state": "", "phone": "",
        });
        if email {
            address["email"] = "".into();
        }
        address
    };
    let body = json!({
        "email": "", "first_name": "", "last_name": "", "role": "customer", "username": username,
        "billing": address(true), "shipping": address(false), "meta_data": [],
    });
    let Value::Object(body) = body else {
        return Err(ApiError::no_route());
    };
    let mut item = state.item(id, 0, body);
    apply(state, &mut item, sent);
    state.customers.insert(id, item);
    Ok(id)
}

fn check_email(state: &State, email: &str, id: u64) -> Result<(), ApiError> {
    let taken = |c: &&Item| c.id != id && c.text("email").eq_ignore_ascii_case(email);
    if state.customers.values().find(taken).is_some() {
        let message = "An account is already registered with your email address. Please log in.";
        return Err(ApiError::new(400, "registration-error-email-exists", message));
    }
    Ok(())
}

pub(crate) fn update(state: &mut State, call: &Call, id: u64) -> Answer {
    let mut item = find(state, id)?.clone();
    let sent = call.body(state, BODY)?;
    if let Some(email) = paging::text(&sent, "email") {
        let other = state.customers.values().any(|c| c.id != id && c.text("email").eq_ignore_ascii_case(email));
        if other {
            return Err(ApiError::new(400, "woocommerce_rest_customer_invalid_email", "Email address is invalid."));
        }
    }
    if paging::text(&sent, "username").is_some_and(|name| name != item.text("username")) {
        return Err(ApiError::new(400, "woocommerce_rest_customer_invalid_argument", "Username isn't editable."));
    }
    let before = item.body.clone();
    apply(state, &mut item, &sent);
    let changed = item.body != before;
    if changed {
        item.modified = state.now();
    }
    state.customers.insert(id, item);
    state.wrote("customer", id, Operation::Update, changed, &sent);
    get(state, id)
}

fn apply(state: &mut State, item: &mut Item, sent: &Body) {
    for name in ["email", "first_name", "last_name"] {
        if let Some(value) = sent.get(name) {
            item.body.insert(name.to_owned(), value.clone());
        }
    }
    for name in ["billing", "shipping"] {
        if let (Some(Value::Object(given)), Some(Value::Object(stored))) = (sent.get(name), item.body.get_mut(name)) {
            stored.extend(given.clone());
        }
    }
    if let Some(given) = sent.get("meta_data") {
        meta::apply(state, &mut item.body, given);
    }
}

/// Accounts know no trash: without `force` the answer is 501.
pub(crate) fn delete(state: &mut State, call: &Call, id: u64) -> Answer {
    let before = render(state, find(state, id)?);
    let args = call.query(&[("force", Kind::Bool), ("reassign", Kind::Int)])?;
    if args.get("force").or_else(|| call.body.get("force")) != Some(&Value::Bool(true)) {
        return Err(ApiError::new(501, "woocommerce_rest_trash_not_supported", "Customers do not support trashing."));
    }
    state.customers.remove(&id);
    for order in state.orders.values_mut().filter(|order| order.int("customer_id") == id as i64) {
        order.body.insert("customer_id".to_owned(), 0.into());
    }
    state.wrote("customer", id, Operation::Delete, true, &Body::new());
    Ok(Reply::ok(before))
}
