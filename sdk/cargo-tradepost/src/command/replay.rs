//! `replay`: a session from a tape, or a call that went wrong at an operator's, without a network, by the built component in
//! the host's runtime.

use std::path::PathBuf;

use super::record::{What, bench, component, simulated};
use crate::case;
use crate::cli::Exit;
use crate::output::note;
use crate::project::Project;
use crate::session::{self, Ask, Session};

/// What `replay` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Requests are answered from the tape, with the settings that are on it and the clock of then; secrets are stand-ins, because none is \
needed. A request that is not on the tape is named: the connector asks for something else than when the tape was made.

An operator makes a case of a call that went wrong: `tradepost run export-case RUN RECORD FILE`. It is repeated with the settings,
the stored values, the files and the answers of then; other people's data in it are stand-ins. `--keep` makes a test of it.

Exit code 1: a call failed, asked for what is not on the tape, or another number of records came than when it was recorded; or \
nothing on the tape was asked for.

Examples:
  cargo tradepost replay tapes/orders.jsonl --kind order
  cargo tradepost replay case.json
  cargo tradepost replay case.json --keep      and `cargo tradepost test` repeats it from now on")]
pub struct Args {
    /// File that `record` or the host's `run export-case` wrote
    #[arg(value_name = "TAPE")]
    tape: PathBuf,
    #[command(flatten)]
    what: What,
    /// Most pages per kind [default: as many as when it was recorded, else 20]
    #[arg(long, value_name = "NUMBER")]
    pages: Option<usize>,
    /// Copy the case into the project's folder `cases`, or the tape into `tapes`, as a test
    #[arg(long)]
    keep: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    if let Some(bundle) = case::read(&args.tape)? {
        let project = Project::find(&args.what.path)?;
        let sound = case::repeat(&bundle, &component(&project)?).await?;
        if args.keep {
            note(format!("kept as {}", case::keep(&project, &args.tape)?.display()));
        }
        return Ok(if sound { Exit::Done } else { Exit::Found });
    }
    let session = Session::read(&args.tape)?;
    let project = Project::find(&args.what.path)?;
    let mut settings = args.what.settings();
    if settings.is_empty() && session.head.is_none() {
        settings = simulated(&project, &session::address(&session));
    }
    let bench = bench()?;
    let build = bench.load(&component(&project)?).await?;
    let ask = Ask { settings, kinds: args.what.kind, pages: args.pages };
    let fine = session::repeat(&session, &bench, &build, &ask).await?;
    if args.keep {
        note(format!("kept as {}", session::keep(&project, &args.tape)?.display()));
    }
    Ok(if fine { Exit::Done } else { Exit::Found })
}
