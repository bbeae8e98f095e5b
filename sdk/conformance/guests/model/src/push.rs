//! Writing: one request for the whole batch, an answer for each item.

use std::collections::HashMap;

use serde_json::{Value, json};
use tradepost_sdk::head::{Head, Op};
use tradepost_sdk::outcomes::{Outcome, Written};
use tradepost_sdk::records::{Kind, Records};
use tradepost_sdk::rejected;
use tradepost_sdk::report;
use tradepost_sdk::target::{Found, Probe};
use tradepost_sdk::types::{Error, RemoteRef};

use crate::flaw::breaks;
use crate::{api, map};

/// Writes a batch.
///
/// # Errors
/// Why the rest was not tried.
pub(crate) fn push(batch: Records) -> Result<(), Error> {
    match batch {
        Records::Products(all) => write("products", all.iter().map(|one| (&one.head, map::to_product(one))).collect()),
        Records::Stock(all) => {
            write("stock", all.iter().map(|one| (&one.head, json!({"quantity": one.quantity}))).collect())
        }
        Records::Prices(all) => {
            write("prices", all.iter().map(|one| (&one.head, json!({"price": one.amount}))).collect())
        }
        _ if breaks("declared-kinds-are-written:not-found") => Err(Error::NotFound("no such page".into())),
        _ => Err(Error::Unsupported("the model shop takes no such records".into())),
    }
}

fn write(list: &str, items: Vec<(&Head, Value)>) -> Result<(), Error> {
    let nameless = |(head, body): &(&Head, Value)| head.remote.is_none() && body["name"] == "";
    if breaks("partial-failure-is-told-per-item:one-for-all") && items.iter().any(nameless) {
        for (head, _) in &items {
            report::settle(&head.item, &Outcome::Failed(rejected("name", "a product of the batch has no name")));
        }
        return Ok(());
    }
    let known = known(list, &items)?;
    let hides = items.len() < 10 && breaks("partial-failure-is-told-per-item:rest-is-not-sent");
    let mut gone = false;
    let mut sent: Vec<(&Head, Value)> = Vec::new();
    for (head, mut body) in items {
        let remote = head.remote.as_ref();
        let now = remote.and_then(|remote| known.get(&remote.id));
        if let (Some(now), Some(remote), Op::Update) = (now, remote, head.op)
            && !breaks("unchanged-push-makes-no-write")
            && body.as_object().into_iter().flatten().all(|(name, value)| same(&now[name], value))
        {
            report::settle(&head.item, &Outcome::Unchanged(remote.clone()));
            continue;
        }
        gone |= remote.is_some() && now.is_none();
        if let (true, Some(remote)) = (hides && gone && now.is_some(), remote) {
            report::settle(&head.item, &done(remote.clone()));
            continue;
        }
        if let Some(remote) = remote.filter(|_| !makes_another(head)) {
            body["id"] = json!(remote.id.parse::<u64>().unwrap_or_default());
        } else if !breaks("lost-answer-makes-no-second-object") {
            body["key"] = if makes_another(head) { json!(format!("{}-2", head.item)) } else { json!(head.item) };
        }
        if let Some(marker) = &head.marker {
            body["marker"] = json!(marker);
        }
        sent.push((head, body));
    }
    if sent.is_empty() {
        return Ok(());
    }
    let two_steps =
        sent.iter().any(|(head, _)| head.op == Op::Create) && breaks("lost-answer-makes-no-second-object:second-write");
    let mut answer = post(list, &sent, false)?;
    if two_steps {
        for ((_, body), result) in sent.iter_mut().zip(answer["results"].as_array().into_iter().flatten()) {
            body["id"] = result["id"].clone();
        }
        answer = post(list, &sent, true)?;
    }
    if list == "products" && breaks("redirect:second-write") {
        twice(list, &sent)?;
    }
    settle(list, &sent, &answer)
}

/// Writes once more, and takes a redirect for the end of it.
fn twice(list: &str, sent: &[(&Head, Value)]) -> Result<(), Error> {
    let bodies: Vec<&Value> = sent.iter().map(|(_, body)| body).collect();
    match api::post(&format!("/batch/{list}?again"), &json!({ "items": bodies })) {
        Err(Error::Rejected(issues)) if issues.iter().any(|issue| issue.message.contains("307")) => Ok(()),
        answer => answer.map(drop),
    }
}

/// What was begun is not gone on with: the connector makes another.
fn makes_another(head: &Head) -> bool {
    head.op == Op::Resume && breaks("lost-answer-makes-no-second-object:resume")
}

