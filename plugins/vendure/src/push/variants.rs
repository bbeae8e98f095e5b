//! Prices and stock of variants: read in one request, compared, and what differs written in one request.
//!
//! The mutation is one transaction over there. When it is refused nothing was done, so that its variants are tried one
//! by one and only the bad one fails.

use std::collections::HashMap;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;
use serde_json::{Value, json};
use tradepost_sdk::catalog::{Price, PriceKind, StockLevel};
use tradepost_sdk::head::Head;
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::types::{Error, Issue, Link, RemoteRef};

use super::{done, ends_the_call, refused, warning};
use crate::api::{Context, Shop, read};
use crate::map::catalogue::NO_PRICE_YET;
use crate::map::remote;

const VARIANTS: &str = "query($options:ProductVariantListOptions){productVariants(options:$options){items{
  id productId enabled trackInventory outOfStockThreshold useGlobalOutOfStockThreshold
  prices{price currencyCode} stockLevels{stockLocationId stockOnHand}}}}";
const WRITE: &str = "mutation($input:[UpdateProductVariantInput!]!){updateProductVariants(input:$input){id}}";

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Variant {
    id: String,
    product_id: String,
    track_inventory: String,
    out_of_stock_threshold: i64,
    use_global_out_of_stock_threshold: bool,
    prices: Vec<Amount>,
    stock_levels: Vec<Level>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Amount {
    price: i64,
    currency_code: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    stock_location_id: String,
    stock_on_hand: i64,
}

/// A planned write of one variant.
struct Change {
    /// Fields of the input; none when the shop has it so.
    input: Option<Value>,
    warnings: Vec<Issue>,
}

/// Writes stock figures.
///
/// # Errors
/// Why the rest was not tried.
pub fn stock(shop: &Shop<'_>, levels: &[StockLevel]) -> Result<(), Error> {
    write(shop, levels, |level| (&level.head, &level.variant), stock_change)
}

/// Writes base prices.
///
/// # Errors
/// Why the rest was not tried.
pub fn prices(shop: &Shop<'_>, prices: &[Price]) -> Result<(), Error> {
    write(shop, prices, |price| (&price.head, &price.variant), price_change)
}

fn stock_change(level: &StockLevel, variant: &Variant, context: &Context) -> Result<Change, Error> {
    let location = context.location(&level.warehouse)?;
    let mut warnings = Vec::new();
    let wanted = tradepost_sdk::decimal(&level.quantity)?;
    let whole = wanted.round_dp_with_strategy(0, RoundingStrategy::ToNegativeInfinity).max(Decimal::ZERO);
    if whole != wanted {
        warnings.push(warning("quantity", format!("Vendure counts whole pieces from 0: {wanted} became {whole}")));
    }
    let quantity = i64::try_from(whole).ok().filter(|pieces| *pieces <= i64::from(i32::MAX));
    let quantity =
        quantity.ok_or_else(|| refused("quantity", format!("{wanted} pieces are more than Vendure counts")))?;
    let counted = match variant.track_inventory.as_str() {
        "TRUE" => true,
        "FALSE" => false,
        _ => context.tracks,
    };
    let mut input = json!({"id": variant.id});
    if counted == level.unlimited {
        input["trackInventory"] = json!(if level.unlimited { "FALSE" } else { "TRUE" });
    }
    let there = variant.stock_levels.iter().find(|one| one.stock_location_id == location);
    if !level.unlimited && there.is_none_or(|there| there.stock_on_hand != quantity) {
        input["stockLevels"] = json!([{"stockLocationId": location, "stockOnHand": quantity}]);
    }
    let differs = input.as_object().is_some_and(|fields| fields.len() > 1);
    Ok(Change { input: differs.then_some(input), warnings })
}

fn price_change(price: &Price, variant: &Variant, context: &Context) -> Result<Change, Error> {
    if price.kind == PriceKind::Special {
        return Err(Error::Unsupported(
            "Vendure has one price per variant: a special price is sent as its base price while it lasts".into(),
        ));
    }
    if price.currency != context.currency.code {
        return Err(refused(
            "currency",
            format!("the channel sells in {}, the price is in {}", context.currency.code, price.currency),
        ));
    }
    if price.basis != context.channel.basis() {
        return Err(refused("basis", "the channel's prices have another basis (net or gross)"));
    }
    if tradepost_sdk::decimal(&price.from_quantity)? > Decimal::ONE {
        return Err(Error::Unsupported("Vendure has no prices that depend on the quantity".into()));
    }
    let Some(amount) = &price.amount else {
        return Err(refused("amount", "a variant always has a price in Vendure: deactivate it instead"));
    };
    let (minor, rounded) = context.currency.minor(amount)?;
    if minor < 0 {
        return Err(refused("amount", "a price below 0"));
    }
    let mut warnings = Vec::new();
    if rounded {
        warnings.push(warning("amount", format!("{amount} became {}", context.currency.text(minor))));
    }
    let mut input = json!({"id": variant.id});
    let there = variant.prices.iter().find(|one| one.currency_code == context.currency.code);
    if there.is_none_or(|there| there.price != minor) {
        input["price"] = json!(minor);
    }
    // The first price of a variant that we made puts it on sale.
    if !variant.use_global_out_of_stock_threshold && variant.out_of_stock_threshold == NO_PRICE_YET {
        input["price"] = json!(minor);
        input["enabled"] = json!(true);
        input["useGlobalOutOfStockThreshold"] = json!(true);
        input["outOfStockThreshold"] = json!(0);
    }
    let differs = input.as_object().is_some_and(|fields| fields.len() > 1);
    Ok(Change { input: differs.then_some(input), warnings })
}

fn write<R>(
    shop: &Shop<'_>,
    records: &[R],
    about: impl Fn(&R) -> (&Head, &Link),
    change: impl Fn(&R, &Variant, &Context) -> Result<Change, Error>,
) -> Result<(), Error> {
    let id = |record: &R| -> Option<String> {
        let (head, link) = about(record);
        link.id.clone().or_else(|| head.remote.as_ref().map(|remote| remote.id.clone()))
    };
    let context = shop.context()?;
    let mut ids: Vec<String> = records.iter().filter_map(&id).collect();
    ids.sort_unstable();
    ids.dedup();
    let there = variants(shop, &ids)?;
    let mut planned: Vec<Planned<'_>> = Vec::new();
    for record in records {
        let (head, link) = about(record);
        let Some(variant) = id(record).and_then(|id| there.get(&id)) else {
            let error =
                Error::NotFound(format!("the shop has no variant {} ({})", link.key, id(record).unwrap_or_default()));
            shop.settle(&head.item, &Outcome::Failed(error));
            continue;
        };
        let reference = remote(&variant.id, Some(&variant.product_id));
        match change(record, variant, context) {
            Err(error) => shop.settle(&head.item, &Outcome::Failed(error)),
            Ok(Change { input: None, .. }) => shop.settle(&head.item, &Outcome::Unchanged(reference)),
            Ok(Change { input: Some(input), warnings }) => {
                planned.push(Planned { item: &head.item, reference, input, warnings });
            }
        }
    }
    send(shop, planned)
}

struct Planned<'a> {
    item: &'a str,
    reference: RemoteRef,
    input: Value,
    warnings: Vec<Issue>,
}

