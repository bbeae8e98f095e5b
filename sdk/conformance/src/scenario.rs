//! What a developer says about the platform: a small TOML file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use tradepost::model::Record;

/// Stands in the settings for the platform's address; the suite puts its fault proxy there.
pub const PLACE: &str = "{simulator}";

/// A scenario as the file has it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// Address of the simulator, e.g. `http://127.0.0.1:8888`.
    #[serde(default)]
    pub simulator: Option<String>,
    /// Where its control interface is; absent: `/_control` of the simulator.
    #[serde(default)]
    pub control: Option<String>,
    /// Settings of the platform; `{simulator}` in a text stands for the address.
    #[serde(default)]
    pub settings: BTreeMap<String, Value>,
    /// Secrets by `credential/field`.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Rules that this platform cannot keep, with the reason; a failure of them is reported as skipped.
    #[serde(default)]
    pub waived: BTreeMap<String, String>,
    /// Files with records (JSON lists) of kinds that are written and cannot be read.
    #[serde(default)]
    pub samples: Vec<PathBuf>,
    /// What was read from [`Self::samples`].
    #[serde(skip)]
    pub records: Vec<Record>,
}

/// The scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}; write the scenario there, see the README of the conformance suite")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not what a scenario is.
    #[error("{path} is no scenario: {source}")]
    Scenario {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// Not what records are.
    #[error("{path} holds no list of records: {source}")]
    Records {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

impl Scenario {
    /// Reads a file; paths in it are relative to its folder.
    ///
    /// # Errors
    /// It is not there or says what cannot be.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| ScenarioError::Read { path: path.to_owned(), source })
        };
        let mut scenario: Self = toml::from_str(&text(path)?)
            .map_err(|source| ScenarioError::Scenario { path: path.to_owned(), source: Box::new(source) })?;
        for sample in &scenario.samples {
            let sample = path.parent().unwrap_or(Path::new(".")).join(sample);
            let records: Vec<Record> = serde_json::from_str(&text(&sample)?)
                .map_err(|source| ScenarioError::Records { path: sample.clone(), source })?;
            scenario.records.extend(records);
        }
        Ok(scenario)
    }

    /// Whether some setting leads to the simulator.
    pub(crate) fn has_place(&self) -> bool {
        self.settings.values().any(|value| value.as_str().is_some_and(|text| text.contains(PLACE)))
    }

    /// The settings with an address in the place of [`PLACE`].
    pub(crate) fn settings_at(&self, address: &str) -> Value {
        let at = |value: &Value| match value {
            Value::String(text) => Value::String(text.replace(PLACE, address)),
            value => value.clone(),
        };
        Value::Object(self.settings.iter().map(|(name, value)| (name.clone(), at(value))).collect())
    }
}
