//! Which connector serves which platform, with the platform's settings, grants and secrets.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::cases::Cases;
use super::folder::DataFolder;
use crate::capability::{Decision, Grants, Request, Secret};
use crate::ledger::platform::Platform;
use crate::ledger::secret::SealKey;
use crate::ledger::{Ledger, LedgerError};
use crate::model::PlatformId;
use crate::plugins::Registry;
use crate::runtime::build::Build;
use crate::runtime::exchange::Exchange;
use crate::runtime::http::{Counts, Lookup, Options, PlatformHttp};
use crate::runtime::limits::PlatformLimits;
use crate::runtime::{Engine, Lent, Runtime};
use crate::sync::connector::{Connector, Connectors, Unserved};

/// [`Connectors`] over the plugins folder. What it knows of a platform is read when the platform changes, so that asking
/// for a connector never waits for the ledger.
pub struct Serving {
    ledger: Ledger,
    key: SealKey,
    runtime: Arc<Runtime>,
    registry: Registry,
    folder: Arc<DataFolder>,
    limits: RwLock<PlatformLimits>,
    lookup: Arc<dyn Lookup>,
    /// Hears of calls that count.
    cases: Option<Arc<Cases>>,
    /// Requests by platform since the start; they outlive a change of set-up.
    traffic: Mutex<BTreeMap<String, Arc<Counts>>>,
    setups: RwLock<HashMap<PlatformId, Arc<Setup>>>,
}

/// A platform as it was when it changed last.
struct Setup {
    platform: Platform,
    decision: Decision,
    secrets: BTreeMap<String, Secret>,
    /// The client, made for one build's declarations; it keeps log-in sessions and rate limits from run to run.
    client: Mutex<Option<Client>>,
}

#[derive(Clone)]
struct Client {
    build: String,
    http: Arc<PlatformHttp>,
    exchange: Option<Arc<Exchange>>,
}

impl Serving {
    /// Knows no platform yet; see [`Self::refresh`].
    pub(super) fn new(
        ledger: Ledger,
        key: SealKey,
        runtime: Arc<Runtime>,
        registry: Registry,
        folder: Arc<DataFolder>,
        limits: PlatformLimits,
        lookup: Arc<dyn Lookup>,
    ) -> Self {
        let limits = RwLock::new(limits);
        let (traffic, setups) = (Mutex::default(), RwLock::default());
        Self { ledger, key, runtime, registry, folder, limits, lookup, cases: None, traffic, setups }
    }

    /// Tells of every call that is no preview.
    pub(super) fn seen_by(self, cases: Arc<Cases>) -> Self {
        Self { cases: Some(cases), ..self }
    }

