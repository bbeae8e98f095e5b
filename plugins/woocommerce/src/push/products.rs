//! Products. A simple one is made by one request. One with variations takes several: the product as a draft that is
//! marked as open, its variations, and at last the mark taken away with the status it shall have. What was cut in
//! between goes on from what is there: variations are told by their SKU.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use tradepost_sdk::catalog::{Form, Product, Variant};
use tradepost_sdk::head::{Op, Part, PartKind};
use tradepost_sdk::outcomes::Outcome;
use tradepost_sdk::report;
use tradepost_sdk::types::{Error, Issue, Missing};

use super::{done, known, partial, warning};
use crate::api::{MOST, Shop, amount, answered, read, refusal, rejection};
use crate::map::catalogue::Article;
use crate::map::{ITEM, MARKER, OPEN, field, filled, id, meta, part, remote, taxes, write};
use crate::pull::variations;

/// Products of a batch as they are in the shop, by number: one request where each would take its own.
///
/// # Errors
/// What would meet each of them too. Where only the list cannot be had, none is known, and each is asked for alone.
pub fn there(shop: &Shop, batch: &[Product]) -> Result<HashMap<u64, Article>, Error> {
    let updated = batch.iter().filter(|product| matches!(product.head.op, Op::Resume | Op::Update));
    let ids: Vec<String> =
        updated.filter_map(|product| id(&product.head.remote.as_ref()?.id).ok()).map(|id| id.to_string()).collect();
    let mut found = HashMap::new();
    // One alone is asked for by its path, where the shop also finds what is in its bin.
    for some in ids.chunks(MOST).filter(|_| ids.len() > 1) {
        let rows: Vec<Value> = match shop.get(&format!("/products?include={}&per_page={MOST}", some.join(","))) {
            Ok(rows) => rows,
            Err(error @ (Error::Auth(_) | Error::Throttled(_) | Error::Denied(_))) => return Err(error),
            Err(_) => continue,
        };
        // One that cannot be read fails alone when its turn comes.
        found.extend(rows.into_iter().filter_map(|row| read::<Article>(row).ok()).map(|row| (row.id, row)));
    }
    Ok(found)
}

/// Makes or updates a product; `there` has those that were asked for already.
///
/// # Errors
/// What the shop answers; `mapping-missing` for a tax rate that no class of the shop has.
pub fn write(shop: &Shop, product: &Product, there: &HashMap<u64, Article>) -> Result<Outcome, Error> {
    match product.head.op {
        Op::Create | Op::CreateDone => create(shop, product),
        Op::Resume | Op::Update => {
            let at = id(&known(&product.head)?.id)?;
            let asked;
            // A list of attributes is replaced whole: where one is written, what is there is read directly before.
            let there = match there.get(&at).filter(|there| attributes(shop, product, there).is_none()) {
                Some(there) => there,
                None => {
                    asked = shop
                        .look(&format!("/products/{at}"))?
                        .ok_or_else(|| Error::NotFound(format!("the shop has no product {at}")))?;
                    &asked
                }
            };
            finish(shop, product, there, Vec::new(), Vec::new())
        }
        Op::Read => Err(Error::Bug("a record that was read is not written".into())),
    }
}

