//! Applying what was pulled, inside the transaction of its page: identity, facets, wants. Products, orders and shipments
//! have files of their own below this one.

pub(in crate::sync) mod backfill;
mod buyer;
mod facets;
mod goods;
pub(in crate::sync) mod order;
mod product;
mod shipment;
mod totals;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub(super) use facets::pushed_as;

use super::matching::Matched;
use super::ownership::Ownership;
use super::page::{Ready, Said};
use crate::ledger::attention::{Choice, NewAttention};
use crate::ledger::inbox::InboxState;
use crate::ledger::link::{LinkState, MAIN, MadeBy, NewLink, StoredLink};
use crate::ledger::platform::Platform;
use crate::ledger::record::{ChangedFacet, RecordState, StoredRecord};
use crate::ledger::run::{RunItem, What};
use crate::ledger::stream::Stream;
use crate::ledger::wait::{Waiting, on_link, on_remote};
use crate::ledger::want::WantReason;
use crate::ledger::{LedgerError, Tx};
use crate::model::policy::OnGone;
use crate::model::{
    FacetKey, Hash, Key, KeyType, Kind, LinkId, Part, PartKind, PlatformId, Record, RecordId, RecordKind, RemoteRef,
    RunId, Unreadable,
};

/// What the engine knows while it applies a page.
pub(super) struct Commit<'t, 'c> {
    pub(super) tx: &'t Tx<'c>,
    /// The platform that was pulled.
    pub(super) me: Platform,
    pub(super) platforms: Vec<Platform>,
    pub(super) ownership: Ownership,
    pub(super) stream: Stream,
    pub(super) run: Option<RunId>,
    /// When the call began that read this, our clock: what was sent later cannot have been seen.
    pub(super) read_at: Timestamp,
    /// The connector can tell whether an object of this kind is whole.
    pub(super) finds: bool,
    pub(super) items: Vec<RunItem>,
    /// Something of this kind may be held.
    holds: bool,
    /// One bad record stops the page, which then is applied again without this.
    swift: bool,
}

/// Where a pulled object belongs.
enum Home {
    /// A person has to say.
    Held,
    /// It is not imported.
    Ignored,
    /// Here.
    At(Place),
}

/// A record and its link.
struct Place {
    id: RecordId,
    link: LinkId,
    origin: Option<PlatformId>,
    what: What,
    /// Both as they were found; absent: they were made just now, with everything that was said.
    found: Option<Box<(StoredRecord, StoredLink)>>,
    /// What a new record began with.
    begun: Vec<ChangedFacet>,
}

impl Place {
    fn is_new(&self) -> bool {
        self.found.is_none()
    }
}

impl<'t, 'c> Commit<'t, 'c> {
    pub(super) fn new(
        tx: &'t Tx<'c>,
        platform: PlatformId,
        kind: Kind,
        run: Option<RunId>,
        read_at: Timestamp,
        finds: bool,
    ) -> Result<Self, LedgerError> {
        let platforms = tx.platforms()?;
        Ok(Self {
            tx,
            me: tx.platform(platform)?,
            ownership: Ownership::of(&platforms),
            platforms,
            stream: tx.stream(platform, kind)?,
            run,
            read_at,
            finds,
            items: Vec::new(),
            holds: tx.holds(platform, kind)?,
            swift: false,
        })
    }

    /// Without a way back for each record by itself, which costs as much as the record: the first one that contradicts
    /// what the ledger holds ends it with an error [`of_record`], and the page has to be applied again without this.
    pub(super) fn swiftly(self) -> Self {
        Self { swift: true, ..self }
    }

    /// Applies a record; one that contradicts what the ledger holds is held for a person and stops no other.
    pub(super) fn record(&mut self, ready: &Ready) -> Result<(), LedgerError> {
        if self.swift {
            return self.apply(ready);
        }
        let tx = self.tx;
        let lines = self.items.len();
        match tx.attempt(|_| self.apply(ready)) {
            Err(error) if of_record(&error) => {
                self.items.truncate(lines);
                self.hold(&ready.record, &error.to_string(), &[], None)
            }
            result => result,
        }
    }

