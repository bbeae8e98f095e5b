//! Executing runs: one per platform and stream at a time, others queue; automatic and event actions; cancelling.

mod fence;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::account::{self, AskError};
use super::meters::Meters;
use super::serving::Serving;
use crate::ledger::action::{Action, StartMode};
use crate::ledger::instance::Mode as InstanceMode;
use crate::ledger::platform::PlatformState;
use crate::ledger::run::{Cause, Direction, NewRun, RunState};
use crate::ledger::{Ledger, LedgerError};
use crate::model::{CallError, Kind, PlatformId, RemoteError, RunId};
use crate::sync::clock::Clock;
use crate::sync::connector::Connectors;
use crate::sync::pull::{Mode, Pull};
use crate::sync::push::{End, PushError, Pusher};
use crate::sync::schedule::Schedule;

/// How often the schedule is looked at.
const TICK: Duration = Duration::from_secs(1);
/// Listeners that fall behind so many notices miss some; they read the ledger anyway.
const BACKLOG: usize = 1024;

/// What a run is asked to do.
#[derive(Debug, Clone)]
pub struct Order {
    /// Platform.
    pub platform: PlatformId,
    /// What.
    pub direction: Direction,
    /// Kind.
    pub kind: Kind,
    /// Why.
    pub cause: Cause,
    /// What a pull reads.
    pub mode: Mode,
    /// A sweep that a person released.
    pub released: bool,
}

/// What the configuration says about runs.
#[derive(Debug, Clone)]
pub(super) struct Tuning {
    /// Longest that one call of a connector can take.
    pub(super) deadline: SignedDuration,
    /// After a change, before a push of start mode `event` begins.
    pub(super) event_delay: Duration,
    /// Records asked for per page.
    pub(super) page: u32,
}

impl Order {
    /// A pull of changes or a push.
    #[must_use]
    pub fn new(platform: PlatformId, direction: Direction, kind: Kind, cause: Cause) -> Self {
        Self { platform, direction, kind: kind.stream(), cause, mode: Mode::Changes, released: false }
    }
}

/// The executor. Clones share it.
#[derive(Clone)]
pub struct Runs {
    inner: Arc<Inner>,
}

/// Where the runs of one platform and stream queue.
type Lane = mpsc::UnboundedSender<(RunId, Order)>;

struct Inner {
    ledger: Ledger,
    serving: Arc<Serving>,
    clock: Arc<dyn Clock>,
    pusher: RwLock<Pusher>,
    tuning: RwLock<Tuning>,
    meters: Meters,
    lanes: Mutex<HashMap<(PlatformId, Kind), Lane>>,
    running: Mutex<HashMap<RunId, CancellationToken>>,
    /// Runs asked for and not over; the service stops when it is zero.
    open: watch::Sender<usize>,
    stop: CancellationToken,
    notices: broadcast::Sender<RunId>,
    /// Platforms and kinds with an event push on its way.
    stirred: Mutex<HashSet<(PlatformId, Kind)>>,
    accounts: account::Known,
}

impl Runs {
    pub(super) fn new(
        ledger: Ledger,
        serving: Arc<Serving>,
        clock: Arc<dyn Clock>,
        tuning: Tuning,
        meters: Meters,
    ) -> Self {
        let pusher = Pusher {
            ledger: ledger.clone(),
            connectors: Arc::clone(&serving) as Arc<dyn Connectors>,
            clock: Arc::clone(&clock),
            deadline: tuning.deadline,
        };
        Self {
            inner: Arc::new(Inner {
                ledger,
                serving,
                clock,
                pusher: RwLock::new(pusher),
                tuning: RwLock::new(tuning),
                meters,
                lanes: Mutex::default(),
                running: Mutex::default(),
                open: watch::channel(0).0,
                stop: CancellationToken::new(),
                notices: broadcast::channel(BACKLOG).0,
                stirred: Mutex::default(),
                accounts: account::Known::default(),
            }),
        }
    }

