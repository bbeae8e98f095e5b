//! Looking up: by the marker on a sale, by the codes of products and the addresses of customers.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::records::Kind;
use tradepost_sdk::target::{Found, Probe};
use tradepost_sdk::types::{Error, RemoteRef};

use crate::api::{self, Api, Id, Search};
use crate::pull::remote;
use crate::settings::Goal;

/// Keys that are codes of variants; a simple product repeats its code as its number.
const CODES: &[&str] = &["sku", "number"];

/// All matches of each probe.
pub(crate) fn find(api: &Api<'_>, kind: Kind, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    match kind {
        Kind::Order => orders(api, probes),
        Kind::OrderEvent => probes.iter().map(|probe| event(api, probe)).collect(),
        Kind::Customer => customers(api, probes),
        Kind::Product => products(api, probes, true),
        Kind::Stock | Kind::Price => products(api, probes, false),
        Kind::Category => categories(api, probes),
        Kind::Shipment => Err(Error::Unsupported("shipments are not written".into())),
    }
}

#[derive(Debug, Deserialize)]
struct SaleRow {
    id: u64,
    reference: Option<String>,
    state: String,
}

/// Sales that carry exactly the marker; without one, the number.
fn orders(api: &Api<'_>, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    let wanted = |probe: &Probe| probe.marker.clone().or_else(|| keys(probe, &["number"]).into_iter().next());
    let mut references: Vec<String> = probes.iter().filter_map(wanted).collect();
    references.sort_unstable();
    references.dedup();
    let search = Search::of("sale.sale", &["reference", "state"]).with(json!(["company", "=", api.company()?.id]));
    let rows: Vec<SaleRow> = api.matching(&search, "reference", &references)?;
    let goal = api.settings.order_state;
    let found = |probe: &Probe| {
        let reference = wanted(probe);
        let hits = rows.iter().filter(|row| reference.is_some() && row.reference == reference);
        hits.map(|row| Found {
            remote: remote(row.id),
            marker: row.reference.clone(),
            whole: reached(&row.state) >= Some(goal),
            parts: Vec::new(),
        })
        .collect()
    };
    Ok(probes.iter().map(found).collect())
}

/// How far a sale has come; everything behind confirmation, a cancellation too, counts as confirmed.
fn reached(state: &str) -> Option<Goal> {
    Some(match state {
        "draft" => Goal::Draft,
        "quotation" => Goal::Quotation,
        _ => Goal::Confirmed,
    })
}

fn event(api: &Api<'_>, probe: &Probe) -> Result<Vec<Found>, Error> {
    let names = keys(probe, &["event"]);
    let cancelling = names.iter().any(|name| name.contains("cancel")) || probe.item.contains("/cancel");
    let Some(of) = probe.of.as_ref().filter(|_| cancelling) else { return Ok(Vec::new()) };
    let applied = crate::push::is_cancelled(api, api::id(&of.id)?)?;
    let found = Found { remote: of.clone(), marker: None, whole: true, parts: Vec::new() };
    Ok(if applied { vec![found] } else { Vec::new() })
}

#[derive(Debug, Deserialize)]
struct MechanismRow {
    value: Option<String>,
    party: Option<PartyRow>,
}

#[derive(Debug, Deserialize)]
struct PartyRow {
    id: u64,
    active: Option<bool>,
}

/// Parties by their e-mail addresses, with the address in lower case. Inactive ones only where no active one has it.
pub(crate) fn parties(api: &Api<'_>, emails: &[String]) -> Result<Vec<(u64, String)>, Error> {
    let mut rows: Vec<MechanismRow> = Vec::new();
    let search =
        Search::of("party.contact_mechanism", &["value", "party.active"]).with(json!(["type", "=", "email"])).all();
    for emails in emails.chunks(25) {
        // Addresses are written in any case; `_` and `%` in them are no wildcards.
        let escaped = |email: &String| email.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let mut clause = vec![json!("OR")];
        clause.extend(emails.iter().map(|email| json!(["value", "ilike", escaped(email)])));
        rows.extend(api.find::<MechanismRow>(&search.clone().with(json!(clause)))?);
    }
    let mut found: BTreeMap<String, BTreeMap<u64, bool>> = BTreeMap::new();
    for row in rows {
        if let (Some(value), Some(party)) = (row.value, row.party) {
            found.entry(value.to_lowercase()).or_default().insert(party.id, party.active != Some(false));
        }
    }
    let mut parties = Vec::new();
    for (email, of) in found {
        let any = of.values().any(|active| *active);
        parties.extend(of.into_iter().filter(|(_, active)| *active || !any).map(|(id, _)| (id, email.clone())));
    }
    Ok(parties)
}

