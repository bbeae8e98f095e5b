//! `conformance`: what the suite demands.

use tradepost_conformance::rules;

use crate::cli::Exit;
use crate::output::{json, line, table};

/// What `conformance` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// List the rules
    #[arg(long)]
    rules: bool,
    /// Print JSON
    #[arg(long, requires = "rules")]
    json: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    if args.json {
        let all: Vec<_> = rules()
            .iter()
            .map(|rule| serde_json::json!({"name": rule.name, "group": rule.group.as_str(), "demands": rule.demands}))
            .collect();
        json(&all)?;
    } else if args.rules {
        let row = |rule: &tradepost_conformance::Rule| {
            vec![rule.group.as_str().to_owned(), rule.name.to_owned(), rule.demands.to_owned()]
        };
        table(&["group", "rule", "what it demands"], rules().iter().map(row).collect());
    } else {
        line(format!(
            "The conformance suite has {} rules. `cargo tradepost conformance --rules` lists them, `cargo tradepost test` runs them.",
            rules().len()
        ));
    }
    Ok(Exit::Done)
}
