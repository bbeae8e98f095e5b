//! Cases: calls that went wrong at an operator's, repeated here, and kept as tests.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tradepost::model::Outcome;
use tradepost::runtime::case::{Bundle, Ending, Replay, replay};
use tradepost_build::Tools;

use crate::output::{line, note};
use crate::project::Project;

/// Folder of a project whose cases `cargo tradepost test` repeats.
pub const FOLDER: &str = "cases";

/// Reads a file if it is a case.
///
/// # Errors
/// It cannot be read, or is a case of another version.
pub fn read(path: &Path) -> anyhow::Result<Option<Bundle>> {
    let mut text = String::new();
    let opened = fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text));
    opened.with_context(|| format!("{} cannot be read", path.display()))?;
    // A tape has an object on each line, so that the whole is none.
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(value) if value.get("tradepost-case").is_some() => {}
        _ => return Ok(None),
    }
    Bundle::read(text.as_bytes()).map(Some).with_context(|| format!("{} is no case of this version", path.display()))
}

/// Repeats a case with a component and says how it ended. True: nothing goes wrong any more.
///
/// # Errors
/// A host would refuse the component, or its settings name no hosts.
pub async fn repeat(bundle: &Bundle, component: &[u8]) -> anyhow::Result<bool> {
    let replayed = replay(bundle, component, &Tools::of_this_account().folder().join("bench")).await?;
    let Replay { differs, outcome, recorded, unmatched, unused, .. } = &replayed;
    if let Some(differs) = differs {
        note(differs);
    }
    for (when, ending) in [("then", recorded), ("now", outcome)] {
        if let Some(error) = &ending.error {
            line(format!("{when}: {} ({})", error.message, error.how));
        }
        for (item, outcome) in &ending.settled {
            if let Outcome::Failed(error) = outcome {
                line(format!("{when}: {item}: {error}"));
            }
        }
        for told in unreadable(ending) {
            let words = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
            line(format!("{when}: {} cannot be read: {}", words("id"), words("why")));
        }
        if sound(ending) {
            line(format!("{when}: nothing went wrong"));
        }
    }
    for request in unmatched {
        line(format!("not in the case: {} {}", request.method, request.url));
    }
    for exchange in unused {
        note(format!("not asked for: {} {}", exchange.request.method, exchange.request.url));
    }
    Ok(sound(outcome) && unmatched.is_empty())
}

fn sound(ending: &Ending) -> bool {
    let refused = |(_, outcome): &(String, Outcome)| matches!(outcome, Outcome::Failed(_));
    ending.error.is_none() && !ending.settled.iter().any(refused) && unreadable(ending).next().is_none()
}

/// Records of a page that could not be read: for these a host keeps a case as well.
fn unreadable(ending: &Ending) -> impl Iterator<Item = &serde_json::Value> {
    ending.returned.iter().filter_map(|page| page["unreadable"].as_array()).flatten()
}

/// Copies a case into a project, where `cargo tradepost test` repeats it from then on.
///
/// # Errors
/// There is one of this name already, or the disk refuses.
pub fn keep(project: &Project, path: &Path) -> anyhow::Result<PathBuf> {
    let folder = project.folder.join(FOLDER);
    fs::create_dir_all(&folder)?;
    let to = folder.join(path.file_name().context("a case has a name")?);
    ensure!(!to.exists(), "{} is there already; give the case another name", to.display());
    fs::copy(path, &to).with_context(|| format!("{} cannot be written", to.display()))?;
    Ok(to)
}

/// Repeats all cases of a project; the names of those that still go wrong.
///
/// # Errors
/// A file of the folder is no case, or cannot be repeated.
pub async fn all(project: &Project, component: &[u8]) -> anyhow::Result<Vec<String>> {
    let folder = project.folder.join(FOLDER);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let mut wrong = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bundle = read(&path)?.with_context(|| format!("{} is no case", path.display()))?;
        line(format!("case {name}"));
        if !repeat(&bundle, component).await? {
            wrong.push(name);
        }
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_told_from_a_tape_and_one_of_another_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = |text: &str| {
            let path = folder.path().join("some.json");
            fs::write(&path, text).unwrap();
            read(&path)
        };
        assert!(file("{\"request\":{}}\n{\"request\":{}}\n").unwrap().is_none());
        assert!(file("{\"request\":{}}\n").unwrap().is_none());
        let error = format!("{:#}", file("{\"tradepost-case\": 4000}").unwrap_err());
        assert!(error.contains("some.json") && error.contains("4000"), "{error}");
        let error = format!("{:#}", read(&folder.path().join("none.json")).unwrap_err());
        assert!(error.contains("none.json"), "{error}");
    }
}
