//! An ERP without an API: it exports CSV files into the exchange folder, takes up what it finds in the outbox, and keeps
//! books of it. It trusts nobody: what comes twice is entered twice and shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use woocommerce_simulator::Control;

/// One article.
#[derive(Debug, Clone)]
struct Article {
    product: String,
    name: String,
    net: Decimal,
    tax: Decimal,
    choices: Vec<(String, String)>,
}

/// An order that was entered.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What the ERP names it towards the exchange folder.
    pub id: String,
    /// The shop's number.
    pub shop_number: String,
    /// Total with tax.
    pub total: Decimal,
    /// Whether it was paid when it came.
    pub paid: bool,
    /// SKU and pieces.
    pub goods: Vec<(String, i64)>,
    /// The ERP's number, once it was given.
    pub number: Option<String>,
    /// Tracking code of its parcel.
    pub tracking: Option<String>,
}

/// The ERP.
#[derive(Debug)]
pub struct Erp {
    exchange: PathBuf,
    articles: BTreeMap<String, Article>,
    on_hand: BTreeMap<String, i64>,
    exports: u32,
    entries: Vec<Entry>,
    /// Order and event, as often as they came.
    events: Vec<(String, String)>,
}

impl Erp {
    /// It sells what the shop sells, with plenty of everything.
    ///
    /// # Errors
    /// The shop's catalogue cannot be read, or the folder not be made.
    pub fn of(shop: &Control, exchange: &Path) -> Result<Self> {
        for place in ["inbox", "outbox", "done", "failed"] {
            fs::create_dir_all(exchange.join(place))?;
        }
        let mut articles = BTreeMap::new();
        for page in 1.. {
            let list = shop.as_staff("GET", &format!("/products?per_page=100&page={page}"), Value::Null)?;
            let list = list.as_array().cloned().unwrap_or_default();
            if list.is_empty() {
                break;
            }
            for product in &list {
                if product["type"] == "variable" {
                    let id = product["id"].as_u64().context("a product has an id")?;
                    let path = format!("/products/{id}/variations?per_page=100");
                    let variations = shop.as_staff("GET", &path, Value::Null)?;
                    articles.extend(variations.as_array().into_iter().flatten().filter_map(|v| article(product, v)));
                } else {
                    articles.extend(article(product, product));
                }
            }
        }
        if articles.is_empty() {
            bail!("the shop sells nothing");
        }
        let on_hand =
            articles.keys().enumerate().map(|(n, sku)| (sku.clone(), 60 + i64::try_from(n % 30).unwrap_or(0)));
        let on_hand = on_hand.collect();
        let exchange = exchange.to_owned();
        Ok(Self { exchange, articles, on_hand, exports: 0, entries: Vec::new(), events: Vec::new() })
    }

