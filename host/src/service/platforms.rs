//! Setting platforms up.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::account::{self, AskError};
use super::{Service, ServiceError, settings as form};
use crate::capability::{Decision, GrantedOrigin, PrivateException, Request, Secret};
use crate::ledger::instance::Mode;
use crate::ledger::platform::{NewPlatform, Platform, PlatformState};
use crate::ledger::{LedgerError, Tx};
use crate::model::description::{Account, Description, Environment};
use crate::model::policy::Policy;
use crate::model::{CallError, PlatformCode, PlatformId, RemoteError};
use crate::sync::connector::Connectors;
use crate::sync::ownership::Ownership;
use crate::sync::push;

/// What `platform set` and `platform apply` change; absent parts stay as they are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlatformChange {
    /// Shown name.
    pub name: Option<String>,
    /// Id of the connector; only for a platform that is new or shares ids with the old connector.
    pub connector: Option<String>,
    /// Settings to be changed; `null` takes one away.
    pub settings: Map<String, Value>,
    /// Secrets by `credential/field`.
    pub secrets: BTreeMap<String, String>,
    /// Origins to be allowed.
    pub grant: Vec<GrantedOrigin>,
    /// Origins not to be allowed any more.
    pub revoke: Vec<GrantedOrigin>,
    /// Everything that the connector asks for now is allowed.
    pub grant_all: bool,
    /// Hosts that may lead to addresses that are not public.
    pub private: Vec<PrivateException>,
    /// The exchange folder.
    pub files: Option<PathBuf>,
    /// Tighter rates.
    pub rates: BTreeMap<String, rust_decimal::Decimal>,
    /// Proxy; an empty text takes it away.
    pub proxy: Option<String>,
    /// The whole policy.
    pub policy: Option<Policy>,
}

impl Service {
    /// Adds a platform in setup.
    ///
    /// # Errors
    /// The code is taken or invalid, the connector is not there.
    pub async fn add_platform(&self, code: &str, connector: &str, name: &str) -> Result<Platform, ServiceError> {
        let code = PlatformCode::parse(code).map_err(|error| ServiceError::refused(error.to_string()))?;
        if self.registry().get(connector).is_none() {
            let known: Vec<String> =
                self.registry().serving().iter().map(|build| build.description().id.clone()).collect();
            return Err(ServiceError::refused(format!(
                "there is no connector `{connector}`; {}",
                if known.is_empty() {
                    format!("drop its .wasm file into {}", self.registry().folder().display())
                } else {
                    format!("there are: {}", known.join(", "))
                }
            )));
        }
        let new = NewPlatform {
            name: if name.is_empty() { code.to_string() } else { name.to_owned() },
            code,
            connector: connector.to_owned(),
            settings: json!({}),
        };
        let id = self
            .ledger()
            .write(move |tx| {
                let id = tx.add_platform(&new)?;
                tx.audit("operator", "platform.add", &json!({"platform": new.code, "connector": new.connector}))?;
                Ok::<_, LedgerError>(id)
            })
            .await?;
        self.refresh().await?;
        Ok(self.ledger().read(move |view| view.platform(id)).await?)
    }

    /// Changes a platform; either all of it or nothing.
    ///
    /// # Errors
    /// Settings that do not fit the schema, unknown secrets, disputed ownership.
    pub async fn change_platform(&self, code: &str, change: PlatformChange) -> Result<Platform, ServiceError> {
        let platform = self.platform(code).await?;
        let connector = change.connector.clone().unwrap_or_else(|| platform.connector.clone());
        let description = self
            .registry()
            .get(&connector)
            .map(|build| build.description().clone())
            .ok_or_else(|| ServiceError::refused(format!("there is no connector `{connector}`")))?;
        if connector != platform.connector
            && platform.id_space.as_ref().is_some_and(|space| *space != description.id_space)
        {
            return Err(ServiceError::refused(format!(
                "`{connector}` names objects differently than `{}` does, so the links of `{code}` would be wrong; add a new \
                 platform for it",
                platform.connector
            )));
        }
        let mut settings = platform.settings.as_object().cloned().unwrap_or_default();
        for (name, value) in change.settings.clone() {
            if value.is_null() {
                settings.remove(&name);
            } else {
                settings.insert(name, value);
            }
        }
        let settings = Value::Object(settings);
        form::check(&description.settings_schema, &settings).map_err(ServiceError::refused)?;
        check_secrets(&description, &change.secrets)?;
        let decision = decide(&platform, &description, &settings, &change)?;
        let (id, key) = (platform.id, self.key().clone());
        self.ledger().write(move |tx| apply(tx, id, &connector, &settings, &decision, &change, &key)).await?;
        self.runs().account_may_differ(id);
        self.refresh().await?;
        self.platform(code).await
    }

