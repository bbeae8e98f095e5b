//! `cargo languages [LANGUAGE..]`: from an empty folder to a connector that syncs, in every language; see the library.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use tradepost_tests::host::Place;
use tradepost_tests::languages::{make, side_by_side, wanted};

#[tokio::main]
async fn main() -> Result<()> {
    let wanted = wanted(&std::env::args().skip(1).collect::<Vec<_>>())?;
    // With the features of the whole workspace, as this program was built.
    let built =
        Command::new("cargo").args(["build", "--quiet", "--bin", "tradepost", "--bin", "cargo-tradepost"]).status()?;
    ensure!(built.success(), "host and tool cannot be built");
    let here = std::env::current_exe()?;
    let program = |name: &str| -> Result<PathBuf> { Ok(here.parent().context("a program has a folder")?.join(name)) };
    let root = tempfile::Builder::new().prefix("tradepost-languages-").tempdir()?;
    ensure!(!root.path().starts_with(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")), "outside of the repository");
    // Rust's projects share what they are built from; the first of them builds it from nothing.
    std::fs::create_dir(root.path().join(".cargo"))?;
    std::fs::write(root.path().join(".cargo/config.toml"), "[build]\ntarget-dir = \"target\"\n")?;
    let tool = program("cargo-tradepost")?;
    // Side by side: much of it waits for a network, or is the work of one processor.
    let made = try_join_all(wanted.into_iter().map(|language| make(&tool, root.path(), language))).await?;
    println!();
    side_by_side(&Place { program: program("tradepost")?, root: root.path().join("host"), notes: None }, &made).await?;
    println!();
    for one in &made {
        let steps: Vec<String> = one.steps.iter().map(|(step, seconds)| format!("{step} {seconds:.1} s")).collect();
        println!("{:<8} component {} kB; {}", one.language, one.size / 1000, steps.join(", "));
    }
    Ok(())
}
