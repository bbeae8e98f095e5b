//! Categories: the tree of `product.category` without the ones for accounting.

use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::catalog::{Category, CategoryBase, Texts};
use tradepost_sdk::records::Records;
use tradepost_sdk::source::Page;
use tradepost_sdk::types::{Error, Link};

use super::{Reading, Rows, What, empty, filled, remote};
use crate::api::Search;
use crate::map::{self, texts};
use crate::value::Instant;

const FIELDS: &[&str] = &["name", "code", "rec_name", "parent.code", "parent.rec_name", "write_date", "create_date"];

#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    id: u64,
    code: Option<String>,
    rec_name: String,
    parent: Option<Node>,
    write_date: Option<Instant>,
    create_date: Option<Instant>,
}

/// A category that another record points to.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    id: u64,
    code: Option<String>,
    rec_name: String,
}

impl Node {
    /// Its link: the code where there is one, else the path of names.
    pub(crate) fn link(&self) -> Link {
        Link { id: Some(self.id.to_string()), key: key(self.code.as_deref(), &self.rec_name) }
    }
}

pub(super) fn pull(reading: &Reading<'_>) -> Result<Page, Error> {
    let search = Search::of("product.category", FIELDS).with(json!(["accounting", "=", false]));
    if reading.what == What::Present {
        return reading.present(search, |row| row["rec_name"].as_str().map(|name| key(row["code"].as_str(), name)));
    }
    let Rows { rows, deleted, next } = reading.rows(search, &[""])?;
    let mut page = empty();
    page.deleted = deleted;
    let names = texts::read(reading.api, "product.category", &["name"], &ids(&rows))?;
    let records = Reading::convert(&rows, &mut page, |row: Row| {
        let texts = names
            .of(row.id)
            .map(|(language, fields)| Texts { name: texts::text(fields, "name"), ..texts::empty(language) });
        Ok(Some(category(&row, texts.collect())))
    });
    filled(&mut page, Records::Categories(records));
    reading.finish(page, next)
}

fn category(row: &Row, texts: Vec<Texts>) -> Category {
    Category {
        head: map::read(remote(row.id), row.write_date.or(row.create_date)),
        base: Some(CategoryBase {
            key: key(row.code.as_deref(), &row.rec_name),
            parent: row.parent.as_ref().map(Node::link),
            active: true,
            position: None,
        }),
        texts,
        pictures: None,
        extra: Vec::new(),
    }
}

fn key(code: Option<&str>, path: &str) -> String {
    code.filter(|code| !code.is_empty()).unwrap_or(path).to_owned()
}

pub(super) fn ids(rows: &[Value]) -> Vec<u64> {
    rows.iter().filter_map(|row| row["id"].as_u64()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_known_by_its_code_or_its_path() {
        let row: Row = serde_json::from_value(json!({"id": 5, "name": "Shirts", "code": null,
            "rec_name": "Apparel / Shirts", "write_date": null, "create_date": null,
            "parent": {"id": 3, "code": "APP", "rec_name": "Apparel"}}))
        .unwrap();
        let base = category(&row, Vec::new()).base.unwrap();
        assert_eq!(base.key, "Apparel / Shirts");
        assert_eq!(base.parent.unwrap(), Link { id: Some("3".into()), key: "APP".into() });
    }
}
