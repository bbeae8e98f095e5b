//! The real program as a process: spawned, asked through its API, stopped, killed.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tradepost::crash::Point;

use crate::powercut;

/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(60);
/// A graceful stop takes at most 10 s; this is a little more for the machine.
const STOP: Duration = Duration::from_secs(12);
/// How long one run may take: that of everything that hundreds of kills have held up takes minutes.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// Where the program is and what it works with.
#[derive(Debug, Clone)]
pub struct Place {
    /// The program.
    pub program: PathBuf,
    /// Configuration, data folder, plugins folder, log of all its lives.
    pub root: PathBuf,
    /// Where the disk notes what it would lose, for the program on a bad disk.
    pub notes: Option<PathBuf>,
}

impl Place {
    /// Data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Plugins folder.
    #[must_use]
    pub fn plugins(&self) -> PathBuf {
        self.root.join("plugins")
    }

    /// Configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root.join("tradepost.toml")
    }

    /// What the program logged.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.root.join("host.log")
    }

    /// `tradepost serve` on a free port.
    #[must_use]
    pub fn serve(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("serve").arg("--config").arg(self.config());
        command.arg("--data").arg(self.data()).arg("--plugins").arg(self.plugins()).args(["--listen", "127.0.0.1:0"]);
        if let Some(notes) = &self.notes {
            command.env(powercut::NOTES, notes);
        }
        alone(&mut command);
        command
    }

    /// Runs another command of the program on this data folder, to its end.
    ///
    /// # Errors
    /// It cannot be started, or takes longer than three minutes.
    pub async fn tell(&self, words: &[&str]) -> Result<Told> {
        let mut command = Command::new(&self.program);
        command.args(words).arg("--config").arg(self.config());
        command.arg("--data").arg(self.data()).arg("--plugins").arg(self.plugins()).current_dir(&self.root);
        alone(&mut command);
        let output = tokio::time::timeout(Duration::from_secs(180), command.output())
            .await
            .with_context(|| format!("{words:?} does not end"))??;
        Ok(Told {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Starts the program; its log goes behind what is there.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(&self) -> Result<Host> {
        self.spawn_as(self.serve())
    }

    /// Starts a program that is killed when it comes to a point for the `nth` time.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn_to_die(&self, point: Point, nth: usize) -> Result<Host> {
        let mut command = self.serve();
        command.env("TRADEPOST_CRASH", format!("{}:{nth}", point.as_str()));
        self.spawn_as(command)
    }

    /// Starts the program in another way: with limits, with a service manager, as somebody else.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn_as(&self, mut command: Command) -> Result<Host> {
        // The address of a life that was killed means nothing.
        match std::fs::remove_file(self.data().join("api")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let log = File::options().create(true).append(true).open(self.log())?;
        let child = command.stdout(Stdio::null()).stderr(log).spawn().context("the program does not start")?;
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
        Ok(Host { place: self.clone(), child, http, api: None })
    }
}

/// Nothing of the tester's own set-up reaches the program.
fn alone(command: &mut Command) {
    for name in [
        "TRADEPOST_CONFIG",
        "TRADEPOST_DATA",
        "TRADEPOST_PLUGINS",
        "TRADEPOST_LISTEN",
        "TRADEPOST_LOG",
        "TRADEPOST_LOG_FORMAT",
        "TRADEPOST_KEY",
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
    ] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
}

/// What a command said.
#[derive(Debug)]
pub struct Told {
    /// Exit code; absent when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Told {
    /// Its output, if it ended with this code.
    ///
    /// # Errors
    /// It ended otherwise: everything it said.
    pub fn ended(self, code: i32) -> Result<String> {
        if self.code != Some(code) {
            bail!("it ended with {:?}, not {code}:\n{}\n{}", self.code, self.out, self.err);
        }
        Ok(self.out)
    }
}

/// A life of the program; it is killed when this is dropped.
#[derive(Debug)]
pub struct Host {
    place: Place,
    child: Child,
    http: reqwest::Client,
    /// Base address and token, once it answers.
    api: Option<(String, String)>,
}

impl Host {
    /// Waits until its API has an address.
    ///
    /// # Errors
    /// It ended instead, or took too long.
    pub async fn ready(&mut self) -> Result<()> {
        let began = Instant::now();
        let data = self.place.data();
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the program ended by itself: {status}\n{}", tail(&self.place.log()));
            }
            if let Ok(address) = std::fs::read_to_string(data.join("api")) {
                let token = std::fs::read_to_string(data.join("token")).context("there is no token")?;
                self.api = Some((format!("http://{}/api/v1", address.trim()), token.trim().to_owned()));
                return Ok(());
            }
            if began.elapsed() > START {
                bail!("the program did not start within {} s\n{}", START.as_secs(), tail(&self.place.log()));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks its API.
    ///
    /// # Errors
    /// It cannot be reached, or says no: its words.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let (base, token) = self.api.as_ref().context("the program is not ready")?;
        let mut request = self.http.request(method.clone(), format!("{base}{path}")).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{method} {path}: {status}: {text}");
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// Whether nothing has ended it yet.
    #[must_use]
    pub fn lives(&self) -> bool {
        // The process is not reaped before it is asked for its end, so its number is its own.
        let state = self.child.id().and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/stat")).ok());
        state.is_some_and(|stat| !stat.contains(") Z "))
    }

    /// Asks something at the root, without a token: status and text.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn look(&self, path: &str) -> Result<(u16, String)> {
        let (base, _) = self.api.as_ref().context("the program is not ready")?;
        let answer = self.http.get(format!("{}{path}", base.trim_end_matches("/api/v1"))).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// Waits until its readiness is as expected, and says so with this word.
    ///
    /// # Errors
    /// It does not become so within half a minute.
    pub async fn becomes(&self, status: u16, word: &str) -> Result<()> {
        let began = Instant::now();
        loop {
            let (found, text) = self.look("/readyz").await?;
            if found == status && text.contains(word) {
                return Ok(());
            }
            if began.elapsed() > Duration::from_secs(30) {
                bail!("/readyz says {found} {text}, not {status} {word}\n{}", tail(&self.place.log()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends it a signal by name.
    ///
    /// # Errors
    /// It cannot be signalled.
    pub async fn signal(&self, name: &str) -> Result<()> {
        let pid = self.pid().context("it has ended already")?;
        let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status().await?;
        if !sent.success() {
            bail!("process {pid} cannot be signalled");
        }
        Ok(())
    }

    /// Queues a run; its number.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn start(&self, (platform, direction, kind): Step) -> Result<i64> {
        let body = json!({ "direction": direction, "kind": kind });
        let run = self.ask(Method::POST, &format!("/platforms/{platform}/run"), Some(&body)).await?;
        run["id"].as_i64().with_context(|| format!("a run without a number: {run}"))
    }

    /// Queues a run and waits until it is over, held, or resting.
    ///
    /// # Errors
    /// As [`Self::ask`], or it takes longer than [`PATIENCE`].
    pub async fn run(&self, step: Step) -> Result<Value> {
        let id = self.start(step).await?;
        let began = Instant::now();
        loop {
            let mut detail = self.ask(Method::GET, &format!("/runs/{id}?wait=5&limit=1"), None).await?;
            let run = detail["run"].take();
            if run["over"] == true || matches!(run["state"].as_str(), Some("held" | "resting")) {
                return Ok(run);
            }
            if began.elapsed() > PATIENCE {
                bail!("{step:?} is not over: {run}\n{}", tail(&self.place.log()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its number, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// SIGKILL: nothing of the program runs after it. True when it was dead already, killed at the point it was told.
    ///
    /// # Errors
    /// It had ended in another way before, which it must not.
    pub async fn kill(mut self) -> Result<bool> {
        // Its first thread may be gone before the others are, and it is waited for.
        let before = if self.lives() { self.child.try_wait()? } else { Some(self.child.wait().await?) };
        if before.is_none() {
            self.child.start_kill().context("there was nothing to kill")?;
        }
        let status = match before {
            Some(status) => status,
            None => self.child.wait().await?,
        };
        if status.signal() != Some(9) {
            bail!("the program ended by itself: {status}\n{}", tail(&self.place.log()));
        }
        Ok(before.is_some())
    }

    /// SIGTERM, as a service manager stops it.
    ///
    /// # Errors
    /// It takes longer than it may.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        self.signal("TERM").await?;
        tokio::time::timeout(STOP, self.child.wait())
            .await
            .with_context(|| format!("it was still there {} s after SIGTERM", STOP.as_secs()))?
            .map_err(Into::into)
    }
}

/// Platform, direction and kind of a run, as the API names them.
pub type Step = (&'static str, &'static str, &'static str);

/// The end of a log.
#[must_use]
pub fn tail(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
