//! What is written of products, free of I/O.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use tradepost_sdk::catalog::{Attribute, Form, Medium, Product, Texts, Variant};
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::types::{Error, Issue};

use super::catalogue::{Article, of_kg};
use super::plain;
use crate::settings::WeightUnit;

/// The texts of the shop's language: those with the same tag, else with the same language, else the only ones.
#[must_use]
pub fn texts<'a>(all: &'a [Texts], language: &str) -> Option<&'a Texts> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_lowercase();
    all.iter()
        .find(|text| text.language.eq_ignore_ascii_case(language))
        .or_else(|| all.iter().find(|text| primary(&text.language) == primary(language)))
        .or(if let [only] = all { Some(only) } else { None })
}

/// Writes the facets of the product itself that are there, without variants, attributes and pictures.
pub fn own(product: &Product, language: &str, body: &mut Map<String, Value>) {
    if let Some(text) = texts(&product.texts, language) {
        body.insert("name".into(), json!(text.name));
        body.insert("description".into(), json!(text.long_html.as_deref().unwrap_or_default()));
        body.insert("short_description".into(), json!(text.short_html.as_deref().unwrap_or_default()));
        if let Some(slug) = text.slug.as_deref().filter(|slug| !slug.is_empty()) {
            body.insert("slug".into(), json!(slug));
        }
    }
    if let Some(base) = &product.base {
        body.insert("status".into(), json!(if base.active { "publish" } else { "draft" }));
        body.insert("virtual".into(), json!(base.form != Form::Goods));
        if base.form == Form::Digital {
            body.insert("downloadable".into(), json!(true));
        }
    }
    if let Some(links) = &product.categories {
        let ids = links.iter().filter_map(|link| link.id.as_deref()?.parse::<u64>().ok());
        body.insert("categories".into(), ids.map(|id| json!({"id": id})).collect());
    }
}

/// Writes what a variant says of itself: into its product when that is a simple one, else into its variation.
///
/// # Errors
/// `bug` for a weight that is no number.
pub fn variant(
    variant: &Variant,
    tax_class: Option<String>,
    unit: WeightUnit,
    body: &mut Map<String, Value>,
) -> Result<(), Error> {
    body.insert("sku".into(), json!(variant.sku));
    if let Some(gtin) = &variant.gtin {
        body.insert("global_unique_id".into(), json!(gtin));
    }
    if let Some(weight) = &variant.weight_kg {
        let weight = of_kg(tradepost_sdk::decimal(weight)?, unit);
        body.insert("weight".into(), json!(weight.normalize().to_string()));
    }
    if let Some(class) = tax_class {
        body.insert("tax_class".into(), json!(class));
    }
    Ok(())
}

/// Name and value of a choice in the shop's language.
fn worded(choice: &tradepost_sdk::catalog::Choice, language: &str) -> (String, String) {
    let of = |texts: &[tradepost_sdk::types::Text], other: &str| {
        texts
            .iter()
            .find(|text| text.language.eq_ignore_ascii_case(language))
            .map_or(other.to_owned(), |t| t.value.clone())
    };
    (of(&choice.names, &choice.axis), of(&choice.values, &choice.value))
}

/// The choice of a variation.
#[must_use]
pub fn choices(variant: &Variant, language: &str) -> Value {
    let one = |choice| {
        let (name, option) = worded(choice, language);
        json!({"name": name, "option": option})
    };
    variant.choices.iter().map(one).collect()
}

/// An attribute to be written.
#[derive(Debug, Clone)]
struct Named {
    /// Number of an attribute that several products share; 0 for one of this product's own.
    id: u64,
    name: String,
    options: Vec<String>,
    visible: bool,
}

