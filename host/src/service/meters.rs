//! What the service counts, and the page that Prometheus reads. Labels are codes, kinds and states: never a value of a
//! record, an address or a secret.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::{Service, ServiceError};
use crate::ledger::instance::Mode;
use crate::ledger::run::{Counts, Run, RunState};
use crate::ledger::trouble::space;
use crate::ledger::{Ledger, LedgerError};
use crate::model::RunId;

/// Media type of the page.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;
type Lengths = Family<Labels, Gauge<i64, AtomicI64>>;

/// Errors and warnings that were logged by this process.
static LOGGED: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// Counts log lines of the levels that somebody should look at.
#[derive(Debug, Clone, Copy)]
pub struct Logged;

impl<S: Subscriber> Layer<S> for Logged {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        match *event.metadata().level() {
            Level::ERROR => LOGGED[0].fetch_add(1, Ordering::Relaxed),
            Level::WARN => LOGGED[1].fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }
}

/// What runs did since the start.
#[derive(Clone)]
pub struct Meters {
    inner: Arc<Inner>,
}

struct Inner {
    runs: Counters,
    records: Counters,
    seconds: Family<Labels, Histogram>,
    /// Counts of runs under way that were added already.
    counted: Mutex<HashMap<RunId, Counts>>,
}

impl Default for Meters {
    fn default() -> Self {
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        Self {
            inner: Arc::new(Inner {
                runs: Counters::default(),
                records: Counters::default(),
                seconds,
                counted: Mutex::default(),
            }),
        }
    }
}

fn histogram() -> Histogram {
    Histogram::new([0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0])
}

impl Meters {
    /// Adds what a run did since it was counted last; at its end also the run itself.
    pub(super) async fn count(&self, ledger: &Ledger, run: RunId) {
        let found = ledger
            .read(move |view| {
                let run = view.run(run)?;
                let code = view.platform(run.platform)?.code.to_string();
                Ok::<_, LedgerError>((run, code))
            })
            .await;
        // A ledger that is closed has nobody who asks for counts.
        if let Ok((run, code)) = found {
            self.add(&run, &code);
        }
    }

    fn add(&self, run: &Run, code: &str) {
        let labels = |more: &[(&'static str, &str)]| {
            let mut labels: Labels = vec![
                ("platform", code.to_owned()),
                ("direction", run.direction.as_str().to_owned()),
                ("kind", run.kind.as_str().to_owned()),
            ];
            labels.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
            labels
        };
        let mut counted = self.inner.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let before = counted.entry(run.id).or_default();
        for (name, count) in &run.counts {
            let more = count.saturating_sub(before.get(name).copied().unwrap_or_default());
            self.inner.records.get_or_create(&labels(&[("outcome", name)])).inc_by(more);
        }
        before.clone_from(&run.counts);
        if !(run.state.is_over() || matches!(run.state, RunState::Held | RunState::Resting)) {
            return;
        }
        counted.remove(&run.id);
        drop(counted);
        self.inner.runs.get_or_create(&labels(&[("state", run.state.as_str())])).inc();
        if let (Some(began), Some(ended)) = (run.started_at, run.ended_at) {
            let direction: Labels = vec![("direction", run.direction.as_str().to_owned())];
            let took = ended.duration_since(began).as_secs_f64();
            self.inner.seconds.get_or_create(&direction).observe(took.max(0.0));
        }
    }
}

/// Fills a page: every series has one line of help.
struct Page {
    registry: Registry,
}

impl Page {
    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(value);
        self.registry.register(name, help, gauge);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        let counter: Counter = Counter::default();
        counter.inc_by(value);
        self.registry.register(name, help, counter);
    }
}

impl Service {
    /// The page that Prometheus reads.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn metrics(&self) -> Result<String, ServiceError> {
        let now = self.clock().now();
        let meters = self.meters().clone();
        let (instance, platforms, streams, queues, running) = self
            .ledger()
            .read(|view| {
                let running = view.runs_in(RunState::Running)?;
                Ok::<_, LedgerError>((
                    view.instance()?,
                    view.platforms()?,
                    view.streams(None)?,
                    view.queues()?,
                    running,
                ))
            })
            .await?;
        for run in &running {
            meters.count(self.ledger(), run.id).await;
        }
        let mut page = Page { registry: Registry::with_prefix("tradepost") };
        let inner = &meters.inner;
        page.registry.register("runs", "Runs that ended, or rest, by how", inner.runs.clone());
        page.registry.register("records", "What runs did to records, pages among it", inner.records.clone());
        page.registry.register("run_seconds", "How long runs took", inner.seconds.clone());
        self.measure_traffic(&mut page);
        self.measure_runtime(&mut page);
        self.measure_ledger(&mut page);

