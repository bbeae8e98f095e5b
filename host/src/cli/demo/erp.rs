//! The ERP of the demo: it exports CSV files into its exchange folder and reads the orders that are put there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use woocommerce_simulator::Control;

/// How the platform is set up.
pub(super) fn platform(exchange: &Path) -> Value {
    json!({
        "settings": {
            "account": "demo-erp", "environment": "test", "zone": "Europe/Berlin", "language": "de",
            "country": "DE", "settle_seconds": 0, "export_seconds": 0,
        },
        "files": exchange,
        "policy": {
            "owns": [
                {"record": "product", "facet": "*"},
                {"record": "variant", "facet": "*"},
                {"record": "order", "facet": "remote-number:*"},
            ],
            "creates": ["product", "variant", "shipment"],
            "create_on": ["customer", "order"],
            "pushes": ["customer", "order", "order-event"],
            "orders": {
                "payment": {"card": "CARD", "bacs": "TRANSFER", "cod": "CASH", "cheque": "CHEQUE"},
                "shipping": {"flat_rate": "PARCEL", "free_shipping": "PARCEL", "local_pickup": "PICKUP"},
            },
        },
    })
}

/// One article of the ERP.
struct Article {
    sku: String,
    product: String,
    name: String,
    net: Decimal,
    tax: Decimal,
    stock: i64,
    choices: Vec<(String, String)>,
}

/// What the ERP sells.
pub(super) struct Goods {
    articles: Vec<Article>,
    /// Pieces that the shop sold, by SKU.
    sold: RefCell<BTreeMap<String, i64>>,
    counted: RefCell<BTreeMap<String, i64>>,
    exports: RefCell<u32>,
    numbered: RefCell<BTreeMap<String, String>>,
}

