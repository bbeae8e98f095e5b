//! What a service manager hears, through a real socket.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tradepost::ledger::{Ledger, LedgerError, Options};

use crate::place;

/// The manager's end of `NOTIFY_SOCKET`.
struct Manager(UnixDatagram);

impl Manager {
    fn listen(path: &Path) -> Result<Self> {
        let socket = UnixDatagram::bind(path)?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        Ok(Self(socket))
    }

    /// The next message that holds this line.
    async fn hears(&self, line: &str) -> Result<String> {
        let socket = self.0.try_clone()?;
        let line = line.to_owned();
        tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            let mut heard = Vec::new();
            while began.elapsed() < Duration::from_secs(60) {
                let mut buffer = [0; 4096];
                let Ok(length) = socket.recv(&mut buffer) else { continue };
                let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if message.lines().any(|found| found == line || (line.ends_with('=') && found.starts_with(&line))) {
                    return Ok(message);
                }
                heard.push(message);
            }
            bail!("nobody said {line}; heard {heard:?}")
        })
        .await?
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manager_hears_of_start_life_reload_and_stop() -> Result<()> {
    let (root, place) = place().await?;
    let manager = Manager::listen(&root.path().join("notify"))?;
    let mut command = place.serve();
    command.env("NOTIFY_SOCKET", root.path().join("notify")).env("WATCHDOG_USEC", "900000");
    let mut host = place.spawn_as(command)?;
    let ready = manager.hears("READY=1").await?;
    // Whoever waits for it can ask at once.
    host.ready().await?;
    assert!(ready.contains("STATUS=serving at http://127.0.0.1:"), "{ready}");
    assert_eq!(host.look("/readyz").await?.0, 200);
    for _ in 0..3 {
        manager.hears("WATCHDOG=1").await?;
    }

    // SIGHUP: the levels change, and what needs a restart is named.
    std::fs::write(place.config(), "[log]\nfilter = \"debug\"\nformat = \"json\"\n")?;
    host.signal("HUP").await?;
    let reloading = manager.hears("RELOADING=1").await?;
    assert!(reloading.lines().any(|line| line.starts_with("MONOTONIC_USEC=")), "{reloading}");
    manager.hears("READY=1").await?;
    let log = std::fs::read_to_string(place.log())?;
    assert!(
        log.contains("the configuration was read anew")
            && log.contains("log.filter")
            && log.contains("restart=[\"log.format\"]"),
        "{log}"
    );

    // A mistake leaves everything as it is, and the service up.
    std::fs::write(place.config(), "[log]\nfiltr = \"debug\"\n")?;
    host.signal("HUP").await?;
    manager.hears("RELOADING=1").await?;
    manager.hears("READY=1").await?;
    let log = std::fs::read_to_string(place.log())?;
    assert!(log.contains("did you mean `log.filter`?") && log.contains("the one in force stays"), "{log}");
    let refused = place.tell(&["status"]).await?;
    assert_eq!(refused.code, Some(2), "commands read the same file: {refused:?}");
    std::fs::write(place.config(), "")?;
    let told = place.tell(&["reload"]).await?.ended(0)?;
    assert!(told.contains("In force now: ") && told.contains("log.filter"), "{told}");

    host.signal("TERM").await?;
    manager.hears("STOPPING=1").await?;
    assert_eq!(host.stop().await.map(|status| status.code()).unwrap_or(Some(0)), Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_hangs_does_not_feed_the_watchdog() -> Result<()> {
    let (root, place) = place().await?;
    let manager = Manager::listen(&root.path().join("notify"))?;
    let mut command = place.serve();
    command.env("NOTIFY_SOCKET", root.path().join("notify")).env("WATCHDOG_USEC", "600000");
    let mut host = place.spawn_as(command)?;
    manager.hears("WATCHDOG=1").await?;
    host.ready().await?;
    // Somebody holds the ledger's write lock: its writer cannot take turns.
    let ledger = Ledger::open(&place.data().join("clients/default/ledger.db"), Options::default())?;
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let holding = tokio::spawn(async move {
        let nothing = ledger.write(move |_| {
            let _ = held.recv();
            Ok::<_, LedgerError>(())
        });
        nothing.await.map(|()| ledger.close())
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    // What was fed before lies in the socket still.
    manager.0.set_nonblocking(true)?;
    while manager.0.recv(&mut [0; 4096]).is_ok() {}
    manager.0.set_nonblocking(false)?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    manager.0.set_nonblocking(true)?;
    let mut heard = 0;
    let mut buffer = [0; 4096];
    while let Ok(length) = manager.0.recv(&mut buffer) {
        heard += usize::from(buffer[..length].starts_with(b"WATCHDOG=1"));
    }
    assert_eq!(heard, 0, "the watchdog was fed while the ledger hung");
    manager.0.set_nonblocking(false)?;
    drop(let_go);
    holding.await??;
    manager.hears("WATCHDOG=1").await?;
    assert_eq!(host.stop().await?.code(), Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_gets_constant_messages_with_fields() -> Result<()> {
    let (root, place) = place().await?;
    // The journal's address is fixed, so the program gets a /run of its own.
    let run = root.path().join("run");
    std::fs::create_dir_all(run.join("systemd/journal"))?;
    let journal = UnixDatagram::bind(run.join("systemd/journal/socket"))?;
    journal.set_read_timeout(Some(Duration::from_secs(1)))?;
    let able = tokio::process::Command::new("unshare").args(["--mount", "true"]).output().await;
    if !able.is_ok_and(|output| output.status.success()) {
        eprintln!("no folder can be mounted over /run here, so this is not tried");
        return Ok(());
    }
    let serve = place.serve();
    let mut command = tokio::process::Command::new("unshare");
    let script = "mount --make-rprivate / && mount --bind \"$RUN\" /run && exec \"$@\"";
    command.args(["--mount", "sh", "-c", script, "sh"]);
    command.arg(serve.as_std().get_program()).args(serve.as_std().get_args());
    command.env("RUN", &run).env("TRADEPOST_LOG_FORMAT", "journald").stdin(std::process::Stdio::null());
    command.kill_on_drop(true);
    let mut host = place.spawn_as(command)?;
    host.ready().await?;
    let mut heard = String::new();
    let mut buffer = vec![0; 64 * 1024];
    let began = Instant::now();
    while !heard.contains("serving") && began.elapsed() < Duration::from_secs(20) {
        if let Ok(length) = journal.recv(&mut buffer) {
            heard.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    }
    for part in [
        "SYSLOG_IDENTIFIER",
        "MESSAGE",
        "serving",
        "TRADEPOST_ADDRESS",
        "127.0.0.1:",
        "PRIORITY",
        "tradepost::cli::serve",
    ] {
        assert!(heard.contains(part), "{part} is missing in {heard}");
    }
    assert_eq!(host.stop().await?.code(), Some(0));
    // Where there is no journal, it says so and what to do.
    let mut nobody = place.serve();
    nobody.env("TRADEPOST_LOG_FORMAT", "journald");
    if !Path::new("/run/systemd/journal/socket").exists() {
        let output = nobody.output().await?;
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && words.contains("finds no journal"), "{words}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_have_constant_messages_and_fields() -> Result<()> {
    let (_root, place) = place().await?;
    std::fs::write(place.config(), "[log]\nformat = \"json\"\n")?;
    let mut host = place.spawn()?;
    host.ready().await?;
    assert_eq!(host.stop().await?.code(), Some(0));
    let log = std::fs::read_to_string(place.log())?;
    let lines: Vec<serde_json::Value> = log.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let serving = lines.iter().find(|line| line["message"] == "serving");
    assert!(
        serving.is_some_and(|line| line["address"].as_str().is_some_and(|at| at.starts_with("127.0.0.1:"))),
        "{log}"
    );
    assert!(lines.iter().any(|line| line["message"] == "stopped"), "{log}");
    Ok(())
}