    /// The pusher, for previews.
    #[must_use]
    pub fn pusher(&self) -> Pusher {
        self.inner.pusher.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For runs that begin from now on.
    pub(super) fn tune(&self, tuning: Tuning) {
        self.inner.pusher.write().unwrap_or_else(PoisonError::into_inner).deadline = tuning.deadline;
        *self.inner.tuning.write().unwrap_or_else(PoisonError::into_inner) = tuning;
    }

    pub(super) fn tuning(&self) -> Tuning {
        self.inner.tuning.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Numbers of runs whose state changed, from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<RunId> {
        self.inner.notices.subscribe()
    }

    /// Queues a run behind others of its platform and stream.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn queue(&self, order: Order) -> Result<RunId, LedgerError> {
        let Order { platform, direction, kind, cause, .. } = order;
        let now = self.inner.clock.now();
        let run = self
            .inner
            .ledger
            .write(move |tx| {
                let action = tx.action_for(platform, direction, kind)?;
                let new =
                    NewRun { action: action.as_ref().map(|a| a.id), platform, direction, kind, cause, preview: false };
                let run = tx.queue_run(&new)?;
                if let Some(action) = action {
                    tx.note_action_run(action.id, run, next_at(&action, now, &zone(tx.platform(platform)?.account)))?;
                }
                Ok::<_, LedgerError>(run)
            })
            .await?;
        self.enqueue(run, order);
        Ok(run)
    }

    fn enqueue(&self, run: RunId, order: Order) {
        self.inner.open.send_modify(|open| *open += 1);
        self.notice(run);
        let mut lanes = self.inner.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry((order.platform, order.kind)).or_insert_with(|| {
            let (sender, mut receiver) = mpsc::unbounded_channel::<(RunId, Order)>();
            let runs = self.clone();
            tokio::spawn(async move {
                while let Some((run, order)) = receiver.recv().await {
                    runs.execute(run, order).await;
                    runs.inner.meters.count(&runs.inner.ledger, run).await;
                    runs.inner.open.send_modify(|open| *open -= 1);
                    runs.notice(run);
                }
            });
            sender
        });
        // The lane's task lives as long as the sender that is kept here.
        drop(lane.send((run, order)));
    }

    /// Stops a run after the step under way; a queued one does not begin.
    ///
    /// # Errors
    /// [`LedgerError::Missing`] when there is no such run, [`LedgerError::Conflict`] when it is over.
    pub async fn cancel(&self, run: RunId) -> Result<(), LedgerError> {
        let token = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).get(&run).cloned();
        if let Some(token) = token {
            token.cancel();
            return Ok(());
        }
        self.inner
            .ledger
            .write(move |tx| {
                let found = tx.run(run)?;
                if found.state.is_over() {
                    return Err(LedgerError::Conflict { message: format!("run {run} is over: {}", found.state) });
                }
                tx.set_run(run, RunState::Cancelled, Some("Cancelled before it began."), None)
            })
            .await?;
        self.notice(run);
        Ok(())
    }

