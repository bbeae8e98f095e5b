//! Products: several mutations that end in one product, resumable after each.
//!
//! A new product is made hidden, under an address that names the item ([`making_slug`]); then come its options, its
//! variants, its pictures, and last the update that gives it its address and shows it. So a cut anywhere leaves a product
//! that nobody sees and that is found again. Every step first looks at what is there, so that a resumed creation and an
//! update are the same work.

use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::catalog::{Product, Texts, Variant};
use tradepost_sdk::head::{Op, Part, PartKind};
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::types::{Error, Issue, Missing};

use super::options::{self, Group};
use super::{categories, done, known, partial, pictures, refused, unchanged, warning};
use crate::api::{Shop, read};
use crate::describe::language;
use crate::map::catalogue::{NO_PRICE_YET, part};
use crate::map::write::{making_slug, slug};
use crate::map::{filled, language_code, percent, remote};

const CREATE: &str = "mutation($input:CreateProductInput!){createProduct(input:$input){id}}";
const UPDATE: &str = "mutation($input:UpdateProductInput!){updateProduct(input:$input){id}}";
const CREATE_VARIANTS: &str =
    "mutation($input:[CreateProductVariantInput!]!){createProductVariants(input:$input){id sku}}";
const UPDATE_VARIANTS: &str = "mutation($input:[UpdateProductVariantInput!]!){updateProductVariants(input:$input){id}}";

/// The product as it is in the shop.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct There {
    enabled: bool,
    slug: String,
    featured_asset: Option<Id>,
    assets: Vec<Id>,
    translations: Vec<Translation>,
    option_groups: Vec<Group>,
    variants: Vec<ThereVariant>,
}

