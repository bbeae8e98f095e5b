//! Conversions between the shop's JSON and the contract.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tradepost_sdk::catalog::{Form, Price, PriceKind, Product, ProductBase, StockLevel, Texts, Variant};
use tradepost_sdk::head::{Head, Op};
use tradepost_sdk::sales::{Address, CustomerBase, Delivery, Line, LineKind, Order, OrderState, PaymentState};
use tradepost_sdk::types::{Error, Field, Link, RemoteRef, TaxBasis};
use tradepost_sdk::{decimal, platform};

use crate::describe::MAIN;
use crate::flaw::breaks;
use crate::pull::reference;

fn word(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value, name: &str) -> Result<Decimal, Error> {
    decimal(value[name].as_str().unwrap_or_default())
}

/// Stock and price belong to the variant, which lies below its product and has its id.
pub(crate) fn remote(list: &str, id: String) -> RemoteRef {
    let parent = matches!(list, "stock" | "prices").then(|| id.clone());
    RemoteRef { parent, ..reference(id) }
}

fn head(list: &str, value: &Value) -> Head {
    let changed = if list == "stock" { "stock_changed" } else { "changed" };
    Head {
        op: Op::Read,
        item: String::new(),
        marker: value["marker"].as_str().map(str::to_owned),
        remote: Some(RemoteRef {
            version: Some(value["version"].to_string()),
            ..remote(list, value["id"].to_string())
        }),
        parts: Vec::new(),
        updated: value[changed].as_str().map(str::to_owned),
    }
}

/// A product as the shop has it.
pub(crate) fn product(value: &Value) -> Result<Product, Error> {
    let mut name = word(value, "name");
    let mut html = word(value, "html");
    if breaks("unicode-texts") {
        name.retain(|c| c <= '\u{ffff}');
    }
    if breaks("right-to-left-texts") {
        name.retain(|c| !matches!(c, '\u{200e}' | '\u{200f}'));
    }
    if breaks("html-texts") {
        html = html.replace("&lt;", "<");
    }
    if breaks("long-texts") {
        html = html.chars().take(32_000).collect();
    }
    let weight = value["weight"].as_str().map(decimal).transpose()?;
    let maker = value["maker"].as_str().filter(|_| !breaks("golden-records"));
    let extra = if breaks("pulling-twice-yields-the-same") {
        vec![Field { name: "read".into(), value: platform::now() }]
    } else {
        Vec::new()
    };
    Ok(Product {
        head: head("products", value),
        base: Some(ProductBase {
            number: Some(word(value, "number")),
            form: Form::Goods,
            active: value["active"] == true,
            manufacturer: maker.map(str::to_owned),
            unit: None,
        }),
        texts: vec![Texts {
            language: "en".into(),
            name,
            short_html: None,
            long_html: Some(html),
            slug: None,
            meta_title: None,
            meta_description: None,
            keywords: Vec::new(),
        }],
        pictures: None,
        categories: None,
        attributes: None,
        variants: Some(vec![Variant {
            remote: Some(remote("stock", value["id"].to_string())),
            sku: word(value, "sku"),
            gtin: None,
            mpn: None,
            active: value["active"] == true,
            tax_class: None,
            tax_percent: None,
            choices: Vec::new(),
            weight_kg: weight.map(|weight| weight.to_string()),
            pictures: None,
            extra: Vec::new(),
        }]),
        extra,
    })
}

/// What the shop is to have; members that are absent stay.
pub(crate) fn to_product(product: &Product) -> Value {
    let mut body = json!({});
    if let Some(base) = &product.base {
        body["number"] = json!(base.number);
        body["active"] = json!(base.active);
        let forgets = product.head.op == Op::Update && breaks("golden-records:manufacturer");
        if base.manufacturer.is_some() && !forgets {
            body["maker"] = json!(base.manufacturer);
        }
    }
    if let Some(texts) = product.texts.iter().find(|texts| texts.language == "en").or(product.texts.first()) {
        body["name"] = json!(texts.name);
        body["html"] = json!(texts.long_html);
    }
    if let Some(variant) = product.variants.iter().flatten().next() {
        body["sku"] = json!(variant.sku);
        if product.head.op != Op::Create || !breaks("golden-records:weight") {
            body["weight"] = json!(variant.weight_kg);
        }
    }
    body
}

fn variant(value: &Value) -> Link {
    Link { id: Some(value["id"].to_string()), key: word(value, "sku") }
}

/// Stock as the shop has it.
pub(crate) fn stock(value: &Value) -> Result<StockLevel, Error> {
    Ok(StockLevel {
        head: head("stock", value),
        variant: variant(value),
        warehouse: MAIN.into(),
        quantity: number(value, "quantity")?.to_string(),
        unlimited: false,
        taken: None,
    })
}