fn send(shop: &Shop<'_>, planned: Vec<Planned<'_>>) -> Result<(), Error> {
    if planned.is_empty() {
        return Ok(());
    }
    let inputs = merged(&planned);
    match shop.mutate(WRITE, json!({"input": inputs})) {
        Ok(_) => {
            for one in planned {
                shop.settle(one.item, &done(one.reference, Vec::new(), one.warnings));
            }
            Ok(())
        }
        Err(Error::Rejected(_) | Error::NotFound(_)) if planned.len() > 1 => {
            for one in planned {
                send(shop, vec![one])?;
            }
            Ok(())
        }
        Err(error) => {
            for one in &planned {
                shop.settle(one.item, &Outcome::Failed(error.clone()));
            }
            if ends_the_call(&error) { Err(error) } else { Ok(()) }
        }
    }
}

/// One input per variant: two warehouses of one variant go together.
fn merged(planned: &[Planned<'_>]) -> Vec<Value> {
    let mut inputs: Vec<Value> = Vec::new();
    for one in planned {
        let Some(known) = inputs.iter_mut().find(|known| known["id"] == one.input["id"]) else {
            inputs.push(one.input.clone());
            continue;
        };
        let (Value::Object(known), Value::Object(more)) = (known, &one.input) else { continue };
        for (name, value) in more {
            match (known.get_mut(name), value) {
                (Some(Value::Array(levels)), Value::Array(others)) => levels.extend(others.iter().cloned()),
                _ => drop(known.insert(name.clone(), value.clone())),
            }
        }
    }
    inputs
}

fn variants(shop: &Shop<'_>, ids: &[String]) -> Result<HashMap<String, Variant>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let options = json!({"take": ids.len(), "filter": {"id": {"in": ids}}});
    let mut reply = shop.query(VARIANTS, json!({"options": options}))?;
    let all: Vec<Variant> = read(reply.data["productVariants"]["items"].take())?;
    Ok(all.into_iter().map(|variant| (variant.id.clone(), variant)).collect())
}

#[cfg(test)]
mod tests;
