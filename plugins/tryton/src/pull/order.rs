//! Orders: sales with their lines.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Number, json};
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::records::Records;
use tradepost_sdk::sales::{Delivery, Line, LineKind, Order, OrderState, PaymentState, Tax};
use tradepost_sdk::source::Page;
use tradepost_sdk::types::{Error, Link, TaxBasis};

use super::customer;
use super::product::{Rate, percent};
use super::{Reading, Rows, What, empty, filled, remote};
use crate::api::Search;
use crate::map::{self, address, some};
use crate::value::{self, Day, Exact, Instant};

const FIELDS: &[&str] = &[
    "number",
    "reference",
    "state",
    "invoice_state",
    "shipment_state",
    "sale_date",
    "comment",
    "currency.code",
    "currency.digits",
    "untaxed_amount",
    "tax_amount",
    "total_amount",
    "write_date",
    "create_date",
    "party.name",
    "party.code",
    "party.active",
    "party.contact_mechanisms.type",
    "party.contact_mechanisms.value",
    "party.contact_mechanisms.active",
    "party.tax_identifier.code",
    "party.lang.code",
    "lines.type",
    "lines.sequence",
    "lines.product.code",
    "lines.product.type",
    "lines.description",
    "lines.quantity",
    "lines.unit_price",
    "lines.amount",
    "lines.taxes.rate",
    "invoices.state",
    "shipments.state",
];
const CARRIER: &[&str] = &["carrier.party.name", "carrier.carrier_product.id"];
const PARTS: &[&str] = &["", "lines."];

#[derive(Debug, Deserialize)]
struct Row {
    id: u64,
    number: Option<String>,
    reference: Option<String>,
    state: String,
    invoice_state: Option<String>,
    shipment_state: Option<String>,
    sale_date: Option<Day>,
    comment: Option<String>,
    currency: Currency,
    tax_amount: Option<Exact>,
    total_amount: Option<Exact>,
    write_date: Option<Instant>,
    create_date: Option<Instant>,
    party: customer::Row,
    invoice_address: Option<address::Row>,
    shipment_address: Option<address::Row>,
    carrier: Option<Carrier>,
    #[serde(default)]
    lines: Vec<LineRow>,
    #[serde(default)]
    invoices: Vec<Stated>,
    #[serde(default)]
    shipments: Vec<Stated>,
}

