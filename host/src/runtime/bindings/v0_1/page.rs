//! Requests and pages of `source`, probes and matches of `target`.

use super::value::{self, Invalid, Read, invalid, list, part, remote_ref, timestamp_opt, to_remote_ref, to_timestamp};
use super::wit::exports::tradepost::connector::{source as xs, target as xt};
use super::wit::tradepost::connector::{records as wr, types as wt};
use super::{Reading, category, customer, order, price, product, shipment, stock};
use crate::model::{Found, Kind, Page, Present, Probe, PullRequest, Record, Scope, Unreadable};

/// Longest cursor and receipt, in bytes.
const TOKEN: usize = 4 << 10;
/// Most that is kept of a record that cannot be read, in bytes.
const RAW: usize = 64 << 10;

/// The contract's name of a kind.
#[must_use]
pub fn kind(kind: Kind) -> wr::Kind {
    match kind {
        Kind::Category => wr::Kind::Category,
        Kind::Product => wr::Kind::Product,
        Kind::Stock => wr::Kind::Stock,
        Kind::Price => wr::Kind::Price,
        Kind::Customer => wr::Kind::Customer,
        Kind::Order => wr::Kind::Order,
        Kind::OrderEvent => wr::Kind::OrderEvent,
        Kind::Shipment => wr::Kind::Shipment,
    }
}

/// The model's name of a kind.
pub(super) fn from_kind(kind: wr::Kind) -> Kind {
    match kind {
        wr::Kind::Category => Kind::Category,
        wr::Kind::Product => Kind::Product,
        wr::Kind::Stock => Kind::Stock,
        wr::Kind::Price => Kind::Price,
        wr::Kind::Customer => Kind::Customer,
        wr::Kind::Order => Kind::Order,
        wr::Kind::OrderEvent => Kind::OrderEvent,
        wr::Kind::Shipment => Kind::Shipment,
    }
}

/// A request for one page.
#[must_use]
pub fn pull_request(request: &PullRequest) -> xs::Request {
    xs::Request {
        kind: kind(request.kind),
        scope: match &request.scope {
            Scope::Changed { since, until } => {
                xs::Scope::Changed(xs::Window { since: since.map(to_timestamp), until: to_timestamp(*until) })
            }
            Scope::Ids(ids) => xs::Scope::Ids(ids.clone()),
            Scope::Present => xs::Scope::Present,
        },
        cursor: request.cursor.clone(),
        limit: request.limit.min(1000),
    }
}

/// The ids of all blobs that a page mentions; [`Reading::contents`] must know them.
pub(in crate::runtime) fn blobs_of(page: &xs::Page) -> Vec<String> {
    use super::wit::tradepost::connector::catalog::Medium;
    let ids = |media: &Option<Vec<Medium>>| -> Vec<String> {
        media.iter().flatten().filter_map(|medium| Some(medium.content.blob.as_ref()?.id.clone())).collect()
    };
    let mut all = Vec::new();
    for records in &page.records {
        match records {
            wr::Records::Categories(list) => all.extend(list.iter().flat_map(|category| ids(&category.pictures))),
            wr::Records::Products(list) => {
                for product in list {
                    all.extend(ids(&product.pictures));
                    all.extend(product.variants.iter().flatten().flat_map(|variant| ids(&variant.pictures)));
                }
            }
            _ => {}
        }
    }
    all
}

/// Items of a page, for its limit.
pub(in crate::runtime) fn items_of(page: &xs::Page) -> u64 {
    let records: usize = page
        .records
        .iter()
        .map(|records| match records {
            wr::Records::Categories(list) => list.len(),
            wr::Records::Products(list) => list.len(),
            wr::Records::Stock(list) => list.len(),
            wr::Records::Prices(list) => list.len(),
            wr::Records::Customers(list) => list.len(),
            wr::Records::Orders(list) => list.len(),
            wr::Records::OrderEvents(list) => list.len(),
            wr::Records::Shipments(list) => list.len(),
        })
        .sum();
    (records + page.deleted.len() + page.unreadable.len() + page.present.len()) as u64
}

