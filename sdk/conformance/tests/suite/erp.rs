//! An ERP without an interface, by the README of the files connector: it exports CSV and JSON into the `inbox` of an exchange
//! folder, and takes what it finds in the `outbox` into its books. The suite steers it over HTTP like any other simulator.

mod golden;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use serde_json::{Value, json};

/// Rows of one file: cursors have to lead from one file to the next.
const ROWS: usize = 4;

/// A running ERP; it ends with the runtime that it was started on.
pub(crate) struct Simulator {
    pub(crate) url: String,
}

impl Simulator {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let router = Router::new().fallback(answer).with_state(Arc::new(Mutex::new(Erp::default())));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url }
    }
}

type Books = Arc<Mutex<Erp>>;

async fn answer(State(erp): State<Books>, method: Method, uri: Uri, body: Bytes) -> (StatusCode, String) {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut erp = erp.lock().unwrap_or_else(PoisonError::into_inner);
    match erp.control(method.as_str(), uri.path(), &body) {
        Some(answer) => (StatusCode::OK, answer.to_string()),
        None => (StatusCode::NOT_FOUND, json!({"message": "There is no such thing."}).to_string()),
    }
}

/// A kind with its name in files and its columns; the first one is the id.
struct Table {
    kind: &'static str,
    files: &'static str,
    columns: &'static [&'static str],
}

const TABLES: &[Table] = &[
    Table { kind: "category", files: "categories", columns: &["key", "parent", "active", "position", "name"] },
    Table {
        kind: "product",
        files: "products",
        columns: &[
            "sku",
            "product",
            "name",
            "description",
            "active",
            "manufacturer",
            "weight_kg",
            "choice:size",
            "ours",
        ],
    },
    Table { kind: "stock", files: "stock", columns: &["sku", "quantity", "taken"] },
    Table { kind: "price", files: "prices", columns: &["sku", "amount", "currency", "basis"] },
    Table {
        kind: "customer",
        files: "customers",
        columns: &["number", "email", "first_name", "last_name", "active", "street", "postcode", "city", "country"],
    },
    Table { kind: "order", files: "order-numbers", columns: &["order", "number", "state"] },
    Table {
        kind: "shipment",
        files: "shipments",
        columns: &["shipment", "order", "shipped", "carrier", "tracking", "completes"],
    },
];

fn table(kind: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.kind == kind)
}

/// A file that was written.
struct Export {
    name: String,
    table: &'static Table,
    rows: Vec<Value>,
}

/// What the ERP knows.
#[derive(Default)]
struct Erp {
    exchange: PathBuf,
    /// How far its clock is off.
    offset: i64,
    /// Of records and files; never used twice.
    last: u64,
    /// By kind and id, as it was exported last; what came from Tradepost was not.
    books: BTreeMap<(String, String), Value>,
    exports: Vec<Export>,
    writes: u64,
}

impl Erp {
    fn control(&mut self, method: &str, path: &str, body: &Value) -> Option<Value> {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        match (method, path.strip_prefix("/_control")?) {
            ("GET", "") => Some(Self::offers()),
            ("POST", "/reset") => {
                *self = Self { exchange: text("folder").into(), last: self.last, ..Self::default() };
                Some(json!({}))
            }
            ("POST", "/make") => {
                let table = table(text("kind"))?;
                let rows: Vec<Value> =
                    (0..body["count"].as_u64().unwrap_or(1)).map(|_| self.new_row(table.kind)).collect();
                self.export(table, &rows);
                Some(json!({"ids": rows.iter().map(|row| id(table, row)).collect::<Vec<_>>()}))
            }
            ("POST", "/change") => self.alter(text("kind"), text("id"), |kind| match kind {
                "stock" => ("quantity", "77"),
                "price" => ("amount", "20.05"),
                "customer" => ("first_name", "Augusta"),
                "order" => ("state", "shipped"),
                "shipment" => ("tracking", "00340435"),
                _ => ("name", "Changed"),
            }),
            // What goes out of sale is told; that it is gone cannot be.
            ("POST", "/remove") => self.alter(text("kind"), text("id"), |_| ("active", "no")),
            ("POST", "/spoil") => self.spoil(text("kind"), text("id")),
            ("POST", "/count") => {
                self.take_up();
                let objects = self.books.keys().filter(|(kind, _)| kind == text("kind")).count();
                Some(json!({"objects": objects, "writes": self.writes}))
            }
            ("POST", "/golden") => golden::records(self, text("case")).map(|records| json!({ "records": records })),
            ("POST", "/clock") => {
                self.offset = body["offset-seconds"].as_i64().unwrap_or(0);
                Some(json!({}))
            }
            _ => None,
        }
    }

