//! Records that new records point to: warehouses, taxes, units, carriers, countries, payment terms. Each is named in a
//! setting or found where there is no choice; what is left open is a question to the operator.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;
use tradepost_sdk::rejected;
use tradepost_sdk::types::{Error, Missing};

use crate::api::{Api, Id, Search};
use crate::pull::Rate;
use crate::value::{self, Exact};

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Warehouse {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) code: Option<String>,
    pub(crate) storage_location: Id,
}

/// The warehouses whose stock is read.
pub(crate) fn warehouses(api: &Api<'_>) -> Result<Vec<Warehouse>, Error> {
    let search = Search::of("stock.location", &["name", "code", "storage_location.id"]);
    let all: Vec<Warehouse> = api.find(&search.with(json!(["type", "=", "warehouse"])))?;
    let wanted: Vec<&str> = api.settings.warehouses.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if wanted.is_empty() {
        return Ok(all);
    }
    let named = |warehouse: &Warehouse, name: &str| warehouse.name == name || warehouse.code.as_deref() == Some(name);
    if let Some(name) = wanted.iter().find(|name| !all.iter().any(|warehouse| named(warehouse, name))) {
        return Err(rejected("warehouses", format!("Tryton has no active warehouse `{name}`. Correct `warehouses`.")));
    }
    Ok(all.into_iter().filter(|warehouse| wanted.iter().any(|name| named(warehouse, name))).collect())
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Carrier {
    pub(crate) id: u64,
    pub(crate) party: Named,
    pub(crate) carrier_product: Option<Id>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Named {
    pub(crate) name: Option<String>,
}

/// The carrier that an order's delivery names, else the one that is set, else the only one.
pub(crate) fn carrier(api: &Api<'_>, method: Option<&str>) -> Result<Option<Carrier>, Error> {
    if !api.has("carrier")? {
        return Ok(None);
    }
    let all: Vec<Carrier> = api.find(&Search::of("carrier", &["party.name", "carrier_product.id"]))?;
    let named = |name: &str| {
        let is = |carrier: &&Carrier| carrier.party.name.as_deref() == Some(name) || carrier.id.to_string() == name;
        all.iter().find(is).cloned()
    };
    if let Some(carrier) = method.and_then(named) {
        return Ok(Some(carrier));
    }
    let set = api.settings.carrier.trim();
    if !set.is_empty() {
        let wrong = || rejected("carrier", format!("Tryton has no active carrier `{set}`. Correct `carrier`."));
        return named(set).map(Some).ok_or_else(wrong);
    }
    match (all.as_slice(), method) {
        ([only], _) => Ok(Some(only.clone())),
        ([], _) | (_, None) => Ok(None),
        (_, Some(method)) => Err(missing("shipping", method)),
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Tax {
    pub(crate) id: u64,
    name: String,
    rate: Option<Exact>,
}

/// The taxes of the company.
pub(crate) struct Taxes {
    taxes: Vec<Tax>,
    /// Taxes that products carry when they are sold.
    used: Vec<u64>,
    pub(crate) categories: Vec<AccountingCategory>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AccountingCategory {
    pub(crate) id: u64,
    pub(crate) name: String,
    #[serde(default)]
    customer_taxes: Vec<Tax>,
}

impl Taxes {
    /// Reads them.
    pub(crate) fn read(api: &Api<'_>) -> Result<Self, Error> {
        let company = api.company()?.id;
        let search = Search::of("account.tax", &["name", "rate"]);
        let search = search.with(json!(["company", "=", company])).with(json!(["type", "=", "percentage"]));
        let taxes = api.find(&search)?;
        let fields = &["name", "customer_taxes.name", "customer_taxes.rate"];
        let categories: Vec<AccountingCategory> =
            api.find(&Search::of("product.category", fields).with(json!(["accounting", "=", true])))?;
        let used = categories.iter().flat_map(|category| category.customer_taxes.iter().map(|tax| tax.id)).collect();
        Ok(Self { taxes, used, categories })
    }

    /// The tax of a line: the one that is named, else the only one with this rate, those of products first.
    pub(crate) fn of(&self, code: Option<&str>, percent: Option<Decimal>) -> Result<Option<u64>, Error> {
        if let Some(code) = code {
            let named = |tax: &&Tax| tax.name == code || tax.id.to_string() == code;
            if let Some(tax) = self.taxes.iter().find(named) {
                return Ok(Some(tax.id));
            }
        }
        let Some(percent) = percent.filter(|percent| !percent.is_zero()) else {
            return Ok(None);
        };
        let rated: Vec<&Tax> = self.taxes.iter().filter(|tax| tax.percent() == Some(percent)).collect();
        let used: Vec<&&Tax> = rated.iter().filter(|tax| self.used.contains(&tax.id)).collect();
        match (used.as_slice(), rated.as_slice()) {
            ([tax], _) => Ok(Some(tax.id)),
            ([], [tax]) => Ok(Some(tax.id)),
            _ => Err(missing("tax", code.unwrap_or(&value::plain(percent)))),
        }
    }

    /// The accounting category of a product: the one that is named, else the only one with this rate.
    pub(crate) fn category(&self, class: Option<&str>, percent: Option<Decimal>) -> Result<u64, Error> {
        if let Some(category) = self.categories.iter().find(|category| Some(category.name.as_str()) == class) {
            return Ok(category.id);
        }
        let percent = percent.map(|percent| percent.normalize());
        let same = |category: &&AccountingCategory| {
            let rates: Vec<Rate> = category.customer_taxes.iter().map(|tax| Rate { rate: tax.rate }).collect();
            percent.is_some() && crate::pull::percent(&rates).or(rates.is_empty().then_some(Decimal::ZERO)) == percent
        };
        let mut found = self.categories.iter().filter(same);
        match (found.next(), found.next()) {
            (Some(category), None) => Ok(category.id),
            _ => {
                let percent = percent.map(value::plain).unwrap_or_default();
                Err(missing("tax-class", class.unwrap_or(&percent)))
            }
        }
    }
}

impl Tax {
    fn percent(&self) -> Option<Decimal> {
        self.rate.map(|rate| (rate.0 * Decimal::ONE_HUNDRED).normalize())
    }
}

/// Id of a country by its code.
pub(crate) fn country(api: &Api<'_>, code: &str) -> Result<Option<u64>, Error> {
    if code.is_empty() {
        return Ok(None);
    }
    let search = Search::of("country.country", &["id"]).with(json!(["code", "=", code]));
    match api.find::<Id>(&search)?.first() {
        Some(country) => Ok(Some(country.id)),
        None => Err(missing("country", code)),
    }
}

/// Id of the unit for new products.
pub(crate) fn unit(api: &Api<'_>, name: Option<&str>) -> Result<u64, Error> {
    let set = Some(api.settings.unit.trim()).filter(|name| !name.is_empty());
    for name in [name, set, Some("Unit")].into_iter().flatten() {
        let clause = json!(["OR", ["name", "=", name], ["symbol", "=", name]]);
        if let [unit] =
            api.find::<Id>(&Search::of("product.uom", &["id"]).with(clause).context("language", json!("en")))?[..]
        {
            return Ok(unit.id);
        }
    }
    Err(missing("unit", name.unwrap_or("Unit")))
}

/// Id of the payment term that is set.
pub(crate) fn payment_term(api: &Api<'_>) -> Result<Option<u64>, Error> {
    let name = api.settings.payment_term.trim();
    if name.is_empty() {
        return Ok(None);
    }
    let search = Search::of("account.invoice.payment_term", &["id"]).with(json!(["name", "=", name]));
    match api.find::<Id>(&search)?[..] {
        [term] => Ok(Some(term.id)),
        _ => Err(rejected(
            "payment_term",
            format!("Tryton has not exactly one payment term `{name}`. Correct `payment_term`."),
        )),
    }
}

/// A question to the operator.
pub(crate) fn missing(table: &str, value: &str) -> Error {
    Error::MappingMissing(Missing { table: table.into(), value: value.into(), label: None })
}
