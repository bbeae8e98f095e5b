//! Finds or installs what compiles for wasm32-wasip2.
//!
//! The standard way is rustup's own target. Where rustup cannot download it, Debian's packages bring a compiler with the sources of
//! its standard library, from which cargo builds the target's library itself (`-Zbuild-std`, about 30 s once per target folder).
//! What is there already is used without asking the network.

mod debian;

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Error, Progress, Step, Workspace,
    lock::{Lock, install_lock},
    system::{Call, Machine, System, last_lines},
};

use debian::Debian;

/// The target of all connectors.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Names the one way to take, `rustup` or `debian`, instead of the best one; for testing the other.
pub const CHOICE_VARIABLE: &str = "TRADEPOST_WASM_TOOLCHAIN";

/// rustup tries again for a very long time where packets vanish; a slow line still gets its 30 MB in this time.
const RUSTUP_AT_MOST: Duration = Duration::from_secs(300);

/// A compiler, linker and standard library for wasm32-wasip2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// The active compiler has the target; nothing is to be said to cargo.
    Native,
    Debian(Debian),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Best,
    Rustup,
    Debian,
}

impl Choice {
    fn parse(value: Option<&str>) -> Result<Self, Error> {
        match value {
            None | Some("") => Ok(Self::Best),
            Some("rustup") => Ok(Self::Rustup),
            Some("debian") => Ok(Self::Debian),
            Some(value) => Err(Error::UnknownChoice { value: value.to_owned() }),
        }
    }
}

/// What the active compiler says of itself.
#[derive(Debug, Clone)]
struct Rustc {
    sysroot: PathBuf,
    host: String,
    target_libraries: PathBuf,
}

impl Rustc {
    fn ask(system: &dyn System, folder: &Path) -> Result<Self, Error> {
        let mut call = Call::new(
            "rustc",
            ["--target", TARGET, "--print", "sysroot", "--print", "host-tuple", "--print", "target-libdir"],
        );
        // Where a toolchain file or an override of rustup may name another compiler.
        call.folder = Some(folder.to_owned());
        let answer = system.read(&call, &|_| {})?;
        let lines: Vec<&str> = answer.lines().map(str::trim).collect();
        let [sysroot, host, target_libraries] = lines[..] else {
            return Err(Error::Answer {
                command: call.to_string(),
                reason: format!("three lines were expected, not {}", lines.len()),
            });
        };
        Ok(Self { sysroot: sysroot.into(), host: host.to_owned(), target_libraries: target_libraries.into() })
    }

    fn has_target(&self, system: &dyn System) -> bool {
        system.files(&self.target_libraries).iter().any(|file| {
            let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    }

    /// The folder of the linkers that come with the compiler.
    fn linkers(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib").join(&self.host).join("bin")
    }
}

impl Toolchain {
    /// Finds the tool chain, or installs it; says what it does while it installs, and nothing when it is there.
    ///
    /// The compiler is the one that is active in the workspace; what has to be built for the tool chain is kept in the
    /// workspace's target folder.
    ///
    /// # Errors
    /// When there is no Rust, or neither rustup nor Debian's packages can bring the target; the error says what to do.
    pub fn ensure(workspace: &Workspace, progress: &Progress<'_>) -> Result<Self, Error> {
        let choice = Choice::parse(env::var(CHOICE_VARIABLE).ok().as_deref())?;
        let tools = workspace.tools_folder();
        if let Some(toolchain) = find(&Machine, choice, workspace.root(), &tools)? {
            return Ok(toolchain);
        }
        let lock = install_lock(cargo_home(), workspace.target_folder());
        let _lock = Lock::take(&lock, "installing the wasm tool chain", progress)?;
        install(&Machine, choice, workspace.root(), &tools, progress)
    }

    /// What to set for a cargo that builds with this tool chain.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        match &self.0 {
            Kind::Native => Vec::new(),
            Kind::Debian(debian) => debian.environment(),
        }
    }

    /// What to add to the arguments of that cargo.
    pub(crate) fn arguments(&self) -> &'static [&'static str] {
        match self.0 {
            Kind::Native => &[],
            Kind::Debian(_) => &["-Zbuild-std=std,panic_abort"],
        }
    }
}

/// The tool chain that is there already.
fn find(system: &dyn System, choice: Choice, folder: &Path, tools: &Path) -> Result<Option<Toolchain>, Error> {
    let rustc = Rustc::ask(system, folder)?;
    if choice != Choice::Debian && rustc.has_target(system) {
        return Ok(Some(Toolchain(Kind::Native)));
    }
    if choice != Choice::Rustup
        && let Ok(debian) = Debian::find(system, &rustc, tools)
    {
        return Ok(Some(Toolchain(Kind::Debian(debian))));
    }
    Ok(None)
}

/// Installs the tool chain. To be called by one process at a time.
fn install(
    system: &dyn System,
    choice: Choice,
    folder: &Path,
    tools: &Path,
    progress: &Progress<'_>,
) -> Result<Toolchain, Error> {
    // Another process may have done it while this one waited.
    if let Some(toolchain) = find(system, choice, folder, tools)? {
        return Ok(toolchain);
    }
    let rustup = if choice == Choice::Debian {
        "was not asked".to_owned()
    } else {
        match add_target(system, folder, progress)? {
            Ok(()) => return Ok(Toolchain(Kind::Native)),
            Err(reason) if choice == Choice::Rustup => return Err(Error::Rustup { reason }),
            Err(reason) => reason,
        }
    };
    let rustc = Rustc::ask(system, folder)?;
    Debian::install(system, &rustc, tools, &rustup, progress).map(|debian| Toolchain(Kind::Debian(debian)))
}

/// Lets rustup add the target; the inner result is why it could not.
fn add_target(system: &dyn System, folder: &Path, progress: &Progress<'_>) -> Result<Result<(), String>, Error> {
    progress(Step::Begun("installing the target wasm32-wasip2 with rustup"));
    // With a backtrace the reason would not be the last thing it says.
    let mut call = Call::new("rustup", ["target", "add", TARGET]).env("RUST_BACKTRACE", "0");
    call.folder = Some(folder.to_owned());
    call.at_most = Some(RUSTUP_AT_MOST);
    let reason = match system.run(&call, progress) {
        Ok(printed) if !printed.success => reason(&printed.stderr),
        Err(Error::Start { .. }) => "is not installed".to_owned(),
        Err(Error::TimedOut { seconds, .. }) => format!("did not end within {seconds} s"),
        Err(other) => return Err(other),
        Ok(_) if Rustc::ask(system, folder)?.has_target(system) => return Ok(Ok(())),
        // The active compiler is not rustup's, e.g. the distribution's, which comes first on PATH.
        Ok(_) => "the active rustc is not the one rustup manages".to_owned(),
    };
    progress(Step::Detail(&format!("rustup: {reason}")));
    Ok(Err(reason))
}

/// What rustup gives as its error; its last line where it gives none.
fn reason(printed: &str) -> String {
    printed
        .lines()
        .find_map(|line| line.trim().strip_prefix("error: "))
        .map_or_else(|| last_lines(printed, 1), str::to_owned)
}

fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| env::home_dir().map(|home| home.join(".cargo")))
}

#[cfg(test)]
mod tests;
