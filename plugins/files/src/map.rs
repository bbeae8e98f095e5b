//! Rows to records of the contract, a file per kind.

mod catalogue;
mod customer;
mod figures;
mod order;
mod shipment;

use tradepost_sdk::catalog::{Category, Price, Product, StockLevel};
use tradepost_sdk::files::Entry;
use tradepost_sdk::head::{Head, Op};
use tradepost_sdk::records::{Kind, Records};
use tradepost_sdk::sales::{Customer, Order, Shipment};
use tradepost_sdk::types::RemoteRef;

use crate::host::Folder;
use crate::value::{Cells, Row, Trouble};

/// The only channel.
pub(crate) const CHANNEL: &str = "main";
/// The warehouse where a file names none.
pub(crate) const WAREHOUSE: &str = "main";

/// A file that is read, and what is known of it.
pub(crate) struct Delivery<'a> {
    pub(crate) folder: &'a Folder<'a>,
    /// When it was written.
    pub(crate) modified: String,
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(folder: &'a Folder<'a>, entry: &Entry) -> Self {
        Self { folder, modified: entry.modified.clone() }
    }

    pub(crate) fn cells<'b>(&'b self, row: &'b Row) -> Cells<'b> {
        Cells { row, setup: &self.folder.setup }
    }
}

/// One record.
pub(crate) enum Built {
    Category(Category),
    Product(Product),
    Stock(StockLevel),
    Price(Price),
    Customer(Customer),
    Order(Box<Order>),
    Shipment(Shipment),
}

/// Columns of a kind, and families whose names go on behind a colon.
pub(crate) fn columns(kind: Kind) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        Kind::Category => (catalogue::CATEGORY, catalogue::TEXTS),
        Kind::Product => (catalogue::PRODUCT, catalogue::FAMILIES),
        Kind::Price => (figures::PRICE, &[]),
        Kind::Stock => (figures::STOCK, &[]),
        Kind::Customer => (customer::COLUMNS, &["extra"]),
        Kind::Order => (order::COLUMNS, &[]),
        Kind::Shipment => (shipment::COLUMNS, &["extra"]),
        Kind::OrderEvent => (&[], &[]),
    }
}

/// Columns without which a file says nothing.
pub(crate) fn needed(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Category => &["key"],
        Kind::Product => &["sku"],
        Kind::Price => &["sku", "amount"],
        Kind::Stock => &["sku", "quantity"],
        Kind::Customer => &["number"],
        Kind::Order => &["order", "number"],
        Kind::Shipment => &["shipment", "order"],
        Kind::OrderEvent => &[],
    }
}

/// Whether several lines are one record.
pub(crate) fn is_grouped(kind: Kind) -> bool {
    matches!(kind, Kind::Product | Kind::Customer | Kind::Shipment)
}

/// What tells the records of a kind apart.
pub(crate) fn key(cells: Cells<'_>, kind: Kind) -> Option<String> {
    match kind {
        Kind::Category => cells.text("key"),
        Kind::Product => cells.text("product").or_else(|| cells.text("sku")),
        Kind::Price | Kind::Stock => cells.text("sku"),
        Kind::Customer => cells.text("number"),
        Kind::Order => cells.text("order"),
        Kind::Shipment => cells.text("shipment"),
        Kind::OrderEvent => None,
    }
}

/// The records that rows make: one per group, else one per row.
pub(crate) fn build(delivery: &Delivery<'_>, kind: Kind, rows: &[&Row]) -> Result<Vec<Built>, Trouble> {
    match kind {
        Kind::Product => Ok(vec![Built::Product(catalogue::product(delivery, rows)?)]),
        Kind::Customer => Ok(vec![Built::Customer(customer::customer(delivery, rows)?)]),
        Kind::Shipment => Ok(vec![Built::Shipment(shipment::shipment(delivery, rows)?)]),
        Kind::Category => each(rows, |row| Ok(Built::Category(catalogue::category(delivery.cells(row))?))),
        Kind::Price => each(rows, |row| Ok(Built::Price(figures::price(delivery.cells(row))?))),
        Kind::Stock => each(rows, |row| Ok(Built::Stock(figures::stock(delivery, row)?))),
        Kind::Order => each(rows, |row| Ok(Built::Order(Box::new(order::order(delivery, row)?)))),
        Kind::OrderEvent => Ok(Vec::new()),
    }
}

fn each(rows: &[&Row], build: impl Fn(&Row) -> Result<Built, Trouble>) -> Result<Vec<Built>, Trouble> {
    rows.iter().map(|row| build(row)).collect()
}

/// A list of one kind.
pub(crate) fn records(kind: Kind, built: Vec<Built>) -> Vec<Records> {
    macro_rules! of {
        ($list:ident, $case:ident) => {
            Records::$list(
                built.into_iter().filter_map(|b| if let Built::$case(r) = b { Some(r) } else { None }).collect(),
            )
        };
    }
    if built.is_empty() {
        return Vec::new();
    }
    vec![match kind {
        Kind::Category => of!(Categories, Category),
        Kind::Product => of!(Products, Product),
        Kind::Stock => of!(Stock, Stock),
        Kind::Price => of!(Prices, Price),
        Kind::Customer => of!(Customers, Customer),
        Kind::Order => {
            let orders = built.into_iter().filter_map(|b| if let Built::Order(r) = b { Some(*r) } else { None });
            Records::Orders(orders.collect())
        }
        Kind::Shipment => of!(Shipments, Shipment),
        Kind::OrderEvent => return Vec::new(),
    }]
}

/// The head of what is read.
pub(crate) fn head(id: &str) -> Head {
    Head { op: Op::Read, item: String::new(), marker: None, remote: Some(remote(id)), parts: Vec::new(), updated: None }
}

pub(crate) fn remote(id: &str) -> RemoteRef {
    RemoteRef { id: id.to_owned(), parent: None, version: None }
}