fn customers(api: &Api<'_>, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    let mut emails: Vec<String> =
        probes.iter().flat_map(|probe| keys(probe, &["email"])).map(|email| email.to_lowercase()).collect();
    emails.sort_unstable();
    emails.dedup();
    let parties = if emails.is_empty() { Vec::new() } else { parties(api, &emails)? };
    let found = |probe: &Probe| {
        let wanted = keys(probe, &["email"]);
        let hit = |email: &str| wanted.iter().any(|wanted| wanted.to_lowercase() == email);
        let ids: BTreeSet<u64> = parties.iter().filter(|(_, email)| hit(email)).map(|(id, _)| *id).collect();
        ids.into_iter().map(|id| whole(remote(id), Vec::new())).collect()
    };
    Ok(probes.iter().map(found).collect())
}

#[derive(Debug, Deserialize)]
struct ProductRow {
    id: u64,
    code: Option<String>,
    active: Option<bool>,
    template: Id,
}

/// Products by the codes of their variants, or the variants themselves.
fn products(api: &Api<'_>, probes: &[Probe], templates: bool) -> Result<Vec<Vec<Found>>, Error> {
    let mut codes: Vec<String> = probes.iter().flat_map(|probe| keys(probe, CODES)).collect();
    codes.sort_unstable();
    codes.dedup();
    let search = Search::of("product.product", &["code", "active", "template.id"]).all();
    let rows: Vec<ProductRow> = api.matching(&search, "code", &codes)?;
    let found = |probe: &Probe| {
        let wanted = keys(probe, CODES);
        let hits = || rows.iter().filter(|row| row.code.as_ref().is_some_and(|code| wanted.contains(code)));
        // A code that was given up is taken up again; one in use names one product.
        let used = hits().any(|row| row.active != Some(false));
        let hits: Vec<&ProductRow> = hits().filter(|row| row.active != Some(false) || !used).collect();
        if !templates {
            let parent = |row: &ProductRow| Some(row.template.id.to_string());
            return hits
                .iter()
                .map(|row| whole(RemoteRef { parent: parent(row), ..remote(row.id) }, Vec::new()))
                .collect();
        }
        let mut of: BTreeMap<u64, Vec<Part>> = BTreeMap::new();
        for row in hits {
            let key = row.code.clone().unwrap_or_default();
            of.entry(row.template.id).or_default().push(Part { what: PartKind::Variant, key, id: row.id.to_string() });
        }
        of.into_iter().map(|(id, parts)| whole(remote(id), parts)).collect()
    };
    Ok(probes.iter().map(found).collect())
}

#[derive(Debug, Deserialize)]
struct CategoryRow {
    id: u64,
    code: Option<String>,
    rec_name: Option<String>,
}

fn categories(api: &Api<'_>, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    let search = Search::of("product.category", &["code", "rec_name"]).with(json!(["accounting", "=", false]));
    let rows: Vec<CategoryRow> = api.find(&search)?;
    let found = |probe: &Probe| {
        let wanted: Vec<String> = probe.keys.iter().map(|key| key.value.clone()).collect();
        let hit = |text: &Option<String>| text.as_ref().is_some_and(|text| wanted.contains(text));
        let hits = rows.iter().filter(|row| hit(&row.code) || hit(&row.rec_name));
        hits.map(|row| whole(remote(row.id), Vec::new())).collect()
    };
    Ok(probes.iter().map(found).collect())
}

fn whole(remote: RemoteRef, parts: Vec<Part>) -> Found {
    Found { remote, marker: None, whole: true, parts }
}

fn keys(probe: &Probe, names: &[&str]) -> Vec<String> {
    let named = probe.keys.iter().filter(|key| names.contains(&key.name.as_str()));
    named.map(|key| key.value.clone()).filter(|value| !value.is_empty()).collect()
}