/// The price as the shop has it.
pub(crate) fn price(value: &Value) -> Result<Price, Error> {
    let mut amount = Some(number(value, "price")?);
    if breaks("zero-amounts") {
        amount = amount.filter(|amount| !amount.is_zero());
    }
    if breaks("decimal-places") {
        amount = amount.map(|amount| amount.round_dp(4));
    }
    if breaks("huge-amounts") {
        // What a float makes of it.
        amount =
            amount.map(|amount| if amount > Decimal::from(1_000_000_000_000_u64) { amount.round() } else { amount });
    }
    Ok(Price {
        head: head("prices", value),
        variant: variant(value),
        channel: MAIN.into(),
        kind: PriceKind::Base,
        currency: word(value, "currency"),
        basis: TaxBasis::Gross,
        amount: amount.map(|amount| amount.to_string()),
        from_quantity: "1".into(),
        valid_from: None,
        valid_to: None,
    })
}

/// Minor units as the amount they are in this currency.
fn amount(units: &Value, currency: &str) -> String {
    let decimals = match currency {
        _ if breaks("currencies-without-decimals") => 2,
        "JPY" => 0,
        "KWD" => 3,
        _ => 2,
    };
    Decimal::new(units.as_i64().unwrap_or_default(), decimals).to_string()
}

/// An order as the shop has it; the buyer's language is the shop's.
pub(crate) fn order(value: &Value, language: &Option<String>) -> Result<Order, Error> {
    let currency = word(value, "currency");
    let placed = word(value, "placed");
    let placed = if breaks("time-zones") && !placed.ends_with('Z') {
        format!("{}Z", &placed[..placed.len().min(19)])
    } else {
        placed
    };
    let placed: Timestamp = placed.parse().map_err(|error| Error::Bug(format!("`{placed}` is no time: {error}")))?;
    let mut lines = Vec::new();
    for line in value["lines"].as_array().into_iter().flatten() {
        let pieces = number(line, "quantity")?;
        let mut total = line["total"].clone();
        if breaks("order-totals-add-up") {
            total = json!(line["unit"].as_i64().unwrap_or_default() * i64::try_from(pieces).unwrap_or(1));
        }
        lines.push(Line {
            id: word(line, "id"),
            kind: LineKind::Product,
            variant: Some(Link { id: None, key: word(line, "sku") }),
            name: word(line, "name"),
            quantity: pieces.to_string(),
            unit_price: amount(&line["unit"], &currency),
            total: amount(&total, &currency),
            tax_percent: Some(word(line, "percent")),
            tax: None,
            tax_code: None,
            extra: Vec::new(),
        });
    }
    if value["shipping"] != 0 {
        let total = amount(&value["shipping"], &currency);
        lines.push(Line {
            id: "shipping".into(),
            kind: LineKind::Shipping,
            variant: None,
            name: "Shipping".into(),
            quantity: "1".into(),
            unit_price: total.clone(),
            total,
            tax_percent: Some(word(value, "shipping_percent")),
            tax: None,
            tax_code: None,
            extra: Vec::new(),
        });
    }
    let wanted_on = value["wanted_on"]
        .as_str()
        .map(|day| if breaks("leap-days") { day.replace("02-29", "02-28") } else { day.to_owned() });
    let email = word(value, "email");
    Ok(Order {
        head: head("orders", value),
        number: word(value, "number"),
        other_number: None,
        channel: MAIN.into(),
        placed: placed.to_string(),
        state: if value["state"] == "shipped" { OrderState::Shipped } else { OrderState::Open },
        payment_state: if value["paid"] == true { PaymentState::Paid } else { PaymentState::Unpaid },
        basis: TaxBasis::Gross,
        customer: Link { id: None, key: email.clone() },
        buyer: CustomerBase {
            number: None,
            email: Some(email),
            phone: None,
            company: None,
            first_name: None,
            last_name: Some(word(value, "name")),
            vat_id: None,
            language: language.clone(),
            group: None,
            guest: true,
            active: true,
        },
        billing: Address {
            key: String::new(),
            company: None,
            first_name: None,
            last_name: Some(word(value, "name")),
            lines: vec![word(value, "street")],
            postcode: word(value, "postcode"),
            city: word(value, "city"),
            region: None,
            country: word(value, "country"),
            phone: None,
        },
        shipping: None,
        lines,
        taxes: Vec::new(),
        payments: Vec::new(),
        delivery: wanted_on.map(|day| Delivery {
            method: "standard".into(),
            label: None,
            wanted_on: Some(day),
            pickup_point: None,
        }),
        total: amount(&value["total"], &currency),
        currency,
        note: None,
        extra: Vec::new(),
    })
}
