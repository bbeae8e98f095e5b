//! The contract as the crate ships it is the contract; and what was released never changes.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

type Files = BTreeMap<String, Vec<u8>>;

fn here(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn files(folder: &str) -> Files {
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap())
    };
    let files: Files = std::fs::read_dir(here(folder)).unwrap().map(read).collect();
    assert!(files.len() > 10, "the contract is found in {folder}");
    files
}

/// Of all names and contents, in the order of names.
fn hash(files: &Files) -> String {
    let mut hasher = Sha256::new();
    for (name, bytes) in files {
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The package's version as the files say it; they all say the same.
fn version(files: &Files) -> Result<String, String> {
    let mut found: Option<String> = None;
    for (name, bytes) in files {
        let text = String::from_utf8_lossy(bytes);
        let line = text.lines().find_map(|line| line.trim().strip_prefix("package tradepost:connector@"));
        let version = line.ok_or_else(|| format!("{name} names no package"))?.trim_end_matches(';').to_owned();
        match &found {
            Some(other) if *other != version => return Err(format!("{name} is of {version}, others are of {other}")),
            _ => found = Some(version),
        }
    }
    found.ok_or_else(|| "there are no files".into())
}

/// Compares the files with the row of their version in the README's table: `| version | draft |` or
/// `| version | released | hash |`.
fn judge(readme: &str, files: &Files) -> Result<(), String> {
    let version = version(files)?;
    let row = readme
        .lines()
        .map(|line| {
            line.trim().trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>()
        })
        .find(|cells| cells.first() == Some(&version.as_str()))
        .ok_or_else(|| format!("wit/README.md has no row for {version} in its table of versions"))?;
    match row.get(1) {
        Some(&"draft") => Ok(()),
        Some(&"released") if row.get(2) == Some(&hash(files).as_str()) => Ok(()),
        Some(&"released") => Err(format!(
            "{version} is released and its files are frozen; they have the hash {} now. Make a new version instead",
            hash(files)
        )),
        other => Err(format!("{version} is neither draft nor released in wit/README.md, but {other:?}")),
    }
}

#[test]
fn the_crate_ships_the_contract_byte_for_byte() {
    let (ours, theirs) = (files("wit/v0.1"), files("../wit/v0.1"));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (name, bytes) in &ours {
        assert!(*bytes == theirs[name], "sdk/wit/v0.1/{name} differs: cp wit/v0.1/*.wit sdk/wit/v0.1/");
    }
}

#[test]
fn a_released_contract_is_frozen() {
    let readme = std::fs::read_to_string(here("../wit/README.md")).unwrap();
    judge(&readme, &files("../wit/v0.1")).unwrap();
}

#[test]
fn the_bindings_are_of_the_contracts_version() {
    let bindings = std::fs::read_to_string(here("src/bindings.rs")).unwrap();
    let version = version(&files("wit/v0.1")).unwrap();
    let named: Vec<&str> = bindings.split("tradepost:connector/").skip(1).collect();
    assert!(named.len() > 10);
    for name in named {
        let at = name.split('@').nth(1).unwrap().split([';', '"', ' ', '\n']).next().unwrap();
        assert_eq!(at, version, "in sdk/src/bindings.rs");
    }
}

#[test]
fn what_freezing_means() {
    let text = |more: &str| format!("package tradepost:connector@0.9.0;\n{more}").into_bytes();
    let mut files: Files = [("a.wit".into(), text("")), ("b.wit".into(), text("interface b {}"))].into();
    let released = format!("| version | state | sha256 |\n|---|---|---|\n| `0.9.0` | released | `{}` |", hash(&files));
    assert_eq!(judge(&released, &files), Ok(()));
    assert_eq!(judge("| `0.9.0` | draft | |", &files), Ok(()));
    assert!(judge("| `0.8.0` | draft | |", &files).unwrap_err().contains("no row for 0.9.0"));
    files.insert("b.wit".into(), text("interface b { c: func(); }"));
    assert!(judge(&released, &files).unwrap_err().contains("frozen"));
    assert_eq!(judge("| `0.9.0` | draft | |", &files), Ok(()), "a draft may change");
    files.insert("c.wit".into(), b"package tradepost:connector@0.9.1;".to_vec());
    assert!(judge(&released, &files).unwrap_err().contains("others are of 0.9.0"));
}
