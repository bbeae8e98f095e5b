//! One build of a connector: a file that was parsed, checked, compiled and asked what it is.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

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
use super::log::Log;
use super::power::{CallContext, Class, NoHttp};
use crate::model::description::Description;
use crate::model::{PlatformCode, PlatformId};

/// A build that can be called. Runs hold it to their end, whatever the plugins folder does meanwhile.
pub struct Build {
    hash: String,
    description: Arc<Description>,
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
        let (component, checked) = engine.compile(bytes).await?;
        for name in &checked.unknown {
            tracing::info!(interface = name, "the connector offers what this host does not use");
        }
        let imports = |error: wasmtime::Error| LoadError::Imports { message: format!("{error:#}") };
        let pre = engine.linker().instantiate_pre(&component).map_err(imports)?;
        let connector = xc::GuestIndices::new(&pre).map_err(imports)?;
        let source = checked.source.then(|| xs::GuestIndices::new(&pre)).transpose().map_err(imports)?;
        let target = checked.target.then(|| xt::GuestIndices::new(&pre)).transpose().map_err(imports)?;
        let description = match known {
            Some(description) => description,
            None => Arc::new(describe(engine, &pre, &connector).await?),
        };
        agree(&description, source.is_some(), target.is_some())?;
        Ok(Self { hash, description, pre, connector, source, target })
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
) -> Result<Description, LoadError> {
    let limits = Arc::new(Limits { cpu_seconds: 5, call_seconds: 10, ..Limits::default() });
    let code = PlatformCode::parse("describe").expect("a code by its rule");
    let call = Call {
        context: CallContext {
            platform: PlatformId(0),
            code,
            preview: true,
            class: Class::Rest,
            deadline: Instant::now() + limits.call(),
            blobs: PlatformBlobs::none(),
            unsafe_sent: Arc::new(AtomicU32::new(0)),
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
        clock: Clock::Fixed,
        log: Log::new(None, "describe", limits.log_lines),
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
