//! The lines of an order: goods, shipping, fees, coupons.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    article,
    error::ApiError,
    meta, money,
    schema::Kind,
    state::{Body, State},
    totals,
};

pub(crate) const LINE_ITEMS: Kind = Kind::List(&Kind::Object(&[
    ("id", Kind::Int),
    ("name", Kind::Any),
    ("parent_name", Kind::Text),
    ("product_id", Kind::Any),
    ("variation_id", Kind::Int),
    ("quantity", Kind::Int),
    ("tax_class", Kind::Text),
    ("subtotal", Kind::Text),
    ("total", Kind::Text),
    ("meta_data", meta::META),
    // Not in the vendor's list, and yet read by the route: the product may be named by its SKU.
    ("sku", Kind::Any),
    ("subtotal_tax", Kind::ReadOnly),
    ("total_tax", Kind::ReadOnly),
    ("taxes", Kind::ReadOnly),
    ("price", Kind::ReadOnly),
    ("image", Kind::ReadOnly),
]));

pub(crate) const SHIPPING_LINES: Kind = Kind::List(&Kind::Object(&[
    ("id", Kind::Int),
    ("method_title", Kind::Any),
    ("method_id", Kind::Any),
    ("instance_id", Kind::Text),
    ("total", Kind::Text),
    ("meta_data", meta::META),
    ("total_tax", Kind::ReadOnly),
    ("taxes", Kind::ReadOnly),
]));

pub(crate) const FEE_LINES: Kind = Kind::List(&Kind::Object(&[
    ("id", Kind::Int),
    ("name", Kind::Any),
    ("tax_class", Kind::Text),
    ("tax_status", Kind::OneOf(&["taxable", "none"])),
    ("total", Kind::Text),
    ("meta_data", meta::META),
    ("total_tax", Kind::ReadOnly),
    ("taxes", Kind::ReadOnly),
]));

pub(crate) const COUPON_LINES: Kind = Kind::List(&Kind::Object(&[
    ("id", Kind::Int),
    ("code", Kind::Any),
    ("meta_data", meta::META),
    ("discount", Kind::ReadOnly),
    ("discount_tax", Kind::ReadOnly),
]));

/// What names a line of each kind; null there removes the line.
const KINDS: &[(&str, &[&str])] = &[
    ("line_items", &["product_id", "name"]),
    ("shipping_lines", &["method_id", "method_title"]),
    ("fee_lines", &["name"]),
    ("coupon_lines", &["code"]),
];

/// Adds, changes and removes lines as sent.
pub(crate) fn apply(state: &mut State, order: &mut Body, sent: &Body) -> Result<(), ApiError> {
    for (list, names) in KINDS {
        let Some(given) = sent.get(*list) else {
            continue;
        };
        let mut rows = totals::rows(order, list);
        for row in given.as_array().into_iter().flatten() {
            let id = row["id"].as_u64().filter(|id| *id > 0);
            let removes = names.iter().any(|name| row.get(*name).is_some_and(Value::is_null))
                || *list == "line_items" && id.is_some() && row["quantity"] == 0;
            match id {
                Some(id) => {
                    let at = rows.iter().position(|r| r["id"] == id).ok_or_else(|| {
                        ApiError::new(
                            400,
                            "woocommerce_rest_invalid_item_id",
                            "Order item ID provided is not associated with order.",
                        )
                    })?;
                    if removes {
                        rows.remove(at);
                    } else {
                        let mut line = rows[at].clone();
                        fill(state, list, &mut line, row, false)?;
                        rows[at] = line;
                    }
                }
                None if removes => {}
                None => {
                    let mut line = blank(state, list);
                    fill(state, list, &mut line, row, true)?;
                    rows.push(line);
                }
            }
        }
        order.insert((*list).to_owned(), rows.into());
    }
    if sent.contains_key("coupon_lines") {
        totals::apply_coupons(state, order);
    }
    Ok(())
}

fn blank(state: &mut State, list: &str) -> Value {
    let id = state.line_id();
    match list {
        "line_items" => json!({
            "id": id, "name": "", "product_id": 0, "variation_id": 0, "quantity": 1, "tax_class": "",
            "subtotal": "0", "subtotal_tax": "0", "total": "0", "total_tax": "0", "taxes": [], "meta_data": [],
            "sku": "", "price": 0, "image": {"id": "", "src": ""}, "parent_name": null,
        }),
        "shipping_lines" => json!({
            "id": id, "method_title": "", "method_id": "", "instance_id": "", "total": "0", "total_tax": "0",
            "taxes": [], "tax_status": "taxable", "meta_data": [],
        }),
        "fee_lines" => json!({
            "id": id, "name": "", "tax_class": "", "tax_status": "taxable", "amount": "", "total": "0",
            "total_tax": "0", "taxes": [], "meta_data": [],
        }),
        _ => {
            json!({"id": id, "code": "", "discount": "0.00", "discount_tax": "0.00", "meta_data": []})
        }
    }
}

