//! Sending: intents become `sending`, the connector is called, and what it says is written down item by item.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::Instant;

use super::settle::{Context, Heard};
use super::{End, Push, PushError};
use crate::crash::{self, Point};
use crate::ledger::intent::{Intent, IntentState};
use crate::ledger::{Ledger, LedgerError, View};
use crate::model::{CallError, Called, Doomed, IntentId, Kind, Op, Outcome, PlatformId, Record, RemoteError};
use crate::sync::connector::Settle;
use crate::sync::plan::UNFINISHED;

/// Intents taken up at a time.
const CHUNK: usize = 500;

/// Last words that wait for each other at most so long.
const GATHER: Duration = Duration::from_millis(50);
/// Last words that share a transaction.
const GATHERED: usize = 100;

/// Hears the outcomes of one call.
struct Desk {
    ledger: Ledger,
    context: Context,
    items: HashMap<String, IntentId>,
    /// Nothing is lost with a last word: the platform can be asked. Then last words share transactions.
    gathers: bool,
    told: tokio::sync::Mutex<Told>,
    heard: Mutex<HashMap<IntentId, Heard>>,
}

/// Last words that are not written down yet.
#[derive(Default)]
struct Told {
    since: Option<Instant>,
    outcomes: Vec<(IntentId, Outcome)>,
}

#[async_trait]
impl Settle for Desk {
    async fn settle(&self, item: &str, outcome: Outcome) -> Result<(), LedgerError> {
        let Some(&id) = self.items.get(item) else {
            return Err(LedgerError::Conflict {
                message: format!("the connector settles `{item}`, which it was not given"),
            });
        };
        let begun = matches!(outcome, Outcome::Partial(_));
        let mut told = self.told.lock().await;
        told.outcomes.push((id, outcome));
        let since = *told.since.get_or_insert_with(Instant::now);
        if begun || !self.gathers || told.outcomes.len() >= GATHERED || since.elapsed() >= GATHER {
            self.write(&mut told).await?;
        }
        Ok(())
    }
}

impl Desk {
    /// Writes down what was told and is not written yet.
    async fn write_all(&self) -> Result<(), LedgerError> {
        let mut told = self.told.lock().await;
        self.write(&mut told).await
    }

    async fn write(&self, told: &mut Told) -> Result<(), LedgerError> {
        let Told { outcomes, .. } = std::mem::take(told);
        if outcomes.is_empty() {
            return Ok(());
        }
        let context = self.context.clone();
        crash::point(Point::Answered);
        let heard = self
            .ledger
            .write(move |tx| {
                let mut heard = Vec::new();
                for (id, outcome) in outcomes {
                    let last = !matches!(outcome, Outcome::Partial(_));
                    let one = context.outcome(tx, id, &outcome)?;
                    heard.extend(last.then_some((id, one)));
                }
                Ok::<_, LedgerError>(heard)
            })
            .await?;
        crash::point(Point::Committed);
        let mut all = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, heard) in heard {
            // The first last word counts.
            all.entry(id).or_insert(heard);
        }
        Ok(())
    }

    /// Writes down what waits longer than it may, until it is dropped: the connector may be busy with its next item.
    async fn keep_writing(&self) -> LedgerError {
        loop {
            tokio::time::sleep(GATHER).await;
            if let Err(error) = self.write_all().await {
                return error;
            }
        }
    }
}

impl Push {
    /// Sends what is due of a kind. Returns how many items came to an end, or why the run is over.
    pub(super) async fn send(
        &mut self,
        kind: Kind,
        tried: &mut HashSet<IntentId>,
    ) -> Result<Result<usize, End>, PushError> {
        let mut count = 0;
        loop {
            if self.stop.is_cancelled() {
                return Ok(Err(End::Stopped));
            }
            let (platform, now) = (self.platform, self.clock.now());
            let skip = std::mem::take(tried);
            let (due, skip) = self.ledger.read(move |view| due(view, platform, kind, now, skip)).await?;
            *tried = skip;
            if due.is_empty() {
                return Ok(Ok(count));
            }
            tried.extend(due.iter().map(|intent| intent.id));
            let (due, found) = match self.look_up(kind, due).await? {
                Ok(looked) => looked,
                Err(end) => return Ok(Err(end)),
            };
            count += found;
            for batch in self.batches(kind, due) {
                if self.stop.is_cancelled() {
                    return Ok(Err(End::Stopped));
                }
                if self.fenced(kind).await? {
                    return Ok(Err(End::Fenced));
                }
                count += batch.len();
                if let Some(end) = self.call(kind, batch).await? {
                    return Ok(Err(end));
                }
            }
        }
    }

