//! Looking for what may have been written: by natural keys, and a half-made product by the address that names its item.
//! All probes of a call are answered by one query.

use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::records::Kind;
use tradepost_sdk::target::{Found, Probe};
use tradepost_sdk::types::{Error, RemoteRef};

use crate::api::{Shop, read};
use crate::map::catalogue::part;
use crate::map::remote;
use crate::map::shipments::reference;
use crate::map::write::{making_slug, slug};
use crate::push::events::Applied;
use crate::push::shipments;

/// All matches of each probe.
///
/// # Errors
/// What the shop answers.
pub fn find(shop: &Shop<'_>, kind: Kind, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    match kind {
        Kind::Product => products(shop, probes),
        Kind::Stock | Kind::Price => variants(shop, probes),
        Kind::Category => by_key(shop, probes, "collections", "slug", &["category"], &|key| slug(key, key)),
        Kind::Customer => by_key(shop, probes, "customers", "emailAddress", &["email"], &|key| key.to_lowercase()),
        Kind::Order => by_key(shop, probes, "orders", "code", &["number"], &str::to_owned),
        Kind::OrderEvent => events(shop, probes),
        Kind::Shipment => parcels(shop, probes),
    }
}

/// Values of the probe's keys of these names.
fn keys<'a>(probe: &'a Probe, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
    probe
        .keys
        .iter()
        .filter(|key| names.contains(&key.name.as_str()))
        .map(|key| key.value.trim())
        .filter(|value| !value.is_empty())
}

