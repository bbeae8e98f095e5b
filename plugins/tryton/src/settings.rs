//! What the operator sets, and its JSON Schema.

use serde::Deserialize;
use serde_json::{Value, json};

/// The settings of one platform. Empty texts mean "find out".
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Settings {
    /// Address with the database, e.g. `https://erp.example.com/company`.
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) company: Option<u64>,
    #[serde(default)]
    pub(crate) environment: Environment,
    #[serde(default)]
    pub(crate) zone: String,
    #[serde(default)]
    pub(crate) warehouses: String,
    #[serde(default)]
    pub(crate) special_price_list: String,
    #[serde(default)]
    pub(crate) services: bool,
    #[serde(default)]
    pub(crate) description_format: Format,
    #[serde(default)]
    pub(crate) order_state: Goal,
    #[serde(default)]
    pub(crate) payment_term: String,
    #[serde(default)]
    pub(crate) carrier: String,
    #[serde(default)]
    pub(crate) shipping_product: String,
    #[serde(default)]
    pub(crate) discount_product: String,
    #[serde(default)]
    pub(crate) unit: String,
    #[serde(default = "overlap")]
    pub(crate) overlap_seconds: u32,
}

/// Whether orders here cost money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Environment {
    #[default]
    Live,
    Test,
}

/// What is written into a product's description.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    #[default]
    Text,
    Html,
}

/// How far a new sale is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Goal {
    Draft,
    Quotation,
    #[default]
    Confirmed,
}

/// Longer than any transaction of the server is expected to run: a row carries the time its transaction began, and is
/// seen only when it ends.
fn overlap() -> u32 {
    120
}

/// The schema shown and checked by the host.
pub(crate) fn schema() -> Value {
    let text = |title: &str, description: &str| json!({"type": "string", "title": title, "description": description, "default": ""});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "required": ["url"],
        "properties": {
            "url": {"type": "string", "format": "uri", "pattern": "^https?://[^/?#]+/[^/?#]+/?$", "title": "Address",
                "description": "Server and database, e.g. https://erp.example.com/company"},
            "company": {"type": "integer", "minimum": 1, "title": "Company",
                "description": "Id of the company; only needed where the database has several"},
            "environment": {"type": "string", "enum": ["live", "test"], "default": "live", "title": "Environment",
                "description": "Tryton does not tell a test system from a live one"},
            "zone": text("Time zone", "IANA name; empty: the company's, else UTC"),
            "warehouses": text("Warehouses", "Codes or names whose stock is read, separated by commas; empty: all"),
            "special_price_list": text("Special price list", "Name of the price list with special prices; empty: none"),
            "services": {"type": "boolean", "default": false, "title": "Services",
                "description": "Read products of type service too"},
            "description_format": {"type": "string", "enum": ["text", "html"], "default": "text",
                "title": "Descriptions", "description": "Descriptions are kept in Tryton as plain text or as HTML"},
            "order_state": {"type": "string", "enum": ["draft", "quotation", "confirmed"], "default": "confirmed",
                "title": "New sales", "description": "How far a new sale is taken"},
            "payment_term": text("Payment term", "Name for new sales; empty: Tryton's default"),
            "carrier": text("Carrier", "Name of the carrier for deliveries that name none; empty: the only one there is"),
            "shipping_product": text("Shipping product", "Code for shipping lines; empty: the carrier's product"),
            "discount_product": text("Discount product", "Code for discount lines; empty: lines without product"),
            "unit": text("Unit", "Name or symbol of the unit for new products; empty: Unit"),
            "overlap_seconds": {"type": "integer", "minimum": 0, "maximum": 86400, "default": overlap(),
                "title": "Overlap", "description": "Changes are read again for so many seconds before the last reading"},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_and_the_type_know_the_same_names() {
        let schema = schema();
        let properties = schema["properties"].as_object().unwrap();
        let mut filled = serde_json::Map::new();
        for (name, property) in properties {
            if let Some(default) = property.get("default") {
                filled.insert(name.clone(), default.clone());
            }
        }
        filled.insert("url".into(), json!("https://erp.example.com/company"));
        let settings: Settings = serde_json::from_value(Value::Object(filled)).unwrap();
        assert_eq!(settings.overlap_seconds, 120);
        assert_eq!(settings.order_state, Goal::Confirmed);
        let shown = format!("{settings:?}");
        for name in properties.keys() {
            assert!(shown.contains(&format!("{name}: ")), "{name} is in the schema only");
        }
        assert_eq!(shown.matches(": ").count(), properties.len(), "a setting is missing in the schema: {shown}");
    }
}