    fn apply(&mut self, ready: &Ready) -> Result<(), LedgerError> {
        let record = &ready.record;
        let applied = match record.kind {
            Kind::Product => self.product(ready)?,
            Kind::Stock | Kind::Price => self.figure(ready)?,
            Kind::Order => self.order(ready)?,
            Kind::Shipment => self.shipment(record)?,
            Kind::Category | Kind::Customer => self.plain(ready)?,
            Kind::OrderEvent => {
                return Err(LedgerError::Conflict { message: "order events are not pulled".into() });
            }
        };
        if applied
            && self.holds
            && let Some(held) = self.tx.held_for(self.me.id, record.kind, &held_id(record))?
        {
            self.tx.set_inbox(held.id, InboxState::Applied)?;
            self.tx.solve_attention(&self.cause(record.kind, &held_id(record)))?;
        }
        Ok(())
    }

    /// A category or a customer.
    fn plain(&mut self, ready: &Ready) -> Result<bool, LedgerError> {
        let record = &ready.record;
        let kind = record.kind.record_kind();
        let remote = remote(record)?;
        let matched = self.find_record(kind, remote, record.marker.as_deref(), &record.keys)?;
        let mut place = match self.home(kind, ready, remote, matched)? {
            Home::Held => return Ok(false),
            Home::Ignored => return Ok(true),
            Home::At(place) => place,
        };
        let changed = self.facets(&mut place, ready.said(), Some(remote), None)?;
        self.keys(&place, kind, &record.keys)?;
        let addresses = self.ownership.owner(kind, &"addresses".into(), place.origin);
        let named = |part: &&Part| {
            // Whose addresses are others' knows their keys only from the write.
            addresses == Some(self.me.id) || part.kind != PartKind::Address || part.key != part.id
        };
        let parts: Vec<Part> = record.parts.iter().filter(named).cloned().collect();
        self.tx.set_parts(place.link, &parts)?;
        self.line(place.id, remote, place.what, &changed);
        Ok(true)
    }

    /// Finds or makes the record and the link that the match asks for.
    fn home(
        &mut self,
        kind: RecordKind,
        ready: &Ready,
        remote: &RemoteRef,
        matched: Matched,
    ) -> Result<Home, LedgerError> {
        match matched {
            Matched::Ambiguous { reason, candidates } => {
                self.hold(&ready.record, &reason, &candidates, None)?;
                Ok(Home::Held)
            }
            Matched::Ignored { reason } => {
                self.ignore(kind, remote, &reason)?;
                Ok(Home::Ignored)
            }
            matched => self.settle_match(kind, remote, matched, ready.said(), None).map(Home::At),
        }
    }

    /// Makes what a clear match asks for. A new record begins with what is said of it; `into`: the product of a new
    /// variant.
    fn settle_match(
        &mut self,
        kind: RecordKind,
        remote: &RemoteRef,
        matched: Matched,
        said: Said<'_>,
        into: Option<RecordId>,
    ) -> Result<Place, LedgerError> {
        let found = |record: StoredRecord, link: StoredLink, what| Place {
            id: record.id,
            link: link.id,
            origin: record.origin,
            what,
            found: Some(Box::new((record, link))),
            begun: Vec::new(),
        };
        match matched {
            Matched::Linked(link) => {
                let record = link
                    .record
                    .ok_or_else(|| LedgerError::Missing { what: "record of link", id: link.id.to_string() })?;
                if link.state == LinkState::Gone {
                    self.tx.set_link_state(link.id, LinkState::Live, None)?;
                    self.tx.wake(&on_link(self.me.id, kind, record))?;
                    self.tx.wake(&on_remote(self.me.id, kind, &remote.id))?;
                }
                let mut stored = self.tx.record(record)?;
                if stored.state == RecordState::Deleted && self.owns(kind, &FacetKey::head(), stored.origin) {
                    self.tx.mark_active(record)?;
                    self.want_whole(kind, record)?;
                    stored = self.tx.record(record)?;
                }
                Ok(found(stored, link, What::Unchanged))
            }
            Matched::Own { record, intent } => {
                let link = self.link(kind, record, remote, MadeBy::Created)?;
                if let Some(intent) = intent {
                    self.own_child(&intent, link, remote)?;
                } else {
                    self.want_whole(kind, record)?;
                }
                Ok(found(self.tx.record(record)?, self.tx.link(link)?, What::Matched))
            }
            Matched::Key(record) => {
                // A platform without markers: the object with this key may still be what we were making.
                let open = self.open_create(kind, record)?;
                let made_by = if open.is_some() { MadeBy::Created } else { MadeBy::Matched };
                let link = self.link(kind, record, remote, made_by)?;
                match open {
                    Some(intent) => self.own_child(&intent, link, remote)?,
                    None => self.want_whole(kind, record)?,
                }
                Ok(found(self.tx.record(record)?, self.tx.link(link)?, What::Matched))
            }
            Matched::New => self.begin(kind, remote, said, into),
            Matched::Ignored { reason } | Matched::Ambiguous { reason, .. } => {
                Err(LedgerError::Conflict { message: reason })
            }
        }
    }

