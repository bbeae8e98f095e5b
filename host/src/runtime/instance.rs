//! One call: a fresh instance with its limits, dropped afterwards whatever happened.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;
use wasmtime::component::{Instance, InstancePre, ResourceTable, ResourceTableError};
use wasmtime::{ResourceLimiter, Store, Trap, UpdateDeadline, WasmBacktrace};
use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::engine::Engine;
use super::imports::storage::Overlay;
use super::imports::wasi_http::{Door, HEADERS};
use super::imports::{Clock, Phase, Powers};
use super::limits::{Exceeded, Limit, Limits};
use super::log::Log;
use super::power::CallContext;
use crate::model::CallError;

/// Frames of a connector's stack that are shown.
const FRAMES: usize = 6;

/// What an instance belongs to: data of its store.
pub(super) struct State {
    wasi: WasiCtx,
    wasi_http: WasiHttpCtx,
    door: Door,
    table: ResourceTable,
    limiter: Limiter,
    meter: Meter,
    /// What the host functions need of the call.
    pub(super) call: Call,
}

/// The call that an instance was made for.
pub(super) struct Call {
    pub(super) context: CallContext,
    pub(super) phase: Phase,
    pub(super) powers: Powers,
    pub(super) clock: Clock,
    pub(super) log: Log,
    pub(super) storage: Overlay,
}

impl State {
    pub(super) fn new(call: Call) -> Self {
        let limits = call.context.limits.clone();
        let mut wasi = WasiCtx::builder();
        // Everything else stays as it begins: no files, no environment, no arguments, no sockets, no names.
        wasi.stdout(call.log.stream()).stderr(call.log.stream());
        wasi.allow_ip_name_lookup(false).allow_tcp(false).allow_udp(false).max_random_size(1 << 20);
        call.clock.apply(&mut wasi);
        let mut table = ResourceTable::new();
        table.set_max_capacity(usize::try_from(limits.handles).unwrap_or(usize::MAX));
        let meter = Meter::new(limits.clone());
        let describing = matches!(call.phase, Phase::Describe);
        let mut wasi_http = WasiHttpCtx::new();
        wasi_http.set_field_size_limit(HEADERS);
        Self {
            wasi: wasi.build(),
            wasi_http,
            door: Door::new(call.context.clone(), call.powers.http.clone(), describing, meter.clone()),
            table,
            limiter: Limiter { limits, used: 0 },
            meter,
            call,
        }
    }

    /// Begins a host function: charges what it costs beyond the computing that is measured anyway, or a loop of calls
    /// whose work other threads do would be free.
    pub(super) fn host_call(&self, cost: Cost) -> wasmtime::Result<HostCall> {
        self.meter.charge(cost.time())?;
        let limits = self.call.context.limits.clone();
        let ends = self.call.context.deadline.min(Instant::now() + limits.host_call());
        Ok(HostCall { limits, ends })
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.door, table: &mut self.table, ctx: &mut self.wasi_http }
    }
}

/// Counts memory and tables of all parts of an instance together.
struct Limiter {
    limits: Arc<Limits>,
    used: u64,
}

impl Limiter {
    fn grow(&mut self, current: usize, desired: usize, size: u64) -> wasmtime::Result<bool> {
        let more = (desired.saturating_sub(current) as u64).saturating_mul(size);
        let used = self.used.saturating_add(more);
        if used > self.limits.memory {
            // Ending here says what happened; a refused growth would only look like an allocator's panic.
            return Err(wasmtime::Error::new(Limit::Memory.exceeded(&self.limits)));
        }
        self.used = used;
        Ok(true)
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current, desired, 1)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current, desired, size_of::<usize>() as u64)
    }

    fn instances(&self) -> usize {
        200
    }

    fn tables(&self) -> usize {
        200
    }

    fn memories(&self) -> usize {
        50
    }
}

/// What a host function costs beyond what this thread computes for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// Nothing else works for it.
    Light,
    /// The ledger or the disk does.
    Disk,
    /// The network, with encryption.
    Network,
}

impl Cost {
    pub(super) fn time(self) -> Duration {
        match self {
            Self::Light => Duration::from_micros(1),
            Self::Disk => Duration::from_micros(50),
            Self::Network => Duration::from_micros(200),
        }
    }
}

/// A host function at work; see [`State::host_call`].
pub(super) struct HostCall {
    limits: Arc<Limits>,
    ends: Instant,
}

impl HostCall {
    /// When it is ended.
    pub(super) fn ends(&self) -> Instant {
        self.ends
    }

    /// Does the work, and ends the whole call when it takes too long: what the work had reached is not known.
    pub(super) async fn within<T>(self, work: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
        match tokio::time::timeout_at(self.ends, work).await {
            Ok(done) => done,
            Err(_) => Err(wasmtime::Error::new(Limit::HostCall.exceeded(&self.limits))),
        }
    }
}

/// Computing time of a call: what its thread computed in it, host functions included, and what they were charged for.
/// Waiting is not counted, nor is what the machine does for others meanwhile.
#[derive(Clone)]
pub(super) struct Meter {
    limits: Arc<Limits>,
    time: Arc<Mutex<Time>>,
}

struct Time {
    /// Computing time of the thread when it took up the call; the call may be on another thread each time.
    since: Duration,
    used: Duration,
}

impl Meter {
    fn new(limits: Arc<Limits>) -> Self {
        Self { limits, time: Arc::new(Mutex::new(Time { since: thread_time(), used: Duration::ZERO })) }
    }

