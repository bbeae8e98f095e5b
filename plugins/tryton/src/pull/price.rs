//! Prices: the list price of each variant, and the special price of one price list.
//!
//! A line that is taken out of a price list leaves no trace, so the lines are remembered in the connector's storage
//! and compared. Should they be lost, all prices are read once more; nothing else depends on them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tradepost_sdk::catalog::{Price, PriceKind};
use tradepost_sdk::records::Records;
use tradepost_sdk::rejected;
use tradepost_sdk::source::Page;
use tradepost_sdk::types::{Error, Link, RemoteRef, TaxBasis};

use super::product::sold;
use super::{Reading, Rows, What, empty, filled, remote};
use crate::api::{Api, Id, Search, changed_since};
use crate::map;
use crate::value::{self, Exact, Instant};

const FIELDS: &[&str] = &["code", "active", "template.id", "list_price_used"];
const SPECIAL: &[&str] = &["sale_price_uom"];
/// Products of changed lines that are named in a search; beyond that, all prices are read.
const MANY: usize = 100;
/// Key of the lines as they were when the last complete reading began.
const SEEN: &str = "special-lines";
/// Key of the lines as they were when the reading under way began.
const BEGUN: &str = "special-lines-begun";

#[derive(Debug, Deserialize)]
struct Row {
    id: u64,
    code: Option<String>,
    active: Option<bool>,
    template: Id,
    list_price_used: Option<Exact>,
}

#[derive(Debug, Deserialize)]
struct SpecialRow {
    id: u64,
    sale_price_uom: Option<Exact>,
}

#[derive(Debug, Deserialize)]
struct List {
    id: u64,
    tax_included: Option<bool>,
    /// Of what formulas start: list price, cost price or nothing.
    price: Option<String>,
    #[serde(default)]
    lines: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Line {
    id: u64,
    product: Option<Id>,
    formula: String,
    write_date: Option<Instant>,
}

/// What is remembered of a price list. Values are compared, never read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    list: String,
    /// By id of the line: the product (none: many) and the line's content.
    lines: BTreeMap<u64, (Option<u64>, String)>,
}

/// Whose special price may have changed.
#[derive(Debug, PartialEq, Eq)]
enum Touched {
    Products(BTreeSet<u64>),
    All,
}

pub(super) fn pull(reading: Reading<'_>) -> Result<Page, Error> {
    let api = reading.api;
    let list = special_list(api)?;
    let reading = &reading.each(1 + usize::from(list.is_some()));
    let memory = list.as_ref().map(Memory::of);
    let search = Search::of("product.product", FIELDS).with(sold(api, "template.")).all();
    let Rows { rows, deleted, next } = match &reading.what {
        What::Present => return reading.present(search, |row| row["code"].as_str().map(str::to_owned)),
        What::Since(since) => match touched(reading, memory.as_ref())? {
            Touched::All => reading.after(search)?,
            Touched::Products(ids) => reading.after(search.with(changed(*since, &ids)))?,
        },
        What::All => {
            remember(reading, memory.as_ref())?;
            reading.after(search)?
        }
        What::Ids(_) => reading.rows(search, &[])?,
    };
    let mut page = empty();
    page.deleted = deleted;
    let specials = match &list {
        Some(list) => specials(api, list, &super::category::ids(&rows))?,
        None => BTreeMap::new(),
    };
    let currency = &api.company()?.currency.code;
    let prices = Reading::convert(&rows, &mut page, |row: Row| {
        // Its code may be in use again by another variant; nothing is sold of this one.
        if row.active == Some(false) {
            return Ok(None);
        }
        let Some(sku) = map::some(row.code.as_deref()) else { return Ok(None) };
        let mut prices = vec![price(&row, &sku, currency, PriceKind::Base, TaxBasis::Net, row.list_price_used)];
        if let Some(list) = &list {
            let basis = if list.tax_included.unwrap_or_default() { TaxBasis::Gross } else { TaxBasis::Net };
            // A list whose last line is "as usual" makes no special price of that.
            let usual = |special: &Exact| basis == TaxBasis::Net && Some(*special) == row.list_price_used;
            let special = specials.get(&row.id).copied().filter(|special| !usual(special));
            prices.push(price(&row, &sku, currency, PriceKind::Special, basis, special));
        }
        Ok(Some(prices))
    });
    filled(&mut page, Records::Prices(prices.into_iter().flatten().collect()));
    if next.is_none() && !matches!(reading.what, What::Ids(_)) && memory.is_some() {
        // What changed while the pages were read is compared with what it was when they began.
        let begun = api.host.load(BEGUN)?;
        let begun = match begun {
            Some(begun) => begun,
            None => to_bytes(memory.as_ref()),
        };
        api.host.store(SEEN, &begun)?;
    }
    reading.finish(page, next)
}

/// What is changed since, by itself, by its template, by its price, or by the price list.
fn changed(since: jiff::Timestamp, special: &BTreeSet<u64>) -> Value {
    let mut clause = changed_since(since, &["", "template.", "list_prices.", "template.list_prices."]);
    if let (Some(clause), false) = (clause.as_array_mut(), special.is_empty()) {
        clause.push(json!(["id", "in", special]));
    }
    clause
}

