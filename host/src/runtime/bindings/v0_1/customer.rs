//! Customers: facets `head` and `addresses`; and the buyer and addresses on an order.

use super::head::{record, to_head};
use super::value::{Read, extra, facet, filled, json, key, language, to_extra};
use super::wit::tradepost::connector::sales as ws;
use crate::model::sales::{Address, CustomerHead};
use crate::model::{FacetKey, KeyType, Kind, Record};

pub(super) fn read(customer: ws::Customer) -> Read<Record> {
    let ws::Customer { head, base, addresses, extra: fields } = customer;
    let mut record = record(Kind::Customer, head)?;
    if let Some(base) = base {
        let head = CustomerHead { extra: extra(fields), ..buyer("base", base)? };
        key(&mut record.keys, KeyType::Email, head.email.as_deref().map(str::to_lowercase).as_deref());
        key(&mut record.keys, KeyType::Number, head.number.as_deref());
        record.facets.insert(FacetKey::head(), json(&head));
    }
    if let Some(addresses) = addresses {
        let addresses: Vec<_> = addresses.into_iter().map(address).collect();
        record.facets.insert("addresses".into(), json(&addresses));
    }
    Ok(record)
}

pub(super) fn write(record: &Record) -> Read<ws::Customer> {
    let head: Option<CustomerHead> = facet(&record.facets, "head")?;
    let addresses: Option<Vec<Address>> = facet(&record.facets, "addresses")?;
    Ok(ws::Customer {
        head: to_head(record),
        extra: head.as_ref().map(|head| to_extra(&head.extra)).unwrap_or_default(),
        base: head.map(to_buyer),
        addresses: addresses.map(|all| all.into_iter().map(to_address).collect()),
    })
}

/// A buyer's data, without extra fields.
pub(super) fn buyer(path: &str, base: ws::CustomerBase) -> Read<CustomerHead> {
    let tag = |tag| language(&format!("{path}.language"), tag);
    Ok(CustomerHead {
        number: filled(base.number),
        email: filled(base.email).map(|email| email.trim().to_owned()),
        phone: filled(base.phone),
        company: filled(base.company),
        first_name: filled(base.first_name),
        last_name: filled(base.last_name),
        vat_id: filled(base.vat_id),
        language: filled(base.language).map(tag).transpose()?,
        group: filled(base.group),
        guest: base.guest,
        active: base.active,
        extra: Vec::new(),
    })
}

pub(super) fn to_buyer(head: CustomerHead) -> ws::CustomerBase {
    let CustomerHead {
        number,
        email,
        phone,
        company,
        first_name,
        last_name,
        vat_id,
        language,
        group,
        guest,
        active,
        extra: _,
    } = head;
    ws::CustomerBase { number, email, phone, company, first_name, last_name, vat_id, language, group, guest, active }
}

pub(super) fn address(address: ws::Address) -> Address {
    Address {
        key: address.key,
        company: filled(address.company),
        first_name: filled(address.first_name),
        last_name: filled(address.last_name),
        lines: address.lines,
        postcode: address.postcode,
        city: address.city,
        region: filled(address.region),
        country: address.country,
        phone: filled(address.phone),
    }
}

pub(super) fn to_address(address: Address) -> ws::Address {
    let Address { key, company, first_name, last_name, lines, postcode, city, region, country, phone } = address;
    ws::Address { key, company, first_name, last_name, lines, postcode, city, region, country, phone }
}

#[cfg(test)]
mod tests;
