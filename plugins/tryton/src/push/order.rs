//! Orders: a sale is made as a draft with all its lines in one request, quoted, and confirmed.
//!
//! The draft is reported at once. A call that was cut off after it goes on from the state the sale is found in; lines
//! are only ever replaced while it is a draft. The total that Tryton computes is compared with the order's before each
//! step: a cent that rounding leaves becomes a line of its own, more than that stops the sale.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::decimal;
use tradepost_sdk::head::{Op, Part, PartKind};
use tradepost_sdk::outcomes::{Outcome, Written};
use tradepost_sdk::sales::{Address, LineKind, Order};
use tradepost_sdk::types::{Error, Issue};

use super::{customer, target, unsupported, written};
use crate::api::{self, Api, Id, Search};
use crate::map::lines::{Net, ROUNDING, net_lines, predicted, tolerance};
use crate::map::{address, some};
use crate::masters::{self, Carrier, Taxes, missing};
use crate::pull::remote;
use crate::settings::Goal;
use crate::value::{self, Exact};

const MODEL: &str = "sale.sale";
const FIELDS: &[&str] = &["number", "state", "total_amount", "lines.sequence"];

/// A sale as far as it is written.
#[derive(Debug, Deserialize)]
struct Sale {
    id: u64,
    state: String,
    total_amount: Option<Exact>,
    #[serde(default)]
    lines: Vec<SaleLine>,
}

#[derive(Debug, Deserialize)]
struct SaleLine {
    id: u64,
    sequence: Option<usize>,
}

/// A product on a line.
#[derive(Debug, Deserialize)]
struct ProductRow {
    id: u64,
    code: Option<String>,
    sale_uom: Option<Id>,
    default_uom: Option<Id>,
}

pub(super) fn push(api: &Api<'_>, order: &Order) -> Result<Outcome, Error> {
    if order.head.op == Op::Update {
        return Err(unsupported("a sale is not changed after it was placed"));
    }
    let total = decimal(&order.total)?;
    let places = places(api, order)?;
    let lines = net_lines(order, places.digits)?;
    let sale = match target(&order.head)? {
        Some(id) => read(api, id)?,
        None => {
            let bound = tolerance(&lines, places.digits);
            let nearest = predicted(&lines, places.digits).into_iter().map(|sum| (sum - total).abs()).min();
            if nearest.is_some_and(|difference| difference > bound) {
                let sums = predicted(&lines, places.digits);
                return Err(unequal(&format!(
                    "The lines with their taxes add up to {}, the order's total is {total}.",
                    sums[0]
                )));
            }
            let values = draft(api, order, &lines, places.currency)?;
            api.create(MODEL, &values, FIELDS)?
        }
    };
    api.host.settle(&order.head.item, Outcome::Partial(outcome(&sale, order)));
    let sale = finish(api, order, &lines, sale, total, places.digits)?;
    Ok(Outcome::Done(outcome(&sale, order)))
}

