//! Configuration: the defaults of `config/default.toml`, a file, the environment, flags. Nothing else reads the
//! environment.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::{Table, Value};
use tracing_subscriber::EnvFilter;

use crate::capability::Secret;
use crate::ledger::tidy::Retention;
use crate::model::PlatformCode;
use crate::plugins::signature::{RawSigners, Signers};
use crate::runtime::case::Keep;
use crate::runtime::compile::{CompileLimits, Place};
use crate::runtime::limits::{Limits, PlatformLimits};

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("config/default.toml");

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
    /// Straight to the journal, with fields.
    Journald,
}

/// Who may read the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricsAccess {
    /// Who has the API's token or that of the metrics.
    Token,
    /// Everybody who reaches the address.
    Open,
    /// Nobody.
    Off,
}

/// Keys, or tables of keys, whose change counts at the next start. All others count at once.
pub const AFTER_RESTART: &[&str] =
    &["data", "plugins", "listen", "log.format", "reload.poll-seconds", "compile.memory", "compile.seconds"];

/// Validated configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Data folder.
    pub data: PathBuf,
    /// Plugins folder.
    pub plugins: PathBuf,
    /// Address of the API; loopback.
    pub listen: SocketAddr,
    /// Log lines.
    pub log_format: LogFormat,
    /// Log levels.
    pub log_filter: String,
    /// Records per page.
    pub page: u32,
    /// Seconds before an `event` action runs.
    pub event_delay: u32,
    /// Limits of platforms' connectors.
    pub limits: PlatformLimits,
    /// Limits of the compiling process.
    pub compile: CompileLimits,
    /// Who compiles connectors: this process, unless the program says that it can be started for that.
    pub compiler: Place,
    /// Time between two looks at the plugins folder where the system tells nothing; absent: the system tells.
    pub poll: Option<Duration>,
    /// Whose signatures of connectors count.
    pub signers: Signers,
    /// Who may read the metrics.
    pub metrics: MetricsAccess,
    /// Bytes that have to be free where the ledger lies.
    pub min_free: u64,
    /// How long what is kept.
    pub retention: Retention,
    /// How many calls that went wrong are kept.
    pub cases: Keep,
    /// Every key with its value, after file, environment and flags.
    effective: Table,
    /// What it was made from, to be read again.
    flags: Flags,
    /// Key that seals secrets, 64 hexadecimal digits, when the environment gives it.
    pub seal_key: Option<Secret>,
}