        let (lengths, ages) = (Lengths::default(), Gauges::default());
        for queue in queues {
            let labels: Labels = vec![("queue", queue.name.to_owned()), ("platform", queue.platform)];
            lengths.get_or_create(&labels).set(queue.length.cast_signed());
            if let Some(oldest) = queue.oldest {
                ages.get_or_create(&labels).set(seconds_since(oldest, now));
            }
        }
        page.registry.register(
            "queue_length",
            "What waits: queued runs, wants, deliveries, writes, inbox, questions",
            lengths,
        );
        page.registry.register("queue_age_seconds", "How long the oldest of it has waited", ages);

        let (states, ages) = (Lengths::default(), Gauges::default());
        for platform in &platforms {
            let code = platform.code.to_string();
            let labels: Labels = vec![("platform", code.clone()), ("state", platform.state.as_str().to_owned())];
            states.get_or_create(&labels).set(1);
            for stream in streams.iter().filter(|stream| stream.platform == platform.id) {
                let Some(at) = stream.pulled_at else { continue };
                let labels: Labels = vec![("platform", code.clone()), ("kind", stream.kind.as_str().to_owned())];
                ages.get_or_create(&labels).set(seconds_since(at, now));
            }
        }
        page.registry.register("platform_state", "1 for the state that a platform is in", states);
        page.registry.register("pull_age_seconds", "Since the last complete pull of changes began", ages);
        let running = i32::try_from(running.len()).unwrap_or(i32::MAX);
        page.gauge("runs_running", "Runs under way", running.into());
        page.gauge("automatic", "1 while automatic mode is on", f64::from(u8::from(instance.automatic)));
        page.gauge("safe_mode", "1 while nothing is sent", f64::from(u8::from(instance.mode == Mode::Safe)));
        let build: Labels = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        let info = Lengths::default();
        info.get_or_create(&build).set(1);
        page.registry.register("build_info", "Version of the program", info);

        let mut text = String::new();
        encode(&mut text, &page.registry).map_err(|_| ServiceError::refused("the metrics cannot be written"))?;
        Ok(text)
    }

    fn measure_traffic(&self, page: &mut Page) {
        let requests = Counters::default();
        for (code, counts) in self.serving().traffic() {
            for (outcome, count) in counts.list() {
                let labels: Labels = vec![("platform", code.clone()), ("outcome", outcome.to_owned())];
                requests.get_or_create(&labels).inc_by(count);
            }
        }
        page.registry.register(
            "http_requests",
            "Requests of connectors by outcome: class of status, throttled, denied, unreachable, failed",
            requests,
        );
        let logged = Counters::default();
        for (level, count) in ["error", "warn"].into_iter().zip(&LOGGED) {
            logged.get_or_create(&vec![("level", level.to_owned())]).inc_by(count.load(Ordering::Relaxed));
        }
        page.registry.register("log_lines", "Lines that were logged as errors and warnings", logged);
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; nobody counts pool slots beyond 2^52")]
    fn measure_runtime(&self, page: &mut Page) {
        let usage = self.serving().engine().usage();
        page.gauge(
            "instances_running",
            "Calls of connectors under way, each in an instance of its own",
            usage.calls as f64,
        );
        page.gauge("instances_limit", "Most calls at a time", usage.most_calls as f64);
        page.gauge(
            "instance_pool_memories_warm",
            "Memories that the pool keeps for the next call",
            usage.warm_memories as f64,
        );
        page.gauge("instance_pool_resident_bytes", "What these hold in memory", usage.resident_bytes as f64);
        page.counter("compile_cache_hits", "Components whose code was there", usage.cache_hits);
        page.counter("compile_cache_misses", "Components that were compiled", usage.cache_misses);
        let serving = self.registry().serving().len();
        page.gauge("connectors_serving", "Connectors that serve", serving as f64);
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and sizes stay below 2^52")]
    fn measure_ledger(&self, page: &mut Page) {
        let size = self.ledger().size();
        page.gauge("ledger_bytes", "Size of the ledger", size.file as f64);
        page.gauge("ledger_log_bytes", "Size of its write-ahead log", size.log as f64);
        if let Ok(space) = space(self.folder().root()) {
            page.gauge("disk_free_bytes", "Free space where the data folder lies", space.free as f64);
        }
        let writable = self.ledger().trouble().is_none();
        page.gauge(
            "ledger_writable",
            "0 while runs rest because the disk takes nothing",
            f64::from(u8::from(writable)),
        );
    }
}

fn seconds_since(at: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(at).as_secs_f64().max(0.0)
}
