//! One build of a connector: a file that was parsed, checked, compiled and asked what it is.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use wasmtime::component::InstancePre;

use super::bindings::v0_1;
use super::bindings::v0_1::wit::exports::tradepost::connector::{connector as xc, source as xs, target as xt};
use super::blobs::PlatformBlobs;
use super::engine::{Engine, LoadError};
use super::imports::storage::Turns;
use super::imports::{Clock, Phase, Powers};
use super::instance::{self, Call, State};
use super::limits::Limits;
use super::log::{LineRate, Log};
use super::power::{CallContext, Class, NoHttp};
use super::trial::{Tell, Trial};
use crate::model::description::Description;
use crate::model::{CallError, PlatformCode, PlatformId};

/// A build that can be called. Runs hold it to their end, whatever the plugins folder does meanwhile.
pub struct Build {
    hash: String,
    description: Arc<Description>,
    engine: Engine,
    /// Loaded at first use where the file is known already.
    code: OnceCell<Code>,
    /// Where the bytes are until then.
    file: Option<PathBuf>,
    trial: Trial,
}

/// Code that is ready to be instantiated.
pub(super) struct Code {
    pub(super) pre: InstancePre<State>,
    pub(super) connector: xc::GuestIndices,
    pub(super) source: Option<xs::GuestIndices>,
    pub(super) target: Option<xt::GuestIndices>,
}

impl std::fmt::Debug for Build {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Build").field("id", &self.description.id).field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl Build {
    /// Makes a build of a file's bytes. `known` is what a file with this hash said of itself before: it is not asked
    /// again.
    ///
    /// # Errors
    /// A sentence for the operator; nothing was swapped.
    pub async fn load(engine: &Engine, bytes: Arc<[u8]>, known: Option<Arc<Description>>) -> Result<Self, LoadError> {
        let hash = hash(&bytes);
        let code = Code::load(engine, bytes).await?;
        let description = match known {
            Some(description) => description,
            None => Arc::new(describe(engine, &code.pre, &code.connector, Clock::Fixed).await?),
        };
        agree(&description, code.source.is_some(), code.target.is_some())?;
        let code = OnceCell::new_with(Some(code));
        Ok(Self { hash, description, engine: engine.clone(), code, file: None, trial: Trial::default() })
    }

    /// A build of a file that was loaded by an equal host before: its code is loaded at first use, when the file must
    /// still have this hash.
    #[must_use]
    pub fn known(engine: &Engine, hash: String, file: PathBuf, description: Arc<Description>) -> Self {
        let engine = engine.clone();
        Self { hash, description, engine, code: OnceCell::new(), file: Some(file), trial: Trial::default() }
    }

    /// Loads the code now.
    ///
    /// # Errors
    /// The file is gone or another, or does not load.
    pub async fn prepare(&self) -> Result<(), LoadError> {
        self.code().await.map(drop)
    }

    /// Asks the connector once more what it is, at another time and with other chance. Whoever answers otherwise than in
    /// [`Self::description`] is not what it says: `describe` must depend on the file alone.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub async fn describe_again(&self) -> Result<Description, LoadError> {
        let code = self.code().await?;
        let clock = Clock::At(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(475_000));
        describe(&self.engine, &code.pre, &code.connector, clock).await
    }

    /// The engine that its code was compiled for.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) async fn code(&self) -> Result<&Code, LoadError> {
        self.code
            .get_or_try_init(|| async {
                let path = self.file.clone().unwrap_or_default();
                let bytes = tokio::fs::read(&path).await.unwrap_or_default();
                if hash(&bytes) != self.hash {
                    return Err(LoadError::Kept { path });
                }
                let code = Code::load(&self.engine, bytes.into()).await?;
                agree(&self.description, code.source.is_some(), code.target.is_some())?;
                Ok(code)
            })
            .await
    }

    /// Puts the build to the test in the place of another: in its first calls it can be taken back.
    pub fn begin_trial(&self, previous: Arc<Self>, tell: Tell) {
        let stores_anew = previous.description.storage_version != self.description.storage_version;
        self.trial.begin(previous, stores_anew, tell);
    }

    /// Ends a trial without a verdict: the build before may not serve any more. Where it serves already, it goes too.
    pub fn end_trial(&self) {
        self.trial.stop();
    }

    /// What serves instead of this build, which was taken back.
    #[must_use]
    pub fn instead(&self) -> Option<Arc<Self>> {
        self.trial.instead()
    }

    pub(super) fn judge<T>(&self, result: &Result<T, CallError>) -> Option<Arc<Self>> {
        self.trial.judge(result)
    }

    /// What the connector says of itself.
    #[must_use]
    pub fn description(&self) -> &Arc<Description> {
        &self.description
    }

    /// Hex of the file's BLAKE3.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl Code {
    async fn load(engine: &Engine, bytes: Arc<[u8]>) -> Result<Self, LoadError> {
        let (component, checked) = engine.compile(bytes).await?;
        for name in &checked.unknown {
            tracing::info!(interface = name, "the connector offers what this host does not use");
        }
        let imports = |error: wasmtime::Error| LoadError::Imports { message: format!("{error:#}") };
        let pre = engine.linker().instantiate_pre(&component).map_err(imports)?;
        let connector = xc::GuestIndices::new(&pre).map_err(imports)?;
        let source = checked.source.then(|| xs::GuestIndices::new(&pre)).transpose().map_err(imports)?;
        let target = checked.target.then(|| xt::GuestIndices::new(&pre)).transpose().map_err(imports)?;
        Ok(Self { pre, connector, source, target })
    }
}

/// Name of a file's content.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Asks a connector what it is: every power refuses, clock and chance stand still.
async fn describe(
    engine: &Engine,
    pre: &InstancePre<State>,
    connector: &xc::GuestIndices,
    clock: Clock,
) -> Result<Description, LoadError> {
    let limits = Arc::new(Limits { cpu_seconds: 2, call_seconds: 60, ..Limits::default() });
    let code = PlatformCode::parse("describe").expect("a code by its rule");
    let call = Call {
        context: CallContext {
            platform: PlatformId(0),
            code,
            preview: true,
            class: Class::Rest,
            deadline: Instant::now() + limits.call(),
            blobs: PlatformBlobs::none(),
            deeds: Arc::default(),
            limits: limits.clone(),
        },
        phase: Phase::Describe,
        powers: Powers {
            settings: "{}".into(),
            http: Arc::new(NoHttp),
            store: None,
            exchange: None,
            turns: Turns::new(Arc::default()),
        },
        clock,
        log: Log::new(None, "describe", &limits, LineRate::default()),
        storage: Default::default(),
    };
    let connector = connector.clone();
    let finished = instance::run(engine, pre, call, move |store, instance| {
        Box::pin(async move {
            let guest = connector.load(&mut *store, instance)?;
            guest.call_describe(&mut *store).await
        })
    })
    .await;
    let told = finished.result.map_err(|error| LoadError::Describe { message: error.to_string() })?;
    v0_1::description(told).map_err(|error| LoadError::Describe { message: error.to_string() })
}

/// What a connector says it does must be what it exports.
fn agree(description: &Description, source: bool, target: bool) -> Result<(), LoadError> {
    for ability in &description.abilities {
        let kind = ability.kind;
        let missing = if ability.reading.is_some() && !source {
            Some("source")
        } else if (ability.writing.is_some() || ability.lookup_lag.is_some()) && !target {
            Some("target")
        } else {
            None
        };
        if let Some(interface) = missing {
            let message = format!("it claims the kind `{kind}` for which it would have to export `{interface}`");
            return Err(LoadError::Describe { message });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