    fn offers() -> Value {
        let hand = |table: &Table| {
            let removes = matches!(table.kind, "category" | "product");
            let hand = json!({"make": true, "change": true, "remove": removes, "count": true, "spoil": true});
            (table.kind.to_owned(), hand)
        };
        let kinds: serde_json::Map<String, Value> = TABLES.iter().map(hand).collect();
        json!({"protocol": 1, "kinds": kinds, "golden": golden::CASES, "clock": true, "secrets": []})
    }

    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn new_row(&mut self, kind: &str) -> Value {
        let n = self.number();
        match kind {
            "category" => {
                json!({"key": format!("C-{n}"), "active": "yes", "position": n, "name": format!("Category {n}")})
            }
            "product" => json!({
                "sku": format!("A-{n}"), "name": format!("Article {n}"), "description": "<p>Plain.</p>",
                "active": "yes", "weight_kg": "1.5", "ours": "a column that nobody knows",
            }),
            "stock" => json!({"sku": format!("A-{n}"), "quantity": "5"}),
            "price" => json!({"sku": format!("A-{n}"), "amount": "19.90", "currency": "EUR", "basis": "net"}),
            "customer" => json!({
                "number": format!("K-{n}"), "email": format!("ada-{n}@example.com"), "first_name": "Ada",
                "last_name": "Lovelace", "active": "yes", "street": "Ringweg 1", "postcode": "10115", "city": "Berlin",
                "country": "DE",
            }),
            "order" => self.old_order(json!({})),
            _ => json!({
                "shipment": format!("S-{n}"), "order": format!("W-{n}"), "shipped": "2026-11-22 10:00", "carrier": "DHL",
                "tracking": format!("0034{n:010}"), "completes": "yes",
            }),
        }
    }

    /// An order that was taken up long ago: its file lies in `done`, and only now it gets its number.
    fn old_order(&mut self, members: Value) -> Value {
        let n = self.number();
        let id = format!("shop-{n}");
        let mut order = golden::order(&id, n);
        for (name, value) in members.as_object().cloned().unwrap_or_default() {
            order[name] = value;
        }
        self.put(&format!("done/order-{id}.json"), &format!("{order:#}\n"));
        json!({"order": id, "number": format!("R-{n}"), "state": "open"})
    }

    /// Writes rows into new files of the inbox, and into the books.
    fn export(&mut self, table: &'static Table, rows: &[Value]) {
        for rows in rows.chunks(ROWS) {
            let n = self.number();
            let ending = if n.is_multiple_of(2) { "json" } else { "csv" };
            let export = Export { name: format!("{}-{n:06}.{ending}", table.files), table, rows: rows.to_vec() };
            self.put(&format!("inbox/{}", export.name), &export.text());
            for row in rows {
                self.books.insert((table.kind.to_owned(), id(table, row)), row.clone());
            }
            self.exports.push(export);
        }
    }

    /// Under another name, then renamed.
    fn put(&self, path: &str, content: &str) {
        let to = self.exchange.join(path);
        let partial = to.with_extension("tmp");
        fs::write(&partial, content).expect("the exchange folder takes files");
        let now = SystemTime::now();
        let by = Duration::from_secs(self.offset.unsigned_abs());
        let now = if self.offset < 0 { now - by } else { now + by };
        let file = fs::File::options().append(true).open(&partial).expect("it was written");
        file.set_modified(now).expect("files have times");
        fs::rename(&partial, to).expect("the exchange folder takes files");
    }

