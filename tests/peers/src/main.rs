//! `tradepost-peers`: the real-peer scenario, the conformance suite against the real servers, the vendor mocks, and a rehearsal
//! of the scenario's own tools.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use tradepost_peers::{judged, readers, rehearsal, report::Report, scenario, suite};

/// Keeps a real Vendure shop and a real Tryton ERP in step and checks the result.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keeps both servers in step through the built host and connectors, and checks every change at the servers.
    Real {
        #[command(flatten)]
        place: Place,
    },
    /// Runs connectors against mock servers made from the vendors' own descriptions: no request may be refused.
    Mocks {
        #[command(flatten)]
        place: Place,
    },
    /// Reads everything from both servers through the built connectors, and checks that this writes nothing.
    Read {
        #[command(flatten)]
        place: Place,
    },
    /// Runs the conformance suite over the connectors of both servers, each against the real one.
    Suite {
        #[command(flatten)]
        place: Place,
        /// Only this connector.
        #[arg(long)]
        only: Option<suite::Which>,
        /// Only this rule; may be given again.
        #[arg(long, value_name = "NAME")]
        rule: Vec<String>,
    },
    /// Acts on both servers as merchant and customers do, without Tradepost: shows that this program's own tools tell the truth.
    Rehearse {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// Folder that holds `peers` and `mocks`.
    #[arg(long)]
    shared: PathBuf,
    /// Where servers and data are kept between runs; beside the build's output when not given.
    #[arg(long)]
    work: Option<PathBuf>,
    /// Leave the servers running at the end.
    #[arg(long)]
    keep: bool,
    /// Take the program and the connectors as they lie in the target folder, without building them first.
    #[arg(long)]
    as_it_is: bool,
}

impl Place {
    fn work(&self) -> Result<PathBuf> {
        if let Some(folder) = &self.work {
            return Ok(folder.clone());
        }
        let program = std::env::current_exe()?;
        let target = program.ancestors().nth(2).context("this program lies in no target folder")?;
        Ok(target.to_owned())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Ending by a signal drops the scenario, and with it everything it started.
    let outcome = tokio::select! {
        outcome = run(arguments.command) => outcome,
        signal = interrupted() => Err(anyhow::anyhow!("stopped by {signal}")),
    };
    match outcome {
        Ok(report) => {
            println!("{}", report.table());
            if report.misses() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(command: Command) -> Result<Report> {
    match command {
        Command::Real { place } => scenario::run(&place.shared, &place.work()?, place.keep, place.as_it_is).await,
        Command::Mocks { place } => judged::run(&place.shared, &place.work()?, place.as_it_is).await,
        Command::Read { place } => readers::run(&place.shared, &place.work()?).await,
        Command::Suite { place, only, rule } => suite::run(&place.shared, &place.work()?, only, &rule).await,
        Command::Rehearse { place } => rehearsal::run(&place.shared, &place.work()?.join("peers"), place.keep).await,
    }
}

async fn interrupted() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => "Ctrl-C",
        _ = terminate.recv() => "a request to terminate",
    }
}
