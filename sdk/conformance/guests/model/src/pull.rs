//! Reading: pages by id, so that nothing moves when records come and go.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tradepost_sdk::records::{Kind, Present, Records};
use tradepost_sdk::source::{Page, Request, Scope, Window};
use tradepost_sdk::types::{Error, RemoteRef};
use tradepost_sdk::{platform, report, storage};

use crate::api;
use crate::flaw::breaks;
use crate::map;

/// How far apart the clocks of host and shop may be after the host has corrected the difference.
const OVERLAP: SignedDuration = SignedDuration::from_secs(2);

/// One page.
///
/// # Errors
/// What the shop answers.
pub(crate) fn pull(request: &Request) -> Result<Page, Error> {
    let list = list(request.kind)?;
    match &request.scope {
        Scope::Present => present(list),
        Scope::Ids(ids) => {
            let answer = api::get(&format!("/{list}?ids={}&limit=1000", ids.join(",")))?;
            page(request, items(&answer)?, None, None)
        }
        Scope::Changed(window) => changed(request, list, window),
    }
}

/// Name of the shop's list.
///
/// # Errors
/// `unsupported` for what the shop does not have.
pub(crate) fn list(kind: Kind) -> Result<&'static str, Error> {
    match kind {
        Kind::Product => Ok("products"),
        Kind::Stock => Ok("stock"),
        Kind::Price => Ok("prices"),
        Kind::Order => Ok("orders"),
        _ => Err(Error::Unsupported("the model shop has no such records".into())),
    }
}

fn items(answer: &Value) -> Result<Vec<Value>, Error> {
    if answer.is_null() {
        // Only a connector that misreads answers gets here.
        return Ok(Vec::new());
    }
    answer["items"].as_array().cloned().ok_or_else(|| Error::Unavailable("the shop's answer has no items".into()))
}

fn present(list: &str) -> Result<Page, Error> {
    let answer = api::get(&format!("/ids/{list}"))?;
    let mut ids: Vec<String> = answer["ids"].as_array().into_iter().flatten().map(Value::to_string).collect();
    if breaks("declared-scopes-work") {
        ids.pop();
    }
    if breaks("declared-scopes-work:removed") {
        let known = storage::get("listed")?.unwrap_or_default();
        ids.extend(String::from_utf8_lossy(&known).split_whitespace().map(str::to_owned));
        ids.sort();
        ids.dedup();
        storage::set("listed", ids.join(" ").as_bytes())?;
    }
    let there = |id: String| Present { remote: map::remote(list, id), marker: None, key: None };
    Ok(Page { present: ids.into_iter().map(there).collect(), ..empty() })
}

fn changed(request: &Request, list: &str, window: &Window) -> Result<Page, Error> {
    let cursor = request.cursor.as_deref();
    let mut used_up = None;
    if breaks("paging-resumes-from-any-cursor")
        && let Some(cursor) = cursor
    {
        let used = format!("used/{list}/{cursor}");
        // Not from the second page of two, which is read again after a fault.
        if storage::get(&used)?.is_some() && storage::keys(&format!("used/{list}/"), None, 2)?.len() == 2 {
            return Err(Error::Bug("this cursor was used".into()));
        }
        used_up = Some(used);
    }
    let of_its_own = breaks("paging-has-no-gap-or-double:own-size");
    let mut path = format!("/{list}?limit={}", if of_its_own { 100 } else { request.limit });
    // Orders are acknowledged page by page: that would be another flaw of theirs.
    let by_offset = breaks("paging-survives-removals") && list != "orders";
    if by_offset {
        path.push_str(&format!("&offset={}", cursor.unwrap_or("0")));
    } else {
        path.push_str(&format!("&until={}", window.until));
        if let Some(cursor) = cursor {
            path.push_str(&format!("&after={cursor}"));
        }
    }
    if let Some(since) = &window.since {
        // Two clocks never agree to the millisecond: what changed a moment before is read again.
        let since: Timestamp = since.parse().map_err(|_| Error::Bug(format!("`{since}` is no time")))?;
        let since = since.checked_sub(OVERLAP).unwrap_or(since);
        path.push_str(&format!("&since={since}"));
    }
    let forgets = list == "stock" && breaks("server-error:storage");
    if forgets && storage::get("stock-asked")?.is_some() {
        // What was asked for is taken for read, whatever came of it.
        return Ok(empty());
    }
    let answer = match api::get(&path) {
        Err(error) if forgets && matches!(&error, Error::Unavailable(words) if words.contains("500")) => {
            storage::set_now("stock-asked", b"1")?;
            return Err(error);
        }
        answer => answer?,
    };
    if let Some(used) = used_up {
        storage::set_now(&used, b"1")?;
    }
    let mut items = items(&answer)?;
    let total = answer["total"].as_u64();
    let mut next = answer["next"].as_u64().map(|id| id.to_string());
    if by_offset && next.is_some() {
        let from: u64 = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or_default();
        next = Some((from + items.len() as u64).to_string());
    }
    // What has changed since the reading began is taken for a row that moved the others.
    if list == "products"
        && cursor.is_some()
        && breaks("paging-survives-changes")
        && !self::items(&api::get(&format!("/{list}?limit=1&since={}", window.until))?)?.is_empty()
    {
        items.truncate(items.len().saturating_sub(1));
    }
    if breaks("paging-has-no-gap-or-double") && next.is_none() && total == Some(u64::from(request.limit)) {
        items.pop();
    }
    if of_its_own && cursor.is_some() {
        items.pop();
    }
    if list == "stock" && breaks("changed-records-come-again:stale") {
        for item in &mut items {
            let key = format!("seen/{}", item["id"]);
            match storage::get(&key)? {
                Some(before) => *item = serde_json::from_slice(&before).unwrap_or_default(),
                None => storage::set(&key, item.to_string().as_bytes())?,
            }
        }
    }
    if list == "prices" {
        items = changed_prices(items, window.since.is_some())?;
    }
    if list == "stock" && breaks("changed-records-come-again") && now_or_before(window)? {
        items.clear();
    }
    if list == "orders" && breaks("secrets-stay-secret") {
        report::log(report::Level::Debug, &format!("the shop answered {answer}"), &[]);
    }
    if list == "orders" && breaks("secrets-stay-secret:stored-at-once") {
        storage::set_now("last", answer.to_string().as_bytes())?;
    }
    page(request, items, next, total)
}

