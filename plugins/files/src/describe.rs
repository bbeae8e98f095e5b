//! What the connector asks for and can do, and what it finds in the folder.

use serde_json::{Map, Value, json};
use tradepost_sdk::connector::{
    Ability, Account, Channel, Description, Environment as AccountEnvironment, Lookup, OrderHappening, Reading,
    StockFigure, Warehouse, Writing,
};
use tradepost_sdk::records::Kind;
use tradepost_sdk::report::Level;
use tradepost_sdk::text;
use tradepost_sdk::types::Error;

use crate::host::Folder;
use crate::inbox::{DONE, FAILED, INBOX, OUTBOX, left_lying};
use crate::map::{self, CHANNEL};
use crate::outbox::MARKER;
use crate::settings::{Environment, Settings};

pub(crate) fn describe() -> Description {
    Description {
        id: "eu.tradepost.files".into(),
        version: option_env!("TRADEPOST_CONNECTOR_VERSION").unwrap_or(env!("CARGO_PKG_VERSION")).into(),
        name: text("Files", "Dateien"),
        vendor: "Tradepost".into(),
        about: text(
            "ERPs without an API: CSV and JSON files in an exchange folder.",
            "Warenwirtschaften ohne Schnittstelle: CSV- und JSON-Dateien in einem Austauschordner.",
        ),
        id_space: "files".into(),
        mapping_revision: 1,
        storage_version: 1,
        abilities: abilities(),
        settings_schema: schema(),
        origins: Vec::new(),
        credentials: Vec::new(),
        rates: Vec::new(),
        files: true,
    }
}

fn abilities() -> Vec<Ability> {
    // Files hold what the ERP chose to say: there is neither a list of all nor a way to ask for one.
    let read = |figure| Some(Reading { changes: true, ids: false, present: false, writes: false, figure });
    let write = |facets: &[&str], events: &[OrderHappening], update| {
        Some(Writing {
            facets: facets.iter().map(|facet| (*facet).to_owned()).collect(),
            events: events.to_vec(),
            create: true,
            update,
            removals: Vec::new(),
            max_batch: 1,
            idempotent: true,
            marker: Some(MARKER),
            create_done: false,
            figure: None,
        })
    };
    let found = Some(Lookup { lag_seconds: 0 });
    let ability = |kind, reading, writing, lookup| Ability { kind, reading, writing, lookup };
    let later = [OrderHappening::Paid, OrderHappening::Cancelled, OrderHappening::Refunded, OrderHappening::Completed];
    vec![
        ability(Kind::Category, read(None), None, None),
        ability(Kind::Product, read(None), None, None),
        ability(Kind::Stock, read(Some(StockFigure::OnHand)), None, None),
        ability(Kind::Price, read(None), None, None),
        ability(Kind::Customer, read(None), write(&["head", "addresses"], &[], true), found),
        ability(Kind::Order, read(None), write(&["placed"], &[OrderHappening::Placed], false), found),
        ability(Kind::OrderEvent, None, write(&["event"], &later, false), found),
        ability(Kind::Shipment, read(None), None, None),
    ]
}