    /// What goes into one call: deletes by themselves, creates one at a time where nothing can be found again.
    fn batches(&self, kind: Kind, due: Vec<Intent>) -> Vec<Vec<Intent>> {
        let most = self.connector.description().writing(kind).map_or(1, |writing| writing.max_batch).max(1) as usize;
        let finds = self.connector.description().ability(kind).is_some_and(|ability| ability.lookup_lag.is_some());
        let mut batches: Vec<Vec<Intent>> = Vec::new();
        let single = |intent: &Intent| match intent.op {
            Op::Create | Op::CreateDone | Op::Resume | Op::Apply => !finds,
            // What was refused as a batch is sent alone to learn which of it was meant.
            Op::Update | Op::Delete | Op::Read => intent.error.as_deref().is_some_and(|e| e.starts_with(SPLIT)),
        };
        for intent in due {
            match batches.last_mut() {
                Some(last)
                    if last.len() < most
                        && !single(&intent)
                        && last.iter().all(|other| {
                            !single(other)
                                && (other.op == Op::Delete) == (intent.op == Op::Delete)
                                && other.record != intent.record
                        }) =>
                {
                    last.push(intent);
                }
                _ => batches.push(vec![intent]),
            }
        }
        batches
    }

    /// One call, from `sending` to the last item's end. `Some` ends the run.
    async fn call(&mut self, kind: Kind, batch: Vec<Intent>) -> Result<Option<End>, PushError> {
        let context = self.context();
        let (run, now) = (self.run, context.now);
        let batch = self.ledger.write(move |tx| tx.begin_sending(&batch, now, run)).await?;
        if batch.is_empty() {
            return Ok(None);
        }
        let finds = self.connector.description().ability(kind).is_some_and(|ability| ability.lookup_lag.is_some());
        let desk = Arc::new(Desk {
            ledger: self.ledger.clone(),
            context: context.clone(),
            items: batch.iter().map(|intent| (intent.idem_key.clone(), intent.id)).collect(),
            gathers: finds,
            told: tokio::sync::Mutex::default(),
            heard: Mutex::default(),
        });
        let settle: Arc<dyn Settle> = Arc::clone(&desk) as Arc<dyn Settle>;
        crash::point(Point::IntentWritten);
        let call = async {
            if !batch.iter().all(|intent| intent.op == Op::Delete) {
                let records: Vec<Record> = batch.iter().map(record).collect();
                return Ok(self.connector.push(records, settle).await);
            }
            let platform = self.platform;
            let how = self.ledger.read(move |view| super::settle::removal_of(view, platform)).await?;
            let can = self.connector.description().writing(kind).map(|w| w.removals.clone()).unwrap_or_default();
            // Only the milder way is taken instead of the one that was chosen.
            let how = if can.contains(&how) { how } else { crate::model::description::Removal::Deactivate };
            let doomed = batch
                .iter()
                .filter_map(|intent| {
                    Some(Doomed { item: intent.idem_key.clone(), remote: intent.body.remote.clone()? })
                })
                .collect();
            Ok::<_, LedgerError>(self.connector.remove(kind, doomed, how, settle).await)
        };
        let called = tokio::select! {
            called = call => called?,
            error = desk.keep_writing(), if finds => return Err(error.into()),
        };
        desk.write_all().await?;
        let heard = desk.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.finish(context, batch, heard, called).await
    }

