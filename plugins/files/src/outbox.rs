//! Writing for the ERP: a file per order, per event of an order, per customer. The name comes from the marker or the
//! idempotency key, so that writing again after a lost answer replaces the same file, and looking up finds it: in the
//! outbox, or where the ERP moved it.

mod csv;
mod document;
mod event;

use tradepost_sdk::head::{Head, Part, PartKind};
use tradepost_sdk::outcomes::{Outcome, Written};
use tradepost_sdk::records::{Kind, Records};
use tradepost_sdk::report::Level;
use tradepost_sdk::sales::{Customer, Order, OrderEvent};
use tradepost_sdk::target::{Found, Probe};
use tradepost_sdk::types::{Error, Issue};

pub(crate) use document::OrderFile;

use crate::host::Folder;
use crate::inbox::{DONE, FAILED, OUTBOX};
use crate::map::remote;
use crate::settings::OrderFormat;
use document::CustomerFile;

/// Longest part of a file's name that comes from a marker.
const NAME: usize = 80;
/// Most characters of a marker.
pub(crate) const MARKER: u32 = 80;

/// An order that was written for the ERP.
#[derive(Debug)]
pub(crate) struct Given {
    /// Its id on this platform.
    pub(crate) id: String,
    pub(crate) order: OrderFile,
}

