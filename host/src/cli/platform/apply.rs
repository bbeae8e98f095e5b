//! `platform apply FILE`: platforms as a document.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::Exit;
use super::super::client::Client;
use super::super::failure::Failure;
use super::super::output::{Output, items, text};
use super::at;
use super::change::{read_document, read_secret};
use crate::capability::{GrantedOrigin, PrivateException};
use crate::model::policy::Policy;

pub(super) const HELP: &str = "\
Example (shop.toml):
  [[platform]]
  code = \"shop\"
  connector = \"org.tradepost.woocommerce\"
  name = \"Our shop\"
  settings = { url = \"http://127.0.0.1:8080\" }
  secrets = { \"api/username\" = { file = \"shop.user\" }, \"api/password\" = { file = \"shop.password\" } }
  grant-all = true
  private = [\"127.0.0.1,127.0.0.1/32,8080\"]
  # files = \"exchange\"          exchange folder
  # rates = { api = \"2\" }       fewer requests per second
  [platform.policy]
  creates = [\"order\", \"customer\"]
  pushes = [\"product\", \"stock\", \"price\"]
  create_on = [\"product\"]
  owns = [{ record = \"order\", facet = \"*\" }]

What the file does not name stays as it is; an unknown key is an error. The policy is replaced as a whole.";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    platform: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    code: String,
    connector: Option<String>,
    name: Option<String>,
    #[serde(default)]
    settings: Map<String, Value>,
    #[serde(default)]
    secrets: BTreeMap<String, SecretSource>,
    #[serde(default)]
    grant: Vec<GrantedOrigin>,
    #[serde(default)]
    revoke: Vec<GrantedOrigin>,
    #[serde(default)]
    grant_all: bool,
    #[serde(default)]
    private: Vec<Exception>,
    files: Option<PathBuf>,
    #[serde(default)]
    rates: BTreeMap<String, Decimal>,
    proxy: Option<String>,
    policy: Option<Policy>,
}

/// A secret in the document itself, or in a file beside it.
#[derive(Deserialize)]
#[serde(untagged)]
enum SecretSource {
    Literal(String),
    File(SecretFile),
}

impl std::fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Literal(_) => f.write_str("***"),
            Self::File(file) => file.fmt(f),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFile {
    file: PathBuf,
}

/// `host,range,port`, or the three by name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Exception {
    Text(String),
    Parts(PrivateException),
}

pub(super) async fn run(client: &Client, out: Output, file: &Path) -> Result<Exit, Failure> {
    let document: Document = read_document(file)?;
    let folder = std::path::absolute(file)
        .map_err(|error| Failure::of(&error))?
        .parent()
        .map_or_else(PathBuf::new, Path::to_owned);
    // Everything is read before anything is changed.
    let entries: Vec<(&Entry, Value)> =
        document.platform.iter().map(|entry| Ok((entry, entry.body(&folder)?))).collect::<Result<_, Failure>>()?;
    let mut rows = Vec::new();
    let mut shown = Vec::new();
    for (entry, body) in entries {
        let code = &entry.code;
        let what = match client.get(&at(code)).await {
            Ok(_) => "changed",
            Err(failure) if failure.kind == "missing" => {
                let connector = entry.connector.as_ref().ok_or_else(|| {
                    Failure::new(format!("{}: the new platform `{code}` names no connector", file.display()))
                })?;
                client.post("/platforms", &json!({ "code": code, "connector": connector })).await?;
                "added"
            }
            Err(failure) => return Err(failure),
        };
        let platform = client.patch(&at(code), &body).await.map_err(|failure| {
            let title = format!("{}: `{code}` was {what}, but not set up: {}", file.display(), failure.title);
            let title = if what == "changed" {
                format!("{}: `{code}` was not changed: {}", file.display(), failure.title)
            } else {
                title
            };
            Failure { title, ..failure }
        })?;
        let needs: Vec<String> = items(&platform, "needs").iter().map(super::super::output::plain).collect();
        rows.push(vec![code.clone(), what.to_owned(), text(&platform, "state"), needs.join("; ")]);
        shown.push(platform);
    }
    out.value(&Value::Array(shown));
    out.table(&["platform", "was", "state", "needs"], rows, "The file names no platforms.");
    Ok(Exit::Done)
}

impl Entry {
    /// The change as the API takes it; paths count from the document's folder.
    fn body(&self, folder: &Path) -> Result<Value, Failure> {
        let mut secrets = BTreeMap::new();
        for (name, source) in &self.secrets {
            let value = match source {
                SecretSource::Literal(value) => value.clone(),
                SecretSource::File(SecretFile { file }) => read_secret(&folder.join(file))?,
            };
            secrets.insert(name, value);
        }
        let private = self
            .private
            .iter()
            .map(|exception| match exception {
                Exception::Text(text) => text
                    .parse()
                    .map_err(|error: crate::capability::address::InvalidException| Failure::new(error.to_string())),
                Exception::Parts(parts) => Ok(parts.clone()),
            })
            .collect::<Result<Vec<PrivateException>, Failure>>()?;
        Ok(json!({
            "name": self.name,
            "connector": self.connector,
            "settings": self.settings,
            "secrets": secrets,
            "grant": self.grant,
            "revoke": self.revoke,
            "grant-all": self.grant_all,
            "private": private,
            "files": self.files.as_ref().map(|files| folder.join(files)),
            "rates": self.rates,
            "proxy": self.proxy,
            "policy": self.policy,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_help_is_understood() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shop.user"), "ck\n").unwrap();
        std::fs::write(folder.path().join("shop.password"), "cs\n").unwrap();
        let file = folder.path().join("shop.toml");
        let lines: Vec<&str> = HELP.lines().skip(1).take_while(|line| !line.is_empty()).collect();
        std::fs::write(&file, lines.join("\n")).unwrap();
        let document: Document = read_document(&file).unwrap();
        let body = document.platform[0].body(folder.path()).unwrap();
        assert_eq!(body["secrets"], json!({"api/username": "ck", "api/password": "cs"}));
        assert_eq!(body["private"][0]["port"], 8080);
        assert_eq!(body["policy"]["pushes"], json!(["product", "stock", "price"]));
        // What goes over the wire is what the service understands.
        let change: crate::service::platforms::PlatformChange = serde_json::from_value(body).unwrap();
        assert!(change.grant_all);
        assert_eq!(change.settings["url"], "http://127.0.0.1:8080");
    }

    #[test]
    fn unknown_keys_are_named_with_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.toml");
        for (text, key) in [
            ("[[platform]]\ncode = \"shop\"\nconector = \"x\"\n", "conector"),
            ("[[platform]]\ncode = \"shop\"\n[platform.policy]\npushs = []\n", "pushs"),
            ("[[plattform]]\ncode = \"shop\"\n", "plattform"),
        ] {
            std::fs::write(&file, text).unwrap();
            let failure = read_document::<Document>(&file).unwrap_err();
            let said = format!("{} {}", failure.title, failure.hint.unwrap_or_default());
            assert!(said.contains("shop.toml") && said.contains(key), "{said}");
        }
    }
}
