//! Collections, products, prices and stock as they are read.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tradepost_sdk::catalog::{
    Attribute, Category, CategoryBase, Choice, Content, Form, Medium, Price, PriceKind, Product, ProductBase,
    StockLevel, Texts, Variant,
};
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::types::{Error, Text};

use super::{filled, head, language_tag, link, percent, remote};
use crate::api::{Context, read};

/// Threshold of a variant that nobody may buy yet because it has no price: Vendure makes variants with a price of 0.
pub const NO_PRICE_YET: i64 = 999_999_999;

/// Fields of a collection.
pub const CATEGORY: &str = "id updatedAt isPrivate position slug parentId breadcrumbs{id slug} \
    translations{languageCode name slug description} featuredAsset{id} assets{id name source}";
/// Fields of a product.
pub const PRODUCT: &str = "id updatedAt enabled slug name translations{languageCode name slug description} \
    featuredAsset{id} assets{id name source} facetValues{name facet{code name}} collections{id slug} \
    variants{id sku enabled outOfStockThreshold useGlobalOutOfStockThreshold taxCategory{name} taxRateApplied{value} \
      featuredAsset{id} assets{id name source} \
      options{code name translations{languageCode name} group{code name translations{languageCode name}}}}";
/// Fields of a variant that its price needs.
pub const PRICE: &str = "id sku productId updatedAt prices{price currencyCode}";
/// Fields of a variant that its stock needs.
pub const STOCK: &str = "id sku productId trackInventory stockLevels{stockLocationId stockOnHand}";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTexts {
    language_code: String,
    name: String,
    slug: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct RawId {
    id: String,
}

#[derive(Deserialize)]
struct RawAsset {
    id: String,
    source: String,
}

#[derive(Deserialize)]
struct RawSlug {
    id: String,
    slug: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCategory {
    id: String,
    updated_at: Timestamp,
    is_private: bool,
    position: i32,
    slug: String,
    breadcrumbs: Vec<RawSlug>,
    translations: Vec<RawTexts>,
    featured_asset: Option<RawId>,
    assets: Vec<RawAsset>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawProduct {
    id: String,
    updated_at: Timestamp,
    enabled: bool,
    translations: Vec<RawTexts>,
    featured_asset: Option<RawId>,
    assets: Vec<RawAsset>,
    facet_values: Vec<RawFacetValue>,
    collections: Vec<RawSlug>,
    variants: Vec<RawVariant>,
}

#[derive(Deserialize)]
struct RawFacetValue {
    name: String,
    facet: RawFacet,
}

#[derive(Deserialize)]
struct RawFacet {
    code: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawVariant {
    id: String,
    sku: String,
    enabled: bool,
    out_of_stock_threshold: i64,
    use_global_out_of_stock_threshold: bool,
    tax_category: Option<RawName>,
    tax_rate_applied: Option<RawRate>,
    featured_asset: Option<RawId>,
    assets: Vec<RawAsset>,
    options: Vec<RawOption>,
}

#[derive(Deserialize)]
struct RawName {
    name: String,
}

#[derive(Deserialize)]
struct RawRate {
    value: Value,
}

#[derive(Deserialize)]
struct RawOption {
    name: String,
    translations: Vec<RawTexts>,
    group: RawGroup,
}

#[derive(Deserialize)]
struct RawGroup {
    name: String,
    translations: Vec<RawTexts>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPriced {
    id: String,
    sku: String,
    product_id: String,
    updated_at: Timestamp,
    prices: Vec<RawPrice>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPrice {
    price: i64,
    currency_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawStocked {
    id: String,
    sku: String,
    product_id: String,
    track_inventory: String,
    stock_levels: Vec<RawLevel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLevel {
    stock_location_id: String,
    stock_on_hand: i64,
}

/// A collection as a category.
///
/// # Errors
/// `bug` for a shape that is not known.
pub fn category(raw: Value) -> Result<Category, Error> {
    let raw: RawCategory = read(raw)?;
    // The first breadcrumb is the root, which is no category; the last is the collection itself.
    let above = raw.breadcrumbs.len().checked_sub(2).filter(|at| *at > 0).map(|at| &raw.breadcrumbs[at]);
    Ok(Category {
        head: head(remote(&raw.id, None), Vec::new(), Some(raw.updated_at)),
        base: Some(CategoryBase {
            key: raw.slug,
            parent: above.map(|parent| link(&parent.id, &parent.slug)),
            active: !raw.is_private,
            position: Some(raw.position),
        }),
        texts: texts(raw.translations),
        pictures: Some(pictures(raw.assets, raw.featured_asset.as_ref())),
        extra: Vec::new(),
    })
}

/// A product with its variants. `manufacturer` is the code of the facet that holds it.
///
/// # Errors
/// `bug` for a shape that is not known.
pub fn product(raw: Value, manufacturer: &str) -> Result<Product, Error> {
    let raw: RawProduct = read(raw)?;
    let parts = raw.variants.iter().map(|variant| part(PartKind::Variant, &variant.sku, &variant.id)).collect();
    let simple = match raw.variants.as_slice() {
        [only] if only.options.is_empty() => Some(only.sku.clone()),
        _ => None,
    };
    let (made_by, attributes): (Vec<_>, Vec<_>) =
        raw.facet_values.into_iter().partition(|value| !manufacturer.is_empty() && value.facet.code == manufacturer);
    Ok(Product {
        head: head(remote(&raw.id, None), parts, Some(raw.updated_at)),
        base: Some(ProductBase {
            number: simple,
            form: Form::Goods,
            active: raw.enabled,
            manufacturer: made_by.into_iter().next().map(|value| value.name),
            unit: None,
        }),
        texts: texts(raw.translations),
        pictures: Some(pictures(raw.assets, raw.featured_asset.as_ref())),
        categories: Some(raw.collections.iter().map(|one| link(&one.id, &one.slug)).collect()),
        attributes: Some(
            attributes
                .into_iter()
                .map(|value| Attribute { name: value.facet.name, value: value.name, language: None, unit: None })
                .collect(),
        ),
        variants: Some(raw.variants.into_iter().map(|one| variant(one, &raw.id)).collect()),
        extra: Vec::new(),
    })
}

fn variant(raw: RawVariant, product: &str) -> Variant {
    let waits = !raw.use_global_out_of_stock_threshold && raw.out_of_stock_threshold == NO_PRICE_YET;
    Variant {
        remote: Some(remote(&raw.id, Some(product))),
        sku: raw.sku,
        gtin: None,
        mpn: None,
        // Hidden by us until its price arrives: that is not what anybody decided about it.
        active: raw.enabled || waits,
        tax_class: raw.tax_category.map(|class| class.name),
        tax_percent: raw.tax_rate_applied.and_then(|rate| percent(&rate.value)),
        choices: raw.options.into_iter().map(choice).collect(),
        weight_kg: None,
        pictures: Some(pictures(raw.assets, raw.featured_asset.as_ref())),
        extra: Vec::new(),
    }
}

fn choice(raw: RawOption) -> Choice {
    let named = |texts: Vec<RawTexts>| {
        let mut named: Vec<Text> = texts
            .into_iter()
            .map(|text| Text { language: language_tag(&text.language_code), value: text.name })
            .collect();
        named.sort_by(|one, other| one.language.cmp(&other.language));
        named
    };
    Choice {
        axis: raw.group.name,
        value: raw.name,
        names: named(raw.group.translations),
        values: named(raw.translations),
    }
}

fn texts(raw: Vec<RawTexts>) -> Vec<Texts> {
    let mut texts: Vec<Texts> = raw
        .into_iter()
        .map(|text| Texts {
            language: language_tag(&text.language_code),
            name: text.name,
            short_html: None,
            long_html: filled(text.description.as_deref()),
            slug: filled(text.slug.as_deref()),
            meta_title: None,
            meta_description: None,
            keywords: Vec::new(),
        })
        .collect();
    texts.sort_by(|one, other| one.language.cmp(&other.language));
    texts
}

/// Pictures in display order: the featured one is what shoppers see first.
fn pictures(mut assets: Vec<RawAsset>, featured: Option<&RawId>) -> Vec<Medium> {
    assets.sort_by_key(|asset| featured.is_none_or(|featured| featured.id != asset.id));
    assets
        .into_iter()
        .map(|asset| Medium {
            key: asset.id,
            content: Content { blob: None, url: Some(asset.source) },
            title: Vec::new(),
        })
        .collect()
}

/// The base price of a variant in the channel.
///
/// # Errors
/// `bug` for a shape that is not known.
pub fn price(raw: Value, context: &Context) -> Result<Price, Error> {
    let raw: RawPriced = read(raw)?;
    let amount = raw.prices.iter().find(|price| price.currency_code == context.currency.code);
    Ok(Price {
        head: head(remote(&raw.id, Some(&raw.product_id)), Vec::new(), Some(raw.updated_at)),
        variant: link(&raw.id, &raw.sku),
        channel: context.channel.id.clone(),
        kind: PriceKind::Base,
        currency: context.currency.code.clone(),
        basis: context.channel.basis(),
        amount: amount.map(|price| context.currency.text(price.price)),
        from_quantity: "1".into(),
        valid_from: None,
        valid_to: None,
    })
}

/// Goods on hand of a variant in every stock location.
///
/// # Errors
/// `bug` for a shape that is not known.
pub fn stock(raw: Value, context: &Context) -> Result<Vec<StockLevel>, Error> {
    let raw: RawStocked = read(raw)?;
    let unlimited = match raw.track_inventory.as_str() {
        "TRUE" => false,
        "FALSE" => true,
        _ => !context.tracks,
    };
    Ok(raw
        .stock_levels
        .iter()
        .map(|level| StockLevel {
            head: head(remote(&raw.id, Some(&raw.product_id)), Vec::new(), None),
            variant: link(&raw.id, &raw.sku),
            warehouse: level.stock_location_id.clone(),
            quantity: level.stock_on_hand.to_string(),
            unlimited,
            // Vendure says when a figure changed, not when it was read: the start of the pull is the safe answer.
            taken: None,
        })
        .collect())
}

/// A part of an object.
#[must_use]
pub fn part(what: PartKind, key: &str, id: &str) -> Part {
    Part { what, key: key.into(), id: id.into() }
}

#[cfg(test)]
mod tests;
