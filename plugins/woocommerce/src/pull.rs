//! Reading: pages in the order of ids.
//!
//! Lists cannot be sorted by the time of change, so a list of changes is read in the order of ids. Rows that come or go
//! meanwhile move the others: a page begins before what was seen last and drops what was seen (see [`Walk`]). What
//! changes behind the cursor is newer than the reading's beginning and comes with the next one.

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tradepost_sdk::paging;
use tradepost_sdk::records::{Deletion, Kind, Present, Records};
use tradepost_sdk::source::{Page, Request, Scope};
use tradepost_sdk::types::Error;

use crate::api::{MOST, Shop, read};
use crate::map::catalogue::{self, Article, RawCategory, Words};
use crate::map::orders::{self, RawOrder};
use crate::map::trade::{self, RawCustomer};
use crate::map::{MARKER, Meta, as_gmt, filled, gmt, meta, remote};

/// Rows that a page reads again to tell that nothing moved.
const OVERLAP: usize = 5;

/// Reads one page.
///
/// # Errors
/// What the shop answers.
pub fn pull(shop: &Shop, request: &Request) -> Result<Page, Error> {
    if request.kind == Kind::OrderEvent {
        return Err(Error::Unsupported("order events are derived from orders by the host".into()));
    }
    let cursor: Cursor = paging::resume(request)?;
    let limit = (request.limit as usize).clamp(1, shop.settings.page_size.clamp(1, 100) as usize);
    match &request.scope {
        Scope::Changed(window) => {
            let since = window.since.as_deref().map(|since| overlapped(shop, since)).transpose()?;
            changed(shop, request.kind, since, cursor, limit)
        }
        Scope::Ids(ids) => by_ids(shop, request.kind, ids, &cursor, limit),
        Scope::Present => present(shop, request.kind, cursor),
    }
}

/// Where a reading goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Which of the kind's lists is read.
    phase: u8,
    /// Rows of it seen so far: where the next page is, unless rows came or went.
    seen: usize,
    /// Last id seen.
    after: u64,
    /// The shop's clock when the reading began.
    mark: Option<String>,
}

/// The lists that are read one after the other when changes are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    /// What has changed, or everything.
    Rows,
    /// Products with variations of which some have changed: that does not show in their time stamps.
    Parents,
    /// What was put into the trash.
    Trash,
}

fn lists(kind: Kind, since: Option<Timestamp>) -> &'static [List] {
    match (kind, since) {
        (Kind::Product, Some(_)) => &[List::Rows, List::Parents, List::Trash],
        (Kind::Price, Some(_)) => &[List::Rows, List::Parents],
        (Kind::Order, Some(_)) => &[List::Rows, List::Trash],
        _ => &[List::Rows],
    }
}

/// Path of a kind's list, with the filter that is always there.
fn root(kind: Kind) -> &'static str {
    match kind {
        Kind::Category => "/products/categories?hide_empty=false",
        Kind::Product | Kind::Stock | Kind::Price => "/products?status=any",
        Kind::Customer => "/customers?role=customer",
        Kind::Order | Kind::OrderEvent | Kind::Shipment => "/orders?status=any",
    }
}

/// The shop's times are whole seconds, and some are taken before what they stamp can be read.
fn overlapped(shop: &Shop, since: &str) -> Result<Timestamp, Error> {
    let since = tradepost_sdk::time::instant(since)?;
    let overlap = SignedDuration::from_secs(shop.settings.overlap_seconds.into());
    Ok(since.checked_sub(overlap).unwrap_or(Timestamp::UNIX_EPOCH))
}

fn window(since: Timestamp) -> String {
    format!("&modified_after={}&dates_are_gmt=true", as_gmt(since))
}

/// A list in the order of ids.
struct Walk {
    rows: Vec<Value>,
    /// Where to go on; absent at the end.
    next: Option<Cursor>,
}

/// The rows after the cursor. The page is asked for by its place and checked by its ids: it must begin with a row that
/// was seen, or nothing tells that none was passed over.
fn walk(shop: &Shop, path: &str, cursor: &Cursor, limit: usize) -> Result<Walk, Error> {
    let size = (limit + OVERLAP.min(cursor.seen)).min(MOST);
    let mut offset = cursor.seen.saturating_sub(OVERLAP);
    loop {
        let rows: Vec<Value> = shop.get(&format!("{path}&orderby=id&order=asc&per_page={size}&offset={offset}"))?;
        let id = |row: &Value| row["id"].as_u64().unwrap_or_default();
        let begins_late = offset > 0 && rows.first().is_none_or(|row| id(row) > cursor.after);
        if begins_late {
            // Rows before the cursor are gone: what follows moved forward.
            offset = offset.saturating_sub(MOST);
            continue;
        }
        let full = rows.len() >= size;
        let read = rows.len();
        let fresh: Vec<Value> = rows.into_iter().filter(|row| id(row) > cursor.after).collect();
        if fresh.is_empty() && full {
            // Rows came in before the cursor: what follows moved back.
            offset += read - 1;
            continue;
        }
        let next = full.then(|| Cursor {
            seen: offset + read,
            after: fresh.last().map_or(cursor.after, id),
            ..cursor.clone()
        });
        return Ok(Walk { rows: fresh, next });
    }
}

