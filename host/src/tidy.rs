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
