//! `record`: a tape of a real session, by the built component in the host's runtime.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use serde_json::Value;
use tradepost::model::{Kind, PullRequest, Scope};
use tradepost::runtime::Build;
use tradepost::runtime::tape;
use tradepost::runtime::workbench::{BenchPlatform, Setup, Workbench};
use tradepost_build::Tools;

use crate::cli::Exit;
use crate::output::{line, note};
use crate::project::Project;
use crate::simulator::Running;

/// What `record` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The component checks the account and reads every kind that it can, and only reads: what would change the platform is refused. \
Secrets are not on the tape: the host places them, and masks them in answers. Everything else that the platform said is: look at the \
tape before you hand it on.

Exit code 1: a kind could not be read to its end; the tape holds what there was.

Examples:
  cargo tradepost record tapes/all.jsonl
  cargo tradepost record tapes/orders.jsonl --kind order --setting url=https://shop.example --secret api/token      (its value is asked for)")]
pub struct Args {
    /// File to write, an exchange on each line
    #[arg(value_name = "TAPE")]
    tape: PathBuf,
    #[command(flatten)]
    pub(crate) platform: Platform,
    /// Most pages per kind
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pages: usize,
}

/// Which component, and how its platform is set up.
#[derive(Debug, clap::Args)]
pub struct Platform {
    /// Folder of the project
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) path: PathBuf,
    /// Only this kind of record; may be repeated
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<Kind>,
    /// A setting of the platform, as name=value; without any, the project's simulator is the platform
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    setting: Vec<(String, String)>,
    /// A secret, as credential/field; its value is asked for, or read from standard input, a line each
    #[arg(long, value_name = "NAME", value_parser = name)]
    secret: Vec<String>,
    /// A secret whose value is in a file
    #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
    secret_file: Vec<(String, String)>,
}

/// A component on the bench.
pub struct OnBench {
    /// What it is.
    pub build: Arc<Build>,
    /// Its invented platform.
    pub platform: BenchPlatform,
    _simulator: Option<Running>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form name=value"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Other programs see the arguments of every command, and shells keep them.
fn name(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        None => Ok(text.to_owned()),
        Some((name, _)) => Err(format!("only the name is given (`--secret {name}`): the value is asked for")),
    }
}

/// Asks for a secret without showing it; without a terminal, takes the next line of standard input.
fn ask(name: &str) -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(format!("{name}: "))?);
    }
    let mut line = String::new();
    ensure!(io::stdin().read_line(&mut line)? > 0, "standard input ended before the secret `{name}`");
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

impl Platform {
    /// Builds the component and sets its platform up; a simulator is started unless settings are named or the network
    /// is `replaced`.
    ///
    /// # Errors
    /// The build fails, a host would refuse it, or the settings do not fit.
    pub async fn open(&self, replaced: Option<Arc<tape::Tape>>) -> anyhow::Result<OnBench> {
        let project = Project::find(&self.path)?;
        let component = std::fs::read(tokio::task::block_in_place(|| project.build())?)?;
        let bench = Workbench::open(&Tools::of_this_account().folder().join("bench"))?;
        let build = bench.load(&component).await?;
        let said = project.manifest.simulator.clone().unwrap_or_default();
        let own = self.setting.is_empty() && replaced.is_none();
        let running = if own { tokio::task::block_in_place(|| Running::start(&project))? } else { None };
        let address = match (&running, &replaced) {
            (Some(running), _) => running.address.clone(),
            // Where the tape was recorded is in its addresses.
            (None, Some(tape)) => address_of(tape),
            (None, None) => String::new(),
        };
        let mut settings = serde_json::Map::new();
        if self.setting.is_empty() {
            let place = |value: Value| match value {
                Value::String(text) => Value::String(text.replace(tradepost_conformance::PLACE, &address)),
                other => other,
            };
            settings.extend(said.settings.into_iter().map(|(name, value)| (name, place(value))));
        }
        for (name, value) in &self.setting {
            let typed =
                serde_json::from_str(value).ok().filter(|value: &Value| value.is_number() || value.is_boolean());
            settings.insert(name.clone(), typed.unwrap_or_else(|| Value::String(value.clone())));
        }
        let mut secrets = if self.setting.is_empty() { said.secrets } else { Default::default() };
        for name in &self.secret {
            secrets.insert(name.clone(), tokio::task::block_in_place(|| ask(name))?);
        }
        for (name, file) in &self.secret_file {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("the secret's file {file} cannot be read"))?;
            secrets.insert(name.clone(), text.trim_end_matches(['\r', '\n']).to_owned());
        }
        let setup = Setup {
            settings: Value::Object(settings),
            secrets,
            preview: true,
            loopback: true,
            wire: replaced.map(|tape| tape as Arc<_>),
            ..Setup::default()
        };
        let platform = bench.platform(&build, setup)?;
        Ok(OnBench { build, platform, _simulator: running })
    }
}

