//! Records that a suite compares with: made here as the shop keeps them, and said as a connector must hand them over.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::control::order;
use crate::shop::{Shop, blank};

/// Names of the suite's rules that there are records for.
pub(crate) const CASES: &[&str] = &[
    "golden-records",
    "unicode-texts",
    "right-to-left-texts",
    "html-texts",
    "long-texts",
    "zero-amounts",
    "huge-amounts",
    "decimal-places",
    "currencies-without-decimals",
    "leap-days",
    "time-zones",
    "order-totals-add-up",
];

/// Makes the records of a case; says what they are to look like.
pub(crate) fn install(shop: &mut Shop, case: &str) -> Option<Value> {
    let records = match case {
        "golden-records" => {
            let mut records = product(shop, json!({"name": "Plain cup", "maker": "Hafen", "weight": "0.350"}));
            records.extend(orders(shop, &[json!({})]));
            records
        }
        "unicode-texts" => texts(shop, "Tasse 😀 𝒳 für Gäste, Grüße — naïve café, 東京の茶碗, e\u{301}"),
        "right-to-left-texts" => texts(shop, "كوب شاي \u{200f}(كبير)\u{200e} עם ידית"),
        "html-texts" => {
            let html = "<p>5 &lt; 7 &amp; \"quoted\" <b>bold</b><br>&nbsp;end</p>";
            product(shop, json!({"name": "Less < more & \"quotes\"", "html": html}))
        }
        "long-texts" => {
            let html = format!("<p>{}</p>", "Ein Satz, der sich wiederholt. ".repeat(2114));
            product(shop, json!({"html": html}))
        }
        "zero-amounts" => {
            let mut records = product(shop, json!({"price": "0", "quantity": "0"}));
            let free = json!({"lines": [{"id": "l", "sku": "SKU-F", "name": "Gift", "quantity": "1", "unit": 0, "total": 0,
                "percent": "19"}], "shipping": 0, "total": 0});
            records.extend(orders(shop, &[free]));
            records
        }
        "huge-amounts" => product(shop, json!({"price": "123456789012345.67", "quantity": "987654321098"})),
        "decimal-places" => ["1", "1.5", "1.25", "1.125", "1.0625", "1.03125", "1.015625"]
            .iter()
            .flat_map(|price| product(shop, json!({"price": price, "weight": price})))
            .collect(),
        "currencies-without-decimals" => {
            let yen = json!({"currency": "JPY", "lines": [{"id": "l", "sku": "SKU-J", "name": "Cup", "quantity": "2",
                "unit": 600, "total": 1200, "percent": "10"}], "shipping": 300, "total": 1500});
            let dinar = json!({"currency": "KWD", "lines": [{"id": "l", "sku": "SKU-K", "name": "Cup", "quantity": "1",
                "unit": 1500, "total": 1500, "percent": "0"}], "shipping": 250, "total": 1750});
            orders(shop, &[yen, dinar])
        }
        "leap-days" => orders(
            shop,
            &[
                json!({"placed": "2024-02-29T12:00:00+00:00", "wanted_on": "2028-02-29"}),
                json!({"placed": "2000-02-29T00:00:00+00:00"}),
            ],
        ),
        "time-zones" => orders(
            shop,
            &[
                // Berlin just before and after summer time begins, and in the hour that comes twice.
                json!({"placed": "2026-03-29T01:59:59+01:00"}),
                json!({"placed": "2026-03-29T03:00:00+02:00"}),
                json!({"placed": "2026-10-25T02:30:00+02:00"}),
                json!({"placed": "2026-10-25T02:30:00+01:00"}),
                // Kolkata and Kathmandu know no summer time.
                json!({"placed": "2026-07-01T00:00:00+05:30"}),
                json!({"placed": "2026-01-01T00:00:00+05:45"}),
            ],
        ),
        "order-totals-add-up" => orders(
            shop,
            &[
                json!({}),
                // A third of a euro, three times.
                json!({"lines": [{"id": "l", "sku": "SKU-T", "name": "Third", "quantity": "3", "unit": 33, "total": 100,
                "percent": "19"}], "shipping": 1, "total": 101}),
            ],
        ),
        _ => return None,
    };
    Some(json!({"records": records}))
}

fn texts(shop: &mut Shop, text: &str) -> Vec<Value> {
    product(shop, json!({"name": text, "html": format!("<p>{text}</p>")}))
}

/// A product with these members, as the kinds `product`, `stock` and `price`.
fn product(shop: &mut Shop, members: Value) -> Vec<Value> {
    let id = shop.number();
    let mut object = blank(id, &shop.now().to_string());
    merge(&mut object, members);
    let mut records = vec![
        json!({"kind": "product", "id": id.to_string(), "facets": {
            "head": {"number": object["number"], "form": "goods", "active": true},
            "texts:en": {"name": object["name"], "long_html": object["html"]},
        }, "variants": [{"sku": object["sku"], "facets": {
            "head": {"sku": object["sku"], "active": true, "weight_kg": object["weight"]}}}]}),
        json!({"kind": "stock", "id": id.to_string(), "facets": {"stock:main": {"quantity": object["quantity"]}}}),
        json!({"kind": "price", "id": id.to_string(), "facets": {"price:base:main": {
            "amount": object["price"], "currency": "EUR", "basis": "gross"}}}),
    ];
    if object["maker"].is_string() {
        records[0]["facets"]["head"]["manufacturer"] = object["maker"].clone();
    }
    shop.products.insert(id, object);
    records
}

fn orders(shop: &mut Shop, all: &[Value]) -> Vec<Value> {
    let make = |members: &Value| {
        let id = shop.number();
        let mut object = order(id, shop.now());
        merge(&mut object, members.clone());
        let placed: Option<Timestamp> = object["placed"].as_str().and_then(|text| text.parse().ok());
        let decimals = match object["currency"].as_str() {
            Some("JPY") => 0,
            Some("KWD") => 3,
            _ => 2,
        };
        let lines: Vec<Value> = object["lines"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|line| {
                json!({
                    "kind": "product", "name": line["name"], "quantity": line["quantity"],
                    "total": major(&line["total"], decimals), "tax_percent": line["percent"],
                })
            })
            .collect();
        let mut facet = json!({
            "number": object["number"], "currency": object["currency"], "basis": "gross",
            "total": major(&object["total"], decimals), "placed": placed.map(|at| at.to_string()),
        });
        if object["shipping"] == 0 {
            facet["lines"] = lines.into();
        }
        if object["wanted_on"].is_string() {
            facet["delivery"] = json!({"wanted_on": object["wanted_on"]});
        }
        shop.orders.insert(id, object);
        json!({"kind": "order", "id": id.to_string(), "facets": {"placed": facet, "state": "open"}})
    };
    all.iter().map(make).collect()
}

/// Minor units as the amount they are.
fn major(units: &Value, decimals: usize) -> String {
    let digits = format!("{:0>width$}", units.as_u64().unwrap_or(0), width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    if decimals == 0 { whole.to_owned() } else { format!("{whole}.{part}") }
}

fn merge(object: &mut Value, members: Value) {
    if let Value::Object(members) = members {
        for (name, value) in members {
            object[name] = value;
        }
    }
}