    /// Somebody changes a record, and it is exported again.
    fn alter(&mut self, kind: &str, id: &str, what: impl Fn(&str) -> (&'static str, &'static str)) -> Option<Value> {
        self.take_up();
        let table = table(kind)?;
        let mut row = self.books.get(&(kind.to_owned(), id.to_owned()))?.clone();
        let (column, value) = what(kind);
        row[column] = json!(value);
        self.export(table, &[row]);
        Some(json!({}))
    }

    /// A record becomes unreadable in the file that waits in the inbox: a word for a number, a line that is cut.
    fn spoil(&mut self, kind: &str, wanted: &str) -> Option<Value> {
        let fits = |export: &&mut Export| {
            export.table.kind == kind && export.rows.iter().any(|row| id(export.table, row) == wanted)
        };
        let export = self.exports.iter_mut().rfind(fits)?;
        let row = export.rows.iter_mut().find(|row| id(export.table, row) == wanted)?;
        match kind {
            "category" => row["position"] = json!("first"),
            "product" => row["weight_kg"] = json!("heavy"),
            "stock" => row["quantity"] = json!("many"),
            "price" => (row["amount"], row["cut"]) = (json!("on request"), json!(true)),
            "customer" => row["country"] = json!("Germany"),
            "order" => row["state"] = json!("somewhere"),
            _ => row["shipped"] = json!("yesterday"),
        }
        let (path, text) = (format!("inbox/{}", export.name), export.text());
        self.exchange.join(&path).exists().then(|| self.put(&path, &text))?;
        Some(json!({}))
    }

    /// Takes what is in the outbox into the books and moves it to `done`; what makes no sense goes to `failed`.
    fn take_up(&mut self) {
        let outbox = self.exchange.join("outbox");
        let mut names: Vec<String> = fs::read_dir(&outbox)
            .expect("the host makes an outbox")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.') && !name.ends_with(".tmp"))
            .collect();
        // Orders before what happened to them.
        names.sort_by_key(|name| (name.starts_with("event-"), name.clone()));
        for name in names {
            let path = outbox.join(&name);
            let taken = self.enter(&name, &path);
            self.writes += u64::from(taken.is_some());
            let place = if taken.is_some() { "done" } else { "failed" };
            fs::rename(&path, self.exchange.join(place).join(&name)).expect("the ERP may move files");
        }
    }

    fn enter(&mut self, name: &str, path: &Path) -> Option<()> {
        let document: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let known = |kind: &str, id: &Value| Some((kind.to_owned(), id.as_str()?.to_owned()));
        match name.split('-').next()? {
            "order" => self.books.entry(known("order", &document["id"])?).or_insert(Value::Null),
            "customer" => self.books.entry(known("customer", &document["id"])?).or_insert(Value::Null),
            "event" => self.books.get_mut(&known("order", &document["order"])?)?,
            _ => return None,
        };
        Some(())
    }
}

impl Export {
    fn text(&self) -> String {
        if self.name.ends_with(".json") {
            let rows = self.rows.iter().map(|row| {
                let mut row = row.clone();
                row.as_object_mut().map(|row| row.remove("cut"));
                row
            });
            return format!("{:#}\n", Value::from(rows.collect::<Vec<_>>()));
        }
        let cell = |row: &Value, column: &str| match &row[column] {
            Value::String(text) if text.contains([';', '"', '\n']) => format!("\"{}\"", text.replace('"', "\"\"")),
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let line = |row: &Value| {
            let columns = &self.table.columns[..if row["cut"] == true { 2 } else { self.table.columns.len() }];
            columns.iter().map(|column| cell(row, column)).collect::<Vec<_>>().join(";")
        };
        let lines: Vec<String> = self.rows.iter().map(line).collect();
        format!("{}\n{}\n", self.table.columns.join(";"), lines.join("\n"))
    }
}

/// What tells a record apart: variants of one product share its number.
fn id(table: &Table, row: &Value) -> String {
    let own = if table.kind == "product" { row["product"].as_str() } else { None };
    own.or(row[table.columns[0]].as_str()).unwrap_or_default().to_owned()
}