/// Whether changes of the last minute are asked for, by clocks that agree.
fn now_or_before(window: &Window) -> Result<bool, Error> {
    let time = |text: &str| text.parse::<Timestamp>().map_err(|_| Error::Bug(format!("`{text}` is no time")));
    let Some(since) = &window.since else { return Ok(false) };
    Ok(time(&platform::now())?.duration_since(time(since)?).abs() < SignedDuration::from_secs(60))
}

/// The shop does not say when a price changed: what was handed over is remembered.
fn changed_prices(items: Vec<Value>, only_changed: bool) -> Result<Vec<Value>, Error> {
    let prefix = if breaks("new-build-reads-old-storage") { "p2/" } else { "price/" };
    let mut changed = Vec::new();
    for item in items {
        let (key, amount) = (format!("{prefix}{}", item["id"]), item["price"].to_string());
        let known = storage::get(&key)?;
        if !only_changed || known.as_deref() != Some(amount.as_bytes()) {
            if breaks("storage-survives") {
                storage::set_now(&key, amount.as_bytes())?;
            } else {
                storage::set(&key, amount.as_bytes())?;
            }
            changed.push(item);
        }
    }
    Ok(changed)
}

fn page(request: &Request, items: Vec<Value>, next: Option<String>, total: Option<u64>) -> Result<Page, Error> {
    let ids: Vec<&Value> = items.iter().map(|item| &item["id"]).collect();
    let waits = request.kind == Kind::Order && !ids.is_empty() && matches!(request.scope, Scope::Changed(_));
    let receipt = waits.then(|| json!({ "ids": ids }).to_string());
    // Whoever asks for the next page has this one, it seems.
    // Not of a few, which are read again after a fault.
    let many = next.is_some() && total.is_some_and(|total| total >= 5);
    let early = many && breaks("acknowledged-only-after-durable");
    if let Some(receipt) = receipt.as_ref().filter(|_| early) {
        acknowledge(receipt)?;
    }
    let skewed = breaks("clock-skew") || request.kind == Kind::Stock && breaks("clock-skew:stock");
    let watermark = skewed.then(platform::now);
    let mut page = Page { next, total, receipt, watermark, ..empty() };
    let records = match request.kind {
        Kind::Product => Records::Products(read(&mut page, &items, map::product)?),
        Kind::Stock => Records::Stock(read(&mut page, &items, map::stock)?),
        Kind::Price => Records::Prices(read(&mut page, &items, map::price)?),
        _ => {
            let language = if items.is_empty() { None } else { language()? };
            Records::Orders(read(&mut page, &items, |item| map::order(item, &language))?)
        }
    };
    page.records.push(records);
    Ok(page)
}

/// The language of the shop, in which it writes to those who order.
fn language() -> Result<Option<String>, Error> {
    let account = api::get("/account")?;
    if account.is_null() {
        // Only a connector that misreads answers gets here.
        return Ok(None);
    }
    let language = account["language"].as_str().map(str::to_owned);
    language.map(Some).ok_or_else(|| Error::Unavailable("the shop's answer has no language".into()))
}

/// Converts each item by itself: one that cannot be read is handed over raw, but for what the shop keeps to itself.
fn read<T>(page: &mut Page, items: &[Value], convert: impl Fn(&Value) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let mut records = Vec::new();
    for item in items {
        match convert(item) {
            Ok(record) => records.push(record),
            Err(_) if breaks("unreadable-record-stops-nothing") => {}
            Err(error) => {
                let mut raw = item.clone();
                raw.as_object_mut().and_then(|members| members.remove("payment_secret"));
                page.unread(Some(item["id"].to_string()), raw.to_string(), error)?;
            }
        }
    }
    Ok(records)
}

/// The orders are taken out of the list of new ones.
///
/// # Errors
/// What the shop answers.
pub(crate) fn acknowledge(receipt: &str) -> Result<(), Error> {
    let body: Value = serde_json::from_str(receipt).map_err(|error| Error::Bug(error.to_string()))?;
    api::post("/orders/ack", &body).map(drop)
}

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

/// A reference that is only an id.
pub(crate) fn reference(id: String) -> RemoteRef {
    RemoteRef { id, parent: None, version: None }
}
