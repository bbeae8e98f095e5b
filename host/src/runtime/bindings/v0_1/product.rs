//! Products with their variants: facets `head`, `texts:<language>`, `media`, `categories`, `attributes`, `grouping`, and `head` and `media` of each variant.

use super::head::{record, to_head};
use super::value::{
    Read, decimal_opt, extra, facet, filled, invalid, json, key, link, list, media, remote_ref, required, text, texts,
    to_decimal, to_extra, to_link, to_media, to_remote_ref, to_text, to_texts, within,
};
use super::wit::tradepost::connector::catalog as wc;
use super::{Lent, Reading};
use crate::model::catalog::{Attribute, Choice, Form, ProductHead, VariantHead};
use crate::model::{FacetKey, Facets, KeyType, Kind, Link, Record, VariantRecord};

pub(super) fn read(product: wc::Product, reading: &Reading<'_>) -> Read<Record> {
    let wc::Product { head, base, texts: all, pictures, categories, attributes, variants, extra: fields } = product;
    let mut record = record(Kind::Product, head)?;
    if let Some(wc::ProductBase { number, form, active, manufacturer, unit }) = base {
        let number = filled(number);
        key(&mut record.keys, KeyType::Number, number.as_deref());
        let form = match form {
            wc::Form::Goods => Form::Goods,
            wc::Form::Service => Form::Service,
            wc::Form::Digital => Form::Digital,
        };
        let (manufacturer, unit) = (filled(manufacturer), filled(unit));
        let head = ProductHead { number, form, active, manufacturer, unit, extra: extra(fields) };
        record.facets.insert(FacetKey::head(), json(&head));
    }
    texts(&mut record.facets, all)?;
    media(&mut record.facets, pictures, reading)?;
    if let Some(categories) = categories {
        let links = list("categories", categories, |category| link("", category))?;
        record.facets.insert("categories".into(), json(&links));
    }
    if let Some(attributes) = attributes {
        let attributes: Vec<_> = attributes
            .into_iter()
            .map(|wc::Attribute { name, value, language, unit }| Attribute { name, value, language, unit })
            .collect();
        record.facets.insert("attributes".into(), json(&attributes));
    }
    if let Some(variants) = variants {
        record.variants = list("variants", variants, |variant| read_variant(variant, reading))?;
        let mut skus: Vec<_> = record.variants.iter().map(|variant| variant.sku.as_str()).collect();
        skus.retain(|sku| !sku.is_empty());
        skus.sort_unstable();
        if let Some(pair) = skus.windows(2).find(|pair| pair[0] == pair[1]) {
            return invalid("variants", format!("the SKU `{}` is there twice", pair[0]));
        }
        record.facets.insert("grouping".into(), VariantRecord::grouping(&record.variants));
    }
    Ok(record)
}

fn read_variant(variant: wc::Variant, reading: &Reading<'_>) -> Read<VariantRecord> {
    let wc::Variant {
        remote,
        sku,
        gtin,
        mpn,
        active,
        tax_class,
        tax_percent,
        choices,
        weight_kg,
        pictures,
        extra: fields,
    } = variant;
    let Some(remote) = remote else { return invalid("remote", "a variant that was read has an id") };
    let remote = remote_ref("remote", remote)?;
    let (sku, gtin) = (sku.trim().to_owned(), filled(gtin));
    let mut keys = Vec::new();
    key(&mut keys, KeyType::Sku, Some(&sku));
    key(&mut keys, KeyType::Ean, gtin.as_deref());
    let choices = choices.into_iter().map(|choice| {
        let wc::Choice { axis, value, names, values } = choice;
        let (names, values) = (names.into_iter().map(text).collect(), values.into_iter().map(text).collect());
        Choice { axis, value, names, values }
    });
    let head = VariantHead {
        sku: sku.clone(),
        gtin,
        mpn: filled(mpn),
        active,
        tax_class: filled(tax_class),
        tax_percent: decimal_opt("tax-percent", tax_percent)?,
        choices: choices.collect(),
        weight_kg: decimal_opt("weight-kg", weight_kg)?,
        extra: extra(fields),
    };
    let mut facets = Facets::from([(FacetKey::head(), json(&head))]);
    media(&mut facets, pictures, reading)?;
    Ok(VariantRecord { remote: Some(remote), sku, keys, facets })
}

pub(super) fn write(record: &Record, lent: &Lent) -> Read<wc::Product> {
    let head: Option<ProductHead> = facet(&record.facets, "head")?;
    let extra = head.as_ref().map(|head| to_extra(&head.extra)).unwrap_or_default();
    let base = head.map(|ProductHead { number, form, active, manufacturer, unit, extra: _ }| wc::ProductBase {
        number,
        form: match form {
            Form::Goods => wc::Form::Goods,
            Form::Service => wc::Form::Service,
            Form::Digital => wc::Form::Digital,
        },
        active,
        manufacturer,
        unit,
    });
    let categories: Option<Vec<Link>> = facet(&record.facets, "categories")?;
    let attributes: Option<Vec<Attribute>> = facet(&record.facets, "attributes")?;
    let attribute = |Attribute { name, value, language, unit }| wc::Attribute { name, value, language, unit };
    let variants = if record.facets.contains_key(&"grouping".into()) {
        let write = |(i, variant)| within(|| format!("variants[{i}]"), write_variant(variant, lent));
        Some(record.variants.iter().enumerate().map(write).collect::<Read<Vec<_>>>()?)
    } else {
        None
    };
    Ok(wc::Product {
        head: to_head(record),
        base,
        texts: to_texts(&record.facets)?,
        pictures: to_media(&record.facets, lent)?,
        categories: categories.map(|links| links.iter().map(to_link).collect()),
        attributes: attributes.map(|all| all.into_iter().map(attribute).collect()),
        variants,
        extra,
    })
}

fn write_variant(variant: &VariantRecord, lent: &Lent) -> Read<wc::Variant> {
    let head: VariantHead = required(&variant.facets, "head")?;
    let choices = head.choices.iter().map(|choice| wc::Choice {
        axis: choice.axis.clone(),
        value: choice.value.clone(),
        names: choice.names.iter().map(to_text).collect(),
        values: choice.values.iter().map(to_text).collect(),
    });
    Ok(wc::Variant {
        remote: variant.remote.as_ref().map(to_remote_ref),
        choices: choices.collect(),
        extra: to_extra(&head.extra),
        pictures: to_media(&variant.facets, lent)?,
        sku: head.sku,
        gtin: head.gtin,
        mpn: head.mpn,
        active: head.active,
        tax_class: head.tax_class,
        tax_percent: head.tax_percent.map(to_decimal),
        weight_kg: head.weight_kg.map(to_decimal),
    })
}

#[cfg(test)]
mod tests;
