//! Categories and products as the contract has them.

use rust_decimal::Decimal;
use serde::Deserialize;
use tradepost_sdk::catalog::{
    Attribute, Category, CategoryBase, Choice, Content, Form, Medium, Product, ProductBase, Texts, Variant,
};
use tradepost_sdk::head::PartKind;
use tradepost_sdk::types::{Error, Field, Text};

use super::taxes::{self, Rate};
use super::{MARKER, Meta, filled, gmt, head, link, meta, part, plain, remote};
use crate::api::amount;
use crate::settings::WeightUnit;

/// A category.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct RawCategory {
    pub id: u64,
    pub name: String,
    pub slug: String,
    #[serde(default)]
    pub parent: u64,
    #[serde(default)]
    pub description: String,
    pub image: Option<Image>,
    #[serde(default)]
    pub menu_order: i32,
}

/// A picture.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Image {
    pub id: u64,
    #[serde(default)]
    pub src: String,
    #[serde(default)]
    pub alt: String,
}

/// A product, or a variation: they share most fields.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Article {
    pub id: u64,
    #[serde(default)]
    pub parent_id: u64,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub slug: String,
    #[serde(default, rename = "type")]
    pub what: String,
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub short_description: String,
    #[serde(default)]
    pub sku: String,
    #[serde(default)]
    pub global_unique_id: String,
    #[serde(default)]
    pub regular_price: String,
    #[serde(default)]
    pub sale_price: String,
    pub date_on_sale_from_gmt: Option<String>,
    pub date_on_sale_to_gmt: Option<String>,
    #[serde(default, rename = "virtual")]
    pub intangible: bool,
    #[serde(default)]
    pub downloadable: bool,
    #[serde(default)]
    pub tax_status: String,
    #[serde(default)]
    pub tax_class: String,
    /// A variation says `parent` where its product counts for it.
    #[serde(default)]
    pub manage_stock: serde_json::Value,
    /// Plugins allow fractions.
    pub stock_quantity: Option<serde_json::Number>,
    #[serde(default)]
    pub stock_status: String,
    #[serde(default)]
    pub weight: String,
    #[serde(default)]
    pub categories: Vec<Term>,
    #[serde(default)]
    pub images: Vec<Image>,
    pub image: Option<Image>,
    #[serde(default)]
    pub attributes: Vec<RawAttribute>,
    #[serde(default)]
    pub variations: Vec<u64>,
    #[serde(default)]
    pub meta_data: Vec<Meta>,
    pub date_modified_gmt: Option<String>,
}

/// A category of a product.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Term {
    pub id: u64,
    #[serde(default)]
    pub slug: String,
}

/// An attribute of a product, with its options; of a variation, with the one it has.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct RawAttribute {
    #[serde(default)]
    pub id: u64,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub variation: bool,
    #[serde(default)]
    pub visible: bool,
    #[serde(default)]
    pub options: Vec<String>,
    #[serde(default)]
    pub option: String,
}

impl Article {
    /// Whether it is bought as one of its variations.
    #[must_use]
    pub fn variable(&self) -> bool {
        self.what == "variable"
    }

    /// Where a variant of this product is: a variation is only reached below its product.
    #[must_use]
    pub fn reference(&self) -> tradepost_sdk::types::RemoteRef {
        remote(self.id, (self.parent_id > 0 && self.what == "variation").then_some(self.parent_id))
    }
}

/// What the conversion of products needs to know.
#[derive(Debug, Clone)]
pub struct Words<'a> {
    /// Language of the shop's texts.
    pub language: &'a str,
    /// Unit of weights.
    pub unit: WeightUnit,
    /// Tax rates.
    pub rates: &'a [Rate],
    /// The shop's country.
    pub country: &'a str,
}

/// A category of the tree; `parents` are other categories by id.
#[must_use]
pub fn category(raw: &RawCategory, parents: &[RawCategory], language: &str) -> Category {
    let parent = parents.iter().find(|other| other.id == raw.parent);
    Category {
        head: head(remote(raw.id, None), None, Vec::new(), None),
        base: Some(CategoryBase {
            key: raw.slug.clone(),
            parent: (raw.parent > 0).then(|| link(raw.parent, parent.map_or("", |parent| &parent.slug))),
            active: true,
            position: Some(raw.menu_order),
        }),
        texts: vec![Texts {
            language: language.into(),
            name: plain(&raw.name),
            short_html: None,
            long_html: filled(Some(&raw.description)),
            slug: filled(Some(&raw.slug)),
            meta_title: None,
            meta_description: None,
            keywords: Vec::new(),
        }],
        pictures: Some(pictures(&raw.image, language)),
        extra: Vec::new(),
    }
}

