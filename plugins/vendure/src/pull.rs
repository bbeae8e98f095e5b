//! Reading: pages of changes, of ids, and of all that is there.
//!
//! Every list is read in the order of ids, which no change of a record alters, and a page begins with the last records of
//! the page before, so that a record that vanished in between makes no gap. What changed is asked for with an overlap,
//! because time stamps are cut to seconds and come before the commit.

mod cursor;
mod lists;

use jiff::Timestamp;
use serde_json::{Value, json};
use tradepost_sdk::catalog::{Category, Price, Product, StockLevel};
use tradepost_sdk::records::{Deletion, Kind, Present, Records, Unreadable};
use tradepost_sdk::sales::{Customer, Order, Shipment};
use tradepost_sdk::source::{Page, Request, Scope};
use tradepost_sdk::types::Error;

use crate::api::Shop;
use crate::map::{catalogue, customers, orders, remote, shipments};
use cursor::Cursor;
use lists::List;

/// Reads one page.
///
/// # Errors
/// `unsupported` for kinds that are not read, and what the shop answers.
pub fn pull(shop: &Shop<'_>, request: &Request) -> Result<Page, Error> {
    let list = List::of(request.kind)?;
    let cursor = Cursor::read(request.cursor.as_deref())?;
    let limit = u64::from(request.limit.clamp(1, shop.settings.page_size.clamp(1, 900)));
    match &request.scope {
        Scope::Changed(window) => {
            let since = window.since.as_deref().map(|since| time(since, shop.settings.overlap_seconds)).transpose()?;
            changed(shop, &list, since, cursor, limit)
        }
        Scope::Ids(ids) => by_ids(shop, &list, ids, cursor, limit),
        Scope::Present => present(shop, &list, cursor, limit),
    }
}

fn time(text: &str, overlap: u32) -> Result<Timestamp, Error> {
    let time: Timestamp = text.parse().map_err(|error| Error::Bug(format!("`{text}` is no time: {error}")))?;
    Ok(time - jiff::SignedDuration::from_secs(i64::from(overlap)))
}

/// Records of a kind, as they gather.
#[derive(Default)]
struct Gathered {
    categories: Vec<Category>,
    products: Vec<Product>,
    stock: Vec<StockLevel>,
    prices: Vec<Price>,
    customers: Vec<Customer>,
    orders: Vec<Order>,
    shipments: Vec<Shipment>,
    unreadable: Vec<Unreadable>,
}

impl Gathered {
    /// Converts one record; what cannot be read is kept for a person and stops nothing.
    fn take(&mut self, shop: &Shop<'_>, kind: Kind, raw: Value) -> Result<(), Error> {
        let text = raw.to_string();
        let id = raw["id"].as_str().map(str::to_owned);
        let settings = &shop.settings;
        let done = match kind {
            Kind::Category => catalogue::category(raw).map(|one| self.categories.push(one)),
            Kind::Product => catalogue::product(raw, &settings.manufacturer_facet).map(|one| self.products.push(one)),
            Kind::Stock => catalogue::stock(raw, shop.context()?).map(|some| self.stock.extend(some)),
            Kind::Price => catalogue::price(raw, shop.context()?).map(|one| self.prices.push(one)),
            Kind::Customer => customers::customer(raw).map(|one| self.customers.push(one)),
            Kind::Order => orders::order(raw, shop.context()?, &settings.number_note).map(|one| self.orders.push(one)),
            Kind::Shipment => shipments::shipments(raw).map(|some| self.shipments.extend(some)),
            Kind::OrderEvent => Ok(()),
        };
        if let Err(error) = done {
            self.unreadable.push(Unreadable { id, raw: text, why: why(error) });
        }
        Ok(())
    }

    fn page(self, kind: Kind) -> Page {
        let records = match kind {
            Kind::Category => Records::Categories(self.categories),
            Kind::Product => Records::Products(self.products),
            Kind::Stock => Records::Stock(self.stock),
            Kind::Price => Records::Prices(self.prices),
            Kind::Customer => Records::Customers(self.customers),
            Kind::Order => Records::Orders(self.orders),
            Kind::Shipment => Records::Shipments(self.shipments),
            Kind::OrderEvent => Records::OrderEvents(Vec::new()),
        };
        Page {
            records: vec![records],
            deleted: Vec::new(),
            unreadable: self.unreadable,
            present: Vec::new(),
            next: None,
            watermark: None,
            receipt: None,
            total: None,
        }
    }
}

