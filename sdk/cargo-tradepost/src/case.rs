//! Cases: calls that went wrong at an operator's, repeated here, and kept as tests.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tradepost::model::Outcome;
use tradepost::runtime::case::{Bundle, Ending, Replay, replay};
use tradepost::runtime::tape::Request;
use tradepost_build::Tools;

use crate::output::{escape, line, note};
use crate::project::Project;

/// Folder of a project whose cases `cargo tradepost test` repeats.
pub const FOLDER: &str = "cases";

/// Reads a file if it is a case.
///
/// # Errors
/// It cannot be read, or is a case of another version.
pub fn read(path: &Path) -> anyhow::Result<Option<Bundle>> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    // A tape has an object on each line, so that the whole is none.
    match serde_json::from_slice::<serde_json::Value>(&bytes) {
        Ok(value) if value.get("tradepost-case").is_some() => {}
        _ => return Ok(None),
    }
    Bundle::read(bytes.as_slice()).map(Some).with_context(|| format!("{} is no case of this version", path.display()))
}

/// Repeats a case with a component and says how it ended. True: nothing goes wrong any more.
///
/// # Errors
/// A host would refuse the component, or its settings name no hosts.
pub async fn repeat(bundle: &Bundle, component: &[u8]) -> anyhow::Result<bool> {
    let replayed = replay(bundle, component, &Tools::of_this_account().folder().join("bench")).await?;
    if let Some(differs) = &replayed.differs {
        note(escape(differs));
    }
    told(&replayed).iter().for_each(line);
    for exchange in &replayed.unused {
        note(format!("not asked for: {}", shown(&exchange.request)));
    }
    Ok(sound(&replayed.outcome) && replayed.unmatched.is_empty())
}

/// How a call ended then and now, line by line. A case and a connector are strangers' words.
fn told(Replay { outcome, recorded, unmatched, .. }: &Replay) -> Vec<String> {
    let mut lines = Vec::new();
    for (when, ending) in [("then", recorded), ("now", outcome)] {
        if let Some(error) = &ending.error {
            lines.push(format!("{when}: {} ({})", escape(&error.message), escape(&error.how)));
        }
        for (item, outcome) in &ending.settled {
            if let Outcome::Failed(error) = outcome {
                lines.push(format!("{when}: {}: {}", escape(item), escape(&error.to_string())));
            }
        }
        for told in unreadable(ending) {
            let words = |name: &str| escape(told[name].as_str().unwrap_or_default());
            lines.push(format!("{when}: {} cannot be read: {}", words("id"), words("why")));
        }
        if sound(ending) {
            lines.push(format!("{when}: nothing went wrong"));
        }
    }
    lines.extend(unmatched.iter().map(|request| format!("not in the case: {}", shown(request))));
    lines
}

fn shown(request: &Request) -> String {
    escape(&format!("{} {}", request.method, request.url))
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
    // Only these are repeated.
    let to = folder.join(path.file_name().context("a case has a name")?).with_extension("json");
    ensure!(!to.exists(), "{} is there already; give the case another name", to.display());
    fs::copy(path, &to).with_context(|| format!("{} cannot be written", to.display()))?;
    Ok(to)
}

/// Repeats all cases of a project; the names of those that still go wrong.
///
/// # Errors
/// A file of the folder is no case, or cannot be repeated.
pub async fn all(project: &Project, component: &[u8]) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for path in project.files(FOLDER, "json")? {
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
    use tradepost::model::RemoteError;
    use tradepost::runtime::case::Failed;
    use tradepost::runtime::tape::Body;

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
        let bytes = folder.path().join("bytes");
        fs::write(&bytes, b"\0asm\xff").unwrap();
        assert!(read(&bytes).unwrap().is_none());
        let error = format!("{:#}", read(&folder.path().join("none.json")).unwrap_err());
        assert!(error.contains("none.json"), "{error}");
    }

    #[test]
    fn a_case_cannot_act_on_the_terminal_or_forge_a_line() {
        let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}\nnow: nothing went wrong";
        let failed = Failed { how: hostile.into(), message: hostile.into(), remote: None };
        let unreadable = serde_json::json!({ "unreadable": [{ "id": hostile, "why": hostile }] });
        let refused = Outcome::Failed(RemoteError::Bug(hostile.into()));
        let ending =
            Ending { settled: vec![(hostile.into(), refused)], returned: Some(unreadable), error: Some(failed) };
        let request =
            Request { method: hostile.into(), url: hostile.into(), headers: Vec::new(), body: Body::default() };
        let replay = Replay {
            differs: None,
            outcome: ending.clone(),
            recorded: ending,
            exchanges: Vec::new(),
            unmatched: vec![request],
            unused: Vec::new(),
        };
        let lines = told(&replay);
        assert_eq!(lines.len(), 7);
        for line in lines {
            assert!(!line.chars().any(tradepost::runtime::log::hidden), "{line:?}");
        }
    }

    #[test]
    fn what_is_kept_is_what_is_repeated() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(crate::project::FILE), "name = \"a\"\nlanguage = \"rust\"\n").unwrap();
        let project = Project::find(root.path()).unwrap();
        let case = root.path().join("order-7.case");
        fs::write(&case, "{\"tradepost-case\": 1}").unwrap();
        let kept = keep(&project, &case).unwrap();
        assert_eq!(project.files(FOLDER, "json").unwrap(), [kept]);
        assert!(keep(&project, &case).unwrap_err().to_string().contains("is there already"));
    }
}
