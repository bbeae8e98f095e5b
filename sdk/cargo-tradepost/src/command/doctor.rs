//! `doctor`: what is installed, what is missing, and the command that installs it.

use std::process::{Command, Stdio};

use serde::Serialize;

use crate::cli::Exit;
use crate::output::{line, table};

/// What `doctor` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
`build` installs by itself what a package registry has; what is said here to be missing has to be installed by you.

Exit code 1: something is missing that the language needs.")]
pub struct Args {
    /// Only what this language needs: rust, ts or python
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One thing that is there or not.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    needed_for: &'static str,
    found: Option<String>,
    /// What to do where it is missing.
    fix: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let findings = findings();
    if args.json {
        line(serde_json::to_string_pretty(&findings)?);
    } else {
        let rows = findings.iter().map(row).collect();
        table(&["", "what", "for", "found"], rows);
        for finding in &findings {
            if let Some(fix) = &finding.fix {
                line(format!("\n{} is missing. Install it:\n    {fix}", finding.what));
            }
        }
    }
    let missing = findings.iter().any(|finding| finding.fix.is_some());
    Ok(if missing { Exit::Found } else { Exit::Done })
}

fn row(finding: &Finding) -> Vec<String> {
    let mark = if finding.fix.is_none() { "ok" } else { "MISSING" };
    let found = finding.found.clone().unwrap_or_default();
    vec![mark.to_owned(), finding.what.to_owned(), finding.needed_for.to_owned(), found]
}

fn findings() -> Vec<Finding> {
    let rust = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh";
    vec![program("cargo", "rust", &["--version"], rust)]
}

fn program(name: &'static str, needed_for: &'static str, ask: &[&str], fix: &str) -> Finding {
    let found = said(name, ask);
    let fix = found.is_none().then(|| fix.to_owned());
    Finding { what: name, needed_for, found, fix }
}

/// The first line that a program prints; nothing where it is not there or fails.
fn said(program: &str, ask: &[&str]) -> Option<String> {
    let output = Command::new(program).args(ask).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}