    fn link(
        &mut self,
        kind: RecordKind,
        record: RecordId,
        remote: &RemoteRef,
        made_by: MadeBy,
    ) -> Result<LinkId, LedgerError> {
        if let Some(old) = self.tx.link_of(self.me.id, kind, record, MAIN)?
            && old.remote.id != remote.id
            && old.state == LinkState::Gone
        {
            let reason = format!("{} is gone and was made again as {}", old.remote.id, remote.id);
            self.tx.set_link_state(old.id, LinkState::Removed, Some(&reason))?;
        }
        let new = NewLink { run: self.run, ..NewLink::live(self.me.id, kind, record, remote.clone(), made_by) };
        self.tx.add_link(&new)
    }

    /// Seen, not imported, because.
    fn ignore(&mut self, kind: RecordKind, remote: &RemoteRef, reason: &str) -> Result<(), LedgerError> {
        let known = self.tx.link_by_remote(self.me.id, kind, &remote.id)?;
        if known.is_none_or(|link| link.state != LinkState::Ignored || link.reason.as_deref() != Some(reason)) {
            self.tx.add_link(&NewLink {
                platform: self.me.id,
                kind,
                record: None,
                slot: MAIN.into(),
                remote: remote.clone(),
                state: LinkState::Ignored,
                reason: Some(reason.into()),
                made_by: MadeBy::Pulled,
                run: self.run,
            })?;
        }
        self.item(None, remote, What::Ignored, Some(reason.into()));
        Ok(())
    }

    /// The kind that was pulled.
    pub(super) fn stream_kind(&self) -> Kind {
        self.stream.kind
    }

    /// A stock level or a price.
    fn figure(&mut self, ready: &Ready) -> Result<bool, LedgerError> {
        let record = &ready.record;
        let remote = remote(record)?;
        let mut keys = record.keys.clone();
        if let Some(of) = record.of.as_ref().filter(|of| !of.key.is_empty()) {
            keys.push(Key { kind: KeyType::Sku, value: of.key.clone() });
        }
        let mut place = match self.find_record(RecordKind::Variant, remote, None, &keys)? {
            Matched::New | Matched::Ignored { .. } => {
                // The cursor moves on, so the figure has to be kept until its variant is known.
                let reason = "its variant is not known here";
                let raw = to_text(record)?;
                self.holds = true;
                let held = self.tx.hold(self.me.id, record.kind, Some(&held_id(record)), &raw, reason, self.run)?;
                let key = on_remote(self.me.id, RecordKind::Variant, &remote.id);
                self.tx.wait_for(Waiting::Inbox, &held.to_string(), &key)?;
                self.item(None, remote, What::Ignored, Some(reason.into()));
                return Ok(false);
            }
            Matched::Ambiguous { reason, candidates } => {
                self.hold(record, &reason, &candidates, None)?;
                return Ok(false);
            }
            matched => self.settle_match(RecordKind::Variant, remote, matched, ready.said(), None)?,
        };
        let before = place.found.as_deref().map(|(record, _)| taken_at(record)).unwrap_or_default();
        let changed = self.facets(&mut place, ready.said(), Some(remote), record.as_of)?;
        if let Some((now, _)) = place.found.as_deref() {
            self.counted(&before, now)?;
        }
        self.line(place.id, remote, place.what, &changed);
        Ok(true)
    }

    /// A figure may be as before and yet say more: taken after its owner accepted an order, it counts that order, which then
    /// is not subtracted once more.
    fn counted(&self, before: &BTreeMap<FacetKey, Timestamp>, now: &StoredRecord) -> Result<(), LedgerError> {
        let taken = taken_at(now);
        for reservation in self.tx.open_reservations(now.id)? {
            let Some(accepted) = reservation.accepted_at else { continue };
            let newly = taken
                .iter()
                .any(|(key, at)| *at > accepted && before.get(key).is_none_or(|before| *before <= accepted));
            if newly {
                return self.want_stock(now.id);
            }
        }
        Ok(())
    }