fn create(shop: &Shop, product: &Product) -> Result<Outcome, Error> {
    let variants = product.variants.as_deref().unwrap_or_default();
    let base = product.base.as_ref().ok_or_else(|| Error::Bug("a new product without its head".into()))?;
    let mut warnings = Vec::new();
    let mut body = Map::new();
    write::own(product, &shop.settings.language, &mut body);
    body.entry("name").or_insert_with(|| json!(base.number.as_deref().unwrap_or_default()));
    let mut marks = vec![field(ITEM, Some(&product.head.item))];
    marks.extend(product.head.marker.as_deref().map(|marker| field(MARKER, Some(marker))));
    let simple = single(variants);
    match simple {
        Some(only) => {
            body.insert("type".into(), json!("simple"));
            write::variant(only, class(shop, only)?, shop.settings.weight_unit, &mut body)?;
            uncounted(base.form, &mut body);
        }
        None => {
            body.insert("type".into(), json!("variable"));
            body.insert("status".into(), json!("draft"));
            if let Some(number) = own_number(product) {
                body.insert("sku".into(), json!(number));
            }
            marks.push(field(OPEN, Some("1")));
        }
    }
    if let Some(attributes) = write::attributes(product, None, &shop.settings.language) {
        body.insert("attributes".into(), attributes);
    }
    body.insert("meta_data".into(), Value::Array(marks));
    let (pictures, keys) =
        write::pictures(product.pictures.as_deref().unwrap_or_default(), &[], "pictures", &mut warnings);
    let made = with_pictures(&mut body, pictures, &mut warnings, |body| shop.post("/products", body));
    let made: Article = match made {
        Ok(made) => answered(made)?,
        // Our own product of an attempt whose answer was lost: go on with it.
        Err(error) if rejection(&error) == Some("product_invalid_sku") => match ours(shop, product)? {
            Some(there) => return finish(shop, product, &there, Vec::new(), warnings),
            None => return Err(error),
        },
        Err(error) => return Err(error),
    };
    let parts = parts(&made, &[], &keys);
    if simple.is_some() {
        return Ok(done(remote(made.id, None), parts, warnings));
    }
    report::settle(&product.head.item, &partial(remote(made.id, None), parts.clone()));
    finish(shop, product, &made, parts, warnings)
}

/// Brings a product that is there to what is asked for, and ends its making.
fn finish(
    shop: &Shop,
    product: &Product,
    there: &Article,
    before: Vec<Part>,
    mut warnings: Vec<Issue>,
) -> Result<Outcome, Error> {
    let open = meta(&there.meta_data, OPEN).is_some();
    let mut body = Map::new();
    write::own(product, &shop.settings.language, &mut body);
    let variants = product.variants.as_deref();
    let wanted = variants.unwrap_or_default();
    let variable = there.variable() || (variants.is_some() && single(wanted).is_none());
    let mut bought: Vec<(String, u64)> = Vec::new();
    if let Some(attributes) = attributes(shop, product, there) {
        body.insert("attributes".into(), attributes);
    }
    if variants.is_some() && !variable {
        if let Some(only) = single(wanted) {
            write::variant(only, class(shop, only)?, shop.settings.weight_unit, &mut body)?;
            bought.push((only.sku.clone(), there.id));
        }
    } else if variants.is_some() {
        let mut first = Map::new();
        if !there.variable() {
            first.insert("type".into(), json!("variable"));
        }
        // Variations can only choose what their product offers, and have no SKU that their product has.
        if let Some(attributes) = body.remove("attributes") {
            first.insert("attributes".into(), attributes);
        }
        let number = own_number(product).unwrap_or_default();
        let taken = wanted.iter().any(|variant| variant.sku == there.sku);
        if (taken || !number.is_empty()) && number != there.sku {
            first.insert("sku".into(), json!(number));
        }
        if !first.is_empty() {
            shop.put(&format!("/products/{}", there.id), &Value::Object(first))?;
        }
        bought = vary(shop, product, there, wanted, &mut warnings)?;
        let so_far = bought.iter().map(|(sku, id)| part(PartKind::Variant, sku, id)).collect();
        report::settle(&product.head.item, &partial(remote(there.id, None), so_far));
    }
    if open {
        body.insert("meta_data".into(), json!([field(OPEN, None)]));
    }
    let mut keys = Vec::new();
    let mut pictures = Vec::new();
    // A creation that was cut off had its pictures in its first request.
    let replaced = product.pictures.as_ref().filter(|_| product.head.op == Op::Update);
    if let Some(media) = replaced {
        (pictures, keys) = write::pictures(media, &product.head.parts, "pictures", &mut warnings);
        body.insert("images".into(), json!([]));
    }
    let mut now = there.clone();
    if !body.is_empty() {
        let path = format!("/products/{}", there.id);
        now = answered(with_pictures(&mut body, pictures, &mut warnings, |body| shop.put(&path, body))?)?;
    }
    let mut parts = parts(&now, &bought, &keys);
    parts.extend(before);
    Ok(done(remote(there.id, None), parts, warnings))
}