/// A page. Records that cannot be read are among its unreadable ones.
///
/// # Errors
/// When the page itself is not what the contract says: records of another kind, an unusable cursor, receipt or
/// watermark.
pub fn page(asked: Kind, page: xs::Page, reading: &Reading<'_>) -> Result<Page, Invalid> {
    let xs::Page { records, deleted, unreadable, present, next, watermark, receipt, total } = page;
    let mut read = Page {
        next: token("next", next)?,
        receipt: token("receipt", receipt)?,
        watermark: timestamp_opt("watermark", watermark)?,
        total,
        unreadable: unreadable
            .into_iter()
            .map(|wr::Unreadable { id, raw, why }| Unreadable { id, raw: capped(raw), why })
            .collect(),
        ..Page::default()
    };
    for records in records {
        match (asked, records) {
            (Kind::Category, wr::Records::Categories(all)) => {
                gather(&mut read, all, |record| record.head.remote.as_ref(), |record| category::read(record, reading));
            }
            (Kind::Product, wr::Records::Products(all)) => {
                gather(&mut read, all, |record| record.head.remote.as_ref(), |record| product::read(record, reading));
            }
            (Kind::Stock, wr::Records::Stock(all)) => {
                gather(&mut read, all, |record| record.head.remote.as_ref(), stock::read);
            }
            (Kind::Price, wr::Records::Prices(all)) => {
                gather(&mut read, all, |record| record.head.remote.as_ref(), price::read);
            }
            (Kind::Customer, wr::Records::Customers(all)) => {
                gather(&mut read, all, |record| record.head.remote.as_ref(), customer::read);
            }
            (Kind::Order, wr::Records::Orders(all)) => {
                gather(&mut read, all, |record| record.head.remote.as_ref(), |record| order::read(record, reading));
            }
            (Kind::Shipment, wr::Records::Shipments(all)) => {
                gather(&mut read, all, |record| record.head.remote.as_ref(), shipment::read);
            }
            (_, wr::Records::OrderEvents(_)) => {
                return invalid("records", "order events are not read; the host derives them from orders");
            }
            _ => return invalid("records", format!("there are records of another kind than `{asked}`")),
        }
    }
    for deletion in deleted {
        let raw = format!("{:#?}", deletion.remote);
        match remote_ref("remote", deletion.remote) {
            Ok(remote) => read.deleted.push(remote),
            Err(error) => read.unreadable.push(Unreadable { id: None, raw: capped(raw), why: error.to_string() }),
        }
    }
    for wr::Present { remote, marker, key } in present {
        let raw = format!("{remote:#?}");
        match remote_ref("remote", remote) {
            Ok(remote) => read.present.push(Present { remote, marker: value::filled(marker), key: value::filled(key) }),
            Err(error) => read.unreadable.push(Unreadable { id: None, raw: capped(raw), why: error.to_string() }),
        }
    }
    Ok(read)
}

fn gather<T: Clone + std::fmt::Debug>(
    page: &mut Page,
    records: Vec<T>,
    remote: impl Fn(&T) -> Option<&wt::RemoteRef>,
    read: impl Fn(T) -> Read<Record>,
) {
    page.records.reserve(records.len());
    for record in records {
        // A copy is cheaper than writing every record down in case it cannot be read.
        match read(record.clone()) {
            Ok(record) => page.records.push(record),
            Err(error) => page.unreadable.push(Unreadable {
                id: remote(&record).map(|remote| remote.id.clone()).filter(|id| !id.is_empty()),
                raw: capped(format!("{record:#?}")),
                why: error.to_string(),
            }),
        }
    }
}

fn token(path: &str, token: Option<String>) -> Read<Option<String>> {
    match token {
        Some(token) if token.len() > TOKEN => {
            invalid(path, format!("it has {} bytes, at most {TOKEN} are allowed", token.len()))
        }
        token => Ok(token),
    }
}

fn capped(mut raw: String) -> String {
    if raw.len() > RAW {
        raw.truncate(raw.floor_char_boundary(RAW));
        raw.push('…');
    }
    raw
}

/// What `find` looks for.
#[must_use]
pub fn probe(probe: &Probe) -> xt::Probe {
    let field = |(name, value): &(String, String)| wt::Field { name: name.clone(), value: value.clone() };
    xt::Probe {
        item: probe.item.clone(),
        marker: probe.marker.clone(),
        of: probe.of.as_ref().map(to_remote_ref),
        keys: probe.keys.iter().map(field).collect(),
    }
}

/// The matches per probe.
///
/// # Errors
/// When a match has no usable id or the lists are not as many as the probes: then nothing was proved.
pub fn found(probes: usize, found: Vec<Vec<xt::Found>>) -> Result<Vec<Vec<Found>>, Invalid> {
    if found.len() != probes {
        return invalid("found", format!("{} answers to {probes} probes", found.len()));
    }
    list("found", found, |matches| {
        list("matches", matches, |xt::Found { remote, marker, whole, parts }| {
            Ok(Found {
                remote: remote_ref("remote", remote)?,
                marker: value::filled(marker),
                whole,
                parts: list("parts", parts, part)?,
            })
        })
    })
}

/// What `remove` takes away.
pub(in crate::runtime) fn doomed(doomed: &crate::model::Doomed) -> xt::Doomed {
    xt::Doomed { item: doomed.item.clone(), remote: to_remote_ref(&doomed.remote) }
}

#[cfg(test)]
mod tests;
