//! The program and connectors, built with the same means as everybody else's.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use tradepost_build::{Connector, Step, Workspace};

/// Builds the program with the profile and target folder of this test and says where it lies.
///
/// # Errors
/// It does not compile: the compiler's words.
pub fn program() -> Result<PathBuf> {
    binary("tradepost")
}

/// As [`program`], for the developer's tool.
///
/// # Errors
/// As there.
pub fn tool() -> Result<PathBuf> {
    binary("cargo-tradepost")
}

fn binary(name: &str) -> Result<PathBuf> {
    let workspace = Workspace::of_this_build()?;
    // <target>/<profile>/deps/<test>
    let own = std::env::current_exe().context("the test has no path")?;
    let folder = own.ancestors().nth(2).context("the test lies in a target folder")?;
    let target = folder.parent().context("a profile has a target folder")?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Without a package, so that features are those of the workspace, as in `cargo test`.
    cargo
        .args(["build", "--quiet", "--bin", name, "--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .current_dir(workspace.root())
        .stdin(Stdio::null());
    let output = cargo.output().context("cargo cannot be run")?;
    if !output.status.success() {
        bail!("{cargo:?} ended with {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(folder.join(name))
}

/// Builds connectors and puts them into a plugins folder.
///
/// # Errors
/// The tool chain is missing: what to install; or they do not compile.
pub fn connectors(packages: &[&str], plugins: &Path) -> Result<()> {
    let wanted: Vec<Connector> = packages.iter().map(|package| Connector::new(*package)).collect();
    let tell = |step: Step<'_>| {
        if let Step::Begun(text) = step {
            eprintln!("  {text}");
        }
    };
    let built = tradepost_build::build(&Workspace::of_this_build()?, &wanted, &tell).map_err(|error| {
        let hint = error.hint().map(|hint| format!("\n{hint}")).unwrap_or_default();
        anyhow::anyhow!("{error}{hint}")
    })?;
    std::fs::create_dir_all(plugins)?;
    for connector in built {
        let name = connector.path.file_name().context("a component has a file name")?;
        std::fs::copy(&connector.path, plugins.join(name))?;
    }
    Ok(())
}