    /// Limits of calls that begin from now on.
    pub(super) fn set_limits(&self, limits: PlatformLimits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    pub(super) fn engine(&self) -> &Engine {
        self.runtime.engine()
    }

    /// Codes of platforms with their requests since the start.
    pub(super) fn traffic(&self) -> BTreeMap<String, Arc<Counts>> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads all platforms anew. Runs under way keep what they began with.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn refresh(&self) -> Result<(), LedgerError> {
        let key = self.key.clone();
        let read = self
            .ledger
            .read(move |view| {
                let mut setups = Vec::new();
                for platform in view.platforms()? {
                    // A secret that does not open is as good as none: the platform's calls say which one is missing.
                    let secrets = view.secrets(&key, platform.id).unwrap_or_else(|error| {
                        tracing::warn!(%error, platform = %platform.code, "secrets cannot be read");
                        BTreeMap::new()
                    });
                    let decision: Decision = serde_json::from_value(platform.grants.clone())
                        .map_err(|source| LedgerError::Corrupt { what: "platform.grants", source })?;
                    setups.push((platform, decision, secrets));
                }
                Ok::<_, LedgerError>(setups)
            })
            .await?;
        let mut setups = self.setups.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::take(&mut *setups);
        for (platform, decision, secrets) in read {
            // Sessions and rates survive a change of something else.
            let same = old.get(&platform.id).filter(|before| {
                before.decision == decision
                    && before.secrets == secrets
                    && before.platform.settings == platform.settings
            });
            let client = same.and_then(|before| before.client.lock().unwrap_or_else(PoisonError::into_inner).clone());
            setups.insert(platform.id, Arc::new(Setup { platform, decision, secrets, client: Mutex::new(client) }));
        }
        Ok(())
    }

    /// The build that serves a platform now.
    ///
    /// # Errors
    /// Its connector is missing.
    pub fn build(&self, platform: &Platform) -> Result<Arc<Build>, Unserved> {
        self.registry.get(&platform.connector).ok_or_else(|| Unserved {
            message: format!(
                "the connector `{}` of platform `{}` is missing; drop its .wasm file into {}",
                platform.connector,
                platform.code,
                self.registry.folder().display()
            ),
        })
    }

    fn client(&self, setup: &Setup, build: &Build) -> Result<Client, Unserved> {
        let mut kept = setup.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = kept.as_ref().filter(|client| client.build == build.hash()) {
            return Ok(client.clone());
        }
        let grants = Arc::new(Grants::new(build.description(), &setup.platform.settings, &setup.decision));
        let code = &setup.platform.code;
        let folder = Arc::clone(&self.folder);
        let http = PlatformHttp::new(Options {
            grants: Arc::clone(&grants),
            settings: setup.platform.settings.clone(),
            secrets: setup.secrets.clone(),
            lookup: Arc::clone(&self.lookup),
            owns: Arc::new(move || folder.owns()),
        })
        .map_err(|error| Unserved { message: format!("platform `{code}` cannot send requests: {error}") })?;
        let counts = Arc::clone(
            self.traffic.lock().unwrap_or_else(PoisonError::into_inner).entry(code.to_string()).or_default(),
        );
        let http = http.counting(counts);
        let exchange =
            grants.files.as_ref().map(|folder: &PathBuf| Exchange::open(folder)).transpose().map_err(|error| {
                Unserved { message: format!("the exchange folder of platform `{code}` cannot be used: {error}") }
            })?;
        let client = Client { build: build.hash().to_owned(), http: Arc::new(http), exchange: exchange.map(Arc::new) };
        *kept = Some(client.clone());
        Ok(client)
    }
}

impl Connectors for Serving {
    fn connector(&self, platform: PlatformId, preview: bool) -> Result<Arc<dyn Connector>, Unserved> {
        let setup = self
            .setups
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&platform)
            .cloned()
            .ok_or_else(|| Unserved { message: format!("there is no platform {platform}") })?;
        let build = self.build(&setup.platform)?;
        let missing = Request::of(build.description(), &setup.platform.settings)
            .map_err(|error| Unserved { message: format!("platform `{}`: {error}", setup.platform.code) })?
            .missing(&setup.decision);
        if !missing.is_empty() {
            return Err(Unserved { message: ask(&setup.platform, &missing) });
        }
        let Client { http, exchange, .. } = self.client(&setup, &build)?;
        let connector = self.runtime.connector(
            build,
            Lent {
                platform,
                code: setup.platform.code.clone(),
                settings: setup.platform.settings.clone(),
                http,
                exchange,
                limits: self.limits.read().unwrap_or_else(PoisonError::into_inner).of(&setup.platform.code),
                preview,
            },
        );
        Ok(match self.cases.as_ref().filter(|cases| !preview && cases.wanted()) {
            Some(cases) => Arc::new(connector.seen_by(cases.clone())),
            None => Arc::new(connector),
        })
    }
}

/// What the operator has to allow before the platform can work.
pub(super) fn ask(platform: &Platform, missing: &Request) -> String {
    let code = &platform.code;
    let mut wishes: Vec<String> = missing.origins.iter().map(|origin| format!("--grant {origin}")).collect();
    if missing.files {
        wishes.push("--files FOLDER".into());
    }
    format!(
        "platform `{code}` needs what was not allowed yet; allow it with `tradepost platform set {code} {}`",
        wishes.join(" ")
    )
}
