//! A connector's project: the folder with `connector.toml`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use serde::Deserialize;

use crate::failure::Hinted;
use crate::output;

/// The file that makes a folder a project.
pub const FILE: &str = "connector.toml";

/// What connectors are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust
    Rust,
    /// TypeScript
    #[value(name = "ts", alias = "typescript")]
    TypeScript,
    /// Python
    Python,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "rust",
            Self::TypeScript => "typescript",
            Self::Python => "python",
        })
    }
}

/// What the file says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// Name of the connector and of its file.
    pub name: String,
    /// What it is written in.
    pub language: Language,
    /// World of the contract: reader, writer or shop. Rust's exports say it by themselves.
    #[serde(default = "shop")]
    pub world: String,
    /// File (TypeScript) or module (Python) with the connector.
    #[serde(default)]
    pub entry: Option<String>,
    /// A platform to test against.
    #[serde(default)]
    pub simulator: Option<Simulator>,
}

fn shop() -> String {
    "shop".to_owned()
}

/// A program that behaves like the platform, and how the connector is set up for it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Simulator {
    /// The program with its arguments. It prints a line that ends with its address: `listening on http://127.0.0.1:1234`.
    #[serde(default)]
    pub command: Vec<String>,
    /// Settings; `{simulator}` in a text stands for the address.
    #[serde(default)]
    pub settings: BTreeMap<String, serde_json::Value>,
    /// Secrets by `credential/field`.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Rules of the conformance suite that this platform cannot keep, with the reason.
    #[serde(default)]
    pub waived: BTreeMap<String, String>,
    /// Files with records of kinds that are written and cannot be read.
    #[serde(default)]
    pub samples: Vec<PathBuf>,
}

/// A project on disk.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its folder.
    pub folder: PathBuf,
    /// What it says.
    pub manifest: Manifest,
}

impl Project {
    /// The project of a folder or of a folder above it.
    ///
    /// # Errors
    /// There is none, or its file is not as it should be.
    pub fn find(from: &Path) -> anyhow::Result<Self> {
        let from = std::path::absolute(from)?;
        let folder = from.ancestors().find(|folder| folder.join(FILE).is_file()).ok_or_else(|| {
            Hinted::new(
                format!("there is no {FILE} in {} or above it", from.display()),
                "make a project with `cargo tradepost new NAME --lang rust`, or go into its folder",
            )
        })?;
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let manifest = toml::from_str(&text).with_context(|| format!("{} is not as it should be", path.display()))?;
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// Where its component goes.
    #[must_use]
    pub fn component(&self) -> PathBuf {
        self.folder.join("dist").join(format!("{}.wasm", self.manifest.name))
    }

    /// The files of one of its folders that end like this, by name; none where there is no such folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn files(&self, folder: &str, extension: &str) -> anyhow::Result<Vec<PathBuf>> {
        let folder = self.folder.join(folder);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let entries = std::fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|one| one == extension));
        paths.sort();
        Ok(paths)
    }

    /// Makes the component, installing what is missing; says what it does.
    ///
    /// # Errors
    /// Something cannot be installed, or the compiler refuses the code.
    pub fn build(&self) -> anyhow::Result<PathBuf> {
        crate::language::build(self, false, &output::progress)
    }

    /// As [`Self::build`] for somebody who waits: faster made, less small.
    ///
    /// # Errors
    /// As there.
    pub fn build_quickly(&self) -> anyhow::Result<PathBuf> {
        crate::language::build(self, true, &output::progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_found_from_below() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("src/deep");
        std::fs::create_dir_all(&inner).unwrap();
        let error = Project::find(&inner).unwrap_err();
        assert!(crate::failure::hint(&error).unwrap().contains("cargo tradepost new"));
        std::fs::write(root.path().join(FILE), "name = \"a\"\nlanguage = \"python\"\n").unwrap();
        let project = Project::find(&inner).unwrap();
        assert_eq!((project.manifest.language, project.manifest.world.as_str()), (Language::Python, "shop"));
        std::fs::write(root.path().join(FILE), "name = \"a\"\nlanguage = \"cobol\"\n").unwrap();
        assert!(format!("{:#}", Project::find(&inner).unwrap_err()).contains("cobol"));
    }
}