    /// Runs the call and measures every stretch of it that this thread works.
    async fn measure<T>(&self, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        poll_fn(|cx| {
            self.time().since = thread_time();
            let polled = call.as_mut().poll(cx);
            let mut time = self.time();
            let worked = thread_time().saturating_sub(time.since);
            time.used += worked;
            polled
        })
        .await
    }

    fn time(&self) -> std::sync::MutexGuard<'_, Time> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn charge(&self, cost: Duration) -> wasmtime::Result<()> {
        let mut time = self.time();
        time.used += cost;
        self.judge(time.used)
    }

    /// At every tick while the connector computes.
    fn look(&self) -> wasmtime::Result<UpdateDeadline> {
        let time = self.time();
        self.judge(time.used + thread_time().saturating_sub(time.since))?;
        Ok(UpdateDeadline::Yield(1))
    }

    fn judge(&self, used: Duration) -> wasmtime::Result<()> {
        if used < self.limits.cpu() { Ok(()) } else { Err(wasmtime::Error::new(Limit::Cpu.exceeded(&self.limits))) }
    }
}

/// What this thread has computed since it began.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// What a finished call leaves behind.
pub(super) struct Finished<T> {
    pub(super) result: Result<T, CallError>,
    pub(super) storage: Overlay,
}

/// Instantiates, runs `work` within the limits, drops the instance.
pub(super) async fn run<T, F>(engine: &Engine, pre: &InstancePre<State>, call: Call, work: F) -> Finished<T>
where
    T: Send,
    F: for<'a> FnOnce(&'a mut Store<State>, &'a Instance) -> BoxFuture<'a, wasmtime::Result<T>> + Send,
{
    let limits = call.context.limits.clone();
    let deadline = call.context.deadline;
    let log = call.log.clone();
    let context = call.context.clone();
    let overdue = || CallError::Limit { message: Limit::Call.exceeded(&limits).to_string() };

    let Ok(permit) = tokio::time::timeout_at(deadline, engine.admit()).await else {
        return Finished { result: Err(overdue()), storage: Overlay::default() };
    };
    let mut store = Store::new(engine.wasmtime(), State::new(call));
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(usize::try_from(limits.message).unwrap_or(usize::MAX));
    store.set_max_component_handles(usize::try_from(limits.handles).unwrap_or(usize::MAX));
    store.set_epoch_deadline(1);
    let meter = store.data().meter.clone();
    let looker = meter.clone();
    store.epoch_deadline_callback(move |_| looker.look());

    let whole = async {
        let instance = pre.instantiate_async(&mut store).await?;
        work(&mut store, &instance).await
    };
    let ended = tokio::time::timeout_at(deadline, meter.measure(whole)).await;
    // What still works on other threads may do nothing more that could be seen.
    let unsafe_sent = context.close();
    let storage = std::mem::take(&mut store.data_mut().call.storage);
    drop(store);
    drop(permit);
    let result = match ended {
        Err(_) => Err(overdue()),
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(call_error(&error, &limits, &log)),
    };
    if let Err(error) = &result {
        tracing::warn!(%error, unsafe_sent, "a call of a connector was ended");
    }
    Finished { result, storage }
}

/// What a failed host function leaves to the caller of the connector, instead of a trap.
#[derive(Debug, thiserror::Error)]
pub(super) enum HostError {
    /// The connector did what the contract forbids.
    #[error("{message}")]
    Contract {
        /// What it did.
        message: String,
    },
    /// The ledger or the disk refused; the call cannot go on.
    #[error("{message}")]
    Broken {
        /// Why.
        message: String,
    },
}

impl HostError {
    pub(super) fn contract(message: impl Into<String>) -> wasmtime::Error {
        wasmtime::Error::new(Self::Contract { message: message.into() })
    }

    pub(super) fn broken(error: &dyn std::error::Error) -> wasmtime::Error {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            message = format!("{message}: {error}");
            source = error.source();
        }
        wasmtime::Error::new(Self::Broken { message })
    }
}

fn call_error(error: &wasmtime::Error, limits: &Limits, log: &Log) -> CallError {
    if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
        return CallError::Limit { message: exceeded.to_string() };
    }
    match error.downcast_ref::<HostError>() {
        Some(HostError::Contract { message }) => return CallError::Trap { message: message.clone() },
        Some(HostError::Broken { message }) => return CallError::Host { message: message.clone() },
        None => {}
    }
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return CallError::Limit { message: "too many calls run at the same time; this one is tried again".into() };
    }
    let mut message = if let Some(trap) = error.downcast_ref::<Trap>() {
        trap.to_string()
    } else if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        format!("it exited with code {code}")
    } else {
        error.root_cause().to_string()
    };
    // Wasmtime has no type for it.
    if message.contains("fuel allocated for hostcalls has been exhausted") {
        return CallError::Limit { message: Limit::Message.exceeded(limits).to_string() };
    }
    if message.contains("store handle limit exceeded") || error.is::<ResourceTableError>() {
        return CallError::Limit { message: Limit::Handles.exceeded(limits).to_string() };
    }
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
            Some(name) => super::log::escaped(name).chars().take(80).collect(),
            None => format!("function {}", frame.func_index()),
        };
        let frames: Vec<_> = backtrace.frames().iter().take(FRAMES).map(name).collect();
        if !frames.is_empty() {
            message = format!("{message}; in {}", frames.join(", called by "));
        }
    }
    let tail = log.tail();
    if !tail.is_empty() {
        message = format!("{message}; its last words: {}", tail.join(" / "));
    }
    CallError::Trap { message }
}
