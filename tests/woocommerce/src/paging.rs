//! Lists: the parameters every list has, filters by date and number, order, pages and their headers.

use std::cmp::Ordering;

use serde_json::Value;

use crate::{
    call::{Call, Reply},
    clock::Given,
    error::ApiError,
    html,
    schema::{Arg, Kind},
    state::{Body, Item, State},
};

const DIRECTIONS: Kind = Kind::OneOf(&["asc", "desc"]);
const CONTEXT: Kind = Kind::OneOf(&["view", "edit"]);

/// What every list takes.
pub(crate) const COMMON: &[Arg] = &[
    ("context", CONTEXT),
    ("page", Kind::AtLeast(1)),
    ("per_page", Kind::Range(1, 100)),
    ("offset", Kind::Int),
    ("search", Kind::Text),
    ("exclude", Kind::List(&Kind::Int)),
    ("include", Kind::List(&Kind::Int)),
    ("order", DIRECTIONS),
    ("_fields", Kind::List(&Kind::Text)),
];

/// What lists of posts (products, variations, orders, refunds) take besides.
pub(crate) const POSTS: &[Arg] = &[
    ("after", Kind::Time),
    ("before", Kind::Time),
    ("modified_after", Kind::Time),
    ("modified_before", Kind::Time),
    ("dates_are_gmt", Kind::Bool),
    ("parent", Kind::List(&Kind::Int)),
    ("parent_exclude", Kind::List(&Kind::Int)),
    ("include_meta", Kind::List(&Kind::Text)),
    ("exclude_meta", Kind::List(&Kind::Text)),
];

/// The checked query of a list.
pub(crate) fn args(call: &Call, groups: &[&[Arg]]) -> Result<Body, ApiError> {
    let all: Vec<Arg> = groups.iter().flat_map(|group| group.iter().copied()).collect();
    call.query(&all)
}

/// The values `orderby` may have; `modified` where the shop is new enough to know it.
pub(crate) fn check_orderby(state: &State, args: &Body, allowed: &[&str]) -> Result<String, ApiError> {
    let wanted = args.get("orderby").and_then(Value::as_str);
    match wanted {
        None => Ok(allowed.first().copied().unwrap_or("id").to_owned()),
        Some(word) if allowed.contains(&word) => Ok(word.to_owned()),
        Some("modified") if state.shop.order_by_modified && allowed.contains(&"date") => Ok("modified".to_owned()),
        Some(_) => {
            let reason = format!("orderby is not one of {}.", allowed.join(", "));
            Err(ApiError::invalid_param("orderby", reason))
        }
    }
}

pub(crate) fn ints(args: &Body, name: &str) -> Option<Vec<i64>> {
    let values = args.get(name)?.as_array()?;
    (!values.is_empty()).then(|| values.iter().filter_map(Value::as_i64).collect())
}

pub(crate) fn words(args: &Body, name: &str) -> Vec<String> {
    args.get(name)
        .and_then(Value::as_array)
        .map(|values| values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default()
}

pub(crate) fn text<'a>(args: &'a Body, name: &str) -> Option<&'a str> {
    args.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The filters that all lists share, read once per request.
pub(crate) struct Filter {
    include: Option<Vec<i64>>,
    exclude: Vec<i64>,
    parent: Option<Vec<i64>>,
    parent_exclude: Vec<i64>,
    gmt: bool,
    dates: [Option<jiff::civil::DateTime>; 4],
    zone: jiff::tz::TimeZone,
}

impl Filter {
    pub(crate) fn read(state: &State, args: &Body) -> Self {
        let face = |name: &str| text(args, name).and_then(Given::parse).map(|given| given.face(&state.clock.zone));
        Self {
            include: ints(args, "include"),
            exclude: ints(args, "exclude").unwrap_or_default(),
            parent: ints(args, "parent"),
            parent_exclude: ints(args, "parent_exclude").unwrap_or_default(),
            gmt: args.get("dates_are_gmt") == Some(&Value::Bool(true)),
            dates: [face("after"), face("before"), face("modified_after"), face("modified_before")],
            zone: state.clock.zone.clone(),
        }
    }