/// What flags of a command say.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--plugins`.
    pub plugins: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read")]
    Read {
        /// File.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("the configuration {path} is no TOML")]
    Syntax {
        /// File.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: toml::de::Error,
    },
    /// A key that means nothing.
    #[error("{path}: there is no key `{key}`{}", nearest.as_ref().map_or_else(String::new, |n| format!("; did you mean `{n}`?")))]
    UnknownKey {
        /// File.
        path: PathBuf,
        /// Key with its tables.
        key: String,
        /// The known key that looks most like it.
        nearest: Option<String>,
    },
    /// A value that does not fit.
    #[error("the configuration does not fit: {message}")]
    Value {
        /// Key and what was expected.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Raw {
    data: PathBuf,
    plugins: PathBuf,
    listen: SocketAddr,
    log: RawLog,
    sync: RawSync,
    compile: CompileLimits,
    reload: RawReload,
    signatures: RawSigners,
    metrics: RawMetrics,
    ledger: RawLedger,
    retention: Retention,
    cases: Keep,
}

#[derive(Deserialize)]
struct RawMetrics {
    access: MetricsAccess,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawLedger {
    min_free: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawReload {
    poll_seconds: u64,
}

#[derive(Deserialize)]
struct RawLog {
    format: LogFormat,
    filter: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawSync {
    page: u32,
    event_delay: u32,
}

impl Config {
    /// Reads file and environment and applies the flags.
    ///
    /// # Errors
    /// The first thing that is wrong, naming file and key.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        Self::load_with(flags, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn load_with(flags: &Flags, env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let named = flags.config.clone().or_else(|| env("TRADEPOST_CONFIG").map(PathBuf::from));
        let file = match named {
            Some(path) => Some(path),
            None => Some(PathBuf::from("tradepost.toml")).filter(|path| path.is_file()),
        };
        let mut table: Table =
            DEFAULTS.parse().map_err(|source| ConfigError::Syntax { path: "config/default.toml".into(), source })?;
        if let Some(path) = &file {
            let text =
                std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.clone(), source })?;
            let own: Table = text.parse().map_err(|source| ConfigError::Syntax { path: path.clone(), source })?;
            overlay(&mut table, own, path, "")?;
        }
        let flag = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        for (name, key, flag) in [
            ("TRADEPOST_DATA", "data", flag(&flags.data)),
            ("TRADEPOST_PLUGINS", "plugins", flag(&flags.plugins)),
            ("TRADEPOST_LISTEN", "listen", flags.listen.map(|listen| listen.to_string())),
        ] {
            if let Some(value) = flag.or_else(|| env(name)) {
                table.insert(key.into(), Value::String(value));
            }
        }
        for (name, key) in [("TRADEPOST_LOG", "filter"), ("TRADEPOST_LOG_FORMAT", "format")] {
            if let (Some(value), Some(log)) = (env(name), table.get_mut("log").and_then(Value::as_table_mut)) {
                log.insert(key.into(), Value::String(value));
            }
        }
        let effective = table.clone();
        let limits = limits(table.remove("limits"))?;
        let raw: Raw = Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError::Value { message: error.message().to_owned() })?;
        let listen = raw.listen;
        if !listen.ip().is_loopback() {
            return Err(ConfigError::Value {
                message: format!("`listen = \"{listen}\"` is not a loopback address; use 127.0.0.1 or [::1]"),
            });
        }
        if !(1..=1000).contains(&raw.sync.page) {
            return Err(ConfigError::Value { message: format!("`sync.page = {}` must be 1 to 1000", raw.sync.page) });
        }
        if let Err(error) = EnvFilter::try_new(&raw.log.filter) {
            return Err(ConfigError::Value {
                message: format!("`log.filter = {:?}` is no filter: {error}", raw.log.filter),
            });
        }
        Ok(Self {
            data: raw.data,
            plugins: raw.plugins,
            listen,
            log_format: raw.log.format,
            log_filter: raw.log.filter,
            page: raw.sync.page,
            event_delay: raw.sync.event_delay,
            limits,
            compile: raw.compile,
            compiler: Place::Here,
            poll: Some(Duration::from_secs(raw.reload.poll_seconds)).filter(|wait| !wait.is_zero()),
            signers: Signers::new(raw.signatures)
                .map_err(|error| ConfigError::Value { message: format!("`signatures`: {error}") })?,
            metrics: raw.metrics.access,
            min_free: raw.ledger.min_free,
            retention: raw.retention,
            cases: raw.cases,
            effective,
            flags: flags.clone(),
            seal_key: env("TRADEPOST_KEY").map(Secret::new),
        })
    }
}

impl Config {
    /// Reads file and environment again, with the same flags.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn again(&self) -> Result<Self, ConfigError> {
        Self::load(&self.flags)
    }

    /// What another configuration says differently: keys whose change counts at once, and those that wait for a restart.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Differences {
        let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
        flatten(&self.effective, "", &mut ours);
        flatten(&other.effective, "", &mut theirs);
        let differ = theirs.into_iter().filter(|(key, value)| ours.get(key) != Some(value)).map(|(key, _)| key);
        let (restart, at_once) = differ.partition(|key| AFTER_RESTART.contains(&key.as_str()));
        Differences { at_once, restart }
    }

    /// This configuration with everything of the other one that counts at once.
    #[must_use]
    pub fn with_changes_of(&self, other: Self) -> Self {
        let mut effective = other.effective;
        for key in AFTER_RESTART {
            let path: Vec<&str> = key.split('.').collect();
            let old = path.iter().try_fold(&Value::Table(self.effective.clone()), |at, name| at.get(name)).cloned();
            let (last, above) = path.split_last().expect("a key has a name");
            let table =
                above.iter().try_fold(&mut effective, |at, name| at.get_mut(*name).and_then(Value::as_table_mut));
            if let (Some(old), Some(table)) = (old, table) {
                table.insert((*last).to_owned(), old);
            }
        }
        Self {
            data: self.data.clone(),
            plugins: self.plugins.clone(),
            listen: self.listen,
            log_format: self.log_format,
            seal_key: self.seal_key.clone(),
            compile: self.compile.clone(),
            compiler: self.compiler.clone(),
            poll: self.poll,
            flags: self.flags.clone(),
            effective,
            ..other
        }
    }
}

