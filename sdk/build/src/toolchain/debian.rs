//! The second way: Debian's compiler with the sources of its standard library.
//!
//! Cargo stays the one that is active; only the compiler is Debian's, because sources and compiler must be of one version.
//! The linker comes with rustup's compiler, also without the target; where it does not, it is built from crates.io.

use std::path::{Path, PathBuf};

use crate::{
    Error, Progress, Step,
    system::{Call, System},
};

use super::Rustc;

/// The compiler, its sources, and the C library of the target.
const PACKAGES: [&str; 3] = ["rustc-web", "rust-web-src", "wasi-libc"];

const RUSTC: &str = "/usr/bin/rustc";
const STD_SOURCES: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
const C_LIBRARY: &str = "/usr/lib/wasm32-wasi";
const START_FILE: &str = "/usr/lib/wasm32-wasi/crt1-reactor.o";

/// The linker that turns a module into a component; the version that rustup's compiler ships.
const COMPONENT_LINKER: &str = "wasm-component-ld";
const COMPONENT_LINKER_VERSION: &str = "0.5.31";

/// Where the parts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Debian {
    component_linker: PathBuf,
    module_linker: PathBuf,
}

/// What is still missing, in the order in which it is looked for.
#[derive(Debug)]
pub(super) enum Missing {
    Packages,
    /// Installed, but not of use; installing again would not help.
    Unusable(String),
    ModuleLinker {
        llvm: u32,
    },
    ComponentLinker,
}

impl Debian {
    /// The tool chain where all its parts are installed.
    pub(super) fn find(system: &dyn System, rustc: &Rustc, tools: &Path) -> Result<Self, Missing> {
        if ![RUSTC, STD_SOURCES, START_FILE].iter().all(|file| system.is_file(Path::new(file))) {
            return Err(Missing::Packages);
        }
        let call = Call::new(RUSTC, ["-vV"]);
        let about = system.read(&call, &|_| {}).map_err(|error| Missing::Unusable(error.to_string()))?;
        let version = |label: &str| about.lines().find_map(|line| line.strip_prefix(label)).map(str::trim);
        let (Some(release), Some(llvm)) = (version("release:"), version("LLVM version:")) else {
            return Err(Missing::Unusable(format!("`{call}` does not name its versions")));
        };
        let needed = env!("CARGO_PKG_RUST_VERSION");
        if numbers(release) < numbers(needed) {
            return Err(Missing::Unusable(format!("{RUSTC} is {release}, and {needed} is needed")));
        }
        let llvm = numbers(llvm).first().copied().unwrap_or_default();
        let module_linker = module_linker(system, rustc, llvm).ok_or(Missing::ModuleLinker { llvm })?;
        let component_linker = [rustc.linkers(), tools.join("bin")]
            .into_iter()
            .map(|folder| folder.join(COMPONENT_LINKER))
            .find(|file| system.is_file(file))
            .ok_or(Missing::ComponentLinker)?;
        Ok(Self { component_linker, module_linker })
    }

