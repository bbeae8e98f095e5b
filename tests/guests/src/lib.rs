//! A connector that behaves well or badly, as its setting `behaviour` says: one bad deed per fence of the host.

mod deeds;
mod door;

use std::hint::black_box;

use serde_json::json;
use tradepost_sdk::connector::{
    Ability, Account, Channel, Credential, Description, Environment, Lookup, Origin, Rate, Reading, Scheme,
    StockFigure, Warehouse, Writing,
};
use tradepost_sdk::records::{Kind, Records, Removal};
use tradepost_sdk::source::{Page, PullRequest};
use tradepost_sdk::target::{Doomed, Found, Probe};
use tradepost_sdk::types::{Error, Field, TaxBasis};
use tradepost_sdk::{Connector, Source, Target, platform, report, storage, text};

/// The guest.
pub struct Guest;

/// What tests write into the finished file to make builds that differ: `variant=NAME;version=1.0.0;` and dots. A variant
/// is something that a connector does whatever its settings say.
static VARIANT: [u8; 96] =
    *b"tradepost-guest variant=good;version=;..........................................................";

/// A part of [`VARIANT`].
fn variant(name: &str) -> String {
    // Without it the compiler would read the text now and not later.
    let text = String::from_utf8_lossy(black_box(&VARIANT)).into_owned();
    let found = text.split([' ', ';']).find_map(|part| part.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
    found.unwrap_or_default()
}

/// What the setting `behaviour` says; a build that is broken traps whatever it says.
fn behaviour() -> String {
    if variant("variant") == "traps" {
        return "trap".into();
    }
    let settings: serde_json::Value = serde_json::from_str(&platform::settings()).unwrap_or_default();
    settings["behaviour"].as_str().unwrap_or_default().to_owned()
}

impl Connector for Guest {
    /// Whatever they are: they are read by hand.
    type Settings = ();

    fn describe() -> Description {
        let variant = variant("variant");
        match variant.as_str() {
            "traps-describing" => panic!("a trap in describe"),
            "loops-describing" => loop {
                black_box(());
            },
            _ => {}
        }
        // Nothing is lent here; a refusal must not stop the description.
        let refused = storage::get("x").is_err() && deeds::network().is_err();
        Description {
            id: if variant == "other-id" { "org.tradepost.stranger" } else { "org.tradepost.guest" }.into(),
            version: Some(self::variant("version")).filter(|v| !v.is_empty()).unwrap_or_else(|| "0.1.0".into()),
            name: text("Guest", "Gast"),
            vendor: if refused { "Tradepost".into() } else { "powers while describing".into() },
            about: text(&format!("clock {}", platform::now()), ""),
            id_space: "guest".into(),
            mapping_revision: 1,
            storage_version: 1,
            abilities: vec![Ability {
                kind: Kind::Stock,
                reading: Some(Reading {
                    changes: true,
                    ids: true,
                    present: true,
                    writes: false,
                    figure: Some(StockFigure::OnHand),
                }),
                writing: Some(Writing {
                    facets: vec!["stock:*".into()],
                    events: Vec::new(),
                    create: false,
                    update: true,
                    removals: vec![Removal::Deactivate],
                    max_batch: 50,
                    idempotent: true,
                    marker: None,
                    create_done: false,
                    figure: Some(StockFigure::OnHand),
                }),
                lookup: Some(Lookup { lag_seconds: 0 }),
            }],
            settings_schema: json!({
                "type": "object",
                "properties": {
                    "behaviour": { "type": "string", "default": "good" },
                    "shop": { "type": "string", "default": "http://shop.example:8080" },
                    "partner": { "type": "string", "default": "http://partner.example" },
                    "urls": { "type": "array", "items": { "type": "string" } },
                    "credential": { "type": "array", "items": { "type": "string" } }
                }
            })
            .to_string(),
            origins: {
                let origin = |host: &str| Origin {
                    scheme: "http".into(),
                    host: host.into(),
                    port: None,
                    why: text("the shop", "der Shop"),
                };
                let more = (variant == "powers").then(|| origin("collector.example"));
                [origin("shop.example"), origin("{shop}"), origin("{partner}")].into_iter().chain(more).collect()
            },
            credentials: vec![Credential {
                name: "key".into(),
                title: text("Key", "Schlüssel"),
                scheme: Scheme::Bearer,
                origins: vec![1],
                required: false,
            }],
            // What names no rate goes by the first one, which holds nobody up.
            rates: vec![Rate::new("any", "1000"), Rate::new("slow", "0.01")],
            files: true,
        }
    }

    fn open((): ()) -> Result<Self, Error> {
        Ok(Self)
    }

    fn check(&self) -> Result<Account, Error> {
        if behaviour() == "trap" {
            panic!("a trap in check");
        }
        Ok(Account {
            id: "guest-1".into(),
            name: behaviour(),
            environment: Environment::Test,
            zone: "UTC".into(),
            now: Some(platform::now()),
            channels: vec![Channel {
                id: "main".into(),
                name: "Main".into(),
                currency: "EUR".into(),
                basis: TaxBasis::Gross,
                languages: vec!["en".into()],
                countries: vec!["DE".into()],
                zone: "UTC".into(),
            }],
            warehouses: vec![Warehouse { id: "main".into(), name: "Main".into() }],
        })
    }
}

impl Source for Guest {
    fn pull(&self, request: PullRequest) -> Result<Page, Error> {
        deeds::pull(&behaviour(), &request)
    }

    fn acknowledge(&self, _kind: Kind, receipt: String) -> Result<(), Error> {
        deeds::acknowledge(&behaviour(), &receipt)
    }
}

impl Target for Guest {
    fn push(&self, batch: Records) -> Result<(), Error> {
        let Records::Stock(levels) = batch else { return Err(Error::Unsupported("only stock".into())) };
        deeds::push(&behaviour(), levels)
    }

    fn remove(&self, _kind: Kind, items: Vec<Doomed>, _how: Removal) -> Result<(), Error> {
        if behaviour() == "trap" {
            panic!("a trap in remove");
        }
        for item in items {
            report::settle(&item.item, &tradepost_sdk::outcomes::Outcome::Unchanged(item.remote));
        }
        Ok(())
    }

    fn find(&self, _kind: Kind, probes: Vec<Probe>) -> Result<Vec<Vec<Found>>, Error> {
        let key = |probe: &Probe| probe.keys.iter().find(|Field { name, .. }| name == "sku").map(|f| f.value.clone());
        let found = |probe: &Probe| match key(probe) {
            Some(sku) if sku.starts_with("SKU-") => vec![deeds::found(&sku)],
            _ => Vec::new(),
        };
        if behaviour() == "trap" {
            panic!("a trap in find");
        }
        if behaviour() == "short answer" {
            return Ok(Vec::new());
        }
        Ok(probes.iter().map(found).collect())
    }
}

tradepost_sdk::export!(Guest: Source + Target);