#[derive(Debug, Clone, Deserialize)]
struct Id {
    id: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Translation {
    language_code: String,
    name: String,
    slug: String,
    description: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThereVariant {
    id: String,
    sku: String,
    enabled: bool,
    out_of_stock_threshold: i64,
    use_global_out_of_stock_threshold: bool,
    tax_category: Option<Id>,
    featured_asset: Option<Id>,
    assets: Vec<Id>,
    options: Vec<Id>,
}

impl ThereVariant {
    fn waits_for_its_price(&self) -> bool {
        !self.use_global_out_of_stock_threshold && self.out_of_stock_threshold == NO_PRICE_YET
    }
}

/// What is under way for one product.
struct Work<'a, 'h> {
    shop: &'a Shop<'h>,
    item: &'a str,
    id: String,
    language: String,
    parts: Vec<Part>,
    warnings: Vec<Issue>,
    wrote: bool,
}

impl Work<'_, '_> {
    fn remember(&mut self, one: Part) {
        match self.parts.iter_mut().find(|known| known.what == one.what && known.key == one.key) {
            Some(known) if known.id == one.id => return,
            Some(known) => known.id = one.id,
            None => self.parts.push(one),
        }
        self.shop.settle(self.item, &partial(remote(&self.id, None), self.parts.clone()));
    }
}

/// Makes, finishes or updates a product.
///
/// # Errors
/// What the shop answers, `mapping-missing` for a tax class it has not.
pub fn write(shop: &Shop<'_>, product: &Product) -> Result<Outcome, Error> {
    let head = &product.head;
    let making = matches!(head.op, Op::Create | Op::CreateDone | Op::Resume);
    let id = match head.op {
        Op::Create | Op::CreateDone => {
            sellable(product)?;
            // A question for the operator is asked before anything exists.
            let wanted = product.variants.as_deref().unwrap_or_default();
            let taxes = Taxes::of(shop, wanted)?;
            wanted.iter().try_for_each(|variant| taxes.category(variant).map(drop))?;
            create(shop, product)?
        }
        Op::Resume | Op::Update => known(head)?.id.clone(),
        Op::Read => return Err(Error::Bug("a record that was read is not written".into())),
    };
    let mut work = Work {
        shop,
        item: &head.item,
        id,
        language: language(shop)?,
        parts: head.parts.clone(),
        warnings: Vec::new(),
        wrote: matches!(head.op, Op::Create | Op::CreateDone),
    };
    if work.wrote {
        shop.settle(&head.item, &partial(remote(&work.id, None), Vec::new()));
    }
    let there = there(shop, &work.id)?;
    variants(&mut work, product, &there, making)?;
    if let Some(wanted) = &product.categories {
        work.wrote |= categories::membership(shop, &work.id, wanted, &mut work.warnings)?;
    }
    finish(&mut work, product, &there, making)?;
    let reference = remote(&work.id, None);
    Ok(if work.wrote || making { done(reference, work.parts, work.warnings) } else { unchanged(reference) })
}

fn create(shop: &Shop<'_>, product: &Product) -> Result<String, Error> {
    let language = language(shop)?;
    let mut warnings = Vec::new();
    let mut translations = texts(shop, product, &[], &language, &mut warnings)?;
    if !translations.iter().any(|text| text["languageCode"] == language) {
        // The shop shows nothing of a product without a name in its own language.
        let name = product.texts.first().map(|text| text.name.as_str());
        let (name, description) = (name.unwrap_or_else(|| number(product)), long(product.texts.first()));
        translations.push(json!({"languageCode": language, "name": name, "description": description}));
    }
    for text in &mut translations {
        text["slug"] = json!(making_slug(&product.head.item));
    }
    let made = shop.mutate(CREATE, json!({"input": {"enabled": false, "translations": translations}}))?;
    made["id"].as_str().map(str::to_owned).ok_or_else(|| Error::Timeout("the shop names no new product".into()))
}

fn there(shop: &Shop<'_>, id: &str) -> Result<There, Error> {
    let document = format!(
        "query($id:ID!){{product(id:$id){{enabled slug featuredAsset{{id}} assets{{id}} \
           translations{{languageCode name slug description}} optionGroups{{{}}} \
           variants{{id sku enabled outOfStockThreshold useGlobalOutOfStockThreshold taxCategory{{id}} \
             featuredAsset{{id}} assets{{id}} options{{id}}}}}}}}",
        options::GROUP
    );
    let product = shop.query(&document, json!({"id": id}))?.data["product"].take();
    if product.is_null() {
        return Err(Error::NotFound(format!("the shop has no product {id}")));
    }
    read(product)
}

fn variants(work: &mut Work<'_, '_>, product: &Product, there: &There, making: bool) -> Result<(), Error> {
    let Some(wanted) = &product.variants else { return Ok(()) };
    let shop = work.shop;
    let taxes = Taxes::of(shop, wanted)?;
    let ours = |variant: &Variant| {
        let by_id = variant.remote.as_ref().and_then(|remote| there.variants.iter().find(|one| one.id == remote.id));
        by_id.or_else(|| there.variants.iter().find(|one| one.sku == variant.sku))
    };
    // A variant that has its options keeps them unless the source names others.
    let rows = options::plan(wanted, &there.option_groups);
    let mut groups = there.option_groups.clone();
    let needs = |variant: &Variant| match ours(variant) {
        None => true,
        Some(one) => one.options.len() < rows.first().map_or(0, Vec::len) || !variant.choices.is_empty(),
    };
    let open: Vec<usize> = (0..wanted.len()).filter(|at| needs(&wanted[*at])).collect();
    let rows_open: Vec<_> = open.iter().map(|at| rows[*at].clone()).collect();
    let known = work.parts.clone();
    let (id, language) = (work.id.clone(), work.language.clone());
    let chosen = options::ensure(shop, &id, &language, &mut groups, &rows_open, &known, |one| work.remember(one))?;
    let new = wanted.iter().filter(|variant| ours(variant).is_none());
    work.warnings.extend(new.filter_map(|variant| options::unnamed(variant, &there.option_groups)));
    let options_of = |at: usize| open.iter().position(|one| *one == at).map(|place| &chosen[place]);
    let mut create = Vec::new();
    let mut update = Vec::new();
    for (at, variant) in wanted.iter().enumerate() {
        let assets = match &variant.pictures {
            Some(pictures) => {
                let known = work.parts.clone();
                Some(pictures::assets(shop, &format!("product-{id}"), pictures, &known, |one| work.remember(one))?)
            }
            None => None,
        };
        let tax = taxes.category(variant)?;
        match ours(variant) {
            None => create.push(new_variant(work, product, variant, tax, options_of(at), assets)),
            Some(one) => {
                let input = changed_variant(one, variant, tax, options_of(at), assets.as_deref());
                update.extend(input);
            }
        }
    }
    // What the list does not name is no variant of the product any more; its orders keep pointing to it.
    for gone in there.variants.iter().filter(|one| one.enabled || one.waits_for_its_price()) {
        if !wanted.iter().any(|variant| ours(variant).is_some_and(|one| one.id == gone.id)) {
            let mut input = json!({"id": gone.id, "enabled": false});
            if gone.waits_for_its_price() {
                input["outOfStockThreshold"] = json!(0);
                input["useGlobalOutOfStockThreshold"] = json!(true);
            }
            update.push(input);
        }
    }
    if !update.is_empty() {
        // Before the new ones: a variant without an option for a new group would stand in their way.
        shop.mutate(UPDATE_VARIANTS, json!({"input": update}))?;
        work.wrote = true;
    }
    let mut all: Vec<(String, String)> =
        wanted.iter().filter_map(|variant| Some((variant.sku.clone(), ours(variant)?.id.clone()))).collect();
    if !create.is_empty() {
        let made = shop.mutate(CREATE_VARIANTS, json!({"input": create}))?;
        work.wrote = true;
        for one in made.as_array().into_iter().flatten() {
            if let (Some(sku), Some(id)) = (one["sku"].as_str(), one["id"].as_str()) {
                all.push((sku.into(), id.into()));
            }
        }
    }
    work.parts.retain(|part| part.what != PartKind::Variant);
    work.parts.extend(all.iter().map(|(sku, id)| part(PartKind::Variant, sku, id)));
    if making || !create.is_empty() {
        shop.settle(work.item, &partial(remote(&work.id, None), work.parts.clone()));
    }
    Ok(())
}

fn new_variant(
    work: &Work<'_, '_>,
    product: &Product,
    variant: &Variant,
    tax: Option<String>,
    options: Option<&Vec<String>>,
    assets: Option<Vec<String>>,
) -> Value {
    let chosen: Vec<&str> = variant.choices.iter().map(|choice| choice.value.as_str()).collect();
    let named = |text: &Texts| format!("{} {}", text.name, chosen.join(" ")).trim().to_owned();
    let mut names: Vec<Value> = product
        .texts
        .iter()
        .map(|text| json!({"languageCode": language_code(&text.language), "name": named(text)}))
        .collect();
    if !names.iter().any(|name| name["languageCode"] == work.language) {
        let name = product.texts.first().map_or_else(|| variant.sku.clone(), named);
        names.push(json!({"languageCode": work.language, "name": name}));
    }
    let mut input = json!({
        "productId": work.id,
        "sku": variant.sku,
        "translations": names,
        "trackInventory": "TRUE",
        "stockOnHand": 0,
        // Vendure gives it a price of 0: nobody shall buy it before its own price is there.
        "enabled": false,
    });
    if variant.active {
        input["useGlobalOutOfStockThreshold"] = json!(false);
        input["outOfStockThreshold"] = json!(NO_PRICE_YET);
    }
    if let Some(options) = options.filter(|options| !options.is_empty()) {
        input["optionIds"] = json!(options);
    }
    if let Some(tax) = tax {
        input["taxCategoryId"] = json!(tax);
    }
    if let Some(assets) = assets.filter(|assets| !assets.is_empty()) {
        input["featuredAssetId"] = json!(assets[0]);
        input["assetIds"] = json!(assets);
    }
    input
}

fn changed_variant(
    there: &ThereVariant,
    variant: &Variant,
    tax: Option<String>,
    options: Option<&Vec<String>>,
    assets: Option<&[String]>,
) -> Option<Value> {
    let mut input = json!({"id": there.id});
    if there.sku != variant.sku {
        input["sku"] = json!(variant.sku);
    }
    match (variant.active, there.waits_for_its_price()) {
        (true, true) => {}
        (false, true) => {
            input["outOfStockThreshold"] = json!(0);
            input["useGlobalOutOfStockThreshold"] = json!(true);
        }
        (active, false) if active != there.enabled => input["enabled"] = json!(active),
        _ => {}
    }
    if let Some(options) = options {
        let mut have: Vec<&str> = there.options.iter().map(|option| option.id.as_str()).collect();
        let mut want: Vec<&str> = options.iter().map(String::as_str).collect();
        have.sort_unstable();
        want.sort_unstable();
        if have != want && !want.is_empty() {
            input["optionIds"] = json!(options);
        }
    }
    if let Some(tax) = tax.filter(|tax| there.tax_category.as_ref().is_none_or(|have| have.id != *tax)) {
        input["taxCategoryId"] = json!(tax);
    }
    if let Some(assets) = assets {
        media(&mut input, assets, &there.assets, there.featured_asset.as_ref());
    }
    input.as_object().is_some_and(|fields| fields.len() > 1).then_some(input)
}

/// Puts the pictures into the input where they differ.
fn media(input: &mut Value, wanted: &[String], there: &[Id], featured: Option<&Id>) {
    let mut have: Vec<&str> = there.iter().map(|asset| asset.id.as_str()).collect();
    if let Some(featured) = featured {
        // The featured picture is shown first wherever it stands in the list.
        have.retain(|id| *id != featured.id);
        have.insert(0, &featured.id);
    }
    if have != wanted.iter().map(String::as_str).collect::<Vec<_>>() {
        input["assetIds"] = json!(wanted);
        input["featuredAssetId"] = json!(wanted.first());
    }
}

/// Writes what the product itself has; for a new one this is the step that shows it.
fn finish(work: &mut Work<'_, '_>, product: &Product, there: &There, making: bool) -> Result<(), Error> {
    let shop = work.shop;
    let mut input = json!({"id": work.id});
    if let Some(wanted) = &product.pictures {
        let known = work.parts.clone();
        let owner = format!("product-{}", work.id);
        let assets = pictures::assets(shop, &owner, wanted, &known, |one| work.remember(one))?;
        media(&mut input, &assets, &there.assets, there.featured_asset.as_ref());
    }
    let language = work.language.clone();
    let mut translations = texts(shop, product, &there.translations, &language, &mut work.warnings)?;
    if making && there.slug.starts_with("making-") {
        for old in there.translations.iter().filter(|old| old.slug.starts_with("making-")) {
            let at = translations.iter().position(|text| text["languageCode"] == old.language_code.as_str());
            let at = at.unwrap_or_else(|| {
                translations.push(json!({"languageCode": old.language_code}));
                translations.len() - 1
            });
            let text = &mut translations[at];
            if text["slug"].is_null() {
                text["slug"] = json!(slug(&old.name, &slug(number(product), &format!("product-{}", work.id))));
            }
        }
    }
    if !translations.is_empty() {
        input["translations"] = json!(translations);
    }
    if let Some(base) = &product.base
        && base.active != there.enabled
    {
        input["enabled"] = json!(base.active);
    }
    if input.as_object().is_some_and(|fields| fields.len() > 1) {
        shop.mutate(UPDATE, json!({"input": input}))?;
        work.wrote = true;
    }
    Ok(())
}

/// The texts that differ from those that are there, in languages that the channel has.
fn texts(
    shop: &Shop<'_>,
    product: &Product,
    there: &[Translation],
    language: &str,
    warnings: &mut Vec<Issue>,
) -> Result<Vec<Value>, Error> {
    let channel = &shop.context()?.channel;
    let mut all = Vec::new();
    for text in &product.texts {
        let code = language_code(&text.language);
        let offered = channel.available_language_codes.iter().flatten().any(|one| *one == code);
        if !offered && code != language && code != channel.default_language_code {
            warnings.push(warning("texts", format!("the channel has no language {}", text.language)));
            continue;
        }
        let old = there.iter().find(|old| old.language_code == code);
        let mut input = json!({"languageCode": code});
        if old.is_none_or(|old| old.name != text.name) {
            input["name"] = json!(text.name);
        }
        let description = long(Some(text));
        if old.is_none_or(|old| old.description != description) {
            input["description"] = json!(description);
        }
        let address = filled(text.slug.as_deref());
        match (address, old) {
            (Some(address), Some(old)) if address == old.slug => {}
            (Some(address), _) => input["slug"] = json!(address),
            (None, None) if !there.is_empty() => {
                input["slug"] = json!(slug(&text.name, &slug(number(product), "product")))
            }
            (None, _) => {}
        }
        if input.as_object().is_some_and(|fields| fields.len() > 1) {
            all.push(input);
        }
    }
    Ok(all)
}

fn long(text: Option<&Texts>) -> String {
    let html = text.and_then(|text| text.long_html.as_deref().or(text.short_html.as_deref()));
    html.unwrap_or_default().to_owned()
}

/// What names a product that has no name.
fn number(product: &Product) -> &str {
    let base = product.base.as_ref().and_then(|base| base.number.as_deref());
    let sku = product.variants.iter().flatten().next().map(|variant| variant.sku.as_str());
    base.or(sku).unwrap_or("product")
}

/// The shop's tax categories and the rates that they have in its zone.
struct Taxes {
    categories: Vec<TaxCategory>,
}

#[derive(Deserialize)]
struct TaxCategory {
    id: String,
    name: String,
    #[serde(default)]
    rates: Vec<String>,
}

impl Taxes {
    fn of(shop: &Shop<'_>, variants: &[Variant]) -> Result<Self, Error> {
        const TAXES: &str = "query($all:TaxRateListOptions){taxCategories{items{id name}} \
            taxRates(options:$all){items{value enabled category{id} zone{id}}}}";
        if variants.iter().all(|variant| variant.tax_class.is_none() && variant.tax_percent.is_none()) {
            return Ok(Self { categories: Vec::new() });
        }
        let mut reply = shop.query(TAXES, json!({"all": {"take": 500}}))?;
        let mut categories: Vec<TaxCategory> = read(reply.data["taxCategories"]["items"].take())?;
        let zone = shop.context()?.channel.default_tax_zone.as_ref().map(|zone| zone.id.clone());
        for rate in reply.data["taxRates"]["items"].as_array().into_iter().flatten() {
            let here = zone.is_none() || rate["zone"]["id"].as_str() == zone.as_deref();
            let category = categories.iter_mut().find(|one| rate["category"]["id"] == one.id.as_str());
            if let (true, Some(true), Some(category)) = (here, rate["enabled"].as_bool(), category) {
                category.rates.extend(percent(&rate["value"]));
            }
        }
        Ok(Self { categories })
    }

    /// Id of the tax category of a variant: by name, by id, else the only one with its rate.
    fn category(&self, variant: &Variant) -> Result<Option<String>, Error> {
        let class = variant.tax_class.as_deref().map(str::trim).filter(|class| !class.is_empty());
        if let Some(class) = class {
            let named = self.categories.iter().find(|one| one.name.to_lowercase() == class.to_lowercase());
            if let Some(found) = named.or_else(|| self.categories.iter().find(|one| one.id == class)) {
                return Ok(Some(found.id.clone()));
            }
        }
        let Some(rate) = &variant.tax_percent else {
            return match class {
                None => Ok(None),
                Some(class) => Err(missing(class, &variant.sku)),
            };
        };
        let rate = tradepost_sdk::decimal(rate)?.normalize().to_string();
        let mut fitting = self.categories.iter().filter(|one| one.rates.contains(&rate));
        match (fitting.next(), fitting.next()) {
            (Some(found), None) => Ok(Some(found.id.clone())),
            _ => Err(missing(class.unwrap_or(&rate), &variant.sku)),
        }
    }
}

fn missing(value: &str, sku: &str) -> Error {
    Error::MappingMissing(Missing {
        table: "tax-class".into(),
        value: value.into(),
        label: Some(format!("tax category of {sku} in the shop")),
    })
}

/// Refuses what has no variants: Vendure sells variants only.
fn sellable(product: &Product) -> Result<(), Error> {
    match &product.variants {
        Some(variants) if variants.is_empty() => Err(refused("variants", "a product without variants is not sold")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
