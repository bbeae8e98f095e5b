//! `test`: the project's own tests, then the conformance suite against the built component in the host's runtime.

use std::path::PathBuf;

use anyhow::Context;
use tradepost::runtime::{Cache, Engine, Options};
use tradepost_build::Tools;
use tradepost_conformance::{Entry, Scenario, Suite, Verdict};

use crate::cli::Exit;
use crate::language;
use crate::output::{self, line, note};
use crate::project::Project;
use crate::simulator::Running;

/// What `test` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The suite tries the built component against the simulator that `connector.toml` names, or another one, with a proxy between the \
two that misbehaves: lost answers, 429, cut connections, slow bytes and more.

Exit code 1: a test or a rule failed.")]
pub struct Args {
    /// Folder of the project
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    path: PathBuf,
    /// Only the project's own tests
    #[arg(long, conflicts_with = "rule")]
    unit: bool,
    /// Only this rule of the suite, without the project's own tests; may be repeated
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,
    /// A simulator that runs already, in place of the project's
    #[arg(long, value_name = "URL")]
    simulator: Option<String>,
    /// Write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let project = Project::find(&args.path)?;
    if args.rule.is_empty() {
        let mut tests = tokio::task::block_in_place(|| language::unit_tests(&project, &output::progress))?;
        let status = tests.status().context("the project's tests cannot be started")?;
        if !status.success() {
            note("the project's own tests failed");
            return Ok(Exit::Found);
        }
    }
    if args.unit {
        return Ok(Exit::Done);
    }
    let component = std::fs::read(tokio::task::block_in_place(|| project.build())?)?;
    let running = match &args.simulator {
        Some(_) => None,
        None => tokio::task::block_in_place(|| Running::start(&project))?,
    };
    let address = args.simulator.clone().or_else(|| running.as_ref().map(|running| running.address.clone()));
    let Some(address) = address else {
        note("connector.toml names no simulator, so that the conformance suite has nothing to test against");
        return Ok(Exit::Done);
    };
    let cache = Cache::open(&Tools::of_this_account().folder().join("compiled")).ok();
    let suite = Suite {
        component,
        scenario: scenario(&project, address)?,
        only: args.rule,
        engine: Some(Engine::with(Options { cache, ..Options::default() })?),
        ..Suite::default()
    };
    let report = suite.run(|entry| note(said(entry))).await?;
    line(report.table(120));
    for (file, text) in [(args.junit, report.junit()), (args.json, report.json())] {
        if let Some(file) = file {
            std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
        }
    }
    Ok(if report.passed() { Exit::Done } else { Exit::Found })
}

/// What `connector.toml` says of the platform.
fn scenario(project: &Project, address: String) -> anyhow::Result<Scenario> {
    let said = project.manifest.simulator.clone().unwrap_or_default();
    let mut scenario = Scenario {
        simulator: Some(address),
        settings: said.settings,
        secrets: said.secrets,
        waived: said.waived,
        ..Scenario::default()
    };
    for file in &said.samples {
        let text = std::fs::read_to_string(project.folder.join(file))
            .with_context(|| format!("the samples {} cannot be read", file.display()))?;
        let records: Vec<tradepost::model::Record> =
            serde_json::from_str(&text).with_context(|| format!("{} holds no list of records", file.display()))?;
        scenario.records.extend(records);
    }
    Ok(scenario)
}

fn said(entry: &Entry) -> String {
    let mark = match entry.verdict {
        Verdict::Passed => "ok     ",
        Verdict::Failed { .. } => "FAILED ",
        Verdict::Skipped { .. } => "skipped",
    };
    format!("{mark} {}", entry.rule)
}
