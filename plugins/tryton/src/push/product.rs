//! Products: a template with all its variants in one request, then other languages and pictures.
//!
//! A change is written only where Tryton has something else; a creation that was cut off is therefore finished like a
//! change.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tradepost_sdk::catalog::{Form, Medium, Product, Texts, Variant};
use tradepost_sdk::decimal;
use tradepost_sdk::head::{Head, Part, PartKind};
use tradepost_sdk::outcomes::{Outcome, Written};
use tradepost_sdk::types::{Error, Issue, RemoteRef};

use super::order::issue;
use super::{target, unsupported, written};
use crate::api::{self, Api, Id, Search};
use crate::map::{self, html, some, texts};
use crate::masters::{self, Taxes};
use crate::pull::remote;
use crate::settings::Format;

const MODEL: &str = "product.template";
const FIELDS: &[&str] = &[
    "code",
    "active",
    "account_category.id",
    "categories.id",
    "products.code",
    "products.suffix_code",
    "products.active",
];

/// A template as it is.
#[derive(Debug, Deserialize)]
struct Row {
    id: u64,
    code: Option<String>,
    active: bool,
    account_category: Option<Id>,
    #[serde(default)]
    categories: Vec<Id>,
    #[serde(default)]
    products: Vec<ProductRow>,
}

#[derive(Debug, Deserialize)]
struct ProductRow {
    id: u64,
    code: Option<String>,
    active: bool,
}

#[derive(Debug, Deserialize)]
struct Image {
    id: u64,
    /// The variant it shows; none: the product.
    product: Option<Id>,
    sequence: Option<u64>,
}

pub(super) fn push(api: &Api<'_>, product: &Product) -> Result<Outcome, Error> {
    let codes = texts::languages(api)?;
    let known = |text: &&Texts| texts::code(&codes, &text.language).is_some();
    let texts: Vec<&Texts> = product.texts.iter().filter(known).collect();
    let before = api.writes();
    let id = match target(&product.head)? {
        Some(id) => id,
        None => {
            let row = create(api, product, texts.first().copied(), &codes)?;
            // What is left to be written belongs to an object that is there.
            api.host.settle(&product.head.item, Outcome::Partial(outcome(&row, Vec::new())));
            row.id
        }
    };
    let mut row = read(api, id)?;
    let values = changes(api, product, &row)?;
    if !values.is_empty() {
        api.write(MODEL, id, &Value::Object(values))?;
        row = read(api, id)?;
    }
    write_texts(api, &row, &texts, &codes)?;
    let pictures = pictures(api, product, &row)?;
    if api.writes() == before {
        return Ok(Outcome::Unchanged(remote(id)));
    }
    let mut written = outcome(&row, pictures);
    if let Some(variants) = &product.variants {
        written.warnings = strangers(variants, &row);
    }
    Ok(Outcome::Done(written))
}

fn read(api: &Api<'_>, id: u64) -> Result<Row, Error> {
    let found: Vec<Row> = api.find(&Search::of(MODEL, FIELDS).with(json!(["id", "=", id])).all())?;
    found.into_iter().next().ok_or_else(|| Error::NotFound(format!("product template {id}")))
}

