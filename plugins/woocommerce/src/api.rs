//! The shop's HTTP: the only file that sends something to it.

use std::cell::{Cell, OnceCell};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tradepost_sdk::types::{Error, Issue, TaxBasis};
use tradepost_sdk::{Http, Response, rejected};

use crate::map::taxes::Rate;
use crate::settings::{Prices, Settings};

/// Most rows of a list, and most objects of a batch, that WooCommerce takes.
pub const MOST: usize = 100;

/// The shop as one call sees it.
#[derive(Debug)]
pub struct Shop {
    /// The operator's settings.
    pub settings: Settings,
    api: Http,
    clock: Cell<Option<Timestamp>>,
    money: OnceCell<Money>,
    rates: OnceCell<Vec<Rate>>,
}

/// What prices mean here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// ISO 4217.
    pub currency: String,
    /// With or without tax.
    pub basis: TaxBasis,
    /// ISO 3166-1 alpha-2 code of the shop's country, empty where it has none.
    pub country: String,
}

impl Shop {
    /// The shop of the platform's settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let api = Http::new(format!("{}/wp-json/wc/v3", settings.url)).credential("api");
        Self { settings, api, clock: Cell::new(None), money: OnceCell::new(), rates: OnceCell::new() }
    }

    /// The shop's clock at the first answer of this call, in whole seconds and never ahead.
    #[must_use]
    pub fn clock(&self) -> Option<Timestamp> {
        self.clock.get()
    }

    /// Reads below `/wp-json/wc/v3`.
    ///
    /// # Errors
    /// What the shop answers.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        // Through one type, so that reading the shop's types is compiled for one source of them.
        let answer: Value = self.send("GET", path, None)?.json()?;
        serde_json::from_value(answer).map_err(|error| Error::Unavailable(format!("unreadable answer ({error})")))
    }

    /// Reads an object that may not be there.
    ///
    /// # Errors
    /// What the shop answers, other than that it is not there.
    pub fn look<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Error> {
        match self.get(path) {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a list to its end; the path has a query. For lists that are known to be short.
    ///
    /// # Errors
    /// What the shop answers.
    pub fn all(&self, path: &str) -> Result<Vec<Value>, Error> {
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let page = rows.len() / MOST + 1;
            let some: Vec<Value> = self.get(&format!("{path}&per_page={MOST}&page={page}"))?;
            let last = some.len() < MOST;
            rows.extend(some);
            if last {
                return Ok(rows);
            }
        }
    }

    /// Makes an object.
    ///
    /// # Errors
    /// What the shop answers.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.send("POST", path, Some(body))?.json()
    }

    /// Changes an object.
    ///
    /// # Errors
    /// What the shop answers.
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.send("PUT", path, Some(body))?.json()
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// What the shop answers.
    pub fn delete(&self, path: &str) -> Result<(), Error> {
        self.send("DELETE", path, None).map(drop)
    }

    /// Currency, basis and country, asked for once per call unless the settings say them.
    ///
    /// # Errors
    /// What the shop answers.
    pub fn money(&self) -> Result<&Money, Error> {
        if let Some(money) = self.money.get() {
            return Ok(money);
        }
        let settings = &self.settings;
        let (mut currency, mut country) = (settings.currency.clone(), settings.country.clone());
        if currency.is_empty() || country.is_empty() {
            let general: Vec<Value> = self.get("/settings/general")?;
            if currency.is_empty() {
                currency = setting(&general, "woocommerce_currency").unwrap_or_default().into();
            }
            if country.is_empty() {
                // A state follows the country: `DE:DE-BY`.
                let whole = setting(&general, "woocommerce_default_country").unwrap_or_default();
                country = whole.split(':').next().unwrap_or_default().into();
            }
        }
        let gross = match settings.prices {
            Prices::Net => false,
            Prices::Gross => true,
            Prices::Ask => {
                let tax: Vec<Value> = self.get("/settings/tax")?;
                setting(&tax, "woocommerce_prices_include_tax") == Some("yes")
            }
        };
        if currency.len() != 3 {
            return Err(rejected("currency", "The shop does not say its currency. Set `currency` in the settings."));
        }
        let basis = if gross { TaxBasis::Gross } else { TaxBasis::Net };
        Ok(self.money.get_or_init(|| Money { currency: currency.to_uppercase(), basis, country }))
    }

    /// The shop's tax rates, asked for once per call.
    ///
    /// # Errors
    /// What the shop answers.
    pub fn rates(&self) -> Result<&[Rate], Error> {
        if self.rates.get().is_none() {
            let rows = self.all("/taxes?orderby=id&order=asc")?;
            let rates = rows.into_iter().map(read).collect::<Result<Vec<Rate>, Error>>()?;
            self.rates.get_or_init(|| rates);
        }
        Ok(self.rates.get().map(Vec::as_slice).unwrap_or_default())
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Response, Error> {
        let mut request = self.api.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send()?;
        if self.clock.get().is_none() {
            self.clock.set(response.date());
        }
        judge(response)
    }
}

