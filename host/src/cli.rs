//! The command line. `serve` owns the ledger; the other commands ask it over its API, or work on files while it does not
//! run.

mod action;
mod attention;
mod automatic;
mod backup;
mod check;
mod client;
mod completions;
#[cfg(feature = "demo")]
pub mod demo;
mod failure;
mod follow;
mod import;
mod output;
mod platform;
mod plugin;
mod record;
mod reload;
mod restore;
mod run;
mod serve;
mod status;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Flags};
use crate::runtime::compile::{self, CompileLimits};
use client::Client;
use failure::Failure;
use output::Output;

/// Keeps shops, marketplaces and ERP systems in step.
#[derive(Debug, Parser)]
#[command(name = "tradepost", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Getting started:
  tradepost serve                                   start the service (leave it running)
  tradepost plugin list                             which connectors are there
  tradepost platform add shop org.example.shop      name a platform and its connector
  tradepost platform show shop                      what it still needs: settings, secrets, grants
  tradepost platform onboard shop                   read both sides and show what was matched
  tradepost platform live shop                      put it to work
  tradepost automatic on                            let schedules run
  tradepost attention list                          what waits for a person

Exit codes:
  0 done   1 failed   2 wrong usage   3 done, but some records need a look
  4 waits: for a confirmation (`tradepost attention list`) or because the platform asked for a rest";

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
struct Global {
    /// Configuration file (else TRADEPOST_CONFIG, else ./tradepost.toml, else built-in defaults)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    /// Data folder; commands find the running service through it
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    data: Option<PathBuf>,
    /// Plugins folder
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    plugins: Option<PathBuf>,
    /// Address of the API, loopback only; port 0 takes a free one
    #[arg(long, global = true, value_name = "ADDR", help_heading = "Global options")]
    listen: Option<SocketAddr>,
    /// Print the API's JSON instead of tables
    #[arg(long, global = true, help_heading = "Global options")]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service until it is told to stop
    Serve,
    /// Check configuration, data folder and plugins without a running service
    Check,
    /// Show the whole cycle on embedded defaults, with a simulated shop and an ERP made of files
    #[cfg(feature = "demo")]
    Demo(demo::DemoArgs),
    /// Show the running service at a glance
    Status,
    /// Read the configuration of the running service anew
    Reload(reload::Args),
    /// Set platforms up and put them to work
    #[command(subcommand)]
    Platform(platform::Command),
    /// What can be run for a platform, and what runs by itself
    #[command(subcommand)]
    Action(action::Command),
    /// What ran, what is running, and what it did
    #[command(subcommand)]
    Run(run::Command),
    /// What waits for a person
    #[command(subcommand)]
    Attention(attention::Command),
    /// Find records, see what happened to them, correct them
    #[command(subcommand)]
    Record(record::Command),
    /// The connectors in the plugins folder
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Switch automatic mode: schedules and events start actions only while it is on
    Automatic(automatic::Args),
    /// Hand a file to a platform's exchange folder and read it
    Import(import::Args),
    /// Copy the ledger to a new file while everything goes on
    Backup(backup::Args),
    /// Put a backup in place of the ledger, and go on after that
    Restore(restore::Args),
    /// Print the script that completes commands in your shell
    Completions(completions::Args),
    /// Compile a connector from stdin to stdout: what the service starts for that
    #[command(name = compile::COMMAND, hide = true)]
    CompileConnector {
        #[arg(long)]
        memory: u64,
        #[arg(long)]
        seconds: u64,
    },
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Done,
    Failed,
    Usage,
    Issues,
    Waits,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Issues => 3,
            Self::Waits => 4,
        }
    }

    /// Of several: what a person has to know first.
    fn and(self, other: Self) -> Self {
        let rank = |exit| match exit {
            Self::Done => 0,
            Self::Issues => 1,
            Self::Waits => 2,
            Self::Failed => 3,
            Self::Usage => 4,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

/// What a command works with.
struct Context {
    config: Config,
    listen: Option<SocketAddr>,
    out: Output,
}

impl Context {
    fn client(&self) -> Result<Client, Failure> {
        Client::open(&self.config, self.listen)
    }
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = Output { json: cli.global.json };
    // Needs no configuration: a package is built where there is none.
    if let Command::Completions(args) = &cli.command {
        return ExitCode::from(completions::run(args).code());
    }
    if let Command::CompileConnector { memory, seconds } = cli.command {
        // It has no configuration, no threads, and stdout is for the code.
        return match compile::child(&CompileLimits { memory, seconds }) {
            Ok(()) => ExitCode::SUCCESS,
            Err(words) => {
                eprintln!("{words}");
                ExitCode::from(compile::REFUSED)
            }
        };
    }
    let exit = match begin(cli, out) {
        Ok(exit) => exit,
        Err(failure) => {
            out.failure(&failure);
            failure.exit
        }
    };
    ExitCode::from(exit.code())
}

fn begin(cli: Cli, out: Output) -> Result<Exit, Failure> {
    let Global { config, data, plugins, listen, .. } = cli.global;
    let mut config = Config::load(&Flags { config, data, plugins, listen })
        .map_err(|error| Failure { exit: Exit::Usage, ..Failure::of(&error) })?;
    config.compiler = compile::Place::this_program();
    let context = Context { config, listen, out };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no threads can be started: {error}")))?;
    let result = runtime.block_on(dispatch(context, cli.command));
    // What still runs on threads of its own does not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(300));
    result
}

async fn dispatch(context: Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Serve => serve::run(context).await,
        Command::Check => check::run(context).await,
        #[cfg(feature = "demo")]
        Command::Demo(args) => match demo::run(args).await {
            Ok(()) => Ok(Exit::Done),
            Err(error) => Err(Failure::new(format!("{error:#}"))),
        },
        Command::Status => status::run(context).await,
        Command::Reload(args) => reload::run(context, args).await,
        Command::Platform(command) => platform::run(context, command).await,
        Command::Action(command) => action::run(context, command).await,
        Command::Run(command) => run::run(context, command).await,
        Command::Attention(command) => attention::run(context, command).await,
        Command::Record(command) => record::run(context, command).await,
        Command::Plugin(command) => plugin::run(context, command).await,
        Command::Automatic(args) => automatic::run(context, args).await,
        Command::Import(args) => import::run(context, args).await,
        Command::Backup(args) => backup::run(context, args).await,
        Command::Restore(args) => restore::run(context, args).await,
        Command::Completions(args) => Ok(completions::run(&args)),
        Command::CompileConnector { .. } => Err(Failure::new("this command is run before everything else")),
    }
}

/// `2026-05-01` (its beginning in UTC) or a time like `2026-05-01T08:00:00Z`.
fn parse_time(text: &str) -> Result<jiff::Timestamp, String> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(time);
    }
    text.parse::<jiff::civil::Date>()
        .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC))
        .map(|zoned| zoned.timestamp())
        .map_err(|_| format!("`{text}` is no time; write a date like 2026-05-01 or a time like 2026-05-01T08:00:00Z"))
}

/// `name=value`.
fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not of the form name=value")),
    }
}
