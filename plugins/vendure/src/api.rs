//! The shop's HTTP: the only file that sends something to it.

use std::cell::OnceCell;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::rejected;
use tradepost_sdk::settings::Json;
use tradepost_sdk::types::{Error, TaxBasis};
use tradepost_sdk::{Request, Response, graphql, http, report};

use crate::map::money::Currency;
use crate::settings::{Credential, Settings};

/// What the connector needs of its surroundings: the sandbox, or a stand-in in tests.
pub trait Host {
    /// The operator's settings.
    ///
    /// # Errors
    /// `rejected` when they do not fit.
    fn settings(&self) -> Result<Settings, Error>;
    /// Sends a request.
    ///
    /// # Errors
    /// What the host says of a request without an answer.
    fn send(&self, request: Request) -> Result<Response, Error>;
    /// Reports what became of an item.
    fn settle(&self, item: &str, outcome: &Outcome);
}

/// The host of the component.
#[derive(Debug)]
pub struct Sandbox;

impl Host for Sandbox {
    fn settings(&self) -> Result<Settings, Error> {
        tradepost_sdk::settings().map(|Json(settings)| settings)
    }

    fn send(&self, request: Request) -> Result<Response, Error> {
        request.send()
    }

    fn settle(&self, item: &str, outcome: &Outcome) {
        report::settle(item, outcome);
    }
}

/// The shop as one call sees it.
pub struct Shop<'host> {
    host: &'host dyn Host,
    /// The operator's settings.
    pub settings: Settings,
    context: OnceCell<Context>,
}

/// What most conversions need to know of the shop.
#[derive(Debug, Clone)]
pub struct Context {
    /// The channel.
    pub channel: Channel,
    /// The currency of prices, and how many decimals its minor unit has here.
    pub currency: Currency,
    /// Ids of the stock locations, the default one first.
    pub locations: Vec<Location>,
    /// Whether variants that inherit it track their stock.
    pub tracks: bool,
}

/// A channel.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Channel {
    pub id: String,
    pub code: String,
    pub created_at: Timestamp,
    pub default_language_code: String,
    pub available_language_codes: Option<Vec<String>>,
    pub default_currency_code: String,
    pub prices_include_tax: bool,
    pub track_inventory: Option<bool>,
    pub default_tax_zone: Option<Zone>,
    pub default_shipping_zone: Option<Zone>,
    pub seller: Option<Named>,
}

impl Channel {
    /// Whether prices of this channel contain tax.
    #[must_use]
    pub fn basis(&self) -> TaxBasis {
        if self.prices_include_tax { TaxBasis::Gross } else { TaxBasis::Net }
    }

    /// Whether this is the channel that sees everything.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.code == "__default_channel__"
    }
}

/// A zone with its countries.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Zone {
    pub id: String,
    #[serde(default)]
    pub members: Vec<Coded>,
}

/// Something with a code.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Coded {
    pub code: String,
}

/// Something with a name.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Named {
    pub name: String,
}

/// A stock location.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Location {
    pub id: String,
    pub name: String,
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

/// An answer to a query.
#[derive(Debug, Clone)]
pub struct Reply {
    /// `data`.
    pub data: Value,
    /// The shop's clock when it answered, in whole seconds.
    pub at: Option<Timestamp>,
}

const CONTEXT: &str = "query{
  activeChannel{id code createdAt defaultLanguageCode availableLanguageCodes defaultCurrencyCode pricesIncludeTax
    trackInventory defaultTaxZone{id} defaultShippingZone{id members{code}} seller{name}}
  globalSettings{trackInventory serverConfig{moneyStrategyPrecision}}
  stockLocations(options:{sort:{id:ASC}}){items{id name}}
}";

impl<'host> Shop<'host> {
    /// The shop of the platform's settings.
    ///
    /// # Errors
    /// Those of [`Host::settings`].
    pub fn new(host: &'host dyn Host) -> Result<Self, Error> {
        Ok(Self { host, settings: host.settings()?, context: OnceCell::new() })
    }

    /// Reports what became of an item.
    pub fn settle(&self, item: &str, outcome: &Outcome) {
        self.host.settle(item, outcome);
    }

    /// Reads.
    ///
    /// # Errors
    /// Those of [`graphql`].
    pub fn query(&self, document: &str, variables: Value) -> Result<Reply, Error> {
        let request = self.request().safe().json(&json!({"query": document, "variables": variables}));
        let response = self.host.send(request)?;
        let at = response.header("date").and_then(date);
        Ok(Reply { data: graphql(response)?, at })
    }

    /// Writes; gives what the one field of the mutation returned.
    ///
    /// # Errors
    /// Those of [`graphql`], and `rejected` with the code and the words of an `ErrorResult`.
    pub fn mutate(&self, document: &str, variables: Value) -> Result<Value, Error> {
        let request = self.request().json(&json!({"query": document, "variables": variables}));
        result(graphql(self.host.send(request)?).map_err(beyond)?)
    }

