//! The cargo workspace that holds the connectors.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    Error, Tools,
    system::{Call, Machine, System},
};

/// A workspace as cargo describes it.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
    target_folder: PathBuf,
    packages: Vec<Package>,
    tools: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

impl Workspace {
    /// The workspace of a folder or of a folder above it.
    ///
    /// # Errors
    /// When there is no `Cargo.toml`, or cargo cannot read it.
    pub fn at(folder: &Path) -> Result<Self, Error> {
        let mut call = Call::new("cargo", ["metadata", "--no-deps", "--format-version", "1", "--offline"]);
        call.folder = Some(folder.to_owned());
        call.keep_target_folder = true;
        let answer = Machine.read(&call, &|_| {})?;
        let metadata: Metadata = serde_json::from_str(&answer)
            .map_err(|error| Error::Answer { command: call.to_string(), reason: error.to_string() })?;
        Ok(Self {
            root: metadata.workspace_root,
            target_folder: metadata.target_directory,
            packages: metadata.packages,
            tools: None,
        })
    }

    /// The workspace this program was built from, with the connectors that belong to it.
    ///
    /// # Errors
    /// When the program was moved to a machine without the sources.
    pub fn of_this_build() -> Result<Self, Error> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        if here.join("Cargo.toml").is_file() { Self::at(here) } else { Err(Error::NoSource { path: here.to_owned() }) }
    }

    /// The same workspace with what has to be built for the tool chain kept in the account's folder of tools, so that
    /// many small workspaces share it.
    #[must_use]
    pub fn with_tools(mut self, tools: &Tools) -> Self {
        self.tools = Some(tools.folder().join("rust"));
        self
    }

    /// Where programs go that are built for the tool chain.
    pub(crate) fn tools_folder(&self) -> PathBuf {
        self.tools.clone().unwrap_or_else(|| self.connectors_folder().join("tools"))
    }

    /// The folder of the workspace's `Cargo.toml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target folder for everything but connectors.
    pub fn target_folder(&self) -> &Path {
        &self.target_folder
    }

    /// The target folder of connectors. It is their own, so that a cargo that runs tests or the demo is not waited for
    /// by the cargo that they start.
    pub fn connectors_folder(&self) -> PathBuf {
        self.target_folder.join("connectors")
    }

    /// The packages whose names end with `-connector`.
    pub fn connectors(&self) -> impl Iterator<Item = &str> {
        self.packages.iter().map(|package| package.name.as_str()).filter(|name| name.ends_with("-connector"))
    }

    pub(crate) fn package(&self, name: &str) -> Result<&Package, Error> {
        self.packages.iter().find(|package| package.name == name).ok_or_else(|| Error::UnknownPackage {
            package: name.to_owned(),
            workspace: self.root.clone(),
            known: self.packages.iter().map(|package| package.name.clone()).collect(),
        })
    }

    /// Whether the workspace says itself how connectors are optimised.
    pub(crate) fn has_profile(&self, profile: &str) -> Result<bool, Error> {
        let path = self.root.join("Cargo.toml");
        let manifest = fs::read_to_string(&path).map_err(|source| Error::File { path, source })?;
        let heading = format!("[profile.{profile}]");
        Ok(manifest.lines().any(|line| line.trim() == heading))
    }
}