    /// Settles what the connector left open, by what the host saw.
    async fn finish(
        &mut self,
        context: Context,
        batch: Vec<Intent>,
        heard: HashMap<IntentId, Heard>,
        called: Called<()>,
    ) -> Result<Option<End>, PushError> {
        let Called { result, unsafe_sent, storage, turn } = called;
        let platform = self.platform;
        let failure = result.as_ref().err().cloned();
        let ids: Vec<IntentId> = batch.iter().map(|intent| intent.id).collect();
        let late = context.clone();
        let mut all = self
            .ledger
            .write(move |tx| {
                tx.store(platform, &storage)?;
                let mut all: Vec<Heard> = Vec::new();
                for id in &ids {
                    let intent = tx.intent(*id)?;
                    match heard.get(id) {
                        Some(Heard::Unknown) if unsafe_sent == 0 && intent.state == IntentState::Unknown => {
                            let words = intent.error.clone().unwrap_or_default();
                            late.retry(tx, &intent, &words)?;
                            all.push(Heard::Issue);
                        }
                        Some(heard) => all.push(*heard),
                        None if intent.state == IntentState::Sending => {
                            all.push(late.unsettled(tx, &intent, result.as_ref().err(), unsafe_sent, ids.len())?);
                        }
                        None => {}
                    }
                }
                Ok::<_, LedgerError>(all)
            })
            .await?;
        drop(turn);
        self.issues |= all.iter().any(|heard| *heard != Heard::Fine);
        match &failure {
            Some(CallError::Remote(RemoteError::Auth(words))) => {
                let (words, context) = (words.clone(), context.clone());
                self.ledger.write(move |tx| context.pause(tx, &words)).await?;
                all.push(Heard::Auth);
            }
            Some(CallError::Remote(RemoteError::Throttled(seconds))) => all.push(Heard::Throttled(*seconds)),
            Some(CallError::Remote(RemoteError::Unavailable(_))) => all.push(Heard::Unavailable),
            Some(CallError::Missing { message }) => return Ok(Some(End::Failed(message.clone()))),
            Some(_) | None => {}
        }
        if all.contains(&Heard::Auth) {
            return Ok(Some(End::Paused));
        }
        let rest = all.iter().filter_map(|heard| match heard {
            Heard::Throttled(seconds) => Some(i64::from(*seconds)),
            _ => None,
        });
        if let Some(seconds) = rest.max() {
            return Ok(Some(End::Resting(context.in_seconds(seconds))));
        }
        if all.contains(&Heard::Unavailable) {
            return Ok(Some(End::Failed("the platform cannot be reached".into())));
        }
        Ok(None)
    }
}

/// What is due and was not tried yet. Events of which a part is still being planned wait for the rest.
fn due(
    view: &View<'_>,
    platform: PlatformId,
    kind: Kind,
    now: Timestamp,
    tried: HashSet<IntentId>,
) -> Result<(Vec<Intent>, HashSet<IntentId>), LedgerError> {
    let mut skip = tried;
    let mut unfinished = Vec::new();
    let due = loop {
        let mut due = view.due_intents(platform, kind, now, CHUNK, &skip)?;
        let found = due.len();
        due.retain(|intent| {
            let finished = intent.event.is_none() || intent.revs.planned != UNFINISHED;
            if !finished {
                unfinished.push(intent.id);
            }
            finished
        });
        if !due.is_empty() || found == 0 {
            break due;
        }
        skip.extend(&unfinished);
    };
    for id in &unfinished {
        skip.remove(id);
    }
    Ok((due, skip))
}

/// Begins the words of an item whose batch was refused as a whole.
pub(super) const SPLIT: &str = "refused as part of a batch";

/// What the connector is given.
fn record(intent: &Intent) -> Record {
    Record { op: intent.op, item: intent.idem_key.clone(), marker: intent.marker.clone(), ..intent.body.clone() }
}

impl Context {
    /// An item that nobody settled.
    fn unsettled(
        &self,
        tx: &crate::ledger::Tx<'_>,
        intent: &Intent,
        error: Option<&CallError>,
        unsafe_sent: u32,
        batch: usize,
    ) -> Result<Heard, LedgerError> {
        match error {
            // The batch was refused: alone it may pass, or be refused with words of its own.
            Some(CallError::Remote(RemoteError::Rejected(_))) if batch > 1 => {
                tx.uncount_attempt(intent.id)?;
                tx.set_intent(intent.id, IntentState::Retry, Some(SPLIT), None)?;
                Ok(Heard::Issue)
            }
            Some(CallError::Remote(
                error @ (RemoteError::Auth(_)
                | RemoteError::Throttled(_)
                | RemoteError::Unavailable(_)
                | RemoteError::Rejected(_)
                | RemoteError::MappingMissing { .. }
                | RemoteError::Conflict(_)
                | RemoteError::NotFound(_)
                | RemoteError::Unsupported(_)
                | RemoteError::Denied(_)),
            )) => self.failed(tx, intent, error),
            Some(CallError::Missing { message }) => {
                tx.uncount_attempt(intent.id)?;
                tx.set_intent(intent.id, IntentState::Planned, Some(message), None)?;
                Ok(Heard::Issue)
            }
            other => {
                let words = other.map_or_else(|| "the connector said nothing of it".to_owned(), ToString::to_string);
                // Nothing unsafe left, so nothing was done, unless an earlier step of it is known to be.
                if unsafe_sent == 0 {
                    self.retry(tx, intent, &words)?;
                    Ok(Heard::Issue)
                } else {
                    self.unknown(tx, intent, &words)?;
                    Ok(Heard::Unknown)
                }
            }
        }
    }
}
