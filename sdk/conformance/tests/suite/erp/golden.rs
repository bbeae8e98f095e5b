//! Records that the suite compares with: exported here as the ERP keeps them, and said as the connector must hand them over.

use serde_json::{Value, json};

use super::{Erp, table};

/// Names of the suite's rules that there are records for.
pub(super) const CASES: &[&str] = &[
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
pub(super) fn records(erp: &mut Erp, case: &str) -> Option<Vec<Value>> {
    Some(match case {
        "golden-records" => plain(erp),
        "unicode-texts" => texts(erp, &["Tasse 😀 𝒳 für Gäste; Grüße — \"naïve\" café, 東京の茶碗, e\u{301}"], None),
        "right-to-left-texts" => texts(erp, &["كوب شاي \u{200f}(كبير)\u{200e} עם ידית"], None),
        "html-texts" => {
            let html = "<p>5 &lt; 7 &amp; \"quoted\" <b>bold</b><br>&nbsp;end;\nnext</p>";
            texts(erp, &["Less < more & \"quotes\"", "&amp; &lt;p&gt;"], Some(html))
        }
        "long-texts" => {
            let html = format!("<p>{}</p>", "Ein Satz, der sich wiederholt. ".repeat(2114));
            texts(erp, &["Long", "Long again"], Some(&html))
        }
        "zero-amounts" => {
            let mut all = prices(erp, &[("0", "EUR"), ("0.00", "EUR")]);
            all.extend(figures(erp, &["0", "0"]));
            all
        }
        "huge-amounts" => {
            let mut all = prices(erp, &[("123456789012345.67", "EUR"), ("98765432109876.54", "EUR")]);
            all.extend(figures(erp, &["987654321098"]));
            all
        }
        "decimal-places" => {
            let amounts = ["1", "1.5", "1.25", "1.125", "1.0625", "1.03125", "1.015625"];
            prices(erp, &amounts.map(|amount| (amount, "EUR")))
        }
        "currencies-without-decimals" => prices(erp, &[("1500", "JPY"), ("1.750", "KWD")]),
        "leap-days" => {
            shipments(erp, &[("2024-02-29 12:00", "2024-02-29T11:00:00Z"), ("2000-02-29", "2000-02-28T23:00:00Z")])
        }
        "time-zones" => shipments(
            erp,
            &[
                // The ERP is in Berlin: just before and after summer time begins, and in the hour that comes twice.
                ("2026-03-29 01:59:59", "2026-03-29T00:59:59Z"),
                ("2026-03-29 03:00:00", "2026-03-29T01:00:00Z"),
                ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00Z"),
                ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z"),
                // Kolkata and Kathmandu know no summer time.
                ("2026-07-01T00:00:00+05:30", "2026-06-30T18:30:00Z"),
                ("2026-01-01T00:00:00+05:45", "2025-12-31T18:15:00Z"),
            ],
        ),
        "order-totals-add-up" => orders(erp),
        _ => return None,
    })
}

/// An order as it was once written for the ERP.
pub(super) fn order(id: &str, n: u64) -> Value {
    json!({
        "id": id, "number": n.to_string(), "channel": "main", "placed": "2026-11-20T10:00:00Z", "currency": "EUR",
        "basis": "gross", "total": "24.89", "payment_state": "paid",
        "buyer": {"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace", "guest": true, "active": true},
        "billing": {"last_name": "Lovelace", "lines": ["Ringweg 1"], "postcode": "10115", "city": "Berlin", "country": "DE"},
        "lines": [
            {"id": "1", "kind": "product", "sku": "A-1", "name": "Cup", "quantity": "3", "unit_price": "3.33",
             "total": "9.99", "tax_percent": "19"},
            {"id": "2", "kind": "product", "sku": "A-2", "name": "Book", "quantity": "1", "unit_price": "10.00",
             "total": "10", "tax_percent": "7"},
            {"id": "3", "kind": "shipping", "name": "Parcel", "quantity": "1", "unit_price": "4.90", "total": "4.90",
             "tax_percent": "19"},
        ],
    })
}

fn export(erp: &mut Erp, kind: &str, rows: &[Value]) {
    erp.export(table(kind).expect("a kind of the ERP"), rows);
}

/// A product with two variants, its category, and all other kinds.
fn plain(erp: &mut Erp) -> Vec<Value> {
    let n = erp.number();
    let (product, category) = (format!("TS-{n}"), format!("SHIRTS-{n}"));
    let variant = |size: &str, weight: &str| {
        json!({
            "sku": format!("{product}-{size}"), "product": product, "name": "Plain shirt", "description": "<p>Soft.</p>",
            "active": "yes", "manufacturer": "Hafen", "weight_kg": weight, "choice:size": size,
        })
    };
    let read = |size: &str, weight: &str| {
        let sku = format!("{product}-{size}");
        json!({"sku": sku, "facets": {"head": {"sku": sku, "active": true, "weight_kg": weight}}})
    };
    let row = json!({"key": category, "active": "yes", "position": "7", "name": "Shirts"});
    export(erp, "category", &[row]);
    export(erp, "product", &[variant("S", "0.35"), variant("M", "0.4")]);
    let mut all = vec![
        json!({"kind": "category", "id": category, "facets": {"head": {"key": category, "active": true, "position": 7},
            "texts:en": {"name": "Shirts"}}}),
        json!({"kind": "product", "id": product, "facets": {
            "head": {"number": product, "form": "goods", "active": true, "manufacturer": "Hafen"},
            "texts:en": {"name": "Plain shirt", "long_html": "<p>Soft.</p>"},
        }, "variants": [read("S", "0.350"), read("M", "0.4")]}),
    ];
    all.extend(prices(erp, &[("12.50", "EUR")]));
    all.extend(figures(erp, &["7.5"]));
    let customer = erp.new_row("customer");
    export(erp, "customer", std::slice::from_ref(&customer));
    all.push(json!({"kind": "customer", "id": customer["number"], "facets": {
        "head": {"number": customer["number"], "email": customer["email"], "first_name": "Ada", "guest": false, "active": true},
        "addresses": [{"lines": ["Ringweg 1"], "postcode": "10115", "city": "Berlin", "country": "DE"}],
    }}));
    all
}

/// Products with these names. All stand in one file, so that a text with delimiters and line ends in it has neighbours.
fn texts(erp: &mut Erp, names: &[&str], html: Option<&str>) -> Vec<Value> {
    let mut all = Vec::new();
    // As CSV and as JSON.
    for _ in 0..2 {
        let mut rows = Vec::new();
        for name in names {
            let mut row = erp.new_row("product");
            row["name"] = json!(name);
            row["description"] = html.map_or_else(|| json!(format!("<p>{name}</p>")), |html| json!(html));
            all.push(json!({"kind": "product", "id": row["sku"], "facets": {
                "texts:en": {"name": name, "long_html": row["description"]}}}));
            rows.push(row);
        }
        export(erp, "product", &rows);
    }
    all
}

fn prices(erp: &mut Erp, amounts: &[(&str, &str)]) -> Vec<Value> {
    let mut rows = Vec::new();
    for (amount, currency) in amounts {
        let mut row = erp.new_row("price");
        (row["amount"], row["currency"]) = (json!(amount), json!(currency));
        rows.push(row);
    }
    export(erp, "price", &rows);
    let read = |row: &Value| {
        json!({"kind": "price", "id": row["sku"], "facets": {"price:base:main": {
            "amount": row["amount"], "currency": row["currency"], "basis": "net"}}})
    };
    rows.iter().map(read).collect()
}

fn figures(erp: &mut Erp, quantities: &[&str]) -> Vec<Value> {
    let mut rows = Vec::new();
    for quantity in quantities {
        let mut row = erp.new_row("stock");
        row["quantity"] = json!(quantity);
        rows.push(row);
    }
    export(erp, "stock", &rows);
    let read = |row: &Value| json!({"kind": "stock", "id": row["sku"], "facets": {"stock:main": {"quantity": row["quantity"]}}});
    rows.iter().map(read).collect()
}

/// Shipments that left at a time as the file has it, and as it is in UTC.
fn shipments(erp: &mut Erp, times: &[(&str, &str)]) -> Vec<Value> {
    let mut all = Vec::new();
    let mut rows = Vec::new();
    for (written, utc) in times {
        let mut row = erp.new_row("shipment");
        row["shipped"] = json!(written);
        all.push(json!({"kind": "shipment", "id": row["shipment"], "facets": {"shipment": {
            "shipped": utc, "completes": true, "parcels": [{"carrier": "DHL", "tracking": row["tracking"]}]}}}));
        rows.push(row);
    }
    export(erp, "shipment", &rows);
    all
}

fn orders(erp: &mut Erp) -> Vec<Value> {
    let net = json!({
        "basis": "net", "total": "17.72",
        "lines": [
            {"id": "1", "kind": "product", "sku": "A-1", "name": "Cup", "quantity": "3", "unit_price": "3.33", "total": "9.99",
             "tax_percent": "19", "tax": "1.90"},
            {"id": "2", "kind": "shipping", "name": "Parcel", "quantity": "1", "unit_price": "4.90", "total": "4.90",
             "tax_percent": "19", "tax": "0.93"},
        ],
        "taxes": [{"percent": "19", "base": "14.89", "amount": "2.83"}],
    });
    // A third of a euro, three times.
    let thirds = json!({"total": "1.00", "lines": [{"id": "1", "kind": "product", "sku": "A-3", "name": "Third",
        "quantity": "3", "unit_price": "0.3333", "total": "1.00", "tax_percent": "19"}]});
    let yen = json!({"currency": "JPY", "total": "1200", "lines": [{"id": "1", "kind": "product", "sku": "A-4", "name": "Cup",
        "quantity": "2", "unit_price": "600", "total": "1200", "tax_percent": "10"}]});
    let totals = ["24.89", "17.72", "1", "1200"];
    let rows: Vec<Value> = [json!({}), net, thirds, yen].into_iter().map(|members| erp.old_order(members)).collect();
    export(erp, "order", &rows);
    let read = |(row, total): (&Value, &str)| json!({"kind": "order", "id": row["order"], "facets": {"placed": {"number": row["number"], "total": total}, "state": "open"}});
    rows.iter().zip(totals).map(read).collect()
}
