//! Taking the values that were entered.

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
///         Some(Self { language: reader.value("language")? })
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
    pub fn value<T: Setting>(&mut self, name: &'static str) -> Option<T> {
        let why = match self.entered(name) {
            Ok(Some(value)) => match T::read(&value) {
                Ok(read) => return Some(read),
                Err(why) => why,
            },
            Ok(None) => match T::absent() {
                Some(absent) => return Some(absent),
                None => "is missing".into(),
            },
            Err(why) => why,
        };
        self.wrong(name, &why);
        None
    }

    /// The same with a check of the connector's own, whose words follow the setting's name.
    pub fn checked<T: Setting>(&mut self, name: &'static str, check: fn(&T) -> Result<(), String>) -> Option<T> {
        let value = self.value(name)?;
        match check(&value) {
            Ok(()) => Some(value),
            Err(why) => {
                self.wrong(name, &why);
                None
            }
        }
    }

    /// What was entered, or the default, if it lies within what the property says.
    fn entered(&self, name: &str) -> Result<Option<Value>, String> {
        let property = self.form.properties.iter().find(|property| property.name == name);
        match (self.values.get(name).or(property.and_then(|property| property.default.as_ref())), property) {
            (Some(value), Some(property)) => fits(property, value).map(Some),
            (value, _) => Ok(value.cloned()),
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
    pub fn wrong(&mut self, name: &str, why: &str) {
        let (path, message) = (format!("settings.{name}"), format!("the setting `{name}` {why}"));
        self.issues.push(Issue { path, code: None, message });
    }
}

/// The value as the connector gets it, if it lies within what the property says.
fn fits(property: &Property, value: &Value) -> Result<Value, String> {
    let number = value.as_i64();
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
    S::parse(json)
}

/// Reads settings as their form declares them.
pub(super) fn of_form<S: Settings>(json: &str) -> Result<S, Error> {
    let values: Map<String, Value> = serde_json::from_slice(json.as_bytes())
        .map_err(|error| crate::invalid("settings", format!("the settings are not a JSON object: {error}")))?;
    let form = S::form();
    let mut reader = Reader { form: &form, values: &values, issues: Vec::new() };
    let read = S::read(&mut reader);
    match read {
        Some(settings) if reader.issues.is_empty() => Ok(settings),
        _ => Err(Error::Rejected(reader.issues)),
    }
}