    /// Gone from the platform: at the owner that is the record's end, elsewhere the policy says.
    pub(super) fn gone(&mut self, kind: RecordKind, remote: &RemoteRef, how: &str) -> Result<(), LedgerError> {
        let Some(link) = self.tx.link_by_remote(self.me.id, kind, &remote.id)? else { return Ok(()) };
        let (Some(record), LinkState::Live) = (link.record, link.state) else {
            if link.state == LinkState::Ignored {
                self.tx.set_link_state(link.id, LinkState::Removed, Some(how))?;
            }
            return Ok(());
        };
        self.tx.set_link_state(link.id, LinkState::Gone, Some(how))?;
        let stored = self.tx.record(record)?;
        if kind == RecordKind::Order {
            self.attend_gone(&link, record, "The order stays as it is here; cancel it by hand where that is right.")?;
        } else if self.owns(kind, &FacetKey::head(), stored.origin) {
            self.tx.mark_deleted(record)?;
            for variant in self.tx.variants_of(record)? {
                self.tx.mark_deleted(variant.id)?;
                if let Some(link) = self.tx.link_of(self.me.id, RecordKind::Variant, variant.id, MAIN)? {
                    self.tx.set_link_state(link.id, LinkState::Gone, Some(how))?;
                }
            }
            for target in self.platforms.iter().filter(|target| target.id != self.me.id) {
                if let Some(push) = kind_of(kind)
                    && target.policy.pushes.contains(&push)
                    && self.tx.link_of(target.id, kind, record, MAIN)?.is_some()
                {
                    self.tx.want(target.id, push, record, "!delete", WantReason::Data, None)?;
                }
            }
        } else {
            match self.me.policy.on_gone {
                OnGone::Attention => self.attend_gone(
                    &link,
                    record,
                    "Make it again by `record push`, or unlink it by `record unlink`. The platform's policy `on_gone` \
                     decides this for good.",
                )?,
                OnGone::Unlink => self.tx.set_link_state(link.id, LinkState::Removed, Some(how))?,
                OnGone::Recreate => {
                    self.tx.set_link_state(link.id, LinkState::Removed, Some(how))?;
                    self.want_whole(kind, record)?;
                }
            }
        }
        self.item(Some(record), remote, What::Deleted, Some(how.into()));
        Ok(())
    }

    fn attend_gone(&self, link: &StoredLink, record: RecordId, hint: &str) -> Result<(), LedgerError> {
        self.tx.attend(
            &NewAttention {
                cause_key: format!("gone:{}", link.id),
                platform: Some(self.me.id),
                record: Some(record),
                title: format!("{} {} is not on {} any more.", link.kind, link.remote.id, self.me.code),
                hint: hint.into(),
                ..NewAttention::default()
            },
            self.run,
        )?;
        Ok(())
    }

    /// Keeps what could not be read.
    pub(super) fn unreadable(&mut self, kind: Kind, found: &Unreadable) -> Result<(), LedgerError> {
        self.holds = true;
        self.tx.hold(self.me.id, kind, found.id.as_deref(), &found.raw, &found.why, self.run)?;
        // Without an id the text itself is the cause: the same unreadable line is told once.
        let name = found.id.clone().unwrap_or_else(|| Hash::of_bytes(found.raw.as_bytes()).to_hex());
        self.tx.attend(
            &NewAttention {
                cause_key: self.cause(kind, &name),
                platform: Some(self.me.id),
                kind: Some(kind),
                title: format!("A {kind} of {} cannot be read: {}", self.me.code, found.why),
                hint: "Correct it on the platform; it is taken over with the next pull. What came is kept.".into(),
                data: serde_json::json!({"remote": found.id}),
                ..NewAttention::default()
            },
            self.run,
        )?;
        let remote = RemoteRef::new(found.id.clone().unwrap_or_default());
        self.item(None, &remote, What::Unreadable, Some(found.why.clone()));
        Ok(())
    }

