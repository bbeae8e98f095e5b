//! Categories and products.

use std::collections::BTreeMap;

use tradepost_sdk::catalog::{
    Attribute, Category, CategoryBase, Choice, Content, Form, Medium, Product, ProductBase, Texts, Variant,
};
use tradepost_sdk::types::{Error, Field, Link};

use super::{Delivery, head, remote};
use crate::settings::Markup;
use crate::value::{Cells, Read, Reason, Row, Trouble, html};

/// Columns of texts; `name:de` is the name in German.
pub(super) const TEXTS: &[&str] =
    &["name", "short", "description", "slug", "meta_title", "meta_description", "keywords"];
pub(super) const FAMILIES: &[&str] = &[
    "name",
    "short",
    "description",
    "slug",
    "meta_title",
    "meta_description",
    "keywords",
    "choice",
    "attribute",
    "extra",
];
pub(super) const CATEGORY: &[&str] = &[
    "key",
    "parent",
    "active",
    "position",
    "name",
    "short",
    "description",
    "slug",
    "meta_title",
    "meta_description",
    "keywords",
];
pub(super) const PRODUCT: &[&str] = &[
    "sku",
    "product",
    "name",
    "short",
    "description",
    "slug",
    "meta_title",
    "meta_description",
    "keywords",
    "active",
    "form",
    "manufacturer",
    "unit",
    "gtin",
    "mpn",
    "tax_class",
    "tax_percent",
    "weight_kg",
    "categories",
    "pictures",
];
/// Where the pictures of products lie.
const PICTURES: &str = "pictures";

pub(super) fn category(cells: Cells<'_>) -> Read<Category> {
    let key = cells.id("key")?;
    let parent = cells.text("parent").map(|parent| Link { id: Some(parent.clone()), key: parent });
    Ok(Category {
        head: head(&key),
        base: Some(CategoryBase {
            key,
            parent,
            active: cells.truth("active")?.unwrap_or(true),
            position: cells.whole("position")?,
        }),
        texts: texts(&[cells])?,
        pictures: None,
        extra: Vec::new(),
    })
}

/// All rows are variants of one product; what belongs to the product is taken from the first row that has it.
pub(super) fn product(delivery: &Delivery<'_>, rows: &[&Row]) -> Result<Product, Trouble> {
    let all: Vec<Cells<'_>> = rows.iter().map(|row| delivery.cells(row)).collect();
    let first = all[0];
    let number = if first.row.get("product").is_some() { first.id("product")? } else { first.id("sku")? };
    let variants = all.iter().map(|cells| variant(*cells)).collect::<Read<Vec<_>>>()?;
    for (n, variant) in variants.iter().enumerate() {
        if variants[..n].iter().any(|other| other.sku == variant.sku) {
            return Err(all[n].wrong("sku", &format!("`{}` is there twice in product {number}", variant.sku)).into());
        }
    }
    let has = |name: &str| all.iter().any(|cells| cells.row.has(name));
    let one = |name: &str| all.iter().find_map(|cells| cells.text(name));
    let categories = has("categories").then(|| {
        let keys = all.iter().map(|cells| cells.list("categories")).find(|list| !list.is_empty()).unwrap_or_default();
        keys.into_iter().map(|key| Link { id: Some(key.clone()), key }).collect()
    });
    let pictures = if has("pictures") { Some(pictures(delivery, &all)?) } else { None };
    let attributes = has_family(&all, "attribute").then(|| attributes(&all));
    let form = match one("form").as_deref().map(str::to_lowercase).as_deref() {
        None | Some("goods") => Form::Goods,
        Some("service") => Form::Service,
        Some("digital") => Form::Digital,
        Some(other) => {
            return Err(first.wrong("form", &format!("`{other}` is none of goods, service, digital")).into());
        }
    };
    Ok(Product {
        head: head(&number),
        base: Some(ProductBase {
            number: Some(number),
            form,
            active: variants.iter().any(|variant| variant.active),
            manufacturer: one("manufacturer"),
            unit: one("unit"),
        }),
        texts: texts(&all)?,
        pictures,
        categories,
        attributes,
        variants: Some(variants),
        extra: extra(&all),
    })
}

