//! `watch`: builds at every save and drops the result into a running host.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tradepost::runtime::build::hash;

use super::inspect::{inspect, sentence};
use crate::cli::Exit;
use crate::host::{Host, serves, words};
use crate::language::put;
use crate::output::{escape, failure, line, note};
use crate::project::{FILE, Project};
use crate::sign::Signer;

/// A save touches several files, and some editors write each of them twice.
const SETTLE: Duration = Duration::from_millis(60);

/// What `watch` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The file is dropped whole, so that the host never sees half of it. A build that a host refuses or holds leaves the one before \
serving; what the host says is printed here.

With `--sign` each build is signed, for a host that takes no others; the key's password is asked for once.

A Rust connector is built faster and less small than `build` does; release what `build` made.

Example, with a host that runs by `tradepost serve --data data --plugins plugins 2> host.log`:
  cargo tradepost watch --plugins plugins --data data --log host.log

Exit code 1 with `--once`: it does not build, or the host holds or refuses it.")]
pub struct Args {
    /// Plugins folder of the host
    #[arg(long, value_name = "FOLDER")]
    plugins: PathBuf,
    /// Data folder of the host, by which it is found and asked what it makes of the file
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// File with the host's log; what is written to it is shown
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Folder of the project
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    path: PathBuf,
    /// Sign each build with this secret key (see `cargo tradepost keygen`)
    #[arg(long, value_name = "KEY")]
    sign: Option<PathBuf>,
    /// Build and drop once, then end
    #[arg(long)]
    once: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let project = Project::find(&args.path)?;
    anyhow::ensure!(args.plugins.is_dir(), "{} is no folder", args.plugins.display());
    let signer = args.sign.as_deref().map(Signer::open).transpose()?;
    let (saved, mut saves) = mpsc::unbounded_channel();
    let folder = project.folder.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let counts = !event.kind.is_access() && event.paths.iter().any(|path| is_source(&folder, path));
        if counts {
            // The receiver ends with the program.
            let _ = saved.send(Instant::now());
        }
    })?;
    watcher.watch(&project.folder, RecursiveMode::Recursive)?;
    if let Some(log) = args.log.clone() {
        tokio::spawn(follow(log));
    }
    let mut since = Instant::now();
    loop {
        let fine = match round(&project, &args, signer.as_ref(), since).await {
            Ok(fine) => fine,
            Err(error) => {
                failure(&error);
                false
            }
        };
        if args.once {
            return Ok(if fine { Exit::Done } else { Exit::Found });
        }
        note("-- waiting for a save");
        since = saves.recv().await.context("the folder cannot be watched any more")?;
        tokio::time::sleep(SETTLE).await;
        while saves.try_recv().is_ok() {}
    }
}

/// Builds, signs, drops, asks. False: the host does not serve it.
async fn round(project: &Project, args: &Args, signer: Option<&Signer>, since: Instant) -> anyhow::Result<bool> {
    let built = tokio::task::block_in_place(|| project.build_quickly())?;
    let name = format!("{}.wasm", project.manifest.name);
    let bytes = std::fs::read(&built).with_context(|| format!("{} cannot be read", built.display()))?;
    let took = since.elapsed().as_secs_f32();
    let dropped = args.plugins.join(&name);
    if let Some(signer) = signer {
        // A signature says id and version, which only the component knows.
        let inspected = inspect(bytes.clone()).await?;
        let description = inspected.verdict.map_err(|error| {
            anyhow::anyhow!("a host would refuse the file, so that it is not signed: {}", sentence(&error))
        })?;
        // Before the file: the host looks at both once they have rested for a moment.
        signer.sign(&bytes, &dropped, &description.id, &description.version)?;
    }
    // `put` writes under another name, which a host does not look at, and renames.
    put(&dropped, &bytes)?;
    let Some(data) = &args.data else {
        line(format!("{name} dropped after {took:.1} s; with --data FOLDER the host is asked what it makes of it"));
        return Ok(true);
    };
    let verdict = Host::open(data)?.verdict(&name, &hash(&bytes)).await?;
    line(format!(
        "{}; {:.1} s after the save, of which {took:.1} s to build",
        words(&verdict),
        since.elapsed().as_secs_f32()
    ));
    Ok(serves(&verdict))
}

/// Whether a change of this file makes another component.
fn is_source(folder: &Path, path: &Path) -> bool {
    let Ok(inner) = path.strip_prefix(folder) else { return false };
    let mut parts = inner.components().filter_map(|part| part.as_os_str().to_str());
    let first = parts.next().unwrap_or_default();
    let manifest = [FILE, "Cargo.toml", "package.json", "requirements.txt", "tsconfig.json"].contains(&first);
    let hidden = || inner.components().any(|part| part.as_os_str().to_string_lossy().starts_with(['.', '_']));
    let temporary = inner.to_string_lossy().ends_with('~');
    manifest || (["src", "wit"].contains(&first) && !hidden() && !temporary)
}

/// Shows what comes to a file from now on.
async fn follow(path: PathBuf) {
    let mut at = std::fs::metadata(&path).map_or(0, |file| file.len());
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let Ok(mut file) = std::fs::File::open(&path) else { continue };
        let length = file.metadata().map_or(0, |file| file.len());
        // It was begun anew.
        at = if length < at { 0 } else { at };
        let mut bytes = Vec::new();
        if file.seek(SeekFrom::Start(at)).and_then(|_| file.take(1 << 20).read_to_end(&mut bytes)).is_err() {
            continue;
        }
        // The rest of a line comes the next time.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        at += whole as u64;
        for text in String::from_utf8_lossy(&bytes[..whole]).lines() {
            line(format!("host | {}", escape(text)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sources_count() {
        let counts = |path: &str| is_source(Path::new("/p"), &Path::new("/p").join(path));
        for path in ["src/lib.rs", "src/deep/map.ts", "Cargo.toml", "connector.toml"] {
            assert!(counts(path), "{path}");
        }
        for path in
            ["dist/a.wasm", "target/x", "src/.lib.rs.swp", "src/lib.rs~", "src/__pycache__/a.pyc", "node_modules/a"]
        {
            assert!(!counts(path), "{path}");
        }
    }
}