fn why(error: Error) -> String {
    match error {
        Error::Rejected(issues) => issues.into_iter().map(|issue| issue.message).collect::<Vec<_>>().join("; "),
        Error::Bug(words) => words,
        other => format!("{other:?}"),
    }
}

fn changed(shop: &Shop<'_>, list: &List, since: Option<Timestamp>, cursor: Cursor, limit: u64) -> Result<Page, Error> {
    let mut gathered = Gathered::default();
    let step = list.step(since, cursor.phase, &shop.settings);
    let part = scan(shop, list, &step.fields, &step.root, step.filter(shop, list)?, &cursor, limit)?;
    let mark = cursor.mark.or(part.at);
    let raws = match step.pick(since) {
        // The page has the records themselves.
        None => part.items,
        // The page says which records to read.
        Some(pick) => {
            let mut ids: Vec<String> = part.items.iter().filter_map(pick).collect();
            ids.sort_unstable();
            ids.dedup();
            read_by_ids(shop, list, &ids)?
        }
    };
    for raw in raws {
        gathered.take(shop, list.kind, raw)?;
    }
    if let (Kind::Shipment, Some(since)) = (list.kind, since) {
        // Other fulfilments of the order come along; only those that changed are news.
        gathered.shipments.retain(|one| {
            one.head.updated.as_deref().and_then(|at| at.parse::<Timestamp>().ok()).is_none_or(|at| at >= since)
        });
    }
    let mut page = gathered.page(list.kind);
    page.total = (cursor.phase == 0 && step.exact).then_some(part.total);
    let next = match part.next {
        Some(place) => Some(Cursor { phase: cursor.phase, mark, ..place }),
        None if cursor.phase + 1 < list.steps(since) => {
            Some(Cursor { phase: cursor.phase + 1, mark, ..Cursor::default() })
        }
        None => None,
    };
    match next {
        Some(next) => page.next = Some(next.write()),
        None => page.watermark = mark.map(|mark| mark.to_string()),
    }
    Ok(page)
}

/// A part of a list.
struct Part {
    items: Vec<Value>,
    total: u64,
    at: Option<Timestamp>,
    /// Where to go on; absent at the end.
    next: Option<Cursor>,
}

/// How many records are read again to tell that nothing moved.
const ANCHORS: usize = 10;
/// How often a list is begun again within one reading: one that never stands still is not read for ever.
const AGAIN: u8 = 5;

fn scan(
    shop: &Shop<'_>,
    list: &List,
    fields: &str,
    root: &str,
    filter: Value,
    cursor: &Cursor,
    limit: u64,
) -> Result<Part, Error> {
    let document = format!(
        "query($options:{}){{{root}(options:$options){{totalItems items{{{fields}}}}}}}",
        lists::options_type(root)
    );
    let read = |skip: u64, take: u64| -> Result<(Vec<Value>, u64, Option<Timestamp>), Error> {
        let options = json!({"skip": skip, "take": take, "sort": {"id": "ASC"}, "filter": filter});
        let mut reply = shop.query(&document, json!({"options": options}))?;
        let total = reply.data[root]["totalItems"].as_u64();
        let (Some(total), Value::Array(items)) = (total, reply.data[root]["items"].take()) else {
            return Err(Error::Bug(format!("the shop's list of {:?} has another shape", list.kind)));
        };
        Ok((items, total, reply.at))
    };
    let id = |item: &Value| item["id"].as_str().unwrap_or_default().to_owned();
    let overlap = cursor.anchors.len() as u64;
    let mut skip = cursor.seen.saturating_sub(overlap);
    let (mut items, mut total, at) = read(skip, limit + overlap)?;
    let (mut fresh, mut again) = (0, cursor.again);
    if overlap > 0 {
        match items.iter().rposition(|item| cursor.anchors.contains(&id(item))) {
            Some(last) => fresh = last + 1,
            // So much came or went that the place is lost: begin again, what was seen before is seen twice.
            None if again == AGAIN => {
                let words = format!("the shop's list of {:?} changes faster than it can be read", list.kind);
                return Err(Error::Unavailable(words));
            }
            None => {
                again += 1;
                skip = 0;
                (items, total, _) = read(0, limit)?;
            }
        }
    }
    let seen = skip + items.len() as u64;
    let anchors = items.iter().rev().take(ANCHORS).rev().map(id).collect();
    let next = (seen < total && !items.is_empty()).then(|| Cursor { seen, anchors, again, ..Cursor::default() });
    Ok(Part { items: items.split_off(fresh.min(items.len())), total, at, next })
}

