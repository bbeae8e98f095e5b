//! Taking records away: hidden from sale, or deleted.

use serde_json::json;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::records::{Kind, Removal};
use tradepost_sdk::rejected;
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::api::tests::Scripted;
    use crate::map::remote;

    fn removed(there: Value, answer: Value, how: Removal) -> (Vec<Outcome>, usize) {
        let host = Scripted::new(move |document, _| {
            if document.starts_with("query") { json!({"product": there}) } else { json!({"written": answer}) }
        });
        let doomed = Doomed { item: "a".into(), remote: remote("7", None) };
        remove(&Shop::new(&host).unwrap(), Kind::Product, &[doomed], how).unwrap();
        (host.outcomes(), host.writes.borrow().len())
    }

    #[test]
    fn what_is_gone_or_hidden_already_is_left() {
        for (there, how) in [
            (Value::Null, Removal::Delete),
            (Value::Null, Removal::Deactivate),
            (json!({"enabled": false}), Removal::Deactivate),
        ] {
            assert_eq!(removed(there, json!({}), how), (vec![unchanged(remote("7", None))], 0));
        }
    }

    #[test]
    fn a_refused_deletion_is_told_in_the_shops_words() {
        let (outcomes, writes) =
            removed(json!({"id": "7"}), json!({"result": "NOT_DELETED", "message": "in use"}), Removal::Delete);
        assert_eq!(writes, 1);
        let Outcome::Failed(Error::Rejected(issues)) = &outcomes[0] else { panic!() };
        assert_eq!(issues[0].message, "in use");
    }

    #[test]
    fn deleted_and_hidden() {
        for how in [Removal::Delete, Removal::Deactivate] {
            let (outcomes, writes) = removed(json!({"id": "7", "enabled": true}), json!({"result": "DELETED"}), how);
            assert!(matches!((&outcomes[0], writes), (Outcome::Done(_), 1)));
        }
    }

    #[test]
    fn stock_is_not_removed() {
        let host = Scripted::new(|_, _| json!({}));
        let doomed = Doomed { item: "a".into(), remote: remote("7", None) };
        remove(&Shop::new(&host).unwrap(), Kind::Stock, &[doomed], Removal::Delete).unwrap();
        assert!(matches!(host.outcomes()[0], Outcome::Failed(Error::Unsupported(_))));
    }
}
