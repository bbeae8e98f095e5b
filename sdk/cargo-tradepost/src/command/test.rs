//! `test`: the project's own tests, then the conformance suite over the built component.

use std::path::PathBuf;

use anyhow::Context;
use tradepost::runtime::{Cache, Engine, Options};
use tradepost_build::Tools;
use tradepost_conformance::{Entry, Report, Scenario, Suite, Verdict, rules};

use super::record::{bench, read};
use crate::case;
use crate::cli::Exit;
use crate::failure::Hinted;
use crate::language;
use crate::output::{self, line, note};
use crate::project::Project;
use crate::session;
use crate::simulator::Running;

/// What `test` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
In a project it runs the project's own tests, builds the component, repeats the calls in the folder `cases` and the tapes \
in `tapes` that `record` wrote, without a network, starts the simulator that connector.toml names and runs the conformance suite: the \
component in a host's own runtime, with a proxy before the simulator that makes things go wrong. Elsewhere name the component \
and a scenario, a TOML file with `simulator`, `[settings]` and `[secrets]`; `{simulator}` in a setting stands for the \
platform's address.

Exit code 1: a test failed, a call or a tape did not go as it should, or a rule is broken; the table says which, and the exchange \
below it where.")]
pub struct Args {
    /// Folder of the project
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    path: PathBuf,
    /// Only the project's own tests
    #[arg(long, conflicts_with_all = ["component", "rules"])]
    unit: bool,
    /// Test this component; nothing is built
    #[arg(long, value_name = "FILE.wasm")]
    component: Option<PathBuf>,
    /// A build that users have: its settings and what it stored must go on working
    #[arg(long, value_name = "FILE.wasm")]
    earlier: Option<PathBuf>,
    /// What the suite must know of the platform, in place of connector.toml
    #[arg(long, value_name = "FILE.toml")]
    scenario: Option<PathBuf>,
    /// Address of a simulator that runs already
    #[arg(long, value_name = "URL")]
    simulator: Option<String>,
    /// Run only these rules
    #[arg(long = "rule", value_name = "NAME")]
    rules: Vec<String>,
    /// Write JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<Exit> {
    if let Some(unknown) = args.rules.iter().find(|name| rules().iter().all(|rule| rule.name != name.as_str())) {
        let hint = "`cargo tradepost conformance --rules` lists them";
        return Err(Hinted::new(format!("there is no rule `{unknown}`"), hint).into());
    }
    let project = match (&args.component, &args.scenario) {
        (Some(_), Some(_)) => None,
        _ => Some(Project::find(&args.path)?),
    };
    if let Some(project) = project.as_ref().filter(|_| args.component.is_none() && args.rules.is_empty()) {
        let mut tests = tokio::task::block_in_place(|| language::unit_tests(project, &output::progress))?;
        let status = tests.status().context("the project's tests cannot be started")?;
        if !status.success() {
            note("the project's own tests failed");
            return Ok(Exit::Found);
        }
    }
    if args.unit {
        return Ok(Exit::Done);
    }
    let component = match (&args.component, &project) {
        (Some(component), _) => component.clone(),
        (None, Some(project)) => tokio::task::block_in_place(|| project.build())?,
        (None, None) => anyhow::bail!("there is neither a component nor a project"),
    };
    let component = read(&component)?;
    let (mut wrong, mut changed) = (Vec::new(), Vec::new());
    if let Some(project) = project.as_ref().filter(|_| args.component.is_none() && args.rules.is_empty()) {
        wrong = case::all(project, &component).await?;
        changed = session::all(project, &bench()?, &component).await?;
    }
    let mut scenario = match (&args.scenario, &project) {
        (Some(file), _) => Scenario::read(file)?,
        (None, Some(project)) => of_project(project)?,
        (None, None) => Scenario::default(),
    };
    // Ends when the suite has.
    let mut running = None;
    if let Some(simulator) = &args.simulator {
        scenario.simulator = Some(simulator.clone());
    } else if scenario.simulator.is_none()
        && let Some(project) = &project
    {
        running = tokio::task::block_in_place(|| Running::start(project))?;
        scenario.simulator = running.as_ref().map(|running| running.address.clone());
    }
    let cache = Cache::open(&Tools::of_this_account().folder().join("compiled")).ok();
    let suite = Suite {
        component,
        earlier: args.earlier.as_deref().map(read).transpose()?,
        scenario,
        only: args.rules.clone(),
        engine: Some(Engine::with(Options { cache, ..Options::default() })?),
    };
    let report = suite.run(told).await?;
    drop(running);
    line(report.table(120));
    write(args, &report)?;
    if !wrong.is_empty() {
        line(format!("cases that still go wrong: {}", wrong.join(", ")));
    }
    if !changed.is_empty() {
        line(format!("tapes that are not served as they were recorded: {}", changed.join(", ")));
    }
    Ok(if report.passed() && wrong.is_empty() && changed.is_empty() { Exit::Done } else { Exit::Found })
}

/// The scenario that a project's file holds.
fn of_project(project: &Project) -> anyhow::Result<Scenario> {
    let simulator = project.manifest.simulator.clone().unwrap_or_default();
    let mut records = Vec::new();
    for sample in &simulator.samples {
        let path = project.folder.join(sample);
        let list: Vec<serde_json::Value> =
            serde_json::from_slice(&read(&path)?).with_context(|| format!("{} is no JSON list", path.display()))?;
        for record in list {
            records
                .push(serde_json::from_value(record).with_context(|| format!("{} holds no record", path.display()))?);
        }
    }
    Ok(Scenario {
        settings: simulator.settings,
        secrets: simulator.secrets,
        waived: simulator.waived,
        records,
        ..Scenario::default()
    })
}

fn told(entry: &Entry) {
    let word = match entry.verdict {
        Verdict::Passed => "ok",
        Verdict::Failed { .. } => "FAILED",
        Verdict::Skipped { .. } => "skipped",
    };
    note(format!("{word:>8}  {}", entry.rule));
}

fn write(args: &Args, report: &Report) -> anyhow::Result<()> {
    for (file, text) in [(&args.junit, report.junit()), (&args.json, report.json())] {
        if let Some(file) = file {
            std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))?;
        }
    }
    Ok(())
}
