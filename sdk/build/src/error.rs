//! What can go wrong, each with the step that mends it.

use std::{io, path::PathBuf, process::ExitStatus};

/// Why the tool chain could not be set up or a connector could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program is not on this machine, or could not be started.
    #[error("`{program}` could not be started")]
    Start {
        /// The program that was called.
        program: String,
        /// Why it did not start.
        #[source]
        source: io::Error,
    },
    /// A program ran and reported failure.
    #[error("`{command}` failed ({status})\n{output}")]
    Failed {
        /// The whole command line.
        command: String,
        /// How the program ended.
        status: ExitStatus,
        /// The last lines it printed.
        output: String,
    },
    /// A program did not end in time and was stopped.
    #[error("`{command}` did not end within {seconds} s and was stopped")]
    TimedOut {
        /// The whole command line.
        command: String,
        /// How long it was given.
        seconds: u64,
    },
    /// A program printed something else than its documentation says.
    #[error("`{command}` answered something unexpected: {reason}")]
    Answer {
        /// The whole command line.
        command: String,
        /// What was wrong with the answer.
        reason: String,
    },
    /// `TRADEPOST_WASM_TOOLCHAIN` has a value nobody knows.
    #[error("TRADEPOST_WASM_TOOLCHAIN is `{value}`, which is no way to get the wasm32-wasip2 target")]
    UnknownChoice {
        /// What the variable held.
        value: String,
    },
    /// `rustup` was to be used and could not add the target.
    #[error("rustup could not add the target wasm32-wasip2: {reason}")]
    Rustup {
        /// What rustup said.
        reason: String,
    },
    /// Debian's packages would do, but only root can install them.
    #[error(
        "the target wasm32-wasip2 is missing, rustup could not add it ({rustup}), and Debian's packages can be installed by root only"
    )]
    NeedsRoot {
        /// Why rustup did not help.
        rustup: String,
        /// The command that installs the packages.
        command: String,
    },
    /// Neither rustup nor Debian's packages are to be had here.
    #[error(
        "the target wasm32-wasip2 is missing, and there is no way here to install it\n  rustup: {rustup}\n  Debian: {debian}"
    )]
    NoToolchain {
        /// Why rustup did not help.
        rustup: String,
        /// Why Debian's packages did not help.
        debian: String,
    },
    /// Debian's packages are installed and still something is not where it should be.
    #[error("Debian's packages are installed, but cannot build for wasm32-wasip2: {reason}")]
    Debian {
        /// What is missing or too old.
        reason: String,
    },
    /// The source code this program was built from is no longer there.
    #[error("the source code of the connectors is not at {}", path.display())]
    NoSource {
        /// Where it was when this program was built.
        path: PathBuf,
    },
    /// No package of that name is in the workspace.
    #[error("there is no package `{package}` in {}", workspace.display())]
    UnknownPackage {
        /// The name asked for.
        package: String,
        /// The workspace looked at.
        workspace: PathBuf,
        /// The names that are there.
        known: Vec<String>,
    },
    /// The connector does not compile.
    #[error("the connector `{package}` could not be built\n{output}")]
    Compile {
        /// Its package.
        package: String,
        /// What the compiler said.
        output: String,
    },
    /// No Python is there that is new enough and can make environments.
    #[error("there is no Python of version 3.{minor} or newer with `venv`")]
    NoPython {
        /// The oldest that does.
        minor: u32,
    },
    /// The project does not ask for the SDK.
    #[error("the project has no {package}, the SDK for {language}")]
    NoSdk {
        /// The project's.
        language: &'static str,
        /// The SDK's package.
        package: &'static str,
        /// Where the project says what it needs.
        manifest: &'static str,
    },
    /// The compiler's result is no WebAssembly component.
    #[error("{} is not a WebAssembly component", path.display())]
    NotAComponent {
        /// The file that was built.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("{} could not be used", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// What a person can do about it, in a sentence or a command to type.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Start { program, .. } => match program.as_str() {
                "cargo" | "rustc" => Some("install Rust: https://rustup.rs".to_owned()),
                _ => None,
            },
            Self::UnknownChoice { .. } => {
                Some("set it to `rustup` or `debian`, or leave it out".to_owned())
            }
            Self::Rustup { .. } => Some(
                "see what `rustup target add wasm32-wasip2` says, or leave TRADEPOST_WASM_TOOLCHAIN out to use Debian's packages where rustup cannot help".to_owned(),
            ),
            Self::NeedsRoot { command, .. } => Some(format!(
                "run `rustup target add wasm32-wasip2` where there is a network, or, as root: {command}"
            )),
            Self::NoToolchain { .. } => Some(
                "install Rust with rustup (https://rustup.rs) and run `rustup target add wasm32-wasip2`".to_owned(),
            ),
            Self::Debian { .. } => Some(
                "run `apt-get update && apt-get upgrade`, or install the target with `rustup target add wasm32-wasip2`".to_owned(),
            ),
            Self::NoSource { .. } => {
                Some("run this in a clone of the repository, built there with cargo".to_owned())
            }
            Self::UnknownPackage { known, .. } => Some(format!("there are: {}", known.join(", "))),
            Self::NoPython { .. } => Some("on Debian and Ubuntu: apt-get install python3 python3-venv".to_owned()),
            Self::NoSdk { package, manifest, .. } => Some(format!("add {package} to {manifest}")),
            Self::NotAComponent { .. } => Some(
                "a connector exports the interfaces of `tradepost:connector`; is the SDK's export macro called?".to_owned(),
            ),
            Self::File { .. } => Some("is the disk full, or the folder not writable?".to_owned()),
            Self::Failed { .. } | Self::TimedOut { .. } | Self::Answer { .. } | Self::Compile { .. } => None,
        }
    }
}