    /// Dates are compared strictly: an object of exactly the given second is in neither half.
    pub(crate) fn admits(&self, item: &Item, parent: u64) -> bool {
        let id = item.id as i64;
        let parent = parent as i64;
        if !item.listed()
            || self.include.as_ref().is_some_and(|ids| !ids.contains(&id))
            || self.exclude.contains(&id)
            || self.parent.as_ref().is_some_and(|ids| !ids.contains(&parent))
            || self.parent_exclude.contains(&parent)
        {
            return false;
        }
        if self.dates.iter().all(Option::is_none) {
            return true;
        }
        let zone = if self.gmt { jiff::tz::TimeZone::UTC } else { self.zone.clone() };
        let created = item.created.to_zoned(zone.clone()).datetime();
        let modified = item.modified.to_zoned(zone).datetime();
        let [after, before, modified_after, modified_before] = &self.dates;
        after.is_none_or(|at| created > at)
            && before.is_none_or(|at| created < at)
            && modified_after.is_none_or(|at| modified > at)
            && modified_before.is_none_or(|at| modified < at)
    }
}

/// Whether a text holds all words of a search, without regard to case.
pub(crate) fn found(haystack: &[&str], needle: &str) -> bool {
    let text = haystack.join(" ").to_lowercase();
    html::plain(needle).to_lowercase().split_whitespace().all(|word| text.contains(word))
}

/// Sorts what was found; `key` gives the order for words that are no date and no number.
pub(crate) fn sort<'a>(
    items: &mut [&'a Item],
    args: &Body,
    orderby: &str,
    default_order: &str,
    key: impl Fn(&'a Item, &'a Item) -> Ordering,
) {
    if orderby == "include" {
        if let Some(ids) = ints(args, "include") {
            items.sort_by_key(|item| ids.iter().position(|id| *id == item.id as i64));
        }
        return;
    }
    match orderby {
        "id" => items.sort_by_key(|item| item.id),
        "date" | "registered_date" => items.sort_by_key(|item| (item.created, item.id)),
        "modified" => items.sort_by_key(|item| (item.modified, item.id)),
        _ => items.sort_by(|a, b| key(a, b).then(a.id.cmp(&b.id))),
    }
    if text(args, "order").unwrap_or(default_order) == "desc" {
        items.reverse();
    }
}

/// The page asked for, written by `render`, with the headers of the whole list.
pub(crate) fn page<'a>(call: &Call, args: &Body, items: &[&'a Item], render: impl Fn(&'a Item) -> Value) -> Reply {
    let number = |name: &str| args.get(name).and_then(Value::as_u64).map(|n| n as usize);
    let per_page = number("per_page").unwrap_or(10);
    let page = number("page").unwrap_or(1);
    let start = number("offset").unwrap_or_else(|| (page - 1).saturating_mul(per_page));
    let fields = words(args, "_fields");
    let rows: Vec<Value> =
        items.iter().skip(start).take(per_page).map(|item| only_fields(render(item), &fields)).collect();
    let pages = items.len().div_ceil(per_page);
    let mut reply = Reply::ok(rows);
    reply.headers.push(("x-wp-total", items.len().to_string()));
    reply.headers.push(("x-wp-totalpages", pages.to_string()));
    let mut links = Vec::new();
    if page > 1 {
        links.push(format!("<{}>; rel=\"prev\"", address(call, (page - 1).min(pages.max(1)))));
    }
    if page < pages {
        links.push(format!("<{}>; rel=\"next\"", address(call, page + 1)));
    }
    if !links.is_empty() {
        reply.headers.push(("link", links.join(", ")));
    }
    reply
}

fn only_fields(mut row: Value, fields: &[String]) -> Value {
    if !fields.is_empty()
        && let Some(members) = row.as_object_mut()
    {
        members.retain(|name, _| fields.iter().any(|f| f.split('.').next() == Some(name)));
    }
    row
}

fn address(call: &Call, page: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.query.iter().filter(|(name, _)| *name != "page") {
        match value {
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    query.append_pair(&format!("{name}[{at}]"), item.as_str().unwrap_or_default());
                }
            }
            value => {
                query.append_pair(name, value.as_str().unwrap_or_default());
            }
        }
    }
    query.append_pair("page", &page.to_string());
    format!("{}{}?{}", call.base, call.path, query.finish())
}
