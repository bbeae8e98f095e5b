//! `platform set`: what is to be changed, from flags. Secrets never stand on a command line.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::super::failure::Failure;
use super::super::parse_pair;
use crate::capability::{GrantedOrigin, PrivateException};
use crate::model::policy::Policy;

#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct ChangeArgs {
    /// Shown name
    #[arg(long)]
    name: Option<String>,
    /// A setting; `platform show` lists them
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    set: Vec<(String, String)>,
    /// Take a setting away, so that its default counts
    #[arg(long, value_name = "NAME")]
    unset: Vec<String>,
    /// A secret, as `credential/field`; its value is asked for, or read from standard input, a line each
    #[arg(long, value_name = "NAME")]
    secret: Vec<String>,
    /// A secret whose value is in a file
    #[arg(long, value_name = "NAME=FILE", value_parser = parse_pair)]
    secret_file: Vec<(String, String)>,
    /// Let the connector send requests there, e.g. https://shop.example
    #[arg(long, value_name = "ORIGIN")]
    grant: Vec<GrantedOrigin>,
    /// Let it send requests there no more
    #[arg(long, value_name = "ORIGIN")]
    revoke: Vec<GrantedOrigin>,
    /// Allow every origin that the connector asks for now
    #[arg(long)]
    grant_all: bool,
    /// Let a host lead to an address that is not public, at one port, e.g. erp.lan,192.168.10.5/32,8000
    #[arg(long, value_name = "HOST,RANGE,PORT")]
    private: Vec<PrivateException>,
    /// Exchange folder, with inbox, outbox, done and failed in it
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
    /// Fewer requests per second than the connector declares
    #[arg(long, value_name = "NAME=NUMBER", value_parser = parse_pair)]
    rate: Vec<(String, String)>,
    /// Send all requests of this platform through a proxy; an empty text takes it away
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// The whole policy (ownership, kinds pushed, maps, guards) from a TOML or JSON file
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl ChangeArgs {
    /// The change as the API takes it; the platform as shown tells the types of its settings.
    pub(super) fn body(&self, shown: &Value) -> Result<Value, Failure> {
        let mut body = Map::new();
        let mut settings = Map::new();
        for (name, value) in &self.set {
            let kind = shown["settings-schema"]["properties"][name]["type"].as_str();
            settings.insert(name.clone(), typed(name, value, kind)?);
        }
        settings.extend(self.unset.iter().map(|name| (name.clone(), Value::Null)));
        let mut secrets = Map::new();
        for (name, file) in &self.secret_file {
            secrets.insert(name.clone(), read_secret(Path::new(file))?.into());
        }
        for name in &self.secret {
            secrets.insert(name.clone(), ask(name)?.into());
        }
        let mut rates = Map::new();
        for (name, rate) in &self.rate {
            let rate: Decimal =
                rate.parse().map_err(|_| Failure::usage(format!("the rate `{name}={rate}` is no number")))?;
            rates.insert(name.clone(), json!(rate));
        }
        let lists = [
            ("grant", json!(self.grant), self.grant.is_empty()),
            ("revoke", json!(self.revoke), self.revoke.is_empty()),
            ("private", json!(self.private), self.private.is_empty()),
        ];
        for (name, list, empty) in lists {
            if !empty {
                body.insert(name.into(), list);
            }
        }
        for (name, map) in [("settings", settings), ("secrets", secrets), ("rates", rates)] {
            if !map.is_empty() {
                body.insert(name.into(), map.into());
            }
        }
        if self.grant_all {
            body.insert("grant-all".into(), true.into());
        }
        for (name, text) in [("name", &self.name), ("proxy", &self.proxy)] {
            if let Some(text) = text {
                body.insert(name.into(), text.clone().into());
            }
        }
        if let Some(files) = &self.files {
            // The service may work in another folder than this command.
            let files = std::path::absolute(files).map_err(|error| Failure::of(&error))?;
            body.insert("files".into(), json!(files));
        }
        if let Some(file) = &self.policy {
            let policy: Policy = read_document(file)?;
            body.insert("policy".into(), json!(policy));
        }
        Ok(Value::Object(body))
    }
}