/// All attributes of a product: those its variants differ in, then its properties. What is not handed over stays as it
/// is there, because the shop replaces the whole list.
#[must_use]
pub fn attributes(product: &Product, there: Option<&Article>, language: &str) -> Option<Value> {
    if product.variants.is_none() && product.attributes.is_none() {
        return None;
    }
    let kept = |variation: bool| -> Vec<Named> {
        let all = there.iter().flat_map(|there| &there.attributes).filter(|one| one.variation == variation);
        all.map(|one| Named { id: one.id, name: one.name.clone(), options: one.options.clone(), visible: one.visible })
            .collect()
    };
    let mut axes = kept(true);
    if let Some(variants) = &product.variants {
        let choices = variants.iter().flat_map(|variant| &variant.choices);
        axes = gathered(choices.map(|choice| worded(choice, language)), &axes);
    }
    let mut properties = kept(false);
    if let Some(attributes) = &product.attributes {
        let here = |tag: &str| tag.eq_ignore_ascii_case(language);
        let ours = attributes.iter().filter(|one| one.language.as_deref().is_none_or(here));
        let value = |one: &Attribute| match &one.unit {
            Some(unit) => format!("{} {unit}", one.value),
            None => one.value.clone(),
        };
        properties = gathered(ours.map(|one| (one.name.clone(), value(one))), &properties);
    }
    // A property with the name of a choice would be the same attribute to the shop.
    properties.retain(|property| !axes.iter().any(|axis| axis.name == property.name));
    let all = axes.iter().map(|axis| (axis, true)).chain(properties.iter().map(|property| (property, false)));
    let rows = all.enumerate().map(|(at, (one, variation))| {
        let mut row = json!({"name": one.name, "position": at, "visible": one.visible, "variation": variation,
            "options": one.options});
        if one.id > 0 {
            row["id"] = json!(one.id);
        }
        row
    });
    Some(rows.collect())
}

/// Whether the product has these attributes already, as [`attributes`] writes them.
#[must_use]
pub fn offered(there: &Article, rows: &Value) -> bool {
    let has = there.attributes.iter().enumerate().map(|(at, one)| {
        let mut row = json!({"name": one.name, "position": at, "visible": one.visible, "variation": one.variation,
            "options": one.options});
        if one.id > 0 {
            row["id"] = json!(one.id);
        }
        row
    });
    *rows == has.collect::<Value>()
}

/// Options by name, in the order they come; what the shop knows by the name keeps its number.
fn gathered(all: impl Iterator<Item = (String, String)>, known: &[Named]) -> Vec<Named> {
    let mut gathered: Vec<Named> = Vec::new();
    for (name, option) in all {
        match gathered.iter_mut().find(|one| one.name == name) {
            Some(one) if one.options.contains(&option) => {}
            Some(one) => one.options.push(option),
            None => {
                let known = known.iter().find(|known| plain(&known.name) == name);
                gathered.push(Named {
                    id: known.map_or(0, |known| known.id),
                    name,
                    options: vec![option],
                    visible: known.is_none_or(|known| known.visible),
                });
            }
        }
    }
    gathered
}

/// Pictures: one that is there already by its number, one that is new by its address, which the shop fetches itself.
/// Also the keys of those that are written, in the order of the rows.
#[must_use]
pub fn pictures(media: &[Medium], parts: &[Part], path: &str, warnings: &mut Vec<Issue>) -> (Vec<Value>, Vec<String>) {
    let (mut rows, mut keys) = (Vec::new(), Vec::new());
    for (at, medium) in media.iter().enumerate() {
        let known = parts.iter().find(|part| part.what == PartKind::Picture && part.key == medium.key);
        let known = known.and_then(|part| part.id.parse::<u64>().ok());
        let mut row = match (known, &medium.content.url) {
            (Some(id), _) => json!({"id": id}),
            (None, Some(url)) => json!({"src": url}),
            (None, None) => {
                warnings.push(Issue {
                    path: format!("{path}[{at}]"),
                    code: Some("no-address".into()),
                    message: "WooCommerce's interface takes no bytes, and the picture has no address that the shop \
                              could fetch it from. Add it in the shop by hand."
                        .into(),
                });
                continue;
            }
        };
        if let Some(title) = medium.title.first() {
            row["alt"] = json!(title.value);
        }
        rows.push(row);
        keys.push(medium.key.clone());
    }
    (rows, keys)
}

/// Whole pieces of a quantity: what is not there as a whole cannot be sold.
///
/// # Errors
/// `rejected` for a figure that no shop has.
pub fn pieces(quantity: &str) -> Result<i64, Error> {
    let floor = tradepost_sdk::decimal(quantity)?.floor();
    i64::try_from(floor).map_err(|_| tradepost_sdk::rejected("quantity", format!("`{quantity}` is no stock")))
}

/// An amount as the shop writes prices.
///
/// # Errors
/// `bug` for what is no number.
pub fn price(amount: Option<&String>) -> Result<String, Error> {
    let amount: Option<Decimal> = amount.map(|amount| tradepost_sdk::decimal(amount)).transpose()?;
    Ok(amount.map(|amount| amount.normalize().to_string()).unwrap_or_default())
}

#[cfg(test)]
mod tests;