fn changed(shop: &Shop, kind: Kind, since: Option<Timestamp>, mut cursor: Cursor, limit: usize) -> Result<Page, Error> {
    let lists = lists(kind, since);
    let list = lists.get(usize::from(cursor.phase)).copied().unwrap_or(List::Rows);
    // Categories, customers and stock know no changes: every reading is a full one.
    let filter = match (kind, since) {
        (Kind::Product | Kind::Price | Kind::Order | Kind::Shipment, Some(since)) => window(since),
        _ => String::new(),
    };
    let path = match list {
        List::Rows => format!("{}{filter}", root(kind)),
        List::Parents => format!("{}&type=variable", root(kind)),
        List::Trash => format!("{}{filter}", root(kind).replace("status=any", "status=trash")),
    };
    let walk = walk(shop, &path, &cursor, limit)?;
    cursor.mark = cursor.mark.or_else(|| shop.clock().map(|clock| clock.to_string()));
    let mut gathered = Gathered::new(kind);
    for row in walk.rows {
        match list {
            List::Rows => gathered.take(shop, row)?,
            List::Trash => gathered.page.deleted.push(deletion(&row)?),
            List::Parents => {
                let id = row["id"].as_u64().unwrap_or_default();
                let some: Vec<Value> = shop.get(&format!("/products/{id}/variations?status=any&per_page=1{filter}"))?;
                if !some.is_empty() {
                    gathered.take(shop, row)?;
                }
            }
        }
    }
    let mut page = gathered.finish();
    let next = match walk.next {
        Some(next) => Some(Cursor { mark: cursor.mark.clone(), ..next }),
        None if usize::from(cursor.phase) + 1 < lists.len() => {
            Some(Cursor { phase: cursor.phase + 1, mark: cursor.mark.clone(), ..Cursor::default() })
        }
        None => None,
    };
    match next {
        Some(next) => page.next = Some(paging::cursor(&next)?),
        None => page.watermark = cursor.mark,
    }
    Ok(page)
}

fn deletion(row: &Value) -> Result<Deletion, Error> {
    let at = gmt(row["date_modified_gmt"].as_str())?;
    Ok(Deletion { remote: remote(row["id"].as_u64().unwrap_or_default(), None), at: at.map(|at| at.to_string()) })
}

/// Reads objects one by one: a list of ids would leave out the variations.
fn by_ids(shop: &Shop, kind: Kind, ids: &[String], cursor: &Cursor, limit: usize) -> Result<Page, Error> {
    let some = &ids[cursor.seen.min(ids.len())..ids.len().min(cursor.seen + limit)];
    let mut gathered = Gathered::new(kind);
    for id in some {
        let gone = || Deletion {
            remote: tradepost_sdk::types::RemoteRef { id: id.clone(), parent: None, version: None },
            at: None,
        };
        // A shipment is named by its order and its key.
        let number = id.split('/').next().unwrap_or_default();
        let path = root(kind).split('?').next().unwrap_or_default();
        let found: Option<Value> = match number.parse::<u64>() {
            Ok(number) => shop.look(&format!("{path}/{number}"))?,
            Err(_) => None,
        };
        match found.filter(|row| row["status"] != "trash") {
            None => gathered.page.deleted.push(gone()),
            Some(row) => {
                gathered.only = Some(id.clone());
                let before = gathered.count();
                gathered.take(shop, row)?;
                // An order without that shipment, a product without that variation.
                if gathered.count() == before {
                    gathered.page.deleted.push(gone());
                }
            }
        }
    }
    let mut page = gathered.finish();
    let seen = cursor.seen + some.len();
    if seen < ids.len() {
        page.next = Some(paging::cursor(&Cursor { seen, ..Cursor::default() })?);
    }
    Ok(page)
}

fn present(shop: &Shop, kind: Kind, cursor: Cursor) -> Result<Page, Error> {
    let walk = walk(shop, root(kind), &cursor, MOST)?;
    let mut page = Page::empty();
    for row in walk.rows {
        if matches!(row["status"].as_str(), Some("checkout-draft" | "auto-draft")) {
            continue;
        }
        let fields: Vec<Meta> = serde_json::from_value(row["meta_data"].clone()).unwrap_or_default();
        let key = match kind {
            Kind::Category => "slug",
            Kind::Customer => "email",
            Kind::Order => "number",
            _ => "sku",
        };
        page.present.push(Present {
            remote: remote(row["id"].as_u64().unwrap_or_default(), None),
            marker: meta(&fields, MARKER),
            key: filled(row[key].as_str()),
        });
    }
    page.next = walk.next.as_ref().map(paging::cursor).transpose()?;
    Ok(page)
}

