//! What a fake platform shows to those who read it.

use super::connector::{line_ids, line_part};
use super::key;
use super::world::{Figure, Object, World, cents, remote};
use crate::model::catalog::TaxBasis;
use crate::model::{
    FacetKey, Hash, Key, KeyType, Kind, Link, Op, Page, Present, Probe, PullRequest, Record, RemoteRef, Scope,
    VariantRecord,
};
pub(super) fn fits(world: &World, object: &Object, probe: &Probe) -> bool {
    let seen = world.now.duration_since(object.created).as_secs() >= world.lookup_lag;
    let marked = probe.marker.is_some() && object.marker == probe.marker;
    let of = probe.of.as_ref().is_none_or(|of| object.of.as_deref() == Some(of.id.as_str()));
    let keyed = |(name, value): &(String, String)| {
        let at = |facet: &str, field: &str| object.facets.get(&key(facet)).is_some_and(|body| body[field] == *value);
        match name.as_str() {
            "sku" => object.variants.iter().any(|variant| variant.sku == *value),
            "number" => at("placed", "number") || at("head", "number"),
            "email" => at("head", "email"),
            "category" => at("head", "key"),
            "tracking" => object.facets.get(&key("shipment")).is_some_and(|shipment| {
                shipment["parcels"].as_array().is_some_and(|p| p.iter().any(|parcel| parcel["tracking"] == *value))
            }),
            _ => false,
        }
    };
    seen && !object.deleted && of && (marked || probe.keys.iter().any(keyed))
}

pub(super) fn read(world: &World, object: &Object) -> Record {
    let facets = object.facets.clone();
    let text =
        |facet: &str, field: &str| facets.get(&key(facet)).and_then(|body| body[field].as_str().map(ToOwned::to_owned));
    let named = |kind, value: Option<String>| value.map(|value| Key { kind, value });
    let keys = match object.kind {
        Kind::Category => named(KeyType::Category, text("head", "key")),
        Kind::Product => named(KeyType::Number, text("head", "number")),
        Kind::Customer => named(KeyType::Email, text("head", "email").map(|email| email.to_lowercase())),
        _ => None,
    };
    let variants: Vec<VariantRecord> = object
        .variants
        .iter()
        .map(|variant| VariantRecord {
            remote: Some(RemoteRef { id: variant.id.clone(), parent: Some(object.id.clone()), version: None }),
            sku: variant.sku.clone(),
            keys: vec![Key { kind: KeyType::Sku, value: variant.sku.clone() }],
            facets: variant.facets.clone(),
        })
        .collect();
    let mut facets = facets;
    if object.kind == Kind::Product {
        facets.insert(key("grouping"), VariantRecord::grouping(&variants));
    }
    let of = object.of.as_ref().map(|order| Link {
        id: Some(order.clone()),
        key: world
            .object(Kind::Order, order)
            .and_then(|order| order.facets.get(&key("placed"))?["number"].as_str().map(ToOwned::to_owned))
            .unwrap_or_default(),
    });
    Record {
        kind: object.kind,
        op: Op::Read,
        item: String::new(),
        marker: object.marker.clone(),
        remote: Some(remote(&object.id)),
        of,
        keys: keys.into_iter().collect(),
        facets,
        variants,
        // Who reads knows no other ids than the platform's.
        parts: line_ids(object).map(|id| line_part(id, id)).collect(),
        updated: Some(object.updated),
        as_of: None,
    }
}

fn read_figure(world: &World, kind: Kind, id: &str, facet: &FacetKey, figure: &Figure) -> Option<Record> {
    let (product, variant) = world
        .objects
        .iter()
        .filter(|object| !object.deleted)
        .find_map(|object| object.variants.iter().find(|v| v.id == id).map(|variant| (object, variant)))?;
    Some(Record {
        kind,
        op: Op::Read,
        item: String::new(),
        marker: None,
        remote: Some(RemoteRef { id: id.into(), parent: Some(product.id.clone()), version: None }),
        of: Some(Link { id: Some(id.into()), key: variant.sku.clone() }),
        keys: vec![Key { kind: KeyType::Sku, value: variant.sku.clone() }],
        facets: [(facet.clone(), figure.body.clone())].into(),
        variants: Vec::new(),
        parts: Vec::new(),
        updated: Some(figure.updated),
        as_of: (kind == Kind::Stock).then_some(world.now),
    })
}

