//! Options: how the variants of a product differ.
//!
//! Vendure tells variants apart by one option of each of the product's option groups. A source that has no choices
//! (variants that are just numbers) gets a group `Variant` with the SKU as its value.

use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::catalog::{Choice, Variant};
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::types::{Error, Issue, Text};

use super::warning;
use crate::api::{Shop, read};
use crate::map::catalogue::part;
use crate::map::language_code;
use crate::map::write::slug;

/// Group of variants that name no choices.
const NAMELESS: &str = "Variant";
/// Value of a choice that the source does not make.
const NONE: &str = "-";

/// An option group of a product.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Group {
    pub id: String,
    pub code: String,
    pub name: String,
    #[serde(default)]
    pub translations: Vec<Named>,
    pub options: Vec<Choosable>,
}

/// An option of a group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Choosable {
    pub id: String,
    pub code: String,
    pub name: String,
    #[serde(default)]
    pub translations: Vec<Named>,
}

/// A name in some language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Named {
    pub name: String,
}

/// Fields of a group.
pub const GROUP: &str = "id code name translations{name} options{id code name translations{name}}";

impl Group {
    fn is(&self, axis: &str) -> bool {
        same(&self.name, &self.translations, &self.code, axis)
    }

    fn option(&self, value: &str) -> Option<&Choosable> {
        self.options.iter().find(|option| same(&option.name, &option.translations, &option.code, value))
    }
}

fn same(name: &str, translations: &[Named], code: &str, wanted: &str) -> bool {
    let fold = |text: &str| text.trim().to_lowercase();
    let wanted = fold(wanted);
    fold(name) == wanted || fold(code) == wanted || translations.iter().any(|text| fold(&text.name) == wanted)
}

/// One choice of one variant, ready to be looked up or made.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Name of the group.
    pub axis: String,
    /// Name of the option.
    pub value: String,
    /// The group in several languages.
    pub axis_names: Vec<Text>,
    /// The option in several languages.
    pub value_names: Vec<Text>,
}

/// What each variant chooses in each group, so that every variant has one option of every group and no two have the same.
/// `axes` are the groups that the product has already.
#[must_use]
pub fn plan(variants: &[Variant], axes: &[Group]) -> Vec<Vec<Wanted>> {
    let mut names: Vec<String> = axes.iter().map(|group| group.name.clone()).collect();
    let known = |names: &[String], axis: &str| {
        names.iter().any(|name| name.to_lowercase() == axis.to_lowercase()) || axes.iter().any(|group| group.is(axis))
    };
    for choice in variants.iter().flat_map(|variant| &variant.choices) {
        if !known(&names, &choice.axis) {
            names.push(choice.axis.clone());
        }
    }
    if names.is_empty() && variants.len() > 1 {
        names.push(NAMELESS.into());
    }
    let mut all: Vec<Vec<Wanted>> = Vec::new();
    for variant in variants {
        let chosen = |name: &String| {
            let group = axes.iter().find(|group| group.name == *name);
            variant.choices.iter().find(|choice| {
                choice.axis.to_lowercase() == name.to_lowercase() || group.is_some_and(|group| group.is(&choice.axis))
            })
        };
        let mut row: Vec<Option<Wanted>> =
            names.iter().map(|name| chosen(name).map(|choice| wanted(name, choice))).collect();
        let mut numbered = false;
        for (name, slot) in names.iter().zip(&mut row) {
            if slot.is_none() {
                // The number in the first open place tells the variant from all others.
                let value = if numbered { NONE } else { variant.sku.as_str() };
                numbered = true;
                *slot = Some(Wanted {
                    axis: name.clone(),
                    value: value.into(),
                    axis_names: Vec::new(),
                    value_names: Vec::new(),
                });
            }
        }
        all.push(row.into_iter().flatten().collect());
    }
    all
}

/// Tells of a variant that does not say what it is in groups that the product already has.
#[must_use]
pub fn unnamed(variant: &Variant, axes: &[Group]) -> Option<Issue> {
    let named = |group: &Group| variant.choices.iter().any(|choice| group.is(&choice.axis));
    let missing: Vec<&str> =
        axes.iter().filter(|group| group.name != NAMELESS && !named(group)).map(|group| group.name.as_str()).collect();
    let text = || format!("{} names no {}: its number stands there", variant.sku, missing.join(", "));
    (!missing.is_empty()).then(|| warning("variants", text()))
}