/// A setting's value in the type that its schema names.
fn typed(name: &str, text: &str, kind: Option<&str>) -> Result<Value, Failure> {
    match kind {
        Some("string") => Ok(text.into()),
        Some(kind @ ("boolean" | "integer" | "number" | "array" | "object")) => serde_json::from_str(text)
            .map_err(|_| Failure::usage(format!("the setting `{name}` must be a {kind}, found `{text}`"))),
        _ => Ok(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
    }
}

/// Reads TOML or JSON, by the name of the file.
pub(super) fn read_document<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let shown = file.display();
    let content =
        std::fs::read_to_string(file).map_err(|error| Failure::new(format!("{shown} cannot be read: {error}")))?;
    if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        serde_json::from_str(&content).map_err(|error| Failure::new(format!("{shown}: {error}")))
    } else {
        toml::from_str(&content).map_err(|error| Failure::new(format!("{shown}: {}", error.to_string().trim_end())))
    }
}

/// A secret's file without the line end that editors add.
pub(super) fn read_secret(file: &Path) -> Result<String, Failure> {
    let content = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("the secret's file {} cannot be read: {error}", file.display())))?;
    let value = content.strip_suffix('\n').unwrap_or(&content);
    Ok(value.strip_suffix('\r').unwrap_or(value).to_owned())
}

/// Asks for a secret without showing it; without a terminal, takes the next line of standard input.
fn ask(name: &str) -> Result<String, Failure> {
    let hidden = if io::stdin().is_terminal() {
        drop(write!(io::stderr(), "{name}: "));
        drop(io::stderr().flush());
        Some(Hidden::begin().ok_or_else(|| {
            Failure::new("this terminal cannot hide what is typed; put the secret into a file and use `--secret-file`")
        })?)
    } else {
        None
    };
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    if hidden.is_some() {
        drop(writeln!(io::stderr()));
    }
    drop(hidden);
    match read {
        Ok(0) => Err(Failure::usage(format!("standard input ended before the secret `{name}`"))),
        Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => Err(Failure::new(format!("standard input cannot be read: {error}"))),
    }
}

/// The terminal shows nothing while this lives.
struct Hidden;

impl Hidden {
    fn begin() -> Option<Self> {
        stty("-echo").then_some(Self)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        stty("echo");
    }
}

fn stty(mode: &str) -> bool {
    Command::new("stty").arg(mode).stdin(Stdio::inherit()).status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_take_the_type_of_their_schema() {
        for (text, kind, expected) in [
            ("12", Some("string"), json!("12")),
            ("12", Some("integer"), json!(12)),
            ("true", Some("boolean"), json!(true)),
            ("12", None, json!(12)),
            ("https://shop.example", None, json!("https://shop.example")),
        ] {
            assert_eq!(typed("x", text, kind).unwrap(), expected, "{text} {kind:?}");
        }
        assert!(typed("x", "yes", Some("boolean")).is_err());
    }

    #[test]
    fn only_what_was_said_is_changed() {
        assert_eq!(ChangeArgs::default().body(&Value::Null).unwrap(), json!({}));
        let args = ChangeArgs {
            set: vec![("port".into(), "80".into())],
            unset: vec!["old".into()],
            private: vec!["erp.lan,10.0.0.0/8,80".parse().unwrap()],
            grant_all: true,
            ..ChangeArgs::default()
        };
        let shown = json!({"settings-schema": {"properties": {"port": {"type": "string"}}}});
        assert_eq!(
            args.body(&shown).unwrap(),
            json!({
                "settings": {"port": "80", "old": null},
                "private": [{"host": "erp.lan", "range": "10.0.0.0/8", "port": 80}],
                "grant-all": true
            })
        );
    }

    #[test]
    fn a_secret_file_loses_its_last_line_end_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, " a b \r\n").unwrap();
        assert_eq!(read_secret(&file).unwrap(), " a b ");
    }
}