    /// Lets runs under way finish the step they are at, and waits for them.
    pub(super) async fn shut_down(&self, patience: Duration) {
        self.inner.stop.cancel();
        for token in self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).values() {
            token.cancel();
        }
        let mut open = self.inner.open.subscribe();
        drop(tokio::time::timeout(patience, open.wait_for(|open| *open == 0)).await);
    }

    fn notice(&self, run: RunId) {
        // Nobody may be listening.
        drop(self.inner.notices.send(run));
    }

    async fn execute(&self, run: RunId, order: Order) {
        let state = self.inner.ledger.read(move |view| view.run(run)).await.map(|run| run.state);
        if !matches!(state, Ok(RunState::Queued)) {
            return;
        }
        if !self.writable().await || self.inner.stop.is_cancelled() {
            self.close(run, RunState::Interrupted, "The service stopped before it began.").await;
            return;
        }
        let stop = self.inner.stop.child_token();
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).insert(run, stop.clone());
        self.notice(run);
        let span = tracing::info_span!("run", %run, platform = %order.platform, kind = %order.kind);
        let (result, rests) = {
            let work = tracing::Instrument::instrument(self.perform(run, &order, &stop), span);
            tokio::pin!(work);
            let mut trouble = self.inner.ledger.watch_trouble();
            let mut rests = false;
            loop {
                tokio::select! {
                    result = &mut work => break (result, rests),
                    // Nothing more is sent that could not be written down: it stops after the step it is at.
                    true = async { trouble.wait_for(Option::is_some).await.is_ok() }, if !rests => {
                        rests = true;
                        stop.cancel();
                    }
                }
            }
        };
        self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
        match result {
            Err(error) if self.inner.ledger.trouble().is_some() => {
                tracing::warn!(%error, %run, "run rests: the ledger cannot be written");
                self.resume(run, order.clone()).await;
            }
            Err(error) => {
                tracing::error!(%error, %run, "run failed");
                self.close(run, RunState::Failed, &error.to_string()).await;
            }
            Ok(()) if rests => self.resume(run, order.clone()).await,
            Ok(()) => {}
        }
        self.stir(order.platform, order.kind).await;
    }

    /// Waits until the ledger can be written; false when the service stops before.
    async fn writable(&self) -> bool {
        let mut trouble = self.inner.ledger.watch_trouble();
        tokio::select! {
            () = self.inner.stop.cancelled() => false,
            well = async { trouble.wait_for(Option::is_none).await.is_ok() } => well,
        }
    }

    /// A run that was cut off by a disk that took nothing: when it takes writes again, what the run was sending is settled
    /// as after a crash, and a new run goes on where it was.
    async fn resume(&self, run: RunId, order: Order) {
        while self.writable().await {
            let noted = self
                .inner
                .ledger
                .write(move |tx| {
                    let found = tx.run(run)?;
                    let lost = tx.lose_sends_of(run)?;
                    let why = "The disk of the ledger took nothing; the next run goes on where it was.";
                    tx.set_run(run, RunState::Interrupted, Some(why), None)?;
                    // One that came to its own end has nothing to go on with.
                    Ok::<_, LedgerError>(lost > 0 || !found.state.is_over() || found.state == RunState::Cancelled)
                })
                .await;
            match noted {
                Ok(false) => return,
                Ok(true) => match self.queue(order.clone()).await {
                    Ok(_) => return,
                    Err(_) if self.inner.ledger.trouble().is_some() => {}
                    Err(error) => return tracing::error!(%error, %run, "run not queued again"),
                },
                Err(_) if self.inner.ledger.trouble().is_some() => {}
                Err(error) => return tracing::error!(%error, %run, "the end of a run could not be written down"),
            }
        }
    }

    /// The credentials of the platform were asked whom they reach.
    pub(super) fn account_known(&self, platform: PlatformId) {
        self.inner.accounts.add(platform);
    }

    /// Settings or credentials were changed: the next run asks.
    pub(super) fn account_may_differ(&self, platform: PlatformId) {
        self.inner.accounts.forget(platform);
    }

    /// Whether the credentials reach the account that the links belong to. A run that ends here has been closed.
    async fn right_account(&self, run: RunId, order: &Order) -> Result<bool, LedgerError> {
        let id = order.platform;
        if self.inner.accounts.contains(id) {
            return Ok(true);
        }
        let platform = self.inner.ledger.read(move |view| view.platform(id)).await?;
        // One that was never set up has no account yet, and one without a connector says so itself.
        let (Some(_), Ok(connector)) = (&platform.account_id, self.inner.serving.connector(id, false)) else {
            return Ok(true);
        };
        let why = match account::ask(&self.inner.ledger, &*self.inner.clock, &*connector, id).await {
            Ok(reached) if reached.other => reached.refusal(platform.code.as_str()),
            Ok(_) => {
                self.inner.accounts.add(id);
                return Ok(true);
            }
            // The run itself knows best what to make of these: it pauses the platform, or rests.
            Err(AskError::Call(CallError::Remote(RemoteError::Auth(_) | RemoteError::Throttled(_)))) => {
                return Ok(true);
            }
            Err(AskError::Ledger(error)) => return Err(error),
            Err(AskError::Call(error)) => format!("whom the credentials reach could not be asked: {error}"),
        };
        self.close(run, RunState::Failed, &why).await;
        Ok(false)
    }

    async fn perform(&self, run: RunId, order: &Order, stop: &CancellationToken) -> Result<(), PushError> {
        if !self.right_account(run, order).await? {
            return Ok(());
        }
        match order.direction {
            Direction::Pull | Direction::Sweep | Direction::Onboard => {
                let connector = match self.inner.serving.connector(order.platform, false) {
                    Ok(connector) => connector,
                    Err(unserved) => {
                        self.close(run, RunState::Failed, &unserved.message).await;
                        return Ok(());
                    }
                };
                let pull = Pull {
                    ledger: self.inner.ledger.clone(),
                    clock: Arc::clone(&self.inner.clock),
                    connector,
                    platform: order.platform,
                    kind: order.kind,
                    run,
                    page: self.tuning().page,
                    stop: stop.clone(),
                };
                let end = if order.direction == Direction::Sweep {
                    pull.sweep(order.released).await?
                } else {
                    pull.run(order.mode.clone()).await?
                };
                if let (RunState::Resting, Some(until)) = (end.state, end.until) {
                    self.again_at(run, order.clone(), until);
                }
            }
            Direction::Push | Direction::Settle | Direction::Backfill => {
                self.open_fence(order).await?;
                match self.pusher().run(run, stop).await {
                    Ok(End::Resting(until)) => self.again_at(run, order.clone(), until),
                    Ok(End::Fenced) => self.behind_orders(order),
                    Ok(_) | Err(PushError::Unserved(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// A run that rests goes on as a new run.
    fn again_at(&self, run: RunId, order: Order, until: Timestamp) {
        let runs = self.clone();
        let wait = Duration::try_from(until.duration_since(self.inner.clock.now())).unwrap_or_default();
        tokio::spawn(async move {
            tokio::select! {
                () = runs.inner.stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            if !runs.writable().await {
                return;
            }
            let ended = runs
                .inner
                .ledger
                .write(move |tx| {
                    if tx.run(run)?.state == RunState::Resting {
                        tx.set_run(run, RunState::Done, Some("Rested; goes on in the next run."), None)?;
                        return Ok::<_, LedgerError>(true);
                    }
                    Ok(false)
                })
                .await;
            // A person may have cancelled it meanwhile.
            if let Ok(true) = ended
                && let Err(error) = runs.queue(Order { mode: Mode::Changes, ..order }).await
            {
                tracing::error!(%error, "rested run not queued again");
            }
        });
    }

    async fn close(&self, run: RunId, state: RunState, message: &str) {
        let message = message.to_owned();
        let closed = self
            .inner
            .ledger
            .write(move |tx| {
                if tx.run(run)?.state.is_over() {
                    return Ok(());
                }
                tx.set_run(run, state, Some(&message), None)
            })
            .await;
        if let Err(error) = closed {
            tracing::error!(%error, %run, "the end of a run could not be written down");
        }
    }

    /// After a run: pushes of start mode `event` that now have something to do.
    async fn stir(&self, _platform: PlatformId, _kind: Kind) {
        let due = self
            .inner
            .ledger
            .read(move |view| {
                let instance = view.instance()?;
                if !instance.automatic || instance.mode == InstanceMode::Safe {
                    return Ok::<_, LedgerError>(Vec::new());
                }
                let mut due = Vec::new();
                for action in view.actions(None)? {
                    let wanted = action.enabled
                        && action.start_mode == StartMode::Event
                        && action.direction == Direction::Push
                        && view.has_due(action.platform, action.kind)?;
                    if wanted && view.platform(action.platform)?.state == PlatformState::Active {
                        due.push((action.platform, action.kind));
                    }
                }
                Ok(due)
            })
            .await;
        let due = match due {
            Ok(due) => due,
            Err(LedgerError::Closed) => return,
            Err(error) => {
                tracing::error!(%error, "event actions could not be looked up");
                return;
            }
        };
        for key in due {
            if !self.inner.stirred.lock().unwrap_or_else(PoisonError::into_inner).insert(key) {
                continue;
            }
            let runs = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(runs.tuning().event_delay).await;
                runs.inner.stirred.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
                if !runs.inner.stop.is_cancelled() {
                    drop(runs.queue(Order::new(key.0, Direction::Push, key.1, Cause::Event)).await);
                }
            });
        }
    }

    /// Starts what is due until the service stops.
    pub(super) async fn keep_schedule(self) {
        loop {
            tokio::select! {
                () = self.inner.stop.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
            // What is due stays due until the ledger can be written.
            if self.inner.ledger.trouble().is_some() {
                continue;
            }
            match self.due().await {
                Ok(due) => {
                    for order in due {
                        if let Err(error) = self.queue(order).await {
                            tracing::error!(%error, "automatic action not started");
                        }
                    }
                }
                Err(LedgerError::Closed) => return,
                Err(error) => tracing::error!(%error, "the schedule cannot be read"),
            }
        }
    }

    async fn due(&self) -> Result<Vec<Order>, LedgerError> {
        let now = self.inner.clock.now();
        let queued: HashSet<(PlatformId, Direction, Kind)> = self
            .inner
            .ledger
            .read(move |view| {
                let mut queued = HashSet::new();
                for state in [RunState::Queued, RunState::Running, RunState::Resting, RunState::Held] {
                    queued.extend(view.runs_in(state)?.into_iter().map(|run| (run.platform, run.direction, run.kind)));
                }
                Ok::<_, LedgerError>(queued)
            })
            .await?;
        self.inner
            .ledger
            .read(move |view| {
                let instance = view.instance()?;
                if !instance.automatic || instance.mode == InstanceMode::Safe {
                    return Ok(Vec::new());
                }
                let mut due = Vec::new();
                for action in view.actions(None)? {
                    let timed = action.enabled && action.start_mode == StartMode::Automatic;
                    let free = !queued.contains(&(action.platform, action.direction, action.kind));
                    if !timed || !free || action.next_at.is_some_and(|at| at > now) {
                        continue;
                    }
                    if matches!(view.platform(action.platform)?.state, PlatformState::Active) {
                        due.push(Order::new(action.platform, action.direction, action.kind, Cause::Automatic));
                    }
                }
                Ok(due)
            })
            .await
    }
}

/// When an action is due after now; `None` for those that time does not start.
fn next_at(action: &Action, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if action.start_mode != StartMode::Automatic {
        return None;
    }
    let schedule: Schedule = action.schedule.as_deref()?.parse().ok()?;
    schedule.next_after(now, zone)
}

fn zone(account: Option<crate::model::description::Account>) -> TimeZone {
    account.and_then(|account| TimeZone::get(&account.zone).ok()).unwrap_or(TimeZone::UTC)
}
