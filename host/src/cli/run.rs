//! `tradepost run`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::failure::Failure;
use super::follow::{self, Lines};
use super::output::{Output, counts, escape, items, text, time};
use super::{Context, Exit};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Runs, newest first
    List {
        /// Of this platform only
        platform: Option<String>,
        /// Most runs shown
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Runs with a number below, for paging
        #[arg(long, value_name = "RUN")]
        below: Option<i64>,
    },
    /// A run with its counts and its journal
    Show {
        /// Number of the run
        run: i64,
        /// Lines of the journal after this number
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// Most lines shown, at most 1000
        #[arg(long, default_value_t = 200)]
        limit: u32,
    },
    /// Show a run's journal as it grows; the exit code says how the run ended
    Follow {
        /// Number of the run
        run: i64,
    },
    /// Write a call that went wrong into a file for the connector's developer, who replays it
    ///
    /// The file holds the component's identity, the call with its arguments, settings, what the call read of its storage,
    /// its HTTP exchanges and how it ended. Log-ins, tokens and what is known as names, addresses, e-mail and the like are
    /// replaced; look at it before you hand it on.
    ExportCase {
        /// Number of the run
        run: i64,
        /// Number of the record, id of the object on the platform, or `call` for the newest call of the run that failed
        record: String,
        /// File to be made
        file: PathBuf,
    },
    /// Stop a run after the step under way; the next one goes on there
    Cancel {
        /// Number of the run
        run: i64,
    },
}

pub(super) async fn run(context: Context, command: Command) -> Result<Exit, Failure> {
    let (client, out) = (context.client()?, context.out);
    match command {
        Command::List { platform, limit, below } => list(&client, out, platform, limit, below).await,
        Command::Show { run, after, limit } => show(&client, out, run, after, limit).await,
        Command::Follow { run } => {
            let run = follow::follow(&client, out, run, Lines::All).await?;
            out.value(&run);
            follow::report(out, &run);
            Ok(follow::exit(&run))
        }
        Command::ExportCase { run, record, file } => {
            let case = client.query(&format!("/runs/{run}/case"), &[("record", record)]).await?;
            write(&file, &case)?;
            out.value(&json!({ "file": file, "component": case["component"], "function": case["call"]["function"] }));
            out.line(escape(&format!(
                "{} holds a call of `{}` of {} {} with {} exchanges; its developer replays it with `cargo tradepost replay`.",
                file.display(),
                text(&case["call"], "function"),
                text(&case["component"], "id"),
                text(&case["component"], "version"),
                items(&case, "exchanges").len()
            )));
            Ok(Exit::Done)
        }
        Command::Cancel { run } => {
            let run = client.post(&format!("/runs/{run}/cancel"), &json!({})).await?;
            out.value(&run);
            out.line(format!("{}; it stops after the step under way.", follow::summary(&run)));
            Ok(Exit::Done)
        }
    }
}

/// A file that was not there, and that only its owner reads.
fn write(file: &Path, case: &Value) -> Result<(), Failure> {
    let refused = |error: std::io::Error| Failure::new(format!("{} cannot be made: {error}", file.display()));
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(refused)?;
    to.write_all(format!("{case:#}\n").as_bytes()).map_err(refused)
}

async fn list(
    client: &Client,
    out: Output,
    platform: Option<String>,
    limit: u32,
    below: Option<i64>,
) -> Result<Exit, Failure> {
    let mut query = vec![("limit", limit.to_string())];
    query.extend(platform.map(|code| ("platform", code)));
    query.extend(below.map(|below| ("below", below.to_string())));
    let runs = client.query("/runs", &query).await?;
    out.value(&runs);
    let rows = items(&runs, "").iter().map(row).collect();
    out.table(
        &["run", "platform", "direction", "kind", "cause", "state", "queued", "counts", "why"],
        rows,
        "Nothing ran yet.",
    );
    Ok(Exit::Done)
}

fn row(run: &Value) -> Vec<String> {
    vec![
        text(run, "id"),
        text(run, "platform"),
        text(run, "direction"),
        text(run, "kind"),
        text(run, "cause"),
        text(run, "state").replace('_', " "),
        time(run, "queued-at"),
        counts(run),
        text(run, "message"),
    ]
}

async fn show(client: &Client, out: Output, id: i64, after: i64, limit: u32) -> Result<Exit, Failure> {
    let query = [("after", after.to_string()), ("limit", limit.to_string())];
    let shown = client.query(&format!("/runs/{id}"), &query).await?;
    out.value(&shown);
    let run = &shown["run"];
    follow::report(out, run);
    let connector = text(run, "connector");
    if !connector.is_empty() {
        out.line(format!("  served by {connector}, {} to {}", time(run, "started-at"), time(run, "ended-at")));
    }
    let lines = items(&shown, "lines");
    let rows = lines
        .iter()
        .map(|line| {
            let columns = ["n", "what", "record", "remote", "detail"];
            columns.iter().map(|column| text(line, column)).collect()
        })
        .collect();
    out.table(&["line", "what", "record", "object", "detail"], rows, "It touched nothing.");
    if shown["more"] == true
        && let Some(last) = lines.last()
    {
        out.line(format!("More: tradepost run show {id} --after {}", text(last, "n")));
    }
    Ok(Exit::Done)
}
