//! `record`: a tape of a real session, by the built component in the host's runtime.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Map, Value};
use tradepost::model::Kind;
use tradepost::runtime::workbench::{Setup, Workbench};
use tradepost_build::Tools;

use crate::cli::Exit;
use crate::output::{line, note};
use crate::project::Project;
use crate::session::{self, Ask, PAGES, Session};
use crate::simulator::Running;

/// What `record` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The component checks the account and reads every kind that it can, and only reads: what would change the platform is refused. \
Secrets are not on the tape: the host places them, and masks them in answers. Other people's data (names, e-mail addresses, \
telephone numbers, streets, accounts and the like) is replaced by stand-ins, the same ones everywhere; bodies in which nothing can \
be known, such as tables, are left out. It is known by the names of fields: look at the tape before you hand it on. It also holds \
the settings, so that `replay` needs none, and is repeated once to see that it can be.

`cargo tradepost test` repeats the tapes in the project's folder `tapes`. A file that is there is not overwritten.

Exit code 1: a kind could not be read to its end, a record could not be read, or the tape does not replay; the tape holds what there \
was.

Examples:
  cargo tradepost record tapes/all.jsonl
  cargo tradepost record tapes/orders.jsonl --kind order --setting url=https://shop.example --secret api/token      (its value is asked for)")]
pub struct Args {
    /// File to write, an exchange on each line
    #[arg(value_name = "TAPE")]
    tape: PathBuf,
    #[command(flatten)]
    what: What,
    /// A secret, as credential/field; its value is asked for, or read from standard input, a line each
    #[arg(long, value_name = "NAME", value_parser = name)]
    secret: Vec<String>,
    /// A secret whose value is in a file
    #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
    secret_file: Vec<(String, String)>,
    /// Most pages per kind
    #[arg(long, value_name = "NUMBER", default_value_t = PAGES)]
    pages: usize,
}

/// Of which component and of which platform a session is.
#[derive(Debug, clap::Args)]
pub struct What {
    /// Folder of the project
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) path: PathBuf,
    /// Only this kind of record; may be repeated
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<Kind>,
    /// A setting of the platform, as name=value; without any, the project's simulator is the platform, or what the tape says
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    setting: Vec<(String, String)>,
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

impl What {
    /// The settings that were named.
    pub(crate) fn settings(&self) -> Map<String, Value> {
        let typed = |text: &str| {
            let value = serde_json::from_str(text).ok().filter(|value: &Value| value.is_number() || value.is_boolean());
            value.unwrap_or_else(|| Value::String(text.to_owned()))
        };
        self.setting.iter().map(|(name, value)| (name.clone(), typed(value))).collect()
    }
}

/// The settings of a project's simulator that has this address.
pub(crate) fn simulated(project: &Project, address: &str) -> Map<String, Value> {
    let place = |value: Value| match value {
        Value::String(text) => Value::String(text.replace(tradepost_conformance::PLACE, address)),
        other => other,
    };
    let said = project.manifest.simulator.clone().unwrap_or_default();
    said.settings.into_iter().map(|(name, value)| (name, place(value))).collect()
}

/// A bench whose compiled code is kept.
pub(crate) fn bench() -> anyhow::Result<Workbench> {
    Ok(Workbench::open(&Tools::of_this_account().folder().join("bench"))?)
}

/// The bytes of a project's component, built anew.
pub(crate) fn component(project: &Project) -> anyhow::Result<Vec<u8>> {
    let file = tokio::task::block_in_place(|| project.build())?;
    read(&file)
}

pub(crate) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    session::is_free(&args.tape)?;
    let project = Project::find(&args.what.path)?;
    let mut settings = args.what.settings();
    let mut secrets = BTreeMap::new();
    for name in &args.secret {
        secrets.insert(name.clone(), tokio::task::block_in_place(|| ask(name))?);
    }
    for (name, file) in &args.secret_file {
        let text = std::fs::read_to_string(file).with_context(|| format!("the secret's file {file} cannot be read"))?;
        secrets.insert(name.clone(), text.trim_end_matches(['\r', '\n']).to_owned());
    }
    let bench = bench()?;
    let build = bench.load(&component(&project)?).await?;
    let kinds = session::kinds(&build, &args.what.kind)?;
    // Ends when everything was read.
    let mut running = None;
    if settings.is_empty() {
        running = tokio::task::block_in_place(|| Running::start(&project))?;
        settings = simulated(&project, running.as_ref().map_or("", |running| &running.address));
        let said = project.manifest.simulator.clone().unwrap_or_default();
        secrets = said.secrets.into_iter().chain(secrets).collect();
    }
    let setup = Setup { settings: Value::Object(settings), secrets, ..Setup::default() };
    let session = session::record(&bench, &build, setup, &kinds, args.pages).await?;
    drop(running);
    session.write(&args.tape)?;
    line(format!("{}: {} exchanges", args.tape.display(), session.exchanges.len()));
    note("and the same from the tape:");
    let repeated = session::repeat(&Session::read(&args.tape)?, &bench, &build, &Ask::default()).await?;
    let read = session.head.iter().flat_map(|head| &head.read);
    Ok(if repeated && read.into_iter().all(session::Reading::whole) { Exit::Done } else { Exit::Found })
}
