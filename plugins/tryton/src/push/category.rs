//! Categories.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tradepost_sdk::catalog::Category;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::types::Error;

use super::{done, target};
use crate::api::{self, Api, Id, Search};
use crate::map::texts;
use crate::pull::remote;

#[derive(Debug, Deserialize)]
struct Row {
    parent: Option<Id>,
}

pub(super) fn push(api: &Api<'_>, category: &Category) -> Result<Outcome, Error> {
    let codes = texts::languages(api)?;
    let mut names = category.texts.iter().filter_map(|text| Some((texts::code(&codes, &text.language)?, &text.name)));
    let parent = match &category.base {
        Some(base) => Some(match &base.parent {
            Some(link) => Some(match &link.id {
                Some(id) => api::id(id)?,
                None => {
                    return Err(Error::Rejected(vec![super::order::issue(
                        "base.parent",
                        "the category above is not on the platform yet",
                    )]));
                }
            }),
            None => None,
        }),
        None => None,
    };
    let Some(id) = target(&category.head)? else {
        let first = names.next();
        let key = category.base.as_ref().map(|base| base.key.clone()).unwrap_or_default();
        let name = first.map_or(&key, |(_, name)| name);
        let language = first.map(|(code, _)| code.as_str());
        let mut values = json!({"name": name, "parent": parent.flatten(), "accounting": false});
        // By its key it is found again: the path of names is one already.
        if !key.is_empty() && key != path(api, parent.flatten(), name)? {
            values["code"] = json!(key);
        }
        let made: Id = api.create_in(language, "product.category", &values, &["id"])?;
        for (code, name) in names {
            api.host.settle(&category.head.item, Outcome::Partial(super::written(remote(made.id))));
            api.write_in(Some(code), "product.category", made.id, &json!({"name": name}))?;
        }
        return Ok(done(made.id));
    };
    let search = Search::of("product.category", &["parent.id"]).with(json!(["id", "=", id]));
    let rows: Vec<Row> = api.find(&search)?;
    let Some(row) = rows.first() else { return Err(Error::NotFound(format!("category {id}"))) };
    let before = api.writes();
    let mut values = Map::new();
    if let Some(parent) = parent.filter(|parent| *parent != row.parent.map(|parent| parent.id)) {
        values.insert("parent".into(), json!(parent));
    }
    let stored = texts::read(api, "product.category", &["name"], &[id])?;
    for (code, name) in names {
        let tag = texts::tag(code);
        let same = stored.of(id).any(|(language, fields)| language == tag && texts::text(fields, "name") == *name);
        if !same {
            let mut values = std::mem::take(&mut values);
            values.insert("name".into(), json!(name));
            api.write_in(Some(code), "product.category", id, &Value::Object(values))?;
        }
    }
    if !values.is_empty() {
        api.write("product.category", id, &Value::Object(values))?;
    }
    Ok(if api.writes() == before { Outcome::Unchanged(remote(id)) } else { done(id) })
}

/// The path of names of a category below another one.
fn path(api: &Api<'_>, parent: Option<u64>, name: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Above {
        rec_name: String,
    }
    let Some(parent) = parent else { return Ok(name.to_owned()) };
    let search = Search::of("product.category", &["rec_name"]).with(json!(["id", "=", parent]));
    let above: Vec<Above> = api.find(&search)?;
    Ok(above.first().map_or_else(|| name.to_owned(), |above| format!("{} / {name}", above.rec_name)))
}
