//! An order as CSV: one line per line of the order, what belongs to the order on each of them.

use std::borrow::Cow;

use super::document::{AddressFile, OrderFile};
use crate::settings::Setup;

const ORDER: &[&str] = &[
    "id",
    "number",
    "placed",
    "currency",
    "basis",
    "total",
    "payment_state",
    "payment",
    "transaction",
    "delivery",
    "customer",
    "email",
    "phone",
    "company",
    "first_name",
    "last_name",
    "vat_id",
    "note",
];
const ADDRESS: &[&str] =
    &["company", "first_name", "last_name", "street", "street2", "postcode", "city", "region", "country"];
const LINE: &[&str] = &["line", "kind", "sku", "name", "quantity", "unit_price", "line_total", "tax_percent", "tax"];

/// The file, in the settings' encoding; whether a character had no place in that.
pub(super) fn order(setup: &Setup, order: &OrderFile) -> (Vec<u8>, bool) {
    let mut writer = csv::WriterBuilder::new().delimiter(setup.delimiter).from_writer(Vec::new());
    let billing = ADDRESS.iter().map(|name| format!("billing_{name}"));
    let shipping = ADDRESS.iter().map(|name| format!("shipping_{name}"));
    let header: Vec<String> = ORDER
        .iter()
        .map(|name| (*name).to_owned())
        .chain(billing)
        .chain(shipping)
        .chain(LINE.iter().map(|name| (*name).to_owned()))
        .collect();
    let mut lost = false;
    let mut write = |cells: &[String]| {
        let encoded: Vec<Vec<u8>> = cells
            .iter()
            .map(|cell| {
                let (bytes, bad) = encoded(setup, cell);
                lost |= bad;
                bytes
            })
            .collect();
        writer.write_record(&encoded).expect("every row has the columns of the header");
    };
    write(&header);
    let number = |text: &str| text.replace('.', &setup.decimal.to_string());
    let word = |text: &Option<String>| guarded(text.as_deref().unwrap_or_default()).into_owned();
    let buyer = order.buyer.clone().unwrap_or_default();
    let payment = order.payments.first();
    let mut of_order = vec![
        order.id.clone(),
        guarded(&order.number).into_owned(),
        order.placed.clone(),
        order.currency.clone(),
        order.basis.clone(),
        number(&order.total),
        order.payment_state.clone(),
        payment.map(|payment| guarded(&payment.method).into_owned()).unwrap_or_default(),
        payment.map(|payment| word(&payment.transaction)).unwrap_or_default(),
        order.delivery.as_ref().map(|delivery| guarded(&delivery.method).into_owned()).unwrap_or_default(),
        word(&order.customer),
        word(&buyer.email),
        word(&buyer.phone),
        word(&buyer.company),
        word(&buyer.first_name),
        word(&buyer.last_name),
        word(&buyer.vat_id),
        word(&order.note),
    ];
    of_order.extend(address(order.billing.as_ref()));
    of_order.extend(address(order.shipping.as_ref().or(order.billing.as_ref())));
    for line in &order.lines {
        let mut row = of_order.clone();
        row.extend([
            line.id.clone(),
            line.kind.clone(),
            word(&line.sku),
            guarded(&line.name).into_owned(),
            number(&line.quantity),
            number(&line.unit_price),
            number(&line.total),
            line.tax_percent.as_deref().map(number).unwrap_or_default(),
            line.tax.as_deref().map(number).unwrap_or_default(),
        ]);
        write(&row);
    }
    (writer.into_inner().expect("memory takes every byte"), lost)
}

fn address(address: Option<&AddressFile>) -> Vec<String> {
    let address = address.cloned().unwrap_or_default();
    let street = address.lines.first().cloned().unwrap_or_default();
    let street2 = address.lines.get(1..).unwrap_or_default().join(", ");
    let fields = [
        address.company.unwrap_or_default(),
        address.first_name.unwrap_or_default(),
        address.last_name.unwrap_or_default(),
        street,
        street2,
        address.postcode,
        address.city,
        address.region.unwrap_or_default(),
        address.country,
    ];
    fields.iter().map(|field| guarded(field).into_owned()).collect()
}

/// What a buyer wrote must not become a formula in somebody's spreadsheet. Phone numbers and amounts stay as they are.
fn guarded(text: &str) -> Cow<'_, str> {
    let number =
        |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | ',' | '/' | '(' | ')' | '-'));
    match text.chars().next() {
        Some('=' | '@' | '\t' | '\r') => format!("'{text}").into(),
        Some('+' | '-') if !number(&text[1..]) => format!("'{text}").into(),
        _ => text.into(),
    }
}

fn encoded(setup: &Setup, text: &str) -> (Vec<u8>, bool) {
    let (bytes, _, bad) = setup.encoding.encode(text);
    if !bad {
        return (bytes.into_owned(), false);
    }
    let known = |c: char| {
        let mut buffer = [0; 4];
        !setup.encoding.encode(c.encode_utf8(&mut buffer)).2
    };
    let text: String = text.chars().map(|c| if known(c) { c } else { '?' }).collect();
    (setup.encoding.encode(&text).0.into_owned(), true)
}
