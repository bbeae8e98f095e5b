//! The machine as the tool chain sees it: programs to run and files that are there or not.
//! Behind a trait, so that the decisions can be tested for machines other than this one.

use std::{
    env,
    ffi::OsString,
    fmt, fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{Error, Progress, Step};

/// One program to run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) folder: Option<PathBuf>,
    /// After this the program is stopped; without it, it may take as long as it likes.
    pub(crate) at_most: Option<Duration>,
    /// Leaves the caller's target folder in the environment, which is otherwise removed.
    pub(crate) keep_target_folder: bool,
}

impl Call {
    pub(crate) fn new<S: Into<String>>(program: &str, args: impl IntoIterator<Item = S>) -> Self {
        Self { program: program.to_owned(), args: args.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program)?;
        self.args.iter().try_for_each(|arg| write!(f, " {arg}"))
    }
}

/// What a program printed.
#[derive(Debug, Clone)]
pub(crate) struct Printed {
    pub(crate) success: bool,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Printed {
    /// The failure as an error that shows the end of what was printed.
    pub(crate) fn failure(&self, call: &Call) -> Error {
        let printed = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        Error::Failed { command: call.to_string(), status: self.status, output: last_lines(printed, 20) }
    }
}

/// The last `count` lines of a text, without the white space around it.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

pub(crate) trait System {
    /// Runs a program to its end; each line it prints to stderr is also reported as a detail.
    ///
    /// # Errors
    /// When the program cannot be started or takes too long. A program that reports failure is no error here.
    fn run(&self, call: &Call, progress: &Progress<'_>) -> Result<Printed, Error>;

    fn is_file(&self, path: &Path) -> bool;

    /// The files of a folder in the order of their names; none where there is no such folder.
    fn files(&self, folder: &Path) -> Vec<PathBuf>;

    fn is_root(&self) -> bool;

    /// Runs a program and answers its stdout.
    ///
    /// # Errors
    /// As [`System::run`], and when the program reports failure.
    fn read(&self, call: &Call, progress: &Progress<'_>) -> Result<String, Error> {
        let printed = self.run(call, progress)?;
        if printed.success { Ok(printed.stdout) } else { Err(printed.failure(call)) }
    }
}

/// The machine this runs on.
pub(crate) struct Machine;

impl System for Machine {
    fn run(&self, call: &Call, progress: &Progress<'_>) -> Result<Printed, Error> {
        let start_failed = |source| Error::Start { program: call.program.clone(), source };
        let mut child = command(call).spawn().map_err(start_failed)?;
        let stdout = child.stdout.take().expect("stdout was piped above");
        let stderr = child.stderr.take().expect("stderr was piped above");

        // Both pipes have to be read at once, or the program stops at a full one. Progress stays on this thread.
        let (lines, heard) = std::sync::mpsc::channel();
        let collect = thread::spawn(move || read_all(stdout));
        let report = thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                // The receiver is gone only when the program was stopped; then nobody needs the line.
                let _ = lines.send(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        });
        let deadline = call.at_most.map(|at_most| Instant::now() + at_most);
        let mut printed = String::new();
        loop {
            let line = match deadline {
                None => heard.recv().ok(),
                Some(deadline) => match heard.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                    Ok(line) => Some(line),
                    Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
                    Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                        stop(&mut child);
                        return Err(Error::TimedOut {
                            command: call.to_string(),
                            seconds: call.at_most.unwrap_or_default().as_secs(),
                        });
                    }
                },
            };
            let Some(line) = line else { break };
            if !line.is_empty() {
                progress(Step::Detail(&line));
            }
            printed.push_str(&line);
            printed.push('\n');
        }
        let status = child.wait().map_err(start_failed)?;
        let stdout = collect.join().unwrap_or_default();
        // It ended when the channel closed; a panic in it would only have lost progress lines.
        let _ = report.join();
        Ok(Printed { success: status.success(), status, stdout, stderr: printed })
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    fn is_root(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
        }
        #[cfg(not(unix))]
        {
            false
        }
    }
}

fn stop(child: &mut Child) {
    // Both fail only when the program has just ended by itself, which is what is wanted.
    let _ = child.kill();
    let _ = child.wait();
}

