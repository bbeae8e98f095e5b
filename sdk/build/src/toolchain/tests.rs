//! The decisions on machines that differ in what they have.

use std::{cell::RefCell, collections::BTreeSet, io, os::unix::process::ExitStatusExt, process::ExitStatus};

use crate::system::Printed;

use super::*;

const SYSROOT: &str = "/rust";
const LIBRARY: &str = "/rust/lib/rustlib/wasm32-wasip2/lib/libstd-1.rlib";
const SHIPPED_COMPONENT_LINKER: &str = "/rust/lib/rustlib/x86_64-unknown-linux-gnu/bin/wasm-component-ld";
const SHIPPED_MODULE_LINKER: &str = "/rust/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld/wasm-ld";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
const DEBIAN_START_FILE: &str = "/usr/lib/wasm32-wasi/crt1-reactor.o";
const APT: &str = "/usr/bin/apt-get";

const RUSTUP_ADD: &str = "rustup target add wasm32-wasip2";
const APT_UPDATE: &str = "apt-get -o DPkg::Lock::Timeout=300 update";
const APT_INSTALL: &str = "apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends --no-remove rustc-web rust-web-src wasi-libc";
const APT_INSTALL_LINKER: &str =
    "apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends --no-remove lld-22";
const BUILD_LINKER: &str = "cargo install wasm-component-ld --version 0.5.31 --locked --root /tools";

/// A machine on paper. Installing succeeds where it is said so, and puts the files there.
struct Paper {
    files: RefCell<BTreeSet<PathBuf>>,
    rustup: Rustup,
    apt_knows: bool,
    apt_brings_files: bool,
    root: bool,
    debian_release: &'static str,
    ran: RefCell<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Rustup {
    Absent,
    Offline,
    Hangs,
    Works,
    /// Adds the target to a compiler that is not the active one.
    Beside,
}

/// A machine with rustup's compiler and Debian's package manager, where nothing can be installed yet.
fn paper() -> Paper {
    let files = [SHIPPED_COMPONENT_LINKER, SHIPPED_MODULE_LINKER, APT].map(PathBuf::from);
    Paper {
        files: RefCell::new(files.into_iter().collect()),
        rustup: Rustup::Offline,
        apt_knows: true,
        apt_brings_files: true,
        root: true,
        debian_release: "1.96.0",
        ran: RefCell::default(),
    }
}

impl Paper {
    fn with(self, files: &[&str]) -> Self {
        self.files.borrow_mut().extend(files.iter().map(PathBuf::from));
        self
    }

    fn without(self, files: &[&str]) -> Self {
        self.files.borrow_mut().retain(|file| !files.iter().any(|gone| Path::new(gone) == file));
        self
    }

    /// What was run to change the machine; questions are not counted.
    fn changes(&self) -> Vec<String> {
        self.ran.borrow().clone()
    }

    fn ensure(&self, choice: Choice) -> Result<Toolchain, Error> {
        let (folder, tools) = (Path::new("/work"), Path::new("/tools"));
        match find(self, choice, folder, tools)? {
            Some(toolchain) => Ok(toolchain),
            None => install(self, choice, folder, tools, &|_| {}),
        }
    }
}

impl System for Paper {
    fn run(&self, call: &Call, _: &Progress<'_>) -> Result<Printed, Error> {
        let printed = |success: bool, stdout: &str, stderr: &str| {
            let status = ExitStatus::from_raw(if success { 0 } else { 256 });
            Ok(Printed { success, status, stdout: stdout.to_owned(), stderr: stderr.to_owned() })
        };
        let add = |files: &[&str]| self.files.borrow_mut().extend(files.iter().map(PathBuf::from));
        let line = call.to_string();
        if line.starts_with("rustc ") {
            return printed(
                true,
                &format!("{SYSROOT}\nx86_64-unknown-linux-gnu\n{SYSROOT}/lib/rustlib/{TARGET}/lib\n"),
                "",
            );
        }
        if line == "/usr/bin/rustc -vV" {
            let release = self.debian_release;
            return printed(true, &format!("rustc {release}\nrelease: {release}\nLLVM version: 22.1.8\n"), "");
        }
        if line.starts_with("apt-cache ") {
            return printed(true, "lld-14 - LLVM-based linker\nlld-22 - LLVM-based linker\nlld-9 - old\n", "");
        }
        self.ran.borrow_mut().push(line.clone());
        match line.as_str() {
            RUSTUP_ADD => match self.rustup {
                Rustup::Absent => {
                    Err(Error::Start { program: call.program.clone(), source: io::ErrorKind::NotFound.into() })
                }
                Rustup::Offline => printed(
                    false,
                    "",
                    "info: downloading\nerror: could not download file\n\nStack backtrace:\n  0: main",
                ),
                Rustup::Hangs => Err(Error::TimedOut { command: line, seconds: 300 }),
                Rustup::Beside => printed(true, "", ""),
                Rustup::Works => {
                    add(&[LIBRARY]);
                    printed(true, "", "")
                }
            },
            APT_UPDATE => printed(self.apt_knows, "", "no network"),
            APT_INSTALL | APT_INSTALL_LINKER if !self.apt_knows => printed(false, "", "E: Unable to locate package"),
            APT_INSTALL => {
                if self.apt_brings_files {
                    add(&[DEBIAN_RUSTC, DEBIAN_SOURCES, DEBIAN_START_FILE]);
                }
                printed(true, "", "")
            }
            APT_INSTALL_LINKER => {
                add(&["/usr/bin/wasm-ld-22"]);
                printed(true, "", "")
            }
            BUILD_LINKER => {
                add(&["/tools/bin/wasm-component-ld"]);
                printed(true, "", "")
            }
            _ => panic!("nobody expected `{line}`"),
        }
    }

