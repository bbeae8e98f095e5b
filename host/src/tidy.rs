//! Walls of the house, as tests: each names what must not be found outside its room.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Files under `src` that hold the text, outside the rooms.
fn outside(text: &str, rooms: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 50, "the sources are found");
    files
        .into_iter()
        .map(|path| (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), path))
        .filter(|(name, _)| name != "tidy.rs" && !rooms.iter().any(|room| name.starts_with(room)))
        .filter(|(_, path)| fs::read_to_string(path).unwrap().contains(text))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn walls_stand() {
    for (text, rooms) in [
        ("wasmtime::", ["runtime/", "runtime.rs"].as_slice()),
        ("rusqlite::", &["ledger/", "ledger.rs"]),
        ("axum::", &["web/", "web.rs"]),
        ("env::var", &["config.rs", "crash.rs"]),
        ("reqwest::Client", &["runtime/http", "cli/", "web/tests.rs"]),
    ] {
        assert_eq!(outside(text, rooms), Vec::<String>::new(), "`{text}` is named outside {rooms:?}");
    }
}

#[test]
fn unsafe_code_is_in_one_file() {
    assert_eq!(outside("unsafe {", &["runtime/cache.rs"]), Vec::<String>::new());
}

/// The last text of a macro's arguments, which is a log line's message.
fn message(arguments: &str) -> Option<&str> {
    let end = arguments.rfind('"')?;
    let begin = arguments[..end].rfind('"')?;
    Some(&arguments[begin + 1..end])
}

#[test]
fn log_lines_are_constant_messages_with_fields() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let (mut lines, mut wrong) = (0, Vec::new());
    for path in files {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        // A connector's line is its own words; what it must not do to a journal is seen to there.
        if matches!(name.as_str(), "tidy.rs" | "runtime/log.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for level in ["error", "warn", "info", "debug", "trace"] {
            for found in text.split(&format!("tracing::{level}!(")).skip(1) {
                let arguments = found.split_once(");").map_or(found, |(arguments, _)| arguments);
                lines += 1;
                match message(arguments) {
                    Some(message) if !message.contains('{') => {}
                    message => wrong.push(format!("{name}: {message:?}")),
                }
            }
        }
    }
    assert!(lines > 40, "the log lines are found: {lines}");
    assert_eq!(wrong, Vec::<String>::new(), "what changes belongs into a field");
}
