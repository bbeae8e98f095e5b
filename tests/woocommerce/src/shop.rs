//! What describes the shop itself: taxes, gateways, shipping, currency, settings, status.

use serde_json::{Value, json};

use crate::{
    call::{Answer, Call, Reply},
    error::ApiError,
    paging,
    schema::{Arg, Kind},
    state::{Body, Item, State},
};

const TAX_QUERY: &[Arg] = &[
    ("orderby", Kind::OneOf(&["id", "order", "priority"])),
    ("class", Kind::OneOf(&["standard", "reduced-rate", "zero-rate"])),
];

/// Number, name, country, percent and class of the rates a new shop has.
const RATES: &[(u64, &str, &str, &str, &str)] = &[
    (1, "MwSt.", "DE", "19.0000", "standard"),
    (2, "MwSt.", "DE", "7.0000", "reduced-rate"),
    (3, "MwSt.", "DE", "0.0000", "zero-rate"),
    (4, "USt.", "AT", "20.0000", "standard"),
    (5, "USt.", "AT", "10.0000", "reduced-rate"),
];

/// Identifier, title and whether refunds go through the gateway itself.
const GATEWAYS: &[(&str, &str, bool)] = &[
    ("bacs", "Überweisung (Vorkasse)", false),
    ("cheque", "Rechnung", false),
    ("cod", "Nachnahme", false),
    ("card", "Kreditkarte", true),
];

pub(crate) fn refunds_by_itself(gateway: &str) -> bool {
    GATEWAYS.iter().any(|(id, _, refunds)| *id == gateway && *refunds)
}

pub(crate) fn gateway_title(gateway: &str) -> Option<&'static str> {
    GATEWAYS.iter().find(|(id, ..)| *id == gateway).map(|(_, title, _)| *title)
}

/// The tax rates every shop of the simulator begins with.
pub(crate) fn install(state: &mut State) {
    for (id, name, country, rate, class) in RATES {
        let body = json!({
            "country": country, "state": "", "postcode": "", "city": "", "postcodes": [], "cities": [],
            "rate": rate, "name": name, "priority": 1, "compound": false, "shipping": true, "order": 0,
            "class": class,
        });
        if let Value::Object(body) = body {
            let item = state.item(*id, 0, body);
            state.taxes.insert(*id, item);
        }
    }
    let body = json!({
        "name": "Uncategorized", "slug": "uncategorized", "parent": 0, "description": "", "display": "default",
        "image": null, "menu_order": 0,
    });
    if let Value::Object(body) = body {
        let id = state.term_id();
        let item = state.item(id, 0, body);
        state.categories.insert(id, item);
    }
    for (code, kind, amount) in [("willkommen10", "percent", "10.00"), ("fuenfer", "fixed_cart", "5.00")] {
        let id = state.post_id();
        let body =
            json!({"code": code, "discount_type": kind, "amount": amount, "status": "publish", "description": ""});
        if let Value::Object(body) = body {
            let item = state.item(id, 0, body);
            state.coupons.insert(id, item);
        }
    }
}

fn with_id(item: &Item) -> Value {
    let mut body = item.body.clone();
    body.insert("id".to_owned(), item.id.into());
    body.into()
}