/// The attributes to be written, where they are others than those that are there.
fn attributes(shop: &Shop, product: &Product, there: &Article) -> Option<Value> {
    let rows = write::attributes(product, Some(there), &shop.settings.language)?;
    (!write::offered(there, &rows)).then_some(rows)
}

/// Makes the variations that are missing, updates the others, and hides those that are no longer wanted.
fn vary(
    shop: &Shop,
    product: &Product,
    there: &Article,
    wanted: &[Variant],
    warnings: &mut Vec<Issue>,
) -> Result<Vec<(String, u64)>, Error> {
    let known = variations(shop, there)?;
    let (mut create, mut update) = (Vec::new(), Vec::new());
    let mut bought: Vec<(String, u64)> = Vec::new();
    let form = product.base.as_ref().map_or(Form::Goods, |base| base.form);
    for (at, variant) in wanted.iter().enumerate() {
        let mut body = Map::new();
        write::variant(variant, class(shop, variant)?, shop.settings.weight_unit, &mut body)?;
        body.insert("status".into(), json!(if variant.active { "publish" } else { "private" }));
        body.insert("attributes".into(), write::choices(variant, &shop.settings.language));
        let path = format!("variants[{at}].pictures");
        let pictures = variant.pictures.as_deref().unwrap_or_default();
        let (rows, _) = write::pictures(pictures, &product.head.parts, &path, warnings);
        let picture = rows.into_iter().next();
        let remembered = variant.remote.as_ref().map(|remote| remote.id.clone());
        let one = known
            .iter()
            .find(|one| remembered.as_deref() == Some(one.id.to_string().as_str()))
            .or_else(|| known.iter().find(|one| one.sku == variant.sku));
        match one {
            Some(one) => {
                // Fetching a picture again would make a new one of it.
                if let (Some(picture), None) = (picture, &one.image) {
                    body.insert("image".into(), picture);
                }
                body.insert("id".into(), json!(one.id));
                bought.push((variant.sku.clone(), one.id));
                update.push(Value::Object(body));
            }
            None => {
                if let Some(picture) = picture {
                    body.insert("image".into(), picture);
                }
                uncounted(form, &mut body);
                create.push(Value::Object(body));
            }
        }
    }
    for gone in known.iter().filter(|one| !bought.iter().any(|(_, id)| *id == one.id)) {
        if gone.status == "publish" {
            update.push(json!({"id": gone.id, "status": "private"}));
            warnings.push(warning("variants", format!("variation {} ({}) is hidden, not deleted", gone.id, gone.sku)));
        }
    }
    let path = format!("/products/{}/variations/batch", there.id);
    for (name, rows) in [("update", update), ("create", create)] {
        for some in rows.chunks(MOST) {
            let answer = shop.post(&path, &json!({ name: some }))?;
            for (at, sent) in some.iter().enumerate() {
                bought.extend(made(shop, &path, name, sent, &answer[name][at], warnings)?);
            }
        }
    }
    Ok(bought)
}

/// SKU and number of a variation that was made; nothing for one that was updated.
fn made(
    shop: &Shop,
    batch: &str,
    name: &str,
    sent: &Value,
    result: &Value,
    warnings: &mut Vec<Issue>,
) -> Result<Option<(String, u64)>, Error> {
    let mut result = result.clone();
    if let Some(error) = result.get("error") {
        let error = refusal(error, 400);
        let (true, Some(mut bare)) = (is_picture(&error), sent.as_object().cloned()) else { return Err(error) };
        bare.remove("image");
        warnings.push(unfetched(&error));
        result = shop.post(batch, &json!({ name: [bare] }))?[name][0].take();
        if let Some(error) = result.get("error") {
            return Err(refusal(error, 400));
        }
    }
    let id = result["id"].as_u64().filter(|id| *id > 0);
    let id = id.ok_or_else(|| Error::Timeout("the shop names no variation".into()))?;
    if name == "update" {
        return Ok(None);
    }
    Ok(Some((sent["sku"].as_str().unwrap_or_default().to_owned(), id)))
}

/// The only variant of a product that nobody has to choose.
fn single(variants: &[Variant]) -> Option<&Variant> {
    match variants {
        [only] if only.choices.is_empty() => Some(only),
        _ => None,
    }
}

