//! Looking for what may have been written: by the marks on it where it has some, else by natural keys.

use serde_json::Value;
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::records::Kind;
use tradepost_sdk::request::escaped;
use tradepost_sdk::target::{Found, Probe};
use tradepost_sdk::types::Error;

use crate::api::{MOST, Shop, read};
use crate::map::catalogue::{Article, RawCategory};
use crate::map::orders::{self, RawOrder};
use crate::map::trade::RawCustomer;
use crate::map::{ITEM, MARKER, OPEN, meta, part, remote, slug};
use crate::pull::variations;
use crate::push::events::numbered;
use crate::push::shipments::noted;

/// All matches of each probe.
///
/// # Errors
/// What the shop answers.
pub fn find(shop: &Shop, kind: Kind, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    let one = |probe: &Probe| match kind {
        Kind::Category => category(shop, probe),
        Kind::Product => product(shop, probe),
        Kind::Stock | Kind::Price => variant(shop, probe),
        Kind::Customer => customer(shop, probe),
        Kind::Order => order(shop, probe),
        Kind::OrderEvent => event(shop, probe),
        Kind::Shipment => shipment(shop, probe),
    };
    probes.iter().map(one).collect()
}

/// Values of the probe's keys of these names.
fn keys<'a>(probe: &'a Probe, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let all = probe.keys.iter().filter(|key| names.contains(&key.name.as_str()));
    all.map(|key| key.value.trim()).filter(|value| !value.is_empty())
}

/// Products and variations with a SKU; a variation is found as its product.
///
/// # Errors
/// What the shop answers.
pub fn by_sku(shop: &Shop, sku: &str) -> Result<Vec<Article>, Error> {
    let mut found: Vec<Article> = Vec::new();
    for article in articles(shop, sku)? {
        let product = if article.what == "variation" {
            shop.look(&format!("/products/{}", article.parent_id))?
        } else {
            Some(article)
        };
        found.extend(product.filter(|product| !found.iter().any(|known| known.id == product.id)));
    }
    Ok(found)
}

fn articles(shop: &Shop, sku: &str) -> Result<Vec<Article>, Error> {
    // The filter takes several with commas between them, and some versions look for a part.
    let rows: Vec<Article> = shop.get(&format!("/products?status=any&per_page={MOST}&sku={}", escaped(sku)))?;
    Ok(rows.into_iter().filter(|row| row.sku == sku).collect())
}

fn product(shop: &Shop, probe: &Probe) -> Result<Vec<Found>, Error> {
    let ours = |one: &Article| {
        meta(&one.meta_data, ITEM).as_deref() == Some(probe.item.as_str())
            || probe.marker.is_some() && meta(&one.meta_data, MARKER) == probe.marker
    };
    let mut found: Vec<Article> = Vec::new();
    for key in keys(probe, &["sku", "number"]) {
        for one in by_sku(shop, key)? {
            if !found.iter().any(|known| known.id == one.id) {
                found.push(one);
            }
        }
    }
    if let Some(at) = found.iter().position(ours) {
        // The one that we made; another with one of its SKUs is somebody else's.
        let own = found.swap_remove(at);
        found = vec![own];
    } else if !probe.item.is_empty() {
        // A product without variations yet has no SKU to be found by: it is among the newest.
        let newest: Vec<Article> = shop.get(&format!("/products?status=any&orderby=id&order=desc&per_page={MOST}"))?;
        if let Some(own) = newest.into_iter().find(ours) {
            found = vec![own];
        }
    }
    found.into_iter().map(|one| as_found(shop, &one)).collect()
}

fn as_found(shop: &Shop, one: &Article) -> Result<Found, Error> {
    let bought = variations(shop, one)?;
    let mut parts: Vec<Part> = bought.iter().map(|one| part(PartKind::Variant, &one.sku, one.id)).collect();
    if !one.variable() {
        parts.push(part(PartKind::Variant, &one.sku, one.id));
    }
    Ok(Found {
        remote: remote(one.id, None),
        marker: meta(&one.meta_data, MARKER),
        whole: meta(&one.meta_data, OPEN).is_none(),
        parts,
    })
}

