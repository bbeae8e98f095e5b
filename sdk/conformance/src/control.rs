//! The suite's hand on the simulator: the control protocol, over HTTP. What a simulator does not offer is not tested, and
//! the report says so.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tradepost::model::Kind;

/// Version of the protocol that this suite speaks.
const PROTOCOL: u32 = 1;

/// What a simulator offers, as `GET /_control` says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Offers {
    /// Version of the protocol.
    pub protocol: u32,
    /// What can be done with records of a kind.
    pub kinds: BTreeMap<Kind, Hand>,
    /// Rules that there are golden records for.
    pub golden: Vec<String>,
    /// The platform's clock can be set.
    pub clock: bool,
    /// Texts that stand in what the platform says and must show nowhere.
    pub secrets: Vec<String>,
}

/// What can be done with records of one kind.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Hand {
    /// Made.
    pub make: bool,
    /// Changed so that it shows when it is read.
    pub change: bool,
    /// Removed.
    pub remove: bool,
    /// Counted.
    pub count: bool,
    /// Spoilt so that it cannot be read.
    pub spoil: bool,
}

/// What a platform has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Count {
    /// Objects of the kind.
    pub(crate) objects: u64,
    /// Writes of any kind that the platform did since its reset.
    pub(crate) writes: u64,
}

/// A record as it must be handed over: at least this.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Golden {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) facets: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) variants: Vec<GoldenVariant>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct GoldenVariant {
    pub(crate) sku: String,
    #[serde(default)]
    pub(crate) facets: BTreeMap<String, Value>,
}

/// The simulator does not do what it offers. Not the connector's fault.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No answer.
    #[error("the simulator's control interface at {url} does not answer: {source}; start the simulator first")]
    Silent {
        /// Where it was asked.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// Not a 2xx answer, or not what the protocol says.
    #[error("the simulator's control interface refuses {url}: {answer}")]
    Refused {
        /// Where it was asked.
        url: String,
        /// What it said.
        answer: String,
    },
    /// Another version.
    #[error("the simulator speaks version {theirs} of the control protocol, this suite speaks version {PROTOCOL}")]
    Protocol {
        /// The simulator's.
        theirs: u32,
    },
}

/// A simulator's control interface.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    base: String,
    client: reqwest::Client,
    pub(crate) offers: Offers,
}

impl Control {
    /// Asks what is offered; `None` where there is no control interface.
    pub(crate) async fn open(base: &str) -> Result<Option<Self>, ControlError> {
        let base = base.trim_end_matches('/').to_owned();
        let client = reqwest::Client::builder().no_proxy().build();
        let client = client.map_err(|source| ControlError::Silent { url: base.clone(), source })?;
        let silent = |source| ControlError::Silent { url: base.clone(), source };
        let answer = client.get(&base).send().await.map_err(silent)?;
        if matches!(answer.status().as_u16(), 404 | 405) {
            return Ok(None);
        }
        let text = answer.text().await.map_err(silent)?;
        let offers: Offers = serde_json::from_str(&text)
            .map_err(|_| ControlError::Refused { url: base.clone(), answer: text.chars().take(300).collect() })?;
        if offers.protocol != PROTOCOL {
            return Err(ControlError::Protocol { theirs: offers.protocol });
        }
        Ok(Some(Self { base, client, offers }))
    }

    async fn ask<T: DeserializeOwned>(&self, what: &str, body: Value) -> Result<T, ControlError> {
        let url = format!("{}/{what}", self.base);
        let silent = |source| ControlError::Silent { url: url.clone(), source };
        let request = self.client.request(Method::POST, &url).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.map_err(silent)?;
        let ok = answer.status().is_success();
        let text = answer.text().await.map_err(silent)?;
        let refused = || ControlError::Refused { url: url.clone(), answer: text.chars().take(300).collect() };
        if !ok {
            return Err(refused());
        }
        serde_json::from_str(&text).map_err(|_| refused())
    }

    pub(crate) fn hand(&self, kind: Kind) -> Hand {
        self.offers.kinds.get(&kind).copied().unwrap_or_default()
    }

    /// An empty platform with the right time. Where the connector works with files, the folder is the platform, or a part
    /// of it.
    pub(crate) async fn reset(&self, folder: Option<&Path>) -> Result<(), ControlError> {
        let body = match folder {
            Some(folder) => json!({ "folder": folder }),
            None => json!({}),
        };
        self.ask::<Value>("reset", body).await.map(drop)
    }

    /// Makes plain records; their ids as the connector names them.
    pub(crate) async fn make(&self, kind: Kind, count: usize) -> Result<Vec<String>, ControlError> {
        #[derive(Deserialize)]
        struct Made {
            ids: Vec<String>,
        }
        let made: Made = self.ask("make", json!({"kind": kind, "count": count})).await?;
        Ok(made.ids)
    }

    pub(crate) async fn change(&self, kind: Kind, id: &str) -> Result<(), ControlError> {
        self.ask::<Value>("change", json!({"kind": kind, "id": id})).await.map(drop)
    }

    pub(crate) async fn remove(&self, kind: Kind, id: &str) -> Result<(), ControlError> {
        self.ask::<Value>("remove", json!({"kind": kind, "id": id})).await.map(drop)
    }

    pub(crate) async fn spoil(&self, kind: Kind, id: &str) -> Result<(), ControlError> {
        self.ask::<Value>("spoil", json!({"kind": kind, "id": id})).await.map(drop)
    }

    pub(crate) async fn count(&self, kind: Kind) -> Result<Count, ControlError> {
        self.ask("count", json!({"kind": kind})).await
    }

    pub(crate) async fn golden(&self, case: &str) -> Result<Vec<Golden>, ControlError> {
        #[derive(Deserialize)]
        struct Case {
            records: Vec<Golden>,
        }
        let case: Case = self.ask("golden", json!({"case": case})).await?;
        Ok(case.records)
    }

    pub(crate) async fn clock(&self, offset_seconds: i64) -> Result<(), ControlError> {
        self.ask::<Value>("clock", json!({"offset-seconds": offset_seconds})).await.map(drop)
    }
}
