//! How a project of each language is built and tested.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use tradepost_build::{Connector, Python, Step, Toolchain, Tools, TypeScript, Workspace};

use crate::component::SDK_SECTION;
use crate::project::{Language, Project};
use crate::sign::beside;

/// Makes the component and notes in it what it was made with.
pub(crate) fn build(project: &Project, quick: bool, progress: &dyn Fn(Step<'_>)) -> anyhow::Result<PathBuf> {
    let (folder, manifest) = (&project.folder, &project.manifest);
    let out = project.component();
    let tools = Tools::of_this_account();
    let entry = |default: &str| manifest.entry.clone().unwrap_or_else(|| default.to_owned());
    let made = match manifest.language {
        Language::Rust => {
            let workspace = Workspace::at(folder)?.with_tools(&tools);
            let toolchain = Toolchain::ensure(&workspace, progress)?;
            let connector = Connector::new(&manifest.name);
            let connector = if quick { connector.quick() } else { connector };
            let built = toolchain.build(&workspace, &[connector], progress)?;
            built.into_iter().next().context("cargo made nothing")?.path
        }
        Language::TypeScript => {
            let made = folder.join("node_modules/.tradepost.wasm");
            let typescript = TypeScript::ensure(folder, &tools, progress)?;
            typescript.build(&entry("src/connector.ts"), &manifest.world, &made, progress)?;
            made
        }
        Language::Python => {
            let made = folder.join(".venv/.tradepost.wasm");
            let python = Python::ensure(folder, &tools, progress)?;
            python.build(&entry("connector"), &manifest.world, &made, progress)?;
            made
        }
    };
    let mut bytes = std::fs::read(&made).with_context(|| format!("{} cannot be read", made.display()))?;
    bytes.extend(note(&format!("{} {}", env!("CARGO_PKG_VERSION"), manifest.language)));
    drop_signature(&out, &bytes, progress)?;
    put(&out, &bytes)?;
    Ok(out)
}

/// Takes the signature of other bytes away before these take their place: beside them it would say that they are signed.
fn drop_signature(file: &Path, bytes: &[u8], progress: &dyn Fn(Step<'_>)) -> anyhow::Result<()> {
    let signature = beside(file);
    if !signature.exists() || std::fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    std::fs::remove_file(&signature).with_context(|| format!("{} cannot be removed", signature.display()))?;
    progress(Step::Begun(&format!(
        "removed {}: it is of the build before; sign this one with `--sign`",
        signature.display()
    )));
    Ok(())
}

/// The project's own tests, to be started. Installs what is missing.
///
/// # Errors
/// Something cannot be installed.
pub fn unit_tests(project: &Project, progress: &dyn Fn(Step<'_>)) -> anyhow::Result<Command> {
    let tools = Tools::of_this_account();
    Ok(match project.manifest.language {
        Language::Rust => {
            let mut command = Command::new("cargo");
            command.args(["test", "--quiet"]).current_dir(&project.folder);
            command
        }
        Language::TypeScript => TypeScript::ensure(&project.folder, &tools, progress)?.test(),
        Language::Python => Python::ensure(&project.folder, &tools, progress)?.test(),
    })
}

/// The program of a command in `connector.toml`: `node` and `python` are those that the project is built with.
///
/// # Errors
/// There is no node, and none can be installed.
pub fn program(project: &Project, name: &str, progress: &dyn Fn(Step<'_>)) -> anyhow::Result<String> {
    match name {
        "node" => Ok(Tools::of_this_account().node(progress)?.program("node")),
        "python" => {
            let own = project.folder.join(".venv/bin/python");
            Ok(if own.is_file() { own.display().to_string() } else { Tools::of_this_account().python()? })
        }
        other => Ok(other.to_owned()),
    }
}

/// A custom section at a component's end.
fn note(text: &str) -> Vec<u8> {
    let small = |length: usize| u8::try_from(length).ok().filter(|length| *length < 0x80);
    // Name and text are short: each length is one byte.
    let (Some(name), Some(all)) = (small(SDK_SECTION.len()), small(1 + SDK_SECTION.len() + text.len())) else {
        return Vec::new();
    };
    [&[0, all, name], SDK_SECTION.as_bytes(), text.as_bytes()].concat()
}

/// Writes a file so that a reader sees the old or the new one; leaves it alone when it is the same.
///
/// # Errors
/// The disk refuses.
pub fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let written = (|| {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let new = path.with_added_extension("new");
        std::fs::write(&new, bytes)?;
        std::fs::rename(&new, path)
    })();
    written.with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::Component;

    #[test]
    fn the_note_is_found_again() {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend(note("0.1.0 rust"));
        assert_eq!(Component::read(&bytes).sdk.as_deref(), Some("0.1.0 rust"));
    }

    #[test]
    fn a_signature_goes_with_the_bytes_that_it_is_of() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("a.wasm");
        std::fs::write(&file, "old").unwrap();
        std::fs::write(beside(&file), "of the old").unwrap();
        let told = std::cell::RefCell::new(Vec::new());
        let tell = |step: Step<'_>| {
            if let Step::Begun(text) = step {
                told.borrow_mut().push(text.to_owned());
            }
        };
        drop_signature(&file, b"old", &tell).unwrap();
        assert!(beside(&file).exists() && told.borrow().is_empty());
        drop_signature(&file, b"new", &tell).unwrap();
        assert!(!beside(&file).exists());
        assert!(told.borrow()[0].contains("a.wasm.minisig"), "{told:?}");
    }
}
