//! What the connector asks for and can do, and whom it reached.

use serde_json::json;
use tradepost_sdk::connector::{
    Ability, Account, Channel, Credential, Description, Environment, Lookup, OrderHappening, Origin, Rate, Reading,
    Scheme, Session, StockFigure, Warehouse, Writing,
};
use tradepost_sdk::records::{Kind, Removal};
use tradepost_sdk::text;
use tradepost_sdk::types::Error;

use crate::api::Shop;
use crate::map::{language_code, language_tag};
use crate::settings;

const LOGIN: &str = r#"{"query":"mutation($username:String!,$password:String!){login(username:$username,password:$password,rememberMe:true){__typename}}","variables":{"username":"{username}","password":"{password}"}}"#;

/// Everything the host needs to know.
#[must_use]
pub fn description() -> Description {
    Description {
        id: "eu.tradepost.vendure".into(),
        version: option_env!("TRADEPOST_CONNECTOR_VERSION").unwrap_or(env!("CARGO_PKG_VERSION")).into(),
        name: text("Vendure", "Vendure"),
        vendor: "Tradepost".into(),
        about: text(
            "Shops that run on Vendure, over the Admin GraphQL API.",
            "Shops auf Vendure, über die Admin-GraphQL-Schnittstelle.",
        ),
        id_space: "vendure".into(),
        mapping_revision: 1,
        storage_version: 1,
        abilities: abilities(),
        settings_schema: settings_schema(),
        origins: vec![Origin {
            // The setting says both scheme and port.
            scheme: "https".into(),
            host: "{url}".into(),
            port: None,
            why: text("The shop's API and its pictures.", "Schnittstelle und Bilder des Shops."),
        }],
        credentials: vec![
            Credential {
                name: "login".into(),
                title: text("Log-in of an administrator", "Anmeldung eines Administrators"),
                scheme: Scheme::Session(Session {
                    method: "POST".into(),
                    url: "{url}/admin-api".into(),
                    body: LOGIN.into(),
                    media_type: "application/json".into(),
                    token_at: "header:vendure-auth-token".into(),
                    header: "authorization".into(),
                    prefix: "Bearer ".into(),
                    seconds: Some(3600),
                }),
                origins: vec![0],
                required: false,
            },
            Credential {
                name: "key".into(),
                title: text("API key", "API-Schlüssel"),
                scheme: Scheme::Header("vendure-api-key".into()),
                origins: vec![0],
                required: false,
            },
        ],
        rates: vec![Rate {
            name: "api".into(),
            per_second: "50".into(),
            burst: 50,
            concurrent: Some(4),
            remaining_header: None,
        }],
        files: false,
    }
}

fn abilities() -> Vec<Ability> {
    let reading = |changes, present| Reading { changes, ids: true, present, writes: false, figure: None };
    let writing = |facets: &[&str], create, removals: &[Removal], max_batch| Writing {
        facets: facets.iter().map(|&facet| facet.into()).collect(),
        events: Vec::new(),
        create,
        update: true,
        removals: removals.to_vec(),
        max_batch,
        idempotent: false,
        marker: None,
        create_done: false,
        figure: None,
    };
    // Every query reads the database itself.
    let at_once = Some(Lookup { lag_seconds: 0 });
    let on_hand = Some(StockFigure::OnHand);
    let ability = |kind, reading, writing| Ability { kind, reading, writing, lookup: at_once };
    let both = [Removal::Deactivate, Removal::Delete];
    vec![
        ability(Kind::Category, Some(reading(true, true)), Some(writing(&["head", "texts:*"], true, &both, 1))),
        ability(
            Kind::Product,
            Some(reading(true, true)),
            Some(writing(&["head", "texts:*", "media", "categories", "grouping"], true, &both, 1)),
        ),
        ability(
            Kind::Stock,
            Some(Reading { figure: on_hand, ..reading(false, true) }),
            Some(Writing { figure: on_hand, ..writing(&["stock:*"], false, &[], 100) }),
        ),
        ability(Kind::Price, Some(reading(true, true)), Some(writing(&["price:base:*"], false, &[], 100))),
        ability(
            Kind::Customer,
            Some(reading(true, true)),
            Some(writing(&["head", "addresses"], true, &[Removal::Delete], 1)),
        ),
        ability(Kind::Order, Some(reading(true, true)), None),
        ability(
            Kind::OrderEvent,
            None,
            Some(Writing {
                events: vec![
                    OrderHappening::Paid,
                    OrderHappening::Cancelled,
                    OrderHappening::Refunded,
                    OrderHappening::Numbered,
                    OrderHappening::Completed,
                ],
                update: false,
                ..writing(&[], true, &[], 1)
            }),
        ),
        ability(
            Kind::Shipment,
            Some(reading(true, false)),
            Some(Writing { update: false, ..writing(&["*"], true, &[], 1) }),
        ),
    ]
}

