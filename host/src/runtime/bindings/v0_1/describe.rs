//! What a connector says of itself and whom its credentials reach.

use std::collections::BTreeSet;

use serde_json::Value;

use super::page::from_kind;
use super::value::{Invalid, Read, basis, currency, decimal, filled, id, invalid, list, text, timestamp_opt};
use super::wit::exports::tradepost::connector::connector as xc;
use super::wit::tradepost::connector::{records as wr, types as wt};
use crate::model::catalog::Text;
use crate::model::description::{
    Ability, Account, Channel, Credential, Description, Environment, OrderHappening, Origin, Rate, Reading, Removal,
    Scheme, StockFigure, Warehouse, Writing, is_id,
};
use crate::model::facet::FacetPattern;

/// Most bytes of a settings schema.
const SCHEMA: usize = 64 << 10;

/// What a connector says of itself.
///
/// # Errors
/// The first thing in it that cannot be.
pub fn description(description: xc::Description) -> Result<Description, Invalid> {
    let xc::Description {
        id: name_of,
        version,
        name,
        vendor,
        about,
        id_space,
        mapping_revision,
        storage_version,
        abilities,
        settings_schema,
        origins,
        credentials,
        rates,
        files,
    } = description;
    if !is_id(&name_of) {
        return invalid("id", format!("`{name_of}` is not a reverse domain name like `org.example.shop`"));
    }
    if version.is_empty() || version.len() > 64 || !version.bytes().all(|b| b.is_ascii_graphic()) {
        return invalid("version", format!("`{version}` is not a version"));
    }
    if settings_schema.len() > SCHEMA {
        return invalid("settings-schema", format!("it has more than {SCHEMA} bytes"));
    }
    let settings_schema: Value = match serde_json::from_str(&settings_schema) {
        Ok(schema @ Value::Object(_)) => schema,
        Ok(_) => return invalid("settings-schema", "it is not a JSON object"),
        Err(error) => return invalid("settings-schema", format!("it is not JSON: {error}")),
    };
    let abilities = list("abilities", abilities, ability)?;
    unique("abilities", abilities.iter().map(|ability| ability.kind.as_str()))?;
    let origins: Vec<Origin> = list("origins", origins, |xc::Origin { scheme, host, port, why }| {
        if !matches!(scheme.as_str(), "http" | "https") {
            return invalid("scheme", format!("`{scheme}` is neither `https` nor `http`"));
        }
        Ok(Origin { scheme, host: id("host", host)?, port, why: texts(why) })
    })?;
    let count = origins.len();
    let credentials: Vec<Credential> = list("credentials", credentials, |credential| {
        let xc::Credential { name, title, scheme, origins, required } = credential;
        if let Some(index) = origins.iter().find(|index| **index as usize >= count) {
            return invalid("origins", format!("there is no origin {index}"));
        }
        let (name, title) = (id("name", name)?, texts(title));
        Ok(Credential { name, title, scheme: placement(scheme), origins, required })
    })?;
    unique("credentials", credentials.iter().map(|credential| credential.name.as_str()))?;
    let rates: Vec<Rate> = list("rates", rates, |rate| {
        let xc::Rate { name, per_second, burst, concurrent, remaining_header } = rate;
        let per_second = decimal("per-second", &per_second)?;
        if per_second <= rust_decimal::Decimal::ZERO || burst == 0 || concurrent == Some(0) {
            return invalid("", "a rate that lets nothing through");
        }
        Ok(Rate { name: id("name", name)?, per_second, burst, concurrent, remaining_header })
    })?;
    unique("rates", rates.iter().map(|rate| rate.name.as_str()))?;
    Ok(Description {
        id: name_of,
        version,
        name: texts(name),
        vendor,
        about: texts(about),
        id_space: id("id-space", id_space)?,
        mapping_revision,
        storage_version,
        abilities,
        settings_schema,
        origins,
        credentials,
        rates,
        files,
    })
}

fn texts(texts: Vec<wt::Text>) -> Vec<Text> {
    texts.into_iter().map(text).collect()
}

fn unique<'a>(path: &str, names: impl Iterator<Item = &'a str>) -> Read<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return invalid(path, format!("`{name}` is there twice"));
        }
    }
    Ok(())
}

