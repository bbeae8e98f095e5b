//! Prices and stock: simple products in one batch, variations in one batch per product.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use tradepost_sdk::catalog::{Price, PriceKind, StockLevel};
use tradepost_sdk::head::Head;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::types::{Error, RemoteRef};
use tradepost_sdk::{ends_the_call, invalid, report};

use super::{done, known};
use crate::api::{MOST, Shop, amount, refusal};
use crate::map::{as_gmt, id, write};

/// Whether the shop kept what was sent of an article: what was sent, what it answered.
type Kept<'a> = &'a dyn Fn(&Map<String, Value>, &Value) -> Result<(), Error>;

/// One article with what is to be written of it, and the items that asked for it.
struct Row {
    id: u64,
    parent: Option<u64>,
    body: Map<String, Value>,
    items: Vec<(String, RemoteRef)>,
}

/// Writes prices. Base and special price of an article go in one row.
///
/// # Errors
/// Why the rest was not tried.
pub fn prices(shop: &Shop, all: &[Price]) -> Result<(), Error> {
    let mut rows = Vec::new();
    for price in all {
        add(&mut rows, &price.head, price_fields(price));
    }
    send(shop, rows, &|sent, answer| {
        // A price that the shop does not like is dropped without a word.
        for name in ["regular_price", "sale_price"] {
            let wanted = sent.get(name).and_then(Value::as_str);
            let kept = answer[name].as_str().unwrap_or_default();
            if let Some(wanted) = wanted
                && amount(wanted)? != amount(kept)?
            {
                return Err(invalid(
                    name,
                    format!(
                        "the shop keeps `{kept}` instead of `{wanted}`. A special price must be below the base price."
                    ),
                ));
            }
        }
        Ok(())
    })
}

fn price_fields(price: &Price) -> Result<Map<String, Value>, Error> {
    let value = write::price(price.amount.as_ref())?;
    let mut body = Map::new();
    match price.kind {
        PriceKind::Base => {
            body.insert("regular_price".into(), json!(value));
        }
        PriceKind::Special if tradepost_sdk::decimal(&price.from_quantity)? > rust_decimal::Decimal::ONE => {
            return Err(Error::Unsupported("WooCommerce has no prices by quantity".into()));
        }
        PriceKind::Special => {
            let time = |text: &Option<String>| -> Result<Option<Timestamp>, Error> {
                text.as_deref().map(tradepost_sdk::time::instant).transpose()
            };
            // An empty text takes a date away; null would leave it as it is. The shop names the last second of a sale.
            let from = time(&price.valid_from)?.map(as_gmt).unwrap_or_default();
            let last = time(&price.valid_to)?.map(|to| to.checked_sub(SignedDuration::from_secs(1)).unwrap_or(to));
            let set = price.amount.is_some();
            body.insert("sale_price".into(), json!(value));
            body.insert("date_on_sale_from_gmt".into(), json!(if set { from } else { String::new() }));
            body.insert(
                "date_on_sale_to_gmt".into(),
                json!(if set { last.map(as_gmt).unwrap_or_default() } else { String::new() }),
            );
        }
    }
    Ok(body)
}

/// Writes stock: what can still be sold.
///
/// # Errors
/// Why the rest was not tried.
pub fn stock(shop: &Shop, all: &[StockLevel]) -> Result<(), Error> {
    let mut rows = Vec::new();
    for level in all {
        let fields = write::pieces(&level.quantity).map(|pieces| {
            let body = if level.unlimited {
                json!({"manage_stock": false, "stock_status": "instock"})
            } else {
                json!({"manage_stock": true, "stock_quantity": pieces})
            };
            body.as_object().cloned().unwrap_or_default()
        });
        add(&mut rows, &level.head, fields);
    }
    send(shop, rows, &|sent, answer| match sent.get("stock_quantity") {
        Some(wanted) if answer["stock_quantity"] != *wanted => Err(invalid(
            "quantity",
            "the shop does not keep the figure. Allow stock management in WooCommerce under Settings, Products, Inventory.",
        )),
        _ => Ok(()),
    })
}

