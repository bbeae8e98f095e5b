//! Every item of the contract is documented where it is declared: other languages' types take their words from there.

use std::fs;
use std::path::Path;

/// Items of a WIT file without a `///` above them.
fn missing(text: &str) -> Vec<String> {
    let kinds = ["record ", "enum ", "variant ", "flags ", "type ", "resource ", "interface ", "world "];
    let mut before = "";
    let mut missing = Vec::new();
    for line in text.lines().map(str::trim) {
        let item = kinds.iter().any(|kind| line.starts_with(kind)) || line.contains(": func(");
        if item && !before.starts_with("///") {
            missing.push(line.split(['{', '(', '=']).next().unwrap_or_default().trim().to_owned());
        }
        before = line;
    }
    missing
}

#[test]
fn every_item_of_the_contract_is_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("wit/v0.1");
    let mut wrong = Vec::new();
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        wrong.extend(missing(&fs::read_to_string(&path).unwrap()).into_iter().map(|item| format!("{name}: {item}")));
        files += 1;
    }
    assert!(files > 10, "the contract is found");
    assert_eq!(wrong, Vec::<String>::new(), "without a word");
}

#[test]
fn what_is_not_documented_is_found() {
    let text = "/// A.\ninterface a {\n  record b { c: u8 }\n  /// D.\n  d: func();\n  e: func() -> u8;\n}\n";
    assert_eq!(missing(text), ["record b", "e: func"]);
}