    /// Uploads kept bytes as an asset; gives its id.
    ///
    /// # Errors
    /// As [`Shop::mutate`].
    pub fn upload(&self, blob: &str, file: &str, media_type: &str) -> Result<String, Error> {
        let operations = json!({
            "query": "mutation($input:[CreateAssetInput!]!){createAssets(input:$input){__typename ... on Asset{id} \
                      ... on ErrorResult{errorCode message}}}",
            "variables": {"input": [{"file": null}]},
        });
        let text = |name: &str, value: &Value| http::Part {
            name: name.into(),
            filename: None,
            media_type: None,
            content: http::PartContent::Bytes(value.to_string().into_bytes()),
        };
        let parts = vec![
            text("operations", &operations),
            text("map", &json!({"0": ["variables.input.0.file"]})),
            http::Part {
                name: "0".into(),
                filename: Some(file.into()),
                media_type: Some(media_type.into()),
                content: http::PartContent::Blob(blob.into()),
            },
        ];
        // Servers refuse multipart requests that a browser could send unasked; this header says it is none.
        let request = self.request().header("apollo-require-preflight", "true").multipart(parts);
        let made = result(graphql(self.host.send(request)?)?)?;
        let made = result(json!({"createAssets": made[0]}))?;
        Ok(made["id"].as_str().unwrap_or_default().to_owned())
    }

    /// The shop's channel, currency and stock locations, asked for once per call.
    ///
    /// # Errors
    /// Those of [`Shop::query`].
    pub fn context(&self) -> Result<&Context, Error> {
        if let Some(context) = self.context.get() {
            return Ok(context);
        }
        let context = Context::read(self.query(CONTEXT, json!({}))?.data, &self.settings.stock_location)?;
        Ok(self.context.get_or_init(|| context))
    }

    fn request(&self) -> Request {
        let credential = match self.settings.credential {
            Credential::Login => "login",
            Credential::Key => "key",
        };
        let url = format!("{}/admin-api", self.settings.url.trim_end_matches('/'));
        let request = Request::new("POST", url).credential(credential);
        match self.settings.channel_token.as_str() {
            "" => request,
            token => request.header("vendure-token", token),
        }
    }
}

impl Context {
    fn read(mut data: Value, location: &str) -> Result<Self, Error> {
        let channel: Channel = read(data["activeChannel"].take())?;
        let mut locations = read::<Items<Location>>(data["stockLocations"].take())?.items;
        if !location.is_empty() {
            let chosen = locations.iter().position(|one| one.id == location).ok_or_else(|| {
                rejected(
                    "stock-location",
                    format!("the shop has no stock location `{location}`: choose another in the settings"),
                )
            })?;
            locations.swap(0, chosen);
        }
        let settings = &data["globalSettings"];
        let decimals = settings["serverConfig"]["moneyStrategyPrecision"].as_u64().unwrap_or(2);
        let tracks = channel.track_inventory.or(settings["trackInventory"].as_bool()).unwrap_or(true);
        let currency = Currency::new(&channel.default_currency_code, u32::try_from(decimals).unwrap_or(2));
        Ok(Self { currency, locations, tracks, channel })
    }

    /// The stock location that a record means: one of the shop's, or the default one.
    ///
    /// # Errors
    /// `rejected` when the shop has no such location.
    pub fn location(&self, warehouse: &str) -> Result<&str, Error> {
        let found = if matches!(warehouse, "" | "main") {
            self.locations.first()
        } else {
            self.locations.iter().find(|location| location.id == warehouse)
        };
        found
            .map(|location| location.id.as_str())
            .ok_or_else(|| rejected("warehouse", format!("the shop has no stock location `{warehouse}`")))
    }
}

/// Reads a value of the platform.
///
/// # Errors
/// `bug`: the shop answers in a shape that this connector does not know.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|error| Error::Bug(format!("the shop's answer has another shape: {error}")))
}

/// What the only field of a mutation returned, unless it is an `ErrorResult`.
fn result(data: Value) -> Result<Value, Error> {
    let value = match data {
        Value::Object(fields) => fields.into_iter().next().map(|(_, value)| value).unwrap_or_default(),
        other => other,
    };
    let Some(code) = value.get("errorCode").and_then(Value::as_str) else { return Ok(value) };
    let mut words = value["message"].as_str().unwrap_or_default().to_owned();
    for more in ["transitionError", "fulfillmentHandlerError", "paymentErrorMessage"] {
        if let Some(detail) = value.get(more).and_then(Value::as_str) {
            words = format!("{words}: {detail}");
        }
    }
    Err(rejected(code, words))
}

/// A figure that the shop's database has no room for was not stored, which MySQL and PostgreSQL say in these words: Vendure
/// passes them on as an internal error, and takes the whole mutation back.
fn beyond(error: Error) -> Error {
    match error {
        Error::Timeout(words) if words.to_lowercase().contains("out of range") => rejected("out-of-range", words),
        other => other,
    }
}

/// The code of a rejection.
#[must_use]
pub fn rejection(error: &Error) -> Option<&str> {
    match error {
        Error::Rejected(issues) => issues.first().and_then(|issue| issue.code.as_deref()),
        _ => None,
    }
}

/// Time of a `Date` header.
fn date(header: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(header).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
pub(crate) mod tests;
