//! `replay`: a session from a tape, without a network, by the built component in the host's runtime.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tradepost::runtime::tape::{self, Tape};

use super::record::{Platform, kinds, read};
use crate::cli::Exit;
use crate::output::{line, note};

/// What `replay` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Requests are answered from the tape; one that is not on it is named, because the connector asks for something else than when the \
tape was made.

Exit code 1: a call failed, or asked for what is not on the tape.")]
pub struct Args {
    /// File that `record` wrote
    #[arg(value_name = "TAPE")]
    tape: PathBuf,
    #[command(flatten)]
    platform: Platform,
    /// Most pages per kind
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pages: usize,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
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