    fn is_file(&self, path: &Path) -> bool {
        self.files.borrow().contains(path)
    }

    fn files(&self, folder: &Path) -> Vec<PathBuf> {
        self.files.borrow().iter().filter(|file| file.parent() == Some(folder)).cloned().collect()
    }

    fn is_root(&self) -> bool {
        self.root
    }
}

const DEBIAN_FILES: [&str; 3] = [DEBIAN_RUSTC, DEBIAN_SOURCES, DEBIAN_START_FILE];

#[test]
fn each_machine_gets_its_tool_chain_with_the_fewest_steps() {
    struct Case {
        name: &'static str,
        machine: Paper,
        choice: Choice,
        native: bool,
        runs: &'static [&'static str],
    }
    let cases = [
        Case {
            name: "the target is there",
            machine: paper().with(&[LIBRARY]),
            choice: Choice::Best,
            native: true,
            runs: &[],
        },
        Case {
            name: "Debian's packages are there and the network is not asked",
            machine: paper().with(&DEBIAN_FILES),
            choice: Choice::Best,
            native: false,
            runs: &[],
        },
        Case {
            name: "both are there",
            machine: paper().with(&DEBIAN_FILES).with(&[LIBRARY]),
            choice: Choice::Best,
            native: true,
            runs: &[],
        },
        Case {
            name: "rustup adds the target",
            machine: Paper { rustup: Rustup::Works, ..paper() },
            choice: Choice::Best,
            native: true,
            runs: &[RUSTUP_ADD],
        },
        Case {
            name: "rustup cannot download",
            machine: paper(),
            choice: Choice::Best,
            native: false,
            runs: &[RUSTUP_ADD, APT_UPDATE, APT_INSTALL],
        },
        Case {
            name: "rustup hangs",
            machine: Paper { rustup: Rustup::Hangs, ..paper() },
            choice: Choice::Best,
            native: false,
            runs: &[RUSTUP_ADD, APT_UPDATE, APT_INSTALL],
        },
        Case {
            name: "rustup manages another compiler",
            machine: Paper { rustup: Rustup::Beside, ..paper() },
            choice: Choice::Best,
            native: false,
            runs: &[RUSTUP_ADD, APT_UPDATE, APT_INSTALL],
        },
        Case {
            name: "no rustup, so no linkers either",
            machine: Paper { rustup: Rustup::Absent, ..paper() }
                .without(&[SHIPPED_COMPONENT_LINKER, SHIPPED_MODULE_LINKER]),
            choice: Choice::Best,
            native: false,
            runs: &[RUSTUP_ADD, APT_UPDATE, APT_INSTALL, APT_UPDATE, APT_INSTALL_LINKER, BUILD_LINKER],
        },
        Case {
            name: "a linker older than the compiler's LLVM is not taken",
            machine: paper().with(&DEBIAN_FILES).with(&["/usr/bin/wasm-ld-14"]).without(&[SHIPPED_MODULE_LINKER]),
            choice: Choice::Debian,
            native: false,
            runs: &[APT_UPDATE, APT_INSTALL_LINKER],
        },
        Case {
            name: "Debian is forced though the target is there",
            machine: paper().with(&[LIBRARY]),
            choice: Choice::Debian,
            native: false,
            runs: &[APT_UPDATE, APT_INSTALL],
        },
        Case {
            name: "rustup is forced though Debian's packages are there",
            machine: Paper { rustup: Rustup::Works, ..paper() }.with(&DEBIAN_FILES),
            choice: Choice::Rustup,
            native: true,
            runs: &[RUSTUP_ADD],
        },
    ];
    for Case { name, machine, choice, native, runs } in cases {
        let toolchain = machine.ensure(choice).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(toolchain.0 == Kind::Native, native, "{name}: {toolchain:?}");
        assert_eq!(machine.changes(), runs, "{name}");
        // The second time there is nothing to do.
        assert_eq!(machine.ensure(choice).unwrap(), toolchain, "{name}");
        assert_eq!(machine.changes(), runs, "{name}");
    }
}

