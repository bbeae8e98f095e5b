//! What the connector asks for and can do, and whom it reached.

use serde_json::{Value, json};
use tradepost_sdk::connector::{
    Ability, Account, Channel, Credential, Description, Environment, Lookup, OrderHappening, Origin, Rate, Reading,
    Scheme, StockFigure, Warehouse, Writing,
};
use tradepost_sdk::records::{Kind, Removal};
use tradepost_sdk::text;
use tradepost_sdk::types::Error;

use crate::api::Shop;
use crate::map::filled;
use crate::settings::{self, Settings};

/// The only channel and the only warehouse.
pub const MAIN: &str = "main";

/// Everything the host needs to know.
#[must_use]
pub fn description() -> Description {
    Description {
        id: "eu.tradepost.woocommerce".into(),
        version: option_env!("TRADEPOST_CONNECTOR_VERSION").unwrap_or(env!("CARGO_PKG_VERSION")).into(),
        name: text("WooCommerce", "WooCommerce"),
        vendor: "Tradepost".into(),
        about: text(
            "Shops that run on WooCommerce, over the REST interface v3.",
            "Shops auf WooCommerce, über die REST-Schnittstelle v3.",
        ),
        id_space: "woocommerce".into(),
        mapping_revision: 1,
        storage_version: 1,
        abilities: abilities(),
        settings_schema: settings_schema(),
        origins: vec![Origin {
            // The setting says both scheme and port.
            scheme: "https".into(),
            host: "{url}".into(),
            port: None,
            why: text("The shop's interface and its pictures.", "Schnittstelle und Bilder des Shops."),
        }],
        credentials: vec![Credential {
            name: "api".into(),
            title: text("Consumer key (name) and consumer secret", "Consumer Key (Name) und Consumer Secret"),
            scheme: Scheme::Basic,
            origins: vec![0],
            required: true,
        }],
        rates: vec![Rate {
            name: "api".into(),
            // The shop has no limit of its own; its host often has.
            per_second: "20".into(),
            burst: 20,
            concurrent: Some(4),
            remaining_header: None,
        }],
        files: false,
    }
}

fn abilities() -> Vec<Ability> {
    let reading = |changes| Reading { changes, ids: true, present: true, writes: false, figure: None };
    let writing = |facets: &[&str], max_batch| Writing {
        facets: facets.iter().map(|&facet| facet.into()).collect(),
        events: Vec::new(),
        create: false,
        update: true,
        removals: Vec::new(),
        max_batch,
        idempotent: false,
        marker: None,
        create_done: false,
        figure: None,
    };
    let ability = |kind, reading, writing| Ability { kind, reading, writing, lookup: Some(Lookup { lag_seconds: 0 }) };
    // The shop takes the pieces of an order out of its figure when the order is placed.
    let figure = Some(StockFigure::Available);
    vec![
        ability(
            Kind::Category,
            // Terms have no time stamps and no free fields.
            Some(reading(false)),
            Some(Writing {
                create: true,
                removals: vec![Removal::Delete],
                ..writing(&["head", "texts:*", "media"], 1)
            }),
        ),
        ability(
            Kind::Product,
            Some(reading(true)),
            Some(Writing {
                create: true,
                removals: vec![Removal::Deactivate, Removal::Delete],
                marker: Some(128),
                ..writing(&["head", "texts:*", "media", "categories", "attributes", "grouping"], 10)
            }),
        ),
        ability(
            Kind::Stock,
            // Pieces that orders take do not show in a product's time stamp.
            Some(Reading { figure, present: false, ..reading(false) }),
            Some(Writing { figure, ..writing(&["stock:*"], 100) }),
        ),
        ability(
            Kind::Price,
            Some(Reading { present: false, ..reading(true) }),
            Some(writing(&["price:base:*", "price:special:*:1"], 100)),
        ),
        ability(Kind::Customer, Some(reading(false)), None),
        ability(Kind::Order, Some(reading(true)), None),
        ability(
            Kind::OrderEvent,
            None,
            Some(Writing {
                events: vec![
                    OrderHappening::Paid,
                    OrderHappening::Cancelled,
                    OrderHappening::Numbered,
                    OrderHappening::Completed,
                ],
                create: true,
                update: false,
                // Applying one again changes nothing.
                idempotent: true,
                ..writing(&[], 1)
            }),
        ),
        ability(
            Kind::Shipment,
            Some(Reading { present: false, ..reading(true) }),
            Some(Writing { create: true, update: false, marker: Some(128), idempotent: true, ..writing(&["*"], 1) }),
        ),
    ]
}

