//! The plan of a push: which writes a platform needs, computed from what changed, what is there and what waits.
//!
//! Planning changes nothing on a platform. A preview is the same plan, rolled back.

mod event;
mod figure;
mod hub;
mod state;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::guard::{Alarm, Weighed};
use super::ownership::Ownership;
use super::projection::Missing;
use crate::ledger::attention::NewAttention;
use crate::ledger::instance::Instance;
use crate::ledger::platform::Platform;
use crate::ledger::run::{RunItem, What};
use crate::ledger::wait::{Waiting, on_link};
use crate::ledger::{LedgerError, Tx};
use crate::model::description::{Description, StockFigure};
use crate::model::policy::Policy;
use crate::model::{EventId, FacetKey, Hash, IntentId, Kind, Op, PlatformId, RecordId, RunId};

pub use event::AS_DONE;
pub(crate) use event::UNFINISHED;
pub(crate) use hub::{HubLookup, name_of};

/// Everything a plan is made from that does not change while it is made.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) platform: Platform,
    /// What its connector says.
    pub(crate) description: Description,
    pub(crate) instance: Instance,
    /// Who owns what.
    pub(crate) ownership: Ownership,
    /// Codes of all platforms.
    pub(crate) codes: BTreeMap<PlatformId, String>,
    /// Stock figure that each platform reads.
    pub(crate) figures: BTreeMap<PlatformId, StockFigure>,
    /// Pictures that were fetched in this run.
    pub(crate) contents: Arc<Contents>,
    pub(crate) now: Timestamp,
    pub(crate) run: Option<RunId>,
}

/// Contents of pictures by platform and address; `None`: they cannot be had now.
pub(crate) type Contents = HashMap<(PlatformId, String), Option<String>>;

/// What a push would do to one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreseen {
    /// A new object.
    Create,
    /// Facets of an object change.
    Change,
    /// An object is taken away.
    Remove,
    /// An event is applied to an order.
    Apply,
    /// Nothing, because.
    Skip,
    /// Something else is needed first.
    Block,
}

/// A facet that would change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which.
    pub key: FacetKey,
    /// What the platform showed last; absent: not known.
    pub old: Option<Value>,
    /// What it would get.
    pub new: Value,
}

/// One line of a preview.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewLine {
    /// Record.
    pub record: RecordId,
    /// As a person knows it: SKU, number, e-mail.
    pub name: String,
    /// What would happen.
    pub foreseen: Foreseen,
    /// Facet by facet.
    pub changes: Vec<Change>,
    /// Why.
    pub why: String,
}

/// What a chunk of the plan came to.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) lines: Vec<PreviewLine>,
    /// For the guard: what no person has released yet.
    pub(crate) weighed: Vec<(IntentId, Weighed)>,
    pub(crate) items: Vec<RunItem>,
    /// Pictures that have to be fetched before the records that need them can be planned.
    pub(crate) contents: BTreeSet<(PlatformId, String)>,
    /// Where the next chunk begins.
    pub(crate) next: Option<Next>,
}

/// Where a plan goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Records(RecordId),
    Events(EventId),
}

/// Records planned in one transaction.
const CHUNK: u32 = 100;

