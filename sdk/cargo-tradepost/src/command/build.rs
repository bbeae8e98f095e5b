//! `build`: the component, how large it is, and what an operator will be asked for.

use std::path::PathBuf;
use std::time::Instant;

use tradepost::model::description::Description;

use super::inspect::{Inspected, inspect, sentence, show};
use crate::cli::Exit;
use crate::failure::Hinted;
use crate::output::{escape, line, size, table};
use crate::project::Project;
use crate::sign::Signer;

/// What `build` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Installs what is missing: the target wasm32-wasip2 for Rust; esbuild, componentize-qjs and typescript for TypeScript, componentize-py \
for Python, into a cache folder of its own (`cargo tradepost doctor` says where).

The finished file goes through the checks of a host; what it prints about powers is what an operator reads before the connector \
may do anything. A signature of other bytes does not stay beside them: without `--sign` it is removed.")]
pub struct Args {
    /// Folder of the project
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    path: PathBuf,
    /// Sign the file with this secret key (see `cargo tradepost keygen`); writes FILE.wasm.minisig beside it
    #[arg(long, value_name = "KEY")]
    sign: Option<PathBuf>,
    /// Only build: do not check, do not print what it asks for
    #[arg(long, conflicts_with = "sign")]
    unchecked: bool,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let project = Project::find(&args.path)?;
    // A key that does not open is told before the compiler runs.
    let signer = args.sign.as_deref().map(Signer::open).transpose()?;
    let began = Instant::now();
    let file = tokio::task::block_in_place(|| project.build())?;
    let took = began.elapsed().as_secs_f32();
    if args.unchecked {
        line(format!("{} in {took:.1} s", file.display()));
        return Ok(Exit::Done);
    }
    let bytes = std::fs::read(&file)?;
    let inspected = inspect(bytes.clone()).await?;
    report(&inspected);
    let description = match &inspected.verdict {
        Ok(description) => description,
        Err(error) => {
            let hint = "`cargo tradepost inspect` says more about the file";
            return Err(Hinted::new(format!("a host would refuse the file: {}", sentence(error)), hint).into());
        }
    };
    line(format!("\n{} {}", escape(&description.id), escape(&description.version)));
    show(description);
    line(format!("\n{} in {took:.1} s", file.display()));
    if let Some(signer) = signer {
        let Description { id, version, .. } = &**description;
        let signature = signer.sign(&bytes, &file, id, version)?;
        line(format!("{} by key {}", signature.file.display(), signature.key));
    }
    Ok(Exit::Done)
}

/// What makes the file as large as it is: the largest sections.
fn report(inspected: &Inspected) {
    line(format!("Size: {}", size(inspected.size)));
    let largest = inspected.component.sections.iter().take(3);
    table(&[], largest.map(|(kind, bytes)| vec![kind.clone(), size(*bytes)]).collect());
}