/// The product's own number, unless a variation has it: a SKU is there once.
fn own_number(product: &Product) -> Option<String> {
    let number = filled(product.base.as_ref()?.number.as_deref())?;
    let taken = product.variants.iter().flatten().any(|variant| variant.sku == number);
    (!taken).then_some(number)
}

/// What is new is not for sale before its stock arrives.
fn uncounted(form: Form, body: &mut Map<String, Value>) {
    if form == Form::Goods {
        body.insert("manage_stock".into(), json!(true));
        body.insert("stock_quantity".into(), json!(0));
    }
}

/// The class of a variant's tax: the one the operator says for its percentage, else the one that is named, else the one
/// with this rate at home.
fn class(shop: &Shop, variant: &Variant) -> Result<Option<String>, Error> {
    let percent = variant.tax_percent.as_deref().map(amount).transpose()?.flatten();
    let mapped = percent.and_then(|percent| taxes::mapped(&shop.settings.tax_classes, percent));
    if mapped.is_some() || (percent.is_none() && variant.tax_class.is_none()) {
        return Ok(mapped);
    }
    let rates = shop.rates()?;
    if let Some(class) = variant.tax_class.as_deref().filter(|class| rates.iter().any(|rate| rate.class == *class)) {
        return Ok(Some(taxes::written(class)));
    }
    let Some(percent) = percent else { return Ok(None) };
    taxes::class(rates, &shop.money()?.country, percent).map(Some).ok_or_else(|| {
        Error::MappingMissing(Missing {
            table: "tax".into(),
            value: percent.to_string(),
            label: Some(format!(
                "{percent} %: no tax class of the shop has this rate in its country. Add the rate in the shop, or name a \
                 class in the setting `tax_classes`."
            )),
        })
    })
}

/// Writes with pictures; where the shop cannot fetch one, without.
fn with_pictures(
    body: &mut Map<String, Value>,
    pictures: Vec<Value>,
    warnings: &mut Vec<Issue>,
    write: impl Fn(&Value) -> Result<Value, Error>,
) -> Result<Value, Error> {
    if pictures.is_empty() {
        return write(&Value::Object(body.clone()));
    }
    let mut with = body.clone();
    with.insert("images".into(), Value::Array(pictures));
    match write(&Value::Object(with)) {
        Err(error) if is_picture(&error) => {
            warnings.push(unfetched(&error));
            body.remove("images");
            write(&Value::Object(body.clone()))
        }
        other => other,
    }
}

fn is_picture(error: &Error) -> bool {
    rejection(error).is_some_and(|code| {
        code.contains("image_upload") || code.contains("invalid_image") || code.contains("image_sideload")
    })
}

fn unfetched(error: &Error) -> Issue {
    let words = match error {
        Error::Rejected(issues) => issues.first().map(|issue| issue.message.clone()).unwrap_or_default(),
        other => format!("{other:?}"),
    };
    warning("pictures", format!("the shop could not fetch the pictures, they are left out: {words}"))
}

/// The product that an attempt of the same item has made.
fn ours(shop: &Shop, product: &Product) -> Result<Option<Article>, Error> {
    let number = own_number(product);
    let skus = product.variants.iter().flatten().map(|variant| variant.sku.clone()).chain(number);
    for sku in skus {
        for found in crate::find::by_sku(shop, &sku)? {
            if meta(&found.meta_data, ITEM).as_deref() == Some(product.head.item.as_str()) {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// What is worth remembering: variants by SKU, pictures by key.
fn parts(now: &Article, bought: &[(String, u64)], pictures: &[String]) -> Vec<Part> {
    let mut parts: Vec<Part> = bought.iter().map(|(sku, id)| part(PartKind::Variant, sku, id)).collect();
    if bought.is_empty() && !now.variable() {
        parts.push(part(PartKind::Variant, &now.sku, now.id));
    }
    if now.images.len() == pictures.len() {
        parts.extend(pictures.iter().zip(&now.images).map(|(key, image)| part(PartKind::Picture, key, image.id)));
    }
    parts
}