fn special_list(api: &Api<'_>) -> Result<Option<List>, Error> {
    let name = api.settings.special_price_list.trim();
    if name.is_empty() {
        return Ok(None);
    }
    let fields = &["tax_included", "price", "lines.product.id", "lines.formula", "lines.quantity", "lines.write_date"];
    let mut found: Vec<List> = api.find(&Search::of("product.price_list", fields).with(json!(["name", "=", name])))?;
    match (found.pop(), found.is_empty()) {
        (Some(list), true) => Ok(Some(list)),
        (Some(_), false) => {
            Err(rejected("special_price_list", format!("Tryton has several price lists named `{name}`.")))
        }
        // Reading on would take every special price away.
        (None, _) => Err(rejected(
            "special_price_list",
            format!("Tryton has no active price list named `{name}`. Correct `special_price_list`."),
        )),
    }
}

/// Special prices as Tryton computes them for one piece.
fn specials(api: &Api<'_>, list: &List, ids: &[u64]) -> Result<BTreeMap<u64, Exact>, Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let search = Search::of("product.product", SPECIAL).all();
    let search = search.context("price_list", json!(list.id)).context("quantity", json!(1.0));
    let rows: Vec<SpecialRow> = api.among(&search, ids)?;
    Ok(rows.into_iter().filter_map(|row| Some((row.id, row.sale_price_uom?))).collect())
}

/// Compares the price list with what it was, on every page with the same result.
fn touched(reading: &Reading<'_>, now: Option<&Memory>) -> Result<Touched, Error> {
    let Some(now) = now else { return Ok(Touched::Products(BTreeSet::new())) };
    let begun = if reading.cursor.after == 0 { None } else { stored(reading.api, BEGUN)? };
    let begun = match begun {
        Some(begun) => begun,
        None => {
            remember(reading, Some(now))?;
            now.clone()
        }
    };
    let Some(seen) = stored(reading.api, SEEN)? else { return Ok(Touched::All) };
    Ok(seen.differs(&begun))
}

fn remember(reading: &Reading<'_>, now: Option<&Memory>) -> Result<(), Error> {
    if reading.cursor.after == 0 && now.is_some() {
        reading.api.host.store(BEGUN, &to_bytes(now))?;
    }
    Ok(())
}

fn stored(api: &Api<'_>, key: &str) -> Result<Option<Memory>, Error> {
    Ok(api.host.load(key)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

fn to_bytes(memory: Option<&Memory>) -> Vec<u8> {
    serde_json::to_vec(&memory).expect("plain values are JSON")
}

impl Memory {
    fn of(list: &List) -> Self {
        let at = |at: Option<Instant>| at.map(|at| at.0.to_string()).unwrap_or_default();
        let line = |line: &Line| {
            (line.id, (line.product.map(|product| product.id), format!("{} {}", at(line.write_date), line.formula)))
        };
        Self {
            list: format!("{} {:?} {:?}", list.id, list.tax_included, list.price),
            lines: list.lines.iter().map(line).collect(),
        }
    }

    fn differs(&self, now: &Self) -> Touched {
        if self.list != now.list {
            return Touched::All;
        }
        let mut products = BTreeSet::new();
        for id in self.lines.keys().chain(now.lines.keys()) {
            let (before, after) = (self.lines.get(id), now.lines.get(id));
            if before == after {
                continue;
            }
            for (product, _) in [before, after].into_iter().flatten() {
                match product {
                    Some(product) => drop(products.insert(*product)),
                    None => return Touched::All,
                }
            }
        }
        if products.len() > MANY { Touched::All } else { Touched::Products(products) }
    }
}

fn price(row: &Row, sku: &str, currency: &str, kind: PriceKind, basis: TaxBasis, amount: Option<Exact>) -> Price {
    Price {
        head: map::read(RemoteRef { parent: Some(row.template.id.to_string()), ..remote(row.id) }, None),
        variant: Link { id: Some(row.id.to_string()), key: sku.into() },
        channel: crate::describe::CHANNEL.into(),
        kind,
        currency: currency.into(),
        basis,
        amount: amount.map(|amount| value::amount(amount.0)),
        from_quantity: "1".into(),
        valid_from: None,
        valid_to: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(lines: &[(u64, Option<u64>, &str)]) -> Memory {
        Memory {
            list: "1 Some(false) None".into(),
            lines: lines.iter().map(|(id, product, what)| (*id, (*product, (*what).to_owned()))).collect(),
        }
    }

    fn products(ids: &[u64]) -> Touched {
        Touched::Products(ids.iter().copied().collect())
    }

    #[test]
    fn a_line_touches_its_product_when_it_comes_changes_or_goes() {
        let before = memory(&[(1, Some(10), "6.00"), (2, Some(11), "7.00"), (3, Some(12), "8.00")]);
        let after = memory(&[(1, Some(10), "6.00"), (2, Some(13), "7.00"), (4, Some(14), "1")]);
        assert_eq!(before.differs(&after), products(&[11, 12, 13, 14]));
        assert_eq!(before.differs(&before), products(&[]));
    }

    #[test]
    fn a_line_for_many_touches_all() {
        let before = memory(&[(1, None, "unit_price * 0.9")]);
        assert_eq!(before.differs(&memory(&[])), Touched::All);
        let other = Memory { list: "2 Some(false) None".into(), ..Memory::default() };
        assert_eq!(memory(&[]).differs(&other), Touched::All);
    }
}
