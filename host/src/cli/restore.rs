//! `tradepost restore`: a backup in place of the ledger, and the way back to work.

use std::path::PathBuf;

use serde_json::json;

use super::failure::Failure;
use super::{Context, Exit};
use crate::service::restore;

#[derive(Debug, clap::Args)]
#[command(after_help = "Steps after a loss:
  1. stop the service
  2. tradepost restore backup.db       the old ledger is kept beside the new one
  3. tradepost serve                   starts in safe mode: nothing is sent
  4. tradepost restore --resume        the same business: reads what happened since the backup
     tradepost restore --test-copy     a copy for tests: forgets all secrets, every platform is paused
  5. tradepost platform resume CODE    each platform, once its recovery looks right")]
pub(super) struct Args {
    /// Backup to be put in place of the ledger; no service may run
    #[arg(required_unless_present_any = ["resume", "test_copy"], conflicts_with_all = ["resume", "test_copy"])]
    file: Option<PathBuf>,
    /// Leave safe mode as the same business: platforms are read back and linked again before anything is sent
    #[arg(long, conflicts_with = "test_copy")]
    resume: bool,
    /// Leave safe mode as a copy for tests: secrets are forgotten, platforms paused
    #[arg(long)]
    test_copy: bool,
}

pub(super) async fn run(context: Context, args: Args) -> Result<Exit, Failure> {
    let out = context.out;
    if let Some(file) = args.file {
        let kept = restore::restore(&context.config, &file)?;
        out.value(&json!({ "restored": file, "kept": kept }));
        out.line(format!("{} is the ledger now; the one before is kept as {}.", file.display(), kept.display()));
        out.line("Start it with `tradepost serve`: it begins in safe mode and sends nothing until `tradepost restore --resume`.");
        return Ok(Exit::Done);
    }
    out.progress("reading what happened since the backup ...");
    let answer = context.client()?.post("/safe-mode/leave", &json!({ "test-copy": args.test_copy })).await?;
    out.progress("");
    out.value(&answer);
    out.line(if args.test_copy {
        "This is a test copy now: it has no secrets, and every platform is paused."
    } else {
        "What happened since the backup was read. Look at `tradepost attention list`, then put each platform to work with \
         `tradepost platform resume CODE`."
    });
    Ok(Exit::Done)
}