/// Records of one page.
struct Gathered {
    kind: Kind,
    page: Page,
    /// The only id that is wanted of what an object gives.
    only: Option<String>,
    categories: Vec<RawCategory>,
    records: Records,
}

impl Gathered {
    fn new(kind: Kind) -> Self {
        Self { kind, page: Page::empty(), only: None, categories: Vec::new(), records: Records::none(kind) }
    }

    fn count(&self) -> usize {
        self.records.len() + self.page.unreadable.len()
    }

    /// Converts an object; one that cannot be read is handed over raw and stops no other.
    fn take(&mut self, shop: &Shop, row: Value) -> Result<(), Error> {
        let raw = row.to_string();
        let id = row["id"].as_u64().map(|id| id.to_string());
        self.convert(shop, row).or_else(|error| self.page.unread(id, raw, error))
    }

    fn convert(&mut self, shop: &Shop, row: Value) -> Result<(), Error> {
        let only = self.only.clone();
        let wanted = |id: u64| only.as_ref().is_none_or(|only| *only == id.to_string());
        match &mut self.records {
            Records::Categories(all) => {
                let raw: RawCategory = read(row)?;
                if raw.parent > 0 && !self.categories.iter().any(|known| known.id == raw.parent) {
                    self.categories.extend(shop.look(&format!("/products/categories/{}", raw.parent))?);
                }
                all.push(catalogue::category(&raw, &self.categories, &shop.settings.language));
                self.categories.push(raw);
            }
            Records::Products(all) => {
                let raw: Article = read(row)?;
                if raw.what == "variation" {
                    return Ok(());
                }
                let words = Words {
                    language: &shop.settings.language,
                    unit: shop.settings.weight_unit,
                    rates: shop.rates()?,
                    country: &shop.money()?.country,
                };
                all.push(catalogue::product(&raw, &variations(shop, &raw)?, &words)?);
            }
            Records::Stock(all) => {
                for (raw, product) in sold(shop, row)? {
                    if wanted(raw.id) {
                        all.push(trade::stock(&raw, &product)?);
                    }
                }
            }
            Records::Prices(all) => {
                for (raw, _) in sold(shop, row)? {
                    if wanted(raw.id) {
                        all.extend(trade::prices(&raw, shop.money()?)?);
                    }
                }
            }
            Records::Customers(all) => all.push(trade::customer(&read::<RawCustomer>(row)?)?),
            Records::Orders(all) => {
                let raw: RawOrder = read(row)?;
                if !raw.is_cart() {
                    all.push(orders::order(&raw, &shop.settings)?);
                }
            }
            Records::Shipments(all) => {
                let found = orders::shipments(&read::<RawOrder>(row)?, &shop.settings)?;
                let this = |id: &str| only.as_ref().is_none_or(|only| only == id);
                all.extend(found.into_iter().filter(|one| one.head.remote.as_ref().is_some_and(|at| this(&at.id))));
            }
            Records::OrderEvents(_) => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Page {
        debug_assert!(self.kind != Kind::OrderEvent);
        self.page.records.push(self.records);
        self.page
    }
}

/// Every variation of a product, in the order of ids.
///
/// # Errors
/// What the shop answers.
pub fn variations(shop: &Shop, product: &Article) -> Result<Vec<Article>, Error> {
    if !product.variable() {
        return Ok(Vec::new());
    }
    let rows = shop.all(&format!("/products/{}/variations?status=any&orderby=id&order=asc", product.id))?;
    rows.into_iter()
        .map(|mut row| {
            // Older shops leave both out of this list.
            row["type"] = "variation".into();
            row["parent_id"] = product.id.into();
            read(row)
        })
        .collect()
}

/// What is bought of a product, with what it belongs to. What has no SKU of its own is told of with the products.
fn sold(shop: &Shop, row: Value) -> Result<Vec<(Article, Article)>, Error> {
    let raw: Article = read(row)?;
    if raw.what == "variation" {
        let product: Article = shop.get(&format!("/products/{}", raw.parent_id))?;
        return Ok(vec![(raw, product)]);
    }
    if !raw.variable() {
        return Ok(if raw.sku.trim().is_empty() { Vec::new() } else { vec![(raw.clone(), raw)] });
    }
    let all = variations(shop, &raw)?;
    let own = |one: &Article| !one.sku.trim().is_empty() && one.sku != raw.sku;
    Ok(all.into_iter().filter(own).map(|one| (one, raw.clone())).collect())
}

/// Reads objects whose ids are known, one by one.
///
/// # Errors
/// What the shop answers.
pub fn object<T: DeserializeOwned>(shop: &Shop, path: &str, id: &str) -> Result<Option<T>, Error> {
    match id.parse::<u64>() {
        Ok(id) => shop.look(&format!("{path}/{id}")),
        Err(_) => Ok(None),
    }
}