fn settings_schema() -> String {
    let defaults = Settings::default();
    let string = |title: &str, description: &str, default: &str| json!({"type": "string", "title": title, "description": description, "default": default});
    let choice = |title: &str, description: &str, values: &[&str]| json!({"type": "string", "title": title, "description": description, "enum": values, "default": values[0]});
    let number = |title: &str, description: &str, default: u32, least: u32, most: u32| {
        json!({"type": "integer", "title": title, "description": description, "default": default,
               "minimum": least, "maximum": most})
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "required": ["url"],
        "properties": {
            "url": {
                "type": "string", "format": "uri", "pattern": "^https?://[^/?#]+(/[^?#]*[^/?#])?$",
                "title": "Address of the shop",
                "description": "Without /wp-json and without a slash at the end, e.g. https://shop.example.com.",
            },
            "environment": choice("Live or test shop", "WooCommerce does not show which of the two a shop is.", &["live", "test"]),
            "language": string("Language", "Tag of the language of the shop's texts, e.g. de.", &defaults.language),
            "weight_unit": choice("Unit of weight", "As in WooCommerce under Settings, Products.", &["kg", "g", "lbs", "oz"]),
            "currency": string("Currency", "ISO code; empty to ask the shop.", ""),
            "prices": choice("Prices contain tax", "As in WooCommerce under Settings, Tax; ask: the shop says.", &["ask", "net", "gross"]),
            "country": string("Country", "ISO code of the country whose tax rates stand for a product's; empty to ask the shop.", ""),
            "zone": string("Time zone", "IANA name, e.g. Europe/Berlin; empty to ask the shop.", ""),
            "tax_classes": string("Tax classes", "Class by percentage, with commas between them, e.g. 19=standard, 7=reduced-rate; empty: by the tax rates of the shop.", ""),
            "number_meta": string("Field for the order number", "Meta key of an order that keeps the other side's number.", &defaults.number_meta),
            "tracking_meta": string("Field for tracking codes", "Meta key of an order that gets the tracking codes, for a plugin that shows them; empty for none.", &defaults.tracking_meta),
            "tracking_note": choice("Note about a shipment", "Who sees the order note with the tracking codes; customer: the shop sends a mail.", &["internal", "customer", "none"]),
            "pay_later": string("Pay later", "Payment methods by which the money comes after the goods, with commas between them.", &defaults.pay_later),
            "overlap_seconds": number("Overlap in seconds", "How late a change may show.", defaults.overlap_seconds, 2, 3600),
            "page_size": number("Records per request", "Less where the server is slow.", defaults.page_size, 1, 100),
        },
    })
    .to_string()
}

/// Whom the credentials reached.
///
/// # Errors
/// What the shop answers.
pub fn account(shop: &Shop<'_>) -> Result<Account, Error> {
    let money = shop.money()?.clone();
    let settings = &shop.settings;
    // Asked for here to see whether the key is taken: not all of the above is asked for where the settings say it.
    shop.rates()?;
    let zone = match filled(Some(&settings.zone)) {
        Some(zone) => zone,
        None => {
            let status: Value = shop.get("/system_status")?;
            let zone = filled(status["environment"]["timezone"].as_str());
            // A site may be set to a bare offset, which is no zone; all times of orders are read in GMT anyhow.
            zone.filter(|zone| zone.contains('/')).unwrap_or_else(|| "UTC".into())
        }
    };
    // A change of the scheme makes no other shop.
    let url = settings.url.trim_end_matches('/');
    let id = url.split_once("://").map_or(url, |(_, rest)| rest).to_lowercase();
    Ok(Account {
        name: id.clone(),
        id,
        environment: match settings.environment {
            settings::Environment::Live => Environment::Live,
            settings::Environment::Test => Environment::Test,
        },
        zone: zone.clone(),
        now: shop.clock().map(|now| now.to_string()),
        channels: vec![Channel {
            id: MAIN.into(),
            name: "WooCommerce".into(),
            currency: money.currency,
            basis: money.basis,
            languages: vec![settings.language.clone()],
            countries: filled(Some(&money.country)).into_iter().collect(),
            zone,
        }],
        warehouses: vec![Warehouse { id: MAIN.into(), name: "WooCommerce".into() }],
    })
}

#[cfg(test)]
mod tests;
