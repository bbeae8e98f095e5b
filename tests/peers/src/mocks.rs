//! Connectors against the vendors' own descriptions: mock servers that refuse what a vendor's document forbids and say why.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{copy_folder, free_port};

/// Vendors whose connectors are judged, in the mocks' own words.
pub const VENDORS: [&str; 2] = ["woocommerce", "vendure"];

/// Running mocks. Dropping stops them.
#[derive(Debug)]
pub struct Mocks {
    folder: PathBuf,
    base_port: u16,
}

/// One request a connector made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub ok: bool,
    pub what: String,
}

impl Mocks {
    /// Copies `shared`/mocks into `folder` and starts the vendors' mocks with empty journals.
    pub async fn start(shared: &Path, folder: &Path) -> Result<Self> {
        let source = shared.join("mocks");
        if !source.join("run.sh").is_file() {
            bail!("{} holds no mocks: give the shared folder with --shared", shared.display());
        }
        copy_folder(&source, folder).await?;
        let mocks = Self { folder: folder.canonicalize()?, base_port: free_base()? };
        mocks.stop_all();
        let mut start = Command::new("./run.sh");
        // The mocks inherit the script's output and would hold a pipe open; a file lets the script end.
        let log = std::fs::File::create(mocks.folder.join("start.log"))?;
        start.args(VENDORS).current_dir(&mocks.folder).env("BASE_PORT", mocks.base_port.to_string());
        let mut start = tokio::process::Command::from(start);
        let ended = start.stdout(log.try_clone()?).stderr(log).status().await?;
        if !ended.success() {
            let words = std::fs::read_to_string(mocks.folder.join("start.log")).unwrap_or_default();
            bail!("the vendor mocks did not start:\n{words}");
        }
        Ok(mocks)
    }

    /// Base address of a vendor's mock, without the path of its interface.
    pub fn url(&self, vendor: &str) -> Result<String> {
        let offset = match vendor {
            "woocommerce" => 4,
            "vendure" => 6,
            other => bail!("no mock is started for {other}"),
        };
        Ok(format!("http://127.0.0.1:{}", self.base_port + offset))
    }

    /// What the mock of a vendor judged so far.
    pub fn journal(&self, vendor: &str) -> Result<Vec<Line>> {
        let path = self.folder.join(format!("run/{vendor}.journal.jsonl"));
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        text.lines().map(line).collect()
    }

    fn stop_all(&self) {
        let _ = Command::new("./stop.sh").current_dir(&self.folder).output();
    }
}

impl Drop for Mocks {
    fn drop(&mut self) {
        self.stop_all();
    }
}

/// A line without a verdict is an error: silence must not pass for approval.
fn line(text: &str) -> Result<Line> {
    let parsed: Value = serde_json::from_str(text).with_context(|| format!("unreadable journal line `{text}`"))?;
    let ok = parsed["ok"].as_bool().with_context(|| format!("a journal line without a verdict: {text}"))?;
    Ok(Line { ok, what: text.to_owned() })
}

/// A base whose ports are free for the vendors we start.
fn free_base() -> Result<u16> {
    for _ in 0..50 {
        let base = free_port()?.saturating_sub(7);
        let is_free = |offset| std::net::TcpListener::bind(("127.0.0.1", base + offset)).is_ok();
        if base > 1024 && is_free(4) && is_free(6) {
            return Ok(base);
        }
    }
    bail!("found no free ports for the vendor mocks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_line_needs_a_verdict() {
        assert!(line(r#"{"ok":true,"method":"GET"}"#).unwrap().ok);
        assert!(!line(r#"{"ok":false,"message":"limit must be integer"}"#).unwrap().ok);
        assert!(line(r#"{"method":"GET"}"#).is_err());
        assert!(line("").is_err());
    }
}
