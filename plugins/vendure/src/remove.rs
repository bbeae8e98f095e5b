//! Taking records away: hidden from sale, or deleted.

use serde_json::json;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::records::{Kind, Removal};
use tradepost_sdk::request::rejected;
use tradepost_sdk::target::Doomed;
use tradepost_sdk::types::Error;

use crate::api::Shop;
use crate::push::{done, ends_the_call, unchanged};

/// Removes records one by one.
///
/// # Errors
/// Why the rest was not tried.
pub fn remove(shop: &Shop<'_>, kind: Kind, items: &[Doomed], how: Removal) -> Result<(), Error> {
    for item in items {
        match take_away(shop, kind, item, how) {
            Ok(outcome) => shop.settle(&item.item, &outcome),
            Err(error) => {
                shop.settle(&item.item, &Outcome::Failed(error.clone()));
                if ends_the_call(&error) {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

fn take_away(shop: &Shop<'_>, kind: Kind, item: &Doomed, how: Removal) -> Result<Outcome, Error> {
    let id = &item.remote.id;
    let (read, write, hidden) = match (kind, how) {
        (Kind::Product, Removal::Deactivate) => (
            "query($id:ID!){product(id:$id){enabled}}",
            "mutation($id:ID!){updateProduct(input:{id:$id,enabled:false}){id}}",
            Some(("enabled", false)),
        ),
        (Kind::Category, Removal::Deactivate) => (
            "query($id:ID!){collection(id:$id){isPrivate}}",
            "mutation($id:ID!){updateCollection(input:{id:$id,isPrivate:true}){id}}",
            Some(("isPrivate", true)),
        ),
        (Kind::Product, Removal::Delete) => {
            ("query($id:ID!){product(id:$id){id}}", "mutation($id:ID!){deleteProduct(id:$id){result message}}", None)
        }
        (Kind::Category, Removal::Delete) => (
            "query($id:ID!){collection(id:$id){id}}",
            "mutation($id:ID!){deleteCollection(id:$id){result message}}",
            None,
        ),
        (Kind::Customer, Removal::Delete) => {
            ("query($id:ID!){customer(id:$id){id}}", "mutation($id:ID!){deleteCustomer(id:$id){result message}}", None)
        }
        _ => return Err(Error::Unsupported(format!("{kind:?} cannot be removed in this way"))),
    };
    let there = shop.query(read, json!({"id": id}))?.data;
    let there = there.as_object().and_then(|fields| fields.values().next()).cloned().unwrap_or_default();
    if there.is_null() || hidden.is_some_and(|(field, value)| there[field] == value) {
        return Ok(unchanged(item.remote.clone()));
    }
    let answer = shop.mutate(write, json!({"id": id}))?;
    if answer["result"] == "NOT_DELETED" {
        return Err(rejected("NOT_DELETED", answer["message"].as_str().unwrap_or("the shop keeps it")));
    }
    Ok(done(item.remote.clone(), Vec::new(), Vec::new()))
}
