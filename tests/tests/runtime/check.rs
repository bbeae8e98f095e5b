//! The type check at load, with components of altered contracts.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, SourceMap, WorldId};

use tradepost::runtime::check::{CheckError, Checked, Contract, Difference, Mismatch, check};
use tradepost::runtime::{Build, Engine, LoadError};

/// A component of a world of the contract after `alter` went over each of its files. Its functions only trap.
fn component(world: &str, alter: impl Fn(String) -> String) -> Vec<u8> {
    built(world, alter, |module| module)
}

/// As [`component`]; `edit` goes over the core module before it becomes a component.
pub fn built(world: &str, alter: impl Fn(String) -> String, edit: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let (resolve, world) = scratch(world, alter);
    let abi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);
    let mut module = edit(wit_component::dummy_module(&resolve, world, abi));
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// The contract of a host that was built from a scratch copy of the WIT.
fn host(alter: impl Fn(String) -> String) -> Contract {
    let (resolve, world) = scratch("shop", alter);
    Contract::new(&wit_component::metadata::encode(&resolve, world, StringEncoding::UTF8, None).unwrap()).unwrap()
}

/// A scratch copy of the contract's files.
fn scratch(world: &str, alter: impl Fn(String) -> String) -> (Resolve, WorldId) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/v0.1");
    let mut sources = SourceMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        sources.push(&path, alter(std::fs::read_to_string(&path).unwrap()));
    }
    let group = sources.parse().map_err(|(map, error)| error.render(&map)).unwrap();
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    let package = resolve.push_group(group).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    (resolve, world)
}

/// As [`component`], with one text replaced that must be there.
fn altered(old: &str, new: &str) -> Vec<u8> {
    let found = std::cell::Cell::new(false);
    let bytes = component("shop", |text| {
        found.set(found.get() || text.contains(old));
        text.replace(old, new)
    });
    assert!(found.get(), "the contract has no `{old}` any more");
    bytes
}

fn mismatch(bytes: &[u8]) -> Mismatch {
    match check(bytes) {
        Err(CheckError::Mismatch(mismatch)) => *mismatch,
        other => panic!("expected a mismatch, got {other:?}"),
    }
}

#[test]
fn abilities_are_the_exported_interfaces() {
    for (world, source, target) in [("shop", true, true), ("reader", true, false), ("writer", false, true)] {
        let checked = check(&component(world, |text| text)).unwrap();
        assert_eq!(checked, Checked { source, target, unknown: Vec::new() }, "{world}");
    }
    assert!(matches!(check(&component("powers", |text| text)), Err(CheckError::NoConnector)));
}

#[test]
fn an_ability_that_this_host_does_not_know_is_noted() {
    let bytes = component("shop", |text| {
        text.replace(
            "/// Reads and writes.\nworld shop {",
            "interface endpoint { receive: func(); }\nworld shop {\n  export endpoint;",
        )
    });
    let checked = check(&bytes).unwrap();
    assert_eq!(checked.unknown, ["tradepost:connector/endpoint@0.1.0-draft.1"]);
}

#[test]
fn another_shape_is_refused_with_function_and_field() {
    for (old, new, interface, item, path, host, component) in [
        (
            "    amount: option<decimal>,",
            "    amount: option<s64>,",
            "source",
            "pull",
            "result.ok.records[].prices[].amount",
            "`string`",
            "`s64`",
        ),
        (
            "    head: head, number: string,",
            "    head: head, no: string,",
            "source",
            "pull",
            "result.ok.records[].orders[].number",
            "the field `number`",
            "the field `no`",
        ),
        (
            "enum removal { deactivate, delete }",
            "enum removal { deactivate, delete, archive }",
            "connector",
            "describe",
            "result.abilities[].writing.removals[].archive",
            "no more",
            "the name `archive`",
        ),
        (
            "acknowledge: func(kind: kind, receipt: string)",
            "acknowledge: func(receipt: string)",
            "source",
            "acknowledge",
            "",
            "the parameters (kind, receipt)",
            "the parameters (receipt)",
        ),
        ("  preview: func() -> bool;", "  preview: func() -> u8;", "platform", "preview", "result", "`bool`", "`u8`"),
        (
            "  preview: func() -> bool;",
            "  preview: func() -> bool;\n  lock: func();",
            "platform",
            "lock",
            "",
            "nothing",
            "a function",
        ),
    ] {
        let found = mismatch(&altered(old, new));
        assert_eq!(found.interface, interface, "{new}");
        assert_eq!(found.component_version, "0.1.0-draft.1");
        let expected = Difference {
            item: item.to_owned(),
            path: path.to_owned(),
            host: host.to_owned(),
            component: component.to_owned(),
        };
        assert_eq!(found.difference, Some(expected), "{new}");
    }
}