pub(crate) fn push(folder: &Folder<'_>, batch: Records) -> Result<(), Error> {
    fn each<T>(
        folder: &Folder<'_>,
        records: &[T],
        head: impl Fn(&T) -> &Head,
        write: impl Fn(&Folder<'_>, &T) -> Result<Written, Error>,
    ) {
        for record in records {
            let outcome = write(folder, record).map_or_else(Outcome::Failed, Outcome::Done);
            folder.host.settle(&head(record).item, outcome);
        }
    }
    match &batch {
        Records::Orders(orders) => each(folder, orders, |order| &order.head, order),
        Records::OrderEvents(events) => each(folder, events, |event| &event.head, happened),
        Records::Customers(customers) => each(folder, customers, |customer| &customer.head, customer),
        _ => return Err(Error::Unsupported("orders, their events and customers are written; nothing else".into())),
    }
    Ok(())
}

fn order(folder: &Folder<'_>, order: &Order) -> Result<Written, Error> {
    let id = own_id(order.head.marker.as_deref(), &order.head.item);
    let file = OrderFile::new(&id, order);
    let parts = file.parts();
    let format = folder.setup.settings.order_format;
    let name = order_name(&id, format);
    let mut warnings = Vec::new();
    // The outbox is looked at first: files go from there to the other places and never back, so that one which the ERP
    // moves in between is seen where it arrives. The other way round it would be seen nowhere and written twice.
    let waits = folder.is_there(&format!("{OUTBOX}/{name}"))?;
    if waits || !was_taken(folder, &name, &note(&id))? {
        // What waits is whole, and an order never changes under its id.
        if !waits {
            let bytes = match format {
                OrderFormat::Json => json(&file),
                OrderFormat::Csv => {
                    let (bytes, lost) = csv::order(&folder.setup, &file);
                    if lost {
                        let message = "it has characters that Windows-1252 does not know; they became `?`".into();
                        warnings.push(Issue { path: String::new(), code: None, message });
                    }
                    bytes
                }
            };
            write(folder, &name, &bytes)?;
        }
        // The file itself tells everything as long as it is kept; these are for an ERP that deletes what it has read.
        keep(folder, &note(&id), &json(&file.brief()));
        if file.number != id {
            keep(folder, &by_number(&file.number), id.as_bytes());
        }
    }
    Ok(Written { remote: remote(&id), parts, total: None, warnings })
}

fn happened(folder: &Folder<'_>, event: &OrderEvent) -> Result<Written, Error> {
    let order = event.head.remote.as_ref().map(|remote| &remote.id).or(event.order.id.as_ref());
    let order = order.ok_or_else(|| Error::Bug("an event without its order's reference".into()))?;
    let name = event_name(order, &event.head.item);
    // As with orders: the outbox first.
    let waits = folder.is_there(&format!("{OUTBOX}/{name}"))?;
    if waits || !was_taken(folder, &name, &event_note(order, &event.head.item))? {
        if !waits {
            write(folder, &name, &json(&event::document(order, event)))?;
        }
        keep(folder, &event_note(order, &event.head.item), b"1");
    }
    Ok(Written { remote: remote(order), parts: Vec::new(), total: None, warnings: Vec::new() })
}

/// Customers are a state: the newest file replaces an older one that the ERP has not taken yet.
fn customer(folder: &Folder<'_>, customer: &Customer) -> Result<Written, Error> {
    let id = match &customer.head.remote {
        Some(remote) => remote.id.clone(),
        None => own_id(customer.head.marker.as_deref(), &customer.head.item),
    };
    let name = customer_name(&id);
    let waiting = folder.whole(&format!("{OUTBOX}/{name}"))?;
    let mut file: CustomerFile =
        waiting.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_else(|| CustomerFile::new(&id));
    file.update(customer);
    write(folder, &name, &json(&file))?;
    keep(folder, &customer_note(&id), b"1");
    if let Some(base) = &customer.base {
        for (key, value) in [("number", &base.number), ("email", &base.email)] {
            if let Some(value) = value {
                keep(folder, &customer_by(key, value), id.as_bytes());
            }
        }
    }
    Ok(Written { remote: remote(&id), parts: Vec::new(), total: None, warnings: Vec::new() })
}

/// All matches of each probe.
pub(crate) fn find(folder: &Folder<'_>, kind: Kind, probes: &[Probe]) -> Result<Vec<Vec<Found>>, Error> {
    probes.iter().map(|probe| Ok(found(folder, kind, probe)?.into_iter().collect())).collect()
}

fn found(folder: &Folder<'_>, kind: Kind, probe: &Probe) -> Result<Option<Found>, Error> {
    let whole = |id: &str, parts: Vec<Part>| {
        Some(Found { remote: remote(id), marker: probe.marker.clone(), whole: true, parts })
    };
    let id = own_id(probe.marker.as_deref(), &probe.item);
    Ok(match kind {
        Kind::Order => match written_order(folder, &id)? {
            Some(given) => whole(&given.id, given.order.parts()),
            None => order_by_number(folder, probe)?,
        },
        Kind::OrderEvent => match &probe.of {
            Some(of) => {
                let (name, note) = (event_name(&of.id, &probe.item), event_note(&of.id, &probe.item));
                if is_written(folder, &name, &note)? { whole(&of.id, Vec::new()) } else { None }
            }
            None => None,
        },
        Kind::Customer => {
            if is_written(folder, &customer_name(&id), &customer_note(&id))? {
                whole(&id, Vec::new())
            } else {
                customer_by_key(folder, probe)?
            }
        }
        _ => return Err(Error::Unsupported("only what is written to the outbox can be looked up".into())),
    })
}

fn keys<'a>(probe: &'a Probe, name: &'a str) -> impl Iterator<Item = &'a str> {
    probe.keys.iter().filter(move |key| key.name == name).map(|key| key.value.as_str())
}

/// Several shops may give the same number: an order that carries another marker is another one.
fn order_by_number(folder: &Folder<'_>, probe: &Probe) -> Result<Option<Found>, Error> {
    for number in keys(probe, "number") {
        if let Some(Given { id, order }) = given(folder, number)?
            && (probe.marker.is_none() || probe.marker == order.marker)
        {
            return Ok(Some(Found {
                remote: remote(&id),
                marker: order.marker.clone(),
                whole: true,
                parts: order.parts(),
            }));
        }
    }
    Ok(None)
}

/// As with orders: the id of a customer is made of its marker, so that with one nothing else can be it.
fn customer_by_key(folder: &Folder<'_>, probe: &Probe) -> Result<Option<Found>, Error> {
    if probe.marker.is_some() {
        return Ok(None);
    }
    for (name, value) in ["number", "email"].iter().flat_map(|name| keys(probe, name).map(move |key| (name, key))) {
        if let Some(id) = folder.host.load(&customer_by(name, value))? {
            let id = String::from_utf8_lossy(&id);
            if is_written(folder, &customer_name(&id), &customer_note(&id))? {
                return Ok(Some(Found { remote: remote(&id), marker: None, whole: true, parts: Vec::new() }));
            }
        }
    }
    Ok(None)
}

/// The order that the ERP means, by our id of it or by the shop's number.
pub(crate) fn given(folder: &Folder<'_>, named: &str) -> Result<Option<Given>, Error> {
    if let Some(given) = written_order(folder, &safe(named))? {
        return Ok(Some(given));
    }
    match folder.host.load(&by_number(named))? {
        Some(id) => written_order(folder, &String::from_utf8_lossy(&id)),
        None => Ok(None),
    }
}

/// An order that is there, or was.
fn written_order(folder: &Folder<'_>, id: &str) -> Result<Option<Given>, Error> {
    let name = order_name(id, OrderFormat::Json);
    let mut order: Option<OrderFile> = None;
    for place in [OUTBOX, DONE, FAILED] {
        let bytes = folder.whole(&format!("{place}/{name}"))?;
        // Another file may have such a name; ours says who it is.
        order = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).filter(|file: &OrderFile| file.id == id);
        if order.is_some() {
            break;
        }
    }
    if order.is_none() {
        let bytes = folder.host.load(&note(id))?;
        order = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    }
    if order.is_none() && is_written(folder, &order_name(id, OrderFormat::Csv), &note(id))? {
        order = Some(OrderFile { id: id.to_owned(), number: id.to_owned(), ..OrderFile::default() });
    }
    Ok(order.map(|order| Given { id: id.to_owned(), order }))
}