/// Makes the template and its variants.
fn create(api: &Api<'_>, product: &Product, text: Option<&Texts>, codes: &[String]) -> Result<Row, Error> {
    let base = product.base.as_ref().ok_or_else(|| Error::Bug("a new product without its head".into()))?;
    let variants = product.variants.as_deref().unwrap_or_default();
    let Some(first) = variants.first() else {
        return Err(Error::Rejected(vec![issue(
            "variants",
            "a product without variants has nothing that could be sold",
        )]));
    };
    let prefix = prefix(base.number.as_deref(), variants);
    let unit = masters::unit(api, base.unit.as_deref())?;
    let percent = first.tax_percent.as_deref().map(decimal).transpose()?;
    let category = Taxes::read(api)?.category(first.tax_class.as_deref(), percent)?;
    let description = text.and_then(|text| description(api, text));
    let products: Result<Vec<Value>, Error> = variants
        .iter()
        .map(|variant| {
            let mut value = new_variant(variant, prefix)?;
            value["description"] = json!(description);
            Ok(value)
        })
        .collect();
    let name = text.map(|text| text.name.clone()).filter(|name| !name.is_empty());
    let mut values = json!({
        "name": name.or_else(|| base.number.clone()).unwrap_or_else(|| first.sku.clone()),
        "type": if base.form == Form::Goods { "goods" } else { "service" },
        "default_uom": unit,
        "sale_uom": unit,
        "salable": true,
        "active": base.active,
        "account_category": category,
        "products": [["create", products?]],
    });
    if let Some(prefix) = prefix {
        values["code"] = json!(prefix);
    }
    if let Some(categories) = &product.categories {
        values["categories"] = json!([["add", linked(categories)?]]);
    }
    let language = text.and_then(|text| texts::code(codes, &text.language)).map(String::as_str);
    api.create_in(language, MODEL, &values, FIELDS)
}

/// The template's code: the product's number where all variants' codes begin with it and go on.
fn prefix<'n>(number: Option<&'n str>, variants: &[Variant]) -> Option<&'n str> {
    let longer = |number: &&str| variants.iter().all(|v| v.sku.len() > number.len() && v.sku.starts_with(number));
    number.filter(|number| !number.is_empty()).filter(longer)
}

/// A variant to be made. Its code is the template's with the suffix behind it.
fn new_variant(variant: &Variant, prefix: Option<&str>) -> Result<Value, Error> {
    let Some(suffix) = variant.sku.strip_prefix(prefix.unwrap_or_default()) else {
        let words = format!(
            "The template's code `{}` begins the code of each of its variants, so none can be `{}`.",
            prefix.unwrap_or_default(),
            variant.sku
        );
        return Err(Error::Rejected(vec![issue("variants", &words)]));
    };
    let mut value = json!({"suffix_code": suffix, "active": variant.active});
    if let Some(gtin) = some(variant.gtin.as_deref()) {
        value["identifiers"] = json!([["create", [{"type": "ean", "code": gtin}]]]);
    }
    Ok(value)
}

/// What differs in the template, its categories and its variants.
fn changes(api: &Api<'_>, product: &Product, row: &Row) -> Result<Map<String, Value>, Error> {
    let mut values = Map::new();
    if let Some(base) = product.base.as_ref().filter(|base| base.active != row.active) {
        values.insert("active".into(), json!(base.active));
    }
    if let Some(categories) = &product.categories {
        let wanted = linked(categories)?;
        let has: Vec<u64> = row.categories.iter().map(|category| category.id).collect();
        let add: Vec<&u64> = wanted.iter().filter(|id| !has.contains(id)).collect();
        let remove: Vec<&u64> = has.iter().filter(|id| !wanted.contains(id)).collect();
        if !add.is_empty() || !remove.is_empty() {
            values.insert("categories".into(), json!([["add", add], ["remove", remove]]));
        }
    }
    if let Some(variants) = &product.variants {
        if let Some(first) = variants.first().filter(|first| first.tax_class.is_some() || first.tax_percent.is_some()) {
            let percent = first.tax_percent.as_deref().map(decimal).transpose()?;
            let category = Taxes::read(api)?.category(first.tax_class.as_deref(), percent)?;
            if row.account_category.map(|category| category.id) != Some(category) {
                values.insert("account_category".into(), json!(category));
            }
        }
        let commands = variant_commands(&product.head, variants, row)?;
        if !commands.is_empty() {
            values.insert("products".into(), Value::Array(commands));
        }
    }
    Ok(values)
}