/// The read-only corners of the interface; `None` where this module does not know the path.
pub(crate) fn get(state: &State, call: &Call, parts: &[&str]) -> Option<Answer> {
    let rows = |rows: Vec<Value>| Ok(Reply::ok(rows));
    Some(match parts {
        ["taxes"] => taxes(state, call),
        ["taxes", "classes"] => {
            rows(state.tax_classes.iter().map(|(slug, name)| json!({"slug": slug, "name": name})).collect())
        }
        ["taxes", id] => match id.parse().ok().and_then(|id: u64| state.taxes.get(&id)) {
            Some(item) => Ok(Reply::ok(with_id(item))),
            None => Err(ApiError::new(404, "woocommerce_rest_invalid_id", "Invalid resource ID.")),
        },
        ["coupons"] => coupons(state, call),
        ["payment_gateways"] => rows(GATEWAYS.iter().enumerate().map(gateway).collect()),
        ["payment_gateways", id] => match GATEWAYS.iter().enumerate().find(|(_, g)| g.0 == *id) {
            Some(found) => Ok(Reply::ok(gateway(found))),
            None => Err(ApiError::new(404, "woocommerce_rest_payment_gateway_invalid", "Resource does not exist.")),
        },
        ["shipping_methods"] => rows(
            [("flat_rate", "Flat rate"), ("free_shipping", "Free shipping"), ("local_pickup", "Local pickup")]
                .map(|(id, title)| json!({"id": id, "title": title, "description": ""}))
                .to_vec(),
        ),
        ["shipping", "zones"] => rows(vec![
            json!({"id": 0, "name": "Locations not covered by your other zones", "order": 0}),
            json!({"id": 1, "name": "Deutschland", "order": 0}),
            json!({"id": 2, "name": "Österreich", "order": 1}),
        ]),
        ["shipping", "zones", zone @ ("0" | "1" | "2"), "locations"] => rows(match *zone {
            "1" => vec![json!({"code": "DE", "type": "country"})],
            "2" => vec![json!({"code": "AT", "type": "country"})],
            _ => Vec::new(),
        }),
        ["shipping", "zones", zone @ ("0" | "1" | "2"), "methods"] => rows(match *zone {
            "1" => vec![
                method(1, "flat_rate", "Standardversand", "4.12"),
                method(2, "free_shipping", "Kostenloser Versand", ""),
                method(3, "local_pickup", "Abholung", "0"),
            ],
            "2" => vec![method(4, "flat_rate", "Versand Österreich", "8.32")],
            _ => Vec::new(),
        }),
        ["data", "currencies", "current"] => {
            let euro = state.shop.currency == "EUR";
            Ok(Reply::ok(json!({
                "code": state.shop.currency, "name": if euro { "Euro" } else { &state.shop.currency },
                "symbol": if euro { "&euro;" } else { "" },
            })))
        }
        ["system_status"] => Ok(Reply::ok(system_status(state))),
        ["settings"] => rows(
            ["general", "products", "tax", "shipping"]
                .map(|id| json!({"id": id, "label": id, "description": "", "parent_id": "", "sub_groups": []}))
                .to_vec(),
        ),
        ["settings", group @ ("general" | "products" | "tax")] => rows(settings(state, group)),
        ["settings", group, id] => match settings(state, group).into_iter().find(|row| row["id"] == *id) {
            Some(row) => Ok(Reply::ok(row)),
            None => Err(ApiError::new(404, "rest_setting_setting_invalid", "Invalid setting.")),
        },
        _ => return None,
    })
}

fn taxes(state: &State, call: &Call) -> Answer {
    let args = paging::args(call, &[paging::COMMON, TAX_QUERY])?;
    let mut items: Vec<&Item> = state
        .taxes
        .values()
        .filter(|tax| paging::text(&args, "class").is_none_or(|class| tax.text("class") == class))
        .collect();
    let orderby = paging::text(&args, "orderby").unwrap_or("order").to_owned();
    paging::sort(&mut items, &args, &orderby, "asc", |a, b| a.int(&orderby).cmp(&b.int(&orderby)));
    Ok(paging::page(call, &args, &items, with_id))
}

