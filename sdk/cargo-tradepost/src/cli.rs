//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::command::{build, conformance, doctor, inspect, keygen, new, record, replay, test, watch};
use crate::output;

/// Make, build, test and watch connectors for Tradepost, in Rust, TypeScript or Python
#[derive(Debug, Parser)]
#[command(name = "cargo-tradepost", bin_name = "cargo tradepost", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Getting started:
  cargo tradepost doctor                    what is installed, and how to install the rest
  cargo tradepost new my-shop --lang ts     a connector that works, to be changed into yours
  cd my-shop
  cargo tradepost build                     makes dist/my-shop.wasm and says what an operator will be asked for
  cargo tradepost test                      its tests, then the conformance suite
  cargo tradepost watch --plugins ../plugins --data ../data
                                            builds at every save and drops the result into a running host
  cargo tradepost inspect dist/my-shop.wasm what is in a component, and whether a host would take it

The program is called `cargo-tradepost`: where there is no cargo, say `cargo-tradepost doctor`.

Exit codes: 0 done, 1 failed or found something, 2 wrong usage";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a project that builds and passes its tests at once
    New(new::Args),
    /// Make the component; say how large it is and what it asks for
    Build(build::Args),
    /// Run the project's tests, its cases and tapes, and the conformance suite against the built component
    Test(test::Args),
    /// Say what the conformance suite demands
    Conformance(conformance::Args),
    /// Build at every save and drop the result into a running host; show what it says of it
    Watch(watch::Args),
    /// Make a pair of keys to sign connectors with
    Keygen(keygen::Args),
    /// Write a tape of a real session: requests and answers, without secrets and other people's data
    Record(record::Args),
    /// Run a session from a tape, without a network
    Replay(replay::Args),
    /// Say what is installed, what is missing, and the command that installs it
    Doctor(doctor::Args),
    /// Say what a component is and what it asks for, and why a host would refuse it
    Inspect(inspect::Args),
}

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything is as it should be.
    Done,
    /// It did its work and found something wrong.
    Found,
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse_from(arguments(std::env::args_os()));
    match run(cli) {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Found) => ExitCode::FAILURE,
        Err(error) => {
            output::failure(&error);
            ExitCode::FAILURE
        }
    }
}

/// Cargo calls `cargo-tradepost tradepost new`, a person `cargo-tradepost new`.
fn arguments<T: AsRef<std::ffi::OsStr>>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.enumerate().filter(|(at, argument)| *at != 1 || argument.as_ref() != "tradepost").map(|(_, a)| a).collect()
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        match cli.command {
            Command::New(args) => new::run(&args),
            Command::Build(args) => build::run(&args).await,
            Command::Test(args) => test::run(&args).await,
            Command::Conformance(args) => conformance::run(&args),
            Command::Record(args) => record::run(args).await,
            Command::Replay(args) => replay::run(args).await,
            Command::Watch(args) => watch::run(args).await,
            Command::Keygen(args) => keygen::run(&args),
            Command::Doctor(args) => doctor::run(&args),
            Command::Inspect(args) => inspect::run(&args).await,
        }
    });
    // What still runs on threads of its own does not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(300));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn cargo_and_a_person_say_the_same() {
        let said = |words: &str| arguments(words.split(' ').map(str::to_owned)).join(" ");
        assert_eq!(said("cargo-tradepost tradepost new x"), "cargo-tradepost new x");
        assert_eq!(said("cargo-tradepost new tradepost"), "cargo-tradepost new tradepost");
    }
}