fn ability(ability: xc::Ability) -> Read<Ability> {
    let figure = |figure: Option<xc::StockFigure>| {
        figure.map(|figure| match figure {
            xc::StockFigure::OnHand => StockFigure::OnHand,
            xc::StockFigure::Available => StockFigure::Available,
        })
    };
    let xc::Ability { kind, reading, writing, lookup } = ability;
    let reading = reading.map(|reading| Reading {
        changes: reading.changes,
        ids: reading.ids,
        present: reading.present,
        writes: reading.writes,
        figure: figure(reading.figure),
    });
    let writing = writing.map(|writing| Writing {
        facets: writing.facets.into_iter().map(FacetPattern).collect(),
        events: writing.events.into_iter().map(happening).collect(),
        create: writing.create,
        update: writing.update,
        removals: writing.removals.into_iter().map(removal).collect(),
        max_batch: writing.max_batch.max(1),
        idempotent: writing.idempotent,
        marker: writing.marker.filter(|length| *length > 0),
        create_done: writing.create_done,
        figure: figure(writing.figure),
    });
    let kind = from_kind(kind);
    if kind == crate::model::Kind::Stock {
        if reading.as_ref().is_some_and(|reading| reading.figure.is_none()) {
            return invalid("reading.figure", "stock is read without saying which figure");
        }
        if writing.as_ref().is_some_and(|writing| writing.figure.is_none()) {
            return invalid("writing.figure", "stock is written without saying which figure");
        }
    }
    Ok(Ability { kind, reading, writing, lookup_lag: lookup.map(|lookup| lookup.lag_seconds) })
}

fn happening(happening: xc::OrderHappening) -> OrderHappening {
    match happening {
        xc::OrderHappening::Placed => OrderHappening::Placed,
        xc::OrderHappening::Paid => OrderHappening::Paid,
        xc::OrderHappening::Cancelled => OrderHappening::Cancelled,
        xc::OrderHappening::Refunded => OrderHappening::Refunded,
        xc::OrderHappening::Numbered => OrderHappening::Numbered,
        xc::OrderHappening::Completed => OrderHappening::Completed,
    }
}

fn removal(removal: wr::Removal) -> Removal {
    match removal {
        wr::Removal::Deactivate => Removal::Deactivate,
        wr::Removal::Delete => Removal::Delete,
    }
}

/// The contract's name of a way to take a record away.
#[must_use]
pub fn to_removal(removal: Removal) -> wr::Removal {
    match removal {
        Removal::Deactivate => wr::Removal::Deactivate,
        Removal::Delete => wr::Removal::Delete,
    }
}

fn placement(scheme: xc::Scheme) -> Scheme {
    match scheme {
        xc::Scheme::Bearer => Scheme::Bearer,
        xc::Scheme::Basic => Scheme::Basic,
        xc::Scheme::Header(name) => Scheme::Header(name),
        xc::Scheme::Query(name) => Scheme::Query(name),
        xc::Scheme::OauthClient(xc::Oauth { token_url, scopes, client_in_header }) => {
            Scheme::OauthClient { token_url, scopes, client_in_header }
        }
        xc::Scheme::Session(xc::Session { method, url, body, media_type, token_at, header, prefix, seconds }) => {
            Scheme::Session { method, url, body, media_type, token_at, header, prefix, seconds }
        }
    }
}

/// Whom the credentials reached.
///
/// # Errors
/// The first thing in it that cannot be.
pub fn account(account: xc::Account) -> Result<Account, Invalid> {
    let xc::Account { id: name_of, name, environment, zone, now, channels, warehouses } = account;
    let channels: Vec<Channel> = list("channels", channels, |channel| {
        Ok(Channel {
            id: id("id", channel.id)?,
            name: channel.name,
            currency: currency("currency", channel.currency)?,
            basis: basis(channel.basis),
            languages: channel.languages,
            countries: channel.countries,
            zone: time_zone(channel.zone)?,
        })
    })?;
    if channels.is_empty() {
        return invalid("channels", "every platform has at least one");
    }
    unique("channels", channels.iter().map(|channel| channel.id.as_str()))?;
    let warehouses: Vec<Warehouse> = list("warehouses", warehouses, |xc::Warehouse { id: name_of, name }| {
        Ok(Warehouse { id: id("id", name_of)?, name })
    })?;
    unique("warehouses", warehouses.iter().map(|warehouse| warehouse.id.as_str()))?;
    Ok(Account {
        id: id("id", name_of)?,
        name,
        environment: match environment {
            xc::Environment::Live => Environment::Live,
            xc::Environment::Test => Environment::Test,
        },
        zone: time_zone(zone)?,
        now: timestamp_opt("now", filled(now))?,
        channels,
        warehouses,
    })
}

/// An IANA zone; without one, local times of the platform cannot be placed.
fn time_zone(zone: String) -> Read<String> {
    match jiff::tz::TimeZone::get(&zone) {
        Ok(_) => Ok(zone),
        Err(_) => invalid("zone", format!("`{zone}` is not a time zone like `Europe/Berlin`")),
    }
}

#[cfg(test)]
mod tests;