/// Variants to be made, changed or put out of use. One is known by its reference, else by its code.
fn variant_commands(head: &Head, variants: &[Variant], row: &Row) -> Result<Vec<Value>, Error> {
    let prefix = row.code.as_deref().filter(|code| !code.is_empty());
    let mut commands = Vec::new();
    let mut kept = Vec::new();
    for variant in variants {
        let id = variant.remote.as_ref().and_then(|remote| remote.id.parse().ok());
        let id = id.or_else(|| map::part(&head.parts, PartKind::Variant, &variant.sku));
        let found = row.products.iter().find(|product| Some(product.id) == id);
        let found = found.or_else(|| row.products.iter().find(|product| product.code.as_deref() == Some(&variant.sku)));
        let Some(found) = found else {
            commands.push(json!(["create", [new_variant(variant, prefix)?]]));
            continue;
        };
        kept.push(found.id);
        let mut values = Map::new();
        if found.code.as_deref() != Some(&variant.sku) {
            values.insert("suffix_code".into(), new_variant(variant, prefix)?["suffix_code"].take());
        }
        if found.active != variant.active {
            values.insert("active".into(), json!(variant.active));
        }
        if !values.is_empty() {
            commands.push(json!(["write", [found.id], values]));
        }
    }
    // Only variants that came from here go; others were made in Tryton.
    for part in head.parts.iter().filter(|part| part.what == PartKind::Variant) {
        let id: Option<u64> = part.id.parse().ok();
        let gone = row.products.iter().find(|product| Some(product.id) == id && product.active);
        if let Some(gone) = gone.filter(|gone| !kept.contains(&gone.id)) {
            commands.push(json!(["write", [gone.id], {"active": false}]));
        }
    }
    Ok(commands)
}

/// Names and descriptions that are other than in Tryton, one request per language.
fn write_texts(api: &Api<'_>, row: &Row, texts: &[&Texts], codes: &[String]) -> Result<(), Error> {
    if texts.is_empty() {
        return Ok(());
    }
    let stored = texts::read(api, MODEL, &["name", "products.description"], &[row.id])?;
    for text in texts {
        let Some(code) = texts::code(codes, &text.language) else { continue };
        let tag = texts::tag(code);
        let Some((_, fields)) = stored.of(row.id).find(|(language, _)| *language == tag) else { continue };
        let mut values = Map::new();
        if !text.name.is_empty() && texts::text(fields, "name") != text.name {
            values.insert("name".into(), json!(text.name));
        }
        let description = description(api, text);
        let other = |product: &&Value| some(product["description"].as_str()) != description;
        let products = fields["products"].as_array().into_iter().flatten();
        let ids: Vec<u64> = products.filter(other).filter_map(|product| product["id"].as_u64()).collect();
        if !ids.is_empty() {
            values.insert("products".into(), json!([["write", ids, {"description": description}]]));
        }
        if !values.is_empty() {
            api.write_in(Some(code), MODEL, row.id, &Value::Object(values))?;
        }
    }
    Ok(())
}

/// The description as it is kept in Tryton.
fn description(api: &Api<'_>, text: &Texts) -> Option<String> {
    let html = text.long_html.as_deref().or(text.short_html.as_deref())?;
    match api.settings.description_format {
        Format::Text => some(Some(&html::to_text(html))),
        Format::Html => some(Some(html)),
    }
}

