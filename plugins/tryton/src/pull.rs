//! Reading: pages in the order of ids, one file per kind.
//!
//! A page is what follows an id, so rows that come or go in between move nothing. What changes behind the cursor is
//! newer than the reading's beginning and comes with the next one.

mod category;
mod customer;
mod order;
mod price;
mod product;
mod shipment;
mod stock;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tradepost_sdk::records::{Deletion, Kind, Present, Records, Unreadable};
use tradepost_sdk::source::{Page, Request, Scope};
use tradepost_sdk::types::{Error, RemoteRef};

use crate::api::{Api, Search, changed_since};
use crate::value;

pub(crate) use customer::{Row as CustomerRow, fields as customer_fields};
pub(crate) use product::{Rate, percent};

/// Most rows of one page: relations come with them, and Tryton computes many of the fields. Not more than ids fit
/// into one search.
const ROWS: u32 = 150;

/// Reads one page.
pub(crate) fn pull(api: &Api<'_>, request: &Request) -> Result<Page, Error> {
    let reading = Reading::new(api, request)?;
    match request.kind {
        Kind::Category => category::pull(&reading),
        Kind::Product => product::pull(&reading),
        Kind::Stock => stock::pull(reading),
        Kind::Price => price::pull(reading),
        Kind::Customer => customer::pull(&reading),
        Kind::Order => order::pull(&reading),
        Kind::Shipment => shipment::pull(&reading),
        Kind::OrderEvent => Err(Error::Unsupported("order events are derived from orders by the host".into())),
    }
}

/// Where a reading stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Shape of this cursor.
    v: u8,
    /// Second list of the reading, where a kind has two.
    #[serde(default)]
    second: bool,
    /// Last id handed over.
    after: u64,
    /// Server time when the reading began.
    mark: Option<Timestamp>,
}

/// One request for a page, understood.
struct Reading<'a> {
    api: &'a Api<'a>,
    what: What,
    size: u32,
    cursor: Cursor,
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    All,
    /// Changed since, the overlap already taken off.
    Since(Timestamp),
    Ids(Vec<String>),
    Present,
}

/// Rows of one page, with what is to be said about the ones that are not there or not readable.
struct Rows {
    rows: Vec<Value>,
    deleted: Vec<Deletion>,
    /// Id to go on after; absent at the end.
    next: Option<u64>,
}

impl<'a> Reading<'a> {
    fn new(api: &'a Api<'a>, request: &Request) -> Result<Self, Error> {
        let what = match &request.scope {
            Scope::Changed(window) => match &window.since {
                None => What::All,
                Some(since) => {
                    let overlap = SignedDuration::from_secs(api.settings.overlap_seconds.into());
                    let since = value::parse_instant(since)?.checked_sub(overlap);
                    What::Since(since.unwrap_or(Timestamp::UNIX_EPOCH))
                }
            },
            Scope::Ids(ids) => What::Ids(ids.clone()),
            Scope::Present => What::Present,
        };
        let cursor = match &request.cursor {
            None => Cursor { v: 1, second: false, after: 0, mark: api.clock()? },
            Some(text) => serde_json::from_str::<Cursor>(text)
                .ok()
                .filter(|cursor| cursor.v == 1)
                .ok_or_else(|| Error::Bug(format!("unknown cursor `{text}`")))?,
        };
        Ok(Self { api, what, size: request.limit.clamp(1, ROWS), cursor })
    }

    /// With so many records for each row, fewer rows make a page.
    fn each(mut self, records: usize) -> Self {
        self.size = (self.size / u32::try_from(records).unwrap_or(u32::MAX).max(1)).max(1);
        self
    }