impl Goods {
    /// The ERP knows what the shop sells, with net prices and figures of its own.
    pub(super) fn of(shop: &Control) -> Result<Self> {
        let mut articles = Vec::new();
        for page in 1.. {
            let list = shop.as_staff("GET", &format!("/products?per_page=100&page={page}"), Value::Null)?;
            let list = list.as_array().cloned().unwrap_or_default();
            if list.is_empty() {
                break;
            }
            for product in &list {
                let id = product["id"].as_u64().context("a product has an id")?;
                if product["type"] == "variable" {
                    let path = format!("/products/{id}/variations?per_page=100");
                    let variations = shop.as_staff("GET", &path, Value::Null)?;
                    for variation in variations.as_array().into_iter().flatten() {
                        articles.extend(article(product, variation, articles.len()));
                    }
                } else {
                    articles.extend(article(product, product, articles.len()));
                }
            }
        }
        Ok(Self {
            articles,
            sold: RefCell::default(),
            counted: RefCell::default(),
            exports: RefCell::default(),
            numbered: RefCell::default(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.articles.len()
    }

    /// Two articles that a customer puts into the cart.
    pub(super) fn sold(&self, from: usize) -> Vec<String> {
        let skus = self.cart(from);
        for sku in &skus {
            *self.sold.borrow_mut().entry(sku.clone()).or_default() += 1;
        }
        skus
    }

    fn cart(&self, from: usize) -> Vec<String> {
        self.articles.iter().filter(|a| a.stock > 5).skip(from).take(2).map(|a| a.sku.clone()).collect()
    }

    /// Products, prices and stock, as the ERP has them.
    pub(super) fn write_first_export(&self, exchange: &Path) -> Result<()> {
        let axes: Vec<String> = {
            let mut axes: Vec<String> =
                self.articles.iter().flat_map(|a| a.choices.iter().map(|(axis, _)| axis.clone())).collect();
            axes.sort();
            axes.dedup();
            axes
        };
        let mut products = String::from("sku;product;name;tax_percent;active");
        for axis in &axes {
            write!(products, ";choice:{axis}")?;
        }
        products.push('\n');
        let mut prices = String::from("sku;amount\n");
        let mut stock = String::from("sku;quantity\n");
        for a in &self.articles {
            write!(products, "{};{};{};{};1", a.sku, a.product, quoted(&a.name), a.tax)?;
            for axis in &axes {
                let choice = a.choices.iter().find(|(of, _)| of == axis).map_or("", |(_, value)| value);
                write!(products, ";{}", quoted(choice))?;
            }
            products.push('\n');
            writeln!(prices, "{};{}", a.sku, a.net)?;
            writeln!(stock, "{};{}", a.sku, a.stock)?;
        }
        self.export(exchange, "products", &products)?;
        self.export(exchange, "prices", &prices)?;
        self.export(exchange, "stock", &stock)
    }

    /// Stock that the shop should show: the ERP's figure less what was sold there since.
    pub(super) fn expected_stock(&self) -> impl Iterator<Item = (&str, i64)> {
        let sold = self.sold.borrow().clone();
        let counted = self.counted.borrow().clone();
        self.articles.iter().map(move |a| {
            let on_hand = counted.get(&a.sku).copied().unwrap_or(a.stock);
            (a.sku.as_str(), (on_hand - sold.get(&a.sku).copied().unwrap_or(0)).max(0))
        })
    }

    /// Somebody counts a shelf again.
    pub(super) fn change_stock(&self, exchange: &Path) -> Result<(String, i64)> {
        let article = self.articles.iter().rev().find(|a| a.stock > 5).context("the ERP sells something")?;
        let pieces = article.stock + 7;
        self.counted.borrow_mut().insert(article.sku.clone(), pieces);
        self.export(exchange, "stock", &format!("sku;quantity\n{};{pieces}\n", article.sku))?;
        Ok((article.sku.clone(), pieces))
    }

    /// The ERP takes up the orders that were put into its folder, and says under which numbers.
    pub(super) fn number_orders(&self, exchange: &Path) -> Result<()> {
        let mut lines = String::from("order;number;state\n");
        let mut fresh = 0;
        let outbox = exchange.join("outbox");
        let mut names: Vec<_> = std::fs::read_dir(&outbox)?.filter_map(Result::ok).map(|e| e.path()).collect();
        names.sort();
        for path in names {
            let text = std::fs::read_to_string(&path)?;
            let Ok(document) = serde_json::from_str::<Value>(&text) else { continue };
            let Some(id) = order_id(&path, &document) else { continue };
            let mut numbered = self.numbered.borrow_mut();
            if numbered.contains_key(&id) {
                continue;
            }
            let number = format!("A-{:05}", 10_001 + numbered.len());
            writeln!(lines, "{id};{number};accepted")?;
            numbered.insert(id, number);
            fresh += 1;
        }
        println!("   ERP    takes up {fresh} orders");
        if fresh > 0 { self.export(exchange, "order-numbers", &lines) } else { Ok(()) }
    }

    /// The ERP ships an order in one parcel, and its shelves hold what is left. Returns the tracking number.
    pub(super) fn ship(&self, exchange: &Path, order: u64, from: usize) -> Result<String> {
        let mut stock = String::from("sku;quantity\n");
        for sku in self.cart(from) {
            let article = self.articles.iter().find(|a| a.sku == sku).context("what was sold is known")?;
            let mut counted = self.counted.borrow_mut();
            let on_hand = counted.entry(sku.clone()).or_insert(article.stock);
            *on_hand -= 1;
            writeln!(stock, "{sku};{on_hand}")?;
            if let Some(sold) = self.sold.borrow_mut().get_mut(&sku) {
                *sold -= 1;
            }
        }
        self.export(exchange, "stock", &stock)?;
        let numbered = self.numbered.borrow();
        let suffix = format!("-{order}");
        let id = numbered
            .keys()
            .find(|id| id.ends_with(&suffix) || **id == order.to_string())
            .with_context(|| format!("the ERP has not taken up order {order}; it has {:?}", numbered.keys()))?;
        let tracking = format!("0034{order:010}");
        let line = format!("S-{order};{id};1;Paketdienst;{tracking};1\n");
        self.export(exchange, "shipments", &format!("shipment;order;parcel;carrier;tracking;completes\n{line}"))?;
        Ok(tracking)
    }

    /// Under a temporary name, then renamed, with a name that sorts by time.
    fn export(&self, exchange: &Path, kind: &str, content: &str) -> Result<()> {
        let inbox = exchange.join("inbox");
        std::fs::create_dir_all(&inbox)?;
        std::fs::create_dir_all(exchange.join("outbox"))?;
        let number = {
            let mut exports = self.exports.borrow_mut();
            *exports += 1;
            *exports
        };
        let partial = inbox.join(format!(".{kind}.tmp"));
        std::fs::write(&partial, content)?;
        std::fs::rename(&partial, inbox.join(format!("{kind}-{number:04}.csv")))?;
        Ok(())
    }
}

fn article(product: &Value, sold: &Value, n: usize) -> Option<Article> {
    let sku = sold["sku"].as_str().filter(|sku| !sku.is_empty())?.to_owned();
    let gross: Decimal = sold["regular_price"].as_str()?.parse().ok()?;
    let tax = if product["tax_class"] == "reduced-rate" { Decimal::from(7) } else { Decimal::from(19) };
    // Every twentieth price went up in the ERP since the shop was filled.
    let gross = if n % 20 == 7 { gross + Decimal::ONE } else { gross };
    let net = (gross * Decimal::ONE_HUNDRED / (Decimal::ONE_HUNDRED + tax))
        .round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero);
    let stock = sold["stock_quantity"].as_i64().unwrap_or(12).max(0);
    // And every tenth figure differs, as it does before first contact.
    let stock = if n % 10 == 3 { stock + 4 } else { stock };
    let choices = sold["attributes"]
        .as_array()
        .filter(|_| product["type"] == "variable")
        .into_iter()
        .flatten()
        .filter_map(|a| Some((a["name"].as_str()?.to_owned(), a["option"].as_str()?.to_owned())))
        .collect();
    let number = product["sku"].as_str().filter(|sku| !sku.is_empty()).unwrap_or(&sku).to_owned();
    let name = product["name"].as_str().unwrap_or(&sku).replace("&amp;", "&");
    Some(Article { sku, product: number, name, net, tax, stock, choices })
}

fn quoted(text: &str) -> String {
    if text.contains([';', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Id of an order file: what the ERP calls it until it has given it a number.
fn order_id(path: &Path, document: &Value) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    if !name.starts_with("order") || document.get("lines").is_none() {
        return None;
    }
    document.get("id").or_else(|| document.get("order")).and_then(Value::as_str).map(str::to_owned)
}