pub(super) fn pull(world: &mut World, request: &PullRequest) -> Page {
    if world.empty_lists && !matches!(request.scope, Scope::Ids(_)) {
        return Page::default();
    }
    let kind = request.kind;
    if matches!(request.scope, Scope::Changed { .. }) && world.batched.contains(&kind) {
        return batch(world, request);
    }
    let within = |updated| match &request.scope {
        Scope::Changed { since, until } => since.is_none_or(|since| updated >= since) && updated <= *until,
        Scope::Ids(_) | Scope::Present => true,
    };
    let asked = |id: &str| match &request.scope {
        Scope::Ids(ids) => ids.iter().any(|asked| asked == id),
        Scope::Changed { .. } | Scope::Present => true,
    };
    let mut records: Vec<Record> = if matches!(kind, Kind::Stock | Kind::Price) {
        let figures = if kind == Kind::Stock { &world.stock } else { &world.prices };
        figures
            .iter()
            .filter(|((id, _), figure)| within(figure.updated) && asked(id))
            .filter_map(|((id, facet), figure)| read_figure(world, kind, id, facet, figure))
            .collect()
    } else {
        let objects = world.all(kind);
        let objects = objects.into_iter().filter(|object| within(object.updated) && asked(&object.id));
        objects.map(|object| read(world, object)).collect()
    };
    let place = |record: &Record| {
        let id = record.remote.as_ref().map(|remote| remote.id.clone()).unwrap_or_default();
        let facet = record.facets.keys().next().map(ToString::to_string).unwrap_or_default();
        format!("{:020}/{id}/{facet}", record.updated.map_or(0, jiff::Timestamp::as_microsecond))
    };
    records.sort_by_key(place);
    if let Some(cursor) = &request.cursor {
        records.retain(|record| place(record) > *cursor);
    }
    let limit = request.limit.max(1) as usize;
    let next = (records.len() > limit).then(|| place(&records[limit - 1]));
    records.truncate(limit);
    let mut page = Page { next, ..Page::default() };
    if request.cursor.is_none() && matches!(request.scope, Scope::Changed { since: Some(_), .. }) {
        let gone = world.objects.iter().filter(|o| o.kind == kind && o.deleted && within(o.updated));
        page.deleted = gone.map(|object| remote(&object.id)).collect();
    }
    if request.scope == Scope::Present {
        let present = |record: &Record| Present {
            remote: record.remote.clone().expect("read records have one"),
            marker: record.marker.clone(),
            key: record.keys.first().map(|key| key.value.clone()),
        };
        page.present = records.iter().map(present).collect();
    } else {
        page.records = records;
    }
    page
}

pub(super) fn batch(world: &mut World, request: &PullRequest) -> Page {
    let kind = request.kind;
    if !world.batch_open.contains_key(&kind) {
        let queue = world.batch_queue.entry(kind).or_default();
        let count = queue.len().min(request.limit.max(1) as usize);
        let ids: Vec<String> = queue.iter().take(count).cloned().collect();
        if ids.is_empty() {
            return Page::default();
        }
        let receipt = world.new_id("batch-");
        world.batch_open.insert(kind, (receipt, ids));
    }
    let (receipt, ids) = world.batch_open[&kind].clone();
    let mut page = pull(world, &PullRequest { scope: Scope::Ids(ids.clone()), cursor: None, ..request.clone() });
    let more = world.batch_queue.get(&kind).is_some_and(|queue| queue.len() > ids.len());
    page.next = more.then(|| receipt.clone());
    page.receipt = Some(receipt);
    page
}