/// A product with its variations.
///
/// # Errors
/// `rejected`: a variant has no SKU of its own, so that nothing could be told from it.
pub fn product(raw: &Article, variations: &[Article], words: &Words<'_>) -> Result<Product, Error> {
    let bought: Vec<&Article> = if raw.variable() { variations.iter().collect() } else { vec![raw] };
    let variants = bought.iter().map(|one| variant(one, raw, words)).collect::<Result<Vec<Variant>, Error>>()?;
    let mut parts: Vec<_> = bought.iter().map(|one| part(PartKind::Variant, &one.sku, one.id)).collect();
    parts.extend(raw.images.iter().map(|image| part(PartKind::Picture, &image.id.to_string(), image.id)));
    let other = !matches!(raw.what.as_str(), "" | "simple" | "variable");
    Ok(Product {
        head: head(remote(raw.id, None), meta(&raw.meta_data, MARKER), parts, gmt(raw.date_modified_gmt.as_deref())?),
        base: Some(ProductBase {
            number: filled(Some(&raw.sku)),
            form: match (raw.downloadable, raw.intangible) {
                (true, _) => Form::Digital,
                (false, true) => Form::Service,
                _ => Form::Goods,
            },
            active: raw.status == "publish",
            manufacturer: None,
            unit: None,
        }),
        texts: vec![Texts {
            language: words.language.into(),
            name: plain(&raw.name),
            short_html: filled(Some(&raw.short_description)),
            long_html: filled(Some(&raw.description)),
            slug: filled(Some(&raw.slug)),
            meta_title: None,
            meta_description: None,
            keywords: Vec::new(),
        }],
        pictures: Some(pictures(&raw.images, words.language)),
        categories: Some(raw.categories.iter().map(|term| link(term.id, &term.slug)).collect()),
        attributes: Some(attributes(raw, words.language)),
        variants: Some(variants),
        extra: if other { vec![Field { name: "type".into(), value: raw.what.clone() }] } else { Vec::new() },
    })
}

fn variant(raw: &Article, product: &Article, words: &Words<'_>) -> Result<Variant, Error> {
    let own = raw.id == product.id;
    // A variation without a SKU shows that of its product.
    if raw.sku.trim().is_empty() || (!own && raw.sku == product.sku) {
        let which =
            if own { format!("product {}", raw.id) } else { format!("variation {} of product {}", raw.id, product.id) };
        return Err(tradepost_sdk::rejected(
            "no-sku",
            format!("{which} (\"{}\") has no SKU of its own. Give it one in the shop.", plain(&product.name)),
        ));
    }
    let class = if raw.tax_class == "parent" { &product.tax_class } else { &raw.tax_class };
    let status = if raw.tax_status.is_empty() { &product.tax_status } else { &raw.tax_status };
    let percent = match status.as_str() {
        "none" | "shipping" => Some(Decimal::ZERO),
        _ => taxes::percent(words.rates, words.country, class),
    };
    let weight = if raw.weight.is_empty() { &product.weight } else { &raw.weight };
    Ok(Variant {
        remote: Some(raw.reference()),
        sku: raw.sku.clone(),
        gtin: filled(Some(&raw.global_unique_id)),
        mpn: None,
        active: raw.status == "publish" || own,
        tax_class: Some(if class.is_empty() { "standard".into() } else { class.clone() }),
        tax_percent: percent.map(|percent| percent.to_string()),
        choices: if own { Vec::new() } else { raw.attributes.iter().map(|one| choice(one, words.language)).collect() },
        weight_kg: amount(weight)?.map(|weight| in_kg(weight, words.unit).normalize().to_string()),
        pictures: (!own).then(|| pictures(&raw.image, words.language)),
        extra: Vec::new(),
    })
}

fn choice(raw: &RawAttribute, language: &str) -> Choice {
    let text = |value: &str| vec![Text { language: language.into(), value: plain(value) }];
    Choice { axis: plain(&raw.name), value: plain(&raw.option), names: text(&raw.name), values: text(&raw.option) }
}

/// Properties that are no choice.
fn attributes(raw: &Article, language: &str) -> Vec<Attribute> {
    let mut all = Vec::new();
    for attribute in raw.attributes.iter().filter(|attribute| !(attribute.variation && raw.variable())) {
        for option in &attribute.options {
            all.push(Attribute {
                name: plain(&attribute.name),
                value: plain(option),
                language: Some(language.into()),
                unit: None,
            });
        }
    }
    all
}

/// Pictures in display order; one whose file is lost has no address.
fn pictures<'a>(images: impl IntoIterator<Item = &'a Image>, language: &str) -> Vec<Medium> {
    images.into_iter().filter(|image| !image.src.is_empty()).map(|image| medium(image, language)).collect()
}

fn medium(image: &Image, language: &str) -> Medium {
    let title = filled(Some(&image.alt)).map(|alt| Text { language: language.into(), value: plain(&alt) });
    Medium {
        key: image.id.to_string(),
        content: Content { blob: None, url: filled(Some(&image.src)) },
        title: title.into_iter().collect(),
    }
}

/// Kilograms of a weight of the shop.
#[must_use]
pub fn in_kg(weight: Decimal, unit: WeightUnit) -> Decimal {
    (weight * kg(unit)).round_dp(6)
}

/// A weight of the shop of kilograms.
#[must_use]
pub fn of_kg(weight: Decimal, unit: WeightUnit) -> Decimal {
    (weight / kg(unit)).round_dp(4)
}

fn kg(unit: WeightUnit) -> Decimal {
    match unit {
        WeightUnit::Kg => Decimal::ONE,
        WeightUnit::G => Decimal::new(1, 3),
        // By definition, both to the last place.
        WeightUnit::Lbs => Decimal::new(45_359_237, 8),
        WeightUnit::Oz => Decimal::new(28_349_523_125, 12),
    }
}

#[cfg(test)]
mod tests;
