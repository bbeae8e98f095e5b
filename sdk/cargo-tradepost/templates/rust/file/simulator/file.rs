//! The ERP of `docs/files.md`, which works in an exchange folder. Under `/_control` it does what the conformance suite asks of a
//! simulator; a reset says where the folder is.

// Its server can do more than it needs.
#![allow(dead_code)]

#[path = "server.rs"]
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

use server::{Answer, Asked, Platform};

/// A running ERP.
pub type Simulator = server::Simulator<Erp>;

/// Products of one file.
const PRODUCTS: usize = 2;

/// What it knows.
#[derive(Default)]
pub struct Erp {
    folder: PathBuf,
    last: u64,
    products: BTreeMap<String, Value>,
    /// Products by the file that was written last.
    files: Vec<(String, Vec<Value>)>,
    orders: u64,
}

impl Platform for Erp {
    fn answer(&mut self, asked: &Asked) -> Answer {
        if asked.part(0) != "_control" {
            return (404, json!({"message": "It works with files."}));
        }
        match self.control(asked.part(1), &asked.body) {
            Ok(Some(answer)) => (200, answer),
            Ok(None) => (404, json!({"message": "There is no such thing."})),
            Err(error) => (500, json!({"message": error.to_string()})),
        }
    }
}

impl Erp {
    fn control(&mut self, what: &str, body: &Value) -> io::Result<Option<Value>> {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        match what {
            "" => Ok(Some(json!({
                "protocol": 1,
                "kinds": {
                    "product": {"make": true, "change": true, "count": true, "spoil": true},
                    "order": {"count": true},
                },
                "golden": ["golden-records", "unicode-texts"],
            }))),
            "reset" => {
                *self = Self { folder: text("folder").into(), last: self.last, ..Self::default() };
                Ok(Some(json!({})))
            }
            "make" => {
                let many = body["count"].as_u64().unwrap_or(1);
                let rows: Vec<Value> = (0..many).map(|_| self.product("Cup")).collect();
                self.write(&rows)?;
                Ok(Some(json!({"ids": rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>()})))
            }
            "change" => {
                let Some(mut row) = self.products.get(text("id")).cloned() else { return Ok(None) };
                row["name"] = json!("Changed");
                self.write(&[row])?;
                Ok(Some(json!({})))
            }
            "spoil" => self.spoil(text("id")),
            "count" => {
                self.take()?;
                let objects = if text("kind") == "order" { self.orders } else { self.products.len() as u64 };
                Ok(Some(json!({"objects": objects, "writes": self.orders})))
            }
            "golden" => {
                let name = match text("case") {
                    "golden-records" => "Plain cup",
                    "unicode-texts" => "Tasse 😀 𝒳 für Gäste, 東京の茶碗, e\u{301}",
                    _ => return Ok(None),
                };
                let row = self.product(name);
                self.write(std::slice::from_ref(&row))?;
                let variant = json!({"sku": row["sku"], "facets": {"head": {"sku": row["sku"], "weight_kg": "0.350"}}});
                let record = json!({"kind": "product", "id": row["id"], "variants": [variant], "facets": {
                    "head": {"number": row["sku"], "active": true},
                    "texts:en": {"name": name, "long_html": "<p>Holds coffee.</p>"}}});
                Ok(Some(json!({"records": [record]})))
            }
            _ => Ok(None),
        }
    }

    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn product(&mut self, name: &str) -> Value {
        let n = self.number();
        json!({
            "id": n.to_string(), "sku": format!("A-{n}"), "name": name, "description": "<p>Holds coffee.</p>",
            "active": true, "weight_kg": "0.350", "tax_percent": "19",
        })
    }

    /// Into files whose names are in the order of time.
    fn write(&mut self, rows: &[Value]) -> io::Result<()> {
        for rows in rows.chunks(PRODUCTS) {
            let name = format!("products-{:06}.json", self.number());
            self.put(&name, rows)?;
            for row in rows {
                self.products.insert(row["id"].as_str().unwrap_or_default().to_owned(), row.clone());
            }
            self.files.push((name, rows.to_vec()));
        }
        Ok(())
    }

    /// Under another name, then renamed: nobody reads half a file.
    fn put(&self, name: &str, rows: &[Value]) -> io::Result<()> {
        let inbox = self.folder.join("inbox");
        let partial = inbox.join(format!(".{name}.tmp"));
        fs::write(&partial, Value::from(rows.to_vec()).to_string())?;
        fs::rename(partial, inbox.join(name))
    }

    /// A word takes the place of the weight in the file that waits.
    fn spoil(&mut self, id: &str) -> io::Result<Option<Value>> {
        let holds = |(_, rows): &&mut (String, Vec<Value>)| rows.iter().any(|row| row["id"] == id);
        let Some((name, rows)) = self.files.iter_mut().rfind(holds) else { return Ok(None) };
        for row in rows.iter_mut().filter(|row| row["id"] == id) {
            row["weight_kg"] = json!("heavy");
        }
        let (name, rows) = (name.clone(), rows.clone());
        self.put(&name, &rows)?;
        Ok(Some(json!({})))
    }

    /// Takes the orders in, and moves their files as `docs/files.md` asks for.
    fn take(&mut self) -> io::Result<()> {
        for entry in fs::read_dir(self.folder.join("outbox"))? {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with("order-") && name.ends_with(".json") {
                let order: Value = serde_json::from_slice(&fs::read(&path)?)?;
                let place = if order["number"].is_string() { "done" } else { "failed" };
                self.orders += u64::from(place == "done");
                fs::rename(&path, self.folder.join(place).join(name))?;
            }
        }
        Ok(())
    }
}
