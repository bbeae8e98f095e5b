//! What there is to enter, as the host understands it.

use serde_json::{Map, Value, json};

use super::value::Choice;
use crate::Caption;
use crate::connector::{Origin, Scheme};

/// All settings, secrets and addresses of a connector.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::settings::{Form, Property};
///
/// let form = Form::new().property(Property::text("language").title("Language").default("en"));
/// assert_eq!(
///     form.schema(),
///     r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","additionalProperties":false,"properties":{"language":{"default":"en","title":"Language","type":"string"}},"required":[],"type":"object"}"#
/// );
/// ```
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// What has a value that the connector sees.
    pub properties: Vec<Property>,
    /// What the host alone sees.
    pub secrets: Vec<SecretField>,
    /// Where the settings lead to.
    pub origins: Vec<Origin>,
}

impl Form {
    /// Nothing to enter.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a setting.
    #[must_use]
    pub fn property(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }

    /// Adds a secret.
    #[must_use]
    pub fn secret(mut self, secret: SecretField) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds an address to which requests go.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origins.push(origin);
        self
    }

    /// The JSON Schema of the settings.
    #[must_use]
    pub fn schema(&self) -> String {
        let required: Vec<&str> = self.properties.iter().filter(|one| one.is_required()).map(|one| one.name).collect();
        let properties: Map<String, Value> =
            self.properties.iter().map(|one| (one.name.to_owned(), one.schema())).collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "required": required,
            "properties": properties,
        })
        .to_string()
    }
}

/// One setting.
///
/// ```
/// use tradepost_sdk::settings::Property;
///
/// let property = Property::integer("page_size").title("Records per request").default(50).min(1).max(250);
/// assert!(!property.is_required());
/// assert_eq!(property.schema()["maximum"], 250);
/// ```
#[derive(Debug, Clone)]
pub struct Property {
    /// As it is written in configurations.
    pub name: &'static str,
    /// `string`, `integer` or `boolean`.
    pub(super) of: &'static str,
    title: String,
    help: String,
    pub(super) default: Option<Value>,
    pub(super) min: Option<i64>,
    pub(super) max: Option<i64>,
    pub(super) pattern: Option<&'static str>,
    pub(super) url: bool,
    optional: bool,
    /// Names and explanations.
    pub(super) choices: &'static [(&'static str, &'static str)],
}

impl Property {
    fn new(name: &'static str, of: &'static str) -> Self {
        Self {
            name,
            of,
            title: String::new(),
            help: String::new(),
            default: None,
            min: None,
            max: None,
            pattern: None,
            url: false,
            optional: false,
            choices: &[],
        }
    }

    /// A text.
    #[must_use]
    pub fn text(name: &'static str) -> Self {
        Self::new(name, "string")
    }

    /// A whole number.
    #[must_use]
    pub fn integer(name: &'static str) -> Self {
        Self::new(name, "integer")
    }

    /// Yes or no.
    #[must_use]
    pub fn boolean(name: &'static str) -> Self {
        Self::new(name, "boolean")
    }

    /// One of several names.
    #[must_use]
    pub fn choice<C: Choice>(name: &'static str) -> Self {
        Self { choices: C::CHOICES, ..Self::new(name, "string") }
    }

    /// What stands beside it.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        self.title = title.into();
        self
    }

    /// What explains it.
    #[must_use]
    pub fn help(mut self, help: &str) -> Self {
        self.help = help.into();
        self
    }

    /// Its value where nothing is entered.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// It may be left out.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Least whole number.
    #[must_use]
    pub fn min(mut self, min: i64) -> Self {
        self.min = Some(min);
        self
    }

    /// Largest whole number.
    #[must_use]
    pub fn max(mut self, max: i64) -> Self {
        self.max = Some(max);
        self
    }

    /// Regular expression of its texts.
    #[must_use]
    pub fn pattern(mut self, pattern: &'static str) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// An absolute address.
    #[must_use]
    pub fn url(mut self) -> Self {
        self.url = true;
        self
    }

    /// Whether it has to be entered.
    #[must_use]
    pub fn is_required(&self) -> bool {
        !self.optional && self.default.is_none()
    }

    /// Its part of the schema.
    #[must_use]
    pub fn schema(&self) -> Value {
        let mut schema = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            schema.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("type", Some(self.of.into()));
        let text = |text: &str| (!text.is_empty()).then(|| Value::from(text));
        put("title", text(&self.title));
        put("description", text(&self.explained()));
        put("default", self.default.clone());
        let choices: Vec<&str> = self.choices.iter().map(|(name, _)| *name).collect();
        put("enum", (!choices.is_empty()).then(|| choices.into()));
        if self.of == "integer" {
            put("minimum", self.min.map(Value::from));
            put("maximum", self.max.map(Value::from));
        }
        put("pattern", self.pattern.map(Value::from));
        put("format", self.url.then(|| "uri".into()));
        Value::Object(schema)
    }

    /// The help, with what the choices mean: the host shows their names alone.
    fn explained(&self) -> String {
        let told: Vec<String> = self
            .choices
            .iter()
            .filter(|(_, help)| !help.is_empty())
            .map(|(name, help)| format!("{name}: {help}"))
            .collect();
        match (self.help.as_str(), told.is_empty()) {
            (help, true) => help.into(),
            ("", false) => format!("{}.", told.join("; ")),
            (help, false) => format!("{help} {}.", told.join("; ")),
        }
    }
}

/// A secret that the operator enters and the host places.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::settings::SecretField;
///
/// let key = SecretField::new("key", "API key", Scheme::Header("x-api-key".into())).optional().to("url");
/// assert_eq!((key.name, key.required, key.to), ("key", false, Some("url")));
/// ```
#[derive(Debug, Clone)]
pub struct SecretField {
    /// Name of the credential.
    pub name: &'static str,
    /// What stands beside it.
    pub title: Caption,
    /// How it is placed.
    pub scheme: Scheme,
    /// Whether it has to be entered.
    pub required: bool,
    /// The only setting to whose address it goes; else to all that the connector declares.
    pub to: Option<&'static str>,
}

impl SecretField {
    /// A required secret.
    #[must_use]
    pub fn new(name: &'static str, title: impl Into<Caption>, scheme: Scheme) -> Self {
        Self { name, title: title.into(), scheme, required: true, to: None }
    }

    /// It may be left out.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// It goes only to the address in this setting, and nowhere where no [`Origin`] is declared for that.
    #[must_use]
    pub fn to(mut self, setting: &'static str) -> Self {
        self.to = Some(setting);
        self
    }
}