fn variant(shop: &Shop, probe: &Probe) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for key in keys(probe, &["sku"]) {
        found.extend(articles(shop, key)?.into_iter().filter(|one| !one.variable()));
    }
    Ok(found.iter().map(|one| whole(one.reference(), None)).collect())
}

fn whole(remote: tradepost_sdk::types::RemoteRef, marker: Option<String>) -> Found {
    Found { remote, marker, whole: true, parts: Vec::new() }
}

fn category(shop: &Shop, probe: &Probe) -> Result<Vec<Found>, Error> {
    let mut found: Vec<Found> = Vec::new();
    for key in keys(probe, &["key", "category", "slug"]) {
        let path = format!("/products/categories?hide_empty=false&slug={}", escaped(&slug(key)));
        for one in shop.get::<Vec<RawCategory>>(&path)? {
            let one = whole(remote(one.id, None), None);
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    Ok(found)
}

fn customer(shop: &Shop, probe: &Probe) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for key in keys(probe, &["email"]) {
        let rows: Vec<RawCustomer> = shop.get(&format!("/customers?role=all&email={}", escaped(key)))?;
        found.extend(rows.iter().map(|one| whole(remote(one.id, None), meta(&one.meta_data, MARKER))));
    }
    Ok(found)
}

fn order(shop: &Shop, probe: &Probe) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for key in keys(probe, &["number"]) {
        // A number is the id, unless a plugin counts by itself.
        let by_id = crate::pull::object::<Value>(shop, "/orders", key)?;
        let mut rows: Vec<Value> = by_id.into_iter().collect();
        rows.extend(shop.get::<Vec<Value>>(&format!("/orders?status=any&per_page={MOST}&search={}", escaped(key)))?);
        for row in rows {
            let row: RawOrder = read(row)?;
            let one = whole(remote(row.id, None), meta(&row.meta_data, MARKER));
            if row.number == key && !found.contains(&one) {
                found.push(one);
            }
        }
    }
    Ok(found)
}

fn of(shop: &Shop, probe: &Probe) -> Result<Option<RawOrder>, Error> {
    match &probe.of {
        Some(of) => crate::pull::object(shop, "/orders", &of.id),
        None => Ok(None),
    }
}

fn event(shop: &Shop, probe: &Probe) -> Result<Vec<Found>, Error> {
    let Some(order) = of(shop, probe)? else { return Ok(Vec::new()) };
    let applied = match keys(probe, &["event"]).next() {
        Some("paid") => order.date_paid_gmt.is_some(),
        Some("cancelled") => order.status == "cancelled",
        Some("completed") => order.status == "completed",
        Some("numbered") => keys(probe, &["number"]).any(|number| numbered(&order, number, &shop.settings)),
        _ => false,
    };
    Ok(if applied { vec![whole(remote(order.id, None), None)] } else { Vec::new() })
}

fn shipment(shop: &Shop, probe: &Probe) -> Result<Vec<Found>, Error> {
    let Some(order) = of(shop, probe)? else { return Ok(Vec::new()) };
    let codes: Vec<&str> = keys(probe, &["tracking"]).collect();
    let all = order.sent();
    let has = |one: &orders::Sent| {
        let mut there = one.parcels.iter().filter_map(|parcel| parcel.tracking.as_deref());
        !codes.is_empty() && there.any(|code| codes.contains(&code))
    };
    let ours = |one: &&orders::Sent| one.item == probe.item || probe.marker.is_some() && one.marker == probe.marker;
    let found = all.iter().find(ours).or_else(|| all.iter().find(|one| has(one)));
    let Some(sent) = found else { return Ok(Vec::new()) };
    Ok(vec![Found {
        remote: orders::reference(order.id, &sent.item),
        marker: sent.marker.clone(),
        whole: noted(shop, order.id, sent)?,
        parts: orders::parts(order.id, sent),
    }])
}