fn all_keys(probes: &[Probe], names: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = probes.iter().flat_map(|probe| keys(probe, names).map(str::to_owned)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn found(remote: RemoteRef, whole: bool, parts: Vec<Part>) -> Found {
    Found { remote, marker: None, whole, parts }
}

#[derive(Debug, Clone, Deserialize)]
struct Product {
    id: String,
    translations: Vec<Slug>,
    variants: Vec<Variant>,
}

#[derive(Debug, Clone, Deserialize)]
struct Slug {
    slug: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Variant {
    id: String,
    sku: String,
}

impl Product {
    fn is_made_for(&self, slug: &str) -> bool {
        // Vendure appends a number to an address that is taken.
        self.translations.iter().any(|text| text.slug == slug || text.slug.starts_with(&format!("{slug}-")))
    }

    fn whole(&self) -> bool {
        !self.translations.iter().any(|text| text.slug.starts_with("making-"))
    }
}

const SKU: &[&str] = &["sku", "number"];

fn products(shop: &Shop<'_>, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    const FIND: &str = "query($products:ProductListOptions,$variants:ProductVariantListOptions){\
        products(options:$products){items{id translations{slug} variants{id sku}}} \
        productVariants(options:$variants){items{product{id translations{slug} variants{id sku}}}}}";
    let making: Vec<Value> = probes
        .iter()
        .filter(|probe| !probe.item.is_empty())
        .map(|probe| json!({"slug": {"contains": making_slug(&probe.item)}}))
        .collect();
    let nobody = json!({"id": {"in": []}});
    let products = if making.is_empty() { nobody } else { json!({"_or": making}) };
    let skus = all_keys(probes, SKU);
    let variables = json!({
        "products": {"filter": products, "sort": {"id": "ASC"}},
        "variants": {"filter": {"sku": {"in": skus}}, "sort": {"id": "ASC"}, "take": 900},
    });
    let mut reply = shop.query(FIND, variables)?;
    let mut there: Vec<Product> = read(reply.data["products"]["items"].take())?;
    for item in reply.data["productVariants"]["items"].as_array_mut().into_iter().flatten() {
        there.push(read(item["product"].take())?);
    }
    there.sort_by(|one, other| one.id.cmp(&other.id));
    there.dedup_by(|one, other| one.id == other.id);
    Ok(probes
        .iter()
        .map(|probe| {
            let address = making_slug(&probe.item);
            let fits = |product: &&Product| {
                (!probe.item.is_empty() && product.is_made_for(&address))
                    || keys(probe, SKU).any(|sku| product.variants.iter().any(|variant| variant.sku == sku))
            };
            there
                .iter()
                .filter(fits)
                .map(|product| {
                    let parts = product.variants.iter().map(|one| part(PartKind::Variant, &one.sku, &one.id)).collect();
                    found(remote(&product.id, None), product.whole(), parts)
                })
                .collect()
        })
        .collect())
}

fn variants(shop: &Shop<'_>, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    const FIND: &str =
        "query($options:ProductVariantListOptions){productVariants(options:$options){items{id sku productId}}}";
    let skus = all_keys(probes, SKU);
    let options = json!({"filter": {"sku": {"in": skus}}, "sort": {"id": "ASC"}, "take": 900});
    let reply = shop.query(FIND, json!({"options": options}))?;
    let items = reply.data["productVariants"]["items"].as_array().cloned().unwrap_or_default();
    Ok(probes
        .iter()
        .map(|probe| {
            let fits = |item: &&Value| keys(probe, SKU).any(|sku| item["sku"] == sku);
            let one = |item: &Value| {
                let id = item["id"].as_str().unwrap_or_default();
                found(remote(id, item["productId"].as_str()), true, Vec::new())
            };
            items.iter().filter(fits).map(one).collect()
        })
        .collect())
}

fn by_key(
    shop: &Shop<'_>,
    probes: &[Probe],
    root: &str,
    field: &str,
    names: &[&str],
    fold: &dyn Fn(&str) -> String,
) -> Result<Vec<Vec<Found>>, Error> {
    let kind = match root {
        "collections" => "CollectionListOptions",
        "customers" => "CustomerListOptions",
        _ => "OrderListOptions",
    };
    let document = format!("query($options:{kind}){{{root}(options:$options){{items{{id {field}}}}}}}");
    let mut wanted: Vec<String> = all_keys(probes, names);
    wanted.extend(wanted.clone().iter().map(|key| fold(key)));
    wanted.sort_unstable();
    wanted.dedup();
    let mut filter = json!({field: {"in": wanted}});
    if root == "orders" {
        filter["active"] = json!({"eq": false});
    }
    let options = json!({"filter": filter, "sort": {"id": "ASC"}, "take": 900});
    let reply = shop.query(&document, json!({"options": options}))?;
    let items = reply.data[root]["items"].as_array().cloned().unwrap_or_default();
    Ok(probes
        .iter()
        .map(|probe| {
            let fits = |item: &&Value| {
                let there = item[field].as_str().unwrap_or_default();
                keys(probe, names).any(|key| there == key || fold(there) == fold(key))
            };
            let one = |item: &Value| found(remote(item["id"].as_str().unwrap_or_default(), None), true, Vec::new());
            items.iter().filter(fits).map(one).collect()
        })
        .collect())
}

fn orders_of(probes: &[Probe]) -> Vec<String> {
    let mut ids: Vec<String> = probes.iter().filter_map(|probe| Some(probe.of.as_ref()?.id.clone())).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn events(shop: &Shop<'_>, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    let orders = Applied::read(shop, &orders_of(probes))?;
    let words = &shop.settings.number_note;
    let answer = |probe: &Probe| {
        let order = orders.iter().find(|order| probe.of.as_ref().is_some_and(|of| of.id == order.id))?;
        let event = keys(probe, &["event"]).next()?;
        let applied = match event {
            "paid" => order.paid(),
            "cancelled" => order.cancelled() || order.marked(&probe.item),
            "refunded" | "refund" => order.marked(&probe.item),
            "numbered" => keys(probe, &["number"]).any(|number| order.numbered(number, words)),
            "completed" => order.completed(),
            _ => false,
        };
        applied.then(|| found(order.reference(), true, Vec::new()))
    };
    Ok(probes.iter().map(|probe| answer(probe).into_iter().collect()).collect())
}

fn parcels(shop: &Shop<'_>, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    let orders = shipments::orders(shop, &orders_of(probes))?;
    let answer = |probe: &Probe| {
        let order = orders.iter().find(|order| probe.of.as_ref().is_some_and(|of| of.id == order.id))?;
        let codes: Vec<&str> = keys(probe, &["tracking"]).collect();
        let fits: Vec<_> = order
            .fulfillments
            .iter()
            .flatten()
            .filter(|one| one.counts())
            .filter(|one| one.tracking_code.as_deref().is_some_and(|code| codes.contains(&code.trim())))
            .collect();
        let first = fits.first()?;
        // Fulfilments are told by their codes, so that the order of the codes is that of the parcels.
        let parts = codes
            .iter()
            .enumerate()
            .filter_map(|(at, code)| {
                let one = fits.iter().find(|one| one.tracking_code.as_deref().map(str::trim) == Some(*code))?;
                Some(part(PartKind::Parcel, &(at + 1).to_string(), &reference(&order.id, &one.id).id))
            })
            .collect();
        let whole = fits.len() >= codes.len() && fits.iter().all(|one| one.left());
        Some(found(reference(&order.id, &first.id), whole, parts))
    };
    Ok(probes.iter().map(|probe| answer(probe).into_iter().collect()).collect())
}

#[cfg(test)]
mod tests;
