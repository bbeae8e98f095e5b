//! Platform to hub: page by page, each durable before it is acknowledged.

pub mod backfill;
mod preview;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::clock::Clock;
use super::commit::{Commit, of_record};
use super::connector::Connector;
use super::page::{self, Checked, Ready};
use super::sweep;
use crate::crash::{self, Point};
use crate::ledger::attention::NewAttention;
use crate::ledger::inbox::{InboxRow, InboxState};
use crate::ledger::link::LinkState;
use crate::ledger::platform::PlatformState;
use crate::ledger::run::{Counts, RunItem, RunState, What};
use crate::ledger::stream::{OpenScope, Phase, Stream};
use crate::ledger::{Ledger, LedgerError, Tx};
use crate::model::{
    CallError, Called, Kind, LinkId, Page, PlatformId, PullRequest, Record, RecordKind, RemoteError, RunId, Scope,
};

/// Rows of the inbox taken up by one run.
const INBOX: u32 = 1_000;
/// Ids asked for at once.
const IDS: usize = 100;

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// What changed since the last complete pull; goes on where an earlier one stopped.
    Changes,
    /// Everything, from the beginning.
    Full,
    /// What changed in a time of the platform; the stream's own bounds stay.
    Window {
        /// From.
        since: Timestamp,
        /// To; absent: now.
        until: Option<Timestamp>,
    },
    /// Just these.
    Ids(Vec<String>),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// State of the run.
    pub state: RunState,
    /// Why, a sentence.
    pub message: Option<String>,
    /// Rests until then.
    pub until: Option<Timestamp>,
}

impl End {
    pub(super) fn new(state: RunState) -> Self {
        Self { state, message: None, until: None }
    }

    pub(super) fn because(state: RunState, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::new(state) }
    }
}

/// One pull of a kind from a platform. There is at most one per platform and kind at a time.
#[derive(Clone)]
pub struct Pull {
    /// Ledger.
    pub ledger: Ledger,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The connector, kept to the end of the run.
    pub connector: Arc<dyn Connector>,
    /// Platform.
    pub platform: PlatformId,
    /// Kind.
    pub kind: Kind,
    /// The run, queued.
    pub run: RunId,
    /// Records asked for per page.
    pub page: u32,
    /// Stops it after the page under way.
    pub stop: CancellationToken,
}

/// Stops a run early with this end, or because the ledger cannot be used.
pub(super) enum Stop {
    End(End),
    Ledger(LedgerError),
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// What a page belongs to.
#[derive(Debug, Clone)]
enum Part {
    /// The stream's own pull.
    Stream(OpenScope),
    /// Something on the side; the stream's cursor stays. These inbox rows are dealt with by it.
    Aside(Vec<i64>),
}

/// A page as the connector gave it.
struct ReadPage {
    cursor: Option<String>,
    /// When the call began.
    read_at: Timestamp,
    /// Without its records, which were checked.
    called: Called<Page>,
    checked: Checked,
}

/// What follows a page that is durable.
struct Taken {
    /// Where the next one begins.
    next: Option<String>,
    /// What to say of a receipt that could not be sent.
    note: Option<String>,
    /// The next page, if it was read meanwhile.
    ahead: Option<ReadPage>,
}

impl Pull {
    /// Runs it from start to end and writes both down.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn run(&self, mode: Mode) -> Result<End, LedgerError> {
        self.begin().await?;
        let end = match self.go(mode).await {
            Ok(end) | Err(Stop::End(end)) => end,
            Err(Stop::Ledger(error)) => return Err(error),
        };
        self.finish(end).await
    }

    pub(super) async fn begin(&self) -> Result<(), LedgerError> {
        let description = self.connector.description();
        let connector = format!("{} {}", description.id, description.version);
        let run = self.run;
        self.ledger.write(move |tx| tx.start_run(run, &connector)).await
    }

    pub(super) async fn finish(&self, end: End) -> Result<End, LedgerError> {
        let (run, platform, kind) = (self.run, self.platform, self.kind);
        self.ledger
            .write(move |tx| {
                let mut end = end;
                if end.state == RunState::Done {
                    tx.solve_attention(&failure(platform, kind))?;
                    let counts = tx.run(run)?.counts;
                    let issues = [What::Held, What::Unreadable, What::Waiting, What::Refused, What::Unknown];
                    if issues.iter().any(|what| counts.get(what.as_str()).is_some_and(|count| *count > 0)) {
                        end.state = RunState::DoneWithIssues;
                    }
                }
                tx.set_run(run, end.state, end.message.as_deref(), end.until)?;
                Ok::<_, LedgerError>(end)
            })
            .await
    }

