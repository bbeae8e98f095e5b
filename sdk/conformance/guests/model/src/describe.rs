//! What the connector asks for and can do, and whom it reached.

use serde_json::{Value, json};
use tradepost_sdk::connector::{
    Ability, Account, Channel, Credential, Description, Environment, Lookup, Origin, Rate, Reading, Scheme, Session,
    StockFigure, Warehouse, Writing,
};
use tradepost_sdk::records::Kind;
use tradepost_sdk::types::{Error, TaxBasis};
use tradepost_sdk::{platform, text};

use crate::api;
use crate::flaw::{self, breaks};

/// The only channel and the only warehouse.
pub(crate) const MAIN: &str = "main";

/// Everything the host needs to know.
pub(crate) fn description() -> Description {
    let about = if breaks("describe-is-pure") {
        text(&format!("Made at {}.", platform::now()), "")
    } else {
        text("The model shop of the conformance suite.", "Der Modellshop der Konformitätsprüfung.")
    };
    Description {
        id: "org.tradepost.model".into(),
        version: flaw::version(),
        name: text("Model shop", "Modellshop"),
        vendor: "Tradepost".into(),
        about,
        id_space: if breaks("identity-stays") { "model-2" } else { "model" }.into(),
        mapping_revision: 1,
        storage_version: 1,
        abilities: abilities(),
        settings_schema: schema(),
        origins: vec![Origin {
            scheme: "https".into(),
            host: "{url}".into(),
            port: None,
            why: text("The shop's interface.", "Schnittstelle des Shops."),
        }],
        credentials: vec![Credential {
            name: "login".into(),
            title: text("User of the interface", "Benutzer der Schnittstelle"),
            scheme: Scheme::Session(Session {
                method: "POST".into(),
                url: "{url}/login".into(),
                body: r#"{"user":"{username}","password":"{password}"}"#.into(),
                media_type: "application/json".into(),
                token_at: "/token".into(),
                header: "authorization".into(),
                prefix: "Bearer ".into(),
                seconds: Some(3600),
            }),
            origins: vec![0],
            required: true,
        }],
        rates: vec![Rate {
            name: "api".into(),
            per_second: "1000".into(),
            burst: 1000,
            concurrent: None,
            remaining_header: None,
        }],
        files: false,
    }
}

fn abilities() -> Vec<Ability> {
    let reading = Some(Reading { changes: true, ids: true, present: true, writes: false, figure: None });
    let writing = |facets: &[&str]| Writing {
        facets: facets.iter().map(|&facet| facet.into()).collect(),
        events: Vec::new(),
        create: false,
        update: true,
        removals: Vec::new(),
        max_batch: 100,
        idempotent: true,
        marker: None,
        create_done: false,
        figure: None,
    };
    let ability = |kind, reading, writing, lookup| Ability { kind, reading, writing, lookup };
    let figure = Some(StockFigure::Available);
    let mut all = vec![
        ability(
            Kind::Product,
            reading,
            Some(Writing { create: true, marker: Some(128), ..writing(&["head", "texts:*", "grouping"]) }),
            Some(Lookup { lag_seconds: 0 }),
        ),
        ability(
            Kind::Stock,
            reading.map(|reading| Reading { figure, ..reading }),
            Some(Writing { figure, ..writing(&["stock:*"]) }),
            None,
        ),
        ability(Kind::Price, reading, Some(writing(&["price:base:*"])), None),
        ability(Kind::Order, reading, None, None),
    ];
    if breaks("declared-kinds-are-read") {
        all.push(ability(Kind::Customer, reading, None, None));
    }
    if breaks("declared-kinds-are-written") || breaks("declared-kinds-are-written:not-found") {
        all.push(ability(Kind::Customer, None, Some(Writing { create: true, ..writing(&["*"]) }), None));
    }
    all
}

fn schema() -> String {
    let language = if breaks("settings-schema") { "English" } else { "en" };
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "required": ["url"],
        "properties": {
            "url": {"type": "string", "format": "uri", "title": "Address of the shop", "description": "Without a path."},
            "language": {"type": "string", "title": "Language", "description": "Of the shop's texts.",
                         "enum": ["en", "de"], "default": language},
            "flaw": {"type": "string", "title": "Flaw", "description": "The rule to break.", "default": ""},
        },
    });
    if breaks("settings-stay-compatible:shorter") {
        schema["properties"]["url"]["maxLength"] = json!(200);
    }
    if breaks("settings-stay-compatible") {
        schema["properties"]["branch"] =
            json!({"type": "string", "title": "Branch", "description": "Which branch of the shop."});
        schema["required"] = json!(["url", "branch"]);
    }
    schema.to_string()
}

/// Whom the credentials reached.
///
/// # Errors
/// What the shop answers.
pub(crate) fn account() -> Result<Account, Error> {
    let shop = api::get("/account").map_err(|error| match error {
        Error::Auth(words) if breaks("check-explains-refused-credentials") => {
            Error::Auth(json!({"code": 401, "message": words}).to_string())
        }
        Error::Unavailable(_) if breaks("check-explains-an-unreachable-platform") => {
            Error::Bug("called `Option::unwrap()` on a `None` value".into())
        }
        error => error,
    })?;
    let word = |name: &str| shop[name].as_str().unwrap_or_default().to_owned();
    let zone = word("zone");
    Ok(Account {
        id: if breaks("check-reaches-the-account") { word("now") } else { word("id") },
        name: word("name"),
        environment: if shop["test"] == Value::Bool(true) { Environment::Test } else { Environment::Live },
        now: shop["now"].as_str().map(str::to_owned),
        channels: vec![Channel {
            id: MAIN.into(),
            name: word("name"),
            currency: word("currency"),
            basis: TaxBasis::Gross,
            languages: vec![word("language")],
            countries: vec![word("country")],
            zone: zone.clone(),
        }],
        warehouses: vec![Warehouse { id: MAIN.into(), name: word("name") }],
        zone,
    })
}