fn variant(cells: Cells<'_>) -> Read<Variant> {
    let sku = cells.id("sku")?;
    let choices = cells.row.family("choice").filter(|(_, value)| !value.is_empty());
    Ok(Variant {
        remote: Some(remote(&sku)),
        gtin: cells.text("gtin"),
        mpn: cells.text("mpn"),
        active: cells.truth("active")?.unwrap_or(true),
        tax_class: cells.text("tax_class"),
        tax_percent: cells.decimal("tax_percent")?,
        choices: choices
            .map(|(axis, value)| Choice {
                axis: axis.into(),
                value: value.into(),
                names: Vec::new(),
                values: Vec::new(),
            })
            .collect(),
        weight_kg: cells.decimal("weight_kg")?,
        pictures: None,
        extra: Vec::new(),
        sku,
    })
}

fn has_family(all: &[Cells<'_>], family: &str) -> bool {
    all.iter().any(|cells| cells.row.family(family).next().is_some())
}

fn attributes(all: &[Cells<'_>]) -> Vec<Attribute> {
    let mut found: Vec<Attribute> = Vec::new();
    for (name, value) in all.iter().flat_map(|cells| cells.row.family("attribute")) {
        if !value.is_empty() && !found.iter().any(|known| known.name == name) {
            found.push(Attribute { name: name.into(), value: value.into(), language: None, unit: None });
        }
    }
    found
}

fn extra(all: &[Cells<'_>]) -> Vec<Field> {
    let mut found = BTreeMap::new();
    for (name, value) in all.iter().flat_map(|cells| cells.row.family("extra")).filter(|(_, v)| !v.is_empty()) {
        found.entry(name).or_insert(value);
    }
    found.into_iter().map(|(name, value)| Field { name: name.into(), value: value.into() }).collect()
}

/// Texts of every language that has a name. A file without a column for names says nothing of texts.
fn texts(all: &[Cells<'_>]) -> Read<Vec<Texts>> {
    let first = all[0];
    let own = &first.setup.settings.language;
    let mut languages: Vec<String> = Vec::new();
    if all.iter().any(|cells| cells.row.has("name")) {
        languages.push(own.clone());
    }
    for (language, _) in all.iter().flat_map(|cells| cells.row.family("name")) {
        if !languages.iter().any(|known| known == language) {
            languages.push(language.to_owned());
        }
    }
    let mut texts = Vec::new();
    for language in languages {
        let of = |name: &str| {
            let named = format!("{name}:{language}");
            let plain = (language == *own).then_some(name);
            all.iter().find_map(|cells| plain.and_then(|name| cells.text(name)).or_else(|| cells.text(&named)))
        };
        let Some(name) = of("name") else {
            if language == *own {
                return Err(Reason(format!("line {}: `name` is empty", first.row.line)));
            }
            continue;
        };
        let marked_up = |text: Option<String>| match first.setup.settings.texts {
            Markup::Text => text.map(|text| html(&text)),
            Markup::Html => text,
        };
        let keywords = of("keywords").unwrap_or_default();
        let keywords = keywords.split(&first.setup.settings.list_separator).map(str::trim);
        texts.push(Texts {
            name,
            short_html: marked_up(of("short")),
            long_html: marked_up(of("description")),
            slug: of("slug"),
            meta_title: of("meta_title"),
            meta_description: of("meta_description"),
            keywords: keywords.filter(|word| !word.is_empty()).map(str::to_owned).collect(),
            language,
        });
    }
    Ok(texts)
}

/// Names of files in the folder `pictures`; each once.
fn pictures(delivery: &Delivery<'_>, all: &[Cells<'_>]) -> Result<Vec<Medium>, Trouble> {
    let mut found: Vec<Medium> = Vec::new();
    for cells in all {
        for name in cells.list("pictures") {
            if found.iter().any(|medium| medium.key == name) {
                continue;
            }
            let Some(media_type) = media_type(&name) else {
                let why = format!("`{name}` is not called .jpg, .jpeg, .png, .gif, .webp or .svg");
                return Err(cells.wrong("pictures", &why).into());
            };
            let blob = match delivery.folder.host.to_blob(&format!("{PICTURES}/{name}"), media_type) {
                Ok(blob) => blob,
                Err(Error::NotFound(_) | Error::Denied(_)) => {
                    let why = format!("there is no `{name}` in the folder `{PICTURES}`, or it cannot be read");
                    return Err(cells.wrong("pictures", &why).into());
                }
                Err(error) => return Err(error.into()),
            };
            let content = Content { blob: Some(blob), url: None };
            found.push(Medium { key: name, content, title: Vec::new() });
        }
    }
    Ok(found)
}

fn media_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1.to_lowercase().as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}