fn read_by_ids(shop: &Shop<'_>, list: &List, ids: &[String]) -> Result<Vec<Value>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let document = format!(
        "query($options:{}){{{root}(options:$options){{items{{{}}}}}}}",
        lists::options_type(list.root),
        list.fields,
        root = list.root
    );
    let mut filter = list.base_filter(shop)?;
    filter["id"] = json!({"in": ids});
    let options = json!({"take": ids.len(), "sort": {"id": "ASC"}, "filter": filter});
    let mut reply = shop.query(&document, json!({"options": options}))?;
    match reply.data[list.root]["items"].take() {
        Value::Array(items) => Ok(items),
        _ => Err(Error::Bug(format!("the shop's list of {:?} has another shape", list.kind))),
    }
}

fn by_ids(shop: &Shop<'_>, list: &List, ids: &[String], cursor: Cursor, limit: u64) -> Result<Page, Error> {
    let from = usize::try_from(cursor.seen).unwrap_or(usize::MAX).min(ids.len());
    let count = usize::try_from(limit).unwrap_or(usize::MAX);
    let wanted = &ids[from..ids.len().min(from.saturating_add(count))];
    // The id of a shipment begins with that of its order.
    let objects: Vec<String> = wanted.iter().map(|id| id.split('/').next().unwrap_or_default().to_owned()).collect();
    let mut gathered = Gathered::default();
    let mut there: Vec<String> = Vec::new();
    for raw in read_by_ids(shop, list, &objects)? {
        there.extend(raw["id"].as_str().map(str::to_owned));
        gathered.take(shop, list.kind, raw)?;
    }
    if list.kind == Kind::Shipment {
        let id = |one: &Shipment| one.head.remote.as_ref().map(|remote| remote.id.clone()).unwrap_or_default();
        gathered.shipments.retain(|one| wanted.contains(&id(one)));
        there = gathered.shipments.iter().map(id).collect();
        // What could not be read is not gone.
        there.extend(
            wanted
                .iter()
                .filter(|id| gathered.unreadable.iter().any(|bad| bad.id.as_deref() == id.split('/').next()))
                .cloned(),
        );
    }
    let mut page = gathered.page(list.kind);
    page.deleted = wanted
        .iter()
        .filter(|id| !there.contains(id))
        .map(|id| Deletion { remote: remote(id, None), at: None })
        .collect();
    let seen = from + wanted.len();
    page.next = (seen < ids.len()).then(|| Cursor { seen: seen as u64, ..Cursor::default() }.write());
    Ok(page)
}

fn present(shop: &Shop<'_>, list: &List, cursor: Cursor, limit: u64) -> Result<Page, Error> {
    let (fields, key, parent) = list.listed()?;
    let part = scan(shop, list, fields, list.root, list.base_filter(shop)?, &cursor, limit)?;
    let mut page = Gathered::default().page(list.kind);
    page.records = Vec::new();
    page.present = part
        .items
        .iter()
        .map(|item| Present {
            remote: remote(item["id"].as_str().unwrap_or_default(), parent.and_then(|name| item[name].as_str())),
            marker: None,
            key: item[key].as_str().map(str::to_owned),
        })
        .collect();
    page.total = Some(part.total);
    page.next = part.next.map(|next| next.write());
    Ok(page)
}

#[cfg(test)]
mod tests;
