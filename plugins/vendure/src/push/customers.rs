//! Customers and their addresses.

use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::head::{Op, Part, PartKind};
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::sales::{Address, Customer, CustomerBase};
use tradepost_sdk::types::Error;

use super::{done, known, partial, refused, unchanged};
use crate::api::{Coded, Shop, read};
use crate::map::catalogue::part;
use crate::map::customers::{CUSTOMER, Person, Postal};
use crate::map::remote;

const CREATE: &str = "mutation($input:CreateCustomerInput!){createCustomer(input:$input){__typename \
    ... on Customer{id} ... on ErrorResult{errorCode message}}}";
const UPDATE: &str = "mutation($input:UpdateCustomerInput!){updateCustomer(input:$input){__typename \
    ... on Customer{id} ... on ErrorResult{errorCode message}}}";
const ADD: &str =
    "mutation($id:ID!,$input:CreateAddressInput!){createCustomerAddress(customerId:$id,input:$input){id}}";
const CHANGE: &str = "mutation($input:UpdateAddressInput!){updateCustomerAddress(input:$input){id}}";
const DROP: &str = "mutation($id:ID!){deleteCustomerAddress(id:$id){success}}";

#[derive(Deserialize)]
struct There {
    #[serde(flatten)]
    person: Person,
    addresses: Option<Vec<Kept>>,
}

#[derive(Deserialize)]
struct Kept {
    id: String,
    country: Coded,
    #[serde(flatten)]
    postal: Postal,
}

/// Makes or updates a customer.
///
/// # Errors
/// What the shop answers; `rejected` for a customer without an e-mail address.
pub fn write(shop: &Shop<'_>, customer: &Customer) -> Result<Outcome, Error> {
    let head = &customer.head;
    let created = matches!(head.op, Op::Create | Op::CreateDone);
    let id = match head.op {
        Op::Create | Op::CreateDone => {
            let base = customer.base.as_ref().ok_or_else(|| Error::Bug("a new customer without its head".into()))?;
            let made = shop.mutate(CREATE, json!({"input": person(base)?}))?;
            let id = made["id"].as_str().ok_or_else(|| Error::Timeout("the shop names no new customer".into()))?;
            shop.settle(&head.item, &partial(remote(id, None), Vec::new()));
            id.to_owned()
        }
        Op::Resume | Op::Update => known(head)?.id.clone(),
        Op::Read => return Err(Error::Bug("a record that was read is not written".into())),
    };
    let document = format!("query($id:ID!){{customer(id:$id){{{CUSTOMER}}}}}");
    let raw = shop.query(&document, json!({"id": id}))?.data["customer"].take();
    if raw.is_null() {
        return Err(Error::NotFound(format!("the shop has no customer {id}")));
    }
    let there: There = read(raw)?;
    let mut wrote = created;
    if let Some(base) = &customer.base {
        let mut input = person(base)?;
        let old = &there.person;
        let same = |name: &str, old: &str, input: &Value| input[name].as_str().unwrap_or_default() == old;
        if !(same("emailAddress", &old.email_address, &input)
            && same("firstName", &old.first_name, &input)
            && same("lastName", &old.last_name, &input)
            && same("phoneNumber", old.phone_number.as_deref().unwrap_or_default(), &input))
        {
            input["id"] = json!(id);
            shop.mutate(UPDATE, json!({"input": input}))?;
            wrote = true;
        }
    }
    let mut parts: Vec<Part> = head.parts.clone();
    if let Some(wanted) = &customer.addresses {
        wrote |= addresses(shop, &head.item, &id, wanted, there.addresses.as_deref().unwrap_or_default(), &mut parts)?;
    }
    let reference = remote(&id, None);
    Ok(if wrote { done(reference, parts, Vec::new()) } else { unchanged(reference) })
}

fn person(base: &CustomerBase) -> Result<Value, Error> {
    let email = base.email.as_deref().ok_or_else(|| refused("email", "Vendure wants an e-mail address"))?;
    // Vendure wants both names; a company without a person is its own last name.
    let last = base.last_name.as_deref().or(base.company.as_deref()).unwrap_or_default();
    Ok(json!({
        "emailAddress": email,
        "firstName": base.first_name.as_deref().unwrap_or_default(),
        "lastName": last,
        "phoneNumber": base.phone.as_deref().unwrap_or_default(),
    }))
}

fn addresses(
    shop: &Shop<'_>,
    item: &str,
    customer: &str,
    wanted: &[Address],
    there: &[Kept],
    parts: &mut Vec<Part>,
) -> Result<bool, Error> {
    let mut wrote = false;
    let mut taken: Vec<String> = Vec::new();
    for address in wanted {
        let remembered = parts.iter().find(|part| part.what == PartKind::Address && part.key == address.key);
        let same = |kept: &&Kept| input(address) == input(&kept.postal.address("", &kept.country.code, None));
        let found = remembered
            .and_then(|part| there.iter().find(|kept| kept.id == part.id))
            .or_else(|| there.iter().find(|kept| kept.id == address.key))
            .or_else(|| there.iter().filter(|kept| !taken.contains(&kept.id)).find(same));
        let id = match found {
            Some(kept) if same(&kept) => kept.id.clone(),
            Some(kept) => {
                let mut input = input(address);
                input["id"] = json!(kept.id);
                shop.mutate(CHANGE, json!({"input": input}))?;
                wrote = true;
                kept.id.clone()
            }
            None => {
                let made = shop.mutate(ADD, json!({"id": customer, "input": input(address)}))?;
                wrote = true;
                made["id"].as_str().unwrap_or_default().to_owned()
            }
        };
        taken.push(id.clone());
        parts.retain(|part| part.what != PartKind::Address || part.key != address.key);
        parts.push(part(PartKind::Address, &address.key, &id));
        if wrote {
            shop.settle(item, &partial(remote(customer, None), parts.clone()));
        }
    }
    // Only what we wrote is taken away: an address the customer entered meanwhile is not ours to drop.
    let gone: Vec<Part> = parts
        .iter()
        .filter(|part| part.what == PartKind::Address && !wanted.iter().any(|address| address.key == part.key))
        .cloned()
        .collect();
    for old in gone {
        if there.iter().any(|kept| kept.id == old.id) && !taken.contains(&old.id) {
            shop.mutate(DROP, json!({"id": old.id}))?;
            wrote = true;
        }
        parts.retain(|part| *part != old);
    }
    Ok(wrote)
}

fn input(address: &Address) -> Value {
    let name = [address.first_name.as_deref(), address.last_name.as_deref()];
    let name: Vec<&str> = name.into_iter().flatten().collect();
    let mut lines = address.lines.iter();
    let first = lines.next().cloned().unwrap_or_default();
    let rest: Vec<&str> = lines.map(String::as_str).collect();
    json!({
        "fullName": name.join(" "),
        "company": address.company.as_deref().unwrap_or_default(),
        "streetLine1": first,
        "streetLine2": rest.join(", "),
        "city": address.city,
        "province": address.region.as_deref().unwrap_or_default(),
        "postalCode": address.postcode,
        "countryCode": address.country,
        "phoneNumber": address.phone.as_deref().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests;
