//! `tradepost check`: what can be known without a running service.

use serde_json::{Value, json};

use super::failure::Failure;
use super::output::escape;
use super::{Context, Exit};
use crate::config::Config;
use crate::ledger::backup;
use crate::plugins::{Plugin, Registry, Standing};
use crate::runtime::{Engine, Options};
use crate::service::folder::{DataFolder, FolderError};

/// Looks at a folder that is being written to so often.
const LOOKS: u32 = 5;

pub(super) async fn run(context: Context) -> Result<Exit, Failure> {
    let out = context.out;
    let mut findings = vec![finding("configuration", true, "can be read".into())];
    findings.push(match data(&context.config) {
        Ok(said) => finding("data folder", true, said),
        Err(failure) => finding("data folder", false, sentence(&failure)),
    });
    match plugins(&context.config).await {
        Ok(plugins) if plugins.is_empty() => {
            let folder = context.config.plugins.display();
            findings.push(finding("plugins", true, format!("{folder} holds no connectors yet")));
        }
        Ok(plugins) => findings.extend(plugins.iter().map(of_plugin)),
        Err(failure) => findings.push(finding("plugins", false, sentence(&failure))),
    }
    let fine = findings.iter().all(|finding| finding["fine"] == true);
    out.value(&json!({ "fine": fine, "findings": findings }));
    for finding in &findings {
        let mark = if finding["fine"] == true { "ok   " } else { "WRONG" };
        let about = finding["about"].as_str().unwrap_or_default();
        out.line(format!("{mark} {}: {}", escape(about), escape(finding["says"].as_str().unwrap_or_default())));
    }
    Ok(if fine { Exit::Done } else { Exit::Failed })
}

fn finding(about: &str, fine: bool, says: String) -> Value {
    json!({ "about": about, "fine": fine, "says": says })
}

fn sentence(failure: &Failure) -> String {
    match &failure.hint {
        Some(hint) => format!("{}; {hint}", failure.title),
        None => failure.title.clone(),
    }
}

/// Leaves a folder that is not there alone.
fn data(config: &Config) -> Result<String, Failure> {
    let shown = config.data.display();
    if !config.data.exists() {
        return Ok(format!("{shown} is made at the first start"));
    }
    let folder = match DataFolder::open(&config.data) {
        Ok(folder) => folder,
        Err(FolderError::Owned { .. }) => return Ok(format!("{shown} is in use by a running service")),
        Err(error) => return Err(Failure::of(&error)),
    };
    if config.seal_key.is_some() || folder.root().join("key").exists() {
        folder.seal_key(config.seal_key.as_ref()).map_err(|error| Failure::of(&error))?;
    }
    if folder.ledger().exists() {
        backup::inspect(&folder.ledger()).map_err(|error| Failure::of(&error))?;
        return Ok(format!("{shown} holds a whole ledger"));
    }
    Ok(format!("{shown} holds no ledger yet"))
}

async fn plugins(config: &Config) -> Result<Vec<Plugin>, Failure> {
    let engine =
        Engine::with(Options { compiler: config.compiler.clone(), compile: config.compile.clone(), cache: None })
            .map_err(|error| Failure::of(&error))?;
    let registry = Registry::open(&config.plugins, engine).map_err(|error| Failure::of(&error))?;
    registry.set_signers(config.signers.clone());
    for _ in 0..LOOKS {
        if registry.reconcile().await.map_err(|error| Failure::of(&error))? {
            break;
        }
    }
    Ok(registry.list())
}

fn of_plugin(plugin: &Plugin) -> Value {
    let about = format!("plugin {}", plugin.file);
    let name = plugin
        .description
        .as_ref()
        .map(|description| format!("{} {}", description.id, description.version))
        .unwrap_or_default();
    match &plugin.standing {
        Standing::Serving => finding(&about, true, name),
        Standing::Held { reason, .. } | Standing::Waiting { reason, .. } | Standing::Refused { reason, .. } => {
            finding(&about, false, reason.clone())
        }
    }
}