impl Scene {
    /// Plans the next chunk of a kind.
    pub(crate) fn plan(&self, tx: &Tx<'_>, kind: Kind, next: Option<Next>) -> Result<Outline, LedgerError> {
        let mut outline = Outline::default();
        if self.description.writing(kind).is_none() {
            return Ok(outline);
        }
        if kind.is_event() {
            let after = match next {
                Some(Next::Events(after)) => after,
                Some(Next::Records(_)) | None => {
                    self.replan_events(tx, kind, &mut outline)?;
                    EventId(0)
                }
            };
            let due = tx.next_deliveries(self.platform.id, after, CHUNK)?;
            outline.next = (due.len() == CHUNK as usize).then(|| due.last().map(|d| Next::Events(d.event))).flatten();
            for delivery in due {
                self.plan_delivery(tx, kind, &delivery, &mut outline)?;
            }
        } else {
            let after = match next {
                Some(Next::Records(after)) => after,
                Some(Next::Events(_)) | None => RecordId(0),
            };
            let wanted = tx.wanted_records(self.platform.id, kind, self.now, after, CHUNK)?;
            outline.next =
                (wanted.len() == CHUNK as usize).then(|| wanted.last().map(|record| Next::Records(*record))).flatten();
            for record in wanted {
                self.plan_record(tx, kind, record, &mut outline)?;
            }
        }
        if let Some(run) = self.run {
            tx.write_run_lines(run, &outline.items)?;
        }
        Ok(outline)
    }

    fn policy(&self) -> &Policy {
        &self.platform.policy
    }

    fn lookup<'a>(&'a self, tx: &'a Tx<'a>) -> HubLookup<'a> {
        HubLookup { view: tx, target: self.platform.id, ownership: &self.ownership, contents: &self.contents }
    }

    fn key(&self, record: RecordId, rest: &str) -> String {
        let prefix = format!("{}/{}/{record}/", self.instance.instance_id, self.platform.id);
        let plain = rest.bytes().all(|byte| byte.is_ascii_graphic()) && prefix.len() + rest.len() <= 128;
        if plain { prefix + rest } else { prefix + "x" + &Hash::of_bytes(rest.as_bytes()).to_hex() }
    }

    /// What is written on an object, as far as it has room for that.
    fn marker(&self, kind: Kind, key: &str, people: Option<String>) -> Option<String> {
        let room = self.description.writing(kind)?.marker? as usize;
        let short = || format!("tp-{}", &Hash::of_bytes(key.as_bytes()).to_hex()[..16]);
        [people, Some(key.to_owned()), Some(short())].into_iter().flatten().find(|marker| marker.len() <= room)
    }

    /// Lets wants of a record, or an intent, wait for what is missing.
    fn wait(
        &self,
        tx: &Tx<'_>,
        waiting: Waiting,
        id: &str,
        missing: &[Missing],
        outline: &mut Outline,
    ) -> Result<String, LedgerError> {
        let mut why = Vec::new();
        for missing in missing {
            match missing {
                Missing::Link { kind, record } => {
                    tx.wait_for(waiting, id, &on_link(self.platform.id, *kind, *record))?;
                    why.push(format!("{kind} {} has to be there first", name_of(tx, *record)?));
                }
                Missing::Content { from, url } => {
                    outline.contents.insert((*from, url.clone()));
                    why.push("pictures are fetched first".to_owned());
                }
            }
        }
        why.dedup();
        Ok(why.join("; "))
    }

    fn skip(
        &self,
        tx: &Tx<'_>,
        record: RecordId,
        foreseen: Foreseen,
        why: String,
        outline: &mut Outline,
    ) -> Result<(), LedgerError> {
        if foreseen == Foreseen::Block {
            outline.items.push(RunItem {
                record: Some(record),
                remote: None,
                what: What::Waiting,
                detail: Some(why.clone()),
            });
        }
        let name = name_of(tx, record)?;
        outline.lines.push(PreviewLine { record, name, foreseen, changes: Vec::new(), why });
        Ok(())
    }

    fn weigh(
        &self,
        tx: &Tx<'_>,
        intent: IntentId,
        record: RecordId,
        op: Op,
        alarm: Alarm,
        outline: &mut Outline,
    ) -> Result<(), LedgerError> {
        if !tx.intent(intent)?.released {
            outline.weighed.push((intent, Weighed { record, op, alarm }));
        }
        Ok(())
    }

    fn attend(&self, tx: &Tx<'_>, attention: NewAttention) -> Result<(), LedgerError> {
        tx.attend(&NewAttention { platform: Some(self.platform.id), ..attention }, self.run)?;
        Ok(())
    }
}