    /// Asks the platform whom the credentials reach, and pins the account at the first time.
    ///
    /// # Errors
    /// It cannot be reached, refuses, or is another account than before.
    pub async fn test_platform(&self, code: &str) -> Result<Account, ServiceError> {
        let platform = self.platform(code).await?;
        let connector = self.serving().connector(platform.id, false)?;
        let clock = self.clock();
        let reached = account::ask(self.ledger(), &*clock, &*connector, platform.id).await.map_err(|error| match error {
            AskError::Ledger(error) => error.into(),
            AskError::Call(CallError::Remote(RemoteError::Auth(words))) => ServiceError::refused(format!(
                "`{code}` refuses the credentials: {words}; enter them again with `tradepost platform set {code} --secret ...`"
            )),
            AskError::Call(other) => ServiceError::refused(format!("`{code}`: {other}")),
        })?;
        if reached.other {
            return Err(ServiceError::refused(reached.refusal(code)));
        }
        self.runs().account_known(platform.id);
        Ok(reached.account)
    }

    /// Nothing runs on the platform until it is resumed.
    ///
    /// # Errors
    /// There is no such platform.
    pub async fn pause_platform(&self, code: &str, why: &str) -> Result<(), ServiceError> {
        let why = if why.is_empty() { "Paused by a person.".to_owned() } else { why.to_owned() };
        self.move_platform(code, PlatformState::Paused, Some(why)).await
    }

    /// Puts a paused or recovering platform back to work.
    ///
    /// # Errors
    /// It was never set up, or the ledger is in safe mode.
    pub async fn resume_platform(&self, code: &str) -> Result<(), ServiceError> {
        let (instance, _) = self.status().await?;
        if instance.mode == Mode::Safe {
            return Err(ServiceError::refused(
                "nothing is resumed in safe mode; leave it with `tradepost restore --resume`",
            ));
        }
        let platform = self.platform(code).await?;
        let id = platform.id;
        let live = self
            .ledger()
            .read(move |view| view.streams(Some(id)))
            .await?
            .iter()
            .any(|stream| stream.phase == crate::ledger::stream::Phase::Live);
        let state = if live { PlatformState::Active } else { PlatformState::Setup };
        self.move_platform(code, state, None).await
    }

    /// Takes a platform away; its history stays, its secrets do not.
    ///
    /// # Errors
    /// There is no such platform.
    pub async fn remove_platform(&self, code: &str) -> Result<(), ServiceError> {
        let id = self.platform(code).await?.id;
        let name = code.to_owned();
        self.ledger()
            .write(move |tx| {
                for action in tx.actions(Some(id))? {
                    tx.remove_action(action.id)?;
                }
                tx.drop_secrets(Some(id))?;
                tx.remove_platform(id)?;
                tx.audit("operator", "platform.remove", &json!({ "platform": name }))
            })
            .await?;
        self.refresh().await
    }

    async fn move_platform(&self, code: &str, to: PlatformState, why: Option<String>) -> Result<(), ServiceError> {
        let id = self.platform(code).await?.id;
        let name = code.to_owned();
        self.ledger()
            .write(move |tx| {
                tx.set_platform_state(id, to, why.as_deref())?;
                if to != PlatformState::Paused {
                    tx.solve_attention(&format!("auth:{id}"))?;
                }
                tx.audit("operator", "platform.state", &json!({"platform": name, "state": to.as_str(), "why": why}))
            })
            .await?;
        self.refresh().await
    }

    /// What the platform's connector asks for that is not allowed yet.
    ///
    /// # Errors
    /// The connector is missing or a setting names no host.
    pub fn missing_grants(&self, platform: &Platform) -> Result<Request, ServiceError> {
        let description = self.description(platform)?;
        let decision: Decision = serde_json::from_value(platform.grants.clone()).unwrap_or_default();
        Ok(Request::of(&description, &platform.settings)
            .map_err(|error| ServiceError::refused(error.to_string()))?
            .missing(&decision))
    }
}

