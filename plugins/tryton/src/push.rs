//! Writing: one record at a time, each settled by itself.

mod category;
mod customer;
mod event;
mod order;
mod product;

use serde_json::json;
use tradepost_sdk::head::{Head, Op};
use tradepost_sdk::outcomes::{Outcome, Written};
use tradepost_sdk::records::{Kind, Records, Removal};
use tradepost_sdk::target::Doomed;
use tradepost_sdk::types::{Error, RemoteRef};

use crate::api::{self, Api};
use crate::pull::remote;

pub(crate) use event::is_cancelled;

/// Seconds until a record is worth another try when the platform is away.
const PAUSE: u32 = 60;

/// Writes a batch.
pub(crate) fn push(api: &Api<'_>, batch: &Records) -> Result<(), Error> {
    match batch {
        Records::Categories(records) => each(api, records, |r| &r.head.item, |r| category::push(api, r)),
        Records::Products(records) => each(api, records, |r| &r.head.item, |r| product::push(api, r)),
        Records::Customers(records) => each(api, records, |r| &r.head.item, |r| customer::push(api, r)),
        Records::Orders(records) => each(api, records, |r| &r.head.item, |r| order::push(api, r)),
        Records::OrderEvents(records) => each(api, records, |r| &r.head.item, |r| event::push(api, r)),
        Records::Stock(_) | Records::Prices(_) | Records::Shipments(_) => {
            Err(unsupported("Tryton owns stock, prices and shipments"))
        }
    }
}

/// Removes records.
pub(crate) fn remove(api: &Api<'_>, kind: Kind, items: &[Doomed], how: Removal) -> Result<(), Error> {
    each(
        api,
        items,
        |item| &item.item,
        |item| {
            let model = match (kind, how, &item.remote.parent) {
                (Kind::Category, Removal::Delete, _) => "product.category",
                (Kind::Product, _, None) => "product.template",
                (Kind::Product, _, Some(_)) => "product.product",
                (Kind::Customer, _, _) => "party.party",
                _ => return Err(unsupported("this kind cannot be removed that way")),
            };
            let id = api::id(&item.remote.id)?;
            let done = match how {
                Removal::Delete => api.delete(model, id),
                Removal::Deactivate => api.write(model, id, &json!({"active": false})),
            };
            match done {
                Ok(()) => Ok(Outcome::Done(written(item.remote.clone()))),
                // Gone already is as good.
                Err(Error::NotFound(_)) => Ok(Outcome::Unchanged(item.remote.clone())),
                Err(error) => Err(error),
            }
        },
    )
}

/// Settles every record. What is wrong with one stops no other; a platform that is away stops all the rest, which was
/// certainly not tried.
fn each<T>(
    api: &Api<'_>,
    records: &[T],
    item: impl Fn(&T) -> &String,
    push: impl Fn(&T) -> Result<Outcome, Error>,
) -> Result<(), Error> {
    for (at, record) in records.iter().enumerate() {
        let before = api.writes();
        let error = match push(record) {
            Ok(outcome) => {
                api.host.settle(item(record), outcome);
                continue;
            }
            Err(error) => error,
        };
        let pause = match &error {
            Error::Throttled(seconds) => *seconds,
            Error::Auth(_) | Error::Unavailable(_) | Error::Denied(_) => PAUSE,
            _ => {
                api.host.settle(item(record), Outcome::Failed(error));
                continue;
            }
        };
        // Once something was written, only asking the platform tells how far it came: the record is left unsettled.
        if api.writes() == before {
            let outcome = match &error {
                Error::Auth(_) => Outcome::Failed(error.clone()),
                _ => Outcome::Later(pause),
            };
            api.host.settle(item(record), outcome);
        }
        for record in &records[at + 1..] {
            api.host.settle(item(record), Outcome::Later(pause));
        }
        return Err(error);
    }
    Ok(())
}

/// The object that a head is about: absent when it is to be made.
fn target(head: &Head) -> Result<Option<u64>, Error> {
    match (head.op, &head.remote) {
        (Op::Create, _) => Ok(None),
        (Op::Update | Op::Resume, Some(remote)) => api::id(&remote.id).map(Some),
        (Op::Update | Op::Resume, None) => Err(Error::Bug("a change without the object's reference".into())),
        (Op::CreateDone, _) => Err(unsupported("finished records cannot be made")),
        (Op::Read, _) => Err(Error::Bug("a record that was read was pushed".into())),
    }
}

fn unsupported(words: &str) -> Error {
    Error::Unsupported(words.into())
}

fn written(remote: RemoteRef) -> Written {
    Written { remote, parts: Vec::new(), total: None, warnings: Vec::new() }
}

/// A record without parts, as far as it is written.
fn done(id: u64) -> Outcome {
    Outcome::Done(written(remote(id)))
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
