//! Products: templates with their variants.
//!
//! A template's change does not touch its variants and theirs not the template, so both are asked for at once.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Number, Value, json};
use tradepost_sdk::catalog::{Attribute, Choice, Content, Form, Medium, Product, ProductBase, Texts, Variant};
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::records::Records;
use tradepost_sdk::source::Page;
use tradepost_sdk::types::{Error, Link, RemoteRef};

use super::category::{Node, ids};
use super::{Reading, Rows, What, empty, filled, remote};
use crate::api::{Api, Id, Search};
use crate::map::{self, html, texts};
use crate::settings::Format;
use crate::value::{self, Exact, Instant};

const FIELDS: &[&str] = &[
    "name",
    "code",
    "type",
    "active",
    "salable",
    "write_date",
    "create_date",
    "default_uom.name",
    "account_category.name",
    "account_category.customer_taxes.rate",
    "account_category.customer_taxes.type",
    "categories.rec_name",
    "categories.code",
    "products.code",
    "products.suffix_code",
    "products.active",
    "products.position",
    "products.identifiers.type",
    "products.identifiers.code",
];
const IMAGES: &[&str] = &["images.product.id", "images.sequence"];
const WEIGHT: &[&str] = &["weight", "weight_uom.symbol", "products.weight", "products.weight_uom.symbol"];
const ATTRIBUTES: &[&str] = &["products.attributes"];
const PARTS: &[&str] = &["", "products.", "products.identifiers."];

#[derive(Debug, Deserialize)]
struct Row {
    id: u64,
    code: Option<String>,
    r#type: String,
    active: bool,
    salable: Option<bool>,
    write_date: Option<Instant>,
    create_date: Option<Instant>,
    default_uom: Option<Unit>,
    account_category: Option<Accounting>,
    #[serde(default)]
    categories: Vec<Node>,
    #[serde(default)]
    products: Vec<ProductRow>,
    images: Option<Vec<Image>>,
    weight: Option<Number>,
    weight_uom: Option<Symbol>,
}

#[derive(Debug, Deserialize)]
struct ProductRow {
    id: u64,
    code: Option<String>,
    active: bool,
    position: Option<i64>,
    #[serde(default)]
    identifiers: Vec<Identifier>,
    weight: Option<Number>,
    weight_uom: Option<Symbol>,
    attributes: Option<BTreeMap<String, Value>>,
}