/// The value of a setting in the shop's list of them.
#[must_use]
pub fn setting<'a>(rows: &'a [Value], id: &str) -> Option<&'a str> {
    rows.iter().find(|row| row["id"] == id)?["value"].as_str()
}

/// Reads a value of the platform.
///
/// # Errors
/// `bug`: the shop answers in a shape that this connector does not know.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|error| Error::Bug(format!("the shop's answer has another shape: {error}")))
}

/// Reads what the shop answers to a write.
///
/// # Errors
/// `timeout`: it does not say what was done.
pub fn answered<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|error| Error::Timeout(format!("the shop does not say what it did: {error}")))
}

/// What an answer means. WooCommerce refuses with a code and a sentence; other answers come from what stands before it.
///
/// # Errors
/// As [`Response::success`], with the shop's own code and words where it has some.
pub fn judge(response: Response) -> Result<Response, Error> {
    let status = response.status();
    if (200..300).contains(&status) {
        return Ok(response);
    }
    let told = serde_json::from_slice::<Value>(response.bytes()).ok().filter(|body| body["code"].is_string());
    match told {
        Some(body) if !matches!(status, 408 | 429) && (status < 500 || status == 501) => Err(refusal(&body, status)),
        // What is no answer of the interface: an error page, a proxy, a full server.
        _ if status == 404 => Err(rejected(
            "no-interface",
            "There is no WooCommerce interface at this address. Check `url`, and that permalinks are not \"Plain\".",
        )),
        _ => response.success(),
    }
}

/// The error that a code with a sentence means; also for one object of a batch. What stands before the shop may leave the
/// status out of its words: then it is the answer's.
#[must_use]
pub fn refusal(body: &Value, status: u16) -> Error {
    let code = body["code"].as_str().unwrap_or_default();
    let status = body["data"]["status"].as_u64().unwrap_or(status.into());
    let said = body["message"].as_str().unwrap_or_default();
    let issue = |path: &str, message: String| Issue { path: path.into(), code: Some(code.into()), message };
    match (status, code) {
        (_, "rest_no_route") => Error::Rejected(vec![issue(
            "",
            format!("{said} WooCommerce 3.5 or newer with its REST interface is needed at this address."),
        )]),
        (401 | 403, _) => Error::Auth(format!("{code}: {said}")),
        (404 | 410, _) => Error::NotFound(format!("{code}: {said}")),
        (429, _) => Error::Throttled(60),
        (501, _) => Error::Unsupported(format!("{code}: {said}")),
        (_, "product_invalid_sku") => {
            let owner =
                body["data"]["resource_id"].as_u64().map(|id| format!(" Product {id} has it.")).unwrap_or_default();
            Error::Rejected(vec![issue("variants.sku", format!("{said}{owner} Give one of the two another SKU."))])
        }
        (_, "rest_invalid_param") => {
            let wrong = body["data"]["params"].as_object().into_iter().flatten();
            let issues: Vec<Issue> = wrong
                .map(|(name, why)| issue(name, why.as_str().map_or_else(|| why.to_string(), str::to_owned)))
                .collect();
            Error::Rejected(if issues.is_empty() { vec![issue("", said.into())] } else { issues })
        }
        _ => Error::Rejected(vec![issue("", said.into())]),
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

/// A decimal of the shop; empty text is none.
///
/// # Errors
/// `bug` for a text that is no number.
pub fn amount(text: &str) -> Result<Option<Decimal>, Error> {
    match text.trim() {
        "" => Ok(None),
        number => tradepost_sdk::decimal(number).map(Some),
    }
}

#[cfg(test)]
mod tests;