#[test]
fn a_function_that_is_gone_is_named() {
    let found = mismatch(&altered("  acknowledge: func(kind: kind, receipt: string) -> result<_, error>;", ""));
    let difference = found.difference.unwrap();
    assert_eq!((difference.item.as_str(), difference.component.as_str()), ("acknowledge", "nothing"));
}

#[test]
fn another_version_is_refused_by_name_even_with_equal_types() {
    let found = mismatch(&altered("@0.1.0-draft.1", "@0.1.0-draft.7"));
    assert_eq!(found.difference, None);
    assert_eq!(
        found.to_string(),
        "the component was built for `tradepost:connector/connector@0.1.0-draft.7`, this host has 0.1.0-draft.1; build \
         it again with the `wit` folder of 0.1.0-draft.1"
    );
    let found = mismatch(&component("shop", |text| {
        text.replace("@0.1.0-draft.1", "@0.2.0").replace("check: func()", "check: func(deep: bool)")
    }));
    let text = found.to_string();
    assert!(text.contains("@0.2.0") && text.contains("has 0.1.0-draft.1: `check`"), "{text}");
}

/// A release of the track, for the rules that begin with it.
fn released(version: &'static str) -> impl Fn(String) -> String {
    move |text| text.replace("@0.1.0-draft.1", &format!("@{version}"))
}

fn difference(result: Result<Checked, CheckError>) -> Mismatch {
    match result {
        Err(CheckError::Mismatch(mismatch)) => *mismatch,
        other => panic!("expected a mismatch, got {other:?}"),
    }
}

#[test]
fn a_function_added_to_an_imported_interface_leaves_old_components_usable() {
    let with_lock =
        |text: String| text.replace("  preview: func() -> bool;", "  preview: func() -> bool;\n  lock: func();");
    for (old, new) in [("0.1.0-draft.1", "0.1.0-draft.1"), ("0.1.0", "0.1.1")] {
        let grown = host(|text| released(new)(with_lock(text)));
        let before = component("shop", released(old));
        assert!(grown.check(&before).is_ok(), "built for {old}, host {new}");
        let after = component("shop", |text| released(new)(with_lock(text)));
        assert!(grown.check(&after).is_ok());
        // The other way round the function is missing, and is named.
        let found = difference(host(released(old)).check(&after));
        assert_eq!(found.difference.unwrap().item, "lock");
    }
}

/// The engine finds what an older component of the track imports among what a newer host lends.
#[test]
fn a_component_of_an_older_release_links_with_what_a_newer_host_lends() {
    let with_lock =
        |text: String| text.replace("  preview: func() -> bool;", "  preview: func() -> bool;\n  lock: func();");
    let engine = wasmtime::Engine::default();
    let compiled = |bytes: Vec<u8>| wasmtime::component::Component::new(&engine, bytes).unwrap();
    let older = compiled(component("shop", released("0.1.0")));
    let newer = compiled(component("shop", |text| released("0.1.1")(with_lock(text))));
    // Lends what a component of its own version imports.
    let lends = |component: &wasmtime::component::Component| {
        let mut linker = wasmtime::component::Linker::<()>::new(&engine);
        linker.define_unknown_imports_as_traps(component).unwrap();
        linker
    };
    lends(&newer).instantiate_pre(&older).unwrap();
    let refused = lends(&older).instantiate_pre(&newer).err().unwrap();
    assert!(format!("{refused:?}").contains("lock"), "{refused:?}");
}