    async fn go(&self, mode: Mode) -> Result<End, Stop> {
        self.check_platform().await?;
        let owed = self.send_owed_receipt().await?;
        self.take_up_inbox().await?;
        let mut end = match mode {
            Mode::Changes => self.changes(false).await?,
            Mode::Full => self.changes(true).await?,
            Mode::Window { since, until } => {
                let until = match until {
                    Some(until) => until,
                    None => self.platform_time(self.clock.now()).await?,
                };
                self.aside(Scope::Changed { since: Some(since), until }, Vec::new()).await?;
                End::new(RunState::Done)
            }
            Mode::Ids(ids) => {
                for ids in ids.chunks(IDS) {
                    self.aside(Scope::Ids(ids.to_vec()), Vec::new()).await?;
                }
                End::new(RunState::Done)
            }
        };
        if let (None, Some(owed)) = (&end.message, owed) {
            end.message = Some(owed);
        }
        Ok(end)
    }

    pub(super) async fn check_platform(&self) -> Result<(), Stop> {
        let (platform, kind) = (self.platform, self.kind);
        let (me, stream) = self
            .ledger
            .read(move |view| Ok::<_, LedgerError>((view.platform(platform)?, view.stream(platform, kind)?)))
            .await?;
        let refuse = |why: String| Err(Stop::End(End::because(RunState::Failed, why)));
        match me.state {
            PlatformState::Setup | PlatformState::Active | PlatformState::Recovering => {}
            PlatformState::Paused => {
                let why = me.state_reason.unwrap_or_default();
                return refuse(format!("{} is paused. {why} Resume it, then run this again.", me.code));
            }
            PlatformState::Removed => return refuse(format!("{} was removed.", me.code)),
        }
        if stream.phase == Phase::Off {
            return refuse(format!(
                "{kind} of {} is off: begin first contact with `tradepost platform onboard {}`.",
                me.code, me.code
            ));
        }
        if self.connector.description().reading(kind).is_none() {
            return refuse(format!("The connector of {} does not read {kind}.", me.code));
        }
        Ok(())
    }

    async fn stream(&self) -> Result<Stream, LedgerError> {
        let (platform, kind) = (self.platform, self.kind);
        self.ledger.read(move |view| view.stream(platform, kind)).await
    }

    /// Our time as the platform's clock shows it.
    pub(super) async fn platform_time(&self, at: Timestamp) -> Result<Timestamp, LedgerError> {
        let platform = self.platform;
        let skew = self.ledger.read(move |view| view.platform(platform)).await?.clock_skew_ms;
        Ok(at.checked_add(SignedDuration::from_millis(skew)).unwrap_or(at))
    }

    /// The pull under way, or a new one.
    async fn open_scope(&self, stream: &Stream, full: bool) -> Result<OpenScope, LedgerError> {
        if let Some(open) = stream.scope.filter(|open| !full || open.since.is_none()) {
            return Ok(open);
        }
        let began = self.clock.now();
        let changes = self.connector.description().reading(self.kind).is_some_and(|reading| reading.changes);
        let since = if full || !changes { None } else { stream.watermark };
        Ok(OpenScope { since, until: self.platform_time(began).await?, began })
    }

    async fn changes(&self, full: bool) -> Result<End, Stop> {
        let stream = self.stream().await?;
        let scope = self.open_scope(&stream, full).await?;
        let mut cursor = stream.cursor;
        if stream.scope != Some(scope) {
            let (platform, kind) = (self.platform, self.kind);
            self.ledger.write(move |tx| tx.begin_scope(platform, kind, &scope)).await?;
            cursor = None;
        }
        let wanted = Scope::Changed { since: scope.since, until: scope.until };
        let part = Part::Stream(scope);
        let mut read = self.read(&wanted, cursor, &part).await?;
        loop {
            let Taken { next, note, ahead } = self.page(&wanted, read, part.clone()).await?;
            if next.is_none() {
                if scope.since.is_none() {
                    let end = sweep::after_full(self, scope.began).await?;
                    return Ok(End { message: end.message.or(note), ..end });
                }
                return Ok(End { message: note, ..End::new(RunState::Done) });
            }
            if let Some(note) = note {
                // The same page may come again for ever: the next run acknowledges first.
                return Ok(End::because(RunState::Done, note));
            }
            if self.stop.is_cancelled() {
                return Ok(End::because(RunState::Cancelled, "Stopped; the next pull goes on where this one ended."));
            }
            read = match ahead {
                Some(read) => read,
                None => self.read(&wanted, next, &part).await?,
            };
        }
    }

