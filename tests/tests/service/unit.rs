//! The unit file of systemd: what stands in it, and the program under what of it can be had without systemd.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;

use crate::{connectors, place};

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/systemd/tradepost.service")
}

/// Sections with their keys, each with its values in order; comments are no part of it.
fn unit() -> Result<BTreeMap<String, BTreeMap<String, Vec<String>>>> {
    let mut sections: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    let mut section = String::new();
    for line in std::fs::read_to_string(path())?.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        let (key, value) = line.split_once('=').with_context(|| format!("`{line}` is no setting"))?;
        sections.entry(section.clone()).or_default().entry(key.to_owned()).or_default().push(value.to_owned());
    }
    Ok(sections)
}

#[tokio::test]
async fn the_unit_says_what_a_service_of_years_needs() -> Result<()> {
    let unit = unit()?;
    let service = &unit["Service"];
    let one = |key: &str| service.get(key).and_then(|values| values.first()).map(String::as_str);
    for (key, value) in [
        ("Type", "notify"),
        ("NotifyAccess", "main"),
        ("User", "tradepost"),
        ("Restart", "on-failure"),
        ("StateDirectory", "tradepost"),
        ("StateDirectoryMode", "0700"),
        ("UMask", "0077"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("AmbientCapabilities", ""),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("ProtectKernelTunables", "yes"),
        ("ProtectKernelModules", "yes"),
        ("ProtectControlGroups", "yes"),
        ("RestrictNamespaces", "yes"),
        ("RestrictSUIDSGID", "yes"),
        ("LockPersonality", "yes"),
        ("SystemCallArchitectures", "native"),
        ("SystemCallFilter", "@system-service"),
        ("Environment", "TRADEPOST_LOG_FORMAT=journald"),
    ] {
        assert_eq!(one(key), Some(value), "{key}");
    }
    // Compiled code needs it; who adds it finds out why not.
    assert!(!service.contains_key("MemoryDenyWriteExecute"));
    let text = std::fs::read_to_string(path())?;
    let comment = text.lines().find(|line| line.contains("MemoryDenyWriteExecute")).context("it is not explained")?;
    assert!(comment.starts_with('#'), "{comment}");
    assert!(!service.contains_key("LimitAS"), "pooled instances reserve address space");
    // The service ends by itself within 10 s; the manager waits longer, and notices a hang.
    let seconds = |key: &str| one(key).and_then(|value| value.parse::<u64>().ok());
    assert!(seconds("TimeoutStopSec") > Some(10));
    assert!(seconds("WatchdogSec").is_some_and(|seconds| (10..=300).contains(&seconds)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_unit_are_commands_of_the_program() -> Result<()> {
    let (_root, place) = place().await?;
    let unit = unit()?;
    for (key, word) in [("ExecStart", "serve"), ("ExecReload", "reload")] {
        let line = &unit["Service"][key][0];
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!((words[0], words[1]), ("/usr/bin/tradepost", word), "{line}");
        // With `--help` behind it the program reads all of it, and runs nothing.
        let told = Command::new(&place.program).args(&words[1..]).arg("--help").output().await?;
        assert!(told.status.success(), "{line}: {}", String::from_utf8_lossy(&told.stderr));
    }
    Ok(())
}

#[tokio::test]
async fn systemd_itself_finds_nothing_wrong() -> Result<()> {
    let Ok(verified) = Command::new("systemd-analyze").arg("verify").arg(path()).output().await else {
        eprintln!("there is no systemd-analyze here, so this is not tried");
        return Ok(());
    };
    let words = String::from_utf8_lossy(&verified.stderr).into_owned();
    let wrong: Vec<&str> = words
        .lines()
        .filter(|line| line.contains("tradepost.service"))
        // The program is not installed where tests run.
        .filter(|line| !line.contains("is not executable"))
        .collect();
    assert_eq!(wrong, Vec::<&str>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_works_under_the_limits_of_the_unit() -> Result<()> {
    let (root, place) = place().await?;
    connectors(&place).await?;
    let unit = unit()?;
    let one = |key: &str| unit["Service"].get(key).and_then(|values| values.first()).cloned().unwrap_or_default();
    std::fs::create_dir_all(place.data())?;

    // More files than this machine allows at all cannot be asked for.
    let most = |limits: &str| {
        limits
            .lines()
            .find(|line| line.starts_with("Max open files"))
            .and_then(|line| line.split_whitespace().nth(4)?.parse::<u64>().ok())
            .context("limits without files")
    };
    let files = most(&std::fs::read_to_string("/proc/self/limits")?)?.min(one("LimitNOFILE").parse()?);
    // Limits of resources and the mask are set as systemd sets them; the program inherits them.
    let mut script = format!("umask {}; ulimit -n {}; ulimit -c {}; ", one("UMask"), files, one("LimitCORE"));
    // Where we may: a file system of which only the state folder can be written, a /tmp of its own, no privileges.
    let able =
        Command::new("unshare").args(["--mount", "true"]).output().await.is_ok_and(|output| output.status.success());
    let setpriv = Command::new("setpriv").arg("--version").output().await.is_ok_and(|output| output.status.success());
    if able {
        script.push_str(
            "mount --make-rprivate / && mount --bind \"$STATE\" \"$STATE\" && mount -o remount,bind,ro / && ",
        );
        script.push_str("mount -o remount,bind,rw \"$STATE\" && ");
    }
    if able && setpriv {
        script.push_str("exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all \"$@\"");
    } else if setpriv {
        script.push_str("exec setpriv --no-new-privs \"$@\"");
    } else {
        script.push_str("exec \"$@\"");
    }
    eprintln!("read-only file system: {able}; no new privileges: {setpriv}");
    let serve = place.serve();
    let mut command = Command::new(if able { "unshare" } else { "sh" });
    if able {
        command.args(["--mount", "sh"]);
    }
    command.args(["-c", &script, "sh"]).arg(serve.as_std().get_program()).args(serve.as_std().get_args());
    command.env("STATE", root.path()).stdin(std::process::Stdio::null()).kill_on_drop(true);
    let mut host = place.spawn_as(command)?;
    host.ready().await?;

    let pid = host.pid().context("it has ended")?;
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits"))?;
    assert_eq!(most(&limits)?, files);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert_eq!(line("Umask:"), "Umask:\t0077");
    if setpriv {
        assert_eq!(line("NoNewPrivs:"), "NoNewPrivs:\t1");
    }
    if able && setpriv {
        assert_eq!(line("CapBnd:"), "CapBnd:\t0000000000000000");
        let mounts = std::fs::read_to_string(format!("/proc/{pid}/mountinfo"))?;
        let top = mounts.lines().rfind(|line| line.split(' ').nth(4) == Some("/")).context("no root")?;
        assert!(top.split(' ').nth(5).is_some_and(|options| options.split(',').any(|option| option == "ro")), "{top}");
    }

    // Machine code is made, cached and run under them.
    let plugins = host.ask(Method::GET, "/plugins", None).await?;
    let serving =
        plugins.as_array().context("plugins are a list")?.iter().filter(|plugin| plugin["standing"] == "serving");
    assert_eq!(serving.count(), 2, "{plugins}");
    let on = json!({ "on": true });
    host.ask(Method::PUT, "/automatic", Some(&on)).await?;
    let backup = json!({ "file": root.path().join("backup.db") });
    host.ask(Method::POST, "/backup", Some(&backup)).await?;
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(root.path().join("backup.db"))?.permissions().mode();
    assert_eq!(mode & 0o077, 0, "a backup is nobody else's: {mode:o}");
    assert_eq!(host.look("/readyz").await?.0, 200);
    host.signal("TERM").await?;
    assert_eq!(host.stop().await.map(|status| status.code()).unwrap_or(Some(0)), Some(0));
    Ok(())
}