#[test]
fn a_failure_names_the_next_step() {
    struct Case {
        name: &'static str,
        machine: Paper,
        choice: Choice,
        error: &'static str,
        hint: &'static str,
    }
    let cases = [
        Case {
            name: "rustup is forced and offline",
            machine: paper().with(&DEBIAN_FILES),
            choice: Choice::Rustup,
            error: "wasm32-wasip2: could not download file",
            hint: "rustup target add wasm32-wasip2",
        },
        Case {
            name: "not root",
            machine: Paper { root: false, ..paper() },
            choice: Choice::Best,
            error: "by root only",
            hint: "apt-get update && apt-get install --no-install-recommends rustc-web rust-web-src wasi-libc",
        },
        Case {
            name: "no Debian",
            machine: Paper { rustup: Rustup::Absent, ..paper() }.without(&[APT]),
            choice: Choice::Best,
            error: "rustup: is not installed",
            hint: "https://rustup.rs",
        },
        Case {
            name: "a Debian without the packages",
            machine: Paper { apt_knows: false, ..paper() },
            choice: Choice::Best,
            error: "Unable to locate package",
            hint: "https://rustup.rs",
        },
        Case {
            name: "packages that do not bring what they should",
            machine: Paper { apt_brings_files: false, ..paper() },
            choice: Choice::Best,
            error: "still missing",
            hint: "rustup target add",
        },
        Case {
            name: "Debian's compiler is too old",
            machine: Paper { debian_release: "1.85.0", ..paper() },
            choice: Choice::Best,
            error: "is 1.85.0, and 1.95 is needed",
            hint: "apt-get upgrade",
        },
    ];
    for Case { name, machine, choice, error, hint } in cases {
        let failure = machine.ensure(choice).unwrap_err();
        assert!(failure.to_string().contains(error), "{name}: {failure}");
        assert!(failure.hint().unwrap().contains(hint), "{name}: {:?}", failure.hint());
    }
}

#[test]
fn the_choice_is_one_of_two_words() {
    assert_eq!(Choice::parse(None).unwrap(), Choice::Best);
    assert_eq!(Choice::parse(Some("")).unwrap(), Choice::Best);
    assert_eq!(Choice::parse(Some("rustup")).unwrap(), Choice::Rustup);
    assert_eq!(Choice::parse(Some("debian")).unwrap(), Choice::Debian);
    let error = Choice::parse(Some("Debian")).unwrap_err();
    assert!(error.hint().unwrap().contains("`debian`"));
}

#[test]
fn the_flags_survive_a_path_with_a_space() {
    let machine = paper().with(&DEBIAN_FILES);
    let Toolchain(Kind::Debian(mut debian)) = machine.ensure(Choice::Debian).unwrap() else {
        panic!("Debian was forced")
    };
    debian.set_module_linker("/my tools/wasm-ld");
    let environment = debian.environment();
    let flags = &environment.iter().find(|(name, _)| name == "CARGO_ENCODED_RUSTFLAGS").unwrap().1;
    assert!(flags.split('\u{1f}').any(|flag| flag == "-Clink-arg=--wasm-ld-path=/my tools/wasm-ld"), "{flags}");
}

#[test]
fn the_reason_is_rustups_own_error() {
    assert_eq!(reason("info: a\nerror: no network\nbacktrace"), "no network");
    assert_eq!(reason("killed\n"), "killed");
}