    /// Narrows a search to this page. `parts` are the relations whose change counts as a change, `""` the record.
    fn rows(&self, search: Search<'_>, parts: &[&str]) -> Result<Rows, Error> {
        match &self.what {
            What::Ids(ids) => {
                let numbers: Vec<u64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
                let rows: Vec<Value> = self.api.among(&search, &numbers)?;
                let there: BTreeSet<u64> = rows.iter().filter_map(|row| row["id"].as_u64()).collect();
                let there = |id: &String| id.parse().is_ok_and(|id| there.contains(&id));
                let deleted = ids.iter().filter(|id| !there(id)).map(|id| gone(id)).collect();
                Ok(Rows { rows, deleted, next: None })
            }
            What::Since(since) => self.after(search.with(changed_since(*since, parts))),
            What::All | What::Present => self.after(search),
        }
    }

    /// The rows after the cursor.
    fn after(&self, search: Search<'_>) -> Result<Rows, Error> {
        let rows = self.api.rows(&search.page(self.cursor.after, self.size))?;
        let full = rows.len() >= self.size as usize;
        let next = rows.last().filter(|_| full).and_then(|row| row["id"].as_u64());
        Ok(Rows { rows, deleted: Vec::new(), next })
    }

    /// The ids of all there is.
    fn present(&self, search: Search<'_>, key: impl Fn(&Value) -> Option<String>) -> Result<Page, Error> {
        let rows = self.after(search)?;
        let mut page = empty();
        page.present = rows
            .rows
            .iter()
            .map(|row| {
                let marker = row["reference"].as_str().map(str::to_owned);
                Present { remote: remote(row["id"].as_u64().unwrap_or_default()), marker, key: key(row) }
            })
            .collect();
        self.finish(page, rows.next)
    }

    /// Converts rows; one that cannot be read is handed over raw and stops no other.
    fn convert<T: serde::de::DeserializeOwned, R>(
        rows: &[Value],
        page: &mut Page,
        mut convert: impl FnMut(T) -> Result<Option<R>, Error>,
    ) -> Vec<R> {
        let mut records = Vec::new();
        for row in rows {
            let read = T::deserialize(row).map_err(|error| error.to_string());
            match read.and_then(|read| convert(read).map_err(|error| why(&error))) {
                Ok(record) => records.extend(record),
                Err(why) => {
                    let id = row["id"].as_u64().map(|id| id.to_string());
                    page.unreadable.push(Unreadable { id, raw: row.to_string(), why });
                }
            }
        }
        records
    }

    /// Sets where the next page begins, or up to when all has been read.
    fn finish(&self, mut page: Page, next: Option<u64>) -> Result<Page, Error> {
        match next {
            Some(after) => page.next = Some(self.text(&Cursor { after, ..self.cursor.clone() })),
            None => page.watermark = self.cursor.mark.map(|mark| mark.to_string()),
        }
        Ok(page)
    }

    /// Goes on with the second list.
    fn second(&self, mut page: Page) -> Page {
        page.next = Some(self.text(&Cursor { after: 0, second: true, ..self.cursor.clone() }));
        page
    }

    fn text(&self, cursor: &Cursor) -> String {
        serde_json::to_string(cursor).expect("plain values are JSON")
    }
}

/// A page without anything.
fn empty() -> Page {
    Page {
        records: Vec::new(),
        deleted: Vec::new(),
        unreadable: Vec::new(),
        present: Vec::new(),
        next: None,
        watermark: None,
        receipt: None,
        total: None,
    }
}

/// A page with records of one kind.
fn filled(page: &mut Page, records: Records) {
    page.records.push(records);
}

/// A reference without owner.
pub(crate) fn remote(id: u64) -> RemoteRef {
    RemoteRef { id: id.to_string(), parent: None, version: None }
}

fn gone(id: &str) -> Deletion {
    Deletion { remote: RemoteRef { id: id.into(), parent: None, version: None }, at: None }
}

fn why(error: &Error) -> String {
    match error {
        Error::Bug(words) | Error::Unsupported(words) | Error::NotFound(words) => words.clone(),
        Error::Rejected(issues) => issues.iter().map(|issue| issue.message.clone()).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests;