fn read_all(mut from: impl Read) -> String {
    let mut bytes = Vec::new();
    match from.read_to_end(&mut bytes) {
        Ok(_) | Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

fn command(call: &Call) -> Command {
    let mut command = Command::new(&call.program);
    command.args(&call.args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(folder) = &call.folder {
        command.current_dir(folder);
    }
    for (name, _) in env::vars_os() {
        if !is_passed_on(&name, call.keep_target_folder) {
            command.env_remove(name);
        }
    }
    command.envs(call.env.iter().map(|(name, value)| (name, value)));
    command
}

/// Whether a variable of our own environment is for the programs we run.
///
/// `cargo test`, `cargo run`, clippy and coverage tools describe the *outer* build in variables; an inner cargo would take
/// them for its own: build for the wrong target, with the wrong flags, or everything again because they differ each time.
fn is_passed_on(name: &OsString, keep_target_folder: bool) -> bool {
    // What a person says about the network, the registry and the machine holds for the inner cargo too.
    const KEPT: [&str; 8] = [
        "CARGO_HOME",
        "CARGO_NET_",
        "CARGO_HTTP_",
        "CARGO_REGISTRIES_",
        "CARGO_REGISTRY_",
        "CARGO_SOURCE_",
        "CARGO_BUILD_JOBS",
        "CARGO_TERM_",
    ];
    const TARGET_FOLDER: [&str; 2] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];
    const DROPPED: [&str; 7] =
        ["CARGO", "RUSTC", "RUSTDOC", "RUSTFLAGS", "MAKEFLAGS", "MFLAGS", crate::VERSION_VARIABLE];
    let Some(name) = name.to_str() else {
        return true;
    };
    if TARGET_FOLDER.contains(&name) {
        return keep_target_folder;
    }
    if KEPT.iter().any(|kept| name.starts_with(kept)) {
        return true;
    }
    !(DROPPED.contains(&name)
        || ["CARGO_", "RUSTC_", "RUSTDOC", "__CARGO", "CLIPPY_"].iter().any(|start| name.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn passed_on(name: &str) -> bool {
        is_passed_on(&name.into(), false)
    }

    #[test]
    fn the_outer_build_is_not_passed_on() {
        for name in [
            "CARGO",
            "CARGO_MANIFEST_DIR",
            "CARGO_PKG_VERSION",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_MAKEFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_TARGET_DIR",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_WASM32_WASIP2_LINKER",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC_BOOTSTRAP",
            "RUSTFLAGS",
            "RUSTDOCFLAGS",
            "CLIPPY_ARGS",
            "TRADEPOST_CONNECTOR_VERSION",
        ] {
            assert!(!passed_on(name), "{name}");
        }
    }

    #[test]
    fn the_persons_own_settings_are_passed_on() {
        for name in [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
            "CARGO_NET_OFFLINE",
            "CARGO_HTTP_PROXY",
            "CARGO_REGISTRIES_MIRROR_INDEX",
            "https_proxy",
        ] {
            assert!(passed_on(name), "{name}");
        }
        assert!(is_passed_on(&"CARGO_TARGET_DIR".into(), true));
    }

    #[test]
    fn a_program_is_heard_while_it_runs() {
        let said = std::cell::RefCell::new(Vec::new());
        let progress = |step: Step<'_>| said.borrow_mut().push(step.text().to_owned());
        let call = Call::new("sh", ["-c", "echo out; echo one >&2; echo two >&2; exit 3"]);
        let printed = Machine.run(&call, &progress).unwrap();
        assert_eq!(printed.status.code(), Some(3));
        assert_eq!(printed.stdout, "out\n");
        assert_eq!(*said.borrow(), ["one", "two"]);
        assert!(printed.failure(&call).to_string().contains("two"));
    }

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let mut call = Call::new("sleep", ["60"]);
        call.at_most = Some(Duration::from_millis(50));
        let started = Instant::now();
        let error = Machine.run(&call, &|_| {}).unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error}");
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Machine.run(&Call::new("no-such-program-here", [""; 0]), &|_| {}).unwrap_err();
        assert!(matches!(error, Error::Start { ref source, .. } if source.kind() == io::ErrorKind::NotFound));
    }
}