/// The ERP has got it: it moved the file, or took it away after it was written.
fn was_taken(folder: &Folder<'_>, name: &str, note: &str) -> Result<bool, Error> {
    for place in [DONE, FAILED] {
        if folder.is_there(&format!("{place}/{name}"))? {
            return Ok(true);
        }
    }
    Ok(folder.host.load(note)?.is_some() && !folder.is_there(&format!("{OUTBOX}/{name}"))?)
}

fn is_written(folder: &Folder<'_>, name: &str, note: &str) -> Result<bool, Error> {
    Ok(folder.is_there(&format!("{OUTBOX}/{name}"))? || was_taken(folder, name, note)?)
}

/// Writes into the outbox, unless the same bytes are there already.
fn write(folder: &Folder<'_>, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = format!("{OUTBOX}/{name}");
    if folder.whole(&path)?.as_deref() == Some(bytes) {
        return Ok(());
    }
    folder.host.write(&path, bytes).map_err(|error| match error {
        // The disk failed, perhaps behind the renaming: looking up tells.
        Error::Unavailable(words) => Error::Timeout(words),
        other => other,
    })
}

/// The file is written already: that its note cannot be kept is no reason to say otherwise.
fn keep(folder: &Folder<'_>, key: &str, value: &[u8]) {
    if let Err(error) = folder.host.keep(key, value) {
        let words = "the ERP must not delete files of the outbox but move them to `done`";
        folder.host.log(Level::Warn, &format!("no note was kept of a file ({error:?}): {words}"));
    }
}

fn order_name(id: &str, format: OrderFormat) -> String {
    match format {
        OrderFormat::Json => format!("order-{id}.json"),
        OrderFormat::Csv => format!("order-{id}.csv"),
    }
}

fn event_name(order: &str, item: &str) -> String {
    format!("event-{}-{:016x}.json", safe(order), hash(item))
}

fn customer_name(id: &str) -> String {
    format!("customer-{}.json", safe(id))
}

fn note(id: &str) -> String {
    format!("order/{id}")
}

fn event_note(order: &str, item: &str) -> String {
    format!("event/{}/{:016x}", safe(order), hash(item))
}

fn customer_note(id: &str) -> String {
    format!("customer/{}", safe(id))
}

/// Of the number or address itself nothing is kept.
fn customer_by(key: &str, value: &str) -> String {
    format!("customer-{key}/{:016x}", hash(&value.to_lowercase()))
}

fn by_number(number: &str) -> String {
    format!("number/{}", safe(number))
}

/// The id of something new on this platform.
fn own_id(marker: Option<&str>, item: &str) -> String {
    safe(marker.filter(|marker| !marker.is_empty()).unwrap_or(item))
}

/// A text as part of a file's name. What had to be changed gets a number of its own, so that no two texts have one name.
fn safe(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fits = text.len() <= NAME && !text.is_empty() && text.chars().all(|c| plain(c) || c == '~');
    if fits {
        return text.to_owned();
    }
    let kept: String = text.chars().map(|c| if plain(c) { c } else { '_' }).take(NAME - 17).collect();
    format!("{kept}~{:016x}", hash(text))
}

/// FNV-1a: the same for ever, on every machine.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("strings and lists are JSON");
    bytes.push(b'\n');
    bytes
}

fn line_part(id: &str) -> Part {
    Part { what: PartKind::Line, key: id.to_owned(), id: id.to_owned() }
}

#[cfg(test)]
mod tests;
