//! Categories: facets `head`, `texts:<language>`, `media`.

use super::head::{record, to_head};
use super::value::{Read, extra, facet, json, key, link, media, texts, to_extra, to_link, to_media, to_texts};
use super::wit::tradepost::connector::catalog as wc;
use super::{Lent, Reading};
use crate::model::catalog::CategoryHead;
use crate::model::{FacetKey, KeyType, Kind, Record};

pub(super) fn read(category: wc::Category, reading: &Reading<'_>) -> Read<Record> {
    let wc::Category { head, base, texts: all, pictures, extra: fields } = category;
    let mut record = record(Kind::Category, head)?;
    if let Some(base) = base {
        let wc::CategoryBase { key: name, parent, active, position } = base;
        key(&mut record.keys, KeyType::Category, Some(&name));
        let parent = parent.map(|parent| link("base.parent", parent)).transpose()?;
        let head = CategoryHead { key: name, parent, active, position, extra: extra(fields) };
        record.facets.insert(FacetKey::head(), json(&head));
    }
    texts(&mut record.facets, all)?;
    media(&mut record.facets, pictures, reading)?;
    Ok(record)
}

pub(super) fn write(record: &Record, lent: &Lent) -> Read<wc::Category> {
    let head: Option<CategoryHead> = facet(&record.facets, "head")?;
    let extra = head.as_ref().map(|head| to_extra(&head.extra)).unwrap_or_default();
    let base = head.map(|CategoryHead { key, parent, active, position, extra: _ }| wc::CategoryBase {
        key,
        parent: parent.as_ref().map(to_link),
        active,
        position,
    });
    Ok(wc::Category {
        head: to_head(record),
        base,
        texts: to_texts(&record.facets)?,
        pictures: to_media(&record.facets, lent)?,
        extra,
    })
}

#[cfg(test)]
mod tests;
