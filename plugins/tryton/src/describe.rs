//! What the connector is, can do and asks for, and whom its key reached.

use tradepost_sdk::connector::{
    Ability, Account, Channel, Credential, Description, Environment as AccountEnvironment, Lookup, OrderHappening,
    Origin, Rate, Reading, Scheme, StockFigure, Warehouse, Writing,
};
use tradepost_sdk::records::{Kind, Removal};
use tradepost_sdk::text;
use tradepost_sdk::types::{Error, TaxBasis};

use crate::api::{Api, KEY};
use crate::map::texts;
use crate::masters;
use crate::settings::{self, Environment};

/// The one sales place of an ERP.
pub(crate) const CHANNEL: &str = "main";
/// `sale.reference` has no limit of its own; people read it.
const MARKER: u32 = 100;

/// The description.
pub(crate) fn describe() -> Description {
    Description {
        id: "eu.tradepost.tryton".into(),
        version: option_env!("TRADEPOST_CONNECTOR_VERSION").unwrap_or(env!("CARGO_PKG_VERSION")).into(),
        name: text("Tryton", "Tryton"),
        vendor: "Tradepost".into(),
        about: text(
            "Tryton 8.0 ERP: products, prices and stock to shops; orders and customers from shops; shipments back.",
            "ERP Tryton 8.0: Artikel, Preise und Bestand an Shops; Bestellungen und Kunden aus Shops; Lieferungen zurück.",
        ),
        id_space: "tryton".into(),
        mapping_revision: 1,
        storage_version: 1,
        abilities: abilities(),
        settings_schema: settings::schema().to_string(),
        origins: vec![Origin {
            scheme: "https".into(),
            host: "{url}".into(),
            port: None,
            why: text("Tryton's REST interface", "REST-Schnittstelle von Tryton"),
        }],
        credentials: vec![Credential {
            name: KEY.into(),
            title: text("Key of a user application of type REST", "Schlüssel einer Benutzeranwendung vom Typ REST"),
            scheme: Scheme::Bearer,
            origins: vec![0],
            required: true,
        }],
        // Tryton has no limit of its own but works through every request in one process.
        rates: vec![Rate {
            name: "requests".into(),
            per_second: "20".into(),
            burst: 20,
            concurrent: Some(4),
            remaining_header: None,
        }],
        files: false,
    }
}

fn abilities() -> Vec<Ability> {
    let read = |figure| Some(Reading { changes: true, ids: true, present: true, writes: false, figure });
    let found = || Some(Lookup { lag_seconds: 0 });
    let ability = |kind, reading, writing, lookup| Ability { kind, reading, writing, lookup };
    vec![
        ability(Kind::Category, read(None), Some(writing(&["head", "texts:*"], &[Removal::Delete])), found()),
        ability(
            Kind::Product,
            read(None),
            Some(writing(
                &["head", "texts:*", "media", "categories", "grouping"],
                &[Removal::Deactivate, Removal::Delete],
            )),
            found(),
        ),
        ability(Kind::Stock, read(Some(StockFigure::Available)), None, found()),
        ability(Kind::Price, read(None), None, found()),
        ability(
            Kind::Customer,
            read(None),
            Some(writing(&["head", "addresses"], &[Removal::Deactivate, Removal::Delete])),
            found(),
        ),
        ability(
            Kind::Order,
            read(None),
            Some(Writing {
                events: vec![OrderHappening::Placed],
                update: false,
                marker: Some(MARKER),
                ..writing(&["placed"], &[])
            }),
            found(),
        ),
        ability(
            Kind::OrderEvent,
            None,
            Some(Writing {
                events: vec![OrderHappening::Cancelled],
                create: true,
                update: false,
                ..writing(&["event"], &[])
            }),
            found(),
        ),
        ability(Kind::Shipment, read(None), None, None),
    ]
}

fn writing(facets: &[&str], removals: &[Removal]) -> Writing {
    Writing {
        facets: facets.iter().map(|facet| (*facet).to_owned()).collect(),
        events: Vec::new(),
        create: true,
        update: true,
        removals: removals.to_vec(),
        max_batch: 1,
        idempotent: false,
        marker: None,
        create_done: false,
        figure: None,
    }
}

/// Whom the key reached.
pub(crate) fn check(api: &Api<'_>) -> Result<Account, Error> {
    let company = api.company()?;
    let zone = match api.settings.zone.trim() {
        "" => company.timezone.clone().unwrap_or_else(|| "UTC".into()),
        zone => zone.to_owned(),
    };
    let name = company.party.name.clone().unwrap_or_default();
    let languages = texts::languages(api)?.iter().map(|code| texts::tag(code)).collect();
    let warehouses = masters::warehouses(api)?;
    let warehouses = warehouses.into_iter().map(|found| Warehouse { id: found.id.to_string(), name: found.name });
    let (_, database) = api.origin_and_database();
    Ok(Account {
        id: format!("{database}/{}", company.id),
        name: name.clone(),
        environment: match api.settings.environment {
            Environment::Live => AccountEnvironment::Live,
            Environment::Test => AccountEnvironment::Test,
        },
        zone: zone.clone(),
        now: api.clock()?.map(|now| now.to_string()),
        channels: vec![Channel {
            id: CHANNEL.into(),
            name,
            currency: company.currency.code.clone(),
            basis: TaxBasis::Net,
            languages,
            countries: Vec::new(),
            zone,
        }],
        warehouses: warehouses.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_built_is_declared() {
        let description = describe();
        let of = |kind| description.abilities.iter().find(|ability| ability.kind == kind).unwrap();
        assert_eq!(of(Kind::Stock).reading.unwrap().figure, Some(StockFigure::Available));
        assert!(of(Kind::Stock).writing.is_none() && of(Kind::Price).writing.is_none());
        assert_eq!(of(Kind::Order).writing.as_ref().unwrap().marker, Some(MARKER));
        assert!(description.settings_schema.len() < 64 * 1024);
        assert_eq!(description.origins[0].host, "{url}");
    }
}