/// Uploads the pictures that are not there yet, takes away those of ours that are gone, and keeps the order. Returns
/// the pictures as parts.
fn pictures(api: &Api<'_>, product: &Product, row: &Row) -> Result<Vec<Part>, Error> {
    let variants = product.variants.as_deref().unwrap_or_default();
    let of_variants = variants.iter().filter_map(|variant| {
        let row = row.products.iter().find(|row| row.code.as_deref() == Some(&variant.sku))?;
        Some((variant.pictures.as_ref()?, Some(row.id)))
    });
    let groups: Vec<(&Vec<Medium>, Option<u64>)> =
        product.pictures.iter().map(|media| (media, None)).chain(of_variants).collect();
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    if !api.has("product_image")? {
        return match groups.iter().any(|(media, _)| !media.is_empty()) {
            true => Err(unsupported("Tryton keeps no pictures. Activate its module product_image")),
            false => Ok(Vec::new()),
        };
    }
    let owners: Vec<Option<u64>> = groups.iter().map(|(_, variant)| *variant).collect();
    let search = Search::of("product.image", &["sequence", "product.id"]).with(json!(["template", "=", row.id]));
    let there: Vec<Image> = api.find(&search)?;
    let mut parts: Vec<Part> = Vec::new();
    for (media, variant) in groups {
        for (at, medium) in media.iter().enumerate() {
            let sequence = at as u64 + 1;
            let known = map::part(&product.head.parts, PartKind::Picture, &medium.key);
            // The same picture may stand on the product and on a variant; it is uploaded once.
            let known = known.or_else(|| map::part(&parts, PartKind::Picture, &medium.key));
            let id = match known.and_then(|id| there.iter().find(|image| image.id == id)) {
                Some(image) => {
                    if image.sequence.is_some_and(|stored| stored != sequence) && variant.is_none() {
                        api.write("product.image", image.id, &json!({"sequence": sequence}))?;
                    }
                    image.id
                }
                None if parts.iter().any(|part| part.key == medium.key) => continue,
                None => upload(api, row.id, variant, sequence, medium)?,
            };
            if !parts.iter().any(|part| part.key == medium.key) {
                parts.push(Part { what: PartKind::Picture, key: medium.key.clone(), id: id.to_string() });
                // A cut between two uploads must not upload the first one again.
                api.host.settle(&product.head.item, Outcome::Partial(outcome(row, parts.clone())));
            }
        }
    }
    // A picture goes when it is one of ours and its owner's pictures are told without it.
    for part in product.head.parts.iter().filter(|part| part.what == PartKind::Picture) {
        let id: Option<u64> = part.id.parse().ok();
        let told = |image: &&Image| owners.contains(&image.product.map(|product| product.id));
        let gone = there.iter().find(|image| Some(image.id) == id).filter(told);
        if let Some(gone) = gone.filter(|_| !parts.iter().any(|kept| kept.id == part.id)) {
            api.delete("product.image", gone.id)?;
        }
    }
    Ok(parts)
}

fn upload(api: &Api<'_>, template: u64, variant: Option<u64>, sequence: u64, medium: &Medium) -> Result<u64, Error> {
    let Some(blob) = &medium.content.blob else {
        return Err(Error::Bug(format!("picture {} came without its bytes", medium.key)));
    };
    let bytes = STANDARD.encode(api.host.blob(&blob.id)?);
    let values = json!({
        "template": template,
        "product": variant,
        "sequence": sequence,
        "description": medium.title.first().map(|title| &title.value),
        "image": {"__class__": "bytes", "base64": bytes},
    });
    Ok(api.create::<Id>("product.image", &values, &["id"])?.id)
}

/// Variants whose code Tryton made another one of, for instance from a sequence.
fn strangers(variants: &[Variant], row: &Row) -> Vec<Issue> {
    let there = |sku: &str| row.products.iter().any(|product| product.code.as_deref() == Some(sku));
    let missing = variants.iter().filter(|variant| !there(&variant.sku));
    missing
        .map(|variant| issue("variants", &format!("Tryton gave the variant `{}` another code.", variant.sku)))
        .collect()
}

fn linked(categories: &[tradepost_sdk::types::Link]) -> Result<Vec<u64>, Error> {
    categories.iter().filter_map(|link| link.id.as_deref()).map(api::id).collect()
}

fn outcome(row: &Row, pictures: Vec<Part>) -> Written {
    let variant = |product: &ProductRow| {
        Some(Part { what: PartKind::Variant, key: product.code.clone()?, id: product.id.to_string() })
    };
    let variants = row.products.iter().filter_map(variant);
    Written { parts: variants.chain(pictures).collect(), ..written(RemoteRef { ..remote(row.id) }) }
}
