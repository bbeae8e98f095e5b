//! How fast the host is, next to what the same machine can do without it.
//!
//! `cargo run --release -p tradepost-bench -- [NAME...] [--json]`. Every ratio comes from one run in which both sides take
//! turns: absolute figures of a shared machine say little.
//!
//! In reading order: [`figure`] what is printed, [`call`] an instance and a call, [`traffic`] pulls and pushes of a real
//! host against [`platform`] (a server in a process of its own), [`floor`] (the same job without sandbox and books) and
//! [`singer`], [`plugins`] drops and starts, [`languages`] pulls through TypeScript and Python. `soak` is a command of its
//! own: [`soak`].

mod call;
mod figure;
mod floor;
mod host;
mod languages;
mod platform;
mod plugins;
mod singer;
mod soak;
mod traffic;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use figure::Figure;

/// Measures the host.
#[derive(Debug, Parser)]
struct Arguments {
    /// What is measured; everything but `languages` when absent.
    #[arg(value_enum)]
    names: Vec<Name>,
    /// One JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
    /// Records that are pulled and pushed.
    #[arg(long, default_value_t = 100_000)]
    count: usize,
    /// Times each side takes its turn; the median counts.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Folder with `singer_tap.py`, `singer_target.py` and a Python environment `v` that has singer-sdk.
    #[arg(long, env = "TRADEPOST_BENCH_SINGER")]
    singer: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    /// A fresh instance and a call that does nothing.
    Call,
    /// Products from a platform into the ledger.
    PullProducts,
    /// Orders with their lines from a platform into the ledger.
    PullOrders,
    /// Products from the ledger to a platform, and once more when nothing changed.
    Push,
    /// A file dropped into the plugins folder, up to the first call on it.
    Reload,
    /// A start with twenty connectors whose code is cached.
    Start,
    /// Products through a connector in each language; takes what it builds them with from npm and PyPI.
    Languages,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        // The other side of a measurement, in a process of its own.
        Some("platform") => end(platform::main(&arguments[2..])),
        Some("floor") => end(floor::main(&arguments[2..])),
        Some("soak") => end(soak::main()),
        // The host itself, as its own program has it, and what that starts of itself.
        Some("serve" | "compile-connector") => tradepost::cli::main(),
        _ => end(run(&Arguments::parse())),
    }
}

fn end(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let wanted = |name| arguments.names.is_empty() || arguments.names.contains(&name);
    let runtime = tokio::runtime::Runtime::new().context("there is no async runtime")?;
    runtime.block_on(async {
        let connector = host::connector()?;
        let mut figures = Vec::new();
        let mut print = |new: Vec<Figure>| {
            for figure in new {
                if arguments.json {
                    println!("{}", figure.line());
                } else {
                    eprintln!("{}", figure.words());
                }
                figures.push(figure);
            }
        };
        if wanted(Name::Call) {
            print(call::measure(&connector).await?);
        }
        if wanted(Name::PullProducts) || wanted(Name::PullOrders) {
            let what = traffic::Pulls { products: wanted(Name::PullProducts), orders: wanted(Name::PullOrders) };
            let pulls =
                traffic::pulls(&connector, what, arguments.count, arguments.rounds.max(1), arguments.singer.as_deref());
            print(pulls.await?);
        }
        if wanted(Name::Push) {
            print(traffic::push(&connector, arguments.count).await?);
        }
        if wanted(Name::Reload) {
            print(plugins::reload(&connector).await?);
        }
        if wanted(Name::Start) {
            print(plugins::start(&connector).await?);
        }
        if arguments.names.contains(&Name::Languages) {
            print(languages::pulls(&connector, arguments.count).await?);
        }
        if !arguments.json {
            println!("{}", figure::table(&figures));
        }
        Ok(())
    })
}