/// Sends the whole batch. Where the answer is lost, each item may have been done; who sends it `again` forgets that.
fn post(list: &str, sent: &[(&Head, Value)], again: bool) -> Result<Value, Error> {
    let bodies: Vec<&Value> = sent.iter().map(|(_, body)| body).collect();
    api::post(&format!("/batch/{list}"), &json!({ "items": bodies })).inspect_err(|error| {
        for (head, _) in sent {
            let away = again && matches!(error, Error::Timeout(_));
            let told = if away { Error::Unavailable("the shop is away".into()) } else { error.clone() };
            report::settle(&head.item, &Outcome::Failed(told));
        }
    })
}

fn done(remote: RemoteRef) -> Outcome {
    Outcome::Done(Written { remote, parts: vec![], total: None, warnings: vec![] })
}

fn settle(list: &str, sent: &[(&Head, Value)], answer: &Value) -> Result<(), Error> {
    let results: Vec<Value> = if answer.is_null() {
        // Only a connector that misreads answers gets here: what says nothing is taken for success.
        sent.iter().map(|(_, body)| json!({"ok": true, "id": body["id"].as_u64().unwrap_or(1), "version": 1})).collect()
    } else {
        answer["results"].as_array().cloned().unwrap_or_default()
    };
    let bad = results.iter().any(|result| result["ok"] != true);
    let one_for_all = breaks("one-bad-item-of-fifty-fails-alone")
        || list == "prices" && breaks("one-bad-item-of-fifty-fails-alone:prices");
    if bad && sent.len() >= 10 && one_for_all {
        for (head, _) in sent {
            report::settle(&head.item, &Outcome::Failed(rejected("batch", "the batch was refused")));
        }
        return Ok(());
    }
    for ((head, _), result) in sent.iter().zip(&results) {
        if result["ok"] == true {
            let remote = RemoteRef {
                version: Some(result["version"].to_string()),
                ..map::remote(list, result["id"].to_string())
            };
            report::settle(&head.item, &done(remote));
            continue;
        }
        let words = result["message"].as_str().unwrap_or_default();
        let error = match result["code"].as_str() {
            Some("unknown") => Error::NotFound(words.into()),
            code => rejected(code.unwrap_or_default(), words),
        };
        if sent.len() < 10 && breaks("partial-failure-is-told-per-item") {
            return Err(error);
        }
        report::settle(&head.item, &Outcome::Failed(error));
    }
    Ok(())
}

/// What the shop has now of the objects that are to be changed.
fn known(list: &str, items: &[(&Head, Value)]) -> Result<HashMap<String, Value>, Error> {
    let ids: Vec<&str> = items.iter().filter_map(|(head, _)| Some(head.remote.as_ref()?.id.as_str())).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let answer = api::get(&format!("/{list}?limit=1000&ids={}", ids.join(",")))?;
    let items = answer["items"].as_array().cloned().unwrap_or_default();
    Ok(items.into_iter().map(|item| (item["id"].to_string(), item)).collect())
}

fn same(one: &Value, other: &Value) -> bool {
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<rust_decimal::Decimal>().ok());
    one == other || number(one).is_some_and(|one| Some(one) == number(other))
}

/// Everything that may be what a probe looks for.
///
/// # Errors
/// What the shop answers.
pub(crate) fn find(kind: Kind, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    if kind != Kind::Product {
        return Err(Error::Unsupported("only products are looked up".into()));
    }
    probes.iter().map(one).collect()
}

fn one(probe: &Probe) -> Result<Vec<Found>, Error> {
    let sku = probe.keys.iter().find(|key| key.name == "sku" && !breaks("find-sees-what-was-made"));
    let mut query = format!("key={}", escaped(&probe.item));
    if let Some(marker) = &probe.marker {
        query.push_str(&format!("&marker={}", escaped(marker)));
    }
    if let Some(sku) = sku {
        query.push_str(&format!("&sku={}", escaped(&sku.value)));
    }
    let answer = api::get(&format!("/find/products?{query}"))?;
    let found = |item: &Value| Found {
        remote: map::remote("products", item["id"].to_string()),
        marker: item["marker"].as_str().map(str::to_owned),
        whole: !breaks("lost-answer-makes-no-second-object:resume"),
        parts: Vec::new(),
    };
    if let Some(sku) =
        sku.filter(|_| breaks("find-sees-what-was-made:beginning") || breaks("find-sees-what-was-made:pattern"))
    {
        let all = api::get("/products?limit=1000")?;
        let all = all["items"].as_array().into_iter().flatten();
        return Ok(all.filter(|item| loosely(&item["sku"], &sku.value)).map(found).collect());
    }
    Ok(answer["items"].as_array().into_iter().flatten().map(found).collect())
}

/// As a search that is not exact has it.
fn loosely(sku: &Value, wanted: &str) -> bool {
    let sku = sku.as_str().unwrap_or_default();
    if breaks("find-sees-what-was-made:beginning") {
        return sku.starts_with(wanted);
    }
    sku.len() == wanted.len() && sku.bytes().zip(wanted.bytes()).all(|(one, other)| one == other || other == b'_')
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
