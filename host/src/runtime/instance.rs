//! One call: a fresh instance with its limits, dropped afterwards whatever happened.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use wasmtime::component::{Instance, InstancePre, ResourceTable};
use wasmtime::{ResourceLimiter, Store, Trap, UpdateDeadline, WasmBacktrace};
use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxView, WasiView};

use super::engine::{Engine, TICK};
use super::imports::storage::Overlay;
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
        Self {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            limiter: Limiter { limits: limits.clone(), used: 0 },
            meter: Meter::new(limits),
            call,
        }
    }

    /// Stops the clock of computing time until the result is dropped: the host works now, or waits.
    pub(super) fn on_host(&self) -> OnHost {
        self.meter.pause();
        OnHost { meter: self.meter.clone() }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
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

/// Computing time of a connector, without the time that the host works or waits for it.
#[derive(Clone)]
struct Meter {
    limits: Arc<Limits>,
    time: Arc<Mutex<Time>>,
}

struct Time {
    /// Since when the connector computes.
    since: Instant,
    used: Duration,
}

impl Meter {
    /// Looks come every tick while a connector computes; what is longer was spent waiting (for the system, or in WASI).
    const LOOK: Duration = TICK.saturating_mul(3);

    fn new(limits: Arc<Limits>) -> Self {
        Self { limits, time: Arc::new(Mutex::new(Time { since: Instant::now(), used: Duration::ZERO })) }
    }

    fn pause(&self) -> Duration {
        let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = time.since.elapsed().min(Self::LOOK);
        time.used += spent;
        time.since = Instant::now();
        time.used
    }

    fn resume(&self) {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).since = Instant::now();
    }

    fn look(&self) -> wasmtime::Result<UpdateDeadline> {
        if self.pause() >= self.limits.cpu() {
            return Err(wasmtime::Error::new(Limit::Cpu.exceeded(&self.limits)));
        }
        let meter = self.clone();
        Ok(UpdateDeadline::YieldCustom(
            1,
            Box::pin(async move {
                tokio::task::yield_now().await;
                meter.resume();
            }),
        ))
    }
}

/// See [`State::on_host`].
pub(super) struct OnHost {
    meter: Meter,
}

impl Drop for OnHost {
    fn drop(&mut self) {
        self.meter.resume();
    }
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
    let unsafe_sent = call.context.unsafe_sent.clone();
    let overdue = || CallError::Limit { message: Limit::Call.exceeded(&limits).to_string() };

    let Ok(permit) = tokio::time::timeout_at(deadline, engine.admit()).await else {
        return Finished { result: Err(overdue()), storage: Overlay::default() };
    };
    let mut store = Store::new(engine.wasmtime(), State::new(call));
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(usize::try_from(limits.message).unwrap_or(usize::MAX));
    store.set_epoch_deadline(1);
    let meter = store.data().meter.clone();
    meter.resume();
    store.epoch_deadline_callback(move |_| meter.look());

    let whole = async {
        let instance = pre.instantiate_async(&mut store).await?;
        work(&mut store, &instance).await
    };
    let ended = tokio::time::timeout_at(deadline, whole).await;
    let storage = std::mem::take(&mut store.data_mut().call.storage);
    drop(store);
    drop(permit);
    let result = match ended {
        Err(_) => Err(overdue()),
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(call_error(&error, &limits, &log)),
    };
    if let Err(error) = &result {
        let unsafe_sent = unsafe_sent.load(Ordering::SeqCst);
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
    #[error("the host cannot go on: {message}")]
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
    if let Some(error) = error.downcast_ref::<HostError>() {
        return CallError::Trap { message: error.to_string() };
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