#[test]
fn a_function_added_to_an_exported_interface_is_refused_by_name() {
    let grown = |text: String| {
        text.replace(
            "  pull: func(request: request) -> result<page, error>;",
            "  pull: func(request: request) -> result<page, error>;\n  count: func() -> u64;",
        )
    };
    for (old, new) in [("0.1.0-draft.1", "0.1.0-draft.1"), ("0.1.0", "0.1.1")] {
        let found = difference(host(|text| released(new)(grown(text))).check(&component("shop", released(old))));
        assert_eq!((found.interface.as_str(), found.component_version.as_str()), ("source", old));
        let difference = found.difference.unwrap();
        assert_eq!((difference.item.as_str(), difference.component.as_str()), ("count", "nothing"));
    }
}

#[test]
fn a_record_that_changed_is_refused_by_name() {
    let changed =
        |text: String| text.replace("    head: head, number: string,", "    head: head, number: string, mark: string,");
    for (old, new) in [("0.1.0-draft.1", "0.1.0-draft.1"), ("0.1.0", "0.1.1")] {
        let found = difference(host(|text| released(new)(changed(text))).check(&component("shop", released(old))));
        let text = found.to_string();
        let difference = found.difference.unwrap();
        assert!(difference.path.contains("orders[]") && difference.host.contains("mark"), "{difference:?}");
        assert!(text.contains(old) && text.contains(new) && text.contains("build it again"), "{text}");
    }
}

#[test]
fn releases_of_another_track_and_drafts_of_a_release_are_refused() {
    for (ours, theirs) in [("0.1.1", "0.2.0"), ("0.1.0", "0.1.0-draft.1"), ("0.1.0-draft.2", "0.1.0-draft.1")] {
        let found = difference(host(released(ours)).check(&component("shop", released(theirs))));
        assert_eq!(found.difference, None, "{theirs} on {ours}");
    }
}

#[test]
fn imports_of_others_are_refused_before_anything_is_compiled() {
    let with = |import: &'static str| {
        let (package, rest) = import.split_once('/').unwrap();
        let (interface, version) = rest.split_once('@').unwrap();
        let (world, package) = (format!("world shop {{\n  import {import};"), package.to_owned());
        let (interface, version) = (interface.to_owned(), version.to_owned());
        component("shop", move |text| {
            if !text.contains("world shop {") {
                return text;
            }
            let text = text.replace("world shop {", &world);
            format!("{text}\npackage {package}@{version} {{ interface {interface} {{ touch: func(); }} }}\n")
        })
    };
    for lent in ["wasi:http/types@0.2.0", "wasi:http/outgoing-handler@0.2.9", "wasi:clocks/wall-clock@0.2.12"] {
        assert!(check(&with(lent)).is_ok(), "{lent}");
    }
    for refused in [
        "wasi:http/types@0.3.0",
        "wasi:http/outgoing-handler@0.2.0-rc.1",
        "wasi:http/incoming-handler@0.2.0",
        "wasi:keyvalue/store@0.2.0",
        "wasi:cli/environment@0.3.0",
        "tradepost:connectors/http@0.1.0",
    ] {
        match check(&with(refused)) {
            Err(CheckError::Import { import }) => assert_eq!(import, refused),
            other => panic!("{refused}: {other:?}"),
        }
    }
}

#[test]
fn a_damaged_file_is_refused() {
    let bytes = component("shop", |text| text);
    for end in [9, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(matches!(check(&bytes[..end]), Err(CheckError::Malformed { .. })), "{end} of {}", bytes.len());
    }
}

#[test]
fn an_asynchronous_component_is_refused_with_a_sentence() {
    let error = check(&altered("check: func()", "check: async func()")).unwrap_err();
    assert!(matches!(error, CheckError::Async), "{error:?}");
    assert!(error.to_string().contains("plain functions"));
}

async fn load(bytes: Vec<u8>) -> Result<Build, LoadError> {
    Build::load(&Engine::new(None).unwrap(), bytes.into(), None).await
}

#[tokio::test]
async fn a_connector_that_traps_while_it_describes_itself_is_refused() {
    let error = load(component("shop", |text| text)).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, LoadError::Describe { .. }) && text.contains("unreachable"), "{text}");
}

#[tokio::test]
async fn files_that_are_no_connectors_are_refused_before_they_are_compiled() {
    let core = b"\0asm\x01\0\0\0".to_vec();
    assert!(matches!(load(core).await, Err(LoadError::CoreModule)));
    let other = altered("@0.1.0-draft.1", "@0.1.0-draft.2");
    assert!(matches!(load(other).await, Err(LoadError::Check(_))));
}