fn schema() -> String {
    let defaults = Settings::default();
    let mut properties = Map::new();
    let mut put = |name: &str, title: &str, description: &str, rest: Value| {
        let mut property = json!({"type": "string", "title": title, "description": description});
        if let (Value::Object(property), Value::Object(rest)) = (&mut property, rest) {
            property.extend(rest);
        }
        properties.insert(name.to_owned(), property);
    };
    put(
        "account",
        "Name of the ERP",
        "Another name is taken for another ERP.",
        json!({"default": defaults.account, "minLength": 1}),
    );
    put(
        "environment",
        "Live or test",
        "Files do not show which of the two an ERP is.",
        json!({"enum": ["live", "test"], "default": "live"}),
    );
    put(
        "zone",
        "Time zone",
        "IANA name of the zone of times in files, e.g. Europe/Berlin.",
        json!({"default": defaults.zone}),
    );
    put(
        "currency",
        "Currency",
        "Of prices whose line names none.",
        json!({"default": defaults.currency, "pattern": "^[A-Z]{3}$"}),
    );
    put(
        "basis",
        "Prices are",
        "Of prices whose line does not say.",
        json!({"enum": ["net", "gross"], "default": "net"}),
    );
    put(
        "language",
        "Language",
        "Tag of the language of names and descriptions, e.g. de.",
        json!({"default": defaults.language, "minLength": 2}),
    );
    put(
        "country",
        "Country",
        "Two letters, for addresses that name none; empty: every address has to.",
        json!({"default": "", "pattern": "^([A-Z]{2})?$"}),
    );
    put(
        "warehouses",
        "Warehouses",
        "Ids as the stock files name them, separated by commas.",
        json!({"default": defaults.warehouses, "minLength": 1}),
    );
    put(
        "encoding",
        "Encoding of CSV",
        "A byte order mark in a file says UTF-8 whatever is set here.",
        json!({"enum": ["utf-8", "windows-1252"], "default": "utf-8"}),
    );
    put("delimiter", "Delimiter of CSV", "One character, or the word tab.", json!({"default": defaults.delimiter}));
    put("decimal", "Decimal sign", "Of numbers in files.", json!({"enum": [".", ","], "default": "."}));
    put(
        "date_formats",
        "Forms of dates and times",
        "As in strftime, several separated by |, e.g. %d.%m.%Y %H:%M | %d.%m.%Y. Times with an offset (RFC 3339) are always understood.",
        json!({"default": defaults.date_formats}),
    );
    put(
        "list_separator",
        "Separator in lists",
        "Between several categories or pictures in one cell.",
        json!({"default": defaults.list_separator, "minLength": 1}),
    );
    put("texts", "Descriptions are", "Plain text or HTML.", json!({"enum": ["text", "html"], "default": "text"}));
    put(
        "settle_seconds",
        "Seconds of rest",
        "A file that was written to within so many seconds is left for the next pull. 0 where the ERP renames finished files.",
        json!({"type": "integer", "default": defaults.settle_seconds, "minimum": 0, "maximum": 3600}),
    );
    put(
        "export_seconds",
        "Seconds an export takes",
        "Stock figures are taken to be so much older than their file.",
        json!({"type": "integer", "default": defaults.export_seconds, "minimum": 0, "maximum": 86400}),
    );
    put(
        "order_format",
        "Orders are written as",
        "JSON, or CSV with one line per line of the order.",
        json!({"enum": ["json", "csv"], "default": "json"}),
    );
    for (kind, name, title, files) in [
        (Kind::Category, "category", "categories", &defaults.category_files),
        (Kind::Product, "product", "products", &defaults.product_files),
        (Kind::Price, "price", "prices", &defaults.price_files),
        (Kind::Stock, "stock", "stock", &defaults.stock_files),
        (Kind::Customer, "customer", "customers", &defaults.customer_files),
        (Kind::Order, "order", "numbers of orders", &defaults.order_files),
        (Kind::Shipment, "shipment", "shipments", &defaults.shipment_files),
    ] {
        put(
            &format!("{name}_files"),
            &format!("Files of {title}"),
            "Names without ending, separated by commas; * stands for any text. Empty: none.",
            json!({"default": files}),
        );
        let columns = map::columns(kind).0.join(", ");
        put(
            &format!("{name}_columns"),
            &format!("Columns of {title}"),
            &format!("Where the file names them otherwise: sku=Article no.; name=Title. Columns: {columns}."),
            json!({"default": ""}),
        );
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
    .to_string()
}

/// Whether the folder is there. Files that no kind would read are named in the log.
pub(crate) fn check(folder: &Folder<'_>) -> Result<Account, Error> {
    for place in [OUTBOX, DONE, FAILED] {
        folder.host.entries(place)?;
    }
    for entry in folder.host.entries(INBOX)?.iter().filter(|entry| !entry.folder) {
        if let Some(why) = left_lying(folder, &entry.name) {
            folder.host.log(Level::Warn, &format!("`{}` is left in the inbox: {why}", entry.name));
        }
    }
    let settings = &folder.setup.settings;
    let warehouses = settings.warehouses.split(',').map(str::trim).filter(|id| !id.is_empty());
    Ok(Account {
        id: settings.account.clone(),
        name: settings.account.clone(),
        environment: match settings.environment {
            Environment::Live => AccountEnvironment::Live,
            Environment::Test => AccountEnvironment::Test,
        },
        zone: settings.zone.clone(),
        now: None,
        channels: vec![Channel {
            id: CHANNEL.into(),
            name: settings.account.clone(),
            currency: settings.currency.clone(),
            basis: settings.basis.into(),
            languages: vec![settings.language.clone()],
            countries: Vec::new(),
            zone: settings.zone.clone(),
        }],
        warehouses: warehouses.map(|id| Warehouse { id: id.to_owned(), name: id.to_owned() }).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_every_setting_and_its_default() {
        let schema: Value = serde_json::from_str(&describe().settings_schema).unwrap();
        let defaults: Map<String, Value> = schema["properties"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, property)| (name.clone(), property["default"].clone()))
            .collect();
        // Unknown names are refused, wrong types too.
        let read: Settings = serde_json::from_value(Value::Object(defaults.clone())).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", Settings::default()));
        let fields = format!("{read:?}").matches(": ").count();
        assert_eq!(defaults.len(), fields, "a setting is missing in the schema");
        assert!(describe().settings_schema.len() < 64 * 1024);
        crate::settings::Setup::new(read).unwrap();
    }
}
