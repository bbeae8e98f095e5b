//! Builds what the scenario drives: the `tradepost` program and connectors, with the same means as everybody else.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use tradepost_build::{Connector, Step, Workspace};

use crate::process::run;

/// Where the built things lie.
#[derive(Debug, Clone)]
pub struct Build {
    pub program: PathBuf,
    pub connectors: Vec<PathBuf>,
}

impl Build {
    /// Puts the connectors into a plugins folder.
    pub fn install(&self, plugins: &Path) -> Result<()> {
        std::fs::create_dir_all(plugins)?;
        for connector in &self.connectors {
            let name = connector.file_name().context("a connector without a name")?;
            std::fs::copy(connector, plugins.join(name))?;
        }
        Ok(())
    }
}

/// Builds the program and the named connectors, unless what lies in the target folder is to be taken as it is.
pub async fn build(connectors: &[&str], as_it_is: bool) -> Result<Build> {
    let workspace = Workspace::of_this_build()?;
    if as_it_is {
        let target = workspace.target_folder();
        let file = |package: &&str| target.join("connectors/dist").join(package.replace("-connector", ".wasm"));
        return Ok(Build {
            program: target.join("debug/tradepost"),
            connectors: connectors.iter().map(file).collect(),
        });
    }
    eprintln!("building tradepost and {}", connectors.join(", "));
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The whole workspace decides on the features of what is shared, as in `cargo test`; else all of it would be built once more.
    cargo.args(["build", "--quiet", "--workspace", "--bin", "tradepost"]).current_dir(workspace.root());
    run(cargo).await?;
    let program = workspace.target_folder().join("debug/tradepost");
    Ok(Build { program, connectors: self::connectors(connectors).await? })
}

/// Builds the named connectors, in the order given.
pub async fn connectors(connectors: &[&str]) -> Result<Vec<PathBuf>> {
    let workspace = Workspace::of_this_build()?;
    let wanted: Vec<Connector> = connectors.iter().map(|package| Connector::new(*package)).collect();
    let built = tokio::task::spawn_blocking(move || {
        let tell = |step: Step<'_>| {
            if let Step::Begun(text) = step {
                eprintln!("  {text}");
            }
        };
        tradepost_build::build(&workspace, &wanted, &tell)
    })
    .await??;
    Ok(built.into_iter().map(|one| one.path).collect())
}