    /// Reads a scope of its own to its end.
    pub(super) async fn aside(&self, scope: Scope, rows: Vec<i64>) -> Result<(), Stop> {
        let part = Part::Aside(rows);
        let mut read = self.read(&scope, None, &part).await?;
        loop {
            let Taken { next, note, ahead } = self.page(&scope, read, part.clone()).await?;
            if next.is_none() || note.is_some() {
                return Ok(());
            }
            if self.stop.is_cancelled() {
                return Err(Stop::End(End::because(RunState::Cancelled, "Stopped.")));
            }
            read = match ahead {
                Some(read) => read,
                None => self.read(&scope, next, &part).await?,
            };
        }
    }

    async fn call(&self, scope: Scope, cursor: Option<String>) -> Called<Page> {
        self.connector.pull(PullRequest { kind: self.kind, scope, cursor, limit: self.page }).await
    }

    async fn read(&self, scope: &Scope, cursor: Option<String>, part: &Part) -> Result<ReadPage, LedgerError> {
        let read_at = self.clock.now();
        let mut called = self.call(scope.clone(), cursor.clone()).await;
        let (platform, kind) = (self.platform, self.kind);
        let began = if let Part::Stream(scope) = part { scope.began } else { read_at };
        let checked = match &mut called.result {
            Ok(page) => {
                let me = self.ledger.read(move |view| view.platform(platform)).await?;
                page::check(page, kind, &me, began)
            }
            Err(_) => Checked::default(),
        };
        Ok(ReadPage { cursor, read_at, called, checked })
    }

    /// Makes a page that was read durable and acknowledges it. Meanwhile the next one is read, where nothing of this one
    /// has to be kept before that.
    async fn page(&self, scope: &Scope, read: ReadPage, part: Part) -> Result<Taken, Stop> {
        let ReadPage { cursor, read_at, called: Called { result, storage, turn, .. }, checked } = read;
        let page = match result {
            Ok(page) => page,
            Err(error) => return Err(Stop::End(self.failed(error, cursor.is_some()).await?)),
        };
        let nothing = checked.read == 0;
        if page.next.is_some() && page.next == cursor && nothing && page.receipt.is_none() {
            let error = CallError::Trap { message: "it gave the same cursor again and no records".into() };
            return Err(Stop::End(self.failed(error, true).await?));
        }
        let (platform, kind, run, finds) = (self.platform, self.kind, self.run, self.finds());
        let (next, receipt) = (page.next.clone(), page.receipt.clone());
        // What the connector stored with this page, and a batch that has to be acknowledged first, the next call must
        // find; a platform that reading changes is not read before what it gave is safe.
        let writes = self.connector.description().reading(kind).is_none_or(|reading| reading.writes);
        let early = next.is_some() && next != cursor && storage.is_empty() && receipt.is_none() && !writes;
        let taken = Arc::new((page, checked, storage, part.clone()));
        let commit = |swift: bool| {
            let taken = Arc::clone(&taken);
            self.ledger.write(move |tx| {
                let (page, checked, storage, place) = &*taken;
                let mut commit = Commit::new(tx, platform, kind, Some(run), read_at, finds)?;
                if swift {
                    commit = commit.swiftly();
                }
                apply(&mut commit, page, checked)?;
                let items = std::mem::take(&mut commit.items);
                tx.store(platform, storage)?;
                keep_place(tx, platform, kind, page, place)?;
                tx.write_run_lines(run, &items)?;
                let read = checked.read + page.unreadable.len() + page.deleted.len();
                tx.count_run(run, &Counts::from([("pages".into(), 1), ("read".into(), read as u64)]))
            })
        };
        // Nearly all pages have no bad record.
        let write = async {
            match commit(true).await {
                Err(error) if of_record(&error) => commit(false).await,
                written => written,
            }
        };
        let ahead = async {
            if early && !self.stop.is_cancelled() { Some(self.read(scope, next.clone(), &part).await) } else { None }
        };
        let (written, ahead) = futures_util::future::join(write, ahead).await;
        written?;
        crash::point(Point::Committed);
        drop(turn);
        let note = match receipt {
            Some(receipt) => self.acknowledge(receipt).await?,
            None => None,
        };
        Ok(Taken { next, note, ahead: ahead.transpose()? })
    }

