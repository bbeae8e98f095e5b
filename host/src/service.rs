//! The running service: data folder, ledger, connectors and engine put together, and the commands that operators give.

mod account;
pub mod backfill;
pub mod cases;
pub mod contact;
pub mod folder;
pub mod health;
pub mod meters;
pub mod platforms;
mod plugins;
pub mod preview;
pub mod questions;
pub mod records;
pub mod restore;
pub mod runs;
pub mod serving;
pub mod settings;
pub mod store;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::capability::Secret;
use crate::config::{Config, Differences};
use crate::ledger::attention::{Attention, AttentionState};
use crate::ledger::instance::{Instance, host_fingerprint};
use crate::ledger::platform::{Platform, PlatformState};
use crate::ledger::run::Run;
use crate::ledger::secret::SealKey;
use crate::ledger::{self, Ledger, LedgerError};
use crate::model::description::Description;
use crate::plugins::{Registry, RegistryError, Watcher, watch};
use crate::runtime::blobs::{BlobError, BlobFolder};
use crate::runtime::engine::EngineError;
use crate::runtime::http::SystemLookup;
use crate::runtime::{Cache, Engine, Options, Runtime};
use crate::sync::clock::{Clock, SystemClock};
use crate::sync::connector::Unserved;
use crate::sync::push::PushError;
use crate::sync::recovery;
use cases::Cases;
use folder::{DataFolder, FolderError};
use meters::Meters;
use runs::{Order, Runs, Tuning};
use serving::Serving;
use store::LedgerStore;

/// How long a stop waits for runs under way.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often the position of the ledger is noted outside of it, at most.
const POSITION: Duration = Duration::from_secs(1);

/// The running service; clones share it.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    /// The configuration in force.
    config: tokio::sync::watch::Sender<Arc<Config>>,
    folder: Arc<DataFolder>,
    ledger: Ledger,
    key: SealKey,
    token: Secret,
    metrics_token: Secret,
    meters: Meters,
    registry: Registry,
    serving: Arc<Serving>,
    cases: Arc<Cases>,
    runs: Runs,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    _watcher: Watcher,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The plugins folder.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The wasm engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The blob folder.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// Nobody serves the platform.
    #[error(transparent)]
    Unserved(#[from] Unserved),
    /// It contradicts what is, in words for the operator.
    #[error("{message}")]
    Refused {
        /// What is wrong and what to do.
        message: String,
    },
    /// What was asked for is not there.
    #[error("there is no {what} `{id}`")]
    Missing {
        /// Platform, action ...
        what: &'static str,
        /// As given.
        id: String,
    },
}

impl ServiceError {
    /// It contradicts what is.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused { message: message.into() }
    }
}

impl From<PushError> for ServiceError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Ledger(error) => Self::Ledger(error),
            PushError::Unserved(error) => Self::Unserved(error),
        }
    }
}

impl Service {
    /// Takes ownership of the data folder, recovers what the last boot left, loads the connectors and starts the
    /// schedule.
    ///
    /// # Errors
    /// Another process owns the folder, the ledger is newer, a folder cannot be used.
    pub async fn start(config: Config) -> Result<Self, ServiceError> {
        let folder = Arc::new(DataFolder::open(&config.data)?);
        let key = folder.seal_key(config.seal_key.as_ref())?;
        let token = folder.api_token()?;
        let metrics_token = folder.metrics_token()?;
        let ledger = Ledger::open(&folder.ledger(), ledger::Options::default())?;
        begin(&folder, &ledger).await?;
        let recovered = recovery::recover(&ledger).await?;
        if recovered.runs + recovered.intents > 0 {
            tracing::warn!(runs = recovered.runs, writes = recovered.intents, "the last boot was cut off");
        }
        let cache = Cache::open(&folder.root().join("cache"))
            .inspect_err(|error| tracing::warn!(%error, "compiled code is not cached"))
            .ok();
        let (compiler, compile) = (config.compiler.clone(), config.compile.clone());
        let engine = Engine::with(Options { cache, compiler, compile })?;
        let blobs = Arc::new(BlobFolder::open(&folder.root().join("blobs"))?);
        let runtime = Arc::new(Runtime::new(engine.clone(), Arc::new(LedgerStore(ledger.clone())), blobs));
        let kept = folder.root().join("connectors");
        let registry = Registry::remembering(&config.plugins, engine, ledger.clone(), &kept)?;
        registry.set_signers(config.signers.clone());
        registry.reconcile().await?;
        let root = folder.root().join("cases");
        let cases = Cases::open(&root, &kept, config.cases.clone())
            .map(Arc::new)
            .map_err(|source| FolderError::Io { path: root, source })?;
        let serving = Serving::new(
            ledger.clone(),
            key.clone(),
            runtime,
            registry.clone(),
            Arc::clone(&folder),
            config.limits.clone(),
            Arc::new(SystemLookup),
        );
        let serving = Arc::new(serving.seen_by(Arc::clone(&cases)));
        serving.refresh().await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let meters = Meters::default();
        let runs = Runs::new(ledger.clone(), Arc::clone(&serving), Arc::clone(&clock), tuning(&config), meters.clone());
        let watcher = watch(registry.clone(), config.poll);
        let service = Self {
            inner: Arc::new(Inner {
                config: tokio::sync::watch::Sender::new(Arc::new(config)),
                folder,
                ledger,
                key,
                token,
                metrics_token,
                meters,
                registry,
                serving,
                cases,
                runs: runs.clone(),
                clock,
                stop: CancellationToken::new(),
                _watcher: watcher,
            }),
        };
        tokio::spawn(runs.keep_schedule());
        tokio::spawn(service.clone().keep_position());
        tokio::spawn(service.clone().keep_disk());
        tokio::spawn(service.clone().keep_tidy());
        tokio::spawn(service.clone().keep_plugin_questions());
        Ok(service)
    }

