//! `tradepost backup FILE`.

use std::path::PathBuf;

use serde_json::json;

use super::failure::Failure;
use super::{Context, Exit};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The copy is one SQLite file with everything the hub knows; secrets in it stay sealed, so keep the file \
    `key` of the data folder elsewhere. It is put back with `tradepost restore FILE`."
)]
pub(super) struct Args {
    /// New file; one that exists is left alone
    file: PathBuf,
}

pub(super) async fn run(context: Context, args: Args) -> Result<Exit, Failure> {
    let file = std::path::absolute(&args.file).map_err(|error| Failure::of(&error))?;
    let answer = context.client()?.post("/backup", &json!({ "file": file })).await?;
    context.out.value(&answer);
    context.out.line(format!("The ledger was copied to {}.", file.display()));
    Ok(Exit::Done)
}