    /// Keeps a record that a person has to decide on; `variant`: which of its variants is not clear.
    pub(super) fn hold(
        &mut self,
        record: &Record,
        reason: &str,
        candidates: &[RecordId],
        variant: Option<&RemoteRef>,
    ) -> Result<(), LedgerError> {
        let id = held_id(record);
        self.holds = true;
        let inbox = self.tx.hold(self.me.id, record.kind, Some(&id), &to_text(record)?, reason, self.run)?;
        let mut choices = Vec::new();
        for candidate in candidates {
            choices.push(Choice::new(format!("same:{candidate}"), format!("It is record {candidate}")));
            choices.push(Choice::new(format!("slot:{candidate}"), format!("It is one more of record {candidate}")));
        }
        choices.push(Choice::new("new", "It is a new record"));
        choices.push(Choice::new("never", "Leave it out"));
        self.tx.attend(
            &NewAttention {
                cause_key: self.cause(record.kind, &id),
                platform: Some(self.me.id),
                kind: Some(record.kind),
                record: candidates.first().copied(),
                title: format!("{} {id} of {} is not clear: {reason}", record.kind, self.me.code),
                hint:
                    "Say what it is, or correct it on the platform. Until then it is kept and nothing is done with it."
                        .into(),
                choices,
                data: serde_json::json!({"inbox": inbox, "variant": variant}),
                grouped: false,
            },
            self.run,
        )?;
        self.item(None, remote(record)?, What::Held, Some(reason.into()));
        Ok(())
    }

    fn cause(&self, kind: Kind, name: &str) -> String {
        format!("inbox:{}:{kind}:{name}", self.me.id)
    }

    pub(super) fn item(&mut self, record: Option<RecordId>, remote: &RemoteRef, what: What, detail: Option<String>) {
        let remote = (!remote.id.is_empty()).then(|| remote.id.clone());
        self.items.push(RunItem { record, remote, what, detail });
    }

    fn line(&mut self, record: RecordId, remote: &RemoteRef, what: What, changed: &[ChangedFacet]) {
        let what = if what == What::Unchanged && !changed.is_empty() { What::Updated } else { what };
        let names: Vec<&str> = changed.iter().map(|change| change.key.as_str()).collect();
        let detail = (!names.is_empty()).then(|| names.join(", "));
        self.item(Some(record), remote, what, detail);
    }
}

/// When the stock figures of a variant were taken.
fn taken_at(record: &StoredRecord) -> BTreeMap<FacetKey, Timestamp> {
    let stock = record.facets.iter().filter(|(key, _)| key.name() == "stock");
    stock.filter_map(|(key, facet)| Some((key.clone(), facet.as_of?))).collect()
}

/// Whether an error is about the record that was applied, and not about the ledger.
pub(super) fn of_record(error: &LedgerError) -> bool {
    match error {
        LedgerError::Conflict { .. }
        | LedgerError::Missing { .. }
        | LedgerError::Corrupt { .. }
        | LedgerError::Name(_) => true,
        LedgerError::Sqlite(_)
        | LedgerError::Unwritable { .. }
        | LedgerError::Copy { .. }
        | LedgerError::Migration { .. }
        | LedgerError::Newer { .. }
        | LedgerError::Closed => false,
    }
}

fn kind_of(kind: RecordKind) -> Option<Kind> {
    match kind {
        RecordKind::Category => Some(Kind::Category),
        RecordKind::Product => Some(Kind::Product),
        RecordKind::Customer => Some(Kind::Customer),
        RecordKind::Variant | RecordKind::Order | RecordKind::Shipment => None,
    }
}

/// The object that a pulled record stands for.
pub(super) fn remote(record: &Record) -> Result<&RemoteRef, LedgerError> {
    record.remote.as_ref().ok_or_else(|| LedgerError::Conflict { message: "it has no id".into() })
}

/// Under which id a record is held: several figures of one variant are several things.
pub(super) fn held_id(record: &Record) -> String {
    let id = record.remote.as_ref().map(|remote| remote.id.clone()).unwrap_or_default();
    match (record.kind, record.facets.keys().next()) {
        (Kind::Stock | Kind::Price, Some(key)) => format!("{id}#{key}"),
        _ => id,
    }
}

pub(super) fn to_text(record: &Record) -> Result<String, LedgerError> {
    serde_json::to_string(record).map_err(|source| LedgerError::Corrupt { what: "record to be held", source })
}