/// What a configuration says differently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Counts at once.
    pub at_once: Vec<String>,
    /// Counts at the next start.
    pub restart: Vec<String>,
}

fn flatten(table: &Table, prefix: &str, keys: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        match value {
            Value::Table(below) => flatten(below, &format!("{prefix}{name}."), keys),
            value => {
                keys.insert(format!("{prefix}{name}"), value.clone());
            }
        }
    }
}

/// Takes the table of limits apart: those of all, and each platform's own on top of them.
fn limits(table: Option<Value>) -> Result<PlatformLimits, ConfigError> {
    let value = |message: String| ConfigError::Value { message };
    let Some(Value::Table(mut all)) = table else { return Ok(PlatformLimits::default()) };
    let own = match all.remove("platform") {
        Some(Value::Table(own)) => own,
        _ => Table::new(),
    };
    let read = |table: Table| -> Result<Limits, ConfigError> {
        Value::Table(table).try_into().map_err(|error: toml::de::Error| value(error.message().to_owned()))
    };
    let mut platforms = Vec::new();
    for (code, differs) in own {
        let mut table = all.clone();
        let Value::Table(differs) = differs else {
            return Err(value(format!("`limits.platform.{code}` must be a table")));
        };
        table.extend(differs);
        let parsed = PlatformCode::parse(&code)
            .map_err(|error| value(format!("`limits.platform.{code}` names no platform: {error}")))?;
        platforms.push((parsed, read(table)?));
    }
    Ok(PlatformLimits::new(read(all)?, platforms))
}