    /// Lets runs finish their step, notes where the ledger is, closes it, and gives the data folder back.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.runs.shut_down(PATIENCE).await;
        self.note_position().await;
        let ledger = self.inner.ledger.clone();
        drop(tokio::task::spawn_blocking(move || ledger.close()).await);
        self.inner.folder.release();
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.inner.config.borrow())
    }

    /// Tells when another configuration is in force.
    #[must_use]
    pub fn watch_config(&self) -> tokio::sync::watch::Receiver<Arc<Config>> {
        self.inner.config.subscribe()
    }

    /// Reads the configuration anew. What changed counts for what begins from now on; what needs a restart is named.
    ///
    /// # Errors
    /// It cannot be read or does not fit: the one in force stays.
    pub async fn reload(&self) -> Result<Differences, ServiceError> {
        let old = self.config();
        let read = {
            let old = Arc::clone(&old);
            tokio::task::spawn_blocking(move || old.again()).await
        };
        let new = match read {
            Ok(Ok(new)) => new,
            Ok(Err(error)) => {
                let words = words(&error);
                tracing::error!(error = words, "the configuration was not read anew; the one in force stays");
                return Err(ServiceError::refused(format!("{words}; the configuration in force stays as it is")));
            }
            Err(error) => return Err(ServiceError::refused(format!("the configuration could not be read: {error}"))),
        };
        let differences = old.differences(&new);
        let now = old.with_changes_of(new);
        self.inner.serving.set_limits(now.limits.clone());
        self.inner.runs.tune(tuning(&now));
        self.inner.registry.set_signers(now.signers.clone());
        self.cases().set_keep(now.cases.clone());
        self.inner.config.send_replace(Arc::new(now));
        tracing::info!(changed = ?differences.at_once, restart = ?differences.restart, "the configuration was read anew");
        let detail = serde_json::json!({ "changed": differences.at_once, "restart": differences.restart });
        if differences.at_once.iter().any(|key| key.starts_with("signatures."))
            && let Err(error) = self.inner.registry.reconcile().await
        {
            tracing::warn!(%error, "the plugins folder was not looked at anew");
        }
        if let Err(error) = self.ledger().write(move |tx| tx.audit("operator", "config.reload", &detail)).await {
            tracing::warn!(%error, "the reload is not in the journal of the set-up");
        }
        Ok(differences)
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.inner.meters
    }

    /// What reads the metrics and nothing else.
    pub(crate) fn metrics_token(&self) -> &Secret {
        &self.inner.metrics_token
    }

    /// Ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// Plugins folder.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Runs.
    #[must_use]
    pub fn runs(&self) -> &Runs {
        &self.inner.runs
    }

    /// What the API asks for.
    #[must_use]
    pub fn token(&self) -> &Secret {
        &self.inner.token
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.clock)
    }

    pub(crate) fn serving(&self) -> &Arc<Serving> {
        &self.inner.serving
    }

    pub(crate) fn key(&self) -> &SealKey {
        &self.inner.key
    }

    pub(crate) fn folder(&self) -> &DataFolder {
        &self.inner.folder
    }

    /// A platform that was not removed.
    ///
    /// # Errors
    /// There is none of this code.
    pub async fn platform(&self, code: &str) -> Result<Platform, ServiceError> {
        let wanted = code.to_owned();
        let found = self.ledger().read(move |view| view.platform_by_code(&wanted)).await;
        match found {
            Ok(platform) if platform.state != PlatformState::Removed => Ok(platform),
            Ok(_) | Err(LedgerError::Missing { .. }) => {
                Err(ServiceError::Missing { what: "platform", id: code.to_owned() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the connector of a platform says of itself.
    ///
    /// # Errors
    /// Its connector is missing.
    pub fn description(&self, platform: &Platform) -> Result<Arc<Description>, ServiceError> {
        Ok(Arc::clone(self.serving().build(platform)?.description()))
    }

    /// Reads platforms anew after a change.
    pub(crate) async fn refresh(&self) -> Result<(), ServiceError> {
        Ok(self.serving().refresh().await?)
    }

    /// Queues a run and waits until it is over, held or resting.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn run_to_end(&self, order: Order) -> Result<Run, LedgerError> {
        use crate::ledger::run::RunState;
        let mut notices = self.runs().subscribe();
        let id = self.runs().queue(order).await?;
        loop {
            let run = self.ledger().read(move |view| view.run(id)).await?;
            if run.state.is_over() || matches!(run.state, RunState::Held | RunState::Resting) {
                return Ok(run);
            }
            // A missed notice only costs the wait.
            drop(tokio::time::timeout(Duration::from_millis(500), notices.recv()).await);
        }
    }

    /// The ledger's own row and how many questions wait.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn status(&self) -> Result<(Instance, u64), LedgerError> {
        self.ledger().read(|view| Ok((view.instance()?, view.count_open_attentions()?))).await
    }

    /// Turns automatic mode on or off.
    ///
    /// # Errors
    /// In safe mode.
    pub async fn set_automatic(&self, on: bool) -> Result<(), LedgerError> {
        self.ledger()
            .write(move |tx| {
                tx.set_automatic(on)?;
                tx.audit("operator", "automatic", &serde_json::json!({ "on": on }))
            })
            .await
    }

    /// Open questions, or those of a state.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn attentions(&self, state: Option<AttentionState>, limit: u32) -> Result<Vec<Attention>, LedgerError> {
        self.ledger().read(move |view| view.attentions(state, None, limit)).await
    }

    async fn keep_position(self) {
        let mut noted = None;
        loop {
            tokio::select! {
                () = self.inner.stop.cancelled() => return,
                () = tokio::time::sleep(POSITION) => {}
            }
            // Nothing has moved on, and nothing can be noted.
            if self.ledger().trouble().is_some() {
                continue;
            }
            let Ok(instance) = self.ledger().read(|view| view.instance()).await else { return };
            let position = (instance.epoch, instance.last_rev.0);
            if noted != Some(position) {
                self.write_position(position).await;
                noted = Some(position);
            }
        }
    }

    async fn note_position(&self) {
        if let Ok(instance) = self.ledger().read(|view| view.instance()).await {
            self.write_position((instance.epoch, instance.last_rev.0)).await;
        }
    }

    async fn write_position(&self, (epoch, rev): (i64, i64)) {
        let folder = Arc::clone(&self.inner.folder);
        let written = tokio::task::spawn_blocking(move || folder.set_position(epoch, rev)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, "the position of the ledger could not be noted");
        }
    }
}