fn add(rows: &mut Vec<Row>, head: &Head, fields: Result<Map<String, Value>, Error>) {
    let row = known(head).and_then(|remote| {
        let parent = remote.parent.as_deref().map(id).transpose()?;
        // A simple product is its own parent where somebody says so.
        Ok((id(&remote.id)?, parent.filter(|parent| parent.to_string() != remote.id), remote.clone(), fields?))
    });
    match row {
        Err(error) => report::settle(&head.item, &Outcome::Failed(error)),
        Ok((id, parent, remote, fields)) => {
            let item = (head.item.clone(), remote);
            match rows.iter_mut().find(|row| row.id == id) {
                Some(row) => {
                    row.body.extend(fields);
                    row.items.push(item);
                }
                None => rows.push(Row { id, parent, body: fields, items: vec![item] }),
            }
        }
    }
}

/// Sends the rows in batches and settles every item by its own result. What was not sent because the call ended stays
/// unsettled: nothing was done for it.
fn send(shop: &Shop, rows: Vec<Row>, kept: Kept<'_>) -> Result<(), Error> {
    let mut groups: BTreeMap<Option<u64>, Vec<Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(row.parent).or_default().push(row);
    }
    for (parent, rows) in groups {
        let path = match parent {
            None => "/products".to_owned(),
            Some(parent) => format!("/products/{parent}/variations"),
        };
        for some in rows.chunks(MOST) {
            let there = there(shop, &path, some)?;
            let (same, others): (Vec<&Row>, Vec<&Row>) =
                some.iter().partition(|row| there.iter().any(|there| there["id"] == row.id && has(there, &row.body)));
            for (item, remote) in same.iter().flat_map(|row| &row.items) {
                report::settle(item, &Outcome::Unchanged(remote.clone()));
            }
            if !others.is_empty() {
                batch(shop, &format!("{path}/batch"), &others, kept)?;
            }
        }
    }
    Ok(())
}

/// The articles of a batch as they are in the shop, by one request. What was read long ago may have come true since, and a
/// write of what is there already would wake everybody who listens.
///
/// # Errors
/// What would meet the write too. Where only the list cannot be had, none is known, and all are written.
fn there(shop: &Shop, path: &str, rows: &[Row]) -> Result<Vec<Value>, Error> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    match shop.get(&format!("{path}?include={}&per_page={MOST}", ids.join(","))) {
        Ok(rows) => Ok(rows),
        Err(error @ (Error::Auth(_) | Error::Throttled(_) | Error::Denied(_))) => Err(error),
        Err(_) => Ok(Vec::new()),
    }
}

/// Whether an article is as it is to be written.
fn has(there: &Value, body: &Map<String, Value>) -> bool {
    body.iter().all(|(name, wanted)| {
        let (found, text) = (&there[name], |value: &Value| value.as_str().unwrap_or_default().to_owned());
        match name.as_str() {
            "regular_price" | "sale_price" => {
                matches!((amount(&text(wanted)), amount(&text(found))), (Ok(wanted), Ok(found)) if wanted == found)
            }
            // A date that is not set is written as an empty text and read as null.
            "date_on_sale_from_gmt" | "date_on_sale_to_gmt" => text(wanted) == text(found),
            _ => found == wanted,
        }
    })
}

fn batch(shop: &Shop, path: &str, rows: &[&Row], kept: Kept<'_>) -> Result<(), Error> {
    let update: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut body = row.body.clone();
            body.insert("id".into(), json!(row.id));
            Value::Object(body)
        })
        .collect();
    let answer = match shop.post(path, &json!({"update": update})) {
        Ok(answer) => answer,
        Err(error) => {
            for (item, _) in rows.iter().flat_map(|row| &row.items) {
                report::settle(item, &Outcome::Failed(error.clone()));
            }
            return if ends_the_call(&error) { Err(error) } else { Ok(()) };
        }
    };
    for (at, row) in rows.iter().enumerate() {
        let result = &answer["update"][at];
        let judged = match result.get("error") {
            // Of an object of a batch, a refused log-in is about this object alone.
            Some(error) => match refusal(error, 400) {
                Error::Auth(words) => Err(invalid("", words)),
                other => Err(other),
            },
            None if result["id"] == row.id => kept(&row.body, result),
            None => Err(Error::Timeout("the shop's answer does not name the article".into())),
        };
        for (item, remote) in &row.items {
            let outcome = match &judged {
                Ok(()) => done(remote.clone(), Vec::new(), Vec::new()),
                Err(error) => Outcome::Failed(error.clone()),
            };
            report::settle(item, &outcome);
        }
    }
    Ok(())
}
