//! `tradepost import FILE`: a file for a platform that is an exchange folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::client::segment;
use super::failure::Failure;
use super::output::{items, text};
use super::{Context, Exit, action, follow};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The file is copied into the platform's exchange folder under a temporary name, renamed, and then the platform's \
pulls run: what the file means is decided by the connector's settings (columns, date formats, names of files), as if \
somebody else had put it there. A file of the same name that waits is not replaced.

Example:
  tradepost import products.csv --platform erp"
)]
pub(super) struct Args {
    /// CSV or JSON file
    file: PathBuf,
    /// Platform whose connector reads an exchange folder
    #[arg(long, value_name = "CODE")]
    platform: String,
    /// Name in the inbox (default: the file's own)
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only put it there; the next pull reads it
    #[arg(long)]
    no_run: bool,
}

pub(super) async fn run(context: Context, args: Args) -> Result<Exit, Failure> {
    let (client, out) = (context.client()?, context.out);
    let platform = &args.platform;
    let shown = client.get(&format!("/platforms/{}", segment(platform))).await?;
    let folder = text(&shown, "/grants/files");
    if folder.is_empty() {
        return Err(Failure::new(format!(
            "`{platform}` has no exchange folder; give it one with `tradepost platform set {platform} --files DIR`, or name \
             another platform"
        )));
    }
    let name = match &args.name {
        Some(name) => name.clone(),
        None => args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    };
    let target = put(&args.file, &Path::new(&folder).join("inbox"), &name)?;
    out.line(format!("{} waits as {}.", args.file.display(), target.display()));
    if args.no_run {
        out.value(&json!({ "file": target }));
        return Ok(Exit::Done);
    }
    let mut pulls: Vec<Value> = client
        .query("/actions", &[("platform", platform.clone())])
        .await
        .map(|actions| items(&actions, "").to_vec())?
        .into_iter()
        .filter(|action| action["enabled"] == true && action["direction"] == "pull")
        .collect();
    if pulls.is_empty() {
        return Err(Failure::new(format!(
            "`{platform}` has no pulls yet, so nobody reads the file; `tradepost platform onboard {platform}` does"
        )));
    }
    pulls.sort_by_key(action::order);
    let mut exit = Exit::Done;
    let mut runs = Vec::new();
    for pull in &pulls {
        let body = json!({ "direction": "pull", "kind": pull["kind"] });
        let run = action::launch(&client, out, platform, &body, true).await?;
        exit = exit.and(follow::exit(&run));
        runs.push(run);
    }
    out.value(&json!({ "file": target, "runs": runs }));
    Ok(exit)
}

/// Copies under a temporary name that the connector does not look at, then renames; a name that is taken is left alone.
fn put(file: &Path, inbox: &Path, name: &str) -> Result<PathBuf, Failure> {
    let plain = Path::new(name).file_name().is_some_and(|only| only == name) && !name.starts_with('.');
    if !plain {
        return Err(Failure::usage(format!("`{name}` is no file name; choose one with --name")));
    }
    let failed = |path: &Path, error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    fs::create_dir_all(inbox).map_err(|error| failed(inbox, error))?;
    let temp = inbox.join(format!(".{name}.{}.tmp", std::process::id()));
    let target = inbox.join(name);
    fs::copy(file, &temp).map_err(|error| failed(file, error))?;
    // A hard link does not replace what is there, as a rename would.
    let linked = fs::File::open(&temp).and_then(|copy| copy.sync_all()).and_then(|()| fs::hard_link(&temp, &target));
    drop(fs::remove_file(&temp));
    match linked {
        Ok(()) => Ok(target),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Failure::new(format!(
            "{} waits there already; let it be read first, or choose another name with --name",
            target.display()
        ))),
        Err(error) => Err(failed(&target, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_waits_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, inbox) = (folder.path().join("a.csv"), folder.path().join("inbox"));
        fs::write(&file, "first").unwrap();
        let target = put(&file, &inbox, "a.csv").unwrap();
        fs::write(&file, "second").unwrap();
        assert!(put(&file, &inbox, "a.csv").is_err());
        assert_eq!(fs::read_to_string(target).unwrap(), "first");
        assert_eq!(fs::read_dir(&inbox).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn names_stay_in_the_inbox() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        fs::write(&file, "x").unwrap();
        for name in ["../a.csv", "/etc/a", "", ".", "..", ".hidden", "a/b"] {
            assert!(put(&file, folder.path(), name).is_err(), "{name}");
        }
    }
}
