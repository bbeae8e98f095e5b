//! Customers: a party with its addresses and contact mechanisms. A new one is one request, so it is there whole or not
//! at all.

use serde_json::{Map, Value, json};
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::outcomes::{Outcome, Written};
use tradepost_sdk::sales::{Address, Customer, CustomerBase};
use tradepost_sdk::types::Error;

use super::{target, written};
use crate::api::{Api, Search};
use crate::map::{address, some, texts};
use crate::masters;
use crate::pull::{CustomerRow, customer_fields, remote};

const MODEL: &str = "party.party";

pub(super) fn push(api: &Api<'_>, customer: &Customer) -> Result<Outcome, Error> {
    match target(&customer.head)? {
        None => {
            let base = customer.base.as_ref();
            let base = base.ok_or_else(|| Error::Bug("a new customer without its head".into()))?;
            let row = create(api, base, customer.addresses.as_deref().unwrap_or_default())?;
            Ok(Outcome::Done(outcome(&row, customer.addresses.as_deref().unwrap_or_default())))
        }
        Some(id) => update(api, id, customer),
    }
}

/// Makes a party.
pub(super) fn create(api: &Api<'_>, base: &CustomerBase, addresses: &[Address]) -> Result<CustomerRow, Error> {
    let mut mechanisms = Vec::new();
    for (kind, value) in [("email", &base.email), ("phone", &base.phone)] {
        if let Some(value) = some(value.as_deref()) {
            mechanisms.push(json!({"type": kind, "value": value}));
        }
    }
    let mut made = Vec::new();
    for address in addresses {
        made.push(Value::Object(address::values(address, masters::country(api, &address.country)?)));
    }
    let mut values = json!({
        "name": address::party_name(base, addresses.first()),
        "addresses": [["create", made]],
        "contact_mechanisms": [["create", mechanisms]],
    });
    if let Some(language) = language(api, base)? {
        values["lang"] = json!(language);
    }
    if let Some(number) = some(base.vat_id.as_deref()) {
        values["identifiers"] = json!([["create", [{"type": "eu_vat", "code": number}]]]);
    }
    let fields = customer_fields();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    api.create(MODEL, &values, &fields)
}

/// Reads a party with its inactive parts too.
pub(super) fn read(api: &Api<'_>, id: u64) -> Result<Option<CustomerRow>, Error> {
    let fields = customer_fields();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let rows = api.find(&Search::of(MODEL, &fields).with(json!(["id", "=", id])).all())?;
    Ok(rows.into_iter().next())
}

fn update(api: &Api<'_>, id: u64, customer: &Customer) -> Result<Outcome, Error> {
    let row = read(api, id)?.ok_or_else(|| Error::NotFound(format!("party {id}")))?;
    let mut values = Map::new();
    if let Some(base) = &customer.base {
        head(&row, base, customer.addresses.as_deref(), &mut values);
    }
    if let Some(addresses) = &customer.addresses {
        let name = values.get("name").and_then(Value::as_str).or(row.name.as_deref()).unwrap_or_default().to_owned();
        let commands = addresses_of(api, &row, &name, customer, addresses)?;
        if !commands.is_empty() {
            values.insert("addresses".into(), json!(commands));
        }
    }
    if values.is_empty() {
        return Ok(Outcome::Unchanged(remote(id)));
    }
    api.write(MODEL, id, &Value::Object(values))?;
    let addresses = customer.addresses.as_deref().unwrap_or_default();
    let row = if addresses.is_empty() { row } else { read(api, id)?.unwrap_or(row) };
    Ok(Outcome::Done(outcome(&row, addresses)))
}

/// What differs in the party itself.
fn head(row: &CustomerRow, base: &CustomerBase, addresses: Option<&[Address]>, values: &mut Map<String, Value>) {
    let name = address::party_name(base, addresses.and_then(|addresses| addresses.first()));
    if !name.is_empty() && row.name.as_deref() != Some(&name) {
        values.insert("name".into(), json!(name));
    }
    if row.active != base.active {
        values.insert("active".into(), json!(base.active));
    }
    let mut commands = Vec::new();
    for (kinds, value) in [(["email"].as_slice(), &base.email), (&["phone", "mobile"], &base.phone)] {
        let Some(value) = some(value.as_deref()) else { continue };
        match row.mechanism(kinds) {
            Some(found) if same(found.value.as_deref(), &value) => {}
            Some(found) => commands.push(json!(["write", [found.id], {"value": value}])),
            None => commands.push(json!(["create", [{"type": kinds[0], "value": value}]])),
        }
    }
    if !commands.is_empty() {
        values.insert("contact_mechanisms".into(), json!(commands));
    }
}

/// Tryton writes numbers in its own way, with spaces.
fn same(stored: Option<&str>, value: &str) -> bool {
    let compact = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    stored.is_some_and(|stored| compact(stored) == compact(value))
}

/// Addresses that are new, or no longer the customer's.
///
/// Sales and shipments point to the address they were made with, so a changed address is a new one and the old one is
/// only put out of use. Only those that were made for a key of ours are ever taken away: orders have brought others.
fn addresses_of(
    api: &Api<'_>,
    row: &CustomerRow,
    name: &str,
    customer: &Customer,
    addresses: &[Address],
) -> Result<Vec<Value>, Error> {
    let mut commands = Vec::new();
    let mut wanted = Vec::new();
    for address in addresses {
        let content = address::content(address, name);
        if wanted.contains(&content) {
            continue;
        }
        let mut equal = row.addresses.iter().filter(|row| row.content(name) == content);
        match (equal.clone().find(|row| row.active != Some(false)), equal.next()) {
            (Some(_), _) => {}
            (None, Some(unused)) => commands.push(json!(["write", [unused.id], {"active": true}])),
            (None, None) => {
                let values = address::values(address, masters::country(api, &address.country)?);
                commands.push(json!(["create", [values]]));
            }
        }
        wanted.push(content);
    }
    for part in customer.head.parts.iter().filter(|part| part.what == PartKind::Address) {
        let id: Option<u64> = part.id.parse().ok();
        let known = row.addresses.iter().find(|row| Some(row.id) == id && row.active != Some(false));
        if let Some(known) = known.filter(|known| !wanted.contains(&known.content(name))) {
            commands.push(json!(["write", [known.id], {"active": false}]));
        }
    }
    Ok(commands)
}

fn language(api: &Api<'_>, base: &CustomerBase) -> Result<Option<u64>, Error> {
    #[derive(serde::Deserialize)]
    struct Language {
        id: u64,
        code: String,
    }
    let Some(wanted) = &base.language else { return Ok(None) };
    let search = Search::of("ir.lang", &["code"]).with(json!(["translatable", "=", true]));
    let found: Vec<Language> = api.find(&search)?;
    let codes: Vec<String> = found.iter().map(|language| language.code.clone()).collect();
    let code = texts::code(&codes, wanted);
    Ok(found.iter().find(|language| Some(&language.code) == code).map(|language| language.id))
}

fn outcome(row: &CustomerRow, addresses: &[Address]) -> Written {
    let name = row.name.as_deref().unwrap_or_default();
    let part = |address: &Address| {
        let content = address::content(address, name);
        let row = row.addresses.iter().find(|row| row.content(name) == content && row.active != Some(false))?;
        Some(Part { what: PartKind::Address, key: address.key.clone(), id: row.id.to_string() })
    };
    Written { parts: addresses.iter().filter_map(part).collect(), ..written(remote(row.id)) }
}