fn fill(state: &mut State, list: &str, line: &mut Value, row: &Value, new: bool) -> Result<(), ApiError> {
    match list {
        "line_items" => goods(state, line, row, new)?,
        "coupon_lines" => {
            let code = row["code"].as_str().unwrap_or_default().to_lowercase();
            let known = state.coupons.values().any(|c| c.text("code") == code && c.text("status") == "publish");
            if !known {
                let message = format!("Coupon \"{code}\" does not exist!");
                return Err(ApiError::new(400, "woocommerce_rest_invalid_coupon", message));
            }
            line["code"] = code.into();
        }
        "shipping_lines" if new && row["method_id"].as_str().unwrap_or_default().is_empty() => {
            return Err(ApiError::new(
                400,
                "woocommerce_rest_invalid_shipping_item",
                "Shipping method ID is required.",
            ));
        }
        "fee_lines" if new && row["name"].as_str().unwrap_or_default().is_empty() => {
            return Err(ApiError::new(400, "woocommerce_rest_invalid_fee_item", "Fee name is required."));
        }
        _ => {}
    }
    for name in ["name", "method_title", "method_id", "instance_id", "tax_class", "tax_status"] {
        if line.get(name).is_some() && row[name].is_string() {
            line[name] = row[name].clone();
        }
    }
    for name in ["subtotal", "total"] {
        if line.get(name).is_some()
            && let Some(text) = row[name].as_str()
        {
            line[name] = money::read(text).unwrap_or_default().to_string().into();
        }
    }
    if list == "line_items" && new && row["total"].is_string() && !row["subtotal"].is_string() {
        line["subtotal"] = line["total"].clone();
    }
    if let (Some(given), Some(body)) = (row.get("meta_data"), line.as_object_mut()) {
        meta::apply(state, body, given);
    }
    Ok(())
}

/// A line of goods takes name, class and price from the article unless the request names its own.
fn goods(state: &mut State, line: &mut Value, row: &Value, new: bool) -> Result<(), ApiError> {
    let number = |name: &str| {
        row[name].as_u64().or_else(|| row[name].as_str().and_then(|text| text.parse().ok())).filter(|id| *id > 0)
    };
    let by_sku = || row["sku"].as_str().and_then(|sku| state.skus.get(sku).copied());
    let id = number("variation_id").or_else(|| number("product_id")).or_else(by_sku);
    if new && id.is_none() {
        return Err(ApiError::new(
            400,
            "woocommerce_rest_required_product_reference",
            "Product ID or SKU is required.",
        ));
    }
    let old_quantity = line["quantity"].as_i64().unwrap_or(1);
    let quantity = row["quantity"].as_i64().unwrap_or(old_quantity);
    line["quantity"] = quantity.into();
    if let Some(id) = id {
        let Some(item) = state.article(id) else {
            return Err(ApiError::new(400, "woocommerce_rest_invalid_product_id", "Invalid product ID."));
        };
        let parent = state.products.get(&item.parent);
        line["product_id"] = if item.parent > 0 { item.parent } else { item.id }.into();
        line["variation_id"] = if item.parent > 0 { item.id } else { 0 }.into();
        line["sku"] = item.text("sku").into();
        let name = match parent {
            Some(parent) => format!("{} - {}", parent.text("name"), item.text("name")),
            None => item.text("name").to_owned(),
        };
        line["name"] = name.into();
        line["parent_name"] = parent.map(|parent| parent.text("name")).into();
        let class = match item.text("tax_class") {
            "parent" => parent.map(|p| p.text("tax_class")).unwrap_or_default(),
            class => class,
        };
        line["tax_class"] = class.into();
        let picture = item
            .body
            .get("image")
            .filter(|image| !image.is_null())
            .or_else(|| item.body.get("images").and_then(|images| images.get(0)))
            .or_else(|| parent.and_then(|p| p.body["images"].get(0)));
        if let Some(picture) = picture {
            line["image"] = json!({"id": picture["id"], "src": picture["src"]});
        }
        for attribute in item.body["attributes"].as_array().into_iter().flatten().filter(|_| new && item.parent > 0) {
            let (slug, option) = (attribute["slug"].clone(), attribute["option"].clone());
            let row = json!({"id": 0, "key": slug, "value": option, "display_key": attribute["name"], "display_value": option});
            if let Some(rows) = line["meta_data"].as_array_mut() {
                rows.push(row);
            }
        }
        let price = money::read(&article::price(state, item)).unwrap_or_default();
        let taxable = item.text("tax_status") == "taxable";
        let net = totals::net(state, price * Decimal::from(quantity), class, taxable);
        line["subtotal"] = net.to_string().into();
        line["total"] = net.to_string().into();
        if !taxable {
            line["tax_status"] = "none".into();
        }
    } else if quantity != old_quantity && old_quantity != 0 {
        for name in ["subtotal", "total"] {
            let before = line[name].as_str().and_then(money::read).unwrap_or_default();
            let after = money::round(before * Decimal::from(quantity) / Decimal::from(old_quantity), 6);
            line[name] = after.to_string().into();
        }
    }
    for meta in line["meta_data"].as_array_mut().into_iter().flatten().filter(|meta| meta["id"] == 0) {
        meta["id"] = state.meta_id().into();
    }
    Ok(())
}

/// Brings the amounts of a line to the form they are sent in.
pub(crate) fn format(row: &mut Value, places: u32) {
    if row["quantity"].is_number() {
        let quantity = Decimal::from(row["quantity"].as_i64().unwrap_or(1).max(1));
        let total = row["total"].as_str().and_then(money::read).unwrap_or_default();
        let price = money::round(total / quantity, 6).normalize().to_string();
        row["price"] = serde_json::from_str(&price).unwrap_or_default();
        if let Some(members) = row.as_object_mut() {
            members.remove("tax_status");
        }
    }
    for name in ["subtotal", "subtotal_tax", "total", "total_tax", "tax_total", "shipping_tax_total"] {
        if let Some(amount) = row[name].as_str().and_then(money::read) {
            row[name] = money::format(amount, places).into();
        }
    }
    for tax in row.get_mut("taxes").and_then(Value::as_array_mut).into_iter().flatten() {
        for name in ["total", "subtotal"] {
            if let Some(amount) = tax[name].as_str().and_then(money::read) {
                tax[name] = money::format(amount, places.max(2)).into();
            }
        }
    }
}