fn coupons(state: &State, call: &Call) -> Answer {
    let args = paging::args(call, &[paging::COMMON, paging::POSTS, &[("orderby", Kind::Text), ("code", Kind::Text)]])?;
    let orderby = paging::check_orderby(state, &args, &["date", "id", "include", "title", "slug"])?;
    let filter = paging::Filter::read(state, &args);
    let mut items: Vec<&Item> = state
        .coupons
        .values()
        .filter(|c| filter.admits(c, 0) && paging::text(&args, "code").is_none_or(|code| c.text("code") == code))
        .collect();
    paging::sort(&mut items, &args, &orderby, "desc", |_, _| std::cmp::Ordering::Equal);
    Ok(paging::page(call, &args, &items, |item| {
        let mut body: Body = item.body.clone();
        body.insert("id".to_owned(), item.id.into());
        state.clock.write(&mut body, "date_created", Some(item.created));
        state.clock.write(&mut body, "date_modified", Some(item.modified));
        body.into()
    }))
}

fn gateway((order, (id, title, refunds)): (usize, &(&str, &str, bool))) -> Value {
    json!({
        "id": id, "title": title, "description": "", "order": order, "enabled": true, "method_title": title,
        "method_description": "", "method_supports": if *refunds { json!(["products", "refunds"]) } else { json!(["products"]) },
        "settings": {},
    })
}

fn method(instance: u64, id: &str, title: &str, cost: &str) -> Value {
    json!({
        "id": instance, "instance_id": instance, "title": title, "order": instance, "enabled": true,
        "method_id": id, "method_title": title, "method_description": "",
        "settings": {"cost": {"id": "cost", "label": "Cost", "type": "text", "value": cost, "default": ""}},
    })
}

fn zone_name(state: &State) -> String {
    state.clock.zone.iana_name().unwrap_or("UTC").to_owned()
}

fn system_status(state: &State) -> Value {
    json!({
        "environment": {
            "home_url": state.shop.url, "site_url": state.shop.url, "version": "9.4.0", "wp_version": "6.7",
            "default_timezone": "UTC", "timezone": zone_name(state), "language": "de_DE",
        },
        "settings": {
            "api_enabled": true, "force_ssl": false, "currency": state.shop.currency,
            "currency_symbol": if state.shop.currency == "EUR" { "&euro;" } else { "" },
            "currency_position": "right_space", "thousand_separator": ".", "decimal_separator": ",",
            "number_of_decimals": 2, "geolocation_enabled": false,
            "taxonomies": {"simple": "simple", "variable": "variable"},
        },
        "active_plugins": [], "theme": {"name": "Storefront"}, "pages": [], "post_type_counts": [
            {"type": "product", "count": state.products.len().to_string()},
            {"type": "shop_order", "count": state.orders.len().to_string()},
        ],
    })
}

fn settings(state: &State, group: &str) -> Vec<Value> {
    let yes_no = |flag: bool| if flag { "yes" } else { "no" };
    let values: Vec<(&str, &str, String)> = match group {
        "general" => vec![
            ("woocommerce_default_country", "select", state.shop.country.clone()),
            ("woocommerce_currency", "select", state.shop.currency.clone()),
            ("woocommerce_calc_taxes", "checkbox", "yes".to_owned()),
            ("woocommerce_price_num_decimals", "number", "2".to_owned()),
            ("woocommerce_price_decimal_sep", "text", ",".to_owned()),
            ("woocommerce_price_thousand_sep", "text", ".".to_owned()),
        ],
        "tax" => vec![
            ("woocommerce_prices_include_tax", "radio", yes_no(state.shop.prices_include_tax).to_owned()),
            ("woocommerce_tax_based_on", "select", "shipping".to_owned()),
            ("woocommerce_tax_round_at_subtotal", "checkbox", "no".to_owned()),
        ],
        "products" => vec![
            ("woocommerce_weight_unit", "select", "kg".to_owned()),
            ("woocommerce_dimension_unit", "select", "cm".to_owned()),
            ("woocommerce_manage_stock", "checkbox", "yes".to_owned()),
        ],
        _ => Vec::new(),
    };
    let row = |(id, kind, value)| json!({"id": id, "label": id, "description": "", "type": kind, "default": "", "value": value, "group_id": group});
    values.into_iter().map(row).collect()
}
