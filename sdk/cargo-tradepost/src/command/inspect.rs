//! `inspect`: what a component is, what it asks for, and why a host would refuse it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tradepost::model::description::Description;
use tradepost::runtime::{Build, Cache, Engine, LoadError, Options, build};
use tradepost_build::Tools;

use crate::cli::Exit;
use crate::component::{Component, track};
use crate::failure;
use crate::output::{escape, json, line, size, table};
use crate::powers;

/// What `inspect` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The file goes through the checks of the host itself: format, contract, compiling, imports, and `describe` with every power \
refused. What it prints about powers is what an operator reads before the connector may do anything.

Exit code 1: a host would refuse the file; the line `refused` says why.")]
pub struct Args {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is known of a file.
pub struct Inspected {
    /// Hex of its BLAKE3, by which a host knows it.
    pub hash: String,
    /// Its bytes.
    pub size: u64,
    /// What is in it.
    pub component: Component,
    /// What it says of itself, or why a host would not take it.
    pub verdict: Result<Arc<Description>, LoadError>,
}

/// Puts a file through the host's checks.
///
/// # Errors
/// When the WebAssembly engine cannot be started here.
pub async fn inspect(bytes: Vec<u8>) -> anyhow::Result<Inspected> {
    // Somebody waits: it is compiled here, and what was compiled is kept.
    let cache = Cache::open(&Tools::of_this_account().folder().join("compiled")).ok();
    let engine = Engine::with(Options { cache, ..Options::default() })?;
    let component = Component::read(&bytes);
    let hash = build::hash(&bytes);
    let size = bytes.len() as u64;
    let verdict = Build::load(&engine, bytes.into(), None).await.map(|build| build.description().clone());
    Ok(Inspected { hash, size, component, verdict })
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let bytes = std::fs::read(&args.file).with_context(|| format!("{} cannot be read", args.file.display()))?;
    let inspected = inspect(bytes).await?;
    if args.json {
        json(&as_json(&inspected))?;
    } else {
        print(&inspected);
    }
    Ok(if inspected.verdict.is_ok() { Exit::Done } else { Exit::Found })
}

fn print(inspected: &Inspected) {
    let Inspected { hash, size: bytes, component, verdict } = inspected;
    let mut facts: Vec<Vec<String>> = Vec::new();
    let mut fact = |name: &str, value: String| facts.push(vec![name.to_owned(), value]);
    if let Ok(description) = verdict {
        fact("connector", format!("{} {}", description.id, description.version));
        fact("name", powers::name(description));
        fact("vendor", description.vendor.clone());
    }
    fact("SDK", component.sdk.clone().unwrap_or_else(|| "not noted in the file".to_owned()));
    fact(
        "contract",
        component
            .contract()
            .map_or_else(|| "none".to_owned(), |version| format!("{version} (track {})", track(version))),
    );
    let made = component.producers.iter().map(|(name, version)| format!("{name} {version}").trim().to_owned());
    fact("made by", made.collect::<Vec<_>>().join(", "));
    fact("can do", component.abilities().collect::<Vec<_>>().join(", "));
    fact("may touch", component.powers().collect::<Vec<_>>().join(", "));
    fact("size", format!("{} ({bytes} bytes)", size(*bytes)));
    fact("hash", hash.clone());
    table(&[], facts);
    match verdict {
        Ok(description) => show(description),
        Err(error) => {
            line("");
            line(format!("refused: {}", escape(&sentence(error))));
        }
    }
    line("\nSize by section:");
    table(&[], component.sections.iter().map(|(kind, bytes)| vec![kind.clone(), size(*bytes)]).collect());
    line("\nImports:");
    table(&[], component.imports.iter().map(|name| vec![name.clone()]).collect());
    if verdict.is_ok() {
        line("\nA host of this version takes it.");
    }
}

/// What an operator is shown of a connector.
pub fn show(description: &Description) {
    line("\nWhat it does:");
    table(&[], powers::abilities(description));
    let asked = powers::powers(description);
    line(if asked.is_empty() { "\nIt asks for nothing." } else { "\nWhat it asks the operator for:" });
    table(&[], asked);
    let settings = powers::settings(description);
    if !settings.is_empty() {
        line("\nIts settings:");
        table(&[], settings);
    }
}

/// An error with what led to it.
pub(crate) fn sentence(error: &LoadError) -> String {
    let first: &dyn std::error::Error = error;
    failure::told(std::iter::successors(Some(first), |error| error.source()).map(ToString::to_string))
}

fn as_json(inspected: &Inspected) -> serde_json::Value {
    let Inspected { hash, size, component, verdict } = inspected;
    serde_json::json!({
        "hash": hash,
        "size": size,
        "sdk": component.sdk,
        "contract": component.contract(),
        "track": component.contract().map(track),
        "exports": component.exports,
        "imports": component.imports,
        "sections": component.sections.iter().map(|(kind, size)| serde_json::json!({ "kind": kind, "size": size })).collect::<Vec<_>>(),
        "made-by": component.producers.iter().map(|(name, version)| serde_json::json!({ "name": name, "version": version })).collect::<Vec<_>>(),
        "description": verdict.as_ref().ok().map(|description| &**description),
        "refused": verdict.as_ref().err().map(sentence),
    })
}
