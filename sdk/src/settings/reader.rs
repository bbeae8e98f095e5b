//! Taking the values that were entered.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::Settings;
use super::form::{Form, Property};
use super::value::Setting;
use crate::types::{Error, Issue};

/// The values that were entered, and what is wrong with them.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::settings::{Form, Property, Reader};
///
/// // What the derive writes.
/// struct Config { language: String }
///
/// impl Settings for Config {
///     fn form() -> Form {
///         Form::new().property(Property::text("language").default("en"))
///     }
///     fn read(reader: &mut Reader<'_>) -> Option<Self> {
///         Some(Self { language: reader.value("language", |_| Ok(()))? })
///     }
/// }
///
/// assert_eq!(settings::parse::<Config>("{}").unwrap().language, "en");
/// ```
#[derive(Debug)]
pub struct Reader<'a> {
    form: &'a Form,
    values: &'a Map<String, Value>,
    issues: Vec<Issue>,
}

impl Reader<'_> {
    /// The value of a setting, or its default; nothing when it is wrong, which is noted.
    pub fn value<T: Setting>(&mut self, name: &'static str, check: impl FnOnce(&T) -> Result<(), String>) -> Option<T> {
        let property = self.form.properties.iter().find(|property| property.name == name);
        match self.values.get(name).or(property.and_then(|property| property.default.as_ref())) {
            None => T::absent().or_else(|| self.wrong(name, "is missing")),
            Some(value) => {
                let read = property.map_or(Ok(value.clone()), |property| fits(property, value)).and_then(|value| {
                    let read = T::read(&value)?;
                    check(&read).map(|()| read)
                });
                read.map_or_else(|why| self.wrong(name, &why), Some)
            }
        }
    }

    /// All values with serde, for a type whose schema stands in `describe`.
    pub(super) fn whole<T: serde::de::DeserializeOwned>(&mut self) -> Option<T> {
        serde_json::from_value(Value::Object(self.values.clone()))
            .map_err(|error| {
                self.issues.push(Issue { path: "settings".into(), code: None, message: error.to_string() });
            })
            .ok()
    }

    /// Notes what is wrong with a setting.
    pub fn wrong<T>(&mut self, name: &str, why: &str) -> Option<T> {
        let (path, message) = (format!("settings.{name}"), format!("the setting `{name}` {why}"));
        self.issues.push(Issue { path, code: None, message });
        None
    }
}

/// The value as the connector gets it, if it lies within what the property says.
fn fits(property: &Property, value: &Value) -> Result<Value, String> {
    let number = value.as_i64().map(Decimal::from).or_else(|| value.as_str()?.parse().ok());
    if let (Some(number), Some(min)) = (number, property.min)
        && number < min
    {
        return Err(format!("must be at least {min}, found {number}"));
    }
    if let (Some(number), Some(max)) = (number, property.max)
        && number > max
    {
        return Err(format!("must be at most {max}, found {number}"));
    }
    match value.as_str() {
        // Left out of what is optional.
        Some("") if property.url && !property.is_required() => Ok(value.clone()),
        Some(text) if property.url => {
            let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            let host = authority.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
            if host.is_none_or(|host| host.is_empty() || host.contains(['@', ' '])) {
                return Err(format!("must be an address like `https://shop.example`, found {value}"));
            }
            Ok(text.trim_end_matches('/').into())
        }
        _ => Ok(value.clone()),
    }
}

/// The platform's settings as the connector's own type; [`Connector::open`](crate::Connector::open) is handed them.
///
/// ```
/// use tradepost_sdk::prelude::*;
/// use tradepost_sdk::testing::FakeHost;
///
/// #[derive(Settings)]
/// struct Config {
///     /// Language
///     #[setting(default = "en")]
///     language: String,
/// }
///
/// let host = FakeHost::new().settings(serde_json::json!({"language": "hu"}));
/// let config: Config = host.run(tradepost_sdk::settings).unwrap();
/// assert_eq!(config.language, "hu");
/// ```
///
/// # Errors
/// As [`parse`].
pub fn settings<S: Settings>() -> Result<S, Error> {
    parse(&crate::platform::settings())
}

/// Reads settings from their JSON text.
///
/// ```
/// use tradepost_sdk::prelude::*;
///
/// #[derive(Debug, Settings)]
/// struct Config {
///     /// Company
///     company: u32,
/// }
///
/// let Err(Error::Rejected(issues)) = settings::parse::<Config>("{}") else { panic!() };
/// assert_eq!(issues[0].path, "settings.company");
/// assert_eq!(issues[0].message, "the setting `company` is missing");
/// ```
///
/// # Errors
/// `rejected` with an issue for each setting that is wrong.
pub fn parse<S: Settings>(json: &str) -> Result<S, Error> {
    let values: Map<String, Value> = serde_json::from_str(json)
        .map_err(|error| crate::invalid("settings", format!("the settings are not a JSON object: {error}")))?;
    let form = S::form();
    let mut reader = Reader { form: &form, values: &values, issues: Vec::new() };
    let read = S::read(&mut reader);
    match read {
        Some(settings) if reader.issues.is_empty() => Ok(settings),
        _ => Err(Error::Rejected(reader.issues)),
    }
}
