//! Everything the shop holds. One lock guards it, so each request sees and leaves it whole.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{
    clock::{Clock, gmt},
    journal::{Journal, Operation, Write},
};

pub(crate) type Body = Map<String, Value>;

/// One object of the shop: what was stored, without the dates, which are written per answer.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) id: u64,
    /// The product of a variation, the order of a note or refund, the attribute of a term; else 0.
    pub(crate) parent: u64,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    /// Lists and searches leave the object out until then (a lagging index).
    pub(crate) listed_from: Option<Instant>,
    pub(crate) body: Body,
}

impl Item {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn int(&self, name: &str) -> i64 {
        self.body.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    pub(crate) fn listed(&self) -> bool {
        self.listed_from.is_none_or(|from| from <= Instant::now())
    }
}

pub(crate) type Table = BTreeMap<u64, Item>;

/// Settings of the shop that answers depend on.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    /// Address without a slash at the end, for permalinks and pictures.
    pub(crate) url: String,
    pub(crate) title: String,
    pub(crate) currency: String,
    pub(crate) prices_include_tax: bool,
    pub(crate) country: String,
    /// Lists may be ordered by `modified` (newer shops only).
    pub(crate) order_by_modified: bool,
}

/// The whole shop.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) shop: Shop,
    pub(crate) clock: Clock,
    pub(crate) products: Table,
    pub(crate) variations: Table,
    pub(crate) categories: Table,
    pub(crate) tags: Table,
    pub(crate) attributes: Table,
    pub(crate) terms: Table,
    pub(crate) orders: Table,
    pub(crate) refunds: Table,
    pub(crate) notes: Table,
    pub(crate) customers: Table,
    pub(crate) coupons: Table,
    pub(crate) taxes: Table,
    /// Slug and name, the standard class first.
    pub(crate) tax_classes: Vec<(String, String)>,
    /// Uploaded pictures by path on this server.
    pub(crate) uploads: HashMap<String, Upload>,
    /// Which product or variation has a SKU; what lies in the trash has none here.
    pub(crate) skus: HashMap<String, u64>,
    /// Slugs that products have.
    pub(crate) slugs: HashSet<String>,
    pub(crate) journal: Journal,
    /// New objects stay out of lists for this long.
    pub(crate) listing_lag: Option<Duration>,
    /// What the request being handled sent in vain, for the journal.
    pub(crate) ignored: Vec<String>,
    next_post: u64,
    next_term: u64,
    next_user: u64,
    next_meta: u64,
    next_line: u64,
}

/// A stored picture.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) content_type: String,
    pub(crate) bytes: Vec<u8>,
}

impl State {
    pub(crate) fn new(shop: Shop, clock: Clock) -> Self {
        Self {
            shop,
            clock,
            products: Table::new(),
            variations: Table::new(),
            categories: Table::new(),
            tags: Table::new(),
            attributes: Table::new(),
            terms: Table::new(),
            orders: Table::new(),
            refunds: Table::new(),
            notes: Table::new(),
            customers: Table::new(),
            coupons: Table::new(),
            taxes: Table::new(),
            tax_classes: vec![
                ("standard".to_owned(), "Standard rate".to_owned()),
                ("reduced-rate".to_owned(), "Reduced rate".to_owned()),
                ("zero-rate".to_owned(), "Zero rate".to_owned()),
            ],
            uploads: HashMap::new(),
            skus: HashMap::new(),
            slugs: HashSet::new(),
            journal: Journal::default(),
            listing_lag: None,
            ignored: Vec::new(),
            next_post: 11,
            next_term: 15,
            next_user: 2,
            next_meta: 101,
            next_line: 1,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Products, orders, pictures and notes share one row of numbers, as in WordPress.
    pub(crate) fn post_id(&mut self) -> u64 {
        next(&mut self.next_post)
    }

    pub(crate) fn term_id(&mut self) -> u64 {
        next(&mut self.next_term)
    }

    pub(crate) fn user_id(&mut self) -> u64 {
        next(&mut self.next_user)
    }

    pub(crate) fn meta_id(&mut self) -> u64 {
        next(&mut self.next_meta)
    }

    pub(crate) fn line_id(&mut self) -> u64 {
        next(&mut self.next_line)
    }

    /// A new object, created now.
    pub(crate) fn item(&self, id: u64, parent: u64, body: Body) -> Item {
        let now = self.now();
        let listed_from = self.listing_lag.map(|lag| Instant::now() + lag);
        Item { id, parent, created: now, modified: now, listed_from, body }
    }

    /// A product or variation, wherever it lies.
    pub(crate) fn article(&self, id: u64) -> Option<&Item> {
        self.products.get(&id).or_else(|| self.variations.get(&id))
    }

    pub(crate) fn article_mut(&mut self, id: u64) -> Option<&mut Item> {
        if self.products.contains_key(&id) { self.products.get_mut(&id) } else { self.variations.get_mut(&id) }
    }

    /// Notes in the journal that an object was written.
    pub(crate) fn wrote(&mut self, kind: &'static str, id: u64, operation: Operation, changed: bool, sent: &Body) {
        let write = Write {
            seq: self.journal.writes.len() as u64 + 1,
            at: gmt(self.now()),
            kind,
            id,
            operation,
            changed,
            sent: sent.clone().into(),
            ignored: std::mem::take(&mut self.ignored),
        };
        self.journal.writes.push(write);
    }
}

fn next(counter: &mut u64) -> u64 {
    *counter += 1;
    *counter - 1
}