fn wanted(axis: &str, choice: &Choice) -> Wanted {
    Wanted {
        axis: axis.into(),
        value: choice.value.clone(),
        axis_names: choice.names.clone(),
        value_names: choice.values.clone(),
    }
}

/// Ids of the options of each row of `plan`, in the order of the product's groups; groups and options that are missing
/// are made. `known` are parts that the host remembers of an attempt that was cut off, `made` hears of new ones.
///
/// # Errors
/// What the shop answers.
pub fn ensure(
    shop: &Shop<'_>,
    product: &str,
    language: &str,
    groups: &mut Vec<Group>,
    rows: &[Vec<Wanted>],
    known: &[Part],
    mut made: impl FnMut(Part),
) -> Result<Vec<Vec<String>>, Error> {
    for wanted in rows.iter().flatten() {
        if !groups.iter().any(|group| group.is(&wanted.axis)) {
            let group = attach(shop, product, language, wanted, rows, known, &mut made)?;
            groups.push(group);
        }
        let group = groups.iter_mut().find(|group| group.is(&wanted.axis)).expect("attached just before");
        if group.option(&wanted.value).is_none() {
            group.options.push(add(shop, &group.id, language, wanted)?);
        }
    }
    Ok(rows
        .iter()
        .map(|row| {
            row.iter()
                .filter_map(|wanted| {
                    let group = groups.iter().find(|group| group.is(&wanted.axis))?;
                    group.option(&wanted.value).map(|option| option.id.clone())
                })
                .collect()
        })
        .collect())
}

fn attach(
    shop: &Shop<'_>,
    product: &str,
    language: &str,
    wanted: &Wanted,
    rows: &[Vec<Wanted>],
    known: &[Part],
    made: &mut impl FnMut(Part),
) -> Result<Group, Error> {
    let create =
        format!("mutation($input:CreateProductOptionGroupInput!){{createProductOptionGroup(input:$input){{{GROUP}}}}}");
    const ATTACH: &str =
        "mutation($product:ID!,$group:ID!){addOptionGroupToProduct(productId:$product,optionGroupId:$group){id}}";
    let remembered = known.iter().find(|part| part.what == PartKind::Option && part.key == wanted.axis);
    if let Some(part) = remembered {
        match shop.mutate(ATTACH, json!({"product": product, "group": part.id})) {
            Ok(_) => return group(shop, &part.id),
            // Deleted meanwhile, or attached elsewhere by a person: a new one does no harm.
            Err(Error::NotFound(_) | Error::Rejected(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let mut options: Vec<&Wanted> = Vec::new();
    for one in rows.iter().flatten().filter(|one| one.axis == wanted.axis) {
        if !options.iter().any(|known| known.value.to_lowercase() == one.value.to_lowercase()) {
            options.push(one);
        }
    }
    let input = json!({
        "code": format!("product-{product}-{}", slug(&wanted.axis, "option")),
        "translations": translations(language, &wanted.axis, &wanted.axis_names),
        "options": options.iter().map(|one| json!({
            "code": slug(&one.value, "none"),
            "translations": translations(language, &one.value, &one.value_names),
        })).collect::<Vec<_>>(),
    });
    let group: Group = read(shop.mutate(&create, json!({"input": input}))?)?;
    made(part(PartKind::Option, &wanted.axis, &group.id));
    shop.mutate(ATTACH, json!({"product": product, "group": group.id}))?;
    Ok(group)
}

fn group(shop: &Shop<'_>, id: &str) -> Result<Group, Error> {
    let document = format!("query($id:ID!){{productOptionGroup(id:$id){{{GROUP}}}}}");
    read(shop.query(&document, json!({"id": id}))?.data["productOptionGroup"].take())
}

fn add(shop: &Shop<'_>, group: &str, language: &str, wanted: &Wanted) -> Result<Choosable, Error> {
    const ADD: &str = "mutation($input:CreateProductOptionInput!){createProductOption(input:$input){id code name translations{name}}}";
    let input = json!({
        "productOptionGroupId": group,
        "code": slug(&wanted.value, "none"),
        "translations": translations(language, &wanted.value, &wanted.value_names),
    });
    read(shop.mutate(ADD, json!({"input": input}))?)
}

fn translations(language: &str, name: &str, names: &[Text]) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for text in names {
        all.push(json!({"languageCode": language_code(&text.language), "name": text.value}));
    }
    if !all.iter().any(|text| text["languageCode"] == language) {
        all.push(json!({"languageCode": language, "name": name}));
    }
    all
}

#[cfg(test)]
mod tests;
