//! Customers; several lines of one customer are several addresses.

use tradepost_sdk::sales::{Address, Customer, CustomerBase};
use tradepost_sdk::types::Field;

use super::{Delivery, head};
use crate::value::{Cells, Read, Row};

pub(super) const COLUMNS: &[&str] = &[
    "number",
    "email",
    "phone",
    "company",
    "first_name",
    "last_name",
    "vat_id",
    "language",
    "group",
    "guest",
    "active",
    "address",
    "street",
    "street2",
    "postcode",
    "city",
    "region",
    "country",
];

pub(super) fn customer(delivery: &Delivery<'_>, rows: &[&Row]) -> Read<Customer> {
    let all: Vec<Cells<'_>> = rows.iter().map(|row| delivery.cells(row)).collect();
    let first = all[0];
    let number = first.id("number")?;
    let postal = ["street", "postcode", "city"];
    let has_addresses = postal.iter().any(|name| first.row.has(name));
    let mut addresses: Vec<Address> = Vec::new();
    for cells in all.iter().filter(|cells| postal.iter().any(|name| cells.row.get(name).is_some())) {
        let address = address(*cells, addresses.len())?;
        if addresses.iter().any(|known| known.key == address.key) {
            return Err(cells.wrong("address", &format!("`{}` is there twice for customer {number}", address.key)));
        }
        addresses.push(address);
    }
    let extra = first.row.family("extra").filter(|(_, value)| !value.is_empty());
    Ok(Customer {
        head: head(&number),
        base: Some(CustomerBase {
            email: first.text("email"),
            phone: first.text("phone"),
            company: first.text("company"),
            first_name: first.text("first_name"),
            last_name: first.text("last_name"),
            vat_id: first.text("vat_id"),
            language: first.text("language"),
            group: first.text("group"),
            guest: first.truth("guest")?.unwrap_or(false),
            active: first.truth("active")?.unwrap_or(true),
            number: Some(number),
        }),
        addresses: has_addresses.then_some(addresses),
        extra: extra.map(|(name, value)| Field { name: name.into(), value: value.into() }).collect(),
    })
}

fn address(cells: Cells<'_>, n: usize) -> Read<Address> {
    let default = cells.setup.settings.country.as_str();
    let country = cells.row.get("country").unwrap_or(default).to_uppercase();
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(cells.wrong("country", &format!("`{country}` is not a code of two letters such as DE")));
    }
    Ok(Address {
        key: cells.text("address").unwrap_or_else(|| (n + 1).to_string()),
        company: cells.text("company"),
        first_name: cells.text("first_name"),
        last_name: cells.text("last_name"),
        lines: ["street", "street2"].into_iter().filter_map(|name| cells.text(name)).collect(),
        postcode: cells.text("postcode").unwrap_or_default(),
        city: cells.text("city").unwrap_or_default(),
        region: cells.text("region"),
        country,
        phone: cells.text("phone"),
    })
}