fn settings_schema() -> String {
    let defaults = settings::Settings::default();
    let string = |title: &str, description: &str, default: &str| json!({"type": "string", "title": title, "description": description, "default": default});
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
                "title": "Address of the server",
                "description": "Without /admin-api and without a slash at the end, e.g. https://shop.example.com. \
                                Pictures must be served from the same host.",
            },
            "credential": {
                "type": "string", "enum": ["login", "key"], "default": "login", "title": "Sign in with",
                "description": "The log-in of an administrator, or an API key (Vendure 3.5 or newer).",
            },
            "channel_token": string("Channel token", "Empty for the default channel. One platform is one channel.", ""),
            "environment": {
                "type": "string", "enum": ["live", "test"], "default": "live", "title": "Live or test shop",
                "description": "Vendure does not show which of the two a server is.",
            },
            "zone": string("Time zone", "IANA name of the shop's time zone, e.g. Europe/Berlin.", &defaults.zone),
            "language": string("Language", "Tag of the language in which objects are made; empty for the channel's default.", ""),
            "stock_location": string("Stock location", "Id of the location for stock of a warehouse called main; empty for the first one.", ""),
            "fulfilment_handler": string("Fulfilment handler", "Code of the handler that takes shipments; it gets the arguments method and trackingCode.", &defaults.fulfilment_handler),
            "fulfilment_method": string("Delivery method", "Method of a parcel whose carrier is not known.", &defaults.fulfilment_method),
            "number_note": string("Words before the order number", "The other side's order number is kept as a private note of the order that begins with these words.", &defaults.number_note),
            "manufacturer_facet": string("Facet of the manufacturer", "Code of the facet whose value is a product's manufacturer, e.g. brand; empty for none.", ""),
            "reread_days": number("Days to look back for orders", "Payments and fulfilments do not show in an order's time stamp: orders placed within so many days are looked at in every pull.", defaults.reread_days, 1, 365),
            "overlap_seconds": number("Overlap in seconds", "How late a change may show: time stamps are cut to seconds and taken before the commit.", defaults.overlap_seconds, 2, 3600),
            "page_size": number("Records per request", "Less where the server is slow; at most what its adminListQueryLimit allows less ten.", defaults.page_size, 1, 900),
        },
    })
    .to_string()
}

/// Whom the credentials reached.
///
/// # Errors
/// What the shop answers; `rejected` when the chosen stock location or fulfilment handler is not there.
pub fn account(shop: &Shop<'_>) -> Result<Account, Error> {
    const HANDLERS: &str = "query{fulfillmentHandlers{code}}";
    let context = shop.context()?;
    let reply = shop.query(HANDLERS, json!({}))?;
    let handler = &shop.settings.fulfilment_handler;
    let known: Vec<&str> = reply.data["fulfillmentHandlers"]
        .as_array()
        .map(|all| all.iter().filter_map(|one| one["code"].as_str()).collect())
        .unwrap_or_default();
    if !known.contains(&handler.as_str()) {
        return Err(tradepost_sdk::rejected(
            "fulfilment-handler",
            format!("the shop has no fulfilment handler `{handler}`; it has {}", known.join(", ")),
        ));
    }
    let channel = &context.channel;
    let name = match &channel.seller {
        Some(seller) if channel.is_default() => format!("{} ({})", shop.settings.url, seller.name),
        _ => format!("{} ({})", shop.settings.url, channel.code),
    };
    let mut languages = vec![language_tag(&channel.default_language_code)];
    for code in channel.available_language_codes.iter().flatten() {
        let tag = language_tag(code);
        if !languages.contains(&tag) {
            languages.push(tag);
        }
    }
    let countries = channel.default_shipping_zone.iter().flat_map(|zone| &zone.members);
    Ok(Account {
        // Channels are numbered alike in every shop; the second in which one was made is not.
        id: format!("{}@{}", channel.id, channel.created_at),
        name,
        environment: match shop.settings.environment {
            settings::Environment::Live => Environment::Live,
            settings::Environment::Test => Environment::Test,
        },
        zone: shop.settings.zone.clone(),
        now: reply.at.map(|at| at.to_string()),
        channels: vec![Channel {
            id: channel.id.clone(),
            name: channel.code.clone(),
            currency: context.currency.code.clone(),
            basis: channel.basis(),
            languages,
            countries: countries.map(|country| country.code.to_uppercase()).collect(),
            zone: shop.settings.zone.clone(),
        }],
        warehouses: context
            .locations
            .iter()
            .map(|location| Warehouse { id: location.id.clone(), name: location.name.clone() })
            .collect(),
    })
}

/// The language in which objects are made, in Vendure's words.
///
/// # Errors
/// Those of [`Shop::context`].
pub fn language(shop: &Shop<'_>) -> Result<String, Error> {
    Ok(match shop.settings.language.as_str() {
        "" => shop.context()?.channel.default_language_code.clone(),
        chosen => language_code(chosen),
    })
}
