//! Taking records away: hidden from sale, or deleted. Products go to the trash, from where the shop brings them back.

use serde_json::json;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::records::{Kind, Removal};
use tradepost_sdk::target::Doomed;
use tradepost_sdk::types::Error;
use tradepost_sdk::{ends_the_call, report};

use crate::api::Shop;
use crate::map::catalogue::Article;
use crate::map::id;
use crate::push::done;

/// Removes records one by one.
///
/// # Errors
/// Why the rest was not tried.
pub fn remove(shop: &Shop, kind: Kind, items: &[Doomed], how: Removal) -> Result<(), Error> {
    for item in items {
        match take_away(shop, kind, item, how) {
            Ok(outcome) => report::settle(&item.item, &outcome),
            Err(error) => {
                report::settle(&item.item, &Outcome::Failed(error.clone()));
                if ends_the_call(&error) {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

fn take_away(shop: &Shop, kind: Kind, item: &Doomed, how: Removal) -> Result<Outcome, Error> {
    let at = id(&item.remote.id)?;
    let unchanged = || Ok(Outcome::Unchanged(item.remote.clone()));
    match (kind, how) {
        (Kind::Product, _) => {
            let path = format!("/products/{at}");
            let there: Option<Article> = shop.look(&path)?;
            let Some(there) = there.filter(|there| there.status != "trash") else { return unchanged() };
            match how {
                Removal::Deactivate if there.status != "publish" => return unchanged(),
                Removal::Deactivate => drop(shop.put(&path, &json!({"status": "draft"}))?),
                Removal::Delete => shop.delete(&path)?,
            }
        }
        (Kind::Category, Removal::Delete) => {
            // Terms know no trash.
            match shop.delete(&format!("/products/categories/{at}?force=true")) {
                Err(Error::NotFound(_)) => return unchanged(),
                other => other?,
            }
        }
        _ => return Err(Error::Unsupported(format!("{kind:?} cannot be removed in this way"))),
    }
    Ok(done(item.remote.clone(), Vec::new(), Vec::new()))
}