#[derive(Debug, Deserialize)]
struct Unit {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Symbol {
    symbol: String,
}

#[derive(Debug, Deserialize)]
struct Identifier {
    r#type: Option<String>,
    code: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Accounting {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) customer_taxes: Vec<Rate>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Rate {
    pub(crate) rate: Option<Exact>,
}

#[derive(Debug, Deserialize)]
struct Image {
    id: u64,
    product: Option<Id>,
    sequence: Option<i64>,
}

/// Percent of customer taxes together; absent without any, or with one that is no percentage.
pub(crate) fn percent(taxes: &[Rate]) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    for tax in taxes {
        sum += tax.rate?.0;
    }
    (!taxes.is_empty()).then(|| (sum * Decimal::ONE_HUNDRED).normalize())
}

/// The clause for what is sold: goods, and services where that is set.
pub(super) fn sold(api: &Api<'_>, path: &str) -> Value {
    let kinds = if api.settings.services { json!(["goods", "service"]) } else { json!(["goods"]) };
    json!([format!("{path}type"), "in", kinds])
}

pub(super) fn pull(reading: &Reading<'_>) -> Result<Page, Error> {
    let api = reading.api;
    if reading.what == What::Present {
        let search = Search::of("product.template", &["code"]).with(sold(api, "")).all();
        return reading.present(search, |row| row["code"].as_str().map(str::to_owned));
    }
    let mut fields = FIELDS.to_vec();
    let mut parts = PARTS.to_vec();
    let images = api.has("product_image")?;
    if images {
        fields.extend(IMAGES);
        parts.push("images.");
    }
    if api.has("product_measurements")? {
        fields.extend(WEIGHT);
    }
    if api.has("product_attribute")? {
        fields.extend(ATTRIBUTES);
    }
    let search = Search::of("product.template", &fields).with(sold(api, "")).all();
    let Rows { rows, deleted, next } = reading.rows(search, &parts)?;
    let mut page = empty();
    page.deleted = deleted;
    let names = texts::read(api, "product.template", &["name", "products.description"], &ids(&rows))?;
    let (origin, database) = api.origin_and_database();
    let pictures = Pictures { origin, database };
    let records = Reading::convert(&rows, &mut page, |row: Row| {
        let texts =
            names.of(row.id).map(|(language, fields)| product_texts(language, fields, api.settings.description_format));
        product(&row, texts.collect(), &pictures).map(Some)
    });
    filled(&mut page, Records::Products(records));
    reading.finish(page, next)
}

/// Where Tryton shows pictures.
struct Pictures {
    origin: String,
    database: String,
}

impl Pictures {
    /// Address of one picture in the largest size that every server gives, without credentials.
    fn url(&self, sku: &str, image: u64) -> String {
        // The code is quoted twice, because the server resolves the address once and the code once more.
        let code = quote(&quote(sku));
        let database = URL_SAFE_NO_PAD.encode(&self.database);
        format!("{}/product/variant/image/{code}/{database}?s=2048&id={image}", self.origin)
    }
}

fn quote(text: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.~".contains(b);
    text.bytes().map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn product(row: &Row, texts: Vec<Texts>, pictures: &Pictures) -> Result<Product, Error> {
    let mut products: Vec<&ProductRow> = row.products.iter().collect();
    products.sort_by_key(|product| (product.position.unwrap_or(i64::MIN), product.id));
    // A code that was given up may be used again: then it means the variant in use.
    let in_use = |code: &Option<String>| row.products.iter().any(|product| product.active && product.code == *code);
    products.retain(|product| product.active || !in_use(&product.code));
    let sold = row.active && row.salable.unwrap_or_default();
    let mut variants = Vec::new();
    for product in products {
        // Without a code nobody else could ever name it.
        let Some(sku) = map::some(product.code.as_deref()) else { continue };
        let weight = match weight(product.weight.as_ref(), product.weight_uom.as_ref())? {
            None => weight(row.weight.as_ref(), row.weight_uom.as_ref())?,
            weight => weight,
        };
        variants.push(Variant {
            remote: Some(RemoteRef { parent: Some(row.id.to_string()), ..remote(product.id) }),
            gtin: identifier(product, &["ean", "isbn", "ismn"]),
            mpn: identifier(product, &["mpn", "brand"]),
            active: sold && product.active,
            tax_class: row.account_category.as_ref().map(|category| category.name.clone()),
            tax_percent: row.account_category.as_ref().and_then(|c| percent(&c.customer_taxes)).map(value::plain),
            choices: choices(product),
            weight_kg: weight.map(value::plain),
            pictures: media(row, Some(product.id), &sku, pictures),
            extra: Vec::new(),
            sku,
        });
    }
    let first = variants.first().map(|variant| variant.sku.clone());
    let mut head = map::read(remote(row.id), row.write_date.or(row.create_date));
    let ids = variants.iter().filter_map(|variant| Some((variant.sku.clone(), variant.remote.as_ref()?.id.clone())));
    head.parts = ids.map(|(key, id)| Part { what: PartKind::Variant, key, id }).collect();
    Ok(Product {
        head,
        base: Some(ProductBase {
            number: map::some(row.code.as_deref()).or_else(|| first.clone().filter(|_| variants.len() == 1)),
            form: if row.r#type == "service" { Form::Service } else { Form::Goods },
            active: sold,
            manufacturer: None,
            unit: row.default_uom.as_ref().map(|unit| unit.name.clone()),
        }),
        texts,
        pictures: media(row, None, first.as_deref().unwrap_or_default(), pictures),
        categories: Some(row.categories.iter().map(Node::link).collect::<Vec<Link>>()),
        attributes: None::<Vec<Attribute>>,
        variants: Some(variants),
        extra: Vec::new(),
    })
}

/// Pictures of a variant, or of all of them. Absent where Tryton keeps none.
fn media(row: &Row, of: Option<u64>, sku: &str, pictures: &Pictures) -> Option<Vec<Medium>> {
    let images = row.images.as_ref()?.iter().filter(|image| image.product.map(|product| product.id) == of);
    let mut images: Vec<&Image> = images.collect();
    images.sort_by_key(|image| (image.sequence.unwrap_or(i64::MIN), image.id));
    let medium = |image: &&Image| Medium {
        key: image.id.to_string(),
        content: Content { blob: None, url: Some(pictures.url(sku, image.id)) },
        title: Vec::new(),
    };
    Some(images.iter().map(medium).collect())
}

/// The first identifier of one of these types, in the order of the types.
fn identifier(product: &ProductRow, types: &[&str]) -> Option<String> {
    let of = |wanted: &&str| product.identifiers.iter().find(|found| found.r#type.as_deref() == Some(wanted));
    types.iter().find_map(of).map(|found| found.code.clone())
}

/// Attributes of a variant in the order of their names.
fn choices(product: &ProductRow) -> Vec<Choice> {
    let attributes = product.attributes.iter().flatten();
    let choices = attributes.filter_map(|(axis, value)| {
        let value = match value {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            Value::Object(_) => value::plain(Exact::deserialize(value).ok()?.0),
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            other => other.to_string(),
        };
        Some(Choice { axis: axis.clone(), value, names: Vec::new(), values: Vec::new() })
    });
    choices.collect()
}

/// A weight in kilograms, where the unit is one that is a power of ten of it.
fn weight(weight: Option<&Number>, unit: Option<&Symbol>) -> Result<Option<Decimal>, Error> {
    let (Some(weight), Some(unit)) = (weight, unit) else { return Ok(None) };
    let weight = value::quantity(weight)?;
    Ok(match unit.symbol.as_str() {
        "kg" => Some(weight),
        "g" => Some(weight / Decimal::ONE_THOUSAND),
        _ => None,
    })
}

fn product_texts(language: &str, fields: &Value, format: Format) -> Texts {
    let descriptions = fields["products"].as_array().into_iter().flatten();
    let mut descriptions = descriptions.filter_map(|product| product["description"].as_str());
    let description = descriptions.find(|text| !text.trim().is_empty());
    Texts {
        name: texts::text(fields, "name"),
        long_html: description.map(|text| match format {
            Format::Text => html::from_text(text),
            Format::Html => text.to_owned(),
        }),
        ..texts::empty(language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures() -> Pictures {
        Pictures { origin: "https://erp.test".into(), database: "erp".into() }
    }

    fn shirt() -> Product {
        let rows: Value = serde_json::from_str(include_str!("../../fixtures/templates.json")).unwrap();
        let row = Row::deserialize(&rows[0]).unwrap();
        product(&row, Vec::new(), &pictures()).unwrap()
    }

    #[test]
    fn a_template_and_its_variants_are_one_product() {
        let shirt = shirt();
        let base = shirt.base.unwrap();
        assert_eq!((base.number.as_deref(), base.form, base.active), (Some("TS"), Form::Goods, true));
        assert_eq!(shirt.categories.unwrap()[0].key, "Apparel / Shirts");
        let variants = shirt.variants.unwrap();
        let skus: Vec<&str> = variants.iter().map(|variant| variant.sku.as_str()).collect();
        assert_eq!(skus, ["TS-S-RED", "TS-M-RED", "TS-L-BLUE"]);
        assert_eq!(variants[0].tax_percent.as_deref(), Some("19"));
        assert_eq!(variants[0].tax_class.as_deref(), Some("Accounting 19"));
        assert_eq!(variants[0].weight_kg.as_deref(), Some("0.18"));
        assert_eq!(variants[0].gtin.as_deref(), Some("4006381333931"));
        assert_eq!(variants[1].choices[0].value, "M");
        assert!(!variants[2].active, "an inactive variant");
        let remote = variants[0].remote.clone().unwrap();
        assert_eq!((remote.id.as_str(), remote.parent.as_deref()), ("1", Some("1")));
        assert_eq!(shirt.head.parts.len(), 3);
        assert_eq!(shirt.head.updated.as_deref(), Some("2026-11-22T16:39:39.059282Z"));
    }

    #[test]
    fn a_code_used_again_means_the_variant_in_use() {
        let rows: Value = serde_json::from_str(include_str!("../../fixtures/templates.json")).unwrap();
        let mut row = Row::deserialize(&rows[0]).unwrap();
        row.products[2].code = Some("TS-S-RED".into());
        let shirt = product(&row, Vec::new(), &pictures()).unwrap();
        let ids: Vec<String> = shirt.variants.unwrap().into_iter().map(|variant| variant.remote.unwrap().id).collect();
        assert_eq!(ids, ["1", "2"]);
    }

    #[test]
    fn a_picture_is_of_the_product_or_of_one_variant() {
        let shirt = shirt();
        let own = shirt.pictures.unwrap();
        assert_eq!(own.len(), 1);
        assert_eq!(
            own[0].content.url.as_deref(),
            Some("https://erp.test/product/variant/image/TS-S-RED/ZXJw?s=2048&id=7")
        );
        let variants = shirt.variants.unwrap();
        assert_eq!(variants[1].pictures.as_ref().unwrap()[0].key, "8");
        assert!(variants[0].pictures.as_ref().unwrap().is_empty());
    }

    #[test]
    fn a_description_is_shown_as_html() {
        let fields = json!({"name": "Shirt", "products": [{"description": null}, {"description": "Soft & warm"}]});
        assert_eq!(product_texts("de", &fields, Format::Text).long_html.as_deref(), Some("<p>Soft &amp; warm</p>"));
        assert_eq!(product_texts("de", &fields, Format::Html).long_html.as_deref(), Some("Soft & warm"));
    }

    #[test]
    fn taxes_add_up_unless_one_is_no_percentage() {
        let rate = |text: &str| Rate { rate: Some(Exact(text.parse().unwrap())) };
        assert_eq!(percent(&[rate("0.05"), rate("0.0250")]), Some("7.5".parse().unwrap()));
        assert_eq!(percent(&[rate("0.05"), Rate { rate: None }]), None);
        assert_eq!(percent(&[]), None);
    }
}
