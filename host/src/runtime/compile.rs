//! Compiling connectors: one at a time, in a process of its own that gives way to everything else, with limited memory
//! and time. A component of another language than Rust keeps a processor busy for many seconds and takes hundreds of
//! megabytes; one made to break the compiler takes what it gets.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, nice, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

use super::engine::LoadError;
use crate::crash;

/// The program's hidden command that compiles what comes in on stdin and writes the code to stdout.
pub const COMMAND: &str = "compile-connector";
/// Largest code that is taken from the compiling process.
const CODE: u64 = 1 << 30;
/// Most of its words.
const WORDS: u64 = 4 << 10;
/// How much it gives way: to a quarter of what another process gets. With less it stands still beside two that are busy, and a
/// start waits for it.
const NICE: i32 = 6;
/// Exit code for a component that the compiler refuses; its words are on stderr.
pub const REFUSED: u8 = 3;

/// Limits of the compiling process: table `[compile]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CompileLimits {
    /// Bytes of memory. 1.5 GiB.
    pub memory: u64,
    /// Seconds. 300.
    pub seconds: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self { memory: 3 << 29, seconds: 300 }
    }
}

/// Who compiles.
#[derive(Debug, Clone, Default)]
pub enum Place {
    /// This process: for tests, and for commands that load few files and end.
    #[default]
    Here,
    /// A process of this program, which has the command [`COMMAND`].
    Child(PathBuf),
}

impl Place {
    /// A process of the running program itself, also when its file was replaced meanwhile.
    #[must_use]
    pub fn this_program() -> Self {
        Self::Child("/proc/self/exe".into())
    }
}

/// Compiles one component at a time.
pub(super) struct Compiler {
    place: Place,
    limits: CompileLimits,
    one: Semaphore,
}

impl Compiler {
    pub(super) fn new(place: Place, limits: CompileLimits) -> Self {
        Self { place, limits, one: Semaphore::new(1) }
    }

    /// The code of a component that was checked.
    pub(super) async fn compile(&self, engine: &wasmtime::Engine, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        // Never closed.
        let _turn = self.one.acquire().await;
        match &self.place {
            Place::Child(program) => self.in_child(program, component).await,
            Place::Here => {
                let (engine, component) = (engine.clone(), component.to_vec());
                let work = move || compile(&engine, &component);
                let compiled = tokio::task::spawn_blocking(work).await.map_err(LoadError::Lost)?;
                compiled.map_err(|message| LoadError::Compile { message })
            }
        }
    }

    async fn in_child(&self, program: &PathBuf, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        let failed = |source| LoadError::Compiler { source };
        let mut child = Command::new(program)
            .args([COMMAND, "--memory", &self.limits.memory.to_string(), "--seconds", &self.limits.seconds.to_string()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let piped = || std::io::Error::other("the compiling process has no pipes");
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed(piped()));
        };
        let (mut code, mut words) = (Vec::new(), Vec::new());
        let work = async {
            let (_, read, _) = tokio::join!(
                async {
                    // One that ended early says why by itself.
                    let _ = stdin.write_all(component).await;
                    drop(stdin);
                    crash::point(crash::Point::Compiling);
                },
                async { stdout.take(CODE).read_to_end(&mut code).await },
                async { stderr.take(WORDS).read_to_end(&mut words).await },
            );
            read?;
            child.wait().await
        };
        let Ok(ended) = tokio::time::timeout(Duration::from_secs(self.limits.seconds), work).await else {
            let seconds = self.limits.seconds;
            let message = format!(
                "it took longer than the limit of {seconds} seconds; raise it with `[compile] seconds = ...` in the \
                 configuration"
            );
            return Err(LoadError::Compile { message });
        };
        let status = ended.map_err(failed)?;
        let words = super::log::escaped(String::from_utf8_lossy(&words).trim());
        if status.success() {
            return Ok(code);
        }
        let message = match status.code() {
            Some(code) if code == i32::from(REFUSED) => words,
            // It cannot say so itself: without memory there are no words.
            _ => format!(
                "the compiler ended with {status}; it may have reached the limit of {} bytes, raise it with `[compile] \
                 memory = ...` in the configuration. {words}",
                self.limits.memory
            ),
        };
        Err(LoadError::Compile { message })
    }
}

/// Compiles for the engine.
fn compile(engine: &wasmtime::Engine, component: &[u8]) -> Result<Vec<u8>, String> {
    engine.precompile_component(component).map_err(|error| format!("{error:#}"))
}

/// The compiling process: from stdin to stdout, with little power to do anything else.
///
/// # Errors
/// The compiler's words, for stderr; the process then ends with [`REFUSED`].
pub fn child(limits: &CompileLimits) -> Result<(), String> {
    // Whoever runs it may already have given way as far as possible.
    let _ = nice(NICE);
    for (resource, most) in [
        // Memory that is only reserved does not count.
        (Resource::Data, limits.memory),
        (Resource::Cpu, limits.seconds),
        // It makes no file and leaves none behind when it dies.
        (Resource::Fsize, 0),
        (Resource::Core, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
            .map_err(|error| format!("the compiling process cannot be limited: {error}"))?;
    }
    let mut component = Vec::new();
    std::io::stdin()
        .lock()
        .take(super::engine::MAX_FILE)
        .read_to_end(&mut component)
        .map_err(|error| format!("the component did not arrive: {error}"))?;
    let engine = wasmtime::Engine::new(&super::engine::config(false)).map_err(|error| format!("{error:#}"))?;
    let code = compile(&engine, &component)?;
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(&code)
        .and_then(|()| stdout.flush())
        .map_err(|error| format!("the code cannot be handed over: {error}"))
}