    /// Installs the missing parts one after the other.
    pub(super) fn install(
        system: &dyn System,
        rustc: &Rustc,
        tools: &Path,
        rustup: &str,
        progress: &Progress<'_>,
    ) -> Result<Self, Error> {
        let mut tried = Vec::new();
        loop {
            let missing = match Self::find(system, rustc, tools) {
                Ok(debian) => return Ok(debian),
                Err(missing) => missing,
            };
            // What was installed and is missing still would be installed for ever.
            let kind = std::mem::discriminant(&missing);
            if tried.contains(&kind) {
                return Err(Error::Debian { reason: format!("still missing: {missing:?}") });
            }
            tried.push(kind);
            match missing {
                Missing::Packages => apt(system, rustup, &PACKAGES.map(str::to_owned), progress)?,
                Missing::Unusable(reason) => return Err(Error::Debian { reason }),
                Missing::ModuleLinker { llvm } => {
                    let package = linker_package(system, llvm, rustup, progress)?;
                    apt(system, rustup, &[package], progress)?;
                }
                Missing::ComponentLinker => {
                    progress(Step::Begun("building the linker wasm-component-ld (about 2 minutes, once)"));
                    let root = tools.to_string_lossy().into_owned();
                    let version = COMPONENT_LINKER_VERSION;
                    let call = Call::new(
                        "cargo",
                        ["install", COMPONENT_LINKER, "--version", version, "--locked", "--root", &root],
                    );
                    system.read(&call, progress)?;
                }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn set_module_linker(&mut self, path: &str) {
        self.module_linker = path.into();
    }

    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let flags = [
            "-L".to_owned(),
            C_LIBRARY.to_owned(),
            "-Clink-self-contained=no".to_owned(),
            format!("-Clink-arg=--wasm-ld-path={}", self.module_linker.display()),
            format!("-Clink-arg={START_FILE}"),
        ];
        [
            ("RUSTC", RUSTC.to_owned()),
            // Building the standard library is not stable yet; nothing else unstable is used.
            ("RUSTC_BOOTSTRAP", "1".to_owned()),
            ("CARGO_TARGET_WASM32_WASIP2_LINKER", self.component_linker.display().to_string()),
            // The encoded form, because a path may hold a space.
            ("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

/// A linker that understands what the compiler's LLVM writes: rustup's, or the newest of Debian's.
fn module_linker(system: &dyn System, rustc: &Rustc, llvm: u32) -> Option<PathBuf> {
    let shipped = rustc.linkers().join("gcc-ld/wasm-ld");
    if system.is_file(&shipped) {
        return Some(shipped);
    }
    system
        .files(Path::new("/usr/bin"))
        .into_iter()
        .filter_map(|file| {
            let version: u32 = file.file_name()?.to_str()?.strip_prefix("wasm-ld-")?.parse().ok()?;
            (version >= llvm).then_some((version, file))
        })
        .max()
        .map(|(_, file)| file)
}

/// The newest `lld-NN` of the suite.
fn linker_package(system: &dyn System, llvm: u32, rustup: &str, progress: &Progress<'_>) -> Result<String, Error> {
    let call = Call::new("apt-cache", ["search", "--names-only", "^lld-[0-9]+$"]);
    let listed = system.read(&call, progress)?;
    listed
        .lines()
        .filter_map(|line| line.split_whitespace().next()?.strip_prefix("lld-")?.parse::<u32>().ok())
        .filter(|version| *version >= llvm)
        .max()
        .map(|version| format!("lld-{version}"))
        .ok_or_else(|| Error::NoToolchain {
            rustup: rustup.to_owned(),
            debian: format!("no package lld-{llvm} or newer"),
        })
}

/// Installs packages; never removes one for it, such as Debian's own `rustc` or `rustup`.
fn apt(system: &dyn System, rustup: &str, packages: &[String], progress: &Progress<'_>) -> Result<(), Error> {
    let names = packages.join(" ");
    let unavailable = |debian: String| Error::NoToolchain { rustup: rustup.to_owned(), debian };
    if !system.is_file(Path::new("/usr/bin/apt-get")) {
        return Err(unavailable("this is no Debian system (there is no apt-get)".to_owned()));
    }
    if !system.is_root() {
        return Err(Error::NeedsRoot {
            rustup: rustup.to_owned(),
            command: format!("apt-get update && apt-get install --no-install-recommends {names}"),
        });
    }
    progress(Step::Begun(&format!("installing Debian's packages {names}")));
    // Another program that installs just now is waited for.
    let apt = |args: &[&str]| {
        Call::new("apt-get", ["-o", "DPkg::Lock::Timeout=300"].iter().chain(args).copied())
            .env("DEBIAN_FRONTEND", "noninteractive")
    };
    let mut install = apt(&["install", "--yes", "--no-install-recommends", "--no-remove"]);
    install.args.extend_from_slice(packages);
    // Old lists name versions that are gone. A list that cannot be renewed may still do.
    system.run(&apt(&["update"]), progress)?;
    let printed = system.run(&install, progress)?;
    if printed.success { Ok(()) } else { Err(unavailable(printed.failure(&install).to_string())) }
}

/// The numbers of a version, to be compared from the left.
fn numbers(version: &str) -> Vec<u32> {
    version.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse().ok()).collect()
}
