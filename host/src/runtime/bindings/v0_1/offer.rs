//! Records on their way to a platform.

use super::value::{Invalid, Read, invalid};
use super::wit::tradepost::connector::records as wr;
use super::{Lent, category, customer, order, order_event, price, product, shipment, stock};
use crate::model::{Kind, Record};

/// The records as the contract has them, all of one kind; and those that cannot be written, with the reason: nothing
/// of them leaves the host.
#[must_use]
pub fn offer(kind: Kind, records: &[Record], lent: &Lent) -> (wr::Records, Vec<(String, Invalid)>) {
    let mut failed = Vec::new();
    let batch = match kind {
        Kind::Category => {
            wr::Records::Categories(each(kind, records, &mut failed, |record| category::write(record, lent)))
        }
        Kind::Product => wr::Records::Products(each(kind, records, &mut failed, |record| product::write(record, lent))),
        Kind::Stock => wr::Records::Stock(each(kind, records, &mut failed, stock::write)),
        Kind::Price => wr::Records::Prices(each(kind, records, &mut failed, price::write)),
        Kind::Customer => wr::Records::Customers(each(kind, records, &mut failed, customer::write)),
        Kind::Order => wr::Records::Orders(each(kind, records, &mut failed, order::write)),
        Kind::OrderEvent => wr::Records::OrderEvents(each(kind, records, &mut failed, order_event::write)),
        Kind::Shipment => wr::Records::Shipments(each(kind, records, &mut failed, shipment::write)),
    };
    (batch, failed)
}

fn each<T>(
    kind: Kind,
    records: &[Record],
    failed: &mut Vec<(String, Invalid)>,
    write: impl Fn(&Record) -> Read<T>,
) -> Vec<T> {
    let mut batch = Vec::with_capacity(records.len());
    for record in records {
        let written = if record.kind == kind {
            write(record)
        } else {
            invalid("", format!("a record of kind `{}` in a batch of kind `{kind}`", record.kind))
        };
        match written {
            Ok(written) => batch.push(written),
            Err(error) => failed.push((record.item.clone(), error)),
        }
    }
    batch
}

/// The contents of all pictures of the records; [`Lent`] should know them.
#[must_use]
pub fn contents_of(records: &[Record]) -> Vec<String> {
    let media = |facets: &crate::model::Facets| -> Vec<String> {
        let body = facets.get(&"media".into()).and_then(serde_json::Value::as_array);
        let blob = |medium: &serde_json::Value| medium.get("blob")?.as_str().map(str::to_owned);
        body.into_iter().flatten().filter_map(blob).collect()
    };
    records
        .iter()
        .flat_map(|record| {
            let variants = record.variants.iter().flat_map(|variant| media(&variant.facets));
            media(&record.facets).into_iter().chain(variants).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests;