/// Takes the sale to the state that is set, from whichever it is in.
fn finish(
    api: &Api<'_>,
    order: &Order,
    lines: &[Net<'_>],
    mut sale: Sale,
    total: Decimal,
    digits: u32,
) -> Result<Sale, Error> {
    if sale.state == "draft" {
        sale = settle_total(api, order, lines, sale, total, digits)?;
        if api.settings.order_state >= Goal::Quotation {
            api.press(MODEL, sale.id, "quote")?;
            sale = read(api, sale.id)?;
        }
    }
    if sale.state == "quotation" && api.settings.order_state >= Goal::Confirmed {
        if computed(&sale) != total {
            return Err(unequal(&format!(
                "Tryton computes {} for the quotation, the order's total is {total}. The sale was not confirmed.",
                computed(&sale)
            )));
        }
        api.press(MODEL, sale.id, "confirm")?;
        sale = read(api, sale.id)?;
    }
    Ok(sale)
}

/// Makes a draft's total the order's: by a line for what rounding leaves, else by writing the lines anew.
fn settle_total(
    api: &Api<'_>,
    order: &Order,
    lines: &[Net<'_>],
    mut sale: Sale,
    total: Decimal,
    digits: u32,
) -> Result<Sale, Error> {
    let bound = tolerance(lines, digits);
    sale = round_off(api, sale, total, bound)?;
    if computed(&sale) != total {
        let old: Vec<u64> = sale.lines.iter().map(|line| line.id).collect();
        let carrier = carrier(api, order)?;
        let new = line_values(api, order, lines, carrier.as_ref())?;
        api.write(MODEL, sale.id, &json!({"lines": [["delete", old], ["create", new]]}))?;
        sale = round_off(api, read(api, sale.id)?, total, bound)?;
    }
    if computed(&sale) == total {
        return Ok(sale);
    }
    let words =
        format!("Tryton computes {}, the order's total is {total}. The sale was left as a draft.", computed(&sale));
    Err(unequal(&words))
}

/// Adds a tax-free line for what rounding leaves, once.
fn round_off(api: &Api<'_>, sale: Sale, total: Decimal, bound: Decimal) -> Result<Sale, Error> {
    let left = total - computed(&sale);
    let there = sale.lines.iter().any(|line| line.sequence == Some(ROUNDING));
    if left.is_zero() || left.abs() > bound || there {
        return Ok(sale);
    }
    let line = json!({"type": "line", "sequence": ROUNDING, "description": "Rounding", "quantity": 1.0,
        "unit_price": value::exact(left)});
    api.write(MODEL, sale.id, &json!({"lines": [["create", [line]]]}))?;
    read(api, sale.id)
}

/// Everything of a new sale.
fn draft(api: &Api<'_>, order: &Order, lines: &[Net<'_>], currency: u64) -> Result<Value, Error> {
    let carrier = carrier(api, order)?;
    let lines = line_values(api, order, lines, carrier.as_ref())?;
    let payment_term = masters::payment_term(api)?;
    let party = party(api, order)?;
    let invoice = address_of(api, party, &order.billing)?;
    let shipment = match &order.shipping {
        Some(address) => address_of(api, party, address)?,
        None => invoice,
    };
    let mut values = json!({
        "party": party,
        "invoice_address": invoice,
        "shipment_address": shipment,
        "reference": order.head.marker.as_deref().unwrap_or(&order.number),
        "description": order.number,
        "comment": comment(order),
        "currency": currency,
        "lines": [["create", lines]],
    });
    if let Some(term) = payment_term {
        values["payment_term"] = json!(term);
    }
    if api.has("sale_shipment_cost")? {
        values["carrier"] = json!(carrier.map(|carrier| carrier.id));
        // The order brings its own shipping line; with a method, Tryton would add another.
        values["shipment_cost_method"] = Value::Null;
    }
    Ok(values)
}

fn line_values(
    api: &Api<'_>,
    order: &Order,
    lines: &[Net<'_>],
    carrier: Option<&Carrier>,
) -> Result<Vec<Value>, Error> {
    let taxes = Taxes::read(api)?;
    let products = products(api, order, carrier)?;
    let mut values = Vec::new();
    for net in lines {
        let line = net.line;
        if line.kind == LineKind::Text {
            values.push(json!({"type": "comment", "sequence": net.index + 1, "description": line.name}));
            continue;
        }
        let tax = taxes.of(line.tax_code.as_deref(), net.percent)?;
        let mut value = json!({
            "type": "line",
            "sequence": net.index + 1,
            "quantity": value::number(net.quantity)?,
            "unit_price": value::exact(net.unit_price),
            "taxes": [["add", tax.into_iter().collect::<Vec<_>>()]],
        });
        let named = line.variant.as_ref().and_then(|link| {
            products.iter().find(|product| match &link.id {
                Some(id) => product.id.to_string() == *id,
                None => product.code.as_deref() == Some(&link.key),
            })
        });
        let coded = |code: &str| products.iter().find(|product| product.code.as_deref() == Some(code));
        let product = match line.kind {
            LineKind::Product => {
                let key = line.variant.as_ref().map(|link| link.key.as_str()).unwrap_or_default();
                let path = format!("lines[{}].variant", net.index);
                let words = format!("Tryton has no active product with the code `{key}`.");
                Some(named.ok_or_else(|| Error::Rejected(vec![issue(&path, &words)]))?)
            }
            LineKind::Shipping => named.or_else(|| match api.settings.shipping_product.trim() {
                "" => {
                    let own = carrier.and_then(|carrier| carrier.carrier_product)?;
                    products.iter().find(|product| product.id == own.id)
                }
                code => coded(code),
            }),
            LineKind::Discount | LineKind::GiftCard => named.or_else(|| coded(api.settings.discount_product.trim())),
            LineKind::Fee | LineKind::Rounding | LineKind::Text => named,
        };
        if line.kind != LineKind::Product {
            value["description"] = json!(some(Some(&line.name)));
        }
        if let Some(product) = product {
            value["product"] = json!(product.id);
            value["unit"] = json!(product.sale_uom.or(product.default_uom).map(|unit| unit.id));
        }
        values.push(value);
    }
    Ok(values)
}

/// The products of all lines, in as few searches as there are ways to name them.
fn products(api: &Api<'_>, order: &Order, carrier: Option<&Carrier>) -> Result<Vec<ProductRow>, Error> {
    let search = Search::of("product.product", &["code", "sale_uom.id", "default_uom.id"]);
    let mut ids: Vec<u64> =
        carrier.and_then(|carrier| carrier.carrier_product).map(|product| product.id).into_iter().collect();
    let settings = [&api.settings.shipping_product, &api.settings.discount_product];
    let mut codes: Vec<String> = settings.into_iter().filter_map(|code| some(Some(code))).collect();
    for link in order.lines.iter().filter_map(|line| line.variant.as_ref()) {
        match &link.id {
            Some(id) => ids.push(api::id(id)?),
            None => codes.push(link.key.clone()),
        }
    }
    ids.sort_unstable();
    ids.dedup();
    codes.sort_unstable();
    codes.dedup();
    let mut found: Vec<ProductRow> = api.among(&search, &ids)?;
    found.extend(api.matching::<ProductRow>(&search, "code", &codes)?);
    Ok(found)
}

fn carrier(api: &Api<'_>, order: &Order) -> Result<Option<Carrier>, Error> {
    masters::carrier(api, order.delivery.as_ref().map(|delivery| delivery.method.as_str()))
}

/// The buyer: the one linked, else the only one with this address, else a new one.
fn party(api: &Api<'_>, order: &Order) -> Result<u64, Error> {
    if let Some(id) = &order.customer.id {
        return api::id(id);
    }
    if let Some(email) = some(order.buyer.email.as_deref()) {
        let found = crate::find::parties(api, std::slice::from_ref(&email))?;
        match found.as_slice() {
            [] => {}
            [(id, _)] => return Ok(*id),
            _ => {
                let words = format!(
                    "Tryton has {} parties with the address {email}. Merge them or link the customer.",
                    found.len()
                );
                return Err(Error::Rejected(vec![issue("buyer.email", &words)]));
            }
        }
    }
    let mut addresses = vec![order.billing.clone()];
    addresses.extend(
        order
            .shipping
            .clone()
            .filter(|shipping| address::content(shipping, "") != address::content(&order.billing, "")),
    );
    let mut buyer = order.buyer.clone();
    if address::party_name(&buyer, None) == some(buyer.email.as_deref()).unwrap_or_default() {
        let billing = &order.billing;
        (buyer.company, buyer.first_name, buyer.last_name) =
            (billing.company.clone(), billing.first_name.clone(), billing.last_name.clone());
    }
    Ok(customer::create(api, &buyer, &addresses)?.id)
}

/// The party's address that says this, made where there is none.
fn address_of(api: &Api<'_>, party: u64, wanted: &Address) -> Result<u64, Error> {
    let fields: Vec<&str> = address::FIELDS.iter().copied().chain(["party.name"]).collect();
    let search = Search::of("party.address", &fields).with(json!(["party", "=", party]));
    let found: Vec<address::Row> = api.find(&search)?;
    let says = |row: &&address::Row| row.content(row.owner()) == address::content(wanted, row.owner());
    if let Some(row) = found.iter().find(says) {
        return Ok(row.id);
    }
    let mut values = address::values(wanted, masters::country(api, &wanted.country)?);
    values.insert("party".into(), json!(party));
    Ok(api.create::<Id>("party.address", &Value::Object(values), &["id"])?.id)
}

/// The buyer's note and how it was paid: the base modules have no field for it.
fn comment(order: &Order) -> Option<String> {
    let payments = order.payments.iter().map(|payment| {
        let transaction = payment.transaction.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
        format!("{} {} {}{transaction}", payment.method, payment.amount, order.currency)
    });
    let lines: Vec<String> = some(order.note.as_deref()).into_iter().chain(payments).collect();
    some(Some(&lines.join("\n")))
}

struct Places {
    currency: u64,
    digits: u32,
}

/// The order's currency in Tryton.
fn places(api: &Api<'_>, order: &Order) -> Result<Places, Error> {
    #[derive(Deserialize)]
    struct Currency {
        id: u64,
        digits: Option<u32>,
    }
    let company = &api.company()?.currency;
    if company.code == order.currency {
        return Ok(Places { currency: company.id, digits: company.digits.unwrap_or(2) });
    }
    let search = Search::of("currency.currency", &["digits"]).with(json!(["code", "=", order.currency]));
    match api.find::<Currency>(&search)?.first() {
        Some(currency) => Ok(Places { currency: currency.id, digits: currency.digits.unwrap_or(2) }),
        None => Err(missing("currency", &order.currency)),
    }
}

fn read(api: &Api<'_>, id: u64) -> Result<Sale, Error> {
    let found: Vec<Sale> = api.find(&Search::of(MODEL, FIELDS).with(json!(["id", "=", id])))?;
    found.into_iter().next().ok_or_else(|| Error::NotFound(format!("sale {id}")))
}

fn computed(sale: &Sale) -> Decimal {
    sale.total_amount.map(|total| total.0).unwrap_or_default()
}

fn outcome(sale: &Sale, order: &Order) -> Written {
    let part = |line: &SaleLine| {
        let ours = order.lines.get(line.sequence?.checked_sub(1)?)?;
        Some(Part { what: PartKind::Line, key: ours.id.clone(), id: line.id.to_string() })
    };
    Written {
        parts: sale.lines.iter().filter_map(part).collect(),
        total: sale.total_amount.map(|total| value::amount(total.0)),
        ..written(remote(sale.id))
    }
}

fn unequal(words: &str) -> Error {
    Error::Rejected(vec![issue("total", words)])
}

/// Something wrong with one field.
pub(super) fn issue(path: &str, words: &str) -> Issue {
    Issue { path: path.into(), code: None, message: words.into() }
}