/// Scheme, host and port of the first request.
fn address_of(tape: &tape::Tape) -> String {
    let first = tape.unused().into_iter().next().map(|exchange| exchange.request.url).unwrap_or_default();
    let host = first.split_once("://").and_then(|(_, rest)| rest.split('/').next()).map(str::len).unwrap_or(0);
    let scheme = first.find("://").map_or(0, |at| at + 3);
    first[..scheme + host].to_owned()
}

/// Reads a kind to its end, or so many pages; exchanges, and how many records came.
///
/// # Errors
/// What the connector says.
pub(crate) async fn read(
    on: &OnBench,
    kind: Kind,
    pages: usize,
) -> (Vec<tape::Exchange>, Result<usize, tradepost::model::CallError>) {
    let (mut exchanges, mut records, mut cursor) = (Vec::new(), 0, None);
    for _ in 0..pages {
        let until = "2999-01-01T00:00:00Z".parse().expect("a time by its rule");
        let scope = Scope::Changed { since: None, until };
        let ended = on.platform.pull(PullRequest { kind, scope, cursor, limit: 100 }).await;
        exchanges.extend(ended.exchanges);
        match ended.result {
            Ok(page) => {
                records += page.records.len();
                cursor = page.next;
            }
            Err(error) => return (exchanges, Err(error)),
        }
        if cursor.is_none() {
            break;
        }
    }
    (exchanges, Ok(records))
}

/// The kinds to read: those that were named, else all that can be read.
pub(crate) fn kinds(on: &OnBench, named: &[Kind]) -> Vec<Kind> {
    let readable = on.build.description().abilities.iter().filter(|ability| ability.reading.is_some());
    readable.map(|ability| ability.kind).filter(|kind| named.is_empty() || named.contains(kind)).collect()
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let on = args.platform.open(None).await?;
    let checked = on.platform.check().await;
    let mut exchanges = checked.exchanges;
    let account = checked.result.map_err(|error| anyhow::anyhow!("the platform cannot be used: {error}"))?;
    note(format!("account {} ({})", account.name, account.id));
    let mut whole = true;
    for kind in kinds(&on, &args.platform.kind) {
        let (more, records) = read(&on, kind, args.pages).await;
        whole &= records.is_ok();
        exchanges.extend(more);
        match records {
            Ok(records) => note(format!("{kind}: {records} records")),
            Err(error) => note(format!("{kind}: {error}")),
        }
    }
    ensure!(!exchanges.is_empty(), "the connector sent no request, so that there is nothing to record");
    if let Some(folder) = args.tape.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = File::create(&args.tape).with_context(|| format!("{} cannot be written", args.tape.display()))?;
    tape::write(BufWriter::new(file), &exchanges)?;
    line(format!("{}: {} exchanges", args.tape.display(), exchanges.len()));
    Ok(if whole { Exit::Done } else { Exit::Found })
}
