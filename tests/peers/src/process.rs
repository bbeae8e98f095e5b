//! Runs scripts and programs and stops them again by their process id.

use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// A port of 127.0.0.1 that nobody listens on now.
pub fn free_port() -> Result<u16> {
    let socket = TcpListener::bind(("127.0.0.1", 0)).context("no free port on 127.0.0.1")?;
    Ok(socket.local_addr()?.port())
}

/// Runs a program to its end and gives back what it printed; its words are in the error when it fails.
pub async fn run(command: Command) -> Result<String> {
    let shown = format!("{command:?}");
    let mut command = tokio::process::Command::from(command);
    // Output goes through pipes that a server started by the script does not hold: the scripts send its output to a file.
    let output = command.stdin(Stdio::null()).output().await.with_context(|| format!("cannot run {shown}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("{shown} ended with {}\n{text}{words}", output.status);
    }
    Ok(text)
}

/// Copies a folder with everything in it, keeping the permission to execute and adding the one to write.
pub async fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    let mut copy = Command::new("cp");
    copy.arg("-R").arg(from.join(".")).arg(to);
    run(copy).await?;
    let mut allow = Command::new("chmod");
    allow.arg("-R").arg("u+w").arg(to);
    run(allow).await?;
    Ok(())
}

/// Asks a process to end and waits for it; after `patience` it is killed.
pub async fn stop(child: &mut tokio::process::Child, patience: std::time::Duration) -> Result<()> {
    if let Some(pid) = child.id() {
        let mut kill = Command::new("kill");
        kill.arg("-TERM").arg(pid.to_string());
        run(kill).await?;
    }
    if tokio::time::timeout(patience, child.wait()).await.is_err() {
        child.kill().await.context("cannot kill a process of ours")?;
        bail!("a process did not end within {} s of being asked to", patience.as_secs());
    }
    Ok(())
}