#[derive(Debug, Deserialize)]
struct Currency {
    code: String,
    digits: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Carrier {
    party: Named,
    carrier_product: Option<crate::api::Id>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Stated {
    state: String,
}

#[derive(Debug, Deserialize)]
struct LineRow {
    id: u64,
    r#type: String,
    sequence: Option<i64>,
    product: Option<ProductRow>,
    description: Option<String>,
    quantity: Option<Number>,
    unit_price: Option<Exact>,
    amount: Option<Exact>,
    #[serde(default)]
    taxes: Vec<Rate>,
}

#[derive(Debug, Deserialize)]
struct ProductRow {
    id: u64,
    code: Option<String>,
}

pub(super) fn pull(reading: &Reading<'_>) -> Result<Page, Error> {
    let api = reading.api;
    let company = json!(["company", "=", api.company()?.id]);
    if reading.what == What::Present {
        let search = Search::of("sale.sale", &["number", "reference"]).with(company);
        return reading.present(search, |row| row["number"].as_str().map(str::to_owned));
    }
    let mut fields: Vec<String> = FIELDS.iter().map(|field| (*field).to_owned()).collect();
    for path in ["invoice_address", "shipment_address"] {
        fields.extend(address::FIELDS.iter().map(|field| format!("{path}.{field}")));
    }
    if api.has("sale_shipment_cost")? {
        fields.extend(CARRIER.iter().map(|field| (*field).to_owned()));
    }
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let search = Search::of("sale.sale", &fields).with(company).all();
    let Rows { rows, deleted, next } = reading.rows(search, PARTS)?;
    let mut page = empty();
    page.deleted = deleted;
    let records = Reading::convert(&rows, &mut page, |row: Row| order(&row));
    filled(&mut page, Records::Orders(records));
    reading.finish(page, next)
}

/// The order; none for a draft, which has no number before it is quoted.
fn order(row: &Row) -> Result<Option<Order>, Error> {
    let Some(number) = some(row.number.as_deref()) else { return Ok(None) };
    let places = row.currency.digits.unwrap_or(2);
    let mut head = map::read(remote(row.id), row.write_date.or(row.create_date));
    head.marker = some(row.reference.as_deref());
    let mut lines: Vec<&LineRow> = row.lines.iter().collect();
    lines.sort_by_key(|line| (line.sequence.unwrap_or(i64::MIN), line.id));
    let shipping = row.carrier.as_ref().and_then(|carrier| carrier.carrier_product).map(|product| product.id);
    let lines: Vec<Line> =
        lines.into_iter().filter_map(|row| line(row, shipping).transpose()).collect::<Result<_, _>>()?;
    head.parts =
        lines.iter().map(|line| Part { what: PartKind::Line, key: line.id.clone(), id: line.id.clone() }).collect();
    let party = row.party.name.clone().unwrap_or_default();
    let buyer = row.party.base();
    let made = row.create_date.map(|at| at.0.to_string());
    // The day of the sale is a day; the moment it was entered is the one that Tryton knows.
    let placed = made.or_else(|| row.sale_date.map(|day| format!("{}T12:00:00Z", day.0)));
    let address = |address: &Option<address::Row>| address.as_ref().map(|address| address.address(&party));
    let shipping = address(&row.shipment_address);
    let billing = address(&row.invoice_address).or_else(|| shipping.clone());
    Ok(Some(Order {
        number,
        other_number: head.marker.clone(),
        channel: crate::describe::CHANNEL.into(),
        placed: placed.unwrap_or_default(),
        state: state(row),
        payment_state: match row.invoice_state.as_deref() {
            Some("paid") => PaymentState::Paid,
            Some("partially paid") => PaymentState::PartlyPaid,
            _ => PaymentState::Unpaid,
        },
        currency: row.currency.code.clone(),
        basis: TaxBasis::Net,
        customer: Link {
            id: Some(row.party.id.to_string()),
            key: buyer.email.clone().or_else(|| buyer.number.clone()).unwrap_or_default(),
        },
        buyer,
        billing: billing.unwrap_or_else(|| nowhere(&party)),
        shipping,
        taxes: taxes(&row.lines, row.tax_amount.map(|tax| tax.0).unwrap_or_default(), places),
        lines,
        payments: Vec::new(),
        delivery: row.carrier.as_ref().and_then(|carrier| {
            Some(Delivery { method: carrier.party.name.clone()?, label: None, wanted_on: None, pickup_point: None })
        }),
        total: value::amount(row.total_amount.map(|total| total.0).unwrap_or_default()),
        note: some(row.comment.as_deref()),
        extra: Vec::new(),
        head,
    }))
}

/// A sale without address, which only drafts are.
fn nowhere(party: &str) -> tradepost_sdk::sales::Address {
    let (first_name, last_name) = address::split(party);
    tradepost_sdk::sales::Address {
        key: String::new(),
        company: None,
        first_name,
        last_name,
        lines: Vec::new(),
        postcode: String::new(),
        city: String::new(),
        region: None,
        country: String::new(),
        phone: None,
    }
}

fn state(row: &Row) -> OrderState {
    match row.state.as_str() {
        "cancelled" => OrderState::Cancelled,
        "draft" | "quotation" => OrderState::Pending,
        "done" if undone(row) => OrderState::Cancelled,
        "done" => OrderState::Completed,
        _ => match row.shipment_state.as_deref() {
            Some("partially shipped") => OrderState::PartlyShipped,
            Some("sent") => OrderState::Shipped,
            _ => OrderState::Open,
        },
    }
}

/// A sale that was cancelled after it was confirmed ends as done, with all that came of it cancelled and ignored.
fn undone(row: &Row) -> bool {
    let cancelled = |all: &[Stated]| all.iter().all(|one| one.state == "cancelled");
    let none = |state: &Option<String>| state.as_deref() == Some("none");
    let something = !row.invoices.is_empty() || !row.shipments.is_empty();
    something
        && none(&row.invoice_state)
        && none(&row.shipment_state)
        && cancelled(&row.invoices)
        && cancelled(&row.shipments)
}

fn line(row: &LineRow, shipping: Option<u64>) -> Result<Option<Line>, Error> {
    let kind = match (row.r#type.as_str(), &row.product) {
        ("line", Some(product)) if Some(product.id) == shipping => LineKind::Shipping,
        ("line", Some(_)) => LineKind::Product,
        ("line", None) => match row.amount {
            Some(amount) if amount.0.is_sign_negative() => LineKind::Discount,
            _ => LineKind::Fee,
        },
        ("title" | "comment", _) => LineKind::Text,
        // Subtotals are sums of lines that are there.
        _ => return Ok(None),
    };
    let quantity = row.quantity.as_ref().map(value::quantity).transpose()?.unwrap_or_default();
    let code = row.product.as_ref().and_then(|product| some(product.code.as_deref()));
    let variant = row
        .product
        .as_ref()
        .map(|product| Link { id: Some(product.id.to_string()), key: code.clone().unwrap_or_default() });
    Ok(Some(Line {
        id: row.id.to_string(),
        kind,
        variant: variant.filter(|_| kind == LineKind::Product),
        name: some(row.description.as_deref()).or(code).unwrap_or_default(),
        quantity: value::plain(quantity),
        unit_price: value::amount(row.unit_price.map(|price| price.0).unwrap_or_default()),
        total: value::amount(row.amount.map(|amount| amount.0).unwrap_or_default()),
        tax_percent: percent(&row.taxes).map(value::plain),
        tax: None,
        tax_code: None,
        extra: Vec::new(),
    }))
}

/// Taxes by percent. Tryton keeps only their sum; what rounding leaves goes to the largest.
fn taxes(lines: &[LineRow], sum: Decimal, places: u32) -> Vec<Tax> {
    let mut bases: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for line in lines {
        if let (Some(percent), Some(amount)) = (percent(&line.taxes), line.amount) {
            *bases.entry(percent).or_default() += amount.0;
        }
    }
    let half_up = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    let tax = |(percent, base): (Decimal, Decimal)| {
        (percent, base, (base * percent / Decimal::ONE_HUNDRED).round_dp_with_strategy(places, half_up))
    };
    let mut taxes: Vec<(Decimal, Decimal, Decimal)> = bases.into_iter().map(tax).collect();
    let left = sum - taxes.iter().map(|(_, _, amount)| amount).sum::<Decimal>();
    if let Some(largest) = taxes.iter_mut().max_by_key(|(_, _, amount)| amount.abs()) {
        largest.2 += left;
    }
    let tax = |(percent, base, amount)| Tax {
        percent: value::plain(percent),
        base: value::amount(base),
        amount: value::amount(amount),
    };
    taxes.into_iter().map(tax).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sales() -> Vec<Row> {
        serde_json::from_str(include_str!("../../fixtures/sales.json")).unwrap()
    }

    #[test]
    fn a_sale_is_an_order_whose_parts_add_up() {
        for sale in sales() {
            let order = order(&sale).unwrap().unwrap();
            let sum =
                |texts: Vec<&String>| texts.into_iter().map(|text| text.parse::<Decimal>().unwrap()).sum::<Decimal>();
            let lines = sum(order.lines.iter().map(|line| &line.total).collect());
            let taxes = sum(order.taxes.iter().map(|tax| &tax.amount).collect());
            assert_eq!(lines + taxes, order.total.parse().unwrap(), "sale {}", order.number);
        }
    }

    #[test]
    fn a_shipped_sale_with_its_lines() {
        let order = order(&sales()[1]).unwrap().unwrap();
        assert_eq!((order.number.as_str(), order.head.marker.as_deref()), ("4", Some("shop-TEST2")));
        assert_eq!((order.state, order.payment_state), (OrderState::Shipped, PaymentState::Unpaid));
        assert_eq!(order.total, "54.34");
        assert_eq!(order.customer, Link { id: Some("3".into()), key: "zoe@example.com".into() });
        assert_eq!(order.delivery.unwrap().method, "DHL");
        let kinds: Vec<LineKind> = order.lines.iter().map(|line| line.kind).collect();
        assert_eq!(kinds, [LineKind::Product, LineKind::Product, LineKind::Shipping]);
        let first = &order.lines[0];
        assert_eq!(
            (first.quantity.as_str(), first.unit_price.as_str(), first.total.as_str()),
            ("2", "16.8000", "33.60")
        );
        assert_eq!(first.variant.as_ref().unwrap().key, "TS-S-RED");
        assert_eq!(order.billing.city, "München");
    }

    #[test]
    fn a_draft_is_no_order_yet() {
        let draft = Row { number: None, state: "draft".into(), ..sales().remove(0) };
        assert_eq!(order(&draft).unwrap(), None);
    }

    #[test]
    fn a_sale_undone_after_confirmation_is_cancelled() {
        let sale = &sales()[0];
        assert_eq!(sale.state, "done");
        assert_eq!(state(sale), OrderState::Cancelled);
        let done = Row {
            invoices: vec![Stated { state: "paid".into() }],
            invoice_state: Some("paid".into()),
            ..sales().remove(0)
        };
        assert_eq!(state(&done), OrderState::Completed);
    }

    #[test]
    fn what_rounding_leaves_goes_to_the_largest_tax() {
        let line = |amount: &str, rate: &str| -> LineRow {
            serde_json::from_value(json!({"id": 1, "type": "line", "quantity": 1.0,
                "amount": {"__class__": "Decimal", "decimal": amount},
                "taxes": [{"id": 1, "rate": {"__class__": "Decimal", "decimal": rate}}]}))
            .unwrap()
        };
        let taxes = taxes(&[line("50.39", "0.19"), line("42.02", "0.07")], "12.50".parse().unwrap(), 2);
        assert_eq!((taxes[0].amount.as_str(), taxes[1].amount.as_str()), ("2.94", "9.56"));
    }
}
