//! Every public item has an example that runs: its own, or that of its type, its `impl` or its file.

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

/// The name of a public item, if the line begins one.
fn public(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let kinds = ["struct ", "enum ", "trait ", "fn ", "const fn ", "type ", "const "];
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    Some(rest.split(|sign: char| !(sign.is_alphanumeric() || sign == '_')).next().unwrap_or_default())
}

/// The type that an `impl` is for.
fn of_impl(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    let rest = rest.split(" for ").last()?.trim_start_matches(|sign| sign != ' ').trim_start();
    Some(rest.split(|sign: char| !(sign.is_alphanumeric() || sign == '_')).next().unwrap_or_default())
}

/// Public items of a file without an example, as `name` or `Type::name`.
fn missing(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    // The example of a file is there for what it holds when it has no other.
    let of_file = text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains("```"));
    let (mut shown, mut types, mut missing) = (false, Vec::<String>::new(), Vec::new());
    // The `impl` that a line stands in, whether it has an example, and how far it is indented.
    let mut inside: Option<(String, bool, usize)> = None;
    for line in text.lines() {
        if line.trim_start().starts_with("///") {
            shown |= line.contains("```");
            continue;
        }
        if line.trim_start().starts_with("#[") || line.trim_end().ends_with(")]") {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if line.trim() == "}" && inside.as_ref().is_some_and(|(.., at)| *at == indent) {
            inside = None;
        }
        // An `impl` may stand in a macro, which its example stands in too.
        if let Some(name) = of_impl(line.trim_start()) {
            inside = Some((name.to_owned(), shown || types.iter().any(|known| known == name), indent));
        } else if let Some(name) = public(line) {
            let covered = inside.as_ref().is_some_and(|(_, covered, _)| *covered);
            match &inside {
                _ if shown || covered || of_file => types.push(name.to_owned()),
                Some((of, ..)) => missing.push(format!("{of}::{name}")),
                None => missing.push(name.to_owned()),
            }
        }
        shown = false;
    }
    missing
}

#[test]
fn every_public_item_has_an_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 25, "the sources are found");
    let mut wrong = Vec::new();
    for path in files {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        // Generated, the inside of the export macro, and what no connector sees.
        if !matches!(name.as_str(), "bindings.rs" | "lib.rs" | "lent/native.rs") {
            wrong
                .extend(missing(&fs::read_to_string(&path).unwrap()).into_iter().map(|item| format!("{name}: {item}")));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "without an example");
}

#[test]
fn what_has_none_is_found() {
    let text = "/// A.\npub struct A;\n\nimpl A {\n    /// B.\n    pub fn b() {}\n}\n\n/// ```\n/// ```\npub struct C;\nimpl C {\n    pub fn d() {}\n}\npub fn e() {}\n";
    assert_eq!(missing(text), ["A", "A::b", "e"]);
    assert_eq!(missing("//! ```\npub fn a() {}\n"), Vec::<String>::new());
}
