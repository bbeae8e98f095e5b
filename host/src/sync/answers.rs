//! What follows from the answers to questions that a pull asked.

use jiff::Timestamp;

use super::commit::{Commit, pushed_as};
use crate::ledger::attention::Attention;
use crate::ledger::inbox::InboxState;
use crate::ledger::link::{LinkState, MAIN, MadeBy, NewLink};
use crate::ledger::record::{FacetChange, FacetRule};
use crate::ledger::want::WantReason;
use crate::ledger::{LedgerError, Tx};
use crate::model::{EventId, FacetKey, Key, Kind, LinkId, PlatformId, Record, RecordId, RecordKind, RemoteRef};

/// Does what the answer to an attention of a pull says; the attention is answered already. False: it is none of a pull's.
///
/// # Errors
/// [`LedgerError::Conflict`] when the answer contradicts what the ledger holds by now.
pub fn apply(tx: &Tx<'_>, attention: &Attention, answer: &str, now: Timestamp) -> Result<bool, LedgerError> {
    let number = |name: &str| attention.data.get(name).and_then(serde_json::Value::as_i64);
    match attention.cause_key.split(':').next() {
        Some("inbox") => match number("inbox") {
            Some(inbox) => identify(tx, attention, inbox, answer).map(|()| true),
            None => Ok(false),
        },
        Some("totals") => {
            if let ("send", Some(event)) = (answer, number("event")) {
                let event = tx.event(EventId(event))?;
                let mut commit = Commit::new(tx, event.from, Kind::Order, None, now, false)?;
                commit.deliver_placed(event.record, event.id)?;
            }
            Ok(true)
        }
        Some("drift") => {
            let facet = attention.data.get("facet").and_then(serde_json::Value::as_str);
            match (number("link"), facet) {
                (Some(link), Some(facet)) => drifted(tx, LinkId(link), &FacetKey::from(facet), answer).map(|()| true),
                _ => Ok(false),
            }
        }
        _ => Ok(false),
    }
}

/// A person said what a held object is; it is applied by the next pull of its kind.
fn identify(tx: &Tx<'_>, attention: &Attention, inbox: i64, answer: &str) -> Result<(), LedgerError> {
    let row = tx.inbox_row(inbox)?;
    let record: Record =
        serde_json::from_str(&row.raw).map_err(|source| LedgerError::Corrupt { what: "inbox.raw", source })?;
    let remote = record
        .remote
        .clone()
        .ok_or_else(|| LedgerError::Conflict { message: "what is held has no id, so it cannot be linked".into() })?;
    let kind = match record.kind {
        Kind::Shipment => RecordKind::Shipment,
        kind => kind.record_kind(),
    };
    let variant: Option<RemoteRef> =
        attention.data.get("variant").and_then(|variant| serde_json::from_value(variant.clone()).ok());
    let (how, id) = answer.split_once(':').unwrap_or((answer, ""));
    match (how, id.parse().map(RecordId)) {
        ("same" | "slot", Ok(same)) => {
            // What was unclear is a variant: it takes its product along.
            let product = match &variant {
                Some(variant) => {
                    is(tx, row.platform, RecordKind::Variant, same, variant.clone(), how)?;
                    tx.record(same)?.product
                }
                None => Some(same),
            };
            if let Some(record) = product {
                is(tx, row.platform, kind, record, remote, how)?;
            }
        }
        ("new", _) => {
            let new = |kind, remote, keys: &[Key]| {
                let new = tx.create_record(kind, Some(row.platform), None)?;
                tx.add_keys(new, kind, keys)?;
                tx.add_link(&NewLink::live(row.platform, kind, new, remote, MadeBy::Hand))
            };
            if let Some(variant) = variant {
                // Its SKU is another record's already.
                new(RecordKind::Variant, variant, &[])?;
            }
            new(kind, remote, &record.keys)?;
        }
        ("never", _) => {
            for candidate in &attention.choices {
                if let Some(Ok(record)) = candidate.name.strip_prefix("same:").map(|id| id.parse().map(RecordId)) {
                    tx.never_match(row.platform, kind, &remote.id, record)?;
                }
            }
            tx.add_link(&NewLink {
                record: None,
                state: LinkState::Ignored,
                reason: Some("left out by hand".into()),
                ..NewLink::live(row.platform, kind, RecordId(0), remote, MadeBy::Hand)
            })?;
            return tx.set_inbox(inbox, InboxState::Applied);
        }
        _ => return Err(LedgerError::Conflict { message: format!("`{answer}` is no answer to this") }),
    }
    tx.set_inbox(inbox, InboxState::New)?;
    Ok(())
}

/// The object is the record (and the one that was so far is not), or one more of it.
fn is(
    tx: &Tx<'_>,
    platform: PlatformId,
    kind: RecordKind,
    record: RecordId,
    remote: RemoteRef,
    how: &str,
) -> Result<(), LedgerError> {
    let slot = if how == "same" { MAIN.to_owned() } else { remote.id.clone() };
    if how == "same"
        && let Some(other) = tx.link_of(platform, kind, record, MAIN)?
        && other.remote.id != remote.id
    {
        tx.set_link_state(other.id, LinkState::Removed, Some("a person said that another object is it"))?;
        tx.never_match(platform, kind, &other.remote.id, record)?;
    }
    tx.add_link(&NewLink { slot, ..NewLink::live(platform, kind, record, remote, MadeBy::Hand) })?;
    Ok(())
}

/// A person said what becomes of a stranger's change.
fn drifted(tx: &Tx<'_>, link: LinkId, key: &FacetKey, answer: &str) -> Result<(), LedgerError> {
    let link = tx.link(link)?;
    let Some(id) = link.record else { return Ok(()) };
    let record = tx.record(id)?;
    let mut facets = link.facets.clone();
    let Some(facet) = facets.get_mut(key) else { return Ok(()) };
    match answer {
        "restore" => {
            facet.sent_hash = None;
            tx.set_link_facets(link.id, &facets, None)?;
            if let Some((kind, of, key)) = pushed_as(&record.identity(), key) {
                tx.want(link.platform, kind, of, &key, WantReason::Hand, None)?;
            }
        }
        "adopt" => {
            let body = facet.seen_body.clone();
            facet.base_hash = facet.seen_hash;
            tx.set_link_facets(link.id, &facets, None)?;
            if let Some(body) = body {
                let change = FacetChange { key: key.clone(), body: Some(body), as_of: None };
                let changed = tx.write_facets(id, vec![change], Some(link.platform), FacetRule::Adopt, None)?;
                let platforms = tx.platforms()?;
                for target in platforms.iter().filter(|target| target.id != link.platform && !changed.is_empty()) {
                    if let Some((kind, of, key)) = pushed_as(&record.identity(), key)
                        && target.policy.pushes.contains(&kind)
                        && tx.link_of(target.id, record.kind, id, MAIN)?.is_some()
                    {
                        tx.want(target.id, kind, of, &key, WantReason::Hand, None)?;
                    }
                }
            }
        }
        _ => {
            // Left as it is: what stands there now is the base of the next comparison.
            facet.base_hash = facet.seen_hash;
            tx.set_link_facets(link.id, &facets, None)?;
        }
    }
    Ok(())
}
