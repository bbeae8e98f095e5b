//! Customers and addresses as they are read.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tradepost_sdk::head::PartKind;
use tradepost_sdk::sales::{Address, Customer, CustomerBase};
use tradepost_sdk::types::Error;

use super::catalogue::part;
use super::{filled, head, remote};
use crate::api::{Coded, Named, read};

/// Fields of a customer.
pub const CUSTOMER: &str = "id updatedAt emailAddress firstName lastName phoneNumber user{id} groups{name} \
    addresses{id fullName company streetLine1 streetLine2 city province postalCode country{code} phoneNumber}";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCustomer {
    id: String,
    updated_at: Timestamp,
    #[serde(flatten)]
    person: Person,
    #[serde(default)]
    groups: Vec<Named>,
    addresses: Option<Vec<RawAddress>>,
}

/// The person behind a customer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Person {
    pub email_address: String,
    pub first_name: String,
    pub last_name: String,
    pub phone_number: Option<String>,
    /// Absent for a guest.
    pub user: Option<Value>,
}

#[derive(Deserialize)]
struct RawAddress {
    id: String,
    country: Coded,
    #[serde(flatten)]
    postal: Postal,
}

/// What a customer's and an order's address have in common.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "names of the platform")]
pub struct Postal {
    pub full_name: Option<String>,
    pub company: Option<String>,
    pub street_line1: Option<String>,
    pub street_line2: Option<String>,
    pub city: Option<String>,
    pub province: Option<String>,
    pub postal_code: Option<String>,
    pub phone_number: Option<String>,
}

impl Person {
    /// The contract's view of the person.
    #[must_use]
    pub fn base(&self, group: Option<String>) -> CustomerBase {
        CustomerBase {
            number: None,
            email: filled(Some(&self.email_address)),
            phone: filled(self.phone_number.as_deref()),
            company: None,
            first_name: filled(Some(&self.first_name)),
            last_name: filled(Some(&self.last_name)),
            vat_id: None,
            language: None,
            group,
            guest: self.user.as_ref().is_none_or(Value::is_null),
            active: true,
        }
    }
}

impl Postal {
    /// The contract's view of the address. Vendure has one field for the name: it is split as `owner` is where both
    /// agree, else before the last word.
    #[must_use]
    pub fn address(&self, key: &str, country: &str, owner: Option<&Person>) -> Address {
        let (first, last) = self.names(owner);
        Address {
            key: key.into(),
            company: filled(self.company.as_deref()),
            first_name: first,
            last_name: last,
            lines: [&self.street_line1, &self.street_line2]
                .into_iter()
                .filter_map(|line| filled(line.as_deref()))
                .collect(),
            postcode: filled(self.postal_code.as_deref()).unwrap_or_default(),
            city: filled(self.city.as_deref()).unwrap_or_default(),
            region: filled(self.province.as_deref()),
            country: country.to_uppercase(),
            phone: filled(self.phone_number.as_deref()),
        }
    }

    fn names(&self, owner: Option<&Person>) -> (Option<String>, Option<String>) {
        let Some(full) = filled(self.full_name.as_deref()) else { return (None, None) };
        if let Some(owner) = owner.filter(|owner| full == format!("{} {}", owner.first_name, owner.last_name).trim()) {
            return (filled(Some(&owner.first_name)), filled(Some(&owner.last_name)));
        }
        match full.rsplit_once(char::is_whitespace) {
            Some((first, last)) => (filled(Some(first)), filled(Some(last))),
            None => (None, Some(full)),
        }
    }
}

/// A customer with addresses.
///
/// # Errors
/// `bug` for a shape that is not known.
pub fn customer(raw: Value) -> Result<Customer, Error> {
    let raw: RawCustomer = read(raw)?;
    let group = raw.groups.into_iter().next().map(|group| group.name);
    let addresses = raw.addresses.unwrap_or_default();
    Ok(Customer {
        head: head(
            remote(&raw.id, None),
            addresses.iter().map(|address| part(PartKind::Address, &address.id, &address.id)).collect(),
            Some(raw.updated_at),
        ),
        base: Some(raw.person.base(group)),
        addresses: Some(
            addresses
                .iter()
                .map(|address| address.postal.address(&address.id, &address.country.code, Some(&raw.person)))
                .collect(),
        ),
        extra: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
