//! Categories. They have no free fields: the last part of their address, made of the natural key, is what they are found
//! by.

use serde_json::{Map, Value, json};
use tradepost_sdk::catalog::Category;
use tradepost_sdk::head::Op;
use tradepost_sdk::invalid;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::types::Error;

use super::{done, known, warning};
use crate::api::{Shop, rejection};
use crate::map::{id, remote, slug, write};

/// Makes or updates a category.
///
/// # Errors
/// What the shop answers.
pub fn write(shop: &Shop, category: &Category) -> Result<Outcome, Error> {
    let mut warnings = Vec::new();
    let mut body = Map::new();
    if let Some(text) = write::texts(&category.texts, &shop.settings.language) {
        body.insert("name".into(), json!(text.name));
        body.insert(
            "description".into(),
            json!(text.long_html.as_deref().or(text.short_html.as_deref()).unwrap_or_default()),
        );
    }
    if let Some(base) = &category.base {
        let parent = match &base.parent {
            None => 0,
            Some(link) => id(link
                .id
                .as_deref()
                .ok_or_else(|| invalid("parent", format!("the parent {} is not in the shop yet", link.key)))?)?,
        };
        body.insert("parent".into(), json!(parent));
        if let Some(position) = base.position {
            body.insert("menu_order".into(), json!(position));
        }
        if !base.active {
            warnings.push(warning("active", "a category of WooCommerce cannot be hidden: it stays visible"));
        }
    }
    if let Some(pictures) = &category.pictures {
        let (rows, _) = write::pictures(pictures, &category.head.parts, "pictures", &mut warnings);
        body.insert("image".into(), rows.into_iter().next().unwrap_or_else(|| json!({})));
    }
    let answer = match category.head.op {
        Op::Create | Op::CreateDone => {
            let base = category.base.as_ref().ok_or_else(|| Error::Bug("a new category without its head".into()))?;
            body.entry("name").or_insert_with(|| json!(base.key));
            body.insert("slug".into(), json!(slug(&base.key)));
            if body.get("image") == Some(&json!({})) {
                body.remove("image");
            }
            shop.post("/products/categories", &Value::Object(body)).map_err(|error| {
                if rejection(&error) == Some("term_exists") {
                    invalid("texts.name", "the parent has a category of this name already: link the two, or rename one")
                } else {
                    error
                }
            })?
        }
        // The creation is one request: what is left of a cut one is an update.
        Op::Resume | Op::Update => {
            let at = id(&known(&category.head)?.id)?;
            shop.put(&format!("/products/categories/{at}"), &Value::Object(body))?
        }
        Op::Read => return Err(Error::Bug("a record that was read is not written".into())),
    };
    let made = answer["id"].as_u64().ok_or_else(|| Error::Timeout("the shop names no category".into()))?;
    Ok(done(remote(made, None), Vec::new(), warnings))
}