fn tuning(config: &Config) -> Tuning {
    Tuning {
        deadline: SignedDuration::try_from(config.limits.longest_call()).unwrap_or(SignedDuration::from_mins(10)),
        event_delay: Duration::from_secs(config.event_delay.into()),
        page: config.page,
    }
}

/// An error with everything that led to it, in one line.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Begins the boot; a ledger that went back in time, was restored or woke elsewhere begins it in safe mode.
async fn begin(folder: &DataFolder, ledger: &Ledger) -> Result<(), ServiceError> {
    let fingerprint = host_fingerprint(folder.root());
    let position = folder.position()?;
    ledger
        .write(move |tx| {
            let instance = tx.begin_boot(&fingerprint)?;
            if let Some(at) = instance.backup_at {
                tx.enter_safe_mode(&format!("This ledger was restored from a backup of {at}."))?;
            } else if position.is_some_and(|noted| noted > (instance.epoch, instance.last_rev.0)) {
                tx.enter_safe_mode(
                    "This ledger is older than it was when it worked last, as after a restored disk or snapshot.",
                )?;
            }
            Ok::<_, LedgerError>(())
        })
        .await?;
    let instance = ledger.read(|view| view.instance()).await?;
    if let Some(reason) = &instance.safe_reason {
        tracing::warn!(reason, "safe mode: nothing is sent until it is left with `tradepost restore --resume`");
    }
    Ok(())
}
