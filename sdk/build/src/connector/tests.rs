//! Builds a small connector for real, with the tool chain of this machine.

use std::{cell::RefCell, time::SystemTime};

use super::*;

/// A crate without dependencies that says its version, in a workspace of its own.
fn crate_at(folder: &Path) -> Workspace {
    let manifest = "[package]\nname = \"probe-connector\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    write_source(folder, "one");
    Workspace::at(folder).unwrap()
}

fn write_source(folder: &Path, word: &str) {
    let source = format!(
        "#[unsafe(no_mangle)]\npub extern \"C\" fn probe() {{ println!(\"{word} {{}}\", option_env!(\"{VERSION_VARIABLE}\").unwrap_or(\"plain\")); }}\n"
    );
    fs::write(folder.join("src/lib.rs"), source).unwrap();
}

fn contains(built: &Built, text: &str) -> bool {
    fs::read(&built.path).unwrap().windows(text.len()).any(|part| part == text.as_bytes())
}

fn changed(built: &Built) -> SystemTime {
    fs::metadata(&built.path).unwrap().modified().unwrap()
}

#[test]
fn a_connector_is_built_once_per_change_and_version() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = crate_at(folder.path());
    let connectors = [Connector::new("probe-connector"), Connector::new("probe-connector").with_version("9.0/β")];
    let begun = RefCell::new(Vec::new());
    let build = || {
        begun.borrow_mut().clear();
        let built = crate::build(&workspace, &connectors, &|step| {
            if let Step::Begun(text) = step {
                begun.borrow_mut().push(text.to_owned());
            }
        });
        built.unwrap_or_else(|error| panic!("{error}"))
    };

    let built = build();
    let [plain, other] = &built[..] else { panic!("two were asked for: {built:?}") };
    let names: Vec<_> = built.iter().map(|built| built.path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["probe.wasm", "probe-9.0__.wasm"]);
    assert!(contains(plain, "plain") && !contains(plain, "9.0/β"));
    assert!(contains(other, "9.0/β") && !contains(other, "plain"));
    assert_eq!(plain.size, fs::metadata(&plain.path).unwrap().len());
    assert!(begun.borrow().iter().any(|step| step == "building probe-connector"), "{begun:?}");

    // Cargo may compile the plain one once more, because it saw the other last; the files stay as they are.
    let times = [changed(plain), changed(other)];
    assert_eq!(build(), built);
    assert_eq!([changed(plain), changed(other)], times);
    assert_eq!(build(), built);
    assert_eq!(*begun.borrow(), [""; 0], "nothing changed");

    write_source(folder.path(), "two");
    let built = build();
    assert!(built.iter().all(|built| contains(built, "two ")), "the change is in both");
}

#[test]
fn what_does_not_compile_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = crate_at(folder.path());
    fs::write(folder.path().join("src/lib.rs"), "pub fn broken( {}").unwrap();
    let error = crate::build(&workspace, &[Connector::new("probe-connector")], &|_| {}).unwrap_err();
    assert!(matches!(error, Error::Compile { .. }), "{error}");
    assert!(error.to_string().contains("src/lib.rs:1"), "{error}");
}

#[test]
fn an_unknown_package_is_answered_with_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = crate_at(folder.path());
    let error = crate::build(&workspace, &[Connector::new("prode-connector")], &|_| {}).unwrap_err();
    assert!(error.hint().unwrap().contains("probe-connector"), "{error}");
}

#[test]
fn this_workspace_has_its_connectors() {
    let workspace = Workspace::of_this_build().unwrap();
    assert!(workspace.connectors().any(|name| name == "files-connector"));
    assert!(workspace.has_profile(PROFILE).unwrap());
    assert!(!workspace.has_profile("connect").unwrap());
}

#[test]
fn the_artifact_is_the_packages_own() {
    let messages = concat!(
        r#"{"reason":"compiler-artifact","manifest_path":"/dep/Cargo.toml","filenames":["/t/dep.wasm"]}"#,
        "\n",
        r#"{"reason":"build-script-executed","package_id":"x"}"#,
        "\nnot json\n",
        r#"{"reason":"compiler-artifact","manifest_path":"/own/Cargo.toml","filenames":["/t/own.d","/t/own.wasm"]}"#,
    );
    assert_eq!(artifact(messages, Path::new("/own/Cargo.toml")), Some("/t/own.wasm".into()));
    assert_eq!(artifact(messages, Path::new("/none/Cargo.toml")), None);
}