    fn finds(&self) -> bool {
        self.connector.description().ability(self.kind).is_some_and(|ability| ability.lookup_lag.is_some())
    }

    /// A receipt that was owed when the last run ended is sent first: a platform that hands out batches would give the
    /// same one again.
    async fn send_owed_receipt(&self) -> Result<Option<String>, Stop> {
        let stream = self.stream().await?;
        match stream.ack_token.filter(|_| stream.ack_pending) {
            Some(receipt) => Ok(self.acknowledge(receipt).await?),
            None => Ok(None),
        }
    }

    async fn acknowledge(&self, receipt: String) -> Result<Option<String>, LedgerError> {
        let (platform, kind) = (self.platform, self.kind);
        let Called { result, storage, turn, .. } = self.connector.acknowledge(kind, receipt.clone()).await;
        match result {
            Ok(()) => {
                crash::point(Point::Acknowledged);
                self.ledger
                    .write(move |tx| {
                        tx.store(platform, &storage)?;
                        tx.receipt_sent(platform, kind, &receipt)
                    })
                    .await?;
                drop(turn);
                Ok(None)
            }
            Err(error) => Ok(Some(format!(
                "What was read is safe, but the platform could not be told so: {error}. The next pull tells it first."
            ))),
        }
    }

    /// Applies what waits in the inbox: records whose reason to wait is gone, and hints.
    async fn take_up_inbox(&self) -> Result<(), Stop> {
        let (platform, kind, run, finds) = (self.platform, self.kind, self.run, self.finds());
        let read_at = self.clock.now();
        let rows = self.ledger.read(move |view| view.inbox(platform, kind, InboxState::New, INBOX)).await?;
        let (hints, records): (Vec<InboxRow>, Vec<InboxRow>) = rows.into_iter().partition(|row| row.hint_key.is_some());
        if !records.is_empty() {
            self.ledger
                .write(move |tx| {
                    let mut commit = Commit::new(tx, platform, kind, Some(run), read_at, finds)?;
                    for row in &records {
                        tx.set_inbox(row.id, InboxState::Applied)?;
                        let record = serde_json::from_str::<Record>(&row.raw).ok();
                        match record.and_then(|record| Ready::of(record).ok()) {
                            // What is known by now is newer than what was kept.
                            Some(ready) => commit.record(&ready)?,
                            None => tx.set_inbox(row.id, InboxState::Held)?,
                        }
                    }
                    let items = std::mem::take(&mut commit.items);
                    tx.write_run_lines(run, &items)
                })
                .await?;
        }
        let ids: Vec<String> = hints.iter().filter_map(|hint| hint.remote_id.clone()).collect();
        let rows: Vec<i64> = hints.iter().map(|hint| hint.id).collect();
        if ids.is_empty() {
            self.ledger
                .write(move |tx| rows.iter().try_for_each(|row| tx.set_inbox(*row, InboxState::Applied)))
                .await?;
            return Ok(());
        }
        for ids in ids.chunks(IDS) {
            self.aside(Scope::Ids(ids.to_vec()), rows.clone()).await?;
        }
        Ok(())
    }

