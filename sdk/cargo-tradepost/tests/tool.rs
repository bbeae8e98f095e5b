//! The tool as a developer has it: its help, the projects that it makes, and the copies of the contract that it hands out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn tool(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-tradepost"));
    command.args(words).current_dir(folder).env("COLUMNS", "100").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn sdk() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file below a folder with its text.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                all.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    all
}

#[test]
fn the_copies_of_the_contract_are_the_contract() {
    let contract = files(&sdk().join("../wit/v0.1"));
    for copy in ["npm/wit", "pypi/src/tradepost_sdk/wit"] {
        assert!(files(&sdk().join(copy)) == contract, "sdk/{copy} is not wit/v0.1: copy it there, make the types anew");
    }
}

#[test]
fn all_halves_have_one_version() {
    let version = env!("CARGO_PKG_VERSION");
    let npm: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(sdk().join("npm/package.json")).unwrap()).unwrap();
    assert_eq!(npm["version"], version);
    let pypi = std::fs::read_to_string(sdk().join("pypi/pyproject.toml")).unwrap();
    assert!(pypi.contains(&format!("\nversion = \"{version}\"\n")));
}

#[test]
fn every_language_and_template_makes_a_project() {
    let root = tempfile::tempdir().unwrap();
    for language in ["rust", "ts", "python"] {
        for template in ["shop", "erp", "file"] {
            let name = format!("{language}-{template}");
            let made = tool(root.path(), &["new", &name, "--lang", language, "--template", template]);
            assert!(made.status.success(), "{name}: {}", text(&made.stderr));
            let files = files(&root.path().join(&name));
            let wanted = [
                "README.md",
                "connector.toml",
                ".editorconfig",
                ".gitignore",
                ".vscode/settings.json",
                ".vscode/tasks.json",
                ".github/workflows/ci.yml",
            ];
            for file in wanted {
                assert!(files.contains_key(file), "{name} has no {file}");
            }
            assert!(files.keys().any(|file| file.starts_with("fixtures/")), "{name} has no fixtures");
            assert!(files.keys().any(|file| file.starts_with("test")), "{name} has no tests");
            assert!(files.keys().any(|file| file.starts_with("simulator/")), "{name} has no simulator");
            for (file, text) in &files {
                let ci = file.contains(".github");
                assert!(ci || !text.contains("{{"), "{name}/{file} has an empty place");
            }
            let manifest: toml::Table = files["connector.toml"].parse().unwrap();
            assert_eq!(manifest["name"].as_str(), Some(name.as_str()));
        }
    }
}

#[test]
fn what_goes_wrong_says_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    let said = |words: &[&str]| {
        let output = tool(root.path(), words);
        assert!(!output.status.success(), "{words:?}");
        text(&output.stderr)
    };
    let nowhere = said(&["build"]);
    assert!(nowhere.contains("there is no connector.toml") && nowhere.contains("hint: make a project"), "{nowhere}");
    let name = said(&["new", "My_Shop", "--lang", "rust"]);
    assert!(name.contains("cannot be the name") && name.contains("`my-shop`"), "{name}");
    std::fs::create_dir(root.path().join("full")).unwrap();
    std::fs::write(root.path().join("full/file"), "").unwrap();
    assert!(said(&["new", "full", "--lang", "ts"]).contains("is there already"));
    let sdk = said(&["new", "a", "--lang", "ts", "--sdk", "full"]);
    assert!(sdk.contains("is not the folder `sdk`") && sdk.contains("hint: leave `--sdk` out"), "{sdk}");
    // No terminal, no folder, no key: each says so, and before anything is built.
    let mut alone = Command::new("setsid");
    alone.args(["--wait", env!("CARGO_BIN_EXE_cargo-tradepost"), "keygen", "my.key"]).current_dir(root.path());
    let keygen = alone.stdin(Stdio::null()).output().unwrap();
    assert_eq!(keygen.status.code(), Some(1));
    let keygen = text(&keygen.stderr);
    assert!(keygen.contains("there is no terminal") && keygen.contains("hint: say `--no-password`"), "{keygen}");
    let nowhere = said(&["keygen", "--no-password", "none/my.key"]);
    assert!(nowhere.contains("No such file") && !nowhere.contains("overwritten"), "{nowhere}");
    assert_eq!(nowhere.matches("No such file").count(), 1, "{nowhere}");
    std::fs::create_dir(root.path().join("project")).unwrap();
    std::fs::write(root.path().join("project/connector.toml"), "name = \"a\"\nlanguage = \"rust\"\n").unwrap();
    let key = said(&["build", "--path", "project", "--sign", "none.key"]);
    assert!(key.contains("the key none.key cannot be read") && key.contains("hint: make one with"), "{key}");
    std::fs::write(root.path().join("project/tape.jsonl"), "worth keeping").unwrap();
    let tape = said(&["record", "project/tape.jsonl", "--path", "project"]);
    assert!(tape.contains("is there already") && tape.contains("hint: name another file"), "{tape}");
    std::fs::write(root.path().join("project/connector.toml"), "name = \"a\"\n").unwrap();
    let manifest = said(&["build", "--path", "project"]);
    assert!(manifest.contains("connector.toml is not as it should be"), "{manifest}");
    assert_eq!(manifest.matches("missing field `language`").count(), 1, "{manifest}");
    let replay = said(&["replay", env!("CARGO_BIN_EXE_cargo-tradepost")]);
    assert!(replay.contains("is no tape: it is no text"), "{replay}");
    std::fs::write(root.path().join("b.wasm"), "\0asm\u{d}\0\u{1}\0").unwrap();
    let replay = said(&["replay", "b.wasm"]);
    assert!(replay.contains("b.wasm is a component, no tape"), "{replay}");
    let hostile = said(&["inspect", "\u{1b}[2J\u{202e}.wasm"]);
    assert!(hostile.contains(r"\u{1b}[2J\u{202e}.wasm cannot be read"), "{hostile:?}");
    std::fs::write(root.path().join("a.wasm"), "PK").unwrap();
    let refused = tool(root.path(), &["inspect", "a.wasm"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stdout).contains("refused: the file is no WebAssembly component"), "{refused:?}");
}

#[test]
fn the_folder_that_one_is_in_becomes_a_project() {
    let root = tempfile::tempdir().unwrap();
    let here = root.path().join("acorn");
    std::fs::create_dir(&here).unwrap();
    let made = tool(&here, &["new", ".", "--lang", "rust"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(files(&here)["connector.toml"].contains("name = \"acorn\""));
}
