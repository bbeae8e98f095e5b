//! Configuration: the defaults of `config/default.toml`, a file, the environment, flags. Nothing else reads the
//! environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use crate::capability::Secret;
use crate::runtime::limits::Limits;

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
}

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
    /// Limits of a platform's connector.
    pub limits: Limits,
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
    limits: Limits,
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
        for (name, key) in
            [("TRADEPOST_DATA", "data"), ("TRADEPOST_PLUGINS", "plugins"), ("TRADEPOST_LISTEN", "listen")]
        {
            if let Some(value) = env(name) {
                table.insert(key.into(), Value::String(value));
            }
        }
        let raw: Raw = Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError::Value { message: error.message().to_owned() })?;
        let listen = flags.listen.unwrap_or(raw.listen);
        if !listen.ip().is_loopback() {
            return Err(ConfigError::Value {
                message: format!("`listen = \"{listen}\"` is not a loopback address; use 127.0.0.1 or [::1]"),
            });
        }
        if !(1..=1000).contains(&raw.sync.page) {
            return Err(ConfigError::Value { message: format!("`sync.page = {}` must be 1 to 1000", raw.sync.page) });
        }
        Ok(Self {
            data: flags.data.clone().unwrap_or(raw.data),
            plugins: flags.plugins.clone().unwrap_or(raw.plugins),
            listen,
            log_format: raw.log.format,
            log_filter: env("TRADEPOST_LOG").unwrap_or(raw.log.filter),
            page: raw.sync.page,
            event_delay: raw.sync.event_delay,
            limits: raw.limits,
            seal_key: env("TRADEPOST_KEY").map(Secret::new),
        })
    }
}

/// Puts the file's values over the defaults; the defaults name every key there is.
fn overlay(defaults: &mut Table, own: Table, path: &Path, prefix: &str) -> Result<(), ConfigError> {
    for (key, value) in own {
        let full = format!("{prefix}{key}");
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
    fn defaults_are_those_of_the_code() {
        let config = load("", &[]).unwrap();
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.listen.to_string(), "127.0.0.1:8484");
        assert!(config.seal_key.is_none());
    }

    #[test]
    fn file_environment_and_flags_in_this_order() {
        let config = load("data = \"a\"\n[limits]\nmemory = 1024\n", &[("TRADEPOST_DATA", "b")]).unwrap();
        assert_eq!(config.data, PathBuf::from("b"));
        assert_eq!(config.limits.memory, 1024);
        assert_eq!(config.limits.blob, Limits::default().blob);
    }

    #[test]
    fn mistakes_name_the_key_and_what_was_expected() {
        for (text, expected) in [
            ("listn = \"127.0.0.1:1\"", "there is no key `listn`; did you mean `listen`?"),
            ("[limits]\nmemroy = 1", "there is no key `limits.memroy`; did you mean `limits.memory`?"),
            ("[limits]\nmemory = \"1 GB\"", "`limits.memory` must be a integer, found a string"),
            ("listen = \"0.0.0.0:80\"", "is not a loopback address"),
            ("[sync]\npage = 5000", "`sync.page = 5000` must be 1 to 1000"),
            ("data = ", "is no TOML"),
        ] {
            let error = load(text, &[]).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