/// Puts the file's values over the defaults; the defaults name every key there is.
fn overlay(defaults: &mut Table, own: Table, path: &Path, prefix: &str) -> Result<(), ConfigError> {
    for (key, value) in own {
        let full = format!("{prefix}{key}");
        // Any platform may have a table there; it has the keys of the table above.
        if full == "limits.platform"
            && let Value::Table(platforms) = value
        {
            let mut known = defaults.clone();
            known.remove("platform");
            for (code, own) in platforms {
                let Value::Table(own) = own else {
                    return Err(ConfigError::Value { message: format!("`{full}.{code}` must be a table") });
                };
                let keys: Vec<String> = own.keys().cloned().collect();
                let mut whole = known.clone();
                overlay(&mut whole, own, path, &format!("{full}.{code}."))?;
                whole.retain(|key, _| keys.iter().any(|own| own == key));
                if let Some(Value::Table(tables)) = defaults.get_mut("platform") {
                    tables.insert(code, Value::Table(whole));
                }
            }
            continue;
        }
        let Some(default) = defaults.get_mut(&key) else {
            let nearest = defaults
                .keys()
                .map(|known| (strsim::jaro_winkler(known, &key), known))
                .filter(|(likeness, _)| *likeness > 0.7)
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, known)| format!("{prefix}{known}"));
            return Err(ConfigError::UnknownKey { path: path.to_owned(), key: full, nearest });
        };
        match (default, value) {
            (Value::Table(default), Value::Table(own)) => overlay(default, own, path, &format!("{full}."))?,
            (default, value) if default.type_str() == value.type_str() => *default = value,
            (default, value) => {
                return Err(ConfigError::Value {
                    message: format!("`{full}` must be a {}, found a {}", default.type_str(), value.type_str()),
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tradepost.toml");
        std::fs::write(&path, text).unwrap();
        let flags = Flags { config: Some(path), ..Flags::default() };
        Config::load_with(&flags, |name| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn signers_are_read_with_their_keys() {
        let keys = minisign::KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64();
        let signers = |key: &str| {
            format!(
                "[signatures]\nrequire-signed = true\n[[signatures.signers]]\nkey = {key:?}\nids = [\"com.example.*\"]\n"
            )
        };
        assert!(load(&signers(&keys), &[]).unwrap().signers.required());
        assert!(!load("", &[]).unwrap().signers.required());
        for (text, words) in [
            (signers("RWnonsense"), "is no public key of minisign"),
            ("[signatures]\nrequire-signed = true\n".into(), "name whose keys count"),
        ] {
            let error = load(&text, &[]).unwrap_err().to_string();
            assert!(error.contains("signatures") && error.contains(words), "{error}");
        }
    }

    #[test]
    fn the_bounds_of_kept_cases_are_read() {
        assert_eq!(load("", &[]).unwrap().cases, Keep { count: 200, bytes: 64 << 20, days: 30 });
        assert_eq!(load("[cases]\ncount = 0\n", &[]).unwrap().cases.count, 0);
    }

    #[test]
    fn defaults_are_those_of_the_code() {
        let config = load("", &[]).unwrap();
        assert_eq!(config.limits, PlatformLimits::default());
        assert_eq!(config.listen.to_string(), "127.0.0.1:8484");
        assert!(config.seal_key.is_none());
        assert_eq!(config.retention, Retention::default());
    }

    #[test]
    fn file_environment_and_flags_in_this_order() {
        let config = load("data = \"a\"\n[limits]\nmemory = 1024\n", &[("TRADEPOST_DATA", "b")]).unwrap();
        assert_eq!(config.data, PathBuf::from("b"));
        assert_eq!(config.limits.all().memory, 1024);
        assert_eq!(config.limits.all().blob, Limits::default().blob);
    }

    #[test]
    fn a_platform_has_its_own_limits_on_top_of_those_of_all() {
        // Whatever the order of the tables.
        let config = load("[limits.platform.shop]\nmemory = 5\n[limits]\nhandles = 9\n", &[]).unwrap();
        let shop = config.limits.of(&PlatformCode::parse("shop").unwrap());
        assert_eq!((shop.memory, shop.handles, shop.blob), (5, 9, Limits::default().blob));
        let erp = config.limits.of(&PlatformCode::parse("erp").unwrap());
        assert_eq!((erp.memory, erp.handles), (Limits::default().memory, 9));
    }

    #[test]
    fn a_change_counts_at_once_or_after_a_restart_and_says_which() {
        let old = load("", &[]).unwrap();
        let new =
            load("listen = \"127.0.0.1:9\"\n[log]\nformat = \"json\"\nfilter = \"debug\"\n[limits]\nmemory = 9\n", &[]);
        let new = new.unwrap();
        let differences = old.differences(&new);
        assert_eq!(differences.at_once, ["limits.memory", "log.filter"]);
        assert_eq!(differences.restart, ["listen", "log.format"]);
        let now = old.with_changes_of(new.clone());
        assert_eq!((now.limits.all().memory, now.log_filter.as_str()), (9, "debug"));
        assert_eq!((now.listen, now.log_format), (old.listen, old.log_format));
        // What waits for a restart is said again and again, what counts is not.
        assert_eq!(now.differences(&new), Differences { at_once: vec![], restart: differences.restart });
    }

    #[test]
    fn every_key_that_waits_for_a_restart_is_a_key() {
        let mut keys = BTreeMap::new();
        flatten(&DEFAULTS.parse().unwrap(), "", &mut keys);
        for key in AFTER_RESTART {
            assert!(keys.contains_key(*key), "{key}");
        }
        assert!(!keys.contains_key("TRADEPOST_KEY"), "secrets are no part of the file");
    }

    #[test]
    fn mistakes_name_the_key_and_what_was_expected() {
        for (text, expected) in [
            ("listn = \"127.0.0.1:1\"", "there is no key `listn`; did you mean `listen`?"),
            ("[limits]\nmemroy = 1", "there is no key `limits.memroy`; did you mean `limits.memory`?"),
            ("[limits]\nmemory = \"1 GB\"", "`limits.memory` must be a integer, found a string"),
            (
                "[limits.platform.shop]\nmemroy = 1",
                "no key `limits.platform.shop.memroy`; did you mean `limits.platform.shop.memory`",
            ),
            ("[limits.platform]\nshop = 1", "`limits.platform.shop` must be a table"),
            ("[limits.platform.\"No Code\"]\nmemory = 1", "names no platform"),
            ("listen = \"0.0.0.0:80\"", "is not a loopback address"),
            ("[sync]\npage = 5000", "`sync.page = 5000` must be 1 to 1000"),
            ("[log]\nfilter = \"x=y=z\"", "is no filter"),
            ("[metrics]\naccess = \"all\"", "unknown variant"),
            ("[retention]\nruns-days = -1", "invalid value"),
            ("data = ", "is no TOML"),
        ] {
            let error = load(text, &[]).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
