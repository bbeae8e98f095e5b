//! A disk that is full, nearly full, read-only, or takes nothing any more: a clear state, no damage, and on it goes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;
use tradepost_tests::host::{Host, Place};
use tradepost_tests::trade;

use crate::{Trade, place};

/// A file system of its own, in memory. It is unmounted when this is dropped.
struct Disk(PathBuf);

impl Disk {
    /// `None` where this user may not mount; then the test says so and ends.
    async fn mount(at: &Path, mebibytes: u32) -> Result<Option<Self>> {
        std::fs::create_dir_all(at)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m,mode=700"), "tradepost-test"])
            .arg(at)
            .output()
            .await;
        match mounted {
            Ok(output) if output.status.success() => Ok(Some(Self(at.to_owned()))),
            other => {
                eprintln!("no file system can be mounted here, so this is not tried: {other:?}");
                Ok(None)
            }
        }
    }

    /// Takes all but so many bytes.
    fn fill(&self, leave: u64) -> Result<()> {
        use std::io::Write;
        let mut file = File::options().create(true).append(true).open(self.filler())?;
        let chunk = vec![7; 64 * 1024];
        loop {
            let free = tradepost::ledger::trouble::space(&self.0)?.free;
            if free <= leave {
                return Ok(());
            }
            let most = usize::try_from(free - leave)?.min(chunk.len());
            match file.write_all(&chunk[..most]) {
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
                other => other?,
            }
        }
    }