    /// What a failed call means for the run.
    pub(super) async fn failed(&self, error: CallError, with_cursor: bool) -> Result<End, LedgerError> {
        let (platform, kind, run) = (self.platform, self.kind, self.run);
        let words = error.to_string();
        let (paused, told) = match &error {
            CallError::Remote(RemoteError::Throttled(seconds)) => {
                let until = self.clock.now() + SignedDuration::from_secs(i64::from(*seconds));
                return Ok(End { until: Some(until), ..End::because(RunState::Resting, words) });
            }
            CallError::Remote(RemoteError::Unavailable(_) | RemoteError::Timeout(_)) => (false, false),
            CallError::Remote(RemoteError::Auth(_)) => (true, true),
            CallError::Remote(
                RemoteError::Rejected(_)
                | RemoteError::MappingMissing { .. }
                | RemoteError::Conflict(_)
                | RemoteError::NotFound(_)
                | RemoteError::Unsupported(_)
                | RemoteError::Denied(_)
                | RemoteError::Bug(_),
            )
            | CallError::Limit { .. }
            | CallError::Trap { .. }
            | CallError::Host { .. }
            | CallError::Missing { .. } => (false, true),
        };
        // A cursor that the platform no longer takes must not stop the stream for ever; reading again is harmless.
        let anew = with_cursor
            && matches!(
                error,
                CallError::Remote(
                    RemoteError::Rejected(_)
                        | RemoteError::Conflict(_)
                        | RemoteError::NotFound(_)
                        | RemoteError::Bug(_)
                )
            );
        let title = words.clone();
        self.ledger
            .write(move |tx| {
                let me = tx.platform(platform)?;
                if anew {
                    tx.set_cursor(platform, kind, None)?;
                }
                if paused {
                    let reason = format!("The credentials are refused: {title}.");
                    tx.set_platform_state(platform, PlatformState::Paused, Some(&reason))?;
                }
                if told {
                    tx.attend(
                        &NewAttention {
                            cause_key: if paused { format!("auth:{platform}") } else { failure(platform, kind) },
                            platform: Some(platform),
                            kind: Some(kind),
                            title: format!("Reading {kind} from {} failed: {title}.", me.code),
                            hint: if paused {
                                format!("Enter the credentials anew, then resume {}.", me.code)
                            } else {
                                format!("Try again with `tradepost action run`; the log of run {run} has the details.")
                            },
                            ..NewAttention::default()
                        },
                        Some(run),
                    )?;
                }
                Ok::<_, LedgerError>(())
            })
            .await?;
        Ok(End::because(RunState::Failed, words))
    }
}

/// Orders that were read during first contact and placed after the cut-over go on now: to be called when the stream of
/// orders becomes live, since the platform need not show them again. Returns how many.
///
/// # Errors
/// When the ledger cannot be used.
pub fn admit_orders(tx: &Tx<'_>, platform: PlatformId, now: Timestamp) -> Result<usize, LedgerError> {
    let mut commit = Commit::new(tx, platform, Kind::Order, None, now, false)?;
    let mut admitted = 0;
    let mut after = LinkId(0);
    loop {
        let links = tx.links_after(platform, RecordKind::Order, LinkState::Ignored, after, 500)?;
        let Some(last) = links.last() else { return Ok(admitted) };
        after = last.id;
        for link in &links {
            admitted += usize::from(commit.admit(link)?);
        }
    }
}

/// Cause of the attention about pulls that fail.
fn failure(platform: PlatformId, kind: Kind) -> String {
    format!("pull:{platform}:{kind}")
}

/// Applies a page, record by record.
fn apply(commit: &mut Commit<'_, '_>, page: &Page, checked: &Checked) -> Result<(), LedgerError> {
    let kind = commit.stream_kind();
    for found in &checked.unreadable {
        commit.unreadable(kind, found)?;
    }
    for record in &checked.records {
        commit.record(record)?;
    }
    for gone in &page.deleted {
        commit.gone(kind.record_kind(), gone, "deleted there")?;
    }
    Ok(())
}

/// Where the stream stands after the page.
fn keep_place(tx: &Tx<'_>, platform: PlatformId, kind: Kind, page: &Page, part: &Part) -> Result<(), LedgerError> {
    if let Some(receipt) = &page.receipt {
        tx.owe_receipt(platform, kind, receipt)?;
    }
    match part {
        Part::Stream(scope) if page.next.is_none() => {
            // Never backwards: what was read once need not be read again.
            let reached = page.watermark.unwrap_or(scope.until);
            let reached = scope.since.map_or(reached, |since| reached.max(since));
            tx.end_scope(platform, kind, reached, scope.began)
        }
        Part::Stream(_) => tx.set_cursor(platform, kind, page.next.as_deref()),
        Part::Aside(rows) if page.next.is_none() => {
            rows.iter().try_for_each(|row| tx.set_inbox(*row, InboxState::Applied))
        }
        Part::Aside(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
