//! `replay`: a session from a tape, or a call that went wrong at an operator's, without a network, by the built component in
//! the host's runtime.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tradepost::runtime::tape::{self, Tape};

use super::record::{Platform, kinds, read};
use crate::case;
use crate::cli::Exit;
use crate::output::{line, note};
use crate::project::Project;

/// What `replay` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Requests are answered from the tape; one that is not on it is named, because the connector asks for something else than when the \
tape was made.

An operator makes a case of a call that went wrong: `tradepost run export-case RUN RECORD FILE`. It is repeated with the settings,
the stored values, the files and the answers of then; other people's data in it are stand-ins. `--keep` makes a test of it.

Exit code 1: a call failed, or asked for what is not on the tape.

Examples:
  cargo tradepost replay tapes/orders.jsonl --kind order
  cargo tradepost replay case.json
  cargo tradepost replay case.json --keep      and `cargo tradepost test` repeats it from now on")]
pub struct Args {
    /// File that `record` or the host's `run export-case` wrote
    #[arg(value_name = "TAPE")]
    tape: PathBuf,
    #[command(flatten)]
    platform: Platform,
    /// Most pages per kind
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pages: usize,
    /// Copy the case into the project's folder `cases`, as a test
    #[arg(long)]
    keep: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    if let Some(bundle) = case::read(&args.tape)? {
        let project = Project::find(&args.platform.path)?;
        let component = std::fs::read(tokio::task::block_in_place(|| project.build())?)?;
        let sound = case::repeat(&bundle, &component).await?;
        if args.keep {
            note(format!("kept as {}", case::keep(&project, &args.tape)?.display()));
        }
        return Ok(if sound { Exit::Done } else { Exit::Found });
    }
    let file = File::open(&args.tape).with_context(|| format!("{} cannot be read", args.tape.display()))?;
    let exchanges = tape::read(BufReader::new(file)).with_context(|| format!("{} is no tape", args.tape.display()))?;
    let tape = Arc::new(Tape::new(exchanges));
    let on = args.platform.open(Some(tape.clone())).await?;
    let mut fine = true;
    match on.platform.check().await.result {
        Ok(account) => note(format!("account {} ({})", account.name, account.id)),
        Err(error) => {
            fine = false;
            note(format!("check: {error}"));
        }
    }
    for kind in kinds(&on, &args.platform.kind) {
        match read(&on, kind, args.pages).await.1 {
            Ok(records) => line(format!("{kind}: {records} records")),
            Err(error) => {
                fine = false;
                line(format!("{kind}: {error}"));
            }
        }
    }
    for request in tape.unmatched() {
        fine = false;
        line(format!("not on the tape: {} {}", request.method, request.url));
    }
    for exchange in tape.unused() {
        note(format!("not asked for: {} {}", exchange.request.method, exchange.request.url));
    }
    Ok(if fine { Exit::Done } else { Exit::Found })
}