    fn free(&self) -> Result<()> {
        std::fs::remove_file(self.filler()).context("there is nothing to free")
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

/// Places orders and lets everything move, until the ERP has entered so many orders.
async fn until_entered(host: &Host, trade: &mut Trade, orders: usize) -> Result<()> {
    for _ in 0..6 {
        for step in trade::CYCLE {
            host.run(step).await?;
        }
        trade.erp.take_up()?;
        if trade.erp.entries().len() >= orders {
            return Ok(());
        }
    }
    bail!("{} of {orders} orders came through", trade.erp.entries().len())
}

async fn intact(place: &Place) -> Result<()> {
    // A backup reads every page, and what is restored is checked as a whole.
    let copy = place.root.join("intact.db");
    drop(std::fs::remove_file(&copy));
    place.tell(&["backup", "intact.db"]).await?.ended(0)?;
    tradepost::ledger::backup::inspect(&copy)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_space_is_short_runs_rest_and_go_on_by_themselves() -> Result<()> {
    let mut trade = Trade::begin().await?;
    // The data folder moves onto a small disk, and its owner takes it with it: same machine, same path.
    let aside = trade.place.root.join("aside");
    std::fs::rename(trade.place.data(), &aside)?;
    let Some(disk) = Disk::mount(&trade.place.data(), 96).await? else { return Ok(()) };
    let copied =
        Command::new("cp").arg("-a").arg(format!("{}/.", aside.display())).arg(trade.place.data()).status().await?;
    assert!(copied.success());
    let config = |min_free: u64| format!("{}\n[ledger]\nmin-free = {min_free}\n", trade::CONFIG);
    std::fs::write(trade.place.config(), config(8 << 20))?;
    let mut host = trade.place.spawn()?;
    host.ready().await?;
    host.becomes(200, "\"ready\":true").await?;

    // Nearly full: nothing new begins, but what has to be written down still can.
    disk.fill(4 << 20)?;
    host.becomes(503, "disk-low").await?;
    assert_eq!(host.look("/healthz").await?.0, 200, "a restart would not help");
    let status = trade.place.tell(&["status"]).await?.ended(0)?;
    assert!(status.contains("RUNS REST") && status.contains("make room"), "{status}");
    let asked = trade.place.tell(&["attention", "list"]).await?.ended(0)?;
    assert!(asked.contains("nearly full"), "a person is asked: {asked}");
    trade.shop.control().reset_journal();
    trade.sell(1)?;
    let waiting = host.start(("shop", "pull", "order")).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let run = host.ask(Method::GET, &format!("/runs/{waiting}"), None).await?;
    assert_eq!(run["run"]["state"], "queued", "{run}");
    assert_eq!(trade.shop.control().journal().total, 0, "runs rest");

    disk.free()?;
    host.becomes(200, "\"ready\":true").await?;
    until_entered(&host, &mut trade, 1).await?;
    let run = host.ask(Method::GET, &format!("/runs/{waiting}"), None).await?;
    assert_eq!(run["run"]["state"], "done", "what waited went on by itself: {run}");
    let asked = host.ask(Method::GET, "/attention", None).await?;
    assert!(!asked.to_string().contains("nearly full"), "{asked}");

    // Full, without any reserve, in the middle of work.
    std::fs::write(trade.place.config(), config(0))?;
    trade.place.tell(&["reload"]).await?.ended(0)?;
    for n in 2..6 {
        trade.sell(n)?;
    }
    host.start(("shop", "pull", "order")).await?;
    host.start(("erp", "push", "order")).await?;
    disk.fill(0)?;
    // Until what the write-ahead log had room for is used up.
    let padding = json!({ "options": { "note": "x".repeat(300_000) } });
    for _ in 0..400 {
        if host.ask(Method::PUT, "/actions/shop/pull/order", Some(&padding)).await.is_err() {
            break;
        }
        disk.fill(0)?;
    }
    host.becomes(503, "disk-full").await?;
    let refused = trade.place.tell(&["automatic", "off"]).await?;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("full") && refused.err.contains("make room"), "it says what to do: {refused:?}");
    assert_eq!(host.look("/healthz").await?.0, 200);
    host.ask(Method::GET, "/records", None).await.context("what is there can still be read")?;

    disk.free()?;
    host.becomes(200, "\"ready\":true").await?;
    let plain = json!({ "options": {} });
    host.ask(Method::PUT, "/actions/shop/pull/order", Some(&plain)).await?;
    until_entered(&host, &mut trade, 5).await?;
    let mut numbers: Vec<&str> = trade.erp.entries().iter().map(|entry| entry.shop_number.as_str()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!((numbers.len(), trade.erp.entries().len()), (5, 5), "lost or doubled: {:?}", trade.erp.entries());
    intact(&trade.place).await?;
    assert_eq!(host.stop().await?.code(), Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_any_more_does_no_damage_and_is_noticed_when_it_is_well() -> Result<()> {
    let (_root, place) = place().await?;
    let mut host = place.spawn()?;
    host.ready().await?;
    // No file may grow beyond what it has: as a quota, or a disk that fails.
    let limit = |bytes: &'static str| {
        let pid = host.pid();
        async move {
            let set = Command::new("prlimit")
                .arg(format!("--pid={}", pid.context("it has ended")?))
                .arg(format!("--fsize={bytes}"))
                .output()
                .await?;
            anyhow::ensure!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
            Ok(())
        }
    };
    limit("4096:unlimited").await?;
    let on = place.tell(&["automatic", "on"]).await?;
    assert_eq!(on.code, Some(1), "{on:?}");
    assert!(on.err.contains("the disk of the ledger"), "{on:?}");
    host.becomes(503, "disk-").await?;
    let status = host.ask(Method::GET, "/status", None).await?;
    assert_eq!(status["automatic"], false, "nothing was written: {status}");

    limit("unlimited:unlimited").await?;
    host.becomes(200, "\"ready\":true").await?;
    place.tell(&["automatic", "on"]).await?.ended(0)?;
    intact(&place).await?;
    assert_eq!(host.stop().await?.code(), Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_on_a_read_only_disk_says_so_and_changes_nothing() -> Result<()> {
    let (_root, place) = place().await?;
    let Some(_disk) = Disk::mount(&place.data(), 32).await? else { return Ok(()) };
    let mut host = place.spawn()?;
    host.ready().await?;
    place.tell(&["automatic", "on"]).await?.ended(0)?;
    assert_eq!(host.stop().await?.code(), Some(0));
    let ledger = place.data().join("clients/default/ledger.db");
    let before = std::fs::read(&ledger)?;
    let remount =
        |how: &'static str| Command::new("mount").arg("-o").arg(format!("remount,{how}")).arg(place.data()).status();
    assert!(remount("ro").await?.success());
    let refused = place.serve().output().await?;
    let words = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{words}");
    assert!(words.to_lowercase().contains("read-only"), "{words}");
    assert_eq!(std::fs::read(&ledger)?, before);
    assert!(remount("rw").await?.success());
    let mut host = place.spawn()?;
    host.ready().await?;
    assert_eq!(host.ask(Method::GET, "/status", None).await?["automatic"], true);
    assert_eq!(host.stop().await?.code(), Some(0));
    Ok(())
}
