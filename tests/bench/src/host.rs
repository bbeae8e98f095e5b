//! The host as a process of its own, and its platforms.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tradepost::config::{Config, Flags};
use tradepost::service::Service;
use tradepost_build::{Connector, Step, Workspace};
use tradepost_tests::host::{Host, Place};

use crate::platform::Platform;

/// Nothing is waited for longer than a test can wait.
const CONFIG: &str = "\
[log]
filter = \"warn\"

[sync]
event-delay = 1

[limits]
http-seconds = 5
";

/// Builds the connector; where it lies.
pub(crate) fn connector() -> Result<PathBuf> {
    let tell = |step: Step<'_>| {
        if let Step::Begun(text) = step {
            eprintln!("{text}");
        }
    };
    let built = tradepost_build::build(&Workspace::of_this_build()?, &[Connector::new("bench-connector")], &tell);
    let built = built.map_err(|error| match error.hint() {
        Some(hint) => anyhow::anyhow!("{error}\n{hint}"),
        None => error.into(),
    })?;
    Ok(built.into_iter().next().context("one connector")?.path)
}

/// A data folder, a plugins folder, and the program.
pub(crate) struct Site {
    place: Place,
    _root: TempDir,
}

/// A platform of the site.
pub(crate) struct Member<'a> {
    /// Its code.
    pub(crate) code: &'a str,
    /// Where it is.
    pub(crate) platform: &'a Platform,
    /// Its policy.
    pub(crate) policy: Value,
}

impl Site {
    /// Makes the folders, with the connector in the plugins folder.
    pub(crate) fn new(connector: &Path) -> Result<Self> {
        let root = tempfile::tempdir()?;
        let place = Place { program: std::env::current_exe()?, root: root.path().to_owned(), notes: None };
        std::fs::create_dir_all(place.plugins())?;
        std::fs::write(place.config(), CONFIG)?;
        std::fs::copy(connector, place.plugins().join("bench.wasm"))?;
        Ok(Self { place, _root: root })
    }

    /// Plugins folder.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.place.plugins()
    }

    /// The ledger's file.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.place.data().join("clients/default/ledger.db")
    }

    /// Size of the ledger's file.
    pub(crate) fn ledger_bytes(&self) -> Result<u64> {
        Ok(std::fs::metadata(self.ledger())?.len())
    }

    /// Sets the platforms up and puts them to work; nothing is shown on any of them yet.
    pub(crate) async fn set_up(&self, members: &[Member<'_>]) -> Result<()> {
        let service = Service::start(Config::load(&Flags {
            config: Some(self.place.config()),
            data: Some(self.place.data()),
            plugins: Some(self.place.plugins()),
            listen: Some(([127, 0, 0, 1], 0).into()),
        })?)
        .await?;
        for member in members {
            let change = json!({
                "settings": {"url": member.platform.url},
                "grant-all": true,
                "private": [{"host": "127.0.0.1", "range": "127.0.0.1/32", "port": member.platform.port()?}],
                "policy": member.policy,
            });
            service.add_platform(member.code, "org.tradepost.bench", member.code).await?;
            service.change_platform(member.code, serde_json::from_value(change)?).await?;
            service.onboard(member.code).await?;
            // Everything that ever was ordered counts.
            service.go_live(member.code, Some("2020-01-01T00:00:00Z".parse()?)).await?;
        }
        service.stop().await;
        Ok(())
    }

    /// Starts the host and waits until it answers.
    pub(crate) async fn start(&self) -> Result<Running> {
        let mut host = self.place.spawn()?;
        host.ready().await?;
        Ok(Running { host })
    }
}

/// The host's process.
pub(crate) struct Running {
    host: Host,
}

impl Running {
    /// Runs one action to its end, releasing it where its guard holds it; seconds that it worked, and the run.
    pub(crate) async fn run(&self, code: &str, direction: &str, kind: &str) -> Result<(f64, Value)> {
        let mut seconds = 0.0;
        loop {
            let (took, run) = self.once(code, direction, kind).await?;
            seconds += took;
            match run["state"].as_str() {
                Some("done") => return Ok((seconds, run)),
                Some("held") => self.release().await?,
                _ => bail!("{code} {direction} {kind} ended as {run}"),
            }
        }
    }

    async fn once(&self, code: &str, direction: &str, kind: &str) -> Result<(f64, Value)> {
        // What the platform shows is older than its first contact, so that changes since then would be none.
        let body = json!({ "direction": direction, "kind": kind, "full": direction == "pull" });
        let began = Instant::now();
        let run = self.host.ask(Method::POST, &format!("/platforms/{code}/run"), Some(&body)).await?;
        let id = run["id"].as_i64().context("a run has a number")?;
        loop {
            // Lines that are there already would be an answer at once, again and again, and cost the host more than the run.
            let path = format!("/runs/{id}?wait=20&limit=1&after={}", i64::MAX);
            let mut detail = self.host.ask(Method::GET, &path, None).await?;
            let run = detail["run"].take();
            if run["over"] == true || matches!(run["state"].as_str(), Some("held" | "resting")) {
                return Ok((began.elapsed().as_secs_f64(), run));
            }
        }
    }

    /// Answers the guard's question with yes.
    async fn release(&self) -> Result<()> {
        let open = self.host.ask(Method::GET, "/attention?state=open", None).await?;
        let asked = open.as_array().into_iter().flatten().find_map(|asked| {
            asked["choices"].as_array()?.iter().find(|choice| choice["name"] == "release")?;
            asked["id"].as_i64()
        });
        let id = asked.with_context(|| format!("a held run has its question: {open}"))?;
        let answer = json!({ "answer": "release" });
        self.host.ask(Method::POST, &format!("/attention/{id}/answer"), Some(&answer)).await?;
        Ok(())
    }

    /// Asks the API.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        self.host.ask(method, path, body).await
    }

    /// Memory of the process now, in MB, and its open files.
    pub(crate) fn usage(&self) -> Result<(f64, usize)> {
        let pid = self.host.pid().context("the host runs")?;
        let files = std::fs::read_dir(format!("/proc/{pid}/fd"))?.count();
        Ok((self.status("VmRSS:")?, files))
    }

    /// Most memory that the process ever had, in MB, without what it compiles in children.
    pub(crate) fn peak(&self) -> Result<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Result<f64> {
        let pid = self.host.pid().context("the host runs")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a process has a status")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024.0 / 1e6)
    }

    /// Stops it as a service manager would.
    pub(crate) async fn stop(self) -> Result<()> {
        let status = self.host.stop().await?;
        if !status.success() {
            bail!("the host ended with {status}");
        }
        Ok(())
    }

    /// Waits until a question about the plugins folder is answered with yes.
    pub(crate) async fn until(&self, holds: impl Fn(&[Value]) -> bool) -> Result<()> {
        let began = Instant::now();
        loop {
            let plugins = self.host.ask(Method::GET, "/plugins", None).await?;
            if holds(plugins.as_array().map_or(&[], Vec::as_slice)) {
                return Ok(());
            }
            if began.elapsed() > Duration::from_secs(120) {
                bail!("the plugins folder never came to what was expected: {plugins}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
