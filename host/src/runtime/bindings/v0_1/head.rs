//! The envelope of every record.

use super::value::{
    Read, invalid, list, part, remote_ref, timestamp_opt, to_part, to_remote_ref, to_timestamp, within,
};
use super::wit::tradepost::connector::head as wh;
use crate::model::{Facets, Kind, Op, Record};

/// A pulled record with its envelope and nothing else.
pub(super) fn record(kind: Kind, head: wh::Head) -> Read<Record> {
    let wh::Head { op: _, item: _, marker, remote, parts, updated } = head;
    within(
        || "head".into(),
        (|| {
            let Some(remote) = remote else { return invalid("remote", "a record that was read has an id") };
            Ok(Record {
                kind,
                op: Op::Read,
                item: String::new(),
                marker: marker.filter(|marker| !marker.is_empty()),
                remote: Some(remote_ref("remote", remote)?),
                of: None,
                keys: Vec::new(),
                facets: Facets::new(),
                variants: Vec::new(),
                parts: list("parts", parts, part)?,
                updated: timestamp_opt("updated", updated)?,
                as_of: None,
            })
        })(),
    )
}

/// The envelope of a record to be written.
pub(super) fn to_head(record: &Record) -> wh::Head {
    wh::Head {
        op: match record.op {
            Op::Read => wh::Op::Read,
            Op::Create => wh::Op::Create,
            Op::CreateDone => wh::Op::CreateDone,
            Op::Resume => wh::Op::Resume,
            // An event is applied to an order that exists; a deletion never travels in a head.
            Op::Update | Op::Apply | Op::Delete => wh::Op::Update,
        },
        item: record.item.clone(),
        marker: record.marker.clone(),
        remote: record.remote.as_ref().map(to_remote_ref),
        parts: record.parts.iter().map(to_part).collect(),
        updated: record.updated.map(to_timestamp),
    }
}