    /// How its platform is set up.
    #[must_use]
    pub fn platform(&self) -> Value {
        json!({
            "settings": {
                "account": "test-erp", "environment": "test", "zone": "Europe/Berlin", "language": "de",
                "country": "DE", "settle_seconds": 0, "export_seconds": 0,
            },
            "files": self.exchange,
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
                    "payment": {"card": "CARD", "bacs": "TRANSFER"},
                    "shipping": {"flat_rate": "PARCEL"},
                },
            },
        })
    }

    /// SKUs of all articles.
    #[must_use]
    pub fn skus(&self) -> Vec<String> {
        self.articles.keys().cloned().collect()
    }

    /// Orders as they were entered.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How often an event came for an order.
    #[must_use]
    pub fn heard(&self, id: &str, event: &str) -> usize {
        self.events.iter().filter(|(order, what)| order == id && what == event).count()
    }

    /// Pieces on the shelf.
    #[must_use]
    pub fn on_hand(&self, sku: &str) -> i64 {
        self.on_hand.get(sku).copied().unwrap_or_default()
    }

    /// Files in the outbox that are not taken up.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn waiting(&self) -> Result<Vec<String>> {
        let names = fs::read_dir(self.exchange.join("outbox"))?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with("order-") || name.starts_with("event-"));
        Ok(names.filter(|name| name.ends_with(".json")).collect())
    }

    /// Products, prices and stock.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn export_all(&mut self) -> Result<()> {
        let axes: BTreeSet<String> =
            self.articles.values().flat_map(|a| a.choices.iter().map(|(axis, _)| axis.clone())).collect();
        let mut products = String::from("sku;product;name;tax_percent;active");
        for axis in &axes {
            write!(products, ";choice:{axis}")?;
        }
        products.push('\n');
        let mut prices = String::from("sku;amount\n");
        for (sku, a) in &self.articles {
            write!(products, "{sku};{};{};{};1", a.product, quoted(&a.name), a.tax)?;
            for axis in &axes {
                let choice = a.choices.iter().find(|(of, _)| of == axis).map_or("", |(_, value)| value);
                write!(products, ";{}", quoted(choice))?;
            }
            products.push('\n');
            writeln!(prices, "{sku};{}", a.net)?;
        }
        self.export("products", &products)?;
        self.export("prices", &prices)?;
        let skus = self.skus();
        self.export_stock(&skus)
    }

    /// Takes up everything in the outbox, and moves it out of the way as its connector's README asks for.
    ///
    /// # Errors
    /// A file cannot be understood.
    pub fn take_up(&mut self) -> Result<()> {
        let mut names = self.waiting()?;
        // Orders before what happened to them.
        names.sort_by_key(|name| (name.starts_with("event-"), name.clone()));
        for name in names {
            let path = self.exchange.join("outbox").join(&name);
            let document: Value = serde_json::from_str(&fs::read_to_string(&path)?).with_context(|| name.clone())?;
            if name.starts_with("order-") {
                self.entries.push(entry(&document).with_context(|| name.clone())?);
            } else {
                let order = document["order"].as_str().with_context(|| format!("{name} names no order"))?;
                let event = document["event"].as_str().with_context(|| format!("{name} names no event"))?;
                self.events.push((order.to_owned(), event.to_owned()));
            }
            fs::rename(&path, self.exchange.join("done").join(&name))?;
        }
        Ok(())
    }

    /// Gives numbers to orders that have none, at most so many.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn number(&mut self, most: usize) -> Result<()> {
        let mut lines = String::from("order;number;state\n");
        let begun = self.entries.iter().filter(|entry| entry.number.is_some()).count();
        let mut fresh = 0;
        for entry in self.entries.iter_mut().filter(|entry| entry.number.is_none()).take(most) {
            let number = format!("A-{:05}", 10_001 + begun + fresh);
            writeln!(lines, "{};{number};accepted", entry.id)?;
            entry.number = Some(number);
            fresh += 1;
        }
        if fresh > 0 { self.export("order-numbers", &lines) } else { Ok(()) }
    }

    /// Ships an order as one parcel: the goods leave the shelf. Whether there was such an order to be shipped.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn ship(&mut self, shop_number: &str) -> Result<bool> {
        let entry = self.entries.iter_mut().find(|e| e.shop_number == shop_number && e.number.is_some());
        let Some(entry) = entry.filter(|entry| entry.tracking.is_none()) else { return Ok(false) };
        let tracking = format!("0034{shop_number:0>10}");
        entry.tracking = Some(tracking.clone());
        let (id, goods) = (entry.id.clone(), entry.goods.clone());
        for (sku, pieces) in &goods {
            *self.on_hand.entry(sku.clone()).or_default() -= pieces;
        }
        let line = format!("S-{shop_number};{id};1;Paketdienst;{tracking};1\n");
        self.export("shipments", &format!("shipment;order;parcel;carrier;tracking;completes\n{line}"))?;
        let skus: Vec<String> = goods.into_iter().map(|(sku, _)| sku).collect();
        self.export_stock(&skus)?;
        Ok(true)
    }

    /// Somebody counts a shelf.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn count(&mut self, sku: &str, pieces: i64) -> Result<()> {
        self.on_hand.insert(sku.to_owned(), pieces);
        self.export_stock(&[sku.to_owned()])
    }

    fn export_stock(&mut self, skus: &[String]) -> Result<()> {
        let mut lines = String::from("sku;quantity\n");
        for sku in skus {
            writeln!(lines, "{sku};{}", self.on_hand(sku))?;
        }
        self.export("stock", &lines)
    }

    /// Under a temporary name, then renamed, with a name that sorts by time.
    fn export(&mut self, kind: &str, content: &str) -> Result<()> {
        self.exports += 1;
        let inbox = self.exchange.join("inbox");
        let partial = inbox.join(format!(".{kind}.tmp"));
        fs::write(&partial, content)?;
        fs::rename(&partial, inbox.join(format!("{kind}-{:06}.csv", self.exports)))?;
        Ok(())
    }
}

fn entry(document: &Value) -> Result<Entry> {
    let text = |name: &str| {
        document[name].as_str().map(str::to_owned).with_context(|| format!("`{name}` is missing: {document}"))
    };
    let mut goods = Vec::new();
    for line in document["lines"].as_array().context("an order without lines")? {
        if let Some(sku) = line["sku"].as_str() {
            let quantity: Decimal = line["quantity"].as_str().context("a line without a quantity")?.parse()?;
            goods.push((sku.to_owned(), i64::try_from(quantity)?));
        }
    }
    Ok(Entry {
        id: text("id")?,
        shop_number: text("number")?,
        total: text("total")?.parse()?,
        paid: document["payment_state"] == "paid",
        goods,
        number: None,
        tracking: None,
    })
}

fn article(product: &Value, sold: &Value) -> Option<(String, Article)> {
    let sku = sold["sku"].as_str().filter(|sku| !sku.is_empty())?.to_owned();
    let gross: Decimal = sold["regular_price"].as_str()?.parse().ok()?;
    let tax = if product["tax_class"] == "reduced-rate" { Decimal::from(7) } else { Decimal::from(19) };
    let net = (gross * Decimal::ONE_HUNDRED / (Decimal::ONE_HUNDRED + tax))
        .round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero);
    let choices = sold["attributes"]
        .as_array()
        .filter(|_| product["type"] == "variable")
        .into_iter()
        .flatten()
        .filter_map(|a| Some((a["name"].as_str()?.to_owned(), a["option"].as_str()?.to_owned())))
        .collect();
    let number = product["sku"].as_str().filter(|number| !number.is_empty()).unwrap_or(&sku).to_owned();
    let name = product["name"].as_str().unwrap_or(&sku).replace("&amp;", "&");
    Some((sku, Article { product: number, name, net, tax, choices }))
}

fn quoted(text: &str) -> String {
    if text.contains([';', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