fn apply(
    tx: &Tx<'_>,
    id: PlatformId,
    connector: &str,
    settings: &Value,
    decision: &Decision,
    change: &PlatformChange,
    key: &crate::ledger::secret::SealKey,
) -> Result<(), LedgerError> {
    let before = tx.platform(id)?;
    if before.connector != connector {
        tx.set_connector(id, connector)?;
    }
    if let Some(name) = &change.name {
        tx.set_platform_name(id, name)?;
    }
    tx.set_settings(id, settings)?;
    let grants =
        serde_json::to_value(decision).map_err(|source| LedgerError::Corrupt { what: "platform.grants", source })?;
    tx.set_grants(id, &grants)?;
    for (name, value) in &change.secrets {
        tx.set_secret(key, id, name, &Secret::new(value.clone()))?;
    }
    if let Some(policy) = &change.policy
        && *policy != before.policy
    {
        tx.set_policy(id, policy)?;
        let disputes = Ownership::of(&tx.platforms()?).disputes();
        if let Some(dispute) = disputes.first() {
            return Err(LedgerError::Conflict { message: format!("two platforms own the same facet: {dispute:?}") });
        }
        rules_changed(tx, id, &before.policy, policy)?;
    }
    let names: Vec<&String> = change.secrets.keys().collect();
    tx.audit(
        "operator",
        "platform.set",
        &json!({"platform": before.code, "settings": change.settings, "secrets": names, "grants": grants}),
    )
}

/// A changed policy is a change of rules: what is projected differently is planned, guarded as such. Events are never
/// sent again.
fn rules_changed(tx: &Tx<'_>, id: PlatformId, old: &Policy, new: &Policy) -> Result<(), LedgerError> {
    if (&old.languages, &old.prices, &old.stock) == (&new.languages, &new.prices, &new.stock)
        && old.pushes == new.pushes
    {
        return push::maps_changed(tx, id).map(drop);
    }
    push::rules_changed(tx, id)
}

fn check_secrets(description: &Description, secrets: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    let known: Vec<String> = description
        .credentials
        .iter()
        .flat_map(|credential| {
            credential.scheme.fields().iter().map(move |field| format!("{}/{field}", credential.name))
        })
        .collect();
    match secrets.keys().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => {
            Err(ServiceError::refused(format!("there is no secret `{name}`; the secrets are: {}", known.join(", "))))
        }
    }
}

fn decide(
    platform: &Platform,
    description: &Description,
    settings: &Value,
    change: &PlatformChange,
) -> Result<Decision, ServiceError> {
    let mut decision: Decision = serde_json::from_value(platform.grants.clone()).unwrap_or_default();
    if change.grant_all {
        let asked =
            Request::of(description, settings).map_err(|error| ServiceError::refused(error.to_string()))?.origins;
        decision.origins.extend(asked);
    }
    decision.origins.extend(change.grant.iter().cloned());
    decision.origins.retain(|origin| !change.revoke.contains(origin));
    decision.origins.sort();
    decision.origins.dedup();
    for exception in &change.private {
        if !decision.private.contains(exception) {
            decision.private.push(exception.clone());
        }
    }
    if let Some(files) = &change.files {
        let absolute = std::path::absolute(files)
            .map_err(|error| ServiceError::refused(format!("{} is no folder: {error}", files.display())))?;
        decision.files = Some(absolute);
    }
    decision.rates.extend(change.rates.iter().map(|(name, rate)| (name.clone(), *rate)));
    match change.proxy.as_deref() {
        None => {}
        Some("") => decision.proxy = None,
        Some(proxy) => decision.proxy = Some(proxy.to_owned()),
    }
    Ok(decision)
}

/// Where a platform is live or a test system, in a word.
#[must_use]
pub fn environment_word(environment: Option<Environment>) -> &'static str {
    match environment {
        Some(Environment::Live) => "live",
        Some(Environment::Test) => "test",
        None => "unknown",
    }
}

/// Times of the past for people.
#[must_use]
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}
